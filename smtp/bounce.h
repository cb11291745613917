// SPDX-License-Identifier: GPL-3.0-or-later
// Who gets a report, and the making of it: read the original, build the DSN, store it, queue it.
//
// A report about a message with the null sender is never made (RFC 5321 §6.1: a bounce is not
// bounced), nor one that NOTIFY or the bounce profile forbid. Reports are messages of their own,
// with the null sender and a MID, through the same queue. Few are made at a time, so that a dead
// domain with ten thousand messages does not bring ten thousand originals into memory. Loop thread.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "core/spool.h"
#include "smtp/dsn.h"
#include "smtp/envelope.h"

namespace sealgate {

class Loop;
class MailLog;

// RFC 3461 §4.1: without NOTIFY, failures and delays are told.
bool wants_report(const Notify& notify, DsnKind kind);

// What a report says of the message itself; recipients are added by the caller.
BounceReport report_about(const Envelope& envelope, DsnKind kind);

struct BounceJob {
    MessageId mid = 0;  // of the original
    BounceReport report;
    Envelope::Return wanted = Envelope::Return::not_given;
    // Where the original is: in `original` when in_memory (a header alone will do), else in the
    // spool.
    bool in_memory = false;
    ChunkList original;
    std::uint64_t body_bytes = 0;
    std::uint64_t header_bytes = 0;
    // The report is durable; or it is not, and then the failure has not been told to anyone.
    std::function<void(Result<void>)> done;
};

class BounceDesk {
public:
    struct Context {
        Loop& loop;
        MailLog& log;
        Spool& spool;
        std::string hostname;
        std::function<std::int64_t()> clock;  // wall seconds
        std::function<void(StoredMessage)> to_queue;
    };
    explicit BounceDesk(Context context);
    ~BounceDesk();  // what is not stored yet is not made; nobody is called

    void submit(BounceJob job);
    std::size_t jobs() const;  // under way and waiting

private:
    struct Work;
    struct State;
    std::shared_ptr<State> state_;
};

}  // namespace sealgate
