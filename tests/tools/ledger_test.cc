// SPDX-License-Identifier: GPL-3.0-or-later
#include "tools/sealload/ledger.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <sstream>

#include "tools/sealload/ledger_compare.h"

namespace sealgate {
namespace {

class LedgerTest : public testing::Test {
protected:
    LedgerTest() {
        std::string name = testing::TempDir() + "ledger-XXXXXX";
        path_ = std::string(::mkdtemp(name.data())) + "/ledger";
    }
    ~LedgerTest() override {
        std::filesystem::remove_all(std::filesystem::path(path_).parent_path());
    }
    void write(const std::string& text) const { std::ofstream(path_, std::ios::binary) << text; }
    std::string read() const {
        std::ostringstream text;
        text << std::ifstream(path_, std::ios::binary).rdbuf();
        return text.str();
    }
    std::string path_;
};

TEST_F(LedgerTest, WritesWhatItReads) {
    ReceivedLine line{"<1@x>", {"a@x", "b@x"}, 7,          false,    "",
                      "s@x",   "1.eml",        "verified", "triple", "signed, encrypted",
                      "same",  "a@x,b@x"};
    LedgerWriter writer;
    ASSERT_TRUE(writer.open(path_));
    writer.write(line);
    line.dsn = true;
    line.about = "<0@x>";
    line.recipients.clear();
    line.verdict = "failed: a\ttab\nand a line";
    writer.write(line);
    const auto lines = read_received(path_);
    ASSERT_TRUE(lines);
    ASSERT_EQ(lines->size(), 2U);
    const ReceivedLine& first = lines->front();
    EXPECT_EQ(first.recipients, (std::vector<std::string>{"a@x", "b@x"}));
    EXPECT_EQ(first.form + first.layers + first.body + first.opened_by,
              "triplesigned, encryptedsamea@x,b@x");
    EXPECT_EQ(lines->back().verdict, "failed: a tab and a line");
    EXPECT_TRUE(lines->back().dsn);
    EXPECT_TRUE(lines->back().recipients.empty());
    EXPECT_EQ(lines->back().about, "<0@x>");
}

TEST_F(LedgerTest, LinesAreInTheFileOnlyWhenFlushed) {
    LedgerWriter writer;
    ASSERT_TRUE(writer.open(path_));
    ReceivedLine line;
    line.message_id = "<1>";
    line.recipients = {"a"};
    writer.add(line);
    writer.add(line);
    EXPECT_EQ(read(), "");
    writer.flush();
    EXPECT_EQ(read_received(path_)->size(), 2U);
    writer.flush();
    EXPECT_EQ(read_received(path_)->size(), 2U);
}

TEST_F(LedgerTest, ReadsLinesOfBefore) {
    write("<1>\ta,b\t9\n<2>\ta\t9\tmail\t\ts\tf\tverified\n");
    const auto lines = read_received(path_);
    ASSERT_TRUE(lines);
    ASSERT_EQ(lines->size(), 2U);
    EXPECT_EQ(lines->back().verdict, "verified");
    EXPECT_EQ(lines->back().form, "");
}

TEST_F(LedgerTest, BelievesWholeLinesOnlyAndRefusesOthers) {
    write("<1>\ta\t9\n<2>\ta\t9");  // killed in the middle
    EXPECT_EQ(read_received(path_)->size(), 1U);
    for (const char* text : {"\n", "<1>\n", "<1>\ta\n"}) {
        write(text);
        EXPECT_FALSE(read_received(path_)) << text;
        EXPECT_FALSE(read_sent(path_)) << text;
    }
    for (const char* text : {"<1>\tmaybe\t250\ta\n", "<1>\t\t250\ta\n", "<1>\taccepted\t250\n"}) {
        write(text);
        EXPECT_FALSE(read_sent(path_)) << text;
    }
    EXPECT_FALSE(read_sent(path_ + "-that-is-not"));
    EXPECT_FALSE(LedgerWriter().open(path_ + "/not/a/folder"));
}

SentLine sent(std::vector<std::string> recipients, SentState state = SentState::accepted) {
    return {"<1>", state, "250", std::move(recipients), ""};
}

ReceivedLine came(std::vector<std::string> recipients, const std::string& form = "",
                  const std::string& body = "") {
    ReceivedLine line;
    line.message_id = "<1>";
    line.recipients = std::move(recipients);
    line.form = form;
    line.layers = form == "sign-encrypt" ? "encrypted aes-256-gcm, signed detached"
                  : form == "encrypted"  ? "encrypted aes-256-cbc"
                  : form == "signed"     ? "signed detached"
                  : form == "triple"     ? "signed detached, encrypted aes-256-cbc, signed detached"
                                         : "";
    line.body = body;
    return line;
}

ReceivedLine dsn() {
    ReceivedLine line;
    line.message_id = "<d>";
    line.dsn = true;
    line.about = "<1>";
    return line;
}

TEST(CompareLedgers, NamesWhatIsWrong) {
    struct Case {
        const char* name;
        std::vector<SentLine> sent;
        std::vector<ReceivedLine> received;
        std::size_t lost, duplicated, altered, unexpected, both, neither;
    };
    const SentState unknown = SentState::unknown;
    const SentState refused = SentState::refused;
    const Case cases[] = {
        {"all well", {sent({"a", "b"})}, {came({"a", "b"})}, 0, 0, 0, 0, 0, 0},
        {"split, all well",
         {sent({"a", "b"})},
         {came({"a"}, "sign-encrypt"), came({"b"}, "signed")},
         0,
         0,
         0,
         0,
         0,
         0},
        {"one lost", {sent({"a", "b"})}, {came({"a"})}, 1, 0, 0, 0, 0, 1},
        {"all lost", {sent({"a", "b"})}, {}, 2, 0, 0, 0, 0, 2},
        {"twice", {sent({"a"})}, {came({"a"}), came({"a"})}, 0, 1, 0, 0, 0, 0},
        {"encrypted twice",
         {sent({"a"})},
         {came({"a"}, "encrypted"), came({"a"}, "triple")},
         0,
         1,
         0,
         0,
         0,
         0},
        {"encrypted and plain",
         {sent({"a"})},
         {came({"a"}, "encrypted"), came({"a"}, "plain")},
         0,
         1,
         0,
         0,
         1,
         0},
        {"encrypted and signed, one of two",
         {sent({"a", "b"})},
         {came({"a", "b"}, "sign-encrypt"), came({"b"}, "signed")},
         0,
         1,
         0,
         0,
         1,
         0},
        {"altered", {sent({"a"})}, {came({"a"}, "signed", "altered")}, 0, 0, 1, 0, 0, 0},
        {"the same", {sent({"a"})}, {came({"a"}, "signed", "same")}, 0, 0, 0, 0, 0, 0},
        {"altered, one of two copies",
         {sent({"a"})},
         {came({"a"}, "signed", "same"), came({"a"}, "signed", "altered")},
         0,
         1,
         1,
         0,
         0,
         0},
        {"reported", {sent({"a"})}, {dsn()}, 0, 0, 0, 0, 0, 1},
        {"in doubt, not come", {sent({"a"}, unknown)}, {}, 0, 0, 0, 0, 0, 0},
        {"in doubt, come", {sent({"a"}, unknown)}, {came({"a"})}, 0, 0, 0, 0, 0, 0},
        {"in doubt, come twice",
         {sent({"a"}, unknown)},
         {came({"a"}), came({"a"})},
         0,
         1,
         0,
         0,
         0,
         0},
        {"refused and come", {sent({"a"}, refused)}, {came({"a"})}, 0, 0, 0, 1, 0, 0},
        {"refused", {sent({"a"}, refused)}, {}, 0, 0, 0, 0, 0, 0},
        {"never sent", {}, {came({"a"})}, 0, 0, 0, 1, 0, 0},
        {"for somebody else, too", {sent({"a"})}, {came({"a", "c"})}, 0, 0, 0, 1, 0, 0},
        {"nothing", {}, {}, 0, 0, 0, 0, 0, 0},
    };
    for (const Case& row : cases) {
        SCOPED_TRACE(row.name);
        const LedgerFindings found = compare_ledgers(row.sent, row.received);
        EXPECT_EQ(found.lost.size(), row.lost);
        EXPECT_EQ(found.duplicated.size(), row.duplicated);
        EXPECT_EQ(found.altered.size(), row.altered);
        EXPECT_EQ(found.unexpected.size(), row.unexpected);
        EXPECT_EQ(found.both.size(), row.both);
        EXPECT_EQ(found.neither.size(), row.neither);
    }
}

}  // namespace
}  // namespace sealgate
