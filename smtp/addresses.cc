// SPDX-License-Identifier: GPL-3.0-or-later
#include "smtp/addresses.h"

#include <utility>

namespace sealgate {

namespace {

// RFC 5322 §3.2: words and specials; comments and white space are dropped on the way.
struct Token {
    enum class Kind : std::uint8_t { atom, quoted, literal, special, bad, end };
    Kind kind = Kind::end;
    std::string text;  // of a quoted string without quotes and backslashes; of a literal with []
    bool is(char special) const { return kind == Kind::special && text[0] == special; }
    bool is_word() const { return kind == Kind::atom || kind == Kind::quoted; }
};

bool is_atom_byte(char c) {
    const auto byte = static_cast<unsigned char>(c);
    return byte > 0x20 && byte != 0x7f &&
           std::string_view("()<>[]:;@\\,.\"").find(c) == std::string_view::npos;
}

bool is_white(char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n'; }

class Tokens {
public:
    explicit Tokens(std::string_view text) : text_(text) {}

    Token next() {
        if (!skip_white()) return {Token::Kind::bad, {}};
        if (at_ == text_.size()) return {};
        const char c = text_[at_];
        if (c == '"') return enclosed('"', Token::Kind::quoted);
        if (c == '[') return enclosed(']', Token::Kind::literal);
        if (is_atom_byte(c)) {
            const std::size_t begin = at_;
            while (at_ < text_.size() && is_atom_byte(text_[at_])) ++at_;
            return {Token::Kind::atom, std::string(text_.substr(begin, at_ - begin))};
        }
        ++at_;
        const bool special = std::string_view("<>:;@,.").find(c) != std::string_view::npos;
        return {special ? Token::Kind::special : Token::Kind::bad, std::string(1, c)};
    }

private:
    bool skip_white() {  // false: a comment without end
        int depth = 0;
        for (; at_ < text_.size(); ++at_) {
            const char c = text_[at_];
            if (c == '(') {
                ++depth;
            } else if (depth > 0) {
                if (c == ')') --depth;
                if (c == '\\' && at_ + 1 < text_.size()) ++at_;
            } else if (!is_white(c)) {
                break;
            }
        }
        return depth == 0;
    }

    Token enclosed(char end, Token::Kind kind) {
        Token token{kind, {}};
        if (kind == Token::Kind::literal) token.text.push_back('[');
        for (++at_; at_ < text_.size(); ++at_) {
            char c = text_[at_];
            if (c == end) {
                ++at_;
                if (kind == Token::Kind::literal) token.text.push_back(']');
                return token;
            }
            if (c == '\r' || c == '\n') continue;  // a fold
            if (c == '\\' && at_ + 1 < text_.size()) c = text_[++at_];
            const auto byte = static_cast<unsigned char>(c);
            if ((byte < 0x20 && c != '\t') || byte == 0x7f) break;
            token.text.push_back(c);
        }
        at_ = text_.size();  // no end, or a control character inside: nothing behind it counts
        return {Token::Kind::bad, {}};
    }

    std::string_view text_;
    std::size_t at_ = 0;
};

class Parser {
public:
    explicit Parser(std::string_view text) : tokens_(text) { advance(); }

    AddressList parse() {
        bool in_group = false;
        while (token_.kind != Token::Kind::end) {
            if (token_.is(',')) {  // empty places in a list are obsolete, not wrong (§4.4)
                advance();
                continue;
            }
            if (token_.is(';')) {
                if (!in_group) list_.malformed = true;  // Outlook's separator
                in_group = false;
                advance();
                continue;
            }
            const std::vector<Token> words = take_words();
            if (token_.is(':')) {  // "name:" begins a group; groups do not nest
                if (in_group || words.empty()) list_.malformed = true;
                in_group = true;
                advance();
                continue;
            }
            if (token_.is('<')) {
                take_angle_address(words);
            } else {
                take_bare_address(words);
            }
            expect_separator();
        }
        if (in_group) list_.malformed = true;
        return std::move(list_);
    }

private:
    void advance() { token_ = tokens_.next(); }

    // Words, dots, '@' and literals up to anything else: a display name, or a bare addr-spec.
    std::vector<Token> take_words() {
        std::vector<Token> words;
        while (token_.is_word() || token_.is('.') || token_.is('@') ||
               token_.kind == Token::Kind::literal) {
            words.push_back(std::exchange(token_, Token{}));
            advance();
        }
        return words;
    }

    void take_bare_address(const std::vector<Token>& words) {
        if (words.empty() || !add_address(words, 0)) list_.malformed = true;
    }

    void take_angle_address(const std::vector<Token>& display_name) {
        // An unquoted '@' before "<" is no phrase: `a@good.example <b@evil.example>`.
        for (const Token& token : display_name)
            if (token.is('@') || token.kind == Token::Kind::literal) list_.malformed = true;
        advance();
        skip_route();
        const std::vector<Token> words = take_words();
        if (!add_address(words, 0)) list_.malformed = true;
        if (token_.is('>')) {
            advance();
        } else {
            list_.malformed = true;
        }
    }

    // §4.4 obs-route: "@a.example,@b.example:" before the addr-spec.
    void skip_route() {
        if (!token_.is('@')) return;
        while (token_.is('@') || token_.is(',')) {
            if (token_.is(',')) {
                advance();
                continue;
            }
            advance();
            while (token_.kind == Token::Kind::atom || token_.is('.') ||
                   token_.kind == Token::Kind::literal) {
                advance();
            }
        }
        if (token_.is(':')) {
            advance();
        } else {
            list_.malformed = true;
        }
    }

    // local-part "@" domain, and nothing else; both may be dotted words with white space between.
    bool add_address(const std::vector<Token>& words, std::size_t begin) {
        std::size_t at = begin;
        std::string local;
        bool plain = true;
        for (bool want_word = true; at < words.size() && !words[at].is('@');
             ++at, want_word = !want_word) {
            const Token& token = words[at];
            if (want_word ? !token.is_word() : !token.is('.')) return false;
            if (token.kind == Token::Kind::quoted) plain = plain && is_dot_atom(token.text);
            local += token.text;
        }
        if (at == begin || words[at - 1].is('.') || at >= words.size()) return false;
        std::string domain;
        ++at;  // the '@'
        if (at + 1 == words.size() && words[at].kind == Token::Kind::literal) {
            domain = words[at].text;
        } else {
            bool want_word = true;
            for (; at < words.size(); ++at, want_word = !want_word) {
                if (want_word ? words[at].kind != Token::Kind::atom : !words[at].is('.'))
                    return false;
                domain += words[at].text;
            }
            if (want_word) return false;  // empty, or a dot at its end
        }
        list_.addresses.push_back((plain ? local : quote(local)) + "@" + domain);
        return true;
    }

    static bool is_dot_atom(std::string_view text) {
        char before = '.';
        for (const char c : text) {
            if (c == '.' ? before == '.' : !is_atom_byte(c)) return false;
            before = c;
        }
        return before != '.';
    }

    static std::string quote(std::string_view text) {
        std::string quoted = "\"";
        for (const char c : text) {
            if (c == '"' || c == '\\') quoted.push_back('\\');
            quoted.push_back(c);
        }
        return quoted + "\"";
    }

    void expect_separator() {
        if (token_.kind == Token::Kind::end || token_.is(',') || token_.is(';')) return;
        list_.malformed = true;
        // Go on where an address may begin again, so that the others are seen, too.
        if (!token_.is('<') && !token_.is_word()) advance();
    }

    Tokens tokens_;
    Token token_;
    AddressList list_;
};

}  // namespace

AddressList parse_addresses(std::string_view value) { return Parser(value).parse(); }

SenderFields addresses_of(const Header& header, std::string_view field_name) {
    SenderFields sender;
    for (const HeaderField* field : header.all(field_name)) {
        ++sender.field_count;
        AddressList list = parse_addresses(header.raw_value(*field));
        sender.list.malformed = sender.list.malformed || list.malformed;
        for (std::string& address : list.addresses)
            sender.list.addresses.push_back(std::move(address));
    }
    return sender;
}

std::optional<std::string> sole_from_address(const Header& header) {
    SenderFields from = addresses_of(header, "From");
    if (from.field_count != 1 || from.list.malformed || from.list.addresses.size() != 1)
        return std::nullopt;
    return std::move(from.list.addresses.front());
}

}  // namespace sealgate
