// SPDX-License-Identifier: GPL-3.0-or-later
// The key ring as a whole, finding keys, and the manual ones.
#include "crypto/key_ring.h"

#include <algorithm>

#include "core/text.h"
#include "crypto/key_ring_records.h"
#include "crypto/key_ring_state.h"

namespace sealgate {
namespace {

CertificatePtr parse_manual(ParsedKeys& parsed, const ManualKey& key) {
    if (CertificatePtr kept = parsed.find(key.generation)) return kept;
    auto certificate = Certificate::parse(key.der);
    if (!certificate) return nullptr;
    parsed.keep(key.generation, *certificate);
    return *certificate;
}

// That it covers the address follows from the owner under which it is filed (names_owner()).
bool encrypts(const CertificatePtr& certificate) {
    return certificate && certificate->may_encrypt() == Reason::ok;
}

// One look-up of a key for one address, level by level.
class Search {
public:
    Search(KeyRing::State& ring, std::int64_t wall_seconds) : ring_(ring), now_(wall_seconds) {}

    std::optional<RecipientKey> manual(const std::string& owner, RecipientKey::Match match) const {
        if (owner.empty()) return std::nullopt;
        for (const ManualKeys::Entry* entry : ring_.manual.of_owner(owner)) {
            const auto& [name, key] = *entry;
            if (now_ < key.not_before || now_ > key.not_after) continue;
            CertificatePtr certificate = parse_manual(ring_.manual_parsed, key);
            if (!encrypts(certificate)) continue;
            return RecipientKey{std::move(certificate),
                                SmimeCapabilities::of_bits(key.capabilities),
                                RecipientKey::Source::manual, match, name};
        }
        return std::nullopt;
    }

    std::optional<RecipientKey> harvested(const std::string& owner,
                                          RecipientKey::Match match) const {
        if (owner.empty() || ring_.repository.count() == 0) return std::nullopt;
        const KeyRepository::Place place = ring_.repository.locate(owner);
        if (place == KeyRepository::nowhere) return std::nullopt;
        const KeyRepository::Facts facts = ring_.repository.facts(place);
        const std::uint32_t now = short_time(now_);
        if (!facts.usable || now < facts.not_before || now > facts.not_after) return std::nullopt;
        CertificatePtr certificate = ring_.parse_harvested(place);
        if (!encrypts(certificate)) return std::nullopt;
        ring_.use(place, owner, now);
        return RecipientKey{std::move(certificate), SmimeCapabilities::of_bits(facts.capabilities),
                            RecipientKey::Source::harvested, match, ""};
    }

private:
    KeyRing::State& ring_;
    std::int64_t now_;
};

}  // namespace

Reason usable_for_encryption(const Certificate& certificate, std::int64_t wall_seconds) {
    if (const Reason use = certificate.may_encrypt(); use != Reason::ok) return use;
    if (const Reason time = certificate.valid_at(wall_seconds); time != Reason::ok) return time;
    const bool covers_somebody = !certificate.emails().empty() || !certificate.domains().empty();
    return covers_somebody ? Reason::ok : Reason::no_certificate;
}

KeyRing::KeyRing(std::unique_ptr<State> state) : state_(std::move(state)) {}
KeyRing::~KeyRing() = default;

Result<std::unique_ptr<KeyRing>> KeyRing::open(Loop* loop, Options options, std::string* why) {
    std::string ignored;
    if (why == nullptr) why = &ignored;
    auto state = std::make_unique<State>(options.capacity_bytes);
    state->loop = loop;
    state->persist = options.persist;
    state->directory = options.directory;
    state->store = TRY(RecordStore::open(loop, {options.directory, options.patience_ms}, why));
    if (const auto loaded = state->load(options.with_harvested); !loaded) {
        *why = options.directory + ": " + loaded.error().what;
        return tl::unexpected(loaded.error());
    }
    return std::unique_ptr<KeyRing>(new KeyRing(std::move(state)));
}

std::optional<RecipientKey> KeyRing::find(std::string_view address, std::int64_t wall_seconds) {
    using Match = RecipientKey::Match;
    // "@example.net" is how a domain is filed, and nobody's address.
    if (const std::size_t at = address.rfind('@'); at == 0 || at == address.npos) return {};
    const Search search(*state_, wall_seconds);
    const std::string own = lower_case(address);
    std::optional<RecipientKey> found = search.manual(own, Match::address);
    if (!found) found = search.harvested(own, Match::address);
    if (found) return found;
    const std::string domain = domain_owner(address);
    found = search.manual(domain, Match::domain);
    if (found) return found;
    const std::string wildcard = wildcard_owner(domain);
    found = search.manual(wildcard, Match::wildcard);
    if (!found) found = search.harvested(domain, Match::domain);
    if (!found) found = search.harvested(wildcard, Match::wildcard);
    return found;
}

std::vector<CertificatePtr> KeyRing::certificates_of(std::string_view address) {
    if (const std::size_t at = address.rfind('@'); at == 0 || at == address.npos) return {};
    const std::string domain = domain_owner(address);
    const std::string owners[] = {lower_case(address), domain, wildcard_owner(domain)};
    std::vector<CertificatePtr> found;
    const auto put = [&](CertificatePtr certificate) {
        if (certificate && found.size() < known_certificates_max)
            found.push_back(std::move(certificate));
    };
    for (const std::string& owner : owners) {
        if (owner.empty()) continue;
        for (const ManualKeys::Entry* entry : state_->manual.of_owner(owner)) {
            if (found.size() == known_certificates_max) break;
            put(parse_manual(state_->manual_parsed, entry->second));
        }
    }
    for (const std::string& owner : owners) {
        if (owner.empty() || state_->repository.count() == 0) continue;
        const KeyRepository::Place place = state_->repository.locate(owner);
        if (place != KeyRepository::nowhere) put(state_->parse_harvested(place));
    }
    return found;
}

KeyRing::Added KeyRing::add(Manual key, Done done) {
    State& state = *state_;
    ManualKey made = ManualKey::of(*key.certificate, key.capabilities.to_bits());
    made.generation = state.next_generation++;
    RecordBatch batch;
    key_records::put_manual(batch, key.name, made);
    std::optional<ManualKey> before;
    if (const ManualKey* known = state.manual.find(key.name)) before = *known;
    const Added added = before ? Added::replaced : Added::added;
    const std::uint32_t generation = made.generation;
    state.manual.put(key.name, std::move(made));
    state.store->write(std::move(batch), RecordStore::Durability::synced,
                       [this, generation, name = std::move(key.name), before = std::move(before),
                        done = std::move(done)](Result<void> written) {
                           const ManualKey* now = state_->manual.find(name);
                           if (!written && now && now->generation == generation) {
                               if (before) {
                                   state_->manual.put(name, *before);
                               } else {
                                   state_->manual.remove(name);
                               }
                           }
                           if (done) done(written);
                       });
    return added;
}

bool KeyRing::remove(const std::string& name, Done done) {
    const ManualKey* known = state_->manual.find(name);
    if (!known) return false;
    RecordBatch batch;
    key_records::remove_manual(batch, name);
    ManualKey before = *known;
    state_->manual.remove(name);
    state_->store->write(
        std::move(batch), RecordStore::Durability::synced,
        [this, name, before = std::move(before), done = std::move(done)](Result<void> written) {
            if (!written && !state_->manual.find(name)) state_->manual.put(name, before);
            if (done) done(written);
        });
    return true;
}

std::optional<KeyRing::Manual> KeyRing::manual(const std::string& name) const {
    const ManualKey* key = state_->manual.find(name);
    if (!key) return std::nullopt;
    CertificatePtr certificate = parse_manual(state_->manual_parsed, *key);
    if (!certificate) return std::nullopt;
    return Manual{name, std::move(certificate), SmimeCapabilities::of_bits(key->capabilities)};
}

std::size_t KeyRing::manual_count() const { return state_->manual.by_name().size(); }

bool KeyRing::is_manual(const Certificate& certificate) const {
    // A key is filed under all of its owners, so the one with the fewest keys is enough.
    const ManualKeys::OfOwner* fewest = nullptr;
    for (const std::string& owner : owners_of_certificate(certificate)) {
        const auto& filed = state_->manual.of_owner(owner);
        if (fewest == nullptr || filed.size() < fewest->size()) fewest = &filed;
    }
    if (fewest == nullptr) return false;
    return std::any_of(fewest->begin(), fewest->end(), [&](const ManualKeys::Entry* entry) {
        return entry->second.not_before == certificate.not_before() &&
               std::ranges::equal(entry->second.der, certificate.der());
    });
}

KeyRing::ManualPage KeyRing::list_manual(std::string_view search, std::string_view after,
                                         std::size_t rows_max) const {
    const ShortWhile while_;
    const std::string wanted = lower_case(search);
    const auto& keys = state_->manual.by_name();
    ManualPage page;
    std::size_t looked_at = 0;
    for (auto at = after.empty() ? keys.begin() : keys.upper_bound(after); at != keys.end(); ++at) {
        if (ManualKeys::matches(*at, wanted)) {
            // Not through parsed keys: a long list would push out those in use.
            if (auto certificate = Certificate::parse(at->second.der))
                page.rows.push_back({at->first, *std::move(certificate),
                                     SmimeCapabilities::of_bits(at->second.capabilities)});
        }
        const bool is_full =
            page.rows.size() >= rows_max || (++looked_at % 8 == 0 && while_.is_over());
        if (!is_full) continue;
        if (std::next(at) != keys.end()) page.next = at->first;
        break;
    }
    return page;
}

KeyRing::Statistics KeyRing::statistics() const {
    const State& state = *state_;
    Statistics statistics;
    statistics.manual = state.manual.by_name().size();
    statistics.harvested = state.repository.count();
    statistics.harvested_bytes = state.held_bytes();
    statistics.capacity_bytes = state.capacity_bytes;
    statistics.evictions = state.evictions;
    statistics.full = state.evictions > 0;
    statistics.unstored = state.unstored;
    statistics.owed = state.owed.count();
    return statistics;
}

}  // namespace sealgate
