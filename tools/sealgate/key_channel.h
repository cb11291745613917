// SPDX-License-Identifier: GPL-3.0-or-later
// Where the `key` commands are carried out: by the running gateway, else here on the store itself.
//
// Both understand the same requests (smtp/gateway_key_commands.h). The store's lock decides: who
// cannot have it asks the gateway, and a gateway that is just starting is waited for.
#pragma once

#include <nlohmann/json.hpp>

#include <memory>

#include "core/config.h"
#include "tools/sealgate/stored_keys.h"

namespace sealgate {

class KeyChannel {
public:
    // `need` counts where no gateway runs. Ends the command when the keys can be had neither way.
    KeyChannel(const Config& config, StoredKeysNeed need);
    ~KeyChannel();

    // Waits for the answer. A refusal ends the command, or is an answer like others.
    nlohmann::json ask(const nlohmann::json& request);
    enum class Refusal : std::uint8_t { ends, is_answer };
    nlohmann::json ask(const nlohmann::json& request, Refusal refusal);

    // Whether a gateway does it, so that changes are in effect at once.
    bool by_gateway() const { return !here_; }

private:
    struct Here;
    bool open_here(const Config& config, StoredKeysNeed need, std::string* why);

    std::string socket_path_;
    std::unique_ptr<Here> here_;
};

}  // namespace sealgate
