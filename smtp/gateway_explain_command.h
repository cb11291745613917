// SPDX-License-Identifier: GPL-3.0-or-later
// What the control socket may ask about a message that could be sent: `explain`.
//
//     explain {from, to, bcc, subject, headers, incoming, ip, listener, sender_group}
//         → smtp/explain_report.h
//
// All but `to` or `bcc` may be left out. The command line uses the same command with a key ring of
// its own while no gateway runs. Loop thread.
#pragma once

#include <nlohmann/json_fwd.hpp>

#include <functional>
#include <memory>

#include "smtp/gateway_state.h"
#include "smtp/outgoing.h"

namespace sealgate {

class ControlServer;
class Loop;

class ExplainCommand {
public:
    using Answer = std::function<void(const nlohmann::json&)>;

    // `state`: the configuration in force, asked for each question.
    ExplainCommand(Loop& loop, KeySources sources, std::function<GatewayStatePtr()> state);
    ~ExplainCommand();  // what is not answered yet never is

    // Calls `answer` once, now or when directories have answered.
    void handle(const nlohmann::json& request, Answer answer);

private:
    struct State;
    std::shared_ptr<State> state_;
};

void add_explain_command(ControlServer& control, Loop& loop, KeySources sources,
                         std::function<GatewayStatePtr()> state);

}  // namespace sealgate
