// SPDX-License-Identifier: GPL-3.0-or-later
// The two halves of `sealgate cert`: those that change certificates are in cert_changes.cc.
#pragma once

namespace CLI {
class App;
}

namespace sealgate {

struct CommandContext;

// new, csr, replace, import
void add_cert_changes(CLI::App& cert, CommandContext& context);

}  // namespace sealgate
