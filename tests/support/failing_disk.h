// SPDX-License-Identifier: GPL-3.0-or-later
// A disk that takes nothing while this lives, made of a limit on the size of files. The mail log
// cannot be written either.
#pragma once

#include <sys/resource.h>

#include <csignal>

namespace sealgate::test {

class FailingDisk {
public:
    FailingDisk() : handler_(std::signal(SIGXFSZ, SIG_IGN)) {
        getrlimit(RLIMIT_FSIZE, &before_);
        const rlimit none{1, before_.rlim_max};
        setrlimit(RLIMIT_FSIZE, &none);
    }
    ~FailingDisk() {
        setrlimit(RLIMIT_FSIZE, &before_);
        std::signal(SIGXFSZ, handler_);
    }
    FailingDisk(const FailingDisk&) = delete;
    FailingDisk& operator=(const FailingDisk&) = delete;

private:
    rlimit before_{};
    void (*handler_)(int);
};

}  // namespace sealgate::test
