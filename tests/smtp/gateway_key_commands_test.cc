// SPDX-License-Identifier: GPL-3.0-or-later
#include "smtp/gateway_key_commands.h"

#include <gtest/gtest.h>

#include <ctime>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>

#include "core/loop.h"
#include "core/workers.h"
#include "crypto/key_ring.h"
#include "crypto/make_certificate.h"
#include "smtp/key_report.h"

namespace sealgate {
namespace {

using nlohmann::json;

CertificatePtr make_certificate(const std::string& email, int days = 10) {
    static const SecureBytes key = *make_key(NewKey::p256);
    SubjectText subject;
    subject.common_name = email;
    CertificatePlan plan;
    plan.subject = *subject_to_der(subject);
    plan.emails = {email};
    plan.not_before = std::time(nullptr) - 100 * 86'400;
    plan.not_after = std::time(nullptr) + days * 86'400;
    return *Certificate::parse(*make_self_signed(plan, key.bytes()));
}

// With and without a worker pool.
class KeyCommandsTest : public testing::TestWithParam<bool> {
protected:
    KeyCommandsTest() {
        EXPECT_NE(mkdtemp(folder_.data()), nullptr);
        if (GetParam()) workers_ = std::make_unique<WorkerPool>(loop_, 1);
        KeyRing::Options options;
        options.directory = folder_;
        std::string why;
        auto opened = KeyRing::open(&loop_, options, &why);
        EXPECT_TRUE(opened) << why;
        ring_ = *std::move(opened);
        commands_ = std::make_unique<KeyCommands>(*ring_, workers_.get());
    }
    ~KeyCommandsTest() override {
        commands_.reset();
        ring_.reset();
        std::filesystem::remove_all(folder_);
    }

    json ask(const json& request) {
        std::optional<json> answer;
        commands_->handle(request, [&](const json& told) {
            EXPECT_FALSE(answer) << "twice";
            answer = told;
        });
        EXPECT_TRUE(loop_.run_until([&] { return answer.has_value(); }, 30'000)) << request;
        return answer.value_or(json::object());
    }
    json add(const std::string& name, const CertificatePtr& certificate) {
        return ask({{"command", "key.add"}, {"name", name}, {"pem", pem_of(*certificate)}});
    }
    void harvest(const std::string& owner, const CertificatePtr& certificate) {
        SmimeCapabilities capabilities;
        capabilities.known = capabilities.aes_256_gcm = true;
        ring_->harvest({owner, certificate, capabilities, std::time(nullptr), std::time(nullptr)});
    }

    std::string folder_ = testing::TempDir() + "key_commands_XXXXXX";
    Loop loop_;
    std::unique_ptr<WorkerPool> workers_;
    std::unique_ptr<KeyRing> ring_;
    std::unique_ptr<KeyCommands> commands_;
};

TEST_P(KeyCommandsTest, TakesWhatTheCertificateSaysItsOwnerReads) {
    std::ifstream file(SEALGATE_SOURCE_DIR "/tests/data/recipients/capable.pem");
    std::stringstream pem;
    pem << file.rdbuf();
    EXPECT_EQ(ask({{"command", "key.add"}, {"name", "able"}, {"pem", pem.str()}})["ok"], true);
    const auto key = ring_->manual("able");
    ASSERT_TRUE(key);
    EXPECT_TRUE(key->capabilities.aes_256_gcm);
    EXPECT_TRUE(key->capabilities.rsa_oaep);
}

TEST_P(KeyCommandsTest, AddsReplacesAndRefuses) {
    const json added = add("bob", make_certificate("bob@example.net"));
    EXPECT_EQ(added["outcome"], "added");
    EXPECT_EQ(added["key"]["emails"], json{"bob@example.net"});
    EXPECT_EQ(added["key"]["capabilities"], nullptr);
    EXPECT_EQ(add("bob", make_certificate("robert@example.net"))["outcome"], "replaced");
    const json expired = add("old", make_certificate("old@example.net", -1));
    EXPECT_EQ(expired["ok"], false);
    EXPECT_EQ(expired["reason"], "expired");
    EXPECT_EQ(add("-x", make_certificate("x@example.net"))["reason"], "bad-name");
    EXPECT_EQ(ring_->manual_count(), 1U);
}

TEST_P(KeyCommandsTest, ImportsWhatItCanOfARequest) {
    json request = {{"command", "key.import"}, {"keys", json::array()}};
    request["keys"].push_back(
        {{"name", "good"}, {"pem", pem_of(*make_certificate("a@b.example"))}});
    request["keys"].push_back(
        {{"name", "good"}, {"pem", pem_of(*make_certificate("c@b.example"))}});
    request["keys"].push_back({{"name", "bad"}, {"pem", "nothing"}});
    request["keys"].push_back({{"name", 7}, {"pem", json::object()}});
    request["keys"].push_back("no object");
    const json results = ask(request)["results"];
    ASSERT_EQ(results.size(), 5U);
    EXPECT_EQ(results[0], "added");
    EXPECT_EQ(results[1], "replaced");
    EXPECT_EQ(results[2]["reason"], "malformed");
    EXPECT_EQ(results[3]["reason"], "bad-name");
    EXPECT_EQ(results[4]["reason"], "bad-name");
    EXPECT_EQ(ring_->manual("good")->certificate->emails().front(), "c@b.example");

    EXPECT_EQ(ask({{"command", "key.import"}})["reason"], "malformed");
    request["keys"] = json::array();
    EXPECT_EQ(ask(request)["results"], json::array());
    for (std::size_t i = 0; i < KeyCommands::keys_per_request_max; ++i)
        request["keys"].push_back({{"name", "x"}, {"pem", ""}});
    EXPECT_EQ(ask(request)["results"].size(), KeyCommands::keys_per_request_max);
    request["keys"].push_back({{"name", "one too many"}});
    EXPECT_EQ(ask(request)["reason"], "malformed");
}

TEST_P(KeyCommandsTest, TellsWhatIsKnownOfAnAddress) {
    const CertificatePtr manual = make_certificate("bob@example.net");
    const CertificatePtr harvested = make_certificate("bob@example.net", -1);
    add("bob", manual);
    harvest("bob@example.net", harvested);
    const auto known = [&](const json& address) {
        return ask({{"command", "key.known"}, {"address", address}})["keys"];
    };
    EXPECT_EQ(known("bob@example.net"), (json{pem_of(*manual), pem_of(*harvested)}));
    EXPECT_EQ(known("eve@example.net"), json::array());
    EXPECT_EQ(known(""), json::array());
    EXPECT_EQ(known(7), json::array());

    const auto is_manual = [&](const std::string& pem) {
        return ask({{"command", "key.is-manual"}, {"pem", pem}});
    };
    EXPECT_EQ(is_manual(pem_of(*manual))["manual"], true);
    EXPECT_EQ(is_manual(pem_of(*harvested))["manual"], false);
    EXPECT_EQ(is_manual("nothing")["ok"], false);
    EXPECT_EQ(is_manual("nothing")["reason"], "malformed");
}

TEST_P(KeyCommandsTest, PromotesAHarvestedKeyWithWhatIsKnownOfIt) {
    harvest("bob@example.net", make_certificate("bob@example.net"));
    harvest("old@example.net", make_certificate("old@example.net", -1));
    const json promoted =
        ask({{"command", "key.promote"}, {"address", "Bob@example.net"}, {"name", "bob"}});
    EXPECT_EQ(promoted["outcome"], "added");
    EXPECT_EQ(promoted["key"]["capabilities"], json{"aes-256-gcm"});
    EXPECT_EQ(ask({{"command", "key.promote"},
                   {"address", "old@example.net"},
                   {"name", "old"}})["reason"],
              "expired");
    EXPECT_EQ(ask({{"command", "key.promote"},
                   {"address", "eve@example.net"},
                   {"name", "eve"}})["reason"],
              "not-found");
    const auto found = ring_->find("bob@example.net", std::time(nullptr));
    ASSERT_TRUE(found);
    EXPECT_EQ(found->name, "bob");
    EXPECT_TRUE(found->capabilities.aes_256_gcm);
    EXPECT_TRUE(ring_->harvested("bob@example.net")) << "it stays";
}

TEST_P(KeyCommandsTest, ListsInPages) {
    const CertificatePtr certificate = make_certificate("bob@example.net");
    for (int i = 0; i < 250; ++i) {
        ring_->add({"key" + std::to_string(i), certificate, {}}, {});
        harvest("user" + std::to_string(i) + "@example.net", certificate);
    }
    for (const auto& [command, place] :
         {std::pair{"key.list", "after"}, {"key.export", "after"}, {"key.harvested", "from"}}) {
        json request = {{"command", command}};
        std::size_t rows = 0;
        int pages = 0;
        for (bool more = true; more && pages < 1000; ++pages) {
            const json page = ask(request);
            rows += page["keys"].size();
            EXPECT_LE(page["keys"].size(), 110U);
            more = page.contains("next");
            if (more) request[place] = page["next"];
        }
        EXPECT_EQ(rows, 250U) << command;
        EXPECT_GT(pages, 2) << command;
    }
    EXPECT_EQ(ask({{"command", "key.harvested"}, {"from", "x"}, {"search", "user249@"}})["ok"],
              true);
}

TEST_P(KeyCommandsTest, ShowsAndRemoves) {
    const CertificatePtr certificate = make_certificate("bob@example.net");
    add("bob", certificate);
    EXPECT_EQ(ask({{"command", "key.show"}, {"name", "bob"}})["key"]["pem"], pem_of(*certificate));
    EXPECT_EQ(ask({{"command", "key.remove"}, {"name", "bob"}})["ok"], true);
    EXPECT_EQ(ask({{"command", "key.remove"}, {"name", "bob"}})["reason"], "not-found");
    EXPECT_EQ(ask({{"command", "key.show"}, {"name", "bob"}})["reason"], "not-found");
    EXPECT_EQ(ask({{"command", "key.show"}, {"name", {1, 2}}})["reason"], "not-found");
    EXPECT_EQ(ask({{"command", "key.surprise"}})["ok"], false);
}

TEST_P(KeyCommandsTest, MayGoWhileItIsAsked) {
    commands_->handle({{"command", "key.add"},
                       {"name", "bob"},
                       {"pem", pem_of(*make_certificate("bob@example.net"))}},
                      [](const json&) { FAIL() << "the asker's gateway is gone"; });
    commands_.reset();
    ring_.reset();
    loop_.run_until([] { return false; }, 100);
}

INSTANTIATE_TEST_SUITE_P(Checked, KeyCommandsTest, testing::Bool(), [](const auto& row) {
    return std::string(row.param ? "OnWorkers" : "OnTheLoop");
});

}  // namespace
}  // namespace sealgate
