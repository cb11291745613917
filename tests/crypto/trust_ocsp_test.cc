// SPDX-License-Identifier: GPL-3.0-or-later
// Questions to responders and their answers; and where certificates say that they are.
#include "crypto/trust_ocsp.h"

#include <gtest/gtest.h>

#include <ctime>

#include "core/limits.h"
#include "crypto/trust_addresses.h"
#include "tests/crypto/revocation_fixture.h"

namespace sealgate::test {
namespace {

using Status = RevocationAnswer::Status;
using Told = OcspPlan::Status;

Authority::Plans ocsp_plans() {
    const std::string ca = authority_extensions, leaf = person_extensions;
    const std::string responder = "keyUsage = digitalSignature\nextendedKeyUsage = OCSPSigning\n";
    const auto at = [&](const std::string& extensions) {
        return Authority::Plan{"mid", "Bob", leaf + extensions};
    };
    // clang-format off
    return {
        {"root", {"root", "Root", ca}},
        {"mid", {"root", "Mid", ca}},
        {"leaf", {"mid", "Bob", leaf}},
        {"other", {"mid", "Carol", leaf}},
        {"stranger", {"stranger", "Stranger", ca}},
        {"responder", {"mid", "Responder", responder}},
        {"short-responder", {"mid", "Responder for a day", responder, 1}},
        {"strange-responder", {"stranger", "Responder", responder}},
        {"root-responder", {"root", "Root responder", responder}},
        {"rsa-responder", {"mid", "RSA responder", responder, 1000, "", "", "RSA -pkeyopt rsa_keygen_bits:2048"}},
        // addresses
        {"nowhere", at("")},
        {"both", at("authorityInfoAccess = OCSP;URI:http://ocsp.example/, caIssuers;URI:http://ca.example/ca.cer\ncrlDistributionPoints = URI:http://crl.example/1.crl, URI:https://crl.example/2.crl\n")},
        {"ldap", at("crlDistributionPoints = URI:ldap://ldap.example:389/CN=Mid?certificateRevocationList;binary\n")},
        {"bad", at("authorityInfoAccess = OCSP;URI:ldap://ocsp.example/, OCSP;URI:file:///etc/passwd, OCSP;URI:http://user@ocsp.example/, OCSP;URI:http:///x, OCSP;email:a@example.com\ncrlDistributionPoints = URI:ldap:///CN=Mid, URI:ftp://crl.example/x, URI:ldaps://crl.example/x, URI:gopher://crl.example/x\n")},
        {"many", at("authorityInfoAccess = OCSP;URI:http://a.example/1, OCSP;URI:http://a.example/2, OCSP;URI:http://a.example/3, OCSP;URI:http://a.example/1\ncrlDistributionPoints = URI:http://a.example/4, URI:http://a.example/5, URI:http://a.example/6\n")},
        {"many-lists", at("crlDistributionPoints = URI:http://a.example/1, URI:http://a.example/2, URI:http://a.example/3, URI:http://a.example/4, URI:http://a.example/5\n")},
    };
    // clang-format on
}

class TrustOcsp : public testing::Test {
protected:
    static Authority& authority() {
        static Authority made(ocsp_plans());
        return made;
    }
    static CertificatePtr certificate(const std::string& name) {
        return authority().certificate(name);
    }
    static OcspPlan plan(const std::string& signer, Told status = Told::good) {
        OcspPlan plan{certificate("leaf"), certificate("mid"), signer};
        plan.status = status;
        return plan;
    }
    static OcspAnswer read(const OcspPlan& plan, std::int64_t seconds = 0) {
        const Bytes answer = make_ocsp_answer(authority(), plan);  // its signer is made here, too
        return read_ocsp_answer(answer, *certificate("leaf"), *certificate("mid"),
                                std::time(nullptr) + seconds);
    }
    static void expect(const char* name, const OcspAnswer& answer, Status want) {
        EXPECT_EQ(static_cast<int>(answer.answer.status), static_cast<int>(want))
            << name << ": " << answer.answer.why;
        EXPECT_EQ(answer.answer.why.empty(), want == Status::good) << name;
        EXPECT_EQ(answer.until == 0, want == Status::unknown) << name;
    }
};

TEST_F(TrustOcsp, BelievesTheIssuerAndWhomItNamed) {
    expect("good, says the issuer", read(plan("mid")), Status::good);
    expect("revoked, says the issuer", read(plan("mid", Told::revoked)), Status::revoked);
    expect("good, says its responder", read(plan("responder")), Status::good);
    expect("revoked, says its responder", read(plan("responder", Told::revoked)), Status::revoked);
    OcspPlan bare = plan("mid");
    bare.with_certificate = false;
    expect("without the issuer's certificate", read(bare), Status::good);
    OcspPlan compromised = plan("mid", Told::revoked);
    compromised.reason = 1;
    EXPECT_EQ(read(compromised).answer.why, "revoked (keyCompromise), says its responder");
    OcspPlan sha1 = plan("rsa-responder");
    sha1.digest = "SHA1";
    expect("SHA-1", read(sha1), Status::good);
}

TEST_F(TrustOcsp, BelievesNobodyElse) {
    expect("unknown", read(plan("mid", Told::unknown)), Status::unknown);
    expect("the issuer's issuer", read(plan("root")), Status::unknown);
    expect("its responder", read(plan("root-responder")), Status::unknown);
    expect("a stranger", read(plan("stranger")), Status::unknown);
    expect("a stranger's responder", read(plan("strange-responder")), Status::unknown);
    expect("one whom the issuer certified for mail", read(plan("other")), Status::unknown);
    expect("the certificate itself", read(plan("leaf")), Status::unknown);
    OcspPlan another = plan("mid");
    another.certificate = certificate("other");
    expect("about another certificate", read(another), Status::unknown);
    another = plan("mid");
    another.issuer = certificate("root");
    expect("about another issuer's", read(another), Status::unknown);
    OcspPlan nameless = plan("responder");
    nameless.with_certificate = false;
    expect("a responder that does not show itself", read(nameless), Status::unknown);
    OcspPlan md5 = plan("rsa-responder");
    md5.digest = "MD5";
    expect("MD5", read(md5), Status::unknown);
}

TEST_F(TrustOcsp, LooksAtDates) {
    constexpr std::int64_t hour = 3600, day = day_seconds, slack = 10;
    const auto from = [&](std::int64_t this_update, std::int64_t next_update) {
        OcspPlan dated = plan("mid");
        dated.this_update = this_update;
        dated.next_update = next_update;
        return dated;
    };
    expect("in date", read(from(-hour, hour)), Status::good);
    expect("a clock that is fast", read(from(ocsp_skew_seconds - slack, hour)), Status::good);
    expect("of the future", read(from(ocsp_skew_seconds + slack, hour)), Status::unknown);
    expect("just over", read(from(-hour, -ocsp_skew_seconds + slack)), Status::good);
    expect("out of date", read(from(-hour, -ocsp_skew_seconds - slack)), Status::unknown);
    expect("undated", read(from(-hour, 0)), Status::good);
    expect("undated, of yesterday", read(from(-2 * day, 0)), Status::unknown);
    expect("by the clock that is given", read(from(-hour, hour), 2 * hour), Status::unknown);
    expect("a responder whose time is over", read(plan("short-responder"), day / 2), Status::good);
    OcspPlan later = plan("short-responder");
    later.next_update = 9 * day;
    expect("then", read(later, 3 * day), Status::unknown);

    const std::int64_t now = std::time(nullptr);
    EXPECT_NEAR(static_cast<double>(read(from(-hour, hour)).until), static_cast<double>(now + hour),
                slack);
    EXPECT_NEAR(static_cast<double>(read(from(-hour, 0)).until),
                static_cast<double>(now - hour + ocsp_kept_seconds_max), slack);
    OcspPlan tomorrow = plan("mid", Told::revoked);
    tomorrow.since = 2 * hour;
    expect("not revoked yet", read(tomorrow), Status::good);
    EXPECT_NEAR(static_cast<double>(read(tomorrow).until), static_cast<double>(now + 2 * hour),
                slack);
}

TEST_F(TrustOcsp, ReadsAnyBytes) {
    const Bytes good = make_ocsp_answer(authority(), plan("responder"));
    const auto read = [&](ByteSpan der) {
        return read_ocsp_answer(der, *certificate("leaf"), *certificate("mid"), std::time(nullptr));
    };
    for (std::size_t cut = 0; cut < good.size(); cut += 7)
        expect("cut", read(ByteSpan(good).first(cut)), Status::unknown);
    for (std::size_t at = 0; at < good.size(); ++at) {
        Bytes changed = good;
        changed[at] = static_cast<std::uint8_t>(changed[at] ^ 1);
        (void)read(changed);  // may still be good: a certificate's signature is its parser's affair
    }
    Bytes long_one = good;
    long_one.resize(limits::ocsp_answer_bytes_max + 1);
    expect("too long", read(long_one), Status::unknown);
    const Bytes try_later{0x30, 0x03, 0x0a, 0x01, 0x03};
    EXPECT_EQ(read(try_later).answer.why, "its responder says trylater");
}

TEST_F(TrustOcsp, AsksAboutTheCertificate) {
    const TemporaryFolder folder;
    const Bytes request = ocsp_request(*certificate("leaf"), *certificate("mid"));
    const std::string file = folder.write("request", as_text(request));
    const ToolRun shown = run_tool("openssl ocsp -reqin " + file + " -req_text");
    EXPECT_NE(shown.output.find("Serial Number: " + certificate("leaf")->serial()),
              std::string::npos)
        << shown.output;
    EXPECT_EQ(shown.output.find("Nonce"), std::string::npos);
}

TEST_F(TrustOcsp, FindsAddressesThatMayBeAsked) {
    const auto of = [](const std::string& name) {
        return revocation_addresses(*certificate(name));
    };
    using List = std::vector<std::string>;
    EXPECT_EQ(of("nowhere").responders, List());
    EXPECT_EQ(of("nowhere").lists, List());
    EXPECT_EQ(of("both").responders, List{"http://ocsp.example/"});
    EXPECT_EQ(of("both").lists, (List{"http://crl.example/1.crl", "https://crl.example/2.crl"}));
    EXPECT_EQ(of("ldap").lists,
              List{"ldap://ldap.example:389/CN=Mid?certificateRevocationList;binary"});
    EXPECT_EQ(of("bad").responders, List());
    EXPECT_EQ(of("bad").lists, List());
    static_assert(limits::revocation_sources_max == 4);
    EXPECT_EQ(of("many").responders, (List{"http://a.example/1", "http://a.example/2"}));
    EXPECT_EQ(of("many").lists, (List{"http://a.example/4", "http://a.example/5"}));
    EXPECT_EQ(of("many-lists").lists.size(), 4u);
}

TEST_F(TrustOcsp, FetchesFromHostsThatCanBeLogged) {
    const struct {
        std::string url;
        const char* host;
    } cases[] = {
        {"http://crl.example/x", "crl.example"},
        {"HTTPS://Crl.Example", "Crl.Example"},
        {"ldap://h:1389/CN=x?y?base", "h:1389"},
        {"http://[2001:db8::1]:80/", "[2001:db8::1]:80"},
        {"http://h?x", "h"},
        {"http://", ""},
        {"http:///x", ""},
        {"ldap://:389/", ""},
        {"http://a b/", ""},
        {"http://a/ b", ""},
        {"http://a\n/", ""},
        {"http://\xc3\xa4/", ""},
        {"http://a%2eb/", ""},
        {"http://u:p@a/", ""},
        {"file:///etc/passwd", ""},
        {"ldaps://a/", ""},
        {"//a/", ""},
        {"", ""},
        {"http://a/" + std::string(2000 - 9, 'x'), "a"},
        {"http://a/" + std::string(2000 - 8, 'x'), ""},
    };
    for (const auto& row : cases) EXPECT_EQ(fetchable_host(row.url), row.host) << row.url;
}

}  // namespace
}  // namespace sealgate::test
