// SPDX-License-Identifier: GPL-3.0-or-later
// Takes the Content-Transfer-Encoding off a body as it streams (RFC 2045 §6).
//
// The relative of smtp/mime_encode.h, made for bodies that hold CMS: machines wrote them, so what
// is no base64 or quoted-printable is an error, never skipped. 7bit, 8bit and binary pass without a
// copy. The output does not depend on how the input is cut; it comes in blocks of about the input's
// size, and a few bytes are held between calls.
//
// Base64: white space and line ends may stand anywhere. Padding ends the data; behind it only white
// space and more '=' may come, as openssl has it (text that a list adds below would be lost
// unseen). Padding that is missing at the end is let through: CMS knows where it ends. Bits behind
// the last byte are not looked at.
// Quoted-printable: white space at line ends is dropped (RFC 2045 §6.7 (3)), line ends stay as they
// are, hex digits may be in lower case.
//
// Loop thread, or any one thread.
#pragma once

#include <cstdint>
#include <string>

#include "core/stage.h"
#include "smtp/mime_content_type.h"

namespace sealgate {

class Base64Decoder {
public:
    static constexpr std::size_t room_bytes(std::size_t input_bytes) {
        return input_bytes / 4 * 3 + 4;
    }
    // Both return how many bytes they wrote to `to`; feed() wants room_bytes() there, finish() 2.
    Result<std::size_t> feed(ByteSpan bytes, std::uint8_t* to);
    Result<std::size_t> finish(std::uint8_t* to);

private:
    std::size_t put_rest(std::uint8_t* to);

    std::uint32_t bits_ = 0;    // of the digits of an unfinished group
    std::uint32_t digits_ = 0;  // 0 to 3
    bool padded_ = false;
    std::uint64_t bytes_ = 0;  // taken, for errors
};

class QuotedPrintableDecoder {
public:
    // feed() wants as much room as it is given, and what is held.
    std::size_t held_bytes() const { return white_.size(); }
    Result<std::size_t> feed(ByteSpan bytes, std::uint8_t* to);
    Result<void> finish();

private:
    enum class State : std::uint8_t { text, equals, equals_white, equals_cr, hex };
    Result<void> step(std::uint8_t byte, std::uint8_t*& to);

    State state_ = State::text;
    std::uint8_t high_ = 0;  // the first hex digit's value
    std::string white_;      // white space that may end its line
    std::uint64_t bytes_ = 0;
};

class TransferDecoder final : public Sink {
public:
    // cms: clients label CMS wrongly, or not at all, and its first byte tells more than the label
    // does: DER begins with '0' (SEQUENCE), its base64 with 'M'. So where the label is neither
    // base64 nor quoted-printable, a body that begins with anything but '0' is read as base64.
    enum class Body : std::uint8_t { any, cms };

    // With an `unknown` label and Body::any, every byte is an error.
    TransferDecoder(Sink& below, TransferEncoding label, Body body = Body::any);

    Result<Flow> write(Chunk chunk) override;
    Result<Flow> finish() override;

private:
    enum class Mode : std::uint8_t { identity, base64, quoted_printable, by_first_byte, refuse };
    Result<Flow> decode(ByteSpan bytes);
    Result<std::size_t> decode(ByteSpan bytes, std::uint8_t* to);

    Sink& below_;
    Mode mode_;
    Base64Decoder base64_;
    QuotedPrintableDecoder quoted_printable_;
    ChunkBuilder small_;  // what small input becomes
};

}  // namespace sealgate
