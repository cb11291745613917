// SPDX-License-Identifier: GPL-3.0-or-later
// The spool when the process is killed and when the disk does not take what it is given.
//
// The bodies of these tests run in a process of their own (GoogleTest's "threadsafe" death tests
// start this binary again); what the two have in common is a folder, named in the environment.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/statvfs.h>

#include <array>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <set>
#include <thread>

#include "core/spool_store.h"
#include "tests/core/spool_process.h"

namespace sealgate {
namespace {

using namespace test;

constexpr int skipped_exit = 77;

// Stores and removes for ever, and writes down what it was told: "C mid" when a commit was
// answered, "R mid" before a removal is asked for.
[[noreturn]] void store_until_killed(const SharedFolder& folder, unsigned after_ms) {
    const int ledger = ::open(folder.path("ledger").c_str(), O_WRONLY | O_CREAT | O_APPEND, 0600);
    const auto note = [ledger](char what, MessageId mid) {
        const std::string line = what + (" " + std::to_string(mid)) + "\n";
        REQUIRE(::write(ledger, line.data(), line.size()) == static_cast<ssize_t>(line.size()));
    };
    SpoolProcess process(folder.path("data"));
    std::thread([after_ms] {
        std::this_thread::sleep_for(std::chrono::milliseconds(after_ms));
        ::kill(::getpid(), SIGKILL);
    }).detach();
    std::function<void()> next = [&] {
        const MessageId mid = process.spool().next_mid();
        ChunkList body;
        body.append(Chunk::copy_of(message_body(mid)));
        process.spool().store(mid, std::move(body), std::to_string(mid), [&, mid](auto stored) {
            REQUIRE(stored);
            note('C', mid);
            if (mid % 4 == 0) {
                note('R', mid);
                process.spool().remove(mid);
            }
            next();
        });
    };
    std::vector<std::unique_ptr<SpoolWriter>> unfinished;
    for (int i = 0; i < 40; ++i) next();
    for (int i = 0; i < 5; ++i) {
        unfinished.push_back(process.spool().begin(process.spool().next_mid()));
        REQUIRE(unfinished.back()->write(Chunk::copy_of(std::string(300'000, 'u'))));
    }
    process.loop().run_until([] { return false; }, 60'000);
    std::_Exit(1);
}

class SpoolCrashTest : public testing::TestWithParam<unsigned> {
protected:
    SharedFolder folder_;
};

TEST_P(SpoolCrashTest, LosesNothingCommittedWhenKilled) {
    EXPECT_EXIT(store_until_killed(folder_, GetParam()), testing::KilledBySignal(SIGKILL), "");
    std::set<MessageId> committed;
    std::set<MessageId> removal_asked;
    std::ifstream ledger(folder_.path("ledger"));
    char what = 0;
    for (MessageId mid = 0; ledger >> what >> mid;)
        (what == 'C' ? committed : removal_asked).insert(mid);
    {
        SpoolProcess process(folder_.path("data"));
        for (const MessageId mid : committed) {
            if (removal_asked.count(mid)) continue;
            EXPECT_EQ(process.recovered().count(mid), 1u) << "MID " << mid << " is lost";
        }
        for (const auto& [mid, message] : process.recovered()) {
            EXPECT_EQ(message.envelope, std::to_string(mid));
            EXPECT_EQ(process.read(mid), message_body(mid)) << "MID " << mid;
        }
        if (!committed.empty()) {
            EXPECT_GT(process.spool().next_mid(), *committed.rbegin());
        }
    }
    std::string why;
    auto store = SpoolStore::open(folder_.path("data") + "/spool", &why);
    ASSERT_TRUE(store) << why;
    EXPECT_TRUE((*store)->uncommitted()->empty());
    const std::uint32_t first = empty_extent(0).first_index;
    const Result<Chunk> unfinished = (*store)->piece(41, first);  // the first never finished
    EXPECT_TRUE(!unfinished || unfinished->text().front() != 'u');
}

INSTANTIATE_TEST_SUITE_P(KilledAfterMs, SpoolCrashTest, testing::Values(5, 30, 70, 150, 310, 620));

class SpoolDiskTest : public SpoolCrashTest {};

// A disk that is full for a while: messages are refused, then taken again, and those refused are
// not there, neither at once nor after a restart.
void store_on_a_disk_that_fills(const std::string& data, const std::function<void()>& fill,
                                const std::function<void()>& clear) {
    std::set<MessageId> stored;
    {
        SpoolProcess process(data);
        for (int i = 0; i < 3; ++i) stored.insert(process.store(std::string(5000, 'x'))->mid);
        auto streaming = process.spool().begin(process.spool().next_mid());
        REQUIRE(streaming->write(Chunk::copy_of(std::string(200'000, 's'))));
        std::array<Pair, 3> pairs = {Pair(process), Pair(process), Pair(process)};
        for (Pair& pair : pairs) {
            pair.write();
            REQUIRE(pair.finish());
        }
        process.rest();
        REQUIRE(pairs[0].commit_and_wait(1));
        stored.insert(pairs[0].mid());
        fill();
        int refused = 0;
        for (int i = 0; i < 200 && refused < 3; ++i) {
            const auto answer = process.store(std::string(400'000, 'y'));
            if (answer) {
                stored.insert(answer->mid);
            } else {
                ++refused;
                REQUIRE(answer.error().kind == ErrorKind::temporary);
            }
        }
        REQUIRE(refused == 3);
        REQUIRE(process.wait_for_health(false));
        REQUIRE(!process.spool().trouble().empty());
        // Bodies that go while the store fails go from it later; the committed one stays.
        pairs[0].drop(0);
        REQUIRE(!pairs[1].commit_and_wait(0));
        pairs[1].drop(0);
        pairs[1].drop(1);
        // What is delivered meanwhile goes away later.
        process.spool().remove(*stored.begin());
        stored.erase(stored.begin());
        clear();
        REQUIRE(process.wait_for_health(true));
        REQUIRE(pairs[2].commit_and_wait(0));  // it had no part in the failure
        stored.insert(pairs[2].mid());
        for (int i = 0; i < 3; ++i) {
            const auto answer = process.store(std::string(5000, 'z'));
            REQUIRE(answer);
            stored.insert(answer->mid);
        }
    }
    std::size_t bytes = 0;
    {
        SpoolProcess process(data);
        for (const auto& [mid, message] : process.recovered()) {
            REQUIRE(stored.count(mid) == 1);
            REQUIRE(process.read(mid).size() == message.body_bytes);
            bytes += message.body_bytes;
        }
        REQUIRE(process.recovered().size() == stored.size());
    }
    REQUIRE(stored_body_bytes(data) == bytes);
}

[[noreturn]] void store_on_a_small_file_system(const std::string& data) {
    std::filesystem::create_directories(data);
    if (unshare(CLONE_NEWNS) != 0 ||
        mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0 ||
        mount("tmpfs", data.c_str(), "tmpfs", 0, "size=200m") != 0) {
        std::_Exit(skipped_exit);
    }
    const std::string filler = data + "/filler";
    store_on_a_disk_that_fills(
        data,
        [&] {
            struct statvfs system {};
            statvfs(data.c_str(), &system);
            const std::uint64_t free_bytes = system.f_bavail * system.f_frsize;
            std::ofstream(filler) << std::string(free_bytes - 2'000'000, 'f');
        },
        [&] { std::filesystem::remove(filler); });
    std::_Exit(0);
}

[[noreturn]] void store_with_small_files_only(const std::string& data) {
    std::signal(SIGXFSZ, SIG_IGN);
    rlimit before{};
    getrlimit(RLIMIT_FSIZE, &before);
    const auto limit = [&](rlim_t bytes) {
        const rlimit now{bytes, before.rlim_max};
        setrlimit(RLIMIT_FSIZE, &now);
    };
    store_on_a_disk_that_fills(
        data, [&] { limit(2 << 20); }, [&] { limit(before.rlim_cur); });
    std::_Exit(0);
}

TEST_F(SpoolDiskTest, RefusesAndRecoversWhenTheDiskIsFull) {
    const auto exited = [](int status) {
        if (!WIFEXITED(status)) return false;
        if (WEXITSTATUS(status) == skipped_exit) std::fputs("skipped: no right to mount\n", stderr);
        return WEXITSTATUS(status) == 0 || WEXITSTATUS(status) == skipped_exit;
    };
    EXPECT_EXIT(store_on_a_small_file_system(folder_.path("data")), exited, "");
}

TEST_F(SpoolDiskTest, RefusesAndRecoversWhenTheDiskFails) {
    EXPECT_EXIT(store_with_small_files_only(folder_.path("data")), testing::ExitedWithCode(0), "");
}

}  // namespace
}  // namespace sealgate
