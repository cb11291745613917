// SPDX-License-Identifier: GPL-3.0-or-later
// The verifying stage: a SignedData as it is read, a report of its signers out.
//
// It hears of the SignedData from a CmsReader, hashes the content while it streams, and keeps what
// is to be judged behind it, which the reader bounds. Two uses: of an opaque message the content
// goes on to `below`, unchanged, in the chunks it came in; of a detached one the content is given
// by hash() before the SignedData is read, and what lies in there as well must be the same. Behind
// the end one job on the worker pool judges all SignerInfos (crypto/signer_judge.h); back on the
// loop come manually trusted keys, revocation, and whom each certificate covers.
//
// It says what is true of the signature and decides nothing: a bad one is no error, and content has
// long gone down. An error is what makes the SignedData unreadable; then no report comes. A report
// may come before CmsReader::finish() has said that there is nothing behind the SignedData.
// spec/smime.md, "Incoming" 4. Loop thread.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/stage.h"
#include "core/workers.h"
#include "crypto/cms_reader.h"
#include "crypto/known_keys.h"
#include "crypto/read_digest.h"
#include "crypto/revocation.h"
#include "crypto/signer_judge.h"
#include "crypto/smime_report.h"
#include "crypto/trust_path.h"

namespace sealgate {

struct VerifyContext {
    std::shared_ptr<const TrustAnchors> anchors;  // null: nobody is trusted but manual keys
    std::shared_ptr<Revocation> revocation;       // null: nobody is asked
    std::int64_t wall_seconds = 0;                // now
    bool allow_weak = false;                      // SHA-1 and RSA from 1024 bits count
    // Who must be covered. Empty: there is no single sender, and nobody covers it. Nothing:
    // identity is not asked, and is ok.
    std::optional<std::string> sender;
    // Whose known certificates are looked at where a signer sends none; empty: the sender's.
    std::string correspondent{};
    const KnownKeys* known = nullptr;  // null: none
};

class VerifyStage final : public CmsHandler {
public:
    class Owner {
    public:
        // Once, never from inside one of the stage's calls. The stage may be destroyed in it.
        virtual void on_verify_end(LayerReport report) = 0;

    protected:
        ~Owner() = default;
    };

    // Opaque: below.finish() is called at the content's end, and of an absent content, too.
    VerifyStage(VerifyContext context, WorkerPool& workers, Owner& owner, Sink& below);
    // Detached, with the digests to compute (digests_for_micalg()).
    VerifyStage(VerifyContext context, WorkerPool& workers, Owner& owner,
                const std::vector<ReadDigest>& digests);
    ~VerifyStage() override;
    VerifyStage(const VerifyStage&) = delete;
    VerifyStage& operator=(const VerifyStage&) = delete;

    // Of a detached signature: the next octets of what was signed, all of them before the CMS.
    void hash(ByteSpan content);

    Result<void> on_digest_algorithm(ByteSpan der) override;
    Result<void> on_recipient_info(ByteSpan der) override;
    Result<void> on_content_type(ByteSpan oid, ByteSpan algorithm) override;
    Result<Flow> on_content(Chunk piece) override;
    Result<void> on_content_end(bool has_content) override;
    Result<void> on_certificate(ByteSpan der) override;
    Result<void> on_crl(ByteSpan der) override;
    Result<void> on_signer_info(ByteSpan der) override;
    Result<void> on_authenticated_attributes(ByteSpan der) override;
    Result<void> on_mac(ByteSpan octets) override;
    Result<void> on_end() override;

private:
    struct Judged {
        SignedDataParts parts;  // back again, for a second round
        std::vector<JudgedSigner> signers;
    };

    void add_digest(ReadDigest digest);
    bool is_content(const ReadDigestValue& inside) const;
    void submit(std::vector<CertificatePtr> known);
    void on_judged(Judged judged);
    bool ask_for_known(Judged& judged);
    void trust_manual(JudgedSigner& signer) const;
    void judge_identity(SignerReport& report) const;
    void ask_revocation();
    void on_revocation(std::size_t place, Reason reason, std::string why);
    void on_encryption_revocation(std::size_t place, Reason reason);
    void finish();

    VerifyContext context_;
    WorkerPool& workers_;
    Owner& owner_;
    Sink* const below_;  // null: detached

    std::vector<RunningDigest> digests_;
    std::optional<RunningDigest> inside_;  // detached: of the content that came along
    SignedDataParts parts_;
    std::vector<Bytes> crls_;

    bool asked_for_known_ = false;
    std::vector<JudgedSigner> signers_;
    WorkerPool::Ticket job_;
    std::vector<Revocation::Ticket> questions_;
    std::size_t open_questions_ = 0;
};

}  // namespace sealgate
