// SPDX-License-Identifier: GPL-3.0-or-later
// One connection of the source: a small SMTP client that sends message after message.
//
// A message is a list of steps, each a command and the reply it waits for. With PIPELINING
// (RFC 2920) all steps up to DATA leave at once, and with BDAT (RFC 3030) the message as well;
// without it each waits for the reply before it. A connection that breaks before the content was
// begun gives the message back; afterwards the message is in doubt, and said to be so.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/socket.h"
#include "core/timer.h"
#include "smtp/reply_reader.h"
#include "tools/sealload/source.h"

namespace sealgate {

class SourceConnection final : public Socket::Handler {
public:
    explicit SourceConnection(Source& source);
    ~SourceConnection() override;

    void start() { connect(); }
    void on_stop();  // no more messages; ends when the one under way is answered
    void abandon();  // ends now

private:
    enum class State : std::uint8_t { connecting, greeting, hello, mail, quitting, waiting, done };
    enum class Step : std::uint8_t { mail, rcpt, data, content, reset };
    struct Item {
        Step step;
        std::string command;        // without line end
        std::size_t recipient = 0;  // of mail_.recipients
    };

    void on_bytes(Chunk chunk) override;
    void on_end() override;
    void on_broken(std::string what) override;
    void on_drain() override {}

    void connect();
    void on_reply(const Reply& reply);
    void on_hello(const Reply& reply);
    void next_message();
    void make_items();
    void send_items();
    void send_content(ContentForm form);
    void on_item_reply(const Item& item, const Reply& reply);
    void on_data_reply(const Reply& reply);
    void finish_message(SentState state, const std::string& reply);
    void quit();
    void lose_connection(const std::string& what);
    void settle_message(const std::string& what);
    void end();

    Source& source_;
    std::unique_ptr<Socket> socket_;
    std::optional<ReplyReader> replies_;
    Timer timer_;
    State state_ = State::connecting;
    bool has_pipelining_ = false, has_eight_bit_ = false, has_size_ = false, has_chunking_ = false;

    std::optional<OutgoingMail> mail_;
    std::vector<Item> items_;
    std::size_t sent_ = 0, answered_ = 0;  // of items_
    std::vector<std::string> recipients_;  // accepted
    std::string refusal_;                  // of the message under way; empty: none yet
    bool content_sent_ = false;
    std::chrono::steady_clock::time_point content_at_;
    std::uint64_t messages_here_ = 0;
    unsigned failures_in_a_row_ = 0;
};

}  // namespace sealgate
