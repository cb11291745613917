// SPDX-License-Identifier: GPL-3.0-or-later
#include "tools/sealgate/key_channel.h"

#include <fmt/format.h>

#include <chrono>
#include <thread>

#include "core/loop.h"
#include "crypto/key_ring.h"
#include "smtp/gateway_key_commands.h"
#include "tools/sealgate/command_context.h"
#include "tools/sealgate/control_client.h"

namespace sealgate {
namespace {

using nlohmann::json;
using Clock = std::chrono::steady_clock;

// Another command may have the store open, or a gateway that does not listen yet.
constexpr auto patience = std::chrono::seconds(20);
constexpr auto look_again = std::chrono::milliseconds(100);
constexpr std::uint64_t answer_patience_ms = 600'000;

}  // namespace

struct KeyChannel::Here {
    Loop loop;
    std::unique_ptr<KeyRing> ring;
    std::unique_ptr<KeyCommands> commands;
};

KeyChannel::KeyChannel(const Config& config, StoredKeysNeed need)
    : socket_path_(config.gateway.control_socket) {
    for (const auto end = Clock::now() + patience;;) {
        if (control_request(socket_path_, {{"command", "status"}})) return;
        std::string why;
        if (open_here(config, need, &why)) return;
        if (Clock::now() >= end)
            throw CommandFailed{exit_not_running,
                                fmt::format("{}, and no gateway listens on {}", why, socket_path_)};
        std::this_thread::sleep_for(look_again);
    }
}

KeyChannel::~KeyChannel() = default;

// False: another process has the store. Any other trouble ends the command.
bool KeyChannel::open_here(const Config& config, StoredKeysNeed need, std::string* why) {
    auto here = std::make_unique<Here>();
    auto ring = open_stored_keys(config, here->loop, need, 0, why);
    if (!ring && ring.error().kind == ErrorKind::untrusted) return false;
    if (!ring) throw CommandFailed{exit_refused, *why};
    here->ring = *std::move(ring);
    here->commands = std::make_unique<KeyCommands>(*here->ring, nullptr);
    here_ = std::move(here);
    return true;
}

json KeyChannel::ask(const json& request, Refusal refusal) {
    std::optional<json> answer;
    if (here_) {
        here_->commands->handle(request, [&](const json& told) { answer = told; });
        here_->loop.run_until([&] { return answer.has_value(); }, answer_patience_ms);
    } else {
        answer = control_request(socket_path_, request);
    }
    if (!answer) throw CommandFailed{exit_not_running, "the gateway does not answer any more"};
    if (refusal == Refusal::ends && !answer->value("ok", false))
        throw CommandFailed{exit_refused, answer->value("error", "refused")};
    return *std::move(answer);
}

json KeyChannel::ask(const json& request) { return ask(request, Refusal::ends); }

}  // namespace sealgate
