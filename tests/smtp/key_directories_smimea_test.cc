// SPDX-License-Identifier: GPL-3.0-or-later
// SMIMEA records from a table; those of a signed zone are in tests/dns.
#include "smtp/key_directories.h"

#include <gtest/gtest.h>

#include "smtp/directory_answer.h"
#include "tests/smtp/key_lookup_fixture.h"

namespace sealgate {
namespace {

std::string name_for(const std::string& address) { return *smimea_name_of(address); }

SmimeaRecord record(int usage, const CertificatePtr& certificate, int selector = 0,
                    int matching = 0) {
    return {static_cast<std::uint8_t>(usage), static_cast<std::uint8_t>(selector),
            static_cast<std::uint8_t>(matching), der_of(certificate)};
}

class KeyDirectoriesDnsTest : public KeyLookupTest {
protected:
    void publish(const std::string& address, std::vector<SmimeaRecord> records, bool secure = true,
                 DnsOutcome outcome = DnsOutcome::found) {
        resolver_.smimea[name_for(address)] = {outcome, secure, std::move(records)};
    }
    void SetUp() override { configure(""); }
    std::string answer(const std::string& address) { return text(ask("smimea", address)); }
};

TEST_F(KeyDirectoriesDnsTest, TakesOnlyWholeCertificatesOfTheRecipient) {
    const auto bob = make({.emails = {"bob@x.example"}});
    const auto trusted = make({.emails = {"bob@x.example"}, .common_name = "Trusted"});
    const std::string no_whole =
        "none: smimea: no record holds a whole certificate of the recipient";
    struct Case {
        std::vector<SmimeaRecord> records;
        std::string want;
    };
    int number = 0;
    for (const Case& row : {
             Case{{record(3, bob)}, "found: smimea: serial " + bob->serial()},
             Case{{record(1, bob)},
                  "none: smimea: 1 certificate, none usable (untrusted: a stranger)"},
             Case{{record(1, trusted)}, "found: smimea: serial " + trusted->serial()},
             Case{{record(0, bob)}, no_whole},
             Case{{record(2, bob)}, no_whole},
             Case{{record(3, bob, 1)}, no_whole},
             Case{{record(3, bob, 0, 1)}, no_whole},
             Case{{record(3, bob, 0, 2)}, no_whole},
             Case{{record(255, bob)}, no_whole},
             Case{{record(2, bob), record(3, bob, 0, 1), record(3, bob)},
                  "found: smimea: serial " + bob->serial()},
             Case{{record(1, bob), record(3, bob)}, "found: smimea: serial " + bob->serial()},
             Case{{{3, 0, 0, {0x30, 0x00}}}, "none: smimea: its records are no certificates"},
             Case{{record(3, make({.emails = {"ann@x.example"}}))},
                  "none: smimea: 1 certificate, none for this address"},
             Case{{record(3, make({.emails = {"bob@x.example"}, .days_left = -1}))},
                  "none: smimea: 1 certificate, none usable (expired)"},
         }) {
        publish("bob@x.example", row.records);
        EXPECT_EQ(answer("bob@x.example"), row.want) << "row " << number;
        ++number;
    }
}

TEST_F(KeyDirectoriesDnsTest, BelievesOnlyWhatDnssecSigned) {
    const std::vector<SmimeaRecord> records{record(3, make({.emails = {"bob@x.example"}}))};
    publish("bob@x.example", records, false);
    EXPECT_EQ(answer("bob@x.example"), "none: smimea: its records are not signed by DNSSEC");
    publish("bob@x.example", {}, false, DnsOutcome::bogus);
    EXPECT_EQ(answer("bob@x.example"), "temporary: smimea: DNSSEC validation failed");
    publish("bob@x.example", {}, false, DnsOutcome::temporary);
    EXPECT_EQ(answer("bob@x.example"), "temporary: smimea: no answer from DNS");
    publish("bob@x.example", {}, true, DnsOutcome::no_data);
    EXPECT_EQ(answer("bob@x.example"), "none: smimea: no such record");
    EXPECT_EQ(answer("nobody@x.example"), "none: smimea: no such domain");
    publish("bob@x.example", records);
    EXPECT_EQ(answer("bob@x.example").substr(0, 5), "found");
    EXPECT_FALSE(at_once_) << "the resolver keeps records, nobody else";
}

TEST_F(KeyDirectoriesDnsTest, AsksForTheNameOfTheRfc) {
    const auto asked_for = [&](const std::string& address) {
        resolver_.asked.clear();
        ask("smimea", address);
        return resolver_.asked.empty() ? "" : resolver_.asked[0];
    };
    const std::string hugh = "c93f1e400f26708f98cb19d936620da35eec8f72e57f9eec01c1afd6._smimecert.";
    EXPECT_EQ(asked_for("hugh@example.com"), hugh + "example.com");
    EXPECT_EQ(asked_for("hugh@EXAMPLE.com."), hugh + "example.com");
    EXPECT_EQ(asked_for("\"hugh\"@example.com"), hugh + "example.com");
    EXPECT_EQ(asked_for("hugh@b\xc3\xbc"
                        "cher.example"),
              hugh + "xn--bcher-kva.example");
    EXPECT_NE(asked_for("Hugh@example.com"), hugh + "example.com") << "case is kept: §4";
    EXPECT_EQ(asked_for("hugh@[192.0.2.1]"), "");
    const std::string long_domain =
        std::string(60, 'a') + "." + std::string(60, 'b') + "." + std::string(60, 'c') + ".example";
    EXPECT_EQ(asked_for("hugh@" + long_domain), "") << "no room for the labels before it";
    EXPECT_EQ(answer("hugh@" + long_domain), "none: smimea: domain too long for an SMIMEA name");
}

}  // namespace
}  // namespace sealgate
