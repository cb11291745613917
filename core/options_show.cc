// SPDX-License-Identifier: GPL-3.0-or-later
// The effective configuration as text: INI, JSON, and what a reload cannot change.
#include <map>
#include <nlohmann/json.hpp>
#include <utility>

#include "core/options.h"
#include "core/options_table.h"
#include "core/options_values.h"

namespace sealgate {

namespace {

using Json = nlohmann::ordered_json;

Json json_value(const OptionRow& row, const OptionValue& value) {
    const bool choice = row.syntax == Syntax::choice;
    if (const auto* yes = std::get_if<bool>(&value); yes && !choice) return *yes;
    if (const auto* number = std::get_if<std::uint64_t>(&value))
        if (row.syntax == Syntax::count && !(*number == 0 && *row.none_word)) return *number;
    if (const auto* items = std::get_if<std::vector<std::string>>(&value)) return *items;
    if (const auto* endpoints = std::get_if<std::vector<Endpoint>>(&value)) {
        Json list = Json::array();
        for (const Endpoint& endpoint : *endpoints) list.push_back(endpoint.to_text());
        return list;
    }
    return show_value(row, value);
}

// Calls `visit(label, kind, section)` for all sections, in the order of the reference; `section`
// is null for the kinds whose keys are patterns.
template <typename Visit>
void each_section(const Config& config, Visit&& visit) {
    for (const SectionKind& kind : option_sections()) {
        if (kind.free_rows) {
            visit(kind.label(""), kind, nullptr);
            continue;
        }
        kind.each(config, [&](const std::string& name, const void* section) {
            visit(kind.label(name), kind, section);
        });
    }
}

}  // namespace

std::string show_config(const Config& config) {
    std::string text;
    each_section(config,
                 [&](const std::string& label, const SectionKind& kind, const void* section) {
                     text += (text.empty() ? "" : "\n") + label + "\n";
                     const auto add = [&](const std::string& key, const std::string& value) {
                         text += key + (value.empty() ? " =" : " = ") + value + "\n";
                     };
                     if (!section)
                         for (const SectionKind::FreeRow& row : kind.free_rows(config))
                             add(row.key, row.value);
                     for (const OptionRow& row : kind.rows)
                         add(row.key, show_value(row, row.access.get(section)));
                 });
    return text;
}

std::string show_sections(const Config& config, std::string_view kind_name) {
    std::string text;
    each_section(config,
                 [&](const std::string& label, const SectionKind& kind, const void* section) {
                     if (kind.kind != kind_name || !section) return;
                     text += (text.empty() ? "" : "\n") + label + "\n";
                     for (const OptionRow& row : kind.rows) {
                         const OptionValue value = row.access.get(section);
                         if (format_value(row, value) == row.initial) continue;
                         text += std::string(row.key) + " = " + show_value(row, value) + "\n";
                     }
                 });
    return text;
}

std::string show_config_json(const Config& config) {
    Json all = Json::object();
    each_section(config,
                 [&](const std::string& label, const SectionKind& kind, const void* section) {
                     Json& members = all[label.substr(1, label.size() - 2)];
                     members = Json::object();
                     if (!section)
                         for (const SectionKind::FreeRow& row : kind.free_rows(config))
                             members[row.key] = row.value;
                     for (const OptionRow& row : kind.rows)
                         members[row.key] = json_value(row, row.access.get(section));
                 });
    return all.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

std::vector<std::string> changes_that_need_restart(const Config& before, const Config& after) {
    std::map<std::string, std::pair<std::string, std::string>> values;  // by "[section] key"
    const auto collect = [&](const Config& config, auto side) {
        each_section(config, [&](const std::string& label, const SectionKind& kind,
                                 const void* section) {
            for (const OptionRow& row : kind.rows)
                if (row.restart)
                    side(values[label + " " + row.key]) = show_value(row, row.access.get(section));
        });
    };
    collect(before, [](auto& pair) -> std::string& { return pair.first; });
    collect(after, [](auto& pair) -> std::string& { return pair.second; });
    std::vector<std::string> changes;
    for (const auto& [key, sides] : values) {
        const auto& [from, to] = sides;
        const auto said = [](const std::string& text) { return text.empty() ? "none" : text; };
        if (from != to) changes.push_back(key + ": " + said(from) + " -> " + said(to));
    }
    return changes;
}

}  // namespace sealgate
