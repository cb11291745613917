// SPDX-License-Identifier: GPL-3.0-or-later
// The repository's capacity is memory of the process: filled past it in a child process, what the
// system says the child holds is what the key ring says.
#include <fcntl.h>
#include <unistd.h>

#include <cmath>
#include <csignal>
#include <fstream>
#include <thread>

#include "tests/crypto/key_ring_fixture.h"
#include "tests/support/shared_folder.h"

namespace sealgate::test {
namespace {

constexpr int skipped_exit = 77;

// g++ says it by macros, clang by features.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr bool under_sanitizer = true;
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
constexpr bool under_sanitizer = true;
#else
constexpr bool under_sanitizer = false;
#endif
#else
constexpr bool under_sanitizer = false;
#endif

#define REQUIRE(condition)                                                              \
    do {                                                                                \
        if (!(condition)) {                                                             \
            std::fprintf(stderr, "line %d: does not hold: %s\n", __LINE__, #condition); \
            std::_Exit(1);                                                              \
        }                                                                               \
    } while (false)

// Real ones, of different sizes: RSA and P-256, one to four names.
std::vector<CertificatePtr> real_certificates(int count) {
    std::vector<CertificatePtr> certificates;
    for (int i = 0; i < count; ++i) {
        CertificateWish wish;
        wish.key = i % 3 == 0 ? NewKey::p256 : NewKey::rsa_2048;
        wish.domains.push_back("example.net");
        for (int name = 0; name <= i % 4; ++name)
            wish.emails.push_back("user" + std::to_string(i) + std::to_string(name) +
                                  "@department.example.com");
        wish.common_name = std::string(static_cast<std::size_t>(1 + i % 40), 'n');
        certificates.push_back(make(wish));
    }
    return certificates;
}

std::uint64_t resident_bytes() {
    std::ifstream status("/proc/self/status");
    for (std::string word; status >> word;) {
        std::uint64_t kilobytes = 0;
        if (word == "VmRSS:" && status >> kilobytes) return kilobytes * 1024;
    }
    REQUIRE(false);
    return 0;
}

std::string owner_number(std::uint32_t number) {
    return "user" + std::to_string(number) + "@example.net";
}

class Filling {
public:
    Filling(const std::string& directory, std::uint64_t capacity_bytes, bool persist)
        : certificates_(real_certificates(120)) {
        KeyRing::Options options;
        options.directory = directory;
        options.capacity_bytes = capacity_bytes;
        options.persist = persist;
        std::string why;
        auto opened = KeyRing::open(&loop_, options, &why);
        if (!opened) std::fprintf(stderr, "%s\n", why.c_str());
        REQUIRE(opened);
        ring_ = *std::move(opened);
        // What a first use takes for good: threads, RocksDB's first file, libraries.
        harvest(100);
        for (std::uint32_t i = 0; i < 100; ++i) REQUIRE(ring_->remove_harvested(owner_number(i)));
        loop_.run_until([] { return false; }, 200);
        next_ = 0;
        before_bytes_ = resident_bytes();
    }

    void harvest(int count) {
        for (int i = 0; i < count; ++i, ++next_) {
            const CertificatePtr& certificate = certificates_[next_ % certificates_.size()];
            ring_->harvest({owner_number(next_), certificate, {}, today, today + next_});
            // Some are looked up, so that the parsed ones take their share.
            if (next_ % 5 == 0) REQUIRE(ring_->find(owner_number(next_), today));
            if (next_ % 64 == 0) loop_.run_until([] { return true; }, 0);
        }
    }
    KeyRing& ring() { return *ring_; }
    Loop& loop() { return loop_; }

    // What the process holds more than the key ring says.
    double hidden_bytes() const {
        const auto grown = static_cast<double>(resident_bytes() - before_bytes_);
        const auto said = static_cast<double>(ring_->statistics().harvested_bytes);
        std::fprintf(stderr, "%zu keys, the process holds %.2f MB more, the key ring says %.2f\n",
                     ring_->statistics().harvested, grown / 1e6, said / 1e6);
        return grown - said;
    }

private:
    std::vector<CertificatePtr> certificates_;
    Loop loop_;
    std::unique_ptr<KeyRing> ring_;
    std::uint32_t next_ = 0;
    std::uint64_t before_bytes_ = 0;
};

[[noreturn]] void fill_past_capacity(const SharedFolder& folder, std::uint64_t capacity_bytes,
                                     bool persist) {
    if (under_sanitizer) {
        std::fputs("skipped: a sanitizer's memory is not the key ring's\n", stderr);
        std::_Exit(skipped_exit);
    }
    Filling filling(folder.path("keys"), capacity_bytes, persist);
    const double tolerance_bytes = static_cast<double>(capacity_bytes) * 0.02;
    const auto is_honest = [&] { return std::abs(filling.hidden_bytes()) <= tolerance_bytes; };
    while (filling.ring().statistics().harvested_bytes < capacity_bytes / 2) filling.harvest(100);
    REQUIRE(is_honest());
    while (!filling.ring().statistics().full) filling.harvest(100);
    REQUIRE(is_honest());
    REQUIRE(filling.ring().statistics().harvested_bytes <= capacity_bytes);
    REQUIRE(filling.ring().statistics().harvested_bytes > capacity_bytes - capacity_bytes / 100);
    // All of them are replaced by others, of other sizes, once and a half.
    filling.harvest(static_cast<int>(filling.ring().statistics().harvested * 3 / 2));
    REQUIRE(is_honest());
    REQUIRE(filling.ring().statistics().harvested_bytes <= capacity_bytes);

    // A smaller capacity gives the memory back to the system.
    filling.ring().set_capacity(capacity_bytes / 4);
    REQUIRE(filling.loop().run_until(
        [&] { return filling.ring().statistics().harvested_bytes <= capacity_bytes / 4; }, 60'000));
    REQUIRE(filling.hidden_bytes() <= tolerance_bytes);
    std::_Exit(0);
}

struct MemoryCase {
    const char* name;
    std::uint64_t capacity_bytes;
    bool persist;
};

class KeyRingMemoryTest : public testing::TestWithParam<MemoryCase> {
protected:
    SharedFolder folder_;
};

TEST_P(KeyRingMemoryTest, HoldsWhatItSays) {
    const auto ended_well = [](int status) {
        return WIFEXITED(status) &&
               (WEXITSTATUS(status) == 0 || WEXITSTATUS(status) == skipped_exit);
    };
    EXPECT_EXIT(fill_past_capacity(folder_, GetParam().capacity_bytes, GetParam().persist),
                ended_well, "");
}

INSTANTIATE_TEST_SUITE_P(KeyRing, KeyRingMemoryTest,
                         testing::Values(MemoryCase{"InMemory", 64 << 20, false},
                                         MemoryCase{"OnDiskToo", 256 << 20, true}),
                         [](const auto& row) { return std::string(row.param.name); });

// Harvests for ever; each key comes twice, so that records are replaced, too.
[[noreturn]] void harvest_until_killed(const SharedFolder& folder, unsigned after_ms) {
    const std::vector<CertificatePtr> certificates = real_certificates(30);
    Loop loop;
    KeyRing::Options options;
    options.directory = folder.path("keys");
    options.capacity_bytes = 4 << 20;
    std::string why;
    auto ring = KeyRing::open(&loop, options, &why);
    REQUIRE(ring);
    std::thread([after_ms] {
        std::this_thread::sleep_for(std::chrono::milliseconds(after_ms));
        ::kill(::getpid(), SIGKILL);
    }).detach();
    for (std::uint32_t number = 0;; ++number) {
        const std::uint32_t owner = number % 2 == 0 ? number : number / 2;
        const CertificatePtr& certificate = certificates[number % certificates.size()];
        (*ring)->harvest({owner_number(owner), certificate, {}, today + number, today + number});
        loop.run_until([] { return true; }, 0);
    }
}

class KeyRingCrashTest : public testing::TestWithParam<unsigned> {
protected:
    SharedFolder folder_;
};

TEST_P(KeyRingCrashTest, OpensWholeAfterBeingKilledWhileHarvesting) {
    EXPECT_EXIT(harvest_until_killed(folder_, GetParam()), testing::KilledBySignal(SIGKILL), "");
    KeyRing::Options options;
    options.directory = folder_.path("keys");
    // As much again may have gone from its 4 MB and wait to go from the disk, with what was on its
    // way there.
    options.capacity_bytes = 16 << 20;
    std::string why;
    auto ring = KeyRing::open(nullptr, options, &why);
    ASSERT_TRUE(ring) << why;
    const KeyRing::Statistics statistics = (*ring)->statistics();
    EXPECT_EQ(statistics.evictions, 0U) << "the disk had more than memory";
    std::size_t rows = 0;
    for (std::optional<std::uint32_t> from = 0; from;) {
        const auto page = (*ring)->list_harvested("", *from, 1000);
        for (const auto& row : page.rows) {
            EXPECT_TRUE(row.certificate->covers("x@example.net")) << "of another one's record";
            EXPECT_EQ(row.last_used, row.signing_time) << "both records of " << row.owner;
        }
        rows += page.rows.size();
        from = page.next;
    }
    EXPECT_EQ(rows, statistics.harvested) << "each can be parsed";
    if (GetParam() >= 400) {
        EXPECT_GT(rows, 0U);
    }
}

INSTANTIATE_TEST_SUITE_P(KilledAfterMs, KeyRingCrashTest,
                         testing::Values(20, 60, 100, 150, 220, 300, 400, 600, 800, 1000));

}  // namespace
}  // namespace sealgate::test
