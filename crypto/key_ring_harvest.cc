// SPDX-License-Identifier: GPL-3.0-or-later
// The harvested keys of the key ring: putting in, making room, and the disk behind.
#include <algorithm>

#include "core/limits.h"
#include "core/loop.h"
#include "core/text.h"
#include "crypto/key_ring_records.h"
#include "crypto/key_ring_state.h"

namespace sealgate {
namespace {

// A certificate for a thousand domains has 30 KB. It bounds the number of small keys that must go
// for a large one, as well.
constexpr std::size_t record_bytes_max = 64 * 1024;
// One key may take this share of the capacity.
constexpr std::uint64_t record_share = 8;
// Parsed certificates are this share of the capacity.
constexpr std::uint64_t parsed_share = 64;
// The store is counted up to this share; of a tiny capacity it would take all.
constexpr std::uint64_t store_share = 4;
constexpr std::uint64_t manual_parsed_bytes_max = 8 << 20;
// A call stops evicting here, whatever room there still must be made: a millisecond.
constexpr int evictions_per_call_max = 640;
// More is not handed to the writing thread at a time: memory is counted.
constexpr std::size_t waiting_bytes_max = 1 << 20;
// What catching up looks at, and hands over, in one go.
constexpr int caught_up_records_max = 256;
// Each key put is removed at most once. So much more than are put, and what is owed gets less.
constexpr int caught_up_removals_max = 256;
constexpr std::size_t caught_up_bytes_max = 64 * 1024;
// The time of use is written when the disk's is older than that.
constexpr std::uint32_t use_stored_every_seconds = 86'400;

}  // namespace

KeyRing::State::State(std::uint64_t capacity)
    : manual_parsed(manual_parsed_bytes_max),
      harvested_parsed(capacity / parsed_share),
      capacity_bytes(capacity) {}

// The store's buffers are full whenever keys come in.
std::uint64_t KeyRing::State::held_beside_bytes() const {
    const std::uint64_t store_bytes =
        persist ? std::min(RecordStore::memory_bytes_max, capacity_bytes / store_share) : 0;
    return harvested_parsed.bytes() + owed.held_bytes() + store_bytes;
}

std::uint64_t KeyRing::State::held_bytes() const {
    return repository.count() == 0 ? 0 : repository.held_bytes() + held_beside_bytes();
}

bool KeyRing::State::make_room(std::optional<std::size_t> record_bytes, Changes& changes) {
    const std::uint64_t before = evictions;
    const bool there_is = evict(record_bytes, changes);
    if (evictions != before && on_eviction) on_eviction();
    return there_is;
}

bool KeyRing::State::evict(std::optional<std::size_t> record_bytes, Changes& changes) {
    const auto needed = [&] {
        return repository.held_bytes_with(record_bytes) + held_beside_bytes();
    };
    for (int evicted = 0; needed() > capacity_bytes;) {
        if (repository.has_slack_with(record_bytes)) {
            repository.release();
            continue;
        }
        if (repository.count() == 0 || evicted++ == evictions_per_call_max) return false;
        evict_oldest(changes);
    }
    return true;
}

void KeyRing::State::evict_oldest(Changes& changes) {
    const KeyRepository::Place oldest = repository.oldest();
    if (repository.facts(oldest).on_disk) {
        const std::string owner = repository.owner(oldest);
        // A disk that is behind hears of it later; if never, it would fill up with what has gone.
        if (disk_is_behind()) {
            owed.push(owner);
        } else {
            remove_harvested(owner, changes);
        }
    }
    forget(oldest);
    ++evictions;
}

bool KeyRing::State::disk_is_behind() const {
    return unstored > 0 || store->waiting_bytes() > waiting_bytes_max;
}

void KeyRing::State::put_harvested(KeyRepository::Place place, const std::string& owner,
                                   Changes& changes) {
    key_records::put_harvested(changes.batch, owner, repository.der(place),
                               repository.facts(place));
    changes.owners.push_back(owner);
}

void KeyRing::State::remove_harvested(const std::string& owner, Changes& changes) {
    key_records::remove_harvested(changes.batch, owner);
    changes.owners.push_back(owner);
}

void KeyRing::State::write_harvested(Changes changes) {
    if (changes.batch.empty()) return;
    store->write(std::move(changes.batch), RecordStore::Durability::written,
                 [this, owners = std::move(changes.owners)](Result<void> written) {
                     if (written) {
                         catch_up();
                     } else {
                         on_write_failed(owners);
                     }
                 });
}

// The next harvested key tries again.
void KeyRing::State::on_write_failed(const std::vector<std::string>& owners) {
    for (const std::string& owner : owners) {
        const KeyRepository::Place place = repository.locate(owner);
        if (place == KeyRepository::nowhere) {
            owed.push(owner);
            continue;
        }
        repository.set_on_disk(place);
        if (repository.facts(place).unstored) continue;
        repository.set_unstored(place);
        ++unstored;
    }
}

void KeyRing::State::take_owed(Changes& changes) {
    for (int taken = 0; taken < caught_up_removals_max && !owed.empty(); ++taken) {
        const std::string owner = owed.pop();
        const KeyRepository::Place place = repository.locate(owner);
        if (place == KeyRepository::nowhere) {
            remove_harvested(owner, changes);
        } else {
            repository.set_on_disk(place);  // it came again, and what is there gets replaced
        }
    }
    owed.release();
}

void KeyRing::State::take_unstored(Changes& changes) {
    int looked_at = 0;
    const auto next = repository.walk(unstored_from, [&](KeyRepository::Place place) {
        if (repository.facts(place).unstored) {
            put_harvested(place, repository.owner(place), changes);
            repository.set_stored(place);
            --unstored;
        }
        return ++looked_at < caught_up_records_max && changes.batch.bytes() < caught_up_bytes_max;
    });
    unstored_from = next.value_or(0);
}

void KeyRing::State::catch_up() {
    if (!has_arrears() || store->waiting_bytes() > waiting_bytes_max / 2) return;
    Changes changes;
    take_owed(changes);
    if (unstored > 0) take_unstored(changes);
    if (!changes.batch.empty()) return write_harvested(std::move(changes));
    if (loop)
        loop->post([this, watched = std::weak_ptr<char>(alive)] {
            if (!watched.expired()) catch_up();
        });
}

// At a clean end, in whatever time it takes; without a thread, so that nothing piles up.
void KeyRing::State::catch_up_wholly() {
    store.reset();
    std::string ignored;
    auto reopened = RecordStore::open(nullptr, {directory, 0}, &ignored);
    if (!reopened) return;
    unstored_from = 0;
    do {
        Changes changes;
        take_owed(changes);
        take_unstored(changes);
        (*reopened)->write(std::move(changes.batch), RecordStore::Durability::written, {});
    } while (unstored_from != 0 || !owed.empty());
}

KeyRing::State::~State() {
    if (has_arrears()) catch_up_wholly();
}

void KeyRing::State::forget(KeyRepository::Place place) {
    if (repository.facts(place).unstored) --unstored;
    repository.remove(place);
}

void KeyRing::State::use(KeyRepository::Place place, const std::string& owner, std::uint32_t now) {
    const KeyRepository::Facts facts = repository.facts(place);
    const bool store_it =
        persist && !disk_is_behind() && now >= facts.last_used_stored + use_stored_every_seconds;
    repository.touch(place, now, store_it);
    if (!store_it) return;
    Changes changes;
    key_records::put_use(changes.batch, owner, {now, repository.record_bytes(place)});
    write_harvested(std::move(changes));
}

CertificatePtr KeyRing::State::parse_harvested(KeyRepository::Place place) {
    const std::uint32_t generation = repository.facts(place).generation;
    if (CertificatePtr kept = harvested_parsed.find(generation)) return kept;
    auto certificate = Certificate::parse(repository.der(place));
    if (!certificate) return nullptr;
    harvested_parsed.keep(generation, *certificate);
    return *certificate;
}

KeyRing::Harvested KeyRing::State::to_harvested(KeyRepository::Place place,
                                                CertificatePtr certificate) const {
    const KeyRepository::Facts facts = repository.facts(place);
    return {repository.owner(place),
            std::move(certificate),
            SmimeCapabilities::of_bits(facts.capabilities),
            facts.signing_time,
            facts.last_used,
            facts.verified};
}

void KeyRing::State::refresh(KeyRepository::Place place, const std::string& owner,
                             const KeyRepository::Facts& facts) {
    const KeyRepository::Facts before = repository.facts(place);
    repository.refresh(place, facts);
    use(place, owner, facts.last_used);
    // Of a correspondent who writes all day, the disk hears once.
    constexpr std::uint32_t day = 86'400;
    const bool store_it = facts.signing_time / day != before.signing_time / day ||
                          facts.capabilities != before.capabilities ||
                          facts.verified != before.verified;
    if (!persist || !store_it || before.unstored) return;
    if (disk_is_behind()) {
        repository.set_unstored(place);
        ++unstored;
        return;
    }
    Changes changes;
    put_harvested(place, owner, changes);
    write_harvested(std::move(changes));
}

KeyRing::Harvest KeyRing::harvest(Harvested key, Replace replace) {
    State& state = *state_;
    const std::string owner = lower_case(key.owner);
    const ByteSpan der = key.certificate->der();
    const std::size_t record_bytes = owner.size() + der.size();
    if (owner.size() > limits::address_bytes_max || record_bytes > record_bytes_max ||
        KeyRepository::bytes_of_record(record_bytes) > state.capacity_bytes / record_share)
        return Harvest::too_large;

    KeyRepository::Facts facts;
    facts.generation = state.next_generation++;
    facts.signing_time = short_time(key.signing_time);
    facts.not_before = short_time(key.certificate->not_before());
    facts.not_after = short_time(key.certificate->not_after());
    facts.last_used = facts.last_used_stored = short_time(key.last_used);
    facts.capabilities = key.capabilities.to_bits();
    facts.usable =
        key.certificate->may_encrypt() == Reason::ok && names_owner(*key.certificate, owner);
    facts.verified = key.verified;

    const KeyRepository::Place known = state.repository.locate(owner);
    if (known != KeyRepository::nowhere) {
        const KeyRepository::Facts before = state.repository.facts(known);
        if (before.verified && !key.verified) return Harvest::kept;
        const bool outranks = key.verified && !before.verified;
        const Bytes der_before = state.repository.der(known);
        const bool is_same =
            std::equal(der_before.begin(), der_before.end(), der.begin(), der.end());
        if (!outranks && facts.signing_time <= before.signing_time) {
            if (is_same) state.use(known, owner, facts.last_used);  // it is in use all the same
            return Harvest::older;
        }
        if (is_same) {
            if (!key.capabilities.known && !outranks) facts.capabilities = before.capabilities;
            state.refresh(known, owner, facts);
            return Harvest::refreshed;
        }
        if (replace == Replace::never) return Harvest::kept;
        facts.on_disk = before.on_disk;
        state.forget(known);
    }
    State::Changes changes;
    state.make_room(record_bytes, changes);
    const bool store_it = state.persist && !state.disk_is_behind();
    facts.unstored = state.persist && !store_it;
    facts.on_disk = facts.on_disk || store_it;
    state.unstored += facts.unstored;
    state.repository.put(owner, der, facts);
    if (store_it) {
        key_records::put_harvested(changes.batch, owner, der, facts);
        changes.owners.push_back(owner);
    }
    state.write_harvested(std::move(changes));
    if (state.has_arrears() && state.store->waiting_bytes() == 0) state.catch_up();
    return known != KeyRepository::nowhere ? Harvest::replaced : Harvest::added;
}

std::optional<KeyRing::Harvested> KeyRing::harvested(std::string_view owner) {
    const KeyRepository::Place place = state_->repository.locate(lower_case(owner));
    if (place == KeyRepository::nowhere) return std::nullopt;
    CertificatePtr certificate = state_->parse_harvested(place);
    if (!certificate) return std::nullopt;
    return state_->to_harvested(place, std::move(certificate));
}

bool KeyRing::remove_harvested(std::string_view owner, Done done) {
    const std::string filed = lower_case(owner);
    const KeyRepository::Place place = state_->repository.locate(filed);
    if (place == KeyRepository::nowhere) return false;
    state_->forget(place);
    RecordBatch batch;
    if (state_->persist) key_records::remove_harvested(batch, filed);
    state_->store->write(std::move(batch), RecordStore::Durability::synced, std::move(done));
    return true;
}

void KeyRing::set_capacity(std::uint64_t bytes) {
    state_->capacity_bytes = bytes;
    state_->harvested_parsed.set_bytes_max(bytes / parsed_share);
    if (!state_->shrinking) state_->shrink();
}

// Some at a time; the loop goes round in between.
void KeyRing::State::shrink() {
    Changes changes;
    shrinking = !make_room(std::nullopt, changes) && repository.count() > 0;
    write_harvested(std::move(changes));
    if (!shrinking) return;
    if (!loop) return shrink();
    loop->post([this, watched = std::weak_ptr<char>(alive)] {
        if (!watched.expired()) shrink();
    });
}

void KeyRing::on_eviction(std::function<void()> task) { state_->on_eviction = std::move(task); }

void KeyRing::write_note(const std::string& name, std::string value) {
    if (!state_->persist) return;
    RecordBatch batch;
    if (value.empty()) {
        key_records::remove_note(batch, name);
    } else {
        key_records::put_note(batch, name, std::move(value));
    }
    state_->store->write(std::move(batch), RecordStore::Durability::written, {});
}

Result<void> KeyRing::each_note(const EachNote& each) const {
    if (!state_->persist) return {};
    return state_->store->each(key_records::note_prefix,
                               [&](std::string_view key, std::string_view value) {
                                   each(key.substr(key_records::note_prefix.size()), value);
                                   return true;
                               });
}

KeyRing::HarvestedPage KeyRing::list_harvested(std::string_view search, std::uint32_t from,
                                               std::size_t rows_max) const {
    const State& state = *state_;
    const ShortWhile while_;
    const std::string wanted = lower_case(search);
    const auto is_wanted = [&](const std::string& owner, const Certificate& certificate) {
        return owner.find(wanted) != std::string::npos ||
               lower_case(certificate.subject()).find(wanted) != std::string::npos ||
               lower_case(certificate.serial()).find(wanted) != std::string::npos;
    };
    HarvestedPage page;
    page.next = state.repository.walk(from, [&](KeyRepository::Place place) {
        const std::string owner = state.repository.owner(place);
        const auto certificate = Certificate::parse(state.repository.der(place));
        if (certificate && is_wanted(owner, **certificate))
            page.rows.push_back(state.to_harvested(place, *certificate));
        return page.rows.size() < rows_max && !while_.is_over();
    });
    return page;
}

}  // namespace sealgate
