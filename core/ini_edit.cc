// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/ini_edit.h"

#include <vector>

#include "core/ini.h"

namespace sealgate {
namespace {

constexpr std::string_view byte_order_mark = "\xEF\xBB\xBF";

struct Line {
    std::string_view text;  // with its line end
    std::string label;      // of the section it is in; empty: of none
};

std::string_view content_of(std::string_view line) {
    while (!line.empty() && (line.back() == '\n' || line.back() == '\r')) line.remove_suffix(1);
    return trimmed(line);
}

// The reader's rule: in the first column, and a comment does not begin a section.
bool is_header(std::string_view line) { return line.front() == '['; }

bool says_nothing(std::string_view line) {
    const std::string_view content = content_of(line);
    return content.empty() || content.front() == '#' || content.front() == ';';
}

std::vector<Line> lines_of(std::string_view text) {
    std::vector<Line> lines;
    std::string label;
    std::size_t last_entry = 0;  // behind the last line that says something
    while (!text.empty()) {
        const std::size_t end = text.find('\n');
        const std::string_view line =
            text.substr(0, end == std::string_view::npos ? text.size() : end + 1);
        text.remove_prefix(line.size());
        if (is_header(line)) {
            for (std::size_t i = last_entry; i < lines.size(); ++i) lines[i].label.clear();
            label = std::string(content_of(line));
        }
        lines.push_back({line, label});
        if (!says_nothing(line)) last_entry = lines.size();
    }
    for (std::size_t i = last_entry; i < lines.size(); ++i) lines[i].label.clear();
    return lines;
}

}  // namespace

std::string edit_sections(std::string_view text, const std::set<std::string>& labels,
                          SectionEdit edit) {
    std::string edited;
    if (text.starts_with(byte_order_mark)) {
        text.remove_prefix(byte_order_mark.size());
        if (edit != SectionEdit::keep) edited = byte_order_mark;
    }
    for (const Line& line : lines_of(text)) {
        const bool named = labels.contains(line.label);
        if (named == (edit == SectionEdit::keep)) {
            edited += line.text;
        } else if (edit == SectionEdit::blank) {
            edited += '\n';
        }
    }
    return edited;
}

}  // namespace sealgate
