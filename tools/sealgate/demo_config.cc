// SPDX-License-Identifier: GPL-3.0-or-later
#include "tools/sealgate/demo_config.h"

#include <fmt/format.h>

namespace sealgate {

std::string demo_config(const DemoOptions& options) {
    const std::size_t colon = options.next_hop.rfind(':');
    const std::string host = options.next_hop.substr(0, colon);
    const std::string port = colon == std::string::npos ? "25" : options.next_hop.substr(colon + 1);
    return fmt::format(R"(# The built-in configuration of `sealgate run --demo`.
[gateway]
hostname = gateway.example.com
data-dir = {data_dir}

[listener:private]
address = {listen}
type = private
certificate = none
default-policy = RELAYED

[sending-profile:sign]
mode = sign
certificate = demo
sign-mode = detached

[content-filter:sign-all]
direction = outgoing
actions = smime-gateway("sign");

[mail-policy:DEFAULT]
direction = outgoing
content-filters = sign-all

[smtp-routes]
ALL = [{host}]:{port}

[log]
mail-log = {data_dir}/mail.log
)",
                       fmt::arg("data_dir", options.data_dir), fmt::arg("listen", options.listen),
                       fmt::arg("host", host), fmt::arg("port", port));
}

}  // namespace sealgate
