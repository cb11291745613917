// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/timer.h"

#include <uv.h>

#include "core/loop.h"

namespace sealgate {

struct Timer::Handle {
    uv_timer_t timer;
    std::function<void()> task;
};

Timer::Timer(Loop& loop, std::function<void()> task) : handle_(new Handle{{}, std::move(task)}) {
    uv_timer_init(loop.uv(), &handle_->timer);
    handle_->timer.data = handle_;
}

Timer::~Timer() {
    uv_timer_stop(&handle_->timer);
    uv_close(reinterpret_cast<uv_handle_t*>(&handle_->timer),
             [](uv_handle_t* timer) { delete static_cast<Handle*>(timer->data); });
}

void Timer::start(std::uint64_t after_ms, std::uint64_t repeat_ms) {
    uv_timer_start(
        &handle_->timer, [](uv_timer_t* timer) { static_cast<Handle*>(timer->data)->task(); },
        after_ms, repeat_ms);
}

void Timer::stop() { uv_timer_stop(&handle_->timer); }

bool Timer::running() const {
    return uv_is_active(reinterpret_cast<const uv_handle_t*>(&handle_->timer)) != 0;
}

}  // namespace sealgate
