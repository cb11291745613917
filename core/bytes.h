// SPDX-License-Identifier: GPL-3.0-or-later
// Bytes that are somebody else's, and bytes that must be wiped.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace sealgate {

// Someone else's bytes, for this call; storing one is worth a comment.
using ByteSpan = std::span<const std::uint8_t>;
using Bytes = std::vector<std::uint8_t>;

inline ByteSpan as_bytes(std::string_view text) {
    return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
}
inline std::string_view as_text(ByteSpan bytes) {
    return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

// Overwrites memory in a way the compiler may not remove.
void wipe(void* memory, std::size_t bytes) noexcept;

// Keys and plaintext secrets: move-only, wiped when it goes. Any thread, one owner.
class SecureBytes {
public:
    SecureBytes() = default;
    explicit SecureBytes(std::size_t bytes) : bytes_(bytes) {}
    static SecureBytes copy_of(ByteSpan bytes) {
        SecureBytes copy(bytes.size());
        if (!bytes.empty()) std::memcpy(copy.data(), bytes.data(), bytes.size());
        return copy;
    }
    SecureBytes(SecureBytes&& other) noexcept : bytes_(std::move(other.bytes_)) {
        other.bytes_.clear();
    }
    SecureBytes& operator=(SecureBytes&& other) noexcept {
        if (this != &other) {
            wipe(bytes_.data(), bytes_.size());
            bytes_ = std::move(other.bytes_);
            other.bytes_.clear();
        }
        return *this;
    }
    SecureBytes(const SecureBytes&) = delete;
    SecureBytes& operator=(const SecureBytes&) = delete;
    ~SecureBytes() { wipe(bytes_.data(), bytes_.size()); }

    std::uint8_t* data() { return bytes_.data(); }
    const std::uint8_t* data() const { return bytes_.data(); }
    std::size_t size() const { return bytes_.size(); }
    bool empty() const { return bytes_.empty(); }
    ByteSpan bytes() const { return bytes_; }

private:
    Bytes bytes_;
};

}  // namespace sealgate
