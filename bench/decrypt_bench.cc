// SPDX-License-Identifier: GPL-3.0-or-later
// What decrypting costs: content ciphers, content keys, whole messages through reader and stage.
//
// `unwrap_pkcs1` of a right and of a wrong padding take the same time, or there is an oracle. What
// is timed is checked first.
#include <benchmark/benchmark.h>

#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include "core/loop.h"
#include "core/workers.h"
#include "crypto/ber_writer.h"
#include "crypto/certificate_bundle.h"
#include "crypto/cms_enveloped_data.h"
#include "crypto/cms_reader.h"
#include "crypto/content_decryptor.h"
#include "crypto/key_agreement.h"
#include "crypto/key_unwrap.h"
#include "crypto/rsa_engine.h"
#include "crypto/smime_decrypt.h"

namespace sealgate {
namespace {

constexpr std::size_t piece_bytes = 64 * 1024;

IdentityPtr identity_of(const std::string& name) {
    const std::string base = SEALGATE_SOURCE_DIR "/tests/data/recipients/" + name;
    const auto certificate = read_small_file(base + ".pem").value();
    const auto key = read_small_file(base + ".key.pem").value();
    return read_identities(name, certificate.bytes(), key.bytes(), std::nullopt).value().front();
}

// --- content -------------------------------------------------------------------------------------

void decipher(benchmark::State& state, ReadableCipher cipher) {
    ContentAlgorithm algorithm;
    algorithm.cipher = cipher;
    algorithm.iv.assign(algorithm.is_authenticated() ? 12 : algorithm.block_bytes(), 7);
    algorithm.tag_bytes = algorithm.is_authenticated() ? 16 : 0;
    const Bytes key(algorithm.key_bytes(), 9), piece(piece_bytes, 0x5a);
    auto decryptor = ContentDecryptor::begin(algorithm, key).value();
    ChunkBuilder out(16 * 1024);
    std::uint64_t bytes = 0;
    for (auto _ : state) {
        if (bytes > std::uint64_t{2} << 30) {  // before GCM's limit
            decryptor = ContentDecryptor::begin(algorithm, key).value();
            bytes = 0;
        }
        CHECK(decryptor->decrypt(piece, out).has_value());
        const ChunkList plaintext = out.take();
        CHECK(plaintext.bytes() + 16 >= piece.size());
        bytes += piece.size();
    }
    state.SetBytesProcessed(static_cast<std::int64_t>(state.iterations() * piece.size()));
}
BENCHMARK_CAPTURE(decipher, aes_128_cbc, ReadableCipher::aes_128_cbc);
BENCHMARK_CAPTURE(decipher, aes_256_cbc, ReadableCipher::aes_256_cbc);
BENCHMARK_CAPTURE(decipher, aes_128_gcm, ReadableCipher::aes_128_gcm);
BENCHMARK_CAPTURE(decipher, aes_256_gcm, ReadableCipher::aes_256_gcm);
BENCHMARK_CAPTURE(decipher, des_ede3_cbc, ReadableCipher::des_ede3_cbc);
BENCHMARK_CAPTURE(decipher, rc2_40_cbc, ReadableCipher::rc2_40_cbc);

// --- content keys --------------------------------------------------------------------------------

void unwrap_pkcs1(benchmark::State& state, const std::string& name, bool right,
                  GatewayOptions::RsaEngine engine) {
    choose_rsa_engine(engine);
    const IdentityPtr identity = identity_of(name);
    const Bytes key(32, 0x5a);
    Bytes wrapped = transport_key(*identity->leaf, RsaTransport::pkcs1, key).value();
    if (!right) wrapped.assign(wrapped.size(), 0x42);
    const auto first = sealgate::unwrap_pkcs1(identity->key, wrapped, key.size()).value();
    const bool is_right = std::equal(key.begin(), key.end(), first.data());
    if (is_right != right) state.SkipWithError("another key than expected");
    for (auto _ : state)
        benchmark::DoNotOptimize(sealgate::unwrap_pkcs1(identity->key, wrapped, key.size()));
    choose_rsa_engine(GatewayOptions::RsaEngine::wolfcrypt);
}
constexpr auto wolfcrypt = GatewayOptions::RsaEngine::wolfcrypt;
constexpr auto openssl = GatewayOptions::RsaEngine::openssl;
BENCHMARK_CAPTURE(unwrap_pkcs1, rsa2048_right, "rsa2048", true, wolfcrypt);
BENCHMARK_CAPTURE(unwrap_pkcs1, rsa2048_wrong, "rsa2048", false, wolfcrypt);
BENCHMARK_CAPTURE(unwrap_pkcs1, rsa2048_right_openssl, "rsa2048", true, openssl);
BENCHMARK_CAPTURE(unwrap_pkcs1, rsa2048_wrong_openssl, "rsa2048", false, openssl);
BENCHMARK_CAPTURE(unwrap_pkcs1, rsa4096_right, "rsa4096", true, wolfcrypt);
BENCHMARK_CAPTURE(unwrap_pkcs1, rsa4096_right_openssl, "rsa4096", true, openssl);

void unwrap_one(benchmark::State& state, const std::string& name, RsaTransport transport) {
    const IdentityPtr identity = identity_of(name);
    const Bytes key(32, 0x5a);
    std::vector<WrappedKey> wrapped;
    CHECK(add_wrapped_keys(recipient_info(*identity->leaf, transport, key).value(),
                           *DecryptionKeys::of({identity}), 1, wrapped)
              .has_value());
    CHECK(wrapped.size() == 1);
    const auto first = unwrap_content_key(wrapped, key.size());
    if (!first || !std::equal(key.begin(), key.end(), first->key.data()))
        state.SkipWithError("the key does not unwrap");
    for (auto _ : state) benchmark::DoNotOptimize(unwrap_content_key(wrapped, key.size()));
}
BENCHMARK_CAPTURE(unwrap_one, rsa2048_oaep, "rsa2048", RsaTransport::oaep);
BENCHMARK_CAPTURE(unwrap_one, p256, "p256", RsaTransport::pkcs1);
BENCHMARK_CAPTURE(unwrap_one, p384, "p384", RsaTransport::pkcs1);
BENCHMARK_CAPTURE(unwrap_one, x25519, "x25519", RsaTransport::pkcs1);

// Looking for ours among the recipients of a mailing.
void match_recipients(benchmark::State& state) {
    const auto keys = DecryptionKeys::of({identity_of("rsa2048")});
    const Bytes other =
        recipient_info(*identity_of("rsa3072")->leaf, RsaTransport::pkcs1, Bytes(32)).value();
    for (auto _ : state) {
        std::vector<WrappedKey> found;
        benchmark::DoNotOptimize(add_wrapped_keys(other, *keys, 4, found));
        CHECK(found.empty());
    }
}
BENCHMARK(match_recipients);

// --- whole messages ------------------------------------------------------------------------------

class Opener final : public CmsReader::Router, public DecryptStage::Owner, public Sink {
public:
    Opener(Loop& loop, WorkerPool& workers, std::shared_ptr<const DecryptionKeys> keys)
        : loop_(loop), workers_(workers), keys_(std::move(keys)) {}

    CmsHandler* on_cms_type(CmsType type) override {
        stage_ = std::make_unique<DecryptStage>(type, keys_, workers_, loop_, *this, *this);
        return stage_.get();
    }
    void on_decrypt_drain() override { full_ = false; }
    void on_decrypt_end() override {
        full_ = false;
        ended_ = true;
    }
    Result<Flow> write(Chunk chunk) override {
        bytes_ += chunk.size();
        return Flow::open;
    }
    Result<Flow> finish() override { return Flow::open; }

    // The bytes of plaintext; 0: not ok.
    std::size_t open(const std::vector<Chunk>& cms) {
        for (const Chunk& piece : cms) {
            const auto flow = reader_.write(piece);
            if (!flow) return 0;
            full_ = *flow == Flow::full && !ended_;
            if (!loop_.run_until([&] { return !full_; }, 20'000)) return 0;
        }
        if (!reader_.finish() || !loop_.run_until([&] { return ended_; }, 20'000)) return 0;
        return stage_->report().reason == Reason::ok ? bytes_ : 0;
    }

private:
    Loop& loop_;
    WorkerPool& workers_;
    std::shared_ptr<const DecryptionKeys> keys_;
    std::unique_ptr<DecryptStage> stage_;
    CmsReader reader_{*this};
    std::size_t bytes_ = 0;
    bool full_ = false;
    bool ended_ = false;
};

std::vector<Chunk> sealed(const std::string& name, ContentCipher cipher, std::size_t bytes) {
    constexpr std::size_t segment_bytes = 8192;
    const Bytes key(key_bytes(cipher), 1), iv(iv_bytes(cipher), 2);
    const Bytes info = recipient_info(*identity_of(name)->leaf, RsaTransport::pkcs1, key).value();
    Bytes cms = enveloped_opening(cipher, iv, info, false);
    const auto encryptor = ContentEncryptor::begin(cipher, key, iv).value();
    Bytes segment(segment_bytes + cipher_block_bytes);
    const auto add = [&](std::size_t count) {
        BerWriter out;
        out.header(ber::octet_string, count);
        out.raw(ByteSpan(segment).first(count));
        cms.insert(cms.end(), out.bytes().begin(), out.bytes().end());
    };
    for (; bytes > segment_bytes; bytes -= segment_bytes) {
        CHECK(encryptor->encrypt({segment.data(), segment_bytes}).has_value());
        add(segment_bytes);
    }
    add(encryptor->encrypt_last(segment.data(), bytes).value());
    const Bytes closing = is_authenticated(cipher)
                              ? enveloped_closing(cipher, encryptor->tag().value())
                              : enveloped_closing(cipher, {});
    cms.insert(cms.end(), closing.begin(), closing.end());
    std::vector<Chunk> pieces;
    for (std::size_t at = 0; at < cms.size(); at += piece_bytes)
        pieces.push_back(
            Chunk::copy_of(ByteSpan(cms).subspan(at, std::min(piece_bytes, cms.size() - at))));
    return pieces;
}

void open_message(benchmark::State& state, const std::string& name, ContentCipher cipher) {
    const auto bytes = static_cast<std::size_t>(state.range(0));
    const std::vector<Chunk> cms = sealed(name, cipher, bytes);
    const auto keys = DecryptionKeys::of({identity_of(name)});
    Loop loop;
    WorkerPool workers(loop, 1);
    for (auto _ : state) {
        if (Opener(loop, workers, keys).open(cms) != bytes) {
            state.SkipWithError("the message was not decrypted");
            return;
        }
    }
    state.SetBytesProcessed(state.iterations() * state.range(0));
}
BENCHMARK_CAPTURE(open_message, rsa2048_cbc, "rsa2048", ContentCipher::aes_256_cbc)
    ->Arg(10'000)
    ->Arg(10'000'000)
    ->MeasureProcessCPUTime();
BENCHMARK_CAPTURE(open_message, p256_gcm, "p256", ContentCipher::aes_256_gcm)
    ->Arg(10'000)
    ->Arg(10'000'000)
    ->MeasureProcessCPUTime();

}  // namespace
}  // namespace sealgate
