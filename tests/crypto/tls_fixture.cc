// SPDX-License-Identifier: GPL-3.0-or-later
#include "tests/crypto/tls_fixture.h"

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>

#include "tests/crypto/signing_fixture.h"

namespace sealgate::test {

bool Wire::deliver(WireHalf& half) {
    if (!half.reader || !half.reader->reads()) return false;
    if (half.bytes.empty()) {
        if (!half.ended || half.end_told) return false;
        half.end_told = true;
        half.reader->handler()->on_end();
        return true;
    }
    const std::size_t passed = half.history.size() - half.bytes.size();
    std::size_t bytes = std::min(half.bytes.size(), piece_bytes);
    if (passed < cut) bytes = std::min(bytes, cut - passed);
    const std::string piece = half.bytes.substr(0, bytes);
    half.bytes.erase(0, bytes);
    half.reader->handler()->on_bytes(Chunk::copy_of(piece));  // the reader may be gone after it
    if (half.bytes.empty() && half.writer && half.writer->handler())
        half.writer->handler()->on_drain();
    return true;
}

void Wire::settle(std::size_t deliveries) {
    for (int idle = 0; idle < 3;) {  // what was put off may put something off again
        const bool down = deliveries > 0 && deliver(to_client);
        if (down) --deliveries;
        const bool up = deliveries > 0 && deliver(to_server);
        if (up) --deliveries;
        loop_.run_until([] { return true; }, 0);
        idle = down || up ? 0 : idle + 1;
    }
}

std::shared_ptr<TlsContext> server_context(TlsVersions versions, const std::string& identity) {
    auto context = TlsContext::server(*signer(identity), {.versions = versions});
    EXPECT_TRUE(context) << context.error().what;
    return *context;
}

std::shared_ptr<TlsContext> client_context(TlsVersions versions, std::size_t sessions) {
    auto context = TlsContext::client({.versions = versions, .sessions_per_target = sessions});
    EXPECT_TRUE(context) << context.error().what;
    return *context;
}

const char* protocol_of(TlsVersions versions) {
    return versions == TlsVersions::only_1_2 ? "TLSv1.2" : "TLSv1.3";
}

BackgroundTool::BackgroundTool(const std::string& command) {
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) != 0) return;
    process_ = fork();
    if (process_ == 0) {
        setpgid(0, 0);
        dup2(ends[1], STDOUT_FILENO);
        dup2(ends[1], STDERR_FILENO);
        execl("/bin/sh", "sh", "-c", command.c_str(), nullptr);
        _exit(127);
    }
    close(ends[1]);
    pipe_ = ends[0];
    reader_ = std::thread([this] {
        char part[4096];
        for (ssize_t count = 0; (count = read(pipe_, part, sizeof part)) > 0;) {
            const std::lock_guard guard(lock_);
            output_.append(part, static_cast<std::size_t>(count));
        }
        done_ = true;
    });
}

BackgroundTool::~BackgroundTool() {
    if (process_ > 0) {
        kill(-process_, SIGKILL);  // its own group, made above
        waitpid(process_, nullptr, 0);
    }
    if (reader_.joinable()) reader_.join();
    if (pipe_ >= 0) close(pipe_);
}

std::string BackgroundTool::output() const {
    const std::lock_guard guard(lock_);
    return output_;
}

}  // namespace sealgate::test
