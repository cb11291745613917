// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/mail_log_json.h"

#include <ctime>
#include <nlohmann/json.hpp>
#include <optional>
#include <utility>
#include <vector>

namespace sealgate {
namespace {

struct Form {
    const char* event;
    const char* text;  // literal, with {name} for a value; a value ends where the literal goes on
};

// The first that fits the whole line names the event; so the longer of two comes first.
// clang-format off
constexpr Form forms[] = {
    {"session.start",        "New SMTP ICID {icid} interface {interface} address {address} reverse dns host {host} verified {verified}"},
    {"session.policy",       "ICID {icid} {action} SG {group} match {match}"},
    {"session.tls",          "ICID {icid} TLS success protocol {protocol} cipher {cipher}"},
    {"session.close",        "ICID {icid} close"},
    {"message.start",        "Start MID {mid} ICID {icid}"},
    {"message.sender",       "MID {mid} ICID {icid} From: <{from}>"},
    {"message.recipient",    "MID {mid} ICID {icid} RID {rid} To: <{to}>"},
    {"message.id",           "MID {mid} Message-ID '{message_id}'"},
    {"message.subject",      "MID {mid} Subject \"{subject}\""},
    {"message.ready",        "MID {mid} ready {bytes} bytes from <{from}>"},
    {"message.policy",       "MID {mid} matched all recipients for per-recipient policy {policy} in the {table} table"},
    {"message.smime",        "MID {mid} S/MIME {operation} profile {profile}: {outcome}"},
    {"message.smime",        "MID {mid} S/MIME {operation}: {outcome}"},
    {"message.generated",    "MID {mid} was generated for {purpose} based on MID {parent} by {by}"},
    {"message.generated",    "MID {mid} was generated for {purpose} based on MID {parent}"},
    {"message.queued",       "MID {mid} queued for delivery"},
    {"delivery.response",    "MID {mid} RID [{rid}] Response '{response}'"},
    {"delivery.connect",     "New SMTP DCID {dcid} interface {interface} address {address} port {port}"},
    {"delivery.tls",         "DCID {dcid} TLS success protocol {protocol} cipher {cipher}"},
    {"delivery.start",       "Delivery start DCID {dcid} MID {mid} to RID [{rid}]"},
    {"delivery.done",        "Message done DCID {dcid} MID {mid} to RID [{rid}]"},
    {"delivery.bounced",     "Bounced: DCID {dcid} MID {mid} to RID {rid} - {status} - {reason} ({reply})"},
    {"delivery.delayed",     "Delayed: DCID {dcid} MID {mid} to RID {rid} - {status} - {reason} ({reply})"},
    {"delivery.close",       "DCID {dcid} close"},
    {"message.finished",     "Message finished MID {mid} {outcome}"},
};
constexpr std::pair<std::string_view, const char*> ids[] = {
    {"MID ", "mid"}, {"ICID ", "icid"}, {"DCID ", "dcid"}, {"RID ", "rid"},
};
// clang-format on

using Values = std::vector<std::pair<std::string_view, std::string_view>>;

std::optional<Values> fit(std::string_view form, std::string_view line) {
    Values values;
    for (;;) {
        const std::size_t open = form.find('{');
        const std::string_view literal = form.substr(0, open);
        if (line.substr(0, literal.size()) != literal) return {};
        line.remove_prefix(literal.size());
        if (open == form.npos) return line.empty() ? std::optional(values) : std::nullopt;
        const std::size_t close = form.find('}', open);
        const std::string_view name = form.substr(open + 1, close - open - 1);
        form.remove_prefix(close + 1);
        const std::string_view next = form.substr(0, form.find('{'));
        // A value at the end, or before the last literal, runs to the end: it may be any text.
        const bool last = form.size() == next.size();
        const std::size_t end = next.empty() ? line.size()
                                : last       ? line.rfind(next)
                                             : line.find(next);
        if (end == line.npos) return {};
        values.emplace_back(name, line.substr(0, end));
        line.remove_prefix(end);
    }
}

bool is_number(std::string_view text) {
    return !text.empty() && text.size() < 19 && text.find_first_not_of("0123456789") == text.npos;
}

void put(nlohmann::ordered_json& object, std::string_view name, std::string_view value) {
    const bool list = name == "rid" && value.find(',') != value.npos;  // "RID [0, 1]"
    if (is_number(value) && !list) {
        object[std::string(name)] = std::stoull(std::string(value));
    } else {
        object[std::string(name)] = value;
    }
}

// "MID 6" anywhere at a word's begin; the first of each kind.
void put_ids(nlohmann::ordered_json& object, std::string_view line) {
    for (const auto& [word, name] : ids) {
        std::size_t at = line.find(word);
        while (at != line.npos && at > 0 && line[at - 1] != ' ') at = line.find(word, at + 1);
        if (at == line.npos) continue;
        const std::string_view rest = line.substr(at + word.size());
        const std::string_view digits = rest.substr(0, rest.find_first_not_of("0123456789"));
        if (is_number(digits)) put(object, name, digits);
    }
}

std::string iso_time(std::int64_t wall_seconds) {
    const auto seconds = static_cast<std::time_t>(wall_seconds);
    std::tm utc{};
    gmtime_r(&seconds, &utc);
    char text[32];
    return {text, std::strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &utc)};
}

}  // namespace

std::string mail_log_json(std::int64_t wall_seconds, std::string_view level,
                          std::string_view line) {
    nlohmann::ordered_json object;
    object["time"] = iso_time(wall_seconds);
    object["level"] = level;
    std::optional<Values> values;
    const char* event = "other";
    for (const Form& form : forms) {
        values = fit(form.text, line);
        if (values) {
            event = form.event;
            break;
        }
    }
    object["event"] = event;
    if (values) {
        for (const auto& [name, value] : *values) put(object, name, value);
    } else {
        put_ids(object, line);
    }
    object["text"] = line;
    using Json = nlohmann::ordered_json;
    return object.dump(-1, ' ', false, Json::error_handler_t::replace);
}

}  // namespace sealgate
