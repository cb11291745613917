// SPDX-License-Identifier: GPL-3.0-or-later
// The [directory:NAME] sections of a configuration, with what their files hold.
//
// Immutable and shared, a part of the configuration in force. Passwords are here and in requests to
// their directory, nowhere else.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "core/bytes.h"
#include "core/complaint.h"
#include "core/config.h"
#include "core/directory_url.h"

namespace sealgate {

struct Directory {
    std::string name;
    DirectoryUrl url;
    std::vector<std::string> attributes;
    std::uint64_t timeout_ms = 0;
    std::uint64_t cache_ms = 0;
    std::string user;
    SecureBytes password;
    bool trust = true;
    // PEM of [trust:tls], for ldaps and https; null: the machine's authorities.
    std::shared_ptr<const std::string> authorities;
};
using DirectoryPtr = std::shared_ptr<const Directory>;

class DirectoryBook {
public:
    // What cannot be read is a complaint at the section's place. Blocks (files).
    static std::shared_ptr<const DirectoryBook> load(const Config& config, Complaints& complaints);

    DirectoryPtr find(const std::string& name) const;  // null when there is none
    std::size_t size() const { return directories_.size(); }

private:
    std::map<std::string, DirectoryPtr> directories_;
};
using DirectoryBookPtr = std::shared_ptr<const DirectoryBook>;

}  // namespace sealgate
