// SPDX-License-Identifier: GPL-3.0-or-later
// libunbound on the loop: one question, one answer, each with a time limit.
//
// The only code that sees unbound.h. It knows record types by number and rdata by bytes; what mail
// makes of them is dns/resolver.cc's. Loop thread; the resolving itself is a thread of
// libunbound's, begun by the first question and joined by the destructor.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "core/config.h"
#include "core/loop.h"
#include "core/result.h"
#include "core/timer.h"
#include "dns/resolver.h"

struct ub_ctx;
struct ub_result;

namespace sealgate {

struct DnsRecords {
    DnsOutcome outcome = DnsOutcome::temporary;
    bool secure = false;
    std::vector<std::string> rdata;  // as on the wire, names uncompressed
};

class UnboundContext {
public:
    using Done = std::function<void(DnsRecords)>;

    static Result<std::unique_ptr<UnboundContext>> open(Loop& loop, const DnsOptions& options,
                                                        std::string* why);
    ~UnboundContext();
    UnboundContext(const UnboundContext&) = delete;
    UnboundContext& operator=(const UnboundContext&) = delete;

    // `done` comes later, within the time limit, unless the context goes before.
    void ask(const std::string& name, int type, Done done);

private:
    // One question under way. It stays until libunbound answered, also when its time was over.
    struct Question {
        UnboundContext* context;
        std::uint64_t id;
        Done done;
    };
    struct Deadline {
        std::uint64_t at_ms;
        std::uint64_t id;
    };

    UnboundContext(Loop& loop, std::uint64_t timeout_ms, ub_ctx* context);
    static void on_answer(void* question, int error, ub_result* result);
    void answer(std::uint64_t id, DnsRecords records);
    void expire();

    Loop& loop_;
    std::uint64_t timeout_ms_;
    ub_ctx* context_;
    std::unordered_map<std::uint64_t, std::unique_ptr<Question>> questions_;
    std::deque<Deadline> deadlines_;  // all wait equally long, so this is in order
    std::uint64_t last_id_ = 0;
    std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
    Timer timer_;
    std::unique_ptr<PollWatcher> watcher_;
};

}  // namespace sealgate
