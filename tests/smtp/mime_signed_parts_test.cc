// SPDX-License-Identifier: GPL-3.0-or-later
#include "smtp/mime_signed_parts.h"

#include <gtest/gtest.h>

#include "smtp/header.h"
#include "tests/smtp/mime_test_support.h"

namespace sealgate {
namespace {

using namespace mime_test;

struct Parts {
    std::string content;
    std::string signature;
    bool content_finished = false;
    bool signature_finished = false;
    bool preamble = false;
    bool epilogue = false;
    bool close = false;
    bool refused = false;
    bool operator==(const Parts&) const = default;
};

std::ostream& operator<<(std::ostream& out, const Parts& parts) {
    return out << testing::PrintToString(parts.content) << (parts.content_finished ? " |" : "")
               << " " << testing::PrintToString(parts.signature)
               << (parts.signature_finished ? " |" : "") << (parts.preamble ? " preamble" : "")
               << (parts.epilogue ? " epilogue" : "") << (parts.close ? " close" : "")
               << (parts.refused ? " refused" : "");
}

Parts refused() {
    Parts parts;
    parts.refused = true;
    return parts;
}

Parts take_apart(std::string_view body, const std::vector<std::size_t>& cuts,
                 std::string boundary = "b") {
    TextSink content;
    TextSink signature;
    SignedParts stage(std::move(boundary), content, signature);
    Parts parts;
    std::size_t from = 0;
    const auto feed = [&](std::size_t to) {
        const auto result = stage.write(Chunk::copy_of(body.substr(from, to - from)));
        from = to;
        parts.refused = !result;
        EXPECT_TRUE(result || result.error().kind == ErrorKind::malformed);
        return result.has_value();
    };
    bool good = true;
    for (const std::size_t cut : cuts)
        if (good && cut > from && cut < body.size()) good = feed(cut);
    if (good) good = feed(body.size());
    if (good) parts.refused = !stage.finish();
    if (parts.refused) return refused();  // how far it came depends on the cuts
    return {content.text,         signature.text,       content.finished,  signature.finished,
            stage.has_preamble(), stage.has_epilogue(), stage.has_close(), false};
}

Parts good(std::string content, std::string signature) {
    return {std::move(content), std::move(signature), true, true, false, false, true, false};
}
Parts with_preamble(Parts parts) {
    parts.preamble = true;
    return parts;
}
Parts with_epilogue(Parts parts) {
    parts.epilogue = true;
    return parts;
}
Parts unclosed(Parts parts) {
    parts.close = false;
    return parts;
}
struct Case {
    const char* name;
    std::string body;
    Parts want;
};

const Case cases[] = {
    // clang-format off
    {"Ordinary", "--b\r\nA: 1\r\n\r\ntext\r\n\r\n--b\r\nB: 2\r\n\r\nMII=\r\n--b--\r\n", good("A: 1\r\n\r\ntext\r\n", "B: 2\r\n\r\nMII=")},
    {"NoLineEndAtTheEnd", "--b\r\nx\r\n--b\r\ny\r\n--b--", good("x", "y")},
    {"BlankLinesAround", "\r\n--b\r\nx\r\n--b\r\ny\r\n--b--\r\n\r\n \r\n", good("x", "y")},
    {"Preamble", "This is signed\r\n\r\n--b\r\nx\r\n--b\r\ny\r\n--b--\r\n", with_preamble(good("x", "y"))},
    {"PreambleBeforeBoundary", "p\r\n--b\r\nx\r\n--b\r\ny\r\n--b--\r\n", with_preamble(good("x", "y"))},
    {"Epilogue", "--b\r\nx\r\n--b\r\ny\r\n--b--\r\nlist\r\n", with_epilogue(good("x", "y"))},
    {"BoundaryInEpilogue", "--b\r\nx\r\n--b\r\ny\r\n--b--\r\n--b\r\nz\r\n--b--\r\n", with_epilogue(good("x", "y"))},
    {"Padding", "--b \t\r\nx\r\n--b\t\r\ny\r\n--b-- \r\n", good("x", "y")},
    {"EmptyParts", "--b\r\n\r\n--b\r\n\r\n--b--\r\n", good("", "")},
    {"NoPartsBetween", "--b\r\n--b\r\n--b--\r\n", good("", "")},
    {"LineEndsAtPartsEnds", "--b\r\n\r\n\r\nx\r\n\r\n\r\n--b\r\n\r\ny\r\n\r\n--b--\r\n", good("\r\n\r\nx\r\n\r\n", "\r\ny\r\n")},
    {"ContentIsMultipartWithLongerBoundary", "--b\r\n--b1\r\nx\r\n--b1--\r\n--bb\r\n\r\n--b\r\ny\r\n--b--\r\n", good("--b1\r\nx\r\n--b1--\r\n--bb\r\n", "y")},
    {"DashesInContent", "--b\r\n-\r\n--\r\n---\r\n-- \r\n- -b\r\n--b-\r\n--b---\r\n--b x\r\n--b--x\r\n--b\r\ny\r\n--b--\r\n", good("-\r\n--\r\n---\r\n-- \r\n- -b\r\n--b-\r\n--b---\r\n--b x\r\n--b--x", "y")},
    {"BoundaryInsideALine", "--b\r\nx --b\r\n --b\r\n--b\r\ny\r\n--b--\r\n", good("x --b\r\n --b", "y")},
    {"BoundaryBehindBareLf", "--b\r\nx\n--b\r\ny\r\n--b\r\nz\r\n--b--\r\n", good("x\n--b\r\ny", "z")},
    {"BoundaryBehindBareCr", "--b\r\nx\r--b\r\ny\r\n--b\r\nz\r\n--b--\r\n", good("x\r--b\r\ny", "z")},
    {"BoundaryEndedByBareLf", "--b\r\nx\r\n--b\ny\r\n--b\r\nz\r\n--b--\r\n", good("x\r\n--b\ny", "z")},
    {"BoundaryEndedByCrCrLf", "--b\r\nx\r\n--b\r\r\n--b\r\nz\r\n--b--\r\n", good("x\r\n--b\r", "z")},
    {"CrBeforeBoundarysCrLf", "--b\r\nx\r\r\n--b\r\ny\r\n--b--\r\n", good("x\r", "y")},
    {"CrAtTheEndOfLines", "--b\r\nx\r\r\ry\r\n--b\r\ny\r\n--b--\r\n", good("x\r\r\ry", "y")},
    {"EightBitAndNul", std::string("--b\r\n\0\xE4\r\n--b\r\ny\r\n--b--\r\n", 24), good(std::string("\0\xE4", 2), "y")},
    {"NotClosed", "--b\r\nx\r\n--b\r\ny\r\n", unclosed(good("x", "y\r\n"))},
    {"NotClosedAtAll", "--b\r\nx\r\n--b\r\ny", unclosed(good("x", "y"))},
    {"ClosedByHalf", "--b\r\nx\r\n--b\r\ny\r\n--b-", unclosed(good("x", "y\r\n--b-"))},
    {"ThirdPart", "--b\r\nx\r\n--b\r\ny\r\n--b\r\nz\r\n--b--\r\n", refused()},
    {"ThirdPartEmpty", "--b\r\nx\r\n--b\r\ny\r\n--b\r\n--b--\r\n", refused()},
    {"ThirdPartUnclosed", "--b\r\nx\r\n--b\r\ny\r\n--b\r\nz", refused()},
    {"ThirdPartOnlyBegun", "--b\r\nx\r\n--b\r\ny\r\n--b", refused()},
    {"OnePart", "--b\r\nx\r\n--b--\r\n", refused()},
    {"OnePartUnclosed", "--b\r\nx\r\n", refused()},
    {"OnePartAndHalfABoundary", "--b\r\nx\r\n--", refused()},
    {"NoParts", "--b--\r\n", refused()},
    {"NoBoundary", "text\r\n", refused()},
    {"OtherBoundary", "--c\r\nx\r\n--c\r\ny\r\n--c--\r\n", refused()},
    {"LineFeedsOnly", "--b\nx\n--b\ny\n--b--\n", refused()},
    {"Nothing", "", refused()},
    // clang-format on
};

class SignedPartsTest : public testing::TestWithParam<Case> {};

TEST_P(SignedPartsTest, TakesThePartsOrRefuses) {
    EXPECT_EQ(take_apart(GetParam().body, {}), GetParam().want);
}

TEST_P(SignedPartsTest, GivesTheSameAtEveryCut) {
    const std::string& body = GetParam().body;
    std::vector<std::size_t> every;
    for (std::size_t first = 1; first < body.size(); ++first) {
        every.push_back(first);
        for (std::size_t second = first; second < body.size(); ++second)
            ASSERT_EQ(take_apart(body, {first, second}), GetParam().want)
                << "cut after bytes " << first << " and " << second;
    }
    EXPECT_EQ(take_apart(body, every), GetParam().want) << "byte by byte";
}

INSTANTIATE_TEST_SUITE_P(Rows, SignedPartsTest, testing::ValuesIn(cases),
                         [](const auto& row) { return std::string(row.param.name); });

TEST(SignedParts, RefusesToWorkWithoutABoundary) {
    EXPECT_TRUE(take_apart("--\r\nx\r\n--\r\ny\r\n----\r\n", {}, "").refused);
    EXPECT_TRUE(take_apart("", {}, "").refused);
}

TEST(SignedParts, CopiesNothing) {
    const std::string body =
        "--b\r\nA: 1\r\n\r\n-x\r\n--y\r\nz\r\n--b\r\nB: 2\r\n\r\nMII=\r\n--b--\r\n";
    const Chunk chunk = Chunk::copy_of(body);
    TextSink content;
    TextSink signature;
    SignedParts stage("b", content, signature);
    ASSERT_TRUE(stage.write(chunk));
    ASSERT_TRUE(stage.finish());
    ASSERT_EQ(content.chunks.size(), 1u) << "lines that are no boundary are not cut out";
    EXPECT_EQ(content.chunks[0].data(), chunk.data() + 5);
    ASSERT_EQ(signature.chunks.size(), 1u);
    EXPECT_GT(signature.chunks[0].data(), chunk.data());
    EXPECT_LT(signature.chunks[0].data(), chunk.data() + chunk.size());
}

TEST(SignedParts, HoldsBackLittleOfALineOfPadding) {
    const std::size_t before = BlockPool::instance().in_use_bytes();
    TextSink content;
    TextSink signature;
    SignedParts stage("b", content, signature);
    ASSERT_TRUE(stage.write(Chunk::literal("--b\r\n\r\n--b")));
    for (int i = 0; i < 20'000; ++i) ASSERT_TRUE(stage.write(Chunk::copy_of(" ")));
    EXPECT_GE(content.text.size(), 20'000u) << "so long a line is no boundary";
    content.chunks.clear();
    EXPECT_LE(BlockPool::instance().in_use_bytes() - before, 16 * 1024u);
}

TEST(SignedParts, SaysFullOfThePartAtHandOnly) {
    class Tank final : public Sink {
    public:
        Result<Flow> write(Chunk) override { return flow; }
        Result<Flow> finish() override { return Flow::full; }
        Flow flow = Flow::open;
    };
    Tank content;
    Tank signature;
    SignedParts stage("b", content, signature);
    content.flow = Flow::full;
    EXPECT_EQ(*stage.write(Chunk::literal("--b\r\nx")), Flow::full);
    EXPECT_EQ(*stage.write(Chunk::literal("\r\n")), Flow::open) << "held back, not written";
    EXPECT_EQ(*stage.write(Chunk::literal("y\r\n--b\r\n")), Flow::open) << "its part has ended";
    EXPECT_EQ(*stage.write(Chunk::literal("z")), Flow::open);
    signature.flow = Flow::full;
    EXPECT_EQ(*stage.write(Chunk::literal("z")), Flow::full);
}

TEST(SignedParts, PassesErrorsUp) {
    class Refusing final : public Sink {
    public:
        Result<Flow> write(Chunk) override { return unsupported("no"); }
        Result<Flow> finish() override { return unsupported("no end"); }
    };
    Refusing refusing;
    TextSink taking;
    SignedParts first("b", refusing, taking);
    EXPECT_EQ(first.write(Chunk::literal("--b\r\nx")).error().kind, ErrorKind::unsupported);
    SignedParts first_end("b", refusing, taking);
    EXPECT_EQ(first_end.write(Chunk::literal("--b\r\n\r\n--b\r\n")).error().kind,
              ErrorKind::unsupported);
    SignedParts second("b", taking, refusing);
    EXPECT_EQ(second.write(Chunk::literal("--b\r\nx\r\n--b\r\ny")).error().kind,
              ErrorKind::unsupported);
    SignedParts second_end("b", taking, refusing);
    ASSERT_TRUE(second_end.write(Chunk::literal("--b\r\n\r\n--b\r\n")));
    EXPECT_EQ(second_end.finish().error().kind, ErrorKind::unsupported);
}

// The same by searching the whole text, as RFC 2046's grammar reads.
Parts by_grammar(const std::string& body, const std::string& boundary) {
    const std::string text = "\r\n" + body;
    std::vector<std::pair<std::string, bool>> pieces;  // text before a boundary line, and its kind
    std::size_t from = 0;
    std::size_t search = 0;
    for (;;) {
        const std::size_t at = text.find("\r\n--" + boundary, search);
        if (at == std::string::npos) break;
        std::size_t end = at + 4 + boundary.size();
        const bool close = text.compare(end, 2, "--") == 0;
        if (close) end += 2;
        while (end < text.size() && (text[end] == ' ' || text[end] == '\t')) ++end;
        const bool ended = text.compare(end, 2, "\r\n") == 0;
        const bool at_end = end == text.size() || text.substr(end) == "\r";
        if (!ended && !at_end) {
            search = at + 2;
            continue;
        }
        pieces.emplace_back(at >= from ? text.substr(from, at - from) : "", close);
        from = ended ? end + 2 : text.size();
        search = ended ? end : text.size();
        if (close) break;
    }
    const auto blank = [](const std::string& s) {
        return s.find_first_not_of(" \t\r\n") == std::string::npos;
    };
    const std::string rest = text.substr(std::min(from, text.size()));
    Parts parts;
    if (pieces.size() == 2 && !pieces[1].second)
        parts = unclosed(good(pieces[1].first, rest));
    else if (pieces.size() == 3 && pieces[2].second)
        parts = good(pieces[1].first, pieces[2].first);
    else
        return refused();
    parts.preamble = !blank(pieces[0].first);
    parts.epilogue = parts.close && !blank(rest);
    return parts;
}

TEST(SignedParts, ReadsForeignMultipartsAsTheGrammarDoes) {
    const std::filesystem::path corpora = SEALGATE_CORPUS_DIR;
    std::mt19937 random(20261122);
    int count = 0;
    int taken = 0;
    for (const char* folder :
         {"mime-mime4j", "mime-stalwart", "mime-mailparser", "notmuch", "mimekit"}) {
        for (const auto& path : mails_under(corpora / folder)) {
            SCOPED_TRACE(path);
            const std::string mail = with_crlf(read_file(path));
            const Header header = Header::parse(Chunk::copy_of(mail));
            const std::string boundary = boundary_of(header.content_type());
            if (boundary.empty()) continue;
            ++count;
            const std::string body = mail.substr(header.bytes().size());
            const Parts want = by_grammar(body, boundary);
            taken += !want.refused;
            ASSERT_EQ(take_apart(body, {}, boundary), want);
            for (int i = 0; i < 10; ++i)
                ASSERT_EQ(take_apart(body, random_cuts(body.size(), random), boundary), want);
        }
    }
    if (count == 0) GTEST_SKIP() << "no corpora";
    EXPECT_GE(count, 50);
    EXPECT_GE(taken, 20);
}

// Bodies of scraps of boundary lines: whatever comes out, it is what the grammar says.
TEST(SignedParts, ReadsScrapsAsTheGrammarDoes) {
    const char* scraps[] = {"\r\n", "\r\n--b", "--b", "--", "-", "\r", "\n", " ", "x", "b", "\t"};
    std::mt19937 random(1847);
    int taken = 0;
    for (int i = 0; i < 200'000; ++i) {
        std::string body;
        for (auto n = random() % 14; n > 0; --n) body += scraps[random() % std::size(scraps)];
        const Parts want = by_grammar(body, "b");
        taken += !want.refused;
        ASSERT_EQ(take_apart(body, {random() % 20, random() % 40}), want)
            << testing::PrintToString(body);
    }
    EXPECT_GE(taken, 1000);
}

}  // namespace
}  // namespace sealgate
