// SPDX-License-Identifier: GPL-3.0-or-later
#include "crypto/revocation_check.h"

#include <algorithm>

#include "core/limits.h"
#include "core/loop.h"

namespace sealgate {
namespace {

using Status = RevocationAnswer::Status;

// A list that came with a message and never runs out could be sent for ever.
RevocationLists read_embedded(const std::vector<Bytes>& embedded) {
    RevocationLists lists;
    for (const Bytes& der : embedded) {
        if (auto list = RevocationList::parse(der); list && (*list)->next_update() != 0)
            lists.push_back(*std::move(list));
    }
    return lists;
}

// All that is there, those that a stranger sent last.
struct ListsAtHand {
    std::shared_ptr<const CrlFiles> files;
    RevocationLists fetched, embedded;

    RevocationAnswer ask(const std::vector<CertificatePtr>& path, std::size_t place,
                         std::int64_t wall_seconds) const {
        return ask_lists({path, place, files->issuers(), wall_seconds},
                         {&files->lists(), &fetched, &embedded});
    }
};

}  // namespace

struct RevocationCheck::Found {
    RevocationLists embedded;
    std::vector<RevocationAnswer> answers;
    std::vector<RevocationAddresses> addresses;
};

RevocationCheck::RevocationCheck(House house, std::vector<CertificatePtr> path,
                                 std::vector<Bytes> embedded, std::int64_t wall_seconds, Done done)
    : house_(std::move(house)),
      path_(std::move(path)),
      embedded_(std::move(embedded)),
      wall_seconds_(wall_seconds),
      done_(std::move(done)) {
    CHECK(path_.size() > 1);
    levels_.resize(path_.size() - 1);
}

void RevocationCheck::begin() {
    work_ = house_.workers.submit(
        [path = path_, files = house_.files, embedded = std::move(embedded_), now = wall_seconds_] {
            Found found{read_embedded(embedded), {}, {}};
            const ListsAtHand at_hand{files, {}, found.embedded};
            for (std::size_t place = 0; place + 1 < path.size(); ++place) {
                found.answers.push_back(at_hand.ask(path, place, now));
                found.addresses.push_back(revocation_addresses(*path[place]));
            }
            return found;
        },
        [this](Found found) { on_found(std::move(found)); }, WorkerPool::Length::brief);
}

void RevocationCheck::on_found(Found found) {
    embedded_lists_ = std::move(found.embedded);
    for (std::size_t place = 0; place < levels_.size(); ++place) {
        Level& level = levels_[place];
        level.answer = std::move(found.answers[place]);
        RevocationAddresses& addresses = found.addresses[place];
        if (house_.may_ask_responders) {
            for (std::string& url : addresses.responders)
                level.sources.push_back({true, std::move(url)});
        }
        if (house_.may_fetch_lists) {
            for (std::string& url : addresses.lists)
                level.sources.push_back({false, std::move(url)});
        }
    }
    take_kept();
}

void RevocationCheck::take_kept() {
    bool has_lists = false;
    for (std::size_t place = 0; place < levels_.size(); ++place) {
        Level& level = levels_[place];
        // What is kept is not fetched again, even if it has no answer.
        std::erase_if(level.sources, [&](const Source& source) {
            if (source.is_responder) return false;
            const RevocationLists kept = house_.sources.kept_lists(source.url, wall_seconds_);
            level.lists.insert(level.lists.end(), kept.begin(), kept.end());
            return !kept.empty();
        });
        has_lists = has_lists || !level.lists.empty();
        if (!house_.may_ask_responders || level.answer.status == Status::revoked) continue;
        const auto kept =
            house_.sources.kept_answer(*path_[place], *path_[place + 1], wall_seconds_);
        if (kept) level.answer = *kept;
    }
    has_lists ? judge_again() : ask_all();
}

// With lists fetched for earlier messages: they may be newer than what was looked at.
void RevocationCheck::judge_again() {
    std::vector<RevocationLists> fetched;
    for (const Level& level : levels_) fetched.push_back(level.lists);
    work_ = house_.workers.submit(
        [path = path_, files = house_.files, fetched = std::move(fetched),
         embedded = embedded_lists_, now = wall_seconds_] {
            std::vector<RevocationAnswer> answers;
            for (std::size_t place = 0; place < fetched.size(); ++place) {
                const ListsAtHand at_hand{files, fetched[place], embedded};
                answers.push_back(fetched[place].empty() ? RevocationAnswer()
                                                         : at_hand.ask(path, place, now));
            }
            return answers;
        },
        [this](std::vector<RevocationAnswer> answers) {
            for (std::size_t place = 0; place < levels_.size(); ++place) {
                RevocationAnswer& now = levels_[place].answer;
                const Status again = answers[place].status;
                if (now.status != Status::revoked && again != Status::unknown)
                    now = std::move(answers[place]);
            }
            ask_all();
        },
        WorkerPool::Length::brief);
}

void RevocationCheck::ask_all() {
    const bool is_revoked = std::any_of(levels_.begin(), levels_.end(), [](const Level& level) {
        return level.answer.status == Status::revoked;
    });
    for (std::size_t place = 0; place < levels_.size() && !is_revoked; ++place) advance(place);
    const bool is_waiting = std::any_of(levels_.begin(), levels_.end(),
                                        [](const Level& level) { return !level.is_settled; });
    if (is_waiting && !is_revoked) {
        deadline_ = std::make_unique<Timer>(house_.loop, [this] { give_up(); });
        deadline_->start(limits::revocation_wait_ms);
    }
    settle();
}

void RevocationCheck::give_up() {
    for (Level& level : levels_) {
        if (!level.is_settled) level.answer.why = "no answer in time";
        level.is_settled = true;
    }
    settle();
}

void RevocationCheck::advance(std::size_t place) {
    Level& level = levels_[place];
    level.is_settled =
        level.answer.status != Status::unknown || level.asked_count == level.sources.size();
    if (level.is_settled) return;
    const Source& source = level.sources[level.asked_count++];
    if (source.is_responder) {
        level.asking = house_.sources.ask_responder(
            source.url, path_[place], path_[place + 1], wall_seconds_,
            [this, place](RevocationAnswer answer) { on_answer(place, std::move(answer)); });
    } else {
        level.asking = house_.sources.fetch_lists(
            source.url, wall_seconds_,
            [this, place](const RevocationLists& lists, const std::string& what) {
                on_lists(place, lists, what);
            });
    }
}

void RevocationCheck::on_answer(std::size_t place, RevocationAnswer answer) {
    levels_[place].answer = std::move(answer);
    advance(place);
    settle();
}

void RevocationCheck::on_lists(std::size_t place, const RevocationLists& lists,
                               const std::string& what) {
    if (lists.empty()) return on_answer(place, {Status::unknown, what});
    Level& level = levels_[place];
    level.lists.insert(level.lists.end(), lists.begin(), lists.end());
    level.judging = house_.workers.submit(
        [path = path_, place, at_hand = ListsAtHand{house_.files, level.lists, embedded_lists_},
         now = wall_seconds_] { return at_hand.ask(path, place, now); },
        [this, place](RevocationAnswer answer) { on_answer(place, std::move(answer)); },
        WorkerPool::Length::brief);
}

// Ends it when there is nothing to wait for; then this is gone.
void RevocationCheck::settle() {
    bool is_waiting = false;
    RevocationAnswer first_unknown{Status::good, ""};
    for (std::size_t place = 0; place < levels_.size(); ++place) {
        const Level& level = levels_[place];
        const std::string why = name_of(place) + ": " + level.answer.why;
        if (level.answer.status == Status::revoked) return finish({Status::revoked, why});
        if (!level.is_settled) is_waiting = true;
        if (level.answer.status == Status::unknown && first_unknown.status == Status::good)
            first_unknown = {Status::unknown, why};
    }
    if (!is_waiting) finish(std::move(first_unknown));
}

void RevocationCheck::finish(RevocationAnswer answer) {
    const Done done = std::move(done_);
    done(std::move(answer));
}

std::string RevocationCheck::name_of(std::size_t place) const {
    return place == 0 ? "the certificate" : "its issuer " + std::to_string(place);
}

}  // namespace sealgate
