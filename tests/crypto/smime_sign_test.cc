// SPDX-License-Identifier: GPL-3.0-or-later
#include "crypto/smime_sign.h"

#include <gtest/gtest.h>

#include <string>

#include "core/loop.h"
#include "crypto/cms_signed_data.h"
#include "tests/crypto/signing_fixture.h"

namespace sealgate {
namespace {

using test::Outcome;
using test::plan_for;
using test::run_tool;
using test::sign_message;
using test::TemporaryFolder;
using SignMode = SendingProfileOptions::SignMode;
using SignDigest = SendingProfileOptions::Digest;
using Scheme = SendingProfileOptions::Scheme;

const std::string entity =
    "Content-Type: text/plain; charset=utf-8\r\n"
    "Content-Transfer-Encoding: quoted-printable\r\n"
    "\r\n"
    "Gr=C3=BC=C3=9Fe,\r\n"
    "\r\n"
    ".a line that begins with a dot\r\n"
    "From here on, and trailing blanks =20\r\n"
    "-- \r\n"
    "Alice\r\n";

std::string long_entity(std::size_t bytes) {
    std::string text = "Content-Type: text/plain\r\n\r\n";
    for (unsigned line = 0; text.size() < bytes; ++line)
        text += "Line " + std::to_string(line) + ", of no interest but for its length.\r\n";
    return text;
}

// --- the matrix, each cell judged by openssl
// -------------------------------------------------------

struct Case {
    const char* signer;
    Scheme scheme;
    SignDigest digest;
    SignMode sign_mode;
};

std::string name_of(const testing::TestParamInfo<Case>& info) {
    static const char* const digests[] = {"Sha256", "Sha384", "Sha512"};
    std::string name = info.param.signer;
    name[0] = static_cast<char>(name[0] - 'a' + 'A');
    name += info.param.scheme == Scheme::rsa_pss ? "Pss" : "";
    name += digests[static_cast<int>(info.param.digest)];
    return name + (info.param.sign_mode == SignMode::opaque ? "Opaque" : "Detached");
}

std::vector<Case> all_cases() {
    std::vector<Case> cases;
    for (const SignMode mode : {SignMode::detached, SignMode::opaque}) {
        for (const SignDigest digest :
             {SignDigest::sha256, SignDigest::sha384, SignDigest::sha512}) {
            for (const char* name : {"rsa2048", "rsa3072", "rsa4096"}) {
                cases.push_back({name, Scheme::automatic, digest, mode});
                cases.push_back({name, Scheme::rsa_pss, digest, mode});
            }
            for (const char* name : {"p256", "p384"})
                cases.push_back({name, Scheme::automatic, digest, mode});
        }
        cases.push_back({"ed25519", Scheme::automatic, SignDigest::sha512, mode});
    }
    return cases;
}

class SignedMessageTest : public testing::TestWithParam<Case> {
protected:
    SignPlan plan() const {
        SignPlan plan = plan_for(GetParam().signer);
        plan.scheme = GetParam().scheme;
        plan.digest = GetParam().digest;
        plan.sign_mode = GetParam().sign_mode;
        return plan;
    }
};

// `openssl cms -verify` of the message (-cades: signingCertificateV2, too), and what it says the
// content was.
void expect_openssl_reads(const std::string& message, const std::string& content) {
    const TemporaryFolder folder;
    const std::string mail = folder.write("mail", message);
    const auto run = run_tool("openssl cms -verify -cades -in " + mail + " -CAfile " +
                              test::root_file() + " -out " + folder.path("content"));
    ASSERT_EQ(run.status, 0) << run.output << message.substr(0, 2000);
    EXPECT_EQ(folder.read("content"), content);
}

// OpenSSL before 3.2 cannot do it: cms hands a digest's name to Ed25519, which takes none
// ("eddsa_digest_signverify_init:invalid digest"). So its parts are put in its hand one by one: the
// digest in the attributes, and the signature over these.
void expect_openssl_accepts_ed25519(const SignPlan& plan, const std::string& message) {
    const TemporaryFolder folder;
    const std::string content = folder.write("content", entity);
    ASSERT_EQ(run_tool("openssl dgst -sha512 -binary -out " + folder.path("digest") + " " + content)
                  .status,
              0);
    SignerInfoPlan signer;
    signer.identity = plan.identity;
    signer.algorithm = {SignatureScheme::ed25519, DigestAlgorithm::sha512};
    signer.signing_time = plan.signing_time;
    const DigestValue digest = digest_of(DigestAlgorithm::sha512, as_bytes(entity));
    ASSERT_EQ(as_text(digest.bytes()), folder.read("digest"));
    const Bytes attributes = signed_attributes(signer, digest);

    const std::string cms = test::cms_of(message);
    const std::size_t at = cms.find(as_text(ByteSpan(attributes).subspan(1)));
    ASSERT_NE(at, std::string::npos) << "other attributes than those expected";
    // After them: SEQUENCE { 1.3.101.112 }, OCTET STRING of 64 octets.
    const std::size_t next = at + attributes.size() - 1;
    ASSERT_EQ(cms.substr(next, 9), std::string("\x30\x05\x06\x03\x2b\x65\x70\x04\x40"));
    const std::string key = folder.path("key");
    ASSERT_EQ(
        run_tool("openssl x509 -noout -pubkey -in " + test::leaf_file("ed25519") + " -out " + key)
            .status,
        0);
    const auto run = run_tool("openssl pkeyutl -verify -rawin -pubin -inkey " + key + " -in " +
                              folder.write("attributes", as_text(attributes)) + " -sigfile " +
                              folder.write("signature", cms.substr(next + 9, 64)));
    EXPECT_EQ(run.status, 0) << run.output;
}

TEST_P(SignedMessageTest, IsVerifiedByOpenssl) {
    const Outcome outcome = sign_message(plan(), {entity});
    ASSERT_TRUE(outcome.finished) << (outcome.error ? outcome.error : "");
    if (std::string(GetParam().signer) == "ed25519")
        expect_openssl_accepts_ed25519(plan(), outcome.text);
    else
        expect_openssl_reads(outcome.text, entity);
}

INSTANTIATE_TEST_SUITE_P(All, SignedMessageTest, testing::ValuesIn(all_cases()), name_of);

// --- the shape of the message
// ----------------------------------------------------------------------

SignPlan plan_of(const std::string& signer, SignMode mode) {
    SignPlan plan = plan_for(signer);
    plan.sign_mode = mode;
    return plan;
}

TEST(SmimeSign, WritesADetachedSignatureAsRfc8551Does) {
    const Outcome outcome = sign_message(plan_of("rsa2048", SignMode::detached), {entity});
    ASSERT_TRUE(outcome.finished);
    const std::string head =
        "MIME-Version: 1.0\r\n"
        "Content-Type: multipart/signed; protocol=\"application/pkcs7-signature\"; "
        "micalg=sha-256;\r\n"
        " boundary=\"=_fixed_boundary\"\r\n"
        "\r\n"
        "This is an S/MIME signed message\r\n"
        "\r\n"
        "--=_fixed_boundary\r\n" +
        entity +
        "\r\n--=_fixed_boundary\r\n"
        "Content-Type: application/pkcs7-signature; name=\"smime.p7s\"\r\n"
        "Content-Transfer-Encoding: base64\r\n"
        "Content-Disposition: attachment; filename=\"smime.p7s\"\r\n"
        "\r\n"
        "MII";
    EXPECT_EQ(outcome.text.substr(0, head.size()), head);
    const std::string end = "\r\n\r\n--=_fixed_boundary--\r\n";
    EXPECT_EQ(outcome.text.substr(outcome.text.size() - end.size()), end);
}

TEST(SmimeSign, WritesAnOpaqueSignatureAsRfc8551Does) {
    const Outcome outcome = sign_message(plan_of("p256", SignMode::opaque), {entity});
    ASSERT_TRUE(outcome.finished);
    const std::string head =
        "MIME-Version: 1.0\r\n"
        "Content-Type: application/pkcs7-mime; smime-type=signed-data; name=\"smime.p7m\"\r\n"
        "Content-Transfer-Encoding: base64\r\n"
        "Content-Disposition: attachment; filename=\"smime.p7m\"\r\n"
        "\r\n"
        "MIAGCSqGSIb3DQEHAqCAMIACAQE";
    EXPECT_EQ(outcome.text.substr(0, head.size()), head);
    EXPECT_EQ(outcome.text.substr(outcome.text.size() - 2), "\r\n");
}

TEST(SmimeSign, NamesTheDigestItUsed) {
    const struct {
        const char* signer;
        SignDigest digest;
        const char* want;
    } cases[] = {{"rsa2048", SignDigest::sha256, "micalg=sha-256;"},
                 {"p256", SignDigest::sha384, "micalg=sha-384;"},
                 {"p384", SignDigest::sha512, "micalg=sha-512;"},
                 {"ed25519", SignDigest::sha256, "micalg=sha-512;"}};
    for (const auto& row : cases) {
        SignPlan plan = plan_of(row.signer, SignMode::detached);
        plan.digest = row.digest;
        EXPECT_NE(sign_message(plan, {entity}).text.find(row.want), std::string::npos) << row.want;
    }
}

TEST(SmimeSign, MakesABoundaryThatNobodyGuesses) {
    SignPlan plan = plan_of("p256", SignMode::detached);
    plan.boundary.clear();
    const auto boundary = [&] {
        const std::string text = sign_message(plan, {entity}).text;
        const std::size_t begin = text.find(" boundary=\"") + 11;
        return text.substr(begin, text.find('"', begin) - begin);
    };
    const std::string first = boundary();
    EXPECT_EQ(first.size(), 43u);
    EXPECT_NE(first, boundary());
}

// --- streaming
// ---------------------------------------------------------------------------------------

TEST(SmimeSign, GivesTheSameBytesHoweverTheInputIsCut) {
    for (const SignMode mode : {SignMode::detached, SignMode::opaque}) {
        // PKCS#1 and Ed25519 signatures have no random part.
        const SignPlan plan = plan_of("ed25519", mode);
        const std::string want = sign_message(plan, {entity}).text;
        const std::string_view in = entity;
        for (std::size_t cut = 0; cut <= in.size(); ++cut)
            ASSERT_EQ(sign_message(plan, {in.substr(0, cut), in.substr(cut)}).text, want) << cut;
        std::vector<std::string_view> single;
        for (std::size_t i = 0; i < in.size(); ++i) single.push_back(in.substr(i, 1));
        EXPECT_EQ(sign_message(plan, single).text, want);
    }
}

TEST(SmimeSign, CutsSegmentsAtTheSamePlacesWhateverThePiecesWere) {
    const SignPlan plan = plan_of("ed25519", SignMode::opaque);
    for (const std::size_t bytes : {4095u, 4096u, 4097u, 8191u, 8192u, 8193u, 20'000u}) {
        const std::string text = long_entity(bytes).substr(0, bytes);
        const std::string_view in = text;
        const std::string want = sign_message(plan, {in}).text;
        for (const std::size_t cut : {std::size_t{1}, std::size_t{57}, bytes / 2, bytes - 1})
            ASSERT_EQ(sign_message(plan, {in.substr(0, cut), in.substr(cut)}).text, want) << cut;
    }
}

TEST(SmimeSign, SignsContentsOfAnySize) {
    const std::string contents[] = {
        "", "\r\n", "Content-Type: text/plain\r\n\r\n", long_entity(10'000), long_entity(10 << 20),
    };
    for (const std::string& content : contents) {
        for (const SignMode mode : {SignMode::detached, SignMode::opaque}) {
            SCOPED_TRACE(testing::Message() << content.size() << " bytes");
            std::vector<std::string_view> pieces;
            for (std::size_t at = 0; at < content.size(); at += 65'536)
                pieces.push_back(std::string_view(content).substr(at, 65'536));
            const Outcome outcome = sign_message(plan_of("p256", mode), pieces);
            ASSERT_TRUE(outcome.finished);
            expect_openssl_reads(outcome.text, content);
        }
    }
}

TEST(SmimeSign, PassesChunksThroughWithoutCopyingThem) {
    Loop loop;
    WorkerPool workers(loop, 1);
    struct Watch final : Sink, Source {
        Result<Flow> write(Chunk chunk) override {
            last = chunk;
            return Flow::full;
        }
        Result<Flow> finish() override { return Flow::open; }
        void on_drain() override {}
        void on_failed(Error) override {}
        Chunk last;
    } watch;
    const auto stage = make_sign_stage(plan_of("p256", SignMode::detached), workers, watch, watch);
    const Chunk chunk = Chunk::copy_of(entity);
    const auto flow = stage->write(chunk);
    ASSERT_TRUE(flow);
    EXPECT_EQ(*flow, Flow::full) << "back-pressure goes up";
    EXPECT_EQ(watch.last.data(), chunk.data());
}

TEST(SmimeSign, KeepsLittleOfALargeContent) {
    Loop loop;
    WorkerPool workers(loop, 1);
    test::CollectingSink below;
    struct Quiet final : Source {
        void on_drain() override {}
        void on_failed(Error) override {}
    } above;
    const std::string piece(65'536, 'x');
    const auto stage = make_sign_stage(plan_of("p256", SignMode::opaque), workers, below, above);
    const std::size_t before = BlockPool::instance().in_use_bytes();
    for (int i = 0; i < 100; ++i) ASSERT_TRUE(stage->write(Chunk::copy_of(piece)));
    EXPECT_LE(BlockPool::instance().in_use_bytes() - before, 16u * 1024);
    EXPECT_GT(below.text.size(), 100u * 65'536);
}

}  // namespace
}  // namespace sealgate
