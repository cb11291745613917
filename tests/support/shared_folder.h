// SPDX-License-Identifier: GPL-3.0-or-later
// A folder that a death test shares with its child.
//
// In the style "threadsafe" the child is the same program begun anew: it finds by the environment
// the folder that its parent made. The parent removes it.
#pragma once

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <string>

namespace sealgate::test {

class SharedFolder {
public:
    SharedFolder() {
        testing::FLAGS_gtest_death_test_style = "threadsafe";
        if (const char* given = std::getenv(variable)) {
            path_ = given;
            return;
        }
        path_ = testing::TempDir() + "sealgate_shared_XXXXXX";
        EXPECT_NE(mkdtemp(path_.data()), nullptr);
        setenv(variable, path_.c_str(), 1);
        made_here_ = true;
    }
    ~SharedFolder() {
        if (!made_here_) return;
        unsetenv(variable);
        std::filesystem::remove_all(path_);
    }
    SharedFolder(const SharedFolder&) = delete;
    SharedFolder& operator=(const SharedFolder&) = delete;

    std::string path(const std::string& name) const { return path_ + "/" + name; }

private:
    static constexpr const char* variable = "SEALGATE_TEST_SHARED_FOLDER";
    std::string path_;
    bool made_here_ = false;
};

}  // namespace sealgate::test
