// SPDX-License-Identifier: GPL-3.0-or-later
// What a source says at its end: the same figures for people and for programs.
#pragma once

#include <string>

#include "tools/sealload/source.h"

namespace sealgate {

std::string text_report(const LoadSource& source);
// The keys are documented in tools/sealload/README.md; other tools read them.
std::string json_report(const LoadSource& source);

}  // namespace sealgate
