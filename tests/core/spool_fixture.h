// SPDX-License-Identifier: GPL-3.0-or-later
// A spool in a folder of its own, and what its tests do with it.
#pragma once

#include <gtest/gtest.h>
#include <rocksdb/db.h>

#include <cstdlib>
#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "core/limits.h"
#include "core/loop.h"
#include "core/spool.h"

namespace sealgate::test {

inline constexpr std::size_t piece = limits::spool_piece_bytes;

inline std::string body_of(std::size_t bytes) {
    std::string text(bytes, ' ');
    for (std::size_t i = 0; i < bytes; ++i)
        text[i] = static_cast<char>('a' + (i ^ i / 251 ^ i / 65536) % 26);
    return text;
}

class QuietSource : public Source {
public:
    void on_drain() override { ++drains; }
    void on_failed(Error) override { ++failures; }
    int drains = 0;
    int failures = 0;
};

class SpoolTest : public testing::Test {
protected:
    SpoolTest() : directory_(testing::TempDir() + "sealgate_spool_XXXXXX") {
        EXPECT_NE(mkdtemp(directory_.data()), nullptr);
        open();
    }
    ~SpoolTest() override {
        spool_.reset();
        std::filesystem::remove_all(directory_);
    }

    void open() {
        std::string why;
        auto opened = Spool::open(loop_, directory_, &why);
        ASSERT_TRUE(opened) << why;
        spool_ = *std::move(opened);
        recovered_.clear();
        ASSERT_TRUE(spool_->recover(
            [this](Spool::Recovered message) { recovered_[message.mid] = std::move(message); }));
    }
    void reopen() {
        spool_.reset();
        open();
    }
    // Lets the spool thread work off what it has, by asking for something that comes after.
    void settle() {
        bool done = false;
        spool_->remove(store("settled").mid, [&](Result<void>) { done = true; });
        EXPECT_TRUE(loop_.run_until([&] { return done; }, 20'000));
    }

    StoredMessage store(const std::string& body, const std::string& envelope = "envelope") {
        ChunkList chunks;
        chunks.append(Chunk::copy_of(body));
        return store(std::move(chunks), envelope);
    }
    StoredMessage store(ChunkList body, const std::string& envelope = "envelope") {
        Result<StoredMessage> stored = temporary("no answer came");
        bool done = false;
        spool_->store(spool_->next_mid(), std::move(body), envelope, [&](auto result) {
            stored = std::move(result);
            done = true;
        });
        EXPECT_TRUE(loop_.run_until([&] { return done; }, 20'000));
        EXPECT_TRUE(stored);
        return stored ? *std::move(stored) : StoredMessage{};
    }

    Result<std::string> read(MessageId mid) {
        const auto reader = spool_->read(mid);
        std::string body;
        for (;;) {
            Result<ChunkList> part = temporary("no answer came");
            bool done = false;
            reader->next([&](Result<ChunkList> result) {
                part = std::move(result);
                done = true;
            });
            EXPECT_FALSE(done) << "answered from inside the call";
            EXPECT_TRUE(loop_.run_until([&] { return done; }, 20'000));
            const ChunkList chunks = TRY(std::move(part));
            if (chunks.empty()) return body;
            EXPECT_LE(chunks.bytes(), piece);
            body += chunks.to_string();
        }
    }

    // How many records the store has that begin with `kind`; the spool is closed meanwhile.
    std::size_t count_records(char kind) {
        spool_.reset();
        rocksdb::DB* opened = nullptr;
        EXPECT_TRUE(rocksdb::DB::Open({}, directory_ + "/spool", &opened).ok());
        const std::unique_ptr<rocksdb::DB> database(opened);
        std::size_t count = 0;
        {
            const std::unique_ptr<rocksdb::Iterator> at(database->NewIterator({}));
            for (at->SeekToFirst(); at->Valid(); at->Next()) count += at->key()[0] == kind;
        }
        return count;
    }

    // Puts and removals in the store since it was made; the spool is closed for it.
    std::uint64_t records_written() {
        spool_.reset();
        rocksdb::DB* opened = nullptr;
        EXPECT_TRUE(rocksdb::DB::Open({}, directory_ + "/spool", &opened).ok());
        const std::unique_ptr<rocksdb::DB> database(opened);
        return database->GetLatestSequenceNumber();
    }

    using Writer = std::unique_ptr<SpoolWriter>;

    // Writes as a session does: in reads, waiting when it is told to.
    void write(SpoolWriter& writer, const std::string& body, std::size_t chunk_bytes = 10'000) {
        QuietSource source;
        writer.set_source(&source);
        for (std::size_t at = 0; at < body.size(); at += chunk_bytes) {
            const Result<Flow> flow = writer.write(Chunk::copy_of(body.substr(at, chunk_bytes)));
            ASSERT_TRUE(flow);
            if (*flow == Flow::full) {
                ASSERT_TRUE(loop_.run_until([&] { return source.drains > 0; }, 20'000));
                source.drains = 0;
            }
        }
        writer.set_source(nullptr);
    }
    static ChunkList list_of(const std::string& text, std::size_t chunk_bytes = 50'000) {
        ChunkList chunks;
        for (std::size_t at = 0; at < text.size(); at += chunk_bytes)
            chunks.append(Chunk::copy_of(text.substr(at, chunk_bytes)));
        return chunks;
    }
    Result<StoredMessage> commit(SpoolWriter& writer, const std::string& envelope = "envelope") {
        Result<StoredMessage> answer = temporary("no answer came");
        bool done = false;
        writer.commit(envelope, [&](Result<StoredMessage> stored) {
            answer = std::move(stored);
            done = true;
        });
        EXPECT_TRUE(loop_.run_until([&] { return done; }, 20'000));
        return answer;
    }
    Result<StoredMessage> finish_and_commit(SpoolWriter& writer) {
        EXPECT_TRUE(writer.finish());
        return commit(writer);
    }
    // What the store holds of bodies, whatever the envelopes say.
    std::size_t stored_body_bytes() {
        spool_.reset();
        rocksdb::DB* opened = nullptr;
        EXPECT_TRUE(rocksdb::DB::Open({}, directory_ + "/spool", &opened).ok());
        const std::unique_ptr<rocksdb::DB> database(opened);
        const std::unique_ptr<rocksdb::Iterator> at(database->NewIterator({}));
        std::size_t bytes = 0;
        for (at->Seek("B"); at->Valid() && at->key()[0] == 'B'; at->Next())
            bytes += at->value().size();
        return bytes;
    }
    // The store has this message and not a byte more.
    void expect_only(MessageId mid, const std::string& body) {
        EXPECT_EQ(stored_body_bytes(), body.size());
        EXPECT_EQ(count_records('E'), 1u);
        EXPECT_EQ(count_records('P'), 0u);
        open();
        ASSERT_EQ(recovered_.size(), 1u);
        EXPECT_EQ(recovered_.count(mid), 1u);
        EXPECT_EQ(recovered_[mid].body_bytes, body.size());
        EXPECT_EQ(read(mid), body);
    }
    void expect_nothing() {
        EXPECT_EQ(count_records('B') + count_records('E') + count_records('P'), 0u);
        open();
        EXPECT_TRUE(recovered_.empty());
    }

    std::string directory_;
    Loop loop_;
    std::unique_ptr<Spool> spool_;
    std::map<MessageId, Spool::Recovered> recovered_;
};

}  // namespace sealgate::test
