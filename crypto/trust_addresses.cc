// SPDX-License-Identifier: GPL-3.0-or-later
#include "crypto/trust_addresses.h"

#include <openssl/err.h>

#include <algorithm>

#include "core/limits.h"
#include "core/text.h"
#include "crypto/trust_library.h"

namespace sealgate {
namespace {

constexpr std::size_t url_bytes_max = 2000;  // LDAP names its whole entry; others have 60

bool is_host_character(char c) {
    const char lower = lower_case(c);
    return (lower >= 'a' && lower <= 'z') || (c >= '0' && c <= '9') ||
           std::string_view(".-_:[]").find(c) != std::string_view::npos;
}

// The part behind "//"; empty when the scheme is another.
std::string_view behind_scheme(std::string_view url) {
    for (const std::string_view scheme : {"http://", "https://", "ldap://"}) {
        if (equal_ignoring_case(url.substr(0, scheme.size()), scheme))
            return url.substr(scheme.size());
    }
    return {};
}

void add_url(std::vector<std::string>& urls, const GENERAL_NAME* name, bool may_be_ldap) {
    if (!name || name->type != GEN_URI) return;
    const ASN1_IA5STRING* text = name->d.uniformResourceIdentifier;
    const std::string url(reinterpret_cast<const char*>(ASN1_STRING_get0_data(text)),
                          static_cast<std::size_t>(ASN1_STRING_length(text)));
    if (fetchable_host(url).empty()) return;
    if (!may_be_ldap && lower_case(url[0]) == 'l') return;
    if (urls.size() < limits::revocation_sources_max &&
        std::find(urls.begin(), urls.end(), url) == urls.end())
        urls.push_back(url);
}

std::vector<std::string> responders_of(const X509* certificate) {
    std::vector<std::string> urls;
    const LibraryPtr<AUTHORITY_INFO_ACCESS> access(static_cast<AUTHORITY_INFO_ACCESS*>(
        X509_get_ext_d2i(certificate, NID_info_access, nullptr, nullptr)));
    for (int i = 0; access && i < sk_ACCESS_DESCRIPTION_num(access.get()); ++i) {
        const ACCESS_DESCRIPTION* entry = sk_ACCESS_DESCRIPTION_value(access.get(), i);
        if (OBJ_obj2nid(entry->method) == NID_ad_OCSP) add_url(urls, entry->location, false);
    }
    return urls;
}

// Points of a directory's relative name are somewhere below another one: nobody has these.
std::vector<std::string> lists_of(const X509* certificate) {
    std::vector<std::string> urls;
    const LibraryPtr<CRL_DIST_POINTS> points(static_cast<CRL_DIST_POINTS*>(
        X509_get_ext_d2i(certificate, NID_crl_distribution_points, nullptr, nullptr)));
    for (int i = 0; points && i < sk_DIST_POINT_num(points.get()); ++i) {
        const DIST_POINT_NAME* name = sk_DIST_POINT_value(points.get(), i)->distpoint;
        if (!name || name->type != 0) continue;
        for (int j = 0; j < sk_GENERAL_NAME_num(name->name.fullname); ++j)
            add_url(urls, sk_GENERAL_NAME_value(name->name.fullname, j), true);
    }
    return urls;
}

}  // namespace

std::string_view fetchable_host(std::string_view url) {
    if (url.size() > url_bytes_max) return {};
    if (!std::all_of(url.begin(), url.end(), [](char c) { return c > ' ' && c < '\x7f'; }))
        return {};
    std::string_view host = behind_scheme(url);
    host = host.substr(0, host.find_first_of("/?#"));
    if (host.empty() || host[0] == ':') return {};  // ldap:///: whichever server one knows
    return std::all_of(host.begin(), host.end(), is_host_character) ? host : std::string_view();
}

RevocationAddresses revocation_addresses(const Certificate& certificate) {
    constexpr std::size_t max = limits::revocation_sources_max;
    RevocationAddresses addresses;
    const X509Ptr decoded = decode_x509(certificate.der());
    if (!decoded) return addresses;
    addresses.responders = responders_of(decoded.get());
    addresses.lists = lists_of(decoded.get());
    ERR_clear_error();  // of extensions that cannot be read
    const std::size_t lists = addresses.lists.size();
    const std::size_t responders_max = max - std::min(lists, max / 2);
    if (addresses.responders.size() > responders_max) addresses.responders.resize(responders_max);
    const std::size_t lists_max = max - addresses.responders.size();
    if (lists > lists_max) addresses.lists.resize(lists_max);
    return addresses;
}

}  // namespace sealgate
