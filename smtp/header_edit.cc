// SPDX-License-Identifier: GPL-3.0-or-later
#include "smtp/header_edit.h"

#include <algorithm>

#include "smtp/authentication_results.h"

namespace sealgate {

namespace {

bool is_mime_field(std::string_view name) {
    return equal_ignoring_case(name.substr(0, 8), "Content-");
}

bool has_crlf_only(std::string_view text) {
    if (!text.ends_with("\r\n")) return false;
    for (std::size_t at = text.find_first_of("\r\n"); at != std::string_view::npos;
         at = text.find_first_of("\r\n", at + 2))
        if (text.substr(at, 2) != "\r\n") return false;
    return true;
}

// The fields from inside, each of which takes the place of the first outer one of its name.
class Replacements {
public:
    explicit Replacements(const ProtectedHeaders* inside)
        : inside_(inside), placed_(inside ? inside->fields.size() : 0) {}

    // False: the outer field stays.
    bool replace(std::string_view name, ChunkList& out) {
        for (std::size_t i = 0; i < placed_.size(); ++i) {
            if (!equal_ignoring_case(name, inside_->fields[i].name)) continue;
            place(i, out);
            return true;
        }
        return false;
    }
    void place_rest(ChunkList& out) {
        for (std::size_t i = 0; i < placed_.size(); ++i) place(i, out);
    }

private:
    void place(std::size_t i, ChunkList& out) {
        if (!placed_[i]) out.append(inside_->fields[i].field);
        placed_[i] = true;
    }

    const ProtectedHeaders* inside_;
    std::vector<bool> placed_;
};

}  // namespace

Chunk with_crlf(const Chunk& field) {
    const std::string_view text = field.text();
    if (has_crlf_only(text)) return field;
    std::string mended;
    for (std::size_t i = 0; i < text.size(); ++i) {
        const bool before_lf = text.substr(i + 1, 1) == "\n";
        if (text[i] == '\n') {
            mended += "\r\n";
        } else if (text[i] != '\r') {
            mended.push_back(text[i]);
        } else if (!before_lf && i + 1 < text.size()) {
            mended.push_back(' ');  // a bare CR is no line end, and may not become one
        }
    }
    if (!mended.ends_with("\r\n")) mended += "\r\n";
    return Chunk::copy_of(mended);
}

SplitHeader split_header(const Header& header) {
    SplitHeader split;
    for (const HeaderField& field : header.fields()) {
        const std::string_view name = header.name(field);
        if (name.empty() || equal_ignoring_case(name, "MIME-Version")) continue;
        (is_mime_field(name) ? split.inside : split.outside).append(header.slice(field));
    }
    split.inside.append(Chunk::literal("\r\n"));
    return split;
}

ChunkList delivered_header(const Header& outer, const Header& entity, std::string_view hostname,
                           const ProtectedHeaders* inside) {
    ChunkList out;
    Replacements replacements(inside);
    for (const HeaderField& field : outer.fields()) {
        const std::string_view name = outer.name(field);
        const bool dropped =
            name.empty() || is_mime_field(name) || equal_ignoring_case(name, "MIME-Version") ||
            equal_ignoring_case(name, "HP-Outer") || bears_authserv_id(outer, field, hostname);
        if (dropped || replacements.replace(name, out)) continue;
        const Chunk whole = outer.slice(field);
        out.append(whole);
        if (!whole.text().ends_with('\n'))  // the message ended there
            out.append(Chunk::literal(whole.text().ends_with('\r') ? "\n" : "\r\n"));
    }
    replacements.place_rest(out);
    out.append(Chunk::literal("MIME-Version: 1.0\r\n"));
    for (const HeaderField& field : entity.fields())
        if (is_mime_field(entity.name(field))) out.append(with_crlf(entity.slice(field)));
    out.append(Chunk::literal("\r\n"));
    return out;
}

Chunk relayed_header(const Header& header) {
    std::size_t from = 0;
    for (const HeaderField& field : header.fields()) {
        if (!header.name(field).empty()) break;
        from = field.end;
    }
    return header.bytes().slice(from, header.bytes().size());
}

ChunkList original_header(const Header& header, std::string_view hostname) {
    ChunkList out;
    std::size_t from = 0;
    for (const HeaderField& field : header.fields()) {
        if (!header.name(field).empty() && !bears_authserv_id(header, field, hostname)) continue;
        out.append(header.bytes().slice(from, field.begin));
        from = field.end;
    }
    out.append(header.bytes().slice(from, header.bytes().size()));
    return out;
}

}  // namespace sealgate
