// SPDX-License-Identifier: GPL-3.0-or-later
// The key ring's repository of harvested keys: which stays, which goes, and what the disk keeps.
#include <fstream>
#include <set>

#include "crypto/key_ring_repository.h"
#include "tests/crypto/key_ring_fixture.h"

namespace sealgate::test {
namespace {

std::string owner_number(int number) { return "user" + std::to_string(number) + "@example.net"; }

bool has_text(const std::string& directory, const std::string& text) {
    for (const auto& entry : std::filesystem::recursive_directory_iterator(directory)) {
        if (!entry.is_regular_file()) continue;
        std::ifstream file(entry.path(), std::ios::binary);
        const std::string contents((std::istreambuf_iterator<char>(file)), {});
        if (contents.find(text) != std::string::npos) return true;
    }
    return false;
}

struct SigningTimeCase {
    std::int64_t before, after;
    KeyRing::Harvest want;
};

TEST_F(KeyRingTest, TakesAHarvestedKeyOfANewerMessageOnly) {
    for (const auto& [before, after, want] :
         {SigningTimeCase{today, today + 1, KeyRing::Harvest::replaced},
          {today, today, KeyRing::Harvest::older},
          {today, today - 1, KeyRing::Harvest::older},
          {0, today, KeyRing::Harvest::replaced}}) {
        const CertificatePtr first = make({.emails = {"bob@example.net"}});
        const CertificatePtr second = make({.emails = {"bob@example.net"}});
        ring_->remove_harvested("bob@example.net");
        ASSERT_EQ(harvest("BOB@Example.net", first, before), KeyRing::Harvest::added);
        EXPECT_EQ(harvest("bob@example.NET", second, after), want);
        const auto kept = ring_->harvested("bob@example.net");
        ASSERT_TRUE(kept);
        const bool is_second = want == KeyRing::Harvest::replaced;
        EXPECT_EQ(kept->certificate->serial(), (is_second ? second : first)->serial());
        EXPECT_EQ(kept->signing_time, is_second ? after : before);
        EXPECT_EQ(found("bob@example.net"), "harvested address");
    }
    EXPECT_EQ(ring_->statistics().harvested, 1U);
}

TEST_F(KeyRingTest, RefusesAHarvestedKeyThatTakesTooMuch) {
    const CertificatePtr certificate = make({.emails = {"bob@example.net"}});
    const std::string owner = "bob@example.net";
    // An eighth of the capacity at most.
    const std::uint64_t bytes =
        KeyRepository::bytes_of_record(owner.size() + certificate->der().size());
    ring_->set_capacity(8 * bytes - 1);
    EXPECT_EQ(harvest(owner, certificate), KeyRing::Harvest::too_large);
    ring_->set_capacity(64 << 20);
    EXPECT_EQ(harvest(owner, certificate), KeyRing::Harvest::added);
    EXPECT_EQ(harvest(std::string(245, 'o') + "@example.net", certificate),
              KeyRing::Harvest::too_large);
    EXPECT_EQ(harvest(std::string(244, 'o') + "@example.net", certificate),
              KeyRing::Harvest::added);
}

class SmallRingTest : public KeyRingTest {
protected:
    SmallRingTest() { capacity_ = 1 << 20; }
    void fill(int count) {
        for (int i = 0; i < count; ++i) harvest(owner_number(i), certificate_, today, today + i);
    }
    bool has(int number) { return ring_->harvested(owner_number(number)).has_value(); }
    const CertificatePtr certificate_ = make({.domains = {"example.net"}});
};

TEST_F(SmallRingTest, EvictsTheLeastRecentlyUsedAtItsCapacity) {
    int count = 0;
    for (; !ring_->statistics().full; ++count) {
        harvest(owner_number(count), certificate_, today, today);
        ASSERT_LE(ring_->statistics().harvested_bytes, capacity_);
        // One that is used stays.
        if (count == 3) harvest("used@example.net", certificate_);
        EXPECT_EQ(count < 3 ? "none" : "harvested address",
                  found("used@example.net", today + count));
    }
    EXPECT_GT(count, 300);
    EXPECT_FALSE(has(0));
    EXPECT_TRUE(has(1) || !has(2));
    EXPECT_TRUE(has(count - 1));
    EXPECT_TRUE(ring_->harvested("used@example.net"));
    EXPECT_GT(ring_->statistics().harvested_bytes, capacity_ - capacity_ / 20);
    EXPECT_LT(ring_->statistics().evictions, 5U);
}

TEST_F(SmallRingTest, KeepsTheKeyOfAMessageThatIsNoNewer) {
    fill(300);
    EXPECT_EQ(harvest(owner_number(0), certificate_, today, today + 400), KeyRing::Harvest::older);
    EXPECT_EQ(harvest(owner_number(1), make({.domains = {"example.net"}}), today, today + 400),
              KeyRing::Harvest::older);
    for (int i = 0; ring_->statistics().evictions < 20; ++i)
        harvest("new" + std::to_string(i) + "@example.net", certificate_, today, today + 1000);
    EXPECT_TRUE(has(0)) << "it is in use";
    EXPECT_FALSE(has(1)) << "another one was";
}

TEST_F(SmallRingTest, BringsBackWhatItHadInTheOrderOfUse) {
    fill(300);
    open();
    EXPECT_EQ(ring_->statistics().harvested, 300U);
    EXPECT_EQ(ring_->statistics().evictions, 0U);
    EXPECT_EQ(ring_->harvested(owner_number(7))->last_used, today + 7);
    EXPECT_EQ(ring_->harvested(owner_number(7))->certificate->serial(), certificate_->serial());
    for (int i = 0; ring_->statistics().evictions < 20; ++i)
        harvest("new" + std::to_string(i) + "@example.net", certificate_, today, today + 1000);
    for (int i = 0; i < 300; ++i) EXPECT_EQ(has(i), i >= 20) << i;
    // What was evicted does not come back.
    open();
    for (int i = 0; i < 300; ++i) EXPECT_EQ(has(i), i >= 20) << i;
}

TEST_F(SmallRingTest, LoadsNoMoreThanASmallerCapacityHolds) {
    capacity_ = 4 << 20;
    open();
    fill(3000);
    const std::size_t before = ring_->statistics().harvested;
    capacity_ = 1 << 20;
    open();
    const KeyRing::Statistics after = ring_->statistics();
    EXPECT_LE(after.harvested_bytes, capacity_);
    EXPECT_GT(after.harvested, before / 5);
    for (int i = 0; i < 3000; ++i)
        EXPECT_EQ(has(i), i >= 3000 - static_cast<int>(after.harvested)) << i;
}

TEST_F(SmallRingTest, WritesTheTimeOfUseOnceADay) {
    fill(3);
    EXPECT_EQ(found(owner_number(0), today + a_day - 1), "harvested address");
    open();
    EXPECT_EQ(ring_->harvested(owner_number(0))->last_used, today) << "less than a day later";
    EXPECT_EQ(found(owner_number(0), today + a_day), "harvested address");
    EXPECT_EQ(found(owner_number(0), today + a_day + 5), "harvested address");
    EXPECT_EQ(ring_->harvested(owner_number(0))->last_used, today + a_day + 5);
    open();
    EXPECT_EQ(ring_->harvested(owner_number(0))->last_used, today + a_day);
}

TEST_F(SmallRingTest, GivesMemoryBackStepByStepWhenTheCapacityShrinks) {
    capacity_ = 4 << 20;
    open();
    fill(4200);
    ASSERT_GT(ring_->statistics().harvested_bytes, 3U << 20);
    const std::size_t before = ring_->statistics().harvested;
    ring_->set_capacity(1 << 20);
    EXPECT_GT(ring_->statistics().harvested, before - 700) << "one call does a part";
    const auto is_small = [&] { return ring_->statistics().harvested_bytes <= 1 << 20; };
    EXPECT_FALSE(is_small());
    // Keys may come in the meantime.
    harvest("new@example.net", certificate_);
    EXPECT_TRUE(loop_.run_until(is_small, 10'000));
    EXPECT_TRUE(has(4199));
    EXPECT_FALSE(has(0));
    ring_->set_capacity(4 << 20);
    fill(4200);
    EXPECT_GT(ring_->statistics().harvested_bytes, 3U << 20);
}

TEST_F(SmallRingTest, LeavesNothingOnDiskWhereItIsNotWanted) {
    persist_ = false;
    open();
    fill(50);
    EXPECT_TRUE(has(49));
    open();
    EXPECT_FALSE(has(49));
    ring_.reset();
    EXPECT_FALSE(has_text(folder_.path("keys"), "user49@"));

    // Also what was written when it was.
    persist_ = true;
    open();
    fill(50);
    add("bob", make({.emails = {"bob@example.net"}}));
    ring_.reset();
    EXPECT_TRUE(has_text(folder_.path("keys"), "user49@"));
    persist_ = false;
    open();
    EXPECT_EQ(ring_->statistics().harvested, 0U);
    EXPECT_EQ(found("bob@example.net"), "manual address bob");
    ring_.reset();
    EXPECT_FALSE(has_text(folder_.path("keys"), "user49@"));
}

class SlowDiskTest : public KeyRingTest {
protected:
    void harvest_many() {
        for (int i = 0; i < many; ++i) harvest(owner_number(i), certificate_, today, today + i);
        ASSERT_GT(ring_->statistics().unstored, 0U) << "the disk was faster";
    }
    void expect_all_after_a_restart() {
        open();
        EXPECT_EQ(ring_->statistics().harvested, static_cast<std::size_t>(many));
        for (int i = 0; i < many; ++i) {
            const auto key = ring_->harvested(owner_number(i));
            ASSERT_TRUE(key) << i;
            ASSERT_EQ(key->last_used, today + i);
        }
    }
    static constexpr int many = 5000;
    const CertificatePtr certificate_ = make({.domains = {"example.net"}});
};

TEST_F(SlowDiskTest, CatchesUpWithKeysThatCameTooFast) {
    harvest_many();
    EXPECT_TRUE(loop_.run_until([&] { return ring_->statistics().unstored == 0; }, 30'000));
    expect_all_after_a_restart();
}

TEST_F(SlowDiskTest, IsWaitedForAtACleanEnd) {
    harvest_many();
    expect_all_after_a_restart();
}

TEST_F(SlowDiskTest, ForgetsKeysThatWentBeforeItHadThem) {
    harvest_many();
    for (int i = 0; i < many; ++i) EXPECT_TRUE(ring_->remove_harvested(owner_number(i)));
    EXPECT_EQ(ring_->statistics().unstored, 0U);
    open();
    EXPECT_EQ(ring_->statistics().harvested, 0U);
}

// What memory evicted while the disk was behind used to stay on it until the next start: killed
// after a second of harvesting with 4 MB, there were more than 64 MB.
class SlowDiskOfSmallRingTest : public SlowDiskTest {
protected:
    SlowDiskOfSmallRingTest() { capacity_ = 2 << 20; }
    void harvest_from(int first, int count) {
        for (int i = first; i < first + count; ++i)
            harvest(owner_number(i), certificate_, today, today + i);
    }
    void expect_the_same_on_disk() {
        std::set<std::string> held;
        for (int i = 0; i < 3 * many; ++i)
            if (ring_->harvested(owner_number(i))) held.insert(owner_number(i));
        ASSERT_EQ(held.size(), ring_->statistics().harvested);
        capacity_ = 64 << 20;
        open();
        EXPECT_EQ(ring_->statistics().evictions, 0U);
        EXPECT_EQ(ring_->statistics().harvested, held.size());
        for (const std::string& owner : held) EXPECT_TRUE(ring_->harvested(owner)) << owner;
    }
    bool has_caught_up() {
        return loop_.run_until(
            [&] { return ring_->statistics().unstored == 0 && ring_->statistics().owed == 0; },
            30'000);
    }
};

TEST_F(SlowDiskOfSmallRingTest, LosesWhatWentWhileItWasBehind) {
    harvest_many();
    EXPECT_GT(ring_->statistics().owed, 100U) << "nothing that it had has gone";
    harvest_from(0, 50);  // of those owed some come again
    ASSERT_TRUE(has_caught_up());
    for (int i = 0; i < 50; ++i) EXPECT_TRUE(ring_->harvested(owner_number(i))) << i;
    expect_the_same_on_disk();
}

TEST_F(SlowDiskOfSmallRingTest, LosesItWhenItComesAndGoesAgain) {
    harvest_many();
    harvest_from(0, 50);
    harvest_from(many, many);  // without a look at the disk in between
    ASSERT_TRUE(has_caught_up());
    EXPECT_FALSE(ring_->harvested(owner_number(0)));
    expect_the_same_on_disk();
}

TEST_F(SlowDiskOfSmallRingTest, LosesItAtACleanEndToo) {
    harvest_many();
    harvest_from(0, 50);
    expect_the_same_on_disk();
}

TEST_F(SlowDiskOfSmallRingTest, NeverHasMuchMoreThanMemory) {
    for (int i = 0; i < 3 * many; ++i) {
        harvest(owner_number(i), certificate_, today, today + i);
        if (i % 100 == 0) loop_.run_until([] { return true; }, 0);
        ASSERT_LE(ring_->statistics().harvested_bytes, capacity_);
        ASSERT_LE(ring_->statistics().owed, 2 * ring_->statistics().harvested + 100);
    }
    ASSERT_TRUE(has_caught_up());
    expect_the_same_on_disk();
}

TEST_F(SlowDiskOfSmallRingTest, LosesWhatItRefusedToLose) {
    harvest_from(0, 200);
    ASSERT_TRUE(loop_.run_until([&] { return ring_->statistics().unstored == 0; }, 30'000));
    {
        const FailingDisk failing;
        harvest_from(200, many);
        ASSERT_TRUE(loop_.run_until([&] { return ring_->statistics().owed >= 200; }, 30'000));
    }
    harvest_from(200 + many, 1);
    ASSERT_TRUE(has_caught_up());
    expect_the_same_on_disk();
}

TEST_F(SlowDiskTest, GetsWhatItRefusedWhenItTakesRecordsAgain) {
    harvest("before@example.net", certificate_);
    {
        const FailingDisk failing;
        for (int i = 0; i < 100; ++i) harvest(owner_number(i), certificate_, today, today + i);
        ASSERT_TRUE(loop_.run_until([&] { return ring_->statistics().unstored >= 90; }, 30'000));
    }
    harvest("after@example.net", certificate_);
    EXPECT_TRUE(loop_.run_until([&] { return ring_->statistics().unstored == 0; }, 30'000));
    open();
    EXPECT_EQ(ring_->statistics().harvested, 102U);
}

TEST_F(KeyRingTest, ListsHarvestedKeysPageByPage) {
    const CertificatePtr certificate =
        make({.domains = {"example.net"}, .common_name = "Domain of Example"});
    for (int i = 0; i < 200; ++i) harvest(owner_number(i), certificate);
    harvest("bob@example.org", make({.emails = {"bob@example.org"}}));
    const auto all = [&](const std::string& search) {
        std::set<std::string> owners;
        for (std::optional<std::uint32_t> from = 0; from;) {
            auto page = ring_->list_harvested(search, *from, 20);
            for (const auto& row : page.rows) owners.insert(row.owner);
            from = page.next;
        }
        return owners.size();
    };
    EXPECT_EQ(all(""), 201U);
    EXPECT_EQ(all("USER19"), 11U);
    EXPECT_EQ(all("domain of"), 200U);
    EXPECT_EQ(all(certificate->serial()), 200U);
    EXPECT_EQ(all("bob@"), 1U);
    EXPECT_EQ(all("alice"), 0U);
}

}  // namespace
}  // namespace sealgate::test
