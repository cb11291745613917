// SPDX-License-Identifier: GPL-3.0-or-later
// Three RSA keys to measure with. They are printed here, so they protect nothing: they sign the
// word "measured" at start, a few times, and making new ones would take longer than all the
// measuring.
#include <wolfssl/wolfcrypt/coding.h>

#include <string_view>

#include "crypto/rsa_engine.h"

namespace sealgate {
namespace {

constexpr std::string_view key_2048 =
    "MIIEvgIBADANBgkqhkiG9w0BAQEFAASCBKgwggSkAgEAAoIBAQDIHLNRxJ3XHFeiNiC70/q43KNurkxZQM+MWPPueGKv"
    "FejZfGW98N82SFyxpIWOgk/yjHr6o1xOIVqWvkl92sCB2FE/ZimK/3M7qRjoz7RoOqONe9kT8wLweZ8Dln0Ono79BHBR"
    "JqASgjbm1Qm+S4ugSJQq1ck69XlvDQFZGJWH5AzFxqVBUcIWeBcF5qv59PKHPTl+LSMgBjCTwhjHtyL0Fqsvx8kHz3qI"
    "sHll8JhhhR1Ru94BeROPO3L1+RJ0DBO88hn4mseCbXI7T2naeAv4RioYXu9KAB3HAaQ5Zw+YwQXUnCB9Ye0GsQJHTOCZ"
    "CpZeY0F+wheycUv3owPIMPBLAgMBAAECggEAYhtABryALa/lfs9OqQc6CluRfHfTUoalukb6AFXg+7mgGNAWCVMH+9Lq"
    "LuVb3QwiKeWZfTuNy3gqs3DDEwKmEoJ9AroRb+XhFsTGQ41hAyCMgpbPTCp9rGvT+6xRz1MJAx6j+gUXwTs5s12Kk1Ly"
    "Nzid+4ooR9GFIV6c5JNa6+2Q4Lx+rryseNJrWxRAwVsOcwKatSBmoztvMAqBLP0BmVr6VHnLMPHzgfYWuP3SHqXcQrJW"
    "nbHv/Twr+izLrARL5RzR0rLswQElBWKj42j5PucvLiWSEu3dWVn3xhWXZSdebW+xWwUCQDT/CheCjmVJrPP0gNhuJR7T"
    "yt3VBVv4YQKBgQD8RDHxgHbJtpQ5ZmjAhc/YqrPDNJWNwa6EjO4EKfK+MyIkWp3VSJc0PKTmbGr2pNWcWsV1JAFjgVGF"
    "k+HmcGzfPKZBdTfUdIBIQC0HI68ChqHznO3SSy+YALR1WJRc8KeClFPky8LLHqgV3smW3nq6HWvDdGbnM7B8xcbMpDbs"
    "AwKBgQDLEuZHhvOk8QmNGysnPvRbSoeZkf49hTU/m3mbOblgq+JY2Q0UgQPwiL7vnRvsoQm86KHIbbmdSglHOTHI+FL0"
    "nxPXf0kC3NzQb8BTZlpouMn6jhSC/jWhLG+gThSL6X3sk6eNNoTQLkBqguGend0hQGVi4WET3PBSL2CXLEFMGQKBgQCD"
    "J41zyt93hhZQNX82wRtLwYxObBNpLQ5n2cGRpqGO45TXo8k1b1U1kmYFas69xvtMHCFXAs46Bqz0ruse3Mqt0aF6nM/X"
    "BG8BoWQHtzSxMoAW4TsAP5jSBWPNMq2IGJJuoGFxrcJryleHb1oNt0PFabByYR1zDPuwEz+Fe8cWMwKBgCdi8AT5eLIK"
    "CgczOMhw3mYCa5Buj3gRKQXAOvLPXFQSomEHIBFVAJWbgCTrPOpFRaU9HXvJRFHsdSY6QpyvBS/q1qdaSafjfHR06EGE"
    "vY5IIOyWuAW8Fly/SJs36aZFUCYdcUbjRxk1j0rZPbdM+QGlAsUN341Bsd7Oz5YigDupAoGBAI2UWmI3lNWVB915rC6f"
    "bxVp2BgckIW3gtvTi709AFpxG5JnR8U29kQbcQkgY68ZmzWdQilJocFGsJgCAY0CsdVqjvOR2fTu/LB5mqh5fUpZQpep"
    "aTfnGiXYd5BBadQp2JCC31jG1Cym1UkY9+qZbAsJwUfUfQc2kpNHPcX8Y7ku";

constexpr std::string_view key_3072 =
    "MIIG/QIBADANBgkqhkiG9w0BAQEFAASCBucwggbjAgEAAoIBgQDTB//Qv16i176S6DlDeRCsjJcXLpT/555aB8Lz02gO"
    "oherRe9mM0hdR6wqjDJoRygrIn3fPmo674jbLrFZwDkeo+HwjIyV7okWhqSpjdjjOOwMfeP53CciXtTASOOdT+GH3lvh"
    "uCDGalNh083q0P+usWkkb6DIae6Fl9IbgabwmGoUxOlwwkjGi3Ve22XQ5Bf4PJTvqyHdcjYMgxzuD0o/BXH2FIw5Wt8Y"
    "YO4HEoK6ZPT52xmwHDIZNe9MOc9S772bYmpGoYaTR0NrRkHBM4EkutFnoVgvks26xusNz7yuyV4uCf20GjD8xe9zps3T"
    "eneUpsqvZu33JwrA5EAlLIc4OFHjiwwFAciH5nycxBt3mg0O5CWFTxsvdorcvOqXwMS8UiUlAvBJpSixQTyuQCs2xp9g"
    "xQaVgNwVd05+W3C3MtBFXthmyo5bOsxIWDMv6TvmSd7ecmXCEwAvzw6nRkSyPhXjUg+vN+Yv+Yovadpy43hPgCGOeT29"
    "Gh0vPVmxArcCAwEAAQKCAYACvzwCjOzGJHyb4r9hrcRC5fIB876UL2ddl0DftdtJAXqN/xmOlFFQ7lUDGSyyZ2a4jp9I"
    "ovV02FeV0gXhLxuvPR8WTgYQd5JVdqHTF5nnD0xUHbMBHO86rWhW+Ai6eTOfqXKhvajzj3PDAyPow0xPJL3dIw50cJvE"
    "8mtIpceCCNt5cyMkyOqnAJUh2HiuH1Uui1jwkiMDnaNIrQMMS3eoc8FktiZcvF5i4PQh2tXuNJ05v8yvgONBqVsr/CUP"
    "2J4MEvSEKpBCCuWfnMq2s48WcZybOw8YgFHXRLGpuf6muOjgEojKrLk8rqdoEcikHbJot4/gPXOOtnWyqqGFjMDjUQu4"
    "54Rlf9ugQ3qGqQOjbB+lDWpzt0dlbzGmh+z9XC253vXBKfOQwTQkh1q9O2AyEqrtwt2eeDjb9uB5OVvQn011qnwO0Umn"
    "+DhVUy/yftmZOJJVOAU5vf3Q5l2kSI3Ug8U0ioxEHMMnNHlMg7lo4OrzjQ8/jKhGEXu2JqImlw0CgcEA9IPr+hZvzkGK"
    "1WjEt4q8vuplBYrl/50vbc6d6Aeirhb0CO+VC0ktrkH4P9Z9i74E7bb1kE2vh4YO4SPfgsNIsidiT8u9FdE3ES2vll75"
    "ejkrlYA0WIoKBPqhex8+Lag3CsljRY9bKcodWpCetJFkfXNL789cuaXsnTcTgfT7sP90CR/wNdlp7Y6WbtxcOXYH2ccX"
    "9V7SyR+jcoTb/UJNGhboT+oiS435KrpG5QVE5Vub3l4EAfJ4NajfbD8gcArFAoHBANzxdiFeGXBDP3/dVJ5jXInaq87J"
    "rVhvls1dVF+XEyfejrNHdkAc/Xu9lbLfExBFAfeT3AXS0Lyf7i6xxFuCWYpB1mpLS95WuyOB+qA0fWnt9Y6O2j00e98E"
    "LvZ+ZhRXi3zvG49q9hvvD4ADFto6yUo/AofMKwiVybGGlpnImi4bNYjA3Ymh7bTMnktrMYhZycS9fKScm7dRTO19DKED"
    "qbuAqBDatN2jfAT4DV6NLZLVe7we2EHdRz8yDM7c4lAfSwKBwAiZjzYnjd0iPwDMg4a1EXhhhBYS0Y4Q+DcTekhL5HPd"
    "CM47pvFTrJChb1rHb3j3wPKfabmekdrhYyqV+Wl+9tKVQgbucoMO7bHj+nX+dyXOVvMWJEEs8bdFHWLYMXanoO/3L0+m"
    "AB3TJv8lcP+G0ZL7+CLCF0/MPys0YbJDbIrIIUuk3Oz37ZrWVgImK/Q1a4dEUlpl8GH0g+omNBqPN2kAf0E4SeaAYtAW"
    "5yFs8wRiGXRTuC5dWc8BVoJXIgvuxQKBwDNnuqRo0GJeQxfs1xNC6vTn+7FRGxPIYr3FSSw0ajCMh4cOyWSBWjjAE2Ra"
    "ooTWiW6g6EAynH5Gd5RFp/niihKw3sI8YpqIc2H/i+BaVhOfWdKhSgWTgH6S6ppPLlDtTXbz6uWjbT9yj5ipH1gG9W5g"
    "2qXdyuVkdFjph4CgO78edYYr2V98XWIDeZDyj8O5oEg2Dhn+lfxA3jUjMx0DTSpi9Ld3Kz2mG+TMEdA96KyRHwjV5Fru"
    "sPTzICfBHKanoQKBwQCRdFqUMaWWZhBLIqPi9FEJ1XPBhAI6LQG2c2a7Rb1Zf60S4/trm7YC4/nyjikNAx6GsaeIPBUi"
    "MohBYgxjdqkcX9onqrx0n+N3GHleNp85w7ZcVyBV4JgnK6s80Lsbsfv58Htg/cXXs4cIKSfc90NhAIK86gJk3SLnEYZO"
    "njL+D5k/GaFrtBrIXjST7nzdPnWEfPsyUwfSsxktw+kX8s0TPH7zq6x5bWPXwPDN09vjfHAil7Zor9/afeYCYFuXVnY=";

constexpr std::string_view key_4096 =
    "MIIJQwIBADANBgkqhkiG9w0BAQEFAASCCS0wggkpAgEAAoICAQDKkbrsY/1hGKjgXSONvJvun6bhsEOrKU2CgbLWOm/K"
    "FoackWbvPHR+7GY6Q/JY4mdcs4009FVSVS+DvI4crDpLBxP2rytWxvFDNCsrSUbjvAzJEQFfIgCQjN7FlJbw1p2sseiE"
    "wWy4pAUaVDcyzkyXWIIjTTTFXgi2EfwU58sQ4ZkRPxgaSPbhTYQiq0NX1gH9rlsXXil9iILzRYEfPSqB+Il7iLXxso57"
    "6j2RtgNymgH2ybocRlP5ziBNStssOAzSrg2lpMATC5gvtYa5ccfUJR/qVnhmUHff9JVYKKGaf88cwuENG2Vp3QFzHbYa"
    "VmtGnDxVzb8c8wBX+/6P6NHsNfKylZxdL6pan+esm/SviwFAflJwF0uxlAAh30KHJ0P0ZsbvULVOL7AGlsnU29+0DSai"
    "qqtTbqWxq8MbrQWP66Rmt06flsuUvTMx483Sa0DL+UqVEJlD6wwyqT9IPPlbcPVVIzVTRCFROC3oPEhi28x3NyZ+Oe9u"
    "GjkT/vbIZRAoMZsZPkrtwrELuAOIOp/A4+0KtHzybL56GlqMLcX30JTG7BbRhNvd/uI5rDeCwd7NYos1qhViFfix9WbT"
    "QRVXJYNjZcIf+oWxJ+CKu9AmY/3ChZCD+wNjbzI00Peeg+nzr7dBprE0ZTG+b2K3pms/T2ZJaIdWE61JeYyzshgrhQID"
    "AQABAoICACjj9njh7UOkm/BgdL0Xgd2PLjt4HozGQ15xCnXqqWbAmc8wnbf0uuplE3S3Awx0tVs15m72VGPQjM0ZqpE4"
    "pfK/vMSq0wOLGKgRd5ZfDheJ/gW3cFCxFy6WtSBqsHZwyDbUWeS0e9sgxuPr9JGFqdnSNMDmBJ1DsFv6cOmSacAgXgro"
    "ctfZezZ7NI1gB3HLYi8Ae2RR7mun+xEa6mfxK6u9TRlZ/SpLOi5i2CdZ98OyOWvFCFPNUYXHWWdo0SnRrar4lgomIdym"
    "VkPpL4cvI+Cb1t+xsU+r9irH3z7Cwu5iVt9OKmpAKb5PLcv8RyZ1Y+XGw3oplGbGWb8o/9eybm9VAtw2+UYWEtPNAjK5"
    "gv1Jc+lMdubgxEY585wUMeUO4Za+Bk9xWQGNiRGT9hQrqJqw+uDgVp2WMhplAOurmQ+8SiNZJbHFvYFNBNBKWgVbNXzG"
    "0dNUyKve6lnt0HtN5U2Uz6ZCyaX9i43QFAjJGo1IOwOHqZLIBYnDvkb4ExxwYI7vcUdezRZpTDubtnfDrAdkuV6nGPyC"
    "cpV8/vLWxd5+NBoo2DVvaGngIbswMAQGECVZks0wXM71Ncu1sfygyHaLA40ilaifNIkqwqHusjQieqYgMTdzBI5FjaxW"
    "+WKjhVJXO2fFWnG+LJSxJ0Rk3uNx7OxsNziICSjoJQIigeq5AoIBAQD7+7W6BmaCAV3wAPjhPeKouq3rXEZLnooQ4EFA"
    "2tzlnDnuWBfdLC3eq1pHA40aYstBGtNYQKOSj2NfXB9kq8+V3AJyD0aFrzuhiDL9EcZ3MChM20hyZuNFo0mIhjN+qha9"
    "QcUBlZmEb2l6r+0IedDxNWAe/Cstx3ap44/GMo1uHNGpbgW8DNu1KycThK9vePo9irvwefsH/KC0AsH5RjqYOETul418"
    "rap+m/AzgZN22OfQr9kj/Fd1F7yVuhuLoLtWs8LXS4uD/yqY1gmcje858zLo/j0xOc+6M0X+jrXxp0u/IKFrXRQTOyiw"
    "A2BlumgpUj63xoCTESLpCFB+ya8pAoIBAQDNzF9Qd2b6+CFncizWtzrd44nkhvmh5P3xFw/6u/QQ1GInpCs+QOU/HvqJ"
    "pohG/sg1T0jxqV8O5P4mLYdgr1Wn1DFy9+VLqWMxwUXAg9jhqQsyH9nAttUgzqWjRtDI6+9bU1QsXZLNEgyDq1VGJ6Um"
    "k9z8DlCZBVPUb69H3RdiE/tnJ3kNSRT9104LQz2+zf33Aovn7eaS7o+jB3FPy2HS3jh3hwegGBPSkBhthtNJJIf6nGSQ"
    "22gzOxF4vXvf/MQbXKyV2/r2neT9tDWeGiq6RhK5Et8JrzwN5Uo7xGIzC1RFBZ+fPSKlFFW/wp7akdzqA+B7q6eBObo4"
    "wwCLJ5D9AoIBAEZSvyrFcoJBw2ehvdOOo90XDEatH+kmu71t+IgTDKb/7KL57t8I31xPUgiTkyOUAsmOpQDyOTRD1CXe"
    "3dwInwxhtEUEwle4ydmQ2zoJZewJgpXAdP2IfVEH+xOg8GofKe1zl3mTuJ5fQX697lb5ODi4/rRnB93k1tce7RcRMKtU"
    "W6b/T5ZluENdYbBuzU884gme2EiKomZeOLNEOcJJuTyWJ5a2sQPkq7pd5rFZLkBy1G9HREBowjepgjX/FITpPJ8719qh"
    "+LPD2K2Cvnf0nJj9qG2h1o4QZkq+2H/scBaa6+bRQntmJJ4hWn+U0ahSV5OAooRDX8qrc6S5b02TF9ECggEBAJbyEPMP"
    "MQxhVPbwCq1OZbH8Q9bHnW++avgbZ1AL7d8uN/RFeKZHqR3cFf1ClXAlTimzxpfiF+Pv1+2etU4YLGZVwBNIefk9+5Cx"
    "5vxmeHxDpf+U1v1/3OEcUOdqeJb2XnCItRN5asRZOa6Vy40SZRLfn1WNFla2Tp9hb5nxM0Zvy5UEocg501jAQ/EE19QM"
    "ePtk9cMefmFE8zurqNPTJCQrdBVPiCtHnbpykEg9fNmIHuiVLzoEg/AXoiACM0q9tgUvuzKL0A51D1F6jV0yaiaIYRE4"
    "IzmSOyUiCYm+6BvyclPR5RtCFxgnyyFEmYlNNVC7mTp8U/b3pXweo1Ztpe0CggEBANNnYf/IIDWLNnHYSQklwV+5fLsH"
    "jqs17kdsbB6V1oCe7HdycyBOVjwIRK6rOPYxgCT3IiWqItKLLDbOx9SiImx8BzLF6AuXjcT2Hf8uP5dK4RYzLbE5hdHo"
    "o692GX7hGekDGLHb7+2FlWUrFPUSo/0i84ZZ/1jm7OJu5kl1sdel8GDlMB5+jQPLDoKnOCN4++9KgJusGkwAci7adzLn"
    "TeSG3+e1uu7bLm+cIRchoYnsYrBLDdTVSa6PdB2ruW+h4VHkv4pI3XHOIk/90OATimfyIbQ9dTbbE3V0PUFuwck1NKVC"
    "t3FrFu6X+WroWVnFQJHtp/dx/VLE9ikPU92uAIY=";

}  // namespace

SecureBytes rsa_measuring_key(unsigned key_bits) {
    const std::string_view text = key_bits == 2048   ? key_2048
                                  : key_bits == 3072 ? key_3072
                                                     : key_4096;
    SecureBytes der(text.size() / 4 * 3);
    word32 written = static_cast<word32>(der.size());
    const ByteSpan in = as_bytes(text);
    CHECK(Base64_Decode(in.data(), static_cast<word32>(in.size()), der.data(), &written) == 0);
    return SecureBytes::copy_of(der.bytes().first(written));
}

}  // namespace sealgate
