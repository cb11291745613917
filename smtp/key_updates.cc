// SPDX-License-Identifier: GPL-3.0-or-later
#include "smtp/key_updates.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <optional>
#include <vector>

#include "crypto/key_ring.h"

namespace sealgate {
namespace {

// A note is "@DOMAIN": "REPLACED TOLD", seconds since 1970.
constexpr char domain_mark = '@';

std::optional<std::int64_t> take_number(std::string_view& text) {
    std::int64_t number = 0;
    const auto [end, fault] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (fault != std::errc() || number < 0) return {};
    text.remove_prefix(static_cast<std::size_t>(end - text.data()));
    if (!text.empty() && text.front() == ' ') text.remove_prefix(1);
    return number;
}

// A clock that was set back makes nothing old.
bool is_within(std::int64_t then, std::int64_t now) {
    return then > 0 && now - then < KeyUpdates::window_seconds;
}

}  // namespace

KeyUpdates::KeyUpdates(KeyRing& ring, std::int64_t now) : ring_(ring) { load(now); }

void KeyUpdates::load(std::int64_t now) {
    std::vector<Domain> read;
    // What cannot be read is only this memory: a store that fails is told where keys are written.
    (void)ring_.each_note([&](std::string_view name, std::string_view value) {
        if (name.empty() || name.front() != domain_mark) return;
        const auto replaced = take_number(value);
        const auto told = take_number(value);
        // At most now: a note of the future would stay for ever.
        if (replaced && told)
            read.push_back(
                {std::string(name.substr(1)), std::min(*replaced, now), std::min(*told, now)});
    });
    std::sort(read.begin(), read.end(),
              [](const Domain& a, const Domain& b) { return a.replaced < b.replaced; });
    for (Domain& domain : read) {
        domains_.push_back(std::move(domain));
        by_name_.emplace(domains_.back().name, std::prev(domains_.end()));
    }
    forget_old(now);
    while (domains_.size() > domains_max) forget(domains_.begin());
}

void KeyUpdates::forget(Place place) {
    ring_.write_note(domain_mark + place->name, "");
    by_name_.erase(place->name);
    domains_.erase(place);
}

// Telling never comes without replacing, so the time of replacing says it all.
void KeyUpdates::forget_old(std::int64_t now) {
    while (!domains_.empty() && !is_within(domains_.front().replaced, now))
        forget(domains_.begin());
}

void KeyUpdates::store(const Domain& domain) {
    ring_.write_note(domain_mark + domain.name, fmt::format("{} {}", domain.replaced, domain.told));
}

bool KeyUpdates::on_replaced(const std::string& name, std::size_t count, std::int64_t now) {
    forget_old(now);
    const auto known = by_name_.find(name);
    const bool is_new = known == by_name_.end();
    if (is_new) {
        if (domains_.size() >= domains_max) forget(domains_.begin());
        domains_.push_back({name, 0, 0});
        by_name_.emplace(name, std::prev(domains_.end()));
    } else {
        domains_.splice(domains_.end(), domains_, known->second);
    }
    Domain& domain = domains_.back();
    const bool is_second = count > 1 || !is_new;
    const bool tell = is_second && !is_within(domain.told, now);
    domain.replaced = now;
    if (tell) domain.told = now;
    store(domain);
    return tell;
}

}  // namespace sealgate
