// SPDX-License-Identifier: GPL-3.0-or-later
// Reads INI text into sections and entries, with the place of everything.
//
// UTF-8 (a BOM is tolerated), LF or CRLF. `[kind]` or `[kind:name]`; `key = value`; a line whose
// first character other than white space is `#` or `;` is a comment; a line that begins with white
// space continues the value above it, joined with one space, comments and blank lines in between.
// A section may be continued further down or in another file; a key may not be given twice.
//
// It knows no section and no key: that is core/options*.cc. It stops at nothing: each fault is a
// complaint, and reading goes on behind it. Any thread; no file is opened here.
//
// Why not inih: its handler is told no line number in the default build, its inline comments would
// end `actions = a(); b()` at the ` ;`, and its lines end at 200 bytes.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "core/complaint.h"
#include "core/config.h"
#include "core/text.h"

namespace sealgate {

struct IniEntry {
    std::string key;
    std::string value;
    ConfigPlace place;              // of the key
    std::vector<ConfigLine> lines;  // of the value, at least one
};

struct IniSection {
    std::string kind;    // "listener" of [listener:public]
    std::string name;    // "public"; empty in [gateway]
    bool named = false;  // there was a colon
    ConfigPlace place;   // where it began first
    std::vector<IniEntry> entries;

    std::string label() const { return "[" + kind + (named ? ":" + name : "") + "]"; }
};

struct IniDocument {
    std::vector<IniSection> sections;  // in the order they began
    std::vector<std::string> files;
};

// Line and column of value[offset]; `offset` in the result is the one asked for.
ConfigLine locate(const std::vector<ConfigLine>& lines, std::size_t offset);

// Text without the blanks and tabs around it.
std::string_view trimmed(std::string_view text);

class IniReader {
public:
    explicit IniReader(Complaints& complaints) : complaints_(complaints) {}

    // One file, whole; several are read one after the other. `file` stands in complaints.
    void read(std::string_view text, const std::string& file);
    IniDocument take_document() { return std::move(document_); }

private:
    void read_line(std::string_view line);
    void read_header(std::string_view line);
    void read_entry(std::string_view line);
    void read_continuation(std::string_view line);
    bool is_clean(std::string_view line);
    void complain(std::string what);

    static constexpr std::size_t none = static_cast<std::size_t>(-1);

    Complaints& complaints_;
    IniDocument document_;
    std::unordered_map<std::string, std::size_t> section_index_;  // by label
    std::unordered_map<std::string, ConfigPlace> first_places_;   // by label and lower-case key
    std::string file_;
    int line_number_ = 0;
    std::size_t section_ = none;   // index of the one being read
    bool header_was_bad_ = false;  // its keys belong nowhere, and were complained of once
    bool value_open_ = false;      // a continuation line would continue an entry
    bool value_skipped_ = false;   // it would continue something already complained of
};

}  // namespace sealgate
