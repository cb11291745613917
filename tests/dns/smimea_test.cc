// SPDX-License-Identifier: GPL-3.0-or-later
// Names and records by rows; then a zone signed by ldns, served by nsd, validated by libunbound.
#include "dns/smimea.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <optional>
#include <sstream>

#include "core/loop.h"
#include "dns/resolver.h"
#include "tests/support/nsd_server.h"

namespace sealgate {
namespace {

// SHA-256 of "hugh", the example of RFC 8162 §3 (and RFC 7929 §3).
const std::string hugh =
    "\xc9\x3f\x1e\x40\x0f\x26\x70\x8f\x98\xcb\x19\xd9\x36\x62\x0d\xa3\x5e\xec\x8f\x72\xe5\x7f\x9e"
    "\xec\x01\xc1\xaf\xd6\x12\x34\x56\x78";
const std::string hugh_label = "c93f1e400f26708f98cb19d936620da35eec8f72e57f9eec01c1afd6";

TEST(SmimeaName, IsMadeOfTwentyEightOctets) {
    EXPECT_EQ(*smimea_name(as_bytes(hugh), "example.com"), hugh_label + "._smimecert.example.com");
    EXPECT_EQ(*smimea_name(as_bytes(hugh).first(28), "example.com"),
              hugh_label + "._smimecert.example.com");
}

TEST(SmimeaName, FitsInADomainName) {
    // 253 octets less the label of 56, "._smimecert." of 12; any dots will do.
    const std::string longest = std::string(184, 'a').insert(60, ".");
    EXPECT_EQ(smimea_name(as_bytes(hugh), longest)->size(), 253U);
    EXPECT_FALSE(smimea_name(as_bytes(hugh), longest + "a"));
}

TEST(SmimeaLocalPart, LosesQuotesAndKeepsItsCase) {
    struct Case {
        const char* in;
        const char* want;
    };
    for (const auto& [in, want] : {
             Case{"hugh", "hugh"},
             Case{"Hugh", "Hugh"},
             Case{"first.last", "first.last"},
             Case{"\"hugh\"", "hugh"},
             Case{"\"a b\"", "a b"},
             Case{"\"a\\\"b\"", "a\"b"},
             Case{"\"a\\\\b\"", "a\\b"},
             Case{"\"\\h\\u\\g\\h\"", "hugh"},
             Case{"\"\"", ""},
             Case{"\"", "\""},
             Case{"\"a", "\"a"},
             Case{"a\"", "a\""},
             Case{"b\xc3\xbc", "b\xc3\xbc"},
             Case{"", ""},
         }) {
        EXPECT_EQ(smimea_local_part(in), want);
    }
}

TEST(SmimeaRecord, IsReadAndOnlySomeHoldTheRecipientsCertificate) {
    EXPECT_FALSE(parse_smimea(""));
    EXPECT_FALSE(parse_smimea(std::string("\3\0", 2)));
    EXPECT_FALSE(parse_smimea(std::string("\3\0\0", 3)));
    const auto record = parse_smimea(std::string("\1\2\3xyz", 6));
    ASSERT_TRUE(record);
    EXPECT_EQ(record->usage, 1);
    EXPECT_EQ(record->selector, 2);
    EXPECT_EQ(record->matching, 3);
    EXPECT_EQ(as_text(record->data), "xyz");
    for (int usage = 0; usage < 256; ++usage) {
        for (const auto& [selector, matching] : {std::pair{0, 0}, {0, 1}, {0, 2}, {1, 0}, {1, 1}}) {
            const std::string rdata{static_cast<char>(usage), static_cast<char>(selector),
                                    static_cast<char>(matching), 'x'};
            const bool want = (usage == 1 || usage == 3) && selector == 0 && matching == 0;
            EXPECT_EQ(parse_smimea(rdata)->is_recipient_certificate(), want)
                << usage << " " << selector << " " << matching;
        }
    }
}

// --- in a signed zone ----------------------------------------------------------------------------

int run(const std::string& command) { return std::system((command + " >/dev/null 2>&1").c_str()); }

std::string read_file(const std::string& path) {
    std::ifstream file(path);
    std::ostringstream text;
    text << file.rdbuf();
    return text.str();
}

class SmimeaZoneTest : public testing::Test {
protected:
    static void SetUpTestSuite() {
        std::string pattern = std::filesystem::temp_directory_path() / "sealgate-zone-XXXXXX";
        ASSERT_NE(mkdtemp(pattern.data()), nullptr);
        folder_ = pattern;
        if (run("ldns-signzone -v") != 0) return;
        const std::string unsigned_zone = make_zone("plain.example");
        const std::string signed_zone = sign("signed.example");
        std::string broken_zone = sign("broken.example");
        // The signature of another record: a byte of the certificate is not what was signed.
        for (std::size_t at; (at = broken_zone.find("616263")) != broken_zone.npos;) {
            broken_zone.replace(at, 6, "616264");
        }
        server_ = NsdServer::start({{"signed.example", signed_zone},
                                    {"broken.example", broken_zone},
                                    {"plain.example", unsigned_zone}})
                      .release();
    }
    static void TearDownTestSuite() {
        delete server_;
        std::error_code ignored;
        std::filesystem::remove_all(folder_, ignored);
    }
    static std::string make_zone(const std::string& name) {
        std::string many;
        for (int i = 0; i < 30; ++i) {
            char octet[3];
            std::snprintf(octet, sizeof octet, "%02x", i);
            many += "many._smimecert 60 IN TYPE53 \\# 5 030000ff" + std::string(octet) + "\n";
        }
        return "$ORIGIN " + name + ".\n" +
               "@ 3600 IN SOA ns root 1 3600 600 86400 60\n@ 3600 IN NS ns\nns 60 IN A "
               "127.0.0.1\n" +
               hugh_label + "._smimecert 60 IN TYPE53 \\# 6 030000616263\n" +
               "two._smimecert 60 IN TYPE53 \\# 4 01000078\n" +
               "two._smimecert 60 IN TYPE53 \\# 4 00010179\n" + "alias._smimecert 60 IN CNAME " +
               hugh_label + "._smimecert\n" + "empty._smimecert 60 IN TXT \"no certificate\"\n" +
               many;
    }
    static std::string sign(const std::string& name) {
        const std::string file = folder_ + "/" + name;
        std::ofstream(file) << make_zone(name);
        EXPECT_EQ(run("{ cd " + folder_ + " && key=$(ldns-keygen -k -a ECDSAP256SHA256 " + name +
                      ") && ldns-signzone -n -f " + file + ".signed " + file +
                      " $key && cat $key.key >> anchors; }"),
                  0);
        return read_file(file + ".signed");
    }
    void SetUp() override {
        if (!server_) GTEST_SKIP() << "nsd or ldns-signzone is not installed";
        open(folder_ + "/anchors");
    }
    void open(const std::string& anchors) {
        DnsOptions options;
        options.servers = {server_->address()};
        options.trust_anchor_file = anchors;
        std::string why;
        auto opened = open_resolver(loop_, options, &why);
        ASSERT_TRUE(opened) << why;
        resolver_ = std::move(*opened);
    }
    SmimeaAnswer ask(const std::string& name) {
        std::optional<SmimeaAnswer> answer;
        const DnsTicket ticket =
            resolver_->lookup_smimea(name, [&](SmimeaAnswer got) { answer = std::move(got); });
        EXPECT_FALSE(answer) << "called back from inside the call";
        EXPECT_TRUE(loop_.run_until([&] { return answer.has_value(); }, 20'000));
        return answer.value_or(SmimeaAnswer{});
    }

    static inline std::string folder_;
    static inline NsdServer* server_ = nullptr;
    Loop loop_;
    std::unique_ptr<Resolver> resolver_;
};

TEST_F(SmimeaZoneTest, GivesSecureRecords) {
    const SmimeaAnswer answer = ask(hugh_label + "._smimecert.signed.example");
    EXPECT_EQ(answer.outcome, DnsOutcome::found);
    EXPECT_TRUE(answer.secure);
    ASSERT_EQ(answer.records.size(), 1U);
    EXPECT_EQ(answer.records[0].usage, 3);
    EXPECT_EQ(as_text(answer.records[0].data), "abc");
    EXPECT_TRUE(answer.records[0].is_recipient_certificate());
}

TEST_F(SmimeaZoneTest, GivesAllRecordsUpToALimit) {
    EXPECT_EQ(ask("two._smimecert.signed.example").records.size(), 2U);
    EXPECT_EQ(ask("many._smimecert.signed.example").records.size(), 20U);
}

TEST_F(SmimeaZoneTest, FollowsAnAlias) {
    const SmimeaAnswer answer = ask("alias._smimecert.signed.example");
    EXPECT_EQ(answer.outcome, DnsOutcome::found);
    EXPECT_TRUE(answer.secure);
    EXPECT_EQ(answer.records.size(), 1U);
}

TEST_F(SmimeaZoneTest, ProvesThatThereIsNone) {
    const SmimeaAnswer absent = ask("absent._smimecert.signed.example");
    EXPECT_EQ(absent.outcome, DnsOutcome::no_such_domain);
    EXPECT_TRUE(absent.secure);
    const SmimeaAnswer empty = ask("empty._smimecert.signed.example");
    EXPECT_EQ(empty.outcome, DnsOutcome::no_data);
    EXPECT_TRUE(empty.secure);
}

TEST_F(SmimeaZoneTest, SaysWhatIsNotSigned) {
    const SmimeaAnswer answer = ask(hugh_label + "._smimecert.plain.example");
    EXPECT_EQ(answer.outcome, DnsOutcome::found);
    EXPECT_FALSE(answer.secure);
}

TEST_F(SmimeaZoneTest, SaysWhatWasForged) {
    const SmimeaAnswer answer = ask(hugh_label + "._smimecert.broken.example");
    EXPECT_EQ(answer.outcome, DnsOutcome::bogus);
    EXPECT_FALSE(answer.secure);
    EXPECT_TRUE(answer.records.empty());
    EXPECT_EQ(ask("two._smimecert.broken.example").outcome, DnsOutcome::found) << "not forged";
}

TEST_F(SmimeaZoneTest, TakesNothingForSecureWithoutAnchors) {
    open("");
    const SmimeaAnswer answer = ask(hugh_label + "._smimecert.signed.example");
    EXPECT_EQ(answer.outcome, DnsOutcome::found);
    EXPECT_FALSE(answer.secure);
}

}  // namespace
}  // namespace sealgate
