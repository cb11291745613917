// SPDX-License-Identifier: GPL-3.0-or-later
#include "dns/smimea.h"

namespace sealgate {
namespace {

constexpr std::size_t digest_bytes_used = 28;  // RFC 8162 §3: a label has at most 63 octets
constexpr std::size_t name_bytes_max = 253;

}  // namespace

std::string smimea_local_part(std::string_view local_part) {
    if (local_part.size() < 2 || local_part.front() != '"' || local_part.back() != '"') {
        return std::string(local_part);
    }
    std::string text;
    local_part = local_part.substr(1, local_part.size() - 2);
    for (std::size_t i = 0; i < local_part.size(); ++i) {
        if (local_part[i] == '\\' && i + 1 < local_part.size()) ++i;
        text.push_back(local_part[i]);
    }
    return text;
}

Result<std::string> smimea_name(ByteSpan digest, std::string_view domain) {
    CHECK(digest.size() >= digest_bytes_used);
    constexpr char digits[] = "0123456789abcdef";
    std::string name;
    for (const std::uint8_t byte : digest.first(digest_bytes_used)) {
        name += {digits[byte >> 4], digits[byte & 0xf]};
    }
    name += "._smimecert.";
    name += domain;
    if (name.size() > name_bytes_max) return malformed("domain too long for an SMIMEA name");
    return name;
}

Result<SmimeaRecord> parse_smimea(std::string_view rdata) {
    constexpr std::size_t header_bytes = 3;
    if (rdata.size() <= header_bytes) return malformed("SMIMEA record without data");
    const auto at = [&](std::size_t i) { return static_cast<std::uint8_t>(rdata[i]); };
    SmimeaRecord record{at(0), at(1), at(2), {}};
    const ByteSpan data = as_bytes(rdata.substr(header_bytes));
    record.data.assign(data.begin(), data.end());
    return record;
}

}  // namespace sealgate
