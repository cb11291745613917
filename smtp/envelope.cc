// SPDX-License-Identifier: GPL-3.0-or-later
// The stored form: a version byte, then the fields in the order of Envelope. Numbers are LEB128,
// texts are their length and their bytes, small enumerations and booleans share bytes of flags.
#include "smtp/envelope.h"

#include <limits>

namespace sealgate {
namespace {

constexpr std::uint8_t format_version = 2;
constexpr std::uint8_t format_without_deferred = 1;  // of 0.1.0's first stores: no S/MIME to do
// What a recipient takes at least: two flag bytes and three lengths.
constexpr std::size_t recipient_bytes_min = 5;

void put_number(std::string& out, std::uint64_t number) {
    while (number >= 0x80) {
        out.push_back(static_cast<char>(0x80 | (number & 0x7f)));
        number >>= 7;
    }
    out.push_back(static_cast<char>(number));
}

void put_text(std::string& out, std::string_view text) {
    put_number(out, text.size());
    out.append(text);
}

// Times are after 1970; what is not, is "at once".
void put_time(std::string& out, std::int64_t seconds) {
    put_number(out, seconds > 0 ? static_cast<std::uint64_t>(seconds) : 0);
}

std::uint8_t flags(std::initializer_list<bool> bits) {
    unsigned value = 0;
    unsigned bit = 1;
    for (const bool set : bits) {
        if (set) value |= bit;
        bit <<= 1;
    }
    return static_cast<std::uint8_t>(value);
}

bool bit_of(std::uint8_t flags, unsigned index) { return ((flags >> index) & 1U) != 0; }

class EnvelopeReader {
public:
    explicit EnvelopeReader(std::string_view stored) : rest_(stored), whole_(stored.size()) {}

    Result<std::uint8_t> byte() {
        if (rest_.empty()) return malformed("envelope ends early", at());
        const auto value = static_cast<std::uint8_t>(rest_.front());
        rest_.remove_prefix(1);
        return value;
    }
    Result<std::uint64_t> number() {
        std::uint64_t value = 0;
        for (unsigned shift = 0; shift < 64; shift += 7) {
            const std::uint8_t next = TRY(byte());
            const std::uint64_t bits = next & 0x7f;
            if (shift == 63 && bits > 1) break;
            value |= bits << shift;
            if ((next & 0x80) == 0) return value;
        }
        return malformed("envelope number over 64 bits", at());
    }
    Result<std::string> text() {
        const std::uint64_t size = TRY(number());
        if (size > rest_.size()) return malformed("envelope text longer than the envelope", at());
        std::string value(rest_.substr(0, static_cast<std::size_t>(size)));
        rest_.remove_prefix(value.size());
        return value;
    }
    Result<std::int64_t> time() {
        const std::uint64_t value = TRY(number());
        if (value > static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max()))
            return malformed("envelope time out of range", at());
        return static_cast<std::int64_t>(value);
    }
    std::size_t left() const { return rest_.size(); }
    std::uint64_t at() const { return whole_ - rest_.size(); }

private:
    std::string_view rest_;
    std::size_t whole_;
};

void put_recipient(std::string& out, const Recipient& recipient) {
    const Notify& notify = recipient.notify;
    out.push_back(static_cast<char>(flags({notify.given, notify.never, notify.success,
                                           notify.failure, notify.delay, recipient.delay_told})));
    out.push_back(static_cast<char>(recipient.state));
    put_text(out, recipient.address);
    put_text(out, recipient.original);
    put_text(out, recipient.last_reply);
}

Result<Recipient> read_recipient(EnvelopeReader& reader) {
    Recipient recipient;
    const std::uint8_t bits = TRY(reader.byte());
    if (bits >= 1U << 6) return malformed("unknown recipient flag", reader.at());
    recipient.notify.given = bit_of(bits, 0);
    recipient.notify.never = bit_of(bits, 1);
    recipient.notify.success = bit_of(bits, 2);
    recipient.notify.failure = bit_of(bits, 3);
    recipient.notify.delay = bit_of(bits, 4);
    recipient.delay_told = bit_of(bits, 5);
    const std::uint8_t state = TRY(reader.byte());
    if (state > static_cast<std::uint8_t>(RecipientState::moved))
        return malformed("unknown recipient state", reader.at());
    recipient.state = static_cast<RecipientState>(state);
    recipient.address = TRY(reader.text());
    recipient.original = TRY(reader.text());
    recipient.last_reply = TRY(reader.text());
    return recipient;
}

}  // namespace

std::string encode_envelope(const Envelope& envelope) {
    std::string out;
    out.reserve(128 + envelope.recipients.size() * 48);
    out.push_back(static_cast<char>(format_version));
    out.push_back(static_cast<char>(flags({envelope.smtputf8, envelope.body == BodyType::eight_bit,
                                           envelope.signed_by_gateway, envelope.has_long_lines})));
    out.push_back(static_cast<char>(envelope.return_));
    put_text(out, envelope.sender);
    put_text(out, envelope.envelope_id);
    put_number(out, envelope.header_bytes);
    put_time(out, envelope.arrived);
    put_time(out, envelope.next_attempt);
    put_number(out, envelope.attempts);
    put_text(out, envelope.message_id);
    put_text(out, envelope.subject);
    put_text(out, envelope.deferred_profile);
    put_text(out, envelope.deferred_by);
    put_number(out, envelope.recipients.size());
    for (const Recipient& recipient : envelope.recipients) put_recipient(out, recipient);
    return out;
}

Result<Envelope> decode_envelope(std::string_view stored) {
    EnvelopeReader reader(stored);
    const std::uint8_t version = TRY(reader.byte());
    if (version != format_version && version != format_without_deferred)
        return unsupported("envelope of another format version");
    Envelope envelope;
    const std::uint8_t bits = TRY(reader.byte());
    if (bits >= 1U << 4) return malformed("unknown envelope flag", reader.at());
    envelope.smtputf8 = bit_of(bits, 0);
    envelope.body = bit_of(bits, 1) ? BodyType::eight_bit : BodyType::seven_bit;
    envelope.signed_by_gateway = bit_of(bits, 2);
    envelope.has_long_lines = bit_of(bits, 3);
    const std::uint8_t wanted = TRY(reader.byte());
    if (wanted > static_cast<std::uint8_t>(Envelope::Return::headers))
        return malformed("unknown RET", reader.at());
    envelope.return_ = static_cast<Envelope::Return>(wanted);
    envelope.sender = TRY(reader.text());
    envelope.envelope_id = TRY(reader.text());
    envelope.header_bytes = TRY(reader.number());
    envelope.arrived = TRY(reader.time());
    envelope.next_attempt = TRY(reader.time());
    const std::uint64_t attempts = TRY(reader.number());
    if (attempts > std::numeric_limits<std::uint32_t>::max())
        return malformed("envelope attempts out of range", reader.at());
    envelope.attempts = static_cast<std::uint32_t>(attempts);
    envelope.message_id = TRY(reader.text());
    envelope.subject = TRY(reader.text());
    if (version != format_without_deferred) {
        envelope.deferred_profile = TRY(reader.text());
        envelope.deferred_by = TRY(reader.text());
    }
    const std::uint64_t count = TRY(reader.number());
    if (count > reader.left() / recipient_bytes_min)
        return malformed("more recipients than fit in the envelope", reader.at());
    envelope.recipients.reserve(static_cast<std::size_t>(count));
    for (std::uint64_t i = 0; i < count; ++i)
        envelope.recipients.push_back(TRY(read_recipient(reader)));
    if (reader.left() > 0) return malformed("bytes after the envelope", reader.at());
    return envelope;
}

}  // namespace sealgate
