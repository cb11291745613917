// SPDX-License-Identifier: GPL-3.0-or-later
// Quoted-printable and base64 of a body as it streams (RFC 2045 §6.7, §6.8).
//
// The last line ends without CRLF: that CRLF belongs to the boundary behind a part. One object
// encodes one body. Loop thread.
#pragma once

#include <array>
#include <cstdint>
#include <memory>

#include "core/chunk.h"

namespace sealgate {

class BodyEncoder {
public:
    virtual ~BodyEncoder() = default;
    virtual void feed(ByteSpan bytes) = 0;
    virtual void finish() = 0;
    ChunkList take() { return builder_.take(); }

protected:
    ChunkBuilder builder_{16 * 1024};
};

// CRLF stays a line break, a bare CR or LF is encoded. White space before a line break is encoded,
// and so is what makes a line special at its begin: '.' (SMTP), 'F' ("From " in mbox) and '-' (a
// soft line break must not make a boundary out of text).
class QuotedPrintableEncoder final : public BodyEncoder {
public:
    void feed(ByteSpan bytes) override;
    void finish() override;

private:
    void put(std::uint8_t byte);
    void put_literal(std::uint8_t byte);
    void put_escaped(std::uint8_t byte);
    void put_space(bool line_ends);
    void make_room(unsigned columns);
    void flush();

    std::array<std::uint8_t, 4096> buffer_;
    std::size_t used_ = 0;
    unsigned column_ = 0;
    std::uint8_t space_ = 0;  // SP or TAB, kept until what follows is known
    bool after_cr_ = false;
};

class Base64Encoder final : public BodyEncoder {
public:
    void feed(ByteSpan bytes) override;
    void finish() override;

private:
    void put_line(ByteSpan bytes);

    std::array<std::uint8_t, 57> carry_;  // 57 bytes are one line of 76 characters
    std::size_t carried_ = 0;
    bool first_line_ = true;
};

}  // namespace sealgate
