// SPDX-License-Identifier: GPL-3.0-or-later
// The rows of the options table and what holds them: one OptionRow per key, one SectionKind per
// kind of section, option_sections() for all.
//
// Reading (options.cc), showing (options_show.cc) and the reference (options_reference.cc) walk
// these rows and know no key themselves; a new option is a field in core/config.h and a row. The
// initial values live twice, as text here and as initializers in core/config.h, and a test holds
// the two together. For core/options*.cc only; others read Config.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

#include "core/config.h"
#include "core/ini.h"

namespace sealgate {

// How a value is written, which decides what it is held as.
enum class Syntax : std::uint8_t {
    text,       // std::string
    path,       // std::string
    host_name,  // std::string
    name,       // std::string: of a section, of a certificate
    choice,     // std::uint64_t: index in `choices`, whose order is that of the enumerators
    boolean,    // bool
    duration,   // std::uint64_t, milliseconds
    size,       // std::uint64_t, bytes
    count,      // std::uint64_t
    endpoints,  // std::vector<Endpoint>
    list,       // std::vector<std::string>, as the lists below
    paths,
    names,
    hosts,          // core/host_pattern.h
    mail_patterns,  // core/mail_pattern.h
    networks,       // address or address/bits
    dns_servers,    // address or address@port
    key_sources,     // local, smimea, directory:NAME
    mail_addresses,  // local@domain
    mail_address,    // std::string
    directory_url,   // std::string: core/directory_url.h
    web_url,         // std::string: http:// or https://
};

using OptionValue =
    std::variant<std::string, std::vector<std::string>, std::vector<Endpoint>, std::uint64_t, bool>;

// A field of a section's struct, the struct's type taken away.
struct OptionAccess {
    void (*put)(void* section, OptionValue value) = nullptr;
    OptionValue (*get)(const void* section) = nullptr;
};

struct OptionRow {
    const char* key = "";
    Syntax syntax = Syntax::text;
    OptionAccess access;
    const char* initial = "";   // as a file would say it; empty: none
    const char* computed = "";  // said in the reference where `initial` depends on the machine
    std::uint64_t min = 0;      // of durations (ms), sizes (bytes) and counts
    std::uint64_t max = 0;
    const char* unit = "";
    const char* choices = "";    // words, one blank between
    const char* none_word = "";  // what stands for zero or for nothing: "unlimited", "off"
    const char* refers = "";     // kind of section that must exist by this name
    bool required = false;
    bool (*needed)(const std::string& name, const void* section) = nullptr;  // required by others
    bool restart = false;  // a reload cannot change it
    bool secret = false;   // a URL whose password is not shown
    // A feature this version does not have: any value but `initial` and the `accepted` words is a
    // complaint, or with `inert` a warning that it does nothing.
    const char* later = "";
    const char* accepted = "";
    bool inert = false;
    void (*place)(void* section, const IniEntry& entry) = nullptr;  // for complaints found later
    const char* doc = "";
};

// What a new section begins as: its initial values, or a copy of the section "default" of its
// kind, which the reader opens first.
enum class Model : std::uint8_t { initial_values, default_section };

struct SectionKind {
    enum class Naming : std::uint8_t { alone, by_name, by_domain };
    // One row of a section whose keys are patterns.
    struct FreeRow {
        std::string key;
        std::string value;
    };
    using Visit = std::function<void(const std::string& name, const void* section)>;

    std::string kind;  // "listener"; "trust:smime" where the name is part of it
    Naming naming = Naming::alone;
    const char* doc = "";
    const char* later = "";  // a feature this version does not have: the section is a complaint
    Model model = Model::initial_values;
    std::vector<OptionRow> rows{};
    // Finds or makes the struct of [kind:name]; good until the next call.
    void* (*open)(Config& config, const std::string& name, const ConfigPlace& place) = nullptr;
    void (*each)(const Config& config, const Visit& visit) = nullptr;
    // Instead of rows: takes one key and its value; gives back what is wrong, or nothing.
    std::string (*take_free)(Config& config, const IniEntry& entry) = nullptr;
    std::vector<FreeRow> (*free_rows)(const Config& config) = nullptr;

    // "[listener:public]"
    std::string label(const std::string& name) const {
        return "[" + kind + (naming == Naming::alone ? "" : ":" + name) + "]";
    }
    const OptionRow* find(const std::string& key) const {
        for (const OptionRow& row : rows)
            if (key == row.key) return &row;
        return nullptr;
    }
};

// Every kind, in the order of the reference.
const std::vector<SectionKind>& option_sections();
// Their parts by subject, each in options_<subject>.cc.
std::vector<SectionKind> server_sections();
std::vector<SectionKind> smime_sections();
std::vector<SectionKind> policy_sections();
std::vector<SectionKind> delivery_sections();
std::vector<SectionKind> service_sections();

namespace option_units {
inline constexpr std::uint64_t second = 1000;
inline constexpr std::uint64_t minute = 60 * second;
inline constexpr std::uint64_t hour = 60 * minute;
inline constexpr std::uint64_t day = 24 * hour;
inline constexpr std::uint64_t kilo = 1024;
inline constexpr std::uint64_t mega = 1024 * kilo;
inline constexpr std::uint64_t giga = 1024 * mega;
inline constexpr std::uint64_t count_max = 1'000'000'000;
}  // namespace option_units

namespace detail {
template <typename Section, typename Field>
Section section_of(Field Section::*);
template <typename Section, typename Field>
Field field_of(Field Section::*);
}  // namespace detail

// The access to one member, such as field<&GatewayOptions::user>(). A bool may also be a choice of
// two words, the first of which is true.
template <auto member>
OptionAccess field() {
    using Section = decltype(detail::section_of(member));
    using Field = decltype(detail::field_of(member));
    return {
        [](void* section, OptionValue value) {
            Field& target = static_cast<Section*>(section)->*member;
            if constexpr (std::is_same_v<Field, bool>) {
                const auto* index = std::get_if<std::uint64_t>(&value);
                target = index ? *index == 0 : std::get<bool>(value);
            } else if constexpr (std::is_enum_v<Field> || std::is_integral_v<Field>) {
                target = static_cast<Field>(std::get<std::uint64_t>(value));
            } else {
                target = std::get<Field>(std::move(value));
            }
        },
        [](const void* section) -> OptionValue {
            const Field& source = static_cast<const Section*>(section)->*member;
            if constexpr (std::is_same_v<Field, bool>) {
                return source;
            } else if constexpr (std::is_enum_v<Field> || std::is_integral_v<Field>) {
                return static_cast<std::uint64_t>(source);
            } else {
                return source;
            }
        },
    };
}

// `open` and `each` for the three ways Config holds sections: one, a vector, a map.
template <auto member>
void open_one(SectionKind& kind) {
    kind.open = [](Config& config, const std::string&, const ConfigPlace&) -> void* {
        return &(config.*member);
    };
    kind.each = [](const Config& config, const SectionKind::Visit& visit) {
        visit("", &(config.*member));
    };
}

template <auto member>
void open_listed(SectionKind& kind) {
    kind.open = [](Config& config, const std::string& name, const ConfigPlace& place) -> void* {
        auto& section = (config.*member).emplace_back();
        section.name = name;
        section.place = place;
        return &section;
    };
    kind.each = [](const Config& config, const SectionKind::Visit& visit) {
        for (const auto& section : config.*member) visit(section.name, &section);
    };
}

template <auto member, auto name_member, Model model = Model::initial_values>
void open_mapped(SectionKind& kind) {
    kind.model = model;
    kind.open = [](Config& config, const std::string& name, const ConfigPlace& place) -> void* {
        auto& sections = config.*member;
        auto section = sections.find(name);
        if (section == sections.end()) {
            section = sections.try_emplace(name).first;
            const auto from = sections.find("default");
            if (model == Model::default_section && from != sections.end())
                section->second = from->second;
        }
        section->second.*name_member = name;
        section->second.place = place;
        return &section->second;
    };
    kind.each = [](const Config& config, const SectionKind::Visit& visit) {
        for (const auto& [name, section] : config.*member) visit(name, &section);
    };
}

}  // namespace sealgate
