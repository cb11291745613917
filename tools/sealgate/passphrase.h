// SPDX-License-Identifier: GPL-3.0-or-later
// Passphrases: from a file, or asked for on the terminal without showing what is typed.
#pragma once

#include <optional>
#include <string>

#include "core/bytes.h"

namespace sealgate {

// The first line of `file`. Ends the command when it cannot be read.
SecureBytes passphrase_from(const std::string& file);

// Asks on /dev/tty, whatever standard input is. nullopt: there is no terminal.
std::optional<SecureBytes> ask_passphrase(const std::string& question);

}  // namespace sealgate
