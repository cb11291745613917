// SPDX-License-Identifier: GPL-3.0-or-later
#include "smtp/alert_watch.h"

#include <fmt/format.h>

#include <ctime>

namespace sealgate {
namespace {

constexpr std::uint64_t certificates_every_ms = 3'600'000;
constexpr std::uint64_t disk_every_ms = 2'000;
constexpr std::int64_t day_seconds = 86'400;

constexpr int not_soon = 31;
constexpr int expired = 0;

// The step of spec/operations.md that is reached: 30, 7 or 1 days, or it has expired.
int days_step(std::int64_t seconds_left) {
    if (seconds_left < 0) return expired;
    for (const int days : {1, 7, 30})
        if (seconds_left <= days * day_seconds) return days;
    return not_soon;
}

std::string time_text(std::int64_t seconds) {
    const auto time = static_cast<std::time_t>(seconds);
    std::tm utc{};
    char text[32] = "";
    if (gmtime_r(&time, &utc) != nullptr)
        std::strftime(text, sizeof text, "%Y-%m-%d %H:%M UTC", &utc);
    return text;
}

std::string left_text(std::int64_t seconds_left) {
    const std::int64_t days = seconds_left / day_seconds;
    if (days >= 2) return fmt::format("in {} days", days);
    return fmt::format("in {} hours", seconds_left / 3600);
}

std::string text_of(const std::string& name, const CertificateInUse& use,
                    std::int64_t seconds_left) {
    std::string profiles;
    for (const std::string& profile : use.profiles)
        profiles += (profiles.empty() ? "" : ", ") + profile;
    const std::string end = time_text(use.certificate->not_after());
    return fmt::format("certificate {} (serial {}), used by sending profile {}, {}", name,
                       use.certificate->serial(), profiles,
                       seconds_left < 0
                           ? fmt::format("has expired at {}", end)
                           : fmt::format("expires {}, at {}", left_text(seconds_left), end));
}

}  // namespace

std::map<std::string, CertificateInUse> certificates_in_use(const GatewayState& state) {
    std::map<std::string, CertificateInUse> uses;
    for (const auto& [name, profile] : state.config->sending_profiles) {
        const bool used =
            profile.mode != SendingProfileOptions::Mode::encrypt || profile.encrypt_to_self;
        if (!used) continue;
        const IdentityPtr identity = state.identities->find(profile.certificate);
        if (!identity) continue;
        CertificateInUse& use = uses[profile.certificate];
        use.certificate = identity->leaf;
        use.profiles.push_back(name);
    }
    return uses;
}

AlertWatch::AlertWatch(Context context)
    : context_(std::move(context)),
      certificates_timer_(context_.loop, [this] { look_at_certificates(); }),
      disk_timer_(context_.loop, [this] { look_at_disk(); }) {}

void AlertWatch::start() {
    certificates_timer_.start(0, certificates_every_ms);
    disk_timer_.start(0, disk_every_ms);
}

void AlertWatch::look_at_certificates() {
    const std::int64_t now = context_.clock();
    std::map<std::string, int> told;
    for (const auto& [name, use] : certificates_in_use(*context_.state())) {
        const std::string key = fmt::format("{} {}", name, use.certificate->serial());
        const std::int64_t left = use.certificate->not_after() - now;
        const auto before = told_.find(key);
        const int step_before = before == told_.end() ? not_soon : before->second;
        const int step = days_step(left);
        told[key] = step_before;
        if (step >= step_before) continue;
        const auto severity = step <= 1 ? Alerts::Severity::critical : Alerts::Severity::warning;
        // What was throttled is told another time.
        if (context_.alerts.raise(AlertName::certificate_expires_soon, key, severity,
                                  text_of(name, use, left)))
            told[key] = step;
    }
    told_ = std::move(told);
}

void AlertWatch::look_at_disk() {
    const std::string trouble = context_.spool_trouble();
    const bool is_low = !trouble.empty();
    if (is_low && !disk_was_low_)
        context_.alerts.raise(AlertName::disk_low, "spool", Alerts::Severity::critical,
                              fmt::format("no mail is taken (452 4.3.1): {}", trouble));
    disk_was_low_ = is_low;
}

}  // namespace sealgate
