// SPDX-License-Identifier: GPL-3.0-or-later
// Encryption where it cannot be done, is not waited for, or is held back.
#include <gtest/gtest.h>
#include <sys/mman.h>

#include <algorithm>
#include <string>

#include "core/limits.h"
#include "core/loop.h"
#include "crypto/smime_encrypt.h"
#include "tests/crypto/encrypt_fixture.h"
#include "tests/crypto/libcrypto_reader.h"

namespace sealgate {
namespace {

using test::Correspondent;
using test::correspondent;
using test::encrypt_message;
using test::envelope_for;
using test::in_pieces;
using test::Outcome;

const std::string entity = "Content-Type: text/plain\r\n\r\nText\r\n";

// P-256 with a point that is on no curve.
CertificatePtr broken_certificate() {
    const CertificatePtr good = correspondent("p256").certificate;
    Bytes der(good->der().begin(), good->der().end());
    const ByteSpan key = good->public_key_der();
    const auto at = std::search(der.begin(), der.end(), key.begin(), key.end());
    at[static_cast<std::ptrdiff_t>(key.size()) - 1] ^= 1;
    return *Certificate::parse(der);
}

TEST(SmimeEncrypt, FailsAsAWholeWhereOneRecipientCannotBeEncryptedTo) {
    const EncryptRecipient good{correspondent("rsa2048").certificate, RsaTransport::pkcs1};
    const EncryptRecipient bad_cases[] = {
        {broken_certificate(), RsaTransport::pkcs1},
        {test::signer("ed25519")->leaf, RsaTransport::pkcs1},  // agrees on no key
        {nullptr, RsaTransport::pkcs1},
    };
    for (const EncryptRecipient& bad : bad_cases) {
        for (const std::size_t place : {0u, 1u, 40u}) {
            EncryptPlan plan;
            plan.recipients.assign(place, good);
            // The good ones would be one: make them some.
            for (std::size_t i = 0; i < place; ++i) {
                Bytes der(good.certificate->der().begin(), good.certificate->der().end());
                der.back() = static_cast<std::uint8_t>(i);
                plan.recipients[i].certificate = *Certificate::parse(der);
            }
            plan.recipients.push_back(bad);
            const Outcome outcome = encrypt_message(plan, {entity});
            EXPECT_NE(outcome.error, nullptr) << place;
            EXPECT_FALSE(outcome.finished) << place;
            EXPECT_EQ(outcome.text, "") << place;
        }
    }
}

TEST(SmimeEncrypt, FailsWithoutRecipients) {
    const Outcome outcome = encrypt_message(EncryptPlan(), {entity});
    EXPECT_NE(outcome.error, nullptr);
    EXPECT_EQ(outcome.text, "");
}

// --- the parts of a chain, each with what went wrong
// -----------------------------------------------

class ChainEnd : public Sink, public Source {
public:
    Result<Flow> write(Chunk chunk) override {
        bytes += chunk.size();
        text.append(chunk.text());
        in_use_bytes_max = std::max(in_use_bytes_max, BlockPool::instance().in_use_bytes());
        return answer;
    }
    Result<Flow> finish() override {
        finished = true;
        return Flow::open;
    }
    void on_drain() override { ++drains; }
    void on_failed(Error failure) override { error = failure.what; }

    Flow answer = Flow::open;
    std::string text;
    std::size_t bytes = 0;
    std::size_t in_use_bytes_max = 0;
    int drains = 0;
    bool finished = false;
    const char* error = nullptr;
};

TEST(SmimeEncrypt, RefusesMoreContentThanGcmMayHave) {
    // Memory that is never touched but for the first run.
    constexpr std::size_t window_bytes = std::size_t{1} << 30;
    void* memory =
        mmap(nullptr, window_bytes, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    ASSERT_NE(memory, MAP_FAILED);
    const std::string_view window(static_cast<const char*>(memory), window_bytes);
    for (const ContentCipher cipher : {ContentCipher::aes_256_gcm, ContentCipher::aes_256_cbc}) {
        Loop loop;
        WorkerPool workers(loop, 1);
        ChainEnd end;
        const auto stage =
            make_encrypt_stage(envelope_for({correspondent("rsa2048")}, cipher), workers, end, end);
        for (int i = 0; i < 3; ++i) ASSERT_TRUE(stage->write(Chunk::literal(window)));
        const std::size_t rest = limits::gcm_content_bytes_max - 3 * window_bytes;
        ASSERT_TRUE(stage->write(Chunk::literal(window.substr(0, rest)))) << "just at the limit";
        const auto past = stage->write(Chunk::literal("x"));
        EXPECT_EQ(past.has_value(), cipher == ContentCipher::aes_256_cbc);
        if (!past) {
            EXPECT_EQ(past.error().kind, ErrorKind::limit);
        }
    }
    munmap(memory, window_bytes);
}

TEST(SmimeEncrypt, IsTakenDownAtAnyTime) {
    const std::string content(300'000, 'x');
    for (const std::size_t pieces_written : {0u, 1u, 3u, 5u}) {
        for (const int drains_awaited : {0, 1, 2}) {
            for (const bool finishes : {false, true}) {
                Loop loop;
                WorkerPool workers(loop, 1);
                ChainEnd end;
                auto stage =
                    make_encrypt_stage(envelope_for({correspondent("rsa4096")}), workers, end, end);
                for (std::size_t i = 0; i < pieces_written; ++i)
                    ASSERT_TRUE(stage->write(Chunk::copy_of(content.substr(i * 40'000, 40'000))));
                if (finishes) {
                    ASSERT_TRUE(stage->finish());
                }
                loop.run_until([&] { return end.drains >= drains_awaited; }, 5);
                stage.reset();
                const std::size_t bytes = end.bytes;
                ASSERT_TRUE(loop.run_until([&] { return workers.outstanding() == 0; }, 10'000));
                EXPECT_EQ(end.bytes, bytes) << "something came after the end";
                EXPECT_EQ(end.error, nullptr);
            }
        }
    }
}

TEST(SmimeEncrypt, IsTakenDownFromItsOwnCalls) {
    struct Owner final : ChainEnd {
        Result<Flow> finish() override {
            if (where != 0) return Flow::open;
            stage.reset();
            return internal("the store is full");
        }
        void on_drain() override {
            if (where == 1) stage.reset();
            ++drains;
        }
        void on_failed(Error failure) override {
            stage.reset();
            ChainEnd::on_failed(failure);
        }
        std::unique_ptr<EncryptStage> stage;
        int where = 0;
    };
    const struct {
        int where;
        EncryptPlan plan;
    } cases[] = {
        {0, envelope_for({correspondent("p256")})},                       // from below
        {1, envelope_for({correspondent("p256")})},                       // from above: on_drain()
        {2, {ContentCipher::aes_256_cbc, {{broken_certificate(), {}}}}},  // and on_failed()
    };
    for (const auto& row : cases) {
        Loop loop;
        WorkerPool workers(loop, 1);
        Owner owner;
        owner.where = row.where;
        owner.stage = make_encrypt_stage(row.plan, workers, owner, owner);
        const auto flow = owner.stage->write(Chunk::copy_of(std::string(100'000, 'x')));
        ASSERT_TRUE(flow);
        EXPECT_EQ(*flow, Flow::full);
        if (row.where != 1) {
            ASSERT_TRUE(owner.stage->finish());
        }
        EXPECT_TRUE(loop.run_until([&] { return !owner.stage; }, 10'000)) << row.where;
        loop.run_until([&] { return workers.outstanding() == 0; }, 10'000);
        EXPECT_EQ(owner.drains, row.where == 1 ? 1 : 0);
    }
}

TEST(SmimeEncrypt, TellsAboveWhatFailedBelow) {
    struct FullDisk final : ChainEnd {
        Result<Flow> write(Chunk chunk) override {
            bytes += chunk.size();
            if (bytes > 50'000) return temporary("the disk is full");
            return Flow::open;
        }
    } end;
    Loop loop;
    WorkerPool workers(loop, 1);
    const auto stage = make_encrypt_stage(envelope_for({correspondent("p256")}), workers, end, end);
    ASSERT_TRUE(stage->write(Chunk::copy_of(std::string(100'000, 'x'))));
    ASSERT_TRUE(stage->finish());
    ASSERT_TRUE(loop.run_until([&] { return end.error != nullptr; }, 10'000));
    EXPECT_STREQ(end.error, "the disk is full");
    EXPECT_FALSE(end.finished);
    end.error = nullptr;
    stage->on_failed({ErrorKind::temporary, "the store is gone"});
    EXPECT_STREQ(end.error, "the store is gone");
}

// --- back-pressure
// -----------------------------------------------------------------------------------

TEST(SmimeEncrypt, SaysFullWhenAsMuchWaitsAsMay) {
    Loop loop;
    WorkerPool workers(loop, 1);
    ChainEnd end;
    const auto stage =
        make_encrypt_stage(envelope_for({correspondent("rsa2048")}), workers, end, end);
    const std::size_t most = limits::encrypt_waiting_bytes_max;
    auto flow = stage->write(Chunk::copy_of(std::string(most - 1, 'x')));
    ASSERT_TRUE(flow);
    EXPECT_EQ(*flow, Flow::open);
    flow = stage->write(Chunk::copy_of("x"));
    ASSERT_TRUE(flow);
    EXPECT_EQ(*flow, Flow::full);
    EXPECT_EQ(end.drains, 0) << "never from inside write()";
    EXPECT_TRUE(loop.run_until([&] { return end.drains == 1; }, 10'000));
    ASSERT_TRUE(stage->finish());
    EXPECT_TRUE(loop.run_until([&] { return end.finished; }, 10'000));
    EXPECT_EQ(end.drains, 1) << "nothing is wanted after finish()";
}

TEST(SmimeEncrypt, HandsNothingMoreBelowWhileItIsFull) {
    Loop loop;
    WorkerPool workers(loop, 1);
    ChainEnd end;
    end.answer = Flow::full;
    const Correspondent who = correspondent("rsa2048");
    const auto stage = make_encrypt_stage(envelope_for({who}), workers, end, end);
    const std::string content(120'000, 'x');
    ASSERT_TRUE(stage->write(Chunk::copy_of(content)));
    ASSERT_TRUE(loop.run_until([&] { return end.bytes > 0; }, 10'000));
    std::size_t before = end.bytes;
    loop.run_until([] { return false; }, 20);
    EXPECT_EQ(end.bytes, before);
    EXPECT_EQ(workers.outstanding(), 0u);

    const auto flow = stage->finish();
    ASSERT_TRUE(flow);
    EXPECT_EQ(*flow, Flow::full);
    while (!end.finished) {
        before = end.bytes;
        stage->on_drain();
        EXPECT_EQ(end.bytes, before) << "not from inside on_drain()";
        ASSERT_TRUE(loop.run_until([&] { return end.bytes > before; }, 10'000));
        loop.run_until([&] { return end.finished; }, 20);
    }
    EXPECT_EQ(end.drains, 0) << "nothing is wanted after finish()";
    EXPECT_EQ(test::decrypt_with_libcrypto(end.text, who), content);
}

TEST(SmimeEncrypt, KeepsLittleOfALargeContent) {
    const std::string piece(65'536, 'x');
    for (const ContentCipher cipher : {ContentCipher::aes_256_cbc, ContentCipher::aes_256_gcm}) {
        struct Counting final : ChainEnd {
            Result<Flow> write(Chunk chunk) override {
                TRY(ChainEnd::write(std::move(chunk)));
                text.clear();
                return answer;
            }
        } end;
        Loop loop;
        WorkerPool workers(loop, 2);
        const auto stage =
            make_encrypt_stage(envelope_for({correspondent("p256")}, cipher), workers, end, end);
        const std::size_t before = BlockPool::instance().in_use_bytes();
        std::size_t most = 0;
        constexpr std::size_t content_bytes = std::size_t{25} << 20;
        for (std::size_t sent = 0; sent < content_bytes; sent += piece.size()) {
            const int drains = end.drains;
            const auto flow = stage->write(Chunk::copy_of(piece));
            ASSERT_TRUE(flow);
            most = std::max(most, BlockPool::instance().in_use_bytes());
            if (*flow == Flow::full) {
                ASSERT_TRUE(loop.run_until([&] { return end.drains > drains; }, 10'000));
            }
        }
        ASSERT_TRUE(stage->finish());
        ASSERT_TRUE(loop.run_until([&] { return end.finished; }, 10'000));
        EXPECT_GT(end.bytes, content_bytes * 4 / 3);
        EXPECT_LE(std::max(most, end.in_use_bytes_max) - before, 192u * 1024);
    }
}

// Whoever writes single bytes pays in memory for them, not for a list of them.
TEST(SmimeEncrypt, PutsSmallPiecesTogether) {
    Loop loop;
    WorkerPool workers(loop, 1);
    ChainEnd end;
    const auto stage = make_encrypt_stage(envelope_for({correspondent("p256")}), workers, end, end);
    const std::size_t before = BlockPool::instance().in_use_bytes();
    for (std::size_t i = 0; i < 15'000; ++i) ASSERT_TRUE(stage->write(Chunk::copy_of("x")));
    EXPECT_LE(BlockPool::instance().in_use_bytes() - before, 17'000u);
}

}  // namespace
}  // namespace sealgate
