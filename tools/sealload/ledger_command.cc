// SPDX-License-Identifier: GPL-3.0-or-later
// `sealload ledger SENT RECEIVED`.
#include <fmt/format.h>
#include <CLI/CLI.hpp>

#include <cstdio>
#include <memory>
#include <nlohmann/json.hpp>

#include "tools/sealload/ledger_compare.h"
#include "tools/sealload/load_command.h"

namespace sealgate {
namespace {

using nlohmann::json;

struct LedgerOptions {
    std::string sent;
    std::string received;
    bool once = false;
    bool json = false;
};

json rows_of(const std::vector<LedgerFindings::Row>& rows) {
    json list = json::array();
    for (const auto& row : rows)
        list.push_back(
            {{"message_id", row.message_id}, {"recipient", row.recipient}, {"times", row.times}});
    return list;
}

void print_json(const LedgerFindings& found) {
    const json answer = {{"accepted", found.accepted},
                         {"refused", found.refused},
                         {"unknown", found.unknown},
                         {"received", found.received},
                         {"dsns", found.dsns},
                         {"returned", found.returned},
                         {"unknown_received", found.unknown_received},
                         {"lost", rows_of(found.lost)},
                         {"duplicated", rows_of(found.duplicated)},
                         {"altered", rows_of(found.altered)},
                         {"unexpected", rows_of(found.unexpected)},
                         {"both", rows_of(found.both)},
                         {"neither", rows_of(found.neither)}};
    fmt::print("{}\n", answer.dump(2, ' ', false, json::error_handler_t::replace));
}

void print_rows(const char* what, const std::vector<LedgerFindings::Row>& rows) {
    constexpr std::size_t rows_shown_max = 100;
    for (std::size_t i = 0; i < rows.size() && i < rows_shown_max; ++i)
        fmt::print("{} {} for {}{}\n", what, rows[i].message_id, rows[i].recipient,
                   rows[i].times > 1 ? fmt::format(", {} times", rows[i].times) : "");
    if (rows.size() > rows_shown_max)
        fmt::print("{} and {} more\n", what, rows.size() - rows_shown_max);
}

void print_text(const LedgerFindings& found, bool once) {
    print_rows("lost", found.lost);
    print_rows("duplicated", found.duplicated);
    print_rows("altered", found.altered);
    print_rows("unexpected", found.unexpected);
    fmt::print("sent: {} accepted, {} refused, {} unknown; received: {} messages, {} DSNs\n",
               found.accepted, found.refused, found.unknown, found.received, found.dsns);
    fmt::print("lost {}, duplicated {}, altered {}, unexpected {}, returned by DSN {}\n",
               found.lost.size(), found.duplicated.size(), found.altered.size(),
               found.unexpected.size(), found.returned);
    if (!once) return;
    print_rows("encrypted and in clear", found.both);
    print_rows("neither encrypted nor in clear", found.neither);
    fmt::print("both {}, neither {}\n", found.both.size(), found.neither.size());
}

void compare(const LedgerOptions& options) {
    const auto sent = read_sent(options.sent);
    if (!sent) throw LoadFailed{exit_usage, options.sent + ": " + sent.error().what};
    const auto received = read_received(options.received);
    if (!received) throw LoadFailed{exit_usage, options.received + ": " + received.error().what};
    const LedgerFindings found = compare_ledgers(*sent, *received);
    if (options.once && found.formless > 0)
        throw LoadFailed{exit_usage, options.received +
                                         ": --expect-once wants a ledger of sink --verify, which "
                                         "knows each copy's form"};
    if (options.json)
        print_json(found);
    else
        print_text(found, options.once);
    const bool is_once = found.both.empty() && found.neither.empty();
    if (!found.lost.empty() || !found.altered.empty() || (options.once && !is_once))
        throw LoadFailed{exit_found, ""};
}

}  // namespace

void add_ledger_command(CLI::App& app) {
    auto options = std::make_shared<LedgerOptions>();
    CLI::App* ledger = app.add_subcommand(
        "ledger",
        "Name what was lost, doubled or altered; exit 1 when an accepted message is lost, or one "
        "is altered");
    ledger->add_option("SENT", options->sent, "Written by source --sent")->required();
    ledger->add_option("RECEIVED", options->received, "Written by sink --received")->required();
    ledger->add_flag("--expect-once", options->once,
                     "Exit 1 also when a recipient got a copy encrypted and one in clear, or none");
    ledger->add_flag("--json", options->json, "Answer in JSON");
    ledger->callback([options] { compare(*options); });
}

}  // namespace sealgate
