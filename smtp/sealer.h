// SPDX-License-Identifier: GPL-3.0-or-later
// Does the S/MIME of messages that are stored already: deferred to delivery, or waiting for a key.
//
// Such a message lies in the spool in clear, with the sending profile's name in its envelope, and
// the queue delivers it to nobody: it asks us first. We read it back, plan it as an intake would,
// and store what comes out as messages of their own (limits::parts_at_once_max at a time, so that
// a message to a thousand hidden recipients does not stream through a thousand chains at once).
// What was made is durable before the original is told so; a crash in between makes it again, never
// not at all. Loop thread.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include "smtp/gateway_state.h"
#include "smtp/outlets.h"
#include "smtp/seal_task.h"

namespace sealgate {

class Sealer {
public:
    using Done = std::function<void(SealOutcome)>;

    // `state`: the configuration in force, asked for each message.
    Sealer(HouseParts& parts, std::function<GatewayStatePtr()> state);
    ~Sealer();  // what is under way is given up; nobody is called
    Sealer(const Sealer&) = delete;
    Sealer& operator=(const Sealer&) = delete;

    // `done` is called once, never from inside.
    void start(SealTask task, Done done);
    std::size_t under_way() const;  // with those that wait for their turn

    struct State;

private:
    std::shared_ptr<State> state_;
};

}  // namespace sealgate
