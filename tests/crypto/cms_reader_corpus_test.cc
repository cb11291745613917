// SPDX-License-Identifier: GPL-3.0-or-later
// CmsReader on CMS that nobody here wrote, most of it broken: the same at any cut, and what it
// reads to the end has the parts that libcrypto finds.
#include <gtest/gtest.h>
#include <openssl/objects.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include "crypto/cms_reader.h"
#include "tests/crypto/ber_forms.h"
#include "tests/crypto/cms_samples.h"
#include "tests/crypto/libcrypto_reader.h"

namespace sealgate {
namespace {

using namespace test;

std::vector<std::filesystem::path> files_under(const char* folder) {
    std::vector<std::filesystem::path> files;
    const std::filesystem::path path = std::filesystem::path(SEALGATE_CORPUS_DIR) / folder;
    std::error_code none;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(path, none))
        if (entry.is_regular_file()) files.push_back(entry.path());
    return files;
}

Bytes read_file(const std::filesystem::path& path) {
    std::ifstream file(path, std::ios::binary);
    const std::vector<char> text{std::istreambuf_iterator<char>(file),
                                 std::istreambuf_iterator<char>()};
    return {text.begin(), text.end()};
}

int nid_of(CmsType type) {
    switch (type) {
    case CmsType::signed_data: return NID_pkcs7_signed;
    case CmsType::enveloped_data: return NID_pkcs7_enveloped;
    case CmsType::auth_enveloped_data: return NID_id_smime_ct_authEnvelopedData;
    case CmsType::data: return NID_pkcs7_data;
    case CmsType::other: break;
    }
    return NID_undef;
}

// What was told; none where it was not read to the end.
std::optional<CmsParts> parts_of(const CmsTape& tape) {
    if (tape.error || tape.count("end") == 0) return std::nullopt;
    return CmsParts{nid_of(*tape.type), tape.count("recipient_info"), tape.count("signer_info"),
                    tape.count("certificate"), tape.count("crl")};
}

// How many both read to the end.
int read_all(const std::vector<std::filesystem::path>& files) {
    std::mt19937 random(20261122);
    int both = 0;
    for (const auto& path : files) {
        SCOPED_TRACE(path);
        const Bytes cms = read_file(path);
        CmsTape whole;
        whole.feed(cms);
        const std::string outcome = whole.outcome();
        const std::size_t sizes[] = {1 + random() % 9, 1 + random() % 100, 1 + random() % 4000};
        for (const std::size_t piece_bytes : sizes) {
            CmsTape cut;
            cut.feed(cms, piece_bytes);
            EXPECT_EQ(cut.outcome(), outcome) << "in pieces of " << piece_bytes;
        }
        const auto ours = parts_of(whole);
        const auto theirs = parts_with_libcrypto(cms);
        if (!ours || !theirs) continue;
        ++both;
        EXPECT_EQ(ours->type, theirs->type);
        EXPECT_EQ(ours->recipients, theirs->recipients);
        EXPECT_EQ(ours->signers, theirs->signers);
        EXPECT_EQ(ours->certificates, theirs->certificates);
        EXPECT_EQ(ours->crls, theirs->crls);
    }
    return both;
}

TEST(CmsReaderCorpus, AgreesWithLibcryptoOnFuzzedOnes) {
    const auto files = files_under("cms-fuzz");
    if (files.empty()) GTEST_SKIP() << "no corpora";
    // libcrypto takes more: it does not look for the ends of what it passes over.
    EXPECT_GE(read_all(files), 45);
}

TEST(CmsReaderCorpus, AgreesWithLibcryptoOnEveryFileOfOpenSsl) {
    const auto files = files_under("openssl-cms");
    if (files.empty()) GTEST_SKIP() << "no corpora";
    EXPECT_GE(read_all(files), 5);
}

TEST(CmsReaderCorpus, ReadsTheMessagesOfNss) {
    const auto files = files_under("nss-smime");
    if (files.empty()) GTEST_SKIP() << "no corpora";
    EXPECT_GE(read_all(files), 17);
    for (const auto& path : files) {
        if (path.extension() != ".env") continue;
        CmsTape tape;
        EXPECT_TRUE(tape.feed(read_file(path))) << path;
        EXPECT_EQ(tape.count("recipient_info"), 1u) << path;
        EXPECT_EQ(tape.content_bytes % 8, 0u) << path << ": blocks of the cipher";
    }
}

// What OpenSSL wrote, in the other forms: they are BER to libcrypto too, and the same to us.
TEST(CmsReaderCorpus, ReadsOpenSslsMessagesInAnyForm) {
    for (const char* name : {"signed", "signed_twice", "enveloped", "auth_enveloped", "lists"}) {
        const Bytes der = read_file(
            std::string(SEALGATE_SOURCE_DIR "/tests/fuzz/seeds/cms_reader/") + name + ".der");
        const auto want = parts_with_libcrypto(der);
        ASSERT_TRUE(want) << name;
        CmsTape as_it_is;
        ASSERT_TRUE(as_it_is.feed(der)) << name;
        for (const BerForm& form : ber_forms()) {
            SCOPED_TRACE(std::string(name) + ", " + form.name);
            const Bytes cms = in_ber_form(der, form);
            CmsTape tape;
            EXPECT_TRUE(tape.feed(cms));
            EXPECT_EQ(tape.outcome(), as_it_is.outcome());
            EXPECT_EQ(parts_of(tape), want);
            EXPECT_EQ(parts_with_libcrypto(cms), want);
        }
    }
}

}  // namespace
}  // namespace sealgate
