// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/options.h"

#include <netdb.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <memory>
#include <system_error>
#include <thread>
#include <unordered_map>
#include <utility>

#include "core/host_pattern.h"
#include "core/ini.h"
#include "core/limits.h"
#include "core/options_check.h"
#include "core/options_table.h"
#include "core/options_values.h"

namespace sealgate {

namespace {

// The name by which others know this machine; it may ask the resolver, so it is asked once.
std::string find_machine_host_name() {
    char name[256] = "";
    if (gethostname(name, sizeof name - 1) != 0) return "localhost";
    std::string found = name;
    if (found.find('.') == std::string::npos) {
        addrinfo hints{};
        hints.ai_family = AF_UNSPEC;
        hints.ai_socktype = SOCK_STREAM;
        hints.ai_flags = AI_CANONNAME;
        addrinfo* answers = nullptr;
        if (getaddrinfo(name, nullptr, &hints, &answers) == 0) {
            if (answers && answers->ai_canonname) found = answers->ai_canonname;
            freeaddrinfo(answers);
        }
    }
    return is_host_name(found) ? lower_case(found) : "localhost";
}

const std::string& machine_host_name() {
    static const std::string name = find_machine_host_name();
    return name;
}

// What is there before the first line is read.
Config builtin_config() {
    Config config;
    config.gateway.crypto_threads = 0;  // asked of the machine unless written
    config.trust_tls.ca_system = true;
    using Action = MailFlowPolicyOptions::Action;
    for (const auto& [name, action] : {std::pair{"ACCEPTED", Action::accept},
                                       {"RELAYED", Action::relay},
                                       {"BLOCKED", Action::reject},
                                       {"THROTTLED", Action::accept},
                                       {"TRUSTED", Action::accept}}) {
        MailFlowPolicyOptions& policy = config.mail_flow_policies[name];
        policy.name = name;
        policy.action = action;
    }
    MailFlowPolicyOptions& throttled = config.mail_flow_policies["THROTTLED"];
    throttled.messages_per_connection_max = 20;
    throttled.recipients_per_message_max = 50;
    throttled.connections_per_host_max = 10;
    throttled.recipients_per_hour_max = 200;
    throttled.message_bytes_max = std::uint64_t{10} << 20;
    config.destinations["default"].domain = "default";
    config.bounce_profiles["default"].name = "default";
    return config;
}

// Values that depend on the machine or on another value.
void fill_in(Config& config) {
    GatewayOptions& gateway = config.gateway;
    if (gateway.hostname.empty()) gateway.hostname = machine_host_name();
    if (gateway.control_socket.empty()) gateway.control_socket = gateway.data_dir + "/control.sock";
    if (config.alerts.from.empty()) config.alerts.from = "postmaster@" + gateway.hostname;
    if (gateway.crypto_threads == 0)
        gateway.crypto_threads = std::clamp(std::thread::hardware_concurrency(), 2U, 257U) - 1;
    auto& policies = config.mail_policies;
    const auto is_other = [](const MailPolicyOptions& policy) { return policy.name != "DEFAULT"; };
    if (std::all_of(policies.begin(), policies.end(), is_other)) {
        MailPolicyOptions& last = policies.emplace_back();
        last.name = "DEFAULT";
        last.any_direction = true;
    }
    std::stable_partition(policies.begin(), policies.end(), is_other);
}

// The section "default" of a kind whose other sections begin as its copies.
bool is_model(const IniSection& section) {
    const auto& kinds = option_sections();
    return lower_case(section.name) == "default" &&
           std::any_of(kinds.begin(), kinds.end(), [&](const SectionKind& kind) {
               return kind.kind == section.kind && kind.model == Model::default_section;
           });
}

class Loader {
public:
    Loader() : reader_(loaded_.complaints) {}

    void read(std::string_view text, const std::string& file) { reader_.read(text, file); }
    void cannot_read(const std::string& path, std::string why) {
        unreadable_ = true;
        complain({path, 0}, std::move(why));
    }
    LoadedConfig finish();

private:
    void complain(const ConfigPlace& place, std::string what) {
        loaded_.complaints.push_back({place.file, place.line, 0, std::move(what)});
    }
    void take(const IniSection& section);
    void take_rows(const IniSection& section, const SectionKind& kind);
    void take_entry(const IniEntry& entry, const IniSection& section, const SectionKind& kind,
                    void* target);
    void check_later(const IniEntry& entry, const OptionRow& row, const OptionValue& value);
    void refer(const IniEntry& entry, const IniSection& section, const SectionKind& kind,
               const OptionRow& row, const OptionValue& value);
    const SectionKind* find_kind(const IniSection& section);
    void put_in_order();

    LoadedConfig loaded_;
    bool unreadable_ = false;  // such a file may hold what seems to be missing
    IniReader reader_;
    Config config_ = builtin_config();
    std::vector<Reference> references_;
    std::unordered_map<std::string, ConfigPlace> domains_;  // of [destination:DOMAIN], lower-case
};

const SectionKind* Loader::find_kind(const IniSection& section) {
    std::vector<std::string> names;
    for (const SectionKind& kind : option_sections()) {
        const bool alone = kind.naming == SectionKind::Naming::alone;
        const std::string written = section.kind + (section.named ? ":" + section.name : "");
        if (alone ? written == kind.kind : section.named && section.kind == kind.kind) return &kind;
        if (section.kind == kind.kind) {
            complain(section.place,
                     alone ? "[" + kind.kind + "] takes no name"
                           : "[" + kind.kind + "] needs a name: [" + kind.kind + ":NAME]");
            return nullptr;
        }
        names.push_back(kind.kind);
    }
    const std::string whole = section.label().substr(1, section.label().size() - 2);
    std::string nearest = nearest_name(whole, names);
    if (nearest.empty()) nearest = nearest_name(section.kind, names);
    complain(section.place, "unknown section " + section.label() +
                                (nearest.empty() ? "" : " (nearest known: " + nearest + ")"));
    return nullptr;
}

void Loader::take(const IniSection& section) {
    const SectionKind* kind = find_kind(section);
    if (!kind) return;
    if (*kind->later)
        complain(section.place,
                 section.label() + " needs " + kind->later + ", which this version does not have");
    if (!kind->take_free) return take_rows(section, *kind);
    for (const IniEntry& entry : section.entries) {
        std::string fault = kind->take_free(config_, entry);
        if (!fault.empty()) complain(entry.place, section.label() + " " + fault);
    }
}

void Loader::take_rows(const IniSection& section, const SectionKind& kind) {
    std::string name = section.name;
    if (kind.naming == SectionKind::Naming::by_domain) {
        name = lower_case(name);
        const auto [first, fresh] = domains_.try_emplace(name, section.place);
        if (!fresh)
            complain(section.place, section.label() + " is the domain of line " +
                                        std::to_string(first->second.line) + " again");
        if (name != "default" && !is_host_name(name))
            complain(section.place, section.label() + " is not for a domain");
    }
    void* target = kind.open(config_, name, section.place);
    for (const IniEntry& entry : section.entries) take_entry(entry, section, kind, target);
    for (const OptionRow& row : kind.rows) {
        const bool given =
            std::any_of(section.entries.begin(), section.entries.end(), [&](const IniEntry& entry) {
                return entry.key == row.key && (row.required || !entry.value.empty());
            });
        if (!given && (row.required || (row.needed && row.needed(section.name, target))))
            complain(section.place, section.label() + " lacks " + row.key);
    }
}

void Loader::take_entry(const IniEntry& entry, const IniSection& section, const SectionKind& kind,
                        void* target) {
    const OptionRow* row = kind.find(entry.key);
    if (!row) {
        std::vector<std::string> names;
        for (const OptionRow& known : kind.rows) names.emplace_back(known.key);
        const std::string nearest = nearest_name(entry.key, names);
        return complain(entry.place,
                        "unknown key " + in_quotes(entry.key) + " in " + section.label() +
                            (nearest.empty() ? "" : " (nearest known: " + nearest + ")"));
    }
    std::vector<ValueFault> faults;
    std::optional<OptionValue> value;
    if (row->required && entry.value.empty())
        faults.push_back({0, entry.key + " needs a value"});
    else
        value = parse_value(*row, entry.value, faults);
    for (ValueFault& fault : faults)
        complain({entry.place.file, locate(entry.lines, fault.offset).line}, std::move(fault.what));
    if (!value) return;
    if (*row->later) check_later(entry, *row, *value);
    if (*row->refers) refer(entry, section, kind, *row, *value);
    if (row->place) row->place(target, entry);
    row->access.put(target, *std::move(value));
}

void Loader::check_later(const IniEntry& entry, const OptionRow& row, const OptionValue& value) {
    const std::string text = format_value(row, value);
    const std::vector<std::string> accepted = split_words(row.accepted);
    if (text == row.initial || std::count(accepted.begin(), accepted.end(), text)) return;
    const std::string said = std::string(row.key) + " = " + cut_short(show_value(row, value));
    if (row.inert) {
        loaded_.warnings.push_back(
            {entry.place.file, entry.place.line, 0,
             said + " does nothing without " + row.later + ", which this version does not have"});
    } else {
        complain(entry.place, said + " needs " + row.later + ", which this version does not have");
    }
}

void Loader::refer(const IniEntry& entry, const IniSection& section, const SectionKind& kind,
                   const OptionRow& row, const OptionValue& value) {
    if (const auto* name = std::get_if<std::string>(&value)) {
        if (!name->empty()) references_.push_back({&kind, section.name, &row, *name, entry.place});
        return;
    }
    for (ListItem item : split_list(entry.value)) {
        if (row.syntax == Syntax::key_sources) {
            constexpr std::string_view directory = "directory:";
            if (!item.text.starts_with(directory)) continue;  // the others are no sections
            item.text.remove_prefix(directory.size());
        }
        if (item.text.empty()) continue;
        references_.push_back({&kind,
                               section.name,
                               &row,
                               std::string(item.text),
                               {entry.place.file, locate(entry.lines, item.offset).line}});
    }
}

// In the order of the files and their lines; no more than a person would read.
void Loader::put_in_order() {
    Complaints& complaints = loaded_.complaints;
    std::unordered_map<std::string, std::size_t> order;
    for (const std::string& file : config_.files) order.try_emplace(file, order.size());
    const auto rank = [&](const Complaint& complaint) {
        const auto found = order.find(complaint.file);
        return std::pair(found == order.end() ? order.size() : found->second, complaint.line);
    };
    std::stable_sort(complaints.begin(), complaints.end(),
                     [&](const Complaint& a, const Complaint& b) { return rank(a) < rank(b); });
    constexpr auto count_max = static_cast<std::size_t>(limits::config_complaints_max);
    if (complaints.size() <= count_max) return;
    const std::size_t more = complaints.size() - count_max;
    complaints.resize(count_max);
    complaints.push_back({complaints.back().file, complaints.back().line, 0,
                          std::to_string(more) + " more complaints are not shown"});
}

LoadedConfig Loader::finish() {
    IniDocument document = reader_.take_document();
    config_.files = std::move(document.files);
    std::stable_partition(document.sections.begin(), document.sections.end(), is_model);
    for (const IniSection& section : document.sections) take(section);
    if (!unreadable_) {
        fill_in(config_);
        check_references(config_, references_, loaded_.complaints);
        check_sections(config_, loaded_.complaints, loaded_.warnings);
    }
    put_in_order();
    if (!unreadable_) loaded_.draft = std::make_shared<const Config>(std::move(config_));
    if (loaded_.complaints.empty()) loaded_.config = loaded_.draft;
    return std::move(loaded_);
}

struct FileCloser {
    void operator()(std::FILE* file) const { std::fclose(file); }
};

// The text of a file, or why there is none. Reads one byte past the limit, for IniReader to see.
std::string read_file(const std::string& path, std::string& text) {
    errno = 0;
    const std::unique_ptr<std::FILE, FileCloser> file(std::fopen(path.c_str(), "rbe"));
    if (!file) return std::strerror(errno);
    char block[16384];
    while (text.size() <= limits::config_file_bytes_max) {
        const std::size_t bytes = std::fread(block, 1, sizeof block, file.get());
        if (bytes == 0) break;
        text.append(block, bytes);
    }
    return std::ferror(file.get()) ? std::strerror(errno) : "";
}

// The files PATH stands for, in name order; hidden ones are an editor's, not an operator's.
std::vector<std::string> files_of(const std::string& path, std::string& fault) {
    namespace fs = std::filesystem;
    std::error_code error;
    if (!fs::is_directory(path, error)) return {path};
    std::vector<std::string> names;
    fs::directory_iterator entry(path, error);
    for (; !error && entry != fs::directory_iterator(); entry.increment(error)) {
        const std::string name = entry->path().filename().string();
        if (!name.starts_with('.') && name.ends_with(".ini"))
            names.push_back(entry->path().string());
    }
    if (error) fault = "cannot be read: " + error.message();
    if (!error && names.empty()) fault = "is a directory without *.ini files";
    std::sort(names.begin(), names.end());
    return names;
}

}  // namespace

LoadedConfig load_config(const std::string& path) {
    Loader loader;
    std::string fault;
    const std::vector<std::string> files = files_of(path, fault);
    if (!fault.empty()) loader.cannot_read(path, fault);
    for (const std::string& file : files) {
        std::string text;
        const std::string why = read_file(file, text);
        if (why.empty())
            loader.read(text, file);
        else
            loader.cannot_read(file, "cannot be read: " + why);
    }
    return loader.finish();
}

LoadedConfig parse_config(const std::string& text, const std::string& name) {
    Loader loader;
    loader.read(text, name);
    return loader.finish();
}

LoadedConfig parse_config(const std::vector<ConfigText>& texts) {
    Loader loader;
    for (const ConfigText& one : texts) loader.read(one.text, one.name);
    return loader.finish();
}

Result<std::vector<ConfigText>> read_config_texts(const std::string& path, std::string* why) {
    std::string fault;
    std::vector<ConfigText> texts;
    for (const std::string& file : files_of(path, fault)) {
        texts.push_back({file, ""});
        const std::string trouble = read_file(file, texts.back().text);
        if (!trouble.empty() && fault.empty()) fault = file + ": cannot be read: " + trouble;
    }
    if (fault.empty()) return texts;
    if (why) *why = fault.starts_with(path) ? fault : path + " " + fault;
    return malformed("the configuration cannot be read");
}

}  // namespace sealgate
