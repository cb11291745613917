// SPDX-License-Identifier: GPL-3.0-or-later
#include "smtp/received.h"

#include <fmt/format.h>

#include <ctime>

namespace sealgate {

std::string rfc5322_date(std::int64_t wall_seconds) {
    static constexpr const char* days[] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
    static constexpr const char* months[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                             "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
    const auto seconds = static_cast<std::time_t>(wall_seconds);
    std::tm utc{};
    gmtime_r(&seconds, &utc);
    // Not strftime: day and month names must not follow the locale.
    return fmt::format("{}, {} {} {} {:02}:{:02}:{:02} +0000", days[utc.tm_wday], utc.tm_mday,
                       months[utc.tm_mon], utc.tm_year + 1900, utc.tm_hour, utc.tm_min, utc.tm_sec);
}

std::string make_received(const SessionInfo& session, const Envelope& envelope, MessageId mid,
                          std::int64_t wall_seconds) {
    // RFC 6531 §3.7.3 names the protocol of an internationalised message.
    const char* protocol = envelope.smtputf8 ? "UTF8SMTP" : session.extended ? "ESMTP" : "SMTP";
    const std::string& host = session.confirmed_host;
    std::string field = fmt::format("Received: from {} ({}{}{})\r\n", session.helo, host,
                                    host.empty() ? "" : " ", session.peer.ip.to_literal());
    field += fmt::format("\tby {} (Sealgate) with {} id {}", session.config->gateway.hostname,
                         protocol, mid);
    if (envelope.recipients.size() == 1)
        field += fmt::format("\r\n\tfor <{}>", envelope.recipients[0].address);
    field += fmt::format("; {}\r\n", rfc5322_date(wall_seconds));
    return field;
}

}  // namespace sealgate
