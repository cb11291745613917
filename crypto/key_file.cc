// SPDX-License-Identifier: GPL-3.0-or-later
#include "crypto/key_file.h"

#include <fmt/format.h>

#include "core/mail_log.h"
#include "crypto/pem.h"

namespace sealgate {
namespace {

using Problem = KeyFileEntry::Problem;

constexpr std::size_t name_characters_max = 128;
// What is longer is no line of PEM and no name; it is cut.
constexpr std::size_t line_bytes_max = 4096;
// Certificate::parse() takes 256 KB of DER.
constexpr std::size_t block_bytes_max = 384 * 1024;
constexpr std::string_view name_mark = "# name:";
constexpr std::string_view begin_mark = "-----BEGIN ";
constexpr std::string_view dashes = "-----";
constexpr std::string_view byte_order_mark = "\xef\xbb\xbf";

std::string_view trimmed(std::string_view text) {
    const std::size_t begin = text.find_first_not_of(" \t");
    if (begin == std::string_view::npos) return {};
    return text.substr(begin, text.find_last_not_of(" \t") - begin + 1);
}

}  // namespace

bool is_key_name(std::string_view name) {
    return !name.empty() && name == trimmed(name) && name.front() != '-' &&
           printable(name, name_characters_max) == name;
}

const char* to_word(Problem problem) {
    switch (problem) {
    case Problem::none: return "ok";
    case Problem::no_name: return "no-name";
    case Problem::bad_name: return "bad-name";
    case Problem::private_key: return "private-key";
    case Problem::not_certificate: return "not-certificate";
    case Problem::unfinished: return "unfinished";
    case Problem::too_long: return "too-long";
    case Problem::no_certificate: return "no-certificate";
    }
    return "";
}

const char* to_sentence(Problem problem) {
    switch (problem) {
    case Problem::none: return "it is as it should be";
    case Problem::no_name: return "there is no line \"# name: NAME\" before it";
    case Problem::bad_name:
        return "a name has 1 to 128 printable characters, no quotes or backslashes, and does not "
               "begin with '-'";
    case Problem::private_key:
        return "it is a private key, which must never be given to others: keep it from this file";
    case Problem::not_certificate: return "it is not a certificate";
    case Problem::unfinished: return "it has no END line";
    case Problem::too_long: return "it is too long for a certificate";
    case Problem::no_certificate: return "there is no certificate behind its name";
    }
    return "";
}

void KeyFileReader::feed(std::string_view text) {
    while (!text.empty()) {
        const std::size_t end = text.find('\n');
        const std::string_view piece = text.substr(0, end);
        if (partial_.size() < line_bytes_max)
            partial_.append(piece.substr(0, line_bytes_max - partial_.size()));
        if (end == std::string_view::npos) return;
        text.remove_prefix(end + 1);
        on_line(partial_);
        partial_.clear();
    }
}

void KeyFileReader::finish() {
    if (!partial_.empty()) on_line(partial_);
    partial_.clear();
    if (!end_line_.empty()) {
        tell(Problem::unfinished);
    } else if (name_line_ != 0) {
        entry_.line = name_line_;
        tell(Problem::no_certificate);
    }
}

void KeyFileReader::on_line(std::string_view line) {
    if (++line_number_ == 1 && line.starts_with(byte_order_mark))
        line.remove_prefix(byte_order_mark.size());
    if (line.ends_with('\r')) line.remove_suffix(1);
    if (!end_line_.empty()) return on_line_of_block(line);
    if (line.starts_with(name_mark)) {
        if (name_line_ != 0) {
            entry_.line = name_line_;
            tell(Problem::no_certificate);
        }
        entry_.name = trimmed(line.substr(name_mark.size()));
        name_line_ = line_number_;
        return;
    }
    if (!line.starts_with(begin_mark)) return;
    const std::string_view label = trimmed(line.substr(begin_mark.size()));
    if (label.ends_with(dashes)) begin_block(label.substr(0, label.size() - dashes.size()));
}

void KeyFileReader::begin_block(std::string_view label) {
    const PemBlock kind{std::string(label), {}, {}, false};
    end_line_ = fmt::format("-----END {}-----", label);
    entry_.line = line_number_;
    entry_.problem = kind.is_private_key()       ? Problem::private_key
                     : !kind.is_certificate()    ? Problem::not_certificate
                     : name_line_ == 0           ? Problem::no_name
                     : !is_key_name(entry_.name) ? Problem::bad_name
                                                 : Problem::none;
    name_line_ = 0;
    if (entry_.problem == Problem::none) entry_.pem = fmt::format("{}{}-----\n", begin_mark, label);
}

void KeyFileReader::on_line_of_block(std::string_view line) {
    const bool is_end = trimmed(line) == end_line_;
    if (!is_end && line.starts_with(begin_mark)) {
        // Another block begins: the first one was cut off, and this one may be whole.
        tell(Problem::unfinished);
        --line_number_;
        return on_line(std::string(line));
    }
    if (entry_.problem == Problem::none) {
        entry_.pem.append(line).append("\n");
        if (entry_.pem.size() > block_bytes_max) {
            entry_.problem = Problem::too_long;
            entry_.pem.clear();
        }
    }
    if (is_end) tell(entry_.problem);
}

void KeyFileReader::tell(Problem problem) {
    entry_.problem = problem;
    if (problem != Problem::none) entry_.pem.clear();
    name_line_ = 0;
    end_line_.clear();
    each_(std::exchange(entry_, {}));
}

std::string key_file_text(std::string_view name, ByteSpan certificate_der) {
    const SecureBytes pem = write_pem("CERTIFICATE", certificate_der);
    return fmt::format("{} {}\n{}", name_mark, name, as_text(pem.bytes()));
}

}  // namespace sealgate
