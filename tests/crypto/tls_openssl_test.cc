// SPDX-License-Identifier: GPL-3.0-or-later
// TLS over real sockets: with ourselves, and with the openssl tool on the other side.
#include <gtest/gtest.h>

#include <vector>

#include "core/limits.h"
#include "core/socket.h"
#include "crypto/tls_socket.h"
#include "tests/crypto/signing_fixture.h"
#include "tests/crypto/tls_fixture.h"

namespace sealgate::test {
namespace {

class TlsLoopback : public testing::Test {
protected:
    void listen(std::shared_ptr<TlsContext> context) {
        acceptor = *Acceptor::listen(
            loop, *Endpoint::parse("127.0.0.1:0"),
            [this, context](std::unique_ptr<Socket> socket) {
                TlsEnd& end = *servers.emplace_back(std::make_unique<TlsEnd>());
                end.echo = true;
                end.take(TlsSocket::accept(loop, std::move(socket), context, end.on_established()));
            },
            nullptr);
    }
    // The end of a client that is on its way.
    TlsEnd& connect(const Endpoint& to, std::shared_ptr<TlsContext> context) {
        TlsEnd& end = *clients.emplace_back(std::make_unique<TlsEnd>());
        sockets.push_back(nullptr);
        const std::size_t index = sockets.size() - 1;
        sockets[index] =
            Socket::connect(loop, to, {}, [this, index, &end, context](Result<void> ok, auto why) {
                ASSERT_TRUE(ok) << why;
                end.take(TlsSocket::connect(loop, std::move(sockets[index]), context,
                                            {"mx.example.test", "openssl"}, end.on_established()));
            });
        return end;
    }
    bool wait(const std::function<bool()>& done) { return loop.run_until(done, tls_patience_ms); }

    Loop loop;
    std::unique_ptr<Acceptor> acceptor;
    std::vector<std::unique_ptr<TlsEnd>> servers, clients;
    std::vector<std::unique_ptr<Socket>> sockets;  // that are not yet connected
};

TEST_F(TlsLoopback, MovesMuchBothWaysInLittleMemory) {
    listen(server_context());
    TlsEnd& client = connect(acceptor->local(), client_context());
    ASSERT_TRUE(wait([&] { return client.is_open() && servers.size() == 1; }));
    static const std::string block(64 * 1024, 'x');
    constexpr std::size_t blocks = 512;
    servers[0]->echo = false;
    servers[0]->stream->pause();
    const std::size_t before = BlockPool::instance().in_use_bytes();
    for (std::size_t i = 0; i < blocks; ++i) client.stream->send(Chunk::literal(block));
    loop.run_until([] { return false; }, 50);
    EXPECT_GT(client.stream->unsent_bytes(), blocks * block.size() / 2);
    EXPECT_LT(BlockPool::instance().in_use_bytes() - before, 1u << 20);
    servers[0]->stream->resume();
    ASSERT_TRUE(wait([&] { return servers[0]->heard.size() == blocks * block.size(); }));
    ASSERT_TRUE(wait([&] { return client.drains == 1; }));
    servers[0]->send("that was much");
    ASSERT_TRUE(wait([&] { return client.heard == "that was much"; }));
    EXPECT_EQ(client.stream->peer(), acceptor->local());
    client.close();
    ASSERT_TRUE(wait([&] { return servers[0]->is_over(); }));
    EXPECT_TRUE(servers[0]->ended) << servers[0]->broken_by;
}

TEST_F(TlsLoopback, UpgradesASessionThatBeganInClear) {
    struct Clear final : Transport::Handler {
        std::string heard;
        std::function<void()> on_line;
        void on_bytes(Chunk chunk) override {
            heard += chunk.text();
            if (heard.ends_with("\r\n")) on_line();
        }
        void on_end() override { ADD_FAILURE() << "ended"; }
        void on_broken(std::string what) override { ADD_FAILURE() << what; }
        void on_drain() override {}
    };
    const auto server_tls = server_context();
    const auto client_tls = client_context();
    Clear server_clear, client_clear;
    std::unique_ptr<Socket> server_socket, client_socket;
    TlsEnd server, client;
    server_clear.on_line = [&] {
        EXPECT_EQ(server_clear.heard, "STARTTLS\r\n");
        server_socket->send(Chunk::literal("220 go ahead\r\n"));
        server.take(
            TlsSocket::accept(loop, std::move(server_socket), server_tls, server.on_established()));
    };
    client_clear.on_line = [&] {
        EXPECT_EQ(client_clear.heard, "220 go ahead\r\n");
        client.take(TlsSocket::connect(loop, std::move(client_socket), client_tls, {},
                                       client.on_established()));
        client.send("EHLO again\r\n");
    };
    acceptor = *Acceptor::listen(
        loop, *Endpoint::parse("127.0.0.1:0"),
        [&](std::unique_ptr<Socket> socket) {
            server_socket = std::move(socket);
            server_socket->set_handler(&server_clear);
            server_socket->resume();
        },
        nullptr);
    client_socket = Socket::connect(loop, acceptor->local(), {}, [&](Result<void> ok, auto) {
        ASSERT_TRUE(ok);
        client_socket->set_handler(&client_clear);
        client_socket->resume();
        client_socket->send(Chunk::literal("STARTTLS\r\n"));
    });
    ASSERT_TRUE(wait([&] { return server.heard == "EHLO again\r\n"; }));
}

// --- openssl s_client ----------------------------------------------------------------------------

struct Peer {
    const char* name;
    const char* options;  // of the tool
    const char* identity;
    const char* protocol;  // null: they must not agree
};

TEST_F(TlsLoopback, OpensslClientsAreServed) {
    const Peer peers[] = {
        {"default", "", "p256", "TLSv1.3"},
        {"1.2", "-tls1_2", "p256", "TLSv1.2"},
        {"1.2, RSA", "-tls1_2", "rsa2048", "TLSv1.2"},
        {"1.3, RSA", "-tls1_3", "rsa2048", "TLSv1.3"},
        {"1.3, Ed25519", "-tls1_3", "ed25519", "TLSv1.3"},
        {"P-384 shares", "-groups P-384", "p384", "TLSv1.3"},
        {"X25519 shares", "-groups X25519", "p256", "TLSv1.3"},
        {"CBC", "-tls1_2 -cipher ECDHE-RSA-AES128-SHA256", "rsa2048", "TLSv1.2"},
        {"ChaCha20", "-ciphersuites TLS_CHACHA20_POLY1305_SHA256", "p256", "TLSv1.3"},
        {"small records", "-max_send_frag 512", "p256", "TLSv1.3"},
        {"1.1", "-tls1_1 -cipher ALL:@SECLEVEL=0", "rsa2048", nullptr},
        {"no certificate of ours", "-tls1_2 -cipher aECDSA", "rsa2048", nullptr},
    };
    for (const Peer& row : peers) {
        SCOPED_TRACE(row.name);
        servers.clear();
        listen(server_context(TlsVersions::both, row.identity));
        // With our root and -verify_return_error: the chain that we show is whole.
        BackgroundTool tool(
            "printf 'hello\\n' | openssl s_client -quiet "
            "-servername mx.example.test -verify_return_error -purpose any -CAfile " +
            root_file() + " -connect " + acceptor->local().to_text() + " " + row.options);
        if (!row.protocol) {
            ASSERT_TRUE(wait([&] { return servers.size() == 1 && servers[0]->outcome; }));
            EXPECT_FALSE(servers[0]->outcome->result);
            continue;
        }
        ASSERT_TRUE(wait([&] { return tool.output().find("hello") != std::string::npos; }))
            << tool.output()
            << (servers.empty() || !servers[0]->outcome ? "no outcome" : servers[0]->outcome->what);
        EXPECT_EQ(servers[0]->outcome->protocol, row.protocol);
        EXPECT_EQ(servers[0]->outcome->server_name, "mx.example.test");
        servers[0]->close();
        ASSERT_TRUE(wait([&] { return tool.is_done(); }));
    }
}

TEST_F(TlsLoopback, OpensslClientsResume) {
    const TemporaryFolder folder;
    for (const std::string version : {"-tls1_2", "-tls1_3"}) {
        SCOPED_TRACE(version);
        servers.clear();
        listen(server_context());
        const std::string session = folder.path("session");
        for (const std::string& how :
             {"-sess_out " + session, "-sess_in " + session, "-sess_in " + session}) {
            BackgroundTool tool(
                "(printf 'hello\\n'; sleep 0.3; printf 'Q\\n') | openssl s_client " + version +
                " -connect " + acceptor->local().to_text() + " " + how);
            ASSERT_TRUE(wait([&] { return tool.is_done(); })) << tool.output();
            EXPECT_NE(tool.output().find("hello"), std::string::npos) << tool.output();
        }
        ASSERT_EQ(servers.size(), 3u);
        EXPECT_FALSE(servers[0]->outcome->resumed);
        EXPECT_TRUE(servers[1]->outcome->resumed);
        EXPECT_TRUE(servers[2]->outcome->resumed);
        EXPECT_TRUE(servers[0]->ended) << servers[0]->broken_by;
    }
}

// --- openssl s_server ----------------------------------------------------------------------------

class OpensslServer {
public:
    OpensslServer(const std::string& identity, const std::string& options)
        : tool_("openssl s_server -accept 127.0.0.1:0 -rev -cert " + leaf_file(identity) +
                " -key " SEALGATE_SOURCE_DIR "/tests/data/signers/" + identity +
                ".key.pem -cert_chain " + intermediate_file() + " " + options) {}

    // Where it listens; empty: not yet. It says "ACCEPT 127.0.0.1:PORT".
    std::optional<Endpoint> endpoint() const {
        const std::string said = tool_.output();
        const std::size_t begin = said.find("ACCEPT ");
        const std::size_t end = said.find('\n', begin);
        if (begin == std::string::npos || end == std::string::npos) return std::nullopt;
        return Endpoint::parse(said.substr(begin + 7, end - begin - 7));
    }
    std::string output() const { return tool_.output(); }

private:
    BackgroundTool tool_;
};

TEST_F(TlsLoopback, OpensslServersAreSpokenTo) {
    const Peer peers[] = {
        {"default", "", "p256", "TLSv1.3"},
        {"1.2", "-tls1_2", "p256", "TLSv1.2"},
        {"1.2, RSA", "-tls1_2", "rsa2048", "TLSv1.2"},
        {"1.3, RSA", "-tls1_3", "rsa2048", "TLSv1.3"},
        {"1.3, Ed25519", "-tls1_3", "ed25519", "TLSv1.3"},
        {"another group, so it asks again", "-tls1_3 -groups P-384", "p256", "TLSv1.3"},
        {"CBC", "-tls1_2 -cipher ECDHE-RSA-AES128-SHA256", "rsa2048", "TLSv1.2"},
        {"no tickets", "-no_ticket", "p256", "TLSv1.3"},
        {"asks for a certificate", "-verify 1", "p256", "TLSv1.3"},
        {"1.2, asks for a certificate", "-tls1_2 -verify 1", "p256", "TLSv1.2"},
        {"wants a certificate", "-tls1_2 -Verify 1", "p256", nullptr},
        {"1.1", "-tls1_1 -cipher ALL:@SECLEVEL=0", "rsa2048", nullptr},
    };
    for (const Peer& row : peers) {
        SCOPED_TRACE(row.name);
        const OpensslServer server(row.identity, row.options);
        ASSERT_TRUE(wait([&] { return server.endpoint().has_value(); })) << server.output();
        TlsEnd& client = connect(*server.endpoint(), client_context());
        ASSERT_TRUE(wait([&] { return client.outcome.has_value(); }));
        if (!row.protocol) {
            EXPECT_FALSE(client.outcome->result);
            EXPECT_NE(client.outcome->what, "");
            continue;
        }
        ASSERT_TRUE(client.is_open()) << client.outcome->what;
        EXPECT_EQ(client.outcome->protocol, row.protocol);
        client.send("hello\n");  // -rev says it backwards
        ASSERT_TRUE(wait([&] { return client.heard == "olleh\n"; })) << server.output();
        client.send("CLOSE\n");
        ASSERT_TRUE(wait([&] { return client.is_over(); }));
        EXPECT_TRUE(client.ended) << client.broken_by;
    }
}

TEST_F(TlsLoopback, OpensslServersResume) {
    for (const char* version : {"-tls1_2", "-tls1_3", "-tls1_2 -no_ticket"}) {
        SCOPED_TRACE(version);
        const OpensslServer server("p256", version);
        ASSERT_TRUE(wait([&] { return server.endpoint().has_value(); })) << server.output();
        const auto context = client_context();
        for (int i = 0; i < 3; ++i) {
            TlsEnd& client = connect(*server.endpoint(), context);
            ASSERT_TRUE(wait([&] { return client.outcome.has_value(); }));
            ASSERT_TRUE(client.is_open()) << client.outcome->what;
            EXPECT_EQ(client.outcome->resumed, i > 0) << i;
            client.send("hello\n");  // what comes back comes after the tickets
            ASSERT_TRUE(wait([&] { return client.heard == "olleh\n"; }));
            client.close();
        }
    }
}

}  // namespace
}  // namespace sealgate::test
