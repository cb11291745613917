// SPDX-License-Identifier: GPL-3.0-or-later
#include "smtp/host_access.h"

#include <gtest/gtest.h>

namespace sealgate {
namespace {

using Action = MailFlowPolicyOptions::Action;

class HostAccessTest : public testing::Test {
protected:
    HostAccessTest() {
        add_policy("ACCEPTED", Action::accept);
        add_policy("RELAYED", Action::relay);
        add_policy("BLOCKED", Action::reject);
        add_policy("NEXT", Action::continue_);
        add_group("SEEN", {"10.0.0.0/8"}, "NEXT");
        add_group("PARTNERS", {"10.3.4.0/24", "mx.partner.example"}, "RELAYED");
        add_group("BAD", {".bad.example", "10.3."}, "BLOCKED");
    }

    void add_policy(const char* name, Action action) {
        MailFlowPolicyOptions policy;
        policy.name = name;
        policy.action = action;
        config_.mail_flow_policies[name] = policy;
    }
    void add_group(const char* name, std::vector<std::string> hosts, const char* policy) {
        SenderGroupOptions group;
        group.name = name;
        group.hosts = std::move(hosts);
        group.policy = policy;
        config_.sender_groups.push_back(group);
        listener_.sender_groups.push_back(name);
    }
    std::string find(const char* ip, const char* name = "") const {
        const HostAccess access(config_, listener_);
        const HostAccess::Match match = access.find(*IpAddress::parse(ip), name);
        return match.policy->name + " " + std::string(match.group) + " " +
               std::string(match.pattern);
    }
    bool depends_on_name(const char* ip) const {
        return HostAccess(config_, listener_).depends_on_name(*IpAddress::parse(ip));
    }

    Config config_;
    ListenerOptions listener_;
};

TEST_F(HostAccessTest, TakesTheFirstMatchThatDoesNotContinue) {
    EXPECT_EQ(find("10.3.4.5"), "RELAYED PARTNERS 10.3.4.0/24");
    EXPECT_EQ(find("10.3.5.5"), "BLOCKED BAD 10.3.");
    EXPECT_EQ(find("10.4.5.5"), "ACCEPTED ALL ALL");
    EXPECT_EQ(find("192.0.2.1", "mx.partner.example"), "RELAYED PARTNERS mx.partner.example");
    EXPECT_EQ(find("192.0.2.1", "x.bad.example"), "BLOCKED BAD .bad.example");
    EXPECT_EQ(find("192.0.2.1", "bad.example"), "ACCEPTED ALL ALL");
    EXPECT_EQ(find("2001:db8::1"), "ACCEPTED ALL ALL");
}

TEST_F(HostAccessTest, GivesTheDefaultPolicyToWhoMatchesNoGroup) {
    listener_.default_policy = "BLOCKED";
    EXPECT_EQ(find("192.0.2.1"), "BLOCKED ALL ALL");
}

TEST_F(HostAccessTest, AsksForANameOnlyWhereItCouldDecide) {
    EXPECT_FALSE(depends_on_name("10.3.4.5"));
    EXPECT_TRUE(depends_on_name("10.3.5.5"));
    EXPECT_TRUE(depends_on_name("192.0.2.1"));
    listener_.sender_groups = {"SEEN"};
    EXPECT_FALSE(depends_on_name("192.0.2.1"));
    add_group("EVERYONE", {"2001:db8::/32", "10.1.1.10-40", "ALL"}, "RELAYED");
    EXPECT_FALSE(depends_on_name("192.0.2.1"));
}

}  // namespace
}  // namespace sealgate
