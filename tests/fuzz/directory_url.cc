// SPDX-License-Identifier: GPL-3.0-or-later
// A directory's URL on the first line, an address on the others: what is filled in adds no
// character that means something in a URL, a filter or a DN.
#include "core/directory_url.h"

#include <algorithm>

#include "core/bytes.h"

using namespace sealgate;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view input = as_text({data, size});
    const std::size_t line_end = std::min(input.find('\n'), input.size());
    const auto url = DirectoryUrl::parse(input.substr(0, line_end));
    if (!url) return 0;
    const std::string domain = "x.example";
    const std::string local(input.substr(std::min(line_end + 1, input.size())));
    const std::vector<std::string> attributes{"userCertificate;binary"};
    const std::string harmless = url->fill("bob@" + domain, domain, attributes);
    const std::string filled = url->fill(local + "@" + domain, domain, attributes);
    for (const char c : filled) CHECK(c > ' ' && c < 0x7f);
    for (const char c : std::string_view("?/()*&=,#;\\+<>\":[]@|! ")) {
        CHECK(std::count(filled.begin(), filled.end(), c) ==
              std::count(harmless.begin(), harmless.end(), c));
    }
    CHECK(!url->host(domain).empty());
    return 0;
}
