// SPDX-License-Identifier: GPL-3.0-or-later
// A message on its way in: signed or refused, part by part.
#include "smtp/intake.h"

#include "tests/smtp/intake_fixture.h"

namespace sealgate {
namespace {

constexpr const char* sections = R"(
[listener:l]
address = 127.0.0.1:2525
default-policy = RELAYED
[sending-profile:sign]
mode = sign
certificate = demo
[content-filter:sign]
direction = outgoing
actions = smime-gateway("sign");
[mail-policy:PLAIN]
direction = outgoing
recipients = @plain.example
[mail-policy:DEFAULT]
direction = outgoing
content-filters = sign
)";

class IntakeTest : public IntakeFixture {
protected:
    IntakeTest() : IntakeFixture(sections) {}
};

const std::string mail = "From: a@example.com\r\nSubject: x\r\n\r\nHello\r\n";

TEST_F(IntakeTest, SignsEachPartAsItsPolicySaysHoweverTheInputIsCut) {
    for (const std::size_t piece_bytes : {std::size_t{1}, std::size_t{7}, std::size_t{1000}}) {
        SCOPED_TRACE(piece_bytes);
        world_.deliveries.clear();
        const Reply reply = take(mail, {"b@example.net", "c@plain.example"}, piece_bytes);
        EXPECT_EQ(reply.code, 250) << reply.text();
        settle();
        ASSERT_EQ(world_.deliveries.size(), 2u);
        for (const Delivery& delivery : world_.deliveries) {
            const bool is_signed = delivery.body.find("multipart/signed") != std::string::npos;
            EXPECT_EQ(is_signed, delivery.domain == "example.net");
            EXPECT_NE(delivery.body.find("Hello\r\n"), std::string::npos);
            EXPECT_EQ(delivery.to.size(), 1u);
        }
        EXPECT_NE(world_.deliveries[0].mid, world_.deliveries[1].mid);
        EXPECT_EQ(stored_count(), 0u);
    }
}

TEST_F(IntakeTest, RefusesWhatItMustAndLeavesNothing) {
    std::string hops;
    for (int i = 0; i < limits::received_fields_max; ++i) hops += "Received: from x by y; date\r\n";
    const std::string one_more = "Received: from x by y; date\r\n";
    const std::string wide(limits::header_bytes_max, 'x');
    const struct {
        const char* name;
        std::string message;
        int code;
    } cases[] = {
        {"as many hops as may be", hops + mail, 250},
        {"one hop more", hops + one_more + mail, 554},
        {"a header past its limit", "X-Wide: " + wide + "\r\n" + mail, 552},
    };
    for (const auto& [name, message, code] : cases) {
        SCOPED_TRACE(name);
        const Reply reply = take(message, {"b@example.net"});
        EXPECT_EQ(reply.code, code) << reply.text();
        settle();
        EXPECT_EQ(stored_count(), 0u);
    }
}

TEST_F(IntakeTest, AMessageThatIsGivenUpLeavesNothing) {
    for (const char* part : {"From: a@example.com\r\n", "From: a@example.com\r\n\r\nHel",
                             "From: a@example.com\r\n\r\nHello\r\n"}) {
        auto intake = begin({"b@example.net"});
        ASSERT_TRUE(intake->write(Chunk::copy_of(part)));
        intake.reset();
        settle();
        EXPECT_EQ(stored_count(), 0u);
        EXPECT_TRUE(world_.deliveries.empty());
    }
    // Also when its signature is being made, and its commit is on its way.
    auto intake = begin({"b@example.net"});
    ASSERT_TRUE(intake->write(Chunk::copy_of(mail)));
    intake->finish();
    intake.reset();
    settle();
    EXPECT_EQ(stored_count(), 0u);
    EXPECT_TRUE(world_.deliveries.empty());
}

TEST_F(IntakeTest, ASenderWhomTheCertificateDoesNotCoverGetsTheMailBack) {
    for (const char* from :
         {"From: eve@evil.test\r\n", "", "From: a@example.com, b@example.com\r\n",
          "From: \"a@example.com\" <eve@evil.test>\r\n",
          "From: a@example.com\r\nFrom: a@example.com\r\n"}) {
        SCOPED_TRACE(from);
        world_.deliveries.clear();
        const Reply reply =
            take(std::string(from) + "Subject: x\r\n\r\nsecret\r\n", {"b@example.net"});
        EXPECT_EQ(reply.code, 250);
        settle();
        ASSERT_EQ(world_.deliveries.size(), 1u);
        EXPECT_EQ(world_.deliveries[0].sender, "");
        EXPECT_EQ(world_.deliveries[0].to, std::vector<std::string>{"a@example.com"});
        EXPECT_NE(world_.deliveries[0].body.find("sender-mismatch"), std::string::npos);
    }
}

// The one moment when a key fails that was sound when it was loaded.
TEST_F(IntakeTest, AKeyThatFailsWhileSigningBouncesAndNothingUnsignedLeaves) {
    for (const auto mode :
         {SendingProfileOptions::SignMode::detached, SendingProfileOptions::SignMode::opaque}) {
        world_.deliveries.clear();
        outlet_done_ = false;
        auto broken = std::make_shared<Identity>();
        const IdentityPtr sound = state_->identities->find("demo");
        broken->name = "broken";
        broken->leaf = sound->leaf;
        broken->key.kind = KeyKind::rsa;
        broken->key.bits = 2048;
        broken->key.pkcs8 = SecureBytes::copy_of(as_bytes("no key at all"));
        broken->key.id = 0xdead0000u + static_cast<unsigned>(mode);
        OutgoingPlan plan;
        plan.kind = OutgoingPlan::Kind::seal;
        plan.profile = "sign";
        plan.sign.emplace();
        plan.sign->identity = broken;
        plan.sign->sign_mode = mode;

        PartToMake part;
        part.mid = spool_->next_mid();
        part.envelope.sender = "a@example.com";
        part.envelope.recipients.emplace_back().address = "b@example.net";
        part.plan = plan;
        part.policy = "DEFAULT";
        Outlet::Owner& owner = *this;
        Outlet outlet(*parts_, owner, std::move(part));
        const Header header = Header::parse(Chunk::copy_of("From: a@example.com\r\n\r\n"));
        ASSERT_TRUE(outlet.begin(header, "Received: from x by y; date\r\n"));
        ASSERT_TRUE(outlet.write(Chunk::copy_of("secret\r\n")));
        ASSERT_TRUE(outlet.finish());
        ASSERT_TRUE(loop_.run_until([this] { return outlet_done_; }, 20'000));
        ASSERT_TRUE(outlet.outcome());
        EXPECT_EQ(outlet.plan().reason, Reason::no_certificate);
        outlet.release();
        settle();
        ASSERT_EQ(world_.deliveries.size(), 1u) << "the report alone";
        EXPECT_EQ(world_.deliveries[0].sender, "");
        EXPECT_NE(world_.deliveries[0].body.find("no-certificate"), std::string::npos);
        EXPECT_EQ(world_.deliveries[0].body.find("secret"), std::string::npos);
        EXPECT_EQ(stored_count(), 0u);
    }
}

TEST_F(IntakeTest, WhatIsSmimeAlreadyGoesOutAsItIs) {
    const std::string message =
        "From: eve@evil.test\r\nMIME-Version: 1.0\r\n"
        "Content-Type: application/pkcs7-mime; smime-type=enveloped-data\r\n"
        "Content-Transfer-Encoding: base64\r\n\r\nMIIB\r\n";
    EXPECT_EQ(take(message, {"b@example.net"}).code, 250);
    settle();
    ASSERT_EQ(world_.deliveries.size(), 1u);
    const std::string& body = world_.deliveries[0].body;
    EXPECT_TRUE(body.starts_with("Received: from client.example.com ([192.0.2.7])\r\n"));
    EXPECT_TRUE(body.ends_with(message));
}

}  // namespace
}  // namespace sealgate
