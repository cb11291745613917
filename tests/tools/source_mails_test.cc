// SPDX-License-Identifier: GPL-3.0-or-later
// Which mails leave, to whom, and what their bytes are.
#include "tools/sealload/source_mails.h"

#include <gtest/gtest.h>

#include <map>
#include <set>

#include "tools/sealload/source_addresses.h"

namespace sealgate {
namespace {

std::string whole(const MailTemplate& mail, ContentForm form) {
    std::string out;
    mail.append_head(out, "<1@x>", form);
    out += mail.rest(form).text();
    return out;
}

TEST(MailTemplate, PutsTheMessageIdWhereItWasOrFirst) {
    const struct {
        const char *mail, *want;
    } rows[] = {
        {"A: 1\nMessage-ID: <old@x>\nB: 2\n\n\xff\n",
         "A: 1\r\nMessage-ID: <1@x>\r\nB: 2\r\n\r\n\xff\r\n"},
        {"A: 1\r\nB: 2\r\n\r\n\xff\r\n", "Message-ID: <1@x>\r\nA: 1\r\nB: 2\r\n\r\n\xff\r\n"},
        {"Message-ID: <a@x>\r\nMESSAGE-ID:\r\n <b@x>\r\nA: 1\r\n\r\n\xff",
         "Message-ID: <1@x>\r\nA: 1\r\n\r\n\xff\r\n"},
        {"X-Sealload-Digest: old\r\nA: 1\r\n\r\n\xff\r\n",
         "Message-ID: <1@x>\r\nA: 1\r\n\r\n\xff\r\n"},
        {"From me\nA: 1\n\n\xff\n", "From me\r\nMessage-ID: <1@x>\r\nA: 1\r\n\r\n\xff\r\n"},
        {"only text \xff\n", "Message-ID: <1@x>\r\n\r\nonly text \xff\r\n"},
    };
    for (const auto& [mail, want] : rows) {
        const MailTemplate made("test", mail);
        EXPECT_EQ(whole(made, ContentForm::bdat), want) << mail;
        EXPECT_EQ(made.bytes(5), std::string_view(want).size());
    }
}

TEST(MailTemplate, DoublesDotsForDataOnly) {
    const MailTemplate mail("test", ".A: 1\r\nB: 2\r\n\r\n.\r\n..x\r\nx.\r\n\xff.\r\n");
    const std::string plain = whole(mail, ContentForm::bdat);
    const std::string data = whole(mail, ContentForm::data);
    EXPECT_NE(plain.find("\r\n.\r\n..x\r\nx.\r\n"), std::string::npos);
    EXPECT_NE(data.find("\r\n..\r\n...x\r\nx.\r\n"), std::string::npos);
    EXPECT_EQ(data.size(), plain.size() + 3);
    EXPECT_EQ(mail.bytes(5), plain.size());
    const MailTemplate none("test", "A: 1\r\n\r\nx.\r\n");  // shares its bytes
    EXPECT_EQ(none.rest(ContentForm::data).data(), none.rest(ContentForm::bdat).data());
}

TEST(MailTemplate, MakesTheSameTextAsAFileOfIt) {
    for (const std::uint64_t bytes : {0u, 1u, 65u, 66u, 4096u, 10240u}) {
        SCOPED_TRACE(bytes);
        const auto filler = MailTemplate::fillers({bytes, bytes * 3});
        ASSERT_EQ(filler.size(), 2u);
        const MailFile file = filler_mail(bytes);
        const std::string made = whole(filler[0], ContentForm::data);
        EXPECT_EQ(made.substr(made.find("\r\n\r\n")), file.text.substr(file.text.find("\r\n\r\n")));
        EXPECT_NE(made.find(digest_field_of(file.text)), std::string::npos);
        EXPECT_EQ(made.size(), filler[0].bytes(5));
        const std::size_t body_bytes = made.size() - made.find("\r\n\r\n") - 4;
        EXPECT_GE(body_bytes, bytes);
        EXPECT_LT(body_bytes, bytes + 80);
        EXPECT_EQ(filler[0].name(), file.name);
    }
}

TEST(MailPool, TakesFilesInTurnAndVariantsAfterEachRound) {
    const auto named = [](const char* name) { return MailTemplate(name, "A: 1\r\n\r\nx\r\n"); };
    MailPool pool;
    pool.add_kind(1, {{named("a1"), named("a2")}, {named("b")}});
    std::string seen;
    for (std::uint64_t number = 1; number <= 6; ++number) {
        LoadRandom random(1, number);
        seen += pool.pick(number, random).name() + " ";
    }
    EXPECT_EQ(seen, "a1 b a2 b a1 b ");
}

TEST(MailPool, KeepsTheWeightsOfSizesAndKinds) {
    const auto named = [](const char* name) { return MailTemplate(name, "A: 1\r\n\r\nx\r\n"); };
    MailPool pool({70, 30, 0});
    pool.add_kind(90, {{named("small")}, {named("large")}, {named("never")}});
    pool.add_kind(10, {{named("signed")}, {named("signed")}, {named("never")}});
    std::map<std::string, int> seen;
    for (std::uint64_t number = 1; number <= 100000; ++number) {
        LoadRandom random(1, number);
        ++seen[pool.pick(number, random).name()];
    }
    EXPECT_NEAR(seen["signed"], 10000, 500);
    EXPECT_NEAR(seen["small"], 63000, 1000);
    EXPECT_NEAR(seen["large"], 27000, 1000);
    EXPECT_EQ(seen["never"], 0);
}

TEST(AddressPattern, PutsNumbersIn) {
    const struct {
        const char *pattern, *want;
    } rows[] = {
        {"a@x", "a@x"},
        {"u%d@x", "u12@x"},
        {"%d%r%h", "12345"},
        {"u%d.%r@d%h.example", "u12.3@d45.example"},
        {"%", "%"},
        {"a%", "a%"},
        {"%%d", "%12"},
        {"%x%D", "%x%D"},
        {"", ""},
    };
    for (const auto& [pattern, want] : rows) {
        std::string out;
        AddressPattern(pattern).append_to(out, {12, 3, 45});
        EXPECT_EQ(out, want) << pattern;
    }
}

std::vector<std::string> recipients_of(const SourceAddresses& addresses, std::uint64_t message) {
    std::vector<std::string> all;
    for (std::size_t i = 0; i < addresses.recipients_of(message); ++i)
        addresses.append_recipient(all.emplace_back(), message, i);
    return all;
}

TEST(SourceAddresses, AreTheSameForANumberAndASeed) {
    SourceAddresses::Plan plan;
    plan.to = {"u%d.%r@d%h.example"};
    plan.recipients = *LoadDistribution::parse("1..5");
    plan.domains = *LoadDistribution::parse("1..3");
    const SourceAddresses first(plan), second(plan);
    plan.seed = 2;
    const SourceAddresses other(plan);
    std::set<std::size_t> counts;
    std::set<std::string> all, domains;
    int differ = 0;
    for (std::uint64_t message = 1; message <= 200; ++message) {
        const auto recipients = recipients_of(first, message);
        EXPECT_EQ(recipients, recipients_of(second, message));
        differ += recipients != recipients_of(other, message);
        counts.insert(recipients.size());
        for (const std::string& recipient : recipients) {
            EXPECT_TRUE(all.insert(recipient).second) << recipient;
            domains.insert(recipient.substr(recipient.find('@')));
        }
    }
    EXPECT_EQ(counts, (std::set<std::size_t>{1, 2, 3, 4, 5}));
    EXPECT_EQ(domains, (std::set<std::string>{"@d1.example", "@d2.example", "@d3.example"}));
    EXPECT_GT(differ, 150);
}

TEST(SourceAddresses, TakeEachRecipientOnceWhereNoCountIsGiven) {
    SourceAddresses::Plan plan;
    plan.to = {"a@x", "b%d@x"};
    EXPECT_EQ(recipients_of(SourceAddresses(plan), 9), (std::vector<std::string>{"a@x", "b9@x"}));
}

}  // namespace
}  // namespace sealgate
