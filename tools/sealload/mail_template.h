// SPDX-License-Identifier: GPL-3.0-or-later
// Mails to send: read once, made ready for the wire, and given a fresh Message-ID each time.
//
// Line ends become CRLF; a lone CR is left alone, as a gateway must refuse it and say so. The
// Message-ID is replaced, or added before the other fields. A mail that no gateway has a reason to
// re-encode also gets `X-Sealload-Digest: sha256=…` of its body, which the sink compares.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/chunk.h"
#include "core/result.h"

namespace sealgate {

enum class ContentForm : std::uint8_t { data, bdat };  // dot-stuffed with the final dot; plain

class MailTemplate {
public:
    MailTemplate(std::string name, std::string_view mail);
    // A text mail with so many bytes of body.
    static MailTemplate filler(std::uint64_t body_bytes);

    const std::string& name() const { return name_; }
    bool eight_bit() const { return eight_bit_; }
    // Without the final dot and the doubled ones; what MAIL's SIZE says.
    std::uint64_t bytes(const std::string& message_id) const;
    // Shares the template's bytes.
    ChunkList message(const std::string& message_id, ContentForm form) const;

private:
    std::string name_;
    bool eight_bit_ = false;
    Chunk before_, after_;                  // around the Message-ID field
    Chunk stuffed_before_, stuffed_after_;  // the same for DATA
};

// Files, and all *.eml, *.msg and *.txt of folders, in name order.
Result<std::vector<MailTemplate>> load_templates(const std::vector<std::string>& paths,
                                                 std::string* why);

}  // namespace sealgate
