// SPDX-License-Identifier: GPL-3.0-or-later
#include "tools/sealload/check_mail.h"

#include <fmt/format.h>

#include <algorithm>

#include "core/limits.h"
#include "core/text.h"
#include "crypto/digest.h"
#include "crypto/trust_cms.h"
#include "smtp/header.h"

namespace sealgate {
namespace {

Header header_of(std::string_view content) {
    return Header::parse(Chunk::copy_of(content.substr(0, 2 * limits::header_bytes_max)));
}

std::string digest_of_body(std::string_view entity) {
    const std::size_t blank = entity.starts_with("\r\n") ? 0 : entity.find("\r\n\r\n");
    if (blank == std::string_view::npos) return "";
    const std::string_view body = entity.substr(blank == 0 ? 2 : blank + 4);
    std::string hex;
    const DigestValue digest = digest_of(DigestAlgorithm::sha256, as_bytes(body));
    for (const std::uint8_t byte : digest.bytes()) hex += fmt::format("{:02x}", byte);
    return "sha256=" + hex;
}

}  // namespace

ReceivedLine identify(const std::string& sender, std::string_view content) {
    const Header header = header_of(content);
    ReceivedLine line;
    line.sender = sender;
    line.message_id = header.message_id();
    line.dsn = sender.empty() &&
               lower_case(header.value_of("Content-Type")).starts_with("multipart/report");
    if (line.dsn) line.about = header.value_of("References");
    return line;
}

std::string verdict_on(std::string_view content, const std::string& ca_file) {
    const CmsVerdict verdict = verify_signed_mail(content, ca_file);
    if (!verdict.ok) return "failed: " + verdict.why;
    const std::string expected = header_of(content).value_of("X-Sealload-Digest");
    if (expected.empty() || expected == digest_of_body(verdict.content)) return "verified";
    return "failed: the signed body is not the one that was sent";
}

}  // namespace sealgate
