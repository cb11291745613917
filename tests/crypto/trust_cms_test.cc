// SPDX-License-Identifier: GPL-3.0-or-later
// The judge is judged by the openssl tool's mails: it must believe them, and none that was touched.
#include "crypto/trust_cms.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "tests/crypto/signing_fixture.h"

namespace sealgate::test {
namespace {

const std::string content = "Content-Type: text/plain\r\n\r\nHello,\r\n.dot\r\n\r\nbye\r\n";

std::string key_file_of(const std::string& name) {
    return SEALGATE_SOURCE_DIR "/tests/data/signers/" + name + ".key.pem";
}

// A whole message, signed by the tool, with CRLF line ends.
std::string signed_by_openssl(const std::string& name, const std::string& options) {
    const TemporaryFolder folder;
    const std::string in = folder.write("in", content);
    const ToolRun run =
        run_tool("openssl cms -sign -crlfeol -binary -in " + in + " -signer " + leaf_file(name) +
                 " -inkey " + key_file_of(name) + " -certfile " + intermediate_file() + " -out " +
                 folder.path("out") + " " + options);
    EXPECT_EQ(run.status, 0) << run.output;
    return folder.read("out");
}

struct Case {
    const char* name;
    const char* signer;
    const char* options;
    bool detached;
    const char* digest;
};

TEST(TrustCms, BelievesWhatOpensslSigned) {
    const Case cases[] = {
        {"detached", "rsa2048", "", true, "SHA256"},
        {"detached, SHA-512", "rsa2048", "-md sha512", true, "SHA512"},
        {"PSS", "rsa2048", "-keyopt rsa_padding_mode:pss", true, "SHA256"},
        {"EC", "p256", "", true, "SHA256"},
        {"opaque", "p256", "-nodetach", false, "SHA256"},
        {"opaque, BER", "p256", "-nodetach -stream", false, "SHA256"},
        {"two signers", "p256", "", true, "SHA256"},
    };
    for (const Case& row : cases) {
        SCOPED_TRACE(row.name);
        std::string options = row.options;
        const bool two = std::string_view(row.name) == "two signers";
        if (two) options += " -signer " + leaf_file("p384") + " -inkey " + key_file_of("p384");
        const std::string mail = signed_by_openssl(row.signer, options);
        for (const std::string& ca : {std::string(), root_file()}) {
            const CmsVerdict verdict = verify_signed_mail(mail, ca);
            EXPECT_TRUE(verdict.ok) << verdict.why;
            EXPECT_EQ(verdict.content, content);
            EXPECT_EQ(verdict.detached, row.detached);
            EXPECT_EQ(verdict.digest, row.digest);
            EXPECT_EQ(verdict.signers.size(), two ? 2U : 1U);
        }
        const CmsVerdict untrusted = verify_signed_mail(mail, leaf_file("ed25519"));
        EXPECT_FALSE(untrusted.ok);
        EXPECT_TRUE(untrusted.content.empty());
    }
}

TEST(TrustCms, DoesNotBelieveContentWithAnyByteChanged) {
    const std::string mail = signed_by_openssl("p256", "");
    const std::size_t begin = mail.find(content);
    ASSERT_NE(begin, std::string::npos);
    for (std::size_t at = begin; at < begin + content.size(); ++at) {
        std::string changed = mail;
        changed[at] = static_cast<char>(changed[at] ^ 1);
        EXPECT_FALSE(verify_signed_mail(changed).ok) << at;
    }
}

TEST(TrustCms, RefusesWhatIsNotAWholeSignedMessage) {
    const std::string mail = signed_by_openssl("p256", "");
    for (std::size_t cut = 0; cut < mail.size() - 6; cut += 7) {
        EXPECT_FALSE(verify_signed_mail(mail.substr(0, cut)).ok) << cut;
    }
    for (const char* text :
         {"", "\r\n", "Subject: x\r\n\r\nplain", "Content-Type: multipart/signed\r\n\r\n--x",
          "Content-Type: multipart/signed; boundary=\"\r\n\r\n--\r\n",
          "Content-Type: multipart/mixed; boundary=x\r\n\r\n--x\r\n\r\n--x--\r\n",
          "Content-Type: application/pkcs7-mime\r\n\r\n====",
          "Content-Type: application/pkcs7-mime\r\n\r\nMAAwAA=="}) {
        const CmsVerdict verdict = verify_signed_mail(text);
        EXPECT_FALSE(verdict.ok) << text;
        EXPECT_FALSE(verdict.why.empty()) << text;
    }
}

TEST(TrustCms, TakesLineEndsAsTheyAre) {
    std::string mail = signed_by_openssl("p256", "");
    mail.erase(std::remove(mail.begin(), mail.end(), '\r'), mail.end());
    // The frame may have lost its CRs; the content is hashed without them, so it is another one.
    EXPECT_FALSE(verify_signed_mail(mail).ok);
}

TEST(TrustCms, SaysThatEnvelopedDataIsNotSigned) {
    const TemporaryFolder folder;
    const std::string in = folder.write("in", content);
    const ToolRun run = run_tool("openssl cms -encrypt -in " + in + " -out " + folder.path("out") +
                                 " " + leaf_file("rsa2048"));
    ASSERT_EQ(run.status, 0) << run.output;
    EXPECT_EQ(verify_signed_mail(folder.read("out")).why, "a CMS structure, but not SignedData");
}

}  // namespace
}  // namespace sealgate::test
