// SPDX-License-Identifier: GPL-3.0-or-later
#include "smtp/dsn.h"

#include <fmt/format.h>

#include <algorithm>

#include "core/stage.h"
#include "smtp/dsn_text.h"
#include "smtp/mime_downgrade.h"
#include "smtp/received.h"

namespace sealgate {
namespace {

struct KindWords {
    const char* action;  // RFC 3464 §2.3.3
    const char* subject;
    const char* opening;  // of the part for people
};

KindWords words_of(DsnKind kind) {
    switch (kind) {
    case DsnKind::failed:
        return {
            "failed", "Undelivered mail returned to sender",
            "Your message could not be delivered to the recipients named below. It will not be\r\n"
            "tried again."};
    case DsnKind::expired:
        return {
            "failed", "Undelivered mail returned to sender",
            "Your message could not be delivered to the recipients named below for so long that\r\n"
            "it has been given up. It will not be tried again."};
    case DsnKind::delayed:
        return {"delayed", "Delayed mail (still being tried)",
                "Your message could not be delivered to the recipients named below yet.\r\n"
                "This is only a warning: you need not send the message again."};
    case DsnKind::relayed:
        return {
            "relayed", "Successful mail delivery report",
            "Your message was handed over to the mail systems of the recipients named below.\r\n"
            "These systems send no notifications of their own, so this is the last you hear."};
    }
    return {"failed", "Mail delivery report", ""};
}

// The header ends behind its blank line, or with the text.
std::string_view header_of(std::string_view message) {
    if (message.starts_with("\r\n")) return message.substr(0, 2);
    const std::size_t end = message.find("\r\n\r\n");
    return end == std::string_view::npos ? message : message.substr(0, end + 4);
}

std::string_view cut_at_line(std::string_view header) {
    if (header.size() <= dsn_header_bytes_max) return header;
    const std::size_t end = header.rfind("\r\n", dsn_header_bytes_max);
    return header.substr(0, end == std::string_view::npos ? dsn_header_bytes_max : end + 2);
}

std::string to_field(const std::string& address) {
    std::string field = "To: <";
    for (const char c : address) {
        if (static_cast<unsigned char>(c) >= 0x20 && c != 0x7f) field.push_back(c);
    }
    return field + ">\r\n";
}

std::string top_header(const BounceReport& report, const std::string& boundary) {
    std::string out;
    out += fmt::format("Date: {}\r\n", rfc5322_date(report.now));
    out += fmt::format("From: Mail Delivery System <MAILER-DAEMON@{}>\r\n", report.hostname);
    out += to_field(report.to);
    out += fmt::format("Subject: {}\r\n", words_of(report.kind).subject);
    out += fmt::format("Message-ID: <{}@{}>\r\n", report.unique, report.hostname);
    const std::string original_id = ascii_only(report.message_id);
    // What is no message identifier must not make a malformed References.
    if (original_id.size() > 2 && original_id.front() == '<' && original_id.back() == '>' &&
        original_id.find(' ') == std::string::npos) {
        out += folded_field("References", original_id);
    }
    out += "Auto-Submitted: auto-replied\r\n";
    out += "MIME-Version: 1.0\r\n";
    out += fmt::format(
        "Content-Type: multipart/report; report-type=delivery-status;\r\n"
        " boundary=\"{}\"\r\n\r\n",
        boundary);
    out += "This is a delivery report in the form of RFC 3464.\r\n";
    return out;
}

std::string for_people(const BounceReport& report) {
    std::string text = fmt::format("This is the mail system at host {}.\r\n\r\n", report.hostname);
    text += words_of(report.kind).opening;
    text += "\r\n\r\n";
    for (const DsnRecipient& recipient : report.recipients) {
        text += fmt::format("<{}>: {}", recipient.address, recipient.explanation);
        if (!recipient.reason.empty()) text += fmt::format(" ({})", recipient.reason);
        text += ".\r\n";
        if (recipient.reply.empty()) continue;
        text += recipient.remote_host.empty()
                    ? std::string("    The other mail system said:\r\n")
                    : fmt::format("    The host {} said:\r\n", recipient.remote_host);
        text += fmt::format("    {}\r\n", ascii_only(recipient.reply));
    }
    text += "\r\n";
    if (!report.subject.empty()) text += fmt::format("Subject: {}\r\n", report.subject);
    if (!report.message_id.empty()) text += fmt::format("Message-ID: {}\r\n", report.message_id);
    if (report.arrived > 0) text += fmt::format("Arrived: {}\r\n", rfc5322_date(report.arrived));
    if (report.kind == DsnKind::delayed && report.tried_until > 0)
        text += fmt::format("It is tried until: {}\r\n", rfc5322_date(report.tried_until));
    return text;
}

std::string text_part(const BounceReport& report) {
    const std::string text = for_people(report);
    if (is_clean_mail_text(text))
        return "Content-Type: text/plain; charset=us-ascii\r\n\r\n" + text;
    return "Content-Type: text/plain; charset=utf-8\r\n"
           "Content-Transfer-Encoding: quoted-printable\r\n\r\n" +
           quoted_printable(text);
}

// RFC 3464 §2.2: per-message fields, then a group per recipient.
std::string status_part(const BounceReport& report) {
    std::string out = "Content-Type: message/delivery-status\r\n\r\n";
    out += folded_field("Reporting-MTA", "dns; " + report.hostname);
    if (!report.envelope_id.empty())
        out += folded_field("Original-Envelope-Id", decode_xtext(report.envelope_id));
    if (report.arrived > 0) out += folded_field("Arrival-Date", rfc5322_date(report.arrived));
    for (const DsnRecipient& recipient : report.recipients) {
        out += "\r\n";
        // Beside the address of RCPT, the sender's own writing of it (RFC 3464 §2.3.1).
        if (const std::size_t type_end = recipient.original.find(';');
            type_end != std::string::npos) {
            out += folded_field("Original-Recipient",
                                ascii_only(recipient.original.substr(0, type_end)) + "; " +
                                    decode_xtext(recipient.original.substr(type_end + 1)));
        }
        out += folded_field("Final-Recipient", typed_address(recipient.address));
        out += folded_field("Action", words_of(report.kind).action);
        out += folded_field("Status", recipient.status);
        if (!recipient.remote_host.empty())
            out += folded_field("Remote-MTA", "dns; " + ascii_only(recipient.remote_host));
        if (!recipient.reply.empty()) {
            out += folded_field("Diagnostic-Code", "smtp; " + ascii_only(recipient.reply));
        } else {
            const std::string why = ascii_only(recipient.explanation);
            out += folded_field("Diagnostic-Code",
                                recipient.reason.empty()
                                    ? "x-sealgate; " + why
                                    : fmt::format("x-sealgate; {}: {}", recipient.reason, why));
        }
        out += folded_field("Last-Attempt-Date", rfc5322_date(report.now));
        if (report.kind == DsnKind::delayed && report.tried_until > 0)
            out += folded_field("Will-Retry-Until", rfc5322_date(report.tried_until));
    }
    return out;
}

struct Collector final : Sink {
    Result<Flow> write(Chunk chunk) override {
        text.append(chunk.text());
        return Flow::open;
    }
    Result<Flow> finish() override { return Flow::open; }
    std::string text;
};

// The same mail with its 8-bit parts encoded; empty when that cannot be done.
std::string seven_bit(const std::string& message) {
    Collector collector;
    const auto stage = make_seven_bit_message_stage(collector);
    if (!stage->write(Chunk::copy_of(std::string_view(message))) || !stage->finish()) return {};
    return std::move(collector.text);
}

// RFC 6522 §3: the original, or its header.
std::string original_part(const BounceReport& report, const std::string& message) {
    if (report.return_ == BounceReport::Return::whole) {
        // message/rfc822 may not be encoded itself (RFC 2046 §5.2.1), only what is in it.
        const std::string whole = is_clean_mail_text(message) ? message : seven_bit(message);
        if (!whole.empty() && is_clean_mail_text(whole))
            return "Content-Type: message/rfc822\r\n\r\n" + whole;
    }
    const std::string header(cut_at_line(header_of(message)));
    if (is_clean_mail_text(header)) return "Content-Type: text/rfc822-headers\r\n\r\n" + header;
    return "Content-Type: text/rfc822-headers; charset=utf-8\r\n"
           "Content-Transfer-Encoding: quoted-printable\r\n\r\n" +
           quoted_printable(header);
}

}  // namespace

const char* to_text(DsnKind kind) {
    switch (kind) {
    case DsnKind::failed: return "failed";
    case DsnKind::expired: return "expired";
    case DsnKind::delayed: return "delayed";
    case DsnKind::relayed: return "relayed";
    }
    return "";
}

std::string decode_xtext(std::string_view xtext) {
    const auto digit = [](char c) {
        if (c >= '0' && c <= '9') return c - '0';
        if (c >= 'A' && c <= 'F') return c - 'A' + 10;
        return -1;
    };
    std::string out;
    out.reserve(xtext.size());
    for (std::size_t i = 0; i < xtext.size(); ++i) {
        char c = xtext[i];
        if (c == '+' && i + 2 < xtext.size() && digit(xtext[i + 1]) >= 0 &&
            digit(xtext[i + 2]) >= 0) {
            c = static_cast<char>(digit(xtext[i + 1]) * 16 + digit(xtext[i + 2]));
            i += 2;
        }
        const auto byte = static_cast<unsigned char>(c);
        out.push_back(byte >= 0x20 && byte < 0x7f ? c : '?');
    }
    return out;
}

BounceReport::Return what_to_return(DsnKind kind, Envelope::Return wanted,
                                    std::uint64_t body_bytes) {
    const bool failure = kind == DsnKind::failed || kind == DsnKind::expired;
    if (!failure || wanted == Envelope::Return::headers || body_bytes > dsn_whole_bytes_max)
        return BounceReport::Return::headers;
    return BounceReport::Return::whole;
}

ChunkList make_dsn(const BounceReport& report) {
    const std::string boundary = "=_report-" + report.unique;
    ChunkBuilder out;
    const auto begin_part = [&] { out.append("\r\n--" + boundary + "\r\n"); };
    out.append(top_header(report, boundary));
    begin_part();
    out.append(text_part(report));
    begin_part();
    out.append(status_part(report));
    if (report.return_ != BounceReport::Return::nothing && !report.original.empty()) {
        begin_part();
        out.append(original_part(report, report.original.to_string()));
    }
    out.append("\r\n--" + boundary + "--\r\n");
    return out.take();
}

}  // namespace sealgate
