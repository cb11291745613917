// SPDX-License-Identifier: GPL-3.0-or-later
#include "tests/crypto/trust_fixture.h"

#include <filesystem>

#include "core/limits.h"
#include "crypto/certificate_bundle.h"

namespace sealgate::test {
namespace {

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

void run(const std::string& command) {
    const ToolRun ran = run_tool(command);
    ASSERT_EQ(ran.status, 0) << command << "\n" << ran.output;
}

}  // namespace

const std::string authority_extensions = ca, person_extensions = person;

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

std::string Authority::file(const std::string& name) {
    const std::string path = folder_.path(name + ".pem");
    if (!std::filesystem::exists(path)) make(name);
    return path;
}

CertificatePtr Authority::certificate(const std::string& name) {
    file(name);
    return certificates_in(folder_.read(name + ".pem")).at(0);
}

std::string Authority::key(const std::string& name) {
    const Plan& plan = plans_.at(name);
    const std::string path = folder_.path(name + ".key");
    if (!plan.key_of.empty()) return key(plan.key_of);
    if (!std::filesystem::exists(path)) {
        run("openssl genpkey -algorithm " + plan.key_kind + " -out " + path);
    }
    return path;
}

std::string Authority::request(const std::string& name) {
    const Plan& plan = plans_.at(name);
    const std::string path = folder_.path(name + ".csr");
    if (!plan.key_of.empty()) return request(plan.key_of);  // of the same name, then
    if (!std::filesystem::exists(path)) {
        run("openssl req -new -key " + key(name) + " -subj '/CN=" + plan.subject + "' -out " +
            path);
    }
    return path;
}

void Authority::make(const std::string& name) {
    const Plan& plan = plans_.at(name);
    const std::string extensions = folder_.write(name + ".ext", plan.extensions);
    run("openssl x509 -req -in " + request(name) + " -extfile " + extensions + " -days " +
        std::to_string(plan.days) + " " + plan.options + " -out " + folder_.path(name + ".pem") +
        (plan.issuer == name ? " -signkey " + key(name)
                             : " -CA " + file(plan.issuer) + " -CAkey " + key(plan.issuer)));
}

Authority::Plans trust_plans() {
    const char* rsa_1024 = "RSA -pkeyopt rsa_keygen_bits:1024";
    // clang-format off
    Authority::Plans plans = {
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
        {"no-sign-mid", {"root", "May not sign",
         "basicConstraints = CA:TRUE\nkeyUsage = cRLSign\n"}},
        {"no-sign-leaf", {"no-sign-mid", "Eve", person}},
        {"v1-root", {"v1-root", "Old root", ""}},
        {"v1-leaf", {"v1-root", "Bob", person}},
        // path length
        {"last-mid", {"root", "Last", "basicConstraints = CA:TRUE, pathlen:0\n" + ca_usage}},
        {"last-leaf", {"last-mid", "Bob", person}},
        {"too-deep-mid", {"last-mid", "Too deep", ca}},
        {"too-deep-leaf", {"too-deep-mid", "Eve", person}},
        // name constraints
        {"named-mid", {"root",
         "For example.com", ca + "nameConstraints = critical, permitted;email:example.com, "
         "excluded;email:ceo@example.com\n"}},
        {"named-leaf", {"named-mid", "Bob", person_called("bob@example.com")}},
        {"named-other", {"named-mid", "Eve", person_called("eve@example.net")}},
        {"named-excluded", {"named-mid", "Eve", person_called("ceo@example.com")}},
        {"under-named-mid", {"named-mid", "Under it", ca}},
        {"under-named-leaf", {"under-named-mid", "Bob", person_called("bob@example.com")}},
        {"under-named-other", {"under-named-mid", "Eve", person_called("eve@example.net")}},
        // usages
        {"any-usage", {"root",
         "Bob", person_with("keyAgreement\nextendedKeyUsage = anyExtendedKeyUsage")}},
        {"no-usage", {"root", "Bob", "subjectAltName = email:bob@example.com\n"}},
        {"server", {"root", "Bob", person_with("keyAgreement\nextendedKeyUsage = serverAuth")}},
        {"signs-only", {"root", "Bob", person_with("digitalSignature")}},
        {"server-mid", {"root", "For servers", ca + "extendedKeyUsage = serverAuth\n"}},
        {"server-mid-leaf", {"server-mid", "Bob", person}},
        {"mail-mid", {"root", "For mail", ca + "extendedKeyUsage = emailProtection\n"}},
        {"mail-mid-leaf", {"mail-mid", "Bob", person}},
        {"any-mid", {"root", "For all", ca + "extendedKeyUsage = anyExtendedKeyUsage\n"}},
        {"any-mid-leaf", {"any-mid", "Bob", person}},
        {"server-root", {"server-root",
         "Root for servers", ca + "extendedKeyUsage = serverAuth\n"}},
        {"server-root-leaf", {"server-root", "Bob", person}},
        {"critical-mid", {"root", "Critical", ca + "1.2.3.4 = critical, ASN1:NULL\n"}},
        {"critical-leaf", {"critical-mid", "Bob", person}},
        {"critical-own", {"root", "Bob", person + "1.2.3.4 = critical, ASN1:NULL\n"}},
        // several certificates of one authority, and several authorities of one name
        {"crossed", {"root", "Crossed", ca}},
        {"crossed-by-other", {"other-root", "Crossed", ca, 1000, "", "crossed"}},
        {"crossed-leaf", {"crossed", "Bob", person}},
        {"crossed-short", {"root", "Crossed", ca, 5, "", "crossed"}},
        {"crossed-no-authority", {"root", "Crossed", "basicConstraints = CA:FALSE\n", 1000, "",
         "crossed"}},
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
    // clang-format on
    // deep-0 is the root's child; a leaf of deep-N has N + 1 authorities below the root.
    std::string issuer = "root";
    for (int i = 0; i <= limits::trust_intermediates_max; ++i) {
        const std::string name = "deep-" + std::to_string(i);
        plans[name] = {issuer, name, ca};
        plans[name + "-leaf"] = {name, "Bob", person};
        issuer = name;
    }
    return plans;
}

}  // namespace sealgate::test
