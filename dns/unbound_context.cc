// SPDX-License-Identifier: GPL-3.0-or-later
#include "dns/unbound_context.h"

#include <unbound.h>
#include <unistd.h>

#include <utility>

#include "core/address.h"

namespace sealgate {
namespace {

struct Setting {
    const char* name;
    std::string value;
};

// libunbound's own defaults are for a program that asks now and then (1 MB, 32 questions at once).
std::vector<Setting> settings_for(const DnsOptions& options) {
    return {
        // RRsets take about twice the room of the messages made of them (unbound.conf(5)).
        {"rrset-cache-size:", std::to_string(options.cache_bytes / 3 * 2)},
        {"msg-cache-size:", std::to_string(options.cache_bytes / 3)},
        {"outgoing-range:", "256"},
        {"num-queries-per-thread:", "1024"},
        {"outgoing-num-tcp:", "16"},
        // Reverse names of private networks and `.test` are answered by the operator's servers;
        // unbound would say NXDOMAIN by itself.
        {"unblock-lan-zones:", "yes"},
        {"insecure-lan-zones:", "yes"},
        {"local-zone:", "\"test.\" nodefault"},
        {"use-syslog:", "no"},
        {"log-time-ascii:", "no"},
    };
}

// "192.0.2.1", "192.0.2.1@5353", and "192.0.2.1:5353", which people write, too.
Result<std::string> forwarder(const std::string& server) {
    if (const auto endpoint = Endpoint::parse(server)) {
        return endpoint->ip.to_text() + "@" + std::to_string(endpoint->port);
    }
    const std::size_t at = server.find('@');
    if (!IpAddress::parse(server.substr(0, at))) return malformed("not an IP address");
    if (at != server.npos) {
        const std::string port = server.substr(at + 1);
        if (port.empty() || port.size() > 5 || port.find_first_not_of("0123456789") != port.npos ||
            std::stoi(port) < 1 || std::stoi(port) > 65535) {
            return malformed("not a port");
        }
    }
    return server;
}

Result<void> configure(ub_ctx* context, const DnsOptions& options, std::string* why) {
    const auto refused = [why](std::string what) {
        if (why) *why = std::move(what);
        return malformed("DNS configuration");
    };
    ub_ctx_debugout(context, nullptr);
    for (const Setting& setting : settings_for(options)) {
        const int status = ub_ctx_set_option(context, setting.name, setting.value.c_str());
        if (status != 0) {
            return refused(std::string("libunbound: ") + setting.name + " " + ub_strerror(status));
        }
    }
    for (const std::string& server : options.servers) {
        const auto address = forwarder(server);
        if (!address || ub_ctx_set_fwd(context, address->c_str()) != 0) {
            return refused("DNS server \"" + server + "\" is not an address");
        }
    }
    // Without a resolv.conf the C library asks this machine, and so do we.
    if (options.servers.empty() && ub_ctx_resolvconf(context, nullptr) != 0 &&
        ub_ctx_set_fwd(context, "127.0.0.1") != 0) {
        return refused("libunbound takes no server");
    }
    static_cast<void>(ub_ctx_hosts(context, nullptr));  // a machine may have no /etc/hosts
    if (!options.trust_anchor_file.empty()) {
        // libunbound opens the file at the first question only.
        if (access(options.trust_anchor_file.c_str(), R_OK) != 0 ||
            ub_ctx_add_ta_file(context, options.trust_anchor_file.c_str()) != 0) {
            return refused("cannot read trust anchor file " + options.trust_anchor_file);
        }
    }
    ub_ctx_async(context, 1);  // a thread, not a process
    return {};
}

DnsRecords records_of(const ub_result& result) {
    constexpr int noerror = 0, nxdomain = 3;  // RFC 1035 §4.1.1
    DnsRecords records;
    records.secure = result.secure != 0;
    if (result.bogus) {
        records.outcome = DnsOutcome::bogus;
    } else if (result.nxdomain || result.rcode == nxdomain) {
        records.outcome = DnsOutcome::no_such_domain;
    } else if (result.rcode != noerror) {
        records.outcome = DnsOutcome::temporary;
    } else if (!result.havedata) {
        records.outcome = DnsOutcome::no_data;
    } else {
        records.outcome = DnsOutcome::found;
        for (int i = 0; result.data[i]; ++i) {
            records.rdata.emplace_back(result.data[i], static_cast<std::size_t>(result.len[i]));
        }
    }
    return records;
}

}  // namespace

Result<std::unique_ptr<UnboundContext>> UnboundContext::open(Loop& loop, const DnsOptions& options,
                                                             std::string* why) {
    ub_ctx* context = ub_ctx_create();
    if (!context) {
        if (why) *why = "libunbound cannot start";
        return temporary("libunbound cannot start");
    }
    if (auto done = configure(context, options, why); !done) {
        ub_ctx_delete(context);
        return tl::unexpected(done.error());
    }
    return std::unique_ptr<UnboundContext>(new UnboundContext(loop, options.timeout_ms, context));
}

UnboundContext::UnboundContext(Loop& loop, std::uint64_t timeout_ms, ub_ctx* context)
    : loop_(loop),
      timeout_ms_(timeout_ms),
      context_(context),
      timer_(loop, [this] { expire(); }),
      watcher_(
          std::make_unique<PollWatcher>(loop, ub_fd(context), [this] { ub_process(context_); })) {}

UnboundContext::~UnboundContext() {
    *alive_ = false;
    watcher_.reset();  // before the descriptor goes
    ub_ctx_delete(context_);
}

void UnboundContext::ask(const std::string& name, int type, Done done) {
    const std::uint64_t id = ++last_id_;
    auto question = std::make_unique<Question>(Question{this, id, std::move(done)});
    Question* asked = question.get();
    questions_.emplace(id, std::move(question));
    constexpr int class_internet = 1;
    const int status = ub_resolve_async(context_, name.c_str(), type, class_internet, asked,
                                        &UnboundContext::on_answer, nullptr);
    if (status != 0) {  // never heard by the resolver, so never answered by it
        loop_.defer([this, alive = alive_, id] {
            if (!*alive) return;
            answer(id, {});
            questions_.erase(id);
        });
        return;
    }
    deadlines_.push_back({loop_.now_ms() + timeout_ms_, id});
    if (!timer_.running()) timer_.start(timeout_ms_);
}

void UnboundContext::on_answer(void* question, int error, ub_result* result) {
    const Question& asked = *static_cast<Question*>(question);
    UnboundContext& self = *asked.context;
    const std::uint64_t id = asked.id;
    DnsRecords records;
    if (error == 0 && result) records = records_of(*result);
    if (result) ub_resolve_free(result);
    self.answer(id, std::move(records));
    self.questions_.erase(id);
}

// The question itself stays: libunbound may still hold its address.
void UnboundContext::answer(std::uint64_t id, DnsRecords records) {
    const auto found = questions_.find(id);
    if (found == questions_.end() || !found->second->done) return;
    const Done done = std::exchange(found->second->done, nullptr);
    done(std::move(records));
}

void UnboundContext::expire() {
    while (!deadlines_.empty() && deadlines_.front().at_ms <= loop_.now_ms()) {
        const std::uint64_t id = deadlines_.front().id;
        deadlines_.pop_front();
        answer(id, {});
    }
    // What was answered in time needs no waking up.
    while (!deadlines_.empty() && !questions_.contains(deadlines_.front().id)) {
        deadlines_.pop_front();
    }
    if (!deadlines_.empty()) timer_.start(deadlines_.front().at_ms - loop_.now_ms());
}

}  // namespace sealgate
