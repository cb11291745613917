// SPDX-License-Identifier: GPL-3.0-or-later
#include "tools/sealgate/stored_keys.h"

#include <sys/stat.h>
#include <unistd.h>

#include "crypto/wolf.h"
#include "tools/sealgate/command_context.h"

namespace sealgate {
namespace {

// While it lives, root makes files as the owner of `folder` would. RocksDB's threads, too: the
// effective user is the whole process's.
class ActingAsOwner {
public:
    explicit ActingAsOwner(const std::string& folder) {
        struct stat status {};
        if (geteuid() != 0 || stat(folder.c_str(), &status) != 0 || status.st_uid == 0) return;
        group_before_ = getegid();
        acting_ = setegid(status.st_gid) == 0 && seteuid(status.st_uid) == 0;
    }
    ~ActingAsOwner() {
        if (!acting_) return;
        CHECK(seteuid(0) == 0);
        CHECK(setegid(group_before_) == 0);
    }
    ActingAsOwner(const ActingAsOwner&) = delete;
    ActingAsOwner& operator=(const ActingAsOwner&) = delete;

private:
    bool acting_ = false;
    gid_t group_before_ = 0;
};

}  // namespace

Result<std::unique_ptr<KeyRing>> open_stored_keys(const Config& config, Loop& loop,
                                                  StoredKeysNeed need, std::uint64_t patience_ms,
                                                  std::string* why) {
    if (!init_wolfssl()) throw CommandFailed{exit_refused, "wolfSSL cannot be used"};
    KeyRing::Options options;
    options.directory = config.gateway.data_dir + "/keys";
    options.capacity_bytes = config.key_repository.capacity_bytes;
    options.persist = config.key_repository.persist;
    options.with_harvested = need == StoredKeysNeed::harvested;
    options.patience_ms = patience_ms;
    const ActingAsOwner owner(config.gateway.data_dir);
    return KeyRing::open(&loop, std::move(options), why);
}

}  // namespace sealgate
