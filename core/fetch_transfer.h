// SPDX-License-Identifier: GPL-3.0-or-later
// One transfer of core/fetch.cc: a request as libcurl's options, and its end as an answer.
//
// Made on the loop thread, used on the fetch thread. For core/fetch* only.
#pragma once

#include <curl/curl.h>

#include <chrono>
#include <memory>
#include <set>
#include <string>

#include "core/fetch.h"

namespace sealgate {

using FetchSockets = std::set<curl_socket_t>;

struct FetchTransfer {
    using Clock = std::chrono::steady_clock;

    FetchTransfer() = default;
    ~FetchTransfer();
    FetchTransfer(const FetchTransfer&) = delete;
    FetchTransfer& operator=(const FetchTransfer&) = delete;

    // Sets up `easy`; false when libcurl refuses. LDAP sockets are entered in `ldap_sockets` while
    // they are open.
    bool prepare(FetchSockets& ldap_sockets);
    FetchAnswer answer_for(CURLcode code);
    FetchAnswer too_late() const;

    FetchRequest request;
    Fetcher::Done done;
    std::shared_ptr<bool> wanted;  // read on the loop thread only
    Clock::time_point deadline;

    CURL* easy = nullptr;
    curl_slist* headers = nullptr;
    curl_slist* resolved = nullptr;
    std::string body;
    bool too_large = false;
    char error[CURL_ERROR_SIZE] = "";

private:
    bool is_ldap() const;
    void authenticate();
    void post();
    void place();
    static std::size_t on_body(char* bytes, std::size_t size, std::size_t count, void* transfer);
};

// A multi handle with the bounds of core/limits.h.
CURLM* make_fetch_multi();

}  // namespace sealgate
