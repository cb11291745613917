// SPDX-License-Identifier: GPL-3.0-or-later
// One connection of the source, and all that follow it: connects, greets, says its messages one
// after the other, quits, and begins anew.
//
// What a message's replies mean is MailDialogue's; this class is its socket, its clock and its
// fate. A connection that breaks before the content was begun says the message again on the next
// one; afterwards the message is in doubt, and said to be so. Where each mail has a connection of
// its own, the mail comes first and connecting is part of its time.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "core/timer.h"
#include "core/transport.h"
#include "tools/sealload/reply_scanner.h"
#include "tools/sealload/source_dialogue.h"

namespace sealgate {

class LoadSource;

class SourceConnection final : public Transport::Handler {
public:
    explicit SourceConnection(LoadSource& source);
    ~SourceConnection() override;

    void start();
    bool is_idle() const { return state_ == State::idle || state_ == State::ready; }
    void next_mail();   // takes the next mail that is due, waits for it, or ends
    void on_no_more();  // ends when the message under way is answered
    void abandon();     // ends now: the run is over
    void on_trickle();  // a second has passed

    // Whether the source has it in its list; the source's to set.
    bool listed() const { return listed_; }
    void set_listed(bool listed) { listed_ = listed; }

private:
    enum class State : std::uint8_t {
        idle,  // without a connection
        connecting,
        greeting,
        hello,
        starttls,
        handshake,
        ready,
        mail,
        reset,
        quitting,
        waiting,  // until it connects again
        done,
    };

    void on_bytes(Chunk chunk) override;
    void on_end() override;
    void on_broken(std::string what) override;
    void on_drain() override;

    void connect();
    void say_hello();
    void on_line(const ReplyLine& line);
    void on_hello(const ReplyLine& line);
    void on_offers();
    void start_tls();
    void begin_mail();
    void send_commands();
    void send_content(ContentForm form);
    void send_dot();
    void send_out();
    void on_mail_reply(const ReplyLine& line);
    void on_finished(const ReplyLine& line);
    void quit();
    void on_quit();
    void lose_connection(const std::string& what);
    void end();
    void leave();
    bool is_last_here() const;

    LoadSource& source_;
    std::unique_ptr<Transport> transport_;
    std::uint64_t serial_ = 0;  // of the transport: bytes of an older one are nobody's
    ReplyScanner replies_;
    Timer timer_;
    State state_ = State::idle;
    bool listed_ = false;
    bool secure_ = false;  // under TLS
    Offers offers_;

    OutgoingMail mail_;
    MailDialogue dialogue_;
    std::string message_id_;
    std::string out_;  // what leaves in one piece; kept for its memory
    ChunkList trickling_;
    bool content_leaving_ = false;  // the kernel has not taken its last byte
    bool quit_sent_ = false;        // in the content's wake
    std::uint64_t now_ns_ = 0;      // when the reply at hand came
    std::uint64_t said_ns_ = 0;     // the last command, or the attempt to connect
    std::uint64_t content_ns_ = 0;
    std::uint64_t messages_here_ = 0;
    unsigned failures_in_a_row_ = 0;
};

}  // namespace sealgate
