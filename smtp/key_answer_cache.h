// SPDX-License-Identifier: GPL-3.0-or-later
// Answers of directories, kept for a while: a bounded number, the one not used for longest goes
// first. Loop thread.
#pragma once

#include <cstdint>
#include <list>
#include <string>
#include <string_view>
#include <unordered_map>

#include "smtp/key_search.h"

namespace sealgate {

class KeyAnswerCache {
public:
    explicit KeyAnswerCache(std::size_t answers_max) : answers_max_(answers_max) {}

    // Null when there is none or its time is over; good until the next call.
    const KeyAnswer* find(std::string_view question, std::uint64_t now_ms);
    void put(const std::string& question, KeyAnswer answer, std::uint64_t until_ms);
    void remove(std::string_view question);
    void clear();
    std::size_t size() const { return entries_.size(); }

private:
    struct Entry {
        std::string question;
        KeyAnswer answer;
        std::uint64_t until_ms;
    };

    std::size_t answers_max_;
    std::list<Entry> entries_;  // last used first
    std::unordered_map<std::string_view, std::list<Entry>::iterator> by_question_;
};

}  // namespace sealgate
