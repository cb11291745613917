// SPDX-License-Identifier: GPL-3.0-or-later
#include "crypto/revocation_cache.h"

#include <gtest/gtest.h>

#include <random>
#include <string>

namespace sealgate::test {
namespace {

TEST(RevocationCache, KeepsWhatFits) {
    RevocationCache<int> cache(10);
    cache.put("a", 1, 4);
    cache.put("b", 2, 6);
    ASSERT_TRUE(cache.find("a"));
    EXPECT_EQ(*cache.find("a"), 1);
    EXPECT_EQ(*cache.find("b"), 2);
    EXPECT_EQ(cache.cost(), 10u);
    EXPECT_FALSE(cache.find("c"));
}

TEST(RevocationCache, ForgetsWhatWasNotUsedForLongest) {
    RevocationCache<int> cache(10);
    cache.put("a", 1, 5);
    cache.put("b", 2, 5);
    cache.find("a");
    cache.put("c", 3, 1);
    EXPECT_TRUE(cache.find("a"));
    EXPECT_FALSE(cache.find("b"));
    EXPECT_TRUE(cache.find("c"));
    EXPECT_EQ(cache.cost(), 6u);
}

TEST(RevocationCache, ReplacesAndRefusesWhatIsTooMuch) {
    RevocationCache<std::string> cache(10);
    cache.put("a", "one", 10);
    cache.put("a", "two", 3);
    EXPECT_EQ(*cache.find("a"), "two");
    EXPECT_EQ(cache.cost(), 3u);
    cache.put("b", "too much", 11);
    EXPECT_FALSE(cache.find("b"));
    EXPECT_TRUE(cache.find("a"));
    cache.put("a", "too much now", 11);  // the old one is not true any more
    EXPECT_FALSE(cache.find("a"));
    EXPECT_EQ(cache.cost(), 0u);
}

TEST(RevocationCache, StaysWithinItsBoundWhateverHappens) {
    std::mt19937 random(7);
    RevocationCache<std::string> cache(1000);
    std::size_t present = 0;
    for (int i = 0; i < 20'000; ++i) {
        const std::string key = std::to_string(random() % 300);
        switch (random() % 4) {
        case 0: cache.remove(key); break;
        case 1:
            if (const std::string* found = cache.find(key)) {
                EXPECT_EQ(*found, key);
                ++present;
            }
            break;
        default: cache.put(key, key, random() % 40); break;
        }
        ASSERT_LE(cache.cost(), 1000u);
    }
    EXPECT_GT(present, 100u);
}

}  // namespace
}  // namespace sealgate::test
