// SPDX-License-Identifier: GPL-3.0-or-later
// The built-in configuration of `sealgate run --demo`: the smallest gateway that signs real mail.
#pragma once

#include <string>

namespace sealgate {

struct DemoOptions {
    std::string data_dir = "/tmp/sealgate-demo";
    std::string listen = "127.0.0.1:2525";
    std::string next_hop = "127.0.0.1:2526";
};

// An INI file's text. Its sending profile is `sign`, with the certificate `demo`, which covers the
// domains of RFC 2606 (example.com, example.net, example.org).
std::string demo_config(const DemoOptions& options);

}  // namespace sealgate
