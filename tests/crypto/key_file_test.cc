// SPDX-License-Identifier: GPL-3.0-or-later
#include "crypto/key_file.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <vector>

#include "crypto/pem.h"

namespace sealgate::test {
namespace {

using Problem = KeyFileEntry::Problem;

const std::string block = "-----BEGIN CERTIFICATE-----\nTUlJ\nQg==\n-----END CERTIFICATE-----\n";
const std::string secret = "-----BEGIN PRIVATE KEY-----\nTUlJ\n-----END PRIVATE KEY-----\n";

std::vector<KeyFileEntry> read(const std::vector<std::string_view>& pieces) {
    std::vector<KeyFileEntry> entries;
    KeyFileReader reader([&](KeyFileEntry entry) { entries.push_back(std::move(entry)); });
    for (const std::string_view piece : pieces) reader.feed(piece);
    reader.finish();
    return entries;
}

std::string told(const std::vector<KeyFileEntry>& entries) {
    std::string text;
    for (const KeyFileEntry& entry : entries) {
        EXPECT_EQ(entry.pem.empty(), entry.problem != Problem::none);
        text += std::to_string(entry.line) + " " + to_word(entry.problem) + " " + entry.name + ";";
    }
    return text;
}

struct FileCase {
    const char* what;
    std::string text;
    const char* want;
};

const std::vector<FileCase> files = {
    {"nothing", "", ""},
    {"no key", "# a comment\n\nand some text\n", ""},
    {"one key", "# name: Bob\n" + block, "2 ok Bob;"},
    {"two keys", "# name: Bob\n" + block + "\n# name: Alice B.\n" + block,
     "2 ok Bob;8 ok Alice B.;"},
    {"CRLF", "# name: Bob\r\n-----BEGIN CERTIFICATE-----\r\nTUlJ\r\n-----END CERTIFICATE-----\r\n",
     "2 ok Bob;"},
    {"a byte order mark", "\xef\xbb\xbf# name: Bob\n" + block, "2 ok Bob;"},
    {"no last line end", "# name: Bob\n" + block.substr(0, block.size() - 1), "2 ok Bob;"},
    {"text around", "subject=CN = x\n# name:   Bob  \n# exported\n\n" + block + "trailer",
     "5 ok Bob;"},
    {"other letters", "# name: Jörg 日本\n" + block, "2 ok Jörg 日本;"},
    {"an address", "# name: bob+x@example.net\n" + block, "2 ok bob+x@example.net;"},
    {"no name", block, "1 no-name ;"},
    {"one name for two", "# name: Bob\n" + block + block, "2 ok Bob;6 no-name ;"},
    {"an empty name", "# name:\n" + block, "2 bad-name ;"},
    {"a control character", "# name: B\x01ob\n" + block, "2 bad-name B\x01ob;"},
    {"broken UTF-8", "# name: B\xff\n" + block, "2 bad-name B\xff;"},
    {"an option", "# name: --all\n" + block, "2 bad-name --all;"},
    {"a private key", "# name: Bob\n" + secret + "# name: Alice\n" + block,
     "2 private-key Bob;6 ok Alice;"},
    {"a private key behind", "# name: Bob\n" + block + secret, "2 ok Bob;6 private-key ;"},
    {"another kind", "# name: Bob\n-----BEGIN PKCS7-----\nTUlJ\n-----END PKCS7-----\n",
     "2 not-certificate Bob;"},
    {"two names", "# name: Bob\n# name: Alice\n" + block, "1 no-certificate Bob;3 ok Alice;"},
    {"a name at the end", "# name: Bob\n" + block + "# name: Alice\n",
     "2 ok Bob;6 no-certificate Alice;"},
    {"no end", "# name: Bob\n-----BEGIN CERTIFICATE-----\nTUlJ\n", "2 unfinished Bob;"},
    {"another end", "# name: Bob\n-----BEGIN CERTIFICATE-----\nTUlJ\n-----END PKCS7-----\n",
     "2 unfinished Bob;"},
    {"one cut off before another",
     "# name: Bob\n-----BEGIN CERTIFICATE-----\nTUlJ\n# name: Alice\n" + block,
     "2 unfinished Bob;5 no-name ;"},
    {"BEGIN inside a line", "# name: Bob\nsee -----BEGIN CERTIFICATE-----\n",
     "1 no-certificate Bob;"},
    {"BEGIN of nothing", "# name: Bob\n-----BEGIN \n-----BEGIN -----\n", "3 unfinished Bob;"},
    {"BEGIN without its end", "# name: Bob\n-----BEGIN CERTIFICATE\n" + block, "3 ok Bob;"},
};

TEST(KeyFileReader, ReadsNamesAndBlocks) {
    for (const FileCase& file : files) EXPECT_EQ(told(read({file.text})), file.want) << file.what;
}

TEST(KeyFileReader, GivesTheSameHoweverTheFileIsCut) {
    for (const FileCase& file : files) {
        for (std::size_t cut = 0; cut <= file.text.size(); ++cut) {
            const std::string_view text = file.text;
            ASSERT_EQ(told(read({text.substr(0, cut), text.substr(cut)})), file.want)
                << file.what << ", cut after byte " << cut;
        }
        std::vector<std::string_view> bytes;
        for (std::size_t i = 0; i < file.text.size(); ++i)
            bytes.push_back(std::string_view(file.text).substr(i, 1));
        ASSERT_EQ(told(read(bytes)), file.want) << file.what << ", byte by byte";
    }
}

TEST(KeyFileReader, KeepsNothingThatIsTooLong) {
    const std::string line(64, 'A');
    std::string file = "# name: Bob\n-----BEGIN CERTIFICATE-----\n";
    while (file.size() < 500'000) file += line + "\n";
    file += "-----END CERTIFICATE-----\n# name: Alice\n" + block;
    const auto entries = read({file});
    ASSERT_EQ(entries.size(), 2U);
    EXPECT_EQ(entries[0].problem, Problem::too_long);
    EXPECT_EQ(entries[1].problem, Problem::none);

    const std::string endless = "# name: " + std::string(1'000'000, 'x') + "\n" + block;
    const auto named = read({endless});
    ASSERT_EQ(named.size(), 1U);
    EXPECT_EQ(named[0].problem, Problem::bad_name);
    EXPECT_LT(named[0].name.size(), 5000U);
}

struct NameCase {
    std::string name;
    bool want;
};

TEST(KeyFileReader, KnowsANameFromWhatIsNone) {
    for (const auto& [name, want] : {
             NameCase{"a", true},
             {"Bob at Example (2026)", true},
             {"*.example.net", true},
             {"Grüße", true},
             {std::string(128, 'x'), true},
             {std::string(129, 'x'), false},
             {"", false},
             {" ", false},
             {" a", false},
             {"a ", false},
             {"a\tb", false},
             {"a\nb", false},
             {"a\"b", false},
             {"a\\b", false},
             {"-a", false},
             {std::string("a\0b", 3), false},
             {"\xc3", false},
         })
        EXPECT_EQ(is_key_name(name), want) << name;
}

TEST(KeyFileText, IsReadBackAsItWasWritten) {
    Bytes der(1000);
    for (std::size_t i = 0; i < der.size(); ++i) der[i] = static_cast<std::uint8_t>(i * 7);
    const std::string text = key_file_text("Bob", der) + key_file_text("Alice", der);
    const auto entries = read({text});
    EXPECT_EQ(told(entries), "2 ok Bob;26 ok Alice;");
    for (const KeyFileEntry& entry : entries) {
        const auto blocks = read_pem(as_bytes(entry.pem));
        ASSERT_TRUE(blocks);
        ASSERT_EQ(blocks->size(), 1U);
        EXPECT_TRUE(std::ranges::equal(blocks->front().der.bytes(), der));
    }
}

}  // namespace
}  // namespace sealgate::test
