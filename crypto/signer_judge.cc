// SPDX-License-Identifier: GPL-3.0-or-later
#include "crypto/signer_judge.h"

#include <algorithm>
#include <iterator>
#include <optional>
#include <utility>

#include "crypto/ber_writer.h"
#include "crypto/oid.h"
#include "crypto/signature_check.h"
#include "crypto/signer_info.h"

namespace sealgate {
namespace {

// Certificates that one SignerInfo may mean: several have one key identifier when a key was
// certified again. Each costs a public-key operation.
constexpr std::size_t candidates_max = 4;

struct Finding {
    Reason reason = Reason::ok;
    std::string why{};
};

Reason reason_of(const Error& error) {
    return error.kind == ErrorKind::unsupported ? Reason::unsupported_algorithm : Reason::malformed;
}

// Moves `bytes` behind the header of an element, which need not be all there.
bool skip_header(ByteSpan& bytes, std::uint8_t tag) {
    if (bytes.size() < 2 || bytes[0] != tag || bytes[1] == 0x80) return false;
    const std::size_t length_octets = bytes[1] < 0x80 ? 0 : bytes[1] & 0x7f;
    if (bytes.size() < 2 + length_octets) return false;
    bytes = bytes.subspan(2 + length_octets);
    return true;
}

// A signature over signed attributes is over their encoding, so it is also one over a content of
// just these octets, without attributes: whoever has a signed message could pass its attributes off
// as a signed content. No MIME entity begins like that (the third field is a control character).
bool looks_like_attributes(ByteSpan content_begin) {
    return skip_header(content_begin, ber::set) && skip_header(content_begin, ber::sequence) &&
           !content_begin.empty() && content_begin[0] == ber::object_identifier;
}

// RFC 6211 §3: absent parameters and NULL are the same.
bool is_same_algorithm(ByteSpan a, ByteSpan b) {
    const auto without_null = [](ByteSpan contents) {
        constexpr std::uint8_t null[] = {ber::null, 0};
        const bool has_null =
            contents.size() > sizeof null && std::ranges::equal(contents.last(sizeof null), null);
        return has_null ? contents.first(contents.size() - sizeof null) : contents;
    };
    return std::ranges::equal(without_null(a), without_null(b));
}

ByteSpan contents_of(ByteSpan sequence) {
    return skip_header(sequence, ber::sequence) ? sequence : ByteSpan{};
}

// All SignerInfos of one message.
class Judge {
public:
    Judge(const SignedDataParts& parts, const JudgeRules& rules,
          const std::vector<CertificatePtr>& known)
        : parts_(parts), rules_(rules), known_(known) {
        for (const Bytes& der : parts.certificates) {
            auto certificate = Certificate::parse(der);
            if (certificate)
                certificates_.push_back(*std::move(certificate));
            else
                unread_.push_back({der, certificate.error()});
        }
    }

    JudgedSigner judge(ByteSpan signer_info) const;

private:
    struct Unread {
        ByteSpan der;
        Error error;
    };

    std::vector<CertificatePtr> candidates(const SignerIdentifier& identifier) const;
    Finding no_candidate(const SignerIdentifier& identifier) const;
    TrustVerdict path_of(const CertificatePtr& leaf, TrustPurpose purpose) const;
    Reason by_itself(const Certificate& certificate, Reason use, const TrustVerdict& path) const;
    void judge_path(JudgedSigner& signer) const;
    void judge_encryption(const SignerIdentifier& named, JudgedSigner& signer) const;

    const SignedDataParts& parts_;
    const JudgeRules& rules_;
    const std::vector<CertificatePtr>& known_;
    std::vector<CertificatePtr> certificates_;
    std::vector<Unread> unread_;
};

// One SignerInfo's signature.
class SignatureJudge {
public:
    SignatureJudge(const SignedDataParts& parts, const SignerInfo& info,
                   const Result<SignedAttributes>& attributes, Weakness weakness)
        : parts_(parts), info_(info), attributes_(attributes), weakness_(weakness) {}

    // What does not depend on whose it is.
    Finding judge_content() const;
    Finding judge_key(const Certificate& signer) const;

private:
    bool has_attributes() const { return !info_.attributes.empty(); }
    Finding judge_attributes(const ReadDigestValue& content_digest) const;
    SignatureVerdict check(const Certificate& signer, ReadDigest digest) const;
    Finding judge_certificate_hashes(const Certificate& signer) const;
    const ReadDigestValue* content_digest(ReadDigest digest) const;

    const SignedDataParts& parts_;
    const SignerInfo& info_;
    const Result<SignedAttributes>& attributes_;
    const Weakness weakness_;
};

const ReadDigestValue* SignatureJudge::content_digest(ReadDigest digest) const {
    const auto value = std::ranges::find_if(
        parts_.digests, [&](const ReadDigestValue& one) { return one.algorithm() == digest; });
    return value == parts_.digests.end() ? nullptr : &*value;
}

Finding SignatureJudge::judge_content() const {
    if (!parts_.has_content) return {Reason::malformed, "there is no content that was signed"};
    // RFC 8551 §2.4.1: what S/MIME signs is a MIME entity, id-data. A signed receipt or time stamp
    // shall not pass for one.
    if (!std::ranges::equal(parts_.content_type, oid::data))
        return {Reason::malformed, "what was signed is not called data"};
    if (!info_.digest.digest)
        return {Reason::unsupported_algorithm, "a digest that is not known: " + info_.digest.name};
    if (!is_computed(*info_.digest.digest))
        return {Reason::weak_digest, std::string("signed with ") + to_text(*info_.digest.digest)};
    const ReadDigestValue* digest = content_digest(*info_.digest.digest);
    if (digest == nullptr)
        return {Reason::unsupported_algorithm, "signed with " + info_.digest.name +
                                                   ", which micalg or the digest algorithms did "
                                                   "not announce"};
    if (const auto checked = check_unsigned_attributes(info_.unsigned_attributes); !checked)
        return {reason_of(checked.error()), checked.error().what};
    if (has_attributes()) return judge_attributes(*digest);
    if (looks_like_attributes(parts_.content_begin))
        return {Reason::bad_signature, "the content is another message's signed attributes"};
    return {};
}

Finding SignatureJudge::judge_attributes(const ReadDigestValue& content_digest) const {
    if (!attributes_) return {reason_of(attributes_.error()), attributes_.error().what};
    if (!std::ranges::equal(attributes_->content_type, parts_.content_type))
        return {Reason::malformed, "the signed content type is another"};
    if (!std::ranges::equal(attributes_->message_digest, content_digest.bytes()))
        return {Reason::bad_digest, "the content is not what was signed"};
    if (const auto& meant = attributes_->protection) {
        if (!is_same_algorithm(meant->digest, contents_of(info_.digest_der)) ||
            !is_same_algorithm(meant->signature, contents_of(info_.algorithm_der)))
            return {Reason::bad_signature, "the algorithms are not those that were signed"};
    }
    return {};
}

Finding SignatureJudge::judge_key(const Certificate& signer) const {
    // RFC 8933 §3.1 wants one digest for both; signers that name two are read.
    const ReadDigest digest = info_.algorithm.digest.value_or(*info_.digest.digest);
    if (!is_computed(digest))
        return {Reason::weak_digest, std::string("signed with ") + to_text(digest)};
    if (const SignatureVerdict verdict = check(signer, digest); verdict.reason != Reason::ok)
        return {verdict.reason, verdict.why};
    if (has_attributes()) {
        if (Finding finding = judge_certificate_hashes(signer); finding.reason != Reason::ok)
            return finding;
    }
    for (const ReadDigest used : {*info_.digest.digest, digest}) {
        if (const Reason weak = weakness_of(used, weakness_); weak != Reason::ok)
            return {weak, std::string("signed with ") + to_text(used)};
    }
    if (const Reason weak = weakness_of(signer, weakness_); weak != Reason::ok)
        return {weak, "the key has " + std::to_string(signer.key_bits()) + " bits"};
    return {};
}

SignatureVerdict SignatureJudge::check(const Certificate& signer, ReadDigest digest) const {
    if (!has_attributes()) {
        const ReadDigestValue* value = content_digest(digest);
        if (value == nullptr)
            return {Reason::unsupported_algorithm,
                    "the signature names another digest than the SignerInfo"};
        return check_signature(signer, info_.algorithm, {*value, std::nullopt}, info_.signature);
    }
    const auto check_over = [&](const Bytes& octets) {
        return check_signature(signer, info_.algorithm,
                               {digest_of(digest, octets), ByteSpan(octets)}, info_.signature);
    };
    const Bytes received = attributes_as_received(info_.attributes);
    const SignatureVerdict verdict = check_over(received);
    if (verdict.reason != Reason::bad_signature) return verdict;
    const Bytes sorted = attributes_in_order(info_.attributes);
    return sorted == received ? verdict : check_over(sorted);
}

Finding SignatureJudge::judge_certificate_hashes(const Certificate& signer) const {
    for (const auto& [digest, hash] : attributes_->certificate_hashes) {
        if (!digest || !is_computed(*digest))
            return {Reason::unsupported_algorithm,
                    "a signing certificate named by a digest that is not known"};
        if (!std::ranges::equal(digest_of(*digest, signer.der()).bytes(), hash))
            return {Reason::bad_signature, "signed for another certificate of the same name"};
    }
    return {};
}

std::vector<CertificatePtr> Judge::candidates(const SignerIdentifier& identifier) const {
    std::vector<CertificatePtr> found;
    for (const auto* pool : {&certificates_, &known_}) {
        for (const CertificatePtr& certificate : *pool) {
            if (found.size() == candidates_max) return found;
            if (identifier.names(*certificate)) found.push_back(certificate);
        }
        if (!found.empty()) return found;
    }
    return found;
}

Finding Judge::no_candidate(const SignerIdentifier& identifier) const {
    for (const Unread& unread : unread_) {
        if (identifier.names_unread(unread.der))
            return {reason_of(unread.error), unread.error.what};
    }
    return {Reason::no_certificate, "the certificate did not come along and is not known"};
}

TrustVerdict Judge::path_of(const CertificatePtr& leaf, TrustPurpose purpose) const {
    if (!rules_.anchors) return {Reason::untrusted, "no authority is trusted"};
    // Without the leaf, which came along, too: trying it as an issuer costs a quarter of all.
    std::vector<CertificatePtr> others;
    std::ranges::remove_copy(certificates_, std::back_inserter(others), leaf);
    return rules_.anchors->judge(leaf, others, rules_.wall_seconds, purpose,
                                 {.allow_weak = rules_.allow_weak});
}

// Of a weak key that is allowed Certificate says only that it is weak; what the search for a path
// said of its use stands in for it.
Reason Judge::by_itself(const Certificate& certificate, Reason use,
                        const TrustVerdict& path) const {
    if (use == Reason::weak_key && rules_.allow_weak)
        use = path.reason == Reason::bad_key_usage || path.reason == Reason::weak_key ? path.reason
                                                                                      : Reason::ok;
    return use != Reason::ok ? use : certificate.valid_at(rules_.wall_seconds);
}

void Judge::judge_path(JudgedSigner& signer) const {
    const CertificatePtr& leaf = signer.report.certificate;
    TrustVerdict verdict = path_of(leaf, TrustPurpose::smime_signing);
    signer.by_itself = by_itself(*leaf, leaf->may_sign(), verdict);
    signer.report.chain = verdict.reason;
    signer.report.why = std::move(verdict.why);
    signer.path = std::move(verdict.path);
}

// The certificate that encrypKeyPref names, where it is another and came along. Anybody can put
// another of that name beside it, so one that is trusted goes before one that is not.
void Judge::judge_encryption(const SignerIdentifier& named, JudgedSigner& signer) const {
    if (named.names(*signer.report.certificate)) return;
    std::size_t tried = 0;
    for (const CertificatePtr& certificate : certificates_) {
        if (!named.names(*certificate)) continue;
        if (tried++ == candidates_max) return;
        TrustVerdict verdict = path_of(certificate, TrustPurpose::smime_encryption);
        if (signer.report.encryption_certificate && verdict.reason != Reason::ok) continue;
        signer.report.encryption_certificate = certificate;
        signer.report.encryption_chain = verdict.reason;
        signer.encryption_by_itself = by_itself(*certificate, certificate->may_encrypt(), verdict);
        signer.encryption_path = std::move(verdict.path);
        if (verdict.reason == Reason::ok) return;
    }
}

JudgedSigner Judge::judge(ByteSpan signer_info) const {
    JudgedSigner signer;
    SignerReport& report = signer.report;
    const auto fail = [&](Finding finding) {
        report.signature = report.chain = finding.reason;
        report.why = std::move(finding.why);
        if (!report.certificate) report.identity = finding.reason;
        return signer;
    };

    const auto info = parse_signer_info(signer_info);
    if (!info) return fail({reason_of(info.error()), info.error().what});
    report.digest = info->digest.name;
    report.scheme = info->algorithm.name;
    Result<SignedAttributes> attributes = SignedAttributes{};
    if (!info->attributes.empty()) attributes = parse_signed_attributes(info->attributes);
    if (attributes) {
        report.signing_time = attributes->signing_time;
        report.capabilities = attributes->capabilities;
    }

    const std::vector<CertificatePtr> possible = candidates(info->signer);
    if (possible.empty()) {
        report.identifier = info->signer.to_text();
        return fail(no_candidate(info->signer));
    }
    report.certificate = possible.front();
    const SignatureJudge signature(parts_, *info, attributes,
                                   rules_.allow_weak ? Weakness::allow : Weakness::refuse);
    if (Finding finding = signature.judge_content(); finding.reason != Reason::ok)
        return fail(std::move(finding));

    // The first whose key it is; of these the first that is trusted.
    std::optional<Finding> first_failure;
    for (const CertificatePtr& certificate : possible) {
        Finding finding = signature.judge_key(*certificate);
        if (finding.reason != Reason::ok) {
            if (!first_failure) first_failure = std::move(finding);
            continue;
        }
        JudgedSigner tried = signer;
        tried.report.signature = Reason::ok;
        tried.report.certificate = certificate;
        judge_path(tried);
        const bool is_trusted = tried.report.chain == Reason::ok;
        if (report.signature != Reason::ok || is_trusted) signer = std::move(tried);
        if (is_trusted) break;
    }
    if (report.signature != Reason::ok) return fail(*std::move(first_failure));
    if (attributes->encryption_certificate)
        judge_encryption(*attributes->encryption_certificate, signer);
    return signer;
}

}  // namespace

std::vector<JudgedSigner> judge_signers(const SignedDataParts& parts, const JudgeRules& rules,
                                        const std::vector<CertificatePtr>& known) {
    const Judge judge(parts, rules, known);
    std::vector<JudgedSigner> signers;
    signers.reserve(parts.signer_infos.size());
    for (const Bytes& signer_info : parts.signer_infos) signers.push_back(judge.judge(signer_info));
    return signers;
}

}  // namespace sealgate
