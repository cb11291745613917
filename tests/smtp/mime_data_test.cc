// SPDX-License-Identifier: GPL-3.0-or-later
// The project's own mails, each with what is to be read in it: tests/data/*/NAME.eml, NAME.expect.
#include <gtest/gtest.h>

#include <map>

#include "smtp/addresses.h"
#include "tests/smtp/mime_test_support.h"

namespace sealgate {
namespace {

using namespace mime_test;

// Lines "key: value".
std::map<std::string, std::string> read_expectation(std::filesystem::path mail) {
    std::ifstream file(mail.replace_extension(".expect"));
    std::map<std::string, std::string> expectation;
    for (std::string line; std::getline(file, line);) {
        const std::size_t colon = line.find(": ");
        if (colon != std::string::npos) expectation[line.substr(0, colon)] = line.substr(colon + 2);
    }
    return expectation;
}

TEST(MailData, IsReadAsExpected) {
    const std::filesystem::path root = std::filesystem::path(SEALGATE_SOURCE_DIR) / "tests/data";
    int count = 0;
    for (const char* folder : {"rfc", "clients", "malformed"}) {
        for (const auto& path : mails_under(root / folder)) {
            SCOPED_TRACE(path);
            ++count;
            const std::string mail = read_file(path);
            EXPECT_EQ(with_crlf(mail), mail) << "line ends are CRLF";
            auto expectation = read_expectation(path);
            const Header header = Header::parse(Chunk::copy_of(mail));
            EXPECT_EQ(sole_from_address(header).value_or("none"), expectation["from"]);
            EXPECT_EQ(header.subject(), expectation["subject"]);
            const Outcome outcome = run(mail, whole_message());
            EXPECT_EQ(outcome.re_encoded ? "re-encoded" : "untouched", expectation["seven-bit"]);
            EXPECT_EQ(outcome.left_eight_bit ? "yes" : "no", expectation["left-eight-bit"]);
            if (!outcome.re_encoded) {
                EXPECT_EQ(outcome.text, mail);
            }
        }
    }
    EXPECT_GE(count, 30);
}

}  // namespace
}  // namespace sealgate
