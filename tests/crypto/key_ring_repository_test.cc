// SPDX-License-Identifier: GPL-3.0-or-later
#include "crypto/key_ring_repository.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <list>
#include <map>
#include <random>

namespace sealgate::test {
namespace {

using Place = KeyRepository::Place;

Bytes bytes_of(std::size_t count, std::uint32_t seed) {
    Bytes bytes(count);
    for (std::size_t i = 0; i < count; ++i)
        bytes[i] = static_cast<std::uint8_t>((i * 31 + seed * 7919) >> 3);
    return bytes;
}

// The same done to a map and a list; after each step both must agree.
class Model {
public:
    explicit Model(std::uint32_t seed) : random_(seed) {}

    void put_or_replace() {
        const std::string owner = any_owner();
        if (const Place known = repository_.locate(owner); known != KeyRepository::nowhere)
            remove(owner);
        const std::uint32_t generation = ++generation_;
        const std::size_t size = below(20) == 0 ? below(20'000) : below(1500);
        repository_.put(owner, bytes_of(size, generation), facts(generation));
        records_[owner] = {size, generation};
        order_.push_back(owner);
    }
    void remove_one() {
        if (records_.empty()) return;
        if (below(2) == 0) return remove(order_.front());  // as evicting does
        remove(owner_at(below(records_.size())));
    }
    void touch_one() {
        if (records_.empty()) return;
        const std::string owner = owner_at(below(records_.size()));
        repository_.touch(repository_.locate(owner), ++now_, false);
        order_.remove(owner);
        order_.push_back(owner);
    }

    void check_one(const std::string& owner) const {
        const Place place = repository_.locate(owner);
        const auto known = records_.find(owner);
        ASSERT_EQ(place != KeyRepository::nowhere, known != records_.end()) << owner;
        if (known == records_.end()) return;
        ASSERT_EQ(repository_.owner(place), owner);
        ASSERT_EQ(repository_.facts(place).generation, known->second.generation);
        ASSERT_EQ(repository_.der(place), bytes_of(known->second.size, known->second.generation));
    }
    void check() const {
        ASSERT_EQ(repository_.count(), records_.size());
        if (records_.empty()) {
            ASSERT_EQ(repository_.oldest(), KeyRepository::nowhere);
        } else {
            ASSERT_EQ(repository_.owner(repository_.oldest()), order_.front());
        }
        check_one(order_.empty() ? "nobody" : order_.back());
    }
    void check_all() {
        std::size_t seen = 0;
        repository_.walk(0, [&](Place place) {
            seen += records_.count(repository_.owner(place));
            return true;
        });
        ASSERT_EQ(seen, records_.size());
        for (int i = 0; i < owners_max; ++i) check_one(owner_number(i));
        while (!order_.empty()) {
            check();
            remove(order_.front());
        }
        check();
    }
    std::size_t below(std::size_t end) { return random_() % end; }

private:
    static constexpr int owners_max = 3000;
    struct Record {
        std::size_t size;
        std::uint32_t generation;
    };

    static KeyRepository::Facts facts(std::uint32_t generation) {
        KeyRepository::Facts facts;
        facts.generation = generation;
        facts.usable = true;
        return facts;
    }
    static std::string owner_number(int number) {
        // Some do not fit into the first block.
        return std::to_string(number) +
               std::string(number % 17 == 0 ? 100U : static_cast<unsigned>(number) % 7, 'o') +
               "@example.com";
    }
    std::string any_owner() { return owner_number(static_cast<int>(below(owners_max))); }
    std::string owner_at(std::size_t index) {
        return std::next(records_.begin(), static_cast<std::ptrdiff_t>(index))->first;
    }
    void remove(std::string owner) {
        repository_.remove(repository_.locate(owner));
        records_.erase(owner);
        order_.remove(owner);
    }

    std::mt19937 random_;
    KeyRepository repository_;
    std::map<std::string, Record> records_;
    std::list<std::string> order_;  // oldest first
    std::uint32_t generation_ = 0, now_ = 0;
};

class KeyRepositoryTest : public testing::TestWithParam<std::uint32_t> {};

TEST_P(KeyRepositoryTest, IsWhatAMapAndAListAre) {
    Model model(GetParam());
    // More comes than goes, then the other way round.
    for (const std::size_t goes_of_ten : {3U, 8U, 4U}) {
        for (int step = 0; step < 4000 && !testing::Test::HasFatalFailure(); ++step) {
            if (model.below(10) < goes_of_ten) {
                model.remove_one();
            } else if (model.below(4) == 0) {
                model.touch_one();
            } else {
                model.put_or_replace();
            }
            model.check();
        }
    }
    model.check_all();
}

INSTANTIATE_TEST_SUITE_P(Seeds, KeyRepositoryTest, testing::Range(1U, 5U));

TEST(KeyRepository, HoldsNoMoreThanItsRecordsNeed) {
    KeyRepository repository;
    std::uint64_t needed = 0;
    for (std::uint32_t i = 0; i < 20'000; ++i) {
        const std::string owner = std::to_string(i) + "@example.com";
        const Bytes der = bytes_of(300 + i % 1000, i);
        repository.put(owner, der, {});
        needed += KeyRepository::bytes_of_record(owner.size() + der.size());
    }
    EXPECT_LT(repository.held_bytes(), needed + needed / 100);
    EXPECT_GT(repository.held_bytes(), needed - needed / 100);
    for (std::uint32_t i = 0; i < 20'000; i += 2)
        repository.remove(repository.locate(std::to_string(i) + "@example.com"));
    EXPECT_TRUE(repository.has_slack_with(std::nullopt));
    repository.release();
    EXPECT_FALSE(repository.has_slack_with(std::nullopt));
    EXPECT_LT(repository.held_bytes(), needed / 2 + needed / 50) << "no holes are left";
    for (std::uint32_t i = 1; i < 20'000; i += 2)
        ASSERT_EQ(repository.der(repository.locate(std::to_string(i) + "@example.com")),
                  bytes_of(300 + i % 1000, i));
}

TEST(KeyRepository, KeepsRecordsOfEverySizeAroundABlock) {
    KeyRepository repository;
    for (std::uint32_t size = 0; size < 600; ++size)
        for (const std::size_t owner_size : {1U, 71U, 72U, 73U, 191U, 192U, 193U})
            repository.put(std::to_string(size) + "/" + std::string(owner_size, 'o'),
                           bytes_of(size, size), {});
    for (std::uint32_t size = 0; size < 600; ++size)
        for (const std::size_t owner_size : {1U, 71U, 72U, 73U, 191U, 192U, 193U}) {
            const std::string owner = std::to_string(size) + "/" + std::string(owner_size, 'o');
            const Place place = repository.locate(owner);
            ASSERT_NE(place, KeyRepository::nowhere) << owner;
            ASSERT_EQ(repository.der(place), bytes_of(size, size)) << owner;
        }
}

TEST(KeyRepository, WalksInPieces) {
    KeyRepository repository;
    for (int i = 0; i < 2000; ++i) repository.put(std::to_string(i) + "@example.com", {}, {});
    std::map<std::string, int> seen;
    int calls = 0;
    for (std::optional<std::uint32_t> from = 0; from; ++calls) {
        int rows = 0;
        from = repository.walk(*from, [&](Place place) {
            ++seen[repository.owner(place)];
            return ++rows < 10;
        });
    }
    EXPECT_EQ(seen.size(), 2000U);
    EXPECT_TRUE(std::ranges::all_of(seen, [](const auto& row) { return row.second == 1; }));
    EXPECT_GT(calls, 100);
}

struct TimeCase {
    std::int64_t seconds;
    std::uint32_t want;
};

TEST(KeyRepository, CountsTimesBeyondItsEndsAsTheEnds) {
    for (const auto& [seconds, want] : {TimeCase{-1, 0},
                                        {0, 0},
                                        {1'795'305'600, 1'795'305'600},
                                        {4'294'967'295, 4'294'967'295},
                                        {4'294'967'296, 4'294'967'295},
                                        {253'402'300'799, 4'294'967'295}})
        EXPECT_EQ(short_time(seconds), want);
}

}  // namespace
}  // namespace sealgate::test
