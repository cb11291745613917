// SPDX-License-Identifier: GPL-3.0-or-later
#include "crypto/identity.h"

#include <algorithm>
#include <atomic>
#include <ctime>
#include <set>

#include "crypto/certificate_bundle.h"
#include "crypto/certificate_store.h"
#include "crypto/certificate_text.h"
#include "crypto/make_certificate.h"

namespace sealgate {
namespace {

constexpr const char* demo_name = "demo";
constexpr int demo_days = 3650;
constexpr std::int64_t day_seconds = 86'400;
// A certificate is valid from a little before now on: the other side's clock may be behind.
constexpr std::int64_t clock_slack_seconds = 300;

// A certificate that the configuration names, and who does so first: complaints go there.
struct Use {
    std::string name;
    ConfigPlace place;
    std::string user;  // "[sending-profile:sign]"
    bool signs = false;
};

Result<CertificateBundle> make_demo_bundle(const std::string& hostname) {
    CertificatePlan plan;
    plan.not_before = std::time(nullptr) - clock_slack_seconds;
    plan.not_after = plan.not_before + demo_days * day_seconds;
    // Domains that belong to nobody (RFC 2606): a first mail is covered, and no real one is.
    plan.domains = {"localhost",     "example.com",   "example.net",  "example.org",
                    "*.example.com", "*.example.net", "*.example.org"};
    const auto own = normal_domain(hostname);
    if (own && std::find(plan.domains.begin(), plan.domains.end(), *own) == plan.domains.end()) {
        plan.domains.insert(plan.domains.begin(), *own);
    }
    SubjectText subject;
    subject.common_name = "Sealgate demo";
    plan.subject = TRY(subject_to_der(subject));
    CertificateBundle bundle;
    bundle.pkcs8 = TRY(make_key(NewKey::rsa_2048));
    const Bytes der = TRY(make_self_signed(plan, bundle.pkcs8.bytes()));
    bundle.leaf = TRY(Certificate::parse(der));
    return bundle;
}

// What a [certificate:NAME] section points to.
struct Files {
    SecureBytes certificate, key;
    std::optional<SecureBytes> passphrase;
    Passphrase given_passphrase() const {
        if (!passphrase) return std::nullopt;
        return as_text(passphrase->bytes());
    }
};

Result<IdentityPtr> make_identity(const std::string& name, CertificateBundle bundle) {
    auto identity = std::make_shared<Identity>();
    identity->name = name;
    identity->key = TRY(make_private_key(std::move(bundle.pkcs8)));
    identity->leaf = std::move(bundle.leaf);
    identity->chain = std::move(bundle.chain);
    return identity;
}

class Loader {
public:
    Loader(const Config& config, Complaints& complaints, Complaints& warnings)
        : config_(config), complaints_(complaints), warnings_(warnings) {}

    void load(bool make_demo);
    std::map<std::string, IdentityPtr> identities;
    std::vector<IdentityPtr> others;

private:
    void open_store();
    void make_demo_certificate();
    void load_section(const CertificateOptions& section);
    void load_stored(const Use& use);
    bool decrypts() const;
    void load_other_keys(const CertificateOptions& section, const Files& files);
    void load_rest();
    void complain_unknown(const Use& use);
    void add(const std::string& name, CertificateBundle bundle, const ConfigPlace& place,
             const std::string& what);
    void check_use(const Use& use);
    std::vector<Use> uses() const;

    void complain(const ConfigPlace& place, std::string what) {
        complaints_.push_back({place.file, place.line, 0, std::move(what)});
    }
    void warn(const ConfigPlace& place, std::string what) {
        warnings_.push_back({place.file, place.line, 0, std::move(what)});
    }

    const Config& config_;
    Complaints& complaints_;
    Complaints& warnings_;
    std::optional<CertificateStore> store_;
    std::set<std::string> failed_;  // told already
};

ConfigPlace gateway_place(const Config& config) {
    return {config.files.empty() ? std::string("configuration") : config.files.front(), 1};
}

std::vector<Use> Loader::uses() const {
    std::vector<Use> uses;
    for (const auto& [name, profile] : config_.sending_profiles) {
        if (profile.certificate.empty()) continue;
        const bool signs = profile.mode != SendingProfileOptions::Mode::encrypt;
        uses.push_back(
            {profile.certificate, profile.place, "[sending-profile:" + name + "]", signs});
    }
    for (const ListenerOptions& listener : config_.listeners) {
        if (listener.certificate == "none") continue;
        uses.push_back(
            {listener.certificate, listener.place, "[listener:" + listener.name + "]", false});
    }
    return uses;
}

void Loader::load(bool make_demo) {
    open_store();
    for (const CertificateOptions& section : config_.certificates) load_section(section);
    if (make_demo && store_ && !store_->has(demo_name) && identities.count(demo_name) == 0) {
        make_demo_certificate();
    }
    for (const Use& use : uses()) {
        if (identities.count(use.name) == 0 && failed_.count(use.name) == 0) load_stored(use);
        if (identities.count(use.name) != 0) check_use(use);
    }
    if (decrypts()) load_rest();
}

bool Loader::decrypts() const {
    return std::any_of(config_.mail_flow_policies.begin(), config_.mail_flow_policies.end(),
                       [](const auto& policy) { return policy.second.smime_verify_decrypt; });
}

// People have a key to sign with and one to decrypt with, in one file.
void Loader::load_other_keys(const CertificateOptions& section, const Files& files) {
    const auto all = read_identities(section.name, files.certificate.bytes(), files.key.bytes(),
                                     files.given_passphrase());
    if (!all) return;  // the one that counts was read: the section is usable
    const ByteSpan known = identities.at(section.name)->leaf->der();
    for (const IdentityPtr& identity : *all) {
        if (!std::ranges::equal(identity->leaf->der(), known)) others.push_back(identity);
    }
}

// What no profile and no listener names: mail may have been encrypted to it.
void Loader::load_rest() {
    if (!store_) return;
    for (const std::string& name : store_->names()) {
        if (identities.count(name) != 0 || failed_.count(name) != 0) continue;
        const auto fail = [&](const std::string& why) {
            warn(gateway_place(config_),
                 "certificate " + name + " cannot be used to decrypt: " + why);
        };
        auto bundle = store_->read(name);
        if (!bundle) {
            fail(bundle.error().what);
            continue;
        }
        auto identity = make_identity(name, *std::move(bundle));
        if (identity)
            identities.emplace(name, *std::move(identity));
        else
            fail(identity.error().what);
    }
}

void Loader::open_store() {
    auto store =
        CertificateStore::open(config_.gateway.data_dir, config_.gateway.key_passphrase_file);
    if (store) {
        store_.emplace(*std::move(store));
    } else {
        complain(gateway_place(config_), "[gateway] key-passphrase-file: " + store.error().what);
    }
}

void Loader::make_demo_certificate() {
    const auto fail = [this](const std::string& why) {
        complain(gateway_place(config_), "the demo certificate cannot be made: " + why);
    };
    auto bundle = make_demo_bundle(config_.gateway.hostname);
    if (!bundle) return fail(bundle.error().what);
    if (auto written = store_->write(demo_name, *bundle, ""); !written) fail(written.error().what);
}

void Loader::load_section(const CertificateOptions& section) {
    const auto fail = [&](const std::string& what) {
        complain(section.place, "[certificate:" + section.name + "] " + what);
        failed_.insert(section.name);
    };
    if (section.file.empty()) return fail("file is missing");
    auto file = read_small_file(section.file);
    if (!file) return fail("file: " + file.error().what);
    Files files;
    files.certificate = *std::move(file);
    if (!section.key.empty()) {
        auto read = read_small_file(section.key);
        if (!read) return fail("key: " + read.error().what);
        if (read->empty()) return fail("key: " + section.key + ": the file is empty");
        files.key = *std::move(read);
    }
    if (!section.passphrase_file.empty()) {
        auto read = read_passphrase_file(section.passphrase_file);
        if (!read) return fail("passphrase-file: " + read.error().what);
        files.passphrase = *std::move(read);
    }
    auto bundle =
        read_bundle(files.certificate.bytes(), files.key.bytes(), files.given_passphrase());
    if (!bundle) {
        const bool hint = bundle.error().passphrase && section.passphrase_file.empty();
        return fail(section.file + ": " + bundle.error().what + (hint ? " (passphrase-file)" : ""));
    }
    if (bundle->pkcs8.empty()) return fail("key: there is no private key in " + section.file);
    if (store_ && store_->has(section.name)) {
        warn(section.place, "[certificate:" + section.name +
                                "] hides the certificate of that name under data-dir");
    }
    const bool has_other_keys = bundle->other_keys_count != 0;
    add(section.name, *std::move(bundle), section.place, "[certificate:" + section.name + "]");
    if (has_other_keys && decrypts() && identities.count(section.name) != 0)
        load_other_keys(section, files);
}

void Loader::load_stored(const Use& use) {
    if (!store_) return;
    if (!store_->has(use.name)) {
        // "demo always exists": it is made at the first start, so nothing is wrong before that.
        if (use.name != demo_name) complain_unknown(use);
        return;
    }
    auto bundle = store_->read(use.name);
    if (!bundle) {
        complain(use.place, use.user + " certificate " + use.name + ": " + bundle.error().what);
        failed_.insert(use.name);
        return;
    }
    add(use.name, *std::move(bundle), use.place, "certificate " + use.name);
}

void Loader::complain_unknown(const Use& use) {
    std::vector<std::string> known = store_->names();
    for (const CertificateOptions& section : config_.certificates) known.push_back(section.name);
    if (std::find(known.begin(), known.end(), demo_name) == known.end()) {
        known.emplace_back(demo_name);
    }
    const std::string nearest = nearest_name(use.name, known);
    complain(use.place, use.user + " certificate = " + use.name + ": there is no such certificate" +
                            (nearest.empty() ? "" : " (nearest known: " + nearest + ")"));
}

void Loader::add(const std::string& name, CertificateBundle bundle, const ConfigPlace& place,
                 const std::string& what) {
    const std::size_t unused_count = bundle.unused.size();
    const bool was_ordered = bundle.was_ordered;
    auto identity = make_identity(name, std::move(bundle));
    if (!identity) {
        complain(place, what + ": " + identity.error().what);
        failed_.insert(name);
        return;
    }
    if (unused_count != 0) {
        warn(place,
             what + ": " + std::to_string(unused_count) +
                 " certificate(s) in the file do not belong to the chain; they are not sent");
    } else if (!was_ordered) {
        warn(place, what +
                        ": the chain is not in order (certificate first, each issuer after what "
                        "it issued); it is sent in order");
    }
    const std::int64_t now = std::time(nullptr);
    switch ((*identity)->leaf->valid_at(now)) {
    case Reason::expired: warn(place, what + ": the certificate has expired"); break;
    case Reason::not_yet_valid: warn(place, what + ": the certificate is not valid yet"); break;
    default: break;
    }
    identities.emplace(name, *std::move(identity));
}

void Loader::check_use(const Use& use) {
    if (!use.signs) return;
    const Certificate& leaf = *identities.at(use.name)->leaf;
    const Reason reason = leaf.may_sign();
    if (reason != Reason::ok) {
        complain(use.place, use.user + " certificate " + use.name + " may not sign: " +
                                to_word(reason) + " (" + to_sentence(reason) + ")");
        return;
    }
    if (leaf.has_non_repudiation_only()) {
        warn(use.place, use.user + " certificate " + use.name +
                            ": its keyUsage has nonRepudiation and not digitalSignature; some "
                            "mail programs will not accept its signatures");
    }
    if (leaf.emails().empty() && leaf.domains().empty()) {
        warn(use.place, use.user + " certificate " + use.name +
                            ": it names neither an e-mail address nor a domain, so it covers no "
                            "sender");
    }
}

}  // namespace

Result<PrivateKey> make_private_key(SecureBytes pkcs8) {
    static std::atomic<std::uint64_t> last_id{0};
    const PrivateKeyFacts facts = TRY(private_key_facts(pkcs8.bytes()));
    return PrivateKey{facts.kind, facts.bits, std::move(pkcs8), ++last_id};
}

Answer<std::vector<IdentityPtr>> read_identities(const std::string& name, ByteSpan file,
                                                 ByteSpan key_file, const Passphrase& passphrase) {
    auto bundles = read_bundles(file, key_file, passphrase);
    if (!bundles) return tl::unexpected(bundles.error());
    std::vector<IdentityPtr> identities;
    for (CertificateBundle& bundle : *bundles) {
        auto identity = make_identity(name, std::move(bundle));
        if (!identity) return refused(identity.error().what);
        identities.push_back(*std::move(identity));
    }
    return identities;
}

std::shared_ptr<const IdentityStore> IdentityStore::load(const Config& config, bool make_demo,
                                                         Complaints& complaints,
                                                         Complaints& warnings) {
    auto store = std::make_shared<IdentityStore>();
    Loader loader(config, complaints, warnings);
    loader.load(make_demo);
    store->identities_ = std::move(loader.identities);
    store->others_ = std::move(loader.others);
    return store;
}

IdentityPtr IdentityStore::find(const std::string& name) const {
    const auto found = identities_.find(name);
    return found == identities_.end() ? nullptr : found->second;
}

std::vector<IdentityPtr> IdentityStore::all() const {
    std::vector<IdentityPtr> all;
    for (const auto& [name, identity] : identities_) all.push_back(identity);
    all.insert(all.end(), others_.begin(), others_.end());
    return all;
}

}  // namespace sealgate
