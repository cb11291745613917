// SPDX-License-Identifier: GPL-3.0-or-later
#include "tools/sealload/check_mail.h"

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "crypto/digest.h"

namespace sealgate {
namespace {

const std::string signers = SEALGATE_SOURCE_DIR "/tests/data/signers/";
const std::string body = "Hello,\r\nthis is sealed.\r\n";
const std::string entity = "Content-Type: text/plain\r\n\r\n" + body;

std::string digest_line(std::string_view text) {
    std::string hex;
    const DigestValue digest = digest_of(DigestAlgorithm::sha256, as_bytes(text));
    for (const std::uint8_t byte : digest.bytes()) hex += fmt::format("{:02x}", byte);
    return "X-Sealload-Digest: sha256=" + hex + "\r\n";
}

// What the openssl tool makes of an entity.
std::string openssl_cms(const std::string& in, const std::string& options) {
    std::string folder = testing::TempDir() + "check-mail-XXXXXX";
    EXPECT_NE(::mkdtemp(folder.data()), nullptr);
    std::ofstream(folder + "/in", std::ios::binary) << in;
    const std::string command =
        "openssl cms -crlfeol -binary -in " + folder + "/in -out " + folder + "/out " + options;
    EXPECT_EQ(std::system(command.c_str()), 0) << command;
    std::ostringstream out;
    out << std::ifstream(folder + "/out", std::ios::binary).rdbuf();
    std::filesystem::remove_all(folder);
    return out.str();
}

std::string sign(const std::string& in, const std::string& more = "") {
    return openssl_cms(
        in, "-sign -signer " + signers + "p256.pem -inkey " + signers + "p256.key.pem " + more);
}

std::string encrypt(const std::string& in, const std::string& names = "rsa2048") {
    std::string files;
    std::istringstream words(names);
    for (std::string name; words >> name;) files += " " + signers + name + ".pem";
    return openssl_cms(in, "-encrypt -aes-256-cbc" + files);
}

ReceivedLine judged(const std::string& mail, CheckOptions options = {},
                    std::vector<std::string> recipients = {"alice@example.com"}) {
    auto judge = std::make_shared<CmsJudge>();
    std::string why;
    EXPECT_TRUE(
        judge->add_keys({signers + "rsa2048.pem", signers + "rsa2048.key.pem"}, Passphrase(), &why))
        << why;
    ReceivedLine line;
    line.recipients = std::move(recipients);
    MailCheck(std::move(options), std::move(judge)).judge(line, "Message-ID: <1@x>\r\n" + mail);
    return line;
}

TEST(MailCheck, SaysTheFormAndTheLayers) {
    struct Case {
        std::string mail;
        const char* form;
        const char* layers;
        const char* opened_by;
    };
    const std::string both = "alice@example.com,example.net";
    const std::string sealed = encrypt(sign(entity));
    const Case cases[] = {
        {entity, "plain", "", ""},
        {sign(entity), "signed", "signed detached", ""},
        {sign(entity, "-nodetach"), "signed", "signed opaque", ""},
        {encrypt(entity), "encrypted", "encrypted aes-256-cbc", both.c_str()},
        {sealed, "sign-encrypt", "encrypted aes-256-cbc, signed detached", both.c_str()},
        {sign(sealed), "triple", "signed detached, encrypted aes-256-cbc, signed detached",
         both.c_str()},
        {sign(encrypt(entity)), "other", "signed detached, encrypted aes-256-cbc", both.c_str()},
    };
    for (const Case& row : cases) {
        SCOPED_TRACE(std::string(row.form) + ": " + row.layers);
        const ReceivedLine line = judged(row.mail);
        EXPECT_EQ(line.form, row.form);
        EXPECT_EQ(line.layers, row.layers);
        EXPECT_EQ(line.opened_by, row.opened_by);
        EXPECT_EQ(line.body, "");  // nobody gave it a digest
        EXPECT_EQ(line.verdict,
                  line.form == "plain" ? "failed: not an S/MIME message" : "verified");
    }
}

TEST(MailCheck, HoldsTheFormAgainstWhatIsExpected) {
    const MailForm forms[] = {MailForm::plain, MailForm::signed_, MailForm::encrypted,
                              MailForm::sign_encrypt, MailForm::triple};
    const std::string sealed = encrypt(sign(entity));
    const std::string mails[] = {entity, sign(entity), encrypt(entity), sealed, sign(sealed)};
    for (std::size_t mail = 0; mail < std::size(mails); ++mail) {
        for (const MailForm expected : forms) {
            const bool right = forms[mail] == expected;
            EXPECT_EQ(judged(mails[mail], {{expected}, false, {}}).verdict == "verified", right)
                << mail << " " << to_word(expected);
        }
        const CheckOptions two = {{MailForm::plain, MailForm::sign_encrypt}, false, {}};
        EXPECT_EQ(judged(mails[mail], two).verdict == "verified", mail == 0 || mail == 3);
    }
}

TEST(MailCheck, ComparesTheInnermostBody) {
    struct Case {
        const char* name;
        std::string mail;
        const char* says;
    };
    const std::string right = digest_line(body);
    const std::string wrong = digest_line(body + " ");
    const std::string signed_ = sign(entity);
    const std::string signed_body = signed_.substr(signed_.find("\r\n\r\n") + 4);
    const Case cases[] = {
        {"plain", right + entity, "same"},
        {"signed", right + signed_, "same"},
        {"encrypted", right + encrypt(entity), "same"},
        {"triple", right + sign(encrypt(signed_)), "same"},
        {"told inside only", encrypt(right + entity), "same"},
        {"S/MIME when it was sent", digest_line(signed_body) + signed_, "same"},
        {"plain, wrong", wrong + entity, "altered"},
        {"signed, wrong", wrong + signed_, "altered"},
        {"encrypted, wrong", wrong + encrypt(entity), "altered"},
        {"triple, wrong", wrong + sign(encrypt(signed_)), "altered"},
        {"told inside only, wrong", encrypt(wrong + entity), "altered"},
        {"no digest at all", "X-Sealload-Digest: sha256=\r\n" + entity, "altered"},
        {"not opened", right + encrypt(entity, "rsa4096"), ""},
    };
    for (const Case& row : cases) {
        SCOPED_TRACE(row.name);
        const CheckOptions any = {
            {MailForm::plain, MailForm::signed_, MailForm::encrypted, MailForm::triple}, false, {}};
        const ReceivedLine line = judged(row.mail, any);
        EXPECT_EQ(line.body, row.says);
        EXPECT_EQ(line.verdict == "verified", line.body == "same") << line.verdict;
    }
}

TEST(MailCheck, FindsWhoElseCanOpenIt) {
    struct Case {
        const char* encrypted_for;
        std::vector<std::string> recipients;
        std::vector<std::string> also;
        bool right;
    };
    const Case cases[] = {
        {"rsa2048", {"alice@example.com"}, {}, true},
        {"rsa2048", {"Alice@EXAMPLE.com"}, {}, true},
        {"rsa2048", {"anybody@example.net"}, {}, true},  // a certificate for a domain
        {"rsa2048", {"bob@example.org"}, {"alice@example.com"}, true},
        {"rsa2048", {"bob@example.org"}, {}, false},
        {"rsa2048", {"bob@example.com"}, {}, false},
        {"rsa2048", {"bob@sub.example.net"}, {}, false},
        {"rsa2048", {}, {}, false},
        {"rsa2048 rsa3072", {"alice@example.com"}, {}, false},  // of whom nothing is known
        {"rsa2048 p256", {"alice@example.com"}, {"bob@example.org"}, false},
    };
    for (const Case& row : cases) {
        SCOPED_TRACE(row.encrypted_for);
        const std::string mail = encrypt(entity, row.encrypted_for);
        const ReceivedLine line = judged(mail, {{}, true, row.also}, row.recipients);
        EXPECT_EQ(line.verdict == "verified", row.right) << line.verdict;
        EXPECT_EQ(judged(mail, {{}, false, {}}, row.recipients).verdict, "verified");
    }
}

TEST(MailCheck, IdentifiesMailsAndReports) {
    const ReceivedLine mail = identify("a@x", "Subject: x\r\nMessage-ID: <1@x>\r\n\r\nhi\r\n");
    EXPECT_EQ(mail.message_id, "<1@x>");
    EXPECT_FALSE(mail.dsn);
    const std::string report =
        "Message-ID: <2@x>\r\nReferences: <1@x>\r\nContent-Type: Multipart/Report; boundary=x\r\n";
    EXPECT_TRUE(identify("", report + "\r\n").dsn);
    EXPECT_EQ(identify("", report).about, "<1@x>");
    EXPECT_FALSE(identify("a@x", report + "\r\n").dsn);  // reports have no sender
    EXPECT_FALSE(identify("", "Message-ID: <2@x>\r\n\r\n").dsn);
    EXPECT_EQ(identify("", "").message_id, "");
}

TEST(MailForm, HasItsWords) {
    for (const char* word : {"plain", "signed", "encrypted", "sign-encrypt", "triple", "other"}) {
        ASSERT_TRUE(mail_form_of(std::string_view(word))) << word;
        EXPECT_STREQ(to_word(*mail_form_of(std::string_view(word))), word);
    }
    for (const char* word : {"", "Signed", "sign", "encrypt", "signencrypt", "triple "})
        EXPECT_FALSE(mail_form_of(std::string_view(word))) << word;
}

}  // namespace
}  // namespace sealgate
