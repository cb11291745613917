// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/record_store.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <map>
#include <set>
#include <thread>

#include "core/loop.h"
#include "tests/support/shared_folder.h"

namespace sealgate {
namespace {

using Durability = RecordStore::Durability;
using Records = std::map<std::string, std::string>;

class RecordStoreTest : public testing::Test {
protected:
    RecordStoreTest() { EXPECT_NE(mkdtemp(folder_.data()), nullptr); }
    ~RecordStoreTest() override {
        store_.reset();
        std::filesystem::remove_all(folder_);
    }
    void open() {
        store_.reset();
        std::string why;
        auto opened = RecordStore::open(&loop_, {folder_ + "/records", 0}, &why);
        ASSERT_TRUE(opened) << why;
        store_ = *std::move(opened);
    }
    void SetUp() override { open(); }

    Result<void> write(RecordBatch batch, Durability durability = Durability::synced) {
        std::optional<Result<void>> answer;
        store_->write(std::move(batch), durability, [&](Result<void> done) { answer = done; });
        EXPECT_FALSE(answer) << "never from inside the call";
        EXPECT_TRUE(loop_.run_until([&] { return answer.has_value(); }, 30'000));
        return answer.value_or(temporary("no answer"));
    }
    Result<void> put(const std::string& key, const std::string& value) {
        RecordBatch batch;
        batch.put(key, value);
        return write(std::move(batch));
    }
    Records all(const std::string& prefix = "") {
        Records records;
        EXPECT_TRUE(store_->each(prefix, [&](std::string_view key, std::string_view value) {
            records.emplace(key, value);
            return true;
        }));
        return records;
    }

    std::string folder_ = testing::TempDir() + "sealgate_records_XXXXXX";
    Loop loop_;
    std::unique_ptr<RecordStore> store_;
};

TEST_F(RecordStoreTest, KeepsWhatIsPutUntilItIsRemoved) {
    RecordBatch batch;
    batch.put("b", "2");
    batch.put("a", std::string("\0x", 2));
    batch.put("gone", "x");
    batch.remove("gone");
    batch.put("b", "3");
    EXPECT_EQ(batch.bytes(), 16U);
    ASSERT_TRUE(write(std::move(batch)));
    for (const bool again : {false, true}) {
        if (again) open();
        EXPECT_EQ(all(), (Records{{"a", std::string("\0x", 2)}, {"b", "3"}}));
        EXPECT_EQ(*store_->get("b"), "3");
        EXPECT_EQ(*store_->get("gone"), std::nullopt);
    }
    RecordBatch removal;
    removal.remove("b");
    removal.remove("never there");
    ASSERT_TRUE(write(std::move(removal), Durability::written));
    EXPECT_EQ(all().size(), 1U);
}

struct PrefixCase {
    const char* prefix;
    std::size_t want;
};

TEST_F(RecordStoreTest, WalksThroughAPrefixInOrder) {
    RecordBatch batch;
    for (const char* key : {"A", "B", "B1", "B2", "B\xff", "C", "\xff", "\xff\xff"})
        batch.put(key, key);
    ASSERT_TRUE(write(std::move(batch)));
    for (const auto& [prefix, want] :
         {PrefixCase{"", 8}, {"A", 1}, {"B", 4}, {"B1", 1}, {"B\xff", 1}, {"\xff", 2}, {"D", 0}})
        EXPECT_EQ(all(prefix).size(), want) << prefix;
    std::string seen;
    EXPECT_TRUE(store_->each("B", [&](std::string_view key, std::string_view) {
        seen.append(key).append(" ");
        return key != "B1";
    }));
    EXPECT_EQ(seen, "B B1 ");
}

TEST_F(RecordStoreTest, TakesChangesAtStartWhileItIsWalkedThrough) {
    RecordBatch batch;
    for (int i = 0; i < 100; ++i) batch.put("H" + std::to_string(i), "x");
    ASSERT_TRUE(write(std::move(batch)));
    open();
    int seen = 0;
    EXPECT_TRUE(store_->each("H", [&](std::string_view key, std::string_view) {
        RecordBatch changes;
        changes.remove(std::string(key));
        changes.put("N" + std::string(key), "y");
        EXPECT_TRUE(store_->write_at_start(std::move(changes)));
        ++seen;
        return true;
    }));
    EXPECT_EQ(seen, 100);
    open();
    EXPECT_EQ(all("H").size(), 0U);
    EXPECT_EQ(all("N").size(), 100U);
}

TEST_F(RecordStoreTest, PurgesAPrefixFromItsFilesToo) {
    RecordBatch batch;
    for (int i = 0; i < 1000; ++i) {
        batch.put("H" + std::to_string(i), "secret");
        batch.put("K" + std::to_string(i), "kept");
    }
    ASSERT_TRUE(write(std::move(batch)));
    open();
    ASSERT_TRUE(store_->purge("H"));
    EXPECT_EQ(all().size(), 1000U);
    EXPECT_EQ(all("K").size(), 1000U);
    store_.reset();
    for (const auto& entry : std::filesystem::recursive_directory_iterator(folder_)) {
        if (!entry.is_regular_file()) continue;
        std::ifstream file(entry.path(), std::ios::binary);
        const std::string contents((std::istreambuf_iterator<char>(file)), {});
        EXPECT_EQ(contents.find("secret"), std::string::npos) << entry.path();
    }
}

TEST_F(RecordStoreTest, AnswersInTheOrderOfTheCalls) {
    std::vector<int> answers;
    for (int i = 0; i < 200; ++i) {
        RecordBatch batch;
        batch.put("key", std::to_string(i));
        store_->write(std::move(batch), i % 3 == 0 ? Durability::synced : Durability::written,
                      [&, i](Result<void> done) {
                          EXPECT_TRUE(done);
                          answers.push_back(i);
                      });
    }
    EXPECT_GT(store_->waiting_bytes(), 0U);
    ASSERT_TRUE(loop_.run_until([&] { return answers.size() == 200; }, 30'000));
    EXPECT_TRUE(std::is_sorted(answers.begin(), answers.end()));
    EXPECT_EQ(store_->waiting_bytes(), 0U);
    EXPECT_EQ(*store_->get("key"), "199");
}

TEST_F(RecordStoreTest, WritesWhatWasHandedOverWhenItGoes) {
    for (int i = 0; i < 100; ++i) {
        RecordBatch batch;
        batch.put(std::to_string(i), std::string(1000, 'x'));
        store_->write(std::move(batch), Durability::written,
                      [](Result<void>) { FAIL() << "its asker is gone"; });
    }
    open();
    EXPECT_EQ(all().size(), 100U);
    loop_.run_until([] { return false; }, 20);
}

TEST_F(RecordStoreTest, IsWrittenAtOnceWithoutALoop) {
    store_.reset();
    std::string why;
    auto store = RecordStore::open(nullptr, {folder_ + "/records", 0}, &why);
    ASSERT_TRUE(store) << why;
    RecordBatch batch;
    batch.put("key", "value");
    bool done = false;
    (*store)->write(std::move(batch), Durability::synced,
                    [&](Result<void> written) { done = written.has_value(); });
    EXPECT_TRUE(done);
    EXPECT_EQ(*(*store)->get("key"), "value");
}

TEST_F(RecordStoreTest, WaitsForAnotherProcessThatIsAboutToEnd) {
    std::string why;
    const auto refused = RecordStore::open(&loop_, {folder_ + "/records", 0}, &why);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().kind, ErrorKind::untrusted);
    std::thread ending([&] {
        std::this_thread::sleep_for(std::chrono::milliseconds(150));
        store_.reset();
    });
    const auto opened = RecordStore::open(&loop_, {folder_ + "/records", 10'000}, &why);
    ending.join();
    EXPECT_TRUE(opened) << why;
}

TEST_F(RecordStoreTest, SaysWhyADirectoryCannotBeUsed) {
    store_.reset();
    std::ofstream(folder_ + "/file") << "x";
    std::string why;
    EXPECT_FALSE(RecordStore::open(&loop_, {folder_ + "/file", 0}, &why));
    EXPECT_NE(why.find(folder_), std::string::npos) << why;
}

// A disk that is full for a while, made of a limit on the size of files.
TEST_F(RecordStoreTest, RefusesWhileTheDiskFailsAndThenGoesOn) {
    ASSERT_TRUE(put("before", "1"));
    const auto previous = std::signal(SIGXFSZ, SIG_IGN);
    rlimit before{};
    getrlimit(RLIMIT_FSIZE, &before);
    const rlimit small{4096, before.rlim_max};
    setrlimit(RLIMIT_FSIZE, &small);
    const Result<void> refused = put("refused", std::string(100'000, 'x'));
    const Result<void> again = put("refused too", std::string(100'000, 'x'));
    setrlimit(RLIMIT_FSIZE, &before);
    std::signal(SIGXFSZ, previous);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().kind, ErrorKind::temporary);
    EXPECT_FALSE(again);
    EXPECT_TRUE(put("after", "2"));
    for (const bool reopened : {false, true}) {
        if (reopened) open();
        EXPECT_EQ(*store_->get("before"), "1");
        EXPECT_EQ(*store_->get("after"), "2");
    }
}

// Writes pairs, both halves in one batch, and notes in a file what was answered.
[[noreturn]] void write_until_killed(const test::SharedFolder& folder, unsigned after_ms) {
    const int ledger = ::open(folder.path("ledger").c_str(), O_WRONLY | O_CREAT | O_APPEND, 0600);
    Loop loop;
    std::string why;
    auto store = RecordStore::open(&loop, {folder.path("records"), 0}, &why);
    if (!store) std::_Exit(1);
    std::thread([after_ms] {
        std::this_thread::sleep_for(std::chrono::milliseconds(after_ms));
        ::kill(::getpid(), SIGKILL);
    }).detach();
    int number = 0;
    std::function<void()> next = [&] {
        const std::string name = std::to_string(number++);
        RecordBatch batch;
        batch.put("L" + name, std::string(2000, 'l'));
        batch.put("R" + name, std::string(2000, 'r'));
        (*store)->write(std::move(batch), Durability::synced, [&, name](Result<void> done) {
            const std::string line = name + "\n";
            if (!done || ::write(ledger, line.data(), line.size()) < 0) std::_Exit(1);
            next();
        });
    };
    for (int i = 0; i < 10; ++i) next();
    loop.run_until([] { return false; }, 60'000);
    std::_Exit(1);
}

class RecordStoreCrashTest : public testing::TestWithParam<unsigned> {
protected:
    test::SharedFolder folder_;
};

TEST_P(RecordStoreCrashTest, LosesNothingAnsweredWhenKilled) {
    EXPECT_EXIT(write_until_killed(folder_, GetParam()), testing::KilledBySignal(SIGKILL), "");
    std::string why;
    const auto store = RecordStore::open(nullptr, {folder_.path("records"), 0}, &why);
    ASSERT_TRUE(store) << why;
    std::ifstream ledger(folder_.path("ledger"));
    for (std::string name; ledger >> name;)
        EXPECT_EQ((*store)->get("L" + name)->value_or("").size(), 2000U) << name;
    std::set<std::string> left, right;
    ASSERT_TRUE((*store)->each("", [&](std::string_view key, std::string_view value) {
        EXPECT_EQ(value.size(), 2000U);
        (key.front() == 'L' ? left : right).emplace(key.substr(1));
        return true;
    }));
    EXPECT_EQ(left, right);
}

INSTANTIATE_TEST_SUITE_P(KilledAfterMs, RecordStoreCrashTest, testing::Values(20, 60, 150, 400));

}  // namespace
}  // namespace sealgate
