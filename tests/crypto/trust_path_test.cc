// SPDX-License-Identifier: GPL-3.0-or-later
// The judge of trust: chains that the openssl tool makes here, and those of other people's tests.
#include "crypto/trust_path.h"

#include <gtest/gtest.h>

#include <chrono>
#include <ctime>
#include <filesystem>
#include <map>

#include "core/limits.h"
#include "crypto/certificate_bundle.h"
#include "tests/crypto/signing_fixture.h"

namespace sealgate::test {
namespace {

constexpr std::int64_t day = 86'400;

std::vector<CertificatePtr> certificates_in(const std::string& text) {
    auto read = read_certificates(as_bytes(text));
    EXPECT_TRUE(read) << read.error().what;
    return read ? *read : std::vector<CertificatePtr>();
}

std::shared_ptr<const TrustAnchors> anchors_of(const std::vector<std::string>& files) {
    TrustOptions options;
    options.ca_files = files;
    Complaints complaints, warnings;
    auto anchors = TrustAnchors::load(options, "[trust:smime]", complaints, warnings);
    EXPECT_TRUE(complaints.empty()) << complaints.front().to_text();
    return anchors;
}

const std::string ca_usage = "keyUsage = critical, keyCertSign, cRLSign\n";
const std::string ca = "basicConstraints = critical, CA:TRUE\n" + ca_usage;
const std::string person =
    "basicConstraints = CA:FALSE\nkeyUsage = critical, keyAgreement\n"
    "extendedKeyUsage = emailProtection\nsubjectAltName = email:bob@example.com\n";

// Says of its issuer no more than the name.
const std::string nameless = person + "authorityKeyIdentifier = none\n";

std::string person_with(const std::string& usages) {
    return "keyUsage = " + usages + "\nsubjectAltName = email:bob@example.com\n";
}
std::string person_called(const std::string& address) {
    return "keyUsage = keyAgreement\nsubjectAltName = email:" + address + "\n";
}

// Certificates by name, made when they are asked for the first time.
class Authority {
public:
    struct Plan {
        const char* issuer;   // its name here; its own: self-signed
        const char* subject;  // CN
        std::string extensions;
        int days = 1000;
        const char* options = "";  // of `openssl x509`
        const char* key_of = "";   // has that one's key: cross-signed, renewed
        const char* key_kind = "EC -pkeyopt ec_paramgen_curve:P-256";
    };

    explicit Authority(std::map<std::string, Plan> plans) : plans_(std::move(plans)) {}

    std::string file(const std::string& name) {
        const std::string path = folder_.path(name + ".pem");
        if (!std::filesystem::exists(path)) make(name);
        return path;
    }
    CertificatePtr certificate(const std::string& name) {
        return certificates_in(folder_.read(std::filesystem::path(file(name)).filename())).at(0);
    }

private:
    std::string key(const std::string& name) {
        const Plan& plan = plans_.at(name);
        const std::string path = folder_.path(name + ".key");
        if (*plan.key_of) return key(plan.key_of);
        if (!std::filesystem::exists(path)) {
            run(std::string("openssl genpkey -algorithm ") + plan.key_kind + " -out " + path);
        }
        return path;
    }
    std::string request(const std::string& name) {
        const Plan& plan = plans_.at(name);
        const std::string path = folder_.path(name + ".csr");
        if (*plan.key_of) return request(plan.key_of);  // of the same name, then
        if (!std::filesystem::exists(path)) {
            run("openssl req -new -key " + key(name) + " -subj '/CN=" + plan.subject + "' -out " +
                path);
        }
        return path;
    }
    void make(const std::string& name) {
        const Plan& plan = plans_.at(name);
        const std::string extensions = folder_.write(name + ".ext", plan.extensions);
        const std::string issuer = plan.issuer;
        run("openssl x509 -req -in " + request(name) + " -extfile " + extensions + " -days " +
            std::to_string(plan.days) + " " + plan.options + " -out " +
            folder_.path(name + ".pem") +
            (issuer == name ? " -signkey " + key(name)
                            : " -CA " + file(issuer) + " -CAkey " + key(issuer)));
    }
    static void run(const std::string& command) {
        const ToolRun ran = run_tool(command);
        ASSERT_EQ(ran.status, 0) << command << "\n" << ran.output;
    }

    TemporaryFolder folder_;
    std::map<std::string, Plan> plans_;
};

std::map<std::string, Authority::Plan> plans() {
    const char* rsa_1024 = "RSA -pkeyopt rsa_keygen_bits:1024";
    std::map<std::string, Authority::Plan> plans = {
        {"root", {"root", "Root", ca}},
        {"other-root", {"other-root", "Other root", ca}},
        {"mid", {"root", "Intermediate", ca}},
        {"leaf", {"mid", "Bob", person, 20}},
        {"direct", {"root", "Bob", person}},
        {"alone", {"alone", "Bob", person}},
        // dates
        {"short-mid", {"root", "Short intermediate", ca, 5}},
        {"short-mid-leaf", {"short-mid", "Bob", person}},
        {"short-root", {"short-root", "Short root", ca, 5}},
        {"short-root-leaf", {"short-root", "Bob", person}},
        // who is an authority
        {"of-person", {"direct", "Eve", person}},
        {"bare-mid", {"root", "Says nothing at all", "subjectKeyIdentifier = hash\n"}},
        {"bare-leaf", {"bare-mid", "Eve", person}},
        {"netscape-mid", {"root", "Netscape", "nsCertType = emailCA, sslCA, objCA\n"}},
        {"netscape-leaf", {"netscape-mid", "Eve", person}},
        {"no-sign-mid",
         {"root", "May not sign", "basicConstraints = CA:TRUE\nkeyUsage = cRLSign\n"}},
        {"no-sign-leaf", {"no-sign-mid", "Eve", person}},
        {"v1-root", {"v1-root", "Old root", ""}},
        {"v1-leaf", {"v1-root", "Bob", person}},
        // path length
        {"last-mid", {"root", "Last", "basicConstraints = CA:TRUE, pathlen:0\n" + ca_usage}},
        {"last-leaf", {"last-mid", "Bob", person}},
        {"too-deep-mid", {"last-mid", "Too deep", ca}},
        {"too-deep-leaf", {"too-deep-mid", "Eve", person}},
        // name constraints
        {"named-mid",
         {"root", "For example.com",
          ca + "nameConstraints = critical, permitted;email:example.com, "
               "excluded;email:ceo@example.com\n"}},
        {"named-leaf", {"named-mid", "Bob", person_called("bob@example.com")}},
        {"named-other", {"named-mid", "Eve", person_called("eve@example.net")}},
        {"named-excluded", {"named-mid", "Eve", person_called("ceo@example.com")}},
        {"under-named-mid", {"named-mid", "Under it", ca}},
        {"under-named-leaf", {"under-named-mid", "Bob", person_called("bob@example.com")}},
        {"under-named-other", {"under-named-mid", "Eve", person_called("eve@example.net")}},
        // usages
        {"any-usage",
         {"root", "Bob", person_with("keyAgreement\nextendedKeyUsage = anyExtendedKeyUsage")}},
        {"no-usage", {"root", "Bob", "subjectAltName = email:bob@example.com\n"}},
        {"server", {"root", "Bob", person_with("keyAgreement\nextendedKeyUsage = serverAuth")}},
        {"signs-only", {"root", "Bob", person_with("digitalSignature")}},
        {"server-mid", {"root", "For servers", ca + "extendedKeyUsage = serverAuth\n"}},
        {"server-mid-leaf", {"server-mid", "Bob", person}},
        {"mail-mid", {"root", "For mail", ca + "extendedKeyUsage = emailProtection\n"}},
        {"mail-mid-leaf", {"mail-mid", "Bob", person}},
        {"any-mid", {"root", "For all", ca + "extendedKeyUsage = anyExtendedKeyUsage\n"}},
        {"any-mid-leaf", {"any-mid", "Bob", person}},
        {"server-root",
         {"server-root", "Root for servers", ca + "extendedKeyUsage = serverAuth\n"}},
        {"server-root-leaf", {"server-root", "Bob", person}},
        {"critical-mid", {"root", "Critical", ca + "1.2.3.4 = critical, ASN1:NULL\n"}},
        {"critical-leaf", {"critical-mid", "Bob", person}},
        {"critical-own", {"root", "Bob", person + "1.2.3.4 = critical, ASN1:NULL\n"}},
        // several certificates of one authority, and several authorities of one name
        {"crossed", {"root", "Crossed", ca}},
        {"crossed-by-other", {"other-root", "Crossed", ca, 1000, "", "crossed"}},
        {"crossed-leaf", {"crossed", "Bob", person}},
        {"crossed-short", {"root", "Crossed", ca, 5, "", "crossed"}},
        {"crossed-no-authority",
         {"root", "Crossed", "basicConstraints = CA:FALSE\n", 1000, "", "crossed"}},
        {"twin-root-1", {"twin-root-1", "Twin", "basicConstraints = CA:TRUE\n"}},
        {"twin-root-2", {"twin-root-2", "Twin", "basicConstraints = CA:TRUE\n"}},
        {"twin-leaf-1", {"twin-root-1", "Bob", nameless}},
        {"twin-leaf-2", {"twin-root-2", "Bob", nameless}},
        {"twin-mid-1", {"root", "Twin intermediate", ca}},
        {"twin-mid-2", {"root", "Twin intermediate", ca}},
        {"twin-mid-leaf", {"twin-mid-2", "Bob", nameless}},
        {"loop-a", {"other-root", "Loop A", ca}},
        {"loop-b", {"loop-a", "Loop B", ca}},
        {"loop-a-by-b", {"loop-b", "Loop A", ca, 1000, "", "loop-a"}},
        {"loop-leaf", {"loop-b", "Bob", person}},
        // weak
        {"weak-mid", {"root", "Weak", ca, 1000, "", "", rsa_1024}},
        {"weak-mid-leaf", {"weak-mid", "Bob", person}},
        {"sha1-mid", {"root", "SHA-1", ca, 1000, "-sha1"}},
        {"sha1-mid-leaf", {"sha1-mid", "Bob", person}},
        {"sha1-leaf", {"root", "Bob", person, 1000, "-sha1"}},
        {"sha1-root", {"sha1-root", "SHA-1 root", ca, 1000, "-sha1"}},
        {"sha1-root-leaf", {"sha1-root", "Bob", person}},
    };
    // deep-0 is the anchor's child; deep-N has N + 1 authorities above the leaf's issuer.
    static std::vector<std::string> names;
    for (int i = 0; i <= limits::trust_intermediates_max; ++i)
        names.push_back("deep-" + std::to_string(i));
    for (int i = 0; i <= limits::trust_intermediates_max; ++i) {
        const auto at = static_cast<std::size_t>(i);
        plans[names[at]] = {i == 0 ? "root" : names[at - 1].c_str(), names[at].c_str(), ca};
        plans[names[at] + "-leaf"] = {names[at].c_str(), "Bob", person};
    }
    return plans;
}

class TrustPath : public testing::Test {
protected:
    static Authority& authority() {
        static Authority made(plans());
        return made;
    }
    static TrustVerdict judge(const std::string& leaf, const std::vector<std::string>& others,
                              const std::vector<std::string>& anchors, std::int64_t days = 1) {
        std::vector<CertificatePtr> pool;
        for (const std::string& name : others) pool.push_back(authority().certificate(name));
        std::vector<std::string> files;
        for (const std::string& name : anchors) files.push_back(authority().file(name));
        const TrustVerdict verdict = anchors_of(files)->judge(*authority().certificate(leaf), pool,
                                                              std::time(nullptr) + days * day,
                                                              TrustPurpose::smime_encryption);
        EXPECT_EQ(verdict.why.empty(), verdict.reason == Reason::ok) << verdict.why;
        return verdict;
    }
};

struct Case {
    const char* name;
    const char* leaf;
    std::vector<std::string> others;
    std::vector<std::string> anchors;
    Reason want;
    std::int64_t days = 1;  // from today
};

void expect_all(const std::vector<Case>& cases,
                const std::function<TrustVerdict(const Case&)>& judge) {
    for (const Case& row : cases) {
        SCOPED_TRACE(row.name);
        const TrustVerdict verdict = judge(row);
        EXPECT_STREQ(to_word(verdict.reason), to_word(row.want)) << verdict.why;
    }
}

TEST_F(TrustPath, FindsTheWayToAnAnchorOrSaysWhyNot) {
    const std::vector<Case> cases = {
        {"good", "leaf", {"mid"}, {"root"}, Reason::ok},
        {"in a heap", "leaf", {"other-root", "leaf", "mid", "direct", "mid"}, {"root"}, Reason::ok},
        {"with its root along", "leaf", {"root", "mid"}, {"root"}, Reason::ok},
        {"without an intermediate", "direct", {}, {"root"}, Reason::ok},
        {"the intermediate trusted alone", "leaf", {}, {"mid"}, Reason::ok},
        {"the intermediate among the anchors", "leaf", {}, {"root", "mid"}, Reason::ok},
        {"root of version 1", "v1-leaf", {}, {"v1-root"}, Reason::ok},

        {"missing intermediate", "leaf", {}, {"root"}, Reason::untrusted},
        {"another's root", "leaf", {"mid"}, {"other-root"}, Reason::untrusted},
        {"its root came along, and is not trusted",
         "leaf",
         {"mid", "root"},
         {"other-root"},
         Reason::untrusted},
        {"no anchors", "leaf", {"mid", "root"}, {}, Reason::untrusted},
        {"self-signed", "alone", {"alone"}, {"root"}, Reason::untrusted},
        {"self-signed and listed, but no authority",
         "alone",
         {},
         {"root", "alone"},
         Reason::untrusted},
        {"authorities that vouch for each other",
         "loop-leaf",
         {"loop-a-by-b", "loop-b"},
         {"root"},
         Reason::untrusted},

        {"issued by a person", "of-person", {"direct"}, {"root"}, Reason::untrusted},
        {"issuer that says nothing of itself",
         "bare-leaf",
         {"bare-mid"},
         {"root"},
         Reason::untrusted},
        {"issuer that says it in Netscape's way",
         "netscape-leaf",
         {"netscape-mid"},
         {"root"},
         Reason::untrusted},
        {"issuer that may not sign", "no-sign-leaf", {"no-sign-mid"}, {"root"}, Reason::untrusted},
        {"a path length at its limit", "last-leaf", {"last-mid"}, {"root"}, Reason::ok},
        {"a path length past it",
         "too-deep-leaf",
         {"too-deep-mid", "last-mid"},
         {"root"},
         Reason::untrusted},

        {"a name inside", "named-leaf", {"named-mid"}, {"root"}, Reason::ok},
        {"a name outside", "named-other", {"named-mid"}, {"root"}, Reason::untrusted},
        {"a name excluded", "named-excluded", {"named-mid"}, {"root"}, Reason::untrusted},
        {"a name inside, one down",
         "under-named-leaf",
         {"under-named-mid", "named-mid"},
         {"root"},
         Reason::ok},
        {"a name outside, one down",
         "under-named-other",
         {"under-named-mid", "named-mid"},
         {"root"},
         Reason::untrusted},
    };
    expect_all(cases,
               [](const Case& row) { return judge(row.leaf, row.others, row.anchors, row.days); });
}

TEST_F(TrustPath, LooksAtAllDates) {
    const std::vector<Case> cases = {
        {"the last day", "leaf", {"mid"}, {"root"}, Reason::ok, 19},
        {"the day after", "leaf", {"mid"}, {"root"}, Reason::expired, 21},
        {"before the first day", "leaf", {"mid"}, {"root"}, Reason::not_yet_valid, -1},
        {"intermediate", "short-mid-leaf", {"short-mid"}, {"root"}, Reason::ok, 4},
        {"intermediate expired", "short-mid-leaf", {"short-mid"}, {"root"}, Reason::expired, 6},
        {"root", "short-root-leaf", {}, {"short-root"}, Reason::ok, 4},
        {"root expired", "short-root-leaf", {}, {"short-root"}, Reason::expired, 6},
        {"nobody trusted, and expired", "leaf", {}, {}, Reason::expired, 21},
    };
    expect_all(cases,
               [](const Case& row) { return judge(row.leaf, row.others, row.anchors, row.days); });
}

TEST_F(TrustPath, LooksAtUsagesDownThePath) {
    const std::vector<Case> cases = {
        {"any", "any-usage", {}, {"root"}, Reason::ok},
        {"none said", "no-usage", {}, {"root"}, Reason::ok},
        {"server's", "server", {}, {"root"}, Reason::bad_key_usage},
        {"signer's", "signs-only", {}, {"root"}, Reason::bad_key_usage},
        {"intermediate for servers",
         "server-mid-leaf",
         {"server-mid"},
         {"root"},
         Reason::bad_key_usage},
        {"intermediate for mail", "mail-mid-leaf", {"mail-mid"}, {"root"}, Reason::ok},
        {"intermediate for all", "any-mid-leaf", {"any-mid"}, {"root"}, Reason::ok},
        {"the operator trusts it for this", "server-root-leaf", {}, {"server-root"}, Reason::ok},
        {"unknown critical extension",
         "critical-leaf",
         {"critical-mid"},
         {"root"},
         Reason::untrusted},
        {"of its own", "critical-own", {}, {"root"}, Reason::untrusted},
    };
    expect_all(cases,
               [](const Case& row) { return judge(row.leaf, row.others, row.anchors, row.days); });
}

TEST_F(TrustPath, TriesEachOfSeveralIssuers) {
    const std::vector<Case> cases = {
        {"cross-signed, by ours", "crossed-leaf", {"crossed"}, {"root"}, Reason::ok},
        {"cross-signed, by another",
         "crossed-leaf",
         {"crossed-by-other"},
         {"root"},
         Reason::untrusted},
        {"both, ours first", "crossed-leaf", {"crossed", "crossed-by-other"}, {"root"}, Reason::ok},
        {"both, ours last", "crossed-leaf", {"crossed-by-other", "crossed"}, {"root"}, Reason::ok},
        {"the old one first",
         "crossed-leaf",
         {"crossed-short", "crossed"},
         {"root"},
         Reason::ok,
         10},
        {"the old one last",
         "crossed-leaf",
         {"crossed", "crossed-short"},
         {"root"},
         Reason::ok,
         10},
        {"the old one alone",
         "crossed-leaf",
         {"crossed-short", "crossed-by-other"},
         {"root"},
         Reason::expired,
         10},
        {"one that is no authority first",
         "crossed-leaf",
         {"crossed-no-authority", "crossed"},
         {"root"},
         Reason::ok},
        {"all but ours",
         "crossed-leaf",
         {"crossed-no-authority", "crossed-short", "crossed-by-other", "crossed"},
         {"root"},
         Reason::ok,
         10},
        {"roots of one name, the first's",
         "twin-leaf-1",
         {},
         {"twin-root-1", "twin-root-2"},
         Reason::ok},
        {"roots of one name, the second's",
         "twin-leaf-2",
         {},
         {"twin-root-1", "twin-root-2"},
         Reason::ok},
        {"only the other one is trusted",
         "twin-leaf-2",
         {"twin-root-2"},
         {"twin-root-1"},
         Reason::untrusted},
        {"intermediates of one name",
         "twin-mid-leaf",
         {"twin-mid-1", "twin-mid-2"},
         {"root"},
         Reason::ok},
        {"the other way round",
         "twin-mid-leaf",
         {"twin-mid-2", "twin-mid-1"},
         {"root"},
         Reason::ok},
        {"the wrong one alone", "twin-mid-leaf", {"twin-mid-1"}, {"root"}, Reason::untrusted},
    };
    expect_all(cases,
               [](const Case& row) { return judge(row.leaf, row.others, row.anchors, row.days); });
}

TEST_F(TrustPath, BelievesNoWeakKeysAndDigests) {
    const std::vector<Case> cases = {
        {"RSA-1024 issuer", "weak-mid-leaf", {"weak-mid"}, {"root"}, Reason::weak_key},
        {"RSA-1024 anchor", "weak-mid-leaf", {}, {"weak-mid"}, Reason::weak_key},
        {"SHA-1 on an intermediate", "sha1-mid-leaf", {"sha1-mid"}, {"root"}, Reason::weak_digest},
        {"SHA-1 on the leaf", "sha1-leaf", {}, {"root"}, Reason::weak_digest},
        {"SHA-1 on the root itself, which nobody looks at",
         "sha1-root-leaf",
         {},
         {"sha1-root"},
         Reason::ok},
    };
    expect_all(cases,
               [](const Case& row) { return judge(row.leaf, row.others, row.anchors, row.days); });
}

TEST_F(TrustPath, IsBoundedInDepth) {
    std::vector<std::string> others;
    for (int i = 0; i <= limits::trust_intermediates_max; ++i) {
        const std::string name = "deep-" + std::to_string(i);
        others.push_back(name);
        const Reason want = i < limits::trust_intermediates_max ? Reason::ok : Reason::untrusted;
        const TrustVerdict verdict = judge(name + "-leaf", others, {"root"});
        EXPECT_STREQ(to_word(verdict.reason), to_word(want)) << i << ": " << verdict.why;
    }
}

TEST_F(TrustPath, ASignatureWithAnyBitChangedIsNone) {
    const CertificatePtr leaf = authority().certificate("direct");
    const auto anchors = anchors_of({authority().file("root")});
    int judged = 0;
    for (std::size_t back = 1; back <= 64; ++back) {
        Bytes der(leaf->der().begin(), leaf->der().end());
        der[der.size() - back] = static_cast<std::uint8_t>(der[der.size() - back] ^ 1);
        const auto changed = Certificate::parse(der);
        if (!changed) continue;
        ++judged;
        const TrustVerdict verdict =
            anchors->judge(**changed, {}, std::time(nullptr) + day, TrustPurpose::smime_encryption);
        EXPECT_NE(verdict.reason, Reason::ok) << back;
    }
    EXPECT_GT(judged, 32);
}

// A directory that sends what it likes: many authorities with the name that is wanted.
TEST_F(TrustPath, ManyIssuersOfOneNameCostBoundedWork) {
    std::map<std::string, Authority::Plan> many = plans();
    static std::vector<std::string> names;
    const std::size_t count = limits::trust_others_max + 10;
    for (std::size_t i = 0; i < count; ++i) names.push_back("crowd-" + std::to_string(i));
    // One key for all of them, so that every signature is right and no path leads on.
    for (const std::string& name : names)
        many[name] = {"other-root", "Crossed", ca, 1000, "", "crossed"};
    Authority crowded(many);
    std::vector<CertificatePtr> others;
    for (const std::string& name : names) others.push_back(crowded.certificate(name));
    const CertificatePtr leaf = crowded.certificate("crossed-leaf");
    const auto anchors = anchors_of({crowded.file("root")});
    const auto begin = std::chrono::steady_clock::now();
    EXPECT_EQ(
        anchors->judge(*leaf, others, std::time(nullptr) + day, TrustPurpose::smime_encryption)
            .reason,
        Reason::untrusted);
    EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(1));
    // What lies behind the limit is not seen; at the limit it is, though it takes luck to be tried.
    others.insert(others.begin(), crowded.certificate("crossed"));
    EXPECT_EQ(
        anchors->judge(*leaf, others, std::time(nullptr) + day, TrustPurpose::smime_encryption)
            .reason,
        Reason::ok);
}

// --- files ---------------------------------------------------------------------------------------

TEST_F(TrustPath, FilesThatCannotServeAreComplaintsAtTheirLine) {
    const TemporaryFolder folder;
    const std::string empty = folder.write("empty.pem", "");
    const std::string text = folder.write("text.pem", "no certificate\n");
    const std::string broken = folder.write(
        "broken.pem", "-----BEGIN CERTIFICATE-----\nMAA=\n-----END CERTIFICATE-----\n");
    const std::string open = folder.write("open.pem", "-----BEGIN CERTIFICATE-----\nMAA=\n");
    TrustOptions options;
    options.ca_files_place = {"gate.ini", 12};
    options.ca_files = {folder.path("absent.pem"), empty, text, broken, open,
                        authority().file("root")};
    Complaints complaints, warnings;
    const auto anchors = TrustAnchors::load(options, "[trust:smime]", complaints, warnings);
    ASSERT_EQ(complaints.size(), 5u);
    for (std::size_t i = 0; i < complaints.size(); ++i) {
        EXPECT_EQ(complaints[i].to_text().find("gate.ini:12: [trust:smime] ca-files: "), 0u)
            << complaints[i].to_text();
        EXPECT_NE(complaints[i].what.find(options.ca_files[i]), std::string::npos)
            << complaints[i].to_text();
    }
    EXPECT_TRUE(warnings.empty());
    EXPECT_EQ(anchors->count(), 1u);
}

TEST_F(TrustPath, WhatIsNoAuthorityIsLeftOutWithAWarning) {
    const TemporaryFolder folder;
    TrustOptions options;
    options.ca_files_place = {"gate.ini", 12};
    options.ca_files = {authority().file("leaf"), authority().file("root")};
    Complaints complaints, warnings;
    const auto anchors = TrustAnchors::load(options, "[trust:smime]", complaints, warnings);
    EXPECT_TRUE(complaints.empty());
    ASSERT_EQ(warnings.size(), 1u);
    EXPECT_NE(warnings[0].to_text().find("1 of 1 certificates are no authorities"),
              std::string::npos)
        << warnings[0].to_text();
    EXPECT_EQ(anchors->count(), 1u);
}

TEST_F(TrustPath, TheMachinesAuthoritiesAreTrustedOnRequest) {
    TrustOptions options;
    options.ca_system = true;
    Complaints complaints, warnings;
    const auto anchors = TrustAnchors::load(options, "[trust:smime]", complaints, warnings);
    if (!complaints.empty()) GTEST_SKIP() << complaints.front().to_text();
    EXPECT_GT(anchors->count(), 20u);
    const TrustVerdict verdict =
        anchors->judge(*authority().certificate("leaf"), {authority().certificate("mid")},
                       std::time(nullptr) + day, TrustPurpose::smime_encryption);
    EXPECT_EQ(verdict.reason, Reason::untrusted);
}

// --- other people's chains -----------------------------------------------------------------------

struct Theirs {
    const char* leaf;
    std::vector<std::string> others;
    std::vector<std::string> anchors;
    Reason want;
};

void expect_theirs(const std::string& folder, const std::vector<Theirs>& cases) {
    const std::filesystem::path path = std::filesystem::path(SEALGATE_CORPUS_DIR) / folder;
    if (!std::filesystem::exists(path)) GTEST_SKIP() << "no " << path;
    constexpr std::int64_t at = 1'795'000'000;  // 2026-11-18
    const auto read = [&](const std::string& file) {
        const auto bytes = read_small_file((path / file).string());
        EXPECT_TRUE(bytes) << file;
        return certificates_in(bytes ? std::string(as_text(bytes->bytes())) : "");
    };
    for (const Theirs& row : cases) {
        SCOPED_TRACE(row.leaf);
        std::vector<CertificatePtr> others;
        for (const std::string& file : row.others) {
            for (const CertificatePtr& other : read(file)) others.push_back(other);
        }
        std::vector<std::string> anchors;
        for (const std::string& file : row.anchors) anchors.push_back((path / file).string());
        const auto leaf = read(row.leaf);
        ASSERT_FALSE(leaf.empty());
        const TrustVerdict verdict =
            anchors_of(anchors)->judge(*leaf[0], others, at, TrustPurpose::smime_encryption);
        EXPECT_STREQ(to_word(verdict.reason), to_word(row.want)) << verdict.why;
    }
}

TEST(TrustPathCorpus, MimeKit) {
    expect_theirs("mimekit/derived-keys",
                  {
                      {"rsa.crt.pem", {"rsa.chain.pem"}, {"root.crt.pem"}, Reason::ok},
                      {"dnsnames.crt.pem", {"dnsnames.chain.pem"}, {"root.crt.pem"}, Reason::ok},
                      {"nochain.crt.pem", {"int.pem"}, {"root.crt.pem"}, Reason::ok},
                      {"rsa.crt.pem", {}, {"root.crt.pem"}, Reason::untrusted},
                      {"rsa.crt.pem", {"rsa.chain.pem"}, {}, Reason::untrusted},
                  });
}

TEST(TrustPathCorpus, Rfc9216) {
    const std::string rsa_root = "3.1_RSA-Certification-Authority-Root-Certificate.crt.pem";
    const std::string rsa_crossed =
        "3.3_RSA-Certification-Authority-Cross-Signed-Certificate.crt.pem";
    const std::string ed_root = "6.1_Ed25519-Certification-Authority-Root-Certificate.crt.pem";
    const std::string ed_crossed =
        "6.3_Ed25519-Certification-Authority-Cross-Signed-Certificate.crt.pem";
    const char* alice = "4.3_Alice-s-Encryption-End-Entity-Certificate.crt.pem";
    const char* bob = "5.3_Bob-s-Encryption-End-Entity-Certificate.crt.pem";
    const char* carlos = "7.3_Carlos-s-Encryption-End-Entity-Certificate.crt.pem";
    const char* dana = "8.3_Dana-s-Encryption-End-Entity-Certificate.crt.pem";
    const char* alice_signs = "4.1_Alice-s-Signature-Verification-End-Entity-Certificate.crt.pem";
    expect_theirs("rfc9216", {
                                 {alice, {}, {rsa_root}, Reason::ok},
                                 {bob, {}, {rsa_root}, Reason::ok},
                                 {carlos, {}, {ed_root}, Reason::ok},
                                 {dana, {}, {ed_root}, Reason::ok},
                                 {alice, {rsa_crossed}, {ed_root}, Reason::ok},
                                 {carlos, {ed_crossed}, {rsa_root}, Reason::ok},
                                 {carlos, {ed_root, ed_crossed}, {rsa_root}, Reason::ok},
                                 {alice, {}, {ed_root}, Reason::untrusted},
                                 {carlos, {ed_root}, {rsa_root}, Reason::untrusted},
                                 {alice_signs, {}, {rsa_root}, Reason::bad_key_usage},
                             });
}

}  // namespace
}  // namespace sealgate::test
