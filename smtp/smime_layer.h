// SPDX-License-Identifier: GPL-3.0-or-later
// One layer of a message, and the entity that it holds: the links of SmimeReader's chain.
//
// A layer takes the body of an entity. What is wrong with it stays in it: input() never fails but
// for the owner's sink. Loop thread.
#pragma once

#include <memory>
#include <string>

#include "crypto/cms_reader.h"
#include "crypto/smime_decrypt.h"
#include "crypto/smime_verify.h"
#include "smtp/mime_decode.h"
#include "smtp/mime_signed_parts.h"
#include "smtp/smime_reader.h"

namespace sealgate {

// Gathers its header, then passes its body on: to the owner, into the next layer, both or nowhere.
class SmimeEntity final : public Sink {
public:
    SmimeEntity(SmimeReader& reader, SmimeLayer& holder, std::size_t depth)
        : reader_(reader), holder_(holder), depth_(depth) {}

    Result<Flow> write(Chunk chunk) override;
    Result<Flow> finish() override;
    void set_lane(Sink* lane) { lane_ = lane; }
    // Its layer has failed: nothing is passed on any more.
    void cut();

private:
    Result<Flow> begin();
    Result<Flow> pass(Chunk chunk);

    SmimeReader& reader_;
    SmimeLayer& holder_;
    const std::size_t depth_;
    HeaderCollector collector_;
    bool has_header_ = false;
    bool cut_ = false;
    Sink* inner_ = nullptr;  // the next layer
    Sink* lane_ = nullptr;   // the owner's
};

class SmimeLayer final : private CmsReader::Router,
                         private DecryptStage::Owner,
                         private VerifyStage::Owner {
public:
    // `kind` is not none; `header` is that of the entity whose body comes.
    SmimeLayer(SmimeReader& reader, const SmimeReader::Context& context, std::size_t index,
               SmimeKind kind, const Header& header);
    ~SmimeLayer();

    Sink& input() { return input_; }
    bool is_encrypted() const { return report_.type == LayerReport::Type::encrypted; }
    bool ended() const { return ended_; }
    // Only its name said that it is S/MIME.
    bool is_mistaken() const { return mistaken_; }
    LayerReport take_report() { return std::move(report_); }

    // What was decrypted is no text of anybody's.
    void on_garbage() { garbage_ = true; }

private:
    // Where bytes come in.
    struct Input final : Sink {
        explicit Input(SmimeLayer& l) : layer(l) {}
        Result<Flow> write(Chunk chunk) override;
        Result<Flow> finish() override;
        SmimeLayer& layer;
    };
    // Part two of a multipart/signed: its header, then the signature.
    struct SignaturePart final : Sink {
        explicit SignaturePart(SmimeLayer& l) : layer(l) {}
        Result<Flow> write(Chunk chunk) override;
        Result<Flow> finish() override;
        Result<Flow> begin();
        SmimeLayer& layer;
        HeaderCollector collector;
        bool has_header = false;
    };
    // Part one: hashed as it came.
    struct SignedPart final : Sink {
        explicit SignedPart(SmimeLayer& l) : layer(l) {}
        Result<Flow> write(Chunk chunk) override;
        Result<Flow> finish() override;
        SmimeLayer& layer;
    };
    struct CmsFeed final : Sink {
        explicit CmsFeed(SmimeLayer& l) : layer(l) {}
        Result<Flow> write(Chunk chunk) override { return layer.cms_->write(std::move(chunk)); }
        Result<Flow> finish() override;
        SmimeLayer& layer;
    };

    void expect_signed_parts(const ContentType& type);
    void expect_cms(TransferEncoding encoding);
    CmsHandler* on_cms_type(CmsType type) override;
    void on_decrypt_drain() override;
    void on_decrypt_end() override;
    void on_verify_end(LayerReport report) override;
    Result<Flow> taken(Result<Flow> flow);
    void fail(Reason reason, const char* why);
    void end();

    SmimeReader& reader_;
    const SmimeReader::Context& context_;
    const std::size_t index_;
    LayerReport report_;
    bool ended_ = false;
    bool failed_ = false;
    bool by_name_ = false;  // that it is S/MIME; its type does not say it
    bool mistaken_ = false;
    bool garbage_ = false;
    bool cms_seen_ = false;

    Input input_{*this};
    SmimeEntity entity_;
    SignedPart signed_part_{*this};
    SignaturePart signature_part_{*this};
    CmsFeed feed_{*this};
    // In the order in which bytes run through them.
    Sink* first_ = nullptr;
    std::unique_ptr<SignedParts> parts_;
    std::unique_ptr<TransferDecoder> decoder_;
    std::unique_ptr<DecryptStage> decrypt_;
    std::unique_ptr<VerifyStage> verify_;
    std::unique_ptr<CmsReader> cms_;  // refers to the stages
};

}  // namespace sealgate
