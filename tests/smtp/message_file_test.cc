// SPDX-License-Identifier: GPL-3.0-or-later
#include "smtp/message_file.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>

namespace sealgate {
namespace {

namespace fs = std::filesystem;

class MessageFileTest : public testing::Test {
protected:
    MessageFileTest() {
        std::string name = fs::temp_directory_path() / "sealgate-message-file-XXXXXX";
        folder_ = ::mkdtemp(name.data());
    }
    ~MessageFileTest() override { fs::remove_all(folder_); }

    std::string make(const std::string& name, const std::string& content) const {
        std::ofstream(folder_ / name, std::ios::binary) << content;
        return folder_ / name;
    }
    static std::string content_of(const fs::path& path) {
        std::ifstream file(path, std::ios::binary);
        return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
    }
    std::size_t files_count() const {
        return static_cast<std::size_t>(
            std::distance(fs::directory_iterator(folder_), fs::directory_iterator()));
    }
    template <typename File>
    static std::string read_all(File& file) {
        std::string all;
        for (;;) {
            const auto piece = file.read();
            EXPECT_TRUE(piece);
            if (!piece || piece->empty()) return all;
            all += piece->text();
        }
    }

    fs::path folder_;
};

TEST_F(MessageFileTest, IsReadInPiecesAndAgain) {
    std::string content;
    for (int i = 0; i < 30'000; ++i) content += "line " + std::to_string(i) + "\r\n";
    auto file = MessageFile::open(make("mail", content));
    ASSERT_TRUE(file);
    EXPECT_EQ(read_all(*file), content);
    ASSERT_TRUE(file->rewind());
    EXPECT_LT(file->read()->size(), content.size());
    ASSERT_TRUE(file->rewind());
    EXPECT_EQ(read_all(*file), content);
}

TEST_F(MessageFileTest, AnEmptyFileHasNothing) {
    auto file = MessageFile::open(make("mail", ""));
    ASSERT_TRUE(file);
    EXPECT_EQ(read_all(*file), "");
}

TEST_F(MessageFileTest, SaysWhatCannotBeRead) {
    const std::string absent = folder_ / "absent";
    EXPECT_EQ(MessageFile::open(absent).error().what, absent + ": No such file or directory");
    EXPECT_EQ(MessageFile::open(folder_).error().what, folder_.string() + ": is a folder");
}

TEST_F(MessageFileTest, APipeIsReadOnce) {
    int ends[2];
    ASSERT_EQ(::pipe(ends), 0);
    ASSERT_EQ(::write(ends[1], "abc", 3), 3);
    ::close(ends[1]);
    auto file = MessageFile::open("/dev/fd/" + std::to_string(ends[0]));
    ::close(ends[0]);
    ASSERT_TRUE(file);
    EXPECT_EQ(read_all(*file), "abc");
    EXPECT_FALSE(file->rewind());
}

TEST_F(MessageFileTest, SpillsWithoutAName) {
    auto spill = SpillFile::make(folder_);
    ASSERT_TRUE(spill);
    EXPECT_EQ(files_count(), 0u);
    ASSERT_TRUE((*spill)->write(Chunk::copy_of("what came before is void")));
    (*spill)->clear();
    ASSERT_TRUE((*spill)->write(Chunk::copy_of("abc")));
    ASSERT_TRUE((*spill)->write(Chunk::copy_of("def")));
    ASSERT_TRUE((*spill)->rewind());
    EXPECT_EQ(read_all(**spill), "abcdef");
    EXPECT_EQ((*spill)->trouble(), "");
    EXPECT_FALSE(SpillFile::make(folder_ / "absent"));
}

TEST_F(MessageFileTest, AnOutputIsThereWhenItIsWhole) {
    const std::string path = make("out", "before");
    {
        auto output = OutputFile::open(path);
        ASSERT_TRUE(output);
        ASSERT_TRUE(output->write(as_bytes("given up")));
    }
    EXPECT_EQ(content_of(path), "before");
    EXPECT_EQ(files_count(), 1u);
    auto output = OutputFile::open(path);
    ASSERT_TRUE(output);
    ASSERT_TRUE(output->write(as_bytes("af")));
    ASSERT_TRUE(output->write(as_bytes("ter")));
    EXPECT_EQ(content_of(path), "before");
    ASSERT_TRUE(output->commit());
    EXPECT_EQ(content_of(path), "after");
    EXPECT_EQ(files_count(), 1u);
    struct stat status {};
    ASSERT_EQ(::stat(path.c_str(), &status), 0);
    EXPECT_EQ(status.st_mode & 0777, 0600u);
}

TEST_F(MessageFileTest, AnOutputThatIsNoPlainFileIsWrittenToAtOnce) {
    const std::string target = make("target", "longer than what comes");
    const fs::path link = folder_ / "link";
    fs::create_symlink(target, link);
    auto output = OutputFile::open(link);
    ASSERT_TRUE(output);
    ASSERT_TRUE(output->write(as_bytes("abc")));
    ASSERT_TRUE(output->commit());
    EXPECT_EQ(content_of(target), "abc");
    EXPECT_TRUE(fs::is_symlink(link));
    auto nothing = OutputFile::open("/dev/null");
    ASSERT_TRUE(nothing);
    EXPECT_TRUE(nothing->write(as_bytes("abc")));
    EXPECT_TRUE(nothing->commit());
}

TEST_F(MessageFileTest, AnOutputInNoFolderIsRefused) {
    EXPECT_FALSE(OutputFile::open(folder_ / "absent" / "out"));
}

TEST_F(MessageFileTest, KeepsAsideWhereItWillBeWanted) {
    EXPECT_EQ(spill_folder_of(folder_ / "new"), folder_);
    EXPECT_EQ(spill_folder_of(make("old", "")), folder_);
    EXPECT_EQ(spill_folder_of("/new"), "/");
    EXPECT_EQ(spill_folder_of("new"), ".");
    EXPECT_EQ(spill_folder_of("/dev/null"), fs::temp_directory_path());
}

}  // namespace
}  // namespace sealgate
