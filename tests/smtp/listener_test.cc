// SPDX-License-Identifier: GPL-3.0-or-later
#include "smtp/listener.h"

#include <gtest/gtest.h>

#include "core/loop.h"
#include "core/socket.h"
#include "dns/resolver.h"
#include "tests/smtp/session_fixture.h"

namespace sealgate {
namespace {

// Knows one name for everybody, and says it when told to.
class ScriptedResolver final : public Resolver {
public:
    DnsTicket lookup_mx(const std::string&, std::function<void(MxAnswer)>) override { return {}; }
    DnsTicket lookup_addresses(const std::string&, std::function<void(AddressAnswer)>) override {
        return {};
    }
    DnsTicket confirm_host(const IpAddress&, std::function<void(std::string)> done) override {
        ++asked;
        auto wanted = std::make_shared<bool>(true);
        answer = [wanted, done = std::move(done)](std::string name) {
            if (*wanted) done(std::move(name));
        };
        return DnsTicket(wanted);
    }
    DnsTicket lookup_smimea(const std::string&, std::function<void(SmimeaAnswer)>) override {
        return {};
    }

    int asked = 0;
    std::function<void(std::string)> answer;
};

class Peer final : private Socket::Handler {
public:
    Peer(Loop& loop, const Endpoint& to)
        : socket_(Socket::connect(loop, to, {}, [this](Result<void> result, const std::string&) {
              connected = result.has_value();
          })) {
        socket_->set_handler(this);
        socket_->resume();
    }
    void say(std::string_view text) { socket_->send(Chunk::copy_of(text)); }
    Endpoint local() const { return socket_->local(); }

    bool connected = false;
    bool ended = false;
    std::string heard;

private:
    void on_bytes(Chunk chunk) override { heard += chunk.text(); }
    void on_end() override { ended = true; }
    void on_broken(std::string) override { ended = true; }
    void on_drain() override {}

    std::unique_ptr<Socket> socket_;
};

class ListenerTest : public testing::Test {
protected:
    ListenerTest() {
        LogOptions options;
        options.mail_log = "/dev/null";
        std::string why;
        log_ = *MailLog::open(options, &loop_, &why);
        setting_.listener().addresses = {*Endpoint::parse("127.0.0.1:0")};
        setting_.listener().default_policy = "ACCEPTED";
    }
    void open() {
        std::string why;
        auto opened = Listener::open({loop_, *log_, host_, resolver_, budget_, rate_},
                                     setting_.config, setting_.listener(), &why);
        ASSERT_TRUE(opened) << why;
        listener_ = *std::move(opened);
        address_ = listener_->addresses().front();
    }
    void add_group(const char* host, const char* policy) {
        SenderGroupOptions group;
        group.name = "GROUP";
        group.hosts = {host};
        group.policy = policy;
        setting_.config->sender_groups.push_back(group);
        setting_.listener().sender_groups = {"GROUP"};
    }
    std::unique_ptr<Peer> peer() { return std::make_unique<Peer>(loop_, address_); }
    bool until(const std::function<bool()>& done, std::uint64_t timeout_ms = 5000) {
        return loop_.run_until(
            [&] {
                host_.answer();
                return done();
            },
            timeout_ms);
    }
    bool hears(Peer& peer, std::string_view text) {
        return until([&] { return peer.heard.find(text) != std::string::npos; });
    }
    bool is_closed(Peer& peer) {
        return until([&] { return peer.ended; });
    }

    Loop loop_;
    SessionSetting setting_;
    ScriptedHost host_;
    ScriptedResolver resolver_;
    ConnectionBudget budget_{100};
    RecipientRate rate_;
    std::unique_ptr<MailLog> log_;
    std::unique_ptr<Listener> listener_;
    Endpoint address_;
};

TEST_F(ListenerTest, CarriesAMessageInAndTheReplyOut) {
    open();
    auto p = peer();
    ASSERT_TRUE(hears(*p, "220 gw.example.com"));
    const std::string body(300'000, 'x');
    p->say("EHLO c\r\nMAIL FROM:<a@b>\r\nRCPT TO:<c@d>\r\nDATA\r\n" + body + "\r\n.\r\nQUIT\r\n");
    ASSERT_TRUE(hears(*p, "250 2.0.0 Ok: queued"));
    ASSERT_TRUE(hears(*p, "221 2.0.0"));
    ASSERT_TRUE(is_closed(*p));
    ASSERT_EQ(host_.finished.size(), 1u);
    EXPECT_EQ(host_.finished.front().content, body + "\r\n");
    EXPECT_TRUE(until([&] { return listener_->session_count() == 0; }));
    EXPECT_EQ(budget_.count(), 0u);
    EXPECT_EQ(resolver_.asked, 0);
}

TEST_F(ListenerTest, WaitsForTheNameOnlyWhereItDecides) {
    MailFlowPolicyOptions blocked;
    blocked.name = "BLOCKED";
    blocked.action = MailFlowPolicyOptions::Action::reject;
    setting_.config->mail_flow_policies["BLOCKED"] = blocked;
    add_group(".bad.example", "BLOCKED");
    open();
    auto p = peer();
    ASSERT_TRUE(until([&] { return resolver_.asked == 1; }));
    EXPECT_EQ(p->heard, "");
    resolver_.answer("mx.bad.example");
    EXPECT_TRUE(hears(*p, "554 5.7.1"));
}

TEST_F(ListenerTest, RefusesWhoSpeaksBeforeTheGreeting) {
    add_group("mx.example.net", "ACCEPTED");
    open();
    auto p = peer();
    ASSERT_TRUE(until([&] { return resolver_.asked == 1; }));
    p->say("EHLO c\r\n");
    EXPECT_TRUE(hears(*p, "554 5.5.0"));
    EXPECT_TRUE(is_closed(*p));
    resolver_.answer("mx.example.net");  // nobody is there to hear it
    EXPECT_EQ(listener_->session_count(), 0u);
}

TEST_F(ListenerTest, ForgetsWhoLeavesBeforeTheGreeting) {
    add_group("mx.example.net", "ACCEPTED");
    open();
    auto p = peer();
    ASSERT_TRUE(until([&] { return resolver_.asked == 1; }));
    p.reset();
    EXPECT_TRUE(until([&] { return listener_->session_count() == 0; }));
    resolver_.answer("mx.example.net");
}

TEST_F(ListenerTest, HoldsHostsToTheirConnections) {
    setting_.policy().connections_per_host_max = 1;
    open();
    auto first = peer();
    ASSERT_TRUE(hears(*first, "220 "));
    auto second = peer();
    EXPECT_TRUE(hears(*second, "421 4.7.0"));
    EXPECT_TRUE(is_closed(*second));
    first->say("QUIT\r\n");
    ASSERT_TRUE(is_closed(*first));
    ASSERT_TRUE(until([&] { return listener_->session_count() == 0; }));
    auto third = peer();
    EXPECT_TRUE(hears(*third, "220 "));
}

TEST_F(ListenerTest, HoldsAllToTheGatewaysConnections) {
    budget_.set_max(1);
    open();
    auto first = peer();
    ASSERT_TRUE(hears(*first, "220 "));
    auto second = peer();
    EXPECT_TRUE(hears(*second, "421 4.3.2"));
    EXPECT_TRUE(is_closed(*second));
    EXPECT_EQ(budget_.count(), 1u);
}

TEST_F(ListenerTest, ClosesWithoutAWordByPolicy) {
    setting_.policy().action = MailFlowPolicyOptions::Action::tcp_refuse;
    open();
    auto p = peer();
    EXPECT_TRUE(is_closed(*p));
    EXPECT_EQ(p->heard, "");
}

TEST_F(ListenerTest, TimesOutASilentClient) {
    setting_.listener().command_timeout_ms = 40;
    open();
    auto p = peer();
    ASSERT_TRUE(hears(*p, "220 "));
    p->say("EHLO c\r\nNO");
    EXPECT_TRUE(hears(*p, "421 4.4.2"));
    EXPECT_TRUE(is_closed(*p));
}

TEST_F(ListenerTest, WaitsByTheDataTimeoutInsideAMessage) {
    setting_.listener().command_timeout_ms = 60'000;
    setting_.listener().data_timeout_ms = 40;
    open();
    auto p = peer();
    p->say("EHLO c\r\nMAIL FROM:<a@b>\r\nRCPT TO:<c@d>\r\nDATA\r\nx");
    EXPECT_TRUE(hears(*p, "421 4.4.2"));
    EXPECT_EQ(host_.aborted, 1);
}

TEST_F(ListenerTest, DrainsIdleSessionsAndAcceptsNoMore) {
    open();
    auto p = peer();
    ASSERT_TRUE(hears(*p, "220 "));
    listener_->drain();
    EXPECT_TRUE(hears(*p, "421 4.3.2"));
    EXPECT_TRUE(until([&] { return listener_->session_count() == 0; }));
    auto late = peer();
    EXPECT_FALSE(until([&] { return late->connected; }, 50));
}

TEST_F(ListenerTest, AbortsWhatIsOpenWhenItGoes) {
    open();
    auto p = peer();
    p->say("EHLO c\r\nMAIL FROM:<a@b>\r\nRCPT TO:<c@d>\r\nDATA\r\nx");
    ASSERT_TRUE(until([&] { return host_.writes > 0; }));
    listener_.reset();
    EXPECT_EQ(host_.aborted, 1);
    EXPECT_EQ(budget_.count(), 0u);
}

TEST_F(ListenerTest, NamesTheAddressItCannotBind) {
    open();
    setting_.listener().addresses = {address_};
    std::string why;
    const auto second = Listener::open({loop_, *log_, host_, resolver_, budget_, rate_},
                                       setting_.config, setting_.listener(), &why);
    EXPECT_FALSE(second);
    EXPECT_EQ(why.find(address_.to_text() + ": "), 0u) << why;
}

TEST_F(ListenerTest, GivesNewConnectionsTheNewConfiguration) {
    open();
    SessionSetting changed;
    changed.config->gateway.hostname = "new.example.com";
    listener_->apply(changed.config);
    auto p = peer();
    EXPECT_TRUE(hears(*p, "220 new.example.com"));
}

TEST(RecipientRate, BeginsAnewAfterAnHour) {
    RecipientRate rate;
    const IpAddress host = *IpAddress::parse("192.0.2.1");
    const IpAddress other = *IpAddress::parse("192.0.2.2");
    EXPECT_TRUE(rate.take(host, 2, 1000));
    EXPECT_TRUE(rate.take(host, 2, 2000));
    EXPECT_FALSE(rate.take(host, 2, 3000));
    EXPECT_TRUE(rate.take(other, 2, 3000));
    EXPECT_TRUE(rate.take(host, 0, 3000)) << "unlimited";
    EXPECT_FALSE(rate.take(host, 2, 3'600'999));
    EXPECT_TRUE(rate.take(host, 2, 3'601'000));
}

TEST(RecipientRate, StaysBoundedUnderAFloodOfHosts) {
    RecipientRate rate;
    for (std::uint32_t i = 0; i < RecipientRate::hosts_max + 100; ++i) {
        const std::uint8_t octets[4] = {10, static_cast<std::uint8_t>(i >> 16),
                                        static_cast<std::uint8_t>(i >> 8),
                                        static_cast<std::uint8_t>(i)};
        EXPECT_TRUE(rate.take(IpAddress::from_ipv4(octets), 1, 1000));
    }
    EXPECT_EQ(rate.hosts(), RecipientRate::hosts_max);
    EXPECT_TRUE(rate.take(*IpAddress::parse("192.0.2.1"), 1, 4'000'000));
    EXPECT_EQ(rate.hosts(), 1u);
}

}  // namespace
}  // namespace sealgate
