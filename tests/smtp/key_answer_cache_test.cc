// SPDX-License-Identifier: GPL-3.0-or-later
#include "smtp/key_answer_cache.h"

#include <gtest/gtest.h>

namespace sealgate {
namespace {

KeyAnswer saying(const std::string& why) { return {KeyAnswer::Outcome::none, {}, why}; }

std::string kept(KeyAnswerCache& cache, const std::string& question, std::uint64_t now_ms = 0) {
    const KeyAnswer* answer = cache.find(question, now_ms);
    return answer ? answer->why : "nothing";
}

TEST(KeyAnswerCache, KeepsAnAnswerUntilItsTimeIsOver) {
    KeyAnswerCache cache(10);
    cache.put("a", saying("1"), 100);
    EXPECT_EQ(kept(cache, "a", 99), "1");
    EXPECT_EQ(kept(cache, "a", 100), "nothing");
    EXPECT_EQ(cache.size(), 0U) << "what is over is not kept";
    EXPECT_EQ(kept(cache, "b", 0), "nothing");
}

TEST(KeyAnswerCache, TakesALaterAnswerInstead) {
    KeyAnswerCache cache(10);
    cache.put("a", saying("1"), 100);
    cache.put("a", saying("2"), 200);
    EXPECT_EQ(kept(cache, "a", 150), "2");
    EXPECT_EQ(cache.size(), 1U);
}

TEST(KeyAnswerCache, LetsTheOneGoThatWasNotUsedForLongest) {
    KeyAnswerCache cache(3);
    for (const char* question : {"a", "b", "c"}) cache.put(question, saying(question), 100);
    EXPECT_EQ(kept(cache, "a"), "a") << "at the limit all are there";
    cache.put("d", saying("d"), 100);
    EXPECT_EQ(cache.size(), 3U);
    EXPECT_EQ(kept(cache, "b"), "nothing");
    for (const char* question : {"a", "c", "d"}) EXPECT_EQ(kept(cache, question), question);
}

TEST(KeyAnswerCache, RemovesAndClears) {
    KeyAnswerCache cache(3);
    cache.put("a", saying("1"), 100);
    cache.put("b", saying("2"), 100);
    cache.remove("a");
    cache.remove("never there");
    EXPECT_EQ(kept(cache, "a"), "nothing");
    EXPECT_EQ(kept(cache, "b"), "2");
    cache.clear();
    EXPECT_EQ(kept(cache, "b"), "nothing");
    EXPECT_EQ(cache.size(), 0U);
}

}  // namespace
}  // namespace sealgate
