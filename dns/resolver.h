// SPDX-License-Identifier: GPL-3.0-or-later
// What mail needs of the DNS: mail hosts of a domain, addresses of a host, the confirmed name of an
// address, a recipient's certificate.
//
// The resolver behind it is libunbound with a thread of its own: our loop writes a question into
// its pipe and is woken by its descriptor when answers are there. (libunbound can also run on a
// foreign event loop, but ub_resolve_event() hands over raw packets, to be parsed by hand;
// ub_process() hands over parsed answers.) Always a forwarder: it asks `[dns] servers` or those of
// /etc/resolv.conf and never the root. Positive and negative answers are cached by libunbound for
// their TTL, within `cache-size`; there is no cache of ours. /etc/hosts is honoured. With a
// trust-anchor-file answers are validated: `secure` says which were, and what fails is `bogus`.
//
// Loop thread. Callbacks come later, never from inside the call, and never after their ticket is
// gone. Names are in the form of dns/domain_name.h. RFC 5321 §5.1, RFC 7505 (null MX), RFC 1912
// §2.1 (forward-confirmed PTR).
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "core/address.h"
#include "core/config.h"
#include "core/result.h"
#include "dns/smimea.h"

namespace sealgate {

class Loop;

enum class DnsOutcome : std::uint8_t {
    found,
    no_such_domain,  // NXDOMAIN
    no_data,         // the name exists, without records of this type
    temporary,       // SERVFAIL, timeout, no server reached
    bogus,           // validation failed: treated like temporary, said by its name
};
const char* to_text(DnsOutcome outcome);

struct MxHost {
    std::string name;
    unsigned preference = 0;
};

struct MxAnswer {
    DnsOutcome outcome = DnsOutcome::temporary;
    bool secure = false;
    bool null_mx = false;   // RFC 7505: the domain accepts no mail; `hosts` is empty
    bool implicit = false;  // no MX records: the domain itself is its host (not looked up yet)
    // By preference; those of equal preference in random order (RFC 5321 §5.1).
    std::vector<MxHost> hosts;
};

struct AddressAnswer {
    DnsOutcome outcome = DnsOutcome::temporary;
    bool secure = false;
    std::vector<IpAddress> addresses;  // IPv4 before IPv6
};

// RFC 8162. Records that are not `secure` prove nothing, since anybody on the way may have put them
// in: who asks must take them for none.
struct SmimeaAnswer {
    DnsOutcome outcome = DnsOutcome::temporary;
    bool secure = false;
    std::vector<SmimeaRecord> records;
};

// Keeps the wish for an answer. Dropping it means: never call back.
class DnsTicket {
public:
    DnsTicket() = default;
    explicit DnsTicket(std::shared_ptr<bool> wanted) : wanted_(std::move(wanted)) {}
    DnsTicket(DnsTicket&&) = default;
    DnsTicket& operator=(DnsTicket&& other) noexcept {
        cancel();
        wanted_ = std::move(other.wanted_);
        return *this;
    }
    ~DnsTicket() { cancel(); }
    void cancel() {
        if (wanted_) *wanted_ = false;
        wanted_.reset();
    }

private:
    std::shared_ptr<bool> wanted_;
};

// The interface; open_resolver() gives the one that asks the DNS, tests script their own.
class Resolver {
public:
    virtual ~Resolver() = default;

    // Implicit MX (RFC 5321 §5.1): `found`, `implicit`, and the domain as the only host.
    [[nodiscard]] virtual DnsTicket lookup_mx(const std::string& domain,
                                              std::function<void(MxAnswer)> done) = 0;
    // A and AAAA side by side; `found` when either is.
    [[nodiscard]] virtual DnsTicket lookup_addresses(const std::string& host,
                                                     std::function<void(AddressAnswer)> done) = 0;
    // The first of its PTR names (five are tried) that leads back to `ip`; empty when none does.
    [[nodiscard]] virtual DnsTicket confirm_host(const IpAddress& ip,
                                                 std::function<void(std::string name)> done) = 0;
    // `name`: of smimea_name().
    [[nodiscard]] virtual DnsTicket lookup_smimea(const std::string& name,
                                                  std::function<void(SmimeaAnswer)> done) = 0;
};

// Starts no thread yet (the first question does). Fails for servers that are not addresses and for
// a trust anchor file that cannot be read; `why` says which.
Result<std::unique_ptr<Resolver>> open_resolver(Loop& loop, const DnsOptions& options,
                                                std::string* why);

}  // namespace sealgate
