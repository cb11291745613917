// SPDX-License-Identifier: GPL-3.0-or-later
// What `explain` says of a message, with real policies, keys and planners.
#include "smtp/explain.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "smtp/explain_report.h"
#include "smtp/gateway_explain_command.h"
#include "tests/smtp/key_lookup_fixture.h"

namespace sealgate {
namespace {

using nlohmann::json;

constexpr const char* sections = R"(
[listener:l]
address = 127.0.0.1:2525
[sending-profile:split]
mode = encrypt
missing-key = split
cipher = aes-256-gcm
[sending-profile:bounce]
mode = encrypt
[sending-profile:drop]
mode = encrypt
missing-key = drop
[content-filter:split]
direction = outgoing
condition = subject == "^split$"
actions = smime-gateway("split");
[content-filter:drop]
direction = outgoing
condition = header("X-Drop")
actions = smime-gateway("drop");
[content-filter:bounce]
direction = outgoing
condition = subject == "^later$" or subject == "^bounce$"
actions = smime-gateway-deferred("bounce");
[mail-policy:partners]
direction = outgoing
recipients = @one.test, @two.test
content-filters = split, drop, bounce
[smtp-routes]
one.test = [192.0.2.1]:2525
two.test = /dev/null
)";

class ExplainTest : public testing::Test {
protected:
    void SetUp() override {
        const CheckedState checked = check_configuration_text(
            "[gateway]\nhostname = mx.example.org\ndata-dir = " + files_.path + "\n" + sections,
            "test", DemoCertificate::leave);
        for (const Complaint& complaint : checked.complaints) ADD_FAILURE() << complaint.to_text();
        state_ = checked.state;
        ring_ = *KeyRing::open(nullptr, {.directory = files_.path + "/keys"}, nullptr);
        command_ =
            std::make_unique<ExplainCommand>(loop_, KeySources{*ring_}, [this] { return state_; });
    }
    void know(const std::string& name, const CertificateWish& wish) {
        ring_->add({name, make(wish), {}}, {});
    }
    json ask(json request) {
        std::optional<json> answer;
        request["command"] = "explain";
        command_->handle(request, [&](const json& told) { answer = told; });
        EXPECT_TRUE(answer);
        return answer.value_or(json::object());
    }
    json about(const std::string& subject, std::vector<std::string> to) {
        return ask({{"from", "a@example.com"}, {"to", std::move(to)}, {"subject", subject}});
    }

    Files files_;
    Loop loop_;
    GatewayStatePtr state_;
    std::unique_ptr<KeyRing> ring_;
    std::unique_ptr<ExplainCommand> command_;
};

TEST_F(ExplainTest, TellsPolicyFilterKeyCipherAndRouteOfEachRecipient) {
    know("bob", {.emails = {"b@one.test"}});
    const json answer = about("split", {"b@one.test", "c@two.test", "d@three.test"});
    EXPECT_TRUE(answer["ok"]);
    EXPECT_FALSE(answer["would_fail"]);
    ASSERT_EQ(answer["recipients"].size(), 3u);
    const json& b = answer["recipients"][0];
    EXPECT_EQ(b["policy"], "partners");
    EXPECT_EQ(b["content_filter"], "split");
    EXPECT_EQ(b["outcome"], "seal");
    EXPECT_EQ(b["does"], "encrypted");
    EXPECT_EQ(b["cipher"], "aes-256-gcm");
    EXPECT_EQ(b["key_transport"], "ecdh");
    EXPECT_EQ(b["key"]["name"], "bob");
    EXPECT_EQ(b["key"]["source"], "manual");
    EXPECT_EQ(b["key"]["match"], "address");
    EXPECT_EQ(b["envelope"], json::array({"b@one.test"}));
    EXPECT_EQ(b["route"]["hosts"][0]["port"], 2525);
    const json& c = answer["recipients"][1];
    EXPECT_EQ(c["outcome"], "relay");
    EXPECT_EQ(c["note"], "left-clear");
    EXPECT_EQ(c["no_key"]["missing_key"], "split");
    EXPECT_EQ(c["route"]["kind"], "discard");
    const json& d = answer["recipients"][2];
    EXPECT_EQ(d["policy"], "DEFAULT");
    EXPECT_EQ(d["outcome"], "relay");
    EXPECT_EQ(d["route"]["kind"], "mx");
    EXPECT_FALSE(d.contains("key_search"));
}

TEST_F(ExplainTest, SaysWhatMissingKeysDoAndThatItFails) {
    know("bob", {.emails = {"b@one.test"}});
    const json bounced = about("bounce", {"b@one.test", "c@one.test"});
    EXPECT_TRUE(bounced["would_fail"]);
    EXPECT_EQ(bounced["recipients"][0]["outcome"], "bounce");
    EXPECT_EQ(bounced["recipients"][0]["sentence"], "no key for another recipient");
    EXPECT_EQ(bounced["recipients"][0]["key"]["name"], "bob");
    EXPECT_TRUE(bounced["recipients"][0]["deferred"]);
    EXPECT_EQ(bounced["recipients"][1]["reason"], "no-key");
    EXPECT_EQ(bounced["recipients"][1]["no_key"]["considered"][0]["name"], "bob");
    const json dropped =
        ask({{"to", {"c@one.test"}}, {"from", "a@example.com"}, {"headers", {"X-Drop: yes"}}});
    EXPECT_TRUE(dropped["would_fail"]);
    EXPECT_EQ(dropped["recipients"][0]["outcome"], "drop");
}

TEST_F(ExplainTest, SaysWhyAKeyIsNone) {
    know("old", {.emails = {"c@one.test"}, .days_old = 20, .days_left = -1});
    const json answer = about("split", {"c@one.test"});
    const json& considered = answer["recipients"][0]["no_key"]["considered"];
    ASSERT_EQ(considered.size(), 1u);
    EXPECT_EQ(considered[0]["covers"], true);
    EXPECT_EQ(considered[0]["reason"], "expired");
}

TEST_F(ExplainTest, SaysWhichConditionMatched) {
    const json answer = about("bounce", {"c@one.test"});
    ASSERT_EQ(answer["filters"].size(), 3u);
    EXPECT_FALSE(answer["filters"][0]["holds"]);
    EXPECT_EQ(answer["filters"][0]["rules"][0]["text"], "subject == \"^split$\"");
    EXPECT_EQ(answer["filters"][1]["rules"][0]["text"], "header(\"X-Drop\")");
    EXPECT_TRUE(answer["filters"][2]["holds"]);
    EXPECT_FALSE(answer["filters"][2]["rules"][0]["holds"]);
    EXPECT_TRUE(answer["filters"][2]["rules"][1]["holds"]);
    EXPECT_EQ(about("split", {"c@one.test"})["filters"].size(), 1u) << "smime-gateway is final";
}

TEST_F(ExplainTest, HiddenRecipientsHaveAnEnvelopeOfTheirOwn) {
    know("one", {.domains = {"one.test"}});
    const json answer = ask({{"from", "a@example.com"},
                             {"to", {"b@one.test", "<c@one.test>"}},
                             {"bcc", {"d@one.test"}},
                             {"subject", "split"}});
    EXPECT_EQ(answer["recipients"][0]["envelope"], json::array({"b@one.test", "c@one.test"}));
    EXPECT_EQ(answer["recipients"][2]["envelope"], json::array({"d@one.test"}));
    EXPECT_EQ(answer["recipients"][2]["key"]["match"], "domain");
}

TEST_F(ExplainTest, WhatIsEncryptedAlreadyGoesOutAsItIs) {
    const json answer =
        ask({{"from", "a@example.com"},
             {"to", {"b@one.test"}},
             {"subject", "split"},
             {"headers", {"Content-Type: application/pkcs7-mime; smime-type=enveloped-data"}}});
    EXPECT_EQ(answer["recipients"][0]["note"], "already-smime");
}

TEST_F(ExplainTest, RefusesWhatIsNoMessage) {
    const std::vector<json> requests = {
        json::object(),
        {{"to", json::array()}},
        {{"to", {"nobody"}}},
        {{"to", {1}}},
        {{"to", "b@one.test"}},
        {{"to", {"b@one.test\r\nX: y"}}},
        {{"to", {"b@one.test"}}, {"from", "not an address"}},
        {{"to", {"b@one.test"}}, {"subject", "a\r\nX-Drop: yes"}},
        {{"to", {"b@one.test"}}, {"headers", {"no colon"}}},
        {{"to", {"b@one.test"}}, {"headers", {": value"}}},
        {{"to", {"b@one.test"}}, {"headers", {"Two Words: value"}}},
        {{"to", {"b@one.test"}}, {"headers", {"X: y\n\nbody"}}},
        {{"to", {"b@one.test"}}, {"ip", "localhost"}},
        {{"to", std::vector<std::string>(1001, "b@one.test")}},
    };
    for (const json& request : requests) {
        SCOPED_TRACE(request.dump().substr(0, 80));
        const json answer = ask(request);
        EXPECT_FALSE(answer["ok"]);
        EXPECT_EQ(answer["reason"], "malformed");
    }
    EXPECT_TRUE(ask({{"to", std::vector<std::string>(1000, "b@one.test")}})["ok"]);
}

}  // namespace
}  // namespace sealgate
