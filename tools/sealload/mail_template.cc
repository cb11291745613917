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

std::string id_field(const std::string& message_id) { return "Message-ID: " + message_id + "\r\n"; }

Chunk chunk_of(std::string_view text) { return Chunk::copy_of(text); }

}  // namespace

MailTemplate::MailTemplate(std::string name, std::string_view mail) : name_(std::move(name)) {
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
        if (equal_ignoring_case(field_name, "X-Sealload-Digest")) continue;
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
    if (header.ended_by() == HeaderEnd::blank_line && is_plain(text))
        after += digest_field(rest.substr(2));
    // A body that stands alone may begin with white space, and must not continue our field.
    if (after.empty() && !rest.starts_with("\r\n")) after = "\r\n";
    after += rest;
    eight_bit_ = has_eight_bit(text);
    before_ = chunk_of(before);
    after_ = chunk_of(after);
    stuffed_before_ = chunk_of(stuffed(before));
    stuffed_after_ = chunk_of(stuffed(after) + ".\r\n");
}

MailTemplate MailTemplate::filler(std::uint64_t body_bytes) {
    std::string mail =
        "From: Load <sender@example.com>\r\n"
        "To: Sink <recipient@example.net>\r\n"
        "Subject: sealload\r\n"
        "Date: Sun, 22 Nov 2026 00:00:00 +0000\r\n"
        "MIME-Version: 1.0\r\n"
        "Content-Type: text/plain; charset=us-ascii\r\n\r\n";
    const std::size_t end = mail.size() + static_cast<std::size_t>(body_bytes);
    for (std::uint64_t line = 0; mail.size() < end; ++line)
        mail +=
            fmt::format("{:08} the quick brown fox jumps over the lazy dog 0123456789\r\n", line);
    return MailTemplate(fmt::format("filler-{}", body_bytes), mail);
}

std::uint64_t MailTemplate::bytes(const std::string& message_id) const {
    return before_.size() + id_field(message_id).size() + after_.size();
}

ChunkList MailTemplate::message(const std::string& message_id, ContentForm form) const {
    ChunkList list;
    list.append(form == ContentForm::data ? stuffed_before_ : before_);
    list.append(Chunk::copy_of(id_field(message_id)));
    list.append(form == ContentForm::data ? stuffed_after_ : after_);
    return list;
}

Result<std::vector<MailTemplate>> load_templates(const std::vector<std::string>& paths,
                                                 std::string* why) {
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
    std::vector<MailTemplate> templates;
    for (const fs::path& path : files) {
        std::ifstream file(path, std::ios::binary);
        if (!file || fs::is_directory(path, wrong)) {
            *why = path.string();
            return temporary("cannot read a mail");
        }
        const std::string mail((std::istreambuf_iterator<char>(file)), {});
        templates.emplace_back(path.string(), mail);
    }
    return templates;
}

}  // namespace sealgate
