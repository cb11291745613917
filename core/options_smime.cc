// SPDX-License-Identifier: GPL-3.0-or-later
// The rows of S/MIME: certificates, sending profiles, where keys are looked up and kept, trust.
#include "core/options_table.h"

namespace sealgate {

namespace {

// The rows below are a table.
// clang-format off

using namespace option_units;
using Naming = SectionKind::Naming;


SectionKind certificate() {
    using C = CertificateOptions;
    SectionKind kind{
        .kind = "certificate", .naming = Naming::by_name,
        .doc = "A certificate with its private key. Those made or imported with `sealgate cert` "
               "live under `<data-dir>/certificates/NAME/` and need no section. `demo` always "
               "exists: self-signed, made at first start."};
    kind.rows = {
        {.key = "file", .syntax = Syntax::path, .access = field<&C::file>(), .required = true,
         .doc = "PEM chain or PKCS#12."},
        {.key = "key", .syntax = Syntax::path, .access = field<&C::key>(),
         .doc = "PEM, when the private key is not in `file`."},
        {.key = "passphrase-file", .syntax = Syntax::path, .access = field<&C::passphrase_file>(),
         .doc = "Its first line opens the key or the PKCS#12 file."},
    };
    open_listed<&Config::certificates>(kind);
    return kind;
}

std::vector<OptionRow> signing_rows() {
    using P = SendingProfileOptions;
    return {
        {.key = "mode", .syntax = Syntax::choice, .access = field<&P::mode>(),
         .choices = "sign encrypt sign-encrypt triple", .required = true,
         .doc = "`sign-encrypt`: sign, then encrypt; `triple`: sign, encrypt, sign."},
        {.key = "certificate", .syntax = Syntax::name, .access = field<&P::certificate>(),
         .needed = [](const std::string&, const void* section) {
             return static_cast<const P*>(section)->mode != P::Mode::encrypt;
         },
         .doc = "Whose key signs. Needed unless mode is `encrypt`."},
        {.key = "sign-mode", .syntax = Syntax::choice, .access = field<&P::sign_mode>(),
         .initial = "detached", .choices = "detached opaque",
         .doc = "`detached` (multipart/signed) or `opaque` (application/pkcs7-mime)."},
        {.key = "digest", .syntax = Syntax::choice, .access = field<&P::digest>(),
         .initial = "sha256", .choices = "sha256 sha384 sha512",
         .doc = "Message digest of the signature."},
        {.key = "signature-scheme", .syntax = Syntax::choice, .access = field<&P::scheme>(),
         .initial = "auto", .choices = "auto rsa-pkcs1 rsa-pss", .doc = "`auto`: by key type."},
        {.key = "sender-match", .syntax = Syntax::choice, .access = field<&P::sender_match>(),
         .initial = "from", .choices = "from envelope off",
         .doc = "Whose address the signing certificate must cover: `from` (header), `envelope`, "
                "`off`."},
        {.key = "include-chain", .syntax = Syntax::boolean, .access = field<&P::include_chain>(),
         .initial = "yes", .doc = "Send certificates up to, not including, the root."},
    };
}

std::vector<OptionRow> encrypting_rows() {
    using P = SendingProfileOptions;
    return {
        {.key = "missing-key", .syntax = Syntax::choice, .access = field<&P::missing_key>(),
         .initial = "bounce", .choices = "bounce drop split",
         .doc = "When encrypting: what becomes of a recipient without a usable key."},
        {.key = "cipher", .syntax = Syntax::choice, .access = field<&P::cipher>(),
         .initial = "auto", .choices = "auto aes-128-cbc aes-256-cbc aes-128-gcm aes-256-gcm",
         .doc = "When encrypting: the content cipher."},
        {.key = "key-transport", .syntax = Syntax::choice, .access = field<&P::key_transport>(),
         .initial = "auto", .choices = "auto rsa-pkcs1 rsa-oaep",
         .doc = "When encrypting: for RSA keys. EC keys always use ephemeral-static ECDH."},
        {.key = "encrypt-to-self", .syntax = Syntax::boolean,
         .access = field<&P::encrypt_to_self>(), .initial = "no",
         .doc = "Also encrypt to the profile's own certificate."},
        {.key = "key-sources", .syntax = Syntax::key_sources, .access = field<&P::key_sources>(),
         .initial = "local", .refers = "directory",
         .doc = "When encrypting: `local` (manual and harvested), `directory:NAME` and `smimea`, "
                "asked in the order given until one has a usable key. One that cannot be reached "
                "ends the search: the message waits. `smimea` needs a trust-anchor-file in [dns], "
                "for only answers signed by DNSSEC count."},
        {.key = "envelope-per-recipient", .syntax = Syntax::choice,
         .access = field<&P::envelope_per_recipient>(), .initial = "hidden-only",
         .choices = "hidden-only always never",
         .doc = "When encrypting: `hidden-only` gives a recipient in no To or Cc an envelope of "
                "its own."},
    };
}

SectionKind sending_profile() {
    SectionKind kind{.kind = "sending-profile", .naming = Naming::by_name,
                     .doc = "What `smime-gateway(\"NAME\")` does to a message."};
    kind.rows = signing_rows();
    for (OptionRow& row : encrypting_rows()) kind.rows.push_back(row);
    open_mapped<&Config::sending_profiles, &SendingProfileOptions::name>(kind);
    return kind;
}

SectionKind directory() {
    using D = DirectoryOptions;
    SectionKind kind{.kind = "directory", .naming = Naming::by_name,
                     .doc = "Where recipients' certificates are looked up, by profiles whose `key-sources` name "
                            "it. What cannot be reached is not \"no key\": the message waits."};
    kind.rows = {
        {.key = "url", .syntax = Syntax::directory_url, .access = field<&D::url>(),
         .required = true, .secret = true,
         .doc = "`ldap://HOST/BASE?ATTRIBUTES?SCOPE?FILTER`, the same with `ldaps://`, or "
                "`https://`, with `%e` (address) and `%d` (domain), which are escaped for the place "
                "they stand in. An `https://` URL gives the certificate: PEM, DER or PKCS#7; 404 is "
                "\"no key\". Octets such as `%2C` are written with capitals."},
        {.key = "attributes", .syntax = Syntax::list, .access = field<&D::attributes>(),
         .initial = "userCertificate;binary, userSMIMECertificate", .doc = "LDAP attributes that hold certificates; those of the URL come first."},
        {.key = "timeout", .syntax = Syntax::duration, .access = field<&D::timeout_ms>(),
         .initial = "5s", .min = second, .max = hour, .doc = "For one look-up."},
        {.key = "cache", .syntax = Syntax::duration, .access = field<&D::cache_ms>(),
         .initial = "1h", .min = 0, .max = 30 * day, .doc = "How long an answer is kept, also that there is no key. A failure is kept for five "
                "seconds."},
        {.key = "bind-dn", .access = field<&D::bind_dn>(),
         .doc = "Account to bind as; user of an `https://` URL. Without it, anonymous."},
        {.key = "password-file", .syntax = Syntax::path, .access = field<&D::password_file>(),
         .doc = "Its first line is the password."},
        {.key = "trust", .syntax = Syntax::boolean, .access = field<&D::trust>(),
         .initial = "yes", .doc = "Must the certificate chain to [trust:smime]?"},
    };
    open_mapped<&Config::directories, &D::name>(kind);
    return kind;
}

SectionKind key_repository() {
    using K = KeyRepositoryOptions;
    SectionKind kind{.kind = "key-repository", .doc = "Harvested keys."};
    kind.rows = {
        {.key = "capacity", .syntax = Syntax::size, .access = field<&K::capacity_bytes>(),
         .initial = "512M", .min = mega, .max = 1024 * giga,
         .doc = "Least recently used keys go first."},
        {.key = "persist", .syntax = Syntax::boolean, .access = field<&K::persist>(),
         .initial = "yes", .restart = true, .doc = "A restart keeps them."},
    };
    open_one<&Config::key_repository>(kind);
    return kind;
}

std::vector<OptionRow> trust_rows(const char* feature) {
    using T = TrustOptions;
    return {
        {.key = "ca-files", .syntax = Syntax::paths, .access = field<&T::ca_files>(),
         .later = feature,
         .place = [](void* section, const IniEntry& entry) {
             static_cast<T*>(section)->ca_files_place = entry.place;
         },
         .doc = "PEM files of authorities that are trusted: roots, or intermediates alone."},
        {.key = "ca-system", .syntax = Syntax::boolean, .access = field<&T::ca_system>(),
         .initial = "no", .later = feature, .accepted = "no",
         .place = [](void* section, const IniEntry& entry) {
             static_cast<T*>(section)->ca_system_place = entry.place;
         },
         .doc = "Trust the authorities of the machine."},
        {.key = "crl-files", .syntax = Syntax::paths, .access = field<&T::crl_files>(),
         .later = feature,
         .place = [](void* section, const IniEntry& entry) {
             static_cast<T*>(section)->crl_files_place = entry.place;
         },
         .doc = "Revocation lists that are looked at, PEM or DER; read at a start and a reload."},
        {.key = "crl-fetch", .syntax = Syntax::boolean, .access = field<&T::crl_fetch>(),
         .initial = "no", .later = feature,
         .doc = "Fetch the lists that certificates name, by http, https and ldap."},
        {.key = "ocsp", .syntax = Syntax::boolean, .access = field<&T::ocsp>(), .initial = "no",
         .later = feature, .doc = "Ask the responders that certificates name (RFC 6960)."},
        {.key = "revocation", .syntax = Syntax::choice, .access = field<&T::revocation>(),
         .initial = "off", .choices = "off prefer require", .later = feature,
         .doc = "Are revoked certificates looked for? `prefer`: what nobody can tell passes; "
                "`require`: it does not. docs/trust.md."},
    };
}

SectionKind trust_smime() {
    SectionKind kind{.kind = "trust:smime",
                     .doc = "Whom correspondents' certificates must lead to: those of signers, and "
                            "those that a directory gives, unless its `trust` is `no`."};
    kind.rows = trust_rows("");
    for (OptionRow& row : kind.rows) row.accepted = "";
    open_one<&Config::trust_smime>(kind);
    return kind;
}

SectionKind trust_tls() {
    SectionKind kind{.kind = "trust:tls", .doc = "Whom mail servers' certificates must lead to."};
    kind.rows = trust_rows("TLS");
    for (OptionRow& row : kind.rows)
        if (row.key == std::string("ca-system")) row.initial = "yes";
    open_one<&Config::trust_tls>(kind);
    return kind;
}

// clang-format on

}  // namespace

std::vector<SectionKind> smime_sections() {
    return {certificate(), sending_profile(), directory(),
            trust_smime(), trust_tls(),       key_repository()};
}

}  // namespace sealgate
