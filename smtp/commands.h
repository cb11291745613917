// SPDX-License-Identifier: GPL-3.0-or-later
// Command lines of the server: verbs and arguments, checked. What they do is session.cc's.
//
// RFC 5321 §4.1, with SIZE (1870), BODY (6152), SMTPUTF8 (6531), BDAT (3030) and the DSN
// parameters (3461). Parameters follow §4.1.1.11: unknown ones are 555, known ones with a bad or a
// second value 501. Lines come here without their CRLF and within command_line_bytes_max. No state.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "smtp/envelope.h"
#include "smtp/reply.h"

namespace sealgate {

enum class Verb : std::uint8_t {
    helo,
    ehlo,
    mail,
    rcpt,
    data,
    bdat,
    rset,
    noop,
    vrfy,
    help,
    quit,
    starttls,
    not_implemented,  // known to SMTP, not done here: EXPN, ETRN, AUTH…
    foreign,          // another protocol's: an HTTP request sent to us through a browser
    unknown,
};

struct Command {
    Verb verb = Verb::unknown;
    std::string_view argument;  // what follows the verb's space, trailing spaces cut
};

// Refuses control characters, NUL and lone CR: none belongs into any command.
Checked<Command> parse_command(std::string_view line);
const char* to_word(Verb verb);  // "MAIL"

// HELO's and EHLO's one argument.
Checked<std::string> parse_helo(std::string_view argument);

struct MailCommand {
    std::string sender;  // empty: the null reverse-path
    std::optional<std::uint64_t> size_bytes;
    BodyType body = BodyType::seven_bit;
    bool smtputf8 = false;
    Envelope::Return return_ = Envelope::Return::not_given;
    std::string envelope_id;
};
// "FROM:<a@b> SIZE=1000 …"
Checked<MailCommand> parse_mail(std::string_view argument);

// "TO:<a@b> NOTIFY=… ORCPT=…". A postmaster without domain stays without one.
Checked<Recipient> parse_rcpt(std::string_view argument, bool smtputf8);

struct BdatCommand {
    std::uint64_t bytes = 0;
    bool last = false;
};
Checked<BdatCommand> parse_bdat(std::string_view argument);

}  // namespace sealgate
