// SPDX-License-Identifier: GPL-3.0-or-later
#include "crypto/pem.h"

#include <algorithm>

#include <wolfssl/wolfcrypt/coding.h>

namespace sealgate {
namespace {

constexpr std::string_view begin_mark = "-----BEGIN ";
constexpr std::string_view end_mark = "-----END ";
constexpr std::string_view dashes = "-----";
constexpr std::size_t blocks_max = 10'000;  // a bundle of all public authorities has 150

// The contents without white space, decoded. Base64_Decode is strict about everything else.
Result<SecureBytes> decode(std::string_view base64, std::size_t at) {
    SecureBytes packed(base64.size());
    std::size_t count = 0;
    for (const char c : base64) {
        if (c == ' ' || c == '\t' || c == '\r' || c == '\n') continue;
        packed.data()[count++] = static_cast<std::uint8_t>(c);
    }
    if (count == 0) return malformed("PEM block is empty", at);
    SecureBytes decoded(count / 4 * 3 + 3);
    auto length = static_cast<word32>(decoded.size());
    if (Base64_Decode(packed.data(), static_cast<word32>(count), decoded.data(), &length) != 0) {
        return malformed("PEM block is not base64", at);
    }
    return SecureBytes::copy_of(decoded.bytes().first(length));
}

// RFC 1421 headers stand before the first blank line; "Proc-Type" is always the first of them.
bool has_encryption_headers(std::string_view contents) {
    return contents.find("Proc-Type:") != std::string_view::npos;
}

bool at_line_begin(std::string_view text, std::size_t at) {
    return at == 0 || text[at - 1] == '\n' || text[at - 1] == '\r';
}

}  // namespace

bool PemBlock::is_certificate() const {
    return label == "CERTIFICATE" || label == "X509 CERTIFICATE" || label == "TRUSTED CERTIFICATE";
}

bool PemBlock::is_private_key() const {
    constexpr std::string_view ending = "PRIVATE KEY";
    return label.size() >= ending.size() &&
           std::string_view(label).substr(label.size() - ending.size()) == ending;
}

Result<std::vector<PemBlock>> read_pem(ByteSpan bytes) {
    const std::string_view text = as_text(bytes);
    std::vector<PemBlock> blocks;
    for (std::size_t from = 0;;) {
        const std::size_t begin = text.find(begin_mark, from);
        if (begin == std::string_view::npos) return blocks;
        from = begin + begin_mark.size();
        if (!at_line_begin(text, begin)) continue;
        const std::size_t label_end = text.find(dashes, from);
        if (label_end == std::string_view::npos || label_end - from > 64) {
            return malformed("PEM block without a label", begin);
        }
        PemBlock block;
        block.label = text.substr(from, label_end - from);
        if (block.label.find('\n') != std::string::npos) {
            return malformed("PEM block without a label", begin);
        }
        const std::string end_line = std::string(end_mark) + block.label + std::string(dashes);
        const std::size_t contents = label_end + dashes.size();
        const std::size_t end = text.find(end_line, contents);
        if (end == std::string_view::npos) return malformed("PEM block without its end", begin);
        if (blocks.size() == blocks_max) return past_limit("PEM file of more than 10,000 blocks");
        const std::string_view inside = text.substr(contents, end - contents);
        block.has_headers = has_encryption_headers(inside);
        if (!block.has_headers) block.der = TRY(decode(inside, begin));
        from = end + end_line.size();
        block.text = SecureBytes::copy_of(as_bytes(text.substr(begin, from - begin)));
        blocks.push_back(std::move(block));
    }
}

SecureBytes write_pem(std::string_view label, ByteSpan der) {
    // Base64_Encode writes lines of 64 characters, each with its LF.
    auto length = static_cast<word32>(der.size() / 48 * 65 + 128);
    SecureBytes base64(length);
    CHECK(Base64_Encode(der.data(), static_cast<word32>(der.size()), base64.data(), &length) == 0);
    const std::string begin = std::string(begin_mark) + std::string(label) + "-----\n";
    const std::string end = std::string(end_mark) + std::string(label) + "-----\n";
    SecureBytes text(begin.size() + length + end.size());
    std::uint8_t* out = std::copy(begin.begin(), begin.end(), text.data());
    out = std::copy_n(base64.data(), length, out);
    std::copy(end.begin(), end.end(), out);
    return text;
}

}  // namespace sealgate
