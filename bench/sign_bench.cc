// SPDX-License-Identifier: GPL-3.0-or-later
// What signing costs: the loop's share, the worker's share, and both beside the bare primitives.
//
// The loop's share is timed up to the hand-over, the worker's in this thread. What is timed is
// checked first.
#include <benchmark/benchmark.h>
#include <openssl/evp.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>
#include <wolfssl/options.h>

#include <wolfssl/wolfcrypt/asn.h>
#include <wolfssl/wolfcrypt/asn_public.h>
#include <wolfssl/wolfcrypt/ecc.h>
#include <wolfssl/wolfcrypt/random.h>
#include <wolfssl/wolfcrypt/sha256.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <fstream>
#include <sstream>
#include <string>

#include "bench/support/cost_counter.h"
#include "core/loop.h"
#include "core/workers.h"
#include "crypto/base64.h"
#include "crypto/cms_signed_data.h"
#include "crypto/pem.h"
#include "crypto/rsa_engine.h"
#include "crypto/smime_sign.h"

namespace sealgate {
namespace {

Bytes der_in(const std::string& name) {
    std::ifstream in(SEALGATE_SOURCE_DIR "/tests/data/signers/" + name, std::ios::binary);
    std::ostringstream text;
    text << in.rdbuf();
    const auto blocks = read_pem(as_bytes(text.str()));
    CHECK(blocks && blocks->size() == 1);
    const ByteSpan der = blocks->front().der.bytes();
    return Bytes(der.begin(), der.end());
}

IdentityPtr read_identity(const std::string& name) {
    static std::uint64_t last_id = 0;
    auto identity = std::make_shared<Identity>();
    identity->leaf = Certificate::parse(der_in(name + ".pem")).value();
    identity->chain = {Certificate::parse(der_in("intermediate.pem")).value()};
    identity->key.pkcs8 = SecureBytes::copy_of(der_in(name + ".key.pem"));
    identity->key.kind = identity->leaf->key_kind();
    identity->key.bits = identity->leaf->key_bits();
    identity->key.id = ++last_id;
    return identity;
}

const IdentityPtr& rsa(unsigned bits) {
    static const IdentityPtr rsa_2048 = read_identity("rsa2048");
    static const IdentityPtr rsa_3072 = read_identity("rsa3072");
    static const IdentityPtr rsa_4096 = read_identity("rsa4096");
    return bits == 2048 ? rsa_2048 : bits == 3072 ? rsa_3072 : rsa_4096;
}

const IdentityPtr& p256() {
    static const IdentityPtr identity = read_identity("p256");
    return identity;
}

std::string entity_of(std::size_t bytes) {
    std::string text = "Content-Type: text/plain\r\n\r\n";
    while (text.size() < bytes) text += "A line of a message, of no interest but its length.\r\n";
    text.resize(bytes);
    return text;
}

class CountingSink final : public Sink, public Source {
public:
    Result<Flow> write(Chunk chunk) override {
        bytes += chunk.size();
        return Flow::open;
    }
    Result<Flow> finish() override {
        finished = true;
        return Flow::open;
    }
    void on_drain() override {}
    void on_failed(Error) override { failed = true; }
    std::size_t bytes = 0;
    bool finished = false;
    bool failed = false;
};

SignPlan plan_of(const IdentityPtr& identity, SendingProfileOptions::SignMode mode) {
    SignPlan plan;
    plan.identity = identity;
    plan.sign_mode = mode;
    plan.signing_time = 1795305600;
    return plan;
}

// The loop's share: from the stage's making to handing the digest to a worker. Waiting for the
// worker is left out; so is the answer's delivery, two or three chunks to pass on.
void loop_share(benchmark::State& state, SendingProfileOptions::SignMode mode) {
    Loop loop;
    WorkerPool workers(loop, 1);
    const std::string text = entity_of(static_cast<std::size_t>(state.range(0)));
    const Chunk chunk = Chunk::copy_of(text);
    {
        CountingSink sink;
        const auto stage = make_sign_stage(plan_of(p256(), mode), workers, sink, sink);
        if (!stage->write(chunk) || !stage->finish() ||
            !loop.run_until([&] { return sink.finished; }, 5000) || sink.bytes < text.size()) {
            state.SkipWithError("nothing was signed");
            return;
        }
    }
    for (auto _ : state) {
        CountingSink sink;
        const auto stage = make_sign_stage(plan_of(p256(), mode), workers, sink, sink);
        benchmark::DoNotOptimize(stage->write(chunk));
        benchmark::DoNotOptimize(stage->finish());
        state.PauseTiming();
        loop.run_until([&] { return sink.finished; }, 5000);
        state.ResumeTiming();
    }
    state.SetBytesProcessed(static_cast<std::int64_t>(state.iterations()) * state.range(0));
    // The worker's share and the answer's way back are in these.
    count_costs(
        state,
        [&] {
            CountingSink sink;
            const auto stage = make_sign_stage(plan_of(p256(), mode), workers, sink, sink);
            require(stage->write(chunk) && stage->finish(), "stage");
            require(loop.run_until([&] { return sink.finished; }, 5000), "signature");
        },
        text.size());
}
void detached_on_the_loop(benchmark::State& state) {
    loop_share(state, SendingProfileOptions::SignMode::detached);
}
void opaque_on_the_loop(benchmark::State& state) {
    loop_share(state, SendingProfileOptions::SignMode::opaque);
}
BENCHMARK(detached_on_the_loop)->Arg(1 << 10)->Arg(10 << 10)->Arg(64 << 10)->Arg(1 << 20);
BENCHMARK(opaque_on_the_loop)->Arg(1 << 10)->Arg(10 << 10)->Arg(64 << 10)->Arg(1 << 20);

// The worker's share without the key: attributes, frame, base64.
void frame_on_a_worker(benchmark::State& state) {
    SignerInfoPlan plan;
    plan.identity = rsa(2048);
    plan.signing_time = 1795305600;
    const DigestValue digest = digest_of(DigestAlgorithm::sha256, as_bytes("content"));
    const Bytes signature(256, 0xaa);
    const auto one = [&] {
        const Bytes attributes = signed_attributes(plan, digest);
        const Bytes cms = detached_signed_data(plan, attributes, signature);
        ChunkBuilder out(base64_lines_bytes(cms.size()));
        Base64Lines base64;
        base64.encode(cms, out);
        base64.finish(out);
        benchmark::DoNotOptimize(out.take());
    };
    for (auto _ : state) one();
    count_costs(state, one);
}
BENCHMARK(frame_on_a_worker);

void sign_with_key(benchmark::State& state, const IdentityPtr& identity,
                   SignatureAlgorithm algorithm) {
    const Bytes attributes(400, 'a');
    const auto one = [&] {
        const auto made = sign_with(identity->key, algorithm, attributes);
        if (!made) state.SkipWithError(made.error().what);
    };
    for (auto _ : state) one();
    count_costs(state, one);
}
void rsa_in_wolfcrypt(benchmark::State& state) {
    choose_rsa_engine(GatewayOptions::RsaEngine::wolfcrypt);
    sign_with_key(state, rsa(static_cast<unsigned>(state.range(0))), {});
}
void rsa_in_openssl(benchmark::State& state) {
    choose_rsa_engine(GatewayOptions::RsaEngine::openssl);
    sign_with_key(state, rsa(static_cast<unsigned>(state.range(0))), {});
    choose_rsa_engine(GatewayOptions::RsaEngine::wolfcrypt);
}
void ecdsa_p256(benchmark::State& state) {
    sign_with_key(state, p256(), {SignatureScheme::ecdsa, DigestAlgorithm::sha256});
}
BENCHMARK(rsa_in_wolfcrypt)->Arg(2048)->Arg(3072)->Arg(4096);
BENCHMARK(rsa_in_openssl)->Arg(2048)->Arg(3072)->Arg(4096);
BENCHMARK(ecdsa_p256);

// The same operations of the libraries with nothing around them.
void raw_wolfcrypt_p256(benchmark::State& state) {
    WC_RNG random;
    ecc_key key;
    word32 at = 0;
    const ByteSpan der = p256()->key.pkcs8.bytes();
    require(wc_InitRng(&random) == 0 && wc_ecc_init(&key) == 0, "wolfCrypt");
    require(wc_GetPkcs8TraditionalOffset(const_cast<std::uint8_t*>(der.data()), &at,
                                         static_cast<word32>(der.size())) > 0,
            "PKCS#8");
    require(wc_EccPrivateKeyDecode(der.data(), &at, &key, static_cast<word32>(der.size())) == 0,
            "P-256 key");
    const Bytes digest(32, 'd');
    std::array<std::uint8_t, 80> signature;
    for (auto _ : state) {
        word32 bytes = signature.size();
        if (wc_ecc_sign_hash(digest.data(), 32, signature.data(), &bytes, &random, &key) != 0)
            state.SkipWithError("wc_ecc_sign_hash");
    }
    wc_ecc_free(&key);
    wc_FreeRng(&random);
}
BENCHMARK(raw_wolfcrypt_p256);

void raw_libcrypto_rsa(benchmark::State& state) {
    const ByteSpan der = rsa(static_cast<unsigned>(state.range(0)))->key.pkcs8.bytes();
    const std::uint8_t* at = der.data();
    EVP_PKEY* key = d2i_AutoPrivateKey(nullptr, &at, static_cast<long>(der.size()));
    EVP_PKEY_CTX* context = EVP_PKEY_CTX_new(key, nullptr);
    require(key && context && EVP_PKEY_sign_init(context) == 1 &&
                EVP_PKEY_CTX_set_rsa_padding(context, RSA_PKCS1_PADDING) == 1 &&
                EVP_PKEY_CTX_set_signature_md(context, EVP_sha256()) == 1,
            "libcrypto");
    const Bytes digest(32, 'd');
    Bytes signature(1024);
    for (auto _ : state) {
        std::size_t bytes = signature.size();
        if (EVP_PKEY_sign(context, signature.data(), &bytes, digest.data(), digest.size()) != 1)
            state.SkipWithError("EVP_PKEY_sign");
    }
    EVP_PKEY_CTX_free(context);
    EVP_PKEY_free(key);
}
BENCHMARK(raw_libcrypto_rsa)->Arg(2048)->Arg(3072)->Arg(4096);

void choosing_the_rsa_engine(benchmark::State& state) {
    for (auto _ : state) choose_rsa_engine(GatewayOptions::RsaEngine::automatic);
    state.SetLabel(std::string("2048: ") + rsa_engine_for(2048) +
                   ", 3072: " + rsa_engine_for(3072) + ", 4096: " + rsa_engine_for(4096));
    choose_rsa_engine(GatewayOptions::RsaEngine::wolfcrypt);
}
BENCHMARK(choosing_the_rsa_engine)->Unit(benchmark::kMillisecond);

void sha2(benchmark::State& state) {
    const Bytes in(64 * 1024, 'x');
    const auto algorithm = static_cast<DigestAlgorithm>(state.range(0));
    for (auto _ : state) benchmark::DoNotOptimize(digest_of(algorithm, in));
    state.SetLabel(micalg(algorithm));
    state.SetBytesProcessed(static_cast<std::int64_t>(state.iterations() * in.size()));
}
BENCHMARK(sha2)->DenseRange(0, 2);

void raw_wolfcrypt_sha256(benchmark::State& state) {
    const Bytes in(64 * 1024, 'x');
    std::array<std::uint8_t, 32> digest;
    for (auto _ : state) {
        if (wc_Sha256Hash(in.data(), static_cast<word32>(in.size()), digest.data()) != 0)
            state.SkipWithError("wc_Sha256Hash");
        benchmark::DoNotOptimize(digest);
    }
    state.SetBytesProcessed(static_cast<std::int64_t>(state.iterations() * in.size()));
}
BENCHMARK(raw_wolfcrypt_sha256);

void base64_lines(benchmark::State& state) {
    const Bytes in(64 * 1024, 'x');
    const auto one = [&] {
        ChunkBuilder out(8192);
        Base64Lines base64;
        base64.encode(in, out);
        base64.finish(out);
        benchmark::DoNotOptimize(out.take());
    };
    for (auto _ : state) one();
    state.SetBytesProcessed(static_cast<std::int64_t>(state.iterations() * in.size()));
    count_costs(state, one, in.size());
}
BENCHMARK(base64_lines);

// Guards the `vzeroupper` fix of cmake/wolfssl/vzeroupper.patch: without it the SHA-256 after a
// P-256 signature takes a hundred times as long as one before.
void sha256_after_a_signature(benchmark::State& state) {
    using Clock = std::chrono::steady_clock;
    const Bytes in(64 * 1024, 'x');
    const auto best_hash = [&](bool sign_first) {
        Clock::duration best = Clock::duration::max();
        for (int i = 0; i < 30; ++i) {
            if (sign_first) {
                (void)sign_with(p256()->key, {SignatureScheme::ecdsa, DigestAlgorithm::sha256},
                                as_bytes("attributes"));
            }
            const Clock::time_point begin = Clock::now();
            benchmark::DoNotOptimize(digest_of(DigestAlgorithm::sha256, in));
            best = std::min(best, Clock::now() - begin);
        }
        return static_cast<double>(best.count());
    };
    double ratio = 0;
    for (auto _ : state) ratio = best_hash(true) / best_hash(false);
    state.counters["ratio"] = ratio;
    if (ratio > 3) state.SkipWithError("SHA-256 is slow after a signature: vzeroupper is missing");
}
BENCHMARK(sha256_after_a_signature);

}  // namespace
}  // namespace sealgate
