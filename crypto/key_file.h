// SPDX-License-Identifier: GPL-3.0-or-later
// The text file that keys of correspondents are exported to and imported from, read and written.
//
//     # name: Bob at Example
//     -----BEGIN CERTIFICATE-----
//     MIIB…
//     -----END CERTIFICATE-----
//
// One PEM block for each key, behind a line with its name. Other comments, blank lines and text
// between blocks are passed over, as in crypto/pem.h. Read piece by piece, whatever the size of the
// file; what is inside a block is not looked at, and a private key is not even kept. Any thread.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "core/bytes.h"

namespace sealgate {

// What a manual key may be called: 1 to 128 characters that can be printed, no quotes or
// backslashes, no blank at either end, no '-' in front.
bool is_key_name(std::string_view name);

struct KeyFileEntry {
    enum class Problem : std::uint8_t {
        none,
        no_name,          // a certificate without a name line before it
        bad_name,         // is_key_name() says no
        private_key,      // must never be in such a file
        not_certificate,  // a block of another kind
        unfinished,       // BEGIN without END
        too_long,         // more than a certificate has
        no_certificate,   // a name line without a certificate behind it
    };
    Problem problem = Problem::none;
    std::string name;        // as in the file, if there was one; at most a line of it
    std::uint64_t line = 0;  // of the block's beginning (or of the name without one), from 1
    std::string pem;         // the block; empty where there is a problem
};
const char* to_word(KeyFileEntry::Problem problem);      // "no-name"
const char* to_sentence(KeyFileEntry::Problem problem);  // for people

class KeyFileReader {
public:
    using Each = std::function<void(KeyFileEntry)>;
    explicit KeyFileReader(Each each) : each_(std::move(each)) {}

    // The file's text, cut anywhere.
    void feed(std::string_view text);
    void finish();

private:
    void on_line(std::string_view line);
    void on_line_of_block(std::string_view line);
    void begin_block(std::string_view label);
    void tell(KeyFileEntry::Problem problem);

    Each each_;
    std::string partial_;  // a line without its end so far
    std::uint64_t line_number_ = 0;
    std::uint64_t name_line_ = 0;  // 0: no name waits for its certificate
    std::string end_line_;         // of the block that we are in; empty: in none
    KeyFileEntry entry_;
};

std::string key_file_text(std::string_view name, ByteSpan certificate_der);

}  // namespace sealgate
