// SPDX-License-Identifier: GPL-3.0-or-later
#include "tools/sealload/sink.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <thread>

#include "crypto/tls_socket.h"
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

std::string hello_of(const SinkOptions& o, bool offers_starttls) {
    std::vector<std::string> lines = {"sink.example.net"};
    if (o.pipelining) lines.emplace_back("PIPELINING");
    if (o.eight_bit) lines.emplace_back("8BITMIME");
    if (o.smtputf8) lines.emplace_back("SMTPUTF8");
    if (o.chunking) lines.emplace_back("CHUNKING");
    if (o.dsn) lines.emplace_back("DSN");
    if (offers_starttls) lines.emplace_back("STARTTLS");
    if (o.enhanced_codes) lines.emplace_back("ENHANCEDSTATUSCODES");
    if (o.size) lines.push_back(fmt::format("SIZE {}", o.size_bytes_max));
    std::string text;
    for (std::size_t i = 0; i < lines.size(); ++i)
        text += fmt::format("250{}{}\r\n", i + 1 == lines.size() ? ' ' : '-', lines[i]);
    return text;
}

}  // namespace

double SinkCounts::messages_per_second() const {
    return seconds() > 0 ? static_cast<double>(messages + dsns - 1) / seconds() : 0;
}

void ReceivedMail::clear() {
    sender.clear();
    recipients.clear();
    recipient_count = 0;
    content.clear();
    bytes = 0;
}

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
        if (options.check && !line_.dsn) options.check->judge(line_, mail_.content);
    }
    void deliver() override {
        if (kept_) sink_.record(line_, mail_.recipient_count);
        sink_.settle_later(session_, kept_);
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
    : loop_(loop),
      options_(std::move(options)),
      hello_(hello_of(options_, options_.starttls_offered && !options_.tls_on_connect)),
      hello_in_tls_(hello_of(options_, false)),
      last_reply_(loop, [&loop] { loop.stop(); }) {
    const unsigned threads = std::max(1u, std::thread::hardware_concurrency());
    if (options_.check || !options_.keep.empty())
        workers_ = std::make_unique<WorkerPool>(loop, threads);
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
    const auto [place, is_new] =
        sessions_.emplace(id, std::make_unique<SinkSession>(*this, id, std::move(socket)));
    CHECK(is_new);
    place->second->start();
}

void LoadSink::count(const TlsOutcome& handshake) {
    if (!handshake.result)
        ++counts_.tls_failed;
    else
        ++(handshake.resumed ? counts_.tls_resumed : counts_.tls_full);
}

// Not at once: the session is still at work.
void LoadSink::on_closed(std::uint64_t session) {
    loop_.defer([this, session] { sessions_.erase(session); });
}

bool LoadSink::take(std::uint64_t session, ReceivedMail& mail) {
    if (!workers_ && !ledger_.is_open()) {
        ReceivedLine line;
        line.dsn = mail.sender.empty() && identify(mail.sender, mail.content).dsn;
        line.bytes = mail.bytes;
        record(line, mail.recipient_count);
        return true;
    }
    std::string file;
    if (!options_.keep.empty()) file = fmt::format("{:06}.eml", next_file_++);
    auto job = std::make_unique<CheckJob>(*this, session, std::move(mail), std::move(file));
    if (workers_) {
        workers_->submit(std::move(job));
    } else {
        job->run();
        job->deliver();
    }
    return false;
}

void LoadSink::settle_later(std::uint64_t session, bool kept) {
    settled_.push_back({session, kept});
    if (settled_.size() == 1) loop_.defer([this] { settle(); });
}

// All lines of this round are written, then all replies follow.
void LoadSink::settle() {
    ledger_.flush();
    std::vector<Settled> settled;
    settled.swap(settled_);
    for (const Settled& one : settled) {
        const auto session = sessions_.find(one.session);
        if (session != sessions_.end()) session->second->on_taken(one.kept);
    }
}

void LoadSink::record(const ReceivedLine& line, std::uint64_t recipient_count) {
    constexpr std::uint64_t last_reply_ms = 200;
    ledger_.add(line);
    const double now = seconds_now();
    if (counts_.messages + counts_.dsns == 0) counts_.first_at = now;
    counts_.last_at = now;
    ++(line.dsn ? counts_.dsns : counts_.messages);
    counts_.bytes += line.bytes;
    counts_.recipients += recipient_count;
    if (!line.verdict.empty()) {
        ++counts_.forms[line.layers.empty() ? line.form : line.layers];
        if (line.body == "altered") ++counts_.altered;
        if (line.verdict == "verified") {
            ++counts_.verified;
        } else {
            ++counts_.not_verified;
            ++counts_.failed[line.verdict];
            fmt::print(stderr, "{} {}: {}\n", line.message_id, line.file, line.verdict);
        }
    }
    if (options_.messages != 0 && counts_.messages == options_.messages)
        last_reply_.start(last_reply_ms);
}

}  // namespace sealgate
