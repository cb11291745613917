// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/thread.h"

#include <pthread.h>

#include <cerrno>
#include <ctime>
#include <utility>

namespace sealgate {

SignalsBlocked::SignalsBlocked() {
    sigset_t all;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before_);
}

SignalsBlocked::~SignalsBlocked() { pthread_sigmask(SIG_SETMASK, &before_, nullptr); }

std::thread start_thread(const char* name, std::function<void()> body) {
    const SignalsBlocked blocked;
    return std::thread([name, body = std::move(body)] {
        pthread_setname_np(pthread_self(), name);
        body();
    });
}

void Semaphore::wait() {
    while (sem_wait(&semaphore_) != 0 && errno == EINTR) {
    }
}

bool Semaphore::wait_for(std::uint64_t timeout_ms) {
    timespec until{};
    clock_gettime(CLOCK_MONOTONIC, &until);  // a stepped wall clock must not stretch the wait
    until.tv_sec += static_cast<time_t>(timeout_ms / 1000);
    until.tv_nsec += static_cast<long>(timeout_ms % 1000) * 1'000'000;
    if (until.tv_nsec >= 1'000'000'000) {
        until.tv_nsec -= 1'000'000'000;
        ++until.tv_sec;
    }
    while (sem_clockwait(&semaphore_, CLOCK_MONOTONIC, &until) != 0) {
        if (errno == ETIMEDOUT) return false;
    }
    return true;
}

}  // namespace sealgate
