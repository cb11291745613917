// SPDX-License-Identifier: GPL-3.0-or-later
#include "crypto/smime_verify.h"

#include <algorithm>
#include <utility>

#include "core/metrics.h"
#include "crypto/signature_algorithm.h"

namespace sealgate {
namespace {

Bytes copy_of(ByteSpan bytes) { return Bytes(bytes.begin(), bytes.end()); }

tl::unexpected<Error> not_signed_data() { return internal("not heard of in a SignedData"); }

struct Outcome {
    Reason reason = Reason::ok;
    std::string why{};
};

// spec/smime.md: "All SignerInfos must verify; at least one must cover From."
Outcome outcome_of(const std::vector<JudgedSigner>& signers) {
    if (signers.empty()) return {Reason::no_signer, "nobody has signed it"};
    for (const JudgedSigner& signer : signers) {
        const SignerReport& report = signer.report;
        if (report.signature != Reason::ok) return {report.signature, report.why};
        if (report.chain != Reason::ok) return {report.chain, report.why};
    }
    const auto covers = [](const JudgedSigner& signer) {
        return signer.report.identity == Reason::ok;
    };
    if (std::any_of(signers.begin(), signers.end(), covers)) return {};
    return {signers.front().report.identity, signers.front().report.why};
}

}  // namespace

VerifyStage::VerifyStage(VerifyContext context, WorkerPool& workers, Owner& owner, Sink& below)
    : context_(std::move(context)), workers_(workers), owner_(owner), below_(&below) {}

VerifyStage::VerifyStage(VerifyContext context, WorkerPool& workers, Owner& owner,
                         const std::vector<ReadDigest>& digests)
    : context_(std::move(context)), workers_(workers), owner_(owner), below_(nullptr) {
    for (const ReadDigest digest : digests) add_digest(digest);
    parts_.has_content = true;
}

VerifyStage::~VerifyStage() = default;

// --- while it is read
// ------------------------------------------------------------------------------

void VerifyStage::add_digest(ReadDigest digest) {
    const auto is_this = [&](const RunningDigest& one) { return one.algorithm() == digest; };
    if (is_computed(digest) && std::none_of(digests_.begin(), digests_.end(), is_this))
        digests_.emplace_back(digest);
}

void VerifyStage::hash(ByteSpan content) {
    if (const std::size_t have = parts_.content_begin.size(); have < signed_content_begin_bytes) {
        const ByteSpan more =
            content.first(std::min(content.size(), signed_content_begin_bytes - have));
        parts_.content_begin.insert(parts_.content_begin.end(), more.begin(), more.end());
    }
    for (RunningDigest& digest : digests_) digest.update(content);
}

// digests_for_micalg() always has SHA-256; without it nothing is said to be the same.
bool VerifyStage::is_content(const ReadDigestValue& inside) const {
    return std::ranges::any_of(parts_.digests, [&](const ReadDigestValue& one) {
        return one.algorithm() == inside.algorithm() &&
               std::ranges::equal(one.bytes(), inside.bytes());
    });
}

// Of a detached signature it comes too late.
Result<void> VerifyStage::on_digest_algorithm(ByteSpan der) {
    const ReadDigestAlgorithm algorithm = TRY(parse_digest_algorithm(der));
    if (below_ != nullptr && algorithm.digest) add_digest(*algorithm.digest);
    return {};
}

Result<void> VerifyStage::on_recipient_info(ByteSpan) { return not_signed_data(); }

Result<void> VerifyStage::on_content_type(ByteSpan oid, ByteSpan) {
    parts_.content_type = copy_of(oid);
    return {};
}

// Of two contents only one would be shown, so they must be the same octets: OpenSSL 3.0 keeps the
// content in detached signatures that it streams as DER. An empty one shows nothing.
Result<Flow> VerifyStage::on_content(Chunk piece) {
    if (below_ == nullptr) {
        if (piece.empty()) return Flow::open;
        if (!inside_) inside_.emplace(ReadDigest::sha256);
        inside_->update(piece.bytes());
        return Flow::open;
    }
    hash(piece.bytes());
    return below_->write(std::move(piece));
}

Result<void> VerifyStage::on_content_end(bool has_content) {
    if (below_ == nullptr) return {};
    parts_.has_content = has_content;
    TRY(below_->finish());
    return {};
}

// How many and how large they are the reader has bounded.
Result<void> VerifyStage::on_certificate(ByteSpan der) {
    const auto is_this = [&](const Bytes& one) { return std::ranges::equal(one, der); };
    if (std::none_of(parts_.certificates.begin(), parts_.certificates.end(), is_this))
        parts_.certificates.push_back(copy_of(der));
    return {};
}

Result<void> VerifyStage::on_crl(ByteSpan der) {
    if (context_.revocation) crls_.push_back(copy_of(der));
    return {};
}

Result<void> VerifyStage::on_signer_info(ByteSpan der) {
    parts_.signer_infos.push_back(copy_of(der));
    return {};
}

Result<void> VerifyStage::on_authenticated_attributes(ByteSpan) { return not_signed_data(); }
Result<void> VerifyStage::on_mac(ByteSpan) { return not_signed_data(); }

Result<void> VerifyStage::on_end() {
    for (RunningDigest& digest : digests_) parts_.digests.push_back(digest.finish());
    digests_.clear();
    if (inside_ && !is_content(inside_->finish()))
        return malformed("a detached signature that has another content, too");
    Metrics::instance().add(Counter::signatures_verified, parts_.signer_infos.size());
    submit({});
    return {};
}

// --- behind the end
// --------------------------------------------------------------------------------

void VerifyStage::submit(std::vector<CertificatePtr> known) {
    JudgeRules rules{context_.anchors, context_.wall_seconds, context_.allow_weak};
    job_ = workers_.submit(
        [parts = std::move(parts_), rules = std::move(rules), known = std::move(known)]() mutable {
            Judged judged;
            judged.signers = judge_signers(parts, rules, known);
            judged.parts = std::move(parts);
            return judged;
        },
        [this](Judged judged) { on_judged(std::move(judged)); }, WorkerPool::Length::brief);
}

void VerifyStage::on_judged(Judged judged) {
    if (ask_for_known(judged)) return;
    signers_ = std::move(judged.signers);
    for (JudgedSigner& signer : signers_) {
        trust_manual(signer);
        judge_identity(signer.report);
    }
    ask_revocation();
}

// A signer's certificate that did not come along may be known here: then all is judged once more.
// Asked only then, for it costs the loop as much as the parsing of a few certificates.
bool VerifyStage::ask_for_known(Judged& judged) {
    const auto lacks_certificate = [](const JudgedSigner& signer) {
        return signer.report.signature == Reason::no_certificate;
    };
    const std::string& whose =
        context_.correspondent.empty() ? context_.sender.value_or("") : context_.correspondent;
    if (context_.known == nullptr || whose.empty() || std::exchange(asked_for_known_, true) ||
        std::none_of(judged.signers.begin(), judged.signers.end(), lacks_certificate))
        return false;
    std::vector<CertificatePtr> known = context_.known->certificates_of(whose);
    if (known.empty()) return false;
    parts_ = std::move(judged.parts);
    submit(std::move(known));
    return true;
}

// What an operator put in by hand needs no path; all else is asked of it as well.
void VerifyStage::trust_manual(JudgedSigner& signer) const {
    SignerReport& report = signer.report;
    if (context_.known == nullptr || report.signature != Reason::ok) return;
    if (report.chain != Reason::ok && signer.by_itself == Reason::ok &&
        context_.known->is_manual(*report.certificate)) {
        report.chain = Reason::ok;
        report.why.clear();
    }
    if (report.encryption_certificate && report.encryption_chain != Reason::ok &&
        signer.encryption_by_itself == Reason::ok &&
        context_.known->is_manual(*report.encryption_certificate))
        report.encryption_chain = Reason::ok;
}

void VerifyStage::judge_identity(SignerReport& report) const {
    if (!report.certificate) return;  // it says what is missing
    const bool covers = !context_.sender ||
                        (!context_.sender->empty() && report.certificate->covers(*context_.sender));
    report.identity = covers ? Reason::ok : Reason::sender_mismatch;
    if (!covers && report.why.empty())
        report.why = context_.sender->empty() ? "there is no single sender to cover"
                                              : "the certificate does not cover the sender";
}

// Of paths alone: a certificate that nobody vouches for would have us fetch what it likes.
void VerifyStage::ask_revocation() {
    const auto ask = [&](std::vector<CertificatePtr> path, Revocation::Done done) {
        if (path.empty()) return;
        ++open_questions_;
        questions_.push_back(context_.revocation->check(std::move(path), crls_,
                                                        context_.wall_seconds, std::move(done)));
    };
    if (context_.revocation) {
        for (std::size_t i = 0; i < signers_.size(); ++i) {
            ask(signers_[i].path, [this, i](Reason reason, std::string why) {
                on_revocation(i, reason, std::move(why));
            });
            ask(signers_[i].encryption_path,
                [this, i](Reason reason, std::string) { on_encryption_revocation(i, reason); });
        }
    }
    if (open_questions_ == 0) finish();
}

void VerifyStage::on_revocation(std::size_t place, Reason reason, std::string why) {
    SignerReport& report = signers_[place].report;
    // By hand: "revoked" counts all the same; that nobody answers does not.
    const bool is_waived = reason == Reason::revocation_unknown && context_.known != nullptr &&
                           signers_[place].by_itself == Reason::ok &&
                           context_.known->is_manual(*report.certificate);
    if (reason != Reason::ok && !is_waived) {
        report.chain = reason;
        report.why = std::move(why);
    }
    if (--open_questions_ == 0) finish();
}

void VerifyStage::on_encryption_revocation(std::size_t place, Reason reason) {
    if (reason != Reason::ok) signers_[place].report.encryption_chain = reason;
    if (--open_questions_ == 0) finish();
}

void VerifyStage::finish() {
    LayerReport report;
    report.type = LayerReport::Type::signed_;
    report.content_type = to_text(CmsType::signed_data);
    report.detached = below_ == nullptr;
    Outcome outcome = outcome_of(signers_);
    report.reason = outcome.reason;
    report.why = std::move(outcome.why);
    for (JudgedSigner& signer : signers_) report.signers.push_back(std::move(signer.report));
    owner_.on_verify_end(std::move(report));  // the last: it may destroy this stage
}

}  // namespace sealgate
