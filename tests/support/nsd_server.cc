// SPDX-License-Identifier: GPL-3.0-or-later
#include "tests/support/nsd_server.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "tests/support/loopback.h"

namespace sealgate {
namespace {

constexpr const char* nsd_path = "/usr/sbin/nsd";

// Up when it answers anything at all to a question for the root.
bool answers(std::uint16_t port) {
    static constexpr unsigned char question[] = {0, 1, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 2, 0, 1};
    const int descriptor = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    const sockaddr_in address = loopback(port);
    bool answered = false;
    if (connect(descriptor, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0 &&
        send(descriptor, question, sizeof question, 0) > 0) {
        pollfd ready{descriptor, POLLIN, 0};
        unsigned char reply[512];
        answered = poll(&ready, 1, 50) == 1 && recv(descriptor, reply, sizeof reply, 0) > 0;
    }
    close(descriptor);
    return answered;
}

void write_configuration(const std::string& directory, std::uint16_t port,
                         const std::map<std::string, std::string>& zones) {
    std::ofstream file(directory + "/nsd.conf");
    file << "server:\n  ip-address: 127.0.0.1@" << port << "\n  server-count: 1\n  username: \"\"\n"
         << "  zonesdir: \"" << directory << "\"\n  pidfile: \"\"\n  database: \"\"\n"
         << "  zonelistfile: \"" << directory << "/zone.list\"\n  xfrdfile: \"\"\n"
         << "  xfrdir: \"" << directory << "\"\n  cookie-secret-file: \"\"\n"
         << "remote-control:\n  control-enable: no\n";
    for (const auto& [name, text] : zones) {
        file << "zone:\n  name: " << name << "\n  zonefile: " << name << ".zone\n";
        if (!text.empty()) std::ofstream(directory + "/" + name + ".zone") << text;
    }
}

pid_t spawn(const std::string& configuration) {
    const pid_t process = fork();
    if (process != 0) return process;
    const int null = open("/dev/null", O_RDWR);
    dup2(null, 0);
    dup2(null, 1);
    dup2(null, 2);
    execl(nsd_path, nsd_path, "-d", "-c", configuration.c_str(), nullptr);
    _exit(127);
}

}  // namespace

std::unique_ptr<NsdServer> NsdServer::start(const std::map<std::string, std::string>& zones) {
    if (access(nsd_path, X_OK) != 0) return nullptr;
    std::string pattern = std::filesystem::temp_directory_path() / "sealgate-nsd-XXXXXX";
    if (!mkdtemp(pattern.data())) return nullptr;
    std::unique_ptr<NsdServer> server(new NsdServer);
    server->directory_ = pattern;
    for (int attempt = 0; attempt < 3; ++attempt) {
        server->port_ = free_port(SOCK_DGRAM);
        write_configuration(pattern, server->port_, zones);
        server->process_ = spawn(pattern + "/nsd.conf");
        for (int i = 0; i < 100; ++i) {
            if (answers(server->port_)) return server;
            if (waitpid(server->process_, nullptr, WNOHANG) == server->process_) break;
            usleep(10'000);
        }
        kill(server->process_, SIGKILL);
        waitpid(server->process_, nullptr, 0);
        server->process_ = -1;
    }
    return nullptr;
}

NsdServer::~NsdServer() {
    if (process_ > 0) {
        kill(process_, SIGTERM);
        waitpid(process_, nullptr, 0);
    }
    std::error_code ignored;
    std::filesystem::remove_all(directory_, ignored);
}

}  // namespace sealgate
