// SPDX-License-Identifier: GPL-3.0-or-later
// What the key ring's files share: the parts it is put together from.
#pragma once

#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include "core/record_store.h"
#include "crypto/key_ring.h"
#include "crypto/key_ring_manual.h"
#include "crypto/key_ring_owed.h"
#include "crypto/key_ring_parsed.h"
#include "crypto/key_ring_repository.h"

namespace sealgate {

struct KeyRing::State {
    // What goes to the disk as one, and whose keys it puts or removes.
    struct Changes {
        RecordBatch batch;
        std::vector<std::string> owners;
    };

    Loop* loop = nullptr;
    bool persist = true;
    std::string directory;
    std::unique_ptr<RecordStore> store;

    ManualKeys manual;
    mutable ParsedKeys manual_parsed;

    KeyRepository repository;
    ParsedKeys harvested_parsed;
    std::uint64_t capacity_bytes;
    std::uint64_t evictions = 0;
    bool shrinking = false;
    std::function<void()> on_eviction;

    // Keys that came while the disk was behind; they follow when it has caught up.
    std::uint64_t unstored = 0;
    std::uint32_t unstored_from = 0;  // the bucket to go on looking with
    // Those that went while it was; they are removed then.
    OwedRemovals owed;

    std::uint32_t next_generation = 1;
    std::shared_ptr<char> alive = std::make_shared<char>();  // watched by what is posted

    explicit State(std::uint64_t capacity);
    ~State();

    // crypto/key_ring_load.cc: everything that is on disk.
    Result<void> load(bool with_harvested);
    Result<void> load_manual();
    Result<void> load_harvested();

    // crypto/key_ring_harvest.cc
    std::uint64_t held_bytes() const;
    std::uint64_t held_beside_bytes() const;  // other than by the repository
    // Evicts until a record has room, a bounded number; what goes from the disk is put into
    // `changes`. Without a record: until what is there has room. True: there is.
    bool make_room(std::optional<std::size_t> record_bytes, Changes& changes);
    bool evict(std::optional<std::size_t> record_bytes, Changes& changes);
    void evict_oldest(Changes& changes);
    // The same certificate as before.
    void refresh(KeyRepository::Place place, const std::string& owner,
                 const KeyRepository::Facts& facts);
    void put_harvested(KeyRepository::Place place, const std::string& owner, Changes& changes);
    static void remove_harvested(const std::string& owner, Changes& changes);
    void write_harvested(Changes changes);
    void on_write_failed(const std::vector<std::string>& owners);
    bool disk_is_behind() const;
    bool has_arrears() const { return unstored > 0 || !owed.empty(); }
    void catch_up();  // a part
    void take_owed(Changes& changes);
    void take_unstored(Changes& changes);
    void catch_up_wholly();  // blocks
    void forget(KeyRepository::Place place);
    void shrink();
    void use(KeyRepository::Place place, const std::string& owner, std::uint32_t now);
    CertificatePtr parse_harvested(KeyRepository::Place place);
    Harvested to_harvested(KeyRepository::Place place, CertificatePtr certificate) const;
};

// So long one call may keep the loop thread: a share of its 2 ms.
class ShortWhile {
public:
    bool is_over() const { return std::chrono::steady_clock::now() >= end_; }

private:
    std::chrono::steady_clock::time_point end_ =
        std::chrono::steady_clock::now() + std::chrono::milliseconds(1);
};

}  // namespace sealgate
