// SPDX-License-Identifier: GPL-3.0-or-later
//
// Fuzzes the header of what is delivered, and the Authentication-Results field. The input is an
// outer header and, behind its blank line, that of the entity inside. Beside not crashing: what is
// made is one header to its last byte, without fields that are forged in our name, with From as it
// was; and whatever a certificate says, the field stays one field of short lines of ASCII.

#include <cstddef>
#include <cstdint>
#include <string>

#include "smtp/authentication_results.h"
#include "smtp/header_edit.h"
#include "smtp/sender_identity.h"

namespace {

using namespace sealgate;

constexpr std::string_view hostname = "gw.example";

bool has_forged(const Header& header) {
    for (const HeaderField& field : header.fields())
        if (bears_authserv_id(header, field, hostname)) return true;
    return false;
}

// White space apart: a bare CR becomes some, or the line's end.
std::string text_in(std::string value) {
    std::erase_if(value, [](char c) { return c == ' ' || c == '\t' || c == '\r'; });
    return value;
}

void check_delivered(const Header& outer, const Header& entity) {
    const ProtectedHeaders inside = read_protected_headers(outer, entity);
    CHECK(inside.protection != HeaderProtection::none || inside.fields.empty());
    const std::string text = delivered_header(outer, entity, hostname, &inside).to_string();
    const Header made = Header::parse(Chunk::copy_of(text));
    CHECK(made.bytes().size() == text.size() && made.ended_by() == HeaderEnd::blank_line);
    CHECK(!has_forged(made));
    CHECK(made.count("MIME-Version") == 1 && made.count("HP-Outer") == 0);
    for (const char* name : {"From", "Sender", "Received", "Return-Path", "Bcc"}) {
        CHECK(made.count(name) == outer.count(name));
        CHECK(text_in(made.value_of(name)) == text_in(outer.value_of(name)));
    }
    CHECK(made.count("Content-Type") == entity.count("Content-Type"));
    const std::string kept = original_header(outer, hostname).to_string();
    CHECK(!has_forged(Header::parse(Chunk::copy_of(kept))));
}

void check_results(std::string_view text) {
    SmimeAuthResult result;
    result.result = AuthResult::fail;
    result.comment = result.identifier = result.serial = result.issuer = std::string(text);
    const std::string field = make_authentication_results(hostname, {result, result});
    std::size_t column = 0;
    for (const char c : field) {
        CHECK((c >= ' ' && c < 0x7f) || c == '\r' || c == '\n');
        column = c == '\n' ? 0 : column + 1;
        CHECK(column <= limits::line_bytes_max + 1);
    }
    const Header header = Header::parse(Chunk::copy_of(field + "\r\n"));
    CHECK(header.fields().size() == 1 && header.bytes().size() == field.size() + 2);
    CHECK(bears_authserv_id(header, header.fields()[0], hostname));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size > 64 * 1024) return 0;
    const std::string_view text = as_text(ByteSpan(data, size));
    const Header outer = Header::parse(Chunk::copy_of(text));
    const Header entity = Header::parse(Chunk::copy_of(text.substr(outer.bytes().size())));
    check_delivered(outer, entity);
    check_delivered(entity, outer);
    check_results(text);
    check_results(text.substr(0, 300));
    const auto address = address_to_cover(outer);
    CHECK(!address || address->find('@') != std::string::npos);
    return 0;
}
