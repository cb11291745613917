// SPDX-License-Identifier: GPL-3.0-or-later
// The judge of trust, and lists, on other people's chains.
#include <gtest/gtest.h>

#include <ctime>
#include <filesystem>

#include "crypto/certificate_bundle.h"
#include "crypto/trust_crl_files.h"
#include "tests/crypto/revocation_fixture.h"

namespace sealgate::test {
namespace {

constexpr std::int64_t at = 1'795'000'000;  // 2026-11-18

class TrustCorpus : public testing::Test {
protected:
    struct Case {
        const char* leaf;
        std::vector<std::string> others;
        std::vector<std::string> anchors;
        Reason want;
    };

    // Skips where the corpus is not.
    void open(const std::string& folder) {
        folder_ = std::filesystem::path(SEALGATE_CORPUS_DIR) / folder;
        if (!std::filesystem::exists(folder_)) GTEST_SKIP() << "no " << folder_;
    }
    std::string file(const std::string& name) const { return (folder_ / name).string(); }
    std::vector<CertificatePtr> read(const std::string& name) const {
        const auto bytes = read_small_file(file(name));
        EXPECT_TRUE(bytes) << name;
        return certificates_in(bytes ? std::string(as_text(bytes->bytes())) : "");
    }
    TrustVerdict judge(const Case& row, TrustPurpose purpose, JudgeOptions options = {}) const {
        std::vector<CertificatePtr> others;
        for (const std::string& name : row.others) {
            for (const CertificatePtr& other : read(name)) others.push_back(other);
        }
        std::vector<std::string> anchors;
        for (const std::string& name : row.anchors) anchors.push_back(file(name));
        return anchors_of(anchors)->judge(read(row.leaf).at(0), others, at, purpose, options);
    }
    void expect_all(TrustPurpose purpose, const std::vector<Case>& cases,
                    JudgeOptions options = {}) const {
        for (const Case& row : cases) {
            SCOPED_TRACE(row.leaf);
            const TrustVerdict verdict = judge(row, purpose, options);
            EXPECT_STREQ(to_word(verdict.reason), to_word(row.want)) << verdict.why;
        }
    }

private:
    std::filesystem::path folder_;
};

constexpr auto encryption = TrustPurpose::smime_encryption, signing = TrustPurpose::smime_signing;

TEST_F(TrustCorpus, MimeKit) {
    open("mimekit/derived-keys");
    if (IsSkipped()) return;
    const std::vector<Case> cases = {
        {"rsa.crt.pem", {"rsa.chain.pem"}, {"root.crt.pem"}, Reason::ok},
        {"dnsnames.crt.pem", {"dnsnames.chain.pem"}, {"root.crt.pem"}, Reason::ok},
        {"nochain.crt.pem", {"rsa.chain.pem"}, {"root.crt.pem"}, Reason::ok},
        {"nochain.crt.pem", {"int.pem"}, {"root.crt.pem"}, Reason::ok},
        {"rsa.crt.pem", {}, {"root.crt.pem"}, Reason::untrusted},
        {"rsa.crt.pem", {"rsa.chain.pem"}, {}, Reason::untrusted},
        // Without lists nobody knows.
        {"revoked.crt.pem", {"revoked.chain.pem"}, {"root.crt.pem"}, Reason::ok},
        {"revokedsubca.crt.pem", {"revokedsubca.chain.pem"}, {"root.crt.pem"}, Reason::ok},
    };
    expect_all(encryption, cases);
    expect_all(signing, cases);
}

// The lists as MimeKit's own tests make them, with the keys that come along.
TEST_F(TrustCorpus, MimeKitsRevokedOnesAreRefused) {
    open("mimekit");
    if (IsSkipped()) return;
    const std::string keys = "UnitTests/TestData/smime/", made = "derived-keys/";
    const auto chain = read(made + "rsa.chain.pem");  // secondary, primary, root
    const CertificatePtr tertiary = read(made + "revokedsubca.chain.pem").at(0);
    CrlPlan secondary_list, primary_list, root_list;
    secondary_list.entries = {{read(made + "revoked.crt.pem").at(0)},
                              {read(made + "revokednochain.crt.pem").at(0)}};
    root_list.entries = {{tertiary}};
    RevocationLists lists;
    const auto add = [&](const CertificatePtr& issuer, const char* key, const CrlPlan& plan) {
        lists.push_back(RevocationList::parse(make_crl(*issuer, file(keys + key), plan)).value());
    };
    add(chain.at(0), "intermediate2.key", secondary_list);
    add(chain.at(1), "intermediate1.key", primary_list);
    add(chain.at(2), "certificate-authority.key", root_list);
    using Status = RevocationAnswer::Status;
    const struct {
        const char* name;
        const char* chain;
        std::vector<Status> want;  // of each certificate of the path but the anchor
    } cases[] = {
        {"rsa", "rsa", {Status::good, Status::good, Status::good}},
        {"dnsnames", "dnsnames", {Status::good, Status::good, Status::good}},
        {"nochain", "rsa", {Status::good, Status::good, Status::good}},
        {"revoked", "revoked", {Status::revoked, Status::good, Status::good}},
        {"revokednochain", "rsa", {Status::revoked, Status::good, Status::good}},
        {"revokedsubca", "revokedsubca", {Status::unknown, Status::revoked}},
    };
    for (const auto& row : cases) {
        SCOPED_TRACE(row.name);
        const std::string leaf = made + row.name + ".crt.pem";
        const TrustVerdict verdict = judge(
            {leaf.c_str(), {made + row.chain + ".chain.pem"}, {made + "root.crt.pem"}, Reason::ok},
            signing);
        ASSERT_EQ(verdict.path.size(), row.want.size() + 1) << verdict.why;
        for (std::size_t place = 0; place < row.want.size(); ++place) {
            const RevocationAnswer answer =
                ask_lists({verdict.path, place, {}, std::time(nullptr)}, {&lists});
            EXPECT_EQ(static_cast<int>(answer.status), static_cast<int>(row.want[place]))
                << place << ": " << answer.why;
        }
    }
}

TEST_F(TrustCorpus, Rfc9216) {
    open("rfc9216");
    if (IsSkipped()) return;
    const std::string rsa_root = "3.1_RSA-Certification-Authority-Root-Certificate.crt.pem";
    const std::string rsa_crossed =
        "3.3_RSA-Certification-Authority-Cross-Signed-Certificate.crt.pem";
    const std::string ed_root = "6.1_Ed25519-Certification-Authority-Root-Certificate.crt.pem";
    const std::string ed_crossed =
        "6.3_Ed25519-Certification-Authority-Cross-Signed-Certificate.crt.pem";
    const char* alice = "4.3_Alice-s-Encryption-End-Entity-Certificate.crt.pem";
    const char* bob = "5.3_Bob-s-Encryption-End-Entity-Certificate.crt.pem";
    const char* carlos = "7.3_Carlos-s-Encryption-End-Entity-Certificate.crt.pem";
    const char* dana = "8.3_Dana-s-Encryption-End-Entity-Certificate.crt.pem";
    const char* alice_signs = "4.1_Alice-s-Signature-Verification-End-Entity-Certificate.crt.pem";
    expect_all(encryption, {
                               {alice, {}, {rsa_root}, Reason::ok},
                               {bob, {}, {rsa_root}, Reason::ok},
                               {carlos, {}, {ed_root}, Reason::ok},
                               {dana, {}, {ed_root}, Reason::ok},
                               {alice, {rsa_crossed}, {ed_root}, Reason::ok},
                               {carlos, {ed_crossed}, {rsa_root}, Reason::ok},
                               {carlos, {ed_root, ed_crossed}, {rsa_root}, Reason::ok},
                               {alice, {}, {ed_root}, Reason::untrusted},
                               {carlos, {ed_root}, {rsa_root}, Reason::untrusted},
                               {alice_signs, {}, {rsa_root}, Reason::bad_key_usage},
                           });
    expect_all(signing, {
                            {alice_signs, {}, {rsa_root}, Reason::ok},
                            {alice_signs, {rsa_crossed}, {ed_root}, Reason::ok},
                            {alice_signs, {}, {ed_root}, Reason::untrusted},
                            {alice, {}, {rsa_root}, Reason::bad_key_usage},
                        });
}

TEST_F(TrustCorpus, OpenSslsNameConstraints) {
    open("openssl-cms/test/certs");
    if (IsSkipped()) return;
    std::vector<Case> cases;
    const auto add = [&](const char* leaf, std::vector<std::string> others, Reason want) {
        cases.push_back({leaf, std::move(others), {"root-cert.pem"}, want});
    };
    const std::string one = "ncca1-cert.pem", two = "ncca2-cert.pem", three = "ncca3-cert.pem";
    add("alt1-cert.pem", {one}, Reason::ok);
    add("alt2-cert.pem", {two}, Reason::ok);
    add("alt3-cert.pem", {one, three}, Reason::ok);
    add("goodcn1-cert.pem", {one}, Reason::ok);
    add("goodcn2-cert.pem", {one}, Reason::ok);
    add("alt1-cert.pem", {}, Reason::untrusted);
    for (const char* leaf :
         {"badalt1-cert.pem", "badalt2-cert.pem", "badalt3-cert.pem", "badalt4-cert.pem",
          "badalt5-cert.pem", "badalt6-cert.pem", "badalt7-cert.pem", "badalt8-cert.pem",
          "badalt9-cert.pem", "badalt10-cert.pem", "badcn1-cert.pem", "nc-uri-cert.pem",
          "bad-othername-cert.pem"})
        add(leaf, {one, two, three, "ncca4-cert.pem", "nccaothername-cert.pem"}, Reason::untrusted);
    expect_all(signing, cases);
    // Each of the refused ones for its names, and not for want of a path.
    for (Case& row : cases) {
        if (row.want != Reason::untrusted || row.others.empty()) continue;
        EXPECT_EQ(judge(row, signing).why.find("local issuer"), std::string::npos) << row.leaf;
    }
}

TEST_F(TrustCorpus, OpenSslsSigners) {
    open("openssl-cms/test/smime-certs");
    if (IsSkipped()) return;
    const std::vector<std::string> root{"smroot.pem"};
    expect_all(signing, {
                            {"smrsa1.pem", {}, root, Reason::ok},
                            {"smrsa2.pem", {}, root, Reason::ok},
                            {"smec1.pem", {}, root, Reason::ok},
                            {"smec2.pem", {}, root, Reason::unsupported_algorithm},  // K-283
                            {"csrsa1.pem", {}, root, Reason::bad_key_usage},         // for code
                            {"smrsa1024.pem", {}, root, Reason::weak_key},
                            {"badrsa.pem", {}, root, Reason::untrusted},
                            {"smrsa1.pem", {}, {}, Reason::untrusted},
                        });
    expect_all(signing, {{"smrsa1024.pem", {}, root, Reason::ok}}, {.allow_weak = true});
}

// A delta without a number: libcrypto before 2026 followed a null pointer (CVE-2026-28388).
TEST_F(TrustCorpus, OpenSslsDeltaWithoutANumberIsNotRead) {
    open("openssl-cms/test/certs");
    if (IsSkipped()) return;
    const auto bytes = read_small_file(file("cve-2026-28388-crls.pem"));
    ASSERT_TRUE(bytes);
    const auto read = read_list_file(bytes->bytes());
    ASSERT_FALSE(read);
    EXPECT_EQ(read.error().what, "a delta list that is not complete in itself");
}

}  // namespace
}  // namespace sealgate::test
