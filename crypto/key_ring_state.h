// SPDX-License-Identifier: GPL-3.0-or-later
// What the key ring's files share: the parts it is put together from.
#pragma once

#include <chrono>
#include <memory>
#include <string>

#include "core/record_store.h"
#include "crypto/key_ring.h"
#include "crypto/key_ring_manual.h"
#include "crypto/key_ring_parsed.h"
#include "crypto/key_ring_repository.h"

namespace sealgate {

struct KeyRing::State {
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
    // `batch`. Without a record: until what is there has room. True: there is.
    bool make_room(std::optional<std::size_t> record_bytes, RecordBatch& batch);
    bool evict(std::optional<std::size_t> record_bytes, RecordBatch& batch);
    // The same certificate as before.
    void refresh(KeyRepository::Place place, const std::string& owner,
                 const KeyRepository::Facts& facts);
    // `owners`: whose keys are put.
    void write_harvested(RecordBatch batch, std::vector<std::string> owners = {});
    bool disk_is_behind() const;
    void store_unstored();  // some of them
    std::vector<std::string> take_unstored(RecordBatch& batch);
    void store_all_unstored();  // blocks
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
