// SPDX-License-Identifier: GPL-3.0-or-later
#include "dns/resolver.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <random>

#include "dns/domain_name.h"
#include "dns/unbound_context.h"

namespace sealgate {
namespace {

constexpr int type_a = 1, type_ptr = 12, type_mx = 15, type_aaaa = 28, type_smimea = 53;

// A domain may list many hosts; who has failed at twenty will not be reached.
constexpr std::size_t mx_hosts_max = 20;
// Of one host.
constexpr std::size_t addresses_max = 16;
// PTR names of one address that are tried; anybody can list thousands for his own.
constexpr std::size_t ptr_names_max = 5;
// SMIMEA records of one address: somebody has a few certificates, not dozens.
constexpr std::size_t smimea_records_max = 20;

bool is_failure(DnsOutcome outcome) {
    return outcome == DnsOutcome::temporary || outcome == DnsOutcome::bogus;
}

// RFC 1035 §3.5, RFC 3596 §2.5.
std::string reverse_name(const IpAddress& ip) {
    std::string name;
    const auto& octets = ip.octets();
    if (ip.family() == IpAddress::Family::ipv4) {
        for (std::size_t i = 4; i-- > 0;) name += std::to_string(octets[i]) + ".";
        return name + "in-addr.arpa";
    }
    constexpr char digits[] = "0123456789abcdef";
    for (std::size_t i = 16; i-- > 0;) {
        name += {digits[octets[i] & 0xf], '.', digits[octets[i] >> 4], '.'};
    }
    return name + "ip6.arpa";
}

void append_addresses(const DnsRecords& records, std::vector<IpAddress>& addresses) {
    for (const std::string& rdata : records.rdata) {
        if (addresses.size() == addresses_max) return;
        if (rdata.size() == 4) {
            std::uint8_t octets[4];
            std::memcpy(octets, rdata.data(), sizeof octets);
            addresses.push_back(IpAddress::from_ipv4(octets));
        } else if (rdata.size() == 16) {
            std::uint8_t octets[16];
            std::memcpy(octets, rdata.data(), sizeof octets);
            addresses.push_back(IpAddress::from_ipv6(octets));
        }
    }
}

// A and AAAA together: what either found counts; of failures, the one that may pass.
AddressAnswer join(const DnsRecords& ipv4, const DnsRecords& ipv6) {
    AddressAnswer answer;
    append_addresses(ipv4, answer.addresses);
    append_addresses(ipv6, answer.addresses);
    answer.secure = ipv4.secure && ipv6.secure;
    if (!answer.addresses.empty()) {
        answer.outcome = DnsOutcome::found;
    } else if (is_failure(ipv4.outcome)) {
        answer.outcome = ipv4.outcome;
    } else if (is_failure(ipv6.outcome)) {
        answer.outcome = ipv6.outcome;
    } else if (ipv4.outcome == DnsOutcome::no_such_domain) {
        answer.outcome = DnsOutcome::no_such_domain;
    } else {
        answer.outcome = DnsOutcome::no_data;
    }
    return answer;
}

class DnsResolver final : public Resolver {
public:
    explicit DnsResolver(std::unique_ptr<UnboundContext> context) : context_(std::move(context)) {}

    DnsTicket lookup_mx(const std::string& domain, std::function<void(MxAnswer)> done) override;
    DnsTicket lookup_addresses(const std::string& host,
                               std::function<void(AddressAnswer)> done) override;
    DnsTicket confirm_host(const IpAddress& ip,
                           std::function<void(std::string name)> done) override;
    DnsTicket lookup_smimea(const std::string& name,
                            std::function<void(SmimeaAnswer)> done) override;

private:
    struct Confirmation;
    void ask_addresses(const std::string& host, const std::shared_ptr<bool>& wanted,
                       std::function<void(AddressAnswer)> done);
    void confirm_next(std::shared_ptr<Confirmation> confirmation);
    MxAnswer mx_answer(const std::string& domain, const DnsRecords& records);

    std::unique_ptr<UnboundContext> context_;
    std::mt19937 random_{std::random_device{}()};
};

MxAnswer DnsResolver::mx_answer(const std::string& domain, const DnsRecords& records) {
    MxAnswer answer;
    answer.outcome = records.outcome;
    answer.secure = records.secure;
    if (records.outcome == DnsOutcome::no_data) {
        answer.outcome = DnsOutcome::found;
        answer.implicit = true;
        answer.hosts.push_back({domain, 0});
        return answer;
    }
    for (const std::string& rdata : records.rdata) {
        if (rdata.size() < 3) continue;
        const auto name = name_from_wire(std::string_view(rdata).substr(2));
        if (!name) continue;  // such a host has no address anyway
        if (name->empty()) {
            // RFC 7505 §3: "." means no mail, when it is the only record.
            answer.null_mx = records.rdata.size() == 1;
            continue;
        }
        const unsigned preference =
            static_cast<unsigned char>(rdata[0]) * 256U + static_cast<unsigned char>(rdata[1]);
        answer.hosts.push_back({*name, preference});
    }
    std::shuffle(answer.hosts.begin(), answer.hosts.end(), random_);
    std::stable_sort(answer.hosts.begin(), answer.hosts.end(),
                     [](const MxHost& a, const MxHost& b) { return a.preference < b.preference; });
    if (answer.hosts.size() > mx_hosts_max) answer.hosts.resize(mx_hosts_max);
    if (answer.outcome == DnsOutcome::found && answer.hosts.empty() && !answer.null_mx) {
        answer.outcome = DnsOutcome::no_data;
    }
    return answer;
}

DnsTicket DnsResolver::lookup_mx(const std::string& domain, std::function<void(MxAnswer)> done) {
    auto wanted = std::make_shared<bool>(true);
    context_->ask(domain, type_mx,
                  [this, domain, wanted, done = std::move(done)](const DnsRecords& records) {
                      if (*wanted) done(mx_answer(domain, records));
                  });
    return DnsTicket(std::move(wanted));
}

void DnsResolver::ask_addresses(const std::string& host, const std::shared_ptr<bool>& wanted,
                                std::function<void(AddressAnswer)> done) {
    struct Both {
        std::array<DnsRecords, 2> records;
        int missing = 2;
        std::function<void(AddressAnswer)> done;
    };
    auto both = std::make_shared<Both>();
    both->done = std::move(done);
    for (const std::size_t i : {std::size_t{0}, std::size_t{1}}) {
        context_->ask(host, i == 0 ? type_a : type_aaaa, [both, wanted, i](DnsRecords records) {
            both->records[i] = std::move(records);
            if (--both->missing == 0 && *wanted) {
                both->done(join(both->records[0], both->records[1]));
            }
        });
    }
}

DnsTicket DnsResolver::lookup_addresses(const std::string& host,
                                        std::function<void(AddressAnswer)> done) {
    auto wanted = std::make_shared<bool>(true);
    ask_addresses(host, wanted, std::move(done));
    return DnsTicket(std::move(wanted));
}

DnsTicket DnsResolver::lookup_smimea(const std::string& name,
                                     std::function<void(SmimeaAnswer)> done) {
    auto wanted = std::make_shared<bool>(true);
    context_->ask(name, type_smimea, [wanted, done = std::move(done)](const DnsRecords& records) {
        if (!*wanted) return;
        SmimeaAnswer answer{records.outcome, records.secure, {}};
        for (const std::string& rdata : records.rdata) {
            if (answer.records.size() == smimea_records_max) break;
            if (auto record = parse_smimea(rdata)) answer.records.push_back(*std::move(record));
        }
        if (answer.outcome == DnsOutcome::found && answer.records.empty()) {
            answer.outcome = DnsOutcome::no_data;
        }
        done(std::move(answer));
    });
    return DnsTicket(std::move(wanted));
}

struct DnsResolver::Confirmation {
    IpAddress ip;
    std::vector<std::string> names;  // still to be tried, last first
    std::shared_ptr<bool> wanted;
    std::function<void(std::string)> done;
};

DnsTicket DnsResolver::confirm_host(const IpAddress& ip,
                                    std::function<void(std::string name)> done) {
    auto wanted = std::make_shared<bool>(true);
    auto confirmation = std::make_shared<Confirmation>();
    confirmation->ip = ip;
    confirmation->wanted = wanted;
    confirmation->done = std::move(done);
    context_->ask(reverse_name(ip), type_ptr, [this, confirmation](const DnsRecords& records) {
        if (!*confirmation->wanted) return;
        for (const std::string& rdata : records.rdata) {
            const auto name = name_from_wire(rdata);
            if (name && !name->empty()) confirmation->names.push_back(*name);
            if (confirmation->names.size() == ptr_names_max) break;
        }
        std::reverse(confirmation->names.begin(), confirmation->names.end());
        confirm_next(confirmation);
    });
    return DnsTicket(std::move(wanted));
}

void DnsResolver::confirm_next(std::shared_ptr<Confirmation> confirmation) {
    if (confirmation->names.empty()) {
        confirmation->done({});
        return;
    }
    std::string name = std::move(confirmation->names.back());
    confirmation->names.pop_back();
    ask_addresses(name, confirmation->wanted, [this, confirmation, name](const AddressAnswer& a) {
        if (std::find(a.addresses.begin(), a.addresses.end(), confirmation->ip) !=
            a.addresses.end()) {
            confirmation->done(name);
        } else {
            confirm_next(confirmation);
        }
    });
}

}  // namespace

const char* to_text(DnsOutcome outcome) {
    switch (outcome) {
    case DnsOutcome::found: return "found";
    case DnsOutcome::no_such_domain: return "no such domain";
    case DnsOutcome::no_data: return "no such record";
    case DnsOutcome::temporary: return "no answer from DNS";
    case DnsOutcome::bogus: return "DNSSEC validation failed";
    }
    return "";
}

Result<std::unique_ptr<Resolver>> open_resolver(Loop& loop, const DnsOptions& options,
                                                std::string* why) {
    return std::make_unique<DnsResolver>(TRY(UnboundContext::open(loop, options, why)));
}

}  // namespace sealgate
