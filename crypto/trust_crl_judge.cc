// SPDX-License-Identifier: GPL-3.0-or-later
// What lists say of one certificate of a path.
#include <openssl/err.h>

#include <algorithm>
#include <set>

#include "core/limits.h"
#include "core/result.h"
#include "crypto/trust_crl_state.h"

namespace sealgate {
namespace {

using Status = RevocationAnswer::Status;

// Of lists whose verdict is not known yet, for one question: a message may bring forty, all in the
// right name.
constexpr int signatures_max = 16;

class ListJudge {
public:
    explicit ListJudge(const ListQuestion& question) : question_(question) {}
    using Groups = std::initializer_list<const RevocationLists*>;
    RevocationAnswer run(Groups groups);

private:
    bool decode();
    bool is_of_interest(const X509_CRL* list, bool is_indirect) const;
    bool is_signed(const RevocationList& list);
    void take_issuers_of(const X509_CRL* list);
    void gather(const RevocationListPtr& list);
    RevocationAnswer ask();
    static int on_error(int ok, X509_STORE_CTX* context);
    void note_entry();

    const ListQuestion& question_;
    std::vector<X509Ptr> path_;  // from the certificate on
    std::vector<X509Ptr> more_issuers_;
    std::set<const Certificate*> taken_issuers_;  // the same
    RevocationLists gathered_;                    // in date, signed by an issuer; the newest first
    int signatures_left_ = signatures_max;
    // Why others were passed over.
    bool has_old_ = false, has_unsigned_ = false;
    // What libcrypto told.
    int fault_ = X509_V_OK;
    bool is_revoked_ = false;
    std::string revocation_reason_;
};

// With its extensions read, which X509_verify_cert() does for others.
X509Ptr decode_whole(const Certificate& certificate) {
    X509Ptr decoded = decode_x509(certificate.der());
    if (decoded && X509_check_purpose(decoded.get(), -1, 0) != 1) decoded.reset();
    return decoded;
}

bool ListJudge::decode() {
    for (std::size_t i = question_.place; i < question_.path.size(); ++i) {
        path_.push_back(decode_whole(*question_.path[i]));
        if (!path_.back()) return false;
    }
    return path_.size() > 1;
}

// Those who sign this list in another's place, if somebody does: the file may hold hundreds.
void ListJudge::take_issuers_of(const X509_CRL* list) {
    const unsigned char* name = nullptr;
    std::size_t bytes = 0;
    if (X509_NAME_get0_der(X509_CRL_get_issuer(list), &name, &bytes) != 1) return;
    for (const CertificatePtr& issuer : question_.more_issuers) {
        const ByteSpan subject = issuer->subject_der();
        if (!std::equal(subject.begin(), subject.end(), name, name + bytes)) continue;
        if (!taken_issuers_.insert(issuer.get()).second) continue;
        if (X509Ptr decoded = decode_whole(*issuer)) more_issuers_.push_back(std::move(decoded));
    }
}

bool ListJudge::is_of_interest(const X509_CRL* list, bool is_indirect) const {
    return is_indirect ||
           X509_NAME_cmp(X509_CRL_get_issuer(list), X509_get_issuer_name(path_[0].get())) == 0;
}

bool ListJudge::is_signed(const RevocationList& list) {
    const X509_NAME* issuer = X509_CRL_get_issuer(list.state().list.get());
    const auto signed_it = [&](const X509Ptr& authority) {
        if (X509_NAME_cmp(issuer, X509_get_subject_name(authority.get())) != 0) return false;
        return list.state().is_signed_by(authority.get(), signatures_left_);
    };
    return std::any_of(path_.begin() + 1, path_.end(), signed_it) ||
           std::any_of(more_issuers_.begin(), more_issuers_.end(), signed_it);
}

void ListJudge::gather(const RevocationListPtr& list) {
    const RevocationList::State& state = list->state();
    if (!is_of_interest(state.list.get(), state.is_indirect)) return;
    take_issuers_of(state.list.get());
    if (!list->is_fresh(question_.wall_seconds)) {
        has_old_ = true;
    } else if (!is_signed(*list)) {
        has_unsigned_ = true;
    } else {
        gathered_.push_back(list);
    }
}

RevocationAnswer ListJudge::run(Groups groups) {
    if (!decode()) return {Status::unknown, "libcrypto does not read the path"};
    for (const RevocationLists* lists : groups) {
        for (const RevocationListPtr& list : *lists) gather(list);
    }
    if (gathered_.empty()) {
        if (has_unsigned_) return {Status::unknown, "its revocation list is not its issuer's"};
        if (has_old_) return {Status::unknown, "its revocation list is out of date"};
        return {Status::unknown, "no revocation list"};
    }
    // libcrypto takes the first delta that fits.
    std::stable_sort(gathered_.begin(), gathered_.end(), [](const auto& a, const auto& b) {
        return a->this_update() > b->this_update();
    });
    RevocationAnswer answer = ask();
    ERR_clear_error();
    return answer;
}

// X509_verify_cert() would look for a path of its own. This one stands, and what is asked is its
// part of RFC 5280 §6.3.
RevocationAnswer ListJudge::ask() {
    const X509StorePtr store(X509_STORE_new());
    const LibraryPtr<STACK_OF(X509)> untrusted(sk_X509_new_null());
    const LibraryPtr<STACK_OF(X509_CRL)> lists(sk_X509_CRL_new_null());
    CHECK(store && untrusted && lists);
    CHECK(X509_STORE_add_cert(store.get(), path_.back().get()) == 1);
    for (const auto* issuers : {&more_issuers_, &path_}) {  // the latter may have issued the former
        for (const X509Ptr& issuer : *issuers)
            CHECK(sk_X509_push(untrusted.get(), issuer.get()) > 0);
    }
    for (const RevocationListPtr& list : gathered_)
        CHECK(sk_X509_CRL_push(lists.get(), list->state().list.get()) > 0);
    const LibraryPtr<X509_STORE_CTX> context(X509_STORE_CTX_new());
    CHECK(context &&
          X509_STORE_CTX_init(context.get(), store.get(), path_[0].get(), untrusted.get()) == 1);
    X509_VERIFY_PARAM* parameters = X509_STORE_CTX_get0_param(context.get());
    X509_VERIFY_PARAM_set_flags(parameters, X509_V_FLAG_CRL_CHECK | X509_V_FLAG_USE_DELTAS |
                                                X509_V_FLAG_EXTENDED_CRL_SUPPORT |
                                                X509_V_FLAG_PARTIAL_CHAIN);
    X509_VERIFY_PARAM_set_time(parameters, static_cast<time_t>(question_.wall_seconds));
    STACK_OF(X509)* path = sk_X509_new_null();
    CHECK(path != nullptr);
    for (const X509Ptr& member : path_) {
        CHECK(X509_up_ref(member.get()) == 1 && sk_X509_push(path, member.get()) > 0);
    }
    X509_STORE_CTX_set0_verified_chain(context.get(), path);
    X509_STORE_CTX_set0_crls(context.get(), lists.get());
    X509_STORE_CTX_set_verify_cb(context.get(), &ListJudge::on_error);
    X509_STORE_CTX_set_app_data(context.get(), this);
    const int passed = X509_STORE_CTX_get_check_revocation(context.get())(context.get());
    if (is_revoked_)
        return {Status::revoked, "revoked" + revocation_reason_ + ", says a revocation list"};
    if (fault_ != X509_V_OK) return {Status::unknown, X509_verify_cert_error_string(fault_)};
    if (passed != 1) return {Status::unknown, "libcrypto does not judge its revocation list"};
    return {Status::good, ""};
}

// libcrypto goes on after each error that is answered with 1.
int ListJudge::on_error(int ok, X509_STORE_CTX* context) {
    // Of the path of an indirect list's issuer: as it says.
    if (ok == 1 || X509_STORE_CTX_get0_parent_ctx(context)) return ok;
    ListJudge& judge = *static_cast<ListJudge*>(X509_STORE_CTX_get_app_data(context));
    const int error = X509_STORE_CTX_get_error(context);
    if (error != X509_V_ERR_CERT_REVOKED) {
        if (judge.fault_ == X509_V_OK) judge.fault_ = error;
    } else if (judge.fault_ == X509_V_OK) {
        judge.note_entry();
    }
    return 1;
}

// Which list it was, libcrypto does not tell of deltas.
void ListJudge::note_entry() {
    for (const RevocationListPtr& list : gathered_) {
        X509_REVOKED* entry = nullptr;
        if (X509_CRL_get0_by_cert(list->state().list.get(), &entry, path_[0].get()) == 0) continue;
        if (seconds_of(X509_REVOKED_get0_revocationDate(entry)) > question_.wall_seconds) continue;
        const LibraryPtr<ASN1_ENUMERATED> coded(static_cast<ASN1_ENUMERATED*>(
            X509_REVOKED_get_ext_d2i(entry, NID_crl_reason, nullptr, nullptr)));
        const long reason = coded ? ASN1_ENUMERATED_get(coded.get()) : -1;
        if (reason == CRL_REASON_REMOVE_FROM_CRL) continue;
        is_revoked_ = true;
        if (coded) revocation_reason_ = std::string(" (") + revocation_reason_text(reason) + ")";
        return;
    }
}

}  // namespace

RevocationAnswer ask_lists(const ListQuestion& question,
                           std::initializer_list<const RevocationLists*> groups) {
    return ListJudge(question).run(groups);
}

}  // namespace sealgate
