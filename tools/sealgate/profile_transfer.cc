// SPDX-License-Identifier: GPL-3.0-or-later
// `sealgate profile import | export`: sending profiles as a file of INI sections.
//
// An import is checked together with the whole configuration before a byte of it is written. Into a
// directory it writes 90-imported-profiles.ini, of a single file the sections go to its end; a
// profile that is replaced leaves the file it was in. Files change by rename, with the old one
// beside as NAME.bak.
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>
#include <CLI/CLI.hpp>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <iterator>
#include <nlohmann/json.hpp>

#include "core/ini.h"
#include "core/ini_edit.h"
#include "core/limits.h"
#include "core/options.h"
#include "core/text.h"
#include "smtp/gateway_state.h"
#include "tools/sealgate/command_context.h"
#include "tools/sealgate/control_client.h"
#include "tools/sealgate/profile_commands.h"

namespace sealgate {
namespace {

using nlohmann::json;
namespace fs = std::filesystem;

constexpr const char* imported_file = "90-imported-profiles.ini";
constexpr const char* profile_kind = "sending-profile";

std::string label_of(const std::string& name) {
    return std::string("[") + profile_kind + ":" + name + "]";
}

[[noreturn]] void fail(const std::string& path) {
    throw CommandFailed{exit_refused, path + ": " + std::strerror(errno)};
}

std::string read_all(const std::string& path) {
    const auto begin = [](std::istream& in) { return std::istreambuf_iterator<char>(in); };
    if (path == "-") return {begin(std::cin), {}};
    errno = 0;
    std::ifstream file(path, std::ios::binary);
    std::string text(begin(file), {});
    if (!file) {
        if (errno == 0) errno = EIO;
        fail(path);
    }
    return text;
}

// Whole or not at all; keeps mode and owner of the file that was there.
void write_whole(const std::string& path, const std::string& text) {
    struct stat before {};
    const bool is_new = stat(path.c_str(), &before) != 0;
    const std::string part = path + ".part";
    const mode_t mode = is_new ? 0644 : before.st_mode & 07777;
    const int file = open(part.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, mode);
    if (file < 0) fail(part);
    bool done = is_new || fchmod(file, mode) == 0;
    if (!is_new && (before.st_uid != geteuid() || before.st_gid != getegid()))
        done = fchown(file, before.st_uid, before.st_gid) == 0 && done;
    for (std::size_t at = 0; done && at < text.size();) {
        const ssize_t bytes = write(file, text.data() + at, text.size() - at);
        if (bytes < 0 && errno == EINTR) continue;
        done = bytes > 0;
        if (done) at += static_cast<std::size_t>(bytes);
    }
    done = fsync(file) == 0 && done;
    done = close(file) == 0 && done;
    if (done && rename(part.c_str(), path.c_str()) == 0) return;
    const int why = errno;
    unlink(part.c_str());
    errno = why;
    fail(path);
}

void print_complaints(CommandContext& context, const Complaints& complaints) {
    json rows = json::array();
    for (const Complaint& complaint : complaints) {
        std::fprintf(stderr, "%s\n", complaint.to_text().c_str());
        rows.push_back(complaint.to_text());
    }
    if (context.json) fmt::print("{}\n", json{{"ok", false}, {"complaints", rows}}.dump(2));
    std::fflush(stdout);
    throw CommandFailed{exit_configuration, "nothing was changed"};
}

class Import {
public:
    Import(CommandContext& context, std::string path, bool replace)
        : context_(context), path_(std::move(path)), replace_(replace) {}

    void run() {
        config_ = context_.config();
        text_ = read_all(path_);
        sort_out();
        if (!taken_.empty()) {
            plan();
            store();
            reload();
        }
        tell();
    }

private:
    std::string said_path() const { return path_ == "-" ? "standard input" : path_; }

    // Which of the file's profiles are new, known, or not profiles at all.
    void sort_out() {
        Complaints complaints;
        IniReader reader(complaints);
        reader.read(text_, said_path());
        const IniDocument document = reader.take_document();
        for (const IniSection& section : document.sections) {
            if (section.kind != profile_kind || !section.named) {
                complaints.push_back({section.place.file, section.place.line, 0,
                                      section.label() + " is no sending profile"});
                continue;
            }
            const bool known = config_->sending_profiles.contains(section.name);
            (!known ? added_ : replace_ ? replaced_ : refused_).push_back(section.name);
            (known && !replace_ ? left_ : taken_).insert(section.label());
        }
        if (document.sections.empty() && complaints.empty())
            complaints.push_back({said_path(), 0, 0, "there is no sending profile in it"});
        if (!complaints.empty()) print_complaints(context_, complaints);
    }

    // What the files would be, and whether the gateway could start with them.
    void plan() {
        std::string why;
        const auto texts = read_config_texts(context_.config_path, &why);
        if (!texts) throw CommandFailed{exit_configuration, why};
        std::set<std::string> replaced;
        for (const std::string& name : replaced_) replaced.insert(label_of(name));
        std::vector<ConfigText> candidate;
        for (const ConfigText& file : *texts) {
            std::string edited = edit_sections(file.text, replaced, SectionEdit::remove);
            candidate.push_back({file.name, edited});
            if (edited != file.text) changed_.push_back({file.name, std::move(edited)});
        }
        candidate.push_back({said_path(), edit_sections(text_, left_, SectionEdit::blank)});
        const CheckedState checked = check_configuration_texts(candidate, DemoCertificate::leave);
        if (!checked.state) print_complaints(context_, checked.complaints);
        for (const Complaint& warning : checked.warnings)
            std::fprintf(stderr, "warning: %s\n", warning.to_text().c_str());
        plan_target(*texts);
    }

    // The file that takes the new sections is written last: those they replace are gone by then.
    void plan_target(const std::vector<ConfigText>& texts) {
        const bool is_directory = fs::is_directory(context_.config_path);
        target_ = is_directory ? (fs::path(context_.config_path) / imported_file).string()
                               : context_.config_path;
        ConfigText target{target_, ""};
        for (const ConfigText& file : texts)
            if (file.name == target_) target.text = file.text;
        for (const ConfigText& file : changed_)
            if (file.name == target_) target.text = file.text;
        std::erase_if(changed_, [&](const ConfigText& file) { return file.name == target_; });
        if (target.text.empty() && is_directory)
            target.text = "# Written by `sealgate profile import`.\n";
        if (!target.text.empty() && target.text.back() != '\n') target.text += '\n';
        while (target.text.ends_with("\n\n")) target.text.pop_back();
        target.text += "\n" + edit_sections(text_, taken_, SectionEdit::keep);
        if (target.text.back() != '\n') target.text += '\n';
        changed_.push_back(std::move(target));
    }

    void store() const {
        for (const ConfigText& file : changed_) {
            std::error_code absent;
            const fs::path real = fs::canonical(file.name, absent);
            if (!absent) write_backup(real.string());
            write_whole(absent ? file.name : real.string(), file.text);
        }
    }
    static void write_backup(const std::string& path) {
        std::error_code error;
        fs::copy_file(path, path + ".bak", fs::copy_options::overwrite_existing, error);
        if (error) throw CommandFailed{exit_refused, path + ".bak: " + error.message()};
    }

    void reload() {
        const auto answer =
            control_request(config_->gateway.control_socket, {{"command", "reload"}});
        if (!answer) return;
        in_effect_ = answer->value("ok", false);
        if (!in_effect_) trouble_ = "the gateway did not take it: " + answer->value("error", "");
    }

    void tell() const {
        if (context_.json) {
            json refused = json::array();
            for (const std::string& name : refused_)
                refused.push_back({{"name", name}, {"reason", "exists"}});
            fmt::print("{}\n", json{{"ok", trouble_.empty()},
                                    {"added", added_},
                                    {"replaced", replaced_},
                                    {"refused", refused},
                                    {"file", target_},
                                    {"in_effect", in_effect_}}
                                   .dump(2));
        } else {
            fmt::print("added {}, replaced {}, refused {}\n", added_.size(), replaced_.size(),
                       refused_.size());
            for (const std::string& name : refused_)
                fmt::print("  {}: there is one of that name; --replace takes its place\n", name);
            if (!target_.empty())
                fmt::print("written to {}{}\n", target_,
                           in_effect_         ? "; in effect"
                           : trouble_.empty() ? "; no gateway runs"
                                              : "");
        }
        std::fflush(stdout);
        if (!trouble_.empty()) throw CommandFailed{exit_configuration, trouble_};
        if (taken_.empty()) throw CommandFailed{exit_refused, "no profile was taken"};
    }

    CommandContext& context_;
    std::string path_;
    bool replace_;
    std::shared_ptr<const Config> config_;
    std::string text_;
    std::vector<std::string> added_, replaced_, refused_;  // names
    std::set<std::string> taken_, left_;                   // labels
    std::vector<ConfigText> changed_;                      // files, as they will be
    std::string target_;
    bool in_effect_ = false;
    std::string trouble_;
};

void export_file(CommandContext& context, const std::string& path) {
    const auto config = context.config();
    const std::string text = show_sections(*config, profile_kind);
    if (path == "-") {
        fmt::print("{}", text);
        return;
    }
    write_whole(path, text);
    const std::size_t count = config->sending_profiles.size();
    if (context.json) {
        fmt::print("{}\n", json{{"ok", true}, {"exported", count}, {"output", path}}.dump(2));
    } else {
        fmt::print("{} profiles exported to {}\n", count, path);
    }
}

}  // namespace

void add_profile_transfer(CLI::App& profile, CommandContext& context) {
    struct Options {
        std::string path;
        bool replace = false;
    };
    auto options = std::make_shared<Options>();
    CLI::App* import_command = profile.add_subcommand(
        "import", "Put the sending profiles of a file into the configuration");
    import_command->add_option("FILE", options->path, "The file, or -")->required();
    import_command->add_flag("--replace", options->replace,
                             "Profiles that exist are replaced instead of refused");
    import_command->callback(
        [&context, options] { Import(context, options->path, options->replace).run(); });

    CLI::App* export_command =
        profile.add_subcommand("export", "Write all sending profiles into one INI file");
    export_command->add_option("FILE", options->path, "The file, or -")->required();
    export_command->callback([&context, options] { export_file(context, options->path); });
}

}  // namespace sealgate
