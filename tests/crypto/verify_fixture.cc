// SPDX-License-Identifier: GPL-3.0-or-later
#include "tests/crypto/verify_fixture.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <memory>

#include "crypto/base64.h"
#include "crypto/ber_writer.h"
#include "crypto/oid.h"
#include "crypto/signing_key.h"
#include "tests/crypto/signer_info_fixture.h"
#include "tests/crypto/trust_fixture.h"

namespace sealgate::test {

namespace {

std::unique_ptr<Verifier> the_verifier;

class EndsTheVerifier final : public testing::Environment {
public:
    void TearDown() override { the_verifier.reset(); }
};

testing::Environment* const ends_the_verifier =
    testing::AddGlobalTestEnvironment(std::make_unique<EndsTheVerifier>().release());

}  // namespace

Verifier& verifier() {
    if (!the_verifier) the_verifier = std::make_unique<Verifier>();
    return *the_verifier;
}

class VerifyEnd final : public VerifyStage::Owner, public CmsReader::Router {
public:
    CmsHandler* on_cms_type(CmsType type) override {
        return type == CmsType::signed_data ? handler : nullptr;
    }
    void on_verify_end(LayerReport report) override {
        EXPECT_FALSE(inside) << "told from inside a call";
        EXPECT_FALSE(result) << "told twice";
        result = std::move(report);
    }

    CmsHandler* handler = nullptr;
    bool inside = false;
    std::optional<LayerReport> result;
};

VerifyContext context_of_signers() {
    static const auto anchors = anchors_of({root_file()});
    VerifyContext context;
    context.anchors = anchors;
    context.wall_seconds = verify_time;
    context.sender = verify_sender;
    return context;
}

Reason VerifyOutcome::reason() const {
    if (report) return report->reason;
    return error && error->kind == ErrorKind::limit ? Reason::limit : Reason::malformed;
}

const SignerReport& VerifyOutcome::signer() const {
    static const SignerReport none;
    EXPECT_TRUE(report && report->signers.size() == 1) << why();
    return report && !report->signers.empty() ? report->signers.front() : none;
}

std::string VerifyOutcome::why() const {
    if (error) return error->what;
    if (!report) return "no report";
    return std::string(to_word(report->reason)) + ": " + report->why;
}

VerifyOutcome Verifier::read(VerifyStage& stage, VerifyEnd& end, std::string_view cms,
                             std::size_t piece_bytes) {
    VerifyOutcome outcome;
    end.handler = &stage;
    end.inside = true;
    CmsReader reader(end);
    while (!cms.empty() && !outcome.error) {
        const std::string_view piece = cms.substr(0, piece_bytes);
        if (const auto flow = reader.write(Chunk::copy_of(piece)); !flow)
            outcome.error = flow.error();
        cms.remove_prefix(piece.size());
    }
    if (!outcome.error) {
        if (const auto done = reader.finish(); !done) outcome.error = done.error();
    }
    end.inside = false;
    if (outcome.error) return outcome;
    EXPECT_TRUE(loop.run_until([&] { return end.result.has_value(); }, 20'000));
    outcome.report = std::move(end.result);
    return outcome;
}

VerifyOutcome Verifier::opaque(std::string_view cms, const VerifyContext& context,
                               std::size_t piece_bytes) {
    VerifyEnd end;
    CollectingSink below;
    VerifyStage stage(context, workers, end, below);
    VerifyOutcome outcome = read(stage, end, cms, piece_bytes);
    outcome.content = std::move(below.text);
    outcome.content_ended = below.finished;
    return outcome;
}

VerifyOutcome Verifier::detached(std::string_view content, std::string_view cms,
                                 const VerifyContext& context, std::string_view micalg) {
    VerifyEnd end;
    VerifyStage stage(context, workers, end, digests_for_micalg(micalg));
    stage.hash(as_bytes(content.substr(0, content.size() / 3)));
    stage.hash(as_bytes(content.substr(content.size() / 3)));
    return read(stage, end, cms, 65'536);
}

namespace {

std::string parameter(std::string_view header, std::string_view name) {
    const std::size_t at = header.find(std::string(name) + "=");
    if (at == std::string_view::npos) return {};
    std::string_view value = header.substr(at + name.size() + 1);
    if (value.front() == '"') return std::string(value.substr(1, value.find('"', 1) - 1));
    return std::string(value.substr(0, value.find_first_of(";\r\n")));
}

}  // namespace

SignedMail take_apart(const std::string& message) {
    const std::string_view text = message;
    const std::size_t body = text.find("\r\n\r\n") + 4;
    const std::string_view header = text.substr(0, body);
    SignedMail mail;
    mail.micalg = parameter(header, "micalg");
    if (header.find("multipart/signed") == std::string_view::npos) {
        mail.cms = decode_base64_text(text.substr(body));
        return mail;
    }
    const std::string boundary = "--" + parameter(header, "boundary");
    const std::size_t first = text.find(boundary + "\r\n", body) + boundary.size() + 2;
    const std::size_t second = text.find("\r\n" + boundary, first);
    mail.content = text.substr(first, second - first);
    const std::size_t signature = text.find("\r\n\r\n", second + 2) + 4;
    mail.cms = decode_base64_text(
        text.substr(signature, text.find("\r\n" + boundary, signature) - signature));
    return mail;
}

bool FakeKnownKeys::is_manual(const Certificate& certificate) const {
    return std::any_of(manual.begin(), manual.end(), [&](const CertificatePtr& one) {
        return std::ranges::equal(one->der(), certificate.der());
    });
}

std::vector<CertificatePtr> FakeKnownKeys::certificates_of(std::string_view address) const {
    ++asked;
    const auto found = by_address.find(address);
    return found == by_address.end() ? std::vector<CertificatePtr>() : found->second;
}

// --- SignedData by hand
// ------------------------------------------------------------------------------

namespace {

Bytes algorithm_of(KeyKind kind) {
    if (kind == KeyKind::rsa) return sequence(ByteSpan(oid::rsa_encryption), Bytes{0x05, 0x00});
    if (kind == KeyKind::ed25519) return sequence(ByteSpan(oid::ed25519));
    return sequence(ByteSpan(oid::ecdsa_with_sha256));
}

SignatureScheme scheme_of(KeyKind kind) {
    if (kind == KeyKind::rsa) return SignatureScheme::rsa_pkcs1;
    return kind == KeyKind::ed25519 ? SignatureScheme::ed25519 : SignatureScheme::ecdsa;
}

}  // namespace

Bytes craft_signer_info(const SignerInfoCraft& craft) {
    using Order = SignerInfoCraft::Order;
    const Certificate& leaf = *craft.identity->leaf;
    const Bytes type = craft.content_type.empty()
                           ? Bytes(std::begin(oid::data), std::end(oid::data))
                           : craft.content_type;
    const ReadDigestValue digest = digest_of(craft.digest, as_bytes(craft.content));
    std::vector<Bytes> attributes = craft.attributes;
    attributes.push_back(attribute(oid::content_type, {type}));
    attributes.push_back(attribute(oid::message_digest, {octet_string(digest.bytes())}));
    std::sort(attributes.begin(), attributes.end());
    if (craft.order == Order::never_sorted) std::reverse(attributes.begin(), attributes.end());

    Bytes signed_octets(craft.content.begin(), craft.content.end());
    if (craft.with_attributes) {
        signed_octets = attribute_set(0, attributes);
        signed_octets[0] = ber::set;
    }
    if (craft.order == Order::signed_sorted) std::reverse(attributes.begin(), attributes.end());
    const auto signature = sign_with(
        craft.identity->key, {scheme_of(leaf.key_kind()), DigestAlgorithm::sha256}, signed_octets);
    EXPECT_TRUE(signature);

    SignerInfoParts parts;
    parts.signer = sequence(leaf.issuer_der(), leaf.serial_der());
    parts.digest =
        craft.digest_algorithm.empty() ? sequence(oid_of(craft.digest)) : craft.digest_algorithm;
    if (craft.with_attributes) parts.attributes = attribute_set(0, attributes);
    parts.algorithm = craft.signature_algorithm.empty() ? algorithm_of(leaf.key_kind())
                                                        : craft.signature_algorithm;
    parts.signature = octet_string(signature.value_or(Bytes{}));
    parts.unsigned_attributes = craft.unsigned_attributes;
    return signer_info_of(parts);
}

std::string craft_signed_data(const SignedDataCraft& craft) {
    BerWriter out;
    const auto all = [&](const std::vector<Bytes>& elements) {
        for (const Bytes& element : elements) out.raw(element);
    };
    out.sequence([&] {
        out.raw(oid::signed_data);
        out.element(ber::context(0), [&] {
            out.sequence([&] {
                out.integer(1);
                out.set([&] {
                    all(craft.digest_algorithms.empty()
                            ? std::vector<Bytes>{sequence(ByteSpan(oid::sha256))}
                            : craft.digest_algorithms);
                });
                out.sequence([&] {
                    out.raw(craft.content_type.empty() ? ByteSpan(oid::data) : craft.content_type);
                    if (craft.content) {
                        out.element(ber::context(0),
                                    [&] { out.octet_string(as_bytes(*craft.content)); });
                    }
                });
                if (!craft.certificates.empty()) {
                    out.element(ber::context(0), [&] {
                        for (const CertificatePtr& one : craft.certificates) out.raw(one->der());
                    });
                }
                out.set([&] { all(craft.signer_infos); });
            });
        });
    });
    return std::string(as_text(out.bytes()));
}

}  // namespace sealgate::test
