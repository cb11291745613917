// SPDX-License-Identifier: GPL-3.0-or-later
#include "tools/sealload/source.h"

#include <fmt/format.h>

#include <chrono>

#include "tools/sealload/source_connection.h"

namespace sealgate {
namespace {

// "user%d@example.com": the message's number stands for %d.
std::string numbered(const std::string& text, std::uint64_t number) {
    const std::size_t at = text.find("%d");
    if (at == std::string::npos) return text;
    return text.substr(0, at) + std::to_string(number) + text.substr(at + 2);
}

}  // namespace

Source::Source(Loop& loop, SourceOptions options, std::vector<MailTemplate> templates)
    : loop_(loop),
      options_(std::move(options)),
      templates_(std::move(templates)),
      deadline_(loop, [this] { stop(); }),
      left_(options_.messages) {}

Source::~Source() = default;

void Source::run() {
    const auto begin = std::chrono::steady_clock::now();
    if (options_.seconds > 0) deadline_.start(options_.seconds * 1000);
    working_ = options_.connections;
    for (unsigned i = 0; i < options_.connections; ++i) {
        connections_.push_back(std::make_unique<SourceConnection>(*this));
        connections_.back()->start();
    }
    loop_.run();
    for (auto& connection : connections_) connection->abandon();
    connections_.clear();
    counts_.seconds =
        std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
}

// Messages under way are given a moment to be answered; then they count as unknown.
void Source::stop() {
    constexpr std::uint64_t last_replies_ms = 5000;
    if (stopped_) {
        loop_.stop();
        return;
    }
    stopped_ = true;
    for (auto& connection : connections_) connection->on_stop();
    if (working_ == 0)
        loop_.stop();
    else
        deadline_.start(last_replies_ms);
}

OutgoingMail Source::take_next() {
    OutgoingMail mail;
    mail.number = next_number_++;
    mail.mail_template = &templates_[(mail.number - 1) % templates_.size()];
    mail.message_id = fmt::format("<{}.{:016x}@sealload>", mail.number, random_());
    mail.from = numbered(options_.from, mail.number);
    for (const std::string& recipient : options_.to)
        mail.recipients.push_back(numbered(recipient, mail.number));
    if (options_.messages != 0) --left_;
    return mail;
}

void Source::on_outcome(const OutgoingMail& mail, SentState state, const std::string& reply,
                        std::vector<std::string> recipients, std::uint64_t reply_us) {
    switch (state) {
    case SentState::accepted:
        ++counts_.accepted;
        counts_.bytes += mail.mail_template->bytes(mail.message_id);
        counts_.reply_us.push_back(static_cast<std::uint32_t>(reply_us));
        break;
    case SentState::refused:
        ++counts_.refused;
        ++counts_.refusals[reply];
        break;
    case SentState::unknown: ++counts_.unknown; break;
    }
    ledger_.write(
        SentLine{mail.message_id, state, reply, std::move(recipients), mail.mail_template->name()});
}

void Source::on_connection_error(const std::string& what) {
    ++counts_.connection_errors;
    ++counts_.errors[what];
}

void Source::on_connection_done() {
    CHECK(working_ > 0);
    if (--working_ == 0) loop_.stop();
}

}  // namespace sealgate
