// SPDX-License-Identifier: GPL-3.0-or-later
// Asking responders: answers of ours from a server that counts, and OpenSSL's responder.
#include "core/limits.h"
#include "crypto/revocation_sources.h"
#include "tests/crypto/revocation_asking_fixture.h"

namespace sealgate::test {
namespace {

class RevocationOcsp : public RevocationAsking {
protected:
    using Status = OcspPlan::Status;

    std::shared_ptr<Revocation> make_asking(bool crl_fetch = false) {
        return make(options(Mode::require, crl_fetch, true));
    }
    // Its responder says so, under this name.
    static CertificatePtr person_answered(const std::string& name, OcspPlan plan,
                                          const std::string& extensions = "") {
        const CertificatePtr leaf = person_with(responder_at(url("file/" + name)) + extensions);
        plan.certificate = leaf;
        plan.issuer = certificate("mid");
        serve(name, make_ocsp_answer(authority(), plan));
        return leaf;
    }
    static OcspPlan says(Status status) {
        OcspPlan plan;
        plan.signer = "mid";
        plan.status = status;
        return plan;
    }
};

TEST_F(RevocationOcsp, AsksOnceAndKeepsTheAnswer) {
    const CertificatePtr leaf = person_answered("good", says(Status::good));
    const auto asking = make_asking();
    expect("asked", ask(*asking, short_path_of(leaf)), Reason::ok);
    expect("kept", ask(*asking, short_path_of(leaf)), Reason::ok);
    EXPECT_EQ(requests("file/good"), 1u);
    EXPECT_EQ(requests("file/good application/ocsp-request"), 1u);
    expect("out of date by then", ask(*asking, short_path_of(leaf), {}, 2),
           Reason::revocation_unknown, "its responder's answer is out of date");
    EXPECT_EQ(requests("file/good"), 2u);
}

TEST_F(RevocationOcsp, KeepsRevocationsToo) {
    OcspPlan plan = says(Status::revoked);
    plan.reason = 1;
    const CertificatePtr leaf = person_answered("bad", plan);
    const auto asking = make_asking();
    for (int i = 0; i < 3; ++i) {
        expect("revoked", ask(*asking, short_path_of(leaf)), Reason::revoked,
               "the certificate: revoked (keyCompromise), says its responder");
    }
    EXPECT_EQ(requests("file/bad"), 1u);
}

TEST_F(RevocationOcsp, ManyThatWaitAskOnce) {
    const CertificatePtr leaf = person_with(responder_at(url("late/0.3/crowd.ocsp")));
    OcspPlan plan = says(Status::good);
    plan.certificate = leaf;
    plan.issuer = certificate("mid");
    serve("crowd.ocsp", make_ocsp_answer(authority(), plan));
    const auto asking = make_asking();
    std::vector<Told> told(50);
    std::vector<Revocation::Ticket> tickets;
    for (Told& each : told) tickets.push_back(begin(*asking, short_path_of(leaf), each));
    ASSERT_TRUE(loop_.run_until(
        [&] {
            return std::all_of(told.begin(), told.end(), [](const Told& t) { return t.is_told; });
        },
        10'000));
    for (const Told& each : told) expect("one of many", each, Reason::ok);
    EXPECT_EQ(requests("late"), 1u);
}

TEST_F(RevocationOcsp, WhatHelpsNobodyIsFollowedByLists) {
    serve("whole.crl", make_crl(authority(), {"mid"}));
    const std::string list = lists_at({url("file/whole.crl")});
    OcspPlan strange = says(Status::good);
    strange.signer = "root";
    const struct {
        const char* name;
        CertificatePtr leaf;
        const char* why;
    } cases[] = {
        {"unknown", person_answered("unknown", says(Status::unknown), list),
         "its responder does not know it"},
        {"strange", person_answered("strange", strange, list),
         "its responder's answer is not its issuer's"},
        {"none", person_with(responder_at(url("file/nothing")) + list), "127.0.0.1:"},
        {"dead", person_with(responder_at("http://127.0.0.1:9/") + list), "127.0.0.1:9: "},
        {"huge", person_with(responder_at(url("huge")) + list), "127.0.0.1:"},
    };
    for (const auto& row : cases) {
        const auto asking = make_asking();
        expect(row.name, ask(*asking, short_path_of(row.leaf)), Reason::revocation_unknown,
               row.why);
        const std::size_t before = requests("");
        expect(row.name, ask(*asking, short_path_of(row.leaf)), Reason::revocation_unknown,
               row.why);
        EXPECT_EQ(requests(""), before) << row.name << ": asked again at once";
        const auto both = make_asking(true);
        expect(row.name, ask(*both, short_path_of(row.leaf)), Reason::ok);
    }
}

TEST_F(RevocationOcsp, IsAskedBeforeListsAreFetched) {
    serve("after.crl", make_crl(authority(), {"mid"}));
    const CertificatePtr leaf =
        person_answered("first", says(Status::revoked), lists_at({url("file/after.crl")}));
    expect("revoked", ask(*make_asking(true), short_path_of(leaf)), Reason::revoked);
    EXPECT_EQ(requests("file/after.crl"), 0u);
    const auto lists_only = make(options(Mode::require, true, false));
    expect("by the list alone", ask(*lists_only, short_path_of(leaf)), Reason::ok);
    EXPECT_EQ(requests("file/first"), 1u);
}

// One responder that is gone is not asked about each certificate again.
TEST_F(RevocationOcsp, ADeadResponderIsLeftAloneForAll) {
    const std::string dead = responder_at("http://127.0.0.1:9/");
    RevocationSources sources(loop_, &fetcher_, workers_);
    int failures = 0;
    for (int i = 0; i < 3; ++i) {
        const CertificatePtr leaf = person_with(dead);
        const auto ticket =
            sources.ask_responder("http://127.0.0.1:9/", leaf, certificate("mid"),
                                  std::time(nullptr), [&](const RevocationAnswer& answer) {
                                      EXPECT_FALSE(answer.why.empty());
                                      ++failures;
                                  });
        ASSERT_TRUE(loop_.run_until([&] { return failures == i + 1; }, 10'000));
    }
    EXPECT_EQ(sources.statistics().responders_asked, 1u);
    EXPECT_EQ(sources.statistics().failures, 1u);
}

TEST_F(RevocationOcsp, QuestionsAtOnceAreLimited) {
    RevocationSources sources(loop_, &fetcher_, workers_);
    std::vector<RevocationSources::Ticket> tickets;
    std::string told;
    for (std::size_t i = 0; i <= revocation_questions_max; ++i) {
        tickets.push_back(sources.fetch_lists(
            url("silent?" + std::to_string(i)), std::time(nullptr),
            [&](const RevocationLists&, const std::string& what) { told = what; }));
    }
    ASSERT_TRUE(loop_.run_until([&] { return !told.empty(); }, 5'000));
    EXPECT_EQ(told, "too many questions under way");
    EXPECT_EQ(sources.statistics().lists_fetched, list_fetches_max);
}

// --- OpenSSL's responder -------------------------------------------------------------------------

TEST_F(RevocationOcsp, UnderstandsOpenSslsResponder) {
    const TemporaryFolder folder;
    authority().add("responder", {"mid", "Responder",
                                  "keyUsage = digitalSignature\nextendedKeyUsage = OCSPSigning\n"});
    const CertificatePtr bad = certificate("leaf");
    authority().add("good", {"mid", "Good", person_extensions});
    const CertificatePtr good = certificate("good");
    authority().add("unheard-of", {"mid", "Unheard of", person_extensions});
    const std::string index = "V\t401231235959Z\t\t" + good->serial() + "\tunknown\t/CN=Good\n" +
                              "R\t401231235959Z\t200101000000Z,keyCompromise\t" + bad->serial() +
                              "\tunknown\t/CN=Bob\n";
    for (const std::string signer : {"mid", "responder"}) {
        const auto server = ScriptServer::start(
            "support/ocsp_responder.py",
            {"-index", folder.write("index.txt", index), "-CA", authority().file("mid"), "-rsigner",
             authority().file(signer), "-rkey", authority().key(signer), "-nmin", "5"});
        ASSERT_TRUE(server);
        const std::string at = "http://127.0.0.1:" + std::to_string(server->port()) + "/";
        RevocationSources sources(loop_, &fetcher_, workers_);
        const auto status_of = [&](const CertificatePtr& leaf) {
            std::optional<RevocationAnswer> told;
            const auto ticket =
                sources.ask_responder(at, leaf, certificate("mid"), std::time(nullptr),
                                      [&](const RevocationAnswer& answer) { told = answer; });
            EXPECT_TRUE(loop_.run_until([&] { return told.has_value(); }, 15'000));
            return told.value_or(RevocationAnswer());
        };
        using Answer = RevocationAnswer::Status;
        EXPECT_EQ(status_of(good).status, Answer::good) << signer << status_of(good).why;
        EXPECT_EQ(status_of(bad).status, Answer::revoked) << signer << status_of(bad).why;
        EXPECT_EQ(status_of(bad).why, "revoked (keyCompromise), says its responder");
        EXPECT_EQ(status_of(certificate("unheard-of")).status, Answer::unknown) << signer;
        EXPECT_EQ(sources.statistics().answers_kept, 2u);
    }
}

}  // namespace
}  // namespace sealgate::test
