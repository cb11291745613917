// SPDX-License-Identifier: GPL-3.0-or-later
#include "tools/sealload/ledger.h"

#include <fcntl.h>
#include <unistd.h>

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

std::string join(const std::vector<std::string>& parts) {
    std::string text;
    for (const std::string& part : parts) {
        if (!text.empty()) text += ',';
        text += part;
    }
    return text;
}

std::uint64_t number(std::string_view text) {
    std::uint64_t value = 0;
    std::from_chars(text.data(), text.data() + text.size(), value);
    return value;
}

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
        fields.resize(8);
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
    if (descriptor_ >= 0) ::close(descriptor_);
}

Result<void> LedgerWriter::open(const std::string& path) {
    if (path.empty()) return {};
    descriptor_ = ::open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
    if (descriptor_ < 0) return temporary("cannot write the ledger");
    return {};
}

void LedgerWriter::write(const SentLine& line) {
    write_fields({line.message_id, to_word(line.state), line.reply, join(line.recipients),
                  line.mail_template});
}

void LedgerWriter::write(const ReceivedLine& line) {
    write_fields({line.message_id, join(line.recipients), std::to_string(line.bytes),
                  line.dsn ? "dsn" : "mail", line.about, line.sender, line.file, line.verdict});
}

void LedgerWriter::write_fields(const std::vector<std::string>& fields) {
    if (descriptor_ < 0) return;
    std::string text;
    for (const std::string& field : fields) {
        if (&field != fields.data()) text += '\t';
        for (const char c : field) text += c == '\t' || c == '\n' || c == '\r' ? ' ' : c;
    }
    text += '\n';
    const ssize_t written = ::write(descriptor_, text.data(), text.size());
    CHECK(written == static_cast<ssize_t>(text.size()));  // a ledger with holes proves nothing
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
        received.push_back(std::move(line));
    }
    return received;
}

}  // namespace sealgate
