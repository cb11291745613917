// SPDX-License-Identifier: GPL-3.0-or-later
// Asking whether a path was revoked: what is at hand, and lists that are fetched, from a server of
// ours that counts.
#include "crypto/revocation.h"

#include "core/limits.h"
#include "crypto/base64.h"
#include "tests/crypto/revocation_asking_fixture.h"
#include "tests/support/slapd_server.h"

namespace sealgate::test {
namespace {

using RevocationTest = RevocationAsking;

// --- what is at hand -----------------------------------------------------------------------------

TEST_F(RevocationTest, OffAsksNobodyAndBelievesAll) {
    const auto off = make(options(Mode::off, true, true), {{"mid", {{certificate("leaf")}}}});
    expect("on a list", ask(*off, path_of(certificate("leaf"))), Reason::ok);
    const CertificatePtr leaf = person_with(lists_at({url("file/none")}));
    expect("with an address", ask(*off, path_of(leaf)), Reason::ok);
    EXPECT_EQ(requests("file"), 0u);
}

TEST_F(RevocationTest, LooksAtEveryCertificateButTheAnchor) {
    const std::vector<CertificatePtr> path = path_of(certificate("leaf"));
    const CrlPlan leaf_list{"mid"}, mid_list{"root"}, bad_leaf{"mid", {{certificate("leaf")}}},
        bad_mid{"root", {{certificate("mid")}}}, bad_root{"root", {{certificate("root")}}};
    const struct {
        const char* name;
        std::vector<CrlPlan> lists;
        Reason prefer, require;
        const char* why;
    } cases[] = {
        {"both good", {leaf_list, mid_list}, Reason::ok, Reason::ok, ""},
        {"none", {}, Reason::ok, Reason::revocation_unknown, "the certificate: no revocation list"},
        {"the leaf's missing",
         {mid_list},
         Reason::ok,
         Reason::revocation_unknown,
         "the certificate: no revocation list"},
        {"the issuer's missing",
         {leaf_list},
         Reason::ok,
         Reason::revocation_unknown,
         "its issuer 1: no revocation list"},
        {"leaf revoked",
         {bad_leaf, mid_list},
         Reason::revoked,
         Reason::revoked,
         "the certificate: revoked, says a revocation list"},
        {"leaf revoked, issuer unknown", {bad_leaf}, Reason::revoked, Reason::revoked, ""},
        {"issuer revoked",
         {leaf_list, bad_mid},
         Reason::revoked,
         Reason::revoked,
         "its issuer 1: revoked, says a revocation list"},
        {"issuer revoked, leaf unknown", {bad_mid}, Reason::revoked, Reason::revoked, ""},
        {"the anchor", {leaf_list, bad_root}, Reason::ok, Reason::ok, ""},
    };
    for (const auto& row : cases) {
        expect(row.name, ask(*make(options(Mode::prefer, false, false), row.lists), path),
               row.prefer);
        expect(row.name, ask(*make(options(Mode::require, false, false), row.lists), path),
               row.require, row.why);
    }
    const auto strict = make_strict();
    expect("the anchor alone", ask(*strict, {certificate("root")}), Reason::ok);
    expect("nobody", ask(*strict, {}), Reason::ok);
}

TEST_F(RevocationTest, ListsOfTheMessageCountLikeAny) {
    const auto path = short_path_of(certificate("leaf"));
    const auto strict = make(options(Mode::require, false, false));
    const auto crl = [&](const CrlPlan& plan) { return make_crl(authority(), plan); };
    const CrlPlan bad{"mid", {{certificate("leaf")}}};
    CrlPlan forged = bad, undated{"mid"}, old{"mid"};
    forged.signer = "root";
    undated.next_update = 0;
    old.next_update = -60;
    expect("good", ask(*strict, path, {crl({"mid"})}), Reason::ok);
    expect("revoked", ask(*strict, path, {crl({"root"}), crl(bad)}), Reason::revoked);
    expect("forged", ask(*strict, path, {crl(forged)}), Reason::revocation_unknown);
    expect("that never runs out", ask(*strict, path, {crl(undated)}), Reason::revocation_unknown);
    expect("out of date", ask(*strict, path, {crl(old)}), Reason::revocation_unknown);
    expect("no list", ask(*strict, path, {Bytes{0x30, 0x00}}), Reason::revocation_unknown);
    expect("then", ask(*strict, path, {crl({"mid"})}, 8), Reason::revocation_unknown);
    forged.entries.clear();
    forged.this_update = -1;
    expect("forged, to hide the operator's",
           ask(*make(options(Mode::require, false, false), {bad}), path, {crl(forged)}),
           Reason::revoked);
}

// --- lists that are fetched ----------------------------------------------------------------------

TEST_F(RevocationTest, FetchesAListOnce) {
    serve("once.crl", make_crl(authority(), {"mid"}));
    const CertificatePtr leaf = person_with(lists_at({url("file/once.crl")}));
    const CertificatePtr other = person_with(lists_at({url("file/once.crl")}));
    const auto strict = make_strict();
    expect("fetched", ask(*strict, short_path_of(leaf)), Reason::ok);
    expect("kept", ask(*strict, short_path_of(leaf)), Reason::ok);
    expect("kept for another", ask(*strict, short_path_of(other)), Reason::ok);
    EXPECT_EQ(requests("file/once.crl"), 1u);
    expect("out of date by then", ask(*strict, short_path_of(leaf), {}, 8),
           Reason::revocation_unknown, "out of date");
    EXPECT_EQ(requests("file/once.crl"), 2u);
}

TEST_F(RevocationTest, ManyThatWaitForOneListFetchItOnce) {
    serve("crowd.crl", make_crl(authority(), {"mid"}));
    const CertificatePtr leaf = person_with(lists_at({url("late/0.3/crowd.crl")}));
    const auto strict = make_strict();
    std::vector<Told> told(50);
    std::vector<Revocation::Ticket> tickets;
    for (Told& each : told) tickets.push_back(begin(*strict, short_path_of(leaf), each));
    ASSERT_TRUE(loop_.run_until(
        [&] {
            return std::all_of(told.begin(), told.end(), [](const Told& t) { return t.is_told; });
        },
        10'000));
    for (const Told& each : told) expect("one of many", each, Reason::ok);
    EXPECT_EQ(requests("late"), 1u);
}

TEST_F(RevocationTest, BelievesAFetchedListThatRevokes) {
    const CertificatePtr leaf = person_with(lists_at({url("file/bad.crl")}));
    serve("bad.crl", make_crl(authority(), {"mid", {{leaf, -60, 1}}}));
    expect("revoked", ask(*make_strict(), short_path_of(leaf)), Reason::revoked,
           "the certificate: revoked (keyCompromise), says a revocation list");
}

TEST_F(RevocationTest, FetchesForEachLevel) {
    authority().add("listed-mid",
                    {"root", "Listed", authority_extensions + lists_at({url("file/root.crl")})});
    authority().add("listed-leaf",
                    {"listed-mid", "Bob", person_extensions + lists_at({url("file/listed.crl")})});
    const std::vector<CertificatePtr> path{certificate("listed-leaf"), certificate("listed-mid"),
                                           certificate("root")};
    serve("listed.crl", make_crl(authority(), {"listed-mid"}));
    serve("root.crl", make_crl(authority(), {"root"}));
    expect("both good", ask(*make_strict(), path), Reason::ok);
    serve("root.crl", make_crl(authority(), {"root", {{certificate("listed-mid")}}}));
    expect("the issuer revoked", ask(*make_strict(), path), Reason::revoked,
           "its issuer 1: revoked");
}

TEST_F(RevocationTest, AsksNobodyWhatIsKnown) {
    const CertificatePtr leaf = person_with(lists_at({url("file/known.crl")}));
    const auto informed = make(options(Mode::require, true, false), {{"mid"}});
    expect("known", ask(*informed, short_path_of(leaf)), Reason::ok);
    const auto bad = make(options(Mode::require, true, false), {{"mid", {{leaf}}}});
    expect("known, and bad", ask(*bad, short_path_of(leaf)), Reason::revoked);
    EXPECT_EQ(requests("file/known.crl"), 0u);
}

TEST_F(RevocationTest, ReadsWhatServersSend) {
    const Bytes list = make_crl(authority(), {"mid"});
    serve("list.pem", as_bytes(to_pem("X509 CRL", list)));
    serve("moved.crl", list);
    const auto strict = make_strict();
    expect("PEM", ask(*strict, short_path_of(person_with(lists_at({url("file/list.pem")})))),
           Reason::ok);
    expect("moved", ask(*strict, short_path_of(person_with(lists_at({url("moved/moved.crl")})))),
           Reason::ok);
}

TEST_F(RevocationTest, WhatFailsIsToldAndLeftAlone) {
    CrlPlan old{"mid"};
    old.next_update = -60;
    serve("old.crl", make_crl(authority(), old));
    serve("strange.crl", make_crl(authority(), {"root"}));
    serve("text.crl", as_bytes("nothing\n"));
    const struct {
        const char* path;
        const char* why;
        std::size_t requests;
    } cases[] = {
        {"file/none.crl", "127.0.0.1:", 1},
        {"file/old.crl", "its revocation list is out of date", 1},
        {"file/text.crl", "not a revocation list", 1},
        {"huge", "127.0.0.1:", 1},
        {"file/strange.crl", "no revocation list", 1},
    };
    const auto strict = make_strict();
    for (const auto& row : cases) {
        const CertificatePtr leaf = person_with(lists_at({url(row.path)}));
        expect(row.path, ask(*strict, short_path_of(leaf)), Reason::revocation_unknown, row.why);
        expect(row.path, ask(*strict, short_path_of(leaf)), Reason::revocation_unknown);
        EXPECT_EQ(requests(row.path), row.requests) << row.path;
        expect(row.path, ask(*make(options(Mode::prefer, true, false)), short_path_of(leaf)),
               Reason::ok);
    }
    const CertificatePtr leaf = person_with(lists_at({"http://127.0.0.1:9/x"}));
    expect("a dead server", ask(*strict, short_path_of(leaf)), Reason::revocation_unknown,
           "127.0.0.1:9: ");
}

TEST_F(RevocationTest, TriesTheNextAddress) {
    serve("second.crl", make_crl(authority(), {"mid"}));
    const std::string good = url("file/second.crl"), none = url("file/none-");
    const auto strict = make_strict();
    const CertificatePtr leaf = person_with(lists_at({none + "1", "http://127.0.0.1:9/", good}));
    expect("the third", ask(*strict, short_path_of(leaf)), Reason::ok);
    EXPECT_EQ(requests("file/none-1"), 1u);
    static_assert(limits::revocation_sources_max == 4);
    const CertificatePtr far =
        person_with(lists_at({none + "2", none + "3", none + "4", none + "5", good + "?"}));
    expect("the fifth", ask(*strict, short_path_of(far)), Reason::revocation_unknown);
    EXPECT_EQ(requests("file/second.crl"), 1u);
}

// A list of another scope is no answer, and the next address may have the right one.
TEST_F(RevocationTest, GathersPartsOfAList) {
    const auto part = [&](const std::string& reasons, const CertificatePtr& revoked) {
        CrlPlan plan{"mid"};
        plan.extensions = {{"issuingDistributionPoint", "critical,onlysomereasons:" + reasons}};
        if (revoked) plan.entries.push_back({revoked});
        return make_crl(authority(), plan);
    };
    const CertificatePtr leaf =
        person_with(lists_at({url("file/part-1.crl"), url("file/part-2.crl")}));
    const CrlPlan whole{"mid"};
    serve("part-1.crl", part("keyCompromise", nullptr));
    serve("part-2.crl", make_crl(authority(), whole));
    expect("the rest on the second", ask(*make_strict(), short_path_of(leaf)), Reason::ok);
    serve("part-2.crl", part("superseded", nullptr));
    expect("reasons left over", ask(*make_strict(), short_path_of(leaf)),
           Reason::revocation_unknown);
    serve("part-2.crl", part("superseded", leaf));
    expect("on the second", ask(*make_strict(), short_path_of(leaf)), Reason::revoked);
}

TEST_F(RevocationTest, WaitsForSlowServersSoLongAndNoLonger) {
    static_assert(limits::revocation_wait_ms == 10'000);
    serve("slow.crl", make_crl(authority(), {"mid"}));
    const CertificatePtr leaf = person_with(lists_at({url("late/14/slow.crl")}));
    const CertificatePtr other = person_with(lists_at({url("silent")}));
    const auto strict = make_strict();
    const auto begin_at = std::chrono::steady_clock::now();
    Told slow, silent;
    const auto first = begin(*strict, short_path_of(leaf), slow);
    const auto second = begin(*strict, short_path_of(other), silent);
    ASSERT_TRUE(loop_.run_until([&] { return slow.is_told && silent.is_told; }, 30'000));
    const auto waited = std::chrono::steady_clock::now() - begin_at;
    EXPECT_GE(waited, std::chrono::milliseconds(9'900));
    EXPECT_LT(waited, std::chrono::milliseconds(13'500));
    expect("slow", slow, Reason::revocation_unknown, "the certificate: no answer in time");
    expect("silent", silent, Reason::revocation_unknown, "no answer in time");
    // Others do not wait for it as long, and what came too late is there for the next.
    expect("while it is under way", ask(*strict, short_path_of(leaf)), Reason::revocation_unknown,
           "no answer yet");
    EXPECT_LT(std::chrono::steady_clock::now() - begin_at, std::chrono::milliseconds(13'900));
    loop_.run_until([] { return false; }, 5'000);
    expect("later", ask(*strict, short_path_of(leaf)), Reason::ok);
    EXPECT_EQ(requests("late/14"), 1u);
}

TEST_F(RevocationTest, WhoDropsTheTicketIsNotCalled) {
    serve("dropped.crl", make_crl(authority(), {"mid"}));
    const CertificatePtr leaf = person_with(lists_at({url("late/0.2/dropped.crl")}));
    auto strict = make_strict();
    Told dropped, kept, off_dropped;
    auto ticket = begin(*strict, short_path_of(leaf), dropped);
    const auto stays = begin(*strict, short_path_of(leaf), kept);
    ticket.cancel();
    auto off = make(options(Mode::off, false, false));
    { const auto gone = begin(*off, short_path_of(leaf), off_dropped); }
    ASSERT_TRUE(loop_.run_until([&] { return kept.is_told; }, 10'000));
    EXPECT_FALSE(dropped.is_told);
    EXPECT_FALSE(off_dropped.is_told);
    EXPECT_EQ(requests("late"), 1u);

    // Nor whoever waits for one that is gone, at any point of it.
    for (const int rounds : {0, 1, 2, 5, 50}) {
        const CertificatePtr next =
            person_with(lists_at({url("late/0.05/dropped.crl?" + std::to_string(rounds))}));
        Told told;
        strict = make_strict();
        const auto held = begin(*strict, short_path_of(next), told);
        for (int round = 0; round < rounds; ++round) loop_.run_until([] { return false; }, 2);
        const bool was_told = told.is_told;
        strict.reset();
        loop_.run_until([] { return false; }, 150);
        EXPECT_EQ(told.is_told, was_told);
    }
}

TEST_F(RevocationTest, MayBeDestroyedByItsAnswer) {
    serve("last.crl", make_crl(authority(), {"mid"}));
    const CertificatePtr leaf = person_with(lists_at({url("file/last.crl")}));
    auto strict = make_strict();
    bool is_told = false;
    const auto ticket = strict->check(short_path_of(leaf), {}, std::time(nullptr),
                                      [&](Reason reason, const std::string&) {
                                          EXPECT_EQ(reason, Reason::ok);
                                          is_told = true;
                                          strict.reset();
                                      });
    EXPECT_TRUE(loop_.run_until([&] { return is_told; }, 10'000));
}

TEST_F(RevocationTest, AReloadKeepsWhatWasFetched) {
    serve("reload.crl", make_crl(authority(), {"mid"}));
    const CertificatePtr leaf = person_with(lists_at({url("file/reload.crl")}));
    auto first = make_strict();
    expect("before", ask(*first, short_path_of(leaf)), Reason::ok);
    Complaints none;
    const auto files = CrlFiles::load({}, "[trust:smime]", none, none);
    const auto second = first->renewed(options(Mode::require, true, false), files);
    first.reset();
    expect("after", ask(*second, short_path_of(leaf)), Reason::ok);
    EXPECT_EQ(requests("file/reload.crl"), 1u);
    const auto third = second->renewed(options(Mode::require, false, false), files);
    expect("no longer asked for", ask(*third, short_path_of(leaf)), Reason::revocation_unknown);
}

TEST_F(RevocationTest, WithoutAFetcherNobodyIsAsked) {
    serve("alone.crl", make_crl(authority(), {"mid"}));
    const CertificatePtr leaf =
        person_with(lists_at({url("file/alone.crl")}) + responder_at(url("file/alone.ocsp")));
    Complaints complaints, warnings;
    const auto alone =
        Revocation::make(loop_, nullptr, workers_, options(Mode::require, true, true),
                         "[trust:smime]", complaints, warnings);
    expect("alone", ask(*alone, short_path_of(leaf)), Reason::revocation_unknown);
    EXPECT_EQ(requests("file/alone"), 0u);
}

TEST_F(RevocationTest, ReadsListsOfDirectories) {
    const std::string list = base64_of(make_crl(authority(), {"mid"}));
    const auto slapd = SlapdServer::start(
        "dn: cn=Mid,dc=example\nobjectClass: cRLDistributionPoint\ncn: Mid\n"
        "certificateRevocationList;binary:: " +
        list +
        "\n\n"
        "dn: cn=Empty,dc=example\nobjectClass: cRLDistributionPoint\ncn: Empty\n\n");
    if (!slapd) GTEST_SKIP() << "no slapd";
    const auto at = [&](const std::string& entry) {
        return person_with(lists_at({"ldap://127.0.0.1:" + std::to_string(slapd->port()) + "/cn=" +
                                     entry + "%2Cdc=example?certificateRevocationList;binary"}));
    };
    const auto strict = make_strict();
    expect("an entry", ask(*strict, short_path_of(at("Mid"))), Reason::ok);
    expect("an empty one", ask(*strict, short_path_of(at("Empty"))), Reason::revocation_unknown,
           "the entry holds no revocation list");
    expect("none", ask(*strict, short_path_of(at("Nobody"))), Reason::revocation_unknown,
           "127.0.0.1:");
}

}  // namespace
}  // namespace sealgate::test
