// SPDX-License-Identifier: GPL-3.0-or-later
// The ledgers: what a source sent and what a sink received, a line for each message.
//
//   sent:      MESSAGE-ID  accepted|refused|unknown  REPLY  RECIPIENTS  TEMPLATE
//   received:  MESSAGE-ID  RECIPIENTS  BYTES  mail|dsn  ABOUT  SENDER  FILE  VERDICT
//
// Fields are parted by a tab, recipients by a comma; ABOUT is the Message-ID that a DSN reports on.
// A line is one write(2) to a file opened for appending, before the message's reply is sent: a
// process that is killed loses no line of what it has answered. Reading and writing sit here.
#pragma once

#include <cstdint>
#include <string>
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
    std::string verdict;  // "verified", "failed: why"; empty: nobody looked
};

class LedgerWriter {
public:
    LedgerWriter() = default;
    ~LedgerWriter();
    LedgerWriter(const LedgerWriter&) = delete;
    LedgerWriter& operator=(const LedgerWriter&) = delete;

    // An empty path: nothing is written. What the file already holds stays.
    Result<void> open(const std::string& path);
    void write(const SentLine& line);
    void write(const ReceivedLine& line);

private:
    void write_fields(const std::vector<std::string>& fields);

    int descriptor_ = -1;
};

Result<std::vector<SentLine>> read_sent(const std::string& path);
Result<std::vector<ReceivedLine>> read_received(const std::string& path);

}  // namespace sealgate
