// SPDX-License-Identifier: GPL-3.0-or-later
#include "smtp/key_directories.h"

#include <unordered_map>
#include <utility>
#include <vector>

#include "core/limits.h"
#include "core/loop.h"
#include "core/text.h"
#include "dns/domain_name.h"
#include "smtp/directory_answer.h"
#include "smtp/key_answer_cache.h"
#include "smtp/path.h"

namespace sealgate {
namespace {

using Outcome = KeyAnswer::Outcome;

constexpr const char* smimea = "smimea";
constexpr std::string_view directory_prefix = "directory:";

// local@domain with the domain in lookup form; malformed for an address literal.
Result<std::string> look_up_address(const std::string& address) {
    const std::string_view domain = address_domain(address);
    const std::string local = address.substr(0, address.size() - domain.size());
    return local + TRY(to_lookup_form(domain));
}

}  // namespace

struct KeyDirectories::State : std::enable_shared_from_this<KeyDirectories::State> {
    struct Waiter {
        std::shared_ptr<bool> wanted;
        Done done;
    };
    struct Question {
        std::string source;
        std::string address;     // the domain in lookup form
        DirectoryPtr directory;  // null: smimea
        std::string host;        // of the directory
        std::uint64_t generation = 0;
        std::vector<Waiter> waiters;
        DnsTicket dns;
        Fetcher::Ticket fetch;
        WorkerPool::Ticket work;
    };
    using Key = std::string;  // source and address

    State(Loop& the_loop, WorkerPool& pool, Resolver& the_resolver, Fetcher& the_fetcher)
        : loop(the_loop), workers(pool), resolver(the_resolver), fetcher(the_fetcher) {}

    std::optional<KeyAnswer> known_answer(const Key& key, const Question& question);
    void begin(const Key& key);

    void ask_dns(const Key& key);
    void on_records(const Key& key, SmimeaAnswer records);
    void find_host(const Key& key);
    void on_host(const Key& key, const AddressAnswer& found);
    void fetch(const Key& key, std::vector<IpAddress> addresses);
    void on_fetched(const Key& key, FetchAnswer fetched);

    template <typename Read>
    void read(const Key& key, Read answer_of);
    void none(const Key& key, const std::string& what);
    void fail(const Key& key, const std::string& what);
    void fail_host(const Key& key, const std::string& what);
    void answer(const Key& key, const KeyAnswer& answer, std::uint64_t keep_ms);

    Loop& loop;
    WorkerPool& workers;
    Resolver& resolver;
    Fetcher& fetcher;
    DirectoryBookPtr book = std::make_shared<const DirectoryBook>();
    TrustJudge trust;
    std::uint64_t generation = 0;  // of the book: answers of an old one are not kept
    std::unordered_map<Key, Question> questions;
    std::unordered_map<std::string, std::size_t> pending_counts;  // by source
    KeyAnswerCache answers{limits::directory_answers_max};
    KeyAnswerCache failed_hosts{limits::directory_failed_hosts_max};
    Statistics statistics;
};

// What need not be asked: an answer that is kept, a host that just failed, one question too many.
std::optional<KeyAnswer> KeyDirectories::State::known_answer(const Key& key,
                                                             const Question& question) {
    const std::uint64_t now_ms = loop.now_ms();
    if (const KeyAnswer* kept = answers.find(key, now_ms)) {
        const bool found = kept->outcome == Outcome::found;
        if (!found || kept->key.certificate->valid_at(loop.wall_seconds()) == Reason::ok) {
            statistics.cache_hits += kept->outcome != Outcome::temporary;
            return *kept;
        }
    }
    const Key host = question.source + " " + question.host;
    if (const KeyAnswer* failure = failed_hosts.find(host, now_ms)) return *failure;
    if (pending_counts[question.source] >= limits::key_questions_max) {
        return KeyAnswer{
            Outcome::temporary, {}, question.source + ": too many questions under way"};
    }
    return {};
}

void KeyDirectories::State::begin(const Key& key) {
    ++statistics.asked;
    Question& question = questions[key];
    ++pending_counts[question.source];
    question.directory ? find_host(key) : ask_dns(key);
}

// --- the DNS

void KeyDirectories::State::ask_dns(const Key& key) {
    Question& question = questions[key];
    const auto name = smimea_name_of(question.address);
    if (!name) {
        loop.defer([weak = weak_from_this(), key, what = name.error().what] {
            if (const auto self = weak.lock()) self->none(key, what);
        });
        return;
    }
    question.dns = resolver.lookup_smimea(
        *name, [this, key](SmimeaAnswer records) { on_records(key, std::move(records)); });
}

void KeyDirectories::State::on_records(const Key& key, SmimeaAnswer records) {
    switch (records.outcome) {
    case DnsOutcome::temporary:
    case DnsOutcome::bogus: return fail(key, to_text(records.outcome));
    case DnsOutcome::no_such_domain:
    case DnsOutcome::no_data: return none(key, to_text(records.outcome));
    case DnsOutcome::found: break;
    }
    if (!records.secure) return none(key, "its records are not signed by DNSSEC");
    read(key, [judge = trust, list = std::move(records.records)](KeyChoice& choice) {
        return key_of_records(choice, judge, list);
    });
}

// --- directories

void KeyDirectories::State::find_host(const Key& key) {
    Question& question = questions[key];
    if (const auto address = IpAddress::parse(question.host)) return fetch(key, {*address});
    question.dns = resolver.lookup_addresses(
        question.host, [this, key](const AddressAnswer& found) { on_host(key, found); });
}

void KeyDirectories::State::on_host(const Key& key, const AddressAnswer& found) {
    const Question& question = questions[key];
    if (found.outcome == DnsOutcome::found) return fetch(key, found.addresses);
    const bool absent =
        found.outcome == DnsOutcome::no_such_domain || found.outcome == DnsOutcome::no_data;
    const std::string what = question.host + ": " + to_text(found.outcome);
    // A host named after the recipient's domain may well be absent; the operator's may not.
    if (absent && question.directory->url.has_recipient_in_host()) return none(key, what);
    fail_host(key, what);
}

void KeyDirectories::State::fetch(const Key& key, std::vector<IpAddress> addresses) {
    Question& question = questions[key];
    const Directory& directory = *question.directory;
    const std::string_view domain = address_domain(question.address);
    FetchRequest request;
    request.url = directory.url.fill(question.address, domain, directory.attributes);
    switch (directory.url.scheme()) {
    case DirectoryUrl::Scheme::ldap: request.protocols = FetchRequest::ldap; break;
    case DirectoryUrl::Scheme::ldaps: request.protocols = FetchRequest::ldaps; break;
    case DirectoryUrl::Scheme::https: request.protocols = FetchRequest::https; break;
    }
    request.timeout_ms = directory.timeout_ms;
    request.addresses = std::move(addresses);
    request.user = directory.user;
    request.password = SecureBytes::copy_of(directory.password.bytes());
    request.authorities = directory.authorities;
    question.fetch = fetcher.fetch(std::move(request), [this, key](FetchAnswer fetched) {
        on_fetched(key, std::move(fetched));
    });
}

void KeyDirectories::State::on_fetched(const Key& key, FetchAnswer fetched) {
    const bool is_ldap = questions[key].directory->url.is_ldap();
    switch (fetched.outcome) {
    case FetchAnswer::Outcome::unreachable: return fail_host(key, fetched.what);
    case FetchAnswer::Outcome::failed: return fail(key, fetched.what);
    case FetchAnswer::Outcome::not_found:
        // LDAP says so of the search's base.
        if (is_ldap && !questions[key].directory->url.has_recipient_in_base()) {
            return fail(key, "there is no such base to search in");
        }
        return none(key, "no such entry");
    case FetchAnswer::Outcome::done: break;
    }
    read(key, [is_ldap, body = std::move(fetched.body)](const KeyChoice& choice) {
        return is_ldap ? key_of_entries(choice, body) : key_of_file(choice, body);
    });
}

// --- answers

// `answer_of` runs on a worker.
template <typename Read>
void KeyDirectories::State::read(const Key& key, Read answer_of) {
    Question& question = questions[key];
    KeyChoice choice{question.source, "", question.address, loop.wall_seconds(), nullptr};
    std::uint64_t keep_ms = 0;
    if (question.directory) {
        choice.name = question.directory->name;
        keep_ms = question.directory->cache_ms;
        if (question.directory->trust) choice.judge = trust ? trust : trust_nobody();
    }
    question.work = workers.submit(
        [choice = std::move(choice), answer_of = std::move(answer_of)]() mutable {
            return answer_of(choice);
        },
        [this, key, keep_ms](const KeyAnswer& read) {
            answer(
                key, read,
                read.outcome == Outcome::temporary ? limits::directory_failure_kept_ms : keep_ms);
        });
}

void KeyDirectories::State::none(const Key& key, const std::string& what) {
    const Question& question = questions[key];
    answer(key, {Outcome::none, {}, question.source + ": " + what},
           question.directory ? question.directory->cache_ms : 0);
}

void KeyDirectories::State::fail(const Key& key, const std::string& what) {
    const Question& question = questions[key];
    answer(key, {Outcome::temporary, {}, question.source + ": " + what},
           question.directory ? limits::directory_failure_kept_ms : 0);
}

void KeyDirectories::State::fail_host(const Key& key, const std::string& what) {
    const Question& question = questions[key];
    if (question.generation == generation) {
        failed_hosts.put(question.source + " " + question.host,
                         {Outcome::temporary, {}, question.source + ": " + what},
                         loop.now_ms() + limits::directory_failure_kept_ms);
    }
    fail(key, what);
}

void KeyDirectories::State::answer(const Key& key, const KeyAnswer& answer, std::uint64_t keep_ms) {
    const auto found = questions.find(key);
    if (found == questions.end()) return;
    const Question question = std::move(found->second);
    questions.erase(found);
    if (--pending_counts[question.source] == 0) pending_counts.erase(question.source);
    switch (answer.outcome) {
    case Outcome::found: ++statistics.found; break;
    case Outcome::none: ++statistics.none; break;
    case Outcome::temporary: ++statistics.temporary; break;
    }
    if (keep_ms > 0 && question.generation == generation) {
        answers.put(key, answer, loop.now_ms() + keep_ms);
    }
    const auto alive = shared_from_this();  // who hears it may end the gateway
    for (const Waiter& waiter : question.waiters) {
        if (*waiter.wanted) waiter.done(answer);
    }
}

// --- the outside

KeyDirectories::KeyDirectories(Loop& loop, WorkerPool& workers, Resolver& resolver,
                               Fetcher& fetcher)
    : state_(std::make_shared<State>(loop, workers, resolver, fetcher)) {}

KeyDirectories::~KeyDirectories() { state_->questions.clear(); }

void KeyDirectories::put_in_force(DirectoryBookPtr directories, TrustJudge trust) {
    state_->book = std::move(directories);
    state_->trust = std::move(trust);
    ++state_->generation;
    state_->answers.clear();
    state_->failed_hosts.clear();
}

std::optional<KeyAnswer> KeyDirectories::ask(const std::string& source, const std::string& address,
                                             Done done, Ticket& ticket) {
    State::Question question;
    question.source = source;
    question.generation = state_->generation;
    if (source.starts_with(directory_prefix)) {
        question.directory = state_->book->find(source.substr(directory_prefix.size()));
    }
    if (!question.directory && source != smimea) {
        return KeyAnswer{Outcome::temporary, {}, source + ": is not configured"};
    }
    const auto plain = look_up_address(address);
    if (!plain) return KeyAnswer{Outcome::none, {}, source + ": the address has no domain name"};
    question.address = *plain;
    if (question.directory) {
        question.host = lower_case(question.directory->url.host(address_domain(*plain)));
    }
    const std::string key = source + " " + *plain;
    const auto under_way = state_->questions.find(key);
    const bool fresh = under_way == state_->questions.end();
    if (fresh) {
        if (auto known = state_->known_answer(key, question)) return known;
        state_->questions.emplace(key, std::move(question));
    }
    auto wanted = std::make_shared<bool>(true);
    state_->questions[key].waiters.push_back({wanted, std::move(done)});
    ticket = Ticket(std::move(wanted));
    if (fresh) state_->begin(key);
    return {};
}

KeyDirectories::Statistics KeyDirectories::statistics() const {
    Statistics statistics = state_->statistics;
    statistics.pending = state_->questions.size();
    statistics.cached = state_->answers.size();
    return statistics;
}

}  // namespace sealgate
