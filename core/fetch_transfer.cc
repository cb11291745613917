// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/fetch_transfer.h"

#include <fmt/format.h>
#include <sys/socket.h>
#include <unistd.h>

#include "core/limits.h"
#include "core/mail_log.h"
#include "core/result.h"
#include "core/text.h"

namespace sealgate {
namespace {

using Outcome = FetchAnswer::Outcome;

constexpr std::size_t what_characters_max = 200;

std::string protocol_names(unsigned protocols) {
    std::string names;
    const auto add = [&](unsigned protocol, const char* name) {
        if (!(protocols & protocol)) return;
        if (!names.empty()) names += ',';
        names += name;
    };
    add(FetchRequest::http, "http");
    add(FetchRequest::https, "https");
    add(FetchRequest::ldap, "ldap");
    add(FetchRequest::ldaps, "ldaps");
    return names;
}

curl_socket_t open_socket(void* sockets, curlsocktype, curl_sockaddr* address) {
    const int descriptor =
        ::socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
    if (descriptor < 0) return CURL_SOCKET_BAD;
    static_cast<FetchSockets*>(sockets)->insert(descriptor);
    return descriptor;
}

int close_socket(void* sockets, curl_socket_t descriptor) {
    static_cast<FetchSockets*>(sockets)->erase(descriptor);
    return ::close(descriptor);
}

// RFC 4511 Appendix A.2: of all codes the one that says "there is no such entry".
constexpr int ldap_no_such_object = 32;

// Of libcurl's errors those that are about this one question; after the others nobody else would
// get an answer, either.
bool is_of_the_question(CURLcode code) {
    switch (code) {
    case CURLE_LDAP_SEARCH_FAILED:
    case CURLE_LDAP_INVALID_URL:
    case CURLE_URL_MALFORMAT:
    case CURLE_WRITE_ERROR:
    case CURLE_TOO_MANY_REDIRECTS:
    case CURLE_PARTIAL_FILE: return true;
    default: return false;
    }
}

}  // namespace

std::string machine_authorities_file() {
    const char* file = curl_version_info(CURLVERSION_NOW)->cainfo;
    return file ? file : "";
}

CURLM* make_fetch_multi() {
    static const CURLcode global = curl_global_init(CURL_GLOBAL_DEFAULT);
    CHECK(global == CURLE_OK);
    CURLM* multi = curl_multi_init();
    CHECK(multi != nullptr);
    curl_multi_setopt(multi, CURLMOPT_MAX_TOTAL_CONNECTIONS, limits::fetch_connections_max);
    curl_multi_setopt(multi, CURLMOPT_MAX_HOST_CONNECTIONS, limits::fetch_host_connections_max);
    return multi;
}

FetchTransfer::~FetchTransfer() {
    curl_easy_cleanup(easy);
    curl_slist_free_all(headers);
    curl_slist_free_all(resolved);
}

bool FetchTransfer::is_ldap() const { return lower_case(request.url).starts_with("ldap"); }

bool FetchTransfer::prepare(FetchSockets& ldap_sockets) {
    easy = curl_easy_init();
    if (!easy) return false;
    const std::string protocols = protocol_names(request.protocols);
    curl_easy_setopt(easy, CURLOPT_PRIVATE, this);
    curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, error);
    curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, protocols.c_str());
    curl_easy_setopt(easy, CURLOPT_REDIR_PROTOCOLS_STR, protocols.c_str());
    curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, request.redirects_max > 0 ? 1L : 0L);
    curl_easy_setopt(easy, CURLOPT_MAXREDIRS, static_cast<long>(request.redirects_max));
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, &FetchTransfer::on_body);
    curl_easy_setopt(easy, CURLOPT_WRITEDATA, this);
    curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(easy, CURLOPT_PROXY, "");
    curl_easy_setopt(easy, CURLOPT_USERAGENT, "sealgate");
    // When time is over while a name is looked up, do not wait for getaddrinfo() to return: 8 s
    // with a name server that says nothing.
    curl_easy_setopt(easy, CURLOPT_QUICK_EXIT, 1L);
    if (is_ldap()) {
        curl_easy_setopt(easy, CURLOPT_FORBID_REUSE, 1L);
        curl_easy_setopt(easy, CURLOPT_OPENSOCKETFUNCTION, &open_socket);
        curl_easy_setopt(easy, CURLOPT_OPENSOCKETDATA, &ldap_sockets);
        curl_easy_setopt(easy, CURLOPT_CLOSESOCKETFUNCTION, &close_socket);
        curl_easy_setopt(easy, CURLOPT_CLOSESOCKETDATA, &ldap_sockets);
    }
    authenticate();
    post();
    place();
    return curl_easy_setopt(easy, CURLOPT_URL, request.url.c_str()) == CURLE_OK;
}

void FetchTransfer::authenticate() {
    curl_easy_setopt(easy, CURLOPT_SSLVERSION, static_cast<long>(CURL_SSLVERSION_TLSv1_2));
    if (request.authorities) {
        curl_blob blob{const_cast<char*>(request.authorities->data()), request.authorities->size(),
                       CURL_BLOB_NOCOPY};
        curl_easy_setopt(easy, CURLOPT_CAINFO_BLOB, &blob);
    } else {
        // The file alone, without Debian's folder beside it: only then libcurl keeps the parsed
        // authorities for the next connection.
        curl_easy_setopt(easy, CURLOPT_CAINFO, machine_authorities_file().c_str());
    }
    curl_easy_setopt(easy, CURLOPT_CAPATH, nullptr);
    if (request.user.empty()) return;
    std::string password(as_text(request.password.bytes()));
    curl_easy_setopt(easy, CURLOPT_USERNAME, request.user.c_str());
    curl_easy_setopt(easy, CURLOPT_PASSWORD, password.c_str());
    wipe(password.data(), password.size());
}

void FetchTransfer::post() {
    if (request.content_type.empty()) return;
    headers = curl_slist_append(headers, ("Content-Type: " + request.content_type).c_str());
    headers = curl_slist_append(headers, "Expect:");  // no round trip for permission
    curl_easy_setopt(easy, CURLOPT_HTTPHEADER, headers);
    curl_easy_setopt(easy, CURLOPT_POST, 1L);
    curl_easy_setopt(easy, CURLOPT_POSTFIELDS, request.body.data());
    curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE,
                     static_cast<curl_off_t>(request.body.size()));
}

// The host's addresses as the caller knows them. "+": libcurl may forget them later, for its cache
// outlives this request.
void FetchTransfer::place() {
    if (request.addresses.empty()) return;
    CURLU* parts = curl_url();
    char* host = nullptr;
    char* port = nullptr;
    if (curl_url_set(parts, CURLUPART_URL, request.url.c_str(), CURLU_NON_SUPPORT_SCHEME) == 0 &&
        curl_url_get(parts, CURLUPART_HOST, &host, 0) == 0 &&
        *host != '[' &&  // an address already, and libcurl cannot read it in such a row
        curl_url_get(parts, CURLUPART_PORT, &port, CURLU_DEFAULT_PORT) == 0) {
        std::string row = fmt::format("+{}:{}:", host, port);
        for (std::size_t i = 0; i < request.addresses.size(); ++i) {
            const IpAddress& ip = request.addresses[i];
            const bool bare = ip.family() == IpAddress::Family::ipv4;
            if (i > 0) row += ',';
            row += bare ? ip.to_text() : fmt::format("[{}]", ip.to_text());
        }
        resolved = curl_slist_append(nullptr, row.c_str());
        curl_easy_setopt(easy, CURLOPT_RESOLVE, resolved);
    }
    curl_free(host);
    curl_free(port);
    curl_url_cleanup(parts);
}

std::size_t FetchTransfer::on_body(char* bytes, std::size_t size, std::size_t count,
                                   void* transfer) {
    auto& self = *static_cast<FetchTransfer*>(transfer);
    const std::size_t more = size * count;
    if (self.body.size() + more > self.request.bytes_max) {
        self.too_large = true;
        return 0;
    }
    self.body.append(bytes, more);
    return more;
}

FetchAnswer FetchTransfer::answer_for(CURLcode code) {
    long status = 0;
    curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &status);
    FetchAnswer answer;
    answer.status = static_cast<int>(status);
    const bool ldap = is_ldap();
    if (too_large) {
        answer.outcome = Outcome::failed;
        answer.what = "answer over " + std::to_string(request.bytes_max) + " bytes";
    } else if (ldap && code == CURLE_LDAP_SEARCH_FAILED && status == ldap_no_such_object) {
        answer.outcome = Outcome::not_found;
        answer.what = "no such entry";
    } else if (code != CURLE_OK) {
        answer.outcome = is_of_the_question(code) ? Outcome::failed : Outcome::unreachable;
        answer.what = printable(*error ? error : curl_easy_strerror(code), what_characters_max);
    } else if (ldap || (status >= 200 && status < 300)) {
        answer.outcome = Outcome::done;
        answer.body = std::move(body);
    } else {
        constexpr int not_found = 404, gone = 410;  // RFC 9110 §15.5.5, §15.5.11
        answer.outcome =
            status == not_found || status == gone ? Outcome::not_found : Outcome::failed;
        answer.what = "HTTP status " + std::to_string(status);
    }
    return answer;
}

FetchAnswer FetchTransfer::too_late() const {
    return {Outcome::unreachable, 0, "",
            "no answer within " + std::to_string(request.timeout_ms) + " ms"};
}

}  // namespace sealgate
