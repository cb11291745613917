// SPDX-License-Identifier: GPL-3.0-or-later
#include "smtp/key_search.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>

#include "core/limits.h"
#include "smtp/directory_answer.h"
#include "tests/smtp/key_lookup_fixture.h"
#include "tests/support/script_server.h"

namespace sealgate {
namespace {

class KeySearchTest : public KeyLookupTest {
protected:
    void SetUp() override {
        std::string pattern = std::filesystem::temp_directory_path() / "sealgate-search-XXXXXX";
        folder_ = mkdtemp(pattern.data());
        KeyRing::Options options;
        options.directory = folder_ + "/keys";
        std::string why;
        auto opened = KeyRing::open(&loop_, options, &why);
        ASSERT_TRUE(opened) << why;
        ring_ = *std::move(opened);
        configure("");
    }
    void TearDown() override {
        ring_.reset();
        std::error_code ignored;
        std::filesystem::remove_all(folder_, ignored);
    }
    void add(const std::string& name, const CertificatePtr& certificate) {
        bool written = false;
        ring_->add({name, certificate, {}}, [&](Result<void> done) { written = done.has_value(); });
        ASSERT_TRUE(loop_.run_until([&] { return written; }, 20'000));
    }
    void publish(const std::string& address, const CertificatePtr& certificate) {
        resolver_.smimea[*smimea_name_of(address)] = {
            DnsOutcome::found, true, {{3, 0, 0, der_of(certificate)}}};
    }
    void fail_dns(const std::string& address) {
        resolver_.smimea[*smimea_name_of(address)] = {DnsOutcome::temporary, false, {}};
    }
    std::unique_ptr<KeySearch> search(std::vector<std::string> sources,
                                      std::vector<std::string> addresses) {
        return std::make_unique<KeySearch>(*ring_, directories_.get(), std::move(sources),
                                           std::move(addresses), loop_.wall_seconds());
    }
    // One line for each answer.
    std::string answers(std::vector<std::string> sources, std::vector<std::string> addresses) {
        const auto search = this->search(std::move(sources), std::move(addresses));
        int calls = 0;
        at_once_ = search->start([&] { ++calls; });
        EXPECT_EQ(calls, 0) << "called back from inside the call";
        if (!at_once_) {
            EXPECT_TRUE(loop_.run_until([&] { return calls > 0; }, 20'000));
            loop_.run_until([] { return false; }, 10);
            EXPECT_EQ(calls, 1);
        }
        std::string lines;
        for (const KeyAnswer& answer : search->answers()) lines += text(answer) + "\n";
        return lines;
    }

    std::string folder_;
    std::unique_ptr<KeyRing> ring_;
};

TEST_F(KeySearchTest, FindsLocalKeysAtOnceAndInOrder) {
    add("bob", make({.emails = {"bob@x.example"}}));
    add("partner", make({.domains = {"y.example"}}));
    ring_->harvest({"ann@x.example", make({.emails = {"ann@x.example"}}), {}, 1, 1});
    EXPECT_EQ(answers({"local"}, {"ann@x.example", "nobody@x.example", "bob@x.example",
                                  "all@y.example", "bob@x.example"}),
              "found: local: harvested key (address)\n"
              "none: local: no key\n"
              "found: local: manual key bob (address)\n"
              "found: local: manual key partner (domain)\n"
              "found: local: manual key bob (address)\n");
    EXPECT_TRUE(at_once_);
}

TEST_F(KeySearchTest, NeedsNoDirectoriesForLocalKeys) {
    KeySearch none(*ring_, nullptr, {"local"}, {}, loop_.wall_seconds());
    EXPECT_TRUE(none.start([] { FAIL(); }));
    EXPECT_TRUE(none.answers().empty());
    KeySearch one(*ring_, nullptr, {"local", "smimea"}, {"bob@x.example"}, loop_.wall_seconds());
    EXPECT_TRUE(one.start([] { FAIL(); }));
    EXPECT_EQ(text(one.answers()[0]), "temporary: local: no key; smimea: cannot be asked");
}

TEST_F(KeySearchTest, AsksSourcesInOrderUntilOneHasAKey) {
    const auto bob = make({.emails = {"bob@x.example"}});
    add("bob", bob);
    publish("bob@x.example", bob);
    publish("ann@x.example", make({.emails = {"ann@x.example"}}));
    EXPECT_EQ(answers({"smimea", "local"}, {"bob@x.example"}),
              "found: smimea: serial " + bob->serial() + "\n");
    EXPECT_EQ(answers({"local", "smimea"}, {"bob@x.example"}),
              "found: local: manual key bob (address)\n");
    EXPECT_TRUE(at_once_);
    resolver_.asked.clear();
    const std::string mixed =
        answers({"local", "smimea"}, {"bob@x.example", "ann@x.example", "nobody@x.example"});
    EXPECT_FALSE(at_once_);
    EXPECT_TRUE(
        mixed.starts_with("found: local: manual key bob (address)\n"
                          "found: local: no key; smimea: serial "))
        << mixed;
    EXPECT_TRUE(mixed.ends_with("\nnone: local: no key; smimea: no such domain\n")) << mixed;
    EXPECT_EQ(resolver_.asked.size(), 2U) << "bob was found";
    EXPECT_EQ(answers({"smimea", "local"}, {"nobody@x.example"}),
              "none: smimea: no such domain; local: no key\n");
}

TEST_F(KeySearchTest, EndsAtASourceThatCannotBeReached) {
    add("bob", make({.emails = {"bob@x.example"}}));
    fail_dns("bob@x.example");
    EXPECT_EQ(answers({"smimea", "local"}, {"bob@x.example"}),
              "temporary: smimea: no answer from DNS\n");
    EXPECT_EQ(answers({"local", "smimea"}, {"bob@x.example"}),
              "found: local: manual key bob (address)\n");
    EXPECT_EQ(answers({"directory:gone", "local"}, {"bob@x.example"}),
              "temporary: directory:gone: is not configured\n");
    EXPECT_TRUE(at_once_);
}

TEST_F(KeySearchTest, AsksForTheSameAddressOnce) {
    publish("bob@x.example", make({.emails = {"bob@x.example"}}));
    const std::vector<std::string> bobs(10, "bob@x.example");
    const std::string lines = answers({"smimea"}, bobs);
    EXPECT_EQ(std::count(lines.begin(), lines.end(), '\n'), 10);
    EXPECT_EQ(resolver_.asked.size(), 1U);
}

TEST_F(KeySearchTest, AsksForManyAFewAtATime) {
    std::vector<std::string> addresses;
    for (int i = 0; i < 1000; ++i) addresses.push_back(std::to_string(i) + "@x.example");
    const auto search = this->search({"local", "smimea"}, addresses);
    bool done = false;
    EXPECT_FALSE(search->start([&] { done = true; }));
    std::size_t most = 0;
    EXPECT_TRUE(loop_.run_until(
        [&] {
            most = std::max(most, directories_->statistics().pending);
            return done;
        },
        20'000));
    EXPECT_EQ(most, limits::key_questions_per_message_max);
    EXPECT_EQ(directories_->statistics().asked, 1000U);
    for (const KeyAnswer& answer : search->answers()) EXPECT_EQ(said(answer), "none");
}

TEST_F(KeySearchTest, IsNotDelayedByAnotherMessagesDirectory) {
    const auto peer = ScriptServer::start("support/ldap_peer.py", {"silent"});
    ASSERT_NE(peer, nullptr);
    configure("[directory:slow]\ntimeout = 30s\nurl = ldap://127.0.0.1:" +
              std::to_string(peer->port()) + "/dc=example??sub?(mail=%e)\n");
    const auto slow = search({"local", "directory:slow"}, {"bob@x.example"});
    EXPECT_FALSE(slow->start([] { FAIL(); }));
    publish("bob@x.example", make({.emails = {"bob@x.example"}}));
    EXPECT_EQ(answers({"local", "smimea"}, {"bob@x.example"}).substr(0, 5), "found");
}

TEST_F(KeySearchTest, DropsItsQuestionsWhenItGoes) {
    auto search = this->search({"smimea"}, {"bob@x.example", "ann@x.example"});
    EXPECT_FALSE(search->start([] { FAIL(); }));
    search.reset();
    loop_.run_until([] { return false; }, 50);
}

TEST_F(KeySearchTest, MayGoInsideItsOwnCallback) {
    auto search = this->search({"smimea"}, {"bob@x.example", "ann@x.example"});
    bool called = false;
    EXPECT_FALSE(search->start([&] {
        called = true;
        search.reset();
    }));
    EXPECT_TRUE(loop_.run_until([&] { return called; }, 10'000));
    EXPECT_EQ(search, nullptr);
    EXPECT_EQ(directories_->statistics().pending, 0U);
}

}  // namespace
}  // namespace sealgate
