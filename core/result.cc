// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/result.h"

namespace sealgate {

const char* to_text(ErrorKind kind) {
    switch (kind) {
    case ErrorKind::malformed: return "malformed";
    case ErrorKind::limit: return "limit";
    case ErrorKind::unsupported: return "unsupported";
    case ErrorKind::untrusted: return "untrusted";
    case ErrorKind::temporary: return "temporary";
    case ErrorKind::internal: return "internal";
    }
    return "internal";
}

void check_failed(const char* invariant, const char* file, int line) {
    std::fprintf(stderr, "sealgate: bug: %s:%d: does not hold: %s\n", file, line, invariant);
    std::abort();
}

}  // namespace sealgate
