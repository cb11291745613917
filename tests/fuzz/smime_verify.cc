// SPDX-License-Identifier: GPL-3.0-or-later
// Signed messages out of any bytes, read and verified to the end. The seeds are signed by a key
// that is trusted here, all with one content: what is found to be right has that content.
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

#include "core/loop.h"
#include "core/workers.h"
#include "crypto/smime_verify.h"

namespace {

using namespace sealgate;

constexpr std::string_view signed_content = "Content-Type: text/plain\r\n\r\nHello.\r\n";

VerifyContext context() {
    TrustOptions options;
    options.ca_files = {SEALGATE_SOURCE_DIR "/tests/data/signers/root.pem"};
    Complaints complaints, warnings;
    VerifyContext made;
    made.anchors = TrustAnchors::load(options, "[trust:smime]", complaints, warnings);
    CHECK(complaints.empty());
    made.wall_seconds = 1'797'897'600;  // 2026-12-22
    made.allow_weak = true;
    return made;
}

struct Content final : Sink {
    Result<Flow> write(Chunk chunk) override {
        text.append(chunk.text());
        return Flow::open;
    }
    Result<Flow> finish() override { return Flow::open; }
    std::string text;
};

struct End final : VerifyStage::Owner, CmsReader::Router {
    CmsHandler* on_cms_type(CmsType type) override {
        return type == CmsType::signed_data ? stage : nullptr;
    }
    void on_verify_end(LayerReport given) override { report = std::move(given); }
    VerifyStage* stage = nullptr;
    std::optional<LayerReport> report;
};

// Nothing where it could not be read.
std::optional<LayerReport> run(VerifyStage& stage, End& end, ByteSpan cms, std::size_t first,
                               Loop& loop) {
    end.stage = &stage;
    CmsReader reader(end);
    for (const ByteSpan piece : {cms.first(first), cms.subspan(first)}) {
        if (!piece.empty() && !reader.write(Chunk::copy_of(piece))) return std::nullopt;
    }
    if (!reader.finish()) return std::nullopt;
    CHECK(loop.run_until([&] { return end.report.has_value(); }, 60'000));
    const LayerReport& report = *end.report;
    CHECK(report.why.empty() == (report.reason == Reason::ok));
    CHECK(report.signers.empty() == (report.reason == Reason::no_signer));
    for (const SignerReport& signer : report.signers) {
        CHECK(signer.why.empty() == (signer.reason() == Reason::ok));
        CHECK(report.reason != Reason::ok || signer.certificate);
    }
    return end.report;
}

}  // namespace

// The first octet says where the rest is cut in two.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    // First: libcrypto's own end, which is registered here, must come after the workers'.
    static const VerifyContext rules = context();
    static Loop loop;
    static WorkerPool workers(loop, 1);
    if (size == 0) return 0;
    const ByteSpan cms(data + 1, size - 1);
    const std::size_t first = cms.size() * data[0] / 255;
    {
        End end;
        Content below;
        VerifyStage stage(rules, workers, end, below);
        const auto report = run(stage, end, cms, first, loop);
        CHECK(!report || report->reason != Reason::ok || below.text == signed_content);
    }
    End end;
    VerifyStage stage(rules, workers, end, digests_for_micalg(""));
    stage.hash(as_bytes(signed_content));
    (void)run(stage, end, cms, first, loop);
    return 0;
}
