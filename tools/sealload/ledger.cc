// SPDX-License-Identifier: GPL-3.0-or-later
#include "tools/sealload/ledger.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <fstream>
#include <string_view>

namespace sealgate {
namespace {

std::vector<std::string> split(std::string_view text, char at) {
    std::vector<std::string> parts;
    for (std::size_t begin = 0;;) {
        const std::size_t end = text.find(at, begin);
        parts.emplace_back(text.substr(begin, end - begin));
        if (end == std::string_view::npos) return parts;
        begin = end + 1;
    }
}

std::vector<std::string> split_recipients(std::string_view text) {
    if (text.empty()) return {};
    return split(text, ',');
}

std::uint64_t number(std::string_view text) {
    std::uint64_t value = 0;
    std::from_chars(text.data(), text.data() + text.size(), value);
    return value;
}

constexpr std::size_t fields_known_max = 12;

// Whole lines only: what a killed process left half written is not believed.
Result<std::vector<std::vector<std::string>>> read_lines(const std::string& path,
                                                         std::size_t fields_min) {
    std::ifstream file(path, std::ios::binary);
    if (!file) return temporary("cannot read the ledger");
    const std::string text((std::istreambuf_iterator<char>(file)), {});
    std::vector<std::vector<std::string>> lines;
    for (std::size_t begin = 0; begin < text.size();) {
        const std::size_t end = text.find('\n', begin);
        if (end == std::string::npos) break;
        auto fields = split(std::string_view(text).substr(begin, end - begin), '\t');
        if (fields.size() < fields_min) return malformed("a ledger's line lacks fields", begin);
        fields.resize(std::max(fields.size(), fields_known_max));
        lines.push_back(std::move(fields));
        begin = end + 1;
    }
    return lines;
}

}  // namespace

const char* to_word(SentState state) {
    switch (state) {
    case SentState::accepted: return "accepted";
    case SentState::refused: return "refused";
    case SentState::unknown: return "unknown";
    }
    return "";
}

LedgerWriter::~LedgerWriter() {
    flush();
    if (is_open()) ::close(descriptor_);
}

Result<void> LedgerWriter::open(const std::string& path) {
    if (path.empty()) return {};
    descriptor_ = ::open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
    if (descriptor_ < 0) return temporary("cannot write the ledger");
    return {};
}

void LedgerWriter::add_field(std::string_view text) {
    for (const char c : text) lines_ += c == '\t' || c == '\n' || c == '\r' ? ' ' : c;
    lines_ += '\t';
}

void LedgerWriter::add_recipients(const std::vector<std::string>& recipients) {
    for (const std::string& recipient : recipients) {
        add_field(recipient);
        lines_.back() = ',';
    }
    if (recipients.empty())
        lines_ += '\t';
    else
        lines_.back() = '\t';
}

void LedgerWriter::write(const SentLine& line) {
    if (!is_open()) return;
    add_field(line.message_id);
    add_field(to_word(line.state));
    add_field(line.reply);
    add_recipients(line.recipients);
    add_field(line.mail_template);
    end_line();
    flush();
}

void LedgerWriter::add(const ReceivedLine& line) {
    if (!is_open()) return;
    add_field(line.message_id);
    add_recipients(line.recipients);
    add_field(std::to_string(line.bytes));
    add_field(line.dsn ? "dsn" : "mail");
    add_field(line.about);
    add_field(line.sender);
    add_field(line.file);
    add_field(line.verdict);
    add_field(line.form);
    add_field(line.layers);
    add_field(line.body);
    add_field(line.opened_by);
    end_line();
}

void LedgerWriter::write(const ReceivedLine& line) {
    add(line);
    flush();
}

void LedgerWriter::flush() {
    if (lines_.empty()) return;
    const ssize_t written = ::write(descriptor_, lines_.data(), lines_.size());
    CHECK(written == static_cast<ssize_t>(lines_.size()));  // a ledger with holes proves nothing
    lines_.clear();
}

Result<std::vector<SentLine>> read_sent(const std::string& path) {
    std::vector<SentLine> sent;
    for (auto& fields : TRY(read_lines(path, 4))) {
        SentLine line;
        line.message_id = fields[0];
        if (fields[1] == "accepted")
            line.state = SentState::accepted;
        else if (fields[1] == "refused")
            line.state = SentState::refused;
        else if (fields[1] != "unknown")
            return malformed("not a ledger of what was sent");
        line.reply = fields[2];
        line.recipients = split_recipients(fields[3]);
        line.mail_template = fields[4];
        sent.push_back(std::move(line));
    }
    return sent;
}

Result<std::vector<ReceivedLine>> read_received(const std::string& path) {
    std::vector<ReceivedLine> received;
    for (auto& fields : TRY(read_lines(path, 3))) {
        ReceivedLine line;
        line.message_id = fields[0];
        line.recipients = split_recipients(fields[1]);
        line.bytes = number(fields[2]);
        line.dsn = fields[3] == "dsn";
        line.about = fields[4];
        line.sender = fields[5];
        line.file = fields[6];
        line.verdict = fields[7];
        line.form = fields[8];
        line.layers = fields[9];
        line.body = fields[10];
        line.opened_by = fields[11];
        received.push_back(std::move(line));
    }
    return received;
}

}  // namespace sealgate
