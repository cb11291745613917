// SPDX-License-Identifier: GPL-3.0-or-later
// What the tests of TLS share: one end of a stream that remembers, and a wire in memory that can be
// cut anywhere.
#pragma once

#include <gtest/gtest.h>

#include <sys/types.h>

#include <atomic>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>

#include "core/loop.h"
#include "core/transport.h"
#include "crypto/tls_socket.h"

namespace sealgate::test {

inline constexpr std::uint64_t tls_patience_ms = 20'000;

// One end: what it heard, and how it ended.
struct TlsEnd final : Transport::Handler {
    std::unique_ptr<Transport> stream;
    std::optional<TlsOutcome> outcome;
    std::string heard, broken_by;
    bool ended = false;
    int drains = 0;
    bool echo = false;

    bool is_open() const { return outcome && outcome->result; }
    bool is_over() const { return ended || !broken_by.empty(); }
    TlsSocket::Established on_established() {
        return [this](const TlsOutcome& told) {
            EXPECT_FALSE(outcome) << "told twice";
            outcome = told;
        };
    }
    void take(std::unique_ptr<Transport> s) {
        stream = std::move(s);
        stream->set_handler(this);
        stream->resume();
    }
    void send(std::string_view text) { stream->send(Chunk::copy_of(text)); }
    void close() { Transport::close_after_sending(std::move(stream)); }

    void on_bytes(Chunk chunk) override {
        EXPECT_FALSE(chunk.empty());
        EXPECT_TRUE(is_open());
        EXPECT_FALSE(is_over());
        heard.append(chunk.text());
        if (echo) stream->send(std::move(chunk));
    }
    void on_end() override {
        EXPECT_FALSE(is_over());
        ended = true;
    }
    void on_broken(std::string what) override {
        EXPECT_FALSE(is_over());
        broken_by = std::move(what);
    }
    void on_drain() override { ++drains; }
};

class WireEnd;

// One direction of a wire.
struct WireHalf {
    std::string bytes;          // sent, not yet delivered
    std::string history;        // all that was ever sent
    bool ended = false;         // the sender closed
    bool end_told = false;      // and the reader knows
    WireEnd* reader = nullptr;  // null: gone
    WireEnd* writer = nullptr;
};

// An end of a wire. Nothing moves by itself: the test delivers.
class WireEnd final : public Transport {
public:
    WireEnd(WireHalf& in, WireHalf& out) : in_(in), out_(out) { in_.reader = out_.writer = this; }
    ~WireEnd() override {
        out_.ended = true;
        in_.reader = out_.writer = nullptr;
    }

    void set_handler(Handler* handler) override { handler_ = handler; }
    void resume() override { reading_ = true; }
    void pause() override { reading_ = false; }
    void send(Chunk chunk) override { put(chunk.text()); }
    void send(ChunkList chunks) override { put(chunks.to_string()); }
    std::size_t unsent_bytes() const override { return out_.bytes.size(); }
    Endpoint local() const override { return {}; }
    Endpoint peer() const override { return {}; }

    bool reads() const { return reading_ && handler_ != nullptr; }
    Handler* handler() { return handler_; }

private:
    void put(std::string_view text) {
        out_.bytes += text;
        out_.history += text;
    }
    void end_after_sending(std::unique_ptr<Transport> /*self*/, std::uint64_t) override {}

    WireHalf& in_;
    WireHalf& out_;
    Handler* handler_ = nullptr;
    bool reading_ = false;
};

// Two ends in memory. One delivery is at most `piece_bytes`, and never crosses the place `cut`
// bytes after the beginning of its direction.
class Wire {
public:
    explicit Wire(Loop& loop) : loop_(loop) {}

    std::unique_ptr<Transport> client_end() {
        return std::make_unique<WireEnd>(to_client, to_server);
    }
    std::unique_ptr<Transport> server_end() {
        return std::make_unique<WireEnd>(to_server, to_client);
    }
    // Moves bytes and runs the loop until nothing moves any more, or `deliveries` were made.
    void settle(std::size_t deliveries = std::string::npos);

    std::size_t piece_bytes = std::string::npos;
    std::size_t cut = std::string::npos;
    WireHalf to_client, to_server;

private:
    bool deliver(WireHalf& half);

    Loop& loop_;
};

std::shared_ptr<TlsContext> server_context(TlsVersions versions = TlsVersions::both,
                                           const std::string& identity = "p256");
std::shared_ptr<TlsContext> client_context(TlsVersions versions = TlsVersions::both,
                                           std::size_t sessions = 4);
const char* protocol_of(TlsVersions versions);  // one version's
inline constexpr TlsVersions each_version[] = {TlsVersions::only_1_2, TlsVersions::only_1_3};

// Client and server over a wire in memory.
struct TlsPair {
    TlsPair(Loop& l, std::shared_ptr<TlsContext> c, std::shared_ptr<TlsContext> s)
        : loop(l), wire(l), client_tls(std::move(c)), server_tls(std::move(s)) {}

    void start(const TlsTarget& target = {"mx.example.test", "mx.example.test"}) {
        server.take(
            TlsSocket::accept(loop, wire.server_end(), server_tls, server.on_established()));
        client.take(TlsSocket::connect(loop, wire.client_end(), client_tls, target,
                                       client.on_established()));
    }
    // Shakes hands, and forgets what was on the wire.
    void open() {
        start();
        wire.settle();
        ASSERT_TRUE(client.is_open());
        ASSERT_TRUE(server.is_open());
        wire.to_client.history.clear();
        wire.to_server.history.clear();
    }

    Loop& loop;
    Wire wire;
    std::shared_ptr<TlsContext> client_tls, server_tls;
    TlsEnd client, server;
};

// A program of somebody else's in the background, with what it says. Ended, if need be, when this
// goes.
class BackgroundTool {
public:
    explicit BackgroundTool(const std::string& command);
    ~BackgroundTool();
    BackgroundTool(const BackgroundTool&) = delete;
    BackgroundTool& operator=(const BackgroundTool&) = delete;

    std::string output() const;
    bool is_done() const { return done_; }

private:
    pid_t process_ = -1;
    int pipe_ = -1;
    mutable std::mutex lock_;
    std::string output_;
    std::atomic<bool> done_{false};
    std::thread reader_;
};

}  // namespace sealgate::test
