// SPDX-License-Identifier: GPL-3.0-or-later
#include "crypto/key_ring_parsed.h"

namespace sealgate {
namespace {

// An allocation with what the allocator adds.
std::uint64_t allocation(std::size_t bytes) { return bytes == 0 ? 0 : (bytes + 31) / 16 * 16; }

std::uint64_t allocation(const std::string& text) {
    return text.capacity() < sizeof(std::string) / 2 ? 0 : allocation(text.capacity() + 1);
}

std::uint64_t allocation(const std::vector<std::string>& texts) {
    std::uint64_t bytes = allocation(texts.capacity() * sizeof(std::string));
    for (const std::string& text : texts) bytes += allocation(text);
    return bytes;
}

std::uint64_t bytes_of(const Certificate& certificate) {
    constexpr std::size_t entry_bytes = 160;  // the list's node and the map's
    std::uint64_t bytes = allocation(sizeof(Certificate)) + entry_bytes;
    for (const ByteSpan part :
         {certificate.der(), certificate.subject_der(), certificate.issuer_der(),
          certificate.serial_der(), certificate.subject_key_id(), certificate.public_key_der()})
        bytes += allocation(part.size());
    for (const std::string* text : {&certificate.subject(), &certificate.issuer(),
                                    &certificate.common_name(), &certificate.serial()})
        bytes += allocation(*text);
    return bytes + allocation(certificate.emails()) + allocation(certificate.domains());
}

}  // namespace

CertificatePtr ParsedKeys::find(std::uint32_t generation) {
    const auto found = by_generation_.find(generation);
    if (found == by_generation_.end()) return nullptr;
    by_use_.splice(by_use_.begin(), by_use_, found->second);
    return found->second->certificate;
}

bool ParsedKeys::came_before(std::uint32_t generation) {
    const std::size_t bit = generation % came_.size();
    if (came_.test(bit)) return true;
    if (++came_count_ == came_.size() / 2) {
        came_.reset();
        came_count_ = 0;
    }
    came_.set(bit);
    return false;
}

void ParsedKeys::keep(std::uint32_t generation, CertificatePtr certificate) {
    if (!came_before(generation)) return;
    const std::uint64_t bytes = bytes_of(*certificate);
    if (bytes > bytes_max_ || by_generation_.count(generation) > 0) return;
    by_use_.push_front({generation, bytes, std::move(certificate)});
    by_generation_[generation] = by_use_.begin();
    bytes_ += bytes;
    while (bytes_ > bytes_max_) drop_oldest();
}

void ParsedKeys::set_bytes_max(std::uint64_t bytes_max) {
    bytes_max_ = bytes_max;
    while (bytes_ > bytes_max_) drop_oldest();
}

void ParsedKeys::drop_oldest() {
    const Entry& oldest = by_use_.back();
    bytes_ -= oldest.bytes;
    by_generation_.erase(oldest.generation);
    by_use_.pop_back();
}

}  // namespace sealgate
