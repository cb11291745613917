// SPDX-License-Identifier: GPL-3.0-or-later
#include <gtest/gtest.h>

#include <cctype>
#include <fstream>
#include <iterator>
#include <nlohmann/json.hpp>
#include <set>
#include <string>

#include "core/options.h"
#include "core/options_table.h"
#include "core/options_values.h"

namespace sealgate {
namespace {

// Every section of this version, with values other than the initial ones where there are such.
const std::string full = R"([gateway]
hostname = gate.example
data-dir = /srv/sealgate
crypto-threads = 3
connections-max = 500
memory-max = 64M
shutdown-grace = 0
user = mail
rsa-engine = openssl
key-passphrase-file = /etc/pass
[listener:public]
address = 0.0.0.0:25, [::]:25
sender-groups = A, B
default-policy = THROTTLED
[listener:own]
address = 127.0.0.1:2525
type = private
certificate = none
command-timeout = 90s
[sender-group:B]
hosts = 10.1., 10.1.1.10-40, .partners.example, 2001:db8::/32
policy = mine
comment = two words; and = more
[sender-group:A]
hosts = ALL
policy = RELAYED
[mail-flow-policy:mine]
action = tcp-refuse
tls = preferred
recipients-per-hour-max = 12
message-size-max = 1025
smime-signature = remove
smime-protected-headers = ignore
[recipient-access]
Example.com = accept
.example.com = accept
user@Example.com = reject 550 5.1.1 No such user
a@example.com = reject 450
b@example.com = reject 550 Mailbox is gone
other.example = reject
ALL = reject
[certificate:c]
file = /etc/c.pem
passphrase-file = /etc/c.pass
[sending-profile:p]
mode = sign
certificate = c
sign-mode = opaque
digest = sha384
signature-scheme = rsa-pss
sender-match = envelope
include-chain = no
cipher = aes-128-gcm
[content-filter:sign]
direction = outgoing
condition = subject == "a"
  or true
actions = smime-gateway("p");
[mail-policy:later]
direction = outgoing
senders = @example.com, sales@
not-recipients = @.partners.example
content-filters = sign
[mail-policy:earlier]
direction = incoming
[smtp-routes]
example.com = mx1.example.com/pri=0, MX2.example.com:2525/pri=10
.example.com = [192.0.2.1]:26, [IPv6:2001:db8::1], [::1]:2525/pri=5
null.example = /dev/null
ALL = USEDNS
[destination:example.com]
connections-max = 1
recipients-per-minute-max = 100
[bounce-profile:slow]
queue-time-max = 36h
delay-warning = 4h
[dns]
servers = 192.0.2.53, ::1@5353
timeout = 2s
[log]
mail-log = /var/log/sealgate.log
format = json
level = warning
[key-repository]
capacity = 1G
)";

std::shared_ptr<const Config> parsed(const std::string& text) {
    LoadedConfig loaded = parse_config(text, "f");
    for (const Complaint& complaint : loaded.complaints) ADD_FAILURE() << complaint.to_text();
    return loaded.config ? loaded.config : std::make_shared<const Config>();
}

TEST(ShowConfig, ReadsBackAsTheSameConfiguration) {
    for (const std::string& text : {full, std::string("[listener:a]\naddress = 127.0.0.1:1\n")}) {
        const auto config = parsed(text);
        const std::string shown = show_config(*config);
        const auto again = parsed(shown);
        EXPECT_EQ(show_config(*again), shown);
        EXPECT_EQ(show_config_json(*again), show_config_json(*config));
    }
}

TEST(ShowConfig, ShowsWhatWasWritten) {
    const std::string shown = show_config(*parsed(full));
    for (const char* line :
         {"[gateway]\n",
          "\nhostname = gate.example\n",
          "\ncontrol-socket = /srv/sealgate/control.sock\n",
          "\nshutdown-grace = 0\n",
          "\nrsa-engine = openssl\n",
          "\n[listener:public]\n",
          "\naddress = 0.0.0.0:25, [::]:25\n",
          "\nsender-groups = A, B\n",
          "\ncommand-timeout = 90s\n",
          "\nproxy-protocol = off\n",
          "\ncomment = two words; and = more\n",
          "\nhosts = 10.1., 10.1.1.10-40, .partners.example, 2001:db8::/32\n",
          "\nrecipients-per-hour-max = unlimited\n",
          "\nrecipients-per-hour-max = 12\n",
          "\nmessage-size-max = 1025\n",
          "\nmessage-size-max = 100M\n",
          "\nsmime-protected-headers = ignore\n",
          "\nexample.com = accept\n",
          "\nuser@example.com = reject 550 5.1.1 No such user\n",
          "\na@example.com = reject 450 4.7.1 Recipient address rejected\n",
          "\nb@example.com = reject 550 5.7.1 Mailbox is gone\n",
          "\nother.example = reject 550 5.7.1 Relaying denied\n",
          "\ncondition = subject == \"a\" or true\n",
          "\nexample.com = mx1.example.com/pri=0, mx2.example.com:2525/pri=10\n",
          "\n.example.com = [192.0.2.1]:26/pri=0, [2001:db8::1]/pri=0, [::1]:2525/pri=5\n",
          "\nnull.example = /dev/null\n",
          "\nALL = USEDNS\n",
          "\nqueue-time-max = 36h\n",
          "\n[mail-policy:DEFAULT]\ndirection =\n",
          "\n[destination:default]\n"}) {
        EXPECT_NE(shown.find(line), std::string::npos) << line;
    }
    EXPECT_LT(shown.find("[mail-policy:later]"), shown.find("[mail-policy:earlier]"));
}

TEST(ShowConfig, GivesJsonTypes) {
    const auto json = nlohmann::json::parse(show_config_json(*parsed(full)));
    EXPECT_EQ(json["gateway"]["hostname"], "gate.example");
    EXPECT_EQ(json["gateway"]["crypto-threads"], 3);
    EXPECT_EQ(json["gateway"]["memory-max"], "64M");
    EXPECT_EQ(json["listener:public"]["address"], (nlohmann::json{"0.0.0.0:25", "[::]:25"}));
    EXPECT_EQ(json["listener:public"]["tls-on-connect"], false);
    EXPECT_EQ(json["mail-flow-policy:RELAYED"]["action"], "relay");
    EXPECT_EQ(json["mail-flow-policy:RELAYED"]["recipients-per-hour-max"], "unlimited");
    EXPECT_EQ(json["mail-flow-policy:mine"]["smime-protected-headers"], "ignore");
    EXPECT_EQ(json["recipient-access"]["ALL"], "reject 550 5.7.1 Relaying denied");
    EXPECT_EQ(json["trust:tls"]["ca-system"], true);
    EXPECT_EQ(json["mail-policy:later"]["senders"], (nlohmann::json{"@example.com", "sales@"}));
}

TEST(ShowConfig, MasksPasswordsInUrls) {
    Config config;
    config.directories["d"].url = "ldap://ldap.example/ou=a:b@c";
    config.directories["e"].url = "https://user:se:cr@et@dir.example/a@b:c";
    const std::string shown = show_config(config);
    EXPECT_NE(shown.find("url = ldap://ldap.example/ou=a:b@c\n"), std::string::npos);
    EXPECT_NE(shown.find("url = https://user:***@dir.example/a@b:c\n"), std::string::npos) << shown;
    EXPECT_EQ(show_config_json(config).find("cr@et"), std::string::npos);
}

TEST(ShowConfig, MasksAWebhookBehindItsHost) {
    struct Case {
        const char* url;
        const char* want;
    };
    for (const auto& [url, want] :
         {Case{"", ""},
          {"https://hook.example", "https://hook.example"},
          {"https://hook.example/", "https://hook.example/"},
          {"http://hook.example:81/T0/B0/secret", "http://hook.example:81/***"},
          {"https://hook.example?key=secret", "https://hook.example/***"},
          {"https://user:se:cr@et@hook.example/a@b:c", "https://user:***@hook.example/***"}}) {
        Config config;
        config.alerts.webhook = url;
        const std::string line = std::string("\nwebhook =") + (*want ? " " : "") + want + "\n";
        EXPECT_NE(show_config(config).find(line), std::string::npos) << url;
        EXPECT_EQ(show_config_json(config).find("secret"), std::string::npos) << url;
    }
}

TEST(ChangesThatNeedRestart, AreNamedWithBothValues) {
    const auto before = parsed(full);
    Config after = *before;
    EXPECT_TRUE(changes_that_need_restart(*before, after).empty());
    after.gateway.connections_max = 7;
    after.log.level = LogOptions::Level::debug;
    EXPECT_TRUE(changes_that_need_restart(*before, after).empty());
    after.gateway.data_dir = "/other";
    after.listeners[1].addresses = {*Endpoint::parse("127.0.0.1:2526")};
    after.listeners.erase(after.listeners.begin());
    EXPECT_EQ(changes_that_need_restart(*before, after),
              (std::vector<std::string>{"[gateway] data-dir: /srv/sealgate -> /other",
                                        "[listener:own] address: 127.0.0.1:2525 -> 127.0.0.1:2526",
                                        "[listener:public] address: 0.0.0.0:25, [::]:25 -> none"}));
}

// What a struct's initializers make of a section is what the rows promise.
TEST(OptionRows, BeginWithTheirInitialValues) {
    for (const SectionKind& kind : option_sections()) {
        if (kind.rows.empty()) continue;
        Config config;
        config.trust_tls.ca_system = true;  // as the reader does, for the struct serves both kinds
        const void* section = kind.open(config, "x", {});
        for (const OptionRow& row : kind.rows) {
            SCOPED_TRACE(kind.kind + " " + row.key);
            if (row.required || *row.computed) continue;
            std::vector<ValueFault> faults;
            const auto value = parse_value(row, row.initial, faults);
            ASSERT_TRUE(value) << faults.at(0).what;
            EXPECT_EQ(format_value(row, row.access.get(section)), format_value(row, *value));
        }
    }
}

TEST(OptionRows, SayWhatTheyAre) {
    std::set<std::string> kinds;
    for (const SectionKind& kind : option_sections()) {
        EXPECT_TRUE(kinds.insert(kind.kind).second) << kind.kind;
        EXPECT_TRUE(*kind.doc) << kind.kind;
        EXPECT_NE(kind.rows.empty(), kind.free_rows == nullptr) << kind.kind;
        std::set<std::string> keys;
        for (const OptionRow& row : kind.rows) {
            SCOPED_TRACE(kind.kind + " " + row.key);
            EXPECT_TRUE(keys.insert(row.key).second);
            EXPECT_TRUE(*row.doc);
            EXPECT_TRUE(row.access.put && row.access.get);
            EXPECT_EQ(row.syntax == Syntax::choice, *row.choices != '\0');
            const bool number = row.syntax == Syntax::count || row.syntax == Syntax::size ||
                                row.syntax == Syntax::duration;
            EXPECT_EQ(number, row.max > 0);
            EXPECT_LE(row.min, row.max);
        }
    }
    EXPECT_EQ(kinds.size(), 22U);
}

std::string file_text(const std::string& path) {
    std::ifstream file(std::string(SEALGATE_SOURCE_DIR) + "/" + path, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

TEST(OptionsReference, IsTheOneInDocs) {
    EXPECT_TRUE(file_text("docs/configuration.md") == options_reference_markdown())
        << "docs/configuration.md is not what the option table says. Regenerate it:\n"
           "  build/release/bin/sealgate config reference > docs/configuration.md";
}

TEST(ExampleConfiguration, HasNoFault) {
    const std::string text = file_text("packaging/sealgate.ini");
    ASSERT_FALSE(text.empty());
    const LoadedConfig loaded = parse_config(text, "sealgate.ini");
    for (const Complaint& complaint : loaded.complaints) ADD_FAILURE() << complaint.to_text();
    EXPECT_TRUE(loaded.warnings.empty());
}

}  // namespace
}  // namespace sealgate
