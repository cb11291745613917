// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/ini.h"

#include <algorithm>
#include <utility>

#include "core/limits.h"

namespace sealgate {

namespace {

constexpr std::string_view blanks = " \t";
constexpr std::string_view byte_order_mark = "\xef\xbb\xbf";

// RFC 3629 §4: length of the well-formed sequence at `at`, 0 when there is none.
std::size_t utf8_sequence_bytes(std::string_view text, std::size_t at) {
    const auto byte = [&](std::size_t index) {
        return index < text.size() ? static_cast<unsigned char>(text[index]) : 0U;
    };
    const auto tails = [&](std::size_t count) {
        for (std::size_t i = 2; i <= count; ++i)
            if ((byte(at + i) & 0xc0U) != 0x80U) return false;
        return true;
    };
    const unsigned first = byte(at);
    const unsigned second = byte(at + 1);
    if (first < 0x80) return 1;
    if (first >= 0xc2 && first <= 0xdf) return (second & 0xc0U) == 0x80U ? 2 : 0;
    if (first >= 0xe0 && first <= 0xef) {
        // E0 80..9F would be overlong, ED A0..BF a surrogate.
        const unsigned low = first == 0xe0 ? 0xa0 : 0x80;
        const unsigned high = first == 0xed ? 0x9f : 0xbf;
        return second >= low && second <= high && tails(2) ? 3 : 0;
    }
    if (first >= 0xf0 && first <= 0xf4) {
        const unsigned low = first == 0xf0 ? 0x90 : 0x80;
        const unsigned high = first == 0xf4 ? 0x8f : 0xbf;
        return second >= low && second <= high && tails(3) ? 4 : 0;
    }
    return 0;
}

bool is_kind(std::string_view text) {
    return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '-' || c == '_';
    });
}

bool is_section_name(std::string_view text) {
    return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
               c == '.' || c == '_' || c == '-';
    });
}

}  // namespace

std::string_view trimmed(std::string_view text) {
    const std::size_t begin = text.find_first_not_of(blanks);
    if (begin == std::string_view::npos) return {};
    return text.substr(begin, text.find_last_not_of(blanks) - begin + 1);
}

ConfigLine locate(const std::vector<ConfigLine>& lines, std::size_t offset) {
    ConfigLine place;
    for (const ConfigLine& line : lines) {
        if (line.offset > offset && &line != &lines.front()) break;
        place = line;
    }
    if (offset > place.offset) place.column += static_cast<int>(offset - place.offset);
    place.offset = offset;
    return place;
}

void IniReader::complain(std::string what) {
    complaints_.push_back({file_, line_number_, 0, std::move(what)});
}

void IniReader::read(std::string_view text, const std::string& file) {
    document_.files.push_back(file);
    file_ = file;
    line_number_ = 0;
    section_ = none;
    header_was_bad_ = value_open_ = value_skipped_ = false;
    if (text.size() > limits::config_file_bytes_max) {
        complain("the file is larger than " + std::to_string(limits::config_file_bytes_max >> 20) +
                 "M");
        return;
    }
    if (text.substr(0, byte_order_mark.size()) == byte_order_mark)
        text.remove_prefix(byte_order_mark.size());
    while (!text.empty()) {
        const std::size_t end = std::min(text.find('\n'), text.size());
        std::string_view line = text.substr(0, end);
        text.remove_prefix(std::min(end + 1, text.size()));
        if (!line.empty() && line.back() == '\r') line.remove_suffix(1);
        ++line_number_;
        read_line(line);
    }
}

void IniReader::read_line(std::string_view line) {
    const std::string_view content = trimmed(line);
    if (!is_clean(line)) {
        value_open_ = false;
        value_skipped_ = true;
        // The header may have been this line: its keys are nobody's then.
        if (!content.empty() && content.front() == '[') {
            section_ = none;
            header_was_bad_ = true;
        }
        return;
    }
    if (content.empty() || content.front() == '#' || content.front() == ';') return;
    if (blanks.find(line.front()) != std::string_view::npos) return read_continuation(line);
    value_open_ = value_skipped_ = false;
    if (content.front() == '[') return read_header(content);
    read_entry(line);
}

// UTF-8 without control characters: a NUL or an ESC in a value would reach sockets and logs.
bool IniReader::is_clean(std::string_view line) {
    for (std::size_t at = 0; at < line.size();) {
        const std::size_t bytes = utf8_sequence_bytes(line, at);
        if (bytes == 0) {
            complain("not UTF-8 at byte " + std::to_string(at + 1) + " of the line");
            return false;
        }
        const auto byte = static_cast<unsigned char>(line[at]);
        if ((byte < 0x20 && byte != '\t') || byte == 0x7f) {
            complain((byte == 0 ? "NUL byte" : "control character " + std::to_string(byte)) +
                     std::string(" at byte ") + std::to_string(at + 1) + " of the line");
            return false;
        }
        at += bytes;
    }
    return true;
}

void IniReader::read_header(std::string_view line) {
    section_ = none;
    header_was_bad_ = true;
    if (line.back() != ']')
        return complain(in_quotes(line) + " begins like a [section] and does not end like one");
    const std::string_view inside = line.substr(1, line.size() - 2);
    const std::size_t colon = inside.find(':');
    IniSection section;
    section.kind = std::string(inside.substr(0, colon));
    section.named = colon != std::string_view::npos;
    if (section.named) section.name = std::string(inside.substr(colon + 1));
    section.place = {file_, line_number_};
    if (!is_kind(section.kind))
        return complain(in_quotes(line) + " is neither [section] nor [kind:name]");
    if (section.named && !is_section_name(section.name))
        return complain(in_quotes(section.name) + " in " + in_quotes(line) +
                        " is no name: letters, digits, '.', '_' and '-' make one");
    header_was_bad_ = false;
    const auto [known, fresh] =
        section_index_.try_emplace(section.label(), document_.sections.size());
    section_ = known->second;
    if (fresh) document_.sections.push_back(std::move(section));
}

void IniReader::read_entry(std::string_view line) {
    value_skipped_ = true;  // until there is an entry to continue
    const std::size_t equals = line.find('=');
    if (equals == std::string_view::npos)
        return complain(in_quotes(trimmed(line)) +
                        " is neither a comment, nor a [section], nor key = value");
    const std::string_view key = trimmed(line.substr(0, equals));
    if (key.empty()) return complain("no key before the =");
    if (section_ == none) {
        if (!header_was_bad_) complain("key " + in_quotes(key) + " before the first [section]");
        return;
    }
    IniSection& section = document_.sections[section_];
    const ConfigPlace here{file_, line_number_};
    const auto [first, fresh] = first_places_.try_emplace(section.label() + lower_case(key), here);
    if (!fresh) {
        const ConfigPlace& place = first->second;
        return complain("key " + in_quotes(key) + " is given twice in " + section.label() +
                        " (first in " + (place.file == file_ ? "" : place.file + ", ") + "line " +
                        std::to_string(place.line) + ")");
    }
    const std::size_t after = line.find_first_not_of(blanks, equals + 1);
    const std::size_t begin = after == std::string_view::npos ? line.size() : after;
    section.entries.push_back({std::string(key),
                               std::string(trimmed(line.substr(begin))),
                               here,
                               {{0, line_number_, static_cast<int>(begin) + 1}}});
    value_open_ = true;
    value_skipped_ = false;
}

void IniReader::read_continuation(std::string_view line) {
    if (value_skipped_) return;
    if (!value_open_) {
        if (header_was_bad_) return;
        return complain("the line begins with white space and there is no value to continue");
    }
    IniEntry& entry = document_.sections[section_].entries.back();
    if (!entry.value.empty()) entry.value += ' ';
    const int column = static_cast<int>(line.find_first_not_of(blanks)) + 1;
    if (entry.value.empty()) entry.lines.clear();  // `key =`, and its value begins here
    entry.lines.push_back({entry.value.size(), line_number_, column});
    entry.value += trimmed(line);
}

}  // namespace sealgate
