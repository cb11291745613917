// SPDX-License-Identifier: GPL-3.0-or-later
// Gives every line of a message its CRLF, as it would have come by SMTP.
//
// Mail that lies in files has bare LF as often as not; signatures are made over CRLF (RFC 8551
// §3.1.1). A bare LF gets its CR, CRLF stays. Input without a bare LF passes without a copy. The
// output does not depend on how the input is cut. Mail that comes by SMTP has no bare LF: it was
// refused there; what was inside its encryption nobody has looked at. That goes on by SMTP, where
// a bare CR or LF could end the message for the next host (SMTP smuggling), so there a bare CR gets
// its LF, too. Any one thread.
#pragma once

#include "core/stage.h"

namespace sealgate {

class LineEndStage final : public Sink {
public:
    enum class BareCr : std::uint8_t { stays, ends_line };
    explicit LineEndStage(Sink& below, BareCr bare_cr = BareCr::stays)
        : below_(below), bare_cr_(bare_cr) {}

    Result<Flow> write(Chunk chunk) override;
    Result<Flow> finish() override;

private:
    bool has_bare_line_feed(ByteSpan bytes) const;
    bool has_bare_carriage_return(ByteSpan bytes) const;
    void give_line_ends(ByteSpan bytes);

    Sink& below_;
    const BareCr bare_cr_;
    // Whoever keeps what is made keeps whole blocks, and a layer gives 16 KB at a time.
    ChunkBuilder builder_{16 * 1024};
    bool after_cr_ = false;
};

}  // namespace sealgate
