// SPDX-License-Identifier: GPL-3.0-or-later
// `sealgate key import | export`: the text file of crypto/key_file.h.
//
// Import goes in requests of a hundred keys, each durable before the next is sent: what was
// counted is stored, however the command ends. Ctrl-C ends it behind the request under way.
#include <fmt/format.h>
#include <unistd.h>
#include <CLI/CLI.hpp>

#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <map>

#include "core/mail_log.h"
#include "crypto/key_file.h"
#include "smtp/gateway_key_commands.h"
#include "tools/sealgate/command_context.h"
#include "tools/sealgate/key_channel.h"
#include "tools/sealgate/key_commands.h"

namespace sealgate {
namespace {

using nlohmann::json;

constexpr std::size_t request_bytes_max = 256 * 1024;
constexpr std::size_t told_of_each_reason_max = 5;
constexpr std::uint64_t progress_every = 500;

std::atomic<bool> interrupted{false};

struct FileCloser {
    void operator()(std::FILE* file) const {
        if (file != stdin && file != stdout) std::fclose(file);
    }
};
using File = std::unique_ptr<std::FILE, FileCloser>;

File open_file(const std::string& path, const char* mode, std::FILE* standard) {
    File file(path == "-" ? standard : std::fopen(path.c_str(), mode));
    if (!file) throw CommandFailed{exit_refused, path + ": " + std::strerror(errno)};
    return file;
}

// "\r12,000 keys" on a terminal, nothing elsewhere.
class Progress {
public:
    void tell(std::uint64_t count) {
        if (!is_terminal_ || count < told_ + progress_every) return;
        told_ = count;
        fmt::print(stderr, "\r{} keys", count);
    }
    ~Progress() {
        if (told_ > 0) fmt::print(stderr, "\r\033[K");
    }

private:
    bool is_terminal_ = isatty(STDERR_FILENO) != 0;
    std::uint64_t told_ = 0;
};

struct Refused {
    std::uint64_t count = 0;
    std::string sentence;  // of the first
    struct Row {
        std::string name;
        std::uint64_t line;
        std::string sentence;
    };
    std::vector<Row> first;
};

class Import {
public:
    explicit Import(const Config& config) : channel_(config, StoredKeysNeed::manual) {}

    void take(KeyFileEntry entry) {
        using Problem = KeyFileEntry::Problem;
        if (interrupted) return;
        if (entry.problem != Problem::none)
            return refuse(entry, to_word(entry.problem), to_sentence(entry.problem));
        waiting_bytes_ += entry.pem.size() + entry.name.size();
        waiting_.push_back(std::move(entry));
        if (waiting_.size() == KeyCommands::keys_per_request_max ||
            waiting_bytes_ > request_bytes_max)
            send();
    }
    void send() {
        if (waiting_.empty()) return;
        json request = {{"command", "key.import"}, {"keys", json::array()}};
        for (const KeyFileEntry& entry : waiting_)
            request["keys"].push_back({{"name", entry.name}, {"pem", entry.pem}});
        const json answer = channel_.ask(request);
        for (std::size_t i = 0; i < waiting_.size(); ++i) count(waiting_[i], answer["results"][i]);
        waiting_.clear();
        waiting_bytes_ = 0;
        progress_.tell(added_ + replaced_ + refused_);
    }

    json to_json() const {
        json summary = {{"ok", true},
                        {"added", added_},
                        {"replaced", replaced_},
                        {"refused", refused_},
                        {"reasons", json::object()},
                        {"in_effect", channel_.by_gateway()}};
        for (const auto& [reason, rows] : reasons_) {
            json first = json::array();
            for (const Refused::Row& row : rows.first)
                first.push_back({{"name", row.name}, {"line", row.line}, {"error", row.sentence}});
            summary["reasons"][reason] = {{"count", rows.count}, {"first", first}};
        }
        return summary;
    }
    void print() const {
        fmt::print("added {}, replaced {}, refused {}\n", added_, replaced_, refused_);
        for (const auto& [reason, rows] : reasons_) {
            fmt::print("  {} {}:\n", rows.count, reason);
            for (const Refused::Row& row : rows.first)
                fmt::print("    line {}: {}{}{}\n", row.line, row.name,
                           row.name.empty() ? "" : ": ", row.sentence);
            if (rows.count > rows.first.size())
                fmt::print("    and {} more\n", rows.count - rows.first.size());
        }
    }
    bool stored_nothing() const { return added_ + replaced_ == 0 && refused_ > 0; }

private:
    void count(const KeyFileEntry& entry, const json& result) {
        if (result == "added") {
            ++added_;
        } else if (result == "replaced") {
            ++replaced_;
        } else {
            refuse(entry, result.value("reason", "refused"), result.value("error", ""));
        }
    }
    void refuse(const KeyFileEntry& entry, const std::string& reason, const std::string& sentence) {
        ++refused_;
        Refused& rows = reasons_[reason];
        ++rows.count;
        if (rows.first.size() < told_of_each_reason_max)
            rows.first.push_back({entry.name, entry.line, sentence});
    }

    KeyChannel channel_;
    Progress progress_;
    std::vector<KeyFileEntry> waiting_;
    std::size_t waiting_bytes_ = 0;
    std::uint64_t added_ = 0, replaced_ = 0, refused_ = 0;
    std::map<std::string, Refused> reasons_;
};

void read_into(Import& import, std::FILE* file, const std::string& path) {
    KeyFileReader reader([&](KeyFileEntry entry) { import.take(std::move(entry)); });
    char buffer[64 * 1024];
    while (!interrupted) {
        const std::size_t bytes = std::fread(buffer, 1, sizeof buffer, file);
        reader.feed({buffer, bytes});
        if (bytes == sizeof buffer) continue;
        if (std::ferror(file) && !interrupted)
            throw CommandFailed{exit_refused, path + ": " + std::strerror(errno)};
        if (std::feof(file)) reader.finish();
        break;
    }
    if (!interrupted) import.send();
}

void import_file(CommandContext& context, const std::string& path) {
    const auto config = context.config();
    const File file = open_file(path, "rb", stdin);
    struct sigaction action {};
    action.sa_handler = [](int) { interrupted = true; };  // no SA_RESTART: a read ends, too
    sigaction(SIGINT, &action, nullptr);
    sigaction(SIGTERM, &action, nullptr);
    Import import(*config);
    std::optional<CommandFailed> failed;
    try {
        read_into(import, file.get(), path);
    } catch (const CommandFailed& why) {
        failed = why;  // what was stored before is told all the same
    }
    if (interrupted && !failed)
        failed = CommandFailed{exit_refused, "interrupted; what is counted above is stored"};
    if (context.json) {
        json summary = import.to_json();
        summary["ok"] = !failed;
        if (failed) summary["error"] = failed->what;
        fmt::print("{}\n", summary.dump(2, ' ', false, json::error_handler_t::replace));
    } else {
        import.print();
    }
    std::fflush(stdout);
    if (failed) throw *failed;
    if (import.stored_nothing()) throw CommandFailed{exit_refused, path + ": no key was stored"};
}

void export_file(CommandContext& context, const std::string& path) {
    KeyChannel channel(*context.config(), StoredKeysNeed::manual);
    // A whole file or none: it gets its name at the end.
    const std::string part = path == "-" ? path : path + ".part";
    File file = open_file(part, "wb", stdout);
    std::uint64_t count = 0;
    Progress progress;
    json request = {{"command", "key.export"}};
    bool is_written = true;
    for (;;) {
        const json page = channel.ask(request);
        for (const json& key : page["keys"]) {
            const std::string text =
                fmt::format("# name: {}\n{}", key.value("name", ""), key.value("pem", ""));
            is_written =
                std::fwrite(text.data(), 1, text.size(), file.get()) == text.size() && is_written;
            progress.tell(++count);
        }
        if (!page.contains("next")) break;
        request["after"] = page["next"];
    }
    is_written = std::fflush(file.get()) == 0 && is_written;
    if (path == "-") return;
    is_written = fsync(fileno(file.get())) == 0 && is_written;
    file.reset();
    if (!is_written || std::rename(part.c_str(), path.c_str()) != 0) {
        const std::string why = std::strerror(errno);
        std::remove(part.c_str());
        throw CommandFailed{exit_refused, path + ": " + why};
    }
    if (context.json) {
        fmt::print("{}\n", json{{"ok", true}, {"exported", count}, {"output", path}}.dump(2));
    } else {
        fmt::print("{} keys exported to {}\n", count, path);
    }
}

}  // namespace

void add_key_transfer(CLI::App& key, CommandContext& context) {
    auto path = std::make_shared<std::string>();
    CLI::App* import_command = key.add_subcommand(
        "import", "Add all keys of a file: PEM blocks, each behind a line \"# name: NAME\"");
    import_command->add_option("FILE", *path, "The file, or -")->required();
    import_command->callback([&context, path] { import_file(context, *path); });

    CLI::App* export_command =
        key.add_subcommand("export", "Write all manual keys into one text file");
    export_command->add_option("FILE", *path, "The file, or -")->required();
    export_command->callback([&context, path] { export_file(context, *path); });
}

}  // namespace sealgate
