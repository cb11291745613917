// SPDX-License-Identifier: GPL-3.0-or-later
#include "smtp/alert_webhook.h"

#include <gtest/gtest.h>

#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>

#include "core/loop.h"
#include "core/mail_log.h"
#include "smtp/alert_report.h"
#include "tests/smtp/key_lookup_fixture.h"
#include "tests/support/script_server.h"

namespace sealgate {
namespace {

Alert alert_of(const std::string& subject) {
    Alert alert;
    alert.number = 3;
    alert.time = 1'795'290'460;
    alert.name = AlertName::config_rejected;
    alert.severity = AlertOptions::Severity::critical;
    alert.host = "mx.example.org";
    alert.subject = subject;
    alert.text = "it is \"wrong\"";
    alert.missed = 2;
    return alert;
}

TEST(AlertReport, IsAnObject) {
    const nlohmann::json want = {
        {"alert", "config.rejected"},
        {"severity", "critical"},
        {"host", "mx.example.org"},
        {"subject", "a"},
        {"message", "it is \"wrong\""},
        {"text", "[Critical-mx.example.org] (System) config.rejected: it is \"wrong\""},
        {"time", "2026-11-21T19:47:40Z"},
        {"number", 3},
        {"missed", 2},
        {"repeated", 0}};
    EXPECT_EQ(to_json(alert_of("a")), want);
}

TEST(AlertReport, CanBeWrittenWhateverAPeerSays) {
    EXPECT_EQ(nlohmann::json::parse(to_json(alert_of("a\xff")).dump())["subject"], "a\xef\xbf\xbd");
}

class AlertWebhookTest : public testing::Test {
protected:
    void SetUp() override {
        http_ = ScriptServer::start("support/http_peer.py", {"--files", files_.path});
        ASSERT_NE(http_, nullptr);
        LogOptions options;
        options.mail_log = files_.path + "/mail.log";
        std::string why;
        log_ = *MailLog::open(options, nullptr, &why);
        webhook_ = std::make_unique<AlertWebhook>(
            AlertWebhook::Context{loop_, *log_, fetcher_, retry_after_ms_});
    }

    void put_in_force(const std::string& path) {
        AlertOptions options;
        if (!path.empty())
            options.webhook = "http://127.0.0.1:" + std::to_string(http_->port()) + path;
        webhook_->put_in_force(options);
    }
    // Subjects of what was posted to /keep/hook/…, in order.
    std::string posted() const {
        std::ifstream file(files_.path + "/hook");
        std::string subjects;
        for (std::string line; std::getline(file, line);) {
            const std::size_t body = line.find(' ') + 1;
            EXPECT_EQ(line.substr(0, body), "application/json ");
            subjects += nlohmann::json::parse(line.substr(body))["subject"].get<std::string>();
        }
        return subjects;
    }
    bool wait_for(const std::string& subjects) {
        return loop_.run_until([&] { return posted() == subjects; }, 20'000);
    }
    bool wait_until_idle() {
        return loop_.run_until([&] { return webhook_->waiting() == 0; }, 20'000);
    }
    std::string closed_log() {
        webhook_.reset();
        log_.reset();
        std::stringstream text;
        text << std::ifstream(files_.path + "/mail.log").rdbuf();
        return text.str();
    }

    Files files_;
    std::uint64_t retry_after_ms_ = 20;
    Loop loop_;
    Fetcher fetcher_{loop_};
    std::unique_ptr<ScriptServer> http_;
    std::unique_ptr<MailLog> log_;
    std::unique_ptr<AlertWebhook> webhook_;
};

TEST_F(AlertWebhookTest, IsPostedEachAlertInOrder) {
    put_in_force("/keep/hook/204");
    for (const char* subject : {"a", "b", "c"}) webhook_->send(alert_of(subject));
    EXPECT_TRUE(wait_for("abc")) << posted();
    EXPECT_TRUE(wait_until_idle());
    EXPECT_EQ(closed_log(), "");
}

TEST_F(AlertWebhookTest, IsPostedNothingWithoutAUrl) {
    put_in_force("");
    webhook_->send(alert_of("a"));
    EXPECT_EQ(webhook_->waiting(), 0U);
}

TEST_F(AlertWebhookTest, IsToldOnceMoreWhatItDidNotTake) {
    put_in_force("/keep/hook/503,200");
    webhook_->send(alert_of("a"));
    webhook_->send(alert_of("b"));
    EXPECT_TRUE(wait_for("aba")) << posted();
    EXPECT_TRUE(wait_until_idle());
    const std::string log = closed_log();
    EXPECT_NE(log.find("Error: The webhook did not take alert config.rejected: HTTP status 503; it "
                       "is told once more later\n"),
              std::string::npos)
        << log;
    EXPECT_EQ(log.find("/keep"), std::string::npos) << "the URL is a secret";
}

TEST_F(AlertWebhookTest, IsNotToldAThirdTime) {
    put_in_force("/keep/hook/500");
    webhook_->send(alert_of("a"));
    EXPECT_TRUE(wait_for("aa")) << posted();
    EXPECT_TRUE(wait_until_idle());
    webhook_->send(alert_of("b"));
    EXPECT_TRUE(wait_for("aabb")) << posted();
    EXPECT_TRUE(wait_until_idle());
    EXPECT_NE(closed_log().find("HTTP status 500; it is given up\n"), std::string::npos);
}

TEST_F(AlertWebhookTest, FollowsNoRedirect) {
    put_in_force("/keep/hook/302");
    webhook_->send(alert_of("a"));
    EXPECT_TRUE(wait_for("aa")) << posted();
}

TEST_F(AlertWebhookTest, MayBeUnreachable) {
    put_in_force("/silent");
    http_.reset();
    webhook_->send(alert_of("a"));
    EXPECT_TRUE(wait_until_idle());
    EXPECT_NE(closed_log().find("it is given up\n"), std::string::npos);
}

TEST_F(AlertWebhookTest, MayBeTakenAwayByAReload) {
    put_in_force("/keep/hook/503");
    webhook_->send(alert_of("a"));
    webhook_->send(alert_of("b"));
    put_in_force("");
    EXPECT_TRUE(wait_until_idle());
    EXPECT_EQ(posted(), "a") << "that was under way already";
}

TEST_F(AlertWebhookTest, LetsSoManyWaitAndNoMore) {
    put_in_force("/keep/hook/200");
    for (std::size_t i = 0; i < AlertWebhook::waiting_max; ++i) webhook_->send(alert_of("a"));
    webhook_->send(alert_of("b"));
    EXPECT_EQ(webhook_->waiting(), AlertWebhook::waiting_max);
    EXPECT_TRUE(wait_for(std::string(AlertWebhook::waiting_max, 'a'))) << posted();
    EXPECT_TRUE(wait_until_idle());
    EXPECT_NE(closed_log().find("Error: The webhook is not told of alert config.rejected: 100 "
                                "others wait for it\n"),
              std::string::npos);
}

TEST_F(AlertWebhookTest, MayGoWhileAPostIsUnderWay) {
    put_in_force("/keep/hook/200");
    webhook_->send(alert_of("a"));
    webhook_.reset();
    EXPECT_TRUE(wait_for("a"));
    loop_.run_until([] { return false; }, 5);  // its answer finds nobody
}

}  // namespace
}  // namespace sealgate
