// SPDX-License-Identifier: GPL-3.0-or-later
#include "crypto/trust_crl.h"

#include <openssl/err.h>

#include <algorithm>

#include "core/limits.h"
#include "crypto/trust_crl_state.h"

namespace sealgate {
namespace {

constexpr std::size_t memory_at_least = 4096;

bool has_some_reasons_only(const X509_CRL* list) {
    const LibraryPtr<ISSUING_DIST_POINT> point(static_cast<ISSUING_DIST_POINT*>(
        X509_CRL_get_ext_d2i(list, NID_issuing_distribution_point, nullptr, nullptr)));
    return point && point->onlysomereasons;
}

// Deltas as libcrypto is not safe with: without a number of their own; and of some reasons only,
// which 3.0 takes for complete lists.
bool is_strange_delta(const X509_CRL* list) {
    if (X509_CRL_get_ext_by_NID(list, NID_delta_crl, -1) < 0) return false;
    return X509_CRL_get_ext_by_NID(list, NID_crl_number, -1) < 0 || has_some_reasons_only(list);
}

bool is_indirect(const X509_CRL* list) {
    const LibraryPtr<ISSUING_DIST_POINT> point(static_cast<ISSUING_DIST_POINT*>(
        X509_CRL_get_ext_d2i(list, NID_issuing_distribution_point, nullptr, nullptr)));
    return point && point->indirectCRL > 0;
}

// Looked up once, so that libcrypto sorts it now: later several threads read it.
void sort_entries(X509_CRL* list) {
    const std::unique_ptr<ASN1_INTEGER, void (*)(ASN1_INTEGER*)> zero(ASN1_INTEGER_new(),
                                                                      ASN1_INTEGER_free);
    X509_REVOKED* found = nullptr;
    X509_CRL_get0_by_serial(list, &found, zero.get());
}

}  // namespace

Result<RevocationListPtr> RevocationList::parse(ByteSpan der) {
    if (der.size() > limits::crl_bytes_max) return past_limit("revocation list too large");
    auto state = std::make_unique<State>();
    const unsigned char* at = der.data();
    state->list.reset(d2i_X509_CRL(nullptr, &at, static_cast<long>(der.size())));
    ERR_clear_error();
    X509_CRL* list = state->list.get();
    if (!list || at != der.data() + der.size()) return malformed("not a revocation list");
    state->is_indirect = is_indirect(list);
    const bool is_strange = is_strange_delta(list);
    ERR_clear_error();
    if (is_strange) return unsupported("a delta list that is not complete in itself");
    sort_entries(list);
    state->this_update = seconds_of(X509_CRL_get0_lastUpdate(list));
    state->next_update = seconds_of(X509_CRL_get0_nextUpdate(list));
    state->memory_bytes = memory_at_least + memory_factor * der.size();
    return RevocationListPtr(new RevocationList(std::move(state)));
}

RevocationList::RevocationList(std::unique_ptr<State> state) : state_(std::move(state)) {}
RevocationList::~RevocationList() = default;
std::int64_t RevocationList::this_update() const { return state_->this_update; }
std::int64_t RevocationList::next_update() const { return state_->next_update; }
std::size_t RevocationList::memory_bytes() const { return state_->memory_bytes; }

bool RevocationList::is_fresh(std::int64_t wall_seconds) const {
    return state_->this_update <= wall_seconds &&
           (state_->next_update == 0 || wall_seconds < state_->next_update);
}

bool RevocationList::State::is_signed_by(X509* issuer, int& signatures_left) const {
    EVP_PKEY* key = X509_get0_pubkey(issuer);
    const ASN1_BIT_STRING* bits = X509_get0_pubkey_bitstr(issuer);
    if (!key || !bits || has_broken_digest(X509_CRL_get_signature_nid(list.get()))) return false;
    const Bytes name(bits->data, bits->data + bits->length);
    const std::lock_guard<std::mutex> lock(mutex);
    const auto known = verdicts.find(name);
    if (known != verdicts.end()) return known->second;
    if (signatures_left == 0) return false;
    --signatures_left;
    const bool is_signed = X509_CRL_verify(list.get(), key) == 1;
    ERR_clear_error();
    if (verdicts.size() < verdicts_max) verdicts.emplace(name, is_signed);
    return is_signed;
}

}  // namespace sealgate
