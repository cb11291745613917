// SPDX-License-Identifier: GPL-3.0-or-later
// CMS out of any bytes. Beside not crashing: the cuts change nothing, things come in their order
// and within their limits, elements are read whole by DerReader, and what is held is little.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>

#include "core/limits.h"
#include "crypto/cms_reader.h"
#include "crypto/der_reader.h"

namespace {

using namespace sealgate;

class Tape final : public CmsHandler, public CmsReader::Router {
public:
    CmsHandler* on_cms_type(CmsType type) override {
        told += std::string("type ") + to_text(type);
        return this;
    }
    Result<void> on_digest_algorithm(ByteSpan der) override { return note('d', der); }
    Result<void> on_recipient_info(ByteSpan der) override {
        CHECK(++recipients_ <= limits::cms_recipients_max && !content_type_told_);
        return note('r', der);
    }
    Result<void> on_content_type(ByteSpan oid, ByteSpan algorithm) override {
        CHECK(!content_type_told_);
        content_type_told_ = true;
        if (!algorithm.empty()) (void)note('a', algorithm);
        return note('t', oid);
    }
    Result<Flow> on_content(Chunk piece) override {
        CHECK(content_type_told_ && !content_ended_ && !piece.empty());
        content += piece.text();
        return Flow::open;
    }
    Result<void> on_content_end(bool has_content) override {
        CHECK(content_type_told_ && !content_ended_ && (has_content || content.empty()));
        content_ended_ = true;
        told += has_content ? 'c' : 'n';
        return {};
    }
    Result<void> on_certificate(ByteSpan der) override {
        certificates_bytes_ += der.size();
        CHECK(certificates_bytes_ <= limits::cms_certificates_bytes_max);
        return note('x', der);
    }
    Result<void> on_crl(ByteSpan der) override {
        crls_bytes_ += der.size();
        CHECK(crls_bytes_ <= limits::cms_crls_bytes_max);
        return note('l', der);
    }
    Result<void> on_signer_info(ByteSpan der) override {
        signers_bytes_ += der.size();
        CHECK(++signers_ <= limits::cms_signers_max && content_ended_);
        CHECK(signers_bytes_ <= limits::cms_signers_bytes_max);
        return note('s', der);
    }
    Result<void> on_authenticated_attributes(ByteSpan der) override {
        CHECK(content_ended_);
        return note('u', der);
    }
    Result<void> on_mac(ByteSpan octets) override {
        CHECK(content_ended_);
        told += 'm';
        told += as_text(octets);
        return {};
    }
    Result<void> on_end() override {
        CHECK(content_ended_);
        told += 'e';
        return {};
    }

    std::string told;
    std::string content;

private:
    Result<void> note(char what, ByteSpan der) {
        CHECK(der.size() <= limits::cms_element_bytes_max);
        DerReader reader(der);
        CHECK(reader.next() && reader.at_end());
        told += what;
        told += as_text(der);
        return {};
    }

    std::size_t recipients_ = 0, signers_ = 0, signers_bytes_ = 0;
    std::size_t certificates_bytes_ = 0, crls_bytes_ = 0;
    bool content_type_told_ = false, content_ended_ = false;
};

struct Outcome {
    std::string told;
    std::string content;  // of what fails, pieces that wait may not have come
    const char* failure = nullptr;
};

// A seed of 0 gives everything in one piece.
Outcome run(std::string_view cms, std::uint32_t seed) {
    constexpr std::size_t held_bytes_max = 16 * 1024;
    Tape tape;
    CmsReader reader(tape);
    const Chunk chunk = Chunk::copy_of(cms);
    const std::size_t before = BlockPool::instance().in_use_bytes();
    Outcome outcome;
    for (std::size_t at = 0; at < chunk.size() && !outcome.failure;) {
        seed = seed * 1664525 + 1013904223 * (seed != 0);
        const std::size_t bytes = seed == 0 ? chunk.size() : 1 + (seed >> 16) % 37;
        const std::size_t end = std::min(at + bytes, chunk.size());
        const auto flow = reader.write(chunk.slice(at, end));
        if (!flow) outcome.failure = flow.error().what;
        CHECK(BlockPool::instance().in_use_bytes() <= before + held_bytes_max);
        at = end;
    }
    const auto finished = reader.finish();
    CHECK(!finished || (reader.at_end() && !outcome.failure));
    if (!finished) outcome.failure = finished.error().what;
    outcome.told = std::move(tape.told);
    outcome.content = std::move(tape.content);
    return outcome;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view cms = as_text(ByteSpan(data, size));
    const Outcome whole = run(cms, 0);
    const Outcome cut = run(cms, static_cast<std::uint32_t>(size) + 1);
    CHECK(cut.told == whole.told && cut.failure == whole.failure);
    CHECK(whole.content.starts_with(cut.content) || cut.content.starts_with(whole.content));
    CHECK(whole.failure || whole.content == cut.content);
    CHECK(whole.told.size() <= size * 2 + 64);
    return 0;
}
