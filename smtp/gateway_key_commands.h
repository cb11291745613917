// SPDX-License-Identifier: GPL-3.0-or-later
// What the control socket may ask about keys of correspondents: key.add, key.import, key.list,
// key.show, key.remove, key.export, key.harvested, key.promote, key.known, key.is-manual.
//
// The command line uses the same commands on a key ring of its own while no gateway runs
// (tools/sealgate/key_channel.h). Certificates are parsed and checked on the worker pool; lists
// come in pages, each with what to ask for the next one. Loop thread.
//
//     key.add {name, pem}         → {outcome: "added" | "replaced", key}
//     key.import {keys: [{name, pem}…]} → {results: ["added" | "replaced" | {reason, error}…]}
//     key.list {search, after}    → {keys, next}       next: `after` of the next page, or absent
//     key.show {name}             → {key with pem}
//     key.remove {name}
//     key.export {after}          → {keys: [{name, pem}…], next}
//     key.harvested {search, from} → {keys, next}
//     key.promote {address, name} → {outcome, key}
//     key.known {address}         → {keys: [pem…]}   as KeyRing::certificates_of()
//     key.is-manual {pem}         → {manual}   whether this very certificate is a manual key
#pragma once

#include <nlohmann/json_fwd.hpp>

#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace sealgate {

class ControlServer;
class KeyRing;
class WorkerPool;

class KeyCommands {
public:
    using Answer = std::function<void(const nlohmann::json&)>;

    // A request has at most so many keys: the loop thread files them in one go.
    static constexpr std::size_t keys_per_request_max = 100;

    // `workers` may be null: then certificates are checked where they are asked for.
    KeyCommands(KeyRing& ring, WorkerPool* workers);
    ~KeyCommands();

    // Calls `answer` once, now or later, when what it says is durable; not when the key ring goes
    // before. The request's command is one of names().
    void handle(const nlohmann::json& request, Answer answer);
    static std::vector<std::string> names();

private:
    struct State;
    std::unique_ptr<State> state_;
};

void add_key_commands(ControlServer& control, KeyRing& ring, WorkerPool& workers);

}  // namespace sealgate
