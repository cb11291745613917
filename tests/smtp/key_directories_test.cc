// SPDX-License-Identifier: GPL-3.0-or-later
// Against a real slapd.
#include "smtp/key_directories.h"

#include <gtest/gtest.h>

#include <cstdlib>

#include "crypto/base64.h"
#include "crypto/certificate_bundle.h"
#include "tests/smtp/key_lookup_fixture.h"
#include "tests/support/slapd_server.h"

namespace sealgate {
namespace {

// An inetOrgPerson with certificates and bags.
std::string person(const std::string& uid, const std::string& mail,
                   const std::vector<std::string>& certificates,
                   const std::vector<std::string>& bags = {}, const std::string& below = "") {
    std::string ldif = "dn: uid=" + uid + "," + below +
                       "dc=example\nobjectClass: inetOrgPerson\nuid: " + uid +
                       "\ncn: C\nsn: S\nmail: " + mail + "\n";
    for (const std::string& der : certificates) {
        ldif += "userCertificate;binary:: " + base64_of(as_bytes(der)) + "\n";
    }
    for (const std::string& bag : bags) {
        ldif += "userSMIMECertificate:: " + base64_of(as_bytes(bag)) + "\n";
    }
    return ldif + "\n";
}

std::string many_people() {
    const auto bob = make({.emails = {"bob@x.example"}, .common_name = "bob"});
    const auto older = make({.emails = {"two@x.example"}, .days_old = 20, .common_name = "older"});
    const auto newer = make({.emails = {"two@x.example"}, .days_old = 2, .common_name = "newer"});
    const auto future =
        make({.emails = {"two@x.example"}, .days_old = -1, .common_name = "future"});
    const auto expired = make({.emails = {"old@x.example"}, .days_left = -1});
    const auto signing = make({.emails = {"signer@x.example"}, .key = NewKey::ed25519});
    const auto trusted =
        make({.emails = {"mixed@x.example"}, .days_old = 9, .common_name = "Trusted"});
    const auto strange = make({.emails = {"mixed@x.example"}, .days_old = 1});
    const auto wide = make({.domains = {"y.example"}, .common_name = "wide"});
    const auto closed = make({.emails = {"closed@x.example"}});
    return person("bob", "bob@x.example", {text_of(bob)}) +
           person("bag", "bag@x.example", {},
                  {bag_of({wide, make({.emails = {"bag@x.example"}, .common_name = "bagged"})})}) +
           person("two", "two@x.example", {text_of(older), text_of(newer), text_of(future)}) +
           person("old", "old@x.example", {text_of(expired)}) +
           person("signer", "signer@x.example", {text_of(signing)}) +
           person("mixed", "mixed@x.example", {text_of(strange), text_of(trusted)}) +
           person("wrong", "wrong@x.example", {text_of(bob)}) +
           person("bare", "bare@x.example", {}) +
           person("broken", "broken@x.example", {}, {"no certificate"}) +
           person("half", "half@x.example", {text_of(make({.emails = {"half@x.example"}}))},
                  {"no certificate"}) +
           person("wide", "postmaster@y.example", {text_of(wide)}) +
           person("star", "a\\2a@x.example", {text_of(make({.emails = {"a*@x.example"}}))}) +
           person("hush", "closed@x.example", {text_of(closed)}, {}, "ou=closed,");
}

class KeyDirectoriesTest : public KeyLookupTest {
protected:
    static void SetUpTestSuite() { slapd_ = SlapdServer::start(many_people()).release(); }
    static void TearDownTestSuite() { delete slapd_; }
    void SetUp() override {
        if (!slapd_) GTEST_SKIP() << "slapd is not installed";
    }
    static std::string ldap(const std::string& base = "dc=example",
                            const std::string& filter = "(mail=%e)") {
        return "ldap://127.0.0.1:" + std::to_string(slapd_->port()) + "/" + base + "??sub?" +
               filter + "\n";
    }
    void use(const std::string& url, const std::string& more = "trust = no\n") {
        configure("[directory:staff]\nurl = " + url + more);
    }
    KeyAnswer ask(const std::string& address) {
        return KeyLookupTest::ask("directory:staff", address);
    }

    static inline SlapdServer* slapd_ = nullptr;
};

TEST_F(KeyDirectoriesTest, FindsACertificateByAddress) {
    use(ldap());
    const KeyAnswer answer = ask("Bob@X.Example");
    ASSERT_EQ(said(answer), "found") << answer.why;
    EXPECT_EQ(answer.key.certificate->common_name(), "bob");
    EXPECT_EQ(answer.key.source, RecipientKey::Source::directory);
    EXPECT_EQ(answer.key.match, RecipientKey::Match::address);
    EXPECT_EQ(answer.key.name, "staff");
    EXPECT_EQ(answer.why, "directory:staff: serial " + answer.key.certificate->serial());
}

TEST_F(KeyDirectoriesTest, FindsACertificateInABag) {
    use(ldap());
    const KeyAnswer answer = ask("bag@x.example");
    ASSERT_EQ(said(answer), "found") << answer.why;
    EXPECT_EQ(answer.key.certificate->common_name(), "bagged");
}

TEST_F(KeyDirectoriesTest, TakesTheLatestThatIsUsable) {
    use(ldap());
    const KeyAnswer answer = ask("two@x.example");
    ASSERT_EQ(said(answer), "found") << answer.why;
    EXPECT_EQ(answer.key.certificate->common_name(), "newer");
}

TEST_F(KeyDirectoriesTest, FindsTheCertificateOfADomain) {
    use(ldap("dc=example", "(mail=postmaster@%d)"));
    const KeyAnswer answer = ask("anybody@y.example");
    ASSERT_EQ(said(answer), "found") << answer.why;
    EXPECT_EQ(answer.key.match, RecipientKey::Match::domain);
}

TEST_F(KeyDirectoriesTest, SaysWhyThereIsNoKey) {
    use(ldap());
    struct Case {
        const char* address;
        const char* want;
    };
    for (const auto& [address, want] : {
             Case{"nobody@x.example", "none: directory:staff: no certificate"},
             Case{"bare@x.example", "none: directory:staff: no certificate"},
             Case{"old@x.example", "none: directory:staff: 1 certificate, none usable (expired)"},
             Case{"signer@x.example",
                  "none: directory:staff: 1 certificate, none usable (bad-key-usage)"},
             Case{"wrong@x.example", "none: directory:staff: 1 certificate, none for this address"},
             Case{"broken@x.example", "none: directory:staff: its values are no certificates"},
             Case{"bob@[127.0.0.1]", "none: directory:staff: the address has no domain name"},
             Case{"bob@", "none: directory:staff: the address has no domain name"},
             Case{"bob", "none: directory:staff: the address has no domain name"},
             Case{"", "none: directory:staff: the address has no domain name"},
         }) {
        EXPECT_EQ(text(ask(address)), want) << address;
    }
    EXPECT_EQ(said(ask("half@x.example")), "found") << "one value is broken, the other is not";
}

// Each would find somebody if it were part of the filter.
TEST_F(KeyDirectoriesTest, LetsNoAddressWriteTheFilter) {
    use(ldap());
    for (const std::string& address :
         {std::string("*@x.example"), std::string("*)(uid=*@x.example"),
          std::string("bob@x.example)(uid=*@x.example"), std::string("b\\6fb@x.example"),
          std::string("%62ob@x.example"), std::string("b*@x.example"),
          std::string("x)(|(mail=bob@x.example"), std::string("bo\0b@x.example", 14)}) {
        const KeyAnswer answer = ask(address);
        EXPECT_NE(said(answer), "found") << address;
        EXPECT_NE(said(answer), "temporary") << address << " " << answer.why;
    }
}

TEST_F(KeyDirectoriesTest, LetsNoAddressWriteTheBase) {
    use(ldap("uid=%e,dc=example", "(objectClass=*)"));
    for (const char* address : {"bob,dc=example?x@x.example", "bob+uid=bob@x.example"}) {
        EXPECT_EQ(text(ask(address)), "none: directory:staff: no such entry") << address;
    }
}

TEST_F(KeyDirectoriesTest, TellsAnAbsentEntryFromAnAbsentBase) {
    use(ldap("ou=%d,dc=example", "(mail=%e)"));
    EXPECT_EQ(text(ask("bob@x.example")), "none: directory:staff: no such entry");
    use(ldap("ou=stuff,dc=example", "(mail=%e)"));
    EXPECT_EQ(text(ask("bob@x.example")),
              "temporary: directory:staff: there is no such base to search in");
}

TEST_F(KeyDirectoriesTest, TrustsWhomTheJudgeTrusts) {
    use(ldap(), "trust = yes\n");
    EXPECT_EQ(text(ask("bob@x.example")),
              "none: directory:staff: 1 certificate, none usable (untrusted: a stranger)");
    const KeyAnswer mixed = ask("mixed@x.example");
    ASSERT_EQ(said(mixed), "found") << mixed.why;
    EXPECT_EQ(mixed.key.certificate->common_name(), "Trusted") << "although the other is newer";
    configure("[directory:staff]\nurl = " + ldap(), nullptr);
    EXPECT_EQ(said(ask("mixed@x.example")), "none") << "nobody is trusted without authorities";
}

// Root, intermediate and leaf by openssl; the bag holds the intermediate, userCertificate does not.
TEST_F(KeyDirectoriesTest, BuildsTheChainOfABag) {
    const Files files;
    files.write("ca.ext", "basicConstraints=critical,CA:TRUE\nkeyUsage=keyCertSign,cRLSign\n");
    files.write("leaf.ext", "keyUsage=keyAgreement\nsubjectAltName=email:bob@x.example\n");
    const std::string make_files =
        "cd " + files.path +
        " && for n in root mid leaf; do openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 "
        "-nodes -keyout $n.key -out $n.csr -subj /CN=$n; done 2>/dev/null"
        " && openssl x509 -req -in root.csr -signkey root.key -extfile ca.ext -out root.pem -days 9"
        " && openssl x509 -req -in mid.csr -CA root.pem -CAkey root.key -extfile ca.ext "
        "-out mid.pem -days 9"
        " && openssl x509 -req -in leaf.csr -CA mid.pem -CAkey mid.key -extfile leaf.ext "
        "-out leaf.pem -days 9";
    ASSERT_EQ(std::system(("{ " + make_files + "; } 2>/dev/null").c_str()), 0);
    const auto certificate = [&](const std::string& name) {
        return read_certificates(read_small_file(files.path + "/" + name)->bytes())->at(0);
    };
    const auto leaf = certificate("leaf.pem"), mid = certificate("mid.pem");
    const auto server =
        SlapdServer::start(person("bag", "bob@x.example", {}, {bag_of({leaf, mid})}) +
                           person("bare", "bare@x.example", {text_of(leaf)}));
    ASSERT_NE(server, nullptr);
    TrustOptions options;
    options.ca_files = {files.path + "/root.pem"};
    Complaints complaints, warnings;
    const auto anchors = TrustAnchors::load(options, "[trust:smime]", complaints, warnings);
    const std::string url =
        "[directory:staff]\nurl = ldap://127.0.0.1:" + std::to_string(server->port()) +
        "/dc=example??sub?";
    configure(url + "(mail=%e)\n", judge_by(anchors));
    EXPECT_EQ(text(ask("bob@x.example")), "found: directory:staff: serial " + leaf->serial());
    configure(url + "(mail=bare@%d)\n", judge_by(anchors));
    const std::string bare = text(ask("bob@x.example"));
    EXPECT_TRUE(bare.starts_with("none: directory:staff: 1 certificate, none usable (untrusted: "))
        << bare;
}

TEST_F(KeyDirectoriesTest, BindsAsItIsTold) {
    const Files files;
    const std::string closed = ldap();
    use(closed);
    EXPECT_EQ(said(ask("closed@x.example")), "none");
    use(closed, "trust = no\nbind-dn = cn=gate,dc=example\npassword-file = " +
                    files.write("right", "secret\n") + "\n");
    EXPECT_EQ(said(ask("closed@x.example")), "found");
    use(closed, "trust = no\nbind-dn = cn=gate,dc=example\npassword-file = " +
                    files.write("wrong", "hunter2\n") + "\n");
    const KeyAnswer refused = ask("closed@x.example");
    EXPECT_EQ(text(refused), "temporary: directory:staff: Login denied");
}

TEST_F(KeyDirectoriesTest, KeepsAnswersOfBothKinds) {
    use(ldap());
    for (const char* address : {"bob@x.example", "nobody@x.example"}) {
        const std::string first = text(ask(address));
        EXPECT_FALSE(at_once_);
        EXPECT_EQ(text(ask(address)), first);
        EXPECT_TRUE(at_once_);
        EXPECT_EQ(text(ask(std::string(address) + ".")), first) << "the same domain";
        EXPECT_TRUE(at_once_);
    }
    const auto statistics = directories_->statistics();
    EXPECT_EQ(statistics.asked, 2U);
    EXPECT_EQ(statistics.cache_hits, 4U);
    EXPECT_EQ(statistics.cached, 2U);
    EXPECT_EQ(statistics.found, 1U);
    EXPECT_EQ(statistics.none, 1U);
    EXPECT_EQ(statistics.pending, 0U);
}

TEST_F(KeyDirectoriesTest, ForgetsAtAReloadAndWithoutACache) {
    use(ldap());
    EXPECT_EQ(said(ask("bob@x.example")), "found");
    use(ldap(), "trust = no\ncache = 0s\n");
    EXPECT_EQ(said(ask("bob@x.example")), "found");
    EXPECT_FALSE(at_once_);
    EXPECT_EQ(said(ask("bob@x.example")), "found");
    EXPECT_FALSE(at_once_);
}

TEST_F(KeyDirectoriesTest, AsksOnceForAllWhoWait) {
    use(ldap());
    int found = 0;
    std::vector<KeyDirectories::Ticket> tickets(50);
    for (auto& ticket : tickets) {
        EXPECT_FALSE(directories_->ask(
            "directory:staff", "bob@x.example",
            [&](const KeyAnswer& answer) { found += said(answer) == "found"; }, ticket));
    }
    tickets[0].cancel();
    EXPECT_TRUE(loop_.run_until([&] { return found == 49; }, 10'000)) << found;
    EXPECT_EQ(directories_->statistics().asked, 1U);
}

TEST_F(KeyDirectoriesTest, GoesOnWhenNobodyWaits) {
    use(ldap());
    {
        KeyDirectories::Ticket dropped;
        EXPECT_FALSE(directories_->ask(
            "directory:staff", "bob@x.example", [](const KeyAnswer&) { FAIL(); }, dropped));
    }
    EXPECT_TRUE(loop_.run_until([&] { return directories_->statistics().cached == 1; }, 10'000));
    EXPECT_EQ(said(ask("bob@x.example")), "found");
    EXPECT_TRUE(at_once_);
}

TEST_F(KeyDirectoriesTest, GoesWhileQuestionsAreUnderWay) {
    use(ldap());
    KeyDirectories::Ticket ticket;
    EXPECT_FALSE(directories_->ask(
        "directory:staff", "bob@x.example", [](const KeyAnswer&) { FAIL(); }, ticket));
    directories_.reset();
    loop_.run_until([] { return false; }, 100);
}

TEST_F(KeyDirectoriesTest, SpeaksTlsAndBelievesOnlyTheAuthoritiesOfTls) {
    const Files files;
    const std::string make_files =
        "openssl req -x509 -newkey rsa:2048 -nodes -days 2 -keyout " + files.path +
        "/key.pem -out " + files.path +
        "/cert.pem -subj /CN=d.example -addext subjectAltName=DNS:d.example "
        "2>/dev/null";
    ASSERT_EQ(std::system(make_files.c_str()), 0);
    const auto server =
        SlapdServer::start(many_people(), files.path + "/cert.pem", files.path + "/key.pem");
    ASSERT_NE(server, nullptr);
    AddressAnswer here;
    here.outcome = DnsOutcome::found;
    here.addresses = {*IpAddress::parse("127.0.0.1")};
    resolver_.hosts["d.example"] = here;
    const std::string url =
        "ldaps://D.example:" + std::to_string(server->port()) + "/dc=example??sub?(mail=%e)\n";
    use(url);
    EXPECT_EQ(said(ask("bob@x.example")), "temporary") << "a stranger to the machine";
    // What [trust:tls] ca-files leads to.
    Config config;
    config.trust_tls.ca_system = false;
    config.trust_tls.ca_files = {files.path + "/cert.pem"};
    DirectoryOptions options;
    options.name = "staff";
    options.url = url.substr(0, url.size() - 1);
    options.trust = false;
    config.directories["staff"] = options;
    Complaints complaints;
    directories_->put_in_force(DirectoryBook::load(config, complaints), believe_names);
    EXPECT_TRUE(complaints.empty());
    EXPECT_EQ(text(ask("bob@x.example")).substr(0, 5), "found");
    EXPECT_EQ(said(ask("two@x.example")), "found");
}

}  // namespace
}  // namespace sealgate
