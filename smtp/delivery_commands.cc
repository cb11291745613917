// SPDX-License-Identifier: GPL-3.0-or-later
// What the client says of a message, and what it must not ask of a host: RFC 1870, 3030, 3461,
// 6152, 6531.
#include <algorithm>
#include <charconv>

#include "smtp/delivery_session.h"

namespace sealgate {
namespace {

bool is_ascii(std::string_view text) {
    return std::all_of(text.begin(), text.end(),
                       [](char byte) { return static_cast<unsigned char>(byte) < 0x80; });
}

// An address is in our own line: it must not be able to end it. (The server lets no such address
// in; a stored envelope is not trusted with a host's command line all the same.)
bool is_safe(std::string_view address) {
    return std::all_of(address.begin(), address.end(), [](char byte) {
        return static_cast<unsigned char>(byte) >= 0x20 && byte != 0x7f;
    });
}

// A parameter's value (xtext, RFC 3461 §4): the same, and it must not be able to end the parameter.
bool is_safe_value(std::string_view value) {
    return !value.empty() && is_safe(value) && value.find(' ') == value.npos;
}

std::string upper(std::string_view text) {
    std::string result(text);
    for (char& byte : result) {
        if (byte >= 'a' && byte <= 'z') byte = static_cast<char>(byte - 32);
    }
    return result;
}

std::string notify_text(const Notify& notify) {
    if (notify.never) return "NEVER";
    std::string text;
    const auto add = [&text](bool wanted, const char* word) {
        if (!wanted) return;
        if (!text.empty()) text += ",";
        text += word;
    };
    add(notify.success, "SUCCESS");
    add(notify.failure, "FAILURE");
    add(notify.delay, "DELAY");
    return text.empty() ? "NEVER" : text;
}

}  // namespace

HostExtensions HostExtensions::of(const Reply& ehlo) {
    HostExtensions found;
    found.esmtp = true;
    for (std::size_t i = 1; i < ehlo.lines.size(); ++i) {  // the first line is the host's name
        const std::string_view line = ehlo.lines[i];
        const std::size_t space = line.find(' ');
        const std::string keyword = upper(line.substr(0, space));
        if (keyword == "PIPELINING") found.pipelining = true;
        if (keyword == "CHUNKING") found.chunking = true;
        if (keyword == "8BITMIME") found.eight_bit_mime = true;
        if (keyword == "SMTPUTF8") found.smtputf8 = true;
        if (keyword == "DSN") found.dsn = true;
        if (keyword == "STARTTLS") found.starttls = true;
        if (keyword != "SIZE") continue;
        found.size = true;
        if (space == line.npos) continue;
        const std::string_view number = line.substr(space + 1);
        std::uint64_t bytes = 0;
        const auto read = std::from_chars(number.data(), number.data() + number.size(), bytes);
        if (read.ec == std::errc()) found.size_bytes_max = bytes;
    }
    return found;
}

bool DeliverySession::needs_seven_bit() const {
    if (extensions_.eight_bit_mime) return false;
    return task_->body == BodyType::eight_bit || (task_->has_long_lines && !extensions_.chunking);
}

// Settles what this host cannot take. True when nobody is left to ask it for.
bool DeliverySession::refuse_impossible() {
    const auto refuse_all = [this](int code, const char* enhanced, std::string text) {
        const Reply reply = make_reply(code, enhanced, std::move(text));
        for (Progress& p : progress_) settle(p, RecipientOutcome::Kind::failed, reply, false);
    };
    if (extensions_.size_bytes_max > 0 && content_bytes() > extensions_.size_bytes_max) {
        refuse_all(552, "5.3.4",
                   "message of " + std::to_string(content_bytes()) +
                       " bytes is over the host's limit of " +
                       std::to_string(extensions_.size_bytes_max));
    }
    if (!extensions_.smtputf8 && (task_->smtputf8 || !is_ascii(task_->sender))) {
        refuse_all(553, "5.6.7", "message needs SMTPUTF8, which the host does not offer");
    }
    if (task_->signed_by_gateway && needs_seven_bit()) {
        refuse_all(554, "5.6.3",
                   "conversion required but not supported: a signed message needs "
                   "8BITMIME, which the host does not offer");
    }
    if (!is_safe(task_->sender)) refuse_all(553, "5.1.7", "sender address cannot be sent");
    for (std::size_t i = 0; i < progress_.size(); ++i) {
        const std::string& address = task_->recipients[i].address;
        if (!is_safe(address) || address.empty()) {
            settle(progress_[i], RecipientOutcome::Kind::failed,
                   make_reply(553, "5.1.3", "recipient address cannot be sent"), false);
        } else if (!extensions_.smtputf8 && !is_ascii(address)) {
            settle(
                progress_[i], RecipientOutcome::Kind::failed,
                make_reply(553, "5.6.7", "address needs SMTPUTF8, which the host does not offer"),
                false);
        }
    }
    return std::all_of(progress_.begin(), progress_.end(),
                       [](const Progress& progress) { return progress.settled; });
}

// BDAT wants to know a size before the bytes, which nobody does of text still to be encoded.
DeliverySession::Transfer DeliverySession::choose_transfer() const {
    if (!extensions_.chunking || needs_seven_bit()) return Transfer::data;
    return extensions_.pipelining && task_->in_memory ? Transfer::one_write : Transfer::pieces;
}

void DeliverySession::begin_commands() {
    commands_.clear();
    if (rset_needed_) commands_.push_back({Expected::Kind::rset});
    rset_needed_ = false;
    commands_.push_back({Expected::Kind::mail});
    for (std::size_t i = 0; i < progress_.size(); ++i) {
        if (!progress_[i].settled) commands_.push_back({Expected::Kind::rcpt, i});
    }
    if (transfer_ == Transfer::data) commands_.push_back({Expected::Kind::data});
}

std::string DeliverySession::mail_command() const {
    std::string line = "MAIL FROM:<" + task_->sender + ">";
    if (extensions_.size && !needs_seven_bit()) {
        line += " SIZE=" + std::to_string(content_bytes());
    }
    if (extensions_.eight_bit_mime && task_->body == BodyType::eight_bit) line += " BODY=8BITMIME";
    const bool non_ascii =
        !is_ascii(task_->sender) ||
        std::any_of(task_->recipients.begin(), task_->recipients.end(),
                    [](const DeliveryRecipient& r) { return !is_ascii(r.address); });
    if (extensions_.smtputf8 && (task_->smtputf8 || non_ascii)) line += " SMTPUTF8";
    if (extensions_.dsn) {
        if (task_->return_ == Envelope::Return::full) line += " RET=FULL";
        if (task_->return_ == Envelope::Return::headers) line += " RET=HDRS";
        if (is_safe_value(task_->envelope_id)) line += " ENVID=" + task_->envelope_id;
    }
    return line;
}

std::string DeliverySession::rcpt_command(const DeliveryRecipient& recipient) const {
    std::string line = "RCPT TO:<" + recipient.address + ">";
    if (extensions_.dsn) {
        if (recipient.notify.given) line += " NOTIFY=" + notify_text(recipient.notify);
        const std::string& original = recipient.original;
        if (is_safe_value(original) && (extensions_.smtputf8 || is_ascii(original))) {
            line += " ORCPT=" + original;
        }
    }
    return line;
}

}  // namespace sealgate
