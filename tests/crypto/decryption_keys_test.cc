// SPDX-License-Identifier: GPL-3.0-or-later
#include "crypto/decryption_keys.h"

#include <gtest/gtest.h>

#include "tests/crypto/decrypt_fixture.h"

namespace sealgate {
namespace {

using test::identity_of;

Bytes issuer_and_serial(const Certificate& certificate) {
    Bytes name(certificate.issuer_der().begin(), certificate.issuer_der().end());
    name.insert(name.end(), certificate.serial_der().begin(), certificate.serial_der().end());
    return name;
}

TEST(DecryptionKeys, AreFoundAsMessagesNameThem) {
    std::vector<IdentityPtr> identities;
    for (const char* name : {"rsa2048", "p256", "x25519"}) identities.push_back(identity_of(name));
    const auto keys = DecryptionKeys::of(identities);
    EXPECT_FALSE(keys->empty());
    for (const IdentityPtr& identity : identities) {
        EXPECT_EQ(keys->find_by_issuer(issuer_and_serial(*identity->leaf)), identity);
        ASSERT_FALSE(identity->leaf->subject_key_id().empty());
        EXPECT_EQ(keys->find_by_subject_key_id(identity->leaf->subject_key_id()), identity);
    }
    const IdentityPtr stranger = identity_of("rsa4096");
    const Certificate& other = *stranger->leaf;
    EXPECT_FALSE(keys->find_by_issuer(issuer_and_serial(other)));
    EXPECT_FALSE(keys->find_by_subject_key_id(other.subject_key_id()));
}

TEST(DecryptionKeys, AreNotFoundByAlmostTheirName) {
    const IdentityPtr identity = identity_of("rsa2048");
    const auto keys = DecryptionKeys::of({identity});
    const Bytes name = issuer_and_serial(*identity->leaf);
    for (std::size_t i = 0; i < name.size(); ++i) {
        Bytes changed = name;
        changed[i] ^= 1;
        EXPECT_FALSE(keys->find_by_issuer(changed)) << i;
    }
    EXPECT_FALSE(keys->find_by_issuer({}));
    EXPECT_FALSE(keys->find_by_issuer(ByteSpan(name).first(name.size() - 1)));
    EXPECT_FALSE(keys->find_by_issuer(identity->leaf->subject_key_id()));
    EXPECT_FALSE(keys->find_by_subject_key_id({}));
    EXPECT_FALSE(keys->find_by_subject_key_id(name));
    EXPECT_FALSE(keys->find_by_subject_key_id(identity->leaf->subject_key_id().first(19)));
}

TEST(DecryptionKeys, GiveTheFirstOfTwoOfOneName) {
    const IdentityPtr first = identity_of("rsa2048");
    const IdentityPtr second = identity_of("rsa2048");
    ASSERT_NE(first, second);
    const auto keys = DecryptionKeys::of({first, second});
    EXPECT_EQ(keys->find_by_issuer(issuer_and_serial(*second->leaf)), first);
    EXPECT_EQ(keys->find_by_subject_key_id(second->leaf->subject_key_id()), first);
    EXPECT_TRUE(DecryptionKeys::of({})->empty());
}

TEST(DecryptionKeys, NeedNoSubjectKeyIdentifier) {
    // Of RFC 5280 it SHOULD be in everybody's certificate; many have none.
    const test::TemporaryFolder folder;
    const std::string path = folder.path("both");
    ASSERT_EQ(test::run_tool("openssl req -x509 -newkey rsa:2048 -nodes -subj /CN=x -keyout " +
                             path + ".key -out " + path + ".crt -addext subjectKeyIdentifier=none")
                  .status,
              0);
    const std::string file = folder.read("both.crt") + folder.read("both.key");
    const auto all = read_identities("x", as_bytes(file), {}, std::nullopt);
    ASSERT_TRUE(all);
    const Certificate& leaf = *all->front()->leaf;
    ASSERT_TRUE(leaf.subject_key_id().empty());
    const auto keys = DecryptionKeys::of(*all);
    EXPECT_TRUE(keys->find_by_issuer(issuer_and_serial(leaf)));
    EXPECT_FALSE(keys->find_by_subject_key_id({}));
}

}  // namespace
}  // namespace sealgate
