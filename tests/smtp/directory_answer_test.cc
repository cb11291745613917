// SPDX-License-Identifier: GPL-3.0-or-later
// What directories answer, as text; tests with real ones are in key_directories_test.cc.
#include "smtp/directory_answer.h"

#include <gtest/gtest.h>

#include "core/limits.h"
#include "crypto/base64.h"
#include "crypto/ldap_entry.h"
#include "tests/smtp/key_lookup_fixture.h"

namespace sealgate {
namespace {

std::string values(const std::string& body, std::size_t values_max = 100) {
    std::string text;
    for (const LdapValue& value : read_ldap_values(body, values_max)) {
        text += "[" + value.attribute + "|" + value.bytes + "]";
    }
    return text;
}

TEST(LdapEntry, GivesTheValuesOfAnyEntry) {
    struct Case {
        const char* body;
        const char* want;
    };
    for (const auto& [body, want] : {
             Case{"", ""},
             Case{"DN: uid=a\n\n", ""},
             Case{"DN: uid=a\n\tcn: A\n\n\tx;binary:: YWJj\n\n\nDN: uid=b\n\tcn: B\n\n\n",
                  "[cn|A][x;binary|abc][cn|B]"},
             Case{"\ta: 1\n\ta: 2\n", "[a|1][a|2]"},
             Case{"\ta:\n", "[a|]"},
             Case{"\ta::\n", "[a|]"},
             Case{"\ta:: \n", "[a|]"},
             Case{"\ta: b: c\n", "[a|b: c]"},
             Case{"\ta: ::x\n", "[a|::x]"},
             Case{"\t: x\n", "[|x]"},
             Case{"\tno colon\n", ""},
             Case{"a: not a value\n", ""},
             Case{"\ta: at the end", "[a|at the end]"},
             Case{"\t", ""},
             Case{"\n\n\n", ""},
         }) {
        EXPECT_EQ(values(body), want) << body;
    }
}

TEST(LdapEntry, StopsAtItsLimit) {
    EXPECT_EQ(values("\ta: 1\n\ta: 2\n\ta: 3\n", 3), "[a|1][a|2][a|3]");
    EXPECT_EQ(values("\ta: 1\n\ta: 2\n\ta: 3\n", 2), "[a|1][a|2]");
}

KeyChoice choice_for(const std::string& address) {
    return {"directory:x", "x", address, std::time(nullptr), nullptr};
}

std::string text_for(const KeyAnswer& answer) {
    const bool found = answer.outcome == KeyAnswer::Outcome::found;
    return (found ? "found: " : "") + answer.why;
}

TEST(DirectoryAnswer, LooksAtSoManyCertificatesAndNotOneMore) {
    const std::string other =
        "\tuserCertificate;binary:: " + base64_of(make({.emails = {"ann@x.example"}})->der()) +
        "\n";
    const auto bob = make({.emails = {"bob@x.example"}});
    const std::string wanted = "\tuserCertificate;binary:: " + base64_of(bob->der()) + "\n";
    std::string body;
    for (std::size_t i = 1; i < limits::directory_certificates_max; ++i) body += other;
    const KeyChoice choice = choice_for("bob@x.example");
    EXPECT_EQ(text_for(key_of_entries(choice, body + wanted)),
              "found: directory:x: serial " + bob->serial());
    EXPECT_EQ(text_for(key_of_entries(choice, body + other + wanted)),
              "directory:x: 100 certificates, none for this address");
}

TEST(DirectoryAnswer, SaysHowACertificateCoversTheAddress) {
    using Match = RecipientKey::Match;
    const auto both = make({.emails = {"Bob@X.example"}, .domains = {"x.example", "*.x.example"}});
    EXPECT_EQ(match_of(*both, "bob@x.example"), Match::address);
    EXPECT_EQ(match_of(*both, "ann@X.example"), Match::domain);
    EXPECT_EQ(match_of(*both, "bob@sub.x.example"), Match::wildcard);
}

TEST(DirectoryAnswer, PrefersTheReasonOfACertificateForTheAddress) {
    const auto expired = make({.emails = {"bob@x.example"}, .days_left = -1});
    const auto other = make({.emails = {"ann@x.example"}});
    for (const auto& certificates :
         {std::vector{expired, other, other}, std::vector{other, other, expired}}) {
        EXPECT_EQ(text_for(choose_key(choice_for("bob@x.example"), RecipientKey::Source::directory,
                                      certificates)),
                  "directory:x: 3 certificates, none usable (expired)");
    }
}

}  // namespace
}  // namespace sealgate
