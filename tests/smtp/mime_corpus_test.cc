// SPDX-License-Identifier: GPL-3.0-or-later
// The 7-bit stage on mail nobody here wrote: same output at any cut, nothing left to do on a second
// run, and the same decoded parts before and after, by the judgement of Python's email package.
#include <gtest/gtest.h>

#include <unistd.h>

#include <cstdlib>

#include "tests/smtp/mime_test_support.h"

namespace sealgate {
namespace {

using namespace mime_test;

std::vector<std::filesystem::path> all_mails() {
    std::vector<std::filesystem::path> mails;
    const std::filesystem::path corpora = SEALGATE_CORPUS_DIR;
    const std::filesystem::path own = std::filesystem::path(SEALGATE_SOURCE_DIR) / "tests/data";
    for (const auto& folder :
         {corpora / "mime-mime4j", corpora / "mime-stalwart", corpora / "mime-mailparser", own}) {
        for (auto& mail : mails_under(folder)) mails.push_back(std::move(mail));
    }
    return mails;
}

bool corpora_present() { return std::filesystem::exists(SEALGATE_CORPUS_DIR "/mime-mime4j"); }

TEST(MimeCorpus, IsTheSameAtAnyCutAndNeedsNoSecondRun) {
    std::mt19937 random(20261121);
    for (const auto& path : all_mails()) {
        SCOPED_TRACE(path);
        const std::string mail = with_crlf(read_file(path));
        for (const SevenBitOptions options : {SevenBitOptions{}, whole_message()}) {
            const Outcome whole = run(mail, options);
            for (int i = 0; i < 4; ++i)
                ASSERT_EQ(run_cut(mail, random_cuts(mail.size(), random), options), whole);
            const bool eight_bit = std::any_of(whole.text.begin(), whole.text.end(),
                                               [](char c) { return (c & 0x80) != 0; });
            EXPECT_EQ(eight_bit, whole.left_eight_bit);
            const Outcome again = run(whole.text, options);
            EXPECT_EQ(again.text, whole.text);
            EXPECT_FALSE(again.re_encoded);
        }
    }
    if (!corpora_present()) GTEST_SKIP() << "no corpora: only tests/data was read";
}

TEST(MimeCorpus, DecodesToTheSamePartsBeforeAndAfter) {
    if (std::system("python3 -c pass") != 0) GTEST_SKIP() << "no python3";
    const std::filesystem::path folder =
        std::filesystem::path(testing::TempDir()) / ("mime_corpus_" + std::to_string(::getpid()));
    std::filesystem::create_directories(folder);
    int number = 0;
    for (const auto& path : all_mails()) {
        const std::string mail = with_crlf(read_file(path));
        const std::string name = std::to_string(number++) + "-" + path.stem().string();
        std::ofstream(folder / (name + ".before"), std::ios::binary) << mail;
        std::ofstream(folder / (name + ".after"), std::ios::binary)
            << run(mail, whole_message()).text;
    }
    const std::string command =
        "python3 " SEALGATE_SOURCE_DIR "/tests/smtp/mime_same_parts.py " + folder.string();
    EXPECT_EQ(std::system(command.c_str()), 0) << command;
    if (!HasFailure()) std::filesystem::remove_all(folder);
    if (!corpora_present()) GTEST_SKIP() << "no corpora: only tests/data was read";
}

// Lines of Postfix's own test log: what kind, offset, tab, '|', text.
std::string postfix_body(const std::filesystem::path& reference) {
    std::string body;
    std::ifstream file(reference, std::ios::binary);
    bool blank_line_seen = false;
    for (std::string line; std::getline(file, line);) {
        const std::size_t bar = line.find("\t|");
        if (line.rfind("BODY N", 0) != 0 || bar == std::string::npos) continue;
        if (blank_line_seen) body += line.substr(bar + 2) + "\r\n";
        blank_line_seen = true;
    }
    return body;
}

std::string decode_quoted_printable(std::string_view text) {
    std::string decoded;
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] != '=') {
            decoded.push_back(text[i]);
        } else {
            if (text.substr(i, 3) != "=\r\n")
                decoded.push_back(
                    static_cast<char>(std::stoi(std::string(text.substr(i + 1, 2)), nullptr, 16)));
            i += 2;
        }
    }
    return decoded;
}

TEST(PostfixReferences, OurQuotedPrintableDecodesAsTheirs) {
    const std::filesystem::path folder =
        std::filesystem::path(SEALGATE_CORPUS_DIR) / "smtp-postfix-refs/postfix/src/global";
    if (!std::filesystem::exists(folder)) GTEST_SKIP() << "no corpora";
    for (const std::string number : {"", "2", "3"}) {
        const std::string mail = with_crlf(read_file(folder / ("mime_cvt.in" + number)));
        const std::string body = mail.substr(mail.find("\r\n\r\n") + 4);
        const std::string reference = postfix_body(folder / ("mime_cvt.ref" + number));
        ASSERT_FALSE(reference.empty());
        EXPECT_EQ(decode_quoted_printable(reference), body);
        QuotedPrintableEncoder encoder;
        encoder.feed(as_bytes(body));
        encoder.finish();
        EXPECT_EQ(decode_quoted_printable(encoder.take().to_string()), body);
        // What is 7-bit as it stands is not encoded, whatever it calls itself; Postfix encodes it.
        EXPECT_EQ(run(mail).text, mail);
    }
}

TEST(PostfixReferences, GarbageIsTheSameAtAnyCutAndLosesNothing) {
    const std::filesystem::path folder =
        std::filesystem::path(SEALGATE_CORPUS_DIR) / "smtp-postfix-refs/postfix/src/global";
    if (!std::filesystem::exists(folder)) GTEST_SKIP() << "no corpora";
    std::mt19937 random(7);
    for (const char* name : {"mime_8bit", "mime_dom", "mime_garb1", "mime_garb2", "mime_garb3",
                             "mime_garb4", "mime_global", "mime_nest", "mime_test", "mime_trunc"}) {
        SCOPED_TRACE(name);
        const std::string mail = with_crlf(read_file(folder / (std::string(name) + ".in")));
        ASSERT_FALSE(mail.empty());
        for (const SevenBitOptions options : {SevenBitOptions{}, whole_message()}) {
            const Outcome whole = run(mail, options);
            EXPECT_GE(whole.text.size() + 10, mail.size());  // "binary" may have become "7bit"
            for (int i = 0; i < 50; ++i)
                ASSERT_EQ(run_cut(mail, random_cuts(mail.size(), random), options), whole);
            EXPECT_EQ(run(whole.text, options).text, whole.text);
        }
    }
}

}  // namespace
}  // namespace sealgate
