// SPDX-License-Identifier: GPL-3.0-or-later
// The judge of trust, on chains that the openssl tool makes here.
#include "crypto/trust_path.h"

#include <gtest/gtest.h>

#include <chrono>
#include <ctime>
#include <functional>

#include "core/limits.h"
#include "tests/crypto/trust_fixture.h"

namespace sealgate::test {
namespace {

struct Case {
    const char* name;
    const char* leaf;
    std::vector<std::string> others;
    std::vector<std::string> anchors;
    Reason want;
    std::int64_t days = 1;  // from today
};

void expect_all(const std::vector<Case>& cases,
                const std::function<TrustVerdict(const Case&)>& judge) {
    for (const Case& row : cases) {
        SCOPED_TRACE(row.name);
        const TrustVerdict verdict = judge(row);
        EXPECT_STREQ(to_word(verdict.reason), to_word(row.want)) << verdict.why;
    }
}

TEST_F(TrustPath, FindsTheWayToAnAnchorOrSaysWhyNot) {
    // clang-format off
    const std::vector<Case> cases = {
        {"good", "leaf", {"mid"}, {"root"}, Reason::ok},
        {"in a heap", "leaf", {"other-root", "leaf", "mid", "direct", "mid"}, {"root"}, Reason::ok},
        {"with its root along", "leaf", {"root", "mid"}, {"root"}, Reason::ok},
        {"without an intermediate", "direct", {}, {"root"}, Reason::ok},
        {"the intermediate trusted alone", "leaf", {}, {"mid"}, Reason::ok},
        {"the intermediate among the anchors", "leaf", {}, {"root", "mid"}, Reason::ok},
        {"root of version 1", "v1-leaf", {}, {"v1-root"}, Reason::ok},

        {"missing intermediate", "leaf", {}, {"root"}, Reason::untrusted},
        {"another's root", "leaf", {"mid"}, {"other-root"}, Reason::untrusted},
        {"its root came along, and is not trusted", "leaf", {"mid", "root"}, {"other-root"},
         Reason::untrusted},
        {"no anchors", "leaf", {"mid", "root"}, {}, Reason::untrusted},
        {"self-signed", "alone", {"alone"}, {"root"}, Reason::untrusted},
        {"self-signed and listed, but no authority", "alone", {}, {"root", "alone"},
         Reason::untrusted},
        {"authorities that vouch for each other", "loop-leaf", {"loop-a-by-b", "loop-b"},
         {"root"}, Reason::untrusted},

        {"issued by a person", "of-person", {"direct"}, {"root"}, Reason::untrusted},
        {"issuer that says nothing of itself", "bare-leaf", {"bare-mid"}, {"root"},
         Reason::untrusted},
        {"issuer that says it in Netscape's way", "netscape-leaf", {"netscape-mid"},
         {"root"}, Reason::untrusted},
        {"issuer that may not sign", "no-sign-leaf", {"no-sign-mid"}, {"root"}, Reason::untrusted},
        {"a path length at its limit", "last-leaf", {"last-mid"}, {"root"}, Reason::ok},
        {"a path length past it", "too-deep-leaf", {"too-deep-mid", "last-mid"}, {"root"},
         Reason::untrusted},

        {"a name inside", "named-leaf", {"named-mid"}, {"root"}, Reason::ok},
        {"a name outside", "named-other", {"named-mid"}, {"root"}, Reason::untrusted},
        {"a name excluded", "named-excluded", {"named-mid"}, {"root"}, Reason::untrusted},
        {"a name inside, one down", "under-named-leaf", {"under-named-mid", "named-mid"},
         {"root"}, Reason::ok},
        {"a name outside, one down", "under-named-other", {"under-named-mid", "named-mid"},
         {"root"}, Reason::untrusted},
    };
    // clang-format on
    expect_all(cases,
               [](const Case& row) { return judge(row.leaf, row.others, row.anchors, row.days); });
}

TEST_F(TrustPath, LooksAtAllDates) {
    // clang-format off
    const std::vector<Case> cases = {
        {"the last day", "leaf", {"mid"}, {"root"}, Reason::ok, 19},
        {"the day after", "leaf", {"mid"}, {"root"}, Reason::expired, 21},
        {"before the first day", "leaf", {"mid"}, {"root"}, Reason::not_yet_valid, -1},
        {"intermediate", "short-mid-leaf", {"short-mid"}, {"root"}, Reason::ok, 4},
        {"intermediate expired", "short-mid-leaf", {"short-mid"}, {"root"}, Reason::expired, 6},
        {"root", "short-root-leaf", {}, {"short-root"}, Reason::ok, 4},
        {"root expired", "short-root-leaf", {}, {"short-root"}, Reason::expired, 6},
        {"nobody trusted, and expired", "leaf", {}, {}, Reason::expired, 21},
    };
    // clang-format on
    expect_all(cases,
               [](const Case& row) { return judge(row.leaf, row.others, row.anchors, row.days); });
}

TEST_F(TrustPath, LooksAtUsagesDownThePath) {
    // clang-format off
    const std::vector<Case> cases = {
        {"any", "any-usage", {}, {"root"}, Reason::ok},
        {"none said", "no-usage", {}, {"root"}, Reason::ok},
        {"server's", "server", {}, {"root"}, Reason::bad_key_usage},
        {"signer's", "signs-only", {}, {"root"}, Reason::bad_key_usage},
        {"intermediate for servers", "server-mid-leaf", {"server-mid"}, {"root"},
         Reason::bad_key_usage},
        {"intermediate for mail", "mail-mid-leaf", {"mail-mid"}, {"root"}, Reason::ok},
        {"intermediate for all", "any-mid-leaf", {"any-mid"}, {"root"}, Reason::ok},
        {"the operator trusts it for this", "server-root-leaf", {}, {"server-root"}, Reason::ok},
        {"unknown critical extension", "critical-leaf", {"critical-mid"}, {"root"},
         Reason::untrusted},
        {"of its own", "critical-own", {}, {"root"}, Reason::untrusted},
    };
    // clang-format on
    expect_all(cases,
               [](const Case& row) { return judge(row.leaf, row.others, row.anchors, row.days); });
}

TEST_F(TrustPath, TriesEachOfSeveralIssuers) {
    // clang-format off
    const std::vector<Case> cases = {
        {"cross-signed, by ours", "crossed-leaf", {"crossed"}, {"root"}, Reason::ok},
        {"cross-signed, by another", "crossed-leaf", {"crossed-by-other"}, {"root"},
         Reason::untrusted},
        {"both, ours first", "crossed-leaf", {"crossed", "crossed-by-other"}, {"root"}, Reason::ok},
        {"both, ours last", "crossed-leaf", {"crossed-by-other", "crossed"}, {"root"}, Reason::ok},
        {"the old one first", "crossed-leaf", {"crossed-short", "crossed"}, {"root"},
         Reason::ok, 10},
        {"the old one last", "crossed-leaf", {"crossed", "crossed-short"}, {"root"},
         Reason::ok, 10},
        {"the old one alone", "crossed-leaf", {"crossed-short", "crossed-by-other"},
         {"root"}, Reason::expired, 10},
        {"one that is no authority first", "crossed-leaf", {"crossed-no-authority", "crossed"},
         {"root"}, Reason::ok},
        {"all but ours", "crossed-leaf", {"crossed-no-authority", "crossed-short",
         "crossed-by-other", "crossed"}, {"root"}, Reason::ok, 10},
        {"roots of one name, the first's", "twin-leaf-1", {}, {"twin-root-1",
         "twin-root-2"}, Reason::ok},
        {"roots of one name, the second's", "twin-leaf-2", {}, {"twin-root-1",
         "twin-root-2"}, Reason::ok},
        {"only the other one is trusted", "twin-leaf-2", {"twin-root-2"}, {"twin-root-1"},
         Reason::untrusted},
        {"intermediates of one name", "twin-mid-leaf", {"twin-mid-1", "twin-mid-2"},
         {"root"}, Reason::ok},
        {"the other way round", "twin-mid-leaf", {"twin-mid-2", "twin-mid-1"}, {"root"},
         Reason::ok},
        {"the wrong one alone", "twin-mid-leaf", {"twin-mid-1"}, {"root"}, Reason::untrusted},
    };
    // clang-format on
    expect_all(cases,
               [](const Case& row) { return judge(row.leaf, row.others, row.anchors, row.days); });
}

TEST_F(TrustPath, BelievesNoWeakKeysAndDigests) {
    // clang-format off
    const std::vector<Case> cases = {
        {"RSA-1024 issuer", "weak-mid-leaf", {"weak-mid"}, {"root"}, Reason::weak_key},
        {"RSA-1024 anchor", "weak-mid-leaf", {}, {"weak-mid"}, Reason::weak_key},
        {"SHA-1 on an intermediate", "sha1-mid-leaf", {"sha1-mid"}, {"root"}, Reason::weak_digest},
        {"SHA-1 on the leaf", "sha1-leaf", {}, {"root"}, Reason::weak_digest},
        {"SHA-1 on the root itself, which nobody looks at", "sha1-root-leaf", {},
         {"sha1-root"}, Reason::ok},
    };
    // clang-format on
    expect_all(cases,
               [](const Case& row) { return judge(row.leaf, row.others, row.anchors, row.days); });
}

TEST_F(TrustPath, IsBoundedInDepth) {
    std::vector<std::string> others;
    for (int i = 0; i <= limits::trust_intermediates_max; ++i) {
        const std::string name = "deep-" + std::to_string(i);
        others.push_back(name);
        const Reason want = i < limits::trust_intermediates_max ? Reason::ok : Reason::untrusted;
        const TrustVerdict verdict = judge(name + "-leaf", others, {"root"});
        EXPECT_STREQ(to_word(verdict.reason), to_word(want)) << i << ": " << verdict.why;
    }
}

TEST_F(TrustPath, ASignatureWithAnyBitChangedIsNone) {
    const CertificatePtr leaf = authority().certificate("direct");
    const auto anchors = anchors_of({authority().file("root")});
    int judged = 0;
    for (std::size_t back = 1; back <= 64; ++back) {
        Bytes der(leaf->der().begin(), leaf->der().end());
        der[der.size() - back] = static_cast<std::uint8_t>(der[der.size() - back] ^ 1);
        const auto changed = Certificate::parse(der);
        if (!changed) continue;
        ++judged;
        const TrustVerdict verdict = anchors->judge(*changed, {}, std::time(nullptr) + day_seconds,
                                                    TrustPurpose::smime_encryption);
        EXPECT_NE(verdict.reason, Reason::ok) << back;
    }
    EXPECT_GT(judged, 32);
}

// A directory that sends what it likes: many authorities with the name that is wanted.
TEST_F(TrustPath, ManyIssuersOfOneNameCostBoundedWork) {
    Authority::Plans many = trust_plans();
    std::vector<std::string> names;
    const std::size_t count = limits::trust_others_max + 10;
    for (std::size_t i = 0; i < count; ++i) names.push_back("crowd-" + std::to_string(i));
    // One key for all of them, so that every signature is right and no path leads on.
    for (const std::string& name : names)
        many[name] = {"other-root", "Crossed", authority_extensions, 1000, "", "crossed"};
    Authority crowded(many);
    std::vector<CertificatePtr> others;
    for (const std::string& name : names) others.push_back(crowded.certificate(name));
    const CertificatePtr leaf = crowded.certificate("crossed-leaf");
    const auto anchors = anchors_of({crowded.file("root")});
    const auto begin = std::chrono::steady_clock::now();
    EXPECT_EQ(
        anchors
            ->judge(leaf, others, std::time(nullptr) + day_seconds, TrustPurpose::smime_encryption)
            .reason,
        Reason::untrusted);
    EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(1));
    // What lies behind the limit is not seen; at the limit it is, though it takes luck to be tried.
    others.insert(others.begin(), crowded.certificate("crossed"));
    EXPECT_EQ(
        anchors
            ->judge(leaf, others, std::time(nullptr) + day_seconds, TrustPurpose::smime_encryption)
            .reason,
        Reason::ok);
}

}  // namespace
}  // namespace sealgate::test
