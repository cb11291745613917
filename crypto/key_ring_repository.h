// SPDX-License-Identifier: GPL-3.0-or-later
// Harvested keys in memory: one certificate for each owner, compact, found in O(1), oldest out
// first.
//
// A record is a chain of blocks of 128 bytes: a head with what decides, then the owner and the
// certificate's DER. The blocks are one dense array: a block that becomes free is filled at once
// with the last one, so that there are no holes, and what statistics say is what the process
// holds. The index is a table of heads that grows by one bucket at a time (linear hashing); the
// order of use is a list through the heads. Every call does a bounded amount of work. Knows no disk
// and parses no certificate. One thread.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/bytes.h"
#include "crypto/key_ring_memory.h"

namespace sealgate {

// Seconds since 1970 in 32 bits: what lies before or behind them counts as their end.
std::uint32_t short_time(std::int64_t seconds);

class KeyRepository {
public:
    // What decides about a key without parsing it.
    struct Facts {
        std::uint32_t generation = 0;  // another for each put()
        std::uint32_t signing_time = 0;
        std::uint32_t not_before = 0;
        std::uint32_t not_after = 0;
        std::uint32_t last_used = 0;
        std::uint32_t last_used_stored = 0;  // as it is on the disk
        std::uint8_t capabilities = 0;       // SmimeCapabilities::to_bits()
        bool usable = false;                 // may encrypt, and covers its owner
        bool unstored = false;               // it is not on the disk yet
        bool on_disk = false;                // there it, or what its owner had before, may be
        bool verified = false;               // it came with mail that was verified
    };
    // Where a record is, until the next put() or remove().
    using Place = std::uint32_t;
    static constexpr Place nowhere = UINT32_MAX;

    KeyRepository();

    Place locate(std::string_view owner) const;
    Facts facts(Place place) const;
    std::string owner(Place place) const;
    Bytes der(Place place) const;
    std::uint32_t record_bytes(Place place) const {  // owner and DER
        return head(place).owner_bytes + head(place).der_bytes;
    }

    // Now it is the last that goes. `stored`: that time is going to the disk.
    void touch(Place place, std::uint32_t now, bool stored);

    void set_stored(Place place) {
        head(place).unstored = false;
        head(place).on_disk = true;
    }
    void set_unstored(Place place) { head(place).unstored = true; }
    void set_on_disk(Place place) { head(place).on_disk = true; }

    // The same key came again: takes signing_time, capabilities and verified.
    void refresh(Place place, const Facts& facts);

    // The owner has no record yet.
    void put(std::string_view owner, ByteSpan der, const Facts& facts);
    void remove(Place place);
    Place oldest() const { return oldest_; }
    // Puts the list in the order of last_used (after loading).
    void sort_by_use();

    std::uint32_t count() const { return count_; }
    std::uint64_t held_bytes() const;
    // With another record of so many bytes (owner and DER), or without one.
    std::uint64_t held_bytes_with(std::optional<std::size_t> record_bytes) const;
    // Whether pages are held that it would not need; release() gives them back.
    bool has_slack_with(std::optional<std::size_t> record_bytes) const;
    void release() { blocks_.release(); }
    // What a record takes, its share of the index included.
    static std::uint64_t bytes_of_record(std::size_t record_bytes);

    // Walks from `bucket` until `each` says false; the bucket to go on with, or nothing at the end.
    // A record may be seen twice when the table grows between two walks.
    std::optional<std::uint32_t> walk(std::uint32_t bucket,
                                      const std::function<bool(Place)>& each) const;

private:
    struct Head {
        std::uint32_t hash;
        Place next_in_bucket;
        Place newer, older;
        std::uint32_t der_bytes;
        std::uint32_t generation, signing_time, not_before, not_after, last_used, last_used_stored;
        std::uint16_t owner_bytes;
        std::uint8_t capabilities;
        bool usable;
        bool unstored;
        bool on_disk;
        bool verified;
    };
    static constexpr std::size_t block_bytes = 128;
    struct Block {
        Place next;      // of the record; nowhere: the last
        Place previous;  // nowhere: this is the head
        std::array<std::uint8_t, block_bytes - 2 * sizeof(Place)> body;
    };
    static constexpr std::size_t body_bytes = sizeof(Block::body);
    static constexpr std::size_t head_room_bytes = body_bytes - sizeof(Head);
    static_assert(sizeof(Block) == block_bytes);

    Head& head(Place place) { return *reinterpret_cast<Head*>(blocks_[place].body.data()); }
    const Head& head(Place place) const {
        return *reinterpret_cast<const Head*>(blocks_[place].body.data());
    }
    static std::uint32_t blocks_of_record(std::size_t record_bytes);
    std::uint32_t blocks_with(std::optional<std::size_t> record_bytes) const;
    void copy(Place place, std::size_t from, std::uint8_t* to, std::size_t bytes) const;
    bool is_of(Place place, std::string_view owner) const;

    std::uint32_t bucket_of(std::uint32_t hash) const;
    Place* link_to(Place place);  // what names it in its bucket
    void add_bucket();

    void unlink_use(Place place);
    void link_newest(Place place);

    void free_chain(Place place);
    void fill(Place hole);  // with the last block

    PagedArray<Block> blocks_;
    PagedArray<Place> buckets_;
    std::uint32_t count_ = 0;
    Place newest_ = nowhere, oldest_ = nowhere;
};

}  // namespace sealgate
