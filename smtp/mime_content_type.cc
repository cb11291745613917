// SPDX-License-Identifier: GPL-3.0-or-later
#include "smtp/mime_content_type.h"

#include <algorithm>
#include <charconv>

#include "smtp/encoded_word.h"
#include "smtp/header.h"

namespace sealgate {

namespace {

constexpr std::size_t parameters_max = 64;  // a field with more is somebody's joke
constexpr unsigned sections_max = 64;       // RFC 2231 continuations of one parameter

bool is_white(char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n'; }

// RFC 2045 §5.1's token, with 8-bit let through.
bool is_token(char c) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte <= 0x20 || byte == 0x7f) return false;
    return std::string_view("()<>@,;:\\\"/[]?=").find(c) == std::string_view::npos;
}

class Reader {
public:
    explicit Reader(std::string_view text) : text_(text) {}

    bool at_end() const { return at_ >= text_.size(); }
    char peek() const { return at_end() ? '\0' : text_[at_]; }
    void skip() { ++at_; }
    bool take(char c) {
        if (at_end() || text_[at_] != c) return false;
        ++at_;
        return true;
    }

    // White space and comments (RFC 5322 §3.2.2), which nest.
    void skip_white() {
        int depth = 0;
        for (; !at_end(); ++at_) {
            const char c = text_[at_];
            if (c == '(') {
                ++depth;
            } else if (depth > 0) {
                if (c == ')') --depth;
                if (c == '\\') ++at_;
            } else if (!is_white(c)) {
                return;
            }
        }
    }

    std::string_view token() {
        const std::size_t begin = at_;
        while (!at_end() && is_token(text_[at_])) ++at_;
        return text_.substr(begin, at_ - begin);
    }

    // A quoted string, or whatever stands there up to white space or ';'. `clear`: every reader
    // will find the same.
    std::string value(bool& clear) {
        if (take('"')) return quoted(clear);
        const std::size_t begin = at_;
        while (!at_end() && !is_white(text_[at_]) && text_[at_] != ';') ++at_;
        std::string text(text_.substr(begin, at_ - begin));
        clear = std::all_of(text.begin(), text.end(), [](char c) { return is_token(c) && c > 0; });
        return text;
    }

private:
    std::string quoted(bool& clear) {  // a missing end quote ends with the field
        std::string text;
        clear = false;
        bool plain = true;
        for (; !at_end(); ++at_) {
            char c = text_[at_];
            if (c == '"') {
                ++at_;
                clear = plain;
                break;
            }
            // Escapes, folds, what looks like a comment, and more than ASCII: not all bear with it.
            plain = plain && c >= ' ' && c != 0x7f && c != '\\' && c != '(' && c != ')';
            if (c == '\r' || c == '\n') continue;  // a fold
            if (c == '\\' && at_ + 1 < text_.size()) c = text_[++at_];
            text.push_back(c);
        }
        return text;
    }

    std::string_view text_;
    std::size_t at_ = 0;
};

// One parameter as written: name*1*=value is {name, 1, true, value}.
struct Section {
    std::string name;
    unsigned number = 0;
    bool extended = false;
    bool clear = true;
    std::string value;
};

Section read_name(std::string_view written) {
    Section section;
    if (!written.empty() && written.back() == '*') {
        section.extended = true;
        section.clear = false;
        written.remove_suffix(1);
    }
    const std::size_t star = written.find('*');
    if (star != std::string_view::npos && star + 1 < written.size()) {
        const std::string_view digits = written.substr(star + 1);
        const auto [end, fault] =
            std::from_chars(digits.data(), digits.data() + digits.size(), section.number);
        if (fault == std::errc() && end == digits.data() + digits.size()) {
            written = written.substr(0, star);
            section.clear = false;
        }
    }
    section.name = lower_case(written);
    return section;
}

int hex_value(char c) {
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    return -1;
}

std::string decode_percent(std::string_view text) {
    std::string decoded;
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] == '%' && i + 2 < text.size()) {
            const int high = hex_value(text[i + 1]);
            const int low = hex_value(text[i + 2]);
            if (high >= 0 && low >= 0) {
                decoded.push_back(static_cast<char>(high * 16 + low));
                i += 2;
                continue;
            }
        }
        decoded.push_back(text[i]);
    }
    return decoded;
}

// RFC 2231 §4.1: the sections of one name in the order of their numbers; the charset stands in the
// first extended one.
std::string join(std::vector<const Section*> sections) {
    std::stable_sort(sections.begin(), sections.end(),
                     [](const Section* a, const Section* b) { return a->number < b->number; });
    std::string charset;
    std::string text;
    bool extended = false;
    unsigned expected = sections.front()->number;
    for (const Section* section : sections) {
        if (section->number != expected++ || expected > sections_max) break;  // a gap ends it
        if (!section->extended) {
            text += section->value;
            continue;
        }
        std::string_view rest = section->value;
        const std::size_t first = rest.find('\'');
        const std::size_t second =
            first == std::string_view::npos ? first : rest.find('\'', first + 1);
        if (!extended && second != std::string_view::npos) {
            charset = std::string(rest.substr(0, first));
            rest.remove_prefix(second + 1);
        }
        extended = true;
        text += decode_percent(rest);
    }
    return extended ? to_utf8(charset, text) : text;
}

std::vector<Section> read_parameters(Reader& reader) {
    std::vector<Section> sections;
    while (sections.size() < parameters_max) {
        reader.skip_white();
        while (reader.take(';')) reader.skip_white();
        if (reader.at_end()) break;
        const std::string_view written = reader.token();
        reader.skip_white();
        if (written.empty() || !reader.take('=')) {  // no parameter: on to the next that may be one
            if (written.empty() && !reader.at_end()) reader.skip();
            continue;
        }
        reader.skip_white();
        Section section = read_name(written);
        bool clear = true;
        section.value = reader.value(clear);
        section.clear = section.clear && clear;
        sections.push_back(std::move(section));
    }
    return sections;
}

}  // namespace

std::string_view ContentType::parameter(std::string_view name) const {
    for (const auto& [key, value] : parameters)
        if (key == name) return value;
    return {};
}

ContentType parse_content_type(std::string_view value) {
    Reader reader(value);
    ContentType content_type;
    reader.skip_white();
    const std::string_view type = reader.token();
    reader.skip_white();
    if (type.empty() || !reader.take('/')) return {};
    reader.skip_white();
    const std::string_view subtype = reader.token();
    if (subtype.empty()) return {};
    content_type.type = lower_case(type);
    content_type.subtype = lower_case(subtype);

    const std::vector<Section> sections = read_parameters(reader);
    int boundaries = 0;
    for (const Section& section : sections) {
        if (section.name != "boundary") continue;
        content_type.boundary_doubtful = ++boundaries > 1 || !section.clear;
    }
    for (const Section& section : sections) {
        if (!content_type.parameter(section.name).empty()) continue;  // joined already
        std::vector<const Section*> same;
        for (const Section& other : sections) {
            if (other.name != section.name) continue;
            const bool repeated = std::any_of(same.begin(), same.end(), [&](const Section* one) {
                return one->number == other.number;
            });
            if (!repeated) same.push_back(&other);  // the first of two counts
        }
        content_type.parameters.emplace_back(section.name, join(std::move(same)));
    }
    return content_type;
}

TransferEncoding parse_transfer_encoding(std::string_view value) {
    Reader reader(value);
    reader.skip_white();
    const std::string token = lower_case(reader.take('"') ? reader.token() : reader.token());
    if (token == "7bit") return TransferEncoding::seven_bit;
    if (token == "8bit") return TransferEncoding::eight_bit;
    if (token == "binary") return TransferEncoding::binary;
    if (token == "quoted-printable") return TransferEncoding::quoted_printable;
    if (token == "base64") return TransferEncoding::base64;
    return token.empty() && reader.at_end() ? TransferEncoding::absent : TransferEncoding::unknown;
}

}  // namespace sealgate
