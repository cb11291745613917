// SPDX-License-Identifier: GPL-3.0-or-later
// What is kept of answers, by who was asked: a bounded amount, what was not used for longest goes
// first. When something is too old to be used, its owner knows. Loop thread.
#pragma once

#include <cstddef>
#include <list>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>

namespace sealgate {

template <typename Value>
class RevocationCache {
public:
    // Of whatever the costs count: bytes, or entries.
    explicit RevocationCache(std::size_t cost_max) : cost_max_(cost_max) {}

    // Null when there is none; good until the next call.
    const Value* find(std::string_view key) {
        const auto found = by_key_.find(key);
        if (found == by_key_.end()) return nullptr;
        entries_.splice(entries_.begin(), entries_, found->second);
        return &found->second->value;
    }
    // What alone costs more than all may is not kept.
    void put(std::string key, Value value, std::size_t cost) {
        remove(key);
        if (cost > cost_max_) return;
        entries_.push_front({std::move(key), std::move(value), cost});
        by_key_.emplace(entries_.front().key, entries_.begin());
        cost_ += cost;
        while (cost_ > cost_max_) remove(std::string(entries_.back().key));
    }
    void remove(std::string_view key) {
        const auto found = by_key_.find(key);
        if (found == by_key_.end()) return;
        const auto entry = found->second;
        cost_ -= entry->cost;
        by_key_.erase(found);
        entries_.erase(entry);
    }
    std::size_t cost() const { return cost_; }
    std::size_t size() const { return entries_.size(); }

private:
    struct Entry {
        std::string key;
        Value value;
        std::size_t cost;
    };
    std::size_t cost_max_;
    std::size_t cost_ = 0;
    std::list<Entry> entries_;  // last used first
    std::unordered_map<std::string_view, typename std::list<Entry>::iterator> by_key_;
};

}  // namespace sealgate
