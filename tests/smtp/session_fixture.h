// SPDX-License-Identifier: GPL-3.0-or-later
// A house that keeps what sessions bring it, and a client that talks to a session without a socket.
// For unit tests, the fuzzer and the bench.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/mail_log.h"
#include "smtp/session.h"

namespace sealgate {

struct KeptMessage {
    Envelope envelope;
    std::string content;
    std::string helo;
};

// Answers a finished message with "250 2.0.0 Ok: queued as MID n" at the next answer().
class ScriptedHost final : public SessionHost {
public:
    bool accepts = true;
    Flow flow = Flow::open;            // what write() says
    std::optional<Error> write_error;  // what write() fails with
    std::optional<Reply> reply;        // in place of 250
    bool keeps_content = true;
    std::vector<KeptMessage> finished;
    int begun = 0;
    int aborted = 0;
    int writes = 0;

    std::uint64_t next_icid() override { return ++icid_; }
    bool accepting(Reply& why_not) override {
        if (!accepts) why_not = make_reply(452, "4.3.1", "Disk full");
        return accepts;
    }
    std::unique_ptr<MessageIntake> begin_message(Envelope envelope, const SessionInfo& session,
                                                 MessageIntakeEvents& events) override {
        ++begun;
        auto intake = std::make_unique<Intake>(*this, events);
        intake->message.envelope = std::move(envelope);
        intake->message.helo = session.helo;
        current_ = intake.get();
        return intake;
    }

    bool has_message() const { return current_ != nullptr; }
    // What a house does between calls. False: there was nothing to answer.
    bool answer() {
        if (!current_ || !current_->done) return false;
        Intake& intake = *std::exchange(current_, nullptr);
        intake.answered = true;
        intake.events.on_intake_done(reply.value_or(
            make_reply(250, "2.0.0", "Ok: queued as MID " + std::to_string(finished.size()))));
        return true;
    }
    void drain() { current_->events.on_intake_drain(); }
    void refuse_early(Reply early) {
        Intake& intake = *std::exchange(current_, nullptr);
        intake.answered = true;
        intake.events.on_intake_done(std::move(early));
    }

private:
    struct Intake final : MessageIntake {
        Intake(ScriptedHost& h, MessageIntakeEvents& e) : host(h), events(e) {}
        ~Intake() override {
            if (host.current_ == this) host.current_ = nullptr;
            if (!answered) ++host.aborted;
        }
        Result<Flow> write(Chunk content) override {
            CHECK(!done && !answered);
            ++host.writes;
            if (host.write_error) return tl::unexpected(*host.write_error);
            if (host.keeps_content) message.content += content.text();
            return host.flow;
        }
        void finish() override {
            CHECK(!done && !answered);
            done = true;
            host.finished.push_back(std::move(message));
        }

        ScriptedHost& host;
        MessageIntakeEvents& events;
        KeptMessage message;
        bool done = false;
        bool answered = false;
    };

    std::uint64_t icid_ = 0;
    Intake* current_ = nullptr;
};

// A configuration as a listener's session sees it; change it before the first client.
struct SessionSetting {
    std::shared_ptr<Config> config = std::make_shared<Config>();
    std::shared_ptr<const RecipientAccess> recipient_access;
    std::string confirmed_host;
    std::string sender_group;
    std::optional<SmtpRefusal> refusal;

    SessionSetting() {
        config->gateway.hostname = "gw.example.com";
        config->listeners.resize(1);
        listener().name = "private";
        listener().type = ListenerOptions::Type::private_;
        policy().name = "ACCEPTED";
    }
    ListenerOptions& listener() { return config->listeners.front(); }
    MailFlowPolicyOptions& policy() { return config->mail_flow_policies["ACCEPTED"]; }
    SessionContext context(std::uint64_t icid) {
        SessionContext made;
        made.info.config = config;
        made.info.listener = &listener();
        made.info.policy = &policy();
        made.info.icid = icid;
        made.info.peer = *Endpoint::parse("10.3.4.5:40000");
        made.info.local = *Endpoint::parse("127.0.0.1:25");
        made.info.confirmed_host = confirmed_host;
        made.info.sender_group = sender_group;
        made.matched_pattern = "10.3.4.0/24";
        made.recipient_access = recipient_access;
        made.refusal = refusal;
        return made;
    }
};

// Talks to one session. Answers of the house come as soon as the session waits for them.
class SessionClient final : private Session::Carrier {
public:
    SessionClient(SessionSetting& setting, ScriptedHost& host, MailLog& log)
        : host_(host), session(setting.context(host.next_icid()), host, log, *this) {}

    void start() {
        session.start();
        take();
    }
    // Says it all at once; while the session is full, works for the house.
    Flow say(std::string_view text) {
        Flow flow = session.receive(Chunk::copy_of(text));
        take();
        while (flow == Flow::full) {
            if (!(answers && host_.answer()) && !std::exchange(took_output_, false)) break;
            ready = false;
            flow = session.resume();
            take();
        }
        return flow;
    }
    void say_in_pieces(std::string_view text, std::size_t piece_bytes) {
        for (std::size_t at = 0; at < text.size(); at += piece_bytes) {
            say(text.substr(at, piece_bytes));
        }
    }
    void take() {
        if (!session.has_output()) return;
        replies += session.take_output().to_string();
        took_output_ = true;
    }
    // "250 2.1.0" of each reply so far, one blank between; only the last line of long ones.
    std::string codes() const {
        std::string all;
        for (std::size_t at = 0; at < replies.size();) {
            const std::size_t end = replies.find("\r\n", at);
            const std::string line = replies.substr(at, end - at);
            at = end + 2;
            if (line.size() > 3 && line[3] == '-') continue;
            const std::size_t blank = line.find(' ', 4);
            const bool enhanced = line.size() > 8 && line[5] == '.' && line[7] == '.';
            if (!all.empty()) all += ", ";
            all += enhanced ? line.substr(0, blank) : line.substr(0, 3);
        }
        return all;
    }

    bool answers = true;
    bool ready = false;
    bool recipients_left = true;
    std::string replies;

private:
    void on_session_ready() override { ready = true; }
    bool take_recipient() override { return recipients_left; }

    ScriptedHost& host_;
    bool took_output_ = false;

public:
    Session session;  // last: it goes first
};

}  // namespace sealgate
