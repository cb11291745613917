// SPDX-License-Identifier: GPL-3.0-or-later
// CMS to read, put together here, and one that writes down what CmsReader tells of it.
#pragma once

#include <cstddef>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "crypto/ber_writer.h"
#include "crypto/cms_reader.h"

namespace sealgate::test {

// What was told, a line each: "certificate 3003020105". Content is one line.
class CmsTape final : public CmsHandler, public CmsReader::Router {
public:
    CmsTape() : reader(*this) {}

    // Writes `cms` in pieces of `piece_bytes`, and finishes; false: an error, which is noted.
    bool feed(ByteSpan cms, std::size_t piece_bytes);
    bool feed(ByteSpan cms) { return feed(cms, cms.size() + 1); }
    bool write(Chunk chunk);
    bool finish();
    // All that was told, and the error.
    std::string outcome() const;
    // How often the line that begins so is there.
    std::size_t count(std::string_view what) const;

    CmsHandler* on_cms_type(CmsType type) override;
    Result<void> on_digest_algorithm(ByteSpan der) override;
    Result<void> on_recipient_info(ByteSpan der) override;
    Result<void> on_content_type(ByteSpan oid, ByteSpan algorithm) override;
    Result<Flow> on_content(Chunk piece) override;
    Result<void> on_content_end(bool has_content) override;
    Result<void> on_certificate(ByteSpan der) override;
    Result<void> on_crl(ByteSpan der) override;
    Result<void> on_signer_info(ByteSpan der) override;
    Result<void> on_authenticated_attributes(ByteSpan der) override;
    Result<void> on_mac(ByteSpan octets) override;
    Result<void> on_end() override;

    std::optional<CmsType> type;
    std::vector<std::string> lines;
    Bytes content;
    std::size_t pieces = 0;
    std::optional<Error> error;
    Flow flow = Flow::open;  // what write() gave last

    bool nobody = false;        // the router's answer
    std::string fails_at;       // the line that is an error
    Flow answer = Flow::open;   // to a piece of content
    bool keeps_content = true;  // or its size alone
    std::size_t content_bytes = 0;

    CmsReader reader;

private:
    Result<void> note(std::string what, ByteSpan octets);
};

struct CmsSample {
    std::string name;
    Bytes der;
    std::string want;  // CmsTape::outcome()
};

// One of each thing that may be there: content absent, empty and present, certificates and lists of
// all kinds, attributes, several signers and recipients of every kind.
const std::vector<CmsSample>& cms_samples();

// A SEQUENCE of this size, its header included. Where a length's octets grow a size is left out.
Bytes sequence_of_size(std::size_t bytes);

// For those who put it together differently. `contents` are those of a SignedData and so on.
Bytes content_info(ByteSpan type, const Bytes& contents);
Bytes row_of(std::initializer_list<Bytes> elements);
Bytes element_of(std::uint8_t tag, const Bytes& contents);
Bytes oid_element(ByteSpan oid);

}  // namespace sealgate::test
