// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/chunk.h"

#include <gtest/gtest.h>

#include <thread>

namespace sealgate {
namespace {

std::size_t in_use() { return BlockPool::instance().in_use_bytes(); }

TEST(Chunk, IsAWindowThatKeepsItsBlock) {
    const std::size_t before = in_use();
    {
        Chunk part;
        {
            const Chunk whole = Chunk::copy_of("hello, world");
            part = whole.slice(7, 12);
            EXPECT_GT(in_use(), before);
        }
        EXPECT_EQ(part.text(), "world");
        EXPECT_EQ(part.slice(1, 3).text(), "or");
        EXPECT_GT(in_use(), before);
    }
    EXPECT_EQ(in_use(), before);
}

TEST(Chunk, SlicesAtBothEnds) {
    const Chunk whole = Chunk::copy_of("abc");
    EXPECT_TRUE(whole.slice(0, 0).empty());
    EXPECT_TRUE(whole.slice(3, 3).empty());
    EXPECT_EQ(whole.slice(0, 3).text(), "abc");
    EXPECT_EQ(whole.slice(0, 3).data(), whole.data());
}

TEST(Chunk, IsHandedOverByMoving) {
    Chunk first = Chunk::copy_of("abc");
    const Chunk second = std::move(first);
    EXPECT_EQ(second.text(), "abc");
    EXPECT_TRUE(first.empty());  // NOLINT: what is left of it is the point
}

TEST(Chunk, OfALiteralHasNoBlock) {
    const std::size_t before = in_use();
    const Chunk chunk = Chunk::literal("\r\n");
    EXPECT_EQ(chunk.text(), "\r\n");
    EXPECT_EQ(chunk.slice(1, 2).text(), "\n");
    EXPECT_TRUE(Chunk::copy_of("").empty());
    EXPECT_EQ(in_use(), before);
}

TEST(Chunk, MayBeReleasedOnAnyThread) {
    const std::size_t before = in_use();
    for (int round = 0; round < 200; ++round) {
        Chunk chunk = Chunk::copy_of("shared by threads");
        std::thread one([part = chunk.slice(0, 6)]() mutable {
            EXPECT_EQ(part.text(), "shared");
            part = Chunk();
        });
        std::thread two([part = chunk]() mutable {
            const Chunk copy = part;
            part = Chunk();
            EXPECT_EQ(copy.text(), "shared by threads");
        });
        chunk = Chunk();
        one.join();
        two.join();
    }
    EXPECT_EQ(in_use(), before);
}

TEST(BlockPool, IsExhaustedAtItsBudget) {
    BlockPool& pool = BlockPool::instance();
    const std::size_t budget = pool.budget_bytes();
    pool.set_budget_bytes(pool.in_use_bytes() + 10'000);
    EXPECT_FALSE(pool.exhausted());
    {
        const Chunk chunk = Chunk::copy_of(std::string(10'000, 'x'));
        EXPECT_TRUE(pool.exhausted());
        EXPECT_GE(pool.peak_bytes(), pool.in_use_bytes());
    }
    EXPECT_FALSE(pool.exhausted());
    pool.set_budget_bytes(budget);
}

TEST(ChunkList, KeepsOrderAndSize) {
    ChunkList list;
    list.append(Chunk::literal("one "));
    list.append(Chunk());  // leaves no trace
    list.append(Chunk::copy_of("two "));
    ChunkList more;
    more.append(Chunk::literal("three"));
    list.append(std::move(more));
    EXPECT_EQ(list.count(), 3u);
    EXPECT_EQ(list.bytes(), 13u);
    EXPECT_EQ(list.to_string(), "one two three");
    EXPECT_TRUE(more.empty());  // NOLINT: moved from
    EXPECT_EQ(list.take_front().text(), "one ");
    EXPECT_EQ(list.bytes(), 9u);
    EXPECT_EQ(list.to_string(), "two three");
    list.clear();
    EXPECT_TRUE(list.empty());
    EXPECT_EQ(list.bytes(), 0u);
}

TEST(ChunkList, IsAQueueOfAnyLength) {
    ChunkList list;
    std::string expected;
    std::string taken;
    for (int i = 0; i < 1000; ++i) {
        const std::string text = std::to_string(i) + " ";
        expected += text;
        list.append(Chunk::copy_of(text));
        if (i % 3 == 2) taken += list.take_front().text();
    }
    while (!list.empty()) {
        if (list.count() % 7 == 0) {  // what is taken from a copy stays in the list
            ChunkList copy = list;
            copy.take_front();
            EXPECT_EQ(copy.count() + 1, list.count());
        }
        taken += list.take_front().text();
    }
    EXPECT_EQ(taken, expected);
    EXPECT_EQ(list.bytes(), 0u);
}

TEST(ChunkList, AppendsAListThatWasTakenFrom) {
    ChunkList first;
    first.append(Chunk::literal("a"));
    ChunkList second;
    for (const char* text : {"x", "b", "c"}) second.append(Chunk::literal(text));
    second.take_front();
    first.append(std::move(second));
    EXPECT_EQ(first.to_string(), "abc");
    EXPECT_EQ(first.bytes(), 3u);
}

TEST(ChunkList, MovesIntoAListAndLeavesNothing) {
    ChunkList first;
    first.append(Chunk::copy_of("abc"));
    ChunkList second = std::move(first);
    EXPECT_EQ(second.bytes(), 3u);
    EXPECT_EQ(first.bytes(), 0u);  // NOLINT: moved from
    first.append(Chunk::literal("d"));
    EXPECT_EQ(first.to_string(), "d");
}

TEST(ChunkBuilder, GivesWhatWasAppendedHoweverItIsCut) {
    std::string expected;
    for (int i = 0; i < 300; ++i) expected += static_cast<char>('a' + i % 26);
    for (const std::size_t block_bytes : {1u, 7u, 64u, 4096u}) {
        for (const std::size_t cut : {1u, 3u, 64u, 299u, 300u}) {
            SCOPED_TRACE(testing::Message() << block_bytes << " byte blocks, cut at " << cut);
            ChunkBuilder builder(block_bytes);
            EXPECT_TRUE(builder.empty());
            for (std::size_t at = 0; at < expected.size(); at += cut) {
                const std::string part = expected.substr(at, cut);
                if (part.size() == 1) {
                    builder.append_byte(static_cast<std::uint8_t>(part[0]));
                } else {
                    builder.append(part);
                }
                EXPECT_EQ(builder.bytes(), at + part.size());
            }
            EXPECT_EQ(builder.take().to_string(), expected);
            EXPECT_TRUE(builder.empty());
        }
    }
}

TEST(ChunkBuilder, LeavesWhatWasTakenAsItIs) {
    ChunkBuilder builder;
    builder.append("first");
    const ChunkList first = builder.take();
    builder.append("second");
    const ChunkList second = builder.take();
    EXPECT_EQ(first.to_string(), "first");
    EXPECT_EQ(second.to_string(), "second");
    EXPECT_TRUE(builder.take().empty());
}

TEST(ChunkBuilder, ReservesContiguousRoom) {
    ChunkBuilder builder(16);
    builder.append("0123456789");
    for (const std::size_t bytes : {6u, 1u, 100u, 3u}) {
        std::uint8_t* room = builder.reserve(bytes);
        std::fill_n(room, bytes, static_cast<std::uint8_t>('x'));
    }
    EXPECT_EQ(builder.bytes(), 120u);
    EXPECT_EQ(builder.take().to_string(), "0123456789" + std::string(110, 'x'));
}

}  // namespace
}  // namespace sealgate
