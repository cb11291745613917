// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/socket.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <string>

#include "core/loop.h"
#include "core/timer.h"

namespace sealgate {
namespace {

constexpr std::uint64_t patience_ms = 20'000;

// One end of a connection: what it heard, and how it ended.
struct End final : Socket::Handler {
    std::unique_ptr<Socket> socket;
    std::string heard;
    bool ended = false, broken = false;
    int drains = 0;
    bool echo = false;
    bool dies_on_bytes = false;

    void take(std::unique_ptr<Socket> s) {
        socket = std::move(s);
        socket->set_handler(this);
        socket->resume();
    }
    void on_bytes(Chunk chunk) override {
        heard.append(chunk.text());
        if (echo) socket->send(std::move(chunk));
        if (dies_on_bytes) socket.reset();
    }
    void on_end() override { ended = true; }
    void on_broken(std::string) override { broken = true; }
    void on_drain() override { ++drains; }
};

class SocketTest : public testing::Test {
protected:
    void connect() {
        acceptor = *Acceptor::listen(
            loop, *Endpoint::parse("127.0.0.1:0"),
            [this](std::unique_ptr<Socket> s) { server.take(std::move(s)); }, nullptr);
        client.socket =
            Socket::connect(loop, acceptor->local(), {}, [this](Result<void> ok, std::string) {
                ASSERT_TRUE(ok);
                client.socket->set_handler(&client);
                client.socket->resume();
                connected = true;
            });
        ASSERT_TRUE(loop.run_until([this] { return connected && server.socket; }, patience_ms));
    }

    Loop loop;
    std::unique_ptr<Acceptor> acceptor;
    End server, client;
    bool connected = false;
};

TEST_F(SocketTest, CarriesBytesBothWays) {
    connect();
    server.echo = true;
    client.socket->send(Chunk::copy_of("hello "));
    client.socket->send(Chunk::literal("world"));
    ASSERT_TRUE(loop.run_until([this] { return client.heard == "hello world"; }, patience_ms));
    EXPECT_EQ(client.socket->peer(), acceptor->local());
    EXPECT_EQ(server.socket->peer(), client.socket->local());
}

TEST_F(SocketTest, SendsMoreThanTheKernelTakesAndSaysWhenItIsGone) {
    connect();
    server.socket->pause();
    std::string wanted;
    ChunkList large;
    for (int i = 0; i < 2000; ++i) {
        std::string part(8192, static_cast<char>('a' + i % 26));
        wanted += part;
        large.append(Chunk::copy_of(part));
    }
    client.socket->send(std::move(large));
    loop.run_until([] { return false; }, 50);
    EXPECT_GT(client.socket->unsent_bytes(), 0u);
    EXPECT_EQ(client.drains, 0);
    server.socket->resume();
    ASSERT_TRUE(loop.run_until([&] { return server.heard.size() == wanted.size(); }, patience_ms));
    EXPECT_TRUE(server.heard == wanted);
    EXPECT_GE(client.drains, 1);
    EXPECT_EQ(client.socket->unsent_bytes(), 0u);
}

TEST_F(SocketTest, LastWordsArriveBeforeTheEnd) {
    connect();
    client.socket->send(Chunk::literal("bye"));
    Socket::close_after_sending(std::move(client.socket));
    ASSERT_TRUE(loop.run_until([this] { return server.ended; }, patience_ms));
    EXPECT_EQ(server.heard, "bye");
}

TEST_F(SocketTest, LastWordsArriveAlthoughThePeerIsStillTalking) {
    connect();
    client.socket->send(Chunk::copy_of(std::string(100'000, 'x')));
    server.socket->pause();
    loop.run_until([] { return false; }, 20);
    server.socket->send(Chunk::literal("421 too much"));
    Socket::close_after_sending(std::move(server.socket));
    ASSERT_TRUE(loop.run_until([this] { return client.ended || client.broken; }, patience_ms));
    EXPECT_FALSE(client.broken);
    EXPECT_EQ(client.heard, "421 too much");
}

TEST_F(SocketTest, AHandlerMayDestroyItsSocketWhileItIsCalled) {
    connect();
    server.dies_on_bytes = true;
    client.socket->send(Chunk::literal("x"));
    ASSERT_TRUE(loop.run_until([this] { return client.ended || client.broken; }, patience_ms));
    EXPECT_EQ(server.heard, "x");
}

TEST_F(SocketTest, AFullPoolStopsReadingAndAFreeOneResumes) {
    connect();
    BlockPool& pool = BlockPool::instance();
    const std::size_t budget = pool.budget_bytes();
    pool.set_budget_bytes(0);
    client.socket->send(Chunk::literal("later"));
    loop.run_until([] { return false; }, 50);
    EXPECT_EQ(server.heard, "");
    pool.set_budget_bytes(budget);
    ASSERT_TRUE(loop.run_until([this] { return server.heard == "later"; }, patience_ms));
}

TEST_F(SocketTest, SmallSlicesOfASharedReadBlockStayIntact) {
    connect();
    for (int i = 0; i < 3000; ++i) {
        client.socket->send(Chunk::copy_of("line " + std::to_string(i) + "\n"));
        if (i % 100 == 0) loop.run_until([] { return true; }, 1);
    }
    ASSERT_TRUE(
        loop.run_until([this] { return server.heard.ends_with("line 2999\n"); }, patience_ms));
    EXPECT_EQ(server.heard.find("line 1234\nline 1235\n") != std::string::npos, true);
}

TEST(SocketConnect, ARefusedConnectionIsAnAnswerNotACrash) {
    Loop loop;
    Endpoint nobody;
    {
        auto acceptor = *Acceptor::listen(loop, *Endpoint::parse("127.0.0.1:0"), {}, nullptr);
        nobody = acceptor->local();
    }
    bool answered = false;
    auto socket = Socket::connect(loop, nobody, {}, [&](Result<void> ok, std::string what) {
        EXPECT_FALSE(ok);
        EXPECT_EQ(what, "connection refused");
        answered = true;
    });
    ASSERT_TRUE(loop.run_until([&] { return answered; }, patience_ms));
}

TEST(AcceptorTest, ATakenPortIsAClearError) {
    Loop loop;
    auto first = *Acceptor::listen(loop, *Endpoint::parse("127.0.0.1:0"), {}, nullptr);
    std::string why;
    auto second = Acceptor::listen(loop, first->local(), {}, &why);
    EXPECT_FALSE(second);
    EXPECT_EQ(why, "address already in use");
}

TEST(AcceptorTest, AUnixSocketReplacesADeadFileButNotALiveOne) {
    const std::string path = testing::TempDir() + "/acceptor." + std::to_string(getpid());
    Loop loop;
    std::string why;
    auto first = Acceptor::listen_unix(loop, path, {}, &why);
    ASSERT_TRUE(first) << why;
    EXPECT_FALSE(Acceptor::listen_unix(loop, path, {}, &why));
    EXPECT_EQ(why, "another process listens there");
    first->reset();
    EXPECT_TRUE(Acceptor::listen_unix(loop, path, {}, &why)) << why;
}

TEST(LoopTest, PostedTasksRunInOrderAndDeferredOnesAfterThem) {
    Loop loop;
    std::string order;
    loop.post([&] {
        order += "a";
        loop.defer([&] { order += "d"; });
    });
    loop.post([&] { order += "b"; });
    ASSERT_TRUE(loop.run_until([&] { return order.size() == 3; }, patience_ms));
    EXPECT_EQ(order, "abd");
}

TEST(TimerTest, FiresOnceRepeatsAndStops) {
    Loop loop;
    int once = 0, often = 0;
    Timer a(loop, [&] { ++once; });
    Timer b(loop, [&] {
        if (++often == 3) b.stop();
    });
    a.start(1);
    b.start(1, 1);
    ASSERT_TRUE(loop.run_until([&] { return once == 1 && often == 3; }, patience_ms));
    EXPECT_FALSE(b.running());
}

}  // namespace
}  // namespace sealgate
