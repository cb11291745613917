// SPDX-License-Identifier: GPL-3.0-or-later
// What a message that comes in costs from its header to its verdict: the whole SmimeReader, beside
// the bare cryptography of the same message in the same run.
//
// cpu_us is CPU of the whole process for one message, loop and worker together; raw_us is what
// cannot be left out: base64, the content's cipher and digest, the keys' operations, of the
// message's signature and not of its path. over_us is the difference. `plain` is what a message
// without S/MIME pays under smime-verify-decrypt: looking at its header. What is timed is checked
// first.
#include <benchmark/benchmark.h>
#include <sys/resource.h>

#include <algorithm>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "bench/support/cost_counter.h"
#include "core/loop.h"
#include "core/workers.h"
#include "crypto/certificate_bundle.h"
#include "crypto/cms_enveloped_data.h"
#include "crypto/content_decryptor.h"
#include "crypto/key_unwrap.h"
#include "crypto/rsa_engine.h"
#include "crypto/signature_check.h"
#include "crypto/signing_key.h"
#include "crypto/smime_encrypt.h"
#include "crypto/smime_sign.h"
#include "smtp/incoming_report.h"
#include "smtp/mime_decode.h"
#include "smtp/smime_reader.h"

namespace sealgate {
namespace {

constexpr std::int64_t now = 1'797'897'600;  // 2026-12-22
constexpr std::size_t piece_bytes = 64 * 1024;
constexpr std::uint64_t patience_ms = 20'000;

double cpu_seconds() {
    rusage usage{};
    getrusage(RUSAGE_SELF, &usage);
    const auto seconds = [](const timeval& time) {
        return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
    };
    return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

// --- who -----------------------------------------------------------------------------------------

std::string file_of(const std::string& name) { return SEALGATE_SOURCE_DIR "/tests/data/" + name; }

IdentityPtr recipient(const std::string& name) {
    const auto certificate = read_small_file(file_of("recipients/" + name + ".pem")).value();
    const auto key = read_small_file(file_of("recipients/" + name + ".key.pem")).value();
    return read_identities(name, certificate.bytes(), key.bytes(), std::nullopt).value().front();
}

IdentityPtr signer(const std::string& name) {
    const auto certificate = read_small_file(file_of("signers/" + name + ".pem")).value();
    const auto key = read_small_file(file_of("signers/" + name + ".key.pem")).value();
    const auto issuer = read_small_file(file_of("signers/intermediate.pem")).value();
    const auto read = read_identities(name, certificate.bytes(), key.bytes(), std::nullopt);
    auto identity = std::make_shared<Identity>();
    identity->leaf = read.value().front()->leaf;
    identity->chain = read_certificates(issuer.bytes()).value();
    identity->key =
        make_private_key(SecureBytes::copy_of(read.value().front()->key.pkcs8.bytes())).value();
    return identity;
}

VerifyContext rules() {
    TrustOptions options;
    options.ca_files = {file_of("signers/root.pem")};
    Complaints complaints, warnings;
    VerifyContext made;
    made.anchors = TrustAnchors::load(options, "[trust:smime]", complaints, warnings);
    made.wall_seconds = now;
    made.sender = "alice@example.com";
    return made;
}

// --- messages ------------------------------------------------------------------------------------

// One layer, made with the gateway's own stages.
struct Layer {
    enum class Kind : std::uint8_t { detached, opaque, cbc, gcm };
    Kind kind;
    const char* who;  // who signs, or can read
    bool is_signed() const { return kind == Kind::detached || kind == Kind::opaque; }
    ContentCipher cipher() const {
        return kind == Kind::gcm ? ContentCipher::aes_256_gcm : ContentCipher::aes_256_cbc;
    }
};
constexpr auto detached = Layer::Kind::detached;
constexpr auto opaque = Layer::Kind::opaque;
constexpr auto cbc = Layer::Kind::cbc;
constexpr auto gcm = Layer::Kind::gcm;

class TextEnd final : public Sink, public Source {
public:
    Result<Flow> write(Chunk chunk) override {
        text.append(chunk.text());
        return Flow::open;
    }
    Result<Flow> finish() override {
        finished = true;
        return Flow::open;
    }
    void on_drain() override { drained = true; }
    void on_failed(Error) override { require(false, "a layer cannot be made"); }
    std::string text;
    bool finished = false;
    bool drained = false;
};

std::string wrap(const Layer& layer, const std::string& entity, Loop& loop, WorkerPool& workers) {
    TextEnd end;
    std::unique_ptr<Sink> stage;
    if (layer.is_signed()) {
        SignPlan plan;
        plan.identity = signer(layer.who);
        if (layer.kind == opaque) plan.sign_mode = SendingProfileOptions::SignMode::opaque;
        plan.signing_time = now;
        stage = make_sign_stage(std::move(plan), workers, end, end);
    } else {
        EncryptPlan plan;
        plan.cipher = layer.cipher();
        plan.recipients = {{recipient(layer.who)->leaf, RsaTransport::pkcs1}};
        stage = make_encrypt_stage(std::move(plan), workers, end, end);
    }
    for (std::size_t at = 0; at < entity.size(); at += piece_bytes) {
        end.drained = false;
        const auto flow =
            stage->write(Chunk::copy_of(std::string_view(entity).substr(at, piece_bytes)));
        require(flow.has_value(), "a layer cannot be made");
        if (*flow == Flow::full)
            require(loop.run_until([&] { return end.drained; }, patience_ms), "a stage hangs");
    }
    require(stage->finish().has_value(), "a layer cannot be made");
    require(loop.run_until([&] { return end.finished; }, patience_ms), "a stage hangs");
    return end.text;
}

std::string entity_of(std::size_t bytes) {
    std::string text = "Content-Type: text/plain\r\n\r\n";
    while (text.size() < bytes) text += "A line of a message, of no interest but its length.\r\n";
    return text;
}

struct Message {
    Header header;
    std::vector<Chunk> body;
    std::size_t bytes = 0;
};

// `layers` from inside.
Message message_of(const std::vector<Layer>& layers, std::size_t bytes) {
    Loop loop;
    WorkerPool workers(loop, 1);
    std::string text = entity_of(bytes);
    for (const Layer& layer : layers) text = wrap(layer, text, loop, workers);
    text.insert(0, "From: alice@example.com\r\nTo: bob@example.net\r\nSubject: a bench\r\n");
    Message message;
    message.bytes = text.size();
    message.header = Header::parse(Chunk::copy_of(text));
    const std::string_view body = std::string_view(text).substr(message.header.bytes().size());
    for (std::size_t at = 0; at < body.size(); at += piece_bytes)
        message.body.push_back(Chunk::copy_of(body.substr(at, piece_bytes)));
    return message;
}

// --- reading -------------------------------------------------------------------------------------

class Reading final : private SmimeReader::Owner {
public:
    Reading(Loop& loop, WorkerPool& workers, const std::shared_ptr<const DecryptionKeys>& keys,
            const VerifyContext& verify, const Message& message)
        : loop_(loop),
          message_(message),
          reader_({loop, workers, keys, verify}, smime_kind(message.header), message.header,
                  owner()) {}

    bool read() {
        for (const Chunk& piece : message_.body) {
            drained_ = false;
            const auto flow = reader_.write(piece);
            if (!flow) return false;
            if (*flow == Flow::full &&
                !loop_.run_until([&] { return drained_ || ended_; }, patience_ms))
                return false;
        }
        if (!reader_.finish() || !loop_.run_until([&] { return ended_; }, patience_ms))
            return false;
        return reader_.take_verdict().verified;
    }
    std::size_t opened_bytes() const { return nowhere_.bytes; }

private:
    struct Nowhere final : Sink {
        Result<Flow> write(Chunk chunk) override {
            bytes += chunk.size();
            return Flow::open;
        }
        Result<Flow> finish() override { return Flow::open; }
        std::size_t bytes = 0;
    };
    SmimeReader::Owner& owner() { return *this; }
    Sink& on_opened(const Header&) override {
        nowhere_.bytes = 0;
        return nowhere_;
    }
    void on_hopeless() override {}
    void on_smime_drain() override { drained_ = true; }
    void on_smime_end(Result<void>) override { ended_ = true; }

    Loop& loop_;
    const Message& message_;
    Nowhere nowhere_;
    bool drained_ = false;
    bool ended_ = false;
    SmimeReader reader_;
};

// --- the same without the reader -----------------------------------------------------------------

class Raw {
public:
    Raw(const std::vector<Layer>& layers, std::size_t bytes) : content_(bytes, 0x5a) {
        for (const Layer& layer : layers) {
            if (layer.is_signed())
                add_signature(*signer(layer.who), layer.kind == opaque);
            else
                add_envelope(layer);
        }
    }

    void run() {
        for (std::size_t i = 0; i < base64_layers_; ++i) decode();
        for (const Signed& one : signed_) {
            benchmark::DoNotOptimize(digest_of(one.digest.algorithm(), content_));
            require(check_signature(*one.leaf, one.algorithm, {one.digest, ByteSpan(signed_text)},
                                    one.signature)
                            .reason == Reason::ok,
                    "a raw signature is not right");
        }
        for (const Envelope& one : envelopes_) {
            const auto key = unwrap_content_key(one.wrapped, one.algorithm.key_bytes());
            require(key.has_value(), "a raw key does not unwrap");
            const auto decryptor = ContentDecryptor::begin(one.algorithm, key->key.bytes()).value();
            ChunkBuilder out(16 * 1024);
            for (std::size_t at = 0; at < content_.size(); at += piece_bytes) {
                const std::size_t count = std::min(piece_bytes, content_.size() - at);
                CHECK(decryptor->decrypt(ByteSpan(content_).subspan(at, count), out).has_value());
                benchmark::DoNotOptimize(out.take());
            }
        }
    }

private:
    struct Signed {
        CertificatePtr leaf;
        ReadSignatureAlgorithm algorithm;
        ReadDigestValue digest;
        Bytes signature;
    };
    struct Envelope {
        std::vector<WrappedKey> wrapped;
        ContentAlgorithm algorithm;
    };
    static inline const Bytes signed_text = Bytes(200, 0x33);

    void add_signature(const Identity& identity, bool in_base64) {
        const SignatureAlgorithm used =
            signature_algorithm_for(identity.key.kind, SendingProfileOptions::Scheme::automatic,
                                    SendingProfileOptions::Digest::sha256)
                .value();
        Signed one{identity.leaf,
                   {},
                   digest_of(read_digest_of(oid_of(used.digest)).value(), signed_text),
                   sign_with(identity.key, used, signed_text).value()};
        one.algorithm.scheme = used.scheme;
        signed_.push_back(std::move(one));
        if (in_base64) ++base64_layers_;
    }

    void add_envelope(const Layer& layer) {
        const IdentityPtr to = recipient(layer.who);
        Envelope one;
        const Bytes key(key_bytes(layer.cipher()), 1);
        const Bytes info = recipient_info(*to->leaf, RsaTransport::pkcs1, key).value();
        CHECK(add_wrapped_keys(info, *DecryptionKeys::of({to}), 1, one.wrapped).has_value());
        one.algorithm.cipher =
            layer.kind == gcm ? ReadableCipher::aes_256_gcm : ReadableCipher::aes_256_cbc;
        one.algorithm.iv.assign(layer.kind == gcm ? 12 : 16, 7);
        one.algorithm.tag_bytes = layer.kind == gcm ? 16 : 0;
        envelopes_.push_back(std::move(one));
        ++base64_layers_;
    }

    void decode() {
        Base64Decoder decoder;
        const std::string line = std::string(64, 'A') + "\r\n";
        if (text_.empty())
            while (text_.size() / 66 * 48 < content_.size()) text_ += line;
        decoded_.resize(Base64Decoder::room_bytes(text_.size()));
        require(decoder.feed(as_bytes(text_), decoded_.data()).has_value(), "no base64");
    }

    const Bytes content_;
    std::vector<Signed> signed_;
    std::vector<Envelope> envelopes_;
    std::size_t base64_layers_ = 0;
    std::string text_;
    Bytes decoded_;
};

// --- benches -------------------------------------------------------------------------------------

void read_messages(benchmark::State& state, const std::vector<Layer>& layers) {
    choose_rsa_engine(GatewayOptions::RsaEngine::automatic);  // as the gateway does
    const auto bytes = static_cast<std::size_t>(state.range(0));
    const Message message = message_of(layers, bytes);
    Raw raw(layers, bytes);
    std::vector<IdentityPtr> identities;
    for (const Layer& layer : layers)
        if (!layer.is_signed()) identities.push_back(recipient(layer.who));
    const auto keys = DecryptionKeys::of(identities);
    const VerifyContext verify = rules();
    Loop loop;
    WorkerPool workers(loop, 1);
    const auto read = [&] { return Reading(loop, workers, keys, verify, message).read(); };
    {
        Reading first(loop, workers, keys, verify, message);
        require(first.read(), "the message does not verify");
        require(identities.empty() || first.opened_bytes() + 200 > bytes, "it was not opened");
    }
    double cpu = 0, bare = 0, messages = 0;
    for (auto _ : state) {
        const double begin = cpu_seconds();
        require(read(), "the message does not verify");
        const double end = cpu_seconds();
        cpu += end - begin;
        state.PauseTiming();
        raw.run();
        bare += cpu_seconds() - end;
        ++messages;
        state.ResumeTiming();
    }
    state.counters["cpu_us"] = cpu * 1e6 / messages;
    state.counters["raw_us"] = bare * 1e6 / messages;
    state.counters["over_us"] = (cpu - bare) * 1e6 / messages;
    state.counters["MB/s_core"] = messages * static_cast<double>(message.bytes) / 1e6 / cpu;
    state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(message.bytes));
    count_costs(
        state, [&] { require(read(), "the message does not verify"); }, message.bytes);
}

#define READ(name, ...)                                                         \
    void name(benchmark::State& state) { read_messages(state, {__VA_ARGS__}); } \
    BENCHMARK(name)->Arg(10 * 1024)->Arg(1 << 20)->UseRealTime()

READ(detached_p256, {detached, "p256"});
READ(detached_rsa2048, {detached, "rsa2048"});
READ(opaque_p256, {opaque, "p256"});
READ(opaque_rsa2048, {opaque, "rsa2048"});
READ(cbc_rsa2048, {cbc, "rsa2048"});
READ(cbc_p256, {cbc, "p256"});
READ(gcm_rsa2048, {gcm, "rsa2048"});
READ(gcm_p256, {gcm, "p256"});
READ(sign_encrypt_p256, {detached, "p256"}, {gcm, "p256"});
READ(sign_encrypt_rsa2048, {detached, "rsa2048"}, {cbc, "rsa2048"});
READ(triple_p256, {detached, "p256"}, {gcm, "p256"}, {detached, "p256"});
READ(triple_opaque_rsa2048, {opaque, "rsa2048"}, {cbc, "rsa2048"}, {opaque, "rsa2048"});

#undef READ

// Its body is not looked at, whatever its size.
void plain(benchmark::State& state) {
    const Header header = Header::parse(
        Chunk::copy_of("From: alice@example.com\r\nTo: bob@example.net\r\nSubject: a bench\r\n" +
                       entity_of(10 * 1024)));
    const std::string hostname = "gateway.example.net";
    const auto look = [&] {
        const auto claims = header.all("Authentication-Results");
        require(claims.empty() && smime_kind(header) == SmimeKind::none, "it is not plain");
        benchmark::DoNotOptimize(authentication_results_of({}, hostname, ""));
    };
    for (auto _ : state) look();
    count_costs(state, look);
}
BENCHMARK(plain);

}  // namespace
}  // namespace sealgate
