// SPDX-License-Identifier: GPL-3.0-or-later
#include "crypto/trust_path.h"

#include <openssl/err.h>
#include <openssl/evp.h>

#include <algorithm>
#include <deque>
#include <set>

#include "core/limits.h"
#include "core/result.h"
#include "crypto/trust_path_state.h"

namespace sealgate {
namespace {

// RFC 5280 §4.2.1.12 does not say what an authority's extended key usage means; everybody takes it
// for a bound on what is below.
bool has_usage(X509* certificate, TrustPurpose purpose) {
    if ((X509_get_extension_flags(certificate) & EXFLAG_XKUSAGE) == 0) return true;
    switch (purpose) {
    case TrustPurpose::smime_encryption:
    case TrustPurpose::smime_signing:
        return (X509_get_extended_key_usage(certificate) & (XKU_SMIME | XKU_ANYEKU)) != 0;
    }
    return false;
}

Reason may_be_used(const Certificate& leaf, TrustPurpose purpose) {
    switch (purpose) {
    case TrustPurpose::smime_encryption: return leaf.may_encrypt();
    case TrustPurpose::smime_signing: return leaf.may_sign();
    }
    return Reason::bad_key_usage;
}

// The same of a weak key that is allowed here: Certificate says of it no more than "weak".
Reason may_weak_be_used(X509* leaf, TrustPurpose purpose) {
    const bool signs = purpose == TrustPurpose::smime_signing;
    const std::uint32_t wanted =
        signs ? KU_DIGITAL_SIGNATURE | KU_NON_REPUDIATION : KU_KEY_ENCIPHERMENT;
    const bool may = (X509_get_key_usage(leaf) & wanted) != 0;  // all bits where there is none
    return may && has_usage(leaf, purpose) ? Reason::ok : Reason::bad_key_usage;
}

// Bits of security, NIST SP 800-57, as libcrypto counts them.
constexpr int weak_key_bits_min = 80;        // RSA-1024
constexpr int weak_signature_bits_min = 63;  // SHA-1; MD5 has 39

// What libcrypto's levels do not express: SHA-1 is below level 1, and level 0 takes all.
Reason judge_weak(STACK_OF(X509) * path) {
    const int anchor = sk_X509_num(path) - 1;
    for (int depth = 0; depth <= anchor; ++depth) {
        X509* member = sk_X509_value(path, depth);
        const EVP_PKEY* key = X509_get0_pubkey(member);
        if (!key || EVP_PKEY_get_security_bits(key) < weak_key_bits_min) return Reason::weak_key;
        int bits = 0;
        if (depth == anchor) continue;  // nobody looks at its own signature
        if (X509_get_signature_info(member, nullptr, nullptr, &bits, nullptr) != 1 ||
            bits < weak_signature_bits_min)
            return Reason::weak_digest;
    }
    return Reason::ok;
}

Reason reason_of(int error) {
    switch (error) {
    case X509_V_ERR_CERT_NOT_YET_VALID: return Reason::not_yet_valid;
    case X509_V_ERR_CERT_HAS_EXPIRED: return Reason::expired;
    case X509_V_ERR_EE_KEY_TOO_SMALL:
    case X509_V_ERR_CA_KEY_TOO_SMALL: return Reason::weak_key;
    case X509_V_ERR_CA_MD_TOO_WEAK: return Reason::weak_digest;
    case X509_V_ERR_EC_KEY_EXPLICIT_PARAMS:
    case X509_V_ERR_UNABLE_TO_DECODE_ISSUER_PUBLIC_KEY:
    case X509_V_ERR_UNSUPPORTED_SIGNATURE_ALGORITHM: return Reason::unsupported_algorithm;
    case X509_V_ERR_ERROR_IN_CERT_NOT_BEFORE_FIELD:
    case X509_V_ERR_ERROR_IN_CERT_NOT_AFTER_FIELD: return Reason::malformed;
    default: return Reason::untrusted;
    }
}

// One judgement: the certificates decoded, and tries with some of them left out.
class PathSearch {
public:
    struct Question {
        const CertificatePtr& leaf;
        const std::vector<CertificatePtr>& others;
        std::int64_t wall_seconds;
        TrustPurpose purpose;
        JudgeOptions options;
    };
    PathSearch(const TrustAnchors::State& anchors, const Question& question, X509Ptr leaf);
    TrustVerdict run();

private:
    using Left = std::set<std::size_t>;  // out: places in others_

    TrustVerdict attempt(const Left& left);
    void configure(X509_STORE_CTX* context);
    TrustVerdict verdict_on(X509_STORE_CTX* context, bool found) const;
    TrustVerdict verdict_with(STACK_OF(X509) * path) const;
    CertificatePtr value_of(X509* member) const;
    void leave_out_twins(STACK_OF(X509) * path, const Left& left);

    const TrustAnchors::State& anchors_;
    const Question question_;
    const X509Ptr leaf_;
    std::vector<X509Ptr> others_;
    std::vector<CertificatePtr> other_values_;  // at the same places
    std::deque<Left> open_{{}};                 // to be tried
    int signatures_left_ = limits::trust_signatures_max;
};

PathSearch::PathSearch(const TrustAnchors::State& anchors, const Question& question, X509Ptr leaf)
    : anchors_(anchors), question_(question), leaf_(std::move(leaf)) {
    for (const CertificatePtr& other : question.others) {
        if (others_.size() == limits::trust_others_max) break;
        X509Ptr decoded = decode_x509(other->der());
        if (!decoded) continue;
        others_.push_back(std::move(decoded));
        other_values_.push_back(other);
    }
}

TrustVerdict PathSearch::run() {
    TrustVerdict verdict;
    for (int attempts = 0; attempts < limits::trust_attempts_max && !open_.empty(); ++attempts) {
        const Left left = std::move(open_.front());
        open_.pop_front();
        TrustVerdict next = attempt(left);
        if (next.reason == Reason::ok) return next;
        // Of all that is wrong with all paths, what is more than "leads nowhere" says more.
        if (verdict.why.empty() || verdict.reason == Reason::untrusted) verdict = std::move(next);
    }
    return verdict;
}

TrustVerdict PathSearch::attempt(const Left& left) {
    const std::unique_ptr<STACK_OF(X509), FreeX509> pool(sk_X509_new_null());
    for (std::size_t i = 0; i < others_.size(); ++i) {
        if (left.count(i) == 0) CHECK(sk_X509_push(pool.get(), others_[i].get()) > 0);
    }
    const std::unique_ptr<X509_STORE_CTX, FreeX509> context(X509_STORE_CTX_new());
    CHECK(context &&
          X509_STORE_CTX_init(context.get(), anchors_.store.get(), leaf_.get(), pool.get()) == 1);
    configure(context.get());
    const bool found = X509_verify_cert(context.get()) == 1;
    TrustVerdict verdict = verdict_on(context.get(), found);
    if (verdict.reason != Reason::ok)
        leave_out_twins(X509_STORE_CTX_get0_chain(context.get()), left);
    ERR_clear_error();
    return verdict;
}

void PathSearch::configure(X509_STORE_CTX* context) {
    X509_VERIFY_PARAM* parameters = X509_STORE_CTX_get0_param(context);
    X509_VERIFY_PARAM_set_flags(parameters, X509_V_FLAG_PARTIAL_CHAIN | X509_V_FLAG_TRUSTED_FIRST |
                                                X509_V_FLAG_POLICY_CHECK);
    // Any policy will do, where an authority of the path demands that there be one.
    X509_VERIFY_PARAM_add0_policy(parameters, OBJ_nid2obj(NID_any_policy));
    X509_VERIFY_PARAM_set_time(parameters, static_cast<time_t>(question_.wall_seconds));
    X509_VERIFY_PARAM_set_depth(parameters, limits::trust_intermediates_max);
    // 112 bits; or none, and judge_weak() behind the path.
    X509_VERIFY_PARAM_set_auth_level(parameters, question_.options.allow_weak ? 0 : 2);
    X509_STORE_CTX_set_app_data(context, &signatures_left_);
}

TrustVerdict PathSearch::verdict_on(X509_STORE_CTX* context, bool found) const {
    TrustVerdict verdict;
    if (!found) {
        const int error = X509_STORE_CTX_get_error(context);
        verdict.reason = reason_of(error);
        const int depth = X509_STORE_CTX_get_error_depth(context);
        verdict.why = X509_verify_cert_error_string(error);
        verdict.why +=
            depth == 0 ? ", of the certificate itself" : ", of its issuer " + std::to_string(depth);
        return verdict;
    }
    return verdict_with(X509_STORE_CTX_get0_chain(context));
}

TrustVerdict PathSearch::verdict_with(STACK_OF(X509) * path) const {
    const int anchor = sk_X509_num(path) - 1;
    for (int depth = 1; depth < anchor; ++depth) {
        if (!has_usage(sk_X509_value(path, depth), question_.purpose))
            return {Reason::bad_key_usage,
                    "issuer " + std::to_string(depth) + " is an authority for other purposes"};
    }
    if (question_.options.allow_weak) {
        if (const Reason weak = judge_weak(path); weak != Reason::ok)
            return {weak, "of the path; too weak even for old mail"};
    }
    TrustVerdict verdict{Reason::ok};
    verdict.path.push_back(question_.leaf);
    for (int depth = 1; depth <= anchor; ++depth)
        verdict.path.push_back(value_of(sk_X509_value(path, depth)));
    return verdict;
}

CertificatePtr PathSearch::value_of(X509* member) const {
    if (const auto anchor = anchors_.anchors.find(member); anchor != anchors_.anchors.end())
        return anchor->second.value;
    const auto other = std::find_if(others_.begin(), others_.end(),
                                    [&](const X509Ptr& held) { return held.get() == member; });
    CHECK(other != others_.end());
    return other_values_[static_cast<std::size_t>(other - others_.begin())];
}

// The path may have failed because of which of several certificates of one issuer it went through.
void PathSearch::leave_out_twins(STACK_OF(X509) * path, const Left& left) {
    for (int depth = 1; depth < sk_X509_num(path); ++depth) {
        X509* member = sk_X509_value(path, depth);
        Left more = left;
        bool has_twin = false;
        for (std::size_t i = 0; i < others_.size(); ++i) {
            if (left.count(i) != 0) continue;
            X509* other = others_[i].get();
            if (X509_cmp(other, member) == 0) {
                more.insert(i);
            } else if (X509_NAME_cmp(X509_get_subject_name(other), X509_get_subject_name(member)) ==
                       0) {
                has_twin = true;
            }
        }
        if (has_twin && more.size() > left.size()) open_.push_back(std::move(more));
    }
}

}  // namespace

// libcrypto goes by names and key identifiers, and takes the first that fits: of two authorities
// with one name the wrong one, half of the time. A signature does not lie.
int trust_is_issued_by(X509_STORE_CTX* context, X509* certificate, X509* issuer) {
    if (X509_check_issued(issuer, certificate) != X509_V_OK) return 0;
    int& signatures_left = *static_cast<int*>(X509_STORE_CTX_get_app_data(context));
    EVP_PKEY* key = X509_get0_pubkey(issuer);
    if (!key || signatures_left == 0) return 0;
    --signatures_left;
    return X509_verify(certificate, key) == 1 ? 1 : 0;
}

TrustVerdict TrustAnchors::judge(const CertificatePtr& leaf,
                                 const std::vector<CertificatePtr>& others,
                                 std::int64_t wall_seconds, TrustPurpose purpose,
                                 JudgeOptions options) const {
    const std::string key = TrustPathCache::key_of(*leaf, others, purpose, options);
    if (auto path = state_->found.find(key, wall_seconds))
        return {Reason::ok, {}, *std::move(path)};
    X509Ptr decoded = decode_x509(leaf->der());
    if (!decoded) return {Reason::malformed, "libcrypto does not read the certificate"};
    Reason use = may_be_used(*leaf, purpose);
    if (use == Reason::weak_key && options.allow_weak)
        use = may_weak_be_used(decoded.get(), purpose);
    if (use != Reason::ok) return {use, "the certificate may not be used for this"};
    if (const Reason dates = leaf->valid_at(wall_seconds); dates != Reason::ok)
        return {dates, "the certificate's own dates"};
    const PathSearch::Question question{leaf, others, wall_seconds, purpose, options};
    TrustVerdict verdict = PathSearch(*state_, question, std::move(decoded)).run();
    if (verdict.reason == Reason::ok) state_->found.keep(key, verdict.path);
    return verdict;
}

}  // namespace sealgate
