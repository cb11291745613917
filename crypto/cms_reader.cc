// SPDX-License-Identifier: GPL-3.0-or-later
#include "crypto/cms_reader.h"

#include <algorithm>
#include <array>
#include <optional>

#include "core/limits.h"
#include "crypto/ber_stream.h"
#include "crypto/ber_writer.h"
#include "crypto/cms_reader_gather.h"
#include "crypto/cms_reader_shapes.h"
#include "crypto/der_reader.h"
#include "crypto/oid.h"

namespace sealgate {
namespace {

// ContentInfo, [0], SignedData, EncapsulatedContentInfo, [0]: and the one around them.
constexpr std::size_t frames_max = 6;
// An OBJECT IDENTIFIER that is remembered until its algorithm is there. Real ones have 13 octets.
constexpr std::size_t oid_bytes_max = 256;

bool same(ByteSpan left, ByteSpan right) {
    return std::equal(left.begin(), left.end(), right.begin(), right.end());
}

CmsType type_of(ByteSpan oid) {
    if (same(oid, oid::signed_data)) return CmsType::signed_data;
    if (same(oid, oid::enveloped_data)) return CmsType::enveloped_data;
    if (same(oid, oid::auth_enveloped_data)) return CmsType::auth_enveloped_data;
    if (same(oid, oid::data)) return CmsType::data;
    return CmsType::other;
}

bool is_oid(CmsPart part) { return part == CmsPart::type || part == CmsPart::content_type; }

// Behind the ContentInfo. Lines' ends and zeros come from writers that pad, or encode a line too
// many; OpenSSL and NSS look at nothing that stands there.
bool may_follow(std::uint8_t octet) { return octet == '\r' || octet == '\n' || octet == 0; }

}  // namespace

const char* to_text(CmsType type) {
    switch (type) {
    case CmsType::data: return "data";
    case CmsType::signed_data: return "signedData";
    case CmsType::enveloped_data: return "envelopedData";
    case CmsType::auth_enveloped_data: return "authEnvelopedData";
    case CmsType::other: return "other";
    }
    return "other";
}

struct CmsReader::State {
    explicit State(Router& the_router) : router(the_router) {
        frames[frame_count++] = {&cms_root_shape(), 0};
    }

    enum class Mode : std::uint8_t {
        between,    // elements of the innermost frame
        gather,     // inside an element that is wanted whole
        pass_over,  // inside one that nobody wants
        stream,     // inside the content
        complete,
    };
    struct Frame {
        const CmsShape* shape;
        std::size_t slot;  // the next one, in a sequence
    };

    Result<Flow> read(const Chunk& chunk);
    Result<void> on_event(const BerEvent& event, const Chunk& chunk);
    Result<void> on_event_between(const BerEvent& event);
    Result<const CmsSlot*> slot_for(std::uint8_t tag);
    Result<void> begin(const CmsSlot& slot, const BerEvent& event);
    Result<void> leave();
    std::size_t bytes_max_of(CmsPart part) const;
    Result<void> gather(const BerEvent& event);
    Result<void> stream_content(const BerEvent& event, const Chunk& chunk);
    Result<void> tell(CmsPart part, ByteSpan der);
    Result<void> tell_type(ByteSpan oid);
    Result<void> count(std::size_t& total, std::size_t more, std::size_t max, const char* what);
    tl::unexpected<Error> otherwise() const;
    bool ends_element(const BerEvent& event) const {
        return event.kind == BerEvent::Kind::end && stream.depth() == element_depth - 1;
    }

    Router& router;
    CmsHandler* handler = nullptr;
    std::optional<Error> error;

    BerStream stream;
    std::array<Frame, frames_max> frames{};
    std::size_t frame_count = 0;
    Mode mode = Mode::between;
    CmsPart gathered_part = CmsPart::none;
    int element_depth = 0;  // of the element that is gathered, passed over or streamed

    CmsType type = CmsType::other;
    ElementGatherer gatherer;
    ContentPasser content;
    Bytes content_type;
    bool has_content = false;

    std::size_t recipients = 0;
    std::size_t signers = 0;
    std::size_t signers_bytes = 0;
    std::size_t certificates_bytes = 0;
    std::size_t crls_bytes = 0;
};

Result<Flow> CmsReader::State::read(const Chunk& chunk) {
    ByteSpan input = chunk.bytes();
    while (mode != Mode::complete) {
        const BerEvent event = TRY(stream.next(input));
        if (event.kind == BerEvent::Kind::input) return content.take_flow();
        TRY(on_event(event, chunk));
    }
    if (!std::all_of(input.begin(), input.end(), may_follow))
        return malformed("octets behind the CMS ContentInfo", stream.at());
    return content.take_flow();
}

Result<void> CmsReader::State::on_event(const BerEvent& event, const Chunk& chunk) {
    switch (mode) {
    case Mode::between: return on_event_between(event);
    case Mode::gather: return gather(event);
    case Mode::stream: return stream_content(event, chunk);
    case Mode::pass_over:
        if (ends_element(event)) mode = Mode::between;
        return {};
    case Mode::complete: break;
    }
    return {};
}

// --- the frame -----------------------------------------------------------------------------------

Result<void> CmsReader::State::on_event_between(const BerEvent& event) {
    if (event.kind == BerEvent::Kind::end) return leave();
    const CmsSlot* const slot = TRY(slot_for(event.tag));
    return begin(*slot, event);
}

Result<const CmsSlot*> CmsReader::State::slot_for(std::uint8_t tag) {
    Frame& frame = frames[frame_count - 1];
    const CmsShape& shape = *frame.shape;
    for (std::size_t i = frame.slot; i < shape.slots.size(); ++i) {
        const CmsSlot& slot = shape.slots[i];
        if (tag == slot.tag || (slot.or_tag != 0 && tag == slot.or_tag)) {
            if (shape.order == CmsShape::Order::sequence) frame.slot = i + 1;
            return &slot;
        }
        if (slot.presence == CmsSlot::Presence::required) break;
    }
    return otherwise();
}

Result<void> CmsReader::State::begin(const CmsSlot& slot, const BerEvent& event) {
    element_depth = stream.depth();
    switch (slot.then) {
    case CmsSlot::Then::pass_over: mode = Mode::pass_over; return {};
    case CmsSlot::Then::enter:
    case CmsSlot::Then::enter_type:
        CHECK(frame_count < frames_max);
        frames[frame_count++] = {
            slot.then == CmsSlot::Then::enter ? slot.inside : cms_shape_of(type), 0};
        return {};
    case CmsSlot::Then::gather:
        mode = Mode::gather;
        gathered_part = slot.part;
        gatherer.start(bytes_max_of(slot.part));
        return gather(event);
    case CmsSlot::Then::stream:
        mode = Mode::stream;
        has_content = true;
        return {};
    }
    return {};
}

// The innermost element has ended.
Result<void> CmsReader::State::leave() {
    const Frame& frame = frames[frame_count - 1];
    const CmsShape& shape = *frame.shape;
    if (shape.order == CmsShape::Order::sequence) {
        for (const CmsSlot& slot : shape.slots.subspan(frame.slot))
            if (slot.presence == CmsSlot::Presence::required) return otherwise();
    }
    --frame_count;
    return tell(shape.at_end, {});
}

tl::unexpected<Error> CmsReader::State::otherwise() const {
    const CmsShape& shape = *frames[frame_count - 1].shape;
    return tl::unexpected(Error{shape.otherwise_kind, shape.otherwise, stream.at()});
}

// --- what is in it -------------------------------------------------------------------------------

std::size_t CmsReader::State::bytes_max_of(CmsPart part) const {
    if (is_oid(part)) return oid_bytes_max;
    if (part == CmsPart::crl) return limits::cms_crls_bytes_max - crls_bytes;
    return limits::cms_element_bytes_max;
}

Result<void> CmsReader::State::gather(const BerEvent& event) {
    const bool fits = gatherer.add(event);
    if (!fits && is_oid(gathered_part))
        return past_limit("CMS object identifier longer than is read", stream.at());
    if (!fits && gathered_part != CmsPart::crl)
        return past_limit("CMS element past cms_element_bytes_max", stream.at());
    if (!ends_element(event)) {
        if (!fits) mode = Mode::pass_over;
        return {};
    }
    mode = Mode::between;
    if (!fits) return {};
    const ByteSpan der = TRY(gatherer.element());
    TRY(tell(gathered_part, der));
    gatherer.clear();
    return {};
}

Result<void> CmsReader::State::stream_content(const BerEvent& event, const Chunk& chunk) {
    switch (event.kind) {
    case BerEvent::Kind::input: return {};
    case BerEvent::Kind::contents: return content.pass(*handler, chunk, event.octets);
    case BerEvent::Kind::begin:
        if (event.tag != ber::octet_string && event.tag != ber::octet_string_constructed)
            return malformed("CMS content with a segment that is no OCTET STRING", stream.at());
        return {};
    case BerEvent::Kind::end:
        if (!ends_element(event)) return {};
        mode = Mode::between;
        return content.flush(*handler);
    }
    return {};
}

Result<void> CmsReader::State::tell(CmsPart part, ByteSpan der) {
    switch (part) {
    case CmsPart::none: return {};
    case CmsPart::type: return tell_type(der);
    case CmsPart::digest_algorithm: return handler->on_digest_algorithm(der);
    case CmsPart::recipient_info:
        TRY(count(recipients, 1, limits::cms_recipients_max, "CMS past cms_recipients_max"));
        return handler->on_recipient_info(der);
    case CmsPart::content_type:
        if (type == CmsType::signed_data) return handler->on_content_type(der, {});
        content_type.assign(der.begin(), der.end());
        return {};
    case CmsPart::content_algorithm: return handler->on_content_type(content_type, der);
    case CmsPart::content_info_end: return handler->on_content_end(has_content);
    case CmsPart::certificate:
        TRY(count(certificates_bytes, der.size(), limits::cms_certificates_bytes_max,
                  "CMS past cms_certificates_bytes_max"));
        return handler->on_certificate(der);
    case CmsPart::crl: crls_bytes += der.size(); return handler->on_crl(der);
    case CmsPart::signer_info:
        TRY(count(signers, 1, limits::cms_signers_max, "CMS past cms_signers_max"));
        TRY(count(signers_bytes, der.size(), limits::cms_signers_bytes_max,
                  "CMS past cms_signers_bytes_max"));
        return handler->on_signer_info(der);
    case CmsPart::authenticated_attributes: return handler->on_authenticated_attributes(der);
    case CmsPart::mac: {
        const DerElement mac = TRY(DerReader(der).next(ber::octet_string));
        return handler->on_mac(mac.contents);
    }
    case CmsPart::end: mode = Mode::complete; return handler->on_end();
    }
    return {};
}

Result<void> CmsReader::State::tell_type(ByteSpan oid) {
    type = type_of(oid);
    handler = router.on_cms_type(type);
    if (!handler || !cms_shape_of(type))
        return unsupported("CMS of a type that is not read", stream.at());
    return {};
}

Result<void> CmsReader::State::count(std::size_t& total, std::size_t more, std::size_t max,
                                     const char* what) {
    if (more > max - total) return past_limit(what, stream.at());
    total += more;
    return {};
}

// --- the reader ----------------------------------------------------------------------------------

CmsReader::CmsReader(Router& router) : state_(std::make_unique<State>(router)) {}
CmsReader::~CmsReader() = default;

Result<Flow> CmsReader::write(Chunk chunk) {
    if (state_->error) return tl::unexpected(*state_->error);
    Result<Flow> flow = state_->read(chunk);
    if (!flow) state_->error = flow.error();
    return flow;
}

Result<void> CmsReader::finish() {
    if (state_->error) return tl::unexpected(*state_->error);
    if (!at_end()) return malformed("CMS cut short", state_->stream.at());
    return {};
}

bool CmsReader::at_end() const { return state_->mode == State::Mode::complete; }

}  // namespace sealgate
