// SPDX-License-Identifier: GPL-3.0-or-later
// Against a real slapd, a real HTTPS server, and servers that are slow, dead or talk nonsense.
#include "smtp/key_directories.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "core/limits.h"
#include "crypto/base64.h"
#include "crypto/pem.h"
#include "smtp/directory_answer.h"
#include "tests/smtp/key_lookup_fixture.h"
#include "tests/support/script_server.h"
#include "tests/support/slapd_server.h"

namespace sealgate {
namespace {

struct Files {
    Files() {
        std::string pattern = std::filesystem::temp_directory_path() / "sealgate-keys-XXXXXX";
        path = mkdtemp(pattern.data());
    }
    ~Files() {
        std::error_code ignored;
        std::filesystem::remove_all(path, ignored);
    }
    std::string write(const std::string& name, std::string_view text) const {
        std::ofstream(path + "/" + name, std::ios::binary) << text;
        return path + "/" + name;
    }
    std::string path;
};

std::string pem_of(const std::vector<CertificatePtr>& certificates) {
    std::string text;
    for (const auto& certificate : certificates) {
        text += as_text(write_pem("CERTIFICATE", certificate->der()).bytes());
    }
    return text;
}

// A bag of certificates as userSMIMECertificate holds it, by openssl.
std::string bag_of(const std::vector<CertificatePtr>& certificates) {
    const Files files;
    const std::string in = files.write("in.pem", pem_of(certificates));
    const std::string out = files.path + "/out.p7";
    const std::string command =
        "openssl crl2pkcs7 -nocrl -outform DER -certfile " + in + " -out " + out;
    EXPECT_EQ(std::system(command.c_str()), 0);
    std::ifstream file(out, std::ios::binary);
    return std::string(std::istreambuf_iterator<char>(file), {});
}

std::string text_of(const CertificatePtr& certificate) {
    return std::string(as_text(certificate->der()));
}

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
              "none: directory:staff: 1 certificate, none usable (untrusted)");
    const KeyAnswer mixed = ask("mixed@x.example");
    ASSERT_EQ(said(mixed), "found") << mixed.why;
    EXPECT_EQ(mixed.key.certificate->common_name(), "Trusted") << "although the other is newer";
    configure("[directory:staff]\nurl = " + ldap(), nullptr);
    EXPECT_EQ(said(ask("mixed@x.example")), "none") << "nobody is trusted without authorities";
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
    std::ifstream file(files.path + "/cert.pem");
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

// --- servers that are not well -------------------------------------------------------------------

class KeyDirectoriesTroubleTest : public KeyLookupTest {
protected:
    void use_peer(const std::string& way, const std::string& more = "timeout = 1s\n") {
        peer_ = ScriptServer::start("support/ldap_peer.py", {way});
        ASSERT_NE(peer_, nullptr);
        configure("[directory:staff]\nurl = ldap://127.0.0.1:" + std::to_string(peer_->port()) +
                  "/dc=example??sub?(mail=%e)\n" + more);
    }
    KeyAnswer ask(const std::string& address) {
        return KeyLookupTest::ask("directory:staff", address);
    }
    std::unique_ptr<ScriptServer> peer_;
};

TEST_F(KeyDirectoriesTroubleTest, NeverTakesAFailureForNoKey) {
    for (const char* way : {"silent", "search-silent", "half", "garbage", "full", "login-denied",
                            "busy", "referral", "no-such-object"}) {
        use_peer(way);
        const KeyAnswer answer = ask("bob@x.example");
        EXPECT_EQ(said(answer), "temporary") << way;
        EXPECT_TRUE(answer.why.starts_with("directory:staff: ")) << answer.why;
        EXPECT_EQ(text(ask("bob@x.example")), text(answer)) << way;
        EXPECT_TRUE(at_once_) << "kept for a while: " << way;
    }
    use_peer("well");
    EXPECT_EQ(said(ask("bob@x.example")), "none") << "a server that is well and knows nobody";
}

TEST_F(KeyDirectoriesTroubleTest, DoesNotWaitForADeadHostAgainAndAgain) {
    use_peer("silent");
    EXPECT_EQ(said(ask("bob@x.example")), "temporary");
    for (int i = 0; i < 100; ++i) {
        EXPECT_EQ(said(ask(std::to_string(i) + "@x.example")), "temporary");
        EXPECT_TRUE(at_once_);
    }
    EXPECT_EQ(directories_->statistics().asked, 1U);
}

TEST_F(KeyDirectoriesTroubleTest, AsksAgainAfterAWhile) {
    use_peer("busy");
    EXPECT_EQ(said(ask("bob@x.example")), "temporary");
    EXPECT_EQ(said(ask("ann@x.example")), "temporary");
    EXPECT_FALSE(at_once_) << "busy was for the other question";
    EXPECT_EQ(directories_->statistics().asked, 2U);
    loop_.run_until([] { return false; }, limits::directory_failure_kept_ms + 100);
    EXPECT_EQ(said(ask("bob@x.example")), "temporary");
    EXPECT_FALSE(at_once_);
}

TEST_F(KeyDirectoriesTroubleTest, IsNotDelayedByAnotherDirectory) {
    const auto well = ScriptServer::start("support/ldap_peer.py", {"well"});
    const auto silent = ScriptServer::start("support/ldap_peer.py", {"silent"});
    const auto directory = [](const char* name, std::uint16_t port) {
        return std::string("[directory:") + name +
               "]\ntimeout = 30s\nurl = ldap://127.0.0.1:" + std::to_string(port) +
               "/dc=example??sub?(mail=%e)\n";
    };
    configure(directory("well", well->port()) + directory("silent", silent->port()));
    std::vector<KeyDirectories::Ticket> tickets(200);
    for (std::size_t i = 0; i < tickets.size(); ++i) {
        EXPECT_FALSE(directories_->ask(
            "directory:silent", std::to_string(i) + "@x.example", [](const KeyAnswer&) {},
            tickets[i]));
    }
    const std::uint64_t begin = loop_.now_ms();
    for (int i = 0; i < 20; ++i) {
        EXPECT_EQ(said(KeyLookupTest::ask("directory:well", std::to_string(i) + "@x.example")),
                  "none");
    }
    EXPECT_LT(loop_.now_ms() - begin, 10'000U);
    EXPECT_EQ(directories_->statistics().pending, tickets.size());
}

TEST_F(KeyDirectoriesTroubleTest, TakesSoManyQuestionsAndNotOneMore) {
    use_peer("silent", "timeout = 1m\n");
    std::vector<KeyDirectories::Ticket> tickets(limits::key_questions_max);
    for (std::size_t i = 0; i < tickets.size(); ++i) {
        ASSERT_FALSE(directories_->ask(
            "directory:staff", std::to_string(i) + "@x.example", [](const KeyAnswer&) {},
            tickets[i]));
    }
    EXPECT_EQ(text(ask("one@x.example")),
              "temporary: directory:staff: too many questions under way");
    EXPECT_TRUE(at_once_);
    KeyDirectories::Ticket same;
    EXPECT_FALSE(directories_->ask(
        "directory:staff", "0@x.example", [](const KeyAnswer&) {}, same))
        << "a question that is under way already";
}

TEST_F(KeyDirectoriesTroubleTest, KnowsNoDirectoryThatIsNotConfigured) {
    EXPECT_EQ(text(KeyLookupTest::ask("directory:x", "bob@x.example")),
              "temporary: directory:x: is not configured");
    EXPECT_EQ(text(KeyLookupTest::ask("nonsense", "bob@x.example")),
              "temporary: nonsense: is not configured");
}

TEST_F(KeyDirectoriesTroubleTest, TellsAHostOfTheOperatorFromOneOfTheRecipient) {
    AddressAnswer silent;
    silent.outcome = DnsOutcome::temporary;
    resolver_.hosts["keys.silent.example"] = silent;
    configure(
        "[directory:fixed]\nurl = https://keys.x.example/%e\n"
        "[directory:theirs]\nurl = https://keys.%d/%e\n");
    EXPECT_EQ(text(KeyLookupTest::ask("directory:fixed", "bob@y.example")),
              "temporary: directory:fixed: keys.x.example: no such domain");
    EXPECT_EQ(text(KeyLookupTest::ask("directory:theirs", "bob@y.example")),
              "none: directory:theirs: keys.y.example: no such domain");
    EXPECT_EQ(text(KeyLookupTest::ask("directory:theirs", "bob@silent.example")),
              "temporary: directory:theirs: keys.silent.example: no answer from DNS");
}

// --- HTTPS ---------------------------------------------------------------------------------------

TEST_F(KeyDirectoriesTroubleTest, FetchesFilesByHttps) {
    const Files files;
    const std::string make_files =
        "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -keyout " +
        files.path + "/key.pem -out " + files.path +
        "/cert.pem -subj /CN=d.example -addext subjectAltName=DNS:keys.x.example 2>/dev/null";
    ASSERT_EQ(std::system(make_files.c_str()), 0);
    const auto bob = make({.emails = {"bob@x.example"}});
    files.write("bob@x.example", pem_of({bob}));
    files.write("der@x.example", text_of(make({.emails = {"der@x.example"}})));
    files.write("bag@x.example", bag_of({bob, make({.emails = {"bag@x.example"}})}));
    files.write("wrong@x.example", pem_of({bob}));
    files.write("empty@x.example", "");
    files.write("page@x.example", "<html>please log in</html>");
    const auto server = ScriptServer::start(
        "support/http_peer.py",
        {"--tls", files.path + "/cert.pem", files.path + "/key.pem", "--files", files.path});
    ASSERT_NE(server, nullptr);
    AddressAnswer here;
    here.outcome = DnsOutcome::found;
    here.addresses = {*IpAddress::parse("127.0.0.1")};
    resolver_.hosts["keys.x.example"] = here;
    Config config;
    config.trust_tls.ca_system = false;
    config.trust_tls.ca_files = {files.path + "/cert.pem"};
    DirectoryOptions options;
    options.name = "staff";
    options.url = "https://keys.%d:" + std::to_string(server->port()) + "/files/%e";
    options.trust = false;
    config.directories["staff"] = options;
    Complaints complaints;
    directories_->put_in_force(DirectoryBook::load(config, complaints), believe_names);
    for (const auto& [address, want] : {
             std::pair{"bob@x.example", "found: directory:staff: serial "},
             {"der@x.example", "found: directory:staff: serial "},
             {"bag@x.example", "found: directory:staff: serial "},
             {"wrong@x.example", "none: directory:staff: 1 certificate, none for this address"},
             {"empty@x.example", "none: directory:staff: no certificate"},
             {"absent@x.example", "none: directory:staff: no such entry"},
             {"page@x.example", "temporary: directory:staff: its answer is no certificate"},
             {"../files/bob@x.example", "none: directory:staff: no such entry"},
         }) {
        EXPECT_TRUE(text(ask(address)).starts_with(want)) << address << " " << text(ask(address));
    }
}

// --- SMIMEA --------------------------------------------------------------------------------------

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
             Case{{record(1, bob)}, "none: smimea: 1 certificate, none usable (untrusted)"},
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
