// SPDX-License-Identifier: GPL-3.0-or-later
#include "smtp/alert_watch.h"

#include <gtest/gtest.h>

#include "core/loop.h"
#include "core/mail_log.h"
#include "crypto/wolf.h"
#include "tests/smtp/key_lookup_fixture.h"

namespace sealgate {
namespace {

using Severity = Alerts::Severity;

class AlertWatchTest : public testing::Test {
protected:
    AlertWatchTest() {
        EXPECT_TRUE(init_wolfssl());
        LogOptions options;
        options.mail_log = files_.path + "/mail.log";
        std::string why;
        log_ = *MailLog::open(options, nullptr, &why);
        alerts_ = std::make_unique<Alerts>(loop_, *log_, [this] { return now_ms_; });
        AlertOptions alert_options;
        alerts_->put_in_force(alert_options, "mx.example.org");
        alerts_->add_sink([this](const Alert& alert) { told_.push_back(alert); });
        watch_ = std::make_unique<AlertWatch>(
            AlertWatch::Context{loop_, *alerts_, [this] { return trouble_; },
                                [this] { return state_; }, [this] { return now_; }});
    }

    // A certificate of ours, with its section.
    std::string certificate(const std::string& name, std::int64_t not_after) const {
        const SecureBytes key = *make_key(NewKey::p256);
        SubjectText subject;
        subject.common_name = name;
        CertificatePlan plan;
        plan.subject = *subject_to_der(subject);
        plan.domains = {"example.com"};
        plan.not_before = begin_ - 100 * a_day;
        plan.not_after = not_after;
        const Bytes der = *make_self_signed(plan, key.bytes());
        std::string pem(as_text(write_pem("CERTIFICATE", der).bytes()));
        pem += as_text(write_pem("PRIVATE KEY", key.bytes()).bytes());
        return "[certificate:" + name + "]\nfile = " + files_.write(name + ".pem", pem) + "\n";
    }
    static std::string profile(const std::string& name, const std::string& certificate,
                               const std::string& mode = "sign") {
        return "[sending-profile:" + name + "]\nmode = " + mode + "\ncertificate = " + certificate +
               "\n";
    }
    void put_in_force(const std::string& sections) {
        const CheckedState checked = check_configuration_text(
            "[gateway]\nhostname = mx.example.org\ndata-dir = " + files_.path +
                "\n[listener:in]\naddress = 127.0.0.1:2525\ncertificate = none\n" + sections,
            "test", DemoCertificate::leave);
        for (const Complaint& complaint : checked.complaints) ADD_FAILURE() << complaint.to_text();
        ASSERT_TRUE(checked.state);
        state_ = checked.state;
    }
    // How many alerts a look made, a throttle's time after the last one.
    std::size_t look() {
        now_ms_ += 900'000;
        const std::size_t before = told_.size();
        watch_->look_at_certificates();
        return told_.size() - before;
    }

    Files files_;
    Loop loop_;
    const std::int64_t begin_ = std::time(nullptr);
    std::int64_t now_ = begin_;
    std::uint64_t now_ms_ = 0;
    std::string trouble_;
    GatewayStatePtr state_;
    std::unique_ptr<MailLog> log_;
    std::unique_ptr<Alerts> alerts_;
    std::vector<Alert> told_;
    std::unique_ptr<AlertWatch> watch_;
};

TEST_F(AlertWatchTest, TellsOfEachStepOnce) {
    const std::int64_t end = begin_ + 40 * a_day;
    put_in_force(certificate("ours", end) + profile("p", "ours") + profile("q", "ours"));
    const std::string what = "certificate ours (serial " +
                             state_->identities->find("ours")->leaf->serial() +
                             "), used by sending profile p, q, ";
    struct Step {
        std::int64_t left;
        const char* text;  // null: nothing new
        Severity severity;
    };
    for (const auto& [left, text, severity] : {
             Step{40 * a_day, nullptr, Severity::info},
             {30 * a_day + 1, nullptr, Severity::info},
             {30 * a_day, "expires in 30 days, at ", Severity::warning},
             {29 * a_day, nullptr, Severity::info},
             {7 * a_day + 1, nullptr, Severity::info},
             {7 * a_day - 3600, "expires in 6 days, at ", Severity::warning},
             {7 * a_day - 7200, nullptr, Severity::info},
             {a_day, "expires in 24 hours, at ", Severity::critical},
             {1800, nullptr, Severity::info},
             {0, nullptr, Severity::info},
             {-1, "has expired at ", Severity::critical},
             {-100 * a_day, nullptr, Severity::info},
         }) {
        SCOPED_TRACE(left);
        now_ = end - left;
        ASSERT_EQ(look(), text ? 1U : 0U);
        if (!text) continue;
        EXPECT_EQ(told_.back().name, AlertName::certificate_expires_soon);
        EXPECT_EQ(told_.back().severity, severity);
        EXPECT_TRUE(told_.back().text.starts_with(what + text)) << told_.back().text;
    }
}

TEST_F(AlertWatchTest, TellsTheLastStepThatIsReached) {
    put_in_force(certificate("ours", begin_ + 5 * a_day) + profile("p", "ours"));
    EXPECT_EQ(look(), 1U);
    EXPECT_EQ(look(), 0U);
    EXPECT_NE(told_[0].text.find(" expires in 5 days, "), std::string::npos) << told_[0].text;
}

TEST_F(AlertWatchTest, LooksAtWhatProfilesUseOnly) {
    const std::int64_t soon = begin_ + 5 * a_day;
    const std::string all =
        certificate("a", soon) + certificate("b", soon) + certificate("c", soon);
    put_in_force(all + profile("p", "a") + profile("e", "b", "encrypt"));
    EXPECT_EQ(look(), 1U);
    EXPECT_TRUE(told_[0].subject.starts_with("a ")) << told_[0].subject;
    put_in_force(all + profile("p", "a") + profile("e", "b", "encrypt") +
                 "encrypt-to-self = yes\n");
    EXPECT_EQ(look(), 1U);
    EXPECT_TRUE(told_[1].subject.starts_with("b ")) << told_[1].subject;
}

TEST_F(AlertWatchTest, TellsOfANewCertificateOfTheSameName) {
    put_in_force(certificate("ours", begin_ + 5 * a_day) + profile("p", "ours"));
    EXPECT_EQ(look(), 1U);
    put_in_force(certificate("ours", begin_ + 300 * a_day) + profile("p", "ours"));
    EXPECT_EQ(look(), 0U);
    now_ += 299 * a_day;
    EXPECT_EQ(look(), 1U);
}

TEST_F(AlertWatchTest, TellsLaterWhatWasThrottled) {
    const std::int64_t end = begin_ + 40 * a_day;
    put_in_force(certificate("ours", end) + profile("p", "ours"));
    now_ = end - 20 * a_day;
    EXPECT_EQ(look(), 1U);
    now_ = end - 6 * a_day;
    watch_->look_at_certificates();
    EXPECT_EQ(told_.size(), 1U) << "as severe, and too soon";
    EXPECT_EQ(look(), 1U);
}

TEST_F(AlertWatchTest, TellsWhenTheStoreTakesNoMore) {
    watch_->look_at_disk();
    EXPECT_TRUE(told_.empty());
    trouble_ = "the spool's disk is nearly full: 63 MB are free";
    watch_->look_at_disk();
    ASSERT_EQ(told_.size(), 1U);
    EXPECT_EQ(told_[0].name, AlertName::disk_low);
    EXPECT_EQ(told_[0].severity, Severity::critical);
    EXPECT_EQ(told_[0].text, "no mail is taken (452 4.3.1): " + trouble_);
    now_ms_ += 900'000;
    trouble_ = "the spool's disk is nearly full: 62 MB are free";
    watch_->look_at_disk();
    EXPECT_EQ(told_.size(), 1U) << "it is the same trouble";
    trouble_ = "";
    watch_->look_at_disk();
    trouble_ = "again";
    watch_->look_at_disk();
    EXPECT_EQ(told_.size(), 2U);
}

TEST_F(AlertWatchTest, LooksByItselfFromItsStart) {
    put_in_force(certificate("ours", begin_ + 5 * a_day) + profile("p", "ours"));
    trouble_ = "full";
    watch_->start();
    EXPECT_TRUE(loop_.run_until([&] { return told_.size() == 2; }, 20'000));
}

}  // namespace
}  // namespace sealgate
