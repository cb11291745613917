// SPDX-License-Identifier: GPL-3.0-or-later
// One message's envelope while it is written: what moves with the jobs of its encryption.
//
// Content in, the text of the enveloped entity out: its header, then the CMS in base64. It holds
// one segment of the content (segment_bytes) and the cipher's state, besides the RecipientInfos
// until they are written. Calls follow each other, each on whatever thread; crypto/smime_encrypt.h
// is what orders them.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>

#include "core/chunk.h"
#include "core/result.h"
#include "crypto/base64.h"
#include "crypto/content_cipher.h"
#include "crypto/smime_encrypt.h"

namespace sealgate {

class EnvelopeWriter {
public:
    // Recipients in one call of add_recipients(): 16 agreements on P-384 take 3 ms, in which a
    // worker does nothing else.
    static constexpr std::size_t recipients_per_step = 16;
    // The content comes in segments of this size, whatever the pieces were.
    static constexpr std::size_t segment_bytes = 8192;

    // Every certificate once.
    explicit EnvelopeWriter(EncryptPlan plan);
    ~EnvelopeWriter();
    EnvelopeWriter(const EnvelopeWriter&) = delete;
    EnvelopeWriter& operator=(const EnvelopeWriter&) = delete;

    // Until it is complete there is nothing to write into.
    bool recipients_complete() const {
        return begun_ && next_recipient_ == plan_.recipients.size();
    }
    // The next of them. One whose key cannot be used is an error of the whole.
    Result<void> add_recipients();

    // `last`: nothing follows.
    enum class More : std::uint8_t { follows, last };
    Result<ChunkList> write(ChunkList content, More more);

private:
    Result<void> begin();
    void open(ChunkBuilder& out);
    Result<void> put(ByteSpan content, ChunkBuilder& out);
    Result<void> put_last(ChunkBuilder& out);
    void put_segment(std::size_t bytes, ChunkBuilder& out);
    std::size_t text_bytes_max(std::size_t content_bytes) const;

    EncryptPlan plan_;
    std::size_t next_recipient_ = 0;
    bool begun_ = false;
    bool opened_ = false;
    bool has_key_agreement_ = false;
    SecureBytes content_key_;  // until the last recipient has it
    std::array<std::uint8_t, cipher_block_bytes> iv_{};
    Bytes recipient_infos_;
    std::unique_ptr<ContentEncryptor> cipher_;
    Base64Lines base64_;
    std::size_t segment_used_ = 0;
    // With room for CBC's padding, which never leaves the segment; aligned for wolfCrypt, which
    // would else copy.
    alignas(64) std::array<std::uint8_t, segment_bytes + cipher_block_bytes> segment_;
};

}  // namespace sealgate
