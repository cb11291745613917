// SPDX-License-Identifier: GPL-3.0-or-later
#include "crypto/key_ring_repository.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <limits>

#include "core/result.h"
#include "crypto/key_ring_owner.h"

namespace sealgate {
namespace {

// `previous` of a block whose record is just being taken apart: nobody links to it any more.
constexpr std::uint32_t taken_apart = UINT32_MAX - 1;
constexpr std::uint32_t buckets_min = 1024;
// Two for each record: most buckets hold one record or none, and a look-up reads one head.
constexpr std::uint32_t buckets_per_record = 2;

std::uint32_t short_hash(std::string_view owner) {
    return static_cast<std::uint32_t>(owner_hash(owner));
}

}  // namespace

std::uint32_t short_time(std::int64_t seconds) {
    return static_cast<std::uint32_t>(
        std::clamp<std::int64_t>(seconds, 0, std::numeric_limits<std::uint32_t>::max()));
}

KeyRepository::KeyRepository() {
    buckets_.resize(buckets_min);
    for (std::uint32_t i = 0; i < buckets_min; ++i) buckets_[i] = nowhere;
}

// --- records as chains of blocks -----------------------------------------------------------------

std::uint32_t KeyRepository::blocks_of_record(std::size_t record_bytes) {
    if (record_bytes <= head_room_bytes) return 1;
    return static_cast<std::uint32_t>(1 + (record_bytes - head_room_bytes + body_bytes - 1) /
                                              body_bytes);
}

std::uint64_t KeyRepository::bytes_of_record(std::size_t record_bytes) {
    return std::uint64_t{blocks_of_record(record_bytes)} * block_bytes +
           buckets_per_record * sizeof(Place);
}

void KeyRepository::copy(Place place, std::size_t from, std::uint8_t* to, std::size_t bytes) const {
    std::size_t skipped = sizeof(Head);
    std::size_t room = head_room_bytes;
    for (Place at = place; bytes > 0; at = blocks_[at].next) {
        if (from < room) {
            const std::size_t here = std::min(bytes, room - from);
            std::memcpy(to, blocks_[at].body.data() + skipped + from, here);
            to += here;
            bytes -= here;
            from = 0;
        } else {
            from -= room;
        }
        skipped = 0;
        room = body_bytes;
    }
}

bool KeyRepository::is_of(Place place, std::string_view owner) const {
    const Head& record = head(place);
    if (record.owner_bytes != owner.size()) return false;
    if (owner.size() <= head_room_bytes)
        return std::memcmp(blocks_[place].body.data() + sizeof(Head), owner.data(), owner.size()) ==
               0;
    return this->owner(place) == owner;
}

std::string KeyRepository::owner(Place place) const {
    std::string owner(head(place).owner_bytes, '\0');
    copy(place, 0, reinterpret_cast<std::uint8_t*>(owner.data()), owner.size());
    return owner;
}

Bytes KeyRepository::der(Place place) const {
    Bytes der(head(place).der_bytes);
    copy(place, head(place).owner_bytes, der.data(), der.size());
    return der;
}

KeyRepository::Facts KeyRepository::facts(Place place) const {
    const Head& record = head(place);
    return {record.generation, record.signing_time,     record.not_before,   record.not_after,
            record.last_used,  record.last_used_stored, record.capabilities, record.usable,
            record.unstored,   record.on_disk,          record.verified};
}

void KeyRepository::put(std::string_view owner, ByteSpan der, const Facts& facts) {
    const std::size_t record_bytes = owner.size() + der.size();
    const std::uint32_t blocks = blocks_of_record(record_bytes);
    const Place place = blocks_.size();
    blocks_.resize(place + blocks);
    // They lie side by side, as long as nobody fills a hole with them.
    for (Place at = place; at < place + blocks; ++at) {
        blocks_[at].next = at + 1 < place + blocks ? at + 1 : nowhere;
        blocks_[at].previous = at > place ? at - 1 : nowhere;
    }
    head(place) = {short_hash(owner),
                   nowhere,
                   nowhere,
                   nowhere,
                   static_cast<std::uint32_t>(der.size()),
                   facts.generation,
                   facts.signing_time,
                   facts.not_before,
                   facts.not_after,
                   facts.last_used,
                   facts.last_used_stored,
                   static_cast<std::uint16_t>(owner.size()),
                   facts.capabilities,
                   facts.usable,
                   facts.unstored,
                   facts.on_disk,
                   facts.verified};
    std::size_t at_byte = sizeof(Head);
    Place at = place;
    for (ByteSpan left : {as_bytes(owner), der}) {
        while (!left.empty()) {
            if (at_byte == body_bytes) {
                at = blocks_[at].next;
                at_byte = 0;
            }
            const std::size_t here = std::min(left.size(), body_bytes - at_byte);
            std::memcpy(blocks_[at].body.data() + at_byte, left.data(), here);
            at_byte += here;
            left = left.subspan(here);
        }
    }
    ++count_;
    while (buckets_.size() / buckets_per_record < count_) add_bucket();
    Place& bucket = buckets_[bucket_of(head(place).hash)];
    head(place).next_in_bucket = bucket;
    bucket = place;
    link_newest(place);
}

void KeyRepository::remove(Place place) {
    *link_to(place) = head(place).next_in_bucket;
    unlink_use(place);
    --count_;
    free_chain(place);
}

void KeyRepository::free_chain(Place place) {
    while (place != nowhere) {
        Place next = blocks_[place].next;
        if (next != nowhere) blocks_[next].previous = taken_apart;
        if (next == blocks_.size() - 1) next = place;  // that is the one which fills the hole
        fill(place);
        place = next;
    }
}

void KeyRepository::fill(Place hole) {
    const Place last = blocks_.size() - 1;
    if (hole != last) {
        Block& moved = blocks_[hole];
        moved = blocks_[last];
        if (moved.next != nowhere) blocks_[moved.next].previous = hole;
        if (moved.previous == nowhere) {
            *link_to(last) = hole;
            const Head& record = head(hole);
            (record.newer == nowhere ? newest_ : head(record.newer).older) = hole;
            (record.older == nowhere ? oldest_ : head(record.older).newer) = hole;
        } else if (moved.previous != taken_apart) {
            blocks_[moved.previous].next = hole;
        }
    }
    blocks_.resize(last);
}

// --- the index: linear hashing -------------------------------------------------------------------

std::uint32_t KeyRepository::bucket_of(std::uint32_t hash) const {
    const std::uint32_t mask = std::bit_ceil(buckets_.size()) - 1;
    const std::uint32_t bucket = hash & mask;
    return bucket < buckets_.size() ? bucket : hash & (mask >> 1);
}

KeyRepository::Place* KeyRepository::link_to(Place place) {
    Place* link = &buckets_[bucket_of(head(place).hash)];
    while (*link != place) link = &head(*link).next_in_bucket;
    return link;
}

// The new last bucket takes its share of the records of one other.
void KeyRepository::add_bucket() {
    const std::uint32_t added = buckets_.size();
    buckets_.resize(added + 1);
    buckets_[added] = nowhere;
    Place* link = &buckets_[added & ((std::bit_ceil(added + 1) - 1) >> 1)];
    while (*link != nowhere) {
        const Place place = *link;
        Head& record = head(place);
        if (bucket_of(record.hash) != added) {
            link = &record.next_in_bucket;
            continue;
        }
        *link = record.next_in_bucket;
        record.next_in_bucket = buckets_[added];
        buckets_[added] = place;
    }
}

KeyRepository::Place KeyRepository::locate(std::string_view owner) const {
    const std::uint32_t hash = short_hash(owner);
    Place at = buckets_[bucket_of(hash)];
    while (at != nowhere && (head(at).hash != hash || !is_of(at, owner)))
        at = head(at).next_in_bucket;
    return at;
}

std::optional<std::uint32_t> KeyRepository::walk(std::uint32_t bucket,
                                                 const std::function<bool(Place)>& each) const {
    for (; bucket < buckets_.size(); ++bucket) {
        bool go_on = true;
        for (Place at = buckets_[bucket]; at != nowhere; at = head(at).next_in_bucket)
            go_on = each(at) && go_on;
        if (!go_on && bucket + 1 < buckets_.size()) return bucket + 1;
        if (!go_on) break;
    }
    return std::nullopt;
}

// --- the order of use ----------------------------------------------------------------------------

void KeyRepository::unlink_use(Place place) {
    const Head& record = head(place);
    (record.newer == nowhere ? newest_ : head(record.newer).older) = record.older;
    (record.older == nowhere ? oldest_ : head(record.older).newer) = record.newer;
}

void KeyRepository::link_newest(Place place) {
    Head& record = head(place);
    record.newer = nowhere;
    record.older = newest_;
    (newest_ == nowhere ? oldest_ : head(newest_).newer) = place;
    newest_ = place;
}

void KeyRepository::touch(Place place, std::uint32_t now, bool stored) {
    Head& record = head(place);
    record.last_used = now;
    if (stored) record.last_used_stored = now;
    if (place == newest_) return;
    unlink_use(place);
    link_newest(place);
}

void KeyRepository::refresh(Place place, const Facts& facts) {
    Head& record = head(place);
    record.signing_time = facts.signing_time;
    record.capabilities = facts.capabilities;
    record.verified = facts.verified;
}

void KeyRepository::sort_by_use() {
    struct Use {
        std::uint32_t last_used;
        Place place;
    };
    std::vector<Use> uses;
    uses.reserve(count_);
    for (Place at = oldest_; at != nowhere; at = head(at).newer)
        uses.push_back({head(at).last_used, at});
    std::stable_sort(uses.begin(), uses.end(),
                     [](const Use& a, const Use& b) { return a.last_used < b.last_used; });
    newest_ = oldest_ = nowhere;
    for (const Use& use : uses) link_newest(use.place);
}

// --- memory --------------------------------------------------------------------------------------

std::uint64_t KeyRepository::held_bytes() const {
    return blocks_.held_bytes() + buckets_.held_bytes();
}

std::uint32_t KeyRepository::blocks_with(std::optional<std::size_t> record_bytes) const {
    return blocks_.size() + (record_bytes ? blocks_of_record(*record_bytes) : 0);
}

std::uint64_t KeyRepository::held_bytes_with(std::optional<std::size_t> record_bytes) const {
    const std::uint32_t buckets = (count_ + (record_bytes ? 1 : 0)) * buckets_per_record;
    return blocks_.held_bytes_at(blocks_with(record_bytes)) +
           buckets_.held_bytes_at(std::max(buckets_.size(), buckets));
}

bool KeyRepository::has_slack_with(std::optional<std::size_t> record_bytes) const {
    return blocks_.has_slack_at(blocks_with(record_bytes));
}

}  // namespace sealgate
