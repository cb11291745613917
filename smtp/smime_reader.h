// SPDX-License-Identifier: GPL-3.0-or-later
// Opens the S/MIME layers of one message in a single pass, and says what they were.
//
//     body ─► TransferDecoder ─► CmsReader ─┬► DecryptStage ─► entity
//                                           └► VerifyStage ──► entity      (opaque)
//     body ─► SignedParts ─┬► hash, entity                                 (detached)
//                          └► TransferDecoder ─► CmsReader ─► VerifyStage
//     entity ─► its header says: another layer, or the content
//
// Only the root counts: of the message, and of each entity that a layer held. The entity that is to
// be delivered if every layer holds is given to the owner as it streams, who must not release it
// before the verdict is there: until then it is not authenticated. A layer that cannot be opened
// ends with its reason, and the layers inside it are forgotten; the layers around it are read to
// their end. spec/smime.md "Incoming". Loop thread.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/stage.h"
#include "crypto/decryption_keys.h"
#include "crypto/smime_report.h"
#include "crypto/smime_verify.h"
#include "smtp/authentication_results.h"
#include "smtp/header.h"
#include "smtp/smime_kind.h"

namespace sealgate {

class Loop;
class SmimeEntity;
class SmimeLayer;
class WorkerPool;

struct SmimeVerdict {
    bool is_smime = false;       // the root was S/MIME
    bool verified = false;       // every layer was decrypted or verified
    Reason reason = Reason::ok;  // of the first layer, from outside, that was not
    std::string why;             // more about it, for people
    AuthResult result = AuthResult::none;
    std::vector<LayerReport> layers;  // from outside
    // Whether what was given to the owner is to be delivered, instead of the message as it came.
    bool opened = false;
    bool was_encrypted = false;  // a layer that was opened
    // The header of the innermost entity: protected fields are in it (RFC 9788).
    Header payload_header;

    bool has_signature() const;
};

class SmimeReader final : public Sink {
public:
    enum class Signatures : std::uint8_t { keep, remove };

    struct Context {
        Loop& loop;
        WorkerPool& workers;
        std::shared_ptr<const DecryptionKeys> keys;
        VerifyContext verify;
        Signatures signatures = Signatures::keep;
    };

    class Owner {
    public:
        // What would be delivered begins: an entity's header; its body goes into the sink given
        // back, which lives until the next on_opened() or on_hopeless(). When it comes again, what
        // came before is void.
        virtual Sink& on_opened(const Header& entity) = 0;
        virtual void on_hopeless() = 0;  // nothing of it will be delivered
        // Neither of these is called from inside write() or finish().
        virtual void on_smime_drain() = 0;
        // The verdict is complete; or the sink failed, and this is why.
        virtual void on_smime_end(Result<void> stored) = 0;

    protected:
        ~Owner() = default;
    };

    // `root`: the message's header, which announces `kind`. Its body is then written.
    SmimeReader(Context context, SmimeKind kind, const Header& root, Owner& owner);
    ~SmimeReader() override;

    // Errors are the owner's sink's; what is wrong with the message is in the verdict.
    Result<Flow> write(Chunk body) override;
    Result<Flow> finish() override;

    SmimeVerdict take_verdict();  // once, when on_smime_end() was called

private:
    friend class SmimeEntity;
    friend class SmimeLayer;

    // Where the body of that entity goes on; null: nowhere but to the owner.
    Sink* on_entity(SmimeEntity& entity, std::size_t depth, const Header& header);
    void add_layer(SmimeKind kind, const Header& header);
    void on_layer_failed(std::size_t index);  // the layers inside it are destroyed
    void on_layer_ended(const LayerReport& report);
    void on_lane_failed(Error error);
    void on_drain();
    void give_up();
    void end_when_all_have();

    Context context_;
    Owner& owner_;
    std::vector<std::unique_ptr<SmimeLayer>> layers_;  // from outside
    SmimeEntity* lane_entity_ = nullptr;               // whose body the owner gets
    Header payload_header_;
    std::optional<Error> stored_error_;
    bool finished_ = false;
    bool ended_ = false;
    bool hopeless_ = false;
    bool too_many_layers_ = false;
    std::shared_ptr<SmimeReader*> alive_;
};

}  // namespace sealgate
