// SPDX-License-Identifier: GPL-3.0-or-later
// A dense array whose memory can be counted: mapped in segments, held page by page as it is used.
//
// malloc would not say what it keeps; here held_bytes() is what the process really holds. Growing
// maps a segment at a time and moves nothing. Elements are bytes without constructors; new ones
// have any value. One thread.
#pragma once

#include <sys/mman.h>

#include <algorithm>
#include <cstdint>
#include <type_traits>
#include <vector>

#include "core/result.h"

namespace sealgate {

template <typename T>
class PagedArray {
public:
    static_assert(std::is_trivially_copyable_v<T>);

    PagedArray() = default;
    PagedArray(const PagedArray&) = delete;
    PagedArray& operator=(const PagedArray&) = delete;
    ~PagedArray() {
        for (T* segment : segments_) ::munmap(segment, segment_bytes);
    }

    T& operator[](std::uint32_t index) {
        return segments_[index / per_segment][index % per_segment];
    }
    const T& operator[](std::uint32_t index) const {
        return segments_[index / per_segment][index % per_segment];
    }
    std::uint32_t size() const { return size_; }

    void resize(std::uint32_t size) {
        while (size > segments_.size() * per_segment) add_segment();
        size_ = size;
        touched_ = std::max(touched_, size);
    }

    std::uint64_t held_bytes() const { return held_bytes_at(size_); }
    // What it would be with `size` elements and without a release() before.
    std::uint64_t held_bytes_at(std::uint32_t size) const {
        return whole_pages(std::uint64_t{std::max(touched_, size)} * sizeof(T)) +
               segments_.capacity() * sizeof(T*);
    }

    // Pages behind `size` elements that are still held; release() gives them back.
    bool has_slack_at(std::uint32_t size) const {
        return whole_pages(bytes_of(touched_)) > whole_pages(bytes_of(size));
    }
    void release() {
        const std::uint64_t end = whole_pages(bytes_of(touched_));
        for (std::uint64_t at = whole_pages(bytes_of(size_)); at < end;) {
            const std::uint64_t in_segment = at % segment_bytes;
            const std::uint64_t bytes = std::min(end - at, segment_bytes - in_segment);
            char* base = reinterpret_cast<char*>(segments_[at / segment_bytes]);
            CHECK(::madvise(base + in_segment, bytes, MADV_DONTNEED) == 0);
            at += bytes;
        }
        touched_ = size_;
        while (segments_.size() > (std::uint64_t{size_} + per_segment - 1) / per_segment) {
            ::munmap(segments_.back(), segment_bytes);
            segments_.pop_back();
        }
    }

private:
    static constexpr std::uint64_t segment_bytes = 1 << 20;
    static constexpr std::uint32_t per_segment = segment_bytes / sizeof(T);
    static constexpr std::uint64_t page_bytes = 4096;
    static_assert(segment_bytes % sizeof(T) == 0);

    static std::uint64_t bytes_of(std::uint32_t size) { return std::uint64_t{size} * sizeof(T); }
    static std::uint64_t whole_pages(std::uint64_t bytes) {
        return (bytes + page_bytes - 1) / page_bytes * page_bytes;
    }

    void add_segment() {
        void* memory = ::mmap(nullptr, segment_bytes, PROT_READ | PROT_WRITE,
                              MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        CHECK(memory != MAP_FAILED);  // out of memory
        // One touched byte would hold 2 MB where huge pages are always on.
        (void)::madvise(memory, segment_bytes, MADV_NOHUGEPAGE);
        segments_.push_back(static_cast<T*>(memory));
    }

    std::vector<T*> segments_;
    std::uint32_t size_ = 0;
    std::uint32_t touched_ = 0;  // elements whose pages are held
};

}  // namespace sealgate
