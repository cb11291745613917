// SPDX-License-Identifier: GPL-3.0-or-later
// Mails of the openssl tool, layer upon layer: the judge opens these, and none that was touched.
#include "crypto/trust_judge.h"

#include <gtest/gtest.h>

#include <filesystem>

#include "tests/crypto/signing_fixture.h"

namespace sealgate::test {
namespace {

const std::string content = "Content-Type: text/plain\r\n\r\nHello,\r\n.dot\r\n\r\nbye\r\n";

std::string key_file_of(const std::string& name) {
    return SEALGATE_SOURCE_DIR "/tests/data/signers/" + name + ".key.pem";
}

std::string made_by_openssl(const std::string& in, const std::string& options,
                            const std::string& more = "") {
    const TemporaryFolder folder;
    const ToolRun run = run_tool("openssl cms -crlfeol -binary -in " + folder.write("in", in) +
                                 " -out " + folder.path("out") + " " + options + " " + more);
    EXPECT_EQ(run.status, 0) << run.output;
    return folder.read("out");
}

std::string sign(const std::string& in, const std::string& options = "") {
    return made_by_openssl(in, "-sign -signer " + leaf_file("p256") + " -inkey " +
                                   key_file_of("p256") + " -certfile " + intermediate_file() + " " +
                                   options);
}

std::string encrypt(const std::string& in, const std::string& cipher, const std::string& names,
                    const std::string& options = "") {
    std::string files;
    std::string name;
    for (const char c : names + " ") {
        if (c != ' ') {
            name += c;
        } else if (!name.empty()) {
            files += " -recip " + leaf_file(name) + " " + options;
            name.clear();
        }
    }
    return made_by_openssl(in, "-encrypt -" + cipher + files);
}

// With the keys of these, and their certificates.
std::unique_ptr<CmsJudge> judge_with(const std::vector<std::string>& names, bool chains = true) {
    auto judge = std::make_unique<CmsJudge>();
    std::vector<std::string> files;
    for (const std::string& name : names) {
        files.push_back(leaf_file(name));
        files.push_back(key_file_of(name));
    }
    std::string why;
    EXPECT_TRUE(judge->add_keys(files, Passphrase(), &why)) << why;
    EXPECT_EQ(judge->key_count(), names.size());
    if (chains) {
        EXPECT_TRUE(judge->trust(root_file()));
    }
    return judge;
}

std::string text_of(const OpenedMail& mail) {
    std::string text;
    for (const CmsLayer& layer : mail.layers) {
        if (!text.empty()) text += ", ";
        text += layer.kind == CmsLayer::Kind::encrypted ? layer.cipher
                : layer.detached                        ? "detached"
                                                        : "opaque";
    }
    return text;
}

TEST(CmsJudge, OpensEveryLayer) {
    const std::string signed_ = sign(content);
    struct Case {
        const char* name;
        std::string mail;
        const char* layers;
    };
    const Case cases[] = {
        {"plain", content, ""},
        {"detached", signed_, "detached"},
        {"opaque", sign(content, "-nodetach"), "opaque"},
        {"CBC, RSA", encrypt(content, "aes-256-cbc", "rsa2048"), "aes-256-cbc"},
        {"CBC-128, EC", encrypt(content, "aes-128-cbc", "p256"), "aes-128-cbc"},
        {"GCM, P-384", encrypt(content, "aes-256-gcm", "p384"), "aes-256-gcm"},
        {"GCM-128, OAEP",
         encrypt(content, "aes-128-gcm", "rsa2048",
                 "-keyopt rsa_padding_mode:oaep -keyopt rsa_oaep_md:sha256"),
         "aes-128-gcm"},
        {"3DES", encrypt(content, "des3", "rsa2048"), "des-ede3-cbc"},
        {"of three recipients, one ours", encrypt(content, "aes-256-cbc", "rsa3072 rsa4096 p256"),
         "aes-256-cbc"},
        {"indefinite length",
         made_by_openssl(content, "-encrypt -stream -aes-256-cbc", leaf_file("rsa2048")),
         "aes-256-cbc"},
        {"sign-encrypt", encrypt(signed_, "aes-256-gcm", "rsa2048"), "aes-256-gcm, detached"},
        {"triple", sign(encrypt(sign(content, "-nodetach"), "aes-256-cbc", "p256")),
         "detached, aes-256-cbc, opaque"},
    };
    const auto judge = judge_with({"rsa2048", "p256", "p384"});
    for (const Case& row : cases) {
        SCOPED_TRACE(row.name);
        const OpenedMail mail = judge->open(row.mail);
        EXPECT_TRUE(mail.ok) << mail.why;
        EXPECT_EQ(text_of(mail), row.layers);
        if (!mail.layers.empty()) {
            EXPECT_EQ(mail.layers.back().content, content);
        }
        for (const CmsLayer& layer : mail.layers) {
            if (layer.kind != CmsLayer::Kind::encrypted) continue;
            EXPECT_EQ(layer.opened_by,
                      (std::vector<std::string>{"alice@example.com", "example.net"}));
        }
    }
}

TEST(CmsJudge, SaysForWhomAMailIs) {
    const auto judge = judge_with({"p256"});
    const OpenedMail mail = judge->open(encrypt(content, "aes-256-cbc", "rsa3072 p256 p384"));
    ASSERT_TRUE(mail.ok) << mail.why;
    const auto& recipients = mail.layers.front().recipients;
    ASSERT_EQ(recipients.size(), 3U);
    std::size_t named = 0;
    for (const CmsRecipient& recipient : recipients) {
        EXPECT_NE(recipient.id.find("CN = Intermediate, serial "), std::string::npos)
            << recipient.id;
        named += recipient.names.empty() ? 0 : 1;
    }
    EXPECT_EQ(named, 1U);  // the one whose certificate it has
    const OpenedMail by_key_id =
        judge->open(made_by_openssl(content, "-encrypt -keyid -aes-256-cbc", leaf_file("rsa2048")));
    EXPECT_FALSE(by_key_id.ok);
    ASSERT_EQ(by_key_id.layers.size(), 1U);
    EXPECT_EQ(by_key_id.layers.front().recipients.front().id.find("key identifier "), 0U);
}

TEST(CmsJudge, DoesNotOpenWhatWasTouched) {
    const auto judge = judge_with({"rsa2048"});
    for (const char* cipher : {"aes-256-cbc", "aes-256-gcm"}) {
        SCOPED_TRACE(cipher);
        const std::string mail = encrypt(sign(content), cipher, "rsa2048");
        const std::size_t begin = mail.find("\r\n\r\n") + 4;
        for (std::size_t at = begin; at < mail.size(); at += 5) {
            std::string changed = mail;
            if (changed[at] == '\r' || changed[at] == '\n' || changed[at] == '=') continue;
            changed[at] = changed[at] == 'A' ? 'B' : 'A';
            if (changed == mail) continue;
            const OpenedMail opened = judge->open(changed);
            // Some bytes carry nothing, in parameters that nobody reads; and CBC alone does not see
            // it when the inner header is broken, so that the signature is gone: its layer is, too.
            EXPECT_EQ(opened.ok, opened.why.empty());
            if (opened.ok && opened.layers.size() == 2) {
                EXPECT_EQ(opened.layers.back().content, content) << at;
            } else if (opened.ok) {
                EXPECT_STREQ(cipher, "aes-256-cbc") << at;
            }
        }
        for (std::size_t cut = begin; cut + 6 < mail.size(); cut += 41)
            EXPECT_FALSE(judge->open(mail.substr(0, cut)).ok) << cut;
    }
}

TEST(CmsJudge, RefusesWhatItCannotOpen) {
    const std::string signed_ = sign(content);
    const std::string mine = encrypt(signed_, "aes-256-gcm", "p256");
    std::string deep = content;
    for (int i = 0; i < 6; ++i) deep = sign(deep);
    struct Case {
        const char* name;
        std::string mail;
        std::size_t layers;
        const char* why;
    };
    const Case cases[] = {
        {"for others", encrypt(content, "aes-256-cbc", "rsa3072"), 1, "for none of the keys"},
        {"signed by nobody we trust, inside",
         encrypt(sign(content, "-nocerts"), "aes-256-cbc", "p256"), 2, "does not verify"},
        {"compressed or whatever", made_by_openssl(content, "-data_create"), 1, "neither signed"},
        {"six layers", deep, 5, "more layers"},
        {"not base64", "Content-Type: application/pkcs7-mime\r\n\r\n!!!!\r\n", 1, "not base64"},
        {"nothing", "Content-Type: application/pkcs7-mime\r\n\r\n", 1, "not base64"},
        {"no CMS", "Content-Type: application/x-pkcs7-mime\r\n\r\nAAAA\r\n", 1, "not a CMS"},
        {"no boundary", "Content-Type: multipart/signed\r\n\r\n--x\r\n", 1, "without a boundary"},
        {"encrypted instead of a signature",
         "Content-Type: multipart/signed; boundary=x\r\n\r\n--x\r\n\r\nhi\r\n--x\r\nContent-Type: "
         "application/pkcs7-signature\r\n\r\n" +
             mine.substr(mine.find("\r\n\r\n") + 4) + "\r\n--x--\r\n",
         1, "no SignedData"},
    };
    const auto judge = judge_with({"p256", "rsa2048"});
    for (const Case& row : cases) {
        SCOPED_TRACE(row.name);
        const OpenedMail mail = judge->open(row.mail);
        EXPECT_FALSE(mail.ok);
        EXPECT_EQ(mail.layers.size(), row.layers);
        EXPECT_NE(mail.why.find(row.why), std::string::npos) << mail.why;
    }
}

TEST(CmsJudge, TakesKeysFromFilesOfAllKinds) {
    const TemporaryFolder folder;
    const std::string mail = encrypt(content, "aes-256-cbc", "rsa2048");
    const auto opens = [&mail](const std::vector<std::string>& paths, const Passphrase& phrase) {
        CmsJudge judge;
        std::string why;
        const auto added = judge.add_keys(paths, phrase, &why);
        EXPECT_TRUE(added) << why << ": " << (added ? "" : added.error().what);
        return judge.open(mail).ok;
    };
    const std::string p12 = folder.path("all.p12");
    ASSERT_EQ(run_tool("openssl pkcs12 -export -in " + leaf_file("rsa2048") + " -inkey " +
                       key_file_of("rsa2048") + " -passout pass:word -out " + p12)
                  .status,
              0);
    EXPECT_TRUE(opens({p12}, Passphrase("word")));
    ASSERT_EQ(run_tool("openssl pkey -aes256 -passout pass:word -in " + key_file_of("rsa2048") +
                       " -out " + folder.path("locked.pem"))
                  .status,
              0);
    EXPECT_TRUE(opens({leaf_file("rsa2048"), folder.path("locked.pem")}, Passphrase("word")));
    EXPECT_TRUE(opens({folder.path("locked.pem"), leaf_file("rsa2048")}, Passphrase("word")));
    EXPECT_TRUE(opens({SEALGATE_SOURCE_DIR "/tests/data/signers"}, Passphrase()));
    EXPECT_FALSE(opens({leaf_file("rsa2048")}, Passphrase()));  // a certificate opens nothing

    const std::vector<std::vector<std::string>> bad = {
        {key_file_of("rsa2048")},  // whose is it?
        {key_file_of("rsa2048"), leaf_file("p256")},
        {p12},  // the passphrase is missing
        {folder.path("locked.pem"), leaf_file("rsa2048")},
        {folder.path("absent.pem")},
        {folder.write("empty.pem", "")},
        {folder.write("text.pem", "no block at all\n")},
        {folder.write("cut.pem", "-----BEGIN CERTIFICATE-----\nMIIB\n")},
        {folder.write("not.pem", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n")},
    };
    for (const auto& paths : bad) {
        CmsJudge judge;
        std::string why;
        EXPECT_FALSE(judge.add_keys(paths, Passphrase(), &why)) << paths.front();
        EXPECT_FALSE(why.empty());
    }
    EXPECT_FALSE(CmsJudge().trust(folder.path("text.pem")));
}

TEST(CmsJudge, LooksAtChainsOnlyWhenItKnowsAuthorities) {
    const std::string mail = sign(content);
    EXPECT_TRUE(judge_with({}, false)->open(mail).ok);
    EXPECT_TRUE(judge_with({}, true)->open(mail).ok);
    CmsJudge stranger;
    ASSERT_TRUE(stranger.trust(leaf_file("ed25519")));
    EXPECT_FALSE(stranger.open(mail).ok);
}

}  // namespace
}  // namespace sealgate::test
