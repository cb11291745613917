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

}  // namespace
}  // namespace sealgate
