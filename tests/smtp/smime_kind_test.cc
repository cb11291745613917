// SPDX-License-Identifier: GPL-3.0-or-later
#include "smtp/smime_kind.h"

#include <gtest/gtest.h>

#include "tests/smtp/mime_test_support.h"

namespace sealgate {
namespace {

using Kind = SmimeKind;

struct Case {
    const char* name;
    std::string header;  // without the blank line
    Kind want;
};

const std::string signed_type =
    "Content-Type: multipart/signed; protocol=\"application/pkcs7-signature\"; boundary=\"b\"\r\n";
const std::string mixed_type = "Content-Type: multipart/mixed; boundary=\"c\"\r\n";
const std::string cms_type = "Content-Type: application/pkcs7-mime; smime-type=signed-data\r\n";

const Case cases[] = {
    // clang-format off
    {"Signed", signed_type, Kind::detached},
    {"SignedOldProtocol", "Content-Type: multipart/signed; protocol=application/x-pkcs7-signature; boundary=b", Kind::detached},
    {"SignedUpperCase", "CONTENT-TYPE: MULTIPART/SIGNED; PROTOCOL=\"APPLICATION/PKCS7-SIGNATURE\"; BOUNDARY=\"b\"", Kind::detached},
    {"SignedWrongProtocol", "Content-Type: multipart/signed; protocol=\"pkcs7-signature\"; boundary=b", Kind::detached},
    {"SignedProtocolOfMime", "Content-Type: multipart/signed; protocol=\"application/pkcs7-mime\"; boundary=b", Kind::detached},
    {"SignedNoProtocol", "Content-Type: multipart/signed; micalg=sha-256; boundary=b", Kind::detached},
    {"SignedNothingSaid", "Content-Type: multipart/signed; boundary=b", Kind::detached},
    {"SignedEightBit", signed_type + "Content-Transfer-Encoding: 8bit", Kind::detached},
    {"SignedTwiceTheSameType", signed_type + signed_type, Kind::detached},
    {"SignedTypeFoldedOtherwise", signed_type + "Content-Type:  multipart/signed; protocol=\"application/pkcs7-signature\";\r\n boundary=\"b\"\r\n", Kind::detached},
    {"Pkcs7Mime", "Content-Type: application/pkcs7-mime", Kind::cms},
    {"XPkcs7Mime", "Content-Type: application/x-pkcs7-mime; name=smime.p7m", Kind::cms},
    {"Pkcs7MimeEnveloped", "Content-Type: application/pkcs7-mime; smime-type=enveloped-data", Kind::cms},
    {"Pkcs7MimeUnknownType", "Content-Type: application/pkcs7-mime; smime-type=other", Kind::cms},
    {"Pkcs7MimeBase64", cms_type + "Content-Transfer-Encoding: base64", Kind::cms},
    {"Pkcs7MimeCertsOnly", "Content-Type: application/pkcs7-mime; smime-type=certs-only; name=smime.p7c", Kind::cms},
    {"OctetStreamNamed", "Content-Type: application/octet-stream; name=smime.p7m", Kind::cms},
    {"OctetStreamNamedUpperCase", "Content-Type: application/octet-stream; name=\"SMIME.P7M\"", Kind::cms},
    {"OctetStreamNamed2231", "Content-Type: application/octet-stream; name*=utf-8''%C3%A4.p7m", Kind::cms},
    {"OctetStreamFileName", "Content-Type: application/octet-stream\r\nContent-Disposition: attachment;\r\n\tfilename=\"smime.p7m\"", Kind::cms},
    {"OctetStreamSmimeType", "Content-Type: application/octet-stream; smime-type=enveloped-data", Kind::cms},
    {"SignatureWithSmimeType", "Content-Type: application/x-pkcs7-signature; smime-type=signed-data; name=smime.p7s", Kind::cms},
    {"OtherApplicationNamed", "Content-Type: application/x-smime; name=x.p7m", Kind::cms},
    {"NoTypeFileName", "Content-Disposition: inline; filename=smime.p7m", Kind::cms},
    {"InvalidTypeFileName", "Content-Type: garbage\r\nContent-Disposition: attachment; filename=smime.p7m", Kind::cms},
    {"Nothing", "Subject: x", Kind::none},
    {"Text", "Content-Type: text/plain", Kind::none},
    {"TextNamed", "Content-Type: text/plain; name=smime.p7m", Kind::none},
    {"MultipartNamed", "Content-Type: multipart/mixed; boundary=b; name=smime.p7m", Kind::none},
    {"MessageFileName", "Content-Type: message/rfc822\r\nContent-Disposition: attachment; filename=x.p7m", Kind::none},
    {"Mixed", mixed_type, Kind::none},
    {"OctetStream", "Content-Type: application/octet-stream; name=smime.p7m.exe", Kind::none},
    {"OnlyTheEnding", "Content-Type: application/octet-stream; name=.p7m", Kind::none},
    {"P7sAlone", "Content-Type: application/pkcs7-signature; name=smime.p7s", Kind::none},
    {"Pdf", "Content-Type: application/pdf; name=p7m", Kind::none},
    {"SignedByPgp", "Content-Type: multipart/signed; protocol=\"application/pgp-signature\"; micalg=pgp-sha256; boundary=b", Kind::none},
    {"SignedByPgpNoProtocol", "Content-Type: multipart/signed; micalg=PGP-SHA512; boundary=b", Kind::none},
    {"SignedByDkimish", "Content-Type: multipart/signed; protocol=\"application/x-other\"; boundary=b", Kind::none},
    {"Encrypted", "Content-Type: multipart/encrypted; protocol=\"application/pgp-encrypted\"; boundary=b", Kind::none},
    {"SignedAndMixed", signed_type + mixed_type, Kind::ambiguous},
    {"MixedAndSigned", mixed_type + signed_type, Kind::ambiguous},
    {"SignedWithTwoBoundaries", signed_type + "Content-Type: multipart/signed; protocol=\"application/pkcs7-signature\"; boundary=\"c\"", Kind::ambiguous},
    {"CmsAndText", cms_type + "Content-Type: text/html", Kind::ambiguous},
    {"TextAndCms", "Content-Type: text/html\r\n" + cms_type, Kind::ambiguous},
    {"BoundaryTwice", "Content-Type: multipart/signed; protocol=\"application/pkcs7-signature\"; boundary=a; boundary=b", Kind::ambiguous},
    {"BoundaryUnquoted", "Content-Type: multipart/signed; protocol=\"application/pkcs7-signature\"; boundary=a=b", Kind::ambiguous},
    {"BoundaryMissing", "Content-Type: multipart/signed; protocol=\"application/pkcs7-signature\"", Kind::ambiguous},
    {"BoundaryTooLong", "Content-Type: multipart/signed; protocol=\"application/pkcs7-signature\"; boundary=" + std::string(201, 'b'), Kind::ambiguous},
    {"SignedBase64", signed_type + "Content-Transfer-Encoding: base64", Kind::ambiguous},
    {"SignedQuotedPrintable", signed_type + "Content-Transfer-Encoding: quoted-printable", Kind::ambiguous},
    {"SignedTwoEncodings", signed_type + "Content-Transfer-Encoding: 7bit\r\nContent-Transfer-Encoding: 8bit", Kind::ambiguous},
    {"TwoTypesNoSmime", mixed_type + "Content-Type: text/plain", Kind::none},
    // clang-format on
};

class SmimeKindTest : public testing::TestWithParam<Case> {};

TEST_P(SmimeKindTest, IsReadFromTheHeader) {
    const Header header = Header::parse(Chunk::copy_of(GetParam().header + "\r\n\r\n"));
    EXPECT_EQ(smime_kind(header), GetParam().want);
}

INSTANTIATE_TEST_SUITE_P(Rows, SmimeKindTest, testing::ValuesIn(cases),
                         [](const auto& row) { return std::string(row.param.name); });

TEST(SmimeKind, KnowsForeignSmime) {
    const std::filesystem::path corpora = SEALGATE_CORPUS_DIR;
    const auto mails = mime_test::mails_under(corpora / "notmuch");
    if (mails.empty()) GTEST_SKIP() << "no corpora";
    int found = 0;
    for (const auto& path : mails) {
        SCOPED_TRACE(path);
        const Header header =
            Header::parse(Chunk::copy_of(mime_test::with_crlf(mime_test::read_file(path))));
        const std::string name = path.filename();
        Kind want = Kind::none;
        if (name.starts_with("smime-"))
            want = name.find("multipart") != std::string::npos ? Kind::detached : Kind::cms;
        EXPECT_EQ(smime_kind(header), want);
        found += want != Kind::none;
    }
    EXPECT_EQ(found, 5);
}

}  // namespace
}  // namespace sealgate
