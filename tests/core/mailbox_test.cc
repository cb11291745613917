// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/mailbox.h"

#include <gtest/gtest.h>

#include <memory>
#include <thread>

#include "core/thread.h"

namespace sealgate {
namespace {

TEST(Mailbox, GivesValuesInTheOrderOfPushing) {
    Mailbox<int> box;
    EXPECT_TRUE(box.empty());
    for (int i = 0; i < 5; ++i) box.push(i);
    EXPECT_FALSE(box.empty());
    EXPECT_EQ(box.take_all(), (std::vector<int>{0, 1, 2, 3, 4}));
    EXPECT_TRUE(box.empty());
    EXPECT_TRUE(box.take_all().empty());
}

TEST(Mailbox, SaysWhenItWasEmpty) {
    Mailbox<int> box;
    EXPECT_TRUE(box.push(1));
    EXPECT_FALSE(box.push(2));
    box.take_all();
    EXPECT_TRUE(box.push(3));
}

TEST(Mailbox, DestroysWhatNobodyTook) {
    const auto value = std::make_shared<int>(7);
    {
        Mailbox<std::shared_ptr<int>> box;
        box.push(value);
        box.push(value);
        EXPECT_EQ(value.use_count(), 3);
    }
    EXPECT_EQ(value.use_count(), 1);
}

TEST(Mailbox, LosesNothingOfManyProducersAndKeepsEachOnesOrder) {
    constexpr int producers = 4;
    constexpr int each = 20'000;
    struct Value {
        int producer;
        std::unique_ptr<int> number;
    };
    Mailbox<Value> box;
    Semaphore wake;
    std::vector<std::thread> threads;
    for (int producer = 0; producer < producers; ++producer) {
        threads.push_back(start_thread("producer", [&, producer] {
            for (int i = 0; i < each; ++i)
                if (box.push({producer, std::make_unique<int>(i)})) wake.raise();
        }));
    }
    int next[producers] = {};
    for (int seen = 0; seen < producers * each;) {
        wake.wait();  // would hang if a push to the empty box went unsaid
        for (const Value& value : box.take_all()) {
            ASSERT_EQ(*value.number, next[value.producer]++);
            ++seen;
        }
    }
    for (std::thread& thread : threads) thread.join();
    EXPECT_TRUE(box.empty());
}

TEST(Semaphore, WaitsNoLongerThanAsked) {
    Semaphore semaphore;
    EXPECT_FALSE(semaphore.wait_for(1));
    EXPECT_FALSE(semaphore.wait_for(0));
    semaphore.raise();
    EXPECT_TRUE(semaphore.wait_for(60'000));
}

TEST(StartThread, IsNamedAndDeafToSignals) {
    sigset_t blocked;
    sigemptyset(&blocked);
    char name[16] = "";
    start_thread("sealgate-test", [&] {
        pthread_sigmask(SIG_SETMASK, nullptr, &blocked);
        pthread_getname_np(pthread_self(), name, sizeof name);
    }).join();
    EXPECT_STREQ(name, "sealgate-test");
    for (const int number : {SIGTERM, SIGHUP, SIGINT, SIGUSR1})
        EXPECT_EQ(sigismember(&blocked, number), 1) << number;
    sigset_t ours;
    pthread_sigmask(SIG_SETMASK, nullptr, &ours);
    EXPECT_EQ(sigismember(&ours, SIGTERM), 0);
}

}  // namespace
}  // namespace sealgate
