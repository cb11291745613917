// SPDX-License-Identifier: GPL-3.0-or-later
// One question to a server beyond: HTTP, HTTPS, LDAP or LDAPS, by libcurl.
//
// For certificates in directories; and for whatever else is one request and one bounded answer
// (revocation lists, policies, notices). Every request has a time limit and a size limit, says
// which protocols it permits, and goes where its URL says: no proxy of the environment, no redirect
// unless asked for, and none to another protocol.
//
// libcurl runs on a thread of its own, begun by the first request, and not on the loop, although
// its multi interface could: a TLS connection reads and parses the machine's authorities first (28
// to 50 ms in one call, measured with libcurl 7.88 and 140 authorities), and while an LDAP bind is
// under way libcurl tells nobody which socket it waits for. Transfers run side by side on that
// thread, none waits for another. libcurl's LDAP is asynchronous and does not follow referrals; its
// connections are not used again, because the TLS layer of libcurl 7.88 keeps a pointer to the
// first transfer.
//
// libcurl is seen by core/fetch* alone. Loop thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "core/address.h"
#include "core/bytes.h"
#include "core/limits.h"
#include "core/workers.h"

namespace sealgate {

class Loop;

struct FetchRequest {
    enum Protocol : unsigned { http = 1, https = 2, ldap = 4, ldaps = 8 };

    std::string url;
    unsigned protocols = https;
    std::uint64_t timeout_ms = 5000;  // for all of it, waiting for a connection included
    std::size_t bytes_max = limits::fetch_bytes_max;
    unsigned redirects_max = 0;
    // Where the URL's host is. Empty: the machine's own resolver is asked, with its own patience.
    std::vector<IpAddress> addresses;
    std::string user;  // LDAP: the DN to bind as; HTTP: basic authentication
    SecureBytes password;
    // HTTP: what is posted, when `content_type` is not empty.
    std::string content_type;
    std::string body;
    // Whom servers' certificates must lead to, PEM; null: the machine's authorities.
    std::shared_ptr<const std::string> authorities;
};

struct FetchAnswer {
    enum class Outcome : std::uint8_t {
        done,         // HTTP 2xx, LDAP success: `body` is whole
        not_found,    // HTTP 404 and 410, LDAP noSuchObject: the server says there is no such thing
        failed,       // another answer, or one over the size limit
        unreachable,  // nobody gets one: name, connection, TLS, login, time
    };
    Outcome outcome = Outcome::unreachable;
    int status = 0;    // of HTTP, or LDAP's resultCode; 0 where neither came
    std::string body;  // LDAP: entries as LDIF-like lines (crypto/ldap_entry.h reads them)
    std::string what;  // when not done: for people, printable
};

// Where libcurl finds the machine's authorities; empty when it was built without.
std::string machine_authorities_file();

class Fetcher {
public:
    using Ticket = WorkerPool::Ticket;
    using Done = std::function<void(FetchAnswer)>;

    explicit Fetcher(Loop& loop);
    ~Fetcher();  // ends what is under way; nobody is called back
    Fetcher(const Fetcher&) = delete;
    Fetcher& operator=(const Fetcher&) = delete;

    // `done` comes later, within the time limit; not when the ticket was dropped, although the
    // request itself goes on.
    [[nodiscard]] Ticket fetch(FetchRequest request, Done done);

    struct State;

private:
    std::unique_ptr<State> state_;
};

}  // namespace sealgate
