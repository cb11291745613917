// SPDX-License-Identifier: GPL-3.0-or-later
#include "crypto/tls_socket.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "core/limits.h"
#include "tests/crypto/signing_fixture.h"
#include "tests/crypto/tls_fixture.h"

namespace sealgate::test {
namespace {

const std::string server_name = "mx.example.test";

// --- what a pair agrees on -----------------------------------------------------------------------

TEST(TlsSocket, AgreesForEachVersionAndKindOfKey) {
    struct Case {
        TlsVersions client, server;
        const char* identity;
        const char* protocol;
    };
    const Case cases[] = {
        {TlsVersions::both, TlsVersions::both, "p256", "TLSv1.3"},
        {TlsVersions::both, TlsVersions::only_1_2, "p256", "TLSv1.2"},
        {TlsVersions::only_1_2, TlsVersions::both, "p256", "TLSv1.2"},
        {TlsVersions::only_1_3, TlsVersions::both, "p256", "TLSv1.3"},
        {TlsVersions::both, TlsVersions::only_1_3, "p256", "TLSv1.3"},
        {TlsVersions::both, TlsVersions::both, "rsa2048", "TLSv1.3"},
        {TlsVersions::both, TlsVersions::only_1_2, "rsa2048", "TLSv1.2"},
        {TlsVersions::both, TlsVersions::both, "p384", "TLSv1.3"},
        {TlsVersions::both, TlsVersions::both, "ed25519", "TLSv1.3"},
    };
    for (const Case& row : cases) {
        SCOPED_TRACE(std::string(row.identity) + " " + row.protocol);
        Loop loop;
        TlsPair pair(loop, client_context(row.client), server_context(row.server, row.identity));
        pair.start();
        pair.server.echo = true;
        pair.client.send("hello");
        pair.wire.settle();
        ASSERT_TRUE(pair.client.outcome && pair.client.outcome->result)
            << (pair.client.outcome ? pair.client.outcome->what : "no outcome");
        ASSERT_TRUE(pair.server.is_open());
        EXPECT_EQ(pair.client.outcome->protocol, row.protocol);
        EXPECT_EQ(pair.server.outcome->protocol, row.protocol);
        EXPECT_EQ(pair.client.outcome->cipher.substr(0, 4), "TLS_");
        EXPECT_EQ(pair.client.outcome->cipher, pair.server.outcome->cipher);
        EXPECT_EQ(pair.server.outcome->server_name, server_name);
        EXPECT_FALSE(pair.client.outcome->resumed);
        EXPECT_EQ(pair.client.heard, "hello");
        EXPECT_EQ(pair.client.stream->unsent_bytes(), 0u);
        EXPECT_EQ(pair.client.drains, 1);
        // Nothing of it was on the wire in clear.
        EXPECT_EQ(pair.wire.to_server.history.find("hello"), std::string::npos);
    }
}

TEST(TlsSocket, ResumesByTicketAndOnlyThen) {
    for (const TlsVersions versions : each_version) {
        SCOPED_TRACE(protocol_of(versions));
        Loop loop;
        const auto server = server_context(versions);
        const auto client = client_context(versions);
        const auto meet = [&](const TlsTarget& target, bool want) {
            SCOPED_TRACE(target.session_key);
            TlsPair pair(loop, client, server);
            pair.start(target);
            pair.client.send("x");
            pair.wire.settle();
            ASSERT_TRUE(pair.client.is_open());
            EXPECT_EQ(pair.client.outcome->resumed, want);
            EXPECT_EQ(pair.server.outcome->resumed, want);
            EXPECT_EQ(pair.server.heard, "x");
        };
        meet({server_name, "one"}, false);
        meet({server_name, "one"}, true);
        meet({server_name, "one"}, true);
        meet({server_name, "two"}, false);
        meet({server_name, ""}, false);
        meet({server_name, ""}, false);
    }
}

TEST(TlsSocket, DoesNotResumeWhenTheClientKeepsNoSessions) {
    for (const TlsVersions versions : each_version) {
        SCOPED_TRACE(protocol_of(versions));
        Loop loop;
        const auto client = client_context(versions, 0);
        const auto server = server_context(versions);
        for (int i = 0; i < 2; ++i) {
            TlsPair pair(loop, client, server);
            pair.start();
            pair.wire.settle();
            ASSERT_TRUE(pair.client.is_open());
            EXPECT_FALSE(pair.client.outcome->resumed);
        }
    }
}

// A server that was started anew does not know its old tickets.
TEST(TlsSocket, ComesBackFromATicketThatIsNoLongerTaken) {
    for (const TlsVersions versions : each_version) {
        SCOPED_TRACE(protocol_of(versions));
        Loop loop;
        const auto client = client_context(versions);
        int lost = 0;
        for (int i = 0; i < 3; ++i) {
            TlsPair pair(loop, client, server_context(versions));
            pair.start();
            pair.wire.settle();
            ASSERT_TRUE(pair.client.outcome);
            if (pair.client.is_open()) {
                EXPECT_FALSE(pair.client.outcome->resumed);
                continue;
            }
            EXPECT_EQ(pair.client.outcome->result.error().kind, ErrorKind::temporary);
            ++lost;
        }
        EXPECT_EQ(lost, versions == TlsVersions::only_1_2 ? 1 : 0);
    }
}

// --- cuts ----------------------------------------------------------------------------------------

TEST(TlsSocket, DoesTheSameHoweverTheStreamIsCut) {
    for (const TlsVersions versions : each_version) {
        SCOPED_TRACE(protocol_of(versions));
        const auto client = client_context(versions, 0);
        const auto server = server_context(versions);
        std::size_t longest = 1;
        for (std::size_t cut = 0; cut < longest; ++cut) {
            Loop loop;
            TlsPair pair(loop, client, server);
            pair.wire.cut = cut;
            pair.start();
            pair.server.echo = true;
            pair.client.send("over");
            pair.wire.settle();
            ASSERT_EQ(pair.client.heard, "over") << "cut after byte " << cut;
            pair.client.close();
            pair.wire.settle();
            ASSERT_TRUE(pair.server.ended) << "cut after byte " << cut;
            longest =
                std::max(pair.wire.to_client.history.size(), pair.wire.to_server.history.size());
        }
        EXPECT_GT(longest, 500u);
    }
}

TEST(TlsSocket, DoesTheSameByteByByte) {
    for (const TlsVersions versions : each_version) {
        SCOPED_TRACE(protocol_of(versions));
        Loop loop;
        TlsPair pair(loop, client_context(versions), server_context(versions));
        pair.wire.piece_bytes = 1;
        pair.start();
        pair.server.echo = true;
        pair.client.send("over");
        pair.wire.settle();
        EXPECT_EQ(pair.client.heard, "over");
        pair.server.close();
        pair.wire.settle();
        EXPECT_TRUE(pair.client.ended);
        EXPECT_EQ(pair.client.broken_by, "");
    }
}

// --- records -------------------------------------------------------------------------------------

TEST(TlsSocket, PutsWhatIsSaidInOneRoundIntoOneRecord) {
    Loop loop;
    TlsPair pair(loop, client_context(), server_context());
    pair.open();
    std::string said;
    for (int i = 0; i < 100; ++i) {
        said += "250 line " + std::to_string(i) + "\r\n";
        pair.server.send("250 line " + std::to_string(i) + "\r\n");
    }
    pair.server.stream->send(Chunk());  // nothing is no record
    pair.wire.settle();
    EXPECT_EQ(pair.client.heard, said);
    EXPECT_EQ(pair.server.drains, 1);
    EXPECT_EQ(pair.wire.to_client.history.size(), said.size() + 5 + 1 + 16);  // RFC 8446 §5.2
}

TEST(TlsSocket, CarriesChunksOfAnySizeInOrder) {
    const std::size_t sizes[] = {1, 16383, 16384, 16385, 3, 50'000, 1, 1, 200'000, 7};
    for (const TlsVersions versions : each_version) {
        SCOPED_TRACE(protocol_of(versions));
        Loop loop;
        TlsPair pair(loop, client_context(versions), server_context(versions));
        pair.open();
        std::string said;
        ChunkList list;
        for (const std::size_t size : sizes) {
            std::string part(size, '\0');
            for (std::size_t i = 0; i < size; ++i)
                part[i] = static_cast<char>((said.size() + i * 7 + i / 251) & 0xff);
            said += part;
            list.append(Chunk::copy_of(part));
        }
        pair.client.stream->send(std::move(list));
        EXPECT_EQ(pair.client.stream->unsent_bytes(), said.size());
        pair.wire.settle();
        EXPECT_TRUE(pair.server.heard == said);
        EXPECT_EQ(pair.client.stream->unsent_bytes(), 0u);
        EXPECT_EQ(pair.client.drains, 1);
    }
}

// --- back-pressure -------------------------------------------------------------------------------

TEST(TlsSocket, EncryptsNoMoreThanTheTransportBelowTakes) {
    Loop loop;
    TlsPair pair(loop, client_context(), server_context());
    pair.open();
    pair.server.stream->pause();
    static const std::string block(64 * 1024, 'x');
    for (int i = 0; i < 256; ++i) pair.client.stream->send(Chunk::literal(block));
    pair.wire.settle();
    EXPECT_LE(pair.wire.to_server.bytes.size(),
              limits::unsent_bytes_max + limits::tls_record_bytes_max + 64);
    EXPECT_GE(pair.client.stream->unsent_bytes(), 256 * block.size());
    EXPECT_EQ(pair.client.drains, 0);
    EXPECT_EQ(pair.server.heard, "");
    pair.server.stream->resume();
    pair.wire.settle();
    EXPECT_EQ(pair.server.heard.size(), 256 * block.size());
    EXPECT_EQ(pair.client.drains, 1);
}

TEST(TlsSocket, AHandlerThatPausesHearsNoMoreUntilItResumes) {
    struct Slow final : Transport::Handler {
        Transport* stream = nullptr;
        std::string heard;
        int calls = 0;
        bool ended = false;
        void on_bytes(Chunk chunk) override {
            heard += chunk.text();
            ++calls;
            stream->pause();
        }
        void on_end() override { ended = true; }
        void on_broken(std::string what) override { ADD_FAILURE() << what; }
        void on_drain() override {}
    };
    Loop loop;
    TlsPair pair(loop, client_context(), server_context());
    pair.open();
    Slow slow;
    slow.stream = pair.server.stream.get();
    slow.stream->set_handler(&slow);
    const std::string said(60'000, 'x');  // four records
    pair.client.send(said);
    pair.wire.settle();
    pair.client.close();
    for (int round = 1; round <= 4; ++round) {
        pair.wire.settle();
        EXPECT_EQ(slow.calls, round);
        EXPECT_FALSE(slow.ended);
        slow.stream->resume();
        EXPECT_EQ(slow.calls, round) << "called from inside resume()";
    }
    pair.wire.settle();
    EXPECT_EQ(slow.heard.size(), said.size());
    EXPECT_TRUE(slow.ended);
}

TEST(TlsSocket, ReadsNothingForAHandlerThatHasNotAskedYet) {
    Loop loop;
    TlsPair pair(loop, client_context(), server_context());
    pair.server.stream = TlsSocket::accept(loop, pair.wire.server_end(), pair.server_tls,
                                           pair.server.on_established());
    pair.server.stream->set_handler(&pair.server);
    pair.client.take(TlsSocket::connect(loop, pair.wire.client_end(), pair.client_tls, {},
                                        pair.client.on_established()));
    pair.client.send("early");  // comes together with the end of the handshake
    pair.wire.settle();
    ASSERT_TRUE(pair.server.is_open());
    EXPECT_EQ(pair.server.heard, "");
    pair.server.stream->resume();
    pair.wire.settle();
    EXPECT_EQ(pair.server.heard, "early");
}

// --- endings -------------------------------------------------------------------------------------

TEST(TlsSocket, WhoHeardTheEndMayStillSpeak) {
    Loop loop;
    TlsPair pair(loop, client_context(), server_context());
    pair.open();
    pair.client.send("QUIT");
    pair.wire.settle();
    pair.server.send("221 ");
    pair.server.send("bye");
    pair.server.close();
    pair.wire.settle();
    EXPECT_EQ(pair.client.heard, "221 bye");
    EXPECT_TRUE(pair.client.ended);
    pair.client.send("late");
    pair.client.close();
    pair.wire.settle();
    EXPECT_EQ(pair.client.broken_by, "");
}

TEST(TlsSocket, LastWordsArriveWholeAndBeforeTheEnd) {
    Loop loop;
    TlsPair pair(loop, client_context(), server_context());
    pair.open();
    const std::string said(1'000'000, 'y');
    pair.client.send(said);
    pair.client.close();
    pair.wire.settle();
    EXPECT_EQ(pair.server.heard.size(), said.size());
    EXPECT_TRUE(pair.server.ended);
}

// --- contexts ------------------------------------------------------------------------------------

TEST(TlsContext, RefusesAKeyThatIsNotTheCertificates) {
    const IdentityPtr right = signer("p256"), other = signer("rsa2048");
    Identity wrong;
    wrong.leaf = right->leaf;
    wrong.key.pkcs8 = SecureBytes::copy_of(other->key.pkcs8.bytes());
    EXPECT_FALSE(TlsContext::server(wrong));
    wrong.key.pkcs8 = SecureBytes::copy_of(as_bytes("no key"));
    EXPECT_FALSE(TlsContext::server(wrong));
    wrong.key.pkcs8 = SecureBytes();
    EXPECT_FALSE(TlsContext::server(wrong));
}

TEST(TlsContext, AServerNameThatIsTooLongIsAFailureNotACrash) {
    for (const std::size_t bytes : {limits::domain_bytes_max, limits::domain_bytes_max + 1}) {
        Loop loop;
        TlsPair pair(loop, client_context(), server_context());
        pair.start({std::string(bytes, 'a'), ""});
        pair.wire.settle();
        ASSERT_TRUE(pair.client.outcome);
        EXPECT_EQ(pair.client.is_open(), bytes <= limits::domain_bytes_max);
    }
}

}  // namespace
}  // namespace sealgate::test
