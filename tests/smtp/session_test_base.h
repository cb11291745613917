// SPDX-License-Identifier: GPL-3.0-or-later
// What the tests of sessions begin with: a setting, a house, a log that can be read.
#pragma once

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "tests/smtp/session_fixture.h"

namespace sealgate {

class SessionTest : public testing::Test {
protected:
    SessionTest() { open_log(LogOptions::Level::error); }
    ~SessionTest() override { std::filesystem::remove(log_path_); }

    void open_log(LogOptions::Level level) {
        LogOptions options;
        log_path_ = testing::TempDir() + "session_test_" + std::to_string(getpid()) + ".log";
        options.mail_log = log_path_;
        options.level = level;
        std::string why;
        auto opened = MailLog::open(options, nullptr, &why);
        ASSERT_TRUE(opened) << why;
        log_ = *std::move(opened);
    }
    // What stands in the log, without dates; closes it.
    std::vector<std::string> logged() {
        log_.reset();
        std::ifstream file(log_path_);
        std::vector<std::string> lines;
        for (std::string line; std::getline(file, line);) {
            lines.push_back(line.substr(line.find("Info: ") + 6));
        }
        return lines;
    }
    std::unique_ptr<SessionClient> client() {
        auto made = std::make_unique<SessionClient>(setting_, host_, *log_);
        made->start();
        return made;
    }
    // One that has said EHLO, its replies so far forgotten.
    std::unique_ptr<SessionClient> greeted_client() {
        auto made = client();
        made->say("EHLO c.example\r\n");
        made->replies.clear();
        return made;
    }

    SessionSetting setting_;
    ScriptedHost host_;
    std::string log_path_;
    std::unique_ptr<MailLog> log_;
};

inline const std::string ehlo = "EHLO c.example\r\n";
inline const std::string envelope = "MAIL FROM:<a@example.com>\r\nRCPT TO:<b@example.net>\r\n";
inline const std::string message = envelope + "DATA\r\nSubject: x\r\n\r\n..text\r\n.\r\n";

}  // namespace sealgate
