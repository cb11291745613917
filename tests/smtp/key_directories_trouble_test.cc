// SPDX-License-Identifier: GPL-3.0-or-later
// Servers that are slow, dead or talk nonsense; and HTTPS.
#include "smtp/key_directories.h"

#include <gtest/gtest.h>

#include "core/limits.h"
#include "tests/smtp/key_lookup_fixture.h"
#include "tests/support/script_server.h"

namespace sealgate {
namespace {

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

}  // namespace
}  // namespace sealgate
