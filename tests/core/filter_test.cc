// SPDX-License-Identifier: GPL-3.0-or-later
#include <gtest/gtest.h>

#include <map>

#include "core/filter_evaluate.h"
#include "core/filter_parser.h"
#include "core/limits.h"

namespace sealgate {
namespace {

struct Facts final : MessageFacts {
    std::string sender = "a@example.com";
    std::vector<std::string> from{"a@example.com"};
    std::vector<std::string> to{"b@example.net", "C@Example.ORG"};
    std::multimap<std::string, std::string> fields{{"X-Tag", "one"}, {"X-Tag", "two"}};
    std::string subject_text = "[Confidential] Zahlen für März";
    IpAddress ip = *IpAddress::parse("10.1.1.7");

    Direction direction() const override { return Direction::outgoing; }
    std::string_view envelope_sender() const override { return sender; }
    const std::vector<std::string>& from_addresses() const override { return from; }
    const std::vector<std::string>& recipients() const override { return to; }
    std::string subject() const override { return subject_text; }
    std::vector<std::string> header(std::string_view name) const override {
        std::vector<std::string> values;
        for (const auto& [key, value] : fields)
            if (key == name) values.push_back(value);
        return values;
    }
    const IpAddress& remote_ip() const override { return ip; }
    std::string_view listener() const override { return "private"; }
    std::string_view sender_group() const override { return "PARTNERS"; }
    SmimeFacts smime() const override { return smime_facts; }
    SmimeFacts smime_facts;
};

TEST(FilterEvaluate, AnswersAsTheLanguageSays) {
    const struct {
        const char* condition;
        bool want;
    } cases[] = {
        {"true", true},
        {"not true", false},
        {R"(subject == "Confidential")", true},
        {R"(subject == "confidential")", false},
        {R"(subject == "(?i)\\[confidential\\]")", true},
        {R"(subject == '\[Confidential\]')", true},
        {R"(subject == "für M.rz$")", true},
        {R"(subject != "Confidential")", false},
        {R"(mail-from == "^a@")", true},
        {R"(mail-from == "^A@")", false},
        {R"(rcpt-to == "c@example\.org")", true},
        {R"(rcpt-to == "example.com")", false},
        {R"(rcpt-to != "example.net")", false},
        {R"(header("X-Tag"))", true},
        {R"(header("X-None"))", false},
        {R"(header("X-Tag") == "^two$")", true},
        {R"(header("X-Tag") != "three")", true},
        {R"(header("X-None") == "")", false},
        {R"(remote-ip == "10.1.0.0/16")", true},
        {R"(remote-ip == "10.1.")", true},
        {R"(remote-ip != "10.1.1.10-40")", true},
        {R"(recv-listener == "priv")", true},
        {R"(sendergroup == "^PARTNERS$")", true},
        {"rcpt-count == 2", true},
        {"rcpt-count > 2", false},
        {"rcpt-count >= 2 and rcpt-count <= 2", true},
        {"rcpt-count < 1K", true},
        // `and` binds tighter than `or`, `not` tighter than both.
        {"true or true and not true", true},
        {"(true or true) and not true", false},
        {"not true or true", true},
        {"not (true or true)", false},
        {"not not true", true},
        {"true and true and true", true},
        {"(true) # a comment", true},
        {"true\n  and # here\n  true", true},
    };
    for (const auto& [condition, want] : cases) {
        SCOPED_TRACE(condition);
        const FilterSource source = FilterSource::of_file(condition, "f");
        Complaints complaints;
        auto expression = parse_condition(source, complaints);
        ASSERT_TRUE(expression) << complaints[0].to_text();
        ASSERT_TRUE(compile_regexes(*expression, source, complaints)) << complaints[0].to_text();
        EXPECT_EQ(evaluate(*expression, Facts()), want);
    }
}

TEST(FilterEvaluate, TellsApartWhatSmimeWas) {
    const struct {
        const char* condition;
        SmimeFacts facts;
        bool want;
    } cases[] = {
        {"smime-gateway-message", {}, false},
        {"smime-gateway-message", {.is_message = true}, true},
        {"smime-gateway-message and not smime-gateway-verified", {.is_message = true}, true},
        {"smime-gateway-verified", {.is_message = true, .verified = true}, true},
        {"signed or encrypted", {.is_message = true}, false},
        {"signed and not encrypted", {.is_message = true, .is_signed = true}, true},
        {"encrypted and not signed", {.is_message = true, .is_encrypted = true}, true},
    };
    for (const auto& [condition, smime, want] : cases) {
        SCOPED_TRACE(condition);
        Complaints complaints;
        const auto expression = parse_condition(FilterSource::of_file(condition, "f"), complaints);
        ASSERT_TRUE(expression);
        Facts facts;
        facts.smime_facts = smime;
        EXPECT_EQ(evaluate(*expression, facts), want);
    }
}

TEST(FilterParser, SaysWhatIsWrongAndWhere) {
    const struct {
        const char* condition;
        int column;
        const char* what;
    } cases[] = {
        {"", 1, "expected a rule"},
        {"subjct == \"x\"", 1, "unknown rule \"subjct\" (nearest known: subject)"},
        {"subject", 8, "subject wants == and a value"},
        {"subject == x", 12, "expected a text in quotes"},
        {"subject = \"x\"", 9, "expected == or !="},
        {"subject == \"x", 12, "a text without its closing quote"},
        {"subject == \"x\ny\"", 12, "a text without its closing quote"},
        {"subject > \"x\"", 9, "subject is compared with == or !="},
        {"subject == \"x\" and", 19, "expected a rule"},
        {"subject == \"x\" subject == \"y\"", 16, "nothing may follow here"},
        {"(true", 6, "expected ')'"},
        {"true)", 5, "nothing may follow here"},
        {"true == \"x\"", 6, "true is compared with nothing"},
        {"header == \"x\"", 8, "expected '('"},
        {"header() == \"x\"", 8, "expected the name of a header field in quotes"},
        {"header(\"\")", 8, "expected the name of a header field in quotes"},
        {"rcpt-count > \"x\"", 14, "expected a number"},
        {"rcpt-count > 12x", 14, "a number goes on with letters"},
        {"rcpt-count > 99999999999999", 14, "a number above 2^40"},
        {"remote-ip == \"10.1.1.300\"", 14, "not an IP address or network: \"10.1.1.300\""},
        {"body-contains(\"x\")", 1,
         "body-contains needs looking into bodies, which this version does not have"},
        {"smime-gateway-verified == \"x\"", 24, "smime-gateway-verified is compared with nothing"},
        {"tls", 1, "tls needs TLS, which this version does not have"},
        {"true ? true", 6, "unexpected character"},
    };
    for (const auto& [condition, column, what] : cases) {
        SCOPED_TRACE(condition);
        Complaints complaints;
        EXPECT_FALSE(parse_condition(FilterSource::of_file(condition, "f"), complaints));
        ASSERT_EQ(complaints.size(), 1u);
        EXPECT_EQ(complaints[0].column, column);
        EXPECT_EQ(complaints[0].what.substr(0, complaints[0].what.find('\n')), what);
    }
}

TEST(FilterParser, ShowsTheLineWithACaretUnderTheFault) {
    Complaints complaints;
    parse_condition(FilterSource::of_file("true and\n  subjct == \"x\"", "my.filter"), complaints);
    ASSERT_EQ(complaints.size(), 1u);
    EXPECT_EQ(complaints[0].to_text(),
              "my.filter:2:3: unknown rule \"subjct\" (nearest known: subject)\n"
              "      subjct == \"x\"\n"
              "      ^");
}

TEST(FilterParser, ABadRegularExpressionIsAComplaintAtItsPlace) {
    for (const char* pattern : {"(", "[", "a{2,1}", "\\\\1(a)", "(?<=a)b", "*"}) {
        SCOPED_TRACE(pattern);
        const auto source =
            FilterSource::of_file("subject == \"" + std::string(pattern) + "\"", "f");
        Complaints complaints;
        auto expression = parse_condition(source, complaints);
        ASSERT_TRUE(expression);
        EXPECT_FALSE(compile_regexes(*expression, source, complaints));
        ASSERT_EQ(complaints.size(), 1u);
        EXPECT_EQ(complaints[0].column, 12);
    }
}

TEST(FilterParser, HoldsItsLimitsAtThemAndPastThem) {
    const auto nested = [](int depth) {
        const auto count = static_cast<std::size_t>(depth);
        return std::string(count, '(') + "true" + std::string(count, ')');
    };
    Complaints complaints;
    EXPECT_TRUE(
        parse_condition(FilterSource::of_file(nested(limits::filter_depth_max), "f"), complaints));
    EXPECT_FALSE(parse_condition(FilterSource::of_file(nested(limits::filter_depth_max + 1), "f"),
                                 complaints));

    const std::string longest(limits::regex_bytes_max, 'a');
    std::string why;
    EXPECT_TRUE(Regex::compile(longest, Regex::Case::sensitive, &why));
    EXPECT_FALSE(Regex::compile(longest + "a", Regex::Case::sensitive, &why));
}

TEST(FilterParser, ReadsActions) {
    Complaints complaints;
    const auto actions = parse_actions(
        FilterSource::of_file("smime-gateway(\"a\"); smime-gateway('b')", "f"), complaints);
    ASSERT_TRUE(actions);
    ASSERT_EQ(actions->size(), 2u);
    EXPECT_EQ((*actions)[0].arguments, std::vector<std::string>{"a"});
    EXPECT_TRUE((*actions)[1].row->final);
    for (const char* bad :
         {"smime-gateway", "smime-gateway(", "smime-gateway()", "smime-gateway(\"a\", \"b\")",
          "smime-gateway(\"a\") drop()", "smime-gate(\"a\")", "quarantine(\"Policy\")", "\"a\"",
          "smime-gateway(5)"}) {
        SCOPED_TRACE(bad);
        complaints.clear();
        EXPECT_FALSE(parse_actions(FilterSource::of_file(bad, "f"), complaints));
        EXPECT_EQ(complaints.size(), 1u);
    }
}

TEST(FilterParser, ReadsAFileOfFiltersAndGoesOnBehindABadOne) {
    Complaints complaints;
    const auto good = parse_filters(
        FilterSource::of_file("# all\none: if (true) { smime-gateway(\"a\"); }\n"
                              "two: if (not true) { } else { smime-gateway(\"b\") }\n",
                              "f"),
        complaints);
    ASSERT_TRUE(good) << complaints[0].to_text();
    ASSERT_EQ(good->size(), 2u);
    EXPECT_EQ((*good)[1].name, "two");
    EXPECT_EQ((*good)[1].otherwise.size(), 1u);

    const auto bad = parse_filters(
        FilterSource::of_file("one: if (nonsense) { smime-gateway(\"a\"); } else { }\n"
                              "two: if (true) { smime-gateway(\"a\"); }\n"
                              "three: if (true) { nonsense(); }\n",
                              "f"),
        complaints);
    EXPECT_FALSE(bad);
    ASSERT_EQ(complaints.size(), 2u);
    EXPECT_EQ(complaints[0].line, 1);
    EXPECT_EQ(complaints[1].line, 3);
}

TEST(RegexTest, TakesTimeLinearInItsInput) {
    // Exponential for a backtracking engine.
    std::string why;
    const auto regex = Regex::compile("(a+)+$", Regex::Case::sensitive, &why);
    ASSERT_TRUE(regex) << why;
    EXPECT_FALSE(regex->matches(std::string(1 << 20, 'a') + "b"));
    EXPECT_TRUE(regex->matches("aaa"));
    EXPECT_FALSE(regex->matches(""));
}

}  // namespace
}  // namespace sealgate
