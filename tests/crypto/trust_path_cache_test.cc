// SPDX-License-Identifier: GPL-3.0-or-later
// What is remembered of judgements, and what must not be.
#include "crypto/trust_path_cache.h"

#include <gtest/gtest.h>

#include "tests/crypto/trust_fixture.h"

namespace sealgate::test {
namespace {

class TrustPathCacheTest : public TrustPath {
protected:
    static std::vector<CertificatePtr> certificates(const std::vector<std::string>& names) {
        std::vector<CertificatePtr> found;
        for (const std::string& name : names) found.push_back(authority().certificate(name));
        return found;
    }
    static std::int64_t in_days(std::int64_t days) {
        return std::time(nullptr) + days * day_seconds;
    }
    static Reason ask(const TrustAnchors& anchors, const std::string& leaf,
                      const std::vector<std::string>& others, std::int64_t days,
                      TrustPurpose purpose = TrustPurpose::smime_encryption) {
        return anchors
            .judge(authority().certificate(leaf), certificates(others), in_days(days), purpose)
            .reason;
    }
};

// Of the leaf, of an issuer, of the anchor: remembered while good, and no longer.
TEST_F(TrustPathCacheTest, AnExpiredCertificateIsNeverGivenOut) {
    const struct {
        const char* leaf;
        std::vector<std::string> others;
        const char* anchor;
        std::int64_t good, late;
    } rows[] = {{"leaf", {"mid"}, "root", 19, 21},
                {"short-mid-leaf", {"short-mid"}, "root", 4, 6},
                {"short-root-leaf", {}, "short-root", 4, 6}};
    for (const auto& row : rows) {
        SCOPED_TRACE(row.leaf);
        const auto anchors = anchors_of({authority().file(row.anchor)});
        for (int again = 0; again < 2; ++again) {
            EXPECT_EQ(ask(*anchors, row.leaf, row.others, row.good), Reason::ok);
            EXPECT_EQ(ask(*anchors, row.leaf, row.others, row.late), Reason::expired);
            EXPECT_EQ(ask(*anchors, row.leaf, row.others, -1), Reason::not_yet_valid);
        }
    }
}

TEST_F(TrustPathCacheTest, AnotherQuestionIsJudgedByItself) {
    const auto anchors = anchors_of({authority().file("root")});
    EXPECT_EQ(ask(*anchors, "leaf", {"mid"}, 1), Reason::ok);
    EXPECT_EQ(ask(*anchors, "leaf", {}, 1), Reason::untrusted);
    EXPECT_EQ(ask(*anchors, "leaf", {"other-root"}, 1), Reason::untrusted);
    EXPECT_EQ(ask(*anchors, "signs-only", {}, 1, TrustPurpose::smime_signing), Reason::ok);
    EXPECT_EQ(ask(*anchors, "signs-only", {}, 1), Reason::bad_key_usage);
    const auto others = anchors_of({authority().file("other-root")});
    EXPECT_EQ(ask(*others, "leaf", {"mid"}, 1), Reason::untrusted);
}

TEST_F(TrustPathCacheTest, TheSameWayIsFoundAgain) {
    const auto anchors = anchors_of({authority().file("root")});
    const auto judge = [&] {
        return anchors->judge(authority().certificate("leaf"), certificates({"mid"}), in_days(1),
                              TrustPurpose::smime_encryption);
    };
    const TrustVerdict first = judge(), second = judge();
    ASSERT_EQ(first.path.size(), 3u);
    // The very same values: it was not searched again.
    EXPECT_EQ(second.path, first.path);
}

TEST_F(TrustPathCacheTest, KeepsNoMoreThanItMay) {
    const std::vector<CertificatePtr> path = certificates({"leaf", "mid", "root"});
    std::size_t bytes = 0;
    for (const CertificatePtr& member : path) bytes += member->der().size();
    TrustPathCache cache(2 * bytes);
    cache.keep("a", path);
    cache.keep("b", path);
    cache.keep("b", path);
    EXPECT_EQ(cache.bytes(), 2 * bytes);
    EXPECT_TRUE(cache.find("a", in_days(1)));
    cache.keep("c", path);  // "b" was not used for longest
    EXPECT_EQ(cache.bytes(), 2 * bytes);
    EXPECT_TRUE(cache.find("a", in_days(1)));
    EXPECT_FALSE(cache.find("b", in_days(1)));
    EXPECT_TRUE(cache.find("c", in_days(1)));

    TrustPathCache small(bytes - 1);
    small.keep("a", path);
    EXPECT_EQ(small.bytes(), 0u);
    EXPECT_FALSE(small.find("a", in_days(1)));
}

TEST_F(TrustPathCacheTest, KeysTellQuestionsApart) {
    const CertificatePtr leaf = authority().certificate("leaf");
    const auto key = [&](const std::vector<std::string>& others, TrustPurpose purpose, bool weak) {
        return TrustPathCache::key_of(*leaf, certificates(others), purpose, {weak});
    };
    constexpr auto signing = TrustPurpose::smime_signing;
    const std::string first = key({"mid"}, signing, false);
    EXPECT_EQ(key({"mid"}, signing, false), first);
    EXPECT_NE(key({}, signing, false), first);
    EXPECT_NE(key({"mid", "root"}, signing, false), first);
    EXPECT_NE(key({"mid"}, TrustPurpose::smime_encryption, false), first);
    EXPECT_NE(key({"mid"}, signing, true), first);
    EXPECT_NE(TrustPathCache::key_of(*authority().certificate("mid"), certificates({"leaf"}),
                                     signing, {}),
              first);
}

}  // namespace
}  // namespace sealgate::test
