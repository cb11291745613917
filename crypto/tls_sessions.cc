// SPDX-License-Identifier: GPL-3.0-or-later
#include "crypto/tls_sessions.h"

#include <utility>

namespace sealgate {

void TlsSessions::keep(const std::string& target, TlsSession session) {
    if (per_target_max_ == 0 || targets_max_ == 0) return;
    const auto found = places_.find(target);
    if (found == places_.end()) {
        targets_.push_front({target, {}});
        places_[target] = targets_.begin();
    } else {
        targets_.splice(targets_.begin(), targets_, found->second);
    }
    std::deque<TlsSession>& sessions = targets_.front().sessions;
    sessions.push_back(std::move(session));
    if (sessions.size() > per_target_max_) sessions.pop_front();
    if (targets_.size() > targets_max_) {
        places_.erase(targets_.back().name);
        targets_.pop_back();
    }
}

SecureBytes TlsSessions::take(const std::string& target) {
    const auto found = places_.find(target);
    if (found == places_.end()) return {};
    const Place place = found->second;
    targets_.splice(targets_.begin(), targets_, place);
    TlsSession& newest = place->sessions.back();
    if (newest.use == TlsSession::Use::often) return SecureBytes::copy_of(newest.encoded.bytes());
    SecureBytes encoded = std::move(newest.encoded);
    place->sessions.pop_back();
    if (place->sessions.empty()) {
        places_.erase(found);
        targets_.erase(place);
    }
    return encoded;
}

void TlsSessions::forget(const std::string& target) {
    const auto found = places_.find(target);
    if (found == places_.end()) return;
    targets_.erase(found->second);
    places_.erase(found);
}

}  // namespace sealgate
