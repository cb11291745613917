// SPDX-License-Identifier: GPL-3.0-or-later
#include "crypto/smime_sign.h"

#include <algorithm>
#include <array>
#include <functional>
#include <optional>
#include <utility>

#include "crypto/base64.h"
#include "crypto/cms_signed_data.h"
#include "crypto/wolf.h"

namespace sealgate {
namespace {

// The content's OCTET STRING comes in segments of this size, whatever the network's pieces were, so
// that the same message gives the same bytes.
constexpr std::size_t segment_bytes = 4096;
constexpr std::size_t opaque_block_bytes = 8192;

Result<std::string> random_boundary() {
    std::array<std::uint8_t, 16> random;
    TRY(fill_random(random.data(), random.size()));
    // "=_" stands neither in quoted-printable nor in base64: RFC 2045 §6.7.
    std::string boundary = "=_sealgate_";
    for (const std::uint8_t byte : random) {
        boundary += "0123456789abcdef"[byte >> 4];
        boundary += "0123456789abcdef"[byte & 15];
    }
    return boundary;
}

// --- on a worker: everything after the content's digest ------------------------------------------

struct Signed {
    Bytes attributes;
    Bytes signature;
};

Result<Signed> sign_digest(const SignerInfoPlan& plan, const DigestValue& content_digest) {
    Signed made;
    made.attributes = signed_attributes(plan, content_digest);
    made.signature = TRY(sign_with(plan.identity->key, plan.algorithm, made.attributes));
    return made;
}

Result<ChunkList> detached_tail(const SignerInfoPlan& plan, const DigestValue& content_digest,
                                std::string_view boundary) {
    const Signed made = TRY(sign_digest(plan, content_digest));
    const Bytes cms = detached_signed_data(plan, made.attributes, made.signature);
    // The CRLF before a boundary is the boundary's, not the content's: RFC 2046 §5.1.1.
    std::string head = "\r\n--";
    head.append(boundary);
    head +=
        "\r\nContent-Type: application/pkcs7-signature; name=\"smime.p7s\"\r\n"
        "Content-Transfer-Encoding: base64\r\n"
        "Content-Disposition: attachment; filename=\"smime.p7s\"\r\n\r\n";
    ChunkBuilder out(head.size() + base64_lines_bytes(cms.size()) + boundary.size() + 16);
    out.append(as_bytes(head));
    Base64Lines base64;
    base64.encode(cms, out);
    base64.finish(out);
    out.append(as_bytes("\r\n--"));
    out.append(as_bytes(boundary));
    out.append(as_bytes("--\r\n"));
    return out.take();
}

Result<ChunkList> opaque_tail(const SignerInfoPlan& plan, const DigestValue& content_digest,
                              Base64Lines base64) {
    const Signed made = TRY(sign_digest(plan, content_digest));
    const Bytes cms = opaque_closing(plan, made.attributes, made.signature);
    ChunkBuilder out(base64_lines_bytes(cms.size()) + 160);
    base64.encode(cms, out);
    base64.finish(out);
    return out.take();
}

// --- on the loop
// -----------------------------------------------------------------------------------

// What both kinds share: the head comes before the first byte, every byte is hashed, and what the
// worker made comes after the last.
class SignStage : public Sink {
public:
    SignStage(SignPlan plan, WorkerPool& workers, Sink& below, Source& above)
        : below_(below), plan_(std::move(plan)), workers_(workers), above_(above) {}

    Result<Flow> write(Chunk chunk) final {
        if (!digest_) TRY(begin());
        digest_->update(chunk.bytes());
        return write_content(std::move(chunk));
    }

    Result<Flow> finish() final {
        if (!digest_) TRY(begin());
        const Flow flow = TRY(end_content());
        ticket_ = workers_.submit(
            tail_work(digest_->finish()),
            [this](Result<ChunkList> tail) { on_tail(std::move(tail)); },
            WorkerPool::Length::brief);
        return flow;
    }

protected:
    using TailWork = std::function<Result<ChunkList>()>;

    virtual Result<void> write_head() = 0;
    virtual Result<Flow> write_content(Chunk chunk) = 0;
    virtual Result<Flow> end_content() = 0;
    virtual TailWork tail_work(DigestValue content_digest) = 0;

    Sink& below_;
    SignPlan plan_;
    SignerInfoPlan signer_;

private:
    Result<void> begin() {
        if (!plan_.identity) return internal("nothing to sign with");
        signer_.identity = plan_.identity;
        signer_.algorithm =
            TRY(signature_algorithm_for(plan_.identity->key.kind, plan_.scheme, plan_.digest));
        signer_.include_chain = plan_.include_chain;
        signer_.signing_time = plan_.signing_time;
        TRY(init_wolfssl());
        TRY(write_head());
        digest_.emplace(signer_.algorithm.digest);
        return {};
    }

    void on_tail(Result<ChunkList> tail) {
        Source& above = above_;  // the owner may take this stage down from below
        Result<Flow> done = write_tail(std::move(tail));
        if (!done) above.on_failed(done.error());
    }

    Result<Flow> write_tail(Result<ChunkList> tail) {
        if (!tail) return tl::unexpected(tail.error());
        TRY(below_.write_all(*std::move(tail)));
        return below_.finish();
    }

    WorkerPool& workers_;
    Source& above_;
    std::optional<Digest> digest_;
    WorkerPool::Ticket ticket_;
};

class DetachedStage final : public SignStage {
public:
    using SignStage::SignStage;

private:
    Result<void> write_head() override {
        if (plan_.boundary.empty()) plan_.boundary = TRY(random_boundary());
        std::string head =
            "MIME-Version: 1.0\r\n"
            "Content-Type: multipart/signed; protocol=\"application/pkcs7-signature\"; micalg=";
        head += micalg(signer_.algorithm.digest);
        head += ";\r\n boundary=\"";
        head += plan_.boundary;
        head += "\"\r\n\r\nThis is an S/MIME signed message\r\n\r\n--";
        head += plan_.boundary;
        head += "\r\n";
        TRY(below_.write(Chunk::copy_of(head)));
        return {};
    }

    Result<Flow> write_content(Chunk chunk) override { return below_.write(std::move(chunk)); }
    Result<Flow> end_content() override { return Flow::open; }

    TailWork tail_work(DigestValue content_digest) override {
        return [signer = signer_, content_digest, boundary = plan_.boundary] {
            return detached_tail(signer, content_digest, boundary);
        };
    }
};

class OpaqueStage final : public SignStage {
public:
    using SignStage::SignStage;

private:
    Result<void> write_head() override {
        TRY(below_.write(Chunk::literal(
            "MIME-Version: 1.0\r\n"
            "Content-Type: application/pkcs7-mime; smime-type=signed-data; name=\"smime.p7m\"\r\n"
            "Content-Transfer-Encoding: base64\r\n"
            "Content-Disposition: attachment; filename=\"smime.p7m\"\r\n\r\n")));
        base64_.encode(opaque_opening(signer_), text_);
        return {};
    }

    Result<Flow> write_content(Chunk chunk) override {
        ByteSpan bytes = chunk.bytes();
        while (!bytes.empty()) {
            if (segment_.empty() && bytes.size() >= segment_bytes) {
                put_segment(bytes.first(segment_bytes));
                bytes = bytes.subspan(segment_bytes);
                continue;
            }
            const ByteSpan part =
                bytes.first(std::min(bytes.size(), segment_bytes - segment_.size()));
            segment_.insert(segment_.end(), part.begin(), part.end());
            bytes = bytes.subspan(part.size());
            if (segment_.size() == segment_bytes) put_pending_segment();
        }
        return below_.write_all(text_.take());
    }

    Result<Flow> end_content() override {
        if (!segment_.empty()) put_pending_segment();
        return below_.write_all(text_.take());
    }

    TailWork tail_work(DigestValue content_digest) override {
        return [signer = signer_, content_digest, base64 = base64_] {
            return opaque_tail(signer, content_digest, base64);
        };
    }

    void put_pending_segment() {
        put_segment(segment_);
        segment_.clear();
    }

    void put_segment(ByteSpan segment) {
        BerWriter header;
        header.header(ber::octet_string, segment.size());
        base64_.encode(header.bytes(), text_);
        base64_.encode(segment, text_);
    }

    Base64Lines base64_;
    ChunkBuilder text_{opaque_block_bytes};
    Bytes segment_;  // what has not filled one yet
};

}  // namespace

Reason may_sign_for(const Identity* identity, std::string_view sender_address, bool check_sender,
                    std::int64_t wall_seconds) {
    if (!identity || !identity->leaf) return Reason::no_certificate;
    const Certificate& leaf = *identity->leaf;
    if (const Reason usage = leaf.may_sign(); usage != Reason::ok) return usage;
    if (const Reason time = leaf.valid_at(wall_seconds); time != Reason::ok) return time;
    if (check_sender && (sender_address.empty() || !leaf.covers(sender_address)))
        return Reason::sender_mismatch;
    return Reason::ok;
}

std::unique_ptr<Sink> make_sign_stage(SignPlan plan, WorkerPool& workers, Sink& below,
                                      Source& above) {
    if (plan.sign_mode == SendingProfileOptions::SignMode::opaque)
        return std::make_unique<OpaqueStage>(std::move(plan), workers, below, above);
    return std::make_unique<DetachedStage>(std::move(plan), workers, below, above);
}

}  // namespace sealgate
