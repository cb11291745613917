// SPDX-License-Identifier: GPL-3.0-or-later
// Against real peers: an HTTP server, and LDAP servers that misbehave.
#include "core/fetch.h"

#include <gtest/gtest.h>

#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <optional>

#include "core/loop.h"
#include "tests/support/script_server.h"

namespace sealgate {
namespace {

using Outcome = FetchAnswer::Outcome;
using Clock = std::chrono::steady_clock;

const char* to_text(Outcome outcome) {
    switch (outcome) {
    case Outcome::done: return "done";
    case Outcome::not_found: return "not_found";
    case Outcome::failed: return "failed";
    case Outcome::unreachable: return "unreachable";
    }
    return "";
}

class FetcherTest : public testing::Test {
protected:
    static void SetUpTestSuite() {
        http_ = ScriptServer::start("support/http_peer.py", {}).release();
    }
    static void TearDownTestSuite() { delete http_; }
    void SetUp() override { ASSERT_NE(http_, nullptr); }

    static std::string url(const std::string& path) {
        return "http://127.0.0.1:" + std::to_string(http_->port()) + path;
    }
    static FetchRequest request(std::string url, unsigned protocols = FetchRequest::http) {
        FetchRequest request;
        request.url = std::move(url);
        request.protocols = protocols;
        request.timeout_ms = 10'000;
        return request;
    }
    FetchAnswer fetch(FetchRequest request) {
        std::optional<FetchAnswer> answer;
        const auto ticket =
            fetcher_.fetch(std::move(request), [&](FetchAnswer got) { answer = std::move(got); });
        EXPECT_FALSE(answer) << "called back from inside the call";
        EXPECT_TRUE(loop_.run_until([&] { return answer.has_value(); }, 20'000));
        return answer.value_or(FetchAnswer{});
    }
    FetchAnswer get(const std::string& path) { return fetch(request(url(path))); }

    static inline ScriptServer* http_ = nullptr;
    Loop loop_;
    Fetcher fetcher_{loop_};
};

TEST_F(FetcherTest, GetsABody) {
    const FetchAnswer answer = get("/body/100000");
    EXPECT_EQ(answer.outcome, Outcome::done) << answer.what;
    EXPECT_EQ(answer.status, 200);
    EXPECT_EQ(answer.body, std::string(100'000, 'x'));
    EXPECT_EQ(answer.what, "");
}

TEST_F(FetcherTest, PostsABody) {
    FetchRequest post = request(url("/there"));
    post.content_type = "application/json";
    post.body = std::string("{\"a\": \0 1}", 10);
    EXPECT_EQ(fetch(std::move(post)).body,
              std::string("POST /there application/json {\"a\": \0 1}", 39));
}

TEST_F(FetcherTest, SendsCredentialsOnlyWhereTheyAreGiven) {
    EXPECT_EQ(get("/echo").body, "GET /echo -");
    FetchRequest with = request(url("/echo"));
    with.user = "cn=gate,dc=example";
    with.password = SecureBytes::copy_of(as_bytes("p:w"));
    EXPECT_EQ(fetch(std::move(with)).body, "GET /echo Basic Y249Z2F0ZSxkYz1leGFtcGxlOnA6dw==");
}

TEST_F(FetcherTest, TellsAbsentFromFailed) {
    struct Case {
        int status;
        Outcome want;
    };
    for (const auto& [status, want] :
         {Case{404, Outcome::not_found}, Case{410, Outcome::not_found}, Case{401, Outcome::failed},
          Case{403, Outcome::failed}, Case{429, Outcome::failed}, Case{500, Outcome::failed},
          Case{503, Outcome::failed}, Case{400, Outcome::failed}, Case{304, Outcome::failed}}) {
        const FetchAnswer answer = get("/status/" + std::to_string(status));
        EXPECT_STREQ(to_text(answer.outcome), to_text(want)) << status;
        EXPECT_EQ(answer.status, status);
        EXPECT_EQ(answer.what, "HTTP status " + std::to_string(status));
        EXPECT_EQ(answer.body, "");
    }
}

TEST_F(FetcherTest, TakesAnySuccess) {
    for (const int status : {200, 201, 202, 204}) {
        const FetchAnswer answer = get("/status/" + std::to_string(status));
        EXPECT_STREQ(to_text(answer.outcome), "done") << status;
        EXPECT_EQ(answer.status, status);
        EXPECT_EQ(answer.body, status == 204 ? "" : "said so");
    }
}

TEST_F(FetcherTest, TakesAnAnswerAtTheLimitAndNoneAbove) {
    for (const auto& [bytes, want] : {std::pair{1000, Outcome::done}, {1001, Outcome::failed}}) {
        FetchRequest bounded = request(url("/body/" + std::to_string(bytes)));
        bounded.bytes_max = 1000;
        const FetchAnswer answer = fetch(std::move(bounded));
        EXPECT_STREQ(to_text(answer.outcome), to_text(want)) << bytes;
        EXPECT_EQ(answer.what, want == Outcome::failed ? "answer over 1000 bytes" : "");
    }
    EXPECT_EQ(get("/huge").what, "answer over 1048576 bytes") << "one that never ends";
}

TEST_F(FetcherTest, GivesUpInTime) {
    for (const char* path : {"/silent", "/slow"}) {
        FetchRequest late = request(url(path));
        late.timeout_ms = 300;
        const auto begin = Clock::now();
        const FetchAnswer answer = fetch(std::move(late));
        EXPECT_STREQ(to_text(answer.outcome), "unreachable") << path;
        EXPECT_EQ(answer.what, "no answer within 300 ms");
        EXPECT_LT(Clock::now() - begin, std::chrono::seconds(3));
    }
}

TEST_F(FetcherTest, SpeaksOnlyTheProtocolsThatAreAskedFor) {
    for (const char* refused : {"file:///etc/passwd", "ftp://127.0.0.1/", "gopher://127.0.0.1:1/_x",
                                "dict://127.0.0.1/", "https://127.0.0.1/", "ldap://127.0.0.1/",
                                "smtp://127.0.0.1/", "nonsense", "", "http://", "http://[::1"}) {
        const FetchAnswer answer = fetch(request(refused));
        EXPECT_TRUE(answer.outcome == Outcome::unreachable || answer.outcome == Outcome::failed)
            << refused;
        EXPECT_NE(answer.what, "") << refused;
        EXPECT_EQ(answer.body, "") << refused;
    }
}

TEST_F(FetcherTest, FollowsARedirectOnlyWhenAskedToAndInTheSameProtocols) {
    const std::string there = "/redirect?to=" + url("/body/3");
    EXPECT_EQ(get(there).what, "HTTP status 302");
    FetchRequest following = request(url(there));
    following.redirects_max = 1;
    EXPECT_EQ(fetch(std::move(following)).body, "xxx");
    FetchRequest twice = request(url("/redirect?to=" + url("/redirect?to=/body/3")));
    twice.redirects_max = 1;
    EXPECT_STREQ(to_text(fetch(std::move(twice)).outcome), "failed");
    for (const char* elsewhere :
         {"file:///etc/passwd", "ldap://127.0.0.1/", "gopher://127.0.0.1"}) {
        FetchRequest away = request(url(std::string("/redirect?to=") + elsewhere));
        away.redirects_max = 5;
        const FetchAnswer answer = fetch(std::move(away));
        EXPECT_NE(answer.outcome, Outcome::done) << elsewhere;
        EXPECT_EQ(answer.body, "");
    }
}

TEST_F(FetcherTest, GoesWhereItIsToldTheHostIs) {
    FetchRequest placed =
        request("http://directory.invalid:" + std::to_string(http_->port()) + "/echo");
    placed.addresses = {*IpAddress::parse("127.0.0.1")};
    EXPECT_EQ(fetch(std::move(placed)).body, "GET /echo -");
    const FetchAnswer unplaced = fetch(request("http://directory.invalid/"));
    EXPECT_STREQ(to_text(unplaced.outcome), "unreachable");
    EXPECT_NE(unplaced.what.find("directory.invalid"), std::string::npos) << unplaced.what;
}

TEST_F(FetcherTest, GoesToAnAddressOfEitherKind) {
    const auto six = ScriptServer::start("support/http_peer.py", {"--address", "::1"});
    if (!six) GTEST_SKIP() << "this machine has no ::1";
    for (const bool told : {false, true}) {
        FetchRequest literal = request("http://[::1]:" + std::to_string(six->port()) + "/echo");
        if (told) literal.addresses = {*IpAddress::parse("::1")};
        EXPECT_EQ(fetch(std::move(literal)).body, "GET /echo -");
        FetchRequest placed =
            request("http://directory.invalid:" + std::to_string(six->port()) + "/echo");
        placed.addresses = {*IpAddress::parse("::1")};
        EXPECT_EQ(fetch(std::move(placed)).body, "GET /echo -");
    }
}

TEST_F(FetcherTest, TriesAllAddresses) {
    FetchRequest placed =
        request("http://directory.invalid:" + std::to_string(http_->port()) + "/echo");
    placed.addresses = {*IpAddress::parse("::1"), *IpAddress::parse("127.0.0.2"),
                        *IpAddress::parse("127.0.0.1")};
    EXPECT_EQ(fetch(std::move(placed)).body, "GET /echo -");
}

TEST_F(FetcherTest, LetsNoProxyOfTheEnvironmentIn) {
    setenv("http_proxy", "http://127.0.0.1:1/", 1);
    setenv("ALL_PROXY", "http://127.0.0.1:1/", 1);
    EXPECT_EQ(get("/echo").body, "GET /echo -");
    unsetenv("http_proxy");
    unsetenv("ALL_PROXY");
}

TEST_F(FetcherTest, RunsManySideBySideWhileOneIsSilent) {
    std::vector<Fetcher::Ticket> tickets;
    int answered = 0;
    FetchRequest silent = request(url("/silent"));
    tickets.push_back(fetcher_.fetch(std::move(silent), [](FetchAnswer) { FAIL(); }));
    for (int i = 0; i < 200; ++i) {
        tickets.push_back(fetcher_.fetch(request(url("/body/10")), [&](FetchAnswer answer) {
            answered += answer.outcome == Outcome::done;
        }));
    }
    EXPECT_TRUE(loop_.run_until([&] { return answered == 200; }, 9'000)) << answered;
}

TEST_F(FetcherTest, CountsTheTimeARequestWaitsForAConnection) {
    std::vector<Fetcher::Ticket> tickets;
    int given_up = 0;
    const int many = static_cast<int>(limits::fetch_host_connections_max) + 20;
    for (int i = 0; i < many; ++i) {
        FetchRequest silent = request(url("/silent"));
        silent.timeout_ms = 400;
        tickets.push_back(fetcher_.fetch(std::move(silent), [&](FetchAnswer answer) {
            given_up += answer.outcome == Outcome::unreachable;
        }));
    }
    EXPECT_TRUE(loop_.run_until([&] { return given_up == many; }, 2'000)) << given_up;
}

TEST_F(FetcherTest, NeverCallsBackAfterTheTicketIsGone) {
    bool called = false;
    {
        const auto dropped =
            fetcher_.fetch(request(url("/body/1")), [&](FetchAnswer) { called = true; });
    }
    EXPECT_EQ(get("/body/2").body, "xx");
    EXPECT_EQ(get("/body/3").body, "xxx");
    EXPECT_FALSE(called);
}

TEST_F(FetcherTest, GoesWhileRequestsAreUnderWay) {
    const auto begin = Clock::now();
    Fetcher::Ticket ticket;
    {
        Fetcher fetcher(loop_);
        ticket = fetcher.fetch(request(url("/silent")), [](FetchAnswer) { FAIL(); });
        loop_.run_until([] { return false; }, 50);
    }
    EXPECT_LT(Clock::now() - begin, std::chrono::seconds(5));
}

// --- LDAP ----------------------------------------------------------------------------------------

struct LdapCase {
    const char* way;
    Outcome want;
    int status;
    const char* what;  // a part of it
};

class FetcherLdapTest : public FetcherTest, public testing::WithParamInterface<LdapCase> {};

TEST_P(FetcherLdapTest, BearsAnyServer) {
    const LdapCase& row = GetParam();
    const auto server = ScriptServer::start("support/ldap_peer.py", {row.way});
    ASSERT_NE(server, nullptr);
    FetchRequest search =
        request("ldap://127.0.0.1:" + std::to_string(server->port()) + "/dc=example?x?sub?(mail=a)",
                FetchRequest::ldap);
    search.timeout_ms = 1500;
    const auto begin = Clock::now();
    const FetchAnswer answer = fetch(std::move(search));
    EXPECT_STREQ(to_text(answer.outcome), to_text(row.want)) << answer.what;
    EXPECT_EQ(answer.status, row.status);
    EXPECT_NE(answer.what.find(row.what), std::string::npos) << answer.what;
    EXPECT_LT(Clock::now() - begin, std::chrono::seconds(4));
}

INSTANTIATE_TEST_SUITE_P(
    Servers, FetcherLdapTest,
    testing::Values(LdapCase{"well", Outcome::done, 0, ""},
                    LdapCase{"trickle", Outcome::done, 0, ""},
                    LdapCase{"continuation", Outcome::done, 0, ""},
                    LdapCase{"no-such-object", Outcome::not_found, 32, "no such entry"},
                    LdapCase{"busy", Outcome::failed, 51, "busy"},
                    LdapCase{"referral", Outcome::failed, 10, "Referral"},
                    LdapCase{"login-denied", Outcome::unreachable, 49, "denied"},
                    LdapCase{"garbage", Outcome::unreachable, 0, "LDAP server"},
                    LdapCase{"silent", Outcome::unreachable, 0, "1500 ms"},
                    LdapCase{"search-silent", Outcome::unreachable, 0, "1500 ms"},
                    LdapCase{"half", Outcome::unreachable, 0, "1500 ms"},
                    LdapCase{"full", Outcome::unreachable, 0, "1500 ms"}),
    [](const auto& row) {
        std::string name = row.param.way;
        std::erase(name, '-');
        return name;
    });

TEST_F(FetcherTest, DoesNotWaitOutTheClockOfAnLdapServerThatAnswers) {
    const auto server = ScriptServer::start("support/ldap_peer.py", {"well"});
    ASSERT_NE(server, nullptr);
    const std::string url =
        "ldap://127.0.0.1:" + std::to_string(server->port()) + "/dc=x?x?sub?(a=b)";
    const auto begin = Clock::now();
    for (int i = 0; i < 5; ++i) {
        EXPECT_EQ(fetch(request(url, FetchRequest::ldap)).outcome, Outcome::done);
    }
    // Were the socket of a bind not watched, each would take a minute.
    EXPECT_LT(Clock::now() - begin, std::chrono::seconds(5));
}

// --- TLS -----------------------------------------------------------------------------------------

class FetcherTlsTest : public testing::Test {
protected:
    void SetUp() override {
        std::string pattern = std::filesystem::temp_directory_path() / "sealgate-fetch-XXXXXX";
        ASSERT_NE(mkdtemp(pattern.data()), nullptr);
        folder_ = pattern;
        const std::string make =
            "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 "
            "-keyout " +
            folder_ + "/key.pem -out " + folder_ +
            "/cert.pem -subj /CN=directory.example -addext "
            "subjectAltName=DNS:directory.example 2>/dev/null";
        ASSERT_EQ(std::system(make.c_str()), 0);
        server_ = ScriptServer::start("support/http_peer.py",
                                      {"--tls", folder_ + "/cert.pem", folder_ + "/key.pem"});
        ASSERT_NE(server_, nullptr);
        std::ifstream file(folder_ + "/cert.pem");
        anchor_ = std::make_shared<const std::string>(
            std::string(std::istreambuf_iterator<char>(file), {}));
    }
    void TearDown() override {
        std::error_code ignored;
        std::filesystem::remove_all(folder_, ignored);
    }
    FetchAnswer fetch(const std::string& host, std::shared_ptr<const std::string> authorities) {
        FetchRequest request;
        request.url = "https://" + host + ":" + std::to_string(server_->port()) + "/echo";
        request.addresses = {*IpAddress::parse("127.0.0.1")};
        request.authorities = std::move(authorities);
        std::optional<FetchAnswer> answer;
        const auto ticket =
            fetcher_.fetch(std::move(request), [&](FetchAnswer got) { answer = std::move(got); });
        EXPECT_TRUE(loop_.run_until([&] { return answer.has_value(); }, 20'000));
        return answer.value_or(FetchAnswer{});
    }

    std::string folder_;
    std::unique_ptr<ScriptServer> server_;
    std::shared_ptr<const std::string> anchor_;
    Loop loop_;
    Fetcher fetcher_{loop_};
};

TEST_F(FetcherTlsTest, TrustsWhomItIsTold) {
    EXPECT_EQ(fetch("directory.example", anchor_).body, "GET /echo -");
    EXPECT_EQ(fetch("directory.example", anchor_).body, "GET /echo -") << "a connection used again";
}

TEST_F(FetcherTlsTest, TrustsNobodyElse) {
    for (const auto& [host, anchors] :
         {std::pair{"directory.example", std::shared_ptr<const std::string>()},
          {"other.example", anchor_},
          {"directory.example", std::make_shared<const std::string>()},
          {"directory.example", std::make_shared<const std::string>("no certificate")}}) {
        const FetchAnswer answer = fetch(host, anchors);
        EXPECT_STREQ(to_text(answer.outcome), "unreachable") << host;
        EXPECT_NE(answer.what, "");
        EXPECT_EQ(answer.body, "");
    }
}

}  // namespace
}  // namespace sealgate
