// SPDX-License-Identifier: GPL-3.0-or-later
#include "smtp/mime_entity.h"

#include "smtp/mime_boundary.h"

namespace sealgate {

namespace {

bool is_encoded(TransferEncoding label) {
    return label == TransferEncoding::quoted_printable || label == TransferEncoding::base64 ||
           label == TransferEncoding::unknown;
}

void plan_multipart(EntityPlan& plan, const ContentType& type) {
    if (type.subtype == "signed" || type.subtype == "encrypted") return;
    plan.boundary = boundary_of(type);
    if (plan.boundary.empty()) return;
    plan.kind = EntityPlan::Kind::multipart;
    plan.digest = type.subtype == "digest";
}

}  // namespace

EntityPlan plan_entity(const Header& header, bool in_digest, int depth) {
    EntityPlan plan;
    plan.label = header.transfer_encoding();
    // Several Content-Type fields mean different things to different readers.
    if (header.count("Content-Type") > 1) return plan;
    ContentType type = header.content_type();
    if (!type.valid()) {
        const bool said_nothing = header.first("Content-Type") == nullptr;
        type.type = in_digest && said_nothing ? "message" : "text";
        type.subtype = in_digest && said_nothing ? "rfc822" : "plain";
    }
    if (type.type == "multipart") {
        if (depth < limits::mime_depth_max) plan_multipart(plan, type);
        return plan;
    }
    if (is_encoded(plan.label)) return plan;
    if (type.is("message", "rfc822") || type.is("message", "global")) {
        if (depth < limits::mime_depth_max) plan.kind = EntityPlan::Kind::message;
        return plan;
    }
    // RFC 2046 §5.2.2, §5.2.3: these may not be encoded.
    if (type.is("message", "partial") || type.is("message", "external-body")) return plan;
    plan.kind = EntityPlan::Kind::leaf;
    // Other message/* (delivery-status and its like) are lines of text, better left readable.
    const bool text = type.type == "text" || type.type == "message";
    plan.encode_as = text ? TransferEncoding::quoted_printable : TransferEncoding::base64;
    return plan;
}

}  // namespace sealgate
