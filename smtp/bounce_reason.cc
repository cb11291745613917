// SPDX-License-Identifier: GPL-3.0-or-later
#include "smtp/bounce_reason.h"

#include <fmt/format.h>

#include <algorithm>

#include "core/mail_log.h"

namespace sealgate {
namespace {

// A reply is kept once per recipient, in memory and in the store.
constexpr std::size_t kept_reply_bytes_max = 512;
// Of a reply of many lines, a log line shows this many.
constexpr std::size_t logged_lines_max = 5;

struct StatusWords {
    const char* detail;  // of RFC 3463's class.subject.detail: what follows the class
    const char* words;
};

// RFC 3463 §3, RFC 7505, RFC 6531; what is not here is told by its subject.
constexpr StatusWords status_words[] = {
    // clang-format off
    {"1.0",  "Unknown address error"},
    {"1.1",  "No such user"},
    {"1.2",  "Bad destination host"},
    {"1.3",  "Bad destination address syntax"},
    {"1.6",  "Mailbox has moved"},
    {"1.7",  "Bad sender address syntax"},
    {"1.8",  "Bad sender's domain"},
    {"1.10", "Domain accepts no mail"},
    {"2.0",  "Mailbox problem"},
    {"2.1",  "Mailbox disabled"},
    {"2.2",  "Mailbox full"},
    {"2.3",  "Message too large for the mailbox"},
    {"3.1",  "Mail system full"},
    {"3.2",  "Mail system accepts no messages now"},
    {"3.4",  "Message too big for the mail system"},
    {"4.1",  "No answer from host"},
    {"4.2",  "Bad connection"},
    {"4.3",  "Directory server failure"},
    {"4.4",  "Unable to route"},
    {"4.6",  "Routing loop"},
    {"4.7",  "Delivery expired (message too old)"},
    {"5.3",  "Too many recipients"},
    {"6.3",  "Conversion required but not supported"},
    {"6.7",  "Non-ASCII addresses not permitted"},
    {"7.0",  "Refused for security reasons"},
    {"7.1",  "Refused by policy"},
    {"0",    "Delivery failed"},
    {"1",    "Bad address"},
    {"2",    "Mailbox problem"},
    {"3",    "Mail system problem"},
    {"4",    "Network or routing problem"},
    {"5",    "Protocol error"},
    {"6",    "Message content not accepted"},
    {"7",    "Refused for security or policy reasons"},
    // clang-format on
};

const char* detail_for_code(int code) {
    switch (code) {
    case 421: return "4.2";
    case 450: return "2.0";
    case 451: return "3.0";
    case 452: return "3.1";
    case 500:
    case 501:
    case 502:
    case 503:
    case 504: return "5.0";
    case 550: return "1.0";
    case 551: return "1.6";
    case 552: return "2.2";
    case 553: return "1.3";
    default: return "0.0";
    }
}

// A host may give the enhanced code on every line; our Reply holds it once.
std::string whole_line(const Reply& reply, const std::string& line) {
    if (reply.enhanced.empty() || line.starts_with(reply.enhanced)) return line;
    return line.empty() ? reply.enhanced : reply.enhanced + " " + line;
}

}  // namespace

std::string status_of(const Reply& reply, FailureClass failure) {
    const char wanted = failure == FailureClass::permanent ? '5' : '4';
    if (reply.enhanced.size() >= 5 && reply.enhanced[0] == wanted) return reply.enhanced;
    // A code of the other class still names subject and detail.
    if (reply.enhanced.size() >= 5 && (reply.enhanced[0] == '4' || reply.enhanced[0] == '5'))
        return wanted + reply.enhanced.substr(1);
    return fmt::format("{}.{}", wanted, detail_for_code(reply.code));
}

const char* words_for_status(std::string_view status) {
    const std::string_view detail = status.substr(std::min<std::size_t>(status.size(), 2));
    const std::string_view subject = detail.substr(0, detail.find('.'));
    for (const StatusWords& row : status_words) {
        if (detail == row.detail || subject == row.detail) return row.words;
    }
    return "Delivery failed";
}

std::string reply_tuple(const Reply& reply, bool from_host) {
    std::string tuple = from_host ? fmt::format("('{:03}', [", reply.code) : "('000', [";
    const std::size_t shown = std::min(reply.lines.size(), logged_lines_max);
    for (std::size_t i = 0; i < shown; ++i) {
        if (i > 0) tuple += ", ";
        tuple += "'" + printable(whole_line(reply, reply.lines[i])) + "'";
    }
    return tuple + "])";
}

std::string kept_reply(const Reply& reply, bool from_host) {
    std::string kept = from_host ? fmt::format("{:03} ", reply.code) : std::string();
    kept += reply.text();
    if (kept.size() > kept_reply_bytes_max) kept.resize(kept_reply_bytes_max);
    for (char& byte : kept) {
        if (byte < 0x20 || byte > 0x7e) byte = '?';
    }
    return kept;
}

bool kept_reply_is_from_host(std::string_view kept) {
    return kept.size() >= 4 && kept[3] == ' ' &&
           std::all_of(kept.begin(), kept.begin() + 3, [](char c) { return c >= '0' && c <= '9'; });
}

std::string kept_reply_tuple(std::string_view kept) {
    const bool from_host = kept_reply_is_from_host(kept);
    const std::string_view code = from_host ? kept.substr(0, 3) : std::string_view("000");
    const std::string_view text = from_host ? kept.substr(4) : kept;
    return fmt::format("('{}', ['{}'])", code, printable(text));
}

}  // namespace sealgate
