// SPDX-License-Identifier: GPL-3.0-or-later
#include "tools/sealload/mail_template.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <fstream>

#include "core/limits.h"
#include "core/text.h"
#include "crypto/digest.h"
#include "smtp/header.h"

namespace sealgate {
namespace {

// RFC 5321 §4.5.2; both halves of a mail begin at the beginning of a line.
std::string stuffed(std::string_view text) {
    std::string out;
    out.reserve(text.size() + 16);
    for (std::size_t i = 0; i < text.size(); ++i) {
        const bool line_begin = i == 0 || (text[i - 1] == '\n' && i > 1 && text[i - 2] == '\r');
        if (text[i] == '.' && line_begin) out += '.';
        out += text[i];
    }
    return out;
}

bool has_eight_bit(std::string_view text) {
    return std::any_of(text.begin(), text.end(),
                       [](char c) { return static_cast<unsigned char>(c) >= 0x80; });
}

// ASCII without NUL, in lines that every relay takes: nobody has to change it.
bool is_plain(std::string_view text) {
    std::size_t line_bytes = 0;
    for (const char c : text) {
        if (c == '\0' || static_cast<unsigned char>(c) >= 0x80) return false;
        line_bytes = c == '\n' ? 0 : line_bytes + 1;
        if (line_bytes > limits::line_bytes_max) return false;
    }
    return true;
}

std::string digest_field(std::string_view body) {
    std::string hex;
    const DigestValue digest = digest_of(DigestAlgorithm::sha256, as_bytes(body));
    for (const std::uint8_t byte : digest.bytes()) hex += fmt::format("{:02x}", byte);
    return "X-Sealload-Digest: sha256=" + hex + "\r\n";
}

constexpr std::string_view id_begin = "Message-ID: ";
constexpr std::string_view id_end = "\r\n";

constexpr std::string_view filler_head =
    "From: Load <sender@example.com>\r\n"
    "To: Sink <recipient@example.net>\r\n"
    "Subject: sealload\r\n"
    "Date: Sun, 22 Nov 2026 00:00:00 +0000\r\n"
    "MIME-Version: 1.0\r\n"
    "Content-Type: text/plain; charset=us-ascii\r\n";

// Numbered lines, none of which begins with a dot.
std::string filler_body(std::uint64_t bytes) {
    std::string body;
    body.reserve(static_cast<std::size_t>(bytes) + 80);
    for (std::uint64_t line = 0; body.size() < bytes; ++line)
        body +=
            fmt::format("{:08} the quick brown fox jumps over the lazy dog 0123456789\r\n", line);
    return body;
}

std::string filler_name(std::uint64_t bytes) { return fmt::format("filler-{}", bytes); }

}  // namespace

std::string with_crlf(std::string_view text) {
    std::string out;
    out.reserve(text.size() + text.size() / 32);
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] == '\n' && (i == 0 || text[i - 1] != '\r')) out += '\r';
        out += text[i];
    }
    if (!out.ends_with("\r\n")) out += "\r\n";
    return out;
}

std::string digest_field_of(std::string_view mail) {
    const Header header = Header::parse(Chunk::copy_of(mail));
    if (header.ended_by() != HeaderEnd::blank_line || !is_plain(mail)) return "";
    return digest_field(mail.substr(header.fields_end() + id_end.size()));
}

MailTemplate::MailTemplate(std::string name, std::string_view mail, BodyDigest digest)
    : name_(std::move(name)) {
    const std::string text = with_crlf(mail);
    const Header header = Header::parse(Chunk::copy_of(text));
    // The header without its Message-IDs and old digests. Where the first one was, the new one
    // goes; where there was none, it becomes the first field, behind lines of an mbox.
    std::string mbox;
    std::string before;
    std::string after;
    bool found = false;
    for (const HeaderField& field : header.fields()) {
        const std::string_view raw =
            std::string_view(text).substr(field.begin, field.end - field.begin);
        const std::string_view field_name = header.name(field);
        if (digest == BodyDigest::fresh && equal_ignoring_case(field_name, "X-Sealload-Digest"))
            continue;
        if (field_name.empty()) {
            mbox += raw;
        } else if (equal_ignoring_case(field_name, "Message-ID")) {
            found = true;
        } else {
            (found ? after : before) += raw;
        }
    }
    if (!found) std::swap(before, after);
    before = mbox + before;
    const std::string_view rest = std::string_view(text).substr(header.fields_end());
    if (digest == BodyDigest::fresh) after += digest_field_of(text);
    // A body that stands alone may begin with white space, and must not continue our field.
    if (after.empty() && !rest.starts_with("\r\n")) after = "\r\n";
    after += rest;
    eight_bit_ = has_eight_bit(text);
    head_ = before;
    stuffed_head_ = stuffed(before);
    rest_ = Chunk::copy_of(after);
    const std::string stuffed_after = stuffed(after);
    stuffed_rest_ = stuffed_after.size() == after.size() ? rest_ : Chunk::copy_of(stuffed_after);
}

std::vector<MailTemplate> MailTemplate::fillers(const std::vector<std::uint64_t>& body_bytes) {
    std::vector<MailTemplate> templates;
    if (body_bytes.empty()) return templates;
    const std::string body = filler_body(*std::max_element(body_bytes.begin(), body_bytes.end()));
    const Chunk shared = Chunk::copy_of("\r\n" + body);
    for (const std::uint64_t bytes : body_bytes) {
        std::size_t end = static_cast<std::size_t>(bytes);
        if (end > 0) end = body.find('\n', end - 1) + 1;
        MailTemplate filler;
        filler.name_ = filler_name(bytes);
        filler.head_ = filler_head;
        filler.head_ += digest_field(std::string_view(body).substr(0, end));
        filler.stuffed_head_ = filler.head_;
        filler.rest_ = filler.stuffed_rest_ = shared.slice(0, end + 2);
        templates.push_back(std::move(filler));
    }
    return templates;
}

MailFile filler_mail(std::uint64_t body_bytes) {
    return {filler_name(body_bytes), std::string(filler_head) + "\r\n" + filler_body(body_bytes)};
}

std::uint64_t MailTemplate::bytes(std::size_t message_id_bytes) const {
    return head_.size() + id_begin.size() + message_id_bytes + id_end.size() + rest_.size();
}

void MailTemplate::append_head(std::string& out, std::string_view message_id,
                               ContentForm form) const {
    out += form == ContentForm::data ? stuffed_head_ : head_;
    out += id_begin;
    out += message_id;
    out += id_end;
}

Result<std::vector<MailFile>> load_mails(const std::vector<std::string>& paths, std::string* why) {
    namespace fs = std::filesystem;
    std::vector<fs::path> files;
    std::error_code wrong;
    for (const std::string& path : paths) {
        if (!fs::is_directory(path, wrong)) {
            files.emplace_back(path);
            continue;
        }
        std::vector<fs::path> inside;
        for (const auto& entry : fs::recursive_directory_iterator(path, wrong)) {
            const std::string kind = entry.path().extension().string();
            if (kind == ".eml" || kind == ".msg" || kind == ".txt") inside.push_back(entry.path());
        }
        std::sort(inside.begin(), inside.end());
        files.insert(files.end(), inside.begin(), inside.end());
    }
    std::vector<MailFile> mails;
    for (const fs::path& path : files) {
        std::ifstream file(path, std::ios::binary);
        if (!file || fs::is_directory(path, wrong)) {
            *why = path.string();
            return temporary("cannot read a mail");
        }
        mails.push_back({path.string(), std::string((std::istreambuf_iterator<char>(file)), {})});
    }
    return mails;
}

}  // namespace sealgate
