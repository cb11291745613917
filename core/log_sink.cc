// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/log_sink.h"

#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <utility>

namespace sealgate {

LogSink::LogSink(std::string path, LossLine loss_line)
    : path_(std::move(path)), loss_line_(std::move(loss_line)) {}

LogSink::~LogSink() {
    if (lost_ > 0) write_whole(loss_line_(lost_));
    if (file_ > STDOUT_FILENO) ::close(file_);
}

bool LogSink::open_file() {
    if (path_ == "-") {
        file_ = STDOUT_FILENO;
        return true;
    }
    const int opened = ::open(path_.c_str(), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0640);
    if (opened < 0) return false;
    if (file_ >= 0) ::close(file_);
    file_ = opened;
    torn_ = false;
    return true;
}

void LogSink::sink_it_(const spdlog::details::log_msg& message) {
    // When the new file cannot be made, the old one is still better than none.
    if (reopen_wanted_.exchange(false)) open_file();
    const std::string_view text(message.payload.data(), message.payload.size());
    const auto first_line = static_cast<unsigned>(message.source.line);
    const auto lines = static_cast<unsigned>(std::count(text.begin(), text.end(), '\n'));
    lost_ += first_line - next_line_;
    next_line_ = first_line + lines;
    if (lost_ > 0 && write_whole(loss_line_(lost_))) lost_ = 0;
    if (!write_whole(text)) lost_ += lines;
}

bool LogSink::write_whole(std::string_view text) {
    if (torn_) {
        if (::write(file_, "\n", 1) != 1) return false;
        torn_ = false;
    }
    std::size_t written = 0;
    while (written < text.size()) {
        const ssize_t part = ::write(file_, text.data() + written, text.size() - written);
        if (part > 0) {
            written += static_cast<std::size_t>(part);
        } else if (part < 0 && errno == EAGAIN) {  // standard output that somebody made so
            pollfd ready{file_, POLLOUT, 0};
            ::poll(&ready, 1, 1000);
        } else if (part == 0 || errno != EINTR) {
            torn_ = written > 0 && text[written - 1] != '\n';
            return false;
        }
    }
    return true;
}

}  // namespace sealgate
