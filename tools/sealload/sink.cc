// SPDX-License-Identifier: GPL-3.0-or-later
#include "tools/sealload/sink.h"

#include <fmt/format.h>

#include <chrono>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <thread>

#include "tools/sealload/check_mail.h"
#include "tools/sealload/sink_session.h"

namespace sealgate {
namespace {

double seconds_now() {
    return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch())
        .count();
}

// On a worker. A reader never sees half a file: it appears under its name when it is whole.
bool keep_file(const std::string& path, const std::string& content) {
    const std::string unfinished = path + ".part";
    std::ofstream file(unfinished, std::ios::binary | std::ios::trunc);
    file.write(content.data(), static_cast<std::streamsize>(content.size()));
    file.close();
    std::error_code wrong;
    std::filesystem::rename(unfinished, path, wrong);
    return file.good() && !wrong;
}

}  // namespace

// Recorded even when its session is gone meanwhile: the message did arrive.
class LoadSink::CheckJob final : public WorkerPool::Job {
public:
    CheckJob(LoadSink& sink, std::uint64_t session, ReceivedMail mail, std::string file)
        : sink_(sink), session_(session), mail_(std::move(mail)), file_(std::move(file)) {}

    void run() override {
        line_ = identify(mail_.sender, mail_.content);
        line_.recipients = mail_.recipients;
        line_.bytes = mail_.bytes;
        line_.file = file_;
        const SinkOptions& options = sink_.options_;
        if (!file_.empty()) kept_ = keep_file(options.keep + "/" + file_, mail_.content);
        if (options.verify && !line_.dsn)
            line_.verdict = verdict_on(mail_.content, options.ca_file);
    }
    void deliver() override {
        if (kept_) sink_.record(line_);
        const auto session = sink_.sessions_.find(session_);
        if (session != sink_.sessions_.end()) session->second->on_taken(kept_);
    }

private:
    LoadSink& sink_;
    std::uint64_t session_;
    ReceivedMail mail_;
    std::string file_;
    ReceivedLine line_;
    bool kept_ = true;
};

LoadSink::LoadSink(Loop& loop, SinkOptions options)
    : loop_(loop), options_(std::move(options)), last_reply_(loop, [&loop] { loop.stop(); }) {
    const unsigned threads = std::max(1u, std::thread::hardware_concurrency());
    if (wants_content()) workers_ = std::make_unique<WorkerPool>(loop, threads);
}

LoadSink::~LoadSink() = default;

Result<void> LoadSink::listen(std::string* why) {
    if (!options_.keep.empty()) {
        std::error_code wrong;
        std::filesystem::create_directories(options_.keep, wrong);
        if (wrong) {
            *why = options_.keep + ": " + wrong.message();
            return temporary("cannot make the folder");
        }
        // Numbers go on behind what an earlier run kept.
        for (const auto& entry : std::filesystem::directory_iterator(options_.keep, wrong)) {
            const std::uint64_t number =
                std::strtoull(entry.path().stem().string().c_str(), nullptr, 10);
            next_file_ = std::max(next_file_, number + 1);
        }
    }
    acceptor_ = TRY(Acceptor::listen(
        loop_, options_.listen,
        [this](std::unique_ptr<Socket> socket) { accept(std::move(socket)); }, why));
    return {};
}

void LoadSink::accept(std::unique_ptr<Socket> socket) {
    ++counts_.connections;
    const std::uint64_t id = next_session_++;
    sessions_[id] = std::make_unique<SinkSession>(*this, id, std::move(socket));
    sessions_[id]->start();
}

// Not at once: the session is still at work.
void LoadSink::on_closed(std::uint64_t session) {
    loop_.defer([this, session] { sessions_.erase(session); });
}

bool LoadSink::fails_at(FailAt where) {
    if (options_.fail_percent <= 0 || options_.fail_at != where) return false;
    if (std::uniform_real_distribution<double>(0, 100)(random_) >= options_.fail_percent)
        return false;
    ++counts_.failed_on_purpose;
    return true;
}

void LoadSink::take(std::uint64_t session, ReceivedMail mail) {
    std::string file;
    if (!options_.keep.empty()) file = fmt::format("{:06}.eml", next_file_++);
    auto job = std::make_unique<CheckJob>(*this, session, std::move(mail), std::move(file));
    if (workers_) {
        workers_->submit(std::move(job));
    } else {
        job->run();
        job->deliver();
    }
}

void LoadSink::record(const ReceivedLine& line) {
    constexpr std::uint64_t last_reply_ms = 200;
    ledger_.write(line);
    const double now = seconds_now();
    if (counts_.messages + counts_.dsns == 0) counts_.first_at = now;
    counts_.last_at = now;
    ++(line.dsn ? counts_.dsns : counts_.messages);
    counts_.bytes += line.bytes;
    counts_.recipients += line.recipients.size();
    if (line.verdict == "verified") {
        ++counts_.verified;
    } else if (!line.verdict.empty()) {
        ++counts_.not_verified;
        fmt::print(stderr, "{} {}: {}\n", line.message_id, line.file, line.verdict);
    }
    if (options_.messages != 0 && counts_.messages == options_.messages)
        last_reply_.start(last_reply_ms);
}

}  // namespace sealgate
