// SPDX-License-Identifier: GPL-3.0-or-later
#include "tests/crypto/encrypt_fixture.h"

#include <gtest/gtest.h>

#include <fstream>
#include <optional>
#include <sstream>

#include "core/loop.h"
#include "crypto/pem.h"

namespace sealgate::test {
namespace {

CertificatePtr read_certificate(const std::string& path) {
    std::ifstream in(path, std::ios::binary);
    if (!in) return nullptr;
    std::ostringstream text;
    text << in.rdbuf();
    const auto blocks = read_pem(as_bytes(text.str()));
    EXPECT_TRUE(blocks && !blocks->empty()) << path;
    auto certificate = Certificate::parse(blocks->front().der.bytes());
    EXPECT_TRUE(certificate) << path;
    return certificate ? *certificate : nullptr;
}

class ChainEnd final : public Source {
public:
    void on_drain() override { full = false; }
    void on_failed(Error failure) override { error = failure.what; }
    bool full = false;
    const char* error = nullptr;
};

}  // namespace

Correspondent correspondent(const std::string& name) {
    Correspondent made;
    const std::string base = SEALGATE_SOURCE_DIR "/tests/data/recipients/" + name;
    made.name = name;
    made.certificate_file = base + ".pem";
    made.key_file = base + ".key.pem";
    made.certificate = read_certificate(made.certificate_file);
    EXPECT_TRUE(made.certificate) << name;
    return made;
}

Correspondent corpus_correspondent(const std::string& name, const std::string& certificate,
                                   const std::string& key) {
    Correspondent made;
    made.name = name;
    made.certificate_file = SEALGATE_CORPUS_DIR "/" + certificate;
    made.key_file = SEALGATE_CORPUS_DIR "/" + key;
    made.certificate = read_certificate(made.certificate_file);
    return made;
}

EncryptPlan envelope_for(const std::vector<Correspondent>& recipients, ContentCipher cipher,
                         RsaTransport transport) {
    EncryptPlan plan;
    plan.cipher = cipher;
    for (const Correspondent& one : recipients)
        plan.recipients.push_back({one.certificate, transport});
    return plan;
}

Outcome encrypt_message(const EncryptPlan& plan, const std::vector<std::string_view>& pieces) {
    Loop loop;
    WorkerPool workers(loop, 1);
    CollectingSink below;
    ChainEnd above;
    const auto stage = make_encrypt_stage(plan, workers, below, above);
    const auto outcome = [&](const char* error) {
        return Outcome{std::move(below.text), below.finished, error};
    };
    for (const std::string_view piece : pieces) {
        const auto flow = stage->write(Chunk::copy_of(piece));
        if (!flow) return outcome(flow.error().what);
        above.full = *flow == Flow::full;
        if (!above.full) continue;
        if (!loop.run_until([&] { return !above.full || above.error != nullptr; }, 20'000))
            return outcome("full for ever");
        if (above.error) return outcome(above.error);
    }
    const auto flow = stage->finish();
    if (!flow) return outcome(flow.error().what);
    loop.run_until([&] { return below.finished || above.error != nullptr; }, 20'000);
    return outcome(above.error);
}

std::vector<std::string_view> in_pieces(std::string_view text, std::size_t piece_bytes) {
    std::vector<std::string_view> pieces;
    for (std::size_t at = 0; at < text.size(); at += piece_bytes)
        pieces.push_back(text.substr(at, piece_bytes));
    return pieces;
}

}  // namespace sealgate::test
