// SPDX-License-Identifier: GPL-3.0-or-later
// What verifying costs: one public-key operation, and whole messages through reader and stage, with
// their path to a root. What is timed is checked first.
#include <benchmark/benchmark.h>

#include <algorithm>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/loop.h"
#include "core/workers.h"
#include "crypto/certificate_bundle.h"
#include "crypto/cms_signed_data.h"
#include "crypto/signature_check.h"
#include "crypto/smime_verify.h"

namespace sealgate {
namespace {

constexpr std::int64_t now = 1'797'897'600;  // 2026-12-22

std::string signers_file(const std::string& name) {
    return SEALGATE_SOURCE_DIR "/tests/data/signers/" + name;
}

IdentityPtr identity_of(const std::string& name) {
    const auto certificate = read_small_file(signers_file(name + ".pem")).value();
    const auto key = read_small_file(signers_file(name + ".key.pem")).value();
    const auto issuer = read_small_file(signers_file("intermediate.pem")).value();
    const auto read = read_identities(name, certificate.bytes(), key.bytes(), std::nullopt);
    auto identity = std::make_shared<Identity>();
    identity->leaf = read.value().front()->leaf;
    identity->chain = read_certificates(issuer.bytes()).value();
    identity->key =
        make_private_key(SecureBytes::copy_of(read.value().front()->key.pkcs8.bytes())).value();
    return identity;
}

SignatureAlgorithm algorithm_of(const Identity& identity, SendingProfileOptions::Scheme scheme) {
    return signature_algorithm_for(identity.key.kind, scheme, SendingProfileOptions::Digest::sha256)
        .value();
}

constexpr auto automatic = SendingProfileOptions::Scheme::automatic;
constexpr auto pss = SendingProfileOptions::Scheme::rsa_pss;

// --- one signature -------------------------------------------------------------------------------

void check_one(benchmark::State& state, const std::string& name,
               SendingProfileOptions::Scheme scheme) {
    const IdentityPtr identity = identity_of(name);
    const SignatureAlgorithm used = algorithm_of(*identity, scheme);
    const Bytes message(500, 0x5a);
    const Bytes signature = sign_with(identity->key, used, message).value();
    const ReadDigestValue digest = digest_of(read_digest_of(oid_of(used.digest)).value(), message);
    ReadSignatureAlgorithm algorithm;
    algorithm.scheme = used.scheme;
    algorithm.mask_digest = digest.algorithm();
    algorithm.salt_bytes = digest.bytes().size();
    const SignedOctets what{digest, ByteSpan(message)};
    const auto check = [&] {
        return check_signature(*identity->leaf, algorithm, what, signature).reason == Reason::ok;
    };
    if (!check()) state.SkipWithError("the signature is not right");
    for (auto _ : state) benchmark::DoNotOptimize(check());
}
BENCHMARK_CAPTURE(check_one, rsa2048, "rsa2048", automatic);
BENCHMARK_CAPTURE(check_one, rsa2048_pss, "rsa2048", pss);
BENCHMARK_CAPTURE(check_one, rsa4096, "rsa4096", automatic);
BENCHMARK_CAPTURE(check_one, p256, "p256", automatic);
BENCHMARK_CAPTURE(check_one, p384, "p384", automatic);
BENCHMARK_CAPTURE(check_one, ed25519, "ed25519", automatic);

// --- whole messages ------------------------------------------------------------------------------

class Reading final : public CmsReader::Router, public VerifyStage::Owner {
public:
    Reading(const VerifyContext& context, WorkerPool& workers,
            const std::vector<ReadDigest>& digests)
        : stage_(context, workers, *this, digests) {}

    CmsHandler* on_cms_type(CmsType) override { return &stage_; }
    void on_verify_end(LayerReport report) override { reason_ = report.reason; }

    Reason read(ByteSpan content, const Chunk& cms, Loop& loop) {
        constexpr std::size_t piece_bytes = 64 * 1024;
        while (!content.empty()) {
            const ByteSpan piece = content.first(std::min(content.size(), piece_bytes));
            stage_.hash(piece);
            content = content.subspan(piece.size());
        }
        if (!reader_.write(cms) || !reader_.finish()) return Reason::malformed;
        CHECK(loop.run_until([&] { return reason_.has_value(); }, 20'000));
        return *reason_;
    }

private:
    VerifyStage stage_;
    CmsReader reader_{*this};
    std::optional<Reason> reason_;
};

VerifyContext context() {
    TrustOptions options;
    options.ca_files = {signers_file("root.pem")};
    Complaints complaints, warnings;
    VerifyContext made;
    made.anchors = TrustAnchors::load(options, "[trust:smime]", complaints, warnings);
    made.wall_seconds = now;
    made.sender = "alice@example.com";
    return made;
}

// `micalg`: empty, and all digests that may come are computed.
void verify_message(benchmark::State& state, const std::string& name, const char* micalg) {
    SignerInfoPlan plan;
    plan.identity = identity_of(name);
    plan.algorithm = algorithm_of(*plan.identity, automatic);
    plan.signing_time = now;
    const Bytes content(static_cast<std::size_t>(state.range(0)), 'x');
    const Bytes attributes = signed_attributes(plan, digest_of(plan.algorithm.digest, content));
    const Bytes signature = sign_with(plan.identity->key, plan.algorithm, attributes).value();
    const Chunk cms = Chunk::copy_of(detached_signed_data(plan, attributes, signature));

    const VerifyContext rules = context();
    const std::vector<ReadDigest> digests = digests_for_micalg(micalg);
    Loop loop;
    WorkerPool workers(loop, 1);
    for (auto _ : state) {
        if (Reading(rules, workers, digests).read(content, cms, loop) != Reason::ok) {
            state.SkipWithError("the message did not verify");
            return;
        }
    }
    state.SetBytesProcessed(state.iterations() * state.range(0));
}
BENCHMARK_CAPTURE(verify_message, rsa2048, "rsa2048", "sha-256")
    ->Arg(10'000)
    ->Arg(10'000'000)
    ->MeasureProcessCPUTime();
BENCHMARK_CAPTURE(verify_message, rsa2048_without_micalg, "rsa2048", "")
    ->Arg(10'000)
    ->Arg(10'000'000)
    ->MeasureProcessCPUTime();
BENCHMARK_CAPTURE(verify_message, p256, "p256", "sha-256")->Arg(10'000)->MeasureProcessCPUTime();
BENCHMARK_CAPTURE(verify_message, ed25519, "ed25519", "sha-512")
    ->Arg(10'000)
    ->MeasureProcessCPUTime();

}  // namespace
}  // namespace sealgate
