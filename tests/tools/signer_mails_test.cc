// SPDX-License-Identifier: GPL-3.0-or-later
// Signers of a load: certificates that hold, of the size wanted, the same in every run.
#include "tools/sealload/signer_mails.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <set>

#include "crypto/pem.h"
#include "tools/sealload/check_mail.h"
#include "tools/sealload/source_addresses.h"

namespace sealgate {
namespace {

CertificatePtr certificate(const SignerAuthority& authority, std::uint64_t number,
                           const std::string& email, std::size_t bytes_min = 0) {
    const auto der = authority.certificate(number, email, bytes_min);
    return der ? Certificate::parse(*der).value_or(nullptr) : nullptr;
}

TEST(SignerAuthority, MakesCertificatesThatSignAndEncrypt) {
    const auto authority = SignerAuthority::make();
    ASSERT_TRUE(authority);
    std::set<std::string> serials;
    for (const std::uint64_t number : {1ULL, 2ULL, 300'000ULL, 1ULL << 40}) {
        const std::string email = "signer" + std::to_string(number) + "@example.com";
        const CertificatePtr made = certificate(*authority, number, email);
        ASSERT_TRUE(made) << number;
        EXPECT_EQ(made->emails(), std::vector<std::string>{email});
        EXPECT_EQ(made->may_sign(), Reason::ok);
        EXPECT_EQ(made->may_encrypt(), Reason::ok);
        EXPECT_FALSE(made->is_authority());
        serials.insert(made->serial());
    }
    EXPECT_EQ(serials.size(), 4U);
}

TEST(SignerAuthority, PadsCertificatesToTheSizeWanted) {
    const auto authority = SignerAuthority::make();
    ASSERT_TRUE(authority);
    const std::size_t bare = certificate(*authority, 1, "a@example.com")->der().size();
    EXPECT_LT(bare, 600U);
    EXPECT_EQ(certificate(*authority, 1, "a@example.com", bare - 20)->der().size(), bare);
    for (const std::size_t wanted : {bare + 1, bare + 20, bare + 40, bare + 200, std::size_t{1400},
                                     std::size_t{1600}, std::size_t{16'000}}) {
        const CertificatePtr made = certificate(*authority, 1, "a@example.com", wanted);
        ASSERT_TRUE(made) << wanted;
        EXPECT_GE(made->der().size(), wanted);
        EXPECT_LE(made->der().size(), wanted + 24);
    }
}

TEST(SignerAuthority, IsTheSameFromItsFile) {
    const auto authority = SignerAuthority::make();
    ASSERT_TRUE(authority);
    const SecureBytes pem = authority->to_pem();
    const auto again = SignerAuthority::read(pem.bytes());
    ASSERT_TRUE(again) << again.error().what;
    EXPECT_EQ(again->certificate_pem(), authority->certificate_pem());
    EXPECT_EQ(*again->certificate(7, "a@example.com", 1400),
              *authority->certificate(7, "a@example.com", 1400));
    EXPECT_NE(*again->certificate(8, "a@example.com", 1400),
              *authority->certificate(7, "a@example.com", 1400));
    const std::string_view text = as_text(pem.bytes());
    const std::size_t second = text.find("-----BEGIN PRIVATE");
    for (const std::string_view broken :
         {std::string_view(), std::string_view("x"), text.substr(0, second), text.substr(second),
          text.substr(0, text.size() - 30)})
        EXPECT_FALSE(SignerAuthority::read(as_bytes(broken))) << broken.size();
    // The keys in another order.
    auto blocks = *read_pem(pem.bytes());
    std::string swapped;
    for (const std::size_t i : {0U, 2U, 1U}) swapped += as_text(blocks[i].text.bytes());
    EXPECT_FALSE(SignerAuthority::read(as_bytes(swapped)));
}

// What sealload's sink says of it, with these authorities trusted.
std::string verdict(const std::string& mail, const std::string& authorities) {
    const std::string path = testing::TempDir() + "signer_mails_test.pem";
    std::ofstream(path, std::ios::binary) << authorities;
    auto judge = std::make_shared<CmsJudge>();
    EXPECT_TRUE(judge->trust(path));
    std::filesystem::remove(path);
    ReceivedLine line;
    line.recipients = {"recipient@example.net"};
    MailCheck({.expected = {MailForm::signed_}, .only_recipients = false, .also_allowed = {}},
              std::move(judge))
        .judge(line, mail);
    return line.verdict + " " + line.body;
}

TEST(SignerMails, AreSignedByWhoTheyAreFrom) {
    auto authority = SignerAuthority::make();
    ASSERT_TRUE(authority);
    const std::string trusted = authority->certificate_pem();
    const SignerMails mails(*std::move(authority), {.text_bytes = 300});
    for (const std::string signer : {"1", "300000"}) {
        const auto made = mails.make(std::stoull(signer), "signer" + signer + "@example.com");
        ASSERT_TRUE(made);
        EXPECT_EQ((*made)->name(), "signer-" + signer);
        std::string mail;
        (*made)->append_head(mail, "<1@x>", ContentForm::bdat);
        mail += (*made)->rest(ContentForm::bdat).text();
        EXPECT_NE(mail.find("\r\nFrom: <signer" + signer + "@example.com>\r\n"), mail.npos);
        EXPECT_EQ(verdict(mail, trusted), "verified same");
        EXPECT_NE(verdict(mail, SignerAuthority::make()->certificate_pem()), "verified same");
        mail[mail.find("brown")] = 'B';
        EXPECT_FALSE(verdict(mail, trusted).starts_with("verified "));
    }
}

TEST(SourceAddresses, TakesItsSendersInTurn) {
    SourceAddresses::Plan plan;
    plan.from = "s%d@x";
    const auto sender = [&](std::uint64_t message) {
        std::string out;
        SourceAddresses(plan).append_sender(out, message);
        return out;
    };
    EXPECT_EQ(sender(5), "s5@x");
    plan.senders = 3;
    plan.senders_from = 10;
    EXPECT_EQ(sender(1), "s10@x");
    EXPECT_EQ(sender(3), "s12@x");
    EXPECT_EQ(sender(4), "s10@x");
    plan.senders = 1;
    EXPECT_EQ(sender(9), "s10@x");
}

}  // namespace
}  // namespace sealgate
