// SPDX-License-Identifier: GPL-3.0-or-later
#include "tools/sealload/reply_scanner.h"

#include "core/limits.h"

namespace sealgate {

Result<std::optional<ReplyLine>> ReplyScanner::next(ByteSpan& bytes) {
    if (cut_read_) {
        cut_.clear();
        cut_read_ = false;
    }
    std::string_view line = as_text(bytes);
    const std::size_t end = line.find('\n');
    const bool whole = end != line.npos;
    line = line.substr(0, end);
    if (cut_.size() + line.size() > limits::reply_line_bytes_max)
        return past_limit("reply line too long");
    bytes = bytes.subspan(whole ? end + 1 : bytes.size());
    if (!whole) {
        cut_ += line;
        return std::optional<ReplyLine>();
    }
    if (!cut_.empty()) {
        cut_ += line;
        cut_read_ = true;
        line = cut_;
    }
    return read(line);
}

Result<std::optional<ReplyLine>> ReplyScanner::read(std::string_view line) const {
    if (line.ends_with('\r')) line.remove_suffix(1);
    const auto digit = [&](std::size_t i) { return i < line.size() ? line[i] - '0' : -1; };
    const int code = digit(0) * 100 + digit(1) * 10 + digit(2);
    const char mark = line.size() > 3 ? line[3] : ' ';
    if (digit(0) < 2 || digit(0) > 5 || digit(1) < 0 || digit(1) > 9 || digit(2) < 0 ||
        digit(2) > 9 || (mark != ' ' && mark != '-'))
        return malformed("not an SMTP reply");
    return std::optional<ReplyLine>(ReplyLine{code, mark == ' ', line});
}

}  // namespace sealgate
