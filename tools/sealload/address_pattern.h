// SPDX-License-Identifier: GPL-3.0-or-later
// Addresses made by number: "user%d@example.com", cut into pieces once and written many times.
//
// %d is the message's number, %r the recipient's within the message (from 1), %h the number of its
// domain. Any other % stands for itself. A value.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace sealgate {

struct AddressNumbers {
    std::uint64_t message = 0, recipient = 0, domain = 0;
};

class AddressPattern {
public:
    explicit AddressPattern(std::string_view text);

    void append_to(std::string& out, const AddressNumbers& numbers) const;
    bool has_recipient() const { return has(Number::recipient); }
    bool has_domain() const { return has(Number::domain); }

private:
    enum class Number : std::uint8_t { none, message, recipient, domain };
    struct Piece {
        std::string before;
        Number number = Number::none;  // behind it
    };
    bool has(Number number) const;

    std::vector<Piece> pieces_;
};

// In decimal, without an allocation of its own.
void append_number(std::string& out, std::uint64_t number);

}  // namespace sealgate
