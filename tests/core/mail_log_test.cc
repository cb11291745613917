// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/mail_log.h"

#include <gtest/gtest.h>
#include <sys/resource.h>

#include <csignal>
#include <ctime>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>

#include "core/log_sink.h"
#include "core/loop.h"
#include "core/mail_log_json.h"

namespace sealgate {
namespace {

std::vector<std::string> lines_of(const std::string& path) {
    std::ifstream file(path);
    std::vector<std::string> lines;
    for (std::string line; std::getline(file, line);) lines.push_back(line);
    return lines;
}

class MailLogTest : public testing::Test {
protected:
    MailLogTest() : folder_(testing::TempDir() + "sealgate_log_XXXXXX") {
        EXPECT_NE(mkdtemp(folder_.data()), nullptr);
        options_.mail_log = folder_ + "/mail.log";
    }
    ~MailLogTest() override { std::filesystem::remove_all(folder_); }

    std::unique_ptr<MailLog> open(Loop* loop) {
        std::string why;
        auto log = MailLog::open(options_, loop, &why);
        EXPECT_TRUE(log) << why;
        return *std::move(log);
    }
    std::vector<std::string> lines() const { return lines_of(options_.mail_log); }

    std::string folder_;
    LogOptions options_;
};

TEST_F(MailLogTest, WritesTheAsyncOsForm) {
    const std::time_t before = std::time(nullptr);
    open(nullptr)->info("MID {} ICID {} From: <{}>", 6, 5, "a@example.com");
    const auto written = lines();
    ASSERT_EQ(written.size(), 1u);
    ASSERT_GT(written[0].size(), 25u);
    EXPECT_EQ(written[0].substr(24), " Info: MID 6 ICID 5 From: <a@example.com>");
    std::tm parsed{};
    ASSERT_NE(strptime(written[0].c_str(), "%a %b %e %H:%M:%S %Y", &parsed), nullptr);
    parsed.tm_isdst = -1;
    EXPECT_GE(std::mktime(&parsed), before);
    EXPECT_LE(std::mktime(&parsed), std::time(nullptr));
}

TEST_F(MailLogTest, NamesTheLevelsAndLeavesOutWhatIsBelow) {
    options_.level = LogOptions::Level::debug;
    {
        const auto log = open(nullptr);
        for (const LogLevel level :
             {LogLevel::debug, LogLevel::info, LogLevel::warning, LogLevel::error})
            log->write(level, "x");
    }
    auto written = lines();
    ASSERT_EQ(written.size(), 4u);
    EXPECT_EQ(written[0].substr(24), " Debug: x");
    EXPECT_EQ(written[1].substr(24), " Info: x");
    EXPECT_EQ(written[2].substr(24), " Warning: x");
    EXPECT_EQ(written[3].substr(24), " Error: x");

    options_.level = LogOptions::Level::warning;
    {
        const auto log = open(nullptr);
        EXPECT_FALSE(log->wants(LogLevel::info));
        EXPECT_TRUE(log->wants(LogLevel::warning));
        log->info("left out {}", 1);
        log->write(LogLevel::debug, "left out");
        log->error("kept {}", 1);
    }
    written = lines();
    ASSERT_EQ(written.size(), 5u);
    EXPECT_EQ(written[4].substr(24), " Error: kept 1");
}

TEST_F(MailLogTest, HandsOverAtTheEndOfTheRound) {
    Loop loop;
    const auto log = open(&loop);
    log->info("one");
    log->info("two");
    EXPECT_TRUE(lines().empty());
    ASSERT_TRUE(loop.run_until([&] { return lines().size() == 2; }, 20'000));
    log->info("three");
    ASSERT_TRUE(loop.run_until([&] { return lines().size() == 3; }, 20'000));
}

TEST_F(MailLogTest, WritesWhatIsPendingWhenItGoes) {
    Loop loop;
    {
        const auto log = open(&loop);
        for (int i = 0; i < 5000; ++i) log->info("line {} {}", i, std::string(100, 'x'));
    }
    const auto written = lines();
    ASSERT_EQ(written.size(), 5000u);
    for (std::size_t i = 0; i < written.size(); ++i)
        ASSERT_NE(written[i].find(" Info: line " + std::to_string(i) + " "), std::string::npos);
    loop.run_until([] { return false; }, 5);  // the deferred hand-over finds nobody
}

TEST_F(MailLogTest, WritesToANewFileAfterReopen) {
    Loop loop;
    const auto log = open(&loop);
    log->info("before");
    ASSERT_TRUE(loop.run_until([&] { return lines().size() == 1; }, 20'000));
    std::filesystem::rename(options_.mail_log, folder_ + "/mail.log.1");
    log->info("still before");
    ASSERT_TRUE(
        loop.run_until([&] { return lines_of(folder_ + "/mail.log.1").size() == 2; }, 20'000));
    log->reopen();
    log->info("after");
    ASSERT_TRUE(loop.run_until([&] { return lines().size() == 1; }, 20'000));
    EXPECT_EQ(lines()[0].substr(24), " Info: after");
}

TEST_F(MailLogTest, SaysWhyItCannotBeOpened) {
    options_.mail_log = folder_ + "/no/such/folder/mail.log";
    std::string why;
    EXPECT_FALSE(MailLog::open(options_, nullptr, &why));
    EXPECT_NE(why.find(options_.mail_log), why.npos) << why;
}

TEST_F(MailLogTest, WritesJsonWithTheSameText) {
    options_.format = LogOptions::Format::json;
    open(nullptr)->info("MID {} ICID {} RID 0 To: <{}>", 6, 5, "b@example.net");
    const auto written = lines();
    ASSERT_EQ(written.size(), 1u);
    const auto object = nlohmann::json::parse(written[0]);
    EXPECT_EQ(object["level"], "Info");
    EXPECT_EQ(object["event"], "message.recipient");
    EXPECT_EQ(object["mid"], 6);
    EXPECT_EQ(object["icid"], 5);
    EXPECT_EQ(object["rid"], 0);
    EXPECT_EQ(object["to"], "b@example.net");
    EXPECT_EQ(object["text"], "MID 6 ICID 5 RID 0 To: <b@example.net>");
}

struct JsonCase {
    const char* line;
    const char* event;
    const char* members;  // besides time, level, event and text
};

class MailLogJsonTest : public testing::TestWithParam<JsonCase> {};

TEST_P(MailLogJsonTest, NamesTheEventAndItsValues) {
    const auto& [line, event, members] = GetParam();
    auto object = nlohmann::json::parse(mail_log_json(1'795'290'460, "Info", line));
    EXPECT_EQ(object["time"], "2026-11-21T19:47:40Z");
    EXPECT_EQ(object["event"], event);
    EXPECT_EQ(object["text"], line);
    for (const char* name : {"time", "level", "event", "text"}) object.erase(name);
    EXPECT_EQ(object, nlohmann::json::parse(members));
}

// clang-format off
const JsonCase json_cases[] = {
    {"New SMTP ICID 5 interface private (127.0.0.1) address 10.3.4.5 reverse dns host mx.example.net verified yes", "session.start",
             R"j({"icid":5,"interface":"private (127.0.0.1)","address":"10.3.4.5","host":"mx.example.net","verified":"yes"})j"},
    {"ICID 5 RELAY SG PARTNERS match 10.3.4.0/24", "session.policy", R"j({"icid":5,"action":"RELAY","group":"PARTNERS","match":"10.3.4.0/24"})j"},
    {"ICID 5 close", "session.close", R"j({"icid":5})j"},
    {"MID 6 S/MIME harvested key of b@example.net serial 0012 (new)", "message.harvested",
             R"j({"mid":6,"owner":"b@example.net","serial":"0012","how":"new"})j"},
    {"MID 8 was generated by alert config.rejected", "message.generated", R"j({"mid":8,"alert":"config.rejected"})j"},
    {"[Warning-mx.example.com] (System) smime.key-updated-often: two keys: a, b", "alert",
             R"j({"severity":"Warning","host":"mx.example.com","alert":"smime.key-updated-often","message":"two keys: a, b"})j"},
    {"Start MID 6 ICID 5", "message.start", R"j({"mid":6,"icid":5})j"},
    {"MID 6 ICID 5 From: <>", "message.sender", R"j({"mid":6,"icid":5,"from":""})j"},
    {"MID 6 Message-ID '<x'y@example.com>'", "message.id", R"j({"mid":6,"message_id":"<x'y@example.com>"})j"},
    {"MID 6 Subject \"He said \\\"\"", "message.subject", R"j({"mid":6,"subject":"He said \\\""})j"},
    {"MID 6 ready 4711 bytes from <a@example.com>", "message.ready", R"j({"mid":6,"bytes":4711,"from":"a@example.com"})j"},
    {"MID 6 S/MIME sign profile partners: ok", "message.smime", R"j({"mid":6,"operation":"sign","profile":"partners","outcome":"ok"})j"},
    {"MID 6 S/MIME verify: failed untrusted signer b@example.net", "message.smime", R"j({"mid":6,"operation":"verify","outcome":"failed untrusted signer b@example.net"})j"},
    {"MID 7 was generated for S/MIME encryption based on MID 6 by content filter 'confidential'", "message.generated",
             R"j({"mid":7,"purpose":"S/MIME encryption","parent":6,"by":"content filter 'confidential'"})j"},
    {"MID 6 RID [0] Response '2.0.0 Ok: queued'", "delivery.response", R"j({"mid":6,"rid":0,"response":"2.0.0 Ok: queued"})j"},
    {"Delivery start DCID 8 MID 6 to RID [0, 1]", "delivery.start", R"j({"dcid":8,"mid":6,"rid":"0, 1"})j"},
    {"Bounced: DCID 8 MID 6 to RID 0 - 5.1.1 - No such user ('550', ['5.1.1 unknown'])", "delivery.bounced",
             R"j({"dcid":8,"mid":6,"rid":0,"status":"5.1.1","reason":"No such user","reply":"'550', ['5.1.1 unknown']"})j"},
    {"Message finished MID 6 done", "message.finished", R"j({"mid":6,"outcome":"done"})j"},
    {"something new about MID 6 and DCID 9", "other", R"j({"mid":6,"dcid":9})j"},
    {"PYRAMID 6", "other", "{}"},
};
// clang-format on

INSTANTIATE_TEST_SUITE_P(Lines, MailLogJsonTest, testing::ValuesIn(json_cases));

TEST(MailLogJson, StaysJsonWhateverTheBytes) {
    const auto object = nlohmann::json::parse(mail_log_json(0, "Info", "MID 6 \xff\x01 \" \\"));
    EXPECT_EQ(object["mid"], 6);
}

struct PrintableCase {
    const char* name;
    std::string in;
    std::string want;
    std::size_t characters_max = 256;
};

class PrintableTest : public testing::TestWithParam<PrintableCase> {};

TEST_P(PrintableTest, IsFitForOneLine) {
    const auto& [name, in, want, characters_max] = GetParam();
    EXPECT_EQ(printable(in, characters_max), want);
}

// clang-format off
const PrintableCase printable_cases[] = {
    {"Empty", "", ""},
    {"Plain", "Hello, <a@example.com>'s", "Hello, <a@example.com>'s"},
    {"QuoteAndBackslash", R"(a"b\c)", R"(a\"b\\c)"},
    {"LineEnds", "a\r\nb\tc", R"(a\r\nb\tc)"},
    {"Controls", std::string("\0\x1b[31m\x7f", 7), R"(\x00\x1b[31m\x7f)"},
    {"Utf8", "Gr\xc3\xbc\xc3\x9f" "e \xe2\x82\xac \xf0\x9f\x98\x80", "Gr\xc3\xbc\xc3\x9f" "e \xe2\x82\xac \xf0\x9f\x98\x80"},
    {"Latin1", "Gr\xfc\xdf" "e", R"(Gr\xfc\xdfe)"},
    {"CutUtf8", "a\xe2\x82", R"(a\xe2\x82)"},
    {"OverlongUtf8", "\xc0\xaf\xe0\x80\xaf\xf0\x80\x80\xaf", R"(\xc0\xaf\xe0\x80\xaf\xf0\x80\x80\xaf)"},
    {"Surrogate", "\xed\xa0\x80", R"(\xed\xa0\x80)"},
    {"AboveUnicode", "\xf4\x90\x80\x80", R"(\xf4\x90\x80\x80)"},
    {"C1Control", "\xc2\x85", R"(\xc2\x85)"},
    {"LineSeparator", "\xe2\x80\xa8", R"(\xe2\x80\xa8)"},
    {"DirectionOverride", "\xe2\x80\xae", R"(\xe2\x80\xae)"},
    {"AtTheLimit", "abcde", "abcde", 5},
    {"PastTheLimit", "abcdef", "abcde...", 5},
    {"CutsNoCharacter", "\xc3\xbc\xc3\xbc\xc3\xbc", "\xc3\xbc\xc3\xbc...", 2},
    {"CutsNoEscape", "abc\x01", "abc...", 5},
};
// clang-format on

INSTANTIATE_TEST_SUITE_P(Rows, PrintableTest, testing::ValuesIn(printable_cases),
                         [](const auto& row) { return row.param.name; });

spdlog::details::log_msg batch_of(unsigned first_line, const char* text) {
    return {spdlog::source_loc("", static_cast<int>(first_line), ""), "mail_log",
            spdlog::level::critical, text};
}

TEST_F(MailLogTest, SaysWhereLinesAreMissing) {
    {
        LogSink sink(options_.mail_log,
                     [](std::uint64_t lines) { return fmt::format("{} missing\n", lines); });
        ASSERT_TRUE(sink.open_file());
        sink.log(batch_of(0, "line 0\nline 1\n"));
        sink.log(batch_of(2, "line 2\n"));
        sink.log(batch_of(10, "line 10\n"));
        sink.log(batch_of(11, "line 11\n"));
    }
    EXPECT_EQ(lines(), (std::vector<std::string>{"line 0", "line 1", "line 2", "7 missing",
                                                 "line 10", "line 11"}));
}

TEST_F(MailLogTest, CountsLinesTheDiskRefused) {
    std::signal(SIGXFSZ, SIG_IGN);
    rlimit before{};
    getrlimit(RLIMIT_FSIZE, &before);
    {
        LogSink sink(options_.mail_log,
                     [](std::uint64_t lines) { return fmt::format("{} missing\n", lines); });
        ASSERT_TRUE(sink.open_file());
        const rlimit small{10, before.rlim_max};
        setrlimit(RLIMIT_FSIZE, &small);
        sink.log(batch_of(0, "line 0\n"));
        sink.log(batch_of(1, "line 1\nline 2\n"));  // torn after "lin"
        setrlimit(RLIMIT_FSIZE, &before);
        sink.log(batch_of(3, "line 3\n"));
    }
    EXPECT_EQ(lines(), (std::vector<std::string>{"line 0", "lin", "2 missing", "line 3"}));
}

}  // namespace
}  // namespace sealgate
