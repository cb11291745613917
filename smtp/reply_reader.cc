// SPDX-License-Identifier: GPL-3.0-or-later
#include "smtp/reply_reader.h"

#include <algorithm>
#include <utility>

#include "core/limits.h"

namespace sealgate {
namespace {

bool is_digit(char c) { return c >= '0' && c <= '9'; }

// One to three digits from `at` on; moves `at` behind them.
bool skip_number(std::string_view text, std::size_t& at) {
    const std::size_t begin = at;
    while (at < text.size() && at - begin < 3 && is_digit(text[at])) ++at;
    return at > begin;
}

}  // namespace

std::string_view enhanced_code_of(std::string_view line, int code) {
    if (line.size() < 5 || line[0] != static_cast<char>('0' + code / 100) || line[1] != '.')
        return {};
    std::size_t at = 2;
    if (!skip_number(line, at) || at >= line.size() || line[at++] != '.') return {};
    if (!skip_number(line, at)) return {};
    if (at < line.size() && line[at] != ' ') return {};
    return line.substr(0, at);
}

Result<std::optional<Reply>> ReplyReader::next() {
    for (;;) {
        const std::string_view rest = std::string_view(input_).substr(read_);
        const std::size_t end = rest.find('\n');
        if (std::min(end, rest.size()) > limits::reply_line_bytes_max) {
            return past_limit("reply line too long");
        }
        if (end == rest.npos) {
            input_.erase(0, std::exchange(read_, 0));
            return std::optional<Reply>();
        }
        std::string_view line = rest.substr(0, end);
        if (!line.empty() && line.back() == '\r') line.remove_suffix(1);
        const bool last = TRY(read_line(line));
        read_ += end + 1;
        if (!last) continue;
        settle_enhanced();
        return std::optional<Reply>(std::exchange(reply_, {}));
    }
}

Result<bool> ReplyReader::read_line(std::string_view line) {
    if (line.size() < 3 || line[0] < '2' || line[0] > '5' || !is_digit(line[1]) ||
        !is_digit(line[2])) {
        return malformed("not an SMTP reply");
    }
    if (line.size() > 3 && line[3] != ' ' && line[3] != '-') return malformed("not an SMTP reply");
    if (reply_.lines.size() == limits::reply_lines_max)
        return past_limit("reply of too many lines");
    reply_.code = (line[0] - '0') * 100 + (line[1] - '0') * 10 + (line[2] - '0');
    reply_.lines.emplace_back(line.size() > 4 ? line.substr(4) : std::string_view());
    return line.size() == 3 || line[3] == ' ';
}

// The enhanced code stands on every line; the reply keeps it once.
void ReplyReader::settle_enhanced() {
    reply_.enhanced = enhanced_code_of(reply_.lines.back(), reply_.code);
    if (reply_.enhanced.empty()) {
        reply_.enhanced = enhanced_code_of(reply_.lines.front(), reply_.code);
    }
    for (std::string& line : reply_.lines) {
        const std::size_t bytes = enhanced_code_of(line, reply_.code).size();
        if (bytes > 0) line.erase(0, std::min(bytes + 1, line.size()));
    }
}

}  // namespace sealgate
