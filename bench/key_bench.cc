// SPDX-License-Identifier: GPL-3.0-or-later
// The key ring at 300,000 harvested keys: finding, and putting in while evicting.
//
// find() parses the certificate it found unless that is one of those in frequent use, so parsing
// alone is measured beside it; the budget of a microsecond is for the rest. Each answer is checked.
#include <benchmark/benchmark.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <filesystem>
#include <random>

#include "crypto/key_ring.h"
#include "crypto/key_ring_repository.h"
#include "crypto/make_certificate.h"
#include "crypto/wolf.h"

namespace sealgate {
namespace {

constexpr std::uint32_t harvested_count = 300'000;
constexpr std::uint32_t hot_count = 200;
constexpr std::uint32_t any_count = 50'000;
constexpr std::int64_t now = 1'795'305'600;

std::string harvested_owner(std::uint32_t number) {
    return "user" + std::to_string(number) + "@department.example.net";
}
std::string nobody(std::uint32_t number) {
    return "nobody" + std::to_string(number) + "@example.org";
}

// Covers every harvested owner, so that one certificate serves for all.
CertificatePtr make_certificate() {
    CertificatePlan plan;
    SubjectText subject;
    subject.common_name = "Someone";
    plan.subject = *subject_to_der(subject);
    plan.domains = {"department.example.net"};
    plan.not_before = now - 86'400;
    plan.not_after = now + 86'400;
    const SecureBytes key = *make_key(NewKey::p256);
    return *Certificate::parse(*make_self_signed(plan, key.bytes()));
}

class BenchRing {
public:
    static BenchRing& instance() {
        static BenchRing ring;
        return ring;
    }
    KeyRing& ring() { return *ring_; }
    const CertificatePtr certificate = make_certificate();

private:
    BenchRing() {
        std::string why;
        KeyRing::Options options;
        options.directory = directory_;
        options.persist = false;
        auto opened = KeyRing::open(nullptr, options, &why);
        CHECK(opened);
        ring_ = *std::move(opened);
        for (std::uint32_t i = 0; i < harvested_count; ++i)
            ring_->harvest({harvested_owner(i), certificate, {}, now, now});
        CHECK(ring_->statistics().harvested == harvested_count);
    }
    ~BenchRing() {
        ring_.reset();
        std::filesystem::remove_all(directory_);
    }

    std::string directory_ = [] {
        CHECK(init_wolfssl());
        std::string path = "/tmp/key_bench_XXXXXX";
        CHECK(mkdtemp(path.data()) != nullptr);
        return path;
    }();
    std::unique_ptr<KeyRing> ring_;
};

// Addresses in an order that the processor cannot guess.
std::vector<std::string> shuffled(std::uint32_t count, std::string (*owner)(std::uint32_t)) {
    std::vector<std::string> owners;
    for (std::uint32_t i = 0; i < count; ++i) owners.push_back(owner(i));
    std::shuffle(owners.begin(), owners.end(), std::mt19937(1));
    return owners;
}

void find_each(benchmark::State& state, const std::vector<std::string>& owners, bool wanted) {
    KeyRing& ring = BenchRing::instance().ring();
    for (int round = 0; round < 3; ++round)  // those in frequent use are known then
        for (const std::string& owner : owners) (void)ring.find(owner, now);
    std::size_t next = 0;
    for (auto _ : state) {
        const auto key = ring.find(owners[next], now);
        if (key.has_value() != wanted) return state.SkipWithError("another answer was wanted");
        if (++next == owners.size()) next = 0;
    }
}

// The certificate is among the parsed ones: all that find() does but for parsing.
void find_harvested_in_frequent_use(benchmark::State& state) {
    find_each(state, shuffled(hot_count, harvested_owner), true);
}
BENCHMARK(find_harvested_in_frequent_use);

// Subtract parse_any.
void find_harvested_any(benchmark::State& state) {
    find_each(state, shuffled(any_count, harvested_owner), true);
}
BENCHMARK(find_harvested_any);

// As many certificates as find_harvested_any parses, no longer in the processor's cache either.
void parse_any(benchmark::State& state) {
    const ByteSpan der = BenchRing::instance().certificate->der();
    const std::vector<Bytes> copies(any_count, Bytes(der.begin(), der.end()));
    std::size_t next = 0;
    for (auto _ : state) {
        if (!Certificate::parse(copies[next])) return state.SkipWithError("it cannot be parsed");
        if ((next += 7919) >= any_count) next -= any_count;
    }
}
BENCHMARK(parse_any);

// Six levels are asked.
void find_none(benchmark::State& state) { find_each(state, shuffled(any_count, nobody), false); }
BENCHMARK(find_none);

// The index and the order of use, without KeyRing's levels: memory misses, mostly.
void locate_and_touch(benchmark::State& state) {
    KeyRepository repository;
    const Bytes der(700);
    const auto owners = shuffled(harvested_count, harvested_owner);
    for (std::uint32_t i = 0; i < harvested_count; ++i) repository.put(harvested_owner(i), der, {});
    std::size_t next = 0;
    for (auto _ : state) {
        const auto place = repository.locate(owners[next]);
        if (place == KeyRepository::nowhere) return state.SkipWithError("it is not found");
        repository.touch(place, 1, false);
        if (++next == owners.size()) next = 0;
    }
}
BENCHMARK(locate_and_touch);

// At the capacity: each key that comes in lets another go. The longest call is what a loop would
// wait (on a busy machine also for the processor).
void harvest_and_evict(benchmark::State& state) {
    BenchRing& bench = BenchRing::instance();
    std::string why;
    std::string directory = "/tmp/key_bench_XXXXXX";
    CHECK(mkdtemp(directory.data()) != nullptr);
    KeyRing::Options options;
    options.directory = directory;
    options.capacity_bytes = 64 << 20;
    options.persist = false;
    auto ring = KeyRing::open(nullptr, options, &why);
    CHECK(ring);
    std::uint32_t number = 0;
    const auto harvest = [&] {
        return (*ring)->harvest({harvested_owner(number++), bench.certificate, {}, now, now});
    };
    while (!(*ring)->statistics().full) harvest();
    const std::uint64_t before = (*ring)->statistics().evictions;
    std::chrono::nanoseconds longest{0};
    for (auto _ : state) {
        const auto begin = std::chrono::steady_clock::now();
        if (harvest() != KeyRing::Harvest::added) return state.SkipWithError("it was not added");
        longest =
            std::max<std::chrono::nanoseconds>(longest, std::chrono::steady_clock::now() - begin);
    }
    state.counters["longest_us"] = static_cast<double>(longest.count()) / 1e3;
    state.counters["evicted"] =
        benchmark::Counter(static_cast<double>((*ring)->statistics().evictions - before),
                           benchmark::Counter::kAvgIterations);
    ring->reset();
    std::filesystem::remove_all(directory);
}
BENCHMARK(harvest_and_evict);

// --- the keys that a gateway has harvested: SEALGATE_KEY_STORE names its <data-dir>/keys
// ---------- With what it was filled with (SEALGATE_KEY_STORE_BYTES, its capacity).
// tools/soak-harvest asks.

struct StoredKeys {
    static constexpr std::size_t owners_max = 50'000;

    std::unique_ptr<KeyRing> ring;
    std::vector<std::string> owners;  // of keys for addresses, shuffled

    static StoredKeys& instance() {
        static StoredKeys keys;
        return keys;
    }

private:
    StoredKeys() {
        CHECK(init_wolfssl());
        KeyRing::Options options;
        options.directory = std::getenv("SEALGATE_KEY_STORE");
        if (const char* bytes = std::getenv("SEALGATE_KEY_STORE_BYTES"))
            options.capacity_bytes = std::strtoull(bytes, nullptr, 10);
        std::string why;
        auto opened = KeyRing::open(nullptr, options, &why);
        if (!opened) std::fprintf(stderr, "%s\n", why.c_str());
        CHECK(opened);
        ring = *std::move(opened);
        for (std::optional<std::uint32_t> from = 0; from && owners.size() < owners_max;) {
            const auto page = ring->list_harvested("", *from, 1000);
            for (const auto& row : page.rows)
                if (!row.owner.starts_with("@")) owners.push_back(row.owner);
            from = page.next;
        }
        std::shuffle(owners.begin(), owners.end(), std::mt19937(1));
    }
};

enum class Stored : std::uint8_t { in_frequent_use, expired, none };

// Of a key that has expired everything is looked at but the certificate, which is not parsed then;
// so it is a look-up of any key, and of its domain and wildcard besides.
void find_stored(benchmark::State& state, Stored which) {
    StoredKeys& keys = StoredKeys::instance();
    std::vector<std::string> owners = keys.owners;
    if (which == Stored::in_frequent_use) owners.resize(std::min<std::size_t>(owners.size(), 200));
    if (which == Stored::none)
        for (std::string& owner : owners) owner.insert(0, "no-");
    const std::int64_t at = which == Stored::expired ? 32'503'680'000 : std::time(nullptr);
    const bool wanted = which == Stored::in_frequent_use;
    for (int round = 0; round < 3; ++round)
        for (const std::string& owner : owners) (void)keys.ring->find(owner, at);
    std::size_t next = 0;
    for (auto _ : state) {
        if (keys.ring->find(owners[next], at).has_value() != wanted)
            return state.SkipWithError("another answer was wanted");
        if (++next == owners.size()) next = 0;
    }
    state.counters["keys"] = static_cast<double>(keys.ring->statistics().harvested);
}

const bool stored_are_measured = [] {
    if (std::getenv("SEALGATE_KEY_STORE") == nullptr) return false;
    for (const auto& [name, which] :
         {std::pair{"find_stored_in_frequent_use", Stored::in_frequent_use},
          {"find_stored_expired", Stored::expired},
          {"find_stored_none", Stored::none}})
        benchmark::RegisterBenchmark(name, find_stored, which);
    return true;
}();

}  // namespace
}  // namespace sealgate
