// SPDX-License-Identifier: GPL-3.0-or-later
#include "smtp/privileges.h"

#include <fcntl.h>
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

Result<void> give(const std::string& path, const passwd& user, std::string* why) {
    // A link's target may be anybody's.
    if (::lchown(path.c_str(), user.pw_uid, user.pw_gid) != 0) return refused(path, why);
    return {};
}

}  // namespace

void raise_descriptor_limit() {
    rlimit limit{};
    if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
    limit.rlim_cur = limit.rlim_max;
    ::setrlimit(RLIMIT_NOFILE, &limit);
}

Result<void> prepare_data_dir(const Config& config, std::string* why) {
    const GatewayOptions& options = config.gateway;
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
    TRY(give(options.data_dir, *user, why));
    for (const auto& entry : std::filesystem::recursive_directory_iterator(options.data_dir, error))
        TRY(give(entry.path(), *user, why));
    if (config.log.mail_log == "-") return {};
    const int log = ::open(config.log.mail_log.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0640);
    if (log < 0) return refused("[log] mail-log " + config.log.mail_log, why);
    ::close(log);
    return give(config.log.mail_log, *user, why);
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
