// SPDX-License-Identifier: GPL-3.0-or-later
#include "smtp/key_directories.h"

#include <unordered_map>
#include <utility>
#include <vector>

#include "core/limits.h"
#include "core/loop.h"
#include "crypto/digest.h"
#include "dns/domain_name.h"
#include "smtp/path.h"

namespace sealgate {
namespace {

using Outcome = KeyAnswer::Outcome;

constexpr const char* smimea = "smimea";

KeyAnswer no_key(std::string why) { return {Outcome::none, {}, std::move(why)}; }
KeyAnswer no_answer(std::string why) { return {Outcome::temporary, {}, std::move(why)}; }

// local@domain with the domain in lookup form; malformed for an address literal.
Result<std::string> look_up_address(const std::string& address) {
    const std::string_view domain = address_domain(address);
    const std::string local = address.substr(0, address.size() - domain.size());
    return local + TRY(to_lookup_form(domain));
}

// RFC 8162: what cannot be a recipient's key is told apart in `why`, for operators publish it.
KeyAnswer choose_among(KeyChoice choice, const TrustJudge& judge,
                       const std::vector<SmimeaRecord>& records) {
    std::vector<CertificatePtr> trusted_by_dns, trusted_by_chain;
    bool unreadable = false;
    for (const SmimeaRecord& record : records) {
        if (!record.is_recipient_certificate()) continue;
        auto certificate = Certificate::parse(record.data);
        if (!certificate) {
            unreadable = true;
            continue;
        }
        const bool by_dns = record.usage == SmimeaRecord::dane_ee;
        (by_dns ? trusted_by_dns : trusted_by_chain).push_back(*std::move(certificate));
    }
    if (trusted_by_dns.empty() && trusted_by_chain.empty()) {
        return no_key(choice.source + (unreadable ? ": a record that is no certificate"
                                                  : ": no record holds a whole certificate of the "
                                                    "recipient"));
    }
    // RFC 6698 §2.1.1: usage 3 is its own proof, usage 1 must pass path validation as well.
    choice.judge = nullptr;
    KeyAnswer answer = choose_key(choice, RecipientKey::Source::smimea, trusted_by_dns);
    if (answer.outcome == Outcome::found || trusted_by_chain.empty()) return answer;
    choice.judge = judge;
    if (!judge) choice.judge = [](const auto&, const auto&, auto) { return Reason::untrusted; };
    return choose_key(choice, RecipientKey::Source::smimea, trusted_by_chain);
}

}  // namespace

struct KeyDirectories::State : std::enable_shared_from_this<KeyDirectories::State> {
    struct Waiter {
        std::shared_ptr<bool> wanted;
        Done done;
    };
    struct Question {
        std::vector<Waiter> waiters;
        DnsTicket dns;
        WorkerPool::Ticket work;
    };

    State(Loop& the_loop, WorkerPool& pool, Resolver& the_resolver, TrustJudge trust)
        : loop(the_loop), workers(pool), resolver(the_resolver), judge(std::move(trust)) {}

    void ask_dns(const std::string& key, const std::string& address);
    void on_records(const std::string& key, const std::string& address, SmimeaAnswer records);
    void answer(const std::string& key, const KeyAnswer& answer);

    Loop& loop;
    WorkerPool& workers;
    Resolver& resolver;
    TrustJudge judge;
    std::unordered_map<std::string, Question> questions;
    Statistics statistics;
};

void KeyDirectories::State::ask_dns(const std::string& key, const std::string& address) {
    const std::string_view domain = address_domain(address);
    const std::string local =
        smimea_local_part(std::string_view(address).substr(0, address.size() - domain.size() - 1));
    const DigestValue digest = digest_of(DigestAlgorithm::sha256, as_bytes(local));
    const auto name = smimea_name(digest.bytes(), domain);
    if (!name) {
        loop.defer([self = shared_from_this(), key, what = name.error().what] {
            self->answer(key, no_key(std::string(smimea) + ": " + what));
        });
        return;
    }
    questions[key].dns = resolver.lookup_smimea(*name, [this, key, address](SmimeaAnswer records) {
        on_records(key, address, std::move(records));
    });
}

void KeyDirectories::State::on_records(const std::string& key, const std::string& address,
                                       SmimeaAnswer records) {
    const std::string said = std::string(smimea) + ": " + to_text(records.outcome);
    switch (records.outcome) {
    case DnsOutcome::temporary:
    case DnsOutcome::bogus: return answer(key, no_answer(said));
    case DnsOutcome::no_such_domain:
    case DnsOutcome::no_data: return answer(key, no_key(said));
    case DnsOutcome::found: break;
    }
    if (!records.secure) {
        return answer(key, no_key(std::string(smimea) + ": records are not signed by DNSSEC"));
    }
    KeyChoice choice{smimea, "", address, loop.wall_seconds(), nullptr};
    questions[key].work = workers.submit(
        [choice = std::move(choice), trust = judge, list = std::move(records.records)] {
            return choose_among(choice, trust, list);
        },
        [this, key](const KeyAnswer& chosen) { answer(key, chosen); });
}

void KeyDirectories::State::answer(const std::string& key, const KeyAnswer& answer) {
    const auto found = questions.find(key);
    if (found == questions.end()) return;
    const Question question = std::move(found->second);
    questions.erase(found);
    switch (answer.outcome) {
    case Outcome::found: ++statistics.found; break;
    case Outcome::none: ++statistics.none; break;
    case Outcome::temporary: ++statistics.temporary; break;
    }
    const auto alive = shared_from_this();  // who hears it may end the gateway
    for (const Waiter& waiter : question.waiters) {
        if (*waiter.wanted) waiter.done(answer);
    }
}

KeyDirectories::KeyDirectories(Loop& loop, WorkerPool& workers, Resolver& resolver,
                               TrustJudge judge)
    : state_(std::make_shared<State>(loop, workers, resolver, std::move(judge))) {}

KeyDirectories::~KeyDirectories() { state_->questions.clear(); }

std::optional<KeyAnswer> KeyDirectories::ask(const std::string& source, const std::string& address,
                                             Done done, Ticket& ticket) {
    if (source != smimea) return no_answer(source + ": is not configured");
    const auto plain = look_up_address(address);
    if (!plain) return no_key(source + ": the address has no domain name");
    const std::string key = source + " " + *plain;
    const auto under_way = state_->questions.find(key);
    const bool fresh = under_way == state_->questions.end();
    if (fresh && state_->questions.size() >= limits::key_questions_max) {
        return no_answer(source + ": too many questions under way");
    }
    auto wanted = std::make_shared<bool>(true);
    state_->questions[key].waiters.push_back({wanted, std::move(done)});
    ticket = Ticket(std::move(wanted));
    if (fresh) {
        ++state_->statistics.asked;
        state_->ask_dns(key, *plain);
    }
    return {};
}

KeyDirectories::Statistics KeyDirectories::statistics() const {
    Statistics statistics = state_->statistics;
    statistics.pending = state_->questions.size();
    return statistics;
}

}  // namespace sealgate
