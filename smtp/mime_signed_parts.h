// SPDX-License-Identifier: GPL-3.0-or-later
// Takes the two parts of a multipart/signed apart as its body streams (RFC 1847 §2.1).
//
// Part one goes to `content` exactly as it came, header and body, for that is what was signed: the
// CRLF before a boundary line belongs to the boundary (RFC 2046 §5.1.1), every other byte to the
// part. Part two, header and body, goes to `signature`. Each is told finish() when its part ends.
// Bytes pass in windows on the chunks they came in; held back is only what may be a boundary line.
// The output does not depend on how the input is cut.
//
// A reader of mail shows what stands between the boundaries, so nothing else may stand there:
// malformed is a third part (a list's footer, say, unsigned beside the signed text), a missing
// second part, and no boundary at all. After such an error the object is dead. What stands outside
// is not shown by readers of MIME; has_preamble() and has_epilogue() tell of it (openssl writes a
// preamble). The closing boundary may be missing: openssl refuses that, Thunderbird does not, and
// nothing unsigned is let in by it; has_close() tells.
//
// Loop thread.
#pragma once

#include <string>

#include "core/stage.h"
#include "smtp/mime_boundary.h"

namespace sealgate {

class SignedParts final : public Sink {
public:
    // `boundary` as boundary_of() gives it; an empty one is an error of the first write() or
    // finish(). The sinks must outlive this.
    SignedParts(std::string boundary, Sink& content, Sink& signature);

    Result<Flow> write(Chunk chunk) override;
    Result<Flow> finish() override;

    // Other than white space.
    bool has_preamble() const { return has_preamble_; }
    bool has_epilogue() const { return has_epilogue_; }
    bool has_close() const { return region_ == Region::epilogue; }

private:
    enum class Region : std::uint8_t { preamble, content, signature, epilogue };
    enum class State : std::uint8_t {
        line_begin,  // behind a CRLF: a boundary may begin here
        text,
        after_cr,
        delimiter,  // inside what may be a boundary line
    };

    Result<std::size_t> step(const Chunk& chunk, std::size_t at);
    Result<std::size_t> step_text(const Chunk& chunk, std::size_t at);
    Result<std::size_t> step_delimiter(const Chunk& chunk, std::size_t at);
    Result<void> on_delimiter(DelimiterScanner::Answer answer);
    Result<void> pass(Chunk bytes);
    Result<void> pass_held();
    void hold(Chunk bytes);

    DelimiterScanner scanner_;
    Sink& content_;
    Sink& signature_;
    Region region_ = Region::preamble;
    State state_ = State::line_begin;
    ChunkList held_;          // a CRLF, and behind it what may be a boundary line
    Flow flow_ = Flow::open;  // of the sink at hand, in this call
    std::uint64_t bytes_ = 0;
    bool has_preamble_ = false;
    bool has_epilogue_ = false;
};

}  // namespace sealgate
