// SPDX-License-Identifier: GPL-3.0-or-later
#include "crypto/key_ring_records.h"

namespace sealgate::key_records {
namespace {

constexpr std::uint8_t version = 1;
// Of a harvested key.
constexpr std::uint8_t usable_bit = 1;
constexpr std::uint8_t verified_bit = 2;
constexpr const char* torn = "the key store has a torn record";

class Writer {
public:
    explicit Writer(std::size_t bytes) { text_.reserve(bytes); }

    template <typename Number>
    void number(Number value) {
        const auto bits = static_cast<std::uint64_t>(value);
        for (std::size_t shift = 8 * sizeof(Number); shift > 0; shift -= 8)
            text_ += static_cast<char>(bits >> (shift - 8) & 0xff);
    }
    void text(std::string_view text) {
        number(static_cast<std::uint32_t>(text.size()));
        text_ += text;
    }
    void rest(ByteSpan bytes) { text_ += as_text(bytes); }
    std::string take() { return std::move(text_); }

private:
    std::string text_;
};

class Reader {
public:
    explicit Reader(std::string_view text) : left_(text) {}

    template <typename Number>
    Result<Number> number() {
        if (left_.size() < sizeof(Number)) return internal(torn);
        std::uint64_t bits = 0;
        for (std::size_t i = 0; i < sizeof(Number); ++i)
            bits = bits << 8 | static_cast<unsigned char>(left_[i]);
        left_.remove_prefix(sizeof(Number));
        return static_cast<Number>(bits);
    }
    Result<std::string> text() {
        const auto bytes = TRY(number<std::uint32_t>());
        if (left_.size() < bytes) return internal(torn);
        std::string text(left_.substr(0, bytes));
        left_.remove_prefix(bytes);
        return text;
    }
    Result<void> version_byte() {
        const auto found = TRY(number<std::uint8_t>());
        if (found != version)
            return unsupported("the key store was written by another version of sealgate");
        return {};
    }
    ByteSpan rest() const { return as_bytes(left_); }
    std::size_t left() const { return left_.size(); }

private:
    std::string_view left_;
};

std::string key_of(std::string_view prefix, const std::string& name) {
    return std::string(prefix) + name;
}

}  // namespace

void put_manual(RecordBatch& batch, const std::string& name, const ManualKey& key) {
    std::size_t bytes = key.search.size() + key.der.size() + 32;
    for (const std::string& owner : key.owners) bytes += owner.size() + sizeof(std::uint32_t);
    Writer value(bytes);
    value.number(version);
    value.number(key.capabilities);
    value.number(key.not_before);
    value.number(key.not_after);
    value.number(static_cast<std::uint32_t>(key.owners.size()));
    for (const std::string& owner : key.owners) value.text(owner);
    value.text(key.search);
    value.rest(key.der);
    batch.put(key_of(manual_prefix, name), value.take());
}

void remove_manual(RecordBatch& batch, const std::string& name) {
    batch.remove(key_of(manual_prefix, name));
}

Result<ManualKey> read_manual(std::string_view text) {
    Reader value(text);
    TRY(value.version_byte());
    ManualKey key;
    key.capabilities = TRY(value.number<std::uint8_t>());
    key.not_before = TRY(value.number<std::int64_t>());
    key.not_after = TRY(value.number<std::int64_t>());
    const auto owner_count = TRY(value.number<std::uint32_t>());
    if (owner_count > value.left()) return internal(torn);
    key.owners.reserve(owner_count);
    for (std::uint32_t i = 0; i < owner_count; ++i) key.owners.push_back(TRY(value.text()));
    key.search = TRY(value.text());
    key.der.assign(value.rest().begin(), value.rest().end());
    return key;
}

void put_harvested(RecordBatch& batch, const std::string& owner, ByteSpan der,
                   const KeyRepository::Facts& facts) {
    Writer value(der.size() + 16);
    value.number(version);
    value.number(facts.capabilities);
    value.number(static_cast<std::uint8_t>((facts.usable ? usable_bit : 0) |
                                           (facts.verified ? verified_bit : 0)));
    value.number(facts.signing_time);
    value.number(facts.not_before);
    value.number(facts.not_after);
    value.rest(der);
    batch.put(key_of(harvested_prefix, owner), value.take());
    put_use(batch, owner, {facts.last_used, static_cast<std::uint32_t>(owner.size() + der.size())});
}

void remove_harvested(RecordBatch& batch, const std::string& owner) {
    batch.remove(key_of(harvested_prefix, owner));
    batch.remove(key_of(use_prefix, owner));
}

Result<HarvestedRecord> read_harvested(std::string_view text) {
    Reader value(text);
    TRY(value.version_byte());
    HarvestedRecord record;
    record.facts.capabilities = TRY(value.number<std::uint8_t>());
    const auto bits = TRY(value.number<std::uint8_t>());
    record.facts.usable = (bits & usable_bit) != 0;
    record.facts.verified = (bits & verified_bit) != 0;
    record.facts.signing_time = TRY(value.number<std::uint32_t>());
    record.facts.not_before = TRY(value.number<std::uint32_t>());
    record.facts.not_after = TRY(value.number<std::uint32_t>());
    record.der = value.rest();
    return record;
}

void put_use(RecordBatch& batch, const std::string& owner, const UseRecord& use) {
    Writer value(sizeof use);
    value.number(use.last_used);
    value.number(use.record_bytes);
    batch.put(key_of(use_prefix, owner), value.take());
}

Result<UseRecord> read_use(std::string_view text) {
    Reader value(text);
    UseRecord use;
    use.last_used = TRY(value.number<std::uint32_t>());
    use.record_bytes = TRY(value.number<std::uint32_t>());
    return use;
}

void put_note(RecordBatch& batch, const std::string& name, std::string value) {
    batch.put(key_of(note_prefix, name), std::move(value));
}

void remove_note(RecordBatch& batch, const std::string& name) {
    batch.remove(key_of(note_prefix, name));
}

}  // namespace sealgate::key_records
