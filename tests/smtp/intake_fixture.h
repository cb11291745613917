// SPDX-License-Identifier: GPL-3.0-or-later
// Messages on their way in, with real stages, workers, keys and spool; the world behind is
// scripted.
#pragma once

#include "core/workers.h"
#include "crypto/wolf.h"
#include "smtp/intake.h"
#include "tests/smtp/queue_fixture.h"

namespace sealgate {

class IntakeFixture : public QueueFixture, protected MessageIntakeEvents, protected Outlet::Owner {
protected:
    explicit IntakeFixture(const std::string& sections) : workers_(loop_, 1) {
        EXPECT_TRUE(init_wolfssl());
        const CheckedState checked = check_configuration_text(
            "[gateway]\nhostname = mx.example.org\ndata-dir = " + directory_ + "/data\n" + sections,
            "test", DemoCertificate::make);
        for (const Complaint& complaint : checked.complaints) ADD_FAILURE() << complaint.to_text();
        state_ = checked.state;
        session_.config = state_->config;
        session_.listener = &state_->config->listeners[0];
        session_.policy = &state_->config->mail_flow_policies.at("RELAYED");
        session_.icid = 1;
        session_.peer = *Endpoint::parse("192.0.2.7:1234");
        session_.helo = "client.example.com";
        keys_ = *KeyRing::open(nullptr, {.directory = directory_ + "/keys"}, nullptr);
        parts_ = std::make_unique<HouseParts>(
            HouseParts{loop_, *log_, *spool_, workers_, *queue_, KeySources{*keys_}});
    }

    void on_intake_drain() override { drained_ = true; }
    void on_intake_done(Reply reply) override { reply_ = std::move(reply); }
    void on_outlet_drain() override {}
    void on_outlet_done() override { outlet_done_ = true; }

    std::unique_ptr<Intake> begin(std::vector<std::string> recipients) {
        Envelope envelope;
        envelope.sender = "a@example.com";
        for (std::string& address : recipients)
            envelope.recipients.emplace_back().address = std::move(address);
        reply_ = {};
        MessageIntakeEvents& events = *this;
        return std::make_unique<Intake>(*parts_, state_, std::move(envelope), session_, events);
    }
    // The reply to `message`, sent in pieces of `piece_bytes`.
    Reply take(const std::string& message, std::vector<std::string> recipients,
               std::size_t piece_bytes = 100'000) {
        auto intake = begin(std::move(recipients));
        for (std::size_t at = 0; at < message.size(); at += piece_bytes) {
            drained_ = false;
            const auto written = intake->write(Chunk::copy_of(message.substr(at, piece_bytes)));
            if (!written) return reply_for(written.error());
            // As a session does, which does not see the end before it is asked for more.
            if (*written == Flow::full) {
                EXPECT_TRUE(
                    loop_.run_until([this] { return drained_ || reply_.code != 0; }, 20'000))
                    << "nobody asked for more behind byte " << at;
            }
        }
        intake->finish();
        EXPECT_TRUE(loop_.run_until([this] { return reply_.code != 0; }, 20'000));
        return reply_;
    }
    std::size_t stored_count() {
        std::size_t count = 0;
        EXPECT_TRUE(spool_->recover([&](const Spool::Recovered&) { ++count; }));
        return count;
    }

    WorkerPool workers_;
    GatewayStatePtr state_;
    SessionInfo session_;
    std::unique_ptr<KeyRing> keys_;
    std::unique_ptr<HouseParts> parts_;
    Reply reply_;
    bool outlet_done_ = false;
    bool drained_ = false;  // more is wanted, after Flow::full
};

}  // namespace sealgate
