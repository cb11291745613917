// SPDX-License-Identifier: GPL-3.0-or-later
//
// Command lines and paths: whatever is taken is well-formed, and reads the same when read again.

#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "core/bytes.h"
#include "core/limits.h"
#include "core/result.h"
#include "smtp/commands.h"
#include "smtp/path.h"

namespace sealgate {
namespace {

bool has_control(std::string_view text) {
    return std::any_of(text.begin(), text.end(),
                       [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; });
}

// An address we took is one that MAIL and RCPT of the next hop can say again.
void check_address(const std::string& address, bool smtputf8, PathUse use) {
    CHECK(!has_control(address));
    CHECK(address.size() + 2 <= limits::address_bytes_max);
    const std::string again = "<" + address + ">";
    const auto path = parse_path(again, use);
    CHECK(path.has_value());
    CHECK(path->address == address && path->bytes == again.size());
    CHECK(smtputf8 || !path->non_ascii);
    if (!address_domain(address).empty()) CHECK(is_mailbox(address, nullptr));
}

void check_line(std::string_view line) {
    const auto command = parse_command(line);
    if (!command) return;
    CHECK(!has_control(line));
    const std::string_view argument = command->argument;
    if (const auto helo = parse_helo(argument)) CHECK(!helo->empty() && *helo == argument);
    if (const auto mail = parse_mail(argument)) {
        check_address(mail->sender, mail->smtputf8, PathUse::reverse);
        CHECK(mail->envelope_id.size() <= 100);
    }
    for (const bool smtputf8 : {false, true}) {
        const auto recipient = parse_rcpt(argument, smtputf8);
        if (!recipient) continue;
        CHECK(!recipient->address.empty());
        check_address(recipient->address, smtputf8, PathUse::forward);
        CHECK(recipient->original.size() <= 500);
    }
    (void)parse_bdat(argument);
}

}  // namespace
}  // namespace sealgate

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace sealgate;
    const std::string_view text = as_text({data, size});
    check_line(text);
    for (const PathUse use : {PathUse::reverse, PathUse::forward}) {
        const auto path = parse_path(text, use);
        if (path) CHECK(path->bytes <= text.size() && text[path->bytes - 1] == '>');
    }
    (void)is_mailbox(text, nullptr);
    (void)parse_reply_text(std::string(text)).to_wire();
    return 0;
}
