// SPDX-License-Identifier: GPL-3.0-or-later
#include "smtp/sender_identity.h"

#include "smtp/addresses.h"

namespace sealgate {

std::optional<std::string> address_to_cover(const Header& header) {
    if (header.ended_by() == HeaderEnd::other_line) return std::nullopt;
    return sole_from_address(header);
}

}  // namespace sealgate
