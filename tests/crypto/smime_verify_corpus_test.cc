// SPDX-License-Identifier: GPL-3.0-or-later
// Messages, certificates and keys of other projects. Skipped where the corpora are absent.
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "crypto/certificate_bundle.h"
#include "crypto/smime_verify.h"
#include "tests/crypto/trust_fixture.h"
#include "tests/crypto/verify_fixture.h"

namespace sealgate {
namespace {

using test::anchors_of;
using test::run_tool;
using test::TemporaryFolder;
using test::verifier;
using test::VerifyOutcome;
namespace fs = std::filesystem;

const std::string content = "Content-Type: text/plain\r\n\r\nHello.\r\n";

class SmimeCorpus : public testing::Test {
protected:
    // The folder of one corpus; empty: the test is to be skipped.
    static std::string corpus(const std::string& name) {
        const fs::path path = fs::path(SEALGATE_CORPUS_DIR) / name;
        return fs::is_directory(path) ? path.string() : std::string();
    }
    static std::string read(const std::string& path) {
        std::ifstream in(path, std::ios::binary);
        EXPECT_TRUE(in) << path;
        return {std::istreambuf_iterator<char>(in), {}};
    }
    static std::string with_crlf(const std::string& text) {
        std::string out;
        for (std::size_t i = 0; i < text.size(); ++i) {
            if (text[i] == '\n' && (i == 0 || text[i - 1] != '\r')) out += '\r';
            out += text[i];
        }
        return out;
    }
    static VerifyContext trusting(const std::vector<std::string>& roots,
                                  std::optional<std::string> sender = std::nullopt) {
        VerifyContext context;
        context.anchors = anchors_of(roots);
        context.wall_seconds = test::verify_time;
        context.sender = std::move(sender);
        return context;
    }
    // Of a whole message, whatever its form.
    static VerifyOutcome verified(const std::string& message, const VerifyContext& context) {
        const auto mail = test::take_apart(with_crlf(message));
        if (mail.content.empty()) return verifier().opaque(mail.cms, context);
        return verifier().detached(mail.content, mail.cms, context, mail.micalg);
    }
    static std::string signed_by_openssl(const std::string& certificate, const std::string& key,
                                         const std::string& options) {
        const TemporaryFolder folder;
        const auto run = run_tool("openssl cms -sign -binary -outform DER -in " +
                                  folder.write("in", content) + " -out " + folder.path("out") +
                                  " -signer " + certificate + " -inkey " + key + " " + options);
        EXPECT_EQ(run.status, 0) << run.output;
        return folder.read("out");
    }
};

#define SKIP_WITHOUT(folder) \
    if ((folder).empty()) GTEST_SKIP() << "the corpus is not there"

// --- OpenSSL's
// --------------------------------------------------------------------------------------

TEST_F(SmimeCorpus, BadAttributesOfOpensslFail) {
    const std::string folder = corpus("openssl-cms");
    SKIP_WITHOUT(folder);
    const auto context = trusting({folder + "/test/smime-certs/smroot.pem"});
    for (const char* name : {"no_md_attr", "no_ct_attr", "ct_multiple_attr", "bad_signtime_attr"}) {
        const std::string cms = read(folder + "/test/recipes/80-test_cms_data/" + name + ".cms");
        const VerifyOutcome outcome = verifier().opaque(cms, context);
        EXPECT_EQ(outcome.reason(), Reason::malformed) << name << outcome.why();
        EXPECT_EQ(outcome.signer().signature, Reason::malformed) << name;
        EXPECT_TRUE(outcome.signer().certificate) << name;
    }
}

TEST_F(SmimeCorpus, SignersOfOpensslAreJudged) {
    const std::string folder = corpus("openssl-cms");
    SKIP_WITHOUT(folder);
    const std::string certificates = folder + "/test/smime-certs/";
    const auto context = trusting({certificates + "smroot.pem"});
    const struct {
        const char* name;
        Reason want;
    } rows[] = {
        {"smrsa1", Reason::ok},
        {"smrsa2", Reason::ok},
        {"smec1", Reason::ok},
        {"smec2", Reason::unsupported_algorithm},   // K-283
        {"smdsa1", Reason::unsupported_algorithm},  // DSA
        {"csrsa1", Reason::bad_key_usage},          // of code
        {"smrsa1024", Reason::weak_key},
    };
    for (const auto& row : rows) {
        const std::string file = certificates + row.name + ".pem";
        for (const std::string digest : {"", "-md sha512"}) {
            if (!digest.empty() && row.name == std::string("smdsa1")) continue;  // it has no name
            const std::string cms = signed_by_openssl(file, file, digest);
            const VerifyOutcome outcome = verifier().detached(content, cms, context, "");
            EXPECT_EQ(outcome.reason(), row.want) << row.name << outcome.why();
        }
    }
}

// A SignedData that announces no digest: OpenSSL once used freed memory over it.
TEST_F(SmimeCorpus, AnEmptySetOfDigestsIsNoTrouble) {
    const std::string folder = corpus("openssl-cms");
    SKIP_WITHOUT(folder);
    const std::string message = read(folder + "/test/smime-eml/pkcs7-empty-digest-set.eml");
    const auto context = trusting({folder + "/test/smime-certs/smroot.pem"});
    EXPECT_NE(verified(message, context).reason(), Reason::ok);
}

TEST_F(SmimeCorpus, WhatFuzzersFoundIsNeverRight) {
    const std::string folder = corpus("cms-fuzz");
    SKIP_WITHOUT(folder);
    VerifyContext context = trusting({test::root_file()});
    std::size_t reports = 0;
    for (const auto& entry : fs::recursive_directory_iterator(folder)) {
        if (!entry.is_regular_file()) continue;
        const std::string cms = read(entry.path().string());
        for (const VerifyOutcome& outcome :
             {verifier().opaque(cms, context), verifier().detached(content, cms, context)}) {
            EXPECT_NE(outcome.reason(), Reason::ok) << entry.path();
            reports += outcome.report.has_value() ? 1 : 0;
        }
    }
    EXPECT_GT(reports, 10u) << "most of them are not read at all";
}

// --- notmuch's: samples of the LAMPS working group
// --------------------------------------------------

TEST_F(SmimeCorpus, SamplesOfLampsVerify) {
    const std::string folder = corpus("notmuch");
    SKIP_WITHOUT(folder);
    const auto context = trusting({folder + "/test/smime/ca.crt"}, "alice@smime.example");
    const std::string mails = folder + "/test/corpora/protected-headers/";
    for (const char* name : {"smime-multipart-signed", "smime-onepart-signed"}) {
        const std::string message = read(mails + name + ".eml");
        const VerifyOutcome outcome = verified(message, context);
        EXPECT_EQ(outcome.reason(), Reason::ok) << name << outcome.why();
        auto other = context;
        other.sender = "bob@smime.example";
        EXPECT_EQ(verified(message, other).reason(), Reason::sender_mismatch);
        other.anchors = anchors_of({test::root_file()});
        EXPECT_EQ(verified(message, other).reason(), Reason::untrusted);
    }
    std::string changed = read(mails + "smime-multipart-signed.eml");
    changed.replace(changed.find("cancel this"), 6, "accept");
    EXPECT_EQ(verified(changed, context).reason(), Reason::bad_digest);
}

// --- MimeKit's
// --------------------------------------------------------------------------------------

TEST_F(SmimeCorpus, SignersOfMimeKitAreJudged) {
    const std::string folder = corpus("mimekit");
    SKIP_WITHOUT(folder);
    const std::string keys = folder + "/derived-keys/";
    const struct {
        const char* name;
        const char* sender;
        Reason want;
    } rows[] = {
        {"rsa", "rsa@mimekit.net", Reason::ok},
        {"rsa", "somebody@mimekit.net", Reason::sender_mismatch},
        {"dnsnames", "anybody@domain-wide.mimekit.net", Reason::ok},
        {"dnsnames", "anybody@mimekit.net", Reason::sender_mismatch},
        {"nochain", "nochain@mimekit.net", Reason::untrusted},  // its issuers do not come along
        {"dsa", "dsa@mimekit.net", Reason::unsupported_algorithm},
    };
    for (const auto& row : rows) {
        const std::string name = keys + row.name;
        const std::string chain =
            row.name == std::string("nochain") ? "" : "-certfile " + name + ".chain.pem";
        const std::string cms =
            signed_by_openssl(name + ".crt.pem", name + ".key.pem", "-nodetach " + chain);
        const VerifyOutcome outcome =
            verifier().opaque(cms, trusting({keys + "root.crt.pem"}, row.sender));
        EXPECT_EQ(outcome.reason(), row.want) << row.name << row.sender << outcome.why();
        EXPECT_EQ(outcome.content, content);
    }
}

// Signed by a real program, in 2013: SHA-1.
TEST_F(SmimeCorpus, OldMailOfThunderbirdIsWeak) {
    const std::string folder = corpus("mimekit");
    SKIP_WITHOUT(folder);
    const std::string certificates = folder + "/UnitTests/TestData/smime/";
    const std::string message = read(certificates + "thunderbird-signed.txt");
    auto context =
        trusting({certificates + "StartComCertificationAuthority.crt"}, "fejj@gnome.org");
    context.wall_seconds = 1'383'424'084;  // its date
    const VerifyOutcome weak = verified(message, context);
    EXPECT_EQ(weak.reason(), Reason::weak_digest) << weak.why();
    EXPECT_EQ(weak.signer().signing_time, context.wall_seconds);
    context.allow_weak = true;
    const VerifyOutcome allowed = verified(message, context);
    EXPECT_EQ(allowed.signer().signature, Reason::ok) << allowed.why();
    context.wall_seconds = test::verify_time;
    EXPECT_EQ(verified(message, context).reason(), Reason::expired);
}

// --- RFC 9216
// ---------------------------------------------------------------------------------------

TEST_F(SmimeCorpus, PeopleOfRfc9216Verify) {
    const std::string folder = corpus("rfc9216");
    SKIP_WITHOUT(folder);
    const auto file_of = [&](const std::string& begin, const std::string& end) {
        for (const auto& entry : fs::directory_iterator(folder)) {
            const std::string name = entry.path().filename().string();
            if (name.rfind(begin, 0) == 0 && name.find(end) != std::string::npos)
                return entry.path().string();
        }
        ADD_FAILURE() << begin << end;
        return std::string();
    };
    const std::string rsa_root = file_of("3.1_", ".crt.pem"), ed_root = file_of("6.1_", ".crt.pem");
    const std::string rsa_cross = file_of("3.3_", ".crt.pem"),
                      ed_cross = file_of("6.3_", ".crt.pem");
    const struct {
        const char* certificate;
        const char* key;
        const char* sender;
        bool by_rsa;
    } people[] = {{"4.1_", "4.2_", "alice@smime.example", true},
                  {"5.1_", "5.2_", "bob@smime.example", true},
                  {"7.1_", "7.2_", "carlos@smime.example", false},
                  {"8.1_", "8.2_", "dana@smime.example", false}};
    for (const auto& person : people) {
        SCOPED_TRACE(person.sender);
        const std::string certificate = read(file_of(person.certificate, ".crt.pem"));
        const std::string key = read(file_of(person.key, ".key.pem"));
        const auto bundle = read_bundle(as_bytes(certificate), as_bytes(key), "");
        ASSERT_TRUE(bundle) << bundle.error().what;
        auto identity = std::make_shared<Identity>();
        identity->leaf = bundle->leaf;
        identity->key = make_private_key(SecureBytes::copy_of(bundle->pkcs8.bytes())).value();
        // The authorities have signed each other: either root will do.
        const std::string cross = person.by_rsa ? rsa_cross : ed_cross;
        identity->chain = test::certificates_in(read(cross));
        SignPlan plan;
        plan.identity = identity;
        plan.signing_time = test::verify_time;
        const auto mail = test::take_apart(test::sign_message(plan, {content}).text);
        for (const std::string& root : {rsa_root, ed_root}) {
            const VerifyOutcome outcome = verifier().detached(
                mail.content, mail.cms, trusting({root}, person.sender), mail.micalg);
            EXPECT_EQ(outcome.reason(), Reason::ok) << root << outcome.why();
        }
    }
}

}  // namespace
}  // namespace sealgate
