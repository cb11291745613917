// SPDX-License-Identifier: GPL-3.0-or-later
// The process's own affairs at start: descriptors, the data directory, the user it becomes.
#pragma once

#include <string>

#include "core/config.h"
#include "core/result.h"

namespace sealgate {

// Raises the soft limit of open files to the hard one: 10,000 sessions are 10,000 descriptors.
void raise_descriptor_limit();

// Makes data-dir (0700). When a user is configured and we are root, that user gets everything in
// it (certificates made by root's command line, too) and the mail log's file.
Result<void> prepare_data_dir(const Config& config, std::string* why);

// After the ports are bound: becomes `[gateway] user`, for good. Nothing to do without one.
Result<void> become_user(const GatewayOptions& options, std::string* why);

}  // namespace sealgate
