// SPDX-License-Identifier: GPL-3.0-or-later
// An SMTP reply: code, enhanced status code (RFC 3463), text. Both ends use it: the server to say
// it, the client to hear it.
#pragma once

#include <string>
#include <vector>

#include "core/result.h"

namespace sealgate {

struct Reply {
    int code = 0;
    std::string enhanced;            // "5.7.1"; empty: none
    std::vector<std::string> lines;  // at least one when sent

    bool positive() const { return code >= 200 && code < 400; }
    bool temporary() const { return code >= 400 && code < 500; }
    bool permanent() const { return code >= 500; }
    // As on the wire, with the enhanced code on every line (RFC 2034 §4), CRLF line ends.
    std::string to_wire() const;
    // For logs: "5.1.1 No such user", lines joined by a space.
    std::string text() const;
};

Reply make_reply(int code, std::string enhanced, std::string text);
// The one place where kinds of errors become replies to end-of-data.
Reply reply_for(const Error& error);
// "550 5.1.1 No such user" as an operator writes it; the enhanced code may be absent.
Reply parse_reply_text(const std::string& text);

// A reply of fixed words, as the command parsers give it: nothing is allocated to refuse.
struct SmtpRefusal {
    int code = 0;
    const char* enhanced = "";
    const char* text = "";

    Reply to_reply() const { return make_reply(code, enhanced, text); }
};
// A command's value, or what to answer instead.
template <typename T>
using Checked = tl::expected<T, SmtpRefusal>;

inline tl::unexpected<SmtpRefusal> refusal(int code, const char* enhanced, const char* text) {
    return tl::unexpected(SmtpRefusal{code, enhanced, text});
}

}  // namespace sealgate
