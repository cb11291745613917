// SPDX-License-Identifier: GPL-3.0-or-later
// The key ring's records on disk (core/record_store.h), written and read side by side.
//
//     'K' name    a manual key: version, facts, owners, search text, DER
//     'H' owner   a harvested key: version, facts, DER
//     'U' owner   of the same: when it was last used, and the bytes of its record
//     'N' name    a note of who harvests, as it is
//
// 'H' and 'U' of an owner come and go together; 'U' is small, so that it can be written alone and
// read ahead of the keys. Numbers are big endian, texts have their length before them. No
// certificate is parsed to load a record.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "core/bytes.h"
#include "core/record_store.h"
#include "core/result.h"
#include "crypto/key_ring_manual.h"
#include "crypto/key_ring_repository.h"

namespace sealgate::key_records {

constexpr std::string_view manual_prefix = "K";
constexpr std::string_view harvested_prefix = "H";
constexpr std::string_view use_prefix = "U";
constexpr std::string_view note_prefix = "N";

void put_manual(RecordBatch& batch, const std::string& name, const ManualKey& key);
void remove_manual(RecordBatch& batch, const std::string& name);
Result<ManualKey> read_manual(std::string_view value);

struct HarvestedRecord {
    KeyRepository::Facts facts;
    ByteSpan der;  // of the value that was read
};
void put_harvested(RecordBatch& batch, const std::string& owner, ByteSpan der,
                   const KeyRepository::Facts& facts);
void remove_harvested(RecordBatch& batch, const std::string& owner);
Result<HarvestedRecord> read_harvested(std::string_view value);

struct UseRecord {
    std::uint32_t last_used = 0;
    std::uint32_t record_bytes = 0;
};
void put_use(RecordBatch& batch, const std::string& owner, const UseRecord& use);
Result<UseRecord> read_use(std::string_view value);

void put_note(RecordBatch& batch, const std::string& name, std::string value);
void remove_note(RecordBatch& batch, const std::string& name);

}  // namespace sealgate::key_records
