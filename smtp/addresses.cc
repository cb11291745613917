// SPDX-License-Identifier: GPL-3.0-or-later
#include "smtp/addresses.h"

#include <utility>

#include "smtp/encoded_word.h"

namespace sealgate {

namespace {

// RFC 5322 §3.2: words and specials; comments and white space are dropped on the way.
struct Token {
    enum class Kind : std::uint8_t { atom, quoted, literal, special, bad, end };
    Kind kind = Kind::end;
    std::string text;  // of a quoted string without quotes and backslashes; of a literal with []
    bool after_gap = false;  // white space or a comment stood before it
    bool is(char special) const { return kind == Kind::special && text[0] == special; }
    bool is_word() const { return kind == Kind::atom || kind == Kind::quoted; }
};

bool is_atom_byte(char c) {
    const auto byte = static_cast<unsigned char>(c);
    return byte > 0x20 && byte != 0x7f &&
           std::string_view("()<>[]:;@\\,.\"").find(c) == std::string_view::npos;
}

bool is_white(char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n'; }

// Not UTF-8, or of Unicode's characters those that are not seen or change the direction of writing:
// C1 controls, zero-width ones, marks, embeddings, overrides and isolates of direction.
bool deceives_the_eye(std::string_view text) {
    if (repair_utf8(text) != text) return true;
    for (std::size_t at = 0; at + 1 < text.size(); ++at) {
        const auto byte = [&](std::size_t i) {
            return at + i < text.size() ? static_cast<unsigned char>(text[at + i]) : 0u;
        };
        const unsigned last = byte(2);
        if (byte(0) == 0xc2 && byte(1) < 0xa0) return true;
        if (byte(0) == 0xe2 && byte(1) == 0x80 &&
            ((last >= 0x8b && last <= 0x8f) || (last >= 0xa8 && last <= 0xae)))
            return true;
        if (byte(0) == 0xe2 && byte(1) == 0x81 && last >= 0xa0 && last <= 0xaf) return true;
        if (byte(0) == 0xef && byte(1) == 0xbb && last == 0xbf) return true;
    }
    return false;
}

// NUL ends the text for some readers, a bare CR the line.
bool has_controls(std::string_view text) {
    for (std::size_t at = 0; at < text.size(); ++at) {
        const auto byte = static_cast<unsigned char>(text[at]);
        const bool bare_cr = byte == '\r' && text.substr(at + 1, 1) != "\n";
        if (bare_cr || byte == 0x7f || (byte < 0x20 && !is_white(text[at]))) return true;
    }
    return false;
}

class Tokens {
public:
    explicit Tokens(std::string_view text) : text_(text) {}

    Token next() {
        const std::size_t from = at_;
        if (!skip_white()) return {Token::Kind::bad, {}};
        const bool after_gap = at_ > from;
        Token token = read();
        token.after_gap = after_gap;
        return token;
    }

    // What comments and quoted strings held between angle brackets.
    const std::vector<std::string>& bracketed() const { return bracketed_; }

private:
    Token read() {
        if (at_ == text_.size()) return {};
        const char c = text_[at_];
        if (c == '"') {
            Token token = enclosed('"', Token::Kind::quoted);
            note_brackets(token.text);
            return token;
        }
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

    void note_brackets(std::string_view text) {
        for (std::size_t open = text.find('<'); open != std::string_view::npos;
             open = text.find('<', open + 1))
            bracketed_.emplace_back(
                text.substr(open + 1, text.find_first_of("<>", open + 1) - open - 1));
    }

    bool skip_white() {  // false: a comment without end
        int depth = 0;
        std::size_t comment = at_;
        for (; at_ < text_.size(); ++at_) {
            const char c = text_[at_];
            if (c == '(') {
                if (depth++ == 0) comment = at_;
            } else if (depth > 0) {
                if (c == ')' && --depth == 0) note_brackets(text_.substr(comment, at_ - comment));
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
    std::vector<std::string> bracketed_;
};

class Parser {
public:
    explicit Parser(std::string_view text) : tokens_(text) {
        list_.ambiguous = has_controls(text);
        advance();
    }

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
                list_.ambiguous = true;
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
        for (const std::string& text : tokens_.bracketed()) note_bracketed(text);
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
        if (words.empty() || !add_address(words)) list_.malformed = true;
    }

    void take_angle_address(const std::vector<Token>& display_name) {
        // An unquoted '@' before "<" is no phrase: `a@good.example <b@evil.example>`.
        for (const Token& token : display_name)
            if (token.is('@') || token.kind == Token::Kind::literal) list_.malformed = true;
        advance();
        skip_route();
        const std::vector<Token> words = take_words();
        if (!add_address(words)) list_.malformed = true;
        if (token_.is('>')) {
            advance();
        } else {
            list_.malformed = true;
        }
    }

    // §4.4 obs-route: "@a.example,@b.example:" before the addr-spec.
    void skip_route() {
        if (!token_.is('@')) return;
        list_.ambiguous = true;
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
    bool add_address(const std::vector<Token>& words) {
        std::size_t at = 0;
        std::string local;
        bool plain = true;
        for (bool want_word = true; at < words.size() && !words[at].is('@');
             ++at, want_word = !want_word) {
            const Token& token = words[at];
            if (want_word ? !token.is_word() : !token.is('.')) return false;
            if (token.kind == Token::Kind::quoted) plain = plain && is_dot_atom(token.text);
            local += token.text;
        }
        if (at == 0 || words[at - 1].is('.') || at >= words.size()) return false;
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
        const bool gap = has_gap(words);
        // "=?utf-8?q?a=40good.example?=@evil.example": some readers decode it all the same.
        const bool encoded = list_.addresses.back().find("=?") != std::string::npos;
        const bool odd_local = local.find_first_of("@<>") != std::string::npos;
        if (gap || encoded || odd_local || deceives_the_eye(list_.addresses.back()))
            list_.ambiguous = true;
        return true;
    }

    // "a@good.example .evil.example": whoever stops at white space, or begins behind it, sees
    // another address. Around the '@' such a reader sees none.
    static bool has_gap(const std::vector<Token>& words) {
        for (std::size_t i = 1; i < words.size(); ++i)
            if (words[i].after_gap && !words[i].is('@') && !words[i - 1].is('@')) return true;
        return false;
    }

    // Whoever looks for the first '<' takes this for the address; no harm when it is the same.
    void note_bracketed(std::string_view text) {
        if (text.find('@') == std::string_view::npos) return;
        const bool same =
            list_.addresses.size() == 1 && equal_ignoring_case(text, list_.addresses.front());
        if (!same) list_.ambiguous = true;
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
        sender.list.ambiguous = sender.list.ambiguous || list.ambiguous;
        for (std::string& address : list.addresses)
            sender.list.addresses.push_back(std::move(address));
    }
    return sender;
}

std::optional<std::string> sole_from_address(const Header& header) {
    SenderFields from = addresses_of(header, "From");
    if (from.field_count != 1 || from.list.addresses.size() != 1) return std::nullopt;
    if (from.list.malformed || from.list.ambiguous) return std::nullopt;
    return std::move(from.list.addresses.front());
}

}  // namespace sealgate
