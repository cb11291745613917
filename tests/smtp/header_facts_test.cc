// SPDX-License-Identifier: GPL-3.0-or-later
#include "smtp/header_facts.h"

#include <gtest/gtest.h>

#include <string>

namespace sealgate {
namespace {

// What rules hear about the S/MIME of a message that was not opened.
TEST(HeaderFacts, SayWhatSmimeTheRootAnnounces) {
    const struct {
        const char* content_type;
        bool is_message, is_signed, is_encrypted;
    } rows[] = {
        {"application/pkcs7-mime; smime-type=enveloped-data; name=smime.p7m", true, false, true},
        {"application/pkcs7-mime; smime-type=authEnveloped-data", true, false, true},
        {"application/x-pkcs7-mime; smime-type=signed-data", true, true, false},
        {"application/pkcs7-mime", true, false, false},
        {"application/octet-stream; name=smime.p7m", true, false, false},
        {"multipart/signed; protocol=\"application/pkcs7-signature\"; boundary=b", true, true,
         false},
        {"multipart/signed; protocol=\"application/pgp-signature\"; boundary=b", false, false,
         false},
        {"multipart/mixed; boundary=b", false, false, false},
        {"application/octet-stream; name=smime.p7s", false, false, false},
        {"text/plain; name=smime.p7m", false, false, false},
    };
    for (const auto& row : rows) {
        SCOPED_TRACE(row.content_type);
        const std::string text =
            std::string("Content-Type: ") + row.content_type + "\r\nFrom: a@b.example\r\n\r\n";
        const Header header = Header::parse(Chunk::copy_of(text));
        const Envelope envelope;
        const SmimeFacts facts = HeaderFacts(header, envelope, MessageOrigin{}).smime();
        EXPECT_EQ(facts.is_message, row.is_message);
        EXPECT_EQ(facts.is_signed, row.is_signed);
        EXPECT_EQ(facts.is_encrypted, row.is_encrypted);
        EXPECT_FALSE(facts.verified);
    }
}

TEST(HeaderFacts, PreferWhatOpeningShowed) {
    const Header header = Header::parse(Chunk::copy_of("From: a@b.example\r\n\r\n"));
    const Envelope envelope;
    const SmimeFacts opened{true, true, true, false};
    const SmimeFacts facts = HeaderFacts(header, envelope, MessageOrigin{}, opened).smime();
    EXPECT_TRUE(facts.is_message && facts.verified && facts.is_signed);
    EXPECT_FALSE(facts.is_encrypted);
}

}  // namespace
}  // namespace sealgate
