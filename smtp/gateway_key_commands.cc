// SPDX-License-Identifier: GPL-3.0-or-later
#include "smtp/gateway_key_commands.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <ctime>
#include <list>

#include "core/workers.h"
#include "crypto/key_file.h"
#include "crypto/key_ring.h"
#include "crypto/pem.h"
#include "smtp/control.h"
#include "smtp/key_report.h"

namespace sealgate {
namespace {

using nlohmann::json;

constexpr std::size_t rows_per_page_max = 100;

// A key that is to be added: as it was sent, and then what became of it.
struct Candidate {
    std::string name, pem;
    CertificatePtr certificate;
    SmimeCapabilities capabilities;
    std::string reason, error;  // why it is refused; empty: it is not
    KeyRing::Added added = KeyRing::Added::added;

    void refuse(std::string_view why, std::string sentence) {
        reason = why;
        error = std::move(sentence);
    }
};

json refusal(std::string_view what, std::string_view reason = "not-found") {
    return {{"ok", false}, {"error", what}, {"reason", reason}};
}

std::string text_of(const json& request, const char* name) {
    const auto member = request.find(name);
    return member != request.end() && member->is_string() ? member->get<std::string>() : "";
}

void parse_candidate(Candidate& candidate) {
    const auto blocks = read_pem(as_bytes(candidate.pem));
    if (!blocks) return candidate.refuse("malformed", blocks.error().what);
    if (blocks->size() != 1)
        return candidate.refuse("malformed", "one PEM block with a certificate is wanted");
    const PemBlock& block = blocks->front();
    if (block.is_private_key())
        return candidate.refuse("private-key", to_sentence(KeyFileEntry::Problem::private_key));
    if (!block.is_certificate())
        return candidate.refuse("not-certificate",
                                to_sentence(KeyFileEntry::Problem::not_certificate));
    auto parsed = Certificate::parse(block.der.bytes());
    if (!parsed)
        return candidate.refuse(
            parsed.error().kind == ErrorKind::unsupported ? "unsupported-algorithm" : "malformed",
            parsed.error().what);
    candidate.certificate = *std::move(parsed);
    candidate.capabilities = capabilities_of(*candidate.certificate);  // RFC 4262, where it says
}

void check(Candidate& candidate, std::int64_t now) {
    if (!is_key_name(candidate.name))
        return candidate.refuse("bad-name", to_sentence(KeyFileEntry::Problem::bad_name));
    if (!candidate.certificate) parse_candidate(candidate);
    if (!candidate.certificate) return;
    const Reason reason = usable_for_encryption(*candidate.certificate, now);
    if (reason != Reason::ok)
        candidate.refuse(to_word(reason), why_not_usable(*candidate.certificate, reason));
}

const char* to_word(KeyRing::Added added) {
    return added == KeyRing::Added::added ? "added" : "replaced";
}

}  // namespace

struct KeyCommands::State {
    // Candidates of one request on their way through the checks and into the store.
    struct Filing {
        std::vector<Candidate> candidates;
        std::size_t unwritten = 0;
        std::function<void(const Filing&)> finished;
    };
    using FilingPtr = std::shared_ptr<Filing>;

    State(KeyRing& key_ring, WorkerPool* pool) : ring(key_ring), workers(pool) {}

    void file(std::vector<Candidate> candidates, std::function<void(const Filing&)> finished);
    void on_checked(const FilingPtr& filing);

    void add(const json& request, const Answer& answer);
    void import(const json& request, const Answer& answer);
    json list(const json& request) const;
    json show(const json& request) const;
    void remove(const json& request, const Answer& answer);
    json export_page(const json& request) const;
    json harvested(const json& request) const;
    void promote(const json& request, const Answer& answer);
    json known(const json& request) const;
    json is_manual(const json& request) const;
    static void answer_added(const Filing& filing, const Answer& answer);

    KeyRing& ring;
    WorkerPool* workers;
    std::list<WorkerPool::Ticket> checking;
};

void KeyCommands::State::file(std::vector<Candidate> candidates,
                              std::function<void(const Filing&)> finished) {
    auto filing = std::make_shared<Filing>();
    filing->finished = std::move(finished);
    auto work = [candidates = std::move(candidates), now = std::time(nullptr)]() mutable {
        for (Candidate& candidate : candidates) check(candidate, now);
        return std::move(candidates);
    };
    if (!workers) {
        filing->candidates = work();
        return on_checked(filing);
    }
    const auto ticket = checking.emplace(checking.end());
    *ticket =
        workers->submit(std::move(work), [this, filing, ticket](std::vector<Candidate> checked) {
            filing->candidates = std::move(checked);
            on_checked(filing);
            checking.erase(ticket);
        });
}

void KeyCommands::State::on_checked(const FilingPtr& filing) {
    filing->unwritten = 1;  // ours, so that it does not finish before all were handed over
    const auto end_one = [filing] {
        if (--filing->unwritten == 0) filing->finished(*filing);
    };
    for (std::size_t i = 0; i < filing->candidates.size(); ++i) {
        Candidate& candidate = filing->candidates[i];
        if (!candidate.reason.empty()) continue;
        ++filing->unwritten;
        candidate.added =
            ring.add({candidate.name, candidate.certificate, candidate.capabilities},
                     [filing, i, end_one](Result<void> written) {
                         if (!written)
                             filing->candidates[i].refuse("not-stored", written.error().what);
                         end_one();
                     });
    }
    end_one();
}

void KeyCommands::State::answer_added(const Filing& filing, const Answer& answer) {
    const Candidate& candidate = filing.candidates.front();
    if (!candidate.reason.empty()) return answer(refusal(candidate.error, candidate.reason));
    answer({{"ok", true},
            {"outcome", to_word(candidate.added)},
            {"key", to_json(KeyRing::Manual{candidate.name, candidate.certificate,
                                            candidate.capabilities})}});
}

void KeyCommands::State::add(const json& request, const Answer& answer) {
    std::vector<Candidate> candidates(1);
    candidates.front().name = text_of(request, "name");
    candidates.front().pem = text_of(request, "pem");
    file(std::move(candidates), [answer](const Filing& filing) { answer_added(filing, answer); });
}

void KeyCommands::State::import(const json& request, const Answer& answer) {
    const auto keys = request.find("keys");
    if (keys == request.end() || !keys->is_array() || keys->size() > keys_per_request_max)
        return answer(refusal("wants keys, at most 100", "malformed"));
    std::vector<Candidate> candidates;
    for (const json& key : *keys) {
        candidates.emplace_back();
        if (!key.is_object()) continue;  // without a name it is refused
        candidates.back().name = text_of(key, "name");
        candidates.back().pem = text_of(key, "pem");
    }
    file(std::move(candidates), [answer](const Filing& filing) {
        json results = json::array();
        for (const Candidate& candidate : filing.candidates) {
            if (candidate.reason.empty()) {
                results.push_back(to_word(candidate.added));
            } else {
                results.push_back({{"reason", candidate.reason}, {"error", candidate.error}});
            }
        }
        answer({{"ok", true}, {"results", std::move(results)}});
    });
}

json KeyCommands::State::list(const json& request) const {
    const auto page =
        ring.list_manual(text_of(request, "search"), text_of(request, "after"), rows_per_page_max);
    json answer = {{"ok", true}, {"keys", json::array()}};
    for (const KeyRing::Manual& key : page.rows) answer["keys"].push_back(to_json(key));
    if (page.next) answer["next"] = *page.next;
    return answer;
}

json KeyCommands::State::show(const json& request) const {
    const auto key = ring.manual(text_of(request, "name"));
    if (!key) return refusal("there is no key of that name");
    json answer = {{"ok", true}, {"key", to_json(*key)}};
    answer["key"]["pem"] = pem_of(*key->certificate);
    return answer;
}

void KeyCommands::State::remove(const json& request, const Answer& answer) {
    const bool was_there = ring.remove(text_of(request, "name"), [answer](Result<void> written) {
        answer(written ? json{{"ok", true}} : refusal(written.error().what, "not-stored"));
    });
    if (!was_there) answer(refusal("there is no key of that name"));
}

json KeyCommands::State::export_page(const json& request) const {
    const auto page = ring.list_manual("", text_of(request, "after"), rows_per_page_max);
    json answer = {{"ok", true}, {"keys", json::array()}};
    for (const KeyRing::Manual& key : page.rows)
        answer["keys"].push_back({{"name", key.name}, {"pem", pem_of(*key.certificate)}});
    if (page.next) answer["next"] = *page.next;
    return answer;
}

json KeyCommands::State::harvested(const json& request) const {
    const auto from = request.find("from");
    const bool is_number = from != request.end() && from->is_number_unsigned();
    const auto page = ring.list_harvested(
        text_of(request, "search"), is_number ? from->get<std::uint32_t>() : 0, rows_per_page_max);
    json answer = {{"ok", true}, {"keys", json::array()}};
    for (const KeyRing::Harvested& key : page.rows) answer["keys"].push_back(to_json(key));
    if (page.next) answer["next"] = *page.next;
    return answer;
}

void KeyCommands::State::promote(const json& request, const Answer& answer) {
    const auto key = ring.harvested(text_of(request, "address"));
    if (!key) return answer(refusal("there is no harvested key of that address"));
    std::vector<Candidate> candidates(1);
    candidates.front().name = text_of(request, "name");
    candidates.front().certificate = key->certificate;
    candidates.front().capabilities = key->capabilities;
    file(std::move(candidates), [answer](const Filing& filing) { answer_added(filing, answer); });
}

// The two questions of who verifies a message elsewhere (crypto/known_keys.h).
json KeyCommands::State::known(const json& request) const {
    json answer = {{"ok", true}, {"keys", json::array()}};
    for (const CertificatePtr& certificate : ring.certificates_of(text_of(request, "address")))
        answer["keys"].push_back(pem_of(*certificate));
    return answer;
}

json KeyCommands::State::is_manual(const json& request) const {
    Candidate candidate;
    candidate.pem = text_of(request, "pem");
    parse_candidate(candidate);
    if (!candidate.certificate) return refusal(candidate.error, candidate.reason);
    return {{"ok", true}, {"manual", ring.is_manual(*candidate.certificate)}};
}

KeyCommands::KeyCommands(KeyRing& ring, WorkerPool* workers)
    : state_(std::make_unique<State>(ring, workers)) {}
KeyCommands::~KeyCommands() = default;

std::vector<std::string> KeyCommands::names() {
    return {"key.add",    "key.import",    "key.list",    "key.show",  "key.remove",
            "key.export", "key.harvested", "key.promote", "key.known", "key.is-manual"};
}

void KeyCommands::handle(const json& request, Answer answer) {
    const std::string name = text_of(request, "command");
    if (name == "key.add") return state_->add(request, answer);
    if (name == "key.import") return state_->import(request, answer);
    if (name == "key.list") return answer(state_->list(request));
    if (name == "key.show") return answer(state_->show(request));
    if (name == "key.remove") return state_->remove(request, answer);
    if (name == "key.export") return answer(state_->export_page(request));
    if (name == "key.harvested") return answer(state_->harvested(request));
    if (name == "key.promote") return state_->promote(request, answer);
    if (name == "key.known") return answer(state_->known(request));
    if (name == "key.is-manual") return answer(state_->is_manual(request));
    answer(refusal("unknown command", "malformed"));
}

void add_key_commands(ControlServer& control, KeyRing& ring, WorkerPool& workers) {
    const auto commands = std::make_shared<KeyCommands>(ring, &workers);
    for (const std::string& name : KeyCommands::names())
        control.on(name, [commands](const json& request, const ControlServer::Answer& answer) {
            commands->handle(request, answer);
        });
}

}  // namespace sealgate
