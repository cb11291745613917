// SPDX-License-Identifier: GPL-3.0-or-later
// The key ring at start: what is on disk comes into memory.
#include <algorithm>

#include "crypto/key_ring_records.h"
#include "crypto/key_ring_state.h"

namespace sealgate {
namespace {

// What has no room goes from the disk in pieces of this size.
constexpr std::size_t gone_bytes_max = 64 * 1024;
// So many 'U' records without an 'H' are passed over; there are none unless a write failed.
constexpr std::size_t strays_max = 16;

// The times of use, in the order of owners, which is also that of the keys.
class Uses {
public:
    Result<void> load(const RecordStore& store) {
        Result<void> result;
        TRY(store.each(key_records::use_prefix, [&](std::string_view key, std::string_view value) {
            const auto use = key_records::read_use(value);
            if (!use) {
                result = tl::unexpected(use.error());
                return false;
            }
            const std::string_view owner = key.substr(key_records::use_prefix.size());
            uses_.push_back({owner_hash(owner), use->last_used, use->record_bytes});
            return true;
        }));
        return result;
    }

    // Keys last used before it have no room.
    std::uint32_t oldest_with_room(std::uint64_t capacity_bytes) const {
        std::uint64_t bytes = 0;
        for (const Use& use : uses_) bytes += KeyRepository::bytes_of_record(use.record_bytes);
        if (bytes <= capacity_bytes) return 0;
        std::vector<Use> by_use = uses_;
        std::sort(by_use.begin(), by_use.end(),
                  [](const Use& a, const Use& b) { return a.last_used > b.last_used; });
        bytes = 0;
        for (const Use& use : by_use) {
            bytes += KeyRepository::bytes_of_record(use.record_bytes);
            if (bytes > capacity_bytes) return use.last_used;
        }
        return 0;
    }

    // To be asked in the order of owners.
    std::uint32_t last_used(std::string_view owner) {
        const std::uint64_t hash = owner_hash(owner);
        const std::size_t end = std::min(uses_.size(), next_ + strays_max);
        for (std::size_t at = next_; at < end; ++at) {
            if (uses_[at].hash != hash) continue;
            next_ = at + 1;
            return uses_[at].last_used;
        }
        return 0;
    }

private:
    struct Use {
        std::uint64_t hash;
        std::uint32_t last_used;
        std::uint32_t record_bytes;
    };
    std::vector<Use> uses_;
    std::size_t next_ = 0;
};

}  // namespace

Result<void> KeyRing::State::load(bool with_harvested) {
    TRY(load_manual());
    if (!with_harvested) return {};
    if (persist) return load_harvested();
    // What was kept when it was still wanted.
    for (const std::string_view prefix :
         {key_records::harvested_prefix, key_records::use_prefix, key_records::note_prefix}) {
        bool is_there = false;
        TRY(store->each(prefix, [&](std::string_view, std::string_view) {
            is_there = true;
            return false;
        }));
        if (is_there) TRY(store->purge(prefix));
    }
    return {};
}

Result<void> KeyRing::State::load_manual() {
    Result<void> result;
    TRY(store->each(key_records::manual_prefix, [&](std::string_view key, std::string_view value) {
        auto read = key_records::read_manual(value);
        if (!read) {
            result = tl::unexpected(read.error());
            return false;
        }
        read->generation = next_generation++;
        manual.put(std::string(key.substr(key_records::manual_prefix.size())), *std::move(read));
        return true;
    }));
    return result;
}

Result<void> KeyRing::State::load_harvested() {
    Uses uses;
    TRY(uses.load(*store));
    const std::uint32_t oldest = uses.oldest_with_room(capacity_bytes);
    Result<void> result;
    Changes gone;
    // At once: there may be millions, and nothing else is written yet. What cannot be removed is
    // met again at the next start.
    const auto remove_gone = [&](std::size_t bytes_min) {
        if (gone.batch.bytes() < bytes_min) return;
        (void)store->write_at_start(std::move(gone.batch));
        gone = {};
    };
    TRY(store->each(key_records::harvested_prefix,
                    [&](std::string_view key, std::string_view value) {
                        auto read = key_records::read_harvested(value);
                        if (!read) {
                            result = tl::unexpected(read.error());
                            return false;
                        }
                        const std::string owner(key.substr(key_records::harvested_prefix.size()));
                        KeyRepository::Facts& facts = read->facts;
                        facts.generation = next_generation++;
                        facts.last_used = facts.last_used_stored = uses.last_used(owner);
                        if (facts.last_used < oldest) {
                            remove_harvested(owner, gone);
                            ++evictions;
                        } else {
                            facts.on_disk = true;
                            make_room(owner.size() + read->der.size(), gone);
                            repository.put(owner, read->der, facts);
                        }
                        remove_gone(gone_bytes_max);
                        return true;
                    }));
    TRY(result);
    repository.sort_by_use();
    remove_gone(1);
    return {};
}

}  // namespace sealgate
