// SPDX-License-Identifier: GPL-3.0-or-later
//
// Any text as a file of keys: the same entries however it is cut, and what is told as a certificate
// is one PEM block, if it is PEM at all.

#include <cstddef>
#include <cstdint>
#include <string>

#include "core/result.h"
#include "crypto/key_file.h"
#include "crypto/pem.h"

namespace {

using namespace sealgate;

std::string read(std::string_view first, std::string_view second) {
    std::string told;
    KeyFileReader reader([&](KeyFileEntry entry) {
        const bool is_key = entry.problem == KeyFileEntry::Problem::none;
        CHECK(is_key == !entry.pem.empty());
        if (is_key) {
            CHECK(is_key_name(entry.name));
            const auto blocks = read_pem(as_bytes(entry.pem));
            CHECK(!blocks || blocks->size() == 1);
        }
        told.append(std::to_string(entry.line)).append(to_word(entry.problem));
        told.append(entry.name).append("\n").append(entry.pem);
    });
    reader.feed(first);
    reader.feed(second);
    reader.finish();
    return told;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size == 0) return 0;
    const std::string_view text(reinterpret_cast<const char*>(data) + 1, size - 1);
    const std::size_t cut = text.size() * data[0] / 256;
    CHECK(read(text, "") == read(text.substr(0, cut), text.substr(cut)));
    return 0;
}
