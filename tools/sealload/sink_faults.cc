// SPDX-License-Identifier: GPL-3.0-or-later
#include "tools/sealload/sink_faults.h"

#include <charconv>
#include <optional>
#include <utility>

namespace sealgate {
namespace {

constexpr const char* place_words[fault_place_count] = {"connect", "ehlo", "starttls", "mail",
                                                        "rcpt",    "data", "end",      "reply"};
constexpr std::uint64_t delay_ms_max = 3600 * 1000;
// Breaks in the middle of content lie within its first bytes, so that small mails have them, too.
constexpr std::uint64_t drop_after_bytes_max = 16 * 1024;

std::optional<FaultPlace> place_of(std::string_view word) {
    for (std::size_t i = 0; i < fault_place_count; ++i) {
        if (word == place_words[i]) return static_cast<FaultPlace>(i);
    }
    return std::nullopt;
}

// Digits only; takes them from the text's begin.
std::optional<std::uint64_t> take_number(std::string_view& text) {
    std::uint64_t value = 0;
    const auto [end, fault] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (fault != std::errc() || end == text.data()) return std::nullopt;
    text.remove_prefix(static_cast<std::size_t>(end - text.data()));
    return value;
}

// "5%", "0.25%": more than none, at most all; in parts of 2^64.
std::optional<std::uint64_t> read_percent(std::string_view text) {
    double percent = 0;
    const auto [end, fault] =
        std::from_chars(text.data(), text.data() + text.size(), percent, std::chars_format::fixed);
    if (fault != std::errc() || std::string_view(end, text.data() + text.size()) != "%")
        return std::nullopt;
    if (!(percent > 0) || percent > 100) return std::nullopt;
    if (percent == 100) return ~std::uint64_t{0};
    return static_cast<std::uint64_t>(percent / 100 * 0x1p64);
}

// "200ms", "2s", "1m".
std::optional<std::uint64_t> read_time_ms(std::string_view text) {
    const auto number = take_number(text);
    const std::uint64_t unit = text == "ms" ? 1 : text == "s" ? 1000 : text == "m" ? 60000 : 0;
    if (!number || unit == 0 || *number > delay_ms_max / unit) return std::nullopt;
    return *number * unit;
}

// Cuts at the first `at`; the second half is nothing where there is none.
std::pair<std::string_view, std::optional<std::string_view>> halves(std::string_view text,
                                                                    std::string_view at) {
    const std::size_t cut = text.find(at);
    if (cut == std::string_view::npos) return {text, std::nullopt};
    return {text.substr(0, cut), text.substr(cut + at.size())};
}

// splitmix64: one round spreads a counter over all bits.
std::uint64_t mix(std::uint64_t x) {
    x += 0x9e3779b97f4a7c15;
    x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9;
    x = (x ^ (x >> 27)) * 0x94d049bb133111eb;
    return x ^ (x >> 31);
}

}  // namespace

const char* to_word(FaultPlace place) { return place_words[static_cast<std::size_t>(place)]; }

Result<void> Faults::add(Row row, Places& places) {
    places[static_cast<std::size_t>(row.place)] = true;
    rows_.push_back(std::move(row));
    return {};
}

Result<void> Faults::add_fail(std::string_view text) {
    const auto [where, what] = halves(text, "=");
    const auto place = place_of(where);
    if (!place || !what) return malformed("--fail wants WHERE=CODE[:PERCENT%], as rcpt=451:5%");
    if (*place == FaultPlace::reply) return malformed("a reply cannot fail, it can be dropped");
    auto [code_text, percent_text] = halves(*what, ":");
    const auto code = take_number(code_text);
    if (!code || !code_text.empty() || *code < 400 || *code > 599)
        return malformed("--fail wants a code from 400 to 599");
    Row row{Kind::fail, *place, "fail " + std::string(text)};
    row.code = static_cast<int>(*code);
    if (percent_text) {
        const auto threshold = read_percent(*percent_text);
        if (!threshold) return malformed("--fail wants a percentage above 0% and up to 100%");
        row.threshold = *threshold;
    }
    return add(std::move(row), fails_);
}

Result<void> Faults::add_delay(std::string_view text) {
    const auto [where, what] = halves(text, "=");
    const auto place = place_of(where);
    if (!place || !what) return malformed("--delay wants WHERE=TIME[..TIME][:PERCENT%]");
    if (*place == FaultPlace::reply) return malformed("the last reply is delayed at end");
    const auto [times, percent_text] = halves(*what, ":");
    const auto [from_text, to_text] = halves(times, "..");
    const auto from = read_time_ms(from_text);
    const auto to = to_text ? read_time_ms(*to_text) : from;
    if (!from || !to || *from > *to || *to == 0)
        return malformed("--delay wants times as 200ms, 2s or 100ms..2s, up to an hour");
    Row row{Kind::delay, *place, "delay " + std::string(text)};
    row.from_ms = *from;
    row.to_ms = *to;
    if (percent_text) {
        const auto threshold = read_percent(*percent_text);
        if (!threshold) return malformed("--delay wants a percentage above 0% and up to 100%");
        row.threshold = *threshold;
    }
    return add(std::move(row), delays_);
}

Result<void> Faults::add_drop(std::string_view text) {
    const auto [where, percent_text] = halves(text, ":");
    const auto place = place_of(where);
    if (!place) return malformed("--drop wants WHERE[:PERCENT%], as data:1%");
    Row row{Kind::drop, *place, "drop " + std::string(text)};
    if (percent_text) {
        const auto threshold = read_percent(*percent_text);
        if (!threshold) return malformed("--drop wants a percentage above 0% and up to 100%");
        row.threshold = *threshold;
    }
    return add(std::move(row), drops_);
}

std::uint64_t Faults::number(const Row& row, std::uint64_t purpose) const {
    const auto index = static_cast<std::uint64_t>(&row - rows_.data());
    return mix(mix(mix(seed_) + index * 4 + purpose) + row.drawn);
}

// The first row that strikes, of those at this place; all draw, so that none moves another's
// sequence.
Faults::Row* Faults::draw(Kind kind, FaultPlace place) {
    Row* first = nullptr;
    for (Row& row : rows_) {
        if (row.kind != kind || row.place != place) continue;
        ++row.drawn;
        const bool strikes = row.threshold == ~std::uint64_t{0} || number(row, 0) < row.threshold;
        if (strikes && !first) first = &row;
    }
    if (first) ++first->times;
    return first;
}

int Faults::draw_fail(FaultPlace place) {
    const Row* row = draw(Kind::fail, place);
    return row ? row->code : 0;
}

std::uint64_t Faults::draw_delay(FaultPlace place) {
    const Row* row = draw(Kind::delay, place);
    if (!row) return 0;
    return row->from_ms + number(*row, 1) % (row->to_ms - row->from_ms + 1);
}

bool Faults::draw_drop(FaultPlace place) { return draw(Kind::drop, place) != nullptr; }

std::uint64_t Faults::drop_after_bytes() {
    return 1 + mix(mix(seed_ + 0x64726f70) + ++drops_in_content_) % drop_after_bytes_max;
}

std::vector<Faults::Count> Faults::counts() const {
    std::vector<Count> counts;
    for (const Row& row : rows_) counts.push_back({row.text, row.times});
    return counts;
}

std::uint64_t Faults::times() const {
    std::uint64_t times = 0;
    for (const Row& row : rows_) times += row.kind == Kind::delay ? 0 : row.times;
    return times;
}

}  // namespace sealgate
