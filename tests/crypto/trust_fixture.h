// SPDX-License-Identifier: GPL-3.0-or-later
// What the tests of trust share: authorities and people that the openssl tool makes when a test
// asks for them.
#pragma once

#include <gtest/gtest.h>

#include <ctime>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "crypto/trust_path.h"
#include "tests/crypto/signing_fixture.h"

namespace sealgate::test {

inline constexpr std::int64_t day_seconds = 86'400;

std::vector<CertificatePtr> certificates_in(const std::string& text);
std::shared_ptr<const TrustAnchors> anchors_of(const std::vector<std::string>& files);

// Extensions of an authority, and of somebody mail can be encrypted to.
extern const std::string authority_extensions, person_extensions;

// Certificates by name, made when they are asked for the first time.
class Authority {
public:
    struct Plan {
        std::string issuer;   // its name here; its own: self-signed
        std::string subject;  // CN
        std::string extensions;
        int days = 1000;
        std::string options{};  // of `openssl x509`
        std::string key_of{};   // has that one's key and name: cross-signed, renewed
        std::string key_kind = "EC -pkeyopt ec_paramgen_curve:P-256";
    };
    using Plans = std::map<std::string, Plan>;

    explicit Authority(Plans plans) : plans_(std::move(plans)) {}
    std::string file(const std::string& name);
    CertificatePtr certificate(const std::string& name);
    std::string key(const std::string& name);  // its file, PEM
    void add(const std::string& name, Plan plan) { plans_[name] = std::move(plan); }

private:
    std::string request(const std::string& name);
    void make(const std::string& name);

    TemporaryFolder folder_;
    Plans plans_;
};

// Every certificate of the tests; tests/crypto/trust_fixture.cc is the list.
Authority::Plans trust_plans();

class TrustPath : public testing::Test {
protected:
    static Authority& authority() {
        static Authority made(trust_plans());
        return made;
    }
    static TrustVerdict judge(const std::string& leaf, const std::vector<std::string>& others,
                              const std::vector<std::string>& anchors, std::int64_t days = 1) {
        std::vector<CertificatePtr> pool;
        for (const std::string& name : others) pool.push_back(authority().certificate(name));
        std::vector<std::string> files;
        for (const std::string& name : anchors) files.push_back(authority().file(name));
        const TrustVerdict verdict = anchors_of(files)->judge(
            authority().certificate(leaf), pool, std::time(nullptr) + days * day_seconds,
            TrustPurpose::smime_encryption);
        EXPECT_EQ(verdict.why.empty(), verdict.reason == Reason::ok) << verdict.why;
        return verdict;
    }
};

}  // namespace sealgate::test
