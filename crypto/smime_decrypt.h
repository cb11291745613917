// SPDX-License-Identifier: GPL-3.0-or-later
// Decrypts EnvelopedData and AuthEnvelopedData as CmsReader reads them: plaintext goes down while
// the message still comes.
//
// The RecipientInfos for keys of ours are kept, at most limits::cms_matches_max; the content key is
// unwrapped on a worker when the content's algorithm is known. Until it is there on_content() says
// full, and what its chunk still gives is held. Then AES is deciphered here, some 10 us for 64 KB,
// and 3DES and RC2, forty to two hundred times as slow, on the workers.
//
// WHAT IS WRITTEN BELOW IS NOT TO BE RELEASED BEFORE THE END. It is nobody's until report().reason
// is `ok` and below.finish() was called: with GCM it may be an attacker's until the tag was looked
// at, and with CBC it may be anyone's for ever, which a signature inside must cure. On failure
// below.finish() is never called, and whoever kept what was written drops it.
//
// Whatever is wrong with key, padding, tag or content is the one reason `decrypt_failed` with the
// one text: what differs would be an oracle. One thing cannot be hidden and is no help: with CBC
// one wrong key in 256 leaves something that ends like padding, and then garbage is `ok`, after a
// wrong RSA padding as after a wrong key (crypto/key_unwrap.h).
//
// Several RecipientInfos for us are tried one after the other only where a key operation itself
// says that it fails. An RSA PKCS#1 one never does; as the content streams there is no second try,
// so it is the last that is tried.
//
// Not done: authenticated attributes of AuthEnvelopedData (RFC 5083 §2.2 hashes them before the
// content, and they come behind it), GCM in EnvelopedData, contents that are not id-data: all
// `unsupported_algorithm`. RFC 5652 §6, RFC 5083. Loop thread.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/stage.h"
#include "core/workers.h"
#include "crypto/cms_reader.h"
#include "crypto/content_decryptor.h"
#include "crypto/decryption_keys.h"
#include "crypto/recipient_info.h"
#include "crypto/smime_report.h"

namespace sealgate {

class Loop;

// May be destroyed at any time.
class DecryptStage final : public CmsHandler {
public:
    // Hears of what happens between the calls; never from inside one of them.
    class Owner {
    public:
        // Content is wanted again after Flow::full; also where on_end() came meanwhile, for there
        // may be something behind the layer. Where `below` is full by then it does not come: who
        // feeds `below` hears from it.
        virtual void on_decrypt_drain() = 0;
        // Once, after on_end(): report() is complete. Before it where `below` failed: error() is
        // set, and nothing more comes.
        virtual void on_decrypt_end() = 0;

    protected:
        ~Owner() = default;
    };

    // `type`: enveloped_data or auth_enveloped_data. Flow::full of `below` is passed up; whoever is
    // its Source is not this stage, which keeps nothing but while it waits for a worker.
    DecryptStage(CmsType type, std::shared_ptr<const DecryptionKeys> keys, WorkerPool& workers,
                 Loop& loop, Sink& below, Owner& owner);
    ~DecryptStage() override;
    DecryptStage(const DecryptStage&) = delete;
    DecryptStage& operator=(const DecryptStage&) = delete;

    // It will not be decrypted: no key, an unknown cipher, a key that does not unwrap. Known as
    // soon as it can be, so that nobody goes on keeping what will be dropped; the rest of the layer
    // is taken and forgotten.
    bool failed() const { return failed_; }
    // Complete after on_decrypt_end(), and its reason final when failed(). Else it is what is known
    // so far, with the reason `malformed`: right for a layer whose CMS breaks off.
    const LayerReport& report() const { return report_; }
    // Of `below`, between calls; errors inside a call are its result.
    std::optional<Error> error() const { return error_; }

    Result<void> on_digest_algorithm(ByteSpan) override { return {}; }
    Result<void> on_recipient_info(ByteSpan der) override;
    Result<void> on_content_type(ByteSpan oid, ByteSpan algorithm) override;
    Result<Flow> on_content(Chunk piece) override;
    Result<void> on_content_end(bool has_content) override;
    Result<void> on_certificate(ByteSpan) override { return {}; }  // an originatorInfo's
    Result<void> on_crl(ByteSpan) override { return {}; }
    Result<void> on_signer_info(ByteSpan) override { return {}; }
    Result<void> on_authenticated_attributes(ByteSpan der) override;
    Result<void> on_mac(ByteSpan octets) override;
    Result<void> on_end() override;

private:
    // A value to a worker and back.
    struct Work {
        std::vector<WrappedKey> wrapped;  // until there is a decryptor
        ContentAlgorithm algorithm;
        std::size_t index = 0;  // of the one that opened
        std::unique_ptr<ContentDecryptor> decryptor;
        ChunkList content;
    };
    struct Answer {
        Work work;
        Result<ChunkList> plaintext;
    };
    static Result<ChunkList> work_on(Work& work);

    bool is_suitable(ByteSpan oid);
    void report_key(const WrappedKey& key);
    void fail(Reason reason, const char* why);
    void fail(const Error& error);
    void submit(Work work);
    void start_work();
    void on_answer(Answer answer);
    Result<Flow> take_answer(Answer answer);
    Result<Flow> decipher(const Chunk& piece);
    Result<void> finish();
    void later(void (DecryptStage::*what)());
    void drain();
    void end();

    const CmsType type_;
    const std::shared_ptr<const DecryptionKeys> keys_;
    WorkerPool& workers_;
    Loop& loop_;
    Sink& below_;
    Owner& owner_;
    LayerReport report_;
    std::optional<Error> error_;
    std::size_t recipients_count_ = 0;
    std::vector<WrappedKey> wrapped_;
    ContentAlgorithm algorithm_;
    std::unique_ptr<ContentDecryptor> decryptor_;  // null before there is a key, and while at work
    ChunkBuilder plaintext_;
    ChunkList held_;
    Bytes tag_;
    WorkerPool::Ticket ticket_;
    bool working_ = false;
    bool failed_ = false;
    bool said_full_ = false;
    bool ended_ = false;
    std::shared_ptr<DecryptStage*> alive_;  // null in it: gone
};

}  // namespace sealgate
