// SPDX-License-Identifier: GPL-3.0-or-later
#include "crypto/cms_signed_data.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "tests/crypto/signing_fixture.h"

namespace sealgate {
namespace {

using test::run_tool;
using test::TemporaryFolder;

SignerInfoPlan signer_plan(const std::string& name, SignatureAlgorithm algorithm) {
    SignerInfoPlan plan;
    plan.identity = test::signer(name);
    plan.algorithm = algorithm;
    plan.signing_time = 1795305600;
    return plan;
}

constexpr SignatureAlgorithm rsa_sha256{SignatureScheme::rsa_pkcs1, DigestAlgorithm::sha256};

Bytes attributes_of(const SignerInfoPlan& plan) {
    return signed_attributes(plan, digest_of(plan.algorithm.digest, as_bytes("content")));
}

std::string detached(const SignerInfoPlan& plan) {
    const Bytes attributes = attributes_of(plan);
    const Bytes signature =
        sign_with(plan.identity->key, plan.algorithm, attributes).value_or(Bytes());
    EXPECT_FALSE(signature.empty());
    return std::string(as_text(detached_signed_data(plan, attributes, signature)));
}

std::string from_hex(std::string_view hex) {
    std::string bytes;
    for (std::size_t i = 0; i + 1 < hex.size(); i += 2)
        bytes += static_cast<char>(std::stoi(std::string(hex.substr(i, 2)), nullptr, 16));
    return bytes;
}

// The elements inside of a definite one, each with its header.
std::vector<std::string> elements_in(std::string_view element) {
    const auto total = [](std::string_view at, std::size_t& header) {
        const auto first = static_cast<unsigned char>(at[1]);
        header = first < 0x80 ? 2u : 2u + (first & 0x7fu);
        std::size_t length = first < 0x80 ? first : 0;
        for (std::size_t i = 2; i < header; ++i)
            length = length << 8 | static_cast<unsigned char>(at[i]);
        return header + length;
    };
    std::size_t header = 0;
    EXPECT_EQ(total(element, header), element.size());
    element.remove_prefix(header);
    std::vector<std::string> found;
    while (!element.empty()) {
        const std::size_t size = total(element, header);
        found.emplace_back(element.substr(0, size));
        element.remove_prefix(size);
    }
    return found;
}

// --- attributes
// ------------------------------------------------------------------------------------

TEST(SignedAttributes, AreASetInTheOrderOfDer) {
    for (const auto digest :
         {DigestAlgorithm::sha256, DigestAlgorithm::sha384, DigestAlgorithm::sha512}) {
        const Bytes attributes =
            attributes_of(signer_plan("rsa2048", {SignatureScheme::rsa_pkcs1, digest}));
        EXPECT_EQ(attributes.at(0), 0x31);
        const std::vector<std::string> each = elements_in(as_text(attributes));
        EXPECT_EQ(each.size(), 5u);
        // std::string compares as unsigned bytes do.
        EXPECT_TRUE(std::is_sorted(each.begin(), each.end()));
    }
}

TEST(SignedAttributes, SayWhatTheStandardsWant) {
    const SignerInfoPlan plan = signer_plan("p256", {SignatureScheme::ecdsa, {}});
    const std::string attributes(as_text(attributes_of(plan)));
    const auto hash_of_leaf = digest_of(DigestAlgorithm::sha256, plan.identity->leaf->der());
    const struct {
        const char* what;
        std::string want;
    } cases[] = {
        {"contentType is id-data",
         from_hex("301806092a864886f70d010903310b06092a864886f70d010701")},
        {"signingTime, UTCTime", from_hex("301c06092a864886f70d010905310f170d") + "261122000000Z"},
        {"messageDigest",
         from_hex("302f06092a864886f70d01090431220420") +
             std::string(as_text(digest_of(DigestAlgorithm::sha256, as_bytes("content")).bytes()))},
        {"SMIMECapabilities, best first",
         from_hex("304306092a864886f70d01090f31363034"
                  "300b060960864801650304012e300b0609608648016503040106"
                  "300b060960864801650304012a300b0609608648016503040102")},
        {"signingCertificateV2: the hash without its algorithm, and the issuer",
         from_hex("0420") + std::string(as_text(hash_of_leaf.bytes())) + from_hex("304c3034a432") +
             std::string(as_text(plan.identity->leaf->issuer_der())) +
             std::string(as_text(plan.identity->leaf->serial_der()))},
    };
    for (const auto& row : cases)
        EXPECT_NE(attributes.find(row.want), std::string::npos) << row.what;
}

TEST(SignedAttributes, WriteYearsFrom2050AsGeneralizedTime) {
    SignerInfoPlan plan = signer_plan("rsa2048", rsa_sha256);
    plan.signing_time = 2524608000;
    const std::string attributes(as_text(attributes_of(plan)));
    EXPECT_NE(attributes.find(from_hex("180f") + "20500101000000Z"), std::string::npos);
}

// --- the frame
// -------------------------------------------------------------------------------------

TEST(SignedData, NamesItsAlgorithmsAsOthersDo) {
    const struct {
        const char* signer;
        SignatureAlgorithm algorithm;
        const char* digest;
        const char* signature;
    } cases[] = {
        {"rsa2048", rsa_sha256, "300b0609608648016503040201", "300d06092a864886f70d0101010500"},
        {"rsa2048",
         {SignatureScheme::rsa_pss, DigestAlgorithm::sha256},
         "300b0609608648016503040201",
         "304106092a864886f70d01010a3034a00f300d06096086480165030402010500a11c301a06092a864886f70d"
         "010108300d06096086480165030402010500a203020120"},
        {"p256",
         {SignatureScheme::ecdsa, DigestAlgorithm::sha256},
         "300b0609608648016503040201",
         "300a06082a8648ce3d040302"},
        {"p384",
         {SignatureScheme::ecdsa, DigestAlgorithm::sha384},
         "300b0609608648016503040202",
         "300a06082a8648ce3d040303"},
        {"p384",
         {SignatureScheme::ecdsa, DigestAlgorithm::sha512},
         "300b0609608648016503040203",
         "300a06082a8648ce3d040304"},
        {"ed25519",
         {SignatureScheme::ed25519, DigestAlgorithm::sha512},
         "300b0609608648016503040203",
         "300506032b6570"},
    };
    for (const auto& row : cases) {
        const std::string cms = detached(signer_plan(row.signer, row.algorithm));
        EXPECT_NE(cms.find(from_hex(row.digest)), std::string::npos) << row.digest;
        EXPECT_NE(cms.find(from_hex(row.signature)), std::string::npos) << row.signature;
    }
}

TEST(SignedData, CarriesTheChainWithoutItsRoot) {
    SignerInfoPlan plan = signer_plan("p256", {SignatureScheme::ecdsa, {}});
    ASSERT_EQ(plan.identity->chain.size(), 2u);
    const auto has = [](const std::string& cms, const CertificatePtr& certificate) {
        return cms.find(as_text(certificate->der())) != std::string::npos;
    };
    const std::string with_chain = detached(plan);
    EXPECT_TRUE(has(with_chain, plan.identity->leaf));
    EXPECT_TRUE(has(with_chain, plan.identity->chain[0]));
    EXPECT_FALSE(has(with_chain, plan.identity->chain[1]));
    plan.include_chain = false;
    const std::string alone = detached(plan);
    EXPECT_TRUE(has(alone, plan.identity->leaf));
    EXPECT_FALSE(has(alone, plan.identity->chain[0]));
    EXPECT_FALSE(has(alone, plan.identity->chain[1]));
}

TEST(SignedData, CarriesALeafThatSignedItself) {
    SignerInfoPlan plan = signer_plan("rsa2048", rsa_sha256);
    auto identity = std::make_shared<Identity>();
    identity->leaf = plan.identity->chain[1];
    identity->key.kind = KeyKind::rsa;
    identity->key.bits = 2048;
    identity->key.id = 77;
    identity->key.pkcs8 = SecureBytes::copy_of(plan.identity->key.pkcs8.bytes());
    plan.identity = identity;
    EXPECT_NE(detached(plan).find(as_text(identity->leaf->der())), std::string::npos);
}

TEST(SignedData, WithoutTheChainIsVerifiedByThoseWhoHaveIt) {
    SignPlan plan = test::plan_for("rsa2048");
    plan.include_chain = false;
    const TemporaryFolder folder;
    const std::string mail = folder.write("mail", test::sign_message(plan, {"\r\nText\r\n"}).text);
    const std::string both = folder.path("both");
    ASSERT_EQ(
        run_tool("cat " + test::root_file() + " " + test::intermediate_file() + " >" + both).status,
        0);
    const std::string verify = "openssl cms -verify -in " + mail + " -CAfile ";
    EXPECT_NE(run_tool(verify + test::root_file()).status, 0);
    const auto run = run_tool(verify + both);
    EXPECT_EQ(run.status, 0) << run.output;
}

// --- readers other than openssl ------------------------------------------------------------------

struct ReaderCase {
    const char* signer;
    SendingProfileOptions::Scheme scheme;
    SendingProfileOptions::Digest digest;
};

// Ed25519 in CMS is read by neither: gpgsm 2.2 says "DSA requires the hash length to be a multiple
// of 8 bits", NSS 3.87 has no Ed25519. P-384 with SHA-256 is "Good" to gpgsm and still an error:
// it wants no digest shorter than the curve.
const ReaderCase reader_cases[] = {
    {"rsa2048", SendingProfileOptions::Scheme::rsa_pkcs1, SendingProfileOptions::Digest::sha256},
    {"rsa2048", SendingProfileOptions::Scheme::rsa_pss, SendingProfileOptions::Digest::sha256},
    {"rsa3072", SendingProfileOptions::Scheme::rsa_pkcs1, SendingProfileOptions::Digest::sha384},
    {"rsa3072", SendingProfileOptions::Scheme::rsa_pss, SendingProfileOptions::Digest::sha384},
    {"rsa4096", SendingProfileOptions::Scheme::rsa_pkcs1, SendingProfileOptions::Digest::sha512},
    {"rsa4096", SendingProfileOptions::Scheme::rsa_pss, SendingProfileOptions::Digest::sha512},
    {"p256", SendingProfileOptions::Scheme::automatic, SendingProfileOptions::Digest::sha256},
    {"p256", SendingProfileOptions::Scheme::automatic, SendingProfileOptions::Digest::sha512},
    {"p384", SendingProfileOptions::Scheme::automatic, SendingProfileOptions::Digest::sha384},
    {"p384", SendingProfileOptions::Scheme::automatic, SendingProfileOptions::Digest::sha512},
};

const std::string content = "Content-Type: text/plain\r\n\r\nText of two\r\nlines\r\n";

// Calls `check(DER file, is it detached)` for every case, signed both ways.
template <typename Check>
void for_each_signature(const TemporaryFolder& folder, Check check) {
    using SignMode = SendingProfileOptions::SignMode;
    for (const ReaderCase& row : reader_cases) {
        for (const SignMode mode : {SignMode::detached, SignMode::opaque}) {
            SignPlan plan = test::plan_for(row.signer);
            plan.scheme = row.scheme;
            plan.digest = row.digest;
            plan.sign_mode = mode;
            SCOPED_TRACE(testing::Message()
                         << row.signer << " scheme " << static_cast<int>(row.scheme) << " digest "
                         << static_cast<int>(row.digest) << " mode " << static_cast<int>(mode));
            const auto outcome = test::sign_message(plan, {content});
            ASSERT_TRUE(outcome.finished);
            check(folder.write("signature", test::cms_of(outcome.text)),
                  mode == SignMode::detached);
        }
    }
}

TEST(SignedData, IsVerifiedByGpgsm) {
    if (!test::has_tool("gpgsm")) GTEST_SKIP() << "gpgsm is not installed";
    const TemporaryFolder folder;
    const std::string home = folder.path("gnupg");
    ASSERT_EQ(run_tool("mkdir -m 700 " + home).status, 0);
    std::string fingerprint =
        run_tool("openssl x509 -noout -fingerprint -sha1 -in " + test::root_file()).output;
    fingerprint = fingerprint.substr(fingerprint.find('=') + 1, 59);
    folder.write("gnupg/trustlist.txt", fingerprint + " S relax\n");
    folder.write("gnupg/gpgsm.conf", "disable-crl-checks\n");
    const std::string gpgsm = "gpgsm --batch --homedir " + home + " ";
    ASSERT_EQ(run_tool(gpgsm + "--import " + test::root_file()).status, 0);
    const std::string file = folder.write("content", content);
    for_each_signature(folder, [&](const std::string& signature, bool is_detached) {
        const auto run =
            run_tool(gpgsm + "--verify " + signature + (is_detached ? " " + file : ""));
        EXPECT_EQ(run.status, 0) << run.output;
        EXPECT_NE(run.output.find("Good signature"), std::string::npos) << run.output;
    });
    run_tool("gpgconf --homedir " + home + " --kill all");
}

TEST(SignedData, IsVerifiedByNss) {
    if (!test::has_tool("cmsutil")) GTEST_SKIP() << "libnss3-tools is not installed";
    const TemporaryFolder folder;
    const std::string store = "sql:" + folder.path("nss");
    ASSERT_EQ(run_tool("mkdir " + folder.path("nss")).status, 0);
    ASSERT_EQ(run_tool("certutil -N --empty-password -d " + store).status, 0);
    ASSERT_EQ(run_tool("certutil -A -n root -t CT,C,C -a -i " + test::root_file() + " -d " + store)
                  .status,
              0);
    const std::string file = folder.write("content", content);
    const std::string out = folder.path("out");
    for_each_signature(folder, [&](const std::string& signature, bool is_detached) {
        const auto run = run_tool("cmsutil -D -d " + store + " -i " + signature + " -o " + out +
                                  (is_detached ? " -c " + file : ""));
        ASSERT_EQ(run.status, 0) << run.output;
        EXPECT_EQ(folder.read("out"), content);
    });
}

}  // namespace
}  // namespace sealgate
