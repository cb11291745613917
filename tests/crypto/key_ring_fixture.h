// SPDX-License-Identifier: GPL-3.0-or-later
// What the tests of the key ring share: certificates at will, and a ring in a folder of its own.
#pragma once

#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "core/loop.h"
#include "crypto/key_ring.h"
#include "crypto/make_certificate.h"
#include "tests/crypto/signing_fixture.h"
#include "tests/support/failing_disk.h"

namespace sealgate::test {

constexpr std::int64_t today = 1'795'305'600;  // 2026-11-22
constexpr std::int64_t a_day = 86'400;

struct CertificateWish {
    std::vector<std::string> emails = {};
    std::vector<std::string> domains = {};
    std::int64_t not_before = today - 100 * a_day;
    std::int64_t not_after = today + 100 * a_day;
    NewKey key = NewKey::p256;
    std::string common_name = "Someone";
};

inline CertificatePtr make(const CertificateWish& wish) {
    static std::map<NewKey, SecureBytes> keys;  // made once
    auto known = keys.find(wish.key);
    if (known == keys.end()) known = keys.emplace(wish.key, *make_key(wish.key)).first;
    SubjectText subject;
    subject.common_name = wish.common_name;
    CertificatePlan plan;
    plan.subject = *subject_to_der(subject);
    plan.emails = wish.emails;
    plan.domains = wish.domains;
    plan.not_before = wish.not_before;
    plan.not_after = wish.not_after;
    return *Certificate::parse(*make_self_signed(plan, known->second.bytes()));
}

class KeyRingTest : public testing::Test {
protected:
    KeyRing::Options options() const {
        KeyRing::Options options;
        options.directory = folder_.path("keys");
        options.capacity_bytes = capacity_;
        options.persist = persist_;
        return options;
    }
    void open() {
        ring_.reset();
        std::string why;
        auto opened = KeyRing::open(&loop_, options(), &why);
        ASSERT_TRUE(opened) << why;
        ring_ = *std::move(opened);
    }
    void SetUp() override { open(); }

    void add(const std::string& name, const CertificatePtr& certificate) {
        std::optional<Result<void>> answer;
        ring_->add({name, certificate, {}}, [&](Result<void> written) { answer = written; });
        ASSERT_TRUE(loop_.run_until([&] { return answer.has_value(); }, 30'000));
        ASSERT_TRUE(*answer) << answer->error().what;
    }
    KeyRing::Harvest harvest(const std::string& owner, const CertificatePtr& certificate,
                             std::int64_t signing_time = today, std::int64_t last_used = today) {
        return ring_->harvest({owner, certificate, {}, signing_time, last_used});
    }
    // "manual domain friends", "harvested address", "none".
    std::string found(const std::string& address, std::int64_t now = today) {
        const auto key = ring_->find(address, now);
        if (!key) return "none";
        const char* source = key->source == RecipientKey::Source::manual ? "manual" : "harvested";
        const char* match = key->match == RecipientKey::Match::address  ? "address"
                            : key->match == RecipientKey::Match::domain ? "domain"
                                                                        : "wildcard";
        std::string text = std::string(source).append(" ").append(match);
        if (!key->name.empty()) text.append(" ").append(key->name);
        return text;
    }

    TemporaryFolder folder_;
    Loop loop_;
    std::uint64_t capacity_ = 64 << 20;
    bool persist_ = true;
    std::unique_ptr<KeyRing> ring_;
};

}  // namespace sealgate::test
