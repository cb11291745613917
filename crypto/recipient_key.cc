// SPDX-License-Identifier: GPL-3.0-or-later
#include "crypto/recipient_key.h"

namespace sealgate {

const char* to_text(RecipientKey::Source source) {
    switch (source) {
    case RecipientKey::Source::manual: return "manual";
    case RecipientKey::Source::harvested: return "harvested";
    case RecipientKey::Source::directory: return "directory";
    case RecipientKey::Source::smimea: return "smimea";
    }
    return "";
}

const char* to_text(RecipientKey::Match match) {
    switch (match) {
    case RecipientKey::Match::address: return "address";
    case RecipientKey::Match::domain: return "domain";
    case RecipientKey::Match::wildcard: return "wildcard";
    }
    return "";
}

}  // namespace sealgate
