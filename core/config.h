// SPDX-License-Identifier: GPL-3.0-or-later
// The configuration, as values: what the INI file said, checked, defaults filled in.
//
// Made as a whole by load_config() (core/options.h), immutable after that, shared: a session keeps
// the Config it began with while a reload puts a new one in place. Names that refer to other
// sections have been checked to exist. Field comments are in the option table (core/options*.cc),
// which is also the reference in docs/configuration.md.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/address.h"

namespace sealgate {

// Where something was written; for complaints found later than parsing.
struct ConfigPlace {
    std::string file;
    int line = 0;
};

// A value may be written over several lines, which are joined with one space: where in the joined
// value each of them begins, and where in the file that is. Columns count bytes, from 1.
struct ConfigLine {
    std::size_t offset = 0;
    int line = 0;
    int column = 1;
};

struct GatewayOptions {
    std::string hostname;
    std::string data_dir = "/var/lib/sealgate";
    std::string control_socket;
    unsigned crypto_threads = 1;
    std::uint64_t connections_max = 20000;
    std::uint64_t memory_bytes_max = std::uint64_t{2} << 30;
    std::uint64_t shutdown_grace_ms = 30'000;
    std::string user;
    enum class RsaEngine : std::uint8_t { automatic, wolfcrypt, openssl } rsa_engine{};
    std::string key_passphrase_file;
};

struct ListenerOptions {
    std::string name;
    ConfigPlace place;
    std::vector<Endpoint> addresses;
    enum class Type : std::uint8_t { public_, private_ } type = Type::public_;
    std::string certificate = "demo";
    bool tls_on_connect = false;
    std::vector<std::string> sender_groups;
    std::string default_policy = "ACCEPTED";
    std::vector<std::string> proxy_protocol;  // empty: off
    std::uint64_t command_timeout_ms = 300'000;
    std::uint64_t data_timeout_ms = 600'000;
};

struct SenderGroupOptions {
    std::string name;
    ConfigPlace place;
    std::vector<std::string> hosts;  // as written; matched by core/host_pattern.h
    std::string policy;
    std::string comment;
};

struct MailFlowPolicyOptions {
    std::string name;
    ConfigPlace place;
    enum class Action : std::uint8_t { accept, relay, reject, tcp_refuse, continue_ };
    Action action = Action::accept;
    enum class Tls : std::uint8_t { off, preferred, required } tls = Tls::off;
    enum class ClientCertificate : std::uint8_t { off, optional, required };
    ClientCertificate tls_verify_client = ClientCertificate::off;
    std::uint64_t messages_per_connection_max = 1000;
    std::uint64_t recipients_per_message_max = 1000;
    std::uint64_t connections_per_host_max = 1000;
    std::uint64_t recipients_per_hour_max = 0;  // 0: unlimited
    std::uint64_t message_bytes_max = std::uint64_t{100} << 20;
    bool smime_verify_decrypt = false;
    enum class Signature : std::uint8_t { keep, remove } smime_signature = Signature::keep;
    bool smime_harvest = false;
    bool smime_harvest_unverified = false;
    bool smime_harvest_updates = false;
    bool smime_harvest_self_signed = false;
    bool smime_harvest_expired = false;
    bool smime_protected_headers_use = true;
};

// One row of [recipient-access]: the pattern is lower-case.
struct RecipientAccessRow {
    std::string pattern;  // user@d, d, .d, ALL
    ConfigPlace place;
    bool accept = false;
    std::string reply = "550 5.7.1 Relaying denied";  // when refused: code, enhanced code, text
};

struct CertificateOptions {
    std::string name;
    ConfigPlace place;
    std::string file;
    std::string key;
    std::string passphrase_file;
};

struct SendingProfileOptions {
    std::string name;
    ConfigPlace place;
    enum class Mode : std::uint8_t { sign, encrypt, sign_encrypt, triple } mode = Mode::sign;
    std::string certificate;
    enum class SignMode : std::uint8_t { detached, opaque } sign_mode = SignMode::detached;
    enum class MissingKey : std::uint8_t { bounce, drop, split } missing_key = MissingKey::bounce;
    enum class Digest : std::uint8_t { sha256, sha384, sha512 } digest = Digest::sha256;
    enum class Scheme : std::uint8_t { automatic, rsa_pkcs1, rsa_pss } scheme = Scheme::automatic;
    enum class Cipher : std::uint8_t {
        automatic,
        aes_128_cbc,
        aes_256_cbc,
        aes_128_gcm,
        aes_256_gcm
    } cipher = Cipher::automatic;
    enum class KeyTransport : std::uint8_t { automatic, rsa_pkcs1, rsa_oaep };
    KeyTransport key_transport = KeyTransport::automatic;
    enum class SenderMatch : std::uint8_t { from, envelope, off } sender_match = SenderMatch::from;
    bool include_chain = true;
    bool encrypt_to_self = false;
    std::vector<std::string> key_sources{"local"};
    enum class PerRecipient : std::uint8_t { hidden_only, always, never };
    PerRecipient envelope_per_recipient = PerRecipient::hidden_only;
};

enum class Direction : std::uint8_t { outgoing, incoming };

struct ContentFilterOptions {
    std::string name;
    ConfigPlace place;
    Direction direction = Direction::outgoing;
    std::string condition;  // filter language; empty: always
    std::string actions;
    ConfigPlace condition_place;
    ConfigPlace actions_place;
    std::vector<ConfigLine>
        condition_lines;  // locate() of core/ini.h makes line and column of them
    std::vector<ConfigLine> actions_lines;
};

struct MailPolicyOptions {
    std::string name;
    ConfigPlace place;
    Direction direction = Direction::outgoing;
    // Only [mail-policy:DEFAULT] without a direction: both, and of its content filters those apply
    // that are of the message's direction.
    bool any_direction = false;
    std::vector<std::string> senders{"ALL"};
    std::vector<std::string> recipients{"ALL"};
    std::vector<std::string> not_senders;
    std::vector<std::string> not_recipients;
    std::vector<std::string> content_filters;
};

struct RouteHost {
    std::string host;  // name, or an address in text form
    bool is_address = false;
    std::uint16_t port = 25;
    unsigned priority = 0;
};

// One row of [smtp-routes].
struct RouteRow {
    std::string pattern;  // example.com, .example.com, ALL
    ConfigPlace place;
    enum class Kind : std::uint8_t { hosts, discard, use_dns } kind = Kind::hosts;
    std::vector<RouteHost> hosts;
};

struct DestinationOptions {
    std::string domain;  // "default" for [destination:default]
    ConfigPlace place;
    std::uint64_t connections_max = 100;
    std::uint64_t messages_per_connection_max = 1000;
    std::uint64_t recipients_per_minute_max = 0;  // 0: unlimited
    enum class Tls : std::uint8_t {
        none,
        preferred,
        required,
        preferred_verify,
        required_verify,
        required_verify_hosted
    } tls = Tls::preferred;
    enum class Dane : std::uint8_t { off, opportunistic, mandatory } dane = Dane::opportunistic;
    bool mta_sts = true;
    std::string certificate;
    std::string bounce_profile = "default";
};

struct BounceProfileOptions {
    std::string name;
    ConfigPlace place;
    std::uint64_t retries_max = 100;
    std::uint64_t queue_time_max_ms = std::uint64_t{3} * 86'400'000;
    std::uint64_t retry_first_ms = 60'000;
    std::uint64_t retry_max_ms = 3'600'000;
    std::uint64_t delay_warning_ms = 0;  // 0: off
    bool notify = true;
};

struct TrustOptions {
    std::vector<std::string> ca_files;
    ConfigPlace ca_files_place;
    bool ca_system = false;
    ConfigPlace ca_system_place;
    std::vector<std::string> crl_files;
    ConfigPlace crl_files_place;
    bool crl_fetch = false;
    bool ocsp = false;
    enum class Revocation : std::uint8_t { off, prefer, require } revocation = Revocation::off;
};

struct DirectoryOptions {
    std::string name;
    ConfigPlace place;
    std::string url;
    std::vector<std::string> attributes{"userCertificate;binary", "userSMIMECertificate"};
    std::uint64_t timeout_ms = 5000;
    std::uint64_t cache_ms = 3'600'000;
    std::string bind_dn;
    std::string password_file;
    bool trust = true;
};

// Belongs to a feature this version does not have, as AdminOptions does: what is read into it is
// either inert or a complaint (core/options.h).
struct QuarantineOptions {
    std::string name;
    ConfigPlace place;
    std::uint64_t retention_ms = std::uint64_t{10} * 86'400'000;
    std::uint64_t bytes_max = std::uint64_t{1} << 30;
    enum class OnFull : std::uint8_t { reject_new, delete_oldest } on_full = OnFull::reject_new;
};

struct KeyRepositoryOptions {
    std::uint64_t capacity_bytes = std::uint64_t{512} << 20;
    bool persist = true;
};

struct AlertOptions {
    std::vector<std::string> to;
    std::string from;
    enum class Severity : std::uint8_t { info, warning, critical };
    Severity severity_min = Severity::warning;
    std::string webhook;
    bool tls_required_failure = true;
    std::uint64_t throttle_ms = 900'000;
};

struct AdminOptions {
    std::string http_address;  // empty: off
    std::string certificate;
    std::string users_file;
};

struct DnsOptions {
    std::vector<std::string> servers;  // "192.0.2.1" or "127.0.0.1@5353"; empty: the system's
    std::string trust_anchor_file;
    std::uint64_t timeout_ms = 5000;
    std::uint64_t cache_bytes = std::uint64_t{64} << 20;
};

struct LogOptions {
    std::string mail_log = "-";
    enum class Format : std::uint8_t { text, json } format = Format::text;
    enum class Level : std::uint8_t { debug, info, warning, error } level = Level::info;
};

struct Config {
    GatewayOptions gateway;
    std::vector<ListenerOptions> listeners;
    std::vector<SenderGroupOptions> sender_groups;
    std::map<std::string, MailFlowPolicyOptions> mail_flow_policies;  // with the built-in five
    std::vector<RecipientAccessRow> recipient_access;
    std::vector<CertificateOptions> certificates;
    std::map<std::string, SendingProfileOptions> sending_profiles;
    std::vector<ContentFilterOptions> content_filters;
    std::vector<MailPolicyOptions> mail_policies;  // in the order of the file, DEFAULT last
    std::vector<RouteRow> smtp_routes;
    std::map<std::string, DestinationOptions> destinations;  // lower-case; always has "default"
    std::map<std::string, BounceProfileOptions> bounce_profiles;  // always has "default"
    TrustOptions trust_smime;
    TrustOptions trust_tls;  // its ca_system is yes unless written otherwise
    std::map<std::string, DirectoryOptions> directories;
    std::map<std::string, QuarantineOptions> quarantines;
    KeyRepositoryOptions key_repository;
    std::string message_filters_file;
    AlertOptions alerts;
    AdminOptions admin;
    DnsOptions dns;
    LogOptions log;
    std::vector<std::string> files;  // what was read, in order
};

}  // namespace sealgate
