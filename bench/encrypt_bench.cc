// SPDX-License-Identifier: GPL-3.0-or-later
// What encrypting costs, the whole stage beside its bare cryptography in the same run.
//
// cpu_us is CPU of the whole process for one message, loop and worker together; raw_us is the same
// for what cannot be left out: the content's cipher, base64, the recipients' keys (and digest and
// signature, where it signs). over_us is the difference: the budget of 10 KB is 150 µs. MB/s_core
// is content per CPU second: the budget is 400. What is timed is checked first.
#include <benchmark/benchmark.h>
#include <sys/resource.h>

#include <algorithm>
#include <fstream>
#include <memory>
#include <sstream>
#include <string>
#include <vector>

#include "core/loop.h"
#include "core/metrics.h"
#include "core/workers.h"
#include "crypto/base64.h"
#include "crypto/cms_enveloped_data.h"
#include "crypto/pem.h"
#include "crypto/rsa_engine.h"
#include "crypto/signing_key.h"
#include "crypto/smime_encrypt.h"
#include "crypto/smime_sign.h"

namespace sealgate {
namespace {

constexpr std::size_t piece_bytes = 64 * 1024;

double cpu_seconds() {
    rusage usage{};
    getrusage(RUSAGE_SELF, &usage);
    const auto seconds = [](const timeval& time) {
        return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
    };
    return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

Bytes der_in(const std::string& name) {
    std::ifstream in(SEALGATE_SOURCE_DIR "/tests/data/" + name, std::ios::binary);
    std::ostringstream text;
    text << in.rdbuf();
    const auto blocks = read_pem(as_bytes(text.str()));
    CHECK(blocks && blocks->size() == 1);
    const ByteSpan der = blocks->front().der.bytes();
    return Bytes(der.begin(), der.end());
}

// The same key under `count` serial numbers.
std::vector<EncryptRecipient> recipients_of(const std::string& name, std::size_t count) {
    Bytes der = der_in("recipients/" + name + ".pem");
    const CertificatePtr first = Certificate::parse(der).value();
    const ByteSpan serial = first->serial_der();
    const auto at = std::search(der.begin(), der.end(), serial.begin(), serial.end());
    const auto last = at + static_cast<std::ptrdiff_t>(serial.size()) - 1;
    std::vector<EncryptRecipient> recipients;
    for (std::size_t i = 0; i < count; ++i) {
        *last = static_cast<std::uint8_t>(serial.back() ^ i);
        recipients.push_back({Certificate::parse(der).value(), RsaTransport::pkcs1});
    }
    return recipients;
}

IdentityPtr signer(const std::string& name) {
    static std::uint64_t last_id = 0;
    auto identity = std::make_shared<Identity>();
    identity->leaf = Certificate::parse(der_in("signers/" + name + ".pem")).value();
    identity->chain = {Certificate::parse(der_in("signers/intermediate.pem")).value()};
    identity->key.pkcs8 = SecureBytes::copy_of(der_in("signers/" + name + ".key.pem"));
    identity->key.kind = identity->leaf->key_kind();
    identity->key.bits = identity->leaf->key_bits();
    identity->key.id = ++last_id;
    return identity;
}

std::vector<Chunk> content_of(std::size_t bytes) {
    std::string text = "Content-Type: text/plain\r\n\r\n";
    while (text.size() < bytes) text += "A line of a message, of no interest but its length.\r\n";
    text.resize(bytes);
    std::vector<Chunk> pieces;
    for (std::size_t at = 0; at < bytes; at += piece_bytes)
        pieces.push_back(Chunk::copy_of(std::string_view(text).substr(at, piece_bytes)));
    return pieces;
}

class ChainEnd final : public Sink, public Source {
public:
    Result<Flow> write(Chunk chunk) override {
        bytes += chunk.size();
        return Flow::open;
    }
    Result<Flow> finish() override {
        finished = true;
        return Flow::open;
    }
    void on_drain() override { full = false; }
    void on_failed(Error) override { failed = true; }
    std::size_t bytes = 0;
    bool full = false;
    bool finished = false;
    bool failed = false;
};

struct Job {
    EncryptPlan encrypt;
    IdentityPtr signer;  // none: encryption only
    std::vector<Chunk> content;

    std::size_t content_bytes() const {
        std::size_t bytes = 0;
        for (const Chunk& piece : content) bytes += piece.size();
        return bytes;
    }
};

// One message on its way.
class Message {
public:
    Message(const Job& job, WorkerPool& workers)
        : encrypt_(make_encrypt_stage(job.encrypt, workers, end, end)) {
        if (!job.signer) return;
        SignPlan plan;
        plan.identity = job.signer;
        plan.signing_time = 1795305600;
        sign_ = make_sign_stage(std::move(plan), workers, *encrypt_, end);
    }
    bool run(const std::vector<Chunk>& content, Loop& loop) {
        Sink& first = sign_ ? *sign_ : static_cast<Sink&>(*encrypt_);
        for (const Chunk& piece : content) {
            const auto flow = first.write(piece);
            if (!flow) return false;
            end.full = *flow == Flow::full;
            if (end.full && !loop.run_until([&] { return !end.full || end.failed; }, 20'000))
                return false;
        }
        return first.finish().has_value();
    }
    ChainEnd end;

private:
    std::unique_ptr<EncryptStage> encrypt_;
    std::unique_ptr<Sink> sign_;
};

// The same without any stage: the least that has to be done.
void do_raw(const Job& job) {
    Bytes key(key_bytes(job.encrypt.cipher), 0x5a);
    const Bytes iv(iv_bytes(job.encrypt.cipher), 0xa5);
    for (const EncryptRecipient& one : job.encrypt.recipients)
        benchmark::DoNotOptimize(recipient_info(*one.certificate, one.transport, key).value());
    if (job.signer) {
        Digest digest(DigestAlgorithm::sha256);
        for (const Chunk& piece : job.content) digest.update(piece.bytes());
        const DigestValue value = digest.finish();
        const SignatureAlgorithm algorithm{job.signer->key.kind == KeyKind::rsa
                                               ? SignatureScheme::rsa_pkcs1
                                               : SignatureScheme::ecdsa,
                                           DigestAlgorithm::sha256};
        benchmark::DoNotOptimize(sign_with(job.signer->key, algorithm, value.bytes()).value());
    }
    const auto cipher = ContentEncryptor::begin(job.encrypt.cipher, key, iv).value();
    Base64Lines base64;
    alignas(64) static std::array<std::uint8_t, piece_bytes> buffer;
    for (const Chunk& piece : job.content) {
        ChunkBuilder text(base64_lines_bytes(piece_bytes) + 256);
        std::copy(piece.bytes().begin(), piece.bytes().end(), buffer.begin());
        const std::size_t whole = piece.size() / cipher_block_bytes * cipher_block_bytes;
        CHECK(cipher->encrypt({buffer.data(), whole}).has_value());
        base64.encode({buffer.data(), whole}, text);
        benchmark::DoNotOptimize(text.take());
    }
}

// `in_flight` messages at a time.
void encrypt_messages(benchmark::State& state, const Job& job, std::size_t in_flight) {
    Loop loop;
    WorkerPool workers(loop, 1);
    const auto run_all = [&] {
        std::vector<std::unique_ptr<Message>> messages;
        bool begun = true;
        for (std::size_t i = 0; i < in_flight; ++i) {
            messages.push_back(std::make_unique<Message>(job, workers));
            begun = begun && messages.back()->run(job.content, loop);
        }
        const auto is_done = [](const auto& one) { return one->end.finished; };
        return begun &&
               loop.run_until(
                   [&] { return std::all_of(messages.begin(), messages.end(), is_done); },
                   60'000) &&
               messages.front()->end.bytes > job.content_bytes() * 4 / 3;
    };
    const std::uint64_t encryptions = Metrics::instance().value(Counter::content_encryptions);
    if (!run_all() ||
        Metrics::instance().value(Counter::content_encryptions) - encryptions != in_flight) {
        state.SkipWithError("a message was not encrypted, or not once");
        return;
    }
    double messages = 0;
    double cpu = 0;
    double raw = 0;
    for (auto _ : state) {
        const double begin = cpu_seconds();
        if (!run_all()) state.SkipWithError("a message was not encrypted");
        const double end = cpu_seconds();
        cpu += end - begin;
        messages += static_cast<double>(in_flight);
        state.PauseTiming();
        for (std::size_t i = 0; i < in_flight; ++i) do_raw(job);
        raw += cpu_seconds() - end;
        state.ResumeTiming();
    }
    const double bytes = messages * static_cast<double>(job.content_bytes());
    state.counters["cpu_us"] = cpu * 1e6 / messages;
    state.counters["raw_us"] = raw * 1e6 / messages;
    state.counters["over_us"] = (cpu - raw) * 1e6 / messages;
    state.counters["MB/s_core"] = bytes / 1e6 / cpu;
    state.counters["messages"] = benchmark::Counter(messages, benchmark::Counter::kIsRate);
    state.SetLabel(to_text(job.encrypt.cipher));
}

constexpr ContentCipher ciphers[] = {ContentCipher::aes_256_cbc, ContentCipher::aes_256_gcm};

// recipients, cipher
void small_messages(benchmark::State& state, const char* recipient) {
    encrypt_messages(state,
                     {{ciphers[state.range(1)],
                       recipients_of(recipient, static_cast<std::size_t>(state.range(0)))},
                      nullptr,
                      content_of(10 * 1024)},
                     16);
}
void encrypt_10_kb_rsa2048(benchmark::State& state) { small_messages(state, "rsa2048"); }
void encrypt_10_kb_p256(benchmark::State& state) { small_messages(state, "p256"); }
void encrypt_10_kb_x25519(benchmark::State& state) { small_messages(state, "x25519"); }
BENCHMARK(encrypt_10_kb_rsa2048)->ArgsProduct({{1, 10, 100}, {0, 1}})->UseRealTime();
BENCHMARK(encrypt_10_kb_p256)->ArgsProduct({{1, 100}, {0, 1}})->UseRealTime();
BENCHMARK(encrypt_10_kb_x25519)->Args({1, 1})->UseRealTime();

// A message all alone, its thread hops in full.
void encrypt_10_kb_alone(benchmark::State& state) {
    encrypt_messages(
        state,
        {{ContentCipher::aes_256_cbc, recipients_of("rsa2048", 1)}, nullptr, content_of(10 * 1024)},
        1);
}
BENCHMARK(encrypt_10_kb_alone)->UseRealTime();

void sign_encrypt_10_kb(benchmark::State& state, const char* name) {
    choose_rsa_engine(GatewayOptions::RsaEngine::automatic);  // as the gateway does
    encrypt_messages(state,
                     {{ciphers[state.range(0)], recipients_of("rsa2048", 1)},
                      signer(name),
                      content_of(10 * 1024)},
                     16);
}
void sign_p256_encrypt_rsa2048_10_kb(benchmark::State& state) { sign_encrypt_10_kb(state, "p256"); }
void sign_rsa2048_encrypt_rsa2048_10_kb(benchmark::State& state) {
    sign_encrypt_10_kb(state, "rsa2048");
}
BENCHMARK(sign_p256_encrypt_rsa2048_10_kb)->Arg(0)->Arg(1)->UseRealTime();
BENCHMARK(sign_rsa2048_encrypt_rsa2048_10_kb)->Arg(0)->Arg(1)->UseRealTime();

// recipients, cipher
void encrypt_25_mb(benchmark::State& state) {
    encrypt_messages(state,
                     {{ciphers[state.range(1)],
                       recipients_of("rsa2048", static_cast<std::size_t>(state.range(0)))},
                      nullptr,
                      content_of(std::size_t{25} << 20)},
                     1);
}
BENCHMARK(encrypt_25_mb)
    ->ArgsProduct({{1, 100}, {0, 1}})
    ->UseRealTime()
    ->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace sealgate
