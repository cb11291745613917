// SPDX-License-Identifier: GPL-3.0-or-later
#include "dns/domain_name.h"

#include <idn2.h>

#include <cstdlib>
#include <memory>

#include "core/text.h"

namespace sealgate {
namespace {

constexpr std::size_t label_bytes_max = 63;
constexpr std::size_t name_bytes_max = 253;  // 255 on the wire, RFC 1035 §2.3.4

bool is_host_byte(char byte) {
    return (byte >= 'a' && byte <= 'z') || (byte >= '0' && byte <= '9') || byte == '-' ||
           byte == '_';
}

bool is_ascii(std::string_view text) {
    for (const char byte : text) {
        if (static_cast<unsigned char>(byte) >= 0x80) return false;
    }
    return true;
}

// `name` is lower-case and ASCII.
Result<void> check(std::string_view name) {
    if (name.empty()) return malformed("empty domain name");
    if (name.size() > name_bytes_max) return malformed("domain name over 253 octets");
    std::size_t label_bytes = 0;
    for (const char byte : name) {
        if (byte == '.') {
            if (label_bytes == 0) return malformed("empty label in a domain name");
            label_bytes = 0;
            continue;
        }
        if (!is_host_byte(byte)) return malformed("character that no domain name has");
        if (++label_bytes > label_bytes_max) return malformed("domain label over 63 octets");
    }
    if (label_bytes == 0) return malformed("empty label in a domain name");
    return {};
}

}  // namespace

Result<std::string> to_lookup_form(std::string_view domain) {
    if (!domain.empty() && domain.back() == '.') domain.remove_suffix(1);
    std::string name;
    if (is_ascii(domain)) {
        name.reserve(domain.size());
        for (const char byte : domain) name.push_back(lower_case(byte));
    } else {
        if (domain.size() > 4 * name_bytes_max) return malformed("domain name over 253 octets");
        const std::string text(domain);
        if (text.find('\0') != std::string::npos) return malformed("NUL in a domain name");
        std::uint8_t* converted = nullptr;
        const int status = idn2_lookup_u8(reinterpret_cast<const std::uint8_t*>(text.c_str()),
                                          &converted, IDN2_NFC_INPUT | IDN2_NONTRANSITIONAL);
        const std::unique_ptr<std::uint8_t, decltype(&idn2_free)> owned(
            converted, [](void* memory) { idn2_free(memory); });
        if (status != IDN2_OK) return malformed("domain name without an IDNA form");
        for (const char* at = reinterpret_cast<const char*>(converted); *at; ++at) {
            name.push_back(lower_case(*at));
        }
    }
    TRY(check(name));
    return name;
}

Result<std::string> name_from_wire(std::string_view wire) {
    std::string name;
    std::size_t at = 0;
    for (;;) {
        if (at >= wire.size()) return malformed("DNS name ends inside");
        const std::size_t bytes = static_cast<unsigned char>(wire[at++]);
        if (bytes == 0) break;
        if (bytes > label_bytes_max || bytes > wire.size() - at) {
            return malformed("DNS label longer than its name");
        }
        if (!name.empty()) name.push_back('.');
        for (const char byte : wire.substr(at, bytes)) {
            if (!is_host_byte(lower_case(byte)))
                return malformed("character that no host name has");
            name.push_back(lower_case(byte));
        }
        at += bytes;
    }
    if (name.size() > name_bytes_max) return malformed("domain name over 253 octets");
    return name;
}

}  // namespace sealgate
