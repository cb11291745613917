// SPDX-License-Identifier: GPL-3.0-or-later
// What `openssl cms -sign` makes, in every form, by signers of every kind.
#include <gtest/gtest.h>

#include <ctime>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "crypto/smime_verify.h"
#include "tests/crypto/trust_fixture.h"
#include "tests/crypto/verify_fixture.h"

namespace sealgate {
namespace {

using test::anchors_of;
using test::Authority;
using test::FakeKnownKeys;
using test::run_tool;
using test::TemporaryFolder;
using test::verifier;
using test::VerifyOutcome;

const std::string content =
    "Content-Type: text/plain\r\n"
    "\r\n"
    "From openssl, with regards.\r\n";

const std::string signs =
    "basicConstraints = CA:FALSE\nkeyUsage = digitalSignature\n"
    "extendedKeyUsage = emailProtection\nsubjectKeyIdentifier = hash\n";
std::string signs_for(const std::string& name) { return signs + "subjectAltName = " + name + "\n"; }
const std::string alice = signs_for("email:alice@example.com");

// clang-format off
Authority::Plans plans() {
    const std::string ca = test::authority_extensions;
    const char* const rsa = "RSA -pkeyopt rsa_keygen_bits:2048";
    return {
        {"root", {"root", "Root", ca}},
        {"mid", {"root", "Intermediate", ca}},
        {"p256", {"mid", "Alice", alice}},
        {"p384", {.issuer = "mid", .subject = "Alice", .extensions = alice,
                  .key_kind = "EC -pkeyopt ec_paramgen_curve:P-384"}},
        {"p521", {.issuer = "mid", .subject = "Alice", .extensions = alice,
                  .key_kind = "EC -pkeyopt ec_paramgen_curve:P-521"}},
        {"rsa", {.issuer = "mid", .subject = "Alice", .extensions = alice, .key_kind = rsa}},
        {"rsa1024", {.issuer = "mid", .subject = "Alice", .extensions = alice,
                     .key_kind = "RSA -pkeyopt rsa_keygen_bits:1024"}},
        {"of-sha1", {.issuer = "mid", .subject = "Alice", .extensions = alice, .options = "-sha1"}},
        {"bob", {"mid", "Bob", signs_for("email:bob@example.com")}},
        {"domain", {"mid", "Example", signs_for("DNS:example.com")}},
        {"twin", {.issuer = "mid", .subject = "Alice", .extensions = alice, .days = 5,
                  .key_of = "p256"}},
        {"short", {"mid", "Alice", alice, 5}},
        {"encrypts", {"mid", "Alice", "keyUsage = keyAgreement\nsubjectAltName = email:alice@example.com\n"}},
        {"web", {"mid", "Alice", "extendedKeyUsage = serverAuth\nsubjectAltName = email:alice@example.com\n"}},
        {"authority", {"mid", "Alice", ca + "subjectAltName = email:alice@example.com\n"}},
        {"alone", {"alone", "Alice", alice}},
        {"alone-short", {"alone-short", "Alice", alice, 5}},
        {"alone-web", {"alone-web", "Alice", "extendedKeyUsage = serverAuth\nsubjectAltName = email:alice@example.com\n"}},
        {"alone-rsa1024", {.issuer = "alone-rsa1024", .subject = "Alice", .extensions = alice,
                           .key_kind = "RSA -pkeyopt rsa_keygen_bits:1024"}},
        {"short-root", {"short-root", "Short root", ca, 5}},
        {"of-short-root", {"short-root", "Alice", alice}},
    };
}
// clang-format on

class SmimePeers : public testing::Test {
protected:
    static Authority& authority() {
        static Authority made(plans());
        return made;
    }
    static VerifyContext context(const std::string& root = "root") {
        VerifyContext context;
        context.anchors = anchors_of({authority().file(root)});
        context.wall_seconds = std::time(nullptr) + 3600;
        context.sender = "alice@example.com";
        return context;
    }
    // DER or BER; `options` may name more signers.
    static std::string signed_by(const std::string& name, const std::string& options = "",
                                 const std::vector<std::string>& beside = {"mid"}) {
        const TemporaryFolder folder;
        std::string others;
        for (const std::string& other : beside)
            others += run_tool("openssl x509 -in " + authority().file(other)).output;
        const auto run =
            run_tool("openssl cms -sign -binary -outform DER -in " + folder.write("in", content) +
                     " -out " + folder.path("out") + " -signer " + authority().file(name) +
                     " -inkey " + authority().key(name) + " " + options +
                     (others.empty() ? "" : " -certfile " + folder.write("others", others)));
        EXPECT_EQ(run.status, 0) << run.output;
        return folder.read("out");
    }
    static VerifyOutcome detached(const std::string& cms, const VerifyContext& context,
                                  std::string_view micalg = "") {
        return verifier().detached(content, cms, context, micalg);
    }
    static VerifyOutcome opaque(const std::string& cms, const VerifyContext& context) {
        VerifyOutcome outcome = verifier().opaque(cms, context);
        EXPECT_EQ(outcome.content, content);
        return outcome;
    }
    static VerifyOutcome verified(const std::string& name, const std::string& options = "") {
        return detached(signed_by(name, options), context());
    }
};

TEST_F(SmimePeers, SignWithEveryDigest) {
    for (const std::string name : {"rsa", "p256", "p384"}) {
        for (const std::string digest : {"md5", "sha1", "sha224", "sha256", "sha384", "sha512"}) {
            if (digest == "md5" && name != "rsa") continue;  // there is no name for it
            SCOPED_TRACE(name + " " + digest);
            const Reason want =
                digest == "md5" || digest == "sha1" ? Reason::weak_digest : Reason::ok;
            const std::string cms = signed_by(name, "-md " + digest);
            const VerifyOutcome outcome = detached(cms, context(), digest);
            EXPECT_EQ(outcome.reason(), want) << outcome.why();
            EXPECT_EQ(outcome.signer().signature, want);
            EXPECT_EQ(outcome.signer().digest, digest);
            EXPECT_NE(outcome.signer().signing_time, 0);
            const std::string in_one = signed_by(name, "-nodetach -md " + digest);
            EXPECT_EQ(opaque(in_one, context()).reason(), want);

            VerifyContext lenient = context();
            lenient.allow_weak = true;
            const Reason allowed = digest == "md5" ? Reason::weak_digest : Reason::ok;
            EXPECT_EQ(detached(cms, lenient, digest).reason(), allowed);
            EXPECT_EQ(opaque(in_one, lenient).reason(), allowed);
        }
    }
}

TEST_F(SmimePeers, SignInEveryForm) {
    const struct {
        const char* name;
        const char* options;
    } rows[] = {
        {"p256", "-noattr"},
        {"rsa", "-noattr"},
        {"rsa", "-noattr -md sha512"},
        {"p256", "-nosmimecap"},
        {"p256", "-keyid"},
        {"p256", "-cades"},
        {"rsa", "-cades -md sha512"},
        {"rsa", "-keyopt rsa_padding_mode:pss"},
        {"rsa", "-keyopt rsa_padding_mode:pss -keyopt rsa_pss_saltlen:digest -md sha512"},
        {"rsa", "-keyopt rsa_padding_mode:pss -keyopt rsa_pss_saltlen:max"},
        {"rsa", "-keyopt rsa_padding_mode:pss -keyopt rsa_pss_saltlen:0"},
        {"rsa", "-keyopt rsa_padding_mode:pss -keyopt rsa_pss_saltlen:20 -md sha384"},
        {"rsa", "-keyopt rsa_padding_mode:pss -keyopt rsa_mgf1_md:sha1"},
        {"rsa", "-keyopt rsa_padding_mode:pss -noattr"},
    };
    for (const auto& row : rows) {
        SCOPED_TRACE(row.options);
        const VerifyOutcome beside = verified(row.name, row.options);
        EXPECT_EQ(beside.reason(), Reason::ok) << beside.why();
        const bool is_pss = std::string(row.options).find("pss") != std::string::npos;
        for (const std::string more : {" -nodetach", " -nodetach -stream"}) {
            // OpenSSL 3.0 does not write that: "illegal zero content".
            if (is_pss && more != " -nodetach") continue;
            const VerifyOutcome inside = opaque(signed_by(row.name, row.options + more), context());
            EXPECT_EQ(inside.reason(), Reason::ok) << more << inside.why();
        }
        const bool is_bare = std::string(row.options).find("-noattr") != std::string::npos;
        EXPECT_EQ(beside.signer().signing_time == 0, is_bare);
        const bool says_nothing =
            is_bare || std::string(row.options).find("-nosmimecap") != std::string::npos;
        EXPECT_EQ(beside.signer().capabilities.known, !says_nothing);
    }
}

// --- several signers
// --------------------------------------------------------------------------------

TEST_F(SmimePeers, AllMustVerifyAndOneMustCover) {
    const auto also = [&](const std::string& name) {
        return " -signer " + authority().file(name) + " -inkey " + authority().key(name);
    };
    const struct {
        const char* first;
        std::vector<std::string> others;
        Reason want;
    } rows[] = {
        {"p256", {"rsa"}, Reason::ok},
        {"p256", {"bob"}, Reason::ok},
        {"bob", {"p256"}, Reason::ok},
        {"bob", {"domain"}, Reason::ok},
        {"p256", {"rsa", "p384", "bob"}, Reason::ok},
        {"bob", {}, Reason::sender_mismatch},
        {"p256", {"alone"}, Reason::untrusted},
        {"alone", {"p256"}, Reason::untrusted},
        {"p256", {"p521"}, Reason::unsupported_algorithm},
        {"p256", {"rsa1024"}, Reason::weak_key},
        {"bob", {"alone"}, Reason::untrusted},
    };
    for (const auto& row : rows) {
        std::string options;
        for (const std::string& other : row.others) options += also(other);
        const VerifyOutcome outcome = verified(row.first, options);
        SCOPED_TRACE(row.first + options);
        EXPECT_EQ(outcome.reason(), row.want) << outcome.why();
        ASSERT_EQ(outcome.report->signers.size(), 1 + row.others.size());
        for (const SignerReport& signer : outcome.report->signers) {
            const bool covers = signer.certificate->covers("alice@example.com");
            EXPECT_EQ(signer.identity, covers ? Reason::ok : Reason::sender_mismatch);
        }
        EXPECT_EQ(outcome.report->why.empty(), row.want == Reason::ok);
    }
}

// --- whose certificate
// ------------------------------------------------------------------------------

TEST_F(SmimePeers, AreJudgedByTheirCertificates) {
    const struct {
        const char* name;
        int days;
        Reason signature, chain;
    } rows[] = {
        {"p256", 0, Reason::ok, Reason::ok},
        {"short", 0, Reason::ok, Reason::ok},
        {"short", 9, Reason::ok, Reason::expired},
        {"p256", -9, Reason::ok, Reason::not_yet_valid},
        {"encrypts", 0, Reason::ok, Reason::bad_key_usage},
        {"web", 0, Reason::ok, Reason::bad_key_usage},
        {"alone", 0, Reason::ok, Reason::untrusted},
        {"of-short-root", 0, Reason::ok, Reason::untrusted},
        {"of-sha1", 0, Reason::ok, Reason::weak_digest},
        {"rsa1024", 0, Reason::weak_key, Reason::weak_key},
        {"p521", 0, Reason::unsupported_algorithm, Reason::unsupported_algorithm},
    };
    for (const auto& row : rows) {
        SCOPED_TRACE(testing::Message() << row.name << " in " << row.days << " days");
        VerifyContext when = context();
        when.wall_seconds += row.days * test::day_seconds;
        const VerifyOutcome outcome = detached(signed_by(row.name), when);
        EXPECT_EQ(outcome.signer().signature, row.signature) << outcome.why();
        EXPECT_EQ(outcome.signer().chain, row.chain) << outcome.why();
        EXPECT_EQ(outcome.signer().identity, Reason::ok);
        EXPECT_EQ(outcome.reason(), row.chain);
        EXPECT_EQ(outcome.signer().why.empty(), row.chain == Reason::ok);
    }
}

TEST_F(SmimePeers, MayBeWeakWhereThatIsAllowed) {
    VerifyContext lenient = context();
    lenient.allow_weak = true;
    for (const char* name : {"rsa1024", "of-sha1"})
        EXPECT_EQ(detached(signed_by(name, "-md sha1"), lenient).reason(), Reason::ok) << name;
    EXPECT_EQ(detached(signed_by("alone-rsa1024"), lenient).reason(), Reason::untrusted);
}

TEST_F(SmimePeers, NeedNotBeTrustedByAnybody) {
    VerifyContext nobody = context();
    nobody.anchors = nullptr;
    EXPECT_EQ(detached(signed_by("p256"), nobody).reason(), Reason::untrusted);
}

TEST_F(SmimePeers, MayLeaveTheirCertificateOut) {
    const std::string cms = signed_by("p256", "-nocerts", {});
    const std::string by_key = signed_by("p256", "-nocerts -keyid", {});
    VerifyContext alone = context();
    const VerifyOutcome unknown = detached(cms, alone);
    EXPECT_EQ(unknown.reason(), Reason::no_certificate);
    const SignerReport& signer = unknown.signer();
    EXPECT_FALSE(signer.certificate);
    EXPECT_EQ(signer.identifier,
              "serial " + authority().certificate("p256")->serial() + " of CN=Intermediate");
    EXPECT_EQ(signer.signature, Reason::no_certificate);
    EXPECT_EQ(signer.chain, Reason::no_certificate);
    EXPECT_EQ(signer.identity, Reason::no_certificate);
    EXPECT_EQ(detached(by_key, alone).signer().identifier.substr(0, 4), "key ");

    FakeKnownKeys known;
    alone.known = &known;
    EXPECT_EQ(detached(cms, alone).reason(), Reason::no_certificate);
    EXPECT_EQ(known.asked, 1);
    known.by_address["alice@example.com"] = {authority().certificate("bob"),
                                             authority().certificate("p256")};
    // The issuer did not come along, so it is nobody whom the root vouches for.
    EXPECT_EQ(detached(cms, alone).reason(), Reason::untrusted);
    alone.anchors = anchors_of({authority().file("mid")});
    EXPECT_EQ(detached(cms, alone).reason(), Reason::ok);
    EXPECT_EQ(detached(by_key, alone).reason(), Reason::ok);

    // Whose keys are looked at may be told apart from who must be covered.
    alone.sender = std::nullopt;
    EXPECT_EQ(detached(cms, alone).reason(), Reason::no_certificate);
    alone.correspondent = "alice@example.com";
    EXPECT_EQ(detached(cms, alone).reason(), Reason::ok);

    known.asked = 0;
    EXPECT_EQ(detached(signed_by("p256"), alone).reason(), Reason::ok);
    EXPECT_EQ(known.asked, 0) << "not where it came along";
}

TEST_F(SmimePeers, AreTriedWhereSeveralHaveOneKey) {
    // Alice's key was certified twice; by its identifier both are meant, and one has expired.
    for (const auto& [signer, other] : {std::pair("p256", "twin"), std::pair("twin", "p256")}) {
        VerifyContext later = context();
        later.wall_seconds += 9 * test::day_seconds;
        const std::string both = signed_by(signer, "-keyid", {other, "mid"});
        const VerifyOutcome outcome = detached(both, later);
        EXPECT_EQ(outcome.reason(), Reason::ok) << signer << outcome.why();
        EXPECT_EQ(detached(signed_by("twin", "-keyid"), later).reason(), Reason::expired);
    }
}

// --- trusted by hand
// --------------------------------------------------------------------------------

TEST_F(SmimePeers, MayBeTrustedByHand) {
    const struct {
        const char* name;
        int days;
        Reason unknown, manual;
    } rows[] = {
        {"alone", 0, Reason::untrusted, Reason::ok},
        {"of-short-root", 0, Reason::untrusted, Reason::ok},
        {"p256", 0, Reason::ok, Reason::ok},
        {"of-sha1", 0, Reason::weak_digest, Reason::ok},  // who vouches for it is of no interest
        // What is asked of the certificate itself is asked all the same.
        {"alone-short", 9, Reason::expired, Reason::expired},
        {"alone", -9, Reason::not_yet_valid, Reason::not_yet_valid},
        {"alone-web", 0, Reason::bad_key_usage, Reason::bad_key_usage},
        {"alone-rsa1024", 0, Reason::weak_key, Reason::weak_key},
    };
    for (const auto& row : rows) {
        SCOPED_TRACE(testing::Message() << row.name << " in " << row.days << " days");
        FakeKnownKeys known;
        VerifyContext when = context();
        when.known = &known;
        when.wall_seconds += row.days * test::day_seconds;
        const std::string cms = signed_by(row.name);
        EXPECT_EQ(detached(cms, when).reason(), row.unknown);
        known.manual = {authority().certificate("bob"), authority().certificate(row.name)};
        const VerifyOutcome outcome = detached(cms, when);
        EXPECT_EQ(outcome.reason(), row.manual) << outcome.why();
        EXPECT_EQ(outcome.signer().why.empty(), row.manual == Reason::ok);
    }
}

TEST_F(SmimePeers, AreNotRightBecauseTheyAreTrustedByHand) {
    FakeKnownKeys known;
    known.manual = {authority().certificate("alone"), authority().certificate("rsa1024"),
                    authority().certificate("bob"), authority().certificate("alone-rsa1024")};
    VerifyContext trusting = context();
    trusting.known = &known;
    EXPECT_EQ(detached(signed_by("alone", "-md sha1"), trusting).reason(), Reason::weak_digest);
    EXPECT_EQ(detached(signed_by("bob"), trusting).reason(), Reason::sender_mismatch);
    EXPECT_EQ(verifier().detached("Other content", signed_by("alone"), trusting).reason(),
              Reason::bad_digest);
    trusting.allow_weak = true;
    EXPECT_EQ(detached(signed_by("alone-rsa1024"), trusting).reason(), Reason::ok);
}

TEST_F(SmimePeers, OfCertsOnlyHaveNotSigned) {
    const TemporaryFolder folder;
    const auto run = run_tool("openssl crl2pkcs7 -nocrl -outform DER -certfile " +
                              authority().file("p256") + " -out " + folder.path("out"));
    ASSERT_EQ(run.status, 0) << run.output;
    const VerifyOutcome outcome = verifier().opaque(folder.read("out"), context());
    EXPECT_EQ(outcome.reason(), Reason::no_signer) << outcome.why();
}

}  // namespace
}  // namespace sealgate
