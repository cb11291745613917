// SPDX-License-Identifier: GPL-3.0-or-later
// The decrypting stage between its neighbours: it waits for a worker, is held back, goes away.
#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <iterator>
#include <memory>
#include <string>

#include "core/loop.h"
#include "crypto/cms_enveloped_data.h"
#include "crypto/content_algorithm.h"
#include "crypto/oid.h"
#include "crypto/smime_decrypt.h"
#include "tests/crypto/decrypt_fixture.h"
#include "tests/crypto/libcrypto_cipher.h"

namespace sealgate {
namespace {

using test::correspondent;
using test::keys_of;

Bytes counting(std::size_t bytes, std::uint8_t from = 1) {
    Bytes all(bytes);
    for (std::size_t i = 0; i < bytes; ++i) all[i] = static_cast<std::uint8_t>(from + i);
    return all;
}

// Says full or fails when told to.
class ScriptedSink final : public Sink {
public:
    Result<Flow> write(Chunk chunk) override {
        if (write_fails) return temporary("the disk is full");
        text.append(chunk.text());
        return answer;
    }
    Result<Flow> finish() override {
        if (finish_fails) return temporary("the disk is full");
        finished = true;
        if (on_finish) on_finish();
        return answer;
    }
    std::string text;
    bool finished = false;
    bool write_fails = false, finish_fails = false;
    Flow answer = Flow::open;
    std::function<void()> on_finish;
};

// A stage whose handler is called by hand.
class DecryptStageFlow : public testing::Test, public DecryptStage::Owner {
protected:
    DecryptStageFlow() : workers(loop, 1) {}

    void on_decrypt_drain() override {
        ++drains;
        if (at_drain) at_drain();
    }
    void on_decrypt_end() override {
        ++ends;
        if (at_end) at_end();
    }

    // AES-256-CBC or, slow, 3DES, for rsa2048 unless told.
    void begin(std::size_t content_bytes, bool slow = false,
               const std::string& recipient = "rsa2048",
               RsaTransport transport = RsaTransport::pkcs1) {
        plaintext.assign(content_bytes, 'p');
        const Bytes key = counting(slow ? 24 : 32);
        const Bytes iv = counting(slow ? 8 : 16);
        ciphertext =
            test::encipher(slow ? "DES-EDE3-CBC" : "AES-256-CBC", key, iv, as_bytes(plaintext))
                .content;
        // An IV is an OCTET STRING below its OBJECT IDENTIFIER.
        algorithm = slow ? Bytes{0x30, 0x14, 0x06, 0x08, 0x2a, 0x86, 0x48,
                                 0x86, 0xf7, 0x0d, 0x03, 0x07, 0x04, 0x08}
                         : Bytes{0x30, 0x1d, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01,
                                 0x65, 0x03, 0x04, 0x01, 0x2a, 0x04, 0x10};
        algorithm.insert(algorithm.end(), iv.begin(), iv.end());
        info = *recipient_info(*correspondent(recipient).certificate, transport, key);
        stage = std::make_unique<DecryptStage>(CmsType::enveloped_data, keys_of({recipient}),
                                               workers, loop, below, *this);
    }
    void open() {
        ASSERT_TRUE(stage->on_recipient_info(info));
        ASSERT_TRUE(stage->on_content_type(oid::data, algorithm));
    }
    Result<Flow> give(std::size_t bytes) {
        const std::size_t part = std::min(bytes, ciphertext.size() - given);
        const Chunk piece = Chunk::copy_of(ByteSpan(ciphertext).subspan(given, part));
        given += part;
        return stage->on_content(piece);
    }
    Result<void> close() {
        auto ended = stage->on_content_end(true);
        return ended ? stage->on_end() : ended;
    }
    bool wait(const std::function<bool()>& done) { return loop.run_until(done, 20'000); }
    // Whatever is still under way comes to nothing.
    void settle() {
        wait([&] { return workers.outstanding() == 0; });
        loop.run_until([] { return false; }, 0);
    }

    Loop loop;
    WorkerPool workers;
    ScriptedSink below;
    std::unique_ptr<DecryptStage> stage;
    std::string plaintext;
    Bytes ciphertext, algorithm, info;
    std::size_t given = 0;
    int drains = 0, ends = 0;
    std::function<void()> at_drain, at_end;
};

TEST_F(DecryptStageFlow, IsFullUntilTheKeyIsThere) {
    begin(100'000);
    open();
    EXPECT_EQ(*give(30'000), Flow::full);
    EXPECT_EQ(*give(30'000), Flow::full) << "the rest of one write";
    EXPECT_EQ(below.text, "");
    EXPECT_EQ(drains, 0);
    ASSERT_TRUE(wait([&] { return drains == 1; }));
    EXPECT_GE(below.text.size(), 59'000u);
    EXPECT_EQ(*give(30'000), Flow::open) << "from here on it keeps nothing";
    EXPECT_GE(below.text.size(), 89'000u);
    EXPECT_EQ(*give(30'000), Flow::open);
    ASSERT_TRUE(close());
    EXPECT_TRUE(below.finished);
    EXPECT_EQ(ends, 0) << "not inside the call";
    ASSERT_TRUE(wait([&] { return ends == 1; }));
    EXPECT_EQ(stage->report().reason, Reason::ok);
    EXPECT_TRUE(below.text == plaintext);
    settle();
    EXPECT_EQ(drains, 1);
    EXPECT_EQ(ends, 1);
}

TEST_F(DecryptStageFlow, EndsWithTheWorkersAnswerWhereAllCameBefore) {
    begin(10'000);
    open();
    EXPECT_EQ(*give(20'000), Flow::full);
    ASSERT_TRUE(close());
    EXPECT_EQ(stage->report().reason, Reason::malformed) << "nothing is known yet";
    EXPECT_FALSE(below.finished);
    ASSERT_TRUE(wait([&] { return ends == 1; }));
    EXPECT_EQ(stage->report().reason, Reason::ok);
    EXPECT_TRUE(below.finished && below.text == plaintext);
    settle();
    EXPECT_EQ(drains, 1) << "there may be something behind the layer";
}

TEST_F(DecryptStageFlow, PassesOnThatBelowIsFull) {
    begin(200'000);
    open();
    below.answer = Flow::full;
    EXPECT_EQ(*give(30'000), Flow::full);
    ASSERT_TRUE(wait([&] { return !below.text.empty(); }));
    settle();
    EXPECT_EQ(drains, 0) << "that below has room again is said by below";
    EXPECT_EQ(*give(30'000), Flow::full);
    below.answer = Flow::open;
    EXPECT_EQ(*give(30'000), Flow::open);
    settle();
    EXPECT_EQ(drains, 0);
}

TEST_F(DecryptStageFlow, DeciphersSlowOnesOnTheWorkers) {
    begin(300'000, true);
    open();
    while (given < ciphertext.size()) {
        const int before = drains;
        ASSERT_EQ(*give(65'536), Flow::full) << "each time";
        ASSERT_TRUE(wait([&] { return drains == before + 1; }));
    }
    EXPECT_GE(below.text.size(), plaintext.size() - 8);
    ASSERT_TRUE(close());
    ASSERT_TRUE(wait([&] { return ends == 1; }));
    EXPECT_EQ(stage->report().reason, Reason::ok);
    EXPECT_TRUE(below.text == plaintext);
    EXPECT_EQ(stage->report().cipher, "3des-cbc");
}

TEST_F(DecryptStageFlow, DeciphersSlowOnesInOrderWhateverCameMeanwhile) {
    for (const std::size_t piece_bytes :
         {std::size_t{1}, std::size_t{4000}, std::size_t{400'000}}) {
        given = 0;
        below.text.clear();
        below.finished = false;
        drains = ends = 0;
        begin(piece_bytes == 1 ? 3'000 : 300'000, true);
        open();
        while (given < ciphertext.size()) ASSERT_EQ(*give(piece_bytes), Flow::full);
        ASSERT_TRUE(close());
        ASSERT_TRUE(wait([&] { return ends == 1; }));
        EXPECT_EQ(stage->report().reason, Reason::ok);
        EXPECT_TRUE(below.finished && below.text == plaintext) << piece_bytes;
        settle();
        EXPECT_EQ(drains, 1);
    }
}

TEST_F(DecryptStageFlow, EndsOnceWhereItsOwnerGivesTheRestAtOnce) {
    for (const bool slow : {false, true}) {
        given = 0;
        drains = ends = 0;
        below.text.clear();
        at_drain = [&] {
            if (given == ciphertext.size()) return;
            EXPECT_TRUE(give(100'000));
            EXPECT_TRUE(close());
        };
        begin(50'000, slow);
        open();
        EXPECT_EQ(*give(1000), Flow::full);
        ASSERT_TRUE(wait([&] { return ends == 1; }));
        settle();
        EXPECT_EQ(ends, 1);
        EXPECT_EQ(stage->report().reason, Reason::ok);
        EXPECT_TRUE(below.text == plaintext);
    }
}

// --- it fails early
// ------------------------------------------------------------------------------

TEST_F(DecryptStageFlow, SaysAtOnceThatThereIsNoKey) {
    begin(1000);
    stage = std::make_unique<DecryptStage>(CmsType::enveloped_data, keys_of({"p256"}), workers,
                                           loop, below, *this);
    ASSERT_TRUE(stage->on_recipient_info(info));
    EXPECT_FALSE(stage->failed());
    ASSERT_TRUE(stage->on_content_type(oid::data, algorithm));
    EXPECT_TRUE(stage->failed());
    EXPECT_EQ(stage->report().reason, Reason::no_key);
    EXPECT_EQ(*give(500), Flow::open) << "taken and forgotten";
    EXPECT_EQ(*give(500), Flow::open);
    ASSERT_TRUE(close());
    EXPECT_EQ(ends, 0);
    ASSERT_TRUE(wait([&] { return ends == 1; }));
    EXPECT_EQ(below.text, "");
    EXPECT_FALSE(below.finished);
}

TEST_F(DecryptStageFlow, WakesItsOwnerWhenTheKeyDoesNotUnwrap) {
    begin(1000, false, "p256");
    info.back() ^= 1;
    open();
    EXPECT_EQ(*give(500), Flow::full);
    EXPECT_FALSE(stage->failed());
    ASSERT_TRUE(wait([&] { return drains == 1; }));
    EXPECT_TRUE(stage->failed());
    EXPECT_EQ(stage->report().reason, Reason::decrypt_failed);
    EXPECT_EQ(*give(500), Flow::open);
    ASSERT_TRUE(close());
    ASSERT_TRUE(wait([&] { return ends == 1; }));
    settle();
    EXPECT_EQ(drains, 1);
    EXPECT_EQ(below.text, "");
}

TEST_F(DecryptStageFlow, WakesItsOwnerWhenItFailsWhileAWorkerHasTheKey) {
    begin(1000);
    open();
    EXPECT_EQ(*give(2000), Flow::full);
    ASSERT_TRUE(stage->on_content_end(true));
    ASSERT_TRUE(stage->on_authenticated_attributes(Bytes{0xa1, 0x00}));
    EXPECT_TRUE(stage->failed());
    EXPECT_EQ(drains, 0) << "not inside the call";
    ASSERT_TRUE(wait([&] { return drains == 1; }));
    ASSERT_TRUE(stage->on_end());
    ASSERT_TRUE(wait([&] { return ends == 1; }));
    settle();
    EXPECT_EQ(ends, 1) << "the worker's answer finds nobody";
    EXPECT_EQ(below.text, "");
    EXPECT_EQ(stage->report().reason, Reason::unsupported_algorithm);
}

// --- below fails
// ---------------------------------------------------------------------------------

TEST_F(DecryptStageFlow, TellsWhatFailedBelowBetweenCalls) {
    begin(1000);
    open();
    EXPECT_EQ(*give(500), Flow::full);
    below.write_fails = true;
    ASSERT_TRUE(wait([&] { return ends == 1; }));
    ASSERT_TRUE(stage->error());
    EXPECT_EQ(stage->error()->kind, ErrorKind::temporary);
    settle();
    EXPECT_EQ(ends, 1);
    EXPECT_EQ(drains, 0);
}

TEST_F(DecryptStageFlow, TellsWhatFailedBelowAtTheEnd) {
    begin(1000);
    open();
    EXPECT_EQ(*give(2000), Flow::full);
    ASSERT_TRUE(close());
    below.finish_fails = true;
    ASSERT_TRUE(wait([&] { return ends == 1; }));
    ASSERT_TRUE(stage->error());
    EXPECT_EQ(stage->error()->kind, ErrorKind::temporary);
}

TEST_F(DecryptStageFlow, ReturnsWhatFailsBelowInsideACall) {
    begin(100'000);
    open();
    EXPECT_EQ(*give(500), Flow::full);
    ASSERT_TRUE(wait([&] { return drains == 1; }));
    below.write_fails = true;
    const auto written = give(500);
    ASSERT_FALSE(written);
    EXPECT_EQ(written.error().kind, ErrorKind::temporary);
    below.write_fails = false;
    below.finish_fails = true;
    EXPECT_EQ(*give(200'000), Flow::open);
    const auto closed = close();
    ASSERT_FALSE(closed);
    EXPECT_EQ(closed.error().kind, ErrorKind::temporary);
    settle();
    EXPECT_EQ(ends, 0) << "the call said it";
    EXPECT_FALSE(stage->error());
}

// --- it goes away
// --------------------------------------------------------------------------------

TEST_F(DecryptStageFlow, MayGoAtAnyTime) {
    const std::function<void()> steps[] = {
        [&] { open(); },
        [&] { EXPECT_EQ(*give(30'000), Flow::full); },
        [&] { EXPECT_TRUE(wait([&] { return drains == 1; })); },
        [&] { EXPECT_TRUE(give(200'000)); },
        [&] { EXPECT_TRUE(stage->on_content_end(true)); },
        [&] { EXPECT_TRUE(stage->on_end()); },
        [&] { EXPECT_TRUE(wait([&] { return ends == 1; })); },
    };
    for (const bool slow : {false, true}) {
        for (const bool fails : {false, true}) {
            for (std::size_t count = 0; count <= std::size(steps); ++count) {
                given = 0;
                drains = ends = 0;
                begin(100'000, slow);
                for (std::size_t i = 0; i < count; ++i) {
                    if (fails && i == 5) {
                        EXPECT_TRUE(stage->on_authenticated_attributes(Bytes{0xa1, 0x00}));
                    }
                    steps[i]();
                }
                const int drains_before = drains, ends_before = ends;
                stage.reset();
                settle();
                EXPECT_EQ(drains, drains_before) << count;
                EXPECT_EQ(ends, ends_before) << count;
            }
        }
    }
}

TEST_F(DecryptStageFlow, MayBeTakenDownByWhatItCalls) {
    const auto gone = [&] { stage.reset(); };
    begin(1000);  // by on_decrypt_drain()
    at_drain = gone;
    open();
    ASSERT_TRUE(give(500));
    ASSERT_TRUE(wait([&] { return drains == 1; }));
    settle();
    EXPECT_FALSE(stage);

    given = 0;  // the same, where all had come before
    ends = 0;
    begin(1000);
    open();
    ASSERT_TRUE(give(2000));
    ASSERT_TRUE(close());
    ASSERT_TRUE(wait([&] { return drains == 2; }));
    settle();
    EXPECT_FALSE(stage);
    EXPECT_EQ(ends, 0);

    given = 0;  // by on_decrypt_end(), out of the worker's answer
    at_drain = nullptr;
    at_end = gone;
    begin(1000);
    open();
    ASSERT_TRUE(give(2000));
    ASSERT_TRUE(close());
    ASSERT_TRUE(wait([&] { return ends == 1; }));
    EXPECT_FALSE(stage);
    EXPECT_TRUE(below.finished);

    given = 0;  // by finish() below, out of the worker's answer
    at_end = nullptr;
    ends = 0;
    below.finished = false;
    below.on_finish = gone;
    begin(1000);
    open();
    ASSERT_TRUE(give(2000));
    ASSERT_TRUE(close());
    ASSERT_TRUE(wait([&] { return below.finished; }));
    settle();
    EXPECT_FALSE(stage);
    EXPECT_EQ(ends, 0);

    given = 0;  // by finish() below, inside on_end()
    below.finished = false;
    begin(1000);
    open();
    ASSERT_TRUE(give(500));
    drains = 0;
    ASSERT_TRUE(wait([&] { return drains == 1; }));
    ASSERT_TRUE(give(2000));
    ASSERT_TRUE(stage->on_content_end(true));
    ASSERT_TRUE(stage->on_end());
    EXPECT_TRUE(below.finished);
    EXPECT_FALSE(stage);
    settle();
    EXPECT_EQ(ends, 0);
}

}  // namespace
}  // namespace sealgate
