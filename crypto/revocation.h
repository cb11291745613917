// SPDX-License-Identifier: GPL-3.0-or-later
// Has a certificate, or an authority on its path, been revoked?
//
// Asked of a path that was found (TrustVerdict::path), and of no other: lists and responders are
// where certificates say they are, so a stranger's certificate would have us fetch whatever it
// likes. One on a path names what an authority the operator trusts has put into it.
//
// In this order, for each certificate but the anchor: answers that are kept and still fresh, the
// operator's `crl-files`, lists that came with the message; what these leave open is asked, of the
// responder (`ocsp`, RFC 6960), then by fetching lists (`crl-fetch`, RFC 5280 §4.2.1.13), by http,
// https and ldap. Whoever says "revoked" is believed at once. A list out of date is none. Parsing,
// signatures, scopes, indirect and delta lists are libcrypto's, on workers.
//
// Many messages that wait for one answer ask once. Answers are kept in memory until their own
// nextUpdate, a failure for limits::revocation_failure_kept_ms; a message waits
// limits::revocation_wait_ms at most. A configuration that is reloaded makes a Revocation of its
// own, and shares what the old one keeps (renewed()).
//
// Loop thread.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "core/bytes.h"
#include "core/complaint.h"
#include "core/config.h"
#include "core/reason.h"
#include "core/workers.h"
#include "crypto/certificate.h"

namespace sealgate {

class CrlFiles;  // crypto/trust_crl_files.h
class Fetcher;
class Loop;

class Revocation {
public:
    using Ticket = WorkerPool::Ticket;
    // ok, revoked, revocation_unknown; `why` is for people, printable, empty when ok.
    using Done = std::function<void(Reason reason, std::string why)>;

    // Nothing is fetched when `fetcher` is null or the options do not ask for it. Reads `crl-files`
    // of `section` ("[trust:smime]") and blocks; what cannot be read is a complaint.
    static std::shared_ptr<Revocation> make(Loop& loop, Fetcher* fetcher, WorkerPool& workers,
                                            const TrustOptions& options, const std::string& section,
                                            Complaints& complaints, Complaints& warnings);
    // The same with lists that were read before.
    static std::shared_ptr<Revocation> make(Loop& loop, Fetcher* fetcher, WorkerPool& workers,
                                            const TrustOptions& options,
                                            std::shared_ptr<const CrlFiles> files);
    // For a reload: other options and lists, the same memory of answers.
    std::shared_ptr<Revocation> renewed(const TrustOptions& options,
                                        std::shared_ptr<const CrlFiles> files) const;
    ~Revocation();  // whoever still waits is not called
    Revocation(const Revocation&) = delete;
    Revocation& operator=(const Revocation&) = delete;

    // `path`: the leaf first, the anchor last. `embedded_crls`: DER, as they came with the message;
    // they count when their signatures lead to the path, like any. `done` is called once, later,
    // never from inside, and not at all when the ticket was dropped. Unknown is ok under `prefer`,
    // and everything under `off`.
    [[nodiscard]] Ticket check(std::vector<CertificatePtr> path, std::vector<Bytes> embedded_crls,
                               std::int64_t wall_seconds, Done done);

private:
    struct State;
    explicit Revocation(std::shared_ptr<State> state);
    std::shared_ptr<State> state_;
};

}  // namespace sealgate
