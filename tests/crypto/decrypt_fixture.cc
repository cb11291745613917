// SPDX-License-Identifier: GPL-3.0-or-later
#include "tests/crypto/decrypt_fixture.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <utility>

#include "core/loop.h"
#include "crypto/base64.h"
#include "crypto/certificate_bundle.h"

namespace sealgate::test {
namespace {

constexpr std::uint64_t patience_ms = 20'000;

class Opener final : public CmsReader::Router, public DecryptStage::Owner {
public:
    Opener(std::shared_ptr<const DecryptionKeys> keys)
        : keys_(std::move(keys)), workers_(loop_, 1), reader_(*this) {}

    CmsHandler* on_cms_type(CmsType type) override {
        if (type != CmsType::enveloped_data && type != CmsType::auth_enveloped_data) return nullptr;
        stage_ = std::make_unique<DecryptStage>(type, keys_, workers_, loop_, below_, *this);
        return stage_.get();
    }
    void on_decrypt_drain() override {
        EXPECT_FALSE(inside_);
        EXPECT_FALSE(opened_.ended);
        full_ = false;
        ++opened_.drained;
    }
    void on_decrypt_end() override {
        EXPECT_FALSE(inside_);
        EXPECT_FALSE(opened_.ended) << "twice";
        full_ = false;
        opened_.ended = true;
    }

    Opened open(ByteSpan cms, std::size_t piece_bytes) {
        while (!cms.empty()) {
            const ByteSpan piece = cms.first(std::min(cms.size(), piece_bytes));
            cms = cms.subspan(piece.size());
            inside_ = true;
            const auto flow = reader_.write(Chunk::copy_of(piece));
            inside_ = false;
            if (!flow) return result(flow.error().what);
            full_ = *flow == Flow::full;
            if (!loop_.run_until([&] { return !full_; }, patience_ms))
                return result("full for ever");
        }
        const auto finished = reader_.finish();
        if (!finished) return result(finished.error().what);
        if (!loop_.run_until([&] { return opened_.ended; }, patience_ms))
            return result("no end is told");
        const auto error = stage_->error();
        return result(error ? error->what : nullptr);
    }

private:
    Opened result(const char* error) {
        // What is left on the loop must not find anything to do.
        loop_.run_until([] { return false; }, 0);
        if (stage_) {
            opened_.report = stage_->report();
            opened_.failed_early = stage_->failed();
        }
        opened_.content = std::move(below_.text);
        opened_.finished = below_.finished;
        opened_.error = error;
        return std::move(opened_);
    }

    Loop loop_;
    std::shared_ptr<const DecryptionKeys> keys_;
    WorkerPool workers_;
    CollectingSink below_;
    std::unique_ptr<DecryptStage> stage_;
    CmsReader reader_;
    Opened opened_;
    bool inside_ = false;
    bool full_ = false;
};

}  // namespace

IdentityPtr identity_of(const Correspondent& who) {
    const auto certificate = read_small_file(who.certificate_file);
    const auto key = read_small_file(who.key_file);
    if (!certificate || !key) return nullptr;
    const auto identities =
        read_identities(who.name, certificate->bytes(), key->bytes(), std::nullopt);
    EXPECT_TRUE(identities) << who.name << ": " << identities.error().what;
    return identities ? identities->front() : nullptr;
}

IdentityPtr identity_of(const std::string& name) { return identity_of(correspondent(name)); }

std::shared_ptr<const DecryptionKeys> keys_of(const std::vector<std::string>& names) {
    std::vector<IdentityPtr> identities;
    for (const std::string& name : names) identities.push_back(identity_of(name));
    return DecryptionKeys::of(identities);
}

std::shared_ptr<const DecryptionKeys> all_keys() {
    static const auto keys =
        keys_of({"rsa2048", "rsa3072", "rsa4096", "p256", "p384", "x25519", "capable"});
    return keys;
}

Opened open_cms(ByteSpan cms, std::shared_ptr<const DecryptionKeys> keys, std::size_t piece_bytes) {
    return Opener(std::move(keys)).open(cms, piece_bytes);
}

Bytes body_of(const std::string& message) {
    const std::size_t blank = std::min(message.find("\r\n\r\n"), message.find("\n\n"));
    const std::string body =
        decode_base64_text(std::string_view(message).substr(std::min(blank, message.size())));
    return Bytes(body.begin(), body.end());
}

Opened open_message(const std::string& message, std::shared_ptr<const DecryptionKeys> keys,
                    std::size_t piece_bytes) {
    return open_cms(body_of(message), std::move(keys), piece_bytes);
}

}  // namespace sealgate::test
