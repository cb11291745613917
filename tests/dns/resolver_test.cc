// SPDX-License-Identifier: GPL-3.0-or-later
// Against a real server: nsd on loopback, with a zone of ours.
#include "dns/resolver.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <map>
#include <optional>
#include <set>

#include "core/loop.h"
#include "tests/support/nsd_server.h"

namespace sealgate {
namespace {

constexpr const char* soa =
    "@ 3600 IN SOA ns.example.com. root.example.com. 1 3600 600 86400 60\n"
    "@ 3600 IN NS ns.example.com.\n";

const std::string example_zone = std::string("$ORIGIN example.com.\n") + soa + R"(
ns 60 IN A 127.0.0.1
@ 60 IN MX 20 mx3
@ 60 IN MX 10 mx1
@ 60 IN MX 10 mx2
mx1 60 IN A 192.0.2.1
mx1 60 IN AAAA 2001:db8::1
mx2 60 IN A 192.0.2.2
mx3 60 IN AAAA 2001:db8::3
nullmx 60 IN MX 0 .
both 60 IN MX 0 .
both 60 IN MX 10 mx1
alias 60 IN CNAME mx1
mailalias 60 IN CNAME example.com.
implicit 60 IN A 192.0.2.9
text 60 IN TXT "nothing else"
upper 60 IN MX 10 MX1.EXAMPLE.COM.
good 60 IN A 192.0.2.10
other 60 IN A 192.0.2.99
six 60 IN AAAA 2001:db8::a
)" + [] {
    std::string many;
    for (int i = 1; i <= 40; ++i) many += "many 60 IN A 198.51.100." + std::to_string(i) + "\n";
    for (int i = 1; i <= 40; ++i) {
        many += "manymx 60 IN MX " + std::to_string(i) + " m" + std::to_string(i) + "\n";
    }
    return many;
}();

const std::string reverse_zone = std::string("$ORIGIN 2.0.192.in-addr.arpa.\n") + soa + R"(
10 60 IN PTR good.example.com.
11 60 IN PTR other.example.com.
12 60 IN PTR other.example.com.
12 60 IN PTR nowhere.example.com.
13 60 IN PTR unanswered.broken.example.
99 60 IN PTR nowhere.example.com.
99 60 IN PTR other.example.com.
)";

const std::string reverse6_zone =
    std::string("$ORIGIN 8.b.d.0.1.0.0.2.ip6.arpa.\n") + soa +
    "a.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0 60 IN PTR six.example.com.\n";

class ResolverTest : public testing::Test {
protected:
    static void SetUpTestSuite() {
        server_ = NsdServer::start({{"example.com", example_zone},
                                    {"2.0.192.in-addr.arpa", reverse_zone},
                                    {"8.b.d.0.1.0.0.2.ip6.arpa", reverse6_zone},
                                    {"broken.example", ""}})
                      .release();
    }
    static void TearDownTestSuite() { delete server_; }
    void SetUp() override {
        if (!server_) GTEST_SKIP() << "nsd is not installed";
        open({server_->address()}, 4000);
    }
    void open(std::vector<std::string> servers, std::uint64_t timeout_ms) {
        DnsOptions options;
        options.servers = std::move(servers);
        options.timeout_ms = timeout_ms;
        std::string why;
        auto opened = open_resolver(loop_, options, &why);
        ASSERT_TRUE(opened) << why;
        resolver_ = std::move(*opened);
    }
    template <typename Answer, typename Ask>
    Answer wait(Ask ask) {
        std::optional<Answer> answer;
        const DnsTicket ticket = ask([&](Answer got) { answer = std::move(got); });
        EXPECT_FALSE(answer) << "called back from inside the call";
        EXPECT_TRUE(loop_.run_until([&] { return answer.has_value(); }, 20'000));
        return answer.value_or(Answer{});
    }
    MxAnswer mx(const std::string& domain) {
        return wait<MxAnswer>([&](auto done) { return resolver_->lookup_mx(domain, done); });
    }
    AddressAnswer addresses(const std::string& host) {
        return wait<AddressAnswer>(
            [&](auto done) { return resolver_->lookup_addresses(host, done); });
    }
    std::string confirmed(const char* ip) {
        return wait<std::string>(
            [&](auto done) { return resolver_->confirm_host(*IpAddress::parse(ip), done); });
    }

    static inline NsdServer* server_ = nullptr;
    Loop loop_;
    std::unique_ptr<Resolver> resolver_;
};

TEST_F(ResolverTest, OrdersMailHostsByPreferenceAndShufflesEquals) {
    std::set<std::string> first;
    for (int i = 0; i < 40; ++i) {
        const MxAnswer answer = mx("example.com");
        ASSERT_EQ(answer.outcome, DnsOutcome::found);
        EXPECT_FALSE(answer.implicit);
        EXPECT_FALSE(answer.null_mx);
        ASSERT_EQ(answer.hosts.size(), 3U);
        EXPECT_EQ(answer.hosts[0].preference, 10U);
        EXPECT_EQ(answer.hosts[1].preference, 10U);
        EXPECT_EQ(answer.hosts[2].name, "mx3.example.com");
        EXPECT_EQ(answer.hosts[2].preference, 20U);
        first.insert(answer.hosts[0].name);
    }
    EXPECT_EQ(first, (std::set<std::string>{"mx1.example.com", "mx2.example.com"}));
}

TEST_F(ResolverTest, TellsNullMxFromNoMx) {
    const MxAnswer null = mx("nullmx.example.com");
    EXPECT_EQ(null.outcome, DnsOutcome::found);
    EXPECT_TRUE(null.null_mx);
    EXPECT_TRUE(null.hosts.empty());

    const MxAnswer implicit = mx("implicit.example.com");
    EXPECT_EQ(implicit.outcome, DnsOutcome::found);
    EXPECT_TRUE(implicit.implicit);
    ASSERT_EQ(implicit.hosts.size(), 1U);
    EXPECT_EQ(implicit.hosts[0].name, "implicit.example.com");

    const MxAnswer both = mx("both.example.com");
    EXPECT_FALSE(both.null_mx);
    ASSERT_EQ(both.hosts.size(), 1U);
    EXPECT_EQ(both.hosts[0].name, "mx1.example.com");
}

TEST_F(ResolverTest, FollowsAliasesAndWritesNamesInLowerCase) {
    EXPECT_EQ(mx("mailalias.example.com").hosts.size(), 3U);
    EXPECT_EQ(addresses("alias.example.com").addresses.size(), 2U);
    const MxAnswer upper = mx("upper.example.com");
    ASSERT_EQ(upper.hosts.size(), 1U);
    EXPECT_EQ(upper.hosts[0].name, "mx1.example.com");
}

TEST_F(ResolverTest, SaysWhyThereIsNoAnswer) {
    EXPECT_EQ(mx("absent.example.com").outcome, DnsOutcome::no_such_domain);
    EXPECT_EQ(addresses("absent.example.com").outcome, DnsOutcome::no_such_domain);
    EXPECT_EQ(addresses("text.example.com").outcome, DnsOutcome::no_data);
    EXPECT_EQ(mx("broken.example").outcome, DnsOutcome::temporary) << "SERVFAIL";
    EXPECT_EQ(addresses("a.broken.example").outcome, DnsOutcome::temporary) << "SERVFAIL";
    EXPECT_EQ(mx("elsewhere.invalid-zone.example").outcome, DnsOutcome::temporary) << "REFUSED";
}

TEST_F(ResolverTest, GivesIpv4BeforeIpv6) {
    const AddressAnswer answer = addresses("mx1.example.com");
    ASSERT_EQ(answer.outcome, DnsOutcome::found);
    ASSERT_EQ(answer.addresses.size(), 2U);
    EXPECT_EQ(answer.addresses[0].to_text(), "192.0.2.1");
    EXPECT_EQ(answer.addresses[1].to_text(), "2001:db8::1");
    EXPECT_FALSE(answer.secure);
    const AddressAnswer only6 = addresses("mx3.example.com");
    ASSERT_EQ(only6.addresses.size(), 1U);
    EXPECT_EQ(only6.addresses[0].to_text(), "2001:db8::3");
}

TEST_F(ResolverTest, KeepsSixteenAddressesAndTwentyMailHosts) {
    EXPECT_EQ(addresses("many.example.com").addresses.size(), 16U);
    const MxAnswer answer = mx("manymx.example.com");
    ASSERT_EQ(answer.hosts.size(), 20U);
    EXPECT_EQ(answer.hosts[19].name, "m20.example.com");
}

TEST_F(ResolverTest, ConfirmsOnlyNamesThatLeadBack) {
    EXPECT_EQ(confirmed("192.0.2.10"), "good.example.com");
    EXPECT_EQ(confirmed("192.0.2.99"), "other.example.com") << "one of two names leads back";
    EXPECT_EQ(confirmed("2001:db8::a"), "six.example.com");
    EXPECT_EQ(confirmed("192.0.2.11"), "") << "its name leads elsewhere";
    EXPECT_EQ(confirmed("192.0.2.12"), "");
    EXPECT_EQ(confirmed("192.0.2.13"), "") << "its name is not answered for";
    EXPECT_EQ(confirmed("192.0.2.77"), "") << "no PTR";
}

TEST_F(ResolverTest, KnowsLocalhostWithoutAServer) {
    const AddressAnswer answer = addresses("localhost");
    ASSERT_EQ(answer.outcome, DnsOutcome::found);
    for (const IpAddress& ip : answer.addresses) EXPECT_TRUE(ip.is_loopback());
}

TEST_F(ResolverTest, NeverCallsBackAfterTheTicketIsGone) {
    bool called = false;
    {
        const DnsTicket dropped = resolver_->lookup_mx("example.com", [&](auto) { called = true; });
    }
    {
        const DnsTicket dropped =
            resolver_->confirm_host(*IpAddress::parse("192.0.2.10"), [&](auto) { called = true; });
    }
    static_cast<void>(mx("example.com"));
    static_cast<void>(confirmed("192.0.2.10"));
    EXPECT_FALSE(called);
}

TEST_F(ResolverTest, CanGoWhileQuestionsAreUnderWay) {
    const DnsTicket ticket = resolver_->lookup_mx("example.com", [](auto) { FAIL(); });
    resolver_.reset();
    loop_.run_until([] { return false; }, 50);
}

TEST_F(ResolverTest, AnswersManyQuestionsAtOnce) {
    int found = 0;
    std::vector<DnsTicket> tickets;
    for (int i = 0; i < 2000; ++i) {
        tickets.push_back(resolver_->lookup_addresses(
            "mx" + std::to_string(i % 3 + 1) + ".example.com",
            [&](const AddressAnswer& a) { found += a.outcome == DnsOutcome::found; }));
    }
    EXPECT_TRUE(loop_.run_until([&] { return found == 2000; }, 20'000)) << found;
}

// A server that takes questions and says nothing, ever.
TEST_F(ResolverTest, GivesUpOnASilentServerInTime) {
    const int silent = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t bytes = sizeof address;
    ASSERT_EQ(bind(silent, reinterpret_cast<sockaddr*>(&address), bytes), 0);
    ASSERT_EQ(getsockname(silent, reinterpret_cast<sockaddr*>(&address), &bytes), 0);
    open({"127.0.0.1@" + std::to_string(ntohs(address.sin_port))}, 200);
    const std::uint64_t begin = loop_.now_ms();
    EXPECT_EQ(mx("example.com").outcome, DnsOutcome::temporary);
    EXPECT_EQ(addresses("example.com").outcome, DnsOutcome::temporary);
    EXPECT_EQ(confirmed("192.0.2.10"), "");
    EXPECT_LT(loop_.now_ms() - begin, 3000U);
    close(silent);
}

TEST_F(ResolverTest, TakesARefusedPortForNoAnswer) {
    open({"127.0.0.1@1"}, 4000);
    EXPECT_EQ(mx("example.com").outcome, DnsOutcome::temporary);
}

TEST(ResolverOptions, AreCheckedWhenItOpens) {
    Loop loop;
    for (const char* server :
         {"dns.example.com", "192.0.2.1@", "192.0.2.1@0", "192.0.2.1@70000", "192.0.2.1@x", ""}) {
        DnsOptions options;
        options.servers = {server};
        std::string why;
        EXPECT_FALSE(open_resolver(loop, options, &why)) << server;
        EXPECT_NE(why.find(server), why.npos);
    }
    DnsOptions options;
    options.trust_anchor_file = "/nonexistent/root.key";
    std::string why;
    EXPECT_FALSE(open_resolver(loop, options, &why));
    EXPECT_NE(why.find("/nonexistent/root.key"), why.npos);
}

TEST(ResolverOptions, TakeTheSystemsServersAndAnyForm) {
    Loop loop;
    for (const char* server : {"192.0.2.1", "192.0.2.1@53", "192.0.2.1:53", "2001:db8::1",
                               "2001:db8::1@53", "[2001:db8::1]:53"}) {
        DnsOptions options;
        options.servers = {server};
        EXPECT_TRUE(open_resolver(loop, options, nullptr)) << server;
    }
    EXPECT_TRUE(open_resolver(loop, DnsOptions{}, nullptr));
}

}  // namespace
}  // namespace sealgate
