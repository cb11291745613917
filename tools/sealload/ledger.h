// SPDX-License-Identifier: GPL-3.0-or-later
// The ledgers: what a source sent and what a sink received, a line for each message.
//
//   sent:      MESSAGE-ID  accepted|refused|unknown  REPLY  RECIPIENTS  TEMPLATE
//   received:  MESSAGE-ID  RECIPIENTS  BYTES  mail|dsn  ABOUT  SENDER  FILE  VERDICT
//              FORM  LAYERS  BODY  OPENED-BY
//
// Fields are parted by a tab, recipients by a comma; ABOUT is the Message-ID that a DSN reports on.
// From VERDICT on, fields are empty unless the sink verified:
//   VERDICT    "verified", or "failed: " and why
//   FORM       plain, signed, encrypted, sign-encrypt, triple; other: layers in another order
//   LAYERS     the layers from outside, "encrypted aes-256-gcm, signed detached"
//   BODY       same, altered: by the digest that the source gave the mail; empty: it gave none
//   OPENED-BY  whose key opened it: the addresses of its certificate, a comma between them
// Fields that are absent at a line's end are empty: older ledgers stay readable.
//
// A line is written to a file opened for appending before the message's reply is sent, with
// write(2) and without a buffer of our own: a process that is killed loses no line of what it has
// answered (a machine that loses power may). Lines that came together leave in one write(2).
// Reading and writing sit here.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.h"

namespace sealgate {

enum class SentState : std::uint8_t { accepted, refused, unknown };
const char* to_word(SentState state);

struct SentLine {
    std::string message_id;
    SentState state = SentState::unknown;
    std::string reply;
    std::vector<std::string> recipients;  // those that the target accepted
    std::string mail_template;
};

struct ReceivedLine {
    std::string message_id;
    std::vector<std::string> recipients;
    std::uint64_t bytes = 0;
    bool dsn = false;
    std::string about;
    std::string sender;
    std::string file;
    std::string verdict;  // empty: nobody looked
    std::string form;
    std::string layers;
    std::string body;
    std::string opened_by;
};

class LedgerWriter {
public:
    LedgerWriter() = default;
    ~LedgerWriter();
    LedgerWriter(const LedgerWriter&) = delete;
    LedgerWriter& operator=(const LedgerWriter&) = delete;

    // An empty path: nothing is written. What the file already holds stays.
    Result<void> open(const std::string& path);
    bool is_open() const { return descriptor_ >= 0; }

    void write(const SentLine& line);
    void write(const ReceivedLine& line);
    // The same in two steps: nothing is in the file before flush().
    void add(const ReceivedLine& line);
    void flush();

private:
    void add_field(std::string_view text);
    void add_recipients(const std::vector<std::string>& recipients);
    void end_line() { lines_.back() = '\n'; }

    int descriptor_ = -1;
    std::string lines_;
};

Result<std::vector<SentLine>> read_sent(const std::string& path);
Result<std::vector<ReceivedLine>> read_received(const std::string& path);

}  // namespace sealgate
