// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/alerts.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <set>

#include "core/limits.h"
#include "core/loop.h"
#include "core/mail_log.h"
#include "core/metrics.h"

namespace sealgate {
namespace {

using Severity = AlertOptions::Severity;
using enum AlertName;

class AlertsTest : public testing::Test {
protected:
    AlertsTest() {
        EXPECT_NE(mkdtemp(folder_.data()), nullptr);
        LogOptions log_options;
        log_options.mail_log = folder_ + "/mail.log";
        std::string why;
        log_ = *MailLog::open(log_options, nullptr, &why);
        alerts_ = std::make_unique<Alerts>(loop_, *log_, [this] { return now_ms_; });
        alerts_->put_in_force(options_, "mx.example.com");
        alerts_->add_sink([this](const Alert& alert) { told_.push_back(alert); });
    }
    ~AlertsTest() override { std::filesystem::remove_all(folder_); }

    // What the log says, without dates.
    std::vector<std::string> logged() {
        log_.reset();
        std::ifstream file(folder_ + "/mail.log");
        std::vector<std::string> lines;
        for (std::string line; std::getline(file, line);) lines.push_back(line.substr(25));
        return lines;
    }
    bool raise(std::string_view subject, Severity severity = Severity::warning) {
        return alerts_->raise(config_rejected, subject, severity, "it is wrong");
    }
    static std::uint64_t count(Counter counter) { return Metrics::instance().value(counter); }

    std::string folder_ = testing::TempDir() + "alerts_XXXXXX";
    Loop loop_;
    std::uint64_t now_ms_ = 1000;
    AlertOptions options_;
    std::unique_ptr<MailLog> log_;
    std::unique_ptr<Alerts> alerts_;
    std::vector<Alert> told_;
};

TEST_F(AlertsTest, AreLinesOfTheLogAndGoToWhoTellsPeople) {
    const std::int64_t before = loop_.wall_seconds();
    EXPECT_TRUE(alerts_->raise(key_updated_often, "example.net", Severity::warning,
                               "two keys in 48 hours"));
    ASSERT_EQ(told_.size(), 1U);
    EXPECT_EQ(told_[0].name, key_updated_often);
    EXPECT_EQ(told_[0].severity, Severity::warning);
    EXPECT_EQ(told_[0].host, "mx.example.com");
    EXPECT_EQ(told_[0].subject, "example.net");
    EXPECT_EQ(told_[0].text, "two keys in 48 hours");
    EXPECT_EQ(told_[0].missed, 0U);
    EXPECT_GE(told_[0].time, before);
    EXPECT_EQ(logged(), std::vector<std::string>{"Warning: [Warning-mx.example.com] (System) "
                                                 "smime.key-updated-often: two keys in 48 hours"});
}

TEST_F(AlertsTest, AreLoggedByTheirSeverity) {
    options_.severity_min = Severity::info;
    alerts_->put_in_force(options_, "mx.example.org");
    raise("a", Severity::info);
    raise("b", Severity::warning);
    raise("c", Severity::critical);
    EXPECT_EQ(logged(), (std::vector<std::string>{
                            "Info: [Info-mx.example.org] (System) config.rejected: it is wrong",
                            "Warning: [Warning-mx.example.org] (System) config.rejected: it is "
                            "wrong",
                            "Error: [Critical-mx.example.org] (System) config.rejected: it is "
                            "wrong"}));
    EXPECT_EQ(told_.size(), 3U);
}

TEST_F(AlertsTest, BelowSeverityMinAreOnlyLoggedAndShown) {
    struct Case {
        Severity severity_min;
        std::size_t told;
    };
    for (const auto& [severity_min, told] :
         {Case{Severity::info, 3}, {Severity::warning, 2}, {Severity::critical, 1}}) {
        SCOPED_TRACE(to_text(severity_min));
        told_.clear();
        now_ms_ += options_.throttle_ms;
        options_.severity_min = severity_min;
        alerts_->put_in_force(options_, "mx.example.com");
        const std::size_t shown_before = alerts_->shown().size();
        EXPECT_TRUE(raise("a", Severity::info));
        EXPECT_TRUE(raise("b", Severity::warning));
        EXPECT_TRUE(raise("c", Severity::critical));
        EXPECT_EQ(told_.size(), told);
        EXPECT_EQ(alerts_->shown().size(), shown_before + 3);
    }
}

TEST_F(AlertsTest, ThrottlesByNameAndSubject) {
    const std::uint64_t raised = count(Counter::alerts_raised);
    const std::uint64_t throttled = count(Counter::alerts_throttled);
    EXPECT_TRUE(raise("a"));
    now_ms_ += 899'999;
    EXPECT_FALSE(raise("a")) << "one millisecond too early";
    EXPECT_TRUE(raise("b")) << "another subject";
    EXPECT_TRUE(alerts_->raise(disk_low, "a", Severity::warning, "full")) << "another name";
    EXPECT_FALSE(raise("a"));
    EXPECT_EQ(told_.size(), 3U);
    EXPECT_EQ(alerts_->shown()[0].repeated, 2U);
    now_ms_ += 1;
    EXPECT_TRUE(raise("a"));
    ASSERT_EQ(told_.size(), 4U);
    EXPECT_EQ(told_[3].missed, 2U);
    EXPECT_EQ(alerts_->shown()[3].repeated, 0U);
    EXPECT_FALSE(raise("a")) << "from the one that passed last";
    EXPECT_EQ(count(Counter::alerts_raised), raised + 4);
    EXPECT_EQ(count(Counter::alerts_throttled), throttled + 3);
    EXPECT_EQ(logged().size(), 4U) << "what is held back is no line";
}

TEST_F(AlertsTest, LetsPassWhatHasBecomeMoreSevere) {
    EXPECT_TRUE(raise("a", Severity::warning));
    EXPECT_FALSE(raise("a", Severity::info));
    EXPECT_TRUE(raise("a", Severity::critical));
    EXPECT_FALSE(raise("a", Severity::critical));
    EXPECT_FALSE(raise("a", Severity::warning));
}

TEST_F(AlertsTest, ThrottlesAsTheConfigurationInForceSays) {
    raise("a");
    now_ms_ += 2000;
    EXPECT_FALSE(raise("a"));
    options_.throttle_ms = 2000;
    alerts_->put_in_force(options_, "mx.example.com");
    EXPECT_TRUE(raise("a"));
    options_.throttle_ms = 0;
    alerts_->put_in_force(options_, "mx.example.com");
    EXPECT_TRUE(raise("a"));
    EXPECT_TRUE(raise("a"));
}

TEST_F(AlertsTest, RemembersSoManySubjectsAndNoMore) {
    const auto subject = [](std::size_t i) { return "s" + std::to_string(i); };
    for (std::size_t i = 0; i < limits::alert_subjects_max; ++i) ASSERT_TRUE(raise(subject(i)));
    EXPECT_FALSE(raise(subject(0)));
    EXPECT_FALSE(raise(subject(limits::alert_subjects_max - 1)));
    EXPECT_TRUE(raise("one more"));
    EXPECT_FALSE(raise(subject(1)));
    EXPECT_TRUE(raise(subject(0))) << "the oldest went";
    EXPECT_FALSE(raise("one more"));
}

TEST_F(AlertsTest, ShowsTheLastOnes) {
    const std::size_t count = limits::alerts_shown_max + 5;
    for (std::size_t i = 1; i <= count; ++i) raise("s" + std::to_string(i));
    ASSERT_EQ(alerts_->shown().size(), limits::alerts_shown_max);
    EXPECT_EQ(alerts_->shown().front().number, 6U);
    EXPECT_EQ(alerts_->shown().back().number, count);
    EXPECT_FALSE(raise("s1")) << "throttled, though it is not shown any more";
    EXPECT_FALSE(raise("s7"));
    EXPECT_EQ(alerts_->shown()[1].repeated, 1U);
}

TEST_F(AlertsTest, AreOneLineWhateverAPeerSays) {
    alerts_->raise(disk_low, "a\r\nb\x01", Severity::warning, "c\r\nBcc: d@example.com\tx\x7f");
    ASSERT_EQ(told_.size(), 1U);
    EXPECT_EQ(told_[0].subject, "a  b ");
    EXPECT_EQ(told_[0].text, "c  Bcc: d@example.com x ");

    std::string text(999, 'x');
    text += "\xc3\xa4\xc3\xa4";  // cut between the octets of the first
    alerts_->raise(disk_low, std::string(257, 's'), Severity::warning, text);
    EXPECT_EQ(told_[1].text, std::string(999, 'x') + "...");
    EXPECT_EQ(told_[1].subject, std::string(256, 's') + "...");
    alerts_->raise(disk_low, std::string(256, 't'), Severity::warning, std::string(1000, 'y'));
    EXPECT_EQ(told_[2].text, std::string(1000, 'y'));
    EXPECT_EQ(told_[2].subject, std::string(256, 't'));
}

TEST(AlertName, IsEachADifferentWord) {
    std::set<std::string> names;
    for (int i = 0; i < alert_name_count; ++i) names.insert(to_text(static_cast<AlertName>(i)));
    EXPECT_EQ(names, (std::set<std::string>{"config.rejected", "certificate.expires-soon",
                                            "smime.key-updated-often", "smime.repository-full",
                                            "disk.low"}));
}

}  // namespace
}  // namespace sealgate
