// SPDX-License-Identifier: GPL-3.0-or-later
// What nobody trips over by himself: certificates that come to their end, a disk that fills up.
//
// certificate.expires-soon: of each certificate that a sending profile uses, when it has 30, 7 and
// 1 days left and when it has expired, once each since the start (or since it is in use); the last
// two are critical. disk.low: when the store begins to take no more mail. Loop thread.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "core/alerts.h"
#include "core/timer.h"
#include "smtp/gateway_state.h"

namespace sealgate {

struct CertificateInUse {
    CertificatePtr certificate;
    std::vector<std::string> profiles;
};
// By name.
std::map<std::string, CertificateInUse> certificates_in_use(const GatewayState& state);

class AlertWatch {
public:
    struct Context {
        Loop& loop;
        Alerts& alerts;
        std::function<std::string()> spool_trouble;  // for people; empty: none
        std::function<GatewayStatePtr()> state;
        std::function<std::int64_t()> clock;  // wall seconds
    };
    explicit AlertWatch(Context context);
    AlertWatch(const AlertWatch&) = delete;
    AlertWatch& operator=(const AlertWatch&) = delete;

    void start();
    // What the timers do; and after a reload.
    void look_at_certificates();
    void look_at_disk();

private:
    Context context_;
    Timer certificates_timer_;
    Timer disk_timer_;
    // By name and serial number: the fewest days that were told.
    std::map<std::string, int> told_;
    bool disk_was_low_ = false;
};

}  // namespace sealgate
