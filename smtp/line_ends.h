// SPDX-License-Identifier: GPL-3.0-or-later
// Gives every line of a message its CRLF, as it would have come by SMTP.
//
// Mail that lies in files has bare LF as often as not; signatures are made over CRLF (RFC 8551
// §3.1.1). A bare LF gets its CR, CRLF stays, a bare CR is left alone. Input without a bare LF
// passes without a copy. The output does not depend on how the input is cut. Never used on mail
// that comes by SMTP: there a bare LF is refused. Any one thread.
#pragma once

#include "core/stage.h"

namespace sealgate {

class LineEndStage final : public Sink {
public:
    explicit LineEndStage(Sink& below) : below_(below) {}

    Result<Flow> write(Chunk chunk) override;
    Result<Flow> finish() override { return below_.finish(); }

private:
    bool has_bare_line_feed(ByteSpan bytes) const;

    Sink& below_;
    ChunkBuilder builder_{64 * 1024};
    bool after_cr_ = false;
};

}  // namespace sealgate
