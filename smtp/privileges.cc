// SPDX-License-Identifier: GPL-3.0-or-later
#include "smtp/privileges.h"

#include <grp.h>
#include <pwd.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>

namespace sealgate {
namespace {

Result<const passwd*> find_user(const std::string& name, std::string* why) {
    const passwd* user = ::getpwnam(name.c_str());  // start-up, one thread
    if (user) return user;
    *why = "[gateway] user: there is no user " + name;
    return malformed("no such user");
}

Result<void> refused(const std::string& what, std::string* why) {
    *why = what + ": " + std::strerror(errno);
    return temporary("refused by the system");
}

}  // namespace

void raise_descriptor_limit() {
    rlimit limit{};
    if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
    limit.rlim_cur = limit.rlim_max;
    ::setrlimit(RLIMIT_NOFILE, &limit);
}

Result<void> prepare_data_dir(const GatewayOptions& options, std::string* why) {
    std::error_code error;
    std::filesystem::create_directories(options.data_dir, error);
    if (error) {
        *why = "[gateway] data-dir: " + options.data_dir + ": " + error.message();
        return temporary("data-dir");
    }
    if (::chmod(options.data_dir.c_str(), 0700) != 0 && errno != EPERM)
        return refused(options.data_dir, why);
    if (options.user.empty() || ::geteuid() != 0) return {};
    const passwd* user = TRY(find_user(options.user, why));
    if (::chown(options.data_dir.c_str(), user->pw_uid, user->pw_gid) != 0)
        return refused(options.data_dir, why);
    return {};
}

Result<void> become_user(const GatewayOptions& options, std::string* why) {
    if (options.user.empty()) return {};
    const passwd* user = TRY(find_user(options.user, why));
    if (::geteuid() == user->pw_uid) return {};
    if (::initgroups(user->pw_name, user->pw_gid) != 0 || ::setgid(user->pw_gid) != 0 ||
        ::setuid(user->pw_uid) != 0)
        return refused("[gateway] user " + options.user, why);
    return {};
}

}  // namespace sealgate
