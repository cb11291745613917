// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/chunk.h"

#include <algorithm>
#include <cstring>
#include <new>

#include "core/result.h"

namespace sealgate {

BlockPool& BlockPool::instance() {
    static BlockPool pool;
    return pool;
}

Block* Block::allocate(std::size_t capacity_bytes) {
    CHECK(capacity_bytes <= 0xffffffffu);
    void* memory = ::operator new(sizeof(Block) + capacity_bytes);
    BlockPool& pool = BlockPool::instance();
    const std::size_t bytes = sizeof(Block) + capacity_bytes;
    const std::size_t now = pool.in_use_bytes_.fetch_add(bytes, std::memory_order_relaxed) + bytes;
    std::size_t peak = pool.peak_bytes_.load(std::memory_order_relaxed);
    while (now > peak && !pool.peak_bytes_.compare_exchange_weak(peak, now)) {
    }
    return new (memory) Block(static_cast<std::uint32_t>(capacity_bytes));
}

void Block::free(Block* block) {
    BlockPool::instance().in_use_bytes_.fetch_sub(sizeof(Block) + block->capacity,
                                                  std::memory_order_relaxed);
    block->~Block();
    ::operator delete(static_cast<void*>(block));
}

Chunk Chunk::copy_of(ByteSpan bytes) {
    if (bytes.empty()) return {};
    Block* block = Block::allocate(bytes.size());
    std::memcpy(block->bytes(), bytes.data(), bytes.size());
    Chunk chunk = window(*block, 0, bytes.size());
    block->release();
    return chunk;
}

Chunk Chunk::slice(std::size_t begin, std::size_t end) const {
    CHECK(begin <= end && end <= size_);
    Chunk part(*this);
    part.data_ += begin;
    part.size_ = static_cast<std::uint32_t>(end - begin);
    return part;
}

void ChunkList::append(Chunk chunk) {
    if (chunk.empty()) return;
    bytes_ += chunk.size();
    chunks_.push_back(std::move(chunk));
}

ChunkList& ChunkList::operator=(ChunkList&& other) noexcept {
    chunks_ = std::move(other.chunks_);
    first_ = std::exchange(other.first_, 0);
    bytes_ = std::exchange(other.bytes_, 0);
    other.chunks_.clear();
    return *this;
}

void ChunkList::append(ChunkList&& other) {
    if (empty()) {
        *this = std::move(other);
        return;
    }
    for (std::size_t i = other.first_; i < other.chunks_.size(); ++i)
        append(std::move(other.chunks_[i]));
    other.clear();
}

Chunk ChunkList::take_front() {
    CHECK(!empty());
    Chunk chunk = std::move(chunks_[first_]);
    bytes_ -= chunk.size();
    // What was taken is given back at once when the list is empty, in halves while it is long.
    if (++first_ == chunks_.size()) {
        chunks_.clear();
        first_ = 0;
    } else if (first_ >= 32 && first_ * 2 >= chunks_.size()) {
        chunks_.erase(chunks_.begin(), chunks_.begin() + static_cast<std::ptrdiff_t>(first_));
        first_ = 0;
    }
    return chunk;
}

void ChunkList::trim_front(std::size_t bytes) {
    CHECK(!empty());
    Chunk& front = chunks_[first_];
    front = front.slice(bytes, front.size());
    bytes_ -= bytes;
}

void ChunkList::clear() {
    chunks_.clear();
    first_ = 0;
    bytes_ = 0;
}

std::string ChunkList::to_string() const {
    std::string text;
    text.reserve(bytes_);
    for (const Chunk& chunk : *this) text.append(chunk.text());
    return text;
}

void ChunkBuilder::append(ByteSpan bytes) {
    while (!bytes.empty()) {
        if (!block_ || used_ == block_->capacity) {
            close_window();
            if (block_) block_->release();
            block_ = Block::allocate(block_bytes_);
            begin_ = used_ = 0;
        }
        const std::size_t part = std::min<std::size_t>(bytes.size(), block_->capacity - used_);
        std::memcpy(block_->bytes() + used_, bytes.data(), part);
        used_ += part;
        bytes = bytes.subspan(part);
    }
}

void ChunkBuilder::append_byte(std::uint8_t byte) {
    if (block_ && used_ < block_->capacity) {
        block_->bytes()[used_++] = byte;
        return;
    }
    append(ByteSpan(&byte, 1));
}

std::uint8_t* ChunkBuilder::reserve(std::size_t bytes) {
    if (!block_ || block_->capacity - used_ < bytes) {
        close_window();
        if (block_) block_->release();
        block_ = Block::allocate(std::max(bytes, block_bytes_));
        begin_ = used_ = 0;
    }
    std::uint8_t* room = block_->bytes() + used_;
    used_ += bytes;
    return room;
}

ChunkList ChunkBuilder::take() {
    close_window();
    ChunkList taken = std::move(done_);
    done_ = ChunkList();
    return taken;
}

void ChunkBuilder::close_window() {
    if (block_ && used_ > begin_) done_.append(Chunk::window(*block_, begin_, used_ - begin_));
    begin_ = used_;
}

}  // namespace sealgate
