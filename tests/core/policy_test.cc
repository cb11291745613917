// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/policy.h"

#include <gtest/gtest.h>

#include "core/options.h"

namespace sealgate {
namespace {

struct Facts final : MessageFacts {
    Direction to_direction = Direction::outgoing;
    std::string sender = "a@example.com";
    std::vector<std::string> from{"a@example.com"};
    std::vector<std::string> to;
    std::string subject_text;
    IpAddress ip = *IpAddress::parse("10.1.1.7");

    Direction direction() const override { return to_direction; }
    std::string_view envelope_sender() const override { return sender; }
    const std::vector<std::string>& from_addresses() const override { return from; }
    const std::vector<std::string>& recipients() const override { return to; }
    std::string subject() const override { return subject_text; }
    std::vector<std::string> header(std::string_view) const override { return {}; }
    const IpAddress& remote_ip() const override { return ip; }
    std::string_view listener() const override { return "private"; }
    std::string_view sender_group() const override { return "ALL"; }
    SmimeFacts smime() const override { return {}; }
};

constexpr const char* base = R"(
[listener:l]
address = 127.0.0.1:2525
[sending-profile:p]
mode = sign
certificate = demo
[sending-profile:q]
mode = sign
certificate = demo
[content-filter:always]
direction = outgoing
actions = smime-gateway("p");
[content-filter:secret]
direction = outgoing
condition = subject == "secret"
actions = smime-gateway("q"); smime-gateway("p");
[content-filter:in]
direction = incoming
actions = smime-gateway("p");
)";

std::shared_ptr<const PolicyTable> compile(const std::string& more, Complaints& complaints) {
    LoadedConfig loaded = parse_config(base + more, "test.ini");
    complaints = loaded.complaints;
    return loaded.config ? PolicyTable::compile(*loaded.config, complaints) : nullptr;
}

std::string decide(const std::string& more, const Facts& facts) {
    Complaints complaints;
    const auto table = compile(more, complaints);
    if (!table || !complaints.empty())
        return complaints.empty() ? "no table" : complaints[0].to_text();
    std::string text;
    for (const PolicyDecision& part : table->decide(facts)) {
        text += part.policy + "[";
        for (const std::size_t rid : part.recipients) text += std::to_string(rid);
        text += "]" + part.content_filter + ">" + part.profile + " ";
    }
    return text;
}

TEST(PolicyTable, WithoutAnyPolicyEverythingIsDefaultAndUnchanged) {
    Facts facts;
    facts.to = {"b@example.net", "c@example.net"};
    EXPECT_EQ(decide("", facts), "DEFAULT[01]> ");
}

TEST(PolicyTable, EachRecipientTakesTheFirstPolicyThatMatches) {
    const std::string policies = R"(
[mail-policy:net]
direction = outgoing
recipients = @example.net, @.example.net
not-recipients = boss@example.net
content-filters = secret, always
[mail-policy:wrong-way]
direction = incoming
content-filters = in
[mail-policy:org]
direction = outgoing
senders = @example.com
not-senders = robot@
recipients = @example.org
[mail-policy:DEFAULT]
direction = outgoing
content-filters = always
)";
    Facts facts;
    facts.to = {"x@example.org", "b@example.net", "boss@example.net", "y@sub.example.net",
                "z@example.com"};
    EXPECT_EQ(decide(policies, facts), "net[13]always>p org[0]> DEFAULT[24]always>p ");
    facts.subject_text = "a secret";
    EXPECT_EQ(decide(policies, facts), "net[13]secret>q org[0]> DEFAULT[24]always>p ")
        << "smime-gateway is final: no filter and no action after it";
    facts.sender = "robot@example.com";
    EXPECT_EQ(decide(policies, facts), "net[13]secret>q DEFAULT[024]always>p ");
}

TEST(PolicyTable, SendersMatchByEnvelopeOrFrom) {
    const std::string policies = R"(
[mail-policy:known]
direction = outgoing
senders = @example.com
content-filters = always
)";
    Facts facts;
    facts.to = {"b@example.net"};
    facts.sender = "bounce@other.example";
    EXPECT_EQ(decide(policies, facts), "known[0]always>p ");
    facts.from = {"a@other.example"};
    EXPECT_EQ(decide(policies, facts), "DEFAULT[0]> ");
    facts.sender = "a@EXAMPLE.com";
    EXPECT_EQ(decide(policies, facts), "known[0]always>p ");
}

TEST(PolicyTable, ComplaintsNameLineAndColumnOfAFilter) {
    const struct {
        const char* text;
        const char* begins;
    } cases[] = {
        {"[content-filter:x]\ndirection = outgoing\nactions = smime-gateway(\"pp\");\n",
         "test.ini:22:25: there is no [sending-profile:pp] (nearest known: p)"},
        {"[content-filter:x]\ndirection = outgoing\ncondition = subjekt == \"a\"\n"
         "actions = smime-gateway(\"p\")\n",
         "test.ini:22:13: unknown rule \"subjekt\" (nearest known: subject)"},
        {"[content-filter:x]\ndirection = outgoing\ncondition = true and\n   subject == \"(\"\n"
         "actions = smime-gateway(\"p\")\n",
         "test.ini:23:15: not a regular expression: \"(\""},
    };
    for (const auto& [text, begins] : cases) {
        SCOPED_TRACE(text);
        Complaints complaints;
        compile(text, complaints);
        ASSERT_EQ(complaints.size(), 1u);
        EXPECT_EQ(complaints[0].to_text().substr(0, std::string(begins).size()), begins);
    }
}

}  // namespace
}  // namespace sealgate
