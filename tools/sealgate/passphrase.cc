// SPDX-License-Identifier: GPL-3.0-or-later
#include "tools/sealgate/passphrase.h"

#include <fcntl.h>
#include <termios.h>
#include <unistd.h>

#include "crypto/certificate_bundle.h"
#include "tools/sealgate/command_context.h"

namespace sealgate {
namespace {

constexpr std::size_t passphrase_bytes_max = 1024;

void say(int terminal, const std::string& text) {
    // A terminal that cannot be written to will fail to be read from, too.
    (void)!write(terminal, text.data(), text.size());
}

// Up to the end of the line; a typed line comes in one read as a rule.
SecureBytes read_line(int terminal) {
    SecureBytes line(passphrase_bytes_max);
    std::size_t count = 0;
    while (count < line.size()) {
        const ssize_t got = read(terminal, line.data() + count, 1);
        if (got != 1 || line.data()[count] == '\n') break;
        ++count;
    }
    return SecureBytes::copy_of(line.bytes().first(count));
}

}  // namespace

SecureBytes passphrase_from(const std::string& file) {
    auto passphrase = read_passphrase_file(file);
    if (!passphrase) throw CommandFailed{exit_refused, passphrase.error().what};
    return *std::move(passphrase);
}

std::optional<SecureBytes> ask_passphrase(const std::string& question) {
    const int terminal = open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY);
    if (terminal < 0) return std::nullopt;
    termios before{};
    if (tcgetattr(terminal, &before) != 0) {
        close(terminal);
        return std::nullopt;
    }
    termios quiet = before;
    quiet.c_lflag &= ~static_cast<tcflag_t>(ECHO);
    // Quiet before the question: what is typed as soon as it shows is neither echoed nor flushed.
    tcsetattr(terminal, TCSAFLUSH, &quiet);
    say(terminal, question);
    SecureBytes line = read_line(terminal);
    tcsetattr(terminal, TCSADRAIN, &before);
    say(terminal, "\n");
    close(terminal);
    return line;
}

}  // namespace sealgate
