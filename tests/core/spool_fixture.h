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

#include "core/limits.h"
#include "core/loop.h"
#include "core/spool.h"

namespace sealgate {

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

    std::string directory_;
    Loop loop_;
    std::unique_ptr<Spool> spool_;
    std::map<MessageId, Spool::Recovered> recovered_;
};

}  // namespace sealgate
