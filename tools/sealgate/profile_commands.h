// SPDX-License-Identifier: GPL-3.0-or-later
// The `profile` commands, spread over two files.
#pragma once

namespace CLI {
class App;
}

namespace sealgate {

struct CommandContext;

void add_profile_transfer(CLI::App& profile, CommandContext& context);  // import, export

}  // namespace sealgate
