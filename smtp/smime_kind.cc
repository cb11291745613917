// SPDX-License-Identifier: GPL-3.0-or-later
#include "smtp/smime_kind.h"

#include "smtp/mime_boundary.h"

namespace sealgate {

namespace {

bool is_p7m(std::string_view file_name) {
    while (!file_name.empty() && file_name.back() == ' ') file_name.remove_suffix(1);
    return file_name.size() > 4 &&
           equal_ignoring_case(file_name.substr(file_name.size() - 4), ".p7m");
}

bool is_detached(const ContentType& type) {
    if (!type.is("multipart", "signed")) return false;
    const std::string protocol = lower_case(type.parameter("protocol"));
    // What some say is "pkcs7-signature", "application/pkcs7-mime" and the like.
    if (!protocol.empty()) return protocol.find("pkcs7") != std::string::npos;
    return lower_case(type.parameter("micalg")).substr(0, 4) != "pgp-";
}

// Content-Disposition has Content-Type's parameters behind a single word.
std::string disposition_file_name(const Header& header) {
    const HeaderField* field = header.first("Content-Disposition");
    if (!field) return {};
    const ContentType disposition =
        parse_content_type("x/" + std::string(unfold(header.raw_value(*field))));
    return std::string(disposition.parameter("filename"));
}

bool is_cms(const ContentType& type, const Header& header) {
    if (is_pkcs7_mime(type)) return true;
    if (type.valid() && type.type != "application") return false;
    return !type.parameter("smime-type").empty() || is_p7m(type.parameter("name")) ||
           is_p7m(disposition_file_name(header));
}

bool is_readable_multipart(const ContentType& type, const Header& header) {
    if (type.boundary_doubtful || boundary_of(type).empty()) return false;
    switch (header.transfer_encoding()) {  // RFC 2045 §6.4
    case TransferEncoding::absent:
    case TransferEncoding::seven_bit:
    case TransferEncoding::eight_bit:
    case TransferEncoding::binary: return true;
    case TransferEncoding::quoted_printable:
    case TransferEncoding::base64:
    case TransferEncoding::unknown: break;
    }
    return false;
}

SmimeKind kind_of(const ContentType& type, const Header& header) {
    if (is_detached(type))
        return is_readable_multipart(type, header) ? SmimeKind::detached : SmimeKind::ambiguous;
    return is_cms(type, header) ? SmimeKind::cms : SmimeKind::none;
}

}  // namespace

bool is_pkcs7_mime(const ContentType& type) {
    return type.is("application", "pkcs7-mime") || type.is("application", "x-pkcs7-mime");
}

bool is_pkcs7_signature(std::string_view media_type) {
    return equal_ignoring_case(media_type, "application/pkcs7-signature") ||
           equal_ignoring_case(media_type, "application/x-pkcs7-signature");
}

SmimeKind smime_kind(const Header& header) {
    const std::vector<const HeaderField*> fields = header.all("Content-Type");
    if (fields.empty()) return kind_of(ContentType{}, header);
    SmimeKind kind = SmimeKind::none;
    bool differ = false;
    for (const HeaderField* field : fields) {
        if (kind == SmimeKind::none)
            kind = kind_of(parse_content_type(header.raw_value(*field)), header);
        differ = differ || header.value(*field) != header.value(*fields.front());
    }
    return differ && kind != SmimeKind::none ? SmimeKind::ambiguous : kind;
}

}  // namespace sealgate
