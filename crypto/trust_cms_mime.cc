// SPDX-License-Identifier: GPL-3.0-or-later
// The MIME of the judge: as little as signed and encrypted mail needs, and none of the gateway's.
#include <climits>

#include "core/text.h"
#include "crypto/trust_cms_internal.h"

namespace sealgate::cms_judge {
namespace {

bool starts_without_case(std::string_view text, std::string_view with) {
    return equal_ignoring_case(text.substr(0, with.size()), with);
}

std::size_t find_without_case(std::string_view text, std::string_view what) {
    for (std::size_t at = 0; at + what.size() <= text.size(); ++at) {
        if (starts_without_case(text.substr(at), what)) return at;
    }
    return std::string_view::npos;
}

std::optional<std::string> boundary_of(const std::string& content_type) {
    constexpr std::string_view name = "boundary=";
    const std::size_t at = find_without_case(content_type, name);
    if (at == std::string::npos) return std::nullopt;
    const std::string_view value = std::string_view(content_type).substr(at + name.size());
    if (!value.empty() && value.front() == '"') {
        return std::string(value.substr(1, value.find('"', 1) - 1));
    }
    return std::string(value.substr(0, value.find_first_of("; \t")));
}

struct DelimiterLine {
    std::size_t content_end = 0;  // the line end before the delimiter is the delimiter's
    std::size_t next = 0;         // after the delimiter's own line end
};

// RFC 2046 §5.1.1: CRLF "--" boundary, then blanks to the end of the line.
std::optional<DelimiterLine> find_delimiter(std::string_view body, std::size_t from,
                                            const std::string& boundary) {
    const std::string wanted = "--" + boundary;
    for (std::size_t at = from; (at = body.find(wanted, at)) != std::string_view::npos; ++at) {
        if (at != 0 && body[at - 1] != '\n') continue;
        const std::size_t end = body.find('\n', at);
        std::string_view rest = body.substr(at + wanted.size(), end - at - wanted.size());
        if (rest.substr(0, 2) == "--") rest.remove_prefix(2);
        if (rest.find_first_not_of(" \t\r") != std::string_view::npos) continue;
        DelimiterLine line;
        line.next = end == std::string_view::npos ? body.size() : end + 1;
        line.content_end = at;
        if (line.content_end > 0) --line.content_end;
        if (line.content_end > 0 && body[line.content_end - 1] == '\r') --line.content_end;
        return line;
    }
    return std::nullopt;
}

std::optional<std::string> decode_base64(std::string_view text) {
    std::string packed;
    packed.reserve(text.size());
    for (const char c : text) {
        if (c != '\r' && c != '\n' && c != ' ' && c != '\t') packed += c;
    }
    if (packed.empty() || packed.size() % 4 != 0 || packed.size() > INT_MAX) return std::nullopt;
    std::string decoded(packed.size() / 4 * 3, '\0');
    const int length = EVP_DecodeBlock(reinterpret_cast<unsigned char*>(decoded.data()),
                                       reinterpret_cast<const unsigned char*>(packed.data()),
                                       static_cast<int>(packed.size()));
    if (length < 0) return std::nullopt;
    const std::size_t padding = packed.ends_with("==") ? 2 : packed.ends_with("=") ? 1 : 0;
    decoded.resize(static_cast<std::size_t>(length) - padding);
    return decoded;
}

std::string_view trimmed(std::string_view text) {
    text.remove_prefix(std::min(text.find_first_not_of(" \t"), text.size()));
    return text.substr(0, text.find_last_not_of(" \t") + 1);
}

}  // namespace

Entity split_entity(std::string_view text) {
    Entity entity;
    std::string* field = nullptr;
    for (std::size_t at = 0; at < text.size();) {
        const std::size_t end = text.find('\n', at);
        std::string_view line = text.substr(at, end - at);
        at = end == std::string_view::npos ? text.size() : end + 1;
        if (!line.empty() && line.back() == '\r') line.remove_suffix(1);
        if (line.empty()) {
            entity.body = text.substr(at);
            break;
        }
        if (line.front() == ' ' || line.front() == '\t') {
            if (field != nullptr) *field += line;
            continue;
        }
        const std::size_t colon = line.find(':');
        const std::string_view name = line.substr(0, colon);
        field = equal_ignoring_case(name, "Content-Type")                ? &entity.content_type
                : equal_ignoring_case(name, "Content-Transfer-Encoding") ? &entity.transfer_encoding
                                                                         : nullptr;
        if (field != nullptr) *field = line.substr(std::min(line.size(), name.size() + 1));
    }
    return entity;
}

bool is_multipart_signed(const Entity& entity) {
    return starts_without_case(trimmed(entity.content_type), "multipart/signed");
}

bool is_pkcs7_mime(const Entity& entity) {
    const std::string_view type = trimmed(entity.content_type);
    return starts_without_case(type, "application/pkcs7-mime") ||
           starts_without_case(type, "application/x-pkcs7-mime");
}

std::optional<SignedDataParts> split_signed(const Entity& root, std::string& why) {
    const auto boundary = boundary_of(root.content_type);
    const auto nothing = [&why](const char* what) {
        why = what;
        return std::nullopt;
    };
    if (!boundary || boundary->empty()) return nothing("multipart/signed without a boundary");
    const auto first = find_delimiter(root.body, 0, *boundary);
    if (!first) return nothing("multipart/signed without a part");
    const auto second = find_delimiter(root.body, first->next, *boundary);
    if (!second) return nothing("multipart/signed without a second part");
    const auto last = find_delimiter(root.body, second->next, *boundary);
    if (!last) return nothing("multipart/signed that does not end");
    const Entity part =
        split_entity(root.body.substr(second->next, last->content_end - second->next));
    if (find_without_case(part.content_type, "pkcs7-signature") == std::string::npos)
        return nothing("the second part is no application/pkcs7-signature");
    auto cms = decode_base64(part.body);
    if (!cms) return nothing("the signature is not base64");
    return SignedDataParts{root.body.substr(first->next, second->content_end - first->next),
                           *std::move(cms)};
}

std::optional<std::string> carried_cms(const Entity& entity) {
    if (equal_ignoring_case(trimmed(entity.transfer_encoding), "binary"))
        return std::string(entity.body);
    return decode_base64(entity.body);
}

}  // namespace sealgate::cms_judge
