// SPDX-License-Identifier: GPL-3.0-or-later
// Learns, while a message passes, whether it needs 8BITMIME and whether its lines are too long.
//
// It changes nothing and keeps nothing; every message runs through it, so it looks at each byte
// once and at line ends only about every 1000 bytes. Loop thread.
#pragma once

#include <cstdint>

#include "core/stage.h"

namespace sealgate {

class MimeScan {
public:
    void feed(ByteSpan bytes);

    bool has_eight_bit() const { return has_eight_bit_; }
    // A line of more than 998 octets without its CRLF (RFC 5322 §2.1.1).
    bool has_long_lines() const { return has_long_lines_ || open_line_is_long(); }
    std::uint64_t bytes() const { return bytes_; }

private:
    void feed_lines(ByteSpan bytes);
    bool open_line_is_long() const;

    bool has_eight_bit_ = false;
    bool has_long_lines_ = false;
    bool after_cr_ = false;
    std::uint64_t bytes_ = 0;
    std::size_t line_bytes_ = 0;  // of the line not yet ended
};

class MimeScanStage final : public Sink {
public:
    explicit MimeScanStage(Sink& below) : below_(below) {}

    Result<Flow> write(Chunk chunk) override {
        scan_.feed(chunk.bytes());
        return below_.write(std::move(chunk));
    }
    Result<Flow> finish() override { return below_.finish(); }
    const MimeScan& scan() const { return scan_; }

private:
    Sink& below_;
    MimeScan scan_;
};

}  // namespace sealgate
