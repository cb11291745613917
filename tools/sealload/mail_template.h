// SPDX-License-Identifier: GPL-3.0-or-later
// Mails to send: read once, made ready for the wire, and given a fresh Message-ID each time.
//
// Line ends become CRLF; a lone CR is left alone, as a gateway must refuse it and say so. The
// Message-ID is replaced, or added before the other fields. A mail that no gateway has a reason to
// re-encode also gets `X-Sealload-Digest: sha256=…` of its body, which the sink compares.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/chunk.h"
#include "core/result.h"

namespace sealgate {

enum class ContentForm : std::uint8_t { data, bdat };  // dot-stuffed, without the final dot; plain
// A signed or encrypted mail keeps the digest of what is inside it.
enum class BodyDigest : std::uint8_t { fresh, kept };

struct MailFile {
    std::string name;
    std::string text;
};

class MailTemplate {
public:
    MailTemplate(std::string name, std::string_view mail, BodyDigest digest = BodyDigest::fresh);
    // Text mails with at least so many bytes of body, in whole lines; they share one body.
    static std::vector<MailTemplate> fillers(const std::vector<std::uint64_t>& body_bytes);

    const std::string& name() const { return name_; }
    bool eight_bit() const { return eight_bit_; }
    // Without the final dot and the doubled ones; what MAIL's SIZE says.
    std::uint64_t bytes(std::size_t message_id_bytes) const;
    // The message is its head, which ends in the Message-ID and is written beside the commands, and
    // its rest, which is shared.
    void append_head(std::string& out, std::string_view message_id, ContentForm form) const;
    const Chunk& rest(ContentForm form) const {
        return form == ContentForm::data ? stuffed_rest_ : rest_;
    }

private:
    MailTemplate() = default;

    std::string name_;
    bool eight_bit_ = false;
    std::string head_, stuffed_head_;  // the fields before the Message-ID
    Chunk rest_, stuffed_rest_;        // what follows it; one chunk where nothing is stuffed
};

// Lines end in CRLF, also the last.
std::string with_crlf(std::string_view text);
// "X-Sealload-Digest: …" with its line end, for a mail that nobody has to change; else empty.
std::string digest_field_of(std::string_view mail);
// The text mail that fillers() makes, as a file would hold it.
MailFile filler_mail(std::uint64_t body_bytes);

// Files, and all *.eml, *.msg and *.txt of folders, in name order.
Result<std::vector<MailFile>> load_mails(const std::vector<std::string>& paths, std::string* why);

}  // namespace sealgate
