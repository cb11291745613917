// SPDX-License-Identifier: GPL-3.0-or-later
#include "smtp/mime_seven_bit.h"

#include <gtest/gtest.h>

#include "smtp/mime_downgrade.h"
#include "tests/smtp/mime_test_support.h"

namespace sealgate {
namespace {

using namespace mime_test;

const std::string qp = "Content-Transfer-Encoding: quoted-printable\r\n";
const std::string b64 = "Content-Transfer-Encoding: base64\r\n";
const std::string text = "Content-Type: text/plain\r\n";
const std::string mixed = "Content-Type: multipart/mixed; boundary=b\r\n";
const std::string same = "(same)";  // the output is the input

std::string xs(std::size_t count) { return std::string(count, 'x'); }

struct Case {
    const char* name;
    std::string in;
    std::string want;
    bool left_eight_bit = false;
    bool left_long_lines = false;
};

const Case cases[] = {
    // clang-format off
    // one leaf
    {"SevenBit", text + "\r\nhello\r\n", same},
    {"EmptyBody", text + "\r\n", same},
    {"NoBody", text, same},
    {"Nothing", "", same},
    {"OnlyBlankLine", "\r\n", same},
    {"EightBitUnlabelled", text + "\r\nh\xC3\xA4\r\n", text + qp + "\r\nh=C3=A4\r\n"},
    {"EightBitNoHeader", "\r\nh\xC3\xA4\r\n", qp + "\r\nh=C3=A4\r\n"},
    {"EightBitLabelled", "Content-Transfer-Encoding: 8bit\r\n" + text + "\r\nh\xC3\xA4\r\n", qp + text + "\r\nh=C3=A4\r\n"},
    {"LabelledButSevenBit", text + "Content-Transfer-Encoding: 8bit\r\n\r\nhi\r\n", same},
    {"FoldedLabel", "Content-Transfer-Encoding:\r\n 8bit\r\n\r\n\xE4", qp + "\r\n=E4"},
    {"TwoEqualLabels", "Content-Transfer-Encoding: 8bit\r\n" + text + "Content-Transfer-Encoding: 8bit\r\n\r\n\xE4", qp + text + "\r\n=E4"},
    {"ContradictingLabels", "Content-Transfer-Encoding: 8bit\r\n" + b64 + "\r\n\xE4", same, true},
    {"LabelledSevenBitWrongly", "Content-Transfer-Encoding: 7bit\r\n\r\n\xE4\r\n", qp + "\r\n=E4\r\n"},
    {"QuotedPrintable", qp + "\r\nh=E4 \r\n", same},
    {"Base64", b64 + "\r\naGk=\r\n", same},
    {"UnknownLabel", "Content-Transfer-Encoding: x-uuencode\r\n\r\n\xE4", same, true},
    {"QuotedPrintableWith8Bit", qp + "\r\n\xE4\r\n", same, true},
    {"Application", "Content-Type: application/pdf\r\n\r\n\xE4\r\n", "Content-Type: application/pdf\r\n" + b64 + "\r\n5A0K\r\n"},
    {"TextWithNul", text + std::string("\r\na\0b", 5), text + b64 + "\r\nYQBi\r\n"},
    {"InvalidType", "Content-Type: hello\r\n\r\n\xE4", "Content-Type: hello\r\n" + qp + "\r\n=E4"},
    {"TwoTypes", text + mixed + "\r\n--b\r\n\r\n\xE4\r\n--b--\r\n", same, true},
    {"LineOf998", text + "\r\n" + xs(998) + "\r\n", same},
    {"LineOf999", text + "\r\n" + xs(77) + "y" + xs(921) + "\r\n", text + qp + "\r\n" + xs(75) + "=\r\nxxy" + xs(72)
        + [] { std::string lines; for (int i = 0; i < 11; ++i) lines += "=\r\n" + xs(75); return lines; }() + "=\r\n" + xs(24) + "\r\n"},
    {"HeaderEndedByText", text + "h\xC3\xA4\r\n", text + qp + "\r\nh=C3=A4\r\n"},
    {"NoHeaderAtAll", "h\xC3\xA4llo w\xC3\xB6rld\r\n", qp + "\r\nh=C3=A4llo w=C3=B6rld\r\n"},
    {"NoHeaderSevenBit", "hello world\r\n", same},
    {"EightBitInHeader", "Content-Description: \xC3\xA4\r\n\r\nhi\r\n", same, true},
    {"LongLineInHeader", "Content-Description: " + xs(990) + "\r\n\r\nhi\r\n", same, false, true},
    {"MessagePartial", "Content-Type: message/partial\r\n\r\n\xE4\r\n", same, true},
    {"DeliveryStatus", "Content-Type: message/delivery-status\r\n\r\nX: \xE4\r\n", "Content-Type: message/delivery-status\r\n" + qp + "\r\nX: =E4\r\n"},
    // multiparts
    {"OnlyTheNeedyPart", mixed + "\r\npre\r\n--b\r\n\r\nhi\r\n--b\r\n" + text + "\r\n\xE4\r\n--b--\r\nepi\r\n",
        mixed + "\r\npre\r\n--b\r\n\r\nhi\r\n--b\r\n" + text + qp + "\r\n=E4\r\n--b--\r\nepi\r\n"},
    {"LineEndBelongsToBoundary", mixed + "\r\n--b\r\nContent-Type: image/png\r\n\r\n\xE4\r\n\r\n--b--",
        mixed + "\r\n--b\r\nContent-Type: image/png\r\n" + b64 + "\r\n5A0K\r\n--b--"},
    {"MultipartLabel8Bit", "Content-Transfer-Encoding: 8bit\r\n" + mixed + "\r\n--b\r\n\r\n\xE4\r\n--b--\r\n",
        "Content-Transfer-Encoding: 7bit\r\n" + mixed + "\r\n--b\r\n" + qp + "\r\n=E4\r\n--b--\r\n"},
    {"MultipartLabelBinary", mixed + "Content-Transfer-Encoding: binary\r\n\r\n--b\r\n\r\nx\r\n--b--\r\n",
        mixed + "Content-Transfer-Encoding: 7bit\r\n\r\n--b\r\n\r\nx\r\n--b--\r\n"},
    {"NoEndBoundary", mixed + "\r\n--b\r\n\r\n\xE4\r\n", mixed + "\r\n--b\r\n" + qp + "\r\n=E4\r\n"},
    {"NoEndBoundaryBinary", mixed + "\r\n--b\r\nContent-Type: a/b\r\n\r\n\xE4", mixed + "\r\n--b\r\nContent-Type: a/b\r\n" + b64 + "\r\n5A==\r\n"},
    {"BoundaryWithWhite", mixed + "\r\n--b \t\r\n\r\n\xE4\r\n--b-- \r\n", mixed + "\r\n--b \t\r\n" + qp + "\r\n=E4\r\n--b-- \r\n"},
    {"LongerLineIsNoBoundary", mixed + "\r\n--b\r\n\r\n--bb\r\n--b-\r\n--b- -\r\n\xE4\r\n--b--\r\n",
        mixed + "\r\n--b\r\n" + qp + "\r\n=2D-bb\r\n=2D-b-\r\n=2D-b- -\r\n=E4\r\n--b--\r\n"},
    {"DashesInText", mixed + "\r\n--b\r\n\r\n- \xE4\r\n-\r\n--\r\n-- \r\n--b--\r\n",
        mixed + "\r\n--b\r\n" + qp + "\r\n=2D =E4\r\n=2D\r\n=2D-\r\n=2D-=20\r\n--b--\r\n"},
    {"EndOfPartInHeader", mixed + "\r\n--b\r\n" + text + "--b\r\n\r\n\xE4\r\n--b--\r\n", mixed + "\r\n--b\r\n" + text + "--b\r\n" + qp + "\r\n=E4\r\n--b--\r\n"},
    {"FirstBoundaryEndsHeader", mixed + "--b\r\n\r\n\xE4\r\n--b--\r\n", mixed + "--b\r\n" + qp + "\r\n=E4\r\n--b--\r\n"},
    {"EightBitInPreamble", mixed + "\r\n\xE4\r\n--b\r\n\r\nx\r\n--b--\r\n", same, true},
    {"EightBitInEpilogue", mixed + "\r\n--b\r\n\r\nx\r\n--b--\r\n\xE4\r\n", same, true},
    {"Nested", mixed + "\r\n--b\r\nContent-Type: multipart/alternative; boundary=bb\r\n\r\n--bb\r\n\r\n\xE4\r\n--bb--\r\n--b\r\n\r\n\xE4\r\n--b--\r\n",
        mixed + "\r\n--b\r\nContent-Type: multipart/alternative; boundary=bb\r\n\r\n--bb\r\n" + qp + "\r\n=E4\r\n--bb--\r\n--b\r\n" + qp + "\r\n=E4\r\n--b--\r\n"},
    {"OuterBoundaryEndsInner", mixed + "\r\n--b\r\nContent-Type: multipart/mixed; boundary=i\r\n\r\n--i\r\n\r\nx\r\n--b\r\n\r\n\xE4\r\n--i\r\n--b--\r\n",
        mixed + "\r\n--b\r\nContent-Type: multipart/mixed; boundary=i\r\n\r\n--i\r\n\r\nx\r\n--b\r\n" + qp + "\r\n=E4\r\n=2D-i\r\n--b--\r\n"},
    {"SameBoundaryInside", mixed + "\r\n--b\r\n" + mixed + "\r\n--b\r\n\r\n\xE4\r\n--b--\r\n--b\r\n\r\n\xE4\r\n--b--\r\n",
        mixed + "\r\n--b\r\n" + mixed + "\r\n--b\r\n" + qp + "\r\n=E4\r\n--b--\r\n--b\r\n" + qp + "\r\n=E4\r\n--b--\r\n"},
    {"NoBoundaryParameter", "Content-Type: multipart/mixed\r\n\r\n--b\r\n\r\n\xE4\r\n--b--\r\n", same, true},
    {"Signed", "Content-Type: multipart/signed; boundary=b\r\n\r\n--b\r\n\r\n\xE4\r\n--b\r\n\r\nx\r\n--b--\r\n", same, true},
    {"SignedInside", mixed + "\r\n--b\r\nContent-Type: multipart/signed; boundary=s\r\n\r\n--s\r\n\r\n\xE4\r\n--s--\r\n--b\r\n\r\n\xE4\r\n--b--\r\n",
        mixed + "\r\n--b\r\nContent-Type: multipart/signed; boundary=s\r\n\r\n--s\r\n\r\n\xE4\r\n--s--\r\n--b\r\n" + qp + "\r\n=E4\r\n--b--\r\n", true},
    {"Encrypted", "Content-Type: multipart/encrypted; boundary=b\r\n\r\n--b\r\n\r\n\xE4\r\n--b--\r\n", same, true},
    // attached messages
    {"Message", "Content-Type: message/rfc822\r\n\r\nSubject: x\r\nMIME-Version: 1.0\r\n\r\n\xE4\r\n",
        "Content-Type: message/rfc822\r\n\r\nSubject: x\r\nMIME-Version: 1.0\r\n" + qp + "\r\n=E4\r\n"},
    {"MessageWithoutMimeVersion", "Content-Type: message/rfc822\r\nContent-Transfer-Encoding: 8bit\r\n\r\nSubject: x\r\n\r\n\xE4\r\n",
        "Content-Type: message/rfc822\r\nContent-Transfer-Encoding: 7bit\r\n\r\nSubject: x\r\nMIME-Version: 1.0\r\n" + qp + "\r\n=E4\r\n"},
    {"MessageGlobal", "Content-Type: message/global\r\n\r\nSubject: \xC3\xA4\r\nMIME-Version: 1.0\r\n\r\nx\r\n", same, true},
    {"MessageInBase64", "Content-Type: message/rfc822\r\n" + b64 + "\r\nU3ViamVjdDogeA==\r\n", same},
    {"Digest", "Content-Type: multipart/digest; boundary=b\r\n\r\n--b\r\n\r\nMIME-Version: 1.0\r\n\r\n\xE4\r\n--b\r\n" + text + "\r\n\xE4\r\n--b--\r\n",
        "Content-Type: multipart/digest; boundary=b\r\n\r\n--b\r\n\r\nMIME-Version: 1.0\r\n" + qp + "\r\n=E4\r\n--b\r\n" + text + qp + "\r\n=E4\r\n--b--\r\n"},
    {"MessageWithParts", mixed + "\r\n--b\r\nContent-Type: message/rfc822\r\n\r\nContent-Type: multipart/mixed; boundary=m\r\n\r\n--m\r\n\r\n\xE4\r\n--m--\r\n\r\n--b--\r\n",
        mixed + "\r\n--b\r\nContent-Type: message/rfc822\r\n\r\nContent-Type: multipart/mixed; boundary=m\r\n\r\n--m\r\n" + qp + "\r\n=E4\r\n--m--\r\n\r\n--b--\r\n"},
    // clang-format on
};

class SevenBitTest : public testing::TestWithParam<Case> {};

TEST_P(SevenBitTest, GivesTheSameAtEveryCut) {
    const Case& row = GetParam();
    const std::string& want = row.want == same ? row.in : row.want;
    for (std::size_t cut = 0; cut <= row.in.size(); ++cut) {
        SCOPED_TRACE(cut);
        const Outcome outcome = run_cut(row.in, {cut});
        ASSERT_EQ(outcome.text, want);
        EXPECT_EQ(outcome.left_eight_bit, row.left_eight_bit);
        EXPECT_EQ(outcome.left_long_lines, row.left_long_lines);
    }
}

TEST_P(SevenBitTest, GivesTheSameByteByByte) {
    const Case& row = GetParam();
    std::vector<std::size_t> cuts(row.in.size());
    for (std::size_t i = 0; i < cuts.size(); ++i) cuts[i] = i;
    EXPECT_EQ(run_cut(row.in, cuts), run(row.in));
}

TEST_P(SevenBitTest, LeavesItsOwnOutputAlone) {
    const Outcome once = run(GetParam().in);
    const Outcome twice = run(once.text);
    EXPECT_EQ(twice.text, once.text);
    EXPECT_FALSE(twice.re_encoded);
}

INSTANTIATE_TEST_SUITE_P(Rows, SevenBitTest, testing::ValuesIn(cases),
                         [](const auto& row) { return std::string(row.param.name); });

// A part longer than the hold-back: 64 bytes a line.
std::string large(std::string_view header, std::string_view end = "") {
    std::string mail = std::string(header) + "\r\n";
    while (mail.size() < 2 * limits::hold_back_bytes_max) mail += xs(62) + "\r\n";
    return mail + std::string(end);
}

TEST(SevenBitHoldBack, BelievesTheLabelOfALargePartThatWas7BitSoFar) {
    using Trust = SevenBitOptions::Trust;
    struct Row {
        const char* label;
        Trust trust;
        bool encoded;
    };
    const Row rows[] = {
        {"7bit", Trust::seven_bit_or_no_label, false},
        {"7bit", Trust::seven_bit_label, false},
        {"7bit", Trust::nothing, true},
        {nullptr, Trust::seven_bit_or_no_label, false},
        {nullptr, Trust::seven_bit_label, true},
        {nullptr, Trust::nothing, true},
        {"8bit", Trust::seven_bit_or_no_label, true},
        {"binary", Trust::seven_bit_label, true},
        {"base64", Trust::nothing, false},
    };
    for (const Row& row : rows) {
        SCOPED_TRACE(row.label ? row.label : "no label");
        const std::string label =
            row.label ? "Content-Transfer-Encoding: " + std::string(row.label) + "\r\n" : "";
        const std::string mail = large(text + label, "\xE4\r\n");
        SevenBitOptions options;
        options.trust = row.trust;
        const Outcome outcome = run(mail, options);
        EXPECT_EQ(outcome.re_encoded, row.encoded);
        EXPECT_EQ(outcome.left_eight_bit, !row.encoded);
        if (!row.encoded) {
            EXPECT_EQ(outcome.text, mail);
        }
        std::mt19937 random(1);
        for (int i = 0; i < 20; ++i)
            EXPECT_EQ(run_cut(mail, random_cuts(mail.size(), random), options), outcome);
    }
}

TEST(SevenBitHoldBack, EncodesWhenTheEightBitByteIsTheLastItSees) {
    const std::string header = text + "\r\n";
    std::string body;
    while (body.size() < limits::hold_back_bytes_max) body += xs(62) + "\r\n";
    for (const std::size_t at : {limits::hold_back_bytes_max - 1, limits::hold_back_bytes_max}) {
        std::string mail = header + body + "x\r\n";
        mail[header.size() + at] = '\xE4';
        const Outcome outcome = run(mail);
        EXPECT_EQ(outcome.re_encoded, at < limits::hold_back_bytes_max);
        EXPECT_EQ(outcome.left_eight_bit, at == limits::hold_back_bytes_max);
    }
}

TEST(SevenBitHoldBack, KeepsBoundedMemoryWhateverTheSizeOfThePart) {
    const std::size_t before = BlockPool::instance().in_use_bytes();
    std::size_t most = 0;
    class Counting final : public Sink {
    public:
        Result<Flow> write(Chunk chunk) override {
            bytes += chunk.size();
            return Flow::open;
        }
        Result<Flow> finish() override { return Flow::open; }
        std::size_t bytes = 0;
    } sink;
    SevenBitStage stage(sink, {});
    ASSERT_TRUE(stage.write(Chunk::copy_of(text + "Content-Transfer-Encoding: 8bit\r\n\r\n")));
    for (int i = 0; i < 1000; ++i) {
        ASSERT_TRUE(stage.write(Chunk::copy_of(xs(16000) + "\r\n")));
        most = std::max(most, BlockPool::instance().in_use_bytes() - before);
    }
    ASSERT_TRUE(stage.finish());
    EXPECT_GT(sink.bytes, 16'000'000u);
    EXPECT_LE(most, limits::hold_back_bytes_max + 64 * 1024);
}

TEST(SevenBit, PassesUntouchedBytesAsTheyCame) {
    const Chunk chunk = Chunk::copy_of(mixed + "\r\n--b\r\n" + b64 + "\r\n" + xs(76) +
                                       "\r\n--b\r\n\r\nhello\r\n--b--\r\n");
    TextSink sink;
    SevenBitStage stage(sink, {});
    ASSERT_TRUE(stage.write(chunk));
    ASSERT_TRUE(stage.finish());
    for (const Chunk& out : sink.chunks)
        EXPECT_TRUE(out.data() >= chunk.data() && out.data() < chunk.data() + chunk.size());
}

TEST(SevenBit, CarriesALongPartHeaderAsBody) {
    std::string header = text;
    while (header.size() <= limits::part_header_bytes_max) header += "X-Filler: " + xs(60) + "\r\n";
    const std::string mail =
        mixed + "\r\n--b\r\n" + header + "\r\n\xE4\r\n--b\r\n\r\n\xE4\r\n--b--\r\n";
    const Outcome outcome = run(mail);
    EXPECT_EQ(outcome.text,
              mixed + "\r\n--b\r\n" + header + "\r\n\xE4\r\n--b\r\n" + qp + "\r\n=E4\r\n--b--\r\n");
    EXPECT_TRUE(outcome.left_eight_bit);
    std::mt19937 random(2);
    for (int i = 0; i < 20; ++i)
        EXPECT_EQ(run_cut(mail, random_cuts(mail.size(), random)), outcome);
}

TEST(SevenBit, DoesNotLookDeeperThanTheLimit) {
    for (const int depth : {limits::mime_depth_max, limits::mime_depth_max + 1}) {
        std::string mail;
        for (int i = 0; i < depth; ++i) {
            const std::string boundary = "b" + std::to_string(i);
            mail += "Content-Type: multipart/mixed; boundary=" + boundary + "\r\n\r\n--" +
                    boundary + "\r\n";
        }
        const Outcome outcome = run(mail + "\r\n\xE4\r\n");
        EXPECT_EQ(outcome.left_eight_bit, depth > limits::mime_depth_max);
    }
    std::string messages;
    for (int i = 0; i < 100; ++i) messages += "Content-Type: message/rfc822\r\n\r\n";
    EXPECT_TRUE(run(messages + "\r\n\xE4\r\n").left_eight_bit);
}

TEST(SevenBit, IgnoresABoundaryPastItsLimit) {
    for (const std::size_t bytes : {limits::boundary_bytes_max, limits::boundary_bytes_max + 1}) {
        const std::string b = xs(bytes);
        const Outcome outcome = run("Content-Type: multipart/mixed; boundary=\"" + b +
                                    "\"\r\n\r\n--" + b + "\r\n\r\n\xE4\r\n--" + b + "--\r\n");
        EXPECT_EQ(outcome.left_eight_bit, bytes > limits::boundary_bytes_max);
    }
}

TEST(SevenBitMessage, AddsMimeVersionWhereItNamesAnEncoding) {
    EXPECT_EQ(run("Subject: x\r\n\r\n\xE4\r\n", whole_message()).text,
              "Subject: x\r\nMIME-Version: 1.0\r\n" + qp + "\r\n=E4\r\n");
    EXPECT_EQ(run("Mime-Version: 1.0\r\n\r\n\xE4\r\n", whole_message()).text,
              "Mime-Version: 1.0\r\n" + qp + "\r\n=E4\r\n");
    EXPECT_EQ(run("Subject: x\r\n\r\nx\r\n", whole_message()).text, "Subject: x\r\n\r\nx\r\n");
}

TEST(SevenBitMessage, WrapsLongLinesByEncoding) {
    TextSink sink;
    const auto stage = make_seven_bit_message_stage(sink);
    ASSERT_TRUE(stage->write(Chunk::copy_of("MIME-Version: 1.0\r\n\r\n" + xs(5000) + "\r\n")));
    ASSERT_TRUE(stage->finish());
    EXPECT_TRUE(sink.finished);
    MimeScan scan;
    scan.feed(as_bytes(sink.text));
    EXPECT_FALSE(scan.has_long_lines());
    EXPECT_NE(sink.text.find(qp), std::string::npos);
}

TEST(SevenBitEntity, TakesTheClientsWordFor8Bit) {
    for (const bool declared : {false, true}) {
        TextSink sink;
        const auto stage = make_seven_bit_entity_stage(sink, declared);
        ASSERT_TRUE(stage->write(Chunk::copy_of(large(text))));
        ASSERT_TRUE(stage->finish());
        EXPECT_EQ(stage->re_encoded(), declared);
    }
}

class RefusingSink final : public Sink {
public:
    Result<Flow> write(Chunk) override { return past_limit("too much"); }
    Result<Flow> finish() override { return Flow::open; }
};

TEST(SevenBit, PassesErrorsUp) {
    RefusingSink sink;
    SevenBitStage stage(sink, {});
    EXPECT_TRUE(stage.write(Chunk::copy_of(text + "\r\nhi")));  // held back: nothing written yet
    EXPECT_FALSE(stage.finish());
}

}  // namespace
}  // namespace sealgate
