// SPDX-License-Identifier: GPL-3.0-or-later
// What is to be done with a MIME part, judged by its header alone. Values only.
#pragma once

#include <cstdint>
#include <string>

#include "smtp/header.h"

namespace sealgate {

struct EntityPlan {
    enum class Kind : std::uint8_t {
        untouched,  // carried along whatever is in it
        leaf,       // looked at, encoded when it is not 7-bit
        multipart,
        message,  // an attached message whose header follows
    };
    Kind kind = Kind::untouched;
    TransferEncoding label = TransferEncoding::absent;
    TransferEncoding encode_as = TransferEncoding::quoted_printable;  // of a leaf
    std::string boundary;                                             // of a multipart
    bool digest = false;
};

// `in_digest`: directly inside multipart/digest, where message/rfc822 is the default (RFC 2046
// §5.1.5). `depth`: of containers around it.
EntityPlan plan_entity(const Header& header, bool in_digest, int depth);

}  // namespace sealgate
