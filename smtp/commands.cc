// SPDX-License-Identifier: GPL-3.0-or-later
#include "smtp/commands.h"

#include <strings.h>

#include <algorithm>
#include <charconv>
#include <limits>

#include "core/limits.h"
#include "smtp/path.h"

namespace sealgate {
namespace {

struct VerbRow {
    std::string_view word;
    Verb verb;
};

constexpr VerbRow verbs[] = {
    {"MAIL", Verb::mail},
    {"RCPT", Verb::rcpt},
    {"DATA", Verb::data},
    {"BDAT", Verb::bdat},
    {"EHLO", Verb::ehlo},
    {"HELO", Verb::helo},
    {"RSET", Verb::rset},
    {"NOOP", Verb::noop},
    {"QUIT", Verb::quit},
    {"VRFY", Verb::vrfy},
    {"HELP", Verb::help},
    {"STARTTLS", Verb::starttls},
    {"EXPN", Verb::not_implemented},
    {"ETRN", Verb::not_implemented},
    {"AUTH", Verb::not_implemented},
    {"TURN", Verb::not_implemented},
    {"SEND", Verb::not_implemented},
    {"SOML", Verb::not_implemented},
    {"SAML", Verb::not_implemented},
    // Cross-protocol requests: the rest of such a connection is content that an attacker chose.
    {"GET", Verb::foreign},
    {"POST", Verb::foreign},
    {"PUT", Verb::foreign},
    {"CONNECT", Verb::foreign},
    {"OPTIONS", Verb::foreign},
};

bool same_word(std::string_view a, std::string_view b) {
    return a.size() == b.size() && strncasecmp(a.data(), b.data(), a.size()) == 0;
}

std::string_view trim_spaces(std::string_view text) {
    const std::size_t first = text.find_first_not_of(' ');
    if (first == std::string_view::npos) return {};
    return text.substr(first, text.find_last_not_of(' ') - first + 1);
}

// Takes the next word of space-separated ones; empty: no more.
std::string_view take_word(std::string_view& rest) {
    rest = trim_spaces(rest);
    const std::string_view word = rest.substr(0, rest.find(' '));
    rest.remove_prefix(word.size());
    return word;
}

// Digits only. What does not fit becomes the largest number: it is past any limit all the same.
std::optional<std::uint64_t> parse_number(std::string_view text) {
    if (text.empty() || text.size() > 20) return std::nullopt;
    std::uint64_t value = 0;
    const auto [end, fault] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (end != text.data() + text.size()) return std::nullopt;
    if (fault == std::errc::result_out_of_range) return std::numeric_limits<std::uint64_t>::max();
    if (fault != std::errc()) return std::nullopt;
    return value;
}

// RFC 3461 §4: printable ASCII without "+" and "=", or "+" and two upper-case hex digits.
bool is_xtext(std::string_view text) {
    const auto is_hex = [](char c) { return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'F'); };
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] == '+') {
            if (i + 2 >= text.size() || !is_hex(text[i + 1]) || !is_hex(text[i + 2])) return false;
            i += 2;
        } else if (text[i] < '!' || text[i] > '~' || text[i] == '=') {
            return false;
        }
    }
    return !text.empty();
}

// One "KEYWORD" or "KEYWORD=value" (RFC 5321 §4.1.2 esmtp-param).
struct Parameter {
    std::string_view keyword;
    std::optional<std::string_view> value;
};

Checked<Parameter> parse_parameter(std::string_view word) {
    const std::size_t equals = word.find('=');
    Parameter parameter{word.substr(0, equals), std::nullopt};
    if (equals != std::string_view::npos) parameter.value = word.substr(equals + 1);
    const auto is_keyword_character = [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
               c == '-';
    };
    if (parameter.keyword.empty() || parameter.keyword.front() == '-' ||
        !std::all_of(parameter.keyword.begin(), parameter.keyword.end(), is_keyword_character) ||
        (parameter.value && parameter.value->empty())) {
        return refusal(501, "5.5.4", "Malformed parameter");
    }
    return parameter;
}

// Which of a command's parameters were given already.
class Seen {
public:
    Checked<void> first_time(unsigned which) {
        if (bits_ & (1u << which)) return refusal(501, "5.5.4", "Parameter given twice");
        bits_ |= 1u << which;
        return {};
    }

private:
    unsigned bits_ = 0;
};

template <typename Target>
struct ParameterRow {
    std::string_view keyword;
    bool (*read)(Target& target, const Parameter& parameter);  // false: a bad value
};

template <typename Target, std::size_t count>
Checked<void> read_parameters(std::string_view rest, const ParameterRow<Target> (&rows)[count],
                              Target& target) {
    Seen seen;
    for (std::string_view word = take_word(rest); !word.empty(); word = take_word(rest)) {
        const auto parameter = parse_parameter(word);
        if (!parameter) return tl::unexpected(parameter.error());
        const auto* row = std::find_if(std::begin(rows), std::end(rows), [&](const auto& known) {
            return same_word(known.keyword, parameter->keyword);
        });
        // RFC 5321 §4.1.1.11: "If the server SMTP does not recognize … one or more of the
        // parameters … it will return code 555."
        if (row == std::end(rows)) return refusal(555, "5.5.4", "Unknown parameter");
        const auto first = seen.first_time(static_cast<unsigned>(row - std::begin(rows)));
        if (!first) return first;
        if (!row->read(target, *parameter)) return refusal(501, "5.5.4", "Bad parameter value");
    }
    return {};
}

bool read_size(MailCommand& mail, const Parameter& parameter) {
    if (parameter.value) mail.size_bytes = parse_number(*parameter.value);
    return mail.size_bytes.has_value();
}

bool read_body(MailCommand& mail, const Parameter& parameter) {
    if (!parameter.value) return false;
    if (same_word(*parameter.value, "8BITMIME")) {
        mail.body = BodyType::eight_bit;
        return true;
    }
    return same_word(*parameter.value, "7BIT");
}

bool read_smtputf8(MailCommand& mail, const Parameter& parameter) {
    mail.smtputf8 = true;
    return !parameter.value;
}

bool read_ret(MailCommand& mail, const Parameter& parameter) {
    if (!parameter.value) return false;
    const bool full = same_word(*parameter.value, "FULL");
    mail.return_ = full ? Envelope::Return::full : Envelope::Return::headers;
    return full || same_word(*parameter.value, "HDRS");
}

bool read_envid(MailCommand& mail, const Parameter& parameter) {
    // RFC 3461 §4.4: at most 100 characters.
    if (!parameter.value || parameter.value->size() > 100 || !is_xtext(*parameter.value)) {
        return false;
    }
    mail.envelope_id = *parameter.value;
    return true;
}

// RFC 4954 §5: a relay's word for who sent it. We do not offer AUTH; it is read over.
bool read_auth(MailCommand&, const Parameter& parameter) { return parameter.value.has_value(); }

constexpr ParameterRow<MailCommand> mail_parameters[] = {
    {"SIZE", read_size}, {"BODY", read_body},   {"SMTPUTF8", read_smtputf8},
    {"RET", read_ret},   {"ENVID", read_envid}, {"AUTH", read_auth},
};

bool read_notify(Recipient& recipient, const Parameter& parameter) {
    if (!parameter.value) return false;
    Notify notify;
    notify.given = true;
    std::string_view rest = *parameter.value;
    for (bool more = true; more;) {
        const std::size_t comma = rest.find(',');
        const std::string_view word = rest.substr(0, comma);
        more = comma != std::string_view::npos;
        if (more) rest.remove_prefix(comma + 1);
        bool* flag = same_word(word, "SUCCESS")   ? &notify.success
                     : same_word(word, "FAILURE") ? &notify.failure
                     : same_word(word, "DELAY")   ? &notify.delay
                     : same_word(word, "NEVER")   ? &notify.never
                                                  : nullptr;
        if (!flag) return false;
        *flag = true;
    }
    recipient.notify = notify;
    // RFC 3461 §4.1: NEVER stands alone.
    return !(notify.never && (notify.success || notify.failure || notify.delay));
}

bool read_orcpt(Recipient& recipient, const Parameter& parameter) {
    // RFC 3461 §4.2: addr-type ";" xtext, at most 500 characters.
    if (!parameter.value || parameter.value->size() > 500) return false;
    const std::string_view value = *parameter.value;
    const std::size_t semicolon = value.find(';');
    if (semicolon == std::string_view::npos || semicolon == 0) return false;
    if (!is_xtext(value.substr(0, semicolon)) || !is_xtext(value.substr(semicolon + 1))) {
        return false;
    }
    recipient.original = value;
    return true;
}

constexpr ParameterRow<Recipient> rcpt_parameters[] = {
    {"NOTIFY", read_notify},
    {"ORCPT", read_orcpt},
};

// Takes "FROM:" or "TO:" and the path. RFC 5321 §3.3 allows no space behind the colon; many clients
// put one there all the same.
Checked<Path> take_path(std::string_view& argument, std::string_view label, PathUse use) {
    if (argument.size() < label.size() || !same_word(argument.substr(0, label.size()), label)) {
        return use == PathUse::reverse ? refusal(501, "5.5.4", "Syntax: MAIL FROM:<address>")
                                       : refusal(501, "5.5.4", "Syntax: RCPT TO:<address>");
    }
    argument.remove_prefix(label.size());
    argument.remove_prefix(std::min(argument.find_first_not_of(' '), argument.size()));
    const auto path = parse_path(argument, use);
    if (!path) return path;
    argument.remove_prefix(path->bytes);
    if (!argument.empty() && argument.front() != ' ') {
        return refusal(501, "5.5.4", "Text behind the address");
    }
    return path;
}

tl::unexpected<SmtpRefusal> needs_smtputf8() {
    // RFC 6531 §3.5 leaves the code to 550 and 553; RFC 5336's 5.6.7 came along.
    return refusal(553, "5.6.7", "A non-ASCII address needs SMTPUTF8");
}

}  // namespace

Checked<Command> parse_command(std::string_view line) {
    for (const char c : line) {
        if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) {
            return refusal(500, "5.5.2", "Control character in command");
        }
    }
    const std::string_view word = line.substr(0, line.find(' '));
    for (const VerbRow& row : verbs) {
        if (same_word(word, row.word))
            return Command{row.verb, trim_spaces(line.substr(word.size()))};
    }
    return Command{Verb::unknown, {}};
}

const char* to_word(Verb verb) {
    for (const VerbRow& row : verbs) {
        if (row.verb == verb && verb != Verb::not_implemented && verb != Verb::foreign) {
            return row.word.data();
        }
    }
    return "command";
}

Checked<std::string> parse_helo(std::string_view argument) {
    // Clients' names are often no names (machine names with "_", unbracketed addresses): refusing
    // these refuses real mail. What would break a Received field or a log line is refused.
    const bool good = !argument.empty() && argument.size() <= limits::domain_bytes_max &&
                      std::all_of(argument.begin(), argument.end(), [](char c) {
                          return c > ' ' && c <= '~' &&
                                 std::string_view("()<>@,;\\\"").find(c) == std::string_view::npos;
                      });
    if (!good) return refusal(501, "5.5.4", "Syntax: EHLO hostname");
    return std::string(argument);
}

Checked<MailCommand> parse_mail(std::string_view argument) {
    const auto path = take_path(argument, "FROM:", PathUse::reverse);
    if (!path) return tl::unexpected(path.error());
    MailCommand mail;
    mail.sender = path->address;
    const auto parameters = read_parameters(argument, mail_parameters, mail);
    if (!parameters) return tl::unexpected(parameters.error());
    if (path->non_ascii && !mail.smtputf8) return needs_smtputf8();
    return mail;
}

Checked<Recipient> parse_rcpt(std::string_view argument, bool smtputf8) {
    const auto path = take_path(argument, "TO:", PathUse::forward);
    if (!path) return tl::unexpected(path.error());
    Recipient recipient;
    recipient.address = path->address;
    const auto parameters = read_parameters(argument, rcpt_parameters, recipient);
    if (!parameters) return tl::unexpected(parameters.error());
    if (path->non_ascii && !smtputf8) return needs_smtputf8();
    return recipient;
}

Checked<BdatCommand> parse_bdat(std::string_view argument) {
    const std::optional<std::uint64_t> bytes = parse_number(take_word(argument));
    const std::string_view last = take_word(argument);
    const bool good_end = (last.empty() || same_word(last, "LAST")) && take_word(argument).empty();
    if (!bytes || !good_end) return refusal(501, "5.5.4", "Syntax: BDAT octets [LAST]");
    return BdatCommand{*bytes, !last.empty()};
}

}  // namespace sealgate
