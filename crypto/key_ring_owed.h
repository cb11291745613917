// SPDX-License-Identifier: GPL-3.0-or-later
// Owners whose harvested keys have gone from memory and not yet from the disk, which was behind.
//
// A stack of texts in memory that can be counted: of a disk that hangs for long it holds every
// owner that the repository had. One thread.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "crypto/key_ring_memory.h"

namespace sealgate {

class OwedRemovals {
public:
    bool empty() const { return count_ == 0; }
    std::uint64_t count() const { return count_; }
    std::uint64_t held_bytes() const { return bytes_.held_bytes(); }

    void push(std::string_view owner) {  // of less than 64 KB
        std::uint32_t at = bytes_.size();
        bytes_.resize(at + static_cast<std::uint32_t>(owner.size()) + 2);
        for (const char c : owner) bytes_[at++] = static_cast<std::uint8_t>(c);
        bytes_[at++] = static_cast<std::uint8_t>(owner.size() >> 8);
        bytes_[at] = static_cast<std::uint8_t>(owner.size() & 0xff);
        ++count_;
    }
    std::string pop() {
        const std::uint32_t end = bytes_.size() - 2;
        const std::uint32_t size = std::uint32_t{bytes_[end]} << 8 | bytes_[end + 1];
        std::string owner(size, '\0');
        for (std::uint32_t i = 0; i < size; ++i)
            owner[i] = static_cast<char>(bytes_[end - size + i]);
        bytes_.resize(end - size);
        --count_;
        return owner;
    }
    void release() { bytes_.release(); }  // what it held and does not need any more

private:
    PagedArray<std::uint8_t> bytes_;
    std::uint64_t count_ = 0;
};

}  // namespace sealgate
