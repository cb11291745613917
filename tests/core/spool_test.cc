// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/spool.h"

#include <gtest/gtest.h>
#include <rocksdb/db.h>

#include "core/limits.h"
#include "core/spool_store.h"
#include "tests/core/spool_fixture.h"

namespace sealgate {
namespace {

using namespace test;

struct Size {
    const char* name;
    std::size_t bytes;
};

class SpoolSizesTest : public SpoolTest, public testing::WithParamInterface<Size> {};

TEST_P(SpoolSizesTest, GivesBackWhatWasCommitted) {
    const std::string body = body_of(GetParam().bytes);
    const StoredMessage stored = store(body, "from a to b");
    EXPECT_EQ(stored.body_bytes, body.size());
    EXPECT_EQ(stored.envelope, "from a to b");
    EXPECT_EQ(stored.in_memory, body.size() <= limits::young_message_bytes_max);
    if (stored.in_memory) {
        EXPECT_EQ(stored.body.to_string(), body);
    }
    EXPECT_EQ(read(stored.mid), body);
    reopen();
    ASSERT_EQ(recovered_.count(stored.mid), 1u);
    EXPECT_EQ(recovered_[stored.mid].envelope, "from a to b");
    EXPECT_EQ(recovered_[stored.mid].body_bytes, body.size());
    EXPECT_EQ(read(stored.mid), body);
}

TEST_P(SpoolSizesTest, ForgetsWhatWasRemoved) {
    const StoredMessage stored = store(body_of(GetParam().bytes));
    bool removed = false;
    spool_->remove(stored.mid, [&](Result<void> result) { removed = result.has_value(); });
    ASSERT_TRUE(loop_.run_until([&] { return removed; }, 20'000));
    EXPECT_FALSE(read(stored.mid));
    reopen();
    EXPECT_TRUE(recovered_.empty());
    EXPECT_EQ(count_records('B') + count_records('E') + count_records('P'), 0u);
}

TEST_P(SpoolSizesTest, KeepsNothingOfAnAbortedMessage) {
    for (const std::size_t chunk_bytes : {std::size_t{1000}, piece, 3 * piece}) {
        SCOPED_TRACE(chunk_bytes);
        const Chunk body = Chunk::copy_of(body_of(GetParam().bytes));
        auto writer = spool_->begin(spool_->next_mid());
        for (std::size_t at = 0; at < body.size(); at += chunk_bytes)
            ASSERT_TRUE(writer->write(body.slice(at, std::min(at + chunk_bytes, body.size()))));
    }
    settle();
    reopen();
    EXPECT_TRUE(recovered_.empty());
    EXPECT_EQ(count_records('B') + count_records('E') + count_records('P'), 0u);
}

TEST_P(SpoolSizesTest, UndoesACommitWhoseWriterWentBeforeTheAnswer) {
    const Chunk body = Chunk::copy_of(body_of(GetParam().bytes));
    bool answered = false;
    for (const bool wait : {false, true}) {
        auto writer = spool_->begin(spool_->next_mid());
        ASSERT_TRUE(writer->write(body));
        ASSERT_TRUE(writer->finish());
        writer->commit("envelope", [&](Result<StoredMessage>) { answered = true; });
        // The spool thread may have committed it; the loop has not run since.
        if (wait) usleep(20'000);
    }
    settle();
    EXPECT_FALSE(answered);
    reopen();
    EXPECT_TRUE(recovered_.empty());
    EXPECT_EQ(count_records('B') + count_records('E') + count_records('P'), 0u);
}

INSTANTIATE_TEST_SUITE_P(Sizes, SpoolSizesTest,
                         testing::Values(Size{"Empty", 0}, Size{"OneByte", 1},
                                         Size{"OneChunk", 10'000}, Size{"BelowAPiece", piece - 1},
                                         Size{"APiece", piece}, Size{"AboveAPiece", piece + 1},
                                         Size{"Young", 2 * piece}, Size{"NotYoung", 2 * piece + 1},
                                         Size{"ManyPieces", 17 * 1024 * 1024 + 5}),
                         [](const auto& row) { return row.param.name; });

TEST_F(SpoolTest, StoresTheSameBodyHoweverItIsCut) {
    const std::string body = body_of(piece + 3000);
    for (const std::size_t cut : {std::size_t{1}, std::size_t{7}, std::size_t{2048},
                                  std::size_t{2049}, piece - 1, piece, piece + 1}) {
        SCOPED_TRACE(cut);
        ChunkList chunks;
        for (std::size_t at = 0; at < body.size(); at += cut)
            chunks.append(Chunk::copy_of(body.substr(at, cut)));
        const StoredMessage stored = store(std::move(chunks));
        EXPECT_EQ(stored.body.to_string(), body);
        EXPECT_EQ(read(stored.mid), body);
    }
}

TEST_F(SpoolTest, KeepsSmallChunksWithoutTheirBlocks) {
    auto writer = spool_->begin(spool_->next_mid());
    const std::size_t before = BlockPool::instance().in_use_bytes();
    for (int i = 0; i < 1000; ++i) {
        const Chunk block = Chunk::copy_of(std::string(piece, 'x'));
        ASSERT_TRUE(writer->write(block.slice(100, 101)));
    }
    EXPECT_LT(BlockPool::instance().in_use_bytes() - before, 16u * 1024);
}

// What a commit costs: the bench cannot tell one record more from noise.
TEST_F(SpoolTest, WritesTwoRecordsForASmallMessageAndTwoToRemoveIt) {
    const std::uint64_t before = records_written();
    open();
    constexpr std::uint64_t count = 50;
    for (std::uint64_t i = 0; i < count; ++i) spool_->remove(store(body_of(10'000)).mid);
    const std::uint64_t opened_and_closed = 2;  // each writes how far MIDs were used
    EXPECT_EQ(records_written() - before, 4 * count + opened_and_closed);
}

TEST_F(SpoolTest, ReplacesAnEnvelope) {
    const StoredMessage stored = store("body", "old");
    bool updated = false;
    spool_->update(stored.mid, "new", [&](Result<void> result) { updated = result.has_value(); });
    ASSERT_TRUE(loop_.run_until([&] { return updated; }, 20'000));
    reopen();
    EXPECT_EQ(recovered_[stored.mid].envelope, "new");
    EXPECT_EQ(recovered_[stored.mid].body_bytes, 4u);
    EXPECT_EQ(read(stored.mid), "body");
}

TEST_F(SpoolTest, RemovesAMessageThatWasUpdated) {
    const StoredMessage stored = store("body", "old");
    spool_->update(stored.mid, "new", {});
    spool_->remove(stored.mid);
    settle();
    reopen();
    EXPECT_TRUE(recovered_.empty());
}

TEST_F(SpoolTest, SaysThatItDoesNotKnowAMessage) {
    const StoredMessage stored = store("body");
    spool_->remove(stored.mid);
    int errors = 0;
    const auto count = [&](Result<void> result) { errors += !result; };
    spool_->update(stored.mid, "again", count);
    spool_->remove(stored.mid, count);
    spool_->remove(12345, count);
    EXPECT_EQ(errors, 0);  // never from inside the call
    ASSERT_TRUE(loop_.run_until([&] { return errors == 3; }, 20'000));
    EXPECT_FALSE(read(stored.mid));
    reopen();
    EXPECT_TRUE(recovered_.empty());
}

TEST_F(SpoolTest, EndsAReadWhoseMessageIsRemovedMeanwhile) {
    const StoredMessage stored = store(body_of(3 * piece));
    const auto reader = spool_->read(stored.mid);
    int pieces = 0;
    int errors = 0;
    const auto take = [&](Result<ChunkList> part) { part ? ++pieces : ++errors; };
    reader->next(take);
    ASSERT_TRUE(loop_.run_until([&] { return pieces == 1; }, 20'000));
    spool_->remove(stored.mid);
    settle();
    reader->next(take);
    ASSERT_TRUE(loop_.run_until([&] { return errors == 1; }, 20'000));
}

TEST_F(SpoolTest, DropsAPieceWhoseReaderIsGone) {
    const StoredMessage stored = store(body_of(piece));
    spool_->read(stored.mid)->next([](Result<ChunkList>) { FAIL(); });
    EXPECT_EQ(read(stored.mid), body_of(piece));
}

TEST_F(SpoolTest, NeverGivesAMidTwice) {
    MessageId last = 0;
    for (int start = 0; start < 3; ++start) {
        for (int i = 0; i < 2500; ++i) {
            const MessageId mid = spool_->next_mid();
            ASSERT_GT(mid, last);
            last = mid;
        }
        reopen();
    }
    EXPECT_EQ(spool_->next_mid(), 7501u);  // a clean end leaves no gap
}

TEST_F(SpoolTest, HoldsTheFeederBackWhileBytesAreUnwritten) {
    QuietSource source;
    auto writer = spool_->begin(spool_->next_mid());
    writer->set_source(&source);
    const Chunk chunk = Chunk::copy_of(body_of(16 * 1024));
    for (std::size_t written = 0; written < 100 * chunk.size(); written += chunk.size()) {
        const Result<Flow> flow = writer->write(chunk);
        ASSERT_TRUE(flow);
        if (*flow == Flow::open) continue;
        const int drains = source.drains;
        ASSERT_TRUE(loop_.run_until([&] { return source.drains > drains; }, 20'000));
    }
    EXPECT_GT(source.drains, 0);
    EXPECT_EQ(source.failures, 0);
}

TEST_F(SpoolTest, SpoolsALargeBodyAtBoundedMemory) {
    const std::size_t before = BlockPool::instance().in_use_bytes();
    QuietSource source;
    auto writer = spool_->begin(spool_->next_mid());
    writer->set_source(&source);
    std::size_t most = 0;
    std::string sent;
    while (sent.size() < 10'000'000) {
        const std::string text = body_of(30'000 + sent.size() % 5000);
        sent += text;
        const Result<Flow> flow = writer->write(Chunk::copy_of(text));
        ASSERT_TRUE(flow);
        most = std::max(most, BlockPool::instance().in_use_bytes() - before);
        if (*flow == Flow::open) continue;
        const int drains = source.drains;
        ASSERT_TRUE(loop_.run_until([&] { return source.drains > drains; }, 20'000));
    }
    ASSERT_TRUE(writer->finish());
    MessageId mid = 0;
    writer->commit("e", [&](Result<StoredMessage> stored) { mid = stored ? stored->mid : 0; });
    ASSERT_TRUE(loop_.run_until([&] { return mid != 0; }, 20'000));
    EXPECT_LT(most, 400u * 1024);  // the young part, what is unwritten, a piece in the making
    writer.reset();
    EXPECT_EQ(BlockPool::instance().in_use_bytes(), before);
    EXPECT_EQ(read(mid), sent);
}

TEST_F(SpoolTest, KeepsNoBodyInMemoryWhenMemoryIsScarce) {
    BlockPool& pool = BlockPool::instance();
    const std::size_t budget = pool.budget_bytes();
    pool.set_budget_bytes(pool.in_use_bytes() + 1000);
    const StoredMessage stored = store(body_of(5000));
    pool.set_budget_bytes(budget);
    EXPECT_FALSE(stored.in_memory);
    EXPECT_TRUE(stored.body.empty());
    EXPECT_EQ(read(stored.mid), body_of(5000));
}

TEST_F(SpoolTest, CommitsManyMessagesWithFewSyncs) {
    constexpr int count = 500;
    int stored = 0;
    ChunkList body;
    body.append(Chunk::copy_of(body_of(5000)));
    for (int i = 0; i < count; ++i) {
        spool_->store(spool_->next_mid(), body, "e",
                      [&](Result<StoredMessage> result) { stored += result.has_value(); });
    }
    ASSERT_TRUE(loop_.run_until([&] { return stored == count; }, 20'000));
    EXPECT_EQ(spool_->statistics().messages, std::uint64_t{count});
    EXPECT_LT(spool_->statistics().commits, std::uint64_t{count} / 4);
    reopen();
    EXPECT_EQ(recovered_.size(), std::size_t{count});
}

TEST_F(SpoolTest, WritesWhatWasHandedOverBeforeItGoes) {
    ChunkList body;
    body.append(Chunk::copy_of(body_of(5000)));
    for (int i = 0; i < 100; ++i)
        spool_->store(spool_->next_mid(), body, "e", [](Result<StoredMessage>) { FAIL(); });
    reopen();
    EXPECT_EQ(recovered_.size(), 100u);
    loop_.run_until([] { return false; }, 20);  // answers of the one before find nobody
}

TEST_F(SpoolTest, OutlivesNoneOfItsWritersAndReaders) {
    const StoredMessage stored = store(body_of(2 * piece));
    auto writer = spool_->begin(spool_->next_mid());
    auto reader = spool_->read(stored.mid);
    ASSERT_TRUE(writer->write(Chunk::copy_of(body_of(2 * piece))));
    reader->next([](Result<ChunkList>) { FAIL(); });
    spool_.reset();
    ASSERT_TRUE(writer->write(Chunk::copy_of(body_of(2 * piece))));
    loop_.run_until([] { return false; }, 20);
    writer.reset();
    reader.reset();
    open();
    EXPECT_EQ(recovered_.size(), 1u);
}

TEST_F(SpoolTest, MayBeDestroyedByACallbackOfItsOwn) {
    bool gone = false;
    ChunkList body;
    body.append(Chunk::copy_of("body"));
    for (int i = 0; i < 10; ++i) {
        spool_->store(spool_->next_mid(), body, "e", [&](Result<StoredMessage>) {
            EXPECT_FALSE(gone);
            gone = true;
            spool_.reset();
        });
    }
    ASSERT_TRUE(loop_.run_until([&] { return gone; }, 20'000));
    loop_.run_until([] { return false; }, 20);
}

TEST_F(SpoolTest, RefusesAStoreThatIsInUse) {
    std::string why;
    const auto second = Spool::open(loop_, directory_, &why);
    ASSERT_FALSE(second);
    EXPECT_NE(why.find("already in use by another process"), why.npos) << why;
}

TEST_F(SpoolTest, RefusesAStoreOfAnotherFormat) {
    for (const std::string format : {"1", "3"}) {
        spool_.reset();
        {
            rocksdb::DB* opened = nullptr;
            ASSERT_TRUE(rocksdb::DB::Open({}, directory_ + "/spool", &opened).ok());
            const std::unique_ptr<rocksdb::DB> database(opened);
            ASSERT_TRUE(database->Put({}, "Mformat", format).ok());
        }
        std::string why;
        const auto refused = Spool::open(loop_, directory_, &why);
        ASSERT_FALSE(refused);
        EXPECT_EQ(refused.error().kind, ErrorKind::unsupported);
        EXPECT_NE(why.find("format " + format), why.npos) << why;
    }
}

TEST(Spool, SaysWhyItCannotBeOpened) {
    Loop loop;
    std::string why;
    EXPECT_FALSE(Spool::open(loop, "/proc/no/such/place", &why));
    EXPECT_NE(why.find("/proc/no/such/place"), why.npos) << why;
}

}  // namespace
}  // namespace sealgate
