// SPDX-License-Identifier: GPL-3.0-or-later
// Certificate revocation lists (RFC 5280 §5), and what they say of one certificate of a path.
//
// Read and judged by libcrypto: signatures, scopes (distribution points, authorities' or users'
// only, some reasons only), indirect lists, deltas of those that are announced. Around it, because
// libcrypto takes one list of several without having looked at its signature: only lists that are
// in date and signed by an authority of the path reach it, so that a forged one that came with a
// message hides no other. libcrypto does not look at revocation dates; that is done here.
//
// A list is kept decoded, some eight times its size: looking something up in it takes microseconds,
// decoding 10 MB 200 ms. Values in, a value out; any thread, several at once, off the loop.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <memory>
#include <string>
#include <vector>

#include "core/result.h"
#include "crypto/certificate.h"

namespace sealgate {

class RevocationList {
public:
    // DER, nothing behind it. At most limits::crl_bytes_max.
    static Result<std::shared_ptr<const RevocationList>> parse(ByteSpan der);
    ~RevocationList();
    RevocationList(const RevocationList&) = delete;
    RevocationList& operator=(const RevocationList&) = delete;

    std::int64_t this_update() const;
    std::int64_t next_update() const;  // 0: it does not say
    bool is_fresh(std::int64_t wall_seconds) const;
    std::size_t memory_bytes() const;  // about, as decoded: memory_factor times the DER
    // Measured with libcrypto 3.0: 5.9, and 8.1 where every entry gives its reason.
    static constexpr std::size_t memory_factor = 8;

    struct State;
    const State& state() const { return *state_; }

private:
    explicit RevocationList(std::unique_ptr<State> state);
    std::unique_ptr<State> state_;
};
using RevocationListPtr = std::shared_ptr<const RevocationList>;
using RevocationLists = std::vector<RevocationListPtr>;

// What somebody says of a certificate.
struct RevocationAnswer {
    enum class Status : std::uint8_t { good, revoked, unknown };
    Status status = Status::unknown;
    std::string why;  // for people, printable: "revoked (keyCompromise), says a list"
};

struct ListQuestion {
    const std::vector<CertificatePtr>& path;  // the leaf first, the anchor last
    std::size_t place = 0;                    // of the certificate in it; not the anchor
    // Certificates of those who sign lists and are not on the path; they must lead to its anchor.
    const std::vector<CertificatePtr>& more_issuers;
    std::int64_t wall_seconds = 0;
};

// Those in front are looked at first: there is a limit to the signatures that are verified.
RevocationAnswer ask_lists(const ListQuestion& question,
                           std::initializer_list<const RevocationLists*> groups);

}  // namespace sealgate
