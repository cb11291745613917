// SPDX-License-Identifier: GPL-3.0-or-later
#include "tools/sealgate/time_argument.h"

#include <ctime>

#include "core/text.h"

namespace sealgate {
namespace {

bool is_digit(char c) { return c >= '0' && c <= '9'; }

// RFC 3339 §5.6, from the left; each step says whether the text has it.
class TimeReader {
public:
    explicit TimeReader(std::string_view text) : text_(text) {}

    bool take_number(int digits, int min, int max, int& number) {
        number = 0;
        for (int i = 0; i < digits; ++i) {
            if (text_.empty() || !is_digit(text_.front())) return false;
            number = number * 10 + (text_.front() - '0');
            text_.remove_prefix(1);
        }
        return number >= min && number <= max;
    }
    bool take(char c) {
        if (text_.empty() || lower_case(text_.front()) != c) return false;
        text_.remove_prefix(1);
        return true;
    }
    bool take_fraction() {
        if (!take('.')) return true;
        if (text_.empty() || !is_digit(text_.front())) return false;
        while (!text_.empty() && is_digit(text_.front())) text_.remove_prefix(1);
        return true;
    }
    bool take_offset(int& seconds_ahead) {
        seconds_ahead = 0;
        if (take('z')) return true;
        const int sign = take('+') ? 1 : take('-') ? -1 : 0;
        int hours = 0, minutes = 0;
        if (sign == 0 || !take_number(2, 0, 23, hours) || !take(':') ||
            !take_number(2, 0, 59, minutes))
            return false;
        seconds_ahead = sign * (hours * 3600 + minutes * 60);
        return true;
    }
    bool ended() const { return text_.empty(); }

private:
    std::string_view text_;
};

}  // namespace

std::optional<std::int64_t> parse_time(std::string_view text) {
    TimeReader reader(text);
    std::tm time{};
    int ahead = 0;
    // A second 60 is the leap second: the one behind 59.
    if (!reader.take_number(4, 0, 9999, time.tm_year) || !reader.take('-') ||
        !reader.take_number(2, 1, 12, time.tm_mon) || !reader.take('-') ||
        !reader.take_number(2, 1, 31, time.tm_mday) || !(reader.take('t') || reader.take(' ')) ||
        !reader.take_number(2, 0, 23, time.tm_hour) || !reader.take(':') ||
        !reader.take_number(2, 0, 59, time.tm_min) || !reader.take(':') ||
        !reader.take_number(2, 0, 60, time.tm_sec) || !reader.take_fraction() ||
        !reader.take_offset(ahead) || !reader.ended())
        return std::nullopt;
    time.tm_year -= 1900;
    time.tm_mon -= 1;
    const int day = time.tm_mday;
    const bool leap_second = time.tm_sec == 60;
    if (leap_second) time.tm_sec = 59;
    const std::int64_t seconds = timegm(&time);
    if (time.tm_mday != day) return std::nullopt;  // the 30th of February
    return seconds + (leap_second ? 1 : 0) - ahead;
}

}  // namespace sealgate
