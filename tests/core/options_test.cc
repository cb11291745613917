// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/options.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>

#include "core/limits.h"

namespace sealgate {
namespace {

// Nine lines of a configuration without a fault; what follows begins at line 10.
const std::string good = R"([gateway]
hostname = gate.example
[listener:in]
address = 127.0.0.1:2525
[content-filter:cfo]
direction = outgoing
actions = smime-gateway("p");
[listener:out]
address = 127.0.0.1:2526
)";

std::string all_of(const Complaints& complaints) {
    std::string text;
    for (const Complaint& complaint : complaints) text += complaint.to_text() + "\n";
    return text;
}

std::shared_ptr<const Config> parsed(const std::string& text) {
    LoadedConfig loaded = parse_config(text, "f");
    EXPECT_EQ(all_of(loaded.complaints), "");
    if (!loaded.config) return std::make_shared<const Config>();
    return loaded.config;
}

struct Fault {
    const char* name;
    std::string in;    // behind `good`
    std::string want;  // the whole of the complaints
};

class OptionsFaultTest : public testing::TestWithParam<Fault> {};

const char* const tail = ", which this version does not have\n";

// clang-format off
const Fault faults[] = {
    {"UnknownKey", "adress = 127.0.0.1:1\n",
     "f:10: unknown key \"adress\" in [listener:out] (nearest known: address)\n"},
    {"UnknownKeyNearNothing", "zzz = 1\n", "f:10: unknown key \"zzz\" in [listener:out]\n"},
    {"UnknownSection", "[listner:x]\nwhatever = 1\n",
     "f:10: unknown section [listner:x] (nearest known: listener)\n"},
    {"UnknownSectionNearNothing", "[colours]\n", "f:10: unknown section [colours]\n"},
    {"UnknownTrust", "[trust:smtp]\n",
     "f:10: unknown section [trust:smtp] (nearest known: trust:smime)\n"},
    {"SectionLacksName", "[listener]\n", "f:10: [listener] needs a name: [listener:NAME]\n"},
    {"SectionTakesNoName", "[dns:x]\n", "f:10: [dns] takes no name\n"},
    {"KeyTwice", "address = 127.0.0.1:1\n",
     "f:10: key \"address\" is given twice in [listener:out] (first in line 9)\n"},
    {"SeveralAtOnce", "typ = x\ntype = pubic\n[dns]\ntimeout = 1\n",
     "f:10: unknown key \"typ\" in [listener:out] (nearest known: type)\n"
     "f:11: type = pubic is none of public, private (nearest known: public)\n"
     "f:13: timeout = 1 is not a duration such as 30s, 5m, 2h or 3d\n"},

    {"CountBelow", "[gateway]\ncrypto-threads = 0\n",
     "f:11: crypto-threads = 0 is out of range: 1 to 256 threads\n"},
    {"CountAbove", "[gateway]\ncrypto-threads = 257\n",
     "f:11: crypto-threads = 257 is out of range: 1 to 256 threads\n"},
    {"CountHuge", "[gateway]\ncrypto-threads = 99999999999999999999\n",
     "f:11: crypto-threads = 99999999999999999999 is not a number\n"},
    {"CountNegative", "[gateway]\ncrypto-threads = -1\n",
     "f:11: crypto-threads = -1 is not a number\n"},
    {"CountOrWord", "[mail-flow-policy:X]\nrecipients-per-hour-max = none\n",
     "f:11: recipients-per-hour-max = none is not a number or unlimited\n"},
    {"CountZeroIsNotUnlimited", "[mail-flow-policy:X]\nrecipients-per-hour-max = 0\n",
     "f:11: recipients-per-hour-max = 0 is out of range: 1 to 1000000000 recipients\n"},
    {"DurationBelow", "data-timeout = 0\n", "f:10: data-timeout = 0 is out of range: 1s to 1d\n"},
    {"DurationAbove", "data-timeout = 25h\n",
     "f:10: data-timeout = 25h is out of range: 1s to 1d\n"},
    {"DurationOfManyUnits", "data-timeout = 1h30m\n",
     "f:10: data-timeout = 1h30m is not a duration such as 30s, 5m, 2h or 3d\n"},
    {"DurationOverflows", "data-timeout = 18446744073709551615d\n",
     "f:10: data-timeout = 18446744073709551615d is not a duration such as 30s, 5m, 2h or 3d\n"},
    {"SizeBelow", "[gateway]\nmemory-max = 16383K\n",
     "f:11: memory-max = 16383K is out of range: 16M to 1024G\n"},
    {"SizeWord", "[gateway]\nmemory-max = 2GB\n",
     "f:11: memory-max = 2GB is not a size such as 64K, 25M or 2G\n"},
    {"Boolean", "[bounce-profile:b]\nnotify = true\n", "f:11: notify = true is none of yes, no\n"},
    {"Empty", "type =\n", "f:10: type needs a value\n"},
    {"HostName",
     "[gateway]\nhost = x\n[gateway]\nconnections-max = 5\n[dns]\nservers = ns.example\n",
     "f:11: unknown key \"host\" in [gateway]\n"
     "f:15: servers: \"ns.example\" is neither ADDRESS nor ADDRESS@PORT\n"},

    {"ListEmptyEntry", "[dns]\nservers = 192.0.2.1,\n  ,\n  192.0.2.2\n",
     "f:11: servers: an empty entry in the list\n"},
    {"ListFaultsInTheirLines",
     "[sender-group:s]\npolicy = RELAYED\nhosts = 10.1,\n  10.2.,\n  10.3.0.0/33\n",
     "f:12: hosts: \"10.1\" is part of an address: close it with a dot, or write ADDRESS/BITS\n"
     "f:14: hosts: \"10.3.0.0/33\" is no network: ADDRESS/0 to ADDRESS/32\n"},
    {"Endpoint", "[listener:x]\naddress = 2525, [::1]:2527\n",
     "f:11: address: \"2525\" is no ADDRESS:PORT, such as 127.0.0.1:2525 or [::1]:2525\n"},
    {"SameAddress", "[listener:x]\naddress = 127.0.0.1:2527, 127.0.0.1:2525\n",
     "f:10: [listener:x] and [listener:in] have the same address 127.0.0.1:2525\n"},
    {"SameAddressInOneList", "[listener:x]\naddress = [::1]:1, [0::1]:1\n",
     "f:10: [listener:x] and [listener:x] have the same address [::1]:1\n"},
    {"MailPattern", "[mail-policy:m]\ndirection = outgoing\nsenders = example.com\n",
     "f:12: senders: \"example.com\" is none of user@domain, user@, @domain, @.domain, ALL\n"},
    {"ControlSocketTooLong", "[gateway]\ncontrol-socket = /" + std::string(107, 'x') + "\n",
     "f:0: control-socket \"/" + std::string(59, 'x') +
         "...\" is longer than a Unix socket's path may be (107 bytes)\n"},

    {"ListenerLacksAddress", "[listener:x]\ntype = private\n",
     "f:10: [listener:x] lacks address\n"},
    {"ProfileLacksAll", "[sending-profile:x]\n",
     "f:10: [sending-profile:x] lacks mode\nf:10: [sending-profile:x] lacks certificate\n"},
    {"GroupLacksBoth", "[sender-group:x]\n",
     "f:10: [sender-group:x] lacks hosts\nf:10: [sender-group:x] lacks policy\n"},
    {"GroupWithEmptyHosts", "[sender-group:x]\nhosts =\npolicy = RELAYED\n",
     "f:11: hosts needs a value\n"},
    {"FilterLacksBoth", "[content-filter:x]\n",
     "f:10: [content-filter:x] lacks direction\nf:10: [content-filter:x] lacks actions\n"},
    {"PolicyLacksDirection", "[mail-policy:x]\n", "f:10: [mail-policy:x] lacks direction\n"},
    {"CertificateLacksFile", "[certificate:x]\n", "f:10: [certificate:x] lacks file\n"},
    {"RetriesBackwards", "[bounce-profile:x]\nretry-max = 30s\n",
     "f:10: [bounce-profile:x] has retry-first 1m above retry-max 30s\n"},

    {"NoSuchGroup",
     "sender-groups = PARTNRS,\n  PARTNERS\n[sender-group:PARTNERS]\nhosts = ALL\n"
     "policy = RELAYED\n",
     "f:10: sender-groups: there is no [sender-group:PARTNRS] (nearest known: PARTNERS)\n"},
    {"NoSuchGroupInItsLine",
     "sender-groups = A,\n  B\n[sender-group:A]\nhosts = ALL\npolicy = RELAYED\n",
     "f:11: sender-groups: there is no [sender-group:B]\n"},
    {"NoSuchPolicy", "default-policy = ACCEPT\n",
     "f:10: default-policy: there is no [mail-flow-policy:ACCEPT] (nearest known: ACCEPTED)\n"},
    {"NoSuchPolicyOfGroup", "[sender-group:x]\nhosts = ALL\npolicy = RELAY\n",
     "f:12: policy: there is no [mail-flow-policy:RELAY] (nearest known: RELAYED)\n"},
    {"NoSuchFilter", "[mail-policy:x]\ndirection = outgoing\ncontent-filters = cf0\n",
     "f:12: content-filters: there is no [content-filter:cf0] (nearest known: cfo)\n"},
    {"FilterOfOtherDirection", "[mail-policy:x]\ndirection = incoming\ncontent-filters = cfo\n",
     "f:12: content-filters: [content-filter:cfo] is for outgoing mail, [mail-policy:x] for "
     "incoming\n"},
    {"NoSuchBounceProfile", "[destination:example.com]\nbounce-profile = fast\n",
     "f:11: bounce-profile: there is no [bounce-profile:fast]\n"},
    {"NoDomain", "[destination:192.0.2.1]\n",
     "f:10: [destination:192.0.2.1] is not for a domain\n"},
    {"DomainTwice", "[destination:a.example]\n[destination:A.example]\n",
     "f:11: [destination:A.example] is the domain of line 10 again\n"},
    {"BadCertificateName", "[sending-profile:x]\nmode = sign\ncertificate = a/b\n",
     "f:12: certificate: \"a/b\" is no name: letters, digits, '.', '_' and '-' make one\n"},
    {"EmptyCertificate", "[sending-profile:x]\nmode = sign\ncertificate =\n",
     "f:10: [sending-profile:x] lacks certificate\n"},
    {"BadDirection", "[mail-policy:x]\ndirection = outgong\n",
     "f:11: direction = outgong is none of outgoing, incoming (nearest known: outgoing)\n"},

    {"LaterTlsOnConnect", "tls-on-connect = yes\n",
     std::string("f:10: tls-on-connect = yes needs TLS") + tail},
    {"LaterProxy", "proxy-protocol = 10/8\n",
     std::string("f:10: proxy-protocol = 10/8 needs the PROXY protocol") + tail},
    {"LaterPolicyTls", "[mail-flow-policy:x]\ntls = required\ntls-verify-client = optional\n",
     std::string("f:11: tls = required needs TLS") + tail +
         "f:12: tls-verify-client = optional needs TLS" + tail},
    {"LaterDestination",
     "[destination:default]\ntls = preferred-verify\ndane = mandatory\ncertificate = x\n",
     std::string("f:11: tls = preferred-verify needs TLS") + tail +
         "f:12: dane = mandatory needs DANE" + tail + "f:13: certificate = x needs TLS" + tail},
    {"LaterSections", "[quarantine:q]\nsize-max = 2G\n",
     std::string("f:10: [quarantine:q] needs a quarantine") + tail},
    {"KeySourceOfNoKind",
     "[sending-profile:x]\nmode = sign\ncertificate = demo\nkey-sources = local, dane\n",
     "f:13: key-sources: \"dane\" is none of local, smimea, directory:NAME\n"},
    {"KeySourceWithoutItsDirectory",
     "[sending-profile:x]\nmode = sign\ncertificate = demo\n"
     "key-sources = local,\n  directory:stuff, smimea, directory:no\n"
     "[directory:staff]\nurl = ldap://a/%e\n",
     "f:14: key-sources: there is no [directory:stuff] (nearest known: staff)\n"
     "f:14: key-sources: there is no [directory:no]\n"},
    {"DirectoryWithoutUrl", "[directory:x]\ntimeout = 1s\n", "f:10: [directory:x] lacks url\n"},
    {"DirectoryScheme", "[directory:x]\nurl = http://d/%e\n",
     "f:11: url begins with none of ldap://, ldaps://, https://\n"},
    {"DirectoryLogin", "[directory:x]\nurl = ldap://u:secret@d/%e\n",
     "f:11: url has a login: write bind-dn and password-file instead\n"},
    {"DirectoryForNobody", "[directory:x]\nurl = https://d/\n",
     "f:11: url has neither %e nor %d, so it asks the same for everybody\n"},
    {"DirectoryHalfALogin",
     "[directory:x]\nurl = https://d/%e\nbind-dn = cn=a\n"
     "[directory:y]\nurl = https://d/%e\npassword-file = /p\n",
     "f:10: [directory:x] has a bind-dn without password-file\n"
     "f:13: [directory:y] has a password-file without bind-dn\n"},
    {"DirectoryTimeout", "[directory:x]\nurl = https://d/%e\ntimeout = 0s\n",
     "f:12: timeout = 0s is out of range: 1s to 1h\n"},
    {"LaterFilters", "[message-filters]\nfile = /x\n",
     std::string("f:11: file = /x needs message filters") + tail},
    {"AlertsToNobody", "[alerts]\nto = a@example.com, b, , @example.com\nfrom = c@\n",
     "f:11: to: \"b\" is no address, such as postmaster@example.com\n"
     "f:11: to: an empty entry in the list\n"
     "f:11: to: \"@example.com\" is no address, such as postmaster@example.com\n"
     "f:12: from: \"c@\" is no address, such as postmaster@example.com\n"},
    {"AlertsFromEverybody", "[alerts]\nto = ALL, a@.example.com\nfrom = A <a@example.com>\n",
     "f:11: to: \"ALL\" is no address, such as postmaster@example.com\n"
     "f:11: to: \"a@.example.com\" is no address, such as postmaster@example.com\n"
     "f:12: from: \"A <a@example.com>\" is no address, such as postmaster@example.com\n"},
    {"AlertsFromNobody", "[alerts]\nfrom =\n", "f:11: from needs a value\n"},
    {"WebhookOfNoScheme", "[alerts]\nwebhook = hook.example/secret\n",
     "f:11: webhook begins with neither http:// nor https://\n"},
    {"WebhookOfAnotherScheme", "[alerts]\nwebhook = ftp://hook.example/secret\n",
     "f:11: webhook begins with neither http:// nor https://\n"},
    {"WebhookNowhere", "[alerts]\nwebhook = https:///secret\n", "f:11: webhook names no host\n"},
    {"WebhookWithASpace", "[alerts]\nwebhook = https://hook.example/a b\n",
     "f:11: webhook has a space in it\n"},
    {"LaterAdmin", "[admin]\nhttp-address = 127.0.0.1:8080\n",
     std::string("f:11: http-address = 127.0.0.1:8080 needs HTTP administration") + tail},
    {"LaterTrust",
     "[trust:smime]\nca-system = yes\nca-files = /a\nocsp = yes\n[trust:tls]\nca-files = /a\n"
     "revocation = prefer\n",
     std::string("f:15: ca-files = /a needs TLS") + tail + "f:16: revocation = prefer needs TLS" + tail},
};
// clang-format on

TEST_P(OptionsFaultTest, IsOneLineWithItsPlace) {
    const LoadedConfig loaded = parse_config(good + GetParam().in, "f");
    EXPECT_EQ(all_of(loaded.complaints), GetParam().want);
    EXPECT_FALSE(loaded.config);
}

INSTANTIATE_TEST_SUITE_P(Rows, OptionsFaultTest, testing::ValuesIn(faults),
                         [](const auto& row) { return std::string(row.param.name); });

TEST(Options, NeedAListener) {
    EXPECT_EQ(all_of(parse_config("[gateway]\nhostname = a.example\n", "f").complaints),
              "f:0: there is no [listener:NAME]\n");
    EXPECT_EQ(all_of(parse_config("", "f").complaints), "f:0: there is no [listener:NAME]\n");
}

TEST(Options, FillInWhatDependsOnTheMachine) {
    const auto config = parsed("[listener:x]\naddress = 127.0.0.1:0\n[gateway]\ndata-dir = /d\n");
    EXPECT_FALSE(config->gateway.hostname.empty());
    EXPECT_EQ(config->gateway.control_socket, "/d/control.sock");
    EXPECT_EQ(config->alerts.from, "postmaster@" + config->gateway.hostname);
    EXPECT_GE(config->gateway.crypto_threads, 1U);
    EXPECT_EQ(config->files, std::vector<std::string>{"f"});
}

TEST(Options, KnowTheBuiltInSections) {
    const auto config = parsed(good + "[mail-flow-policy:BLOCKED]\nmessage-size-max = 1M\n");
    using Action = MailFlowPolicyOptions::Action;
    const auto& policies = config->mail_flow_policies;
    ASSERT_EQ(policies.size(), 5U);
    EXPECT_EQ(policies.at("ACCEPTED").action, Action::accept);
    EXPECT_EQ(policies.at("RELAYED").action, Action::relay);
    EXPECT_EQ(policies.at("TRUSTED").action, Action::accept);
    EXPECT_EQ(policies.at("THROTTLED").messages_per_connection_max, 20U);
    EXPECT_EQ(policies.at("BLOCKED").action, Action::reject) << "overridden key by key";
    EXPECT_EQ(policies.at("BLOCKED").message_bytes_max, std::uint64_t{1} << 20);
    EXPECT_EQ(config->destinations.at("default").bounce_profile, "default");
    EXPECT_EQ(config->bounce_profiles.at("default").retries_max, 100U);
    ASSERT_EQ(config->mail_policies.size(), 1U);
    EXPECT_EQ(config->mail_policies[0].name, "DEFAULT");
    EXPECT_TRUE(config->mail_policies[0].any_direction);
    EXPECT_TRUE(config->trust_tls.ca_system);
    EXPECT_FALSE(config->trust_smime.ca_system);
}

TEST(Options, TakeADestinationsMissingKeysFromTheDefaultOne) {
    const auto config = parsed(good +
                               "[destination:Example.COM]\ntls = none\n"
                               "[destination:default]\nconnections-max = 7\n"
                               "[bounce-profile:fast]\nretry-first = 1s\n"
                               "[bounce-profile:default]\nretries-max = 3\n"
                               "[mail-flow-policy:default]\nmessage-size-max = 1M\n"
                               "[mail-flow-policy:z]\naction = relay\n");
    const DestinationOptions& destination = config->destinations.at("example.com");
    EXPECT_EQ(destination.domain, "example.com");
    EXPECT_EQ(destination.connections_max, 7U);
    EXPECT_EQ(destination.place.line, 10);
    EXPECT_EQ(destination.tls, DestinationOptions::Tls::none);
    EXPECT_EQ(config->destinations.at("default").tls, DestinationOptions::Tls::preferred);
    EXPECT_EQ(config->bounce_profiles.at("fast").retries_max, 3U);
    EXPECT_EQ(config->bounce_profiles.at("fast").name, "fast");
    EXPECT_EQ(config->mail_flow_policies.at("z").message_bytes_max, std::uint64_t{100} << 20)
        << "no policy is the model of others, whatever its name";
}

TEST(Options, KeepMailPoliciesInOrderAndDefaultLast) {
    const auto config =
        parsed(good +
               "[mail-policy:DEFAULT]\ncontent-filters = cfo\n"
               "[mail-policy:z]\ndirection = outgoing\ncontent-filters = cfo\n"
               "[mail-policy:a]\ndirection = incoming\nnot-senders = @.b.example\n");
    ASSERT_EQ(config->mail_policies.size(), 3U);
    EXPECT_EQ(config->mail_policies[0].name, "z");
    EXPECT_EQ(config->mail_policies[1].name, "a");
    EXPECT_EQ(config->mail_policies[1].direction, Direction::incoming);
    EXPECT_EQ(config->mail_policies[2].name, "DEFAULT");
    EXPECT_EQ(config->mail_policies[2].content_filters, std::vector<std::string>{"cfo"});
}

TEST(Options, KeepThePlacesOfFilterTexts) {
    const auto config = parsed(good +
                               "[content-filter:b]\ndirection = incoming\n"
                               "condition = subject == \"x\"\n  or true\nactions = drop();\n");
    const ContentFilterOptions& filter = config->content_filters.at(1);
    EXPECT_EQ(filter.condition, "subject == \"x\" or true");
    EXPECT_EQ(filter.condition_place.line, 12);
    ASSERT_EQ(filter.condition_lines.size(), 2U);
    EXPECT_EQ(filter.condition_lines[1].line, 13);
    EXPECT_EQ(filter.condition_lines[1].column, 3);
    EXPECT_EQ(filter.actions_place.line, 14);
    EXPECT_EQ(filter.actions, "drop();");
}

TEST(Options, WarnOfWhatDoesNothing) {
    const LoadedConfig loaded = parse_config(good + "certificate = mx\n", "f");
    EXPECT_TRUE(loaded.config);
    EXPECT_EQ(all_of(loaded.warnings),
              std::string("f:10: certificate = mx does nothing without TLS") + tail);
    EXPECT_EQ(all_of(parse_config(good + "certificate = none\n", "f").warnings), "");
    EXPECT_EQ(all_of(parse_config(good + "certificate = demo\n", "f").warnings), "");
}

TEST(Options, WarnOfKeySourcesThatFindNoKey) {
    const std::string sources =
        "[sending-profile:s]\nmode = sign\ncertificate = demo\n"
        "key-sources = local, directory:x, smimea\n[directory:x]\nurl = https://d/%e\n";
    const LoadedConfig loaded = parse_config(good + sources, "f");
    ASSERT_TRUE(loaded.config) << all_of(loaded.complaints);
    EXPECT_EQ(loaded.config->sending_profiles.at("s").key_sources,
              (std::vector<std::string>{"local", "directory:x", "smimea"}));
    EXPECT_EQ(all_of(loaded.warnings),
              "f:14: [directory:x] finds no key: trust = yes, and [trust:smime] names no "
              "authorities\n"
              "f:10: [sending-profile:s] finds no key by smimea: only answers signed by DNSSEC "
              "count, and [dns] has no trust-anchor-file\n");
    EXPECT_EQ(
        all_of(parse_config(good + sources + "trust = no\n[dns]\ntrust-anchor-file = /a\n", "f")
                   .warnings),
        "");
}

TEST(Options, WarnOfHarvestingThatTakesNothing) {
    const LoadedConfig loaded =
        parse_config(good +
                         "[mail-flow-policy:x]\nsmime-harvest = yes\nsmime-harvest-expired = yes\n"
                         "[mail-flow-policy:y]\nsmime-harvest-updates = yes\n"
                         "smime-harvest-expired = yes\n",
                     "f");
    EXPECT_EQ(all_of(loaded.complaints), "");
    EXPECT_EQ(all_of(loaded.warnings),
              "f:10: [mail-flow-policy:x] harvests nothing: smime-verify-decrypt = no\n"
              "f:10: [mail-flow-policy:x] harvests no expired certificate: what they signed is not "
              "verified, and smime-harvest-unverified = no\n");
}

TEST(Options, AcceptTheOffValuesOfLaterFeatures) {
    parsed(good +
           "tls-on-connect = no\nproxy-protocol = off\n"
           "[mail-flow-policy:x]\ntls = preferred\ntls-verify-client = off\n"
           "[sending-profile:s]\nmode = sign\ncertificate = demo\nkey-sources = local\n"
           "cipher = aes-256-gcm\nencrypt-to-self = no\n"
           "[destination:default]\ntls = none\ndane = off\nmta-sts = no\ncertificate =\n"
           "[message-filters]\nfile =\n[admin]\nhttp-address = off\n"
           "[alerts]\nto =\nthrottle = 1h\n[trust:tls]\nca-system = no\nocsp = no\n");
}

TEST(Options, PrintAtMostSoManyComplaints) {
    std::string text = good;
    for (int i = 0; i < limits::config_complaints_max + 5; ++i)
        text += "k" + std::to_string(i) + "\n";
    const Complaints complaints = parse_config(text, "f").complaints;
    ASSERT_EQ(complaints.size(), static_cast<std::size_t>(limits::config_complaints_max) + 1);
    EXPECT_EQ(complaints.back().what, "5 more complaints are not shown");
}

class OptionsFilesTest : public testing::Test {
protected:
    OptionsFilesTest() {
        std::string pattern = (std::filesystem::temp_directory_path() / "options-XXXXXX").string();
        directory_ = mkdtemp(pattern.data());
    }
    ~OptionsFilesTest() override { std::filesystem::remove_all(directory_); }
    std::string write(const std::string& name, const std::string& text) {
        std::ofstream(directory_ + "/" + name) << text;
        return directory_ + "/" + name;
    }
    std::string directory_;
};

TEST_F(OptionsFilesTest, ReadsAFile) {
    const LoadedConfig loaded = load_config(write("a.conf", good));
    ASSERT_TRUE(loaded.config) << all_of(loaded.complaints);
    EXPECT_EQ(loaded.config->listeners.at(0).place.file, directory_ + "/a.conf");
}

TEST_F(OptionsFilesTest, ReadsADirectoryInNameOrderAsOne) {
    write("20-more.ini", "[listener:b]\naddress = 127.0.0.1:2\n[listener:in]\ntype = private\n");
    write("10-first.ini", good);
    write(".hidden.ini", "broken");
    write("note.txt", "broken");
    const LoadedConfig loaded = load_config(directory_);
    ASSERT_TRUE(loaded.config) << all_of(loaded.complaints);
    EXPECT_EQ(loaded.config->listeners.at(0).type, ListenerOptions::Type::private_);
    EXPECT_EQ(loaded.config->listeners.at(2).name, "b");
    EXPECT_EQ(loaded.config->files, (std::vector<std::string>{directory_ + "/10-first.ini",
                                                              directory_ + "/20-more.ini"}));
}

TEST_F(OptionsFilesTest, NamesEachFileInOrder) {
    write("a.ini", good + "x = 1\n");
    write("b.ini", "[dns]\ntimeout = x\n[dns]\nhosts = 1\n");
    const std::string at = directory_;
    EXPECT_EQ(all_of(load_config(directory_).complaints),
              at + "/a.ini:10: unknown key \"x\" in [listener:out]\n" + at +
                  "/b.ini:2: timeout = x is not a duration such as 30s, 5m, 2h or 3d\n" + at +
                  "/b.ini:4: unknown key \"hosts\" in [dns]\n");
}

TEST_F(OptionsFilesTest, SaysInOneLineThatAFileIsMissing) {
    EXPECT_EQ(all_of(load_config(directory_ + "/none.ini").complaints),
              directory_ + "/none.ini:0: cannot be read: No such file or directory\n");
    EXPECT_EQ(all_of(load_config(directory_).complaints),
              directory_ + ":0: is a directory without *.ini files\n");
}

TEST_F(OptionsFilesTest, DoesNotMissWhatAnUnreadableFileMayHold) {
    write("a.ini", "[dns]\ntimeout = 1s\n");
    std::filesystem::create_directory(directory_ + "/b.ini");
    EXPECT_EQ(all_of(load_config(directory_).complaints),
              directory_ + "/b.ini:0: cannot be read: Is a directory\n");
}

}  // namespace
}  // namespace sealgate
