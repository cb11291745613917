// SPDX-License-Identifier: GPL-3.0-or-later
// Signed messages of which every byte is changed in turn.
#include <gtest/gtest.h>

#include <cstddef>
#include <string>

#include "crypto/smime_verify.h"
#include "tests/crypto/verify_fixture.h"

namespace sealgate {
namespace {

using test::context_of_signers;
using test::verifier;
using test::VerifyOutcome;

const std::string entity = "Content-Type: text/plain\r\n\r\nPay 100 EUR to Bob.\r\n";

const IdentityPtr& alice() {
    static const IdentityPtr made = test::signer("p256");
    return made;
}

// What may be changed and nobody is deceived: versions, the announced digests, a NULL. The content
// is what was signed, and the certificate is the signer's own.
void expect_no_deceit(const VerifyOutcome& outcome, const std::string& content,
                      const std::string& where) {
    if (outcome.reason() != Reason::ok) return;
    EXPECT_EQ(content, entity) << where;
    ASSERT_EQ(outcome.report->signers.size(), 1u) << where;
    EXPECT_EQ(as_text(outcome.signer().certificate->der()), as_text(alice()->leaf->der())) << where;
}

// How many changes were accepted.
template <typename Verify>
std::size_t change_every_byte(std::string octets, Verify verify) {
    std::size_t accepted = 0;
    for (std::size_t at = 0; at < octets.size(); ++at) {
        for (const char bits : {'\x01', '\x80'}) {
            octets[at] = static_cast<char>(octets[at] ^ bits);
            accepted += verify(octets, "octet " + std::to_string(at)) ? 1 : 0;
            octets[at] = static_cast<char>(octets[at] ^ bits);
        }
    }
    return accepted;
}

test::SignedMail mail_of_alice(SendingProfileOptions::SignMode mode) {
    SignPlan plan = test::plan_for("p256");
    plan.sign_mode = mode;
    return test::take_apart(test::sign_message(plan, {entity}).text);
}

TEST(SmimeFlip, OfADetachedMessageDeceivesNobody) {
    const auto mail = mail_of_alice(SendingProfileOptions::SignMode::detached);
    const VerifyContext context = context_of_signers();
    ASSERT_EQ(verifier().detached(mail.content, mail.cms, context).reason(), Reason::ok);
    const std::size_t of_content =
        change_every_byte(mail.content, [&](const auto& content, const auto&) {
            return verifier().detached(content, mail.cms, context).reason() == Reason::ok;
        });
    EXPECT_EQ(of_content, 0u);
    const std::size_t of_cms = change_every_byte(mail.cms, [&](const auto& cms, const auto& where) {
        const VerifyOutcome outcome = verifier().detached(mail.content, cms, context);
        expect_no_deceit(outcome, mail.content, where);
        return outcome.reason() == Reason::ok;
    });
    // Two versions, and the identifier of the announced digest, which comes too late to be of use.
    EXPECT_LE(of_cms, 2u * 11);
}

TEST(SmimeFlip, OfAnOpaqueMessageDeceivesNobody) {
    const auto mail = mail_of_alice(SendingProfileOptions::SignMode::opaque);
    const VerifyContext context = context_of_signers();
    ASSERT_EQ(verifier().opaque(mail.cms, context).reason(), Reason::ok);
    const std::size_t accepted =
        change_every_byte(mail.cms, [&](const auto& cms, const auto& where) {
            const VerifyOutcome outcome = verifier().opaque(cms, context);
            expect_no_deceit(outcome, outcome.content, where);
            return outcome.reason() == Reason::ok;
        });
    EXPECT_LE(accepted, 2u * 2) << "two versions";
}

TEST(SmimeFlip, AndACutLeavesNoReport) {
    const auto mail = mail_of_alice(SendingProfileOptions::SignMode::opaque);
    for (std::size_t cut = 0; cut < mail.cms.size(); ++cut)
        ASSERT_FALSE(
            verifier().opaque(mail.cms.substr(0, cut), context_of_signers()).report.has_value())
            << cut;
}

}  // namespace
}  // namespace sealgate
