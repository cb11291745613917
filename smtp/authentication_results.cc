// SPDX-License-Identifier: GPL-3.0-or-later
#include "smtp/authentication_results.h"

#include <algorithm>
#include <optional>

#include "dns/domain_name.h"
#include "smtp/encoded_word.h"

namespace sealgate {

namespace {

constexpr std::string_view field_name = "Authentication-Results";
constexpr std::size_t fold_columns = 78;  // RFC 5322 §2.1.1
// Written out, of a value or comment. With what stands before it a line stays below 998.
constexpr std::size_t value_bytes_max = 800;

bool is_control(char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; }
bool is_ascii_text(char c) { return !is_control(c) && static_cast<unsigned char>(c) < 0x80; }

// RFC 2045 §5.1, as RFC 8601 §2.2 takes it over.
bool is_token(char c) {
    return is_ascii_text(c) && c != ' ' &&
           std::string_view("()<>@,;:\\\"/[]?=").find(c) == std::string_view::npos;
}

// --- writing -----------------------------------------------------------------------------------

// RFC 4514 §2.4 writes any octet so.
std::string with_hex_escapes(std::string_view text) {
    constexpr char digits[] = "0123456789ABCDEF";
    std::string escaped;
    for (const char c : text) {
        if (is_ascii_text(c)) {
            escaped.push_back(c);
            continue;
        }
        const auto byte = static_cast<unsigned char>(c);
        escaped += {'\\', digits[byte >> 4], digits[byte & 15]};
    }
    return escaped;
}

// Neither in quotes nor in comments may "=?" stay: it begins an encoded-word, and there are readers
// that decode these wherever they stand.
constexpr std::string_view encoded_word_mark = "=?";

std::string escaped(std::string_view text, std::string_view specials) {
    std::string escaped;
    for (std::size_t i = 0; i < text.size(); ++i) {
        const bool mark = i > 0 && text.substr(i - 1, 2) == encoded_word_mark;
        if (mark || specials.find(text[i]) != std::string_view::npos) escaped.push_back('\\');
        escaped.push_back(text[i]);
    }
    return escaped;
}

// local-part "@" domain-name needs no quotes where both are plain: RFC 8601 §2.2, pvalue.
bool is_plain_address(std::string_view text) {
    if (text.find(encoded_word_mark) != std::string_view::npos) return false;
    const std::size_t at = text.find('@');
    if (at == 0 || at == std::string_view::npos || at + 1 == text.size()) return false;
    const auto is_dotted = [](std::string_view part, std::string_view specials) {
        if (part.front() == '.' || part.back() == '.') return false;
        char before = 0;
        for (const char c : part) {
            const bool alnum =
                (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
            if (!alnum && specials.find(c) == std::string_view::npos) return false;
            if (c == '.' && before == '.') return false;
            before = c;
        }
        return true;
    };
    return is_dotted(text.substr(0, at), "!#$%&'*+-/=?^_`{|}~.") &&
           is_dotted(text.substr(at + 1), "-.");
}

// Empty when there is none, or none that fits.
std::string value_text(std::string_view text) {
    if (text.empty()) return {};
    const bool token = std::all_of(text.begin(), text.end(), is_token);
    const bool plain = token || is_plain_address(text);
    std::string value =
        plain ? std::string(text) : '"' + escaped(with_hex_escapes(text), "\"\\") + '"';
    return value.size() > value_bytes_max ? std::string() : value;
}

std::string comment_text(std::string_view text) {
    std::string plain(text.substr(0, value_bytes_max / 2));
    std::replace_if(
        plain.begin(), plain.end(), [](char c) { return !is_ascii_text(c); }, '?');
    return "(" + escaped(plain, "()\\") + ")";
}

// Words with a space between them, a line break where a line would be too long. Spaces inside a
// word, of comments and quoted strings, are places for line breaks, too: RFC 5322 §3.2.2.
class FoldedField {
public:
    explicit FoldedField(std::string begin) : text_(std::move(begin)), column_(text_.size()) {}

    void add(std::string_view word) {
        std::size_t from = 0;
        while (from <= word.size()) {
            const std::size_t space = std::min(word.find(' ', from), word.size());
            add_piece(word.substr(from, space - from));
            from = space + 1;
        }
    }
    std::string take() { return std::move(text_) + "\r\n"; }

private:
    // An empty piece, of two spaces in a row, never begins a line: one of white space alone would
    // be taken for the header's end by some.
    void add_piece(std::string_view piece) {
        if (!piece.empty() && column_ + 1 + piece.size() > fold_columns && column_ > 1) {
            text_ += "\r\n";
            column_ = 0;
        }
        text_ += ' ';
        text_ += piece;
        column_ += 1 + piece.size();
    }

    std::string text_;
    std::size_t column_;
};

// --- reading -----------------------------------------------------------------------------------

// Whatever a host name is made of, and UTF-8's bytes (RFC 8601 §2.2 with RFC 6531).
bool is_host_byte(char c) {
    const auto byte = static_cast<unsigned char>(c);
    return byte >= 0x80 || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
           (c >= '0' && c <= '9') || c == '.' || c == '-' || c == '_';
}

// Behind white space, controls and comments; nothing when a comment does not end.
std::optional<std::string_view> without_comments(std::string_view text) {
    int depth = 0;
    for (std::size_t at = 0; at < text.size(); ++at) {
        const char c = text[at];
        if (c == '(') {
            ++depth;
        } else if (depth > 0) {
            if (c == ')') --depth;
            if (c == '\\') ++at;
        } else if (c != ' ' && !is_control(c)) {
            return text.substr(at);
        }
    }
    if (depth > 0) return std::nullopt;
    return std::string_view();
}

// What stands first: a quoted string's content, or host-name bytes.
std::string first_word(std::string_view text) {
    std::string word;
    const bool is_quoted = text.substr(0, 1) == "\"";
    for (std::size_t at = is_quoted ? 1 : 0; at < text.size(); ++at) {
        if (is_quoted && text[at] == '"') break;
        if (is_quoted && text[at] == '\\') continue;
        if (!is_host_byte(text[at])) {
            if (!is_quoted) break;
            continue;  // white space and folds, and what has no place in a name
        }
        word.push_back(text[at]);
    }
    return word;
}

std::string comparable(std::string_view name) {
    const Result<std::string> form = to_lookup_form(name);
    if (form) return *form;
    while (name.ends_with('.')) name.remove_suffix(1);
    return lower_case(name);
}

bool begins_with_id(std::string_view value, std::string_view hostname) {
    const std::optional<std::string_view> begin = without_comments(value);
    if (!begin)  // no name to be found; some reader may find ours all the same
        return lower_case(value).find(lower_case(hostname)) != std::string::npos;
    return comparable(first_word(*begin)) == comparable(hostname);
}

}  // namespace

const char* to_word(AuthResult result) {
    switch (result) {
    case AuthResult::none: return "none";
    case AuthResult::pass: return "pass";
    case AuthResult::fail: return "fail";
    case AuthResult::policy: return "policy";
    case AuthResult::neutral: return "neutral";
    case AuthResult::temperror: return "temperror";
    case AuthResult::permerror: return "permerror";
    }
    return "";
}

AuthResult auth_result_of(Reason reason) {
    switch (reason) {
    case Reason::ok: return AuthResult::pass;
    // It was checked and does not hold: the signature itself, its certificate, or whose it is.
    case Reason::bad_signature:
    case Reason::bad_digest:
    case Reason::sender_mismatch:
    case Reason::untrusted:
    case Reason::expired:
    case Reason::not_yet_valid:
    case Reason::revoked:
    case Reason::bad_key_usage: return AuthResult::fail;
    // It verifies, and is not acceptable here: others may still take SHA-1.
    case Reason::weak_digest:
    case Reason::weak_key: return AuthResult::policy;
    // A list or responder did not answer, and may later.
    case Reason::revocation_unknown: return AuthResult::temperror;
    // It cannot be read or processed, which says nothing against the sender.
    case Reason::malformed:
    case Reason::unsupported_algorithm:
    case Reason::no_signer:
    case Reason::no_certificate:
    case Reason::limit:
    case Reason::too_many_layers: return AuthResult::neutral;
    // Nobody got as far as a signature: the layer around it stays shut, and to try again does not
    // help.
    case Reason::no_key:
    case Reason::no_recipient_info:
    case Reason::decrypt_failed: return AuthResult::permerror;
    }
    return AuthResult::neutral;
}

std::string make_authentication_results(std::string_view hostname,
                                        const std::vector<SmimeAuthResult>& results) {
    FoldedField field(std::string(field_name) + ":");
    const std::string host = value_text(hostname);
    field.add(host + ";");
    if (results.empty()) field.add("none");
    for (std::size_t i = 0; i < results.size(); ++i) {
        const SmimeAuthResult& one = results[i];
        std::vector<std::string> words = {std::string("smime=") + to_word(one.result)};
        if (!one.comment.empty()) words.push_back(comment_text(one.comment));
        const std::string identifier = value_text(one.identifier);
        const std::string serial = value_text(one.serial);
        const std::string issuer = value_text(one.issuer);
        if (!identifier.empty()) words.push_back("body.smime-identifier=" + identifier);
        if (!serial.empty() && !issuer.empty()) {
            words.push_back("body.smime-serial=" + serial);
            words.push_back("body.smime-issuer=" + issuer);
        }
        if (i + 1 < results.size()) words.back() += ";";
        for (const std::string& word : words) field.add(word);
    }
    return field.take();
}

bool bears_authserv_id(const Header& header, const HeaderField& field, std::string_view hostname) {
    if (!equal_ignoring_case(header.name(field), field_name)) return false;
    const std::string_view value = header.raw_value(field);
    return begins_with_id(value, hostname) ||
           (value.find(encoded_word_mark) != std::string_view::npos &&
            begins_with_id(decode_encoded_words(unfold(value)), hostname));
}

}  // namespace sealgate
