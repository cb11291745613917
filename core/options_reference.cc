// SPDX-License-Identifier: GPL-3.0-or-later
// docs/configuration.md, out of the rows.
#include <string>
#include <string_view>

#include "core/options.h"
#include "core/options_table.h"
#include "core/options_values.h"

namespace sealgate {

const std::vector<SectionKind>& option_sections() {
    static const std::vector<SectionKind> sections = [] {
        std::vector<SectionKind> all;
        for (auto part : {server_sections, smime_sections, policy_sections, delivery_sections,
                          service_sections})
            for (SectionKind& kind : part()) all.push_back(std::move(kind));
        return all;
    }();
    return sections;
}

namespace {

constexpr const char* introduction = R"(# Configuration reference

<!-- Generated from the option table (core/options_*.cc). Do not edit; regenerate with
     `build/release/bin/sealgate config reference > docs/configuration.md`. -->

`sealgate run -c PATH` reads PATH: a file, or a directory whose `*.ini` are read in name order as
one.

- The text is UTF-8. `[section]` or `[kind:name]` begins a section, which may be continued further
  down or in another file; `key = value` is a line of it.
- `#` or `;` at the beginning of a line makes it a comment. Behind a value they are part of it.
- A line that begins with white space continues the value above it. Comments and blank lines may
  stand in between.
- Lists are comma-separated. Durations are `30s 5m 2h 3d`, sizes `64K 25M 2G` (powers of 1024),
  booleans `yes no`.
- Names are made of letters, digits, `.`, `_` and `-`.

Whatever is wrong is reported at once, one line each, `FILE:LINE: what is wrong (nearest known:
NAME)`; line 0 is the file as a whole. Then the exit status is 78 and nothing is started.
`sealgate config check -c PATH` does just that, `sealgate config show -c PATH` prints the effective
configuration, defaults included. `sealgate reload` applies a changed file as a whole or not at
all; keys marked *restart* keep their value until the next start.

Features this version does not have are marked **not in this version**: a value that asks for one is
an error, so that nothing is silently left undone.
)";

std::string syntax_name(const OptionRow& row) {
    switch (row.syntax) {
    case Syntax::text: return "text";
    case Syntax::path: return "path";
    case Syntax::host_name: return "host name";
    case Syntax::name: return "name";
    case Syntax::choice: return "";
    case Syntax::boolean: return "`yes` `no`";
    case Syntax::duration: return "duration";
    case Syntax::size: return "size";
    case Syntax::count: return *row.unit ? row.unit : "number";
    case Syntax::endpoints: return "list of address:port";
    case Syntax::list: return "list";
    case Syntax::paths: return "list of paths";
    case Syntax::names: return "list of names";
    case Syntax::hosts: return "list of host patterns";
    case Syntax::mail_patterns: return "list of mail patterns";
    case Syntax::networks: return "list of networks";
    case Syntax::dns_servers: return "list of addresses";
    case Syntax::key_sources: return "list of sources";
    case Syntax::mail_addresses: return "list of addresses";
    case Syntax::mail_address: return "address";
    case Syntax::directory_url:
    case Syntax::web_url: return "URL";
    }
    return "";
}

std::string code_words(const std::vector<std::string>& words) {
    std::string text;
    for (const std::string& word : words) text += (text.empty() ? "`" : " `") + word + "`";
    return text;
}

std::string number_text(const OptionRow& row, std::uint64_t number) {
    if (row.syntax == Syntax::duration) return format_duration(number);
    if (row.syntax == Syntax::size) return format_size(number);
    return std::to_string(number);
}

std::string values_text(const OptionRow& row) {
    std::string text =
        row.syntax == Syntax::choice ? code_words(split_words(row.choices)) : syntax_name(row);
    if (row.max > 0) text += ", " + number_text(row, row.min) + " to " + number_text(row, row.max);
    if (*row.none_word) text += std::string(", or `") + row.none_word + "`";
    return text;
}

std::string initial_text(const OptionRow& row) {
    if (row.required) return "*required*";
    if (*row.computed) return row.computed;
    return *row.initial ? std::string("`") + row.initial + "`" : "–";
}

// What of a later feature may be written already.
std::string later_text(const OptionRow& row) {
    std::vector<std::string> words = split_words(row.accepted);
    if (*row.initial) words.insert(words.begin(), row.initial);
    if (words.size() == 2 && words[0] == words[1]) words.pop_back();
    const std::string text = std::string(" **Not in this version** (") + row.later + "): ";
    if (row.inert) return text + "values other than " + code_words(words) + " do nothing.";
    if (words.empty()) return text + "it must be left empty.";
    return text + "only " + code_words(words) + (words.size() == 1 ? " is" : " are") + " accepted.";
}

std::string escaped(std::string_view text) {
    std::string cell;
    for (const char c : text) {
        if (c == '|') cell += '\\';
        cell += c;
    }
    return cell;
}

void add_section(const SectionKind& kind, std::string& text) {
    switch (kind.naming) {
    case SectionKind::Naming::alone: text += "\n## [" + kind.kind + "]\n"; break;
    case SectionKind::Naming::by_name: text += "\n## [" + kind.kind + ":NAME]\n"; break;
    case SectionKind::Naming::by_domain:
        text += "\n## [" + kind.kind + ":DOMAIN], [" + kind.kind + ":default]\n";
        break;
    }
    text += "\n" + std::string(kind.doc) + "\n";
    if (*kind.later)
        text += std::string("\n**Not in this version** (") + kind.later +
                "): a section of this kind is an error.\n";
    if (kind.rows.empty()) return;
    text += "\n| key | default | values | meaning |\n|---|---|---|---|\n";
    for (const OptionRow& row : kind.rows) {
        std::string doc = row.doc;
        if (*row.refers) doc += std::string(" There must be a [") + row.refers + ":NAME].";
        if (*row.later) doc += later_text(row);
        if (row.restart) doc += " *Restart.*";
        text += std::string("| ") + row.key + " | " + escaped(initial_text(row)) + " | " +
                escaped(values_text(row)) + " | " + escaped(doc) + " |\n";
    }
}

}  // namespace

std::string options_reference_markdown() {
    std::string text = introduction;
    for (const SectionKind& kind : option_sections()) add_section(kind, text);
    return text;
}

}  // namespace sealgate
