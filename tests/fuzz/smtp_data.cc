// SPDX-License-Identifier: GPL-3.0-or-later
//
// Whole sessions: what a client says must mean the same however the network cuts it, and no bytes
// of a message may become commands. The first byte chooses what the client has said before, the
// second seeds the cuts; the rest is what it says.

#include <cstddef>
#include <cstdint>
#include <optional>
#include <random>

#include "core/mail_log.h"
#include "core/result.h"
#include "smtp/session.h"
#include "tests/smtp/session_fixture.h"

namespace sealgate {
namespace {

MailLog& quiet_log() {
    static const std::unique_ptr<MailLog> log = [] {
        LogOptions options;
        options.mail_log = "/dev/null";
        options.level = LogOptions::Level::error;
        std::string why;
        return *MailLog::open(options, nullptr, &why);
    }();
    return *log;
}

struct Outcome {
    std::string replies;
    std::vector<std::string> contents;
    int begun = 0;
    bool closed = false;

    bool operator==(const Outcome&) const = default;
};

Outcome run(std::string_view before, std::string_view text, std::optional<unsigned> seed) {
    SessionSetting setting;
    setting.policy().message_bytes_max = 4096;
    ScriptedHost host;
    Outcome outcome;
    {
        SessionClient client(setting, host, quiet_log());
        client.start();
        client.say(before);
        if (seed) {
            std::minstd_rand random(*seed + 1);
            while (!text.empty()) {
                const std::size_t bytes = std::min<std::size_t>(1 + random() % 7, text.size());
                client.say(text.substr(0, bytes));
                text.remove_prefix(bytes);
            }
        } else {
            client.say(text);
        }
        outcome.replies = client.replies;
        outcome.closed = client.session.wants_close();
    }
    for (const KeptMessage& kept : host.finished) outcome.contents.push_back(kept.content);
    outcome.begun = host.begun;
    CHECK(host.finished.size() + static_cast<std::size_t>(host.aborted) ==
          static_cast<std::size_t>(host.begun));
    return outcome;
}

bool has_bare_line_end(std::string_view text) {
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] == '\r' && (i + 1 == text.size() || text[i + 1] != '\n')) return true;
        if (text[i] == '\n' && (i == 0 || text[i - 1] != '\r')) return true;
    }
    return false;
}

// What the first message of a DATA must be, found in the plainest way; nothing: refused or unended.
std::optional<std::string> plain_content(const std::string& said) {
    const std::string lines = "\r\n" + said;
    const std::size_t end = lines.find("\r\n.\r\n");
    if (end == std::string::npos) return std::nullopt;
    std::string content = lines.substr(0, end + 2);
    if (has_bare_line_end(content)) return std::nullopt;
    for (std::size_t at = 0; (at = content.find("\r\n.", at)) != std::string::npos; at += 2) {
        content.erase(at + 2, 1);
    }
    content.erase(0, 2);
    if (content.size() > 4096) return std::nullopt;
    return content;
}

}  // namespace
}  // namespace sealgate

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace sealgate;
    static const std::string_view befores[] = {
        "",
        "EHLO c\r\n",
        "EHLO c\r\nMAIL FROM:<a@b>\r\nRCPT TO:<c@d>\r\n",
        "EHLO c\r\nMAIL FROM:<a@b>\r\nRCPT TO:<c@d>\r\nDATA\r\n",
    };
    if (size < 2) return 0;
    const std::size_t mode = data[0] % 4;
    const std::string_view text = as_text({data + 2, size - 2});
    const Outcome whole = run(befores[mode], text, std::nullopt);
    CHECK(whole == run(befores[mode], text, data[1]));
    CHECK(whole.contents.size() <= static_cast<std::size_t>(whole.begun));
    for (const std::string& content : whole.contents) CHECK(!has_bare_line_end(content));
    if (mode == 3) {
        const auto content = plain_content(std::string(text));
        if (content) CHECK(!whole.contents.empty() && whole.contents.front() == *content);
        const std::size_t end = ("\r\n" + std::string(text)).find("\r\n.\r\n");
        if (end == std::string::npos) CHECK(whole.contents.empty() && whole.begun == 1);
    }
    return 0;
}
