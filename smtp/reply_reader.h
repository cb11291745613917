// SPDX-License-Identifier: GPL-3.0-or-later
// The client's ear: bytes of a host in, whole replies out (RFC 5321 §4.2, RFC 2034).
//
// Lenient where hosts differ (bare LF line ends, missing text, a code that changes inside a
// multi-line reply: the last counts, as in Postfix), strict about what cannot be understood: a line
// that is no reply, one over the limits. After an error the connection is of no use any more.
#pragma once

#include <optional>
#include <string>

#include "core/bytes.h"
#include "core/result.h"
#include "smtp/reply.h"

namespace sealgate {

class ReplyReader {
public:
    void receive(ByteSpan bytes) { input_.append(as_text(bytes)); }
    // The next whole reply; nothing: more bytes are needed.
    Result<std::optional<Reply>> next();

private:
    Result<bool> read_line(std::string_view line);  // true: it was the reply's last
    void settle_enhanced();

    std::string input_;
    std::size_t read_ = 0;  // of input_
    Reply reply_;           // its lines so far
};

// "2.1.5" at the beginning of `line`, when it is one and of the code's class (RFC 2034 §4).
std::string_view enhanced_code_of(std::string_view line, int code);

}  // namespace sealgate
