// SPDX-License-Identifier: GPL-3.0-or-later
// EnvelopedData and AuthEnvelopedData out of any bytes, with keys that the seeds are encrypted to:
// the outcome is the same however the input is cut, and below hears of an end only where it is
// good.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <random>
#include <string>

#include "core/loop.h"
#include "crypto/certificate_bundle.h"
#include "crypto/cms_reader.h"
#include "crypto/decryption_keys.h"
#include "crypto/smime_decrypt.h"

namespace sealgate {
namespace {

std::shared_ptr<const DecryptionKeys> test_keys() {
    std::vector<IdentityPtr> identities;
    for (const char* name : {"rsa2048", "p256", "p384", "x25519"}) {
        const std::string base = SEALGATE_SOURCE_DIR "/tests/data/recipients/" + std::string(name);
        const auto certificate = read_small_file(base + ".pem");
        const auto key = read_small_file(base + ".key.pem");
        CHECK(certificate && key);
        const auto read = read_identities(name, certificate->bytes(), key->bytes(), std::nullopt);
        CHECK(read && read->size() == 1);
        identities.push_back(read->front());
    }
    return DecryptionKeys::of(identities);
}

struct Machine {
    Loop loop;
    WorkerPool workers{loop, 1};
    std::shared_ptr<const DecryptionKeys> keys = test_keys();
};
Machine& machine() {
    static Machine one;
    return one;
}

class Collector final : public Sink {
public:
    Result<Flow> write(Chunk chunk) override {
        CHECK(!finished);
        text += chunk.text();
        return Flow::open;
    }
    Result<Flow> finish() override {
        finished = true;
        return Flow::open;
    }
    std::string text;
    bool finished = false;
};

struct Outcome {
    bool read = false;  // the CMS is complete
    Reason reason = Reason::malformed;
    std::string why, cipher, key_transport, recipient_serial;
    std::string content;
    bool finished = false;

    bool operator==(const Outcome&) const = default;
};

class Opener final : public CmsReader::Router, public DecryptStage::Owner {
public:
    CmsHandler* on_cms_type(CmsType type) override {
        if (type != CmsType::enveloped_data && type != CmsType::auth_enveloped_data) return nullptr;
        Machine& all = machine();
        stage_ =
            std::make_unique<DecryptStage>(type, all.keys, all.workers, all.loop, below_, *this);
        return stage_.get();
    }
    void on_decrypt_drain() override { full_ = false; }
    void on_decrypt_end() override {
        CHECK(!ended_);
        ended_ = true;
        full_ = false;
    }

    Outcome open(ByteSpan cms, std::minstd_rand* random) {
        Outcome outcome;
        outcome.read = feed(cms, random);
        if (stage_ && outcome.read) {
            CHECK(machine().loop.run_until([&] { return ended_; }, 10'000));
            CHECK(!stage_->error());
            const LayerReport& report = stage_->report();
            outcome.reason = report.reason;
            outcome.why = report.why;
            outcome.cipher = report.cipher;
            outcome.key_transport = report.key_transport;
            outcome.recipient_serial = report.recipient_serial;
            CHECK(stage_->failed() == (report.reason != Reason::ok));
            CHECK(below_.finished == (report.reason == Reason::ok));
            CHECK(report.why.empty() == (report.reason == Reason::ok));
            outcome.finished = below_.finished;
            if (below_.finished) outcome.content = below_.text;
        }
        return outcome;
    }

private:
    bool feed(ByteSpan cms, std::minstd_rand* random) {
        while (!cms.empty()) {
            const std::size_t bytes =
                random ? std::min<std::size_t>(1 + (*random)() % 40, cms.size()) : cms.size();
            const auto flow = reader_.write(Chunk::copy_of(cms.first(bytes)));
            cms = cms.subspan(bytes);
            if (!flow) return false;
            full_ = *flow == Flow::full && !ended_;
            CHECK(machine().loop.run_until([&] { return !full_; }, 10'000));
        }
        return reader_.finish().has_value();
    }

    Collector below_;
    std::unique_ptr<DecryptStage> stage_;
    CmsReader reader_{*this};
    bool full_ = false;
    bool ended_ = false;
};

}  // namespace
}  // namespace sealgate

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace sealgate;
    const ByteSpan input(data, size);
    std::minstd_rand random(static_cast<unsigned>(size) + 1);
    const Outcome whole = Opener().open(input, nullptr);
    const Outcome in_pieces = Opener().open(input, &random);
    CHECK(whole == in_pieces);
    return 0;
}
