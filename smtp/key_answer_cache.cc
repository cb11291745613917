// SPDX-License-Identifier: GPL-3.0-or-later
#include "smtp/key_answer_cache.h"

#include <utility>

namespace sealgate {

const KeyAnswer* KeyAnswerCache::find(std::string_view question, std::uint64_t now_ms) {
    const auto found = by_question_.find(question);
    if (found == by_question_.end()) return nullptr;
    if (found->second->until_ms <= now_ms) {
        remove(question);
        return nullptr;
    }
    entries_.splice(entries_.begin(), entries_, found->second);
    return &found->second->answer;
}

void KeyAnswerCache::put(const std::string& question, KeyAnswer answer, std::uint64_t until_ms) {
    remove(question);
    if (entries_.size() == answers_max_) remove(entries_.back().question);
    entries_.push_front({question, std::move(answer), until_ms});
    by_question_.emplace(entries_.front().question, entries_.begin());
}

void KeyAnswerCache::remove(std::string_view question) {
    const auto found = by_question_.find(question);
    if (found == by_question_.end()) return;
    const auto entry = found->second;
    by_question_.erase(found);  // first, for its key is a window on the entry
    entries_.erase(entry);
}

void KeyAnswerCache::clear() {
    by_question_.clear();
    entries_.clear();
}

}  // namespace sealgate
