// SPDX-License-Identifier: GPL-3.0-or-later
// What core/loop*, core/timer* and core/socket* share of libuv. Nobody else includes this.
#pragma once

#include <uv.h>

#include <functional>
#include <list>
#include <memory>
#include <set>
#include <vector>

#include "core/limits.h"
#include "core/loop.h"
#include "core/mailbox.h"

namespace sealgate {

struct Loop::State {
    uv_loop_t loop;
    uv_async_t wake;
    uv_prepare_t before_sleep;  // runs deferred tasks before the loop may sleep
    uv_idle_t no_sleep;         // active while deferred tasks wait: the loop must not sleep
    LoopStalls stalls;
    LoopStalls work;
    std::uint64_t round_ended_ns = 0;  // when the last round's work was done; 0: no round yet
    std::uint64_t cpu_ns = 0;          // this thread's, at that time
    std::uint64_t idle_ns = 0;         // libuv's, at that time
    Mailbox<std::function<void()>> posted;
    std::vector<std::function<void()>> deferred;
    std::list<std::pair<uv_signal_t, std::function<void()>>> signals;

    // The block that the next read of any socket lands in.
    Block* read_block = nullptr;
    std::size_t read_used = 0;

    // Sockets that stopped reading because the block pool is at its budget; resumed by a timer.
    std::vector<std::function<void()>> starved;
    uv_timer_t starved_timer;

    // Socket::State of those that only wait for the peer's FIN: the end of the loop is theirs.
    std::set<void*> lingering;

    void run_posted();
    void run_deferred();
    void count_round();
    // A place for the next read: at least limits::read_room_bytes_min of the shared block.
    uv_buf_t read_room();
    // The bytes just read there, as a chunk.
    Chunk take_read(std::size_t bytes);
};

inline Loop::State& state_of(Loop& loop) { return loop.state(); }

}  // namespace sealgate
