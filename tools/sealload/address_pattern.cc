// SPDX-License-Identifier: GPL-3.0-or-later
#include "tools/sealload/address_pattern.h"

#include <algorithm>
#include <charconv>

namespace sealgate {

AddressPattern::AddressPattern(std::string_view text) {
    Piece piece;
    for (std::size_t i = 0; i < text.size(); ++i) {
        const char next = text[i] == '%' && i + 1 < text.size() ? text[i + 1] : '\0';
        piece.number = next == 'd'   ? Number::message
                       : next == 'r' ? Number::recipient
                       : next == 'h' ? Number::domain
                                     : Number::none;
        if (piece.number == Number::none) {
            piece.before += text[i];
            continue;
        }
        pieces_.push_back(std::move(piece));
        piece = Piece();
        ++i;
    }
    if (!piece.before.empty()) pieces_.push_back(std::move(piece));
}

void AddressPattern::append_to(std::string& out, const AddressNumbers& numbers) const {
    for (const Piece& piece : pieces_) {
        out += piece.before;
        switch (piece.number) {
        case Number::none: break;
        case Number::message: append_number(out, numbers.message); break;
        case Number::recipient: append_number(out, numbers.recipient); break;
        case Number::domain: append_number(out, numbers.domain); break;
        }
    }
}

bool AddressPattern::has(Number number) const {
    return std::any_of(pieces_.begin(), pieces_.end(),
                       [&](const Piece& piece) { return piece.number == number; });
}

void append_number(std::string& out, std::uint64_t number) {
    char digits[20];
    const auto [end, wrong] = std::to_chars(digits, digits + sizeof digits, number);
    out.append(digits, end);
}

}  // namespace sealgate
