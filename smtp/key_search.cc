// SPDX-License-Identifier: GPL-3.0-or-later
#include "smtp/key_search.h"

#include <utility>

#include "core/limits.h"
#include "smtp/key_directories.h"

namespace sealgate {
namespace {

constexpr const char* local = "local";

// "local: manual key bob (domain)"
std::string say_found(const RecipientKey& key) {
    std::string text = std::string("local: ") + to_text(key.source) + " key";
    if (!key.name.empty()) text += " " + key.name;
    return text + " (" + to_text(key.match) + ")";
}

}  // namespace

struct KeySearch::State : std::enable_shared_from_this<KeySearch::State> {
    struct Address {
        std::string text;
        std::size_t next_source = 0;  // in `sources`
        KeyDirectories::Ticket ticket;
    };

    State(KeyRing& key_ring, KeyDirectories* key_directories, std::vector<std::string> key_sources,
          std::vector<std::string> texts, std::int64_t seconds)
        : ring(key_ring),
          directories(key_directories),
          sources(std::move(key_sources)),
          wall_seconds(seconds),
          answers(texts.size()) {
        addresses.reserve(texts.size());
        for (std::string& text : texts) addresses.push_back({std::move(text), 0, {}});
    }

    bool start(std::function<void()> when_done);
    bool ask_local(std::size_t index);
    void ask_outside();
    void advance(std::size_t index);
    bool take(std::size_t index, KeyAnswer answer);
    void on_answer(std::size_t index, KeyAnswer answer);
    bool complete() const { return waiting_begin == waiting.size() && asked_count == 0; }

    KeyRing& ring;
    KeyDirectories* directories;
    std::vector<std::string> sources;
    std::int64_t wall_seconds;
    std::vector<Address> addresses;
    std::vector<KeyAnswer> answers;
    std::vector<std::size_t> waiting;  // addresses that must be asked outside, in order
    std::size_t waiting_begin = 0;
    std::size_t asked_count = 0;  // questions under way
    std::function<void()> done;
};

bool KeySearch::State::start(std::function<void()> when_done) {
    for (std::size_t i = 0; i < addresses.size(); ++i) {
        if (!ask_local(i)) waiting.push_back(i);
    }
    ask_outside();
    if (complete()) return true;
    done = std::move(when_done);
    return false;
}

// True when that decided it. Stops before the first source outside, where the search may go on.
bool KeySearch::State::ask_local(std::size_t index) {
    Address& address = addresses[index];
    while (address.next_source < sources.size() && sources[address.next_source] == local) {
        ++address.next_source;
        KeyAnswer answer{KeyAnswer::Outcome::none, {}, "local: no key"};
        if (auto key = ring.find(address.text, wall_seconds)) {
            std::string why = say_found(*key);
            answer = {KeyAnswer::Outcome::found, *std::move(key), std::move(why)};
        }
        if (take(index, std::move(answer))) return true;
    }
    return address.next_source == sources.size();
}

// A message with a thousand recipients asks for a few of them at a time.
void KeySearch::State::ask_outside() {
    while (asked_count < limits::key_questions_per_message_max && waiting_begin < waiting.size()) {
        advance(waiting[waiting_begin++]);
    }
}

void KeySearch::State::advance(std::size_t index) {
    Address& address = addresses[index];
    while (!ask_local(index)) {
        const std::string& source = sources[address.next_source++];
        if (!directories) {  // the configuration has no such source
            take(index, {KeyAnswer::Outcome::temporary, {}, source + ": cannot be asked"});
            return;
        }
        auto answer = directories->ask(
            source, address.text,
            [this, index](KeyAnswer late) { on_answer(index, std::move(late)); }, address.ticket);
        if (!answer) {
            ++asked_count;
            return;
        }
        if (take(index, *std::move(answer))) return;
    }
}

// True when it decides: `none` alone sends the search on. A source that cannot be reached ends it,
// although a later one might have a key: which of two keys is used must not depend on the weather.
bool KeySearch::State::take(std::size_t index, KeyAnswer answer) {
    KeyAnswer& known = answers[index];
    if (!known.why.empty()) answer.why = known.why + "; " + answer.why;
    known = std::move(answer);
    return known.outcome != KeyAnswer::Outcome::none;
}

void KeySearch::State::on_answer(std::size_t index, KeyAnswer answer) {
    const auto alive = shared_from_this();  // `done` may destroy the KeySearch
    --asked_count;
    if (!take(index, std::move(answer))) advance(index);
    ask_outside();
    if (!complete() || !done) return;
    const auto call = std::exchange(done, nullptr);
    call();
}

KeySearch::KeySearch(KeyRing& ring, KeyDirectories* directories, std::vector<std::string> sources,
                     std::vector<std::string> addresses, std::int64_t wall_seconds)
    : state_(std::make_shared<State>(ring, directories, std::move(sources), std::move(addresses),
                                     wall_seconds)) {}

KeySearch::~KeySearch() = default;

bool KeySearch::start(std::function<void()> done) { return state_->start(std::move(done)); }

const std::vector<KeyAnswer>& KeySearch::answers() const { return state_->answers; }

}  // namespace sealgate
