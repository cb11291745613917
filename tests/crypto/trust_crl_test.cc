// SPDX-License-Identifier: GPL-3.0-or-later
// What revocation lists say of a certificate: PKITS 4.4 and 4.14 to 4.15 in the small, and lists
// that somebody made up.
#include "crypto/trust_crl.h"

#include <gtest/gtest.h>

#include <ctime>

#include "core/limits.h"
#include "crypto/trust_crl_files.h"
#include "tests/crypto/revocation_fixture.h"

namespace sealgate::test {
namespace {

using Status = RevocationAnswer::Status;

// RFC 5280 §5.3.1
constexpr int key_compromise = 1, certificate_hold = 6, remove_from_crl = 8;

const std::string ca = authority_extensions;
const std::string no_lists =
    "basicConstraints = critical, CA:TRUE\nkeyUsage = critical, keyCertSign\n";
const std::string freshest = "freshestCRL = URI:http://crl.example/delta\n";

Authority::Plans crl_plans() {
    const std::string leaf = person_extensions;
    const char* rsa = "RSA -pkeyopt rsa_keygen_bits:2048";
    // clang-format off
    return {
        {"root", {"root", "Root", ca}},
        {"mid", {"root", "Mid", ca}},
        {"leaf", {"mid", "Bob", leaf}},
        {"other", {"mid", "Carol", leaf}},
        {"twin-mid", {"root", "Mid", ca}},  // Mid's name, another key
        {"stranger", {"stranger", "Stranger", ca}},
        {"quiet-mid", {"root", "Signs no lists", no_lists}},
        {"quiet-leaf", {"quiet-mid", "Bob", leaf}},
        // lists by another
        {"lists", {"root", "Lists", "basicConstraints = CA:FALSE\nkeyUsage = critical, cRLSign\n"}},
        {"strange-lists", {"stranger", "Lists", "basicConstraints = CA:FALSE\nkeyUsage = critical, cRLSign\n"}},
        {"indirect-leaf", {"mid", "Bob", leaf + "crlDistributionPoints = point\n[point]\nfullname = URI:http://crl.example/x\nCRLissuer = dirName:lists\n[lists]\nCN = Lists\n"}},
        // parts of a list
        {"pointed-leaf", {"mid", "Bob", leaf + "crlDistributionPoints = URI:http://crl.example/part1\n"}},
        {"delta-leaf", {"mid", "Bob", leaf + freshest}},
        {"rsa-root", {"rsa-root", "RSA root", ca, 1000, "", "", rsa}},
        {"rsa-leaf", {"rsa-root", "Bob", leaf}},
    };
    // clang-format on
}

class TrustCrl : public testing::Test {
protected:
    static Authority& authority() {
        static Authority made(crl_plans());
        return made;
    }
    static CertificatePtr certificate(const std::string& name) {
        return authority().certificate(name);
    }
    static RevocationListPtr list(const CrlPlan& plan) { return make_list(authority(), plan); }
    static RevocationLists lists(const std::vector<CrlPlan>& plans) {
        RevocationLists made;
        for (const CrlPlan& plan : plans) made.push_back(list(plan));
        return made;
    }
    // Of the first name.
    static RevocationAnswer ask(const std::vector<std::string>& path,
                                const std::vector<CrlPlan>& plans,
                                const std::vector<std::string>& issuers = {}, std::int64_t days = 0,
                                std::size_t place = 0) {
        std::vector<CertificatePtr> members, more;
        for (const std::string& name : path) members.push_back(certificate(name));
        for (const std::string& name : issuers) more.push_back(certificate(name));
        const RevocationLists made = lists(plans);
        return ask_lists({members, place, more, std::time(nullptr) + days * day_seconds}, {&made});
    }
};

const std::vector<std::string> bob{"leaf", "mid", "root"};

void expect(const char* name, const RevocationAnswer& answer, Status want) {
    EXPECT_EQ(static_cast<int>(answer.status), static_cast<int>(want))
        << name << ": " << answer.why;
    EXPECT_EQ(answer.why.empty(), answer.status == Status::good) << name;
}

TEST_F(TrustCrl, SaysWhoIsOnIt) {
    const CertificatePtr leaf = certificate("leaf"), other = certificate("other");
    expect("empty", ask(bob, {{"mid"}}), Status::good);
    expect("another is on it", ask(bob, {{"mid", {{other}}}}), Status::good);
    expect("on it", ask(bob, {{"mid", {{other}, {leaf}}}}), Status::revoked);
    expect("on hold", ask(bob, {{"mid", {{leaf, -day_seconds, certificate_hold}}}}),
           Status::revoked);
    expect("taken off", ask(bob, {{"mid", {{leaf, -day_seconds, remove_from_crl}}}}), Status::good);
    expect("from tomorrow on", ask(bob, {{"mid", {{leaf, day_seconds}}}}), Status::good);
    expect("and then", ask(bob, {{"mid", {{leaf, day_seconds}}}}, {}, 2), Status::revoked);
    EXPECT_EQ(ask(bob, {{"mid", {{leaf, -1, key_compromise}}}}).why,
              "revoked (keyCompromise), says a revocation list");
    EXPECT_EQ(ask(bob, {{"mid", {{leaf}}}}).why, "revoked, says a revocation list");
}

TEST_F(TrustCrl, OfAnIntermediateIsItsIssuers) {
    const CertificatePtr mid = certificate("mid");
    expect("on it", ask(bob, {{"root", {{mid}}}}, {}, 0, 1), Status::revoked);
    expect("empty", ask(bob, {{"root"}}, {}, 0, 1), Status::good);
    expect("the leaf's list", ask(bob, {{"mid"}}, {}, 0, 1), Status::unknown);
    expect("of itself", ask(bob, {{"mid", {{mid}}}}, {}, 0, 1), Status::unknown);
}

TEST_F(TrustCrl, ThatCannotBeBelievedIsNone) {
    const std::vector<CrlEntry> on_it{{certificate("leaf")}};
    const std::int64_t hour = 3600;
    const struct {
        const char* name;
        std::vector<CrlPlan> plans;
        const char* why;
    } cases[] = {
        {"none", {}, "no revocation list"},
        {"of another", {{"root"}}, "no revocation list"},
        {"out of date", {{"mid", on_it, -10 * hour, -hour}}, "its revocation list is out of date"},
        {"of tomorrow", {{"mid", on_it, hour, 2 * hour}}, "its revocation list is out of date"},
        {"signed by the wrong key",
         {{"mid", on_it, -hour, hour, "stranger"}},
         "its revocation list is not its issuer's"},
        {"signed by one of its name",
         {{"mid", on_it, -hour, hour, "twin-mid"}},
         "its revocation list is not its issuer's"},
        {"of one of its name", {{"twin-mid", on_it}}, "its revocation list is not its issuer's"},
        {"unknown and critical",
         {{"mid", on_it, -hour, hour, "", {{"1.2.3.4", "critical,ASN1:NULL"}}}},
         "unhandled critical CRL extension"},
        {"for authorities",
         {{"mid", on_it, -hour, hour, "", {{"issuingDistributionPoint", "critical,onlyCA:TRUE"}}}},
         "different CRL scope"},
        {"for attributes",
         {{"mid", on_it, -hour, hour, "", {{"issuingDistributionPoint", "critical,onlyAA:TRUE"}}}},
         "different CRL scope"},
        {"a delta alone",
         {{"mid", on_it, -hour, hour, "", {}, 2, 1}},
         "unable to get certificate CRL"},
    };
    for (const auto& row : cases) {
        const RevocationAnswer answer = ask(bob, row.plans);
        expect(row.name, answer, Status::unknown);
        EXPECT_EQ(answer.why, row.why) << row.name;
    }
    expect("issuer without cRLSign", ask({"quiet-leaf", "quiet-mid", "root"}, {{"quiet-mid"}}),
           Status::unknown);
    CrlPlan old{"rsa-root", {{certificate("rsa-leaf")}}};
    old.digest = "MD5";
    expect("MD5", ask({"rsa-leaf", "rsa-root"}, {old}), Status::unknown);
    old.digest = "SHA1";
    expect("SHA-1", ask({"rsa-leaf", "rsa-root"}, {old}), Status::revoked);
}

// What came with a message must not hide what the operator has.
TEST_F(TrustCrl, ThatIsForgedHidesNoOther) {
    const std::vector<CrlEntry> on_it{{certificate("leaf")}};
    const CrlPlan right{"mid", on_it, -7200};
    const CrlPlan forged{"mid", {}, -60, 9 * day_seconds, "stranger", {}, 99};
    expect("forged and newer, first", ask(bob, {forged, right}), Status::revoked);
    expect("forged and newer, last", ask(bob, {right, forged}), Status::revoked);
    CrlPlan critical{"mid", {}, -60, 9 * day_seconds, "", {{"1.2.3.4", "critical,ASN1:NULL"}}};
    expect("one that libcrypto does not understand", ask(bob, {critical, right}), Status::revoked);
    // Many of them, all in the right name: what the operator has stands in front.
    std::vector<CrlPlan> many{right};
    for (int i = 0; i < 30; ++i) many.push_back(forged);
    expect("a crowd behind it", ask(bob, many), Status::revoked);
    std::reverse(many.begin(), many.end());
    expect("a crowd in front is not looked through", ask(bob, many), Status::unknown);
}

TEST_F(TrustCrl, ThatIsNewerCounts) {
    const std::vector<CrlEntry> on_it{{certificate("leaf"), -day_seconds, certificate_hold}};
    const CrlPlan held{"mid", on_it, -7200, day_seconds, "", {}, 5};
    const CrlPlan released{"mid", {}, -3600, day_seconds, "", {}, 6};
    expect("released", ask(bob, {held, released}), Status::good);
    expect("the other way round", ask(bob, {released, held}), Status::good);
    const CrlPlan held_again{"mid", on_it, -1800, day_seconds, "", {}, 7};
    expect("held again", ask(bob, {held_again, held, released}), Status::revoked);
}

TEST_F(TrustCrl, InPartsIsLookedAtByPart) {
    const std::vector<std::string> path{"pointed-leaf", "mid", "root"};
    const std::vector<CrlEntry> on_it{{certificate("pointed-leaf")}};
    const auto part = [&](const std::string& point) {
        return CrlPlan{"mid", on_it, -3600, day_seconds, "", {{"issuingDistributionPoint", point}}};
    };
    const std::string here = "critical,fullname:URI:http://crl.example/part";
    expect("its part", ask(path, {part(here + "1")}), Status::revoked);
    expect("another part", ask(path, {part(here + "2")}), Status::unknown);
    expect("another part first", ask(path, {part(here + "2"), part(here + "1")}), Status::revoked);
    expect("whole", ask(path, {{"mid", on_it}}), Status::revoked);
    expect("for users", ask(path, {part("critical,onlyuser:TRUE")}), Status::revoked);
    expect("for some reasons, not all", ask(path, {part("critical,onlysomereasons:superseded")}),
           Status::revoked);
    CrlPlan some = part("critical,onlysomereasons:superseded");
    some.entries.clear();
    expect("not on the list for some reasons", ask(path, {some}), Status::unknown);
}

TEST_F(TrustCrl, OfDeltasTheNewestCounts) {
    const std::vector<std::string> path{"delta-leaf", "mid", "root"};
    const CertificatePtr leaf = certificate("delta-leaf");
    const auto delta = [&](std::vector<CrlEntry> entries, std::int64_t this_update, int number) {
        return CrlPlan{"mid", std::move(entries), this_update, day_seconds, "", {}, number, 1};
    };
    const CrlPlan base{"mid", {}, -7200};
    const CrlPlan held_base{"mid", {{leaf, -day_seconds, certificate_hold}}, -7200};
    const CrlPlan adds = delta({{leaf, -60, key_compromise}}, -3600, 2);
    const CrlPlan removes = delta({{leaf, -60, remove_from_crl}}, -3600, 2);
    const CrlPlan removes_later = delta({{leaf, -60, remove_from_crl}}, -1800, 3);
    expect("added", ask(path, {base, adds}), Status::revoked);
    expect("removed", ask(path, {held_base, removes}), Status::good);
    expect("held", ask(path, {held_base}), Status::revoked);
    expect("added, then removed", ask(path, {held_base, adds, removes_later}), Status::good);
    CrlPlan old = adds;
    old.next_update = -60;
    expect("an old delta", ask(path, {base, old}), Status::good);
    expect("not announced", ask(bob, {{"mid"}, adds}), Status::good);
}

TEST_F(TrustCrl, OfADeltaLibcryptoIsNotSafeWithIsNotRead) {
    CrlPlan plan{"mid", {}, -3600, day_seconds, "", {}, 0, 1};
    EXPECT_FALSE(RevocationList::parse(make_crl(authority(), plan)));
    plan.number = 2;
    EXPECT_TRUE(RevocationList::parse(make_crl(authority(), plan)));
    plan.extensions.emplace_back("issuingDistributionPoint", "critical,onlysomereasons:superseded");
    EXPECT_FALSE(RevocationList::parse(make_crl(authority(), plan)));
}

TEST_F(TrustCrl, ByAnotherIssuerIsIndirect) {
    const std::vector<std::string> path{"indirect-leaf", "mid", "root"};
    const CrlPlan plain{"lists"};
    CrlPlan indirect{"lists"};
    indirect.extensions = {{"issuingDistributionPoint", "critical,indirectCRL:TRUE"}};
    expect("without its certificate", ask(path, {indirect}), Status::unknown);
    expect("with it", ask(path, {indirect}, {"lists"}), Status::good);
    expect("of one that leads elsewhere", ask(path, {indirect}, {"strange-lists"}),
           Status::unknown);
    expect("not said to be indirect", ask(path, {plain}, {"lists"}), Status::unknown);
    expect("not named by the certificate", ask(bob, {indirect}, {"lists"}), Status::unknown);
}

TEST_F(TrustCrl, WithAnyBitOfItsSignatureChangedIsNone) {
    const Bytes der = make_crl(authority(), {"mid"});
    const std::vector<CertificatePtr> path{certificate("leaf"), certificate("mid"),
                                           certificate("root")};
    int judged = 0;
    for (std::size_t back = 1; back <= 64; ++back) {
        Bytes changed = der;
        changed[der.size() - back] = static_cast<std::uint8_t>(changed[der.size() - back] ^ 1);
        const auto list = RevocationList::parse(changed);
        if (!list) continue;
        ++judged;
        const RevocationLists one{*list};
        expect("changed", ask_lists({path, 0, {}, std::time(nullptr)}, {&one}), Status::unknown);
    }
    EXPECT_GT(judged, 32);
}

// --- files ---------------------------------------------------------------------------------------

TEST_F(TrustCrl, FilesArePemOrDerAndHoldSeveral) {
    const Bytes mid = make_crl(authority(), {"mid"}), root = make_crl(authority(), {"root"});
    Bytes both = mid;
    both.insert(both.end(), root.begin(), root.end());
    const std::string pem = to_pem("X509 CRL", mid);
    const std::string issuer = to_pem("CERTIFICATE", certificate("lists")->der());
    const struct {
        const char* name;
        std::string text;
        std::size_t lists, issuers;  // no lists: refused
    } cases[] = {
        {"DER", std::string(as_text(mid)), 1, 0},
        {"DER, two", std::string(as_text(both)), 2, 0},
        {"PEM", pem, 1, 0},
        {"PEM, two and a dump", "Certificate Revocation List (CRL):\n" + pem + "\n" + pem, 2, 0},
        {"PEM with an issuer", issuer + pem, 1, 1},
        {"empty", "", 0, 0},
        {"text", "nothing\n", 0, 0},
        {"a certificate", issuer, 0, 0},
        {"a certificate in DER", std::string(as_text(certificate("mid")->der())), 0, 0},
        {"cut", std::string(as_text(mid)).substr(0, mid.size() - 1), 0, 0},
        {"one octet more", std::string(as_text(mid)) + "x", 0, 0},
        {"PEM, cut", pem.substr(0, pem.size() / 2), 0, 0},
        {"PEM of something", to_pem("X509 CRL", as_bytes("\x30\x00")), 0, 0},
        {"one good, one bad", pem + to_pem("X509 CRL", as_bytes("\x30\x00")), 0, 0},
        {"a length past the end", "\x30\x84\x7f\xff\xff\xff", 0, 0},
    };
    for (const auto& row : cases) {
        const auto read = read_list_file(as_bytes(row.text));
        ASSERT_EQ(read.has_value(), row.lists > 0) << row.name;
        if (!read) {
            EXPECT_FALSE(read.error().what.empty()) << row.name;
            continue;
        }
        EXPECT_EQ(read->lists.size(), row.lists) << row.name;
        EXPECT_EQ(read->issuers.size(), row.issuers) << row.name;
    }
}

TEST_F(TrustCrl, FilesThatCannotServeAreComplaintsAtTheirLine) {
    const TemporaryFolder folder;
    const std::string good = folder.write("good.crl", as_text(make_crl(authority(), {"mid"})));
    CrlPlan plan{"mid"};
    plan.next_update = -60;
    const std::string old = folder.write("old.crl", as_text(make_crl(authority(), plan)));
    TrustOptions options;
    options.revocation = TrustOptions::Revocation::prefer;
    options.crl_files_place = {"sealgate.ini", 7};
    options.crl_files = {good, folder.path("none.crl"), folder.write("text.crl", "text\n"),
                         folder.path(""), old};
    Complaints complaints, warnings;
    const auto files = CrlFiles::load(options, "[trust:smime]", complaints, warnings);
    ASSERT_EQ(complaints.size(), 3u);
    for (const Complaint& complaint : complaints) {
        EXPECT_TRUE(complaint.to_text().starts_with("sealgate.ini:7: [trust:smime] crl-files: /"))
            << complaint.to_text();
    }
    EXPECT_TRUE(complaints[0].what.ends_with("No such file or directory")) << complaints[0].what;
    ASSERT_EQ(warnings.size(), 1u);
    EXPECT_TRUE(warnings[0].what.ends_with("1 of 1 lists are out of date and count for nothing"));
    EXPECT_EQ(files->lists().size(), 2u);

    warnings.clear();
    options.crl_files = {good};
    options.revocation = TrustOptions::Revocation::off;
    CrlFiles::load(options, "[trust:smime]", complaints, warnings);
    ASSERT_EQ(warnings.size(), 1u);
    EXPECT_TRUE(warnings[0].what.ends_with("nobody looks at them: revocation = off"));
}

}  // namespace
}  // namespace sealgate::test
