// SPDX-License-Identifier: GPL-3.0-or-later
// What is asked behind the signatures: who has been revoked, and which certificate to encrypt to.
#include <gtest/gtest.h>

#include <ctime>
#include <memory>
#include <string>
#include <vector>

#include "crypto/oid.h"
#include "crypto/smime_verify.h"
#include "crypto/trust_crl_files.h"
#include "tests/crypto/revocation_fixture.h"
#include "tests/crypto/signer_info_fixture.h"
#include "tests/crypto/verify_fixture.h"

namespace sealgate {
namespace {

using test::Authority;
using test::FakeKnownKeys;
using test::run_tool;
using test::sequence;
using test::TemporaryFolder;
using test::verifier;
using test::VerifyOutcome;

const std::string content = "Content-Type: text/plain\r\n\r\nHello.\r\n";

// clang-format off
Authority::Plans plans() {
    const std::string ca = test::authority_extensions;
    const std::string signs = "keyUsage = digitalSignature\nsubjectAltName = email:alice@example.com\n";
    const std::string encrypts = "keyUsage = keyAgreement\nsubjectAltName = email:alice@example.com\n";
    return {
        {"root", {"root", "Root", ca}},
        {"mid", {"root", "Intermediate", ca}},
        {"alice", {"mid", "Alice", signs}},
        {"alone", {"alone", "Alice", signs}},
        {"encryption", {"mid", "Alice", encrypts, 20, "-set_serial 0x77"}},
        // Who would like to read Alice's mail: a name like hers, of an authority with a name like
        // hers.
        {"fake-mid", {"fake-mid", "Intermediate", ca}},
        {"fake", {"fake-mid", "Alice", encrypts, 20, "-set_serial 0x77"}},
    };
}
// clang-format on

class SmimeContext : public testing::Test {
protected:
    static Authority& authority() {
        static Authority made(plans());
        return made;
    }
    static VerifyContext context() {
        VerifyContext context;
        // The same for all, so that paths found by one row are remembered in the next.
        static const auto anchors = test::anchors_of({authority().file("root"), test::root_file()});
        context.anchors = anchors;
        context.wall_seconds = std::time(nullptr) + 3600;
        context.sender = "alice@example.com";
        return context;
    }

    // --- revocation: lists come as the operator's files or with the message

    static std::shared_ptr<Revocation> revocation(TrustOptions::Revocation strictness,
                                                  const std::vector<Bytes>& lists) {
        const TemporaryFolder folder;
        TrustOptions options;
        options.revocation = strictness;
        std::string text;
        for (const Bytes& list : lists) text += test::to_pem("X509 CRL", list);
        if (!text.empty()) options.crl_files = {folder.write("crl", text)};
        Complaints complaints, warnings;
        auto made = Revocation::make(verifier().loop, nullptr, verifier().workers, options,
                                     "[trust:smime]", complaints, warnings);
        EXPECT_TRUE(complaints.empty()) << complaints.front().to_text();
        return made;
    }
    static Bytes list_of(const std::string& issuer, const std::vector<std::string>& revoked) {
        test::CrlPlan plan;
        plan.issuer = issuer;
        for (const std::string& name : revoked)
            plan.entries.push_back({authority().certificate(name)});
        return make_crl(authority(), plan);
    }
    static std::string signed_by(const std::string& name, const std::string& certificates) {
        const TemporaryFolder folder;
        const auto run = run_tool(
            "openssl cms -sign -binary -nodetach -outform DER -in " + folder.write("in", content) +
            " -out " + folder.path("out") + " -signer " + authority().file(name) + " -inkey " +
            authority().key(name) + " -certfile " + folder.write("others", certificates));
        EXPECT_EQ(run.status, 0) << run.output;
        return folder.read("out");
    }
    static std::string pem_of(const std::string& name) {
        return test::to_pem("CERTIFICATE", authority().certificate(name)->der());
    }
};

// --- revocation
// -------------------------------------------------------------------------------------

TEST_F(SmimeContext, AsksWhetherTheSignerWasRevoked) {
    using Strictness = TrustOptions::Revocation;
    const Bytes all_well = list_of("mid", {}), root_well = list_of("root", {});
    const struct {
        const char* name;
        Strictness strictness;
        std::vector<Bytes> lists;
        Reason want;
    } rows[] = {
        {"nobody asks", Strictness::off, {list_of("mid", {"alice"})}, Reason::ok},
        {"nothing is known", Strictness::prefer, {}, Reason::ok},
        {"nothing is known, but must be", Strictness::require, {}, Reason::revocation_unknown},
        {"not on the lists", Strictness::require, {all_well, root_well}, Reason::ok},
        {"on the list",
         Strictness::prefer,
         {list_of("mid", {"alice"}), root_well},
         Reason::revoked},
        {"her issuer is on it",
         Strictness::prefer,
         {all_well, list_of("root", {"mid"})},
         Reason::revoked},
        {"somebody else is on it",
         Strictness::require,
         {list_of("mid", {"encryption"}), root_well},
         Reason::ok},
    };
    const std::string cms = signed_by("alice", pem_of("mid"));
    for (const auto& row : rows) {
        SCOPED_TRACE(row.name);
        VerifyContext asking = context();
        asking.revocation = revocation(row.strictness, row.lists);
        const VerifyOutcome outcome = verifier().opaque(cms, asking);
        EXPECT_EQ(outcome.reason(), row.want) << outcome.why();
        EXPECT_EQ(outcome.signer().signature, Reason::ok);
        EXPECT_EQ(outcome.signer().chain, row.want);
        EXPECT_EQ(outcome.signer().identity, Reason::ok);
        EXPECT_EQ(outcome.signer().why.empty(), row.want == Reason::ok);

        // Trusted by hand she needs nobody's word, but "revoked" is one.
        FakeKnownKeys known;
        known.manual = {authority().certificate("alice")};
        asking.known = &known;
        EXPECT_EQ(verifier().opaque(cms, asking).reason(),
                  row.want == Reason::revocation_unknown ? Reason::ok : row.want);
    }
}

TEST_F(SmimeContext, AsksNobodyAboutStrangers) {
    VerifyContext asking = context();
    asking.revocation = revocation(TrustOptions::Revocation::require, {});
    const std::string cms = signed_by("alone", pem_of("mid"));
    EXPECT_EQ(verifier().opaque(cms, asking).reason(), Reason::untrusted);
    FakeKnownKeys known;
    known.manual = {authority().certificate("alone")};
    asking.known = &known;
    EXPECT_EQ(verifier().opaque(cms, asking).reason(), Reason::ok);
}

TEST_F(SmimeContext, LooksAtListsThatCameAlong) {
    for (const bool is_revoked : {true, false}) {
        std::vector<std::string> revoked;
        if (is_revoked) revoked.push_back("alice");
        // The tool writes no lists beside signers; so the stage is told of them here.
        const std::string cms = signed_by("alice", pem_of("mid"));
        test::CollectingSink below;
        struct Listener final : VerifyStage::Owner, CmsReader::Router {
            CmsHandler* on_cms_type(CmsType) override { return stage.get(); }
            void on_verify_end(LayerReport given) override { report = std::move(given); }
            std::unique_ptr<VerifyStage> stage;
            std::optional<LayerReport> report;
        } listener;
        VerifyContext asking = context();
        asking.revocation = revocation(TrustOptions::Revocation::require, {});
        listener.stage = std::make_unique<VerifyStage>(asking, verifier().workers, listener, below);
        ASSERT_TRUE(listener.stage->on_crl(list_of("mid", revoked)));
        ASSERT_TRUE(listener.stage->on_crl(list_of("root", {})));
        CmsReader reader(listener);
        ASSERT_TRUE(reader.write(Chunk::copy_of(cms)));
        ASSERT_TRUE(reader.finish());
        ASSERT_TRUE(verifier().loop.run_until([&] { return listener.report.has_value(); }, 20'000));
        EXPECT_EQ(listener.report->reason, is_revoked ? Reason::revoked : Reason::ok)
            << listener.report->why;
    }
}

TEST_F(SmimeContext, MayEndWhileSomebodyIsAsked) {
    VerifyContext asking = context();
    asking.revocation = revocation(TrustOptions::Revocation::require, {});
    struct Listener final : VerifyStage::Owner, CmsReader::Router {
        CmsHandler* on_cms_type(CmsType) override { return stage.get(); }
        void on_verify_end(LayerReport) override { ++count; }
        std::unique_ptr<VerifyStage> stage;
        int count = 0;
    } listener;
    test::CollectingSink below;
    const std::string cms = signed_by("alice", pem_of("mid"));
    for (int rounds = 0; rounds < 4; ++rounds) {
        listener.stage = std::make_unique<VerifyStage>(asking, verifier().workers, listener, below);
        CmsReader reader(listener);
        ASSERT_TRUE(reader.write(Chunk::copy_of(cms)));
        int left = rounds;
        verifier().loop.run_until([&] { return left-- == 0 || listener.count > 0; }, 20'000);
        const int before = listener.count;
        listener.stage.reset();
        verifier().loop.run_until([] { return false; }, 20);
        EXPECT_EQ(listener.count, before);
    }
}

// --- the certificate to encrypt to
// ------------------------------------------------------------------

class SmimePreference : public SmimeContext {
protected:
    // Signed by a signer of tests/data with a preference for the certificate named.
    static VerifyOutcome preferring(const Certificate& preferred,
                                    const std::vector<std::string>& along,
                                    const VerifyContext& context,
                                    const std::string& shown = content) {
        BerWriter preference;
        preference.element(ber::context(0), [&] {
            preference.raw(preferred.issuer_der());
            preference.raw(preferred.serial_der());
        });
        test::SignerInfoCraft craft;
        craft.identity = test::signer("p256");
        craft.content = content;
        craft.attributes = {test::attribute(oid::encryption_key_preference, {preference.bytes()})};
        test::SignedDataCraft data;
        data.content = shown;
        data.certificates = {craft.identity->leaf, craft.identity->chain.front()};
        for (const std::string& name : along)
            data.certificates.push_back(authority().certificate(name));
        data.signer_infos = {craft_signer_info(craft)};
        const VerifyOutcome outcome = verifier().opaque(craft_signed_data(data), context);
        EXPECT_EQ(outcome.reason(), shown == content ? Reason::ok : Reason::bad_digest)
            << outcome.why();
        return outcome;
    }
    static bool is(const CertificatePtr& certificate, const std::string& name) {
        return certificate &&
               std::ranges::equal(certificate->der(), authority().certificate(name)->der());
    }
};

TEST_F(SmimePreference, IsReportedWithItsOwnTrust) {
    const auto preferred = authority().certificate("encryption");
    const struct {
        const char* name;
        std::vector<std::string> along;
        const char* want;  // null: none
        Reason chain;
    } rows[] = {
        {"it came along", {"encryption", "mid"}, "encryption", Reason::ok},
        {"without its issuer", {"encryption"}, "encryption", Reason::untrusted},
        {"it did not", {"mid"}, nullptr, Reason::untrusted},
        {"another of its name", {"fake", "fake-mid"}, "fake", Reason::untrusted},
        {"both", {"fake", "fake-mid", "encryption", "mid"}, "encryption", Reason::ok},
        {"both, the other way",
         {"encryption", "mid", "fake", "fake-mid"},
         "encryption",
         Reason::ok},
    };
    for (const auto& row : rows) {
        SCOPED_TRACE(row.name);
        const VerifyOutcome outcome = preferring(*preferred, row.along, context());
        const SignerReport& signer = outcome.signer();
        EXPECT_TRUE(row.want != nullptr ? is(signer.encryption_certificate, row.want)
                                        : !signer.encryption_certificate);
        EXPECT_EQ(signer.encryption_chain, row.chain);
    }
}

TEST_F(SmimePreference, OfTheSignersOwnIsNone) {
    const IdentityPtr own = test::signer("p256");
    const VerifyOutcome outcome = preferring(*own->leaf, {}, context());
    EXPECT_FALSE(outcome.signer().encryption_certificate);
}

TEST_F(SmimePreference, MayBeTrustedByHand) {
    FakeKnownKeys known;
    known.manual = {authority().certificate("fake")};
    VerifyContext trusting = context();
    trusting.known = &known;
    const auto fake = authority().certificate("fake");
    EXPECT_EQ(preferring(*fake, {"fake"}, trusting).signer().encryption_chain, Reason::ok);
    trusting.wall_seconds += 30 * test::day_seconds;
    EXPECT_EQ(preferring(*fake, {"fake"}, trusting).signer().encryption_chain, Reason::expired);
}

TEST_F(SmimePreference, IsNotOneThatWasRevoked) {
    for (const bool is_revoked : {true, false}) {
        VerifyContext asking = context();
        std::vector<std::string> revoked;
        if (is_revoked) revoked.push_back("encryption");
        asking.revocation = revocation(TrustOptions::Revocation::prefer, {list_of("mid", revoked)});
        const VerifyOutcome outcome =
            preferring(*authority().certificate("encryption"), {"encryption", "mid"}, asking);
        EXPECT_EQ(outcome.signer().encryption_chain, is_revoked ? Reason::revoked : Reason::ok);
        EXPECT_EQ(outcome.signer().chain, Reason::ok);
    }
}

TEST_F(SmimePreference, OfABadSignatureIsNotLookedAt) {
    const VerifyOutcome outcome = preferring(*authority().certificate("encryption"),
                                             {"encryption", "mid"}, context(), "Something else");
    EXPECT_FALSE(outcome.signer().encryption_certificate);
    EXPECT_EQ(outcome.signer().encryption_chain, Reason::untrusted);
}

}  // namespace
}  // namespace sealgate
