// SPDX-License-Identifier: GPL-3.0-or-later
// Threads beside the loop: named, deaf to signals, woken by a semaphore.
//
// Signals belong to the loop thread (core/loop.h), so every other thread blocks them all. A thread
// that serves a Mailbox sleeps on a Semaphore: push() says when to raise() it.
#pragma once

#include <semaphore.h>

#include <csignal>
#include <cstdint>
#include <functional>
#include <thread>

namespace sealgate {

// Blocks all signals of the calling thread while it lives; threads made meanwhile inherit that.
class SignalsBlocked {
public:
    SignalsBlocked();
    ~SignalsBlocked();
    SignalsBlocked(const SignalsBlocked&) = delete;
    SignalsBlocked& operator=(const SignalsBlocked&) = delete;

private:
    sigset_t before_;
};

// `name` is what ps and debuggers show, at most 15 characters.
std::thread start_thread(const char* name, std::function<void()> body);

class Semaphore {
public:
    Semaphore() { sem_init(&semaphore_, 0, 0); }
    ~Semaphore() { sem_destroy(&semaphore_); }
    Semaphore(const Semaphore&) = delete;
    Semaphore& operator=(const Semaphore&) = delete;

    void raise() { sem_post(&semaphore_); }
    void wait();
    // False when `timeout_ms` went by.
    bool wait_for(std::uint64_t timeout_ms);

private:
    sem_t semaphore_;
};

}  // namespace sealgate
