// SPDX-License-Identifier: GPL-3.0-or-later
// What the sink does wrong on purpose: refuses, waits, breaks the connection.
//
// Faults are given as text, each a row of its own:
//   fail    WHERE=CODE[:PERCENT]          rcpt=451:5%   end=550
//   delay   WHERE=TIME[..TIME][:PERCENT]  mail=200ms    end=1s..5s:10%
//   drop    WHERE[:PERCENT]               data:1%
// WHERE is the command whose reply is concerned; `data` is DATA or the first BDAT, `end` the end of
// the content. To drop at `data` is in the middle of the content; at `reply`, the message has been
// taken and its last reply is lost.
//
// Every row draws from a sequence of its own, made from the seed: the n-th RCPT meets the same fate
// in every run, whatever other rows there are. Which message the n-th RCPT belongs to is up to the
// clients. Loop thread only.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.h"

namespace sealgate {

enum class FaultPlace : std::uint8_t { connect, ehlo, starttls, mail, rcpt, data, end, reply };
constexpr std::size_t fault_place_count = 8;
const char* to_word(FaultPlace place);

class Faults {
public:
    Result<void> add_fail(std::string_view text);
    Result<void> add_delay(std::string_view text);
    Result<void> add_drop(std::string_view text);
    void set_seed(std::uint64_t seed) { seed_ = seed; }

    // The code to refuse with, this time; 0: do not refuse.
    int fail_code(FaultPlace place) { return any(fails_, place) ? draw_fail(place) : 0; }
    std::uint64_t delay_ms(FaultPlace place) { return any(delays_, place) ? draw_delay(place) : 0; }
    bool drops(FaultPlace place) { return any(drops_, place) && draw_drop(place); }
    // After how many bytes of content a connection that drops at `data` breaks.
    std::uint64_t drop_after_bytes();

    struct Count {
        std::string fault;  // "fail rcpt=451:5%"
        std::uint64_t times = 0;
    };
    std::vector<Count> counts() const;  // a row each, in the order given
    std::uint64_t times() const;        // of all rows that refuse or break
    bool empty() const { return rows_.empty(); }

private:
    enum class Kind : std::uint8_t { fail, delay, drop };
    struct Row {
        Kind kind;
        FaultPlace place;
        std::string text;
        std::uint64_t threshold = ~std::uint64_t{0};  // of 2^64; all ones: always
        int code = 0;
        std::uint64_t from_ms = 0, to_ms = 0;
        std::uint64_t drawn = 0, times = 0;
    };
    using Places = std::array<bool, fault_place_count>;

    static bool any(const Places& places, FaultPlace place) {
        return places[static_cast<std::size_t>(place)];
    }
    Row* draw(Kind kind, FaultPlace place);
    std::uint64_t number(const Row& row, std::uint64_t purpose) const;
    int draw_fail(FaultPlace place);
    std::uint64_t draw_delay(FaultPlace place);
    bool draw_drop(FaultPlace place);
    Result<void> add(Row row, Places& places);

    std::uint64_t seed_ = 1;
    std::vector<Row> rows_;
    Places fails_{}, delays_{}, drops_{};
    std::uint64_t drops_in_content_ = 0;
};

}  // namespace sealgate
