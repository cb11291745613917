// SPDX-License-Identifier: GPL-3.0-or-later
// Which harvested key replaces which, and what is remembered beside them.
#include "tests/crypto/key_ring_fixture.h"

namespace sealgate {
namespace {

using namespace test;
using Harvest = KeyRing::Harvest;
using Replace = KeyRing::Replace;

const std::string owner = "bob@example.net";

class KeyUpdatesOfRingTest : public KeyRingTest {
protected:
    Harvest put(const CertificatePtr& certificate, std::int64_t signing_time, bool verified,
                Replace replace = Replace::newer, SmimeCapabilities capabilities = {},
                std::int64_t last_used = today) {
        return ring_->harvest({owner, certificate, capabilities, signing_time, last_used, verified},
                              replace);
    }
    static SmimeCapabilities reading_gcm() {
        SmimeCapabilities capabilities;
        capabilities.known = capabilities.aes_256_gcm = true;
        return capabilities;
    }

    CertificatePtr first_ = make({.emails = {owner}});
    CertificatePtr second_ = make({.emails = {owner}});
};

struct UpdateCase {
    const char* name;
    bool verified_before;
    bool same_certificate, later, verified;
    Replace replace;
    Harvest want;
};

// clang-format off
const UpdateCase update_cases[] = {
    // name                     before  same   later  verified
    {"newer",                   false,  false, true,  false, Replace::newer, Harvest::replaced},
    {"as new",                  false,  false, false, false, Replace::newer, Harvest::older},
    {"never",                   false,  false, true,  false, Replace::never, Harvest::kept},
    {"never, as new",           false,  false, false, false, Replace::never, Harvest::older},
    {"verified by verified",    true,   false, true,  true,  Replace::newer, Harvest::replaced},
    {"verified, as new",        true,   false, false, true,  Replace::newer, Harvest::older},
    {"verified by unverified",  true,   false, true,  false, Replace::newer, Harvest::kept},
    {"verified, unverified one as new", true, false, false, false, Replace::newer, Harvest::kept},
    {"unverified by verified",  false,  false, true,  true,  Replace::newer, Harvest::replaced},
    {"unverified by an older verified", false, false, false, true, Replace::newer, Harvest::replaced},
    {"unverified, never",       false,  false, true,  true,  Replace::never, Harvest::kept},
    {"the same",                false,  true,  true,  false, Replace::newer, Harvest::refreshed},
    {"the same, never",         false,  true,  true,  false, Replace::never, Harvest::refreshed},
    {"the same, as new",        false,  true,  false, false, Replace::newer, Harvest::older},
    {"the same, now verified",  false,  true,  false, true,  Replace::never, Harvest::refreshed},
    {"the same, no more verified", true, true, true,  false, Replace::newer, Harvest::kept},
};
// clang-format on

TEST_F(KeyUpdatesOfRingTest, FollowTimeAndVerification) {
    for (const UpdateCase& row : update_cases) {
        SCOPED_TRACE(row.name);
        ring_->remove_harvested(owner);
        ASSERT_EQ(put(first_, today, row.verified_before), Harvest::added);
        const auto& certificate = row.same_certificate ? first_ : second_;
        const std::int64_t time = row.later ? today + 1 : today;
        EXPECT_EQ(put(certificate, time, row.verified, row.replace), row.want);
        const bool taken = row.want == Harvest::replaced || row.want == Harvest::refreshed;
        for (const bool restarted : {false, true}) {
            SCOPED_TRACE(restarted);
            if (restarted) open();
            const auto kept = ring_->harvested(owner);
            ASSERT_TRUE(kept);
            EXPECT_EQ(kept->certificate->serial(), (taken ? certificate : first_)->serial());
            EXPECT_EQ(kept->verified, taken ? row.verified : row.verified_before);
            // The time of a refreshed key is written once a day.
            const bool lags =
                restarted && row.want == Harvest::refreshed && row.verified == row.verified_before;
            EXPECT_EQ(kept->signing_time, taken && !lags ? time : today);
        }
        EXPECT_EQ(ring_->statistics().harvested, 1U);
    }
}

TEST_F(KeyUpdatesOfRingTest, KeepCapabilitiesUntilOthersAreSaid) {
    ASSERT_EQ(put(first_, today, true, Replace::newer, reading_gcm()), Harvest::added);
    EXPECT_EQ(put(first_, today + 1, true), Harvest::refreshed);
    EXPECT_EQ(ring_->harvested(owner)->capabilities.to_bits(), reading_gcm().to_bits());
    SmimeCapabilities others;
    others.known = others.aes_128_cbc = true;
    EXPECT_EQ(put(first_, today + 2, true, Replace::never, others), Harvest::refreshed);
    for (const bool restarted : {false, true}) {
        if (restarted) open();
        EXPECT_EQ(ring_->harvested(owner)->capabilities.to_bits(), others.to_bits());
    }
    // What a stranger said is not kept for a key that is verified now.
    ring_->remove_harvested(owner);
    put(first_, today, false, Replace::newer, reading_gcm());
    EXPECT_EQ(put(first_, today, true), Harvest::refreshed);
    EXPECT_FALSE(ring_->harvested(owner)->capabilities.known);
}

TEST_F(KeyUpdatesOfRingTest, WriteTheTimeOfTheSameKeyOnceADay) {
    put(first_, today, true);
    EXPECT_EQ(put(first_, today + 5, true), Harvest::refreshed);
    EXPECT_EQ(ring_->harvested(owner)->signing_time, today + 5);
    open();
    EXPECT_EQ(ring_->harvested(owner)->signing_time, today) << "of the same day";
    EXPECT_EQ(put(first_, today + a_day, true, Replace::newer, {}, today + a_day),
              Harvest::refreshed);
    open();
    EXPECT_EQ(ring_->harvested(owner)->signing_time, today + a_day);
    EXPECT_EQ(ring_->harvested(owner)->last_used, today + a_day) << "to hear of it is to use it";
}

TEST_F(KeyUpdatesOfRingTest, FollowToADiskThatFailed) {
    put(first_, today, true);
    {
        const FailingDisk failing;
        EXPECT_EQ(put(first_, today + a_day, true), Harvest::refreshed);
        ASSERT_TRUE(loop_.run_until([&] { return ring_->statistics().unstored == 1; }, 30'000));
        EXPECT_EQ(put(first_, today + 2 * a_day, true), Harvest::refreshed);
        EXPECT_EQ(ring_->statistics().unstored, 1U);
    }
    open();
    EXPECT_EQ(ring_->harvested(owner)->signing_time, today + 2 * a_day);
}

class KeyNotesTest : public KeyRingTest {
protected:
    std::map<std::string, std::string> notes() const {
        std::map<std::string, std::string> notes;
        EXPECT_TRUE(ring_->each_note(
            [&](std::string_view name, std::string_view value) { notes.emplace(name, value); }));
        return notes;
    }
};

TEST_F(KeyNotesTest, SurviveARestart) {
    ring_->write_note("@example.net", "1 2");
    ring_->write_note("@example.org", "3");
    ring_->write_note("@example.net", "4 5");
    ring_->write_note("gone", "6");
    ring_->write_note("gone", "");
    open();
    EXPECT_EQ(notes(),
              (std::map<std::string, std::string>{{"@example.net", "4 5"}, {"@example.org", "3"}}));
    EXPECT_EQ(ring_->statistics().harvested, 0U) << "they are no keys";
}

TEST_F(KeyNotesTest, StayNotOnADiskThatIsNotToKeepKeys) {
    ring_->write_note("@example.net", "1");
    persist_ = false;
    open();
    ring_->write_note("@example.org", "2");
    EXPECT_TRUE(notes().empty());
    persist_ = true;
    open();
    EXPECT_TRUE(notes().empty()) << "those from before were removed, too";
}

TEST_F(KeyRingTest, TellsWhenItEvicts) {
    capacity_ = 1 << 20;
    open();
    int told = 0;
    ring_->on_eviction([&] {
        ++told;
        ring_->write_note("note", std::to_string(told));
    });
    const CertificatePtr certificate = make({.emails = {owner}});
    for (int i = 0; ring_->statistics().evictions == 0; ++i) {
        ASSERT_EQ(told, 0);
        harvest("a" + std::to_string(i) + "@example.net", certificate, today, today + i);
    }
    EXPECT_EQ(told, 1);
    harvest("one.more@example.net", certificate, today, today + 100'000);
    EXPECT_EQ(told, 2);
    ring_->set_capacity(700'000);
    EXPECT_EQ(told, 3) << "once for all that a call evicts";
    ring_->on_eviction({});
    harvest("another@example.net", certificate, today, today + 100'000);
    EXPECT_EQ(told, 3);
}

}  // namespace
}  // namespace sealgate
