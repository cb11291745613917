// SPDX-License-Identifier: GPL-3.0-or-later
// What servers and messages say of revocation: lists (DER, PEM, entries of directories),
// responders' answers, and the addresses in certificates. Any bytes give an answer, and one that is
// not "good" says why.
#include <cstddef>
#include <cstdint>

#include "core/result.h"
#include "crypto/certificate_bundle.h"
#include "crypto/ldap_entry.h"
#include "crypto/trust_addresses.h"
#include "crypto/trust_crl_files.h"
#include "crypto/trust_ocsp.h"

using namespace sealgate;

namespace {

constexpr std::int64_t at = 1'800'000'000;  // 2027-01-15
constexpr std::size_t values_max = 8;

CertificatePtr certificate(const char* name) {
    const auto file =
        read_small_file(std::string(SEALGATE_SOURCE_DIR "/tests/data/revocation/") + name);
    CHECK(file.has_value());
    return read_certificates(file->bytes()).value().front();
}

const std::vector<CertificatePtr>& path() {
    static const std::vector<CertificatePtr> all{certificate("leaf.pem"), certificate("mid.pem"),
                                                 certificate("root.pem")};
    return all;
}

void check(const RevocationAnswer& answer) {
    CHECK(answer.why.empty() == (answer.status == RevocationAnswer::Status::good));
}

void ask(const RevocationLists& lists, const std::vector<CertificatePtr>& issuers) {
    for (std::size_t place = 0; place + 1 < path().size(); ++place)
        check(ask_lists({path(), place, issuers, at}, {&lists}));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size == 0) return 0;
    const ByteSpan input(data + 1, size - 1);
    switch (data[0]) {
    case 'f':
        if (const auto file = read_list_file(input)) ask(file->lists, file->issuers);
        break;
    case 'l':
        for (const LdapValue& value : read_ldap_values(as_text(input), values_max)) {
            if (const auto list = RevocationList::parse(as_bytes(value.bytes))) ask({*list}, {});
        }
        break;
    case 'o': check(read_ocsp_answer(input, *path()[0], *path()[1], at).answer); break;
    case 'c':
        if (const auto parsed = Certificate::parse(input)) {
            const RevocationAddresses addresses = revocation_addresses(**parsed);
            for (const std::string& url : addresses.responders) CHECK(!fetchable_host(url).empty());
            for (const std::string& url : addresses.lists) CHECK(!fetchable_host(url).empty());
        }
        break;
    default: (void)fetchable_host(as_text(input));
    }
    return 0;
}
