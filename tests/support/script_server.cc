// SPDX-License-Identifier: GPL-3.0-or-later
#include "tests/support/script_server.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>

namespace sealgate {
namespace {

std::uint16_t read_port(int descriptor) {
    std::string line;
    pollfd ready{descriptor, POLLIN, 0};
    char byte = 0;
    while (line.size() < 8 && poll(&ready, 1, 10'000) == 1 && read(descriptor, &byte, 1) == 1) {
        if (byte == '\n') return static_cast<std::uint16_t>(std::atoi(line.c_str()));
        line += byte;
    }
    return 0;
}

}  // namespace

std::unique_ptr<ScriptServer> ScriptServer::start(const std::string& script,
                                                  std::vector<std::string> arguments) {
    int pipe_ends[2];
    if (pipe2(pipe_ends, O_CLOEXEC) != 0) return nullptr;
    arguments.insert(arguments.begin(),
                     {"python3", std::string(SEALGATE_SOURCE_DIR) + "/tests/" + script});
    std::vector<char*> argv;
    for (std::string& argument : arguments) argv.push_back(argument.data());
    argv.push_back(nullptr);
    std::unique_ptr<ScriptServer> server(new ScriptServer);
    server->output_ = pipe_ends[0];
    server->process_ = fork();
    if (server->process_ == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        dup2(pipe_ends[1], 1);
        execvp(argv[0], argv.data());
        _exit(127);
    }
    close(pipe_ends[1]);
    server->port_ = read_port(server->output_);
    return server->port_ > 0 ? std::move(server) : nullptr;
}

ScriptServer::~ScriptServer() {
    if (process_ > 0) {
        kill(process_, SIGKILL);
        waitpid(process_, nullptr, 0);
    }
    if (output_ >= 0) close(output_);
}

}  // namespace sealgate
