// SPDX-License-Identifier: GPL-3.0-or-later
// Message bytes on their way: windows on reference-counted blocks, within one budget.
//
// A Chunk is immutable once it left its builder; slice() copies nothing. What a stage does not
// change, it does not copy. Blocks are counted against the budget of `[gateway] memory-max`: the
// pool never refuses a block, it says `exhausted()`, and those who read sockets stop reading.
//
// Threads: chunks may be released on any thread (the count is atomic); each Chunk object has one
// owner at a time.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/bytes.h"

namespace sealgate {

// The process's message memory. in_use_bytes() counts whole blocks, as the process holds them.
class BlockPool {
public:
    static BlockPool& instance();

    void set_budget_bytes(std::size_t bytes) { budget_bytes_.store(bytes); }
    std::size_t budget_bytes() const { return budget_bytes_.load(std::memory_order_relaxed); }
    std::size_t in_use_bytes() const { return in_use_bytes_.load(std::memory_order_relaxed); }
    std::size_t peak_bytes() const { return peak_bytes_.load(std::memory_order_relaxed); }
    bool exhausted() const { return in_use_bytes() >= budget_bytes(); }

private:
    friend struct Block;
    std::atomic<std::size_t> budget_bytes_{std::size_t{2} << 30};
    std::atomic<std::size_t> in_use_bytes_{0};
    std::atomic<std::size_t> peak_bytes_{0};
};

struct Block {
    std::atomic<std::uint32_t> references{1};
    std::uint32_t capacity;

    static Block* allocate(std::size_t capacity_bytes);
    std::uint8_t* bytes() { return reinterpret_cast<std::uint8_t*>(this + 1); }
    void retain() { references.fetch_add(1, std::memory_order_relaxed); }
    void release() {
        if (references.fetch_sub(1, std::memory_order_acq_rel) == 1) free(this);
    }
    bool shared() const { return references.load(std::memory_order_acquire) > 1; }

private:
    explicit Block(std::uint32_t capacity_bytes) : capacity(capacity_bytes) {}
    static void free(Block* block);
};

// A window on a block, or on static storage. 24 bytes; moving hands it over, copying shares it.
class Chunk {
public:
    Chunk() = default;
    Chunk(const Chunk& other) : block_(other.block_), data_(other.data_), size_(other.size_) {
        if (block_) block_->retain();
    }
    Chunk(Chunk&& other) noexcept
        : block_(std::exchange(other.block_, nullptr)),
          data_(std::exchange(other.data_, nullptr)),
          size_(std::exchange(other.size_, 0)) {}
    Chunk& operator=(Chunk other) noexcept {
        std::swap(block_, other.block_);
        std::swap(data_, other.data_);
        std::swap(size_, other.size_);
        return *this;
    }
    ~Chunk() {
        if (block_) block_->release();
    }

    // The text must live for ever: a string literal.
    static Chunk literal(std::string_view text) { return Chunk(nullptr, text.data(), text.size()); }
    static Chunk copy_of(ByteSpan bytes);
    static Chunk copy_of(std::string_view text) { return copy_of(as_bytes(text)); }
    // Shares `block` (one more reference); [begin, begin + bytes) must lie inside what is written.
    static Chunk window(Block& block, std::size_t begin, std::size_t bytes) {
        block.retain();
        return Chunk(&block, reinterpret_cast<const char*>(block.bytes()) + begin, bytes);
    }

    const std::uint8_t* data() const { return data_; }
    std::size_t size() const { return size_; }
    bool empty() const { return size_ == 0; }
    ByteSpan bytes() const { return {data_, size_}; }
    std::string_view text() const { return as_text(bytes()); }
    // [begin, end) of this window, sharing its block.
    Chunk slice(std::size_t begin, std::size_t end) const;

private:
    Chunk(Block* block, const char* data, std::size_t size)
        : block_(block),
          data_(reinterpret_cast<const std::uint8_t*>(data)),
          size_(static_cast<std::uint32_t>(size)) {}

    Block* block_ = nullptr;
    const std::uint8_t* data_ = nullptr;
    std::uint32_t size_ = 0;
};

// Chunks in order, with their total size. The owner keeps it under a limit of its own.
class ChunkList {
public:
    ChunkList() = default;
    ChunkList(const ChunkList&) = default;
    ChunkList& operator=(const ChunkList&) = default;
    ChunkList(ChunkList&& other) noexcept { *this = std::move(other); }
    ChunkList& operator=(ChunkList&& other) noexcept;

    void append(Chunk chunk);
    void append(ChunkList&& other);
    Chunk take_front();
    void trim_front(std::size_t bytes);  // at most the first chunk's
    void clear();

    std::size_t bytes() const { return bytes_; }
    std::size_t count() const { return chunks_.size() - first_; }
    bool empty() const { return count() == 0; }
    const Chunk* begin() const { return chunks_.data() + first_; }
    const Chunk* end() const { return chunks_.data() + chunks_.size(); }
    std::string to_string() const;

private:
    std::vector<Chunk> chunks_;  // an empty list owns no memory
    std::size_t first_ = 0;      // those before it were taken
    std::size_t bytes_ = 0;
};

// Collects small pieces into blocks of its own: headers, encoder output. finish by take().
class ChunkBuilder {
public:
    explicit ChunkBuilder(std::size_t block_bytes = 4096) : block_bytes_(block_bytes) {}
    ChunkBuilder(const ChunkBuilder&) = delete;
    ChunkBuilder& operator=(const ChunkBuilder&) = delete;
    ~ChunkBuilder() {
        if (block_) block_->release();
    }

    void append(ByteSpan bytes);
    void append(std::string_view text) { append(as_bytes(text)); }
    void append_byte(std::uint8_t byte);
    // Room for exactly `bytes` contiguous bytes (≤ 64 KB), to be written by the caller now.
    std::uint8_t* reserve(std::size_t bytes);

    std::size_t bytes() const { return done_.bytes() + (used_ - begin_); }
    bool empty() const { return bytes() == 0; }
    ChunkList take();

private:
    void close_window();

    std::size_t block_bytes_;
    Block* block_ = nullptr;
    std::size_t begin_ = 0;  // of what is not yet in done_
    std::size_t used_ = 0;
    ChunkList done_;
};

}  // namespace sealgate
