// SPDX-License-Identifier: GPL-3.0-or-later
// Replies read where they lie: a source hears four of them for every mail it sends.
//
// The gateway's own ear (smtp/reply_reader.h) makes strings of each line and its enhanced code; a
// load tool asks for the code, and for the text only when something is wrong. Nothing is copied but
// a line that a read has cut in two. As strict: three digits from 2 to 5, a bounded line.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "core/bytes.h"
#include "core/result.h"

namespace sealgate {

struct ReplyLine {
    int code = 0;
    bool last = false;      // of its reply: a space, not '-', behind the code
    std::string_view line;  // "250 2.0.0 Ok", without its end

    std::string_view text() const { return line.substr(line.size() > 4 ? 4 : line.size()); }
    bool positive() const { return code >= 200 && code < 400; }
};

class ReplyScanner {
public:
    // Takes the next line off `bytes`, which are to be given until nothing comes back: then more
    // are needed. The line is valid until the next call. After an error, no more calls.
    Result<std::optional<ReplyLine>> next(ByteSpan& bytes);

private:
    Result<std::optional<ReplyLine>> read(std::string_view line) const;

    std::string cut_;  // the beginning of a line whose end has not come
    bool cut_read_ = false;
};

}  // namespace sealgate
