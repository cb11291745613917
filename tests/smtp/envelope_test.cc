// SPDX-License-Identifier: GPL-3.0-or-later
#include "smtp/envelope.h"

#include <gtest/gtest.h>

namespace sealgate {
namespace {

Envelope full_envelope() {
    Envelope envelope;
    envelope.sender = "a@example.com";
    envelope.envelope_id = "QQ+3D1";
    envelope.return_ = Envelope::Return::headers;
    envelope.smtputf8 = true;
    envelope.body = BodyType::eight_bit;
    envelope.signed_by_gateway = true;
    envelope.has_long_lines = true;
    envelope.header_bytes = 1234567;
    envelope.arrived = 1795290460;
    envelope.next_attempt = 1795290520;
    envelope.attempts = 300;
    envelope.message_id = "<x@example.com>";
    envelope.subject =
        "Gr\xc3\xbc\xc3\x9f"
        "e";
    envelope.deferred_profile = "partners";
    envelope.deferred_by = "confidential";
    for (const RecipientState state : {RecipientState::pending, RecipientState::delivered,
                                       RecipientState::bounced, RecipientState::moved}) {
        Recipient& recipient = envelope.recipients.emplace_back();
        recipient.address = "b" + std::to_string(static_cast<int>(state)) + "@example.net";
        recipient.original = "rfc822;b@example.net";
        recipient.state = state;
        recipient.last_reply = "452 4.2.2 full";
    }
    envelope.recipients[0].notify = {.given = true, .success = true, .delay = true};
    envelope.recipients[1].notify = {.given = true, .never = true};
    envelope.recipients[2].notify = {.given = true, .failure = true};
    envelope.recipients[2].delay_told = true;
    return envelope;
}

void expect_same(const Envelope& a, const Envelope& b) {
    EXPECT_EQ(a.sender, b.sender);
    EXPECT_EQ(a.envelope_id, b.envelope_id);
    EXPECT_EQ(a.return_, b.return_);
    EXPECT_EQ(a.smtputf8, b.smtputf8);
    EXPECT_EQ(a.body, b.body);
    EXPECT_EQ(a.signed_by_gateway, b.signed_by_gateway);
    EXPECT_EQ(a.has_long_lines, b.has_long_lines);
    EXPECT_EQ(a.header_bytes, b.header_bytes);
    EXPECT_EQ(a.arrived, b.arrived);
    EXPECT_EQ(a.next_attempt, b.next_attempt);
    EXPECT_EQ(a.attempts, b.attempts);
    EXPECT_EQ(a.message_id, b.message_id);
    EXPECT_EQ(a.subject, b.subject);
    EXPECT_EQ(a.deferred_profile, b.deferred_profile);
    EXPECT_EQ(a.deferred_by, b.deferred_by);
    ASSERT_EQ(a.recipients.size(), b.recipients.size());
    for (std::size_t i = 0; i < a.recipients.size(); ++i) {
        const Recipient& left = a.recipients[i];
        const Recipient& right = b.recipients[i];
        EXPECT_EQ(left.address, right.address);
        EXPECT_EQ(left.original, right.original);
        EXPECT_EQ(left.state, right.state);
        EXPECT_EQ(left.delay_told, right.delay_told);
        EXPECT_EQ(left.last_reply, right.last_reply);
        EXPECT_EQ(left.notify.given, right.notify.given);
        EXPECT_EQ(left.notify.never, right.notify.never);
        EXPECT_EQ(left.notify.success, right.notify.success);
        EXPECT_EQ(left.notify.failure, right.notify.failure);
        EXPECT_EQ(left.notify.delay, right.notify.delay);
    }
}

TEST(Envelope, ComesBackAsItWasStored) {
    for (const Envelope& envelope : {Envelope{}, full_envelope()}) {
        const auto back = decode_envelope(encode_envelope(envelope));
        ASSERT_TRUE(back) << back.error().what;
        expect_same(envelope, *back);
    }
}

TEST(Envelope, IsRefusedWhenCutAnywhere) {
    const std::string stored = encode_envelope(full_envelope());
    for (std::size_t cut = 0; cut < stored.size(); ++cut) {
        SCOPED_TRACE(testing::Message() << "cut at byte " << cut);
        EXPECT_FALSE(decode_envelope(stored.substr(0, cut)));
    }
}

TEST(Envelope, IsRefusedWithBytesBehindIt) {
    EXPECT_FALSE(decode_envelope(encode_envelope(full_envelope()) + "x"));
}

TEST(Envelope, OfAnotherVersionIsUnsupported) {
    std::string stored = encode_envelope(full_envelope());
    stored[0] = 3;
    const auto back = decode_envelope(stored);
    ASSERT_FALSE(back);
    EXPECT_EQ(back.error().kind, ErrorKind::unsupported);
}

TEST(Envelope, OfTheFirstVersionHasNoSmimeToDo) {
    std::string stored = encode_envelope(Envelope{});
    stored[0] = 1;
    stored.resize(stored.size() - 2);  // the two texts that were added, both empty
    const auto back = decode_envelope(stored);
    ASSERT_TRUE(back);
    EXPECT_EQ(back->deferred_profile, "");
}

TEST(Envelope, IsRefusedWithValuesNobodyWrote) {
    struct Case {
        const char* name;
        std::size_t at;
        char value;
    };
    const std::string good = encode_envelope(Envelope{});
    for (const Case& row : {Case{"flag", 1, 0x10}, Case{"RET", 2, 3}}) {
        SCOPED_TRACE(row.name);
        std::string bad = good;
        bad[row.at] = row.value;
        EXPECT_FALSE(decode_envelope(bad));
    }
    std::string many = good;
    many.back() = 0x7f;  // recipients that are not there: nothing is reserved for them
    EXPECT_FALSE(decode_envelope(many));
    std::string endless = good.substr(0, 3) + std::string(11, '\xff');
    EXPECT_FALSE(decode_envelope(endless));
}

}  // namespace
}  // namespace sealgate
