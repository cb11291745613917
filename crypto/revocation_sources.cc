// SPDX-License-Identifier: GPL-3.0-or-later
#include "crypto/revocation_sources.h"

#include <algorithm>
#include <deque>
#include <unordered_map>
#include <vector>

#include "core/fetch.h"
#include "core/limits.h"
#include "core/loop.h"
#include "core/text.h"
#include "crypto/digest.h"
#include "crypto/ldap_entry.h"
#include "crypto/revocation_cache.h"
#include "crypto/trust_addresses.h"
#include "crypto/trust_crl_files.h"
#include "crypto/trust_ocsp.h"

namespace sealgate {
namespace {

using Status = RevocationAnswer::Status;

// An entry of a directory holds one list, or one for authorities and one for users, and deltas.
constexpr std::size_t ldap_lists_max = 8;

bool is_ldap(std::string_view url) { return lower_case(url.front()) == 'l'; }

// RFC 4523 §2.4 to §2.6.
Answer<ListFile> read_directory_lists(const std::string& body) {
    ListFile found;
    for (const LdapValue& value : read_ldap_values(body, ldap_lists_max)) {
        const std::string attribute =
            lower_case(value.attribute.substr(0, value.attribute.find(';')));
        if (attribute != "certificaterevocationlist" && attribute != "authorityrevocationlist" &&
            attribute != "deltarevocationlist")
            continue;
        if (auto list = RevocationList::parse(as_bytes(value.bytes)))
            found.lists.push_back(*std::move(list));
    }
    if (found.lists.empty()) return refused("the entry holds no revocation list");
    return found;
}

FetchRequest list_request(const std::string& url) {
    FetchRequest request;
    request.url = url;
    request.protocols =
        is_ldap(url) ? FetchRequest::ldap : FetchRequest::http | FetchRequest::https;
    request.redirects_max = list_redirects_max;
    request.timeout_ms = list_fetch_ms;
    // What would not be kept would be fetched for every message.
    request.bytes_max = std::min(limits::crl_bytes_max,
                                 limits::crl_cache_bytes_max / RevocationList::memory_factor);
    return request;
}

FetchRequest responder_request(const std::string& url, const Bytes& question) {
    FetchRequest request;
    request.url = url;
    request.protocols = FetchRequest::http | FetchRequest::https;
    request.timeout_ms = limits::revocation_wait_ms;
    request.bytes_max = limits::ocsp_answer_bytes_max;
    request.content_type = ocsp_request_type;
    request.body = as_text(question);
    return request;
}

std::string told(const std::string& url, const std::string& what) {
    return std::string(fetchable_host(url)) + ": " + what;
}

// RFC 6960 §4.1.1: what a responder knows a certificate by.
std::string id_of(const Certificate& certificate, const Certificate& issuer) {
    Digest digest(DigestAlgorithm::sha256);
    digest.update(issuer.public_key_der());
    digest.update(certificate.issuer_der());
    digest.update(certificate.serial_der());
    return std::string(as_text(digest.finish().bytes()));
}

// Those who wait for one answer.
template <typename Done>
class Waiters {
public:
    WorkerPool::Ticket add(Done done) {
        auto wanted = std::make_shared<bool>(true);
        waiters_.push_back({wanted, std::move(done)});
        return WorkerPool::Ticket(std::move(wanted));
    }
    template <typename... Values>
    void tell(const Values&... values) {
        for (const Waiter& waiter : waiters_) {
            if (*waiter.wanted) waiter.done(values...);
        }
    }

private:
    struct Waiter {
        std::shared_ptr<bool> wanted;
        Done done;
    };
    std::vector<Waiter> waiters_;
};

}  // namespace

struct RevocationSources::State : std::enable_shared_from_this<RevocationSources::State> {
    struct KeptLists {
        RevocationLists lists;
        std::int64_t until = 0;
    };
    struct Failure {
        std::string what;
        std::uint64_t until_ms = 0;
    };
    struct ListQuestionUnderWay {
        std::int64_t wall_seconds = 0;
        std::uint64_t since_ms = 0;
        Waiters<ListsDone> waiters;
        Fetcher::Ticket fetch;
        WorkerPool::Ticket work;
    };
    struct OcspQuestionUnderWay {
        std::string url, id;
        CertificatePtr certificate, issuer;
        std::int64_t wall_seconds = 0;
        Waiters<AnswerDone> waiters;
        Fetcher::Ticket fetch;
        WorkerPool::Ticket work;
    };

    State(Loop& the_loop, Fetcher* the_fetcher, WorkerPool& pool)
        : loop(the_loop), fetcher(the_fetcher), workers(pool) {}

    std::string why_not_asked(const std::string& key);
    std::string why_not_waited_for(const std::string& url, const ListQuestionUnderWay& question);
    void remember_failure(const std::string& key, const std::string& what);

    void begin_lists();
    void on_list_fetched(const std::string& url, FetchAnswer fetched);
    void on_lists_read(const std::string& url, Answer<ListFile> read);
    void finish_lists(const std::string& url, const RevocationLists& lists, std::string what);

    void begin_ocsp(const std::string& key);
    void on_ocsp_fetched(const std::string& key, FetchAnswer fetched);
    void finish_ocsp(const std::string& key, const OcspAnswer& answer);

    Loop& loop;
    Fetcher* fetcher;
    WorkerPool& workers;
    RevocationCache<KeptLists> lists{limits::crl_cache_bytes_max};
    RevocationCache<OcspAnswer> answers{limits::ocsp_answers_max};
    RevocationCache<Failure> failures{revocation_failures_max};
    std::unordered_map<std::string, ListQuestionUnderWay> list_questions;  // by URL
    std::deque<std::string> lists_in_line;                                 // of these
    std::size_t lists_under_way = 0;
    std::unordered_map<std::string, OcspQuestionUnderWay> ocsp_questions;  // by URL and certificate
    Statistics statistics;
};

// Empty: it may be asked.
std::string RevocationSources::State::why_not_asked(const std::string& key) {
    if (!fetcher) return "nobody is asked";
    if (const Failure* failure = failures.find(key); failure && failure->until_ms > loop.now_ms())
        return failure->what;
    if (list_questions.size() + ocsp_questions.size() >= revocation_questions_max)
        return "too many questions under way";
    return {};
}

// When one message has given up, the next ones do not wait in vain as long.
std::string RevocationSources::State::why_not_waited_for(const std::string& url,
                                                         const ListQuestionUnderWay& question) {
    const bool is_slow = loop.now_ms() - question.since_ms >= limits::revocation_wait_ms;
    return is_slow ? told(url, "no answer yet") : "";
}

void RevocationSources::State::remember_failure(const std::string& key, const std::string& what) {
    ++statistics.failures;
    failures.put(key, {what, loop.now_ms() + limits::revocation_failure_kept_ms}, 1);
}

// --- lists

void RevocationSources::State::begin_lists() {
    while (!lists_in_line.empty() && lists_under_way < list_fetches_max) {
        const std::string url = std::move(lists_in_line.front());
        lists_in_line.pop_front();
        ++lists_under_way;
        ++statistics.lists_fetched;
        list_questions[url].fetch = fetcher->fetch(
            list_request(url),
            [this, url](FetchAnswer fetched) { on_list_fetched(url, std::move(fetched)); });
    }
}

void RevocationSources::State::on_list_fetched(const std::string& url, FetchAnswer fetched) {
    if (fetched.outcome != FetchAnswer::Outcome::done)
        return finish_lists(url, {}, std::move(fetched.what));
    list_questions[url].work = workers.submit(
        [body = std::move(fetched.body), directory = is_ldap(url)] {
            return directory ? read_directory_lists(body) : read_list_file(as_bytes(body));
        },
        [this, url](Answer<ListFile> read) { on_lists_read(url, std::move(read)); });
}

void RevocationSources::State::on_lists_read(const std::string& url, Answer<ListFile> read) {
    if (!read) return finish_lists(url, {}, std::move(read.error().what));
    const std::int64_t now = list_questions[url].wall_seconds;
    KeptLists kept;
    kept.until = now + undated_list_kept_seconds;
    std::size_t bytes = 0;
    for (RevocationListPtr& list : read->lists) {
        if (!list->is_fresh(now)) continue;
        if (list->next_update() != 0) {
            kept.until = kept.lists.empty() ? list->next_update()
                                            : std::min(kept.until, list->next_update());
        }
        bytes += list->memory_bytes();
        kept.lists.push_back(std::move(list));
    }
    if (kept.lists.empty()) return finish_lists(url, {}, "its revocation list is out of date");
    if (bytes > limits::crl_cache_bytes_max)
        return finish_lists(url, {}, "its revocation list is too large to be kept");
    const RevocationLists found = kept.lists;
    lists.put(url, std::move(kept), bytes);
    finish_lists(url, found, "");
}

void RevocationSources::State::finish_lists(const std::string& url, const RevocationLists& found,
                                            std::string what) {
    const auto question = list_questions.find(url);
    auto waiters = std::move(question->second.waiters);
    list_questions.erase(question);
    --lists_under_way;
    if (found.empty()) {
        what = told(url, what);
        remember_failure(url, what);
    }
    begin_lists();
    waiters.tell(found, what);
}

// --- responders

void RevocationSources::State::begin_ocsp(const std::string& key) {
    ++statistics.responders_asked;
    OcspQuestionUnderWay& question = ocsp_questions[key];
    question.work = workers.submit(
        [certificate = question.certificate, issuer = question.issuer] {
            return ocsp_request(*certificate, *issuer);
        },
        [this, key](const Bytes& request) {
            OcspQuestionUnderWay& asked = ocsp_questions[key];
            asked.fetch = fetcher->fetch(
                responder_request(asked.url, request),
                [this, key](FetchAnswer got) { on_ocsp_fetched(key, std::move(got)); });
        },
        WorkerPool::Length::brief);
}

void RevocationSources::State::on_ocsp_fetched(const std::string& key, FetchAnswer fetched) {
    OcspQuestionUnderWay& question = ocsp_questions[key];
    if (fetched.outcome != FetchAnswer::Outcome::done) {
        const bool is_gone = fetched.outcome == FetchAnswer::Outcome::unreachable;
        const std::string what = told(question.url, fetched.what);
        remember_failure(is_gone ? question.url : key, what);  // for all certificates, or for one
        return finish_ocsp(key, {{Status::unknown, what}, 0});
    }
    question.work = workers.submit(
        [body = std::move(fetched.body), certificate = question.certificate,
         issuer = question.issuer, now = question.wall_seconds] {
            return read_ocsp_answer(as_bytes(body), *certificate, *issuer, now);
        },
        [this, key](OcspAnswer answer) {
            OcspQuestionUnderWay& asked = ocsp_questions[key];
            if (answer.answer.status == Status::unknown) {
                answer.answer.why = told(asked.url, answer.answer.why);
                remember_failure(key, answer.answer.why);
            } else {
                answers.put(asked.id, answer, 1);
            }
            finish_ocsp(key, answer);
        },
        WorkerPool::Length::brief);
}

void RevocationSources::State::finish_ocsp(const std::string& key, const OcspAnswer& answer) {
    const auto question = ocsp_questions.find(key);
    auto waiters = std::move(question->second.waiters);
    ocsp_questions.erase(question);
    waiters.tell(answer.answer);
}

// --- what others see

RevocationSources::RevocationSources(Loop& loop, Fetcher* fetcher, WorkerPool& workers)
    : state_(std::make_shared<State>(loop, fetcher, workers)) {}
RevocationSources::~RevocationSources() = default;

bool RevocationSources::may_ask() const { return state_->fetcher != nullptr; }

RevocationLists RevocationSources::kept_lists(const std::string& url, std::int64_t wall_seconds) {
    const State::KeptLists* kept = state_->lists.find(url);
    return kept && wall_seconds < kept->until ? kept->lists : RevocationLists();
}

std::optional<RevocationAnswer> RevocationSources::kept_answer(const Certificate& certificate,
                                                               const Certificate& issuer,
                                                               std::int64_t wall_seconds) {
    const OcspAnswer* kept = state_->answers.find(id_of(certificate, issuer));
    if (!kept || wall_seconds >= kept->until) return std::nullopt;
    return kept->answer;
}

RevocationSources::Ticket RevocationSources::fetch_lists(const std::string& url,
                                                         std::int64_t wall_seconds,
                                                         ListsDone done) {
    State& state = *state_;
    const auto question = state.list_questions.find(url);
    const bool is_asked = question != state.list_questions.end();
    std::string why =
        is_asked ? state.why_not_waited_for(url, question->second) : state.why_not_asked(url);
    if (!why.empty()) {
        Waiters<ListsDone> alone;
        Ticket ticket = alone.add(std::move(done));
        state.loop.defer([weak = std::weak_ptr<State>(state_), alone = std::move(alone),
                          why = std::move(why)]() mutable {
            if (const auto alive = weak.lock()) alone.tell(RevocationLists(), why);
        });
        return ticket;
    }
    if (is_asked) return question->second.waiters.add(std::move(done));
    State::ListQuestionUnderWay& asked = state.list_questions[url];
    asked.wall_seconds = wall_seconds;
    asked.since_ms = state.loop.now_ms();
    Ticket ticket = asked.waiters.add(std::move(done));
    state.lists_in_line.push_back(url);
    state.begin_lists();
    return ticket;
}

RevocationSources::Ticket RevocationSources::ask_responder(const std::string& url,
                                                           CertificatePtr certificate,
                                                           CertificatePtr issuer,
                                                           std::int64_t wall_seconds,
                                                           AnswerDone done) {
    State& state = *state_;
    const std::string id = id_of(*certificate, *issuer);
    const std::string key = url + " " + id;
    auto question = state.ocsp_questions.find(key);
    if (question != state.ocsp_questions.end())
        return question->second.waiters.add(std::move(done));
    std::string why = state.why_not_asked(url);
    if (why.empty()) why = state.why_not_asked(key);
    if (!why.empty()) {
        Waiters<AnswerDone> alone;
        Ticket ticket = alone.add(std::move(done));
        state.loop.defer([weak = std::weak_ptr<State>(state_), alone = std::move(alone),
                          why = std::move(why)]() mutable {
            if (const auto alive = weak.lock()) alone.tell(RevocationAnswer{Status::unknown, why});
        });
        return ticket;
    }
    State::OcspQuestionUnderWay& asked = state.ocsp_questions[key];
    asked.url = url;
    asked.id = id;
    asked.certificate = std::move(certificate);
    asked.issuer = std::move(issuer);
    asked.wall_seconds = wall_seconds;
    Ticket ticket = asked.waiters.add(std::move(done));
    state.begin_ocsp(key);
    return ticket;
}

RevocationSources::Statistics RevocationSources::statistics() const {
    Statistics statistics = state_->statistics;
    statistics.list_bytes_kept = state_->lists.cost();
    statistics.answers_kept = state_->answers.size();
    return statistics;
}

}  // namespace sealgate
