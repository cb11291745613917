// SPDX-License-Identifier: GPL-3.0-or-later
#include "crypto/smime_decrypt.h"

#include <algorithm>
#include <utility>

#include "core/limits.h"
#include "core/loop.h"
#include "core/metrics.h"
#include "crypto/key_unwrap.h"
#include "crypto/oid.h"

namespace sealgate {
namespace {

// What one job deciphers where the loop does not: 2 ms of 3DES.
constexpr std::size_t run_bytes = 64 * 1024;
// Segments of a message have 1 to 16 KB; a block of plaintext holds several.
constexpr std::size_t plaintext_block_bytes = 16 * 1024;

constexpr const char* cannot_be_decrypted = "it cannot be decrypted";

}  // namespace

DecryptStage::DecryptStage(CmsType type, std::shared_ptr<const DecryptionKeys> keys,
                           WorkerPool& workers, Loop& loop, Sink& below, Owner& owner)
    : type_(type),
      keys_(std::move(keys)),
      workers_(workers),
      loop_(loop),
      below_(below),
      owner_(owner),
      plaintext_(plaintext_block_bytes),
      alive_(std::make_shared<DecryptStage*>(this)) {
    report_.type = LayerReport::Type::encrypted;
    report_.content_type = to_text(type_);
}

DecryptStage::~DecryptStage() { *alive_ = nullptr; }

// --- what the reader tells ---------------------------------------------------------------------

Result<void> DecryptStage::on_recipient_info(ByteSpan der) {
    ++recipients_count_;
    // One that cannot be read is for others.
    (void)add_wrapped_keys(der, *keys_, limits::cms_matches_max, wrapped_);
    return {};
}

Result<void> DecryptStage::on_content_type(ByteSpan oid, ByteSpan algorithm) {
    auto parsed = parse_content_algorithm(algorithm);
    if (parsed) {
        algorithm_ = *std::move(parsed);
        report_.cipher = to_text(algorithm_.cipher);
        report_.weak_cipher = algorithm_.is_weak();
    } else {
        report_.cipher = algorithm_oid(algorithm);
    }
    if (recipients_count_ == 0) {
        fail(Reason::no_recipient_info, "it is encrypted to nobody");
    } else if (wrapped_.empty()) {
        fail(Reason::no_key, "it is encrypted to others");
    } else if (!parsed) {
        fail(parsed.error());
    } else if (is_suitable(oid)) {
        Work work;
        work.wrapped = std::move(wrapped_);
        work.algorithm = algorithm_;
        submit(std::move(work));
    }
    return {};
}

bool DecryptStage::is_suitable(ByteSpan oid) {
    const auto usable = std::find_if(wrapped_.begin(), wrapped_.end(), [](const WrappedKey& key) {
        return key.kind != WrappedKey::Kind::unusable;
    });
    report_key(usable == wrapped_.end() ? wrapped_.front() : *usable);
    const char* why = nullptr;
    if (!std::ranges::equal(oid, oid::data))
        why = "what is inside is not MIME data";
    else if (algorithm_.is_authenticated() != (type_ == CmsType::auth_enveloped_data))
        why = "the cipher does not fit the kind of envelope";
    else if (usable == wrapped_.end())
        why = "the key is wrapped in a way that is not known";
    if (why) fail(Reason::unsupported_algorithm, why);
    return why == nullptr;
}

Result<Flow> DecryptStage::on_content(Chunk piece) {
    if (failed_ || piece.empty()) return Flow::open;
    if (decryptor_ && !algorithm_.is_slow()) return decipher(piece);
    held_.append(std::move(piece));
    start_work();
    said_full_ = true;
    return Flow::full;
}

Result<void> DecryptStage::on_content_end(bool has_content) {
    if (!has_content) fail(Reason::decrypt_failed, cannot_be_decrypted);
    return {};
}

Result<void> DecryptStage::on_authenticated_attributes(ByteSpan) {
    fail(Reason::unsupported_algorithm, "it has authenticated attributes");
    return {};
}

Result<void> DecryptStage::on_mac(ByteSpan octets) {
    if (octets.size() > algorithm_.tag_bytes) fail(Reason::decrypt_failed, cannot_be_decrypted);
    if (!failed_) tag_.assign(octets.begin(), octets.end());
    return {};
}

Result<void> DecryptStage::on_end() {
    ended_ = true;
    if (working_) return {};  // its answer goes on
    const auto alive = alive_;
    if (!failed_) TRY(finish());
    if (*alive) later(&DecryptStage::end);
    return {};
}

// --- deciphering -------------------------------------------------------------------------------

Result<Flow> DecryptStage::decipher(const Chunk& piece) {
    if (auto done = decryptor_->decrypt(piece.bytes(), plaintext_); !done) {
        fail(done.error());
        return Flow::open;
    }
    return below_.write_all(plaintext_.take());
}

// An error is below's; what is wrong with the content is in the report.
Result<void> DecryptStage::finish() {
    if (!decryptor_ || !decryptor_->finish(tag_, plaintext_)) {
        fail(Reason::decrypt_failed, cannot_be_decrypted);
        return {};
    }
    TRY(below_.write_all(plaintext_.take()));
    report_.reason = Reason::ok;
    TRY(below_.finish());
    return {};
}

void DecryptStage::report_key(const WrappedKey& key) {
    report_.key_transport = to_text(key.kind);
    report_.recipient_serial = key.identity->leaf->serial();
}

void DecryptStage::fail(const Error& error) {
    if (error.kind == ErrorKind::unsupported)
        fail(Reason::unsupported_algorithm, error.what);
    else if (error.kind == ErrorKind::limit)
        fail(Reason::limit, error.what);
    else
        fail(Reason::decrypt_failed, cannot_be_decrypted);
}

void DecryptStage::fail(Reason reason, const char* why) {
    if (failed_) return;
    failed_ = true;
    report_.reason = reason;
    report_.why = why;
    ticket_.cancel();
    working_ = false;
    decryptor_.reset();
    wrapped_.clear();
    held_.clear();
    if (said_full_) later(&DecryptStage::drain);
}

// --- on the workers ----------------------------------------------------------------------------

Result<ChunkList> DecryptStage::work_on(Work& work) {
    if (!work.decryptor) {
        const UnwrappedKey key = TRY(unwrap_content_key(work.wrapped, work.algorithm.key_bytes()));
        work.index = key.index;
        work.decryptor = TRY(ContentDecryptor::begin(work.algorithm, key.key.bytes()));
    }
    ChunkBuilder plaintext(plaintext_block_bytes);
    while (!work.content.empty())
        TRY(work.decryptor->decrypt(work.content.take_front().bytes(), plaintext));
    return plaintext.take();
}

void DecryptStage::submit(Work work) {
    working_ = true;
    ticket_ = workers_.submit(
        [work = std::move(work)]() mutable {
            Result<ChunkList> plaintext = work_on(work);
            return Answer{std::move(work), std::move(plaintext)};
        },
        [this](Answer answer) { on_answer(std::move(answer)); }, WorkerPool::Length::brief);
}

// A slow cipher's next run.
void DecryptStage::start_work() {
    if (working_ || held_.empty()) return;
    Work work;
    work.decryptor = std::move(decryptor_);
    while (!held_.empty() && work.content.bytes() < run_bytes)
        work.content.append(held_.take_front());
    submit(std::move(work));
}

void DecryptStage::on_answer(Answer answer) {
    const auto alive = alive_;
    const Result<Flow> flow = take_answer(std::move(answer));
    if (!*alive || working_) return;
    if (!flow) {
        error_ = flow.error();
        return end();
    }
    const bool had_ended = ended_;  // else it may while the owner feeds, and says so itself
    if (*flow == Flow::open)
        drain();
    else
        said_full_ = false;  // it is below's word now
    if (*alive && had_ended) end();
}

Result<Flow> DecryptStage::take_answer(Answer answer) {
    working_ = false;
    if (!answer.plaintext) {
        fail(answer.plaintext.error());
        return Flow::open;
    }
    if (!answer.work.wrapped.empty()) {
        report_key(answer.work.wrapped[answer.work.index]);
        Metrics::instance().add(Counter::content_decryptions);
    }
    decryptor_ = std::move(answer.work.decryptor);
    Flow flow = TRY(below_.write_all(*std::move(answer.plaintext)));
    if (algorithm_.is_slow()) {
        start_work();
        if (working_) return flow;
    }
    while (!held_.empty() && !failed_) flow = TRY(decipher(held_.take_front()));
    if (ended_ && !failed_) TRY(finish());
    return flow;
}

// --- the owner ---------------------------------------------------------------------------------

void DecryptStage::later(void (DecryptStage::*what)()) {
    loop_.defer([alive = alive_, what] {
        if (*alive) ((*alive)->*what)();
    });
}

// After each the owner may have fed, or taken the stage down.
void DecryptStage::drain() {
    if (std::exchange(said_full_, false)) owner_.on_decrypt_drain();
}

void DecryptStage::end() { owner_.on_decrypt_end(); }

}  // namespace sealgate
