// SPDX-License-Identifier: GPL-3.0-or-later
#include "tests/support/slapd_server.h"

#include <fcntl.h>
#include <sys/prctl.h>
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

constexpr const char* slapd_path = "/usr/sbin/slapd";

bool listens(std::uint16_t port) {
    const int descriptor = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    const sockaddr_in address = loopback(port);
    const bool up =
        connect(descriptor, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
    close(descriptor);
    return up;
}

void write_configuration(const std::string& folder, const std::string& certificate,
                         const std::string& key) {
    std::ofstream file(folder + "/slapd.conf");
    for (const char* schema : {"core", "cosine", "inetorgperson"}) {
        file << "include /etc/ldap/schema/" << schema << ".schema\n";
    }
    file << "modulepath /usr/lib/ldap\nmoduleload back_mdb\n";
    if (!certificate.empty()) {
        file << "TLSCertificateFile " << certificate << "\nTLSCertificateKeyFile " << key << "\n";
    }
    file << "database mdb\nsuffix \"dc=example\"\ndirectory " << folder << "/db\n"
         << "rootdn \"cn=gate,dc=example\"\nrootpw secret\n"
         << "access to dn.subtree=\"ou=closed,dc=example\" by users read by * auth\n"
         << "access to * by * read\n";
}

}  // namespace

bool SlapdServer::spawn(bool tls) {
    port_ = free_port(SOCK_STREAM);
    const std::string url =
        (tls ? "ldaps://127.0.0.1:" : "ldap://127.0.0.1:") + std::to_string(port_) + "/";
    const std::string configuration = folder_ + "/slapd.conf";
    process_ = fork();
    if (process_ == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        const int null = open("/dev/null", O_RDWR);
        for (int descriptor = 0; descriptor < 3; ++descriptor) dup2(null, descriptor);
        execl(slapd_path, slapd_path, "-f", configuration.c_str(), "-h", url.c_str(), "-d", "0",
              nullptr);
        _exit(127);
    }
    for (int i = 0; i < 500; ++i) {
        if (listens(port_)) return true;
        if (waitpid(process_, nullptr, WNOHANG) == process_) break;
        usleep(10'000);
    }
    return false;
}

std::unique_ptr<SlapdServer> SlapdServer::start(const std::string& ldif,
                                                const std::string& certificate,
                                                const std::string& key) {
    if (access(slapd_path, X_OK) != 0) return nullptr;
    std::string pattern = std::filesystem::temp_directory_path() / "sealgate-slapd-XXXXXX";
    if (!mkdtemp(pattern.data())) return nullptr;
    std::unique_ptr<SlapdServer> server(new SlapdServer);
    server->folder_ = pattern;
    std::filesystem::create_directory(pattern + "/db");
    write_configuration(pattern, certificate, key);
    std::ofstream(pattern + "/entries.ldif")
        << "dn: dc=example\nobjectClass: dcObject\nobjectClass: organization\ndc: example\n"
           "o: example\n\ndn: ou=closed,dc=example\nobjectClass: organizationalUnit\nou: closed\n\n"
        << ldif;
    const std::string load = "/usr/sbin/slapadd -q -f " + pattern + "/slapd.conf -l " + pattern +
                             "/entries.ldif >/dev/null 2>&1";
    if (std::system(load.c_str()) != 0) return nullptr;
    for (int attempt = 0; attempt < 3; ++attempt) {
        if (server->spawn(!certificate.empty())) return server;
        kill(server->process_, SIGKILL);
        waitpid(server->process_, nullptr, 0);
        server->process_ = -1;
    }
    return nullptr;
}

SlapdServer::~SlapdServer() {
    if (process_ > 0) {
        kill(process_, SIGKILL);
        waitpid(process_, nullptr, 0);
    }
    std::error_code ignored;
    std::filesystem::remove_all(folder_, ignored);
}

}  // namespace sealgate
