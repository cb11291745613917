// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/workers.h"

#include <gtest/gtest.h>

#include <set>
#include <string>
#include <thread>

#include "core/loop.h"
#include "core/thread.h"

namespace sealgate {
namespace {

constexpr std::uint64_t long_ms = 20'000;

TEST(WorkerPool, GivesValuesBackOnTheLoopThread) {
    Loop loop;
    WorkerPool pool(loop, 2);
    const auto here = std::this_thread::get_id();
    std::vector<WorkerPool::Ticket> tickets;
    int sum = 0;
    for (int i = 0; i < 100; ++i) {
        tickets.push_back(pool.submit(
            [i, number = std::make_unique<int>(i), here] {
                EXPECT_NE(std::this_thread::get_id(), here);
                return std::make_unique<int>(i + *number);
            },
            [&, here](std::unique_ptr<int> value) {
                EXPECT_EQ(std::this_thread::get_id(), here);
                sum += *value;
            }));
    }
    EXPECT_EQ(pool.outstanding(), 100u);
    ASSERT_TRUE(loop.run_until([&] { return pool.outstanding() == 0; }, long_ms));
    EXPECT_EQ(sum, 9900);
}

TEST(WorkerPool, AnswersNoTicketThatWasDropped) {
    Loop loop;
    WorkerPool pool(loop, 1);
    int answers = 0;
    auto kept = pool.submit([] { return 1; }, [&](int value) { answers += value; });
    pool.submit([] { return 1; }, [](int) { FAIL(); }).cancel();
    auto replaced = pool.submit([] { return 1; }, [](int) { FAIL(); });
    replaced = pool.submit([] { return 10; }, [&](int value) { answers += value; });
    ASSERT_TRUE(loop.run_until([&] { return pool.outstanding() == 0; }, long_ms));
    EXPECT_EQ(answers, 11);
}

TEST(WorkerPool, GivesAJobToTheWorkerWithTheFewest) {
    Loop loop;
    WorkerPool pool(loop, 3);
    Semaphore go;
    std::set<std::thread::id> threads;
    std::vector<WorkerPool::Ticket> tickets;
    for (int i = 0; i < 3; ++i) {
        tickets.push_back(pool.submit(
            [&go] {
                go.wait();
                return std::this_thread::get_id();
            },
            [&](std::thread::id id) { threads.insert(id); }));
    }
    for (int i = 0; i < 3; ++i) go.raise();
    ASSERT_TRUE(loop.run_until([&] { return pool.outstanding() == 0; }, long_ms));
    EXPECT_EQ(threads.size(), 3u);
}

TEST(WorkerPool, HoldsNoAnswerBackForAJobThatMayBeLong) {
    Loop loop;
    WorkerPool pool(loop, 1);
    Semaphore line_is_formed, long_may_end;
    int brief_answers = 0;
    bool long_answered = false;
    std::vector<WorkerPool::Ticket> tickets;
    tickets.push_back(pool.submit([&] { return line_is_formed.wait(), 0; }, [](int) {}));
    for (int i = 0; i < 100; ++i)
        tickets.push_back(pool.submit([] { return 1; }, [&](int one) { brief_answers += one; },
                                      WorkerPool::Length::brief));
    tickets.push_back(
        pool.submit([&] { return long_may_end.wait(), 0; }, [&](int) { long_answered = true; }));
    line_is_formed.raise();
    ASSERT_TRUE(loop.run_until([&] { return brief_answers == 100; }, long_ms));
    EXPECT_FALSE(long_answered);
    long_may_end.raise();
    ASSERT_TRUE(loop.run_until([&] { return long_answered; }, long_ms));
}

TEST(WorkerPool, MaySubmitFromADelivery) {
    Loop loop;
    WorkerPool pool(loop, 2);
    int left = 1000;
    WorkerPool::Ticket ticket;
    std::function<void()> next = [&] {
        ticket = pool.submit([] { return 1; },
                             [&](int one) {
                                 left -= one;
                                 if (left > 0) next();
                             });
    };
    next();
    ASSERT_TRUE(loop.run_until([&] { return left == 0; }, long_ms));
}

TEST(WorkerPool, FinishesWhatWasBegunAndDropsTheRest) {
    Loop loop;
    const auto held = std::make_shared<int>(0);
    std::atomic<int> begun{0};
    std::atomic<int> finished{0};
    std::vector<WorkerPool::Ticket> tickets;
    {
        WorkerPool pool(loop, 2);
        for (int i = 0; i < 50; ++i) {
            tickets.push_back(pool.submit(
                [&, held] {
                    ++begun;
                    std::this_thread::sleep_for(std::chrono::milliseconds(1));
                    ++finished;
                    return 0;
                },
                [](int) { FAIL(); }));
        }
    }
    EXPECT_EQ(begun, finished);
    loop.run_until([] { return false; }, 10);
    EXPECT_EQ(held.use_count(), 1);
}

TEST(WorkerPool, MayBeDestroyedByADelivery) {
    Loop loop;
    auto pool = std::make_unique<WorkerPool>(loop, 2);
    std::vector<WorkerPool::Ticket> tickets;
    int answers = 0;
    for (int i = 0; i < 50; ++i) {
        tickets.push_back(pool->submit([] { return 0; },
                                       [&](int) {
                                           ++answers;
                                           pool.reset();
                                       }));
    }
    ASSERT_TRUE(loop.run_until([&] { return answers > 0; }, long_ms));
    loop.run_until([] { return false; }, 10);
    EXPECT_EQ(answers, 1);
}

}  // namespace
}  // namespace sealgate
