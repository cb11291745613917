// SPDX-License-Identifier: GPL-3.0-or-later
// Couriers against hosts on real loopback sockets: scripted ones that misbehave, and smtp-sink.
#include "smtp/courier.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstring>
#include <filesystem>
#include <fstream>
#include <map>
#include <utility>

#include "core/loop.h"
#include "core/mail_log.h"
#include "core/socket.h"
#include "core/spool.h"
#include "dns/resolver.h"
#include "smtp/routes.h"

namespace sealgate {
namespace {

// Answers from a table; what is not in it does not exist.
class ScriptedResolver final : public Resolver {
public:
    explicit ScriptedResolver(Loop& loop) : loop_(loop) {}

    DnsTicket lookup_mx(const std::string& domain, std::function<void(MxAnswer)> done) override {
        MxAnswer answer;
        answer.outcome = DnsOutcome::no_such_domain;
        if (const auto found = mx.find(domain); found != mx.end()) answer = found->second;
        return later(std::move(answer), std::move(done));
    }
    DnsTicket lookup_addresses(const std::string& host,
                               std::function<void(AddressAnswer)> done) override {
        AddressAnswer answer;
        answer.outcome = DnsOutcome::no_such_domain;
        if (const auto found = addresses.find(host); found != addresses.end()) {
            answer = found->second;
        }
        return later(std::move(answer), std::move(done));
    }
    DnsTicket confirm_host(const IpAddress&, std::function<void(std::string)> done) override {
        return later(std::string(), std::move(done));
    }
    DnsTicket lookup_smimea(const std::string&, std::function<void(SmimeaAnswer)>) override {
        return {};
    }

    std::map<std::string, MxAnswer> mx;
    std::map<std::string, AddressAnswer> addresses;

private:
    template <typename Answer, typename Done>
    DnsTicket later(Answer answer, Done done) {
        auto wanted = std::make_shared<bool>(true);
        loop_.post([wanted, answer = std::move(answer), done = std::move(done)] {
            if (*wanted) done(answer);
        });
        return DnsTicket(wanted);
    }
    Loop& loop_;
};

// A host that answers line by line as it is told. In `answers`, a key is the beginning of a command
// ("" is the connection, "." the end of the text); "close" closes, "silent" says nothing; what is
// not there is answered as an ordinary host would.
class ScriptedHost final {
public:
    explicit ScriptedHost(Loop& loop, std::map<std::string, std::string> answers = {},
                          const char* at = "127.0.0.1:0")
        : answers_(std::move(answers)) {
        std::string why;
        auto listening = Acceptor::listen(
            loop, *Endpoint::parse(at),
            [this](std::unique_ptr<Socket> socket) {
                ++connections;
                guests_.push_back(std::make_unique<Guest>(*this, std::move(socket)));
            },
            &why);
        EXPECT_TRUE(listening) << why;
        if (listening) acceptor_ = std::move(*listening);
    }

    std::uint16_t port() const { return acceptor_->local().port; }
    void say(std::map<std::string, std::string> answers) { answers_ = std::move(answers); }
    void hang_up() {
        for (auto& guest : guests_) guest->close();
    }

    int connections = 0;
    std::string heard;  // commands, one a line
    std::vector<std::string> texts;

private:
    class Guest final : public Socket::Handler {
    public:
        Guest(ScriptedHost& host, std::unique_ptr<Socket> socket)
            : host_(host), socket_(std::move(socket)) {
            socket_->set_handler(this);
            socket_->resume();
            answer("", "220 host ESMTP\r\n");
        }
        void on_bytes(Chunk chunk) override {
            input_ += chunk.text();
            while (socket_ && step()) {
            }
            input_.erase(0, std::exchange(read_, 0));
        }
        void on_end() override { close(); }
        void on_broken(std::string) override { close(); }
        void on_drain() override {}
        void close() { socket_.reset(); }

    private:
        bool step() {
            if (chunk_bytes_ > 0) {
                if (input_.size() - read_ < chunk_bytes_) return false;
                text_ += input_.substr(read_, chunk_bytes_);
                read_ += std::exchange(chunk_bytes_, 0);
                end_chunk();
                return true;
            }
            const std::size_t end = input_.find("\r\n", read_);
            if (end == input_.npos) return false;
            const std::string line = input_.substr(read_, end - read_);
            read_ = end + 2;
            in_text_ ? text_line(line) : command(line);
            return true;
        }
        void text_line(const std::string& line) {
            if (line != ".") {
                text_ += line.substr(line.starts_with(".") ? 1 : 0) + "\r\n";
                answer("text", "");
                return;
            }
            in_text_ = false;
            host_.texts.push_back(std::exchange(text_, {}));
            answer(".", "250 2.0.0 Ok: queued\r\n");
        }
        void end_chunk() {
            if (!last_chunk_) return answer("CHUNK", "250 2.0.0 Ok\r\n");
            host_.texts.push_back(std::exchange(text_, {}));
            answer(".", "250 2.0.0 Ok: queued\r\n");
        }
        void command(const std::string& line) {
            host_.heard += line + "\n";
            if (line.starts_with("BDAT ")) {
                chunk_bytes_ = std::stoul(line.substr(5));
                last_chunk_ = line.ends_with(" LAST");
                if (chunk_bytes_ == 0) end_chunk();
            } else if (line == "DATA") {
                in_text_ = true;
                answer("DATA", "354 go\r\n");
            } else if (line == "QUIT") {
                answer("QUIT", "221 bye\r\n");
                close();
            } else if (line.starts_with("EHLO")) {
                answer("EHLO", "250 host\r\n");
            } else {
                answer(line.substr(0, line.find(' ')), "250 2.1.0 Ok\r\n");
            }
        }
        void answer(const std::string& to, const std::string& usual) {
            const auto found = host_.answers_.find(to);
            const std::string said = found == host_.answers_.end() ? usual : found->second;
            if (said == "silent" || said.empty()) return;
            if (said == "close") return close();
            const bool closes = said.ends_with("close");
            socket_->send(Chunk::copy_of(said.substr(0, said.size() - (closes ? 5 : 0))));
            if (closes) Socket::close_after_sending(std::move(socket_));
        }

        ScriptedHost& host_;
        std::unique_ptr<Socket> socket_;
        std::string input_, text_;
        bool in_text_ = false, last_chunk_ = false;
        std::size_t chunk_bytes_ = 0;
        std::size_t read_ = 0;  // of input_
    };

    std::map<std::string, std::string> answers_;
    std::vector<std::unique_ptr<Guest>> guests_;
    std::unique_ptr<Acceptor> acceptor_;
};

constexpr const char* kinds[] = {"delivered", "deferred", "failed"};
const std::string text = "Subject: x\r\n\r\n.dot\r\n";

class CourierTest : public testing::Test, public Courier::Owner {
protected:
    void SetUp() override {
        std::string pattern = std::filesystem::temp_directory_path() / "sealgate-courier-XXXXXX";
        ASSERT_TRUE(mkdtemp(pattern.data()));
        directory_ = pattern;
        LogOptions options;
        options.mail_log = directory_ + "/mail.log";
        std::string why;
        auto log = MailLog::open(options, &loop_, &why);
        ASSERT_TRUE(log) << why;
        log_ = std::move(*log);
        auto spool = Spool::open(loop_, directory_ + "/spool", &why);
        ASSERT_TRUE(spool) << why;
        spool_ = std::move(*spool);
        config_->destinations["default"] = {};
        timeouts_ = {300, 300, 300, 300, 300, 300};
    }
    void TearDown() override {
        courier_.reset();
        spool_.reset();
        log_.reset();
        std::filesystem::remove_all(directory_);
    }

    // Owner
    std::unique_ptr<DeliveryTask> next_task(Courier&) override {
        if (tasks_.empty()) return nullptr;
        auto task = std::move(tasks_.front());
        tasks_.erase(tasks_.begin());
        return task;
    }
    void on_outcome(Courier&, std::unique_ptr<DeliveryTask> task,
                    std::vector<RecipientOutcome> outcomes) override {
        for (const RecipientOutcome& outcome : outcomes) {
            outcomes_ += std::to_string(task->mid) + "/" + std::to_string(outcome.rid) + " " +
                         kinds[static_cast<int>(outcome.kind)] + " " +
                         std::to_string(outcome.reply.code) + " " + outcome.reply.text() + "\n";
        }
        ++finished_;
    }
    void on_gone(Courier&, bool reached, Reply reply) override {
        gone_ = true;
        reached_ = reached;
        gone_reply_ = std::to_string(reply.code) + " " + reply.text();
    }

    void route_to(std::vector<RouteHost> hosts, RouteRow::Kind kind = RouteRow::Kind::hosts) {
        RouteRow row;
        row.pattern = "ALL";
        row.kind = kind;
        row.hosts = std::move(hosts);
        config_->smtp_routes = {row};
    }
    static RouteHost local(std::uint16_t port, unsigned priority = 0,
                           std::string address = "127.0.0.1") {
        RouteHost host;
        host.host = std::move(address);
        host.is_address = true;
        host.port = port;
        host.priority = priority;
        return host;
    }
    void add_task(MessageId mid, std::vector<std::size_t> rids = {0}) {
        auto task = std::make_unique<DeliveryTask>();
        task->mid = mid;
        task->sender = "a@example.com";
        for (const std::size_t rid : rids) {
            task->recipients.push_back({rid, "r" + std::to_string(rid) + "@example.net", "", {}});
        }
        task->in_memory = true;
        task->bytes.append(Chunk::copy_of(text));
        task->body_bytes = text.size();
        tasks_.push_back(std::move(task));
    }
    void start(const std::string& domain = "example.net") {
        routes_ = std::make_unique<RouteTable>(config_);
        Courier::Context context{loop_, *log_,    resolver_, *spool_, *routes_, "gate.example.com",
                                 own_,  idle_ms_, timeouts_, mx_port_};
        courier_ = std::make_unique<Courier>(std::move(context), *this, config_, domain);
        courier_->start();
        EXPECT_FALSE(gone_) << "called from inside start()";
    }
    bool wait(const std::function<bool()>& done) { return loop_.run_until(done, 10'000); }
    void run(const std::string& domain = "example.net") {
        start(domain);
        ASSERT_TRUE(wait([this] { return gone_; })) << log();
    }
    // Without dates and levels.
    std::string log() {
        log_.reset();
        std::ifstream file(directory_ + "/mail.log");
        std::string lines, line;
        while (std::getline(file, line)) lines += line.substr(line.find("Info: ") + 6) + "\n";
        return lines;
    }

    Loop loop_;
    std::string directory_;
    ScriptedResolver resolver_{loop_};
    std::unique_ptr<MailLog> log_;
    std::unique_ptr<Spool> spool_;
    std::shared_ptr<Config> config_ = std::make_shared<Config>();
    std::unique_ptr<RouteTable> routes_;
    std::vector<Endpoint> own_;
    std::uint64_t idle_ms_ = 20;
    std::uint16_t mx_port_ = 25;
    DeliveryTimeouts timeouts_;
    std::vector<std::unique_ptr<DeliveryTask>> tasks_;
    std::unique_ptr<Courier> courier_;
    std::string outcomes_;
    int finished_ = 0;
    bool gone_ = false, reached_ = false;
    std::string gone_reply_;
};

TEST_F(CourierTest, DeliversAndWritesTheLog) {
    ScriptedHost host(loop_, {{"EHLO", "250-host\r\n250-PIPELINING\r\n250 CHUNKING\r\n"}});
    route_to({local(host.port())});
    add_task(6);
    add_task(7, {0, 1});
    run();
    EXPECT_TRUE(reached_);
    EXPECT_EQ(outcomes_,
              "6/0 delivered 250 2.0.0 Ok: queued\n7/0 delivered 250 2.0.0 Ok: queued\n"
              "7/1 delivered 250 2.0.0 Ok: queued\n");
    EXPECT_EQ(host.connections, 1);
    EXPECT_EQ(host.texts, (std::vector<std::string>{text, text}));
    EXPECT_EQ(host.heard,
              "EHLO gate.example.com\nMAIL FROM:<a@example.com>\nRCPT TO:<r0@example.net>\n"
              "BDAT 20 LAST\nMAIL FROM:<a@example.com>\nRCPT TO:<r0@example.net>\n"
              "RCPT TO:<r1@example.net>\nBDAT 20 LAST\nQUIT\n");
    const std::string d = "DCID " + std::to_string(courier_->dcid());
    EXPECT_EQ(log(),
              "New SMTP " + d + " interface 127.0.0.1 address 127.0.0.1 port " +
                  std::to_string(host.port()) + "\nDelivery start " + d +
                  " MID 6 to RID [0]\nMID 6 RID [0] Response '2.0.0 Ok: queued'\nMessage done " +
                  d + " MID 6 to RID [0]\nDelivery start " + d +
                  " MID 7 to RID [0, 1]\nMID 7 RID [0, 1] Response '2.0.0 Ok: queued'\n"
                  "Message done " +
                  d + " MID 7 to RID [0, 1]\n" + d + " close\n");
}

TEST_F(CourierTest, WaitsIdleUntilItIsPoked) {
    ScriptedHost host(loop_);
    route_to({local(host.port())});
    idle_ms_ = 5000;
    add_task(1);
    start();
    ASSERT_TRUE(wait([this] { return courier_->idle(); }));
    add_task(2);
    courier_->poke();
    ASSERT_TRUE(wait([this] { return finished_ == 2 && courier_->idle(); }));
    EXPECT_EQ(host.connections, 1);
    courier_->finish();
    ASSERT_TRUE(wait([this] { return gone_; }));
    EXPECT_TRUE(host.heard.ends_with("QUIT\n") ||
                wait([&] { return host.heard.ends_with("QUIT\n"); }));
}

TEST_F(CourierTest, ClosesAfterAsManyMessagesAsAreAllowed) {
    ScriptedHost host(loop_);
    route_to({local(host.port())});
    config_->destinations["example.net"].messages_per_connection_max = 2;
    for (MessageId mid = 1; mid <= 3; ++mid) add_task(mid);
    run();
    EXPECT_EQ(finished_, 2);
    EXPECT_EQ(tasks_.size(), 1U);
    EXPECT_TRUE(reached_);
}

struct Misbehaviour {
    const char* name;
    std::map<std::string, std::string> answers;
    const char* want;  // beginning of the outcome; "": no outcome, no task was asked for
    const char* gone;  // beginning of the last reply
};

class BadHost : public CourierTest, public testing::WithParamInterface<Misbehaviour> {};

// Alone, such a host gets the mail deferred or refused; with a good one behind it in the list, the
// mail goes there unless the bad one has said something about it.
TEST_P(BadHost, EndsInAnOutcome) {
    const Misbehaviour& row = GetParam();
    ScriptedHost host(loop_, row.answers);
    route_to({local(host.port())});
    add_task(6);
    run();
    if (*row.want) {
        EXPECT_EQ(outcomes_.substr(0, std::strlen(row.want)), row.want);
        EXPECT_EQ(finished_, 1);
    } else {
        EXPECT_FALSE(reached_);
        EXPECT_EQ(outcomes_, "");
        EXPECT_EQ(tasks_.size(), 1U) << "a task was taken without a host";
    }
    EXPECT_EQ(gone_reply_.substr(0, std::strlen(row.gone)), row.gone);
}

const Misbehaviour misbehaviours[] = {
    {"SilentFromTheBeginning", {{"", "silent"}}, "", "451 4.4.2 host[127.0.0.1]"},
    {"ClosesAtOnce", {{"", "close"}}, "", "451 4.4.2 lost connection with host[127.0.0.1]"},
    {"Greets554", {{"", "554 5.7.1 no\r\n"}}, "", "451 4.4.1 host[127.0.0.1]"},
    {"Greets521", {{"", "521 no mail here\r\n"}}, "", "521 5.3.2 host[127.0.0.1]"},
    {"Greets421", {{"", "421 4.3.2 busy\r\nclose"}}, "", "451 4.4.1 host[127.0.0.1]"},
    {"TalksSsh", {{"", "SSH-2.0-OpenSSH_9.2\r\n"}}, "", "451 4.5.0"},
    {"EndlessGreeting", {{"", std::string(100'000, 'x')}}, "", "451 4.5.0"},
    {"SilentAtEhlo", {{"EHLO", "silent"}}, "", "451 4.4.2"},
    {"ClosesAtEhlo", {{"EHLO", "close"}}, "", "451 4.4.2"},
    {"ClosesAtMail", {{"MAIL", "close"}}, "6/0 deferred 451 4.4.2 lost", "451 4.4.2"},
    {"SilentAtRcpt", {{"RCPT", "silent"}}, "6/0 deferred 451 4.4.2", "451 4.4.2"},
    {"ClosingAtRcpt", {{"RCPT", "421 4.3.2 bye\r\nclose"}}, "6/0 deferred 421 4.3.2 bye", "421"},
    {"ClosesInTheText", {{"text", "close"}}, "6/0 deferred 451 4.4.2", "451 4.4.2"},
    {"SilentAtTheEnd", {{".", "silent"}}, "6/0 deferred 451 4.4.2", "451 4.4.2"},
    {"ClosesAtTheEnd", {{".", "close"}}, "6/0 deferred 451 4.4.2", "451 4.4.2"},
    {"ClosesAfterTheEnd", {{".", "250 2.0.0 Ok\r\nclose"}}, "6/0 delivered 250 2.0.0 Ok", ""},
    {"GarbageAtTheEnd", {{".", "\xff\xfe\r\n"}}, "6/0 deferred 451 4.5.0", "451 4.5.0"},
    {"RefusesTheRecipient", {{"RCPT", "550 5.1.1 who\r\n"}}, "6/0 failed 550 5.1.1 who", "221"},
    {"RefusesTheText", {{".", "554 5.7.1 spam\r\n"}}, "6/0 failed 554 5.7.1 spam", "221"},
};
INSTANTIATE_TEST_SUITE_P(Rows, BadHost, testing::ValuesIn(misbehaviours),
                         [](const auto& row) { return std::string(row.param.name); });

TEST_F(CourierTest, GoesOnToTheNextHostWhileNothingWasSaid) {
    for (const auto& answers :
         std::vector<std::map<std::string, std::string>>{{{"", "close"}},
                                                         {{"", "554 no\r\n"}},
                                                         {{"", "silent"}},
                                                         {{"EHLO", "421 a\r\nclose"}},
                                                         {{"MAIL", "close"}},
                                                         {{"RCPT", "421 a\r\nclose"}},
                                                         {{"DATA", "close"}}}) {
        SCOPED_TRACE(answers.begin()->first + " -> " + answers.begin()->second);
        gone_ = reached_ = false;
        outcomes_.clear();
        ScriptedHost bad(loop_, answers);
        ScriptedHost good(loop_);
        route_to({local(bad.port(), 0), local(good.port(), 10)});
        add_task(6);
        run();
        EXPECT_EQ(outcomes_, "6/0 delivered 250 2.0.0 Ok: queued\n");
        EXPECT_EQ(bad.connections, 1);
        EXPECT_EQ(good.connections, 1);
        EXPECT_TRUE(reached_);
        courier_.reset();
    }
}

TEST_F(CourierTest, StaysWithTheFirstHostThatTakesItsText) {
    ScriptedHost bad(loop_, {{".", "close"}});
    ScriptedHost good(loop_);
    route_to({local(bad.port(), 0), local(good.port(), 10)});
    add_task(6);
    run();
    EXPECT_EQ(outcomes_.substr(0, 18), "6/0 deferred 451 4") << "the host may have the message";
    EXPECT_EQ(good.connections, 0);
}

TEST_F(CourierTest, MakesAConnectionAnewThatWasClosedWhileIdle) {
    for (const char* extensions :
         {"250 host\r\n", "250-host\r\n250-PIPELINING\r\n250 CHUNKING\r\n"}) {
        SCOPED_TRACE(extensions);
        ScriptedHost host(loop_, {{"EHLO", extensions}});
        route_to({local(host.port())});
        gone_ = false;
        outcomes_.clear();
        finished_ = 0;
        idle_ms_ = 5000;
        add_task(1);
        start();
        ASSERT_TRUE(wait([this] { return courier_->idle(); }));
        add_task(2);
        courier_->poke();  // before we hear of the end: the command meets a closed socket
        host.hang_up();
        ASSERT_TRUE(wait([this] { return finished_ == 2 || gone_; }));
        // Either the end came first and the courier is gone, or the task found a new connection.
        if (!gone_) {
            EXPECT_EQ(outcomes_,
                      "1/0 delivered 250 2.0.0 Ok: queued\n"
                      "2/0 delivered 250 2.0.0 Ok: queued\n");
            EXPECT_EQ(host.connections, 2);
        }
        tasks_.clear();
        courier_.reset();
    }
}

TEST_F(CourierTest, AsksForTheSecondMessageAgainAfter421) {
    ScriptedHost host(loop_);
    route_to({local(host.port())});
    idle_ms_ = 5000;
    add_task(1);
    start();
    ASSERT_TRUE(wait([this] { return courier_->idle(); }));
    host.say({{"MAIL", "421 4.7.0 too many messages\r\nclose"}});
    add_task(2);
    courier_->poke();
    ASSERT_TRUE(wait([&] { return host.heard.find("MAIL", 60) != host.heard.npos; }));
    host.say({});
    ASSERT_TRUE(wait([this] { return finished_ == 2; }));
    EXPECT_EQ(outcomes_,
              "1/0 delivered 250 2.0.0 Ok: queued\n2/0 delivered 250 2.0.0 Ok: queued\n");
}

TEST_F(CourierTest, ReportsAHostWhereNobodyListens) {
    std::uint16_t port = 0;
    { port = ScriptedHost(loop_).port(); }
    loop_.run_until([] { return false; }, 20);
    route_to({local(port)});
    add_task(6);
    run();
    EXPECT_FALSE(reached_);
    EXPECT_EQ(gone_reply_.substr(0, 24), "451 4.4.1 host[127.0.0.1");
    EXPECT_EQ(log(), "Connection Error: DCID " + std::to_string(courier_->dcid()) +
                         " domain: example.net IP: 127.0.0.1 port: " + std::to_string(port) +
                         " details: connection refused\n");
}

AddressAnswer loopback(std::vector<const char*> texts) {
    AddressAnswer answer;
    answer.outcome = DnsOutcome::found;
    for (const char* ip : texts) answer.addresses.push_back(*IpAddress::parse(ip));
    return answer;
}

MxAnswer mail_hosts(std::vector<MxHost> hosts) {
    MxAnswer answer;
    answer.outcome = DnsOutcome::found;
    answer.hosts = std::move(hosts);
    return answer;
}

TEST_F(CourierTest, TriesMailHostsAndTheirAddressesInOrder) {
    ScriptedHost host(loop_, {}, "127.0.0.3:0");
    mx_port_ = host.port();
    resolver_.mx["example.net"] =
        mail_hosts({{"gone.example.net", 5}, {"mx1.example.net", 10}, {"mx2.example.net", 20}});
    resolver_.addresses["mx1.example.net"] = loopback({"127.0.0.1", "127.0.0.2"});
    resolver_.addresses["mx2.example.net"] = loopback({"127.0.0.3"});
    add_task(6);
    run();
    EXPECT_EQ(outcomes_, "6/0 delivered 250 2.0.0 Ok: queued\n");
    const std::string lines = log();
    const std::size_t first = lines.find("IP: 127.0.0.1"), second = lines.find("IP: 127.0.0.2"),
                      third = lines.find("address 127.0.0.3");
    EXPECT_LT(first, second);
    EXPECT_LT(second, third);
    EXPECT_NE(third, lines.npos) << lines;
}

struct DnsCase {
    const char* name;
    MxAnswer mx;
    const char* want;
};

MxAnswer mx_of(DnsOutcome outcome) {
    MxAnswer answer;
    answer.outcome = outcome;
    return answer;
}

TEST_F(CourierTest, SaysWhyADomainHasNoHost) {
    MxAnswer null = mx_of(DnsOutcome::found);
    null.null_mx = true;
    const DnsCase rows[] = {
        {"NoDomain", mx_of(DnsOutcome::no_such_domain), "550 5.1.2"},
        {"NoUsableHost", mx_of(DnsOutcome::no_data), "550 5.4.4"},
        {"Temporary", mx_of(DnsOutcome::temporary), "451 4.4.3"},
        {"Bogus", mx_of(DnsOutcome::bogus), "451 4.4.3"},
        {"NullMx", null, "556 5.1.10"},
        {"HostDoesNotExist", mail_hosts({{"gone.example.net", 1}}), "550 5.4.4"},
        {"OneHostMayComeBack", mail_hosts({{"later.example.net", 1}, {"gone.example.net", 2}}),
         "451 4.4.3"},
        {"BestHostIsOurselves", mail_hosts({{"gate.example.com", 1}, {"gone.example.net", 2}}),
         "554 5.4.6"},
        {"WorseThanOurselves", mail_hosts({{"later.example.net", 1}, {"gate.example.com", 2}}),
         "451 4.4.3"},
    };
    resolver_.addresses["later.example.net"].outcome = DnsOutcome::temporary;
    own_ = {*Endpoint::parse("192.0.2.1:25")};
    for (const DnsCase& row : rows) {
        SCOPED_TRACE(row.name);
        gone_ = false;
        resolver_.mx["example.net"] = row.mx;
        run();
        EXPECT_FALSE(reached_);
        EXPECT_EQ(gone_reply_.substr(0, std::strlen(row.want)), row.want);
    }
}

TEST_F(CourierTest, NeverDeliversToTheGatewayItself) {
    ScriptedHost ourselves(loop_);
    route_to({local(ourselves.port())});
    const std::string port = std::to_string(ourselves.port());
    for (const std::string& own : {"127.0.0.1:" + port, "0.0.0.0:" + port, "[::]:" + port}) {
        gone_ = false;
        own_ = {*Endpoint::parse(own)};
        run();
        EXPECT_EQ(gone_reply_.substr(0, 9), "554 5.4.6") << own;
        EXPECT_FALSE(reached_);
    }
    EXPECT_EQ(ourselves.connections, 0);
}

TEST_F(CourierTest, DeliversToAnAddressLiteral) {
    ScriptedHost host(loop_);
    route_to({local(host.port())});
    add_task(6);
    run("[127.0.0.1]");
    EXPECT_EQ(outcomes_, "6/0 delivered 250 2.0.0 Ok: queued\n");
}

TEST_F(CourierTest, DiscardsWhereTheRouteSaysSo) {
    route_to({}, RouteRow::Kind::discard);
    add_task(6);
    add_task(7);
    run();
    EXPECT_TRUE(reached_);
    EXPECT_EQ(outcomes_,
              "6/0 delivered 250 2.0.0 discarded by smtp-routes\n"
              "7/0 delivered 250 2.0.0 discarded by smtp-routes\n");
}

TEST_F(CourierTest, ReadsLargeBodiesFromTheSpool) {
    const std::string line = ".23456789012345678901234567890123456789012345678901234567890\r\n";
    std::string body = "Subject: large\r\n\r\n";
    while (body.size() < 3'000'000) body += line;
    const MessageId mid = spool_->next_mid();
    auto writer = spool_->begin(mid);
    for (std::size_t at = 0; at < body.size(); at += 60'000) {
        ASSERT_TRUE(writer->write(Chunk::copy_of(std::string_view(body).substr(at, 60'000))));
    }
    ASSERT_TRUE(writer->finish());
    bool committed = false;
    writer->commit("envelope", [&](auto stored) { committed = stored.has_value(); });
    ASSERT_TRUE(wait([&] { return committed; }));
    for (const char* extensions : {"250 host\r\n", "250-host\r\n250 CHUNKING\r\n",
                                   "250-host\r\n250-PIPELINING\r\n250 CHUNKING\r\n"}) {
        SCOPED_TRACE(extensions);
        ScriptedHost host(loop_, {{"EHLO", extensions}});
        route_to({local(host.port())});
        gone_ = false;
        outcomes_.clear();
        add_task(mid);
        tasks_.back()->in_memory = false;
        tasks_.back()->bytes.clear();
        tasks_.back()->body_bytes = body.size();
        run();
        EXPECT_EQ(outcomes_, std::to_string(mid) + "/0 delivered 250 2.0.0 Ok: queued\n");
        ASSERT_EQ(host.texts.size(), 1U);
        EXPECT_TRUE(host.texts[0] == body) << host.texts[0].size() << " bytes of " << body.size();
        courier_.reset();
    }
}

TEST_F(CourierTest, DefersAMessageThatTheSpoolDoesNotHave) {
    ScriptedHost host(loop_);
    ScriptedHost other(loop_);
    route_to({local(host.port(), 0), local(other.port(), 1)});
    add_task(999'999);
    tasks_.back()->in_memory = false;
    run();
    EXPECT_EQ(outcomes_.substr(0, 26), "999999/0 deferred 451 4.3.");
    EXPECT_TRUE(host.texts.empty());
    EXPECT_EQ(other.connections, 0);
}

TEST_F(CourierTest, CanGoAtAnyMoment) {
    for (int round = 0; round < 40; ++round) {
        ScriptedHost host(loop_);
        route_to({local(host.port())});
        add_task(6);
        gone_ = false;
        start();
        int turns = 0;
        loop_.run_until([&] { return ++turns > round; }, 50);
        courier_.reset();
        tasks_.clear();
        loop_.run_until([] { return false; }, 1);
    }
}

// Postfix's own sink, with PIPELINING.
TEST_F(CourierTest, DeliversToSmtpSink) {
    constexpr const char* path = "/usr/sbin/smtp-sink";
    if (access(path, X_OK) != 0) GTEST_SKIP() << "smtp-sink is not installed";
    std::uint16_t port = 0;
    { port = ScriptedHost(loop_).port(); }
    loop_.run_until([] { return false; }, 20);
    const pid_t sink = fork();
    if (sink == 0) {
        const int null = open("/dev/null", O_RDWR);
        dup2(null, 1);
        dup2(null, 2);
        // As the superuser it wants to be told whom to become.
        const std::string address = "127.0.0.1:" + std::to_string(port);
        if (geteuid() == 0)
            execl(path, path, "-u", "nobody", address.c_str(), "100", nullptr);
        else
            execl(path, path, address.c_str(), "100", nullptr);
        _exit(127);
    }
    route_to({local(port)});
    timeouts_ = {};
    for (MessageId mid = 1; mid <= 200; ++mid) add_task(mid, {0, 1, 2});
    for (int attempt = 0; attempt < 100 && !reached_; ++attempt) {  // until it listens
        gone_ = false;
        run();
        if (!reached_) usleep(20'000);
    }
    EXPECT_EQ(finished_, 200) << gone_reply_;
    EXPECT_EQ(outcomes_.find("deferred"), outcomes_.npos);
    EXPECT_EQ(outcomes_.find("failed"), outcomes_.npos);
    kill(sink, SIGKILL);
    waitpid(sink, nullptr, 0);
}

}  // namespace
}  // namespace sealgate
