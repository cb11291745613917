// SPDX-License-Identifier: GPL-3.0-or-later
//
// A symbol of the executable comes before the C library's, for shared libraries as well. So this
// file's malloc and memcpy are everybody's. glibc keeps its own allocator reachable under
// __libc_malloc and its like; its memcpy is looked up behind us (RTLD_NEXT), and until that is
// done, early in the start of the process, bytes are copied one by one.
//
// Compiled with -fno-builtin: a compiler that knows memcpy may turn the loop below into memcpy.
#include "bench/support/cost_hooks.h"

#include <dlfcn.h>

#include <atomic>
#include <cerrno>
#include <cstddef>

namespace sealgate {
namespace {

std::atomic<bool> counting{false};
std::atomic<std::uint64_t> allocations{0}, allocated_bytes{0}, copies{0}, copied_bytes{0};

#ifndef SEALGATE_BENCH_WITHOUT_HOOKS
void count_allocation(std::size_t bytes) {
    if (!counting.load(std::memory_order_relaxed)) return;
    allocations.fetch_add(1, std::memory_order_relaxed);
    allocated_bytes.fetch_add(bytes, std::memory_order_relaxed);
}

void count_copy(std::size_t bytes) {
    if (!counting.load(std::memory_order_relaxed)) return;
    copies.fetch_add(1, std::memory_order_relaxed);
    copied_bytes.fetch_add(bytes, std::memory_order_relaxed);
}
#endif

}  // namespace

bool CostHooks::present() {
#ifdef SEALGATE_BENCH_WITHOUT_HOOKS
    return false;
#else
    return true;
#endif
}

void CostHooks::begin() {
    for (auto* each : {&allocations, &allocated_bytes, &copies, &copied_bytes}) each->store(0);
    counting.store(true);
}

Cost CostHooks::end() {
    counting.store(false);
    return {allocations.load(), allocated_bytes.load(), copies.load(), copied_bytes.load()};
}

}  // namespace sealgate

#ifndef SEALGATE_BENCH_WITHOUT_HOOKS

using sealgate::count_allocation;
using sealgate::count_copy;

extern "C" {

void* __libc_malloc(std::size_t bytes);
void* __libc_calloc(std::size_t count, std::size_t bytes);
void* __libc_realloc(void* old, std::size_t bytes);
void* __libc_memalign(std::size_t alignment, std::size_t bytes);

using Copy = void*(void*, const void*, std::size_t);
static Copy* real_memcpy = nullptr;
static Copy* real_memmove = nullptr;

__attribute__((constructor)) static void find_real() {
    real_memcpy = reinterpret_cast<Copy*>(dlsym(RTLD_NEXT, "memcpy"));
    real_memmove = reinterpret_cast<Copy*>(dlsym(RTLD_NEXT, "memmove"));
}

static void* move_bytewise(void* to, const void* from, std::size_t bytes) {
    auto* out = static_cast<volatile unsigned char*>(to);
    const auto* in = static_cast<const volatile unsigned char*>(from);
    if (out <= in)
        for (std::size_t i = 0; i < bytes; ++i) out[i] = in[i];
    else
        for (std::size_t i = bytes; i > 0; --i) out[i - 1] = in[i - 1];
    return to;
}

void* malloc(std::size_t bytes) noexcept {
    count_allocation(bytes);
    return __libc_malloc(bytes);
}

void* calloc(std::size_t count, std::size_t bytes) noexcept {
    count_allocation(count * bytes);
    return __libc_calloc(count, bytes);
}

void* realloc(void* old, std::size_t bytes) noexcept {
    count_allocation(bytes);
    return __libc_realloc(old, bytes);
}

void* memalign(std::size_t alignment, std::size_t bytes) noexcept {
    count_allocation(bytes);
    return __libc_memalign(alignment, bytes);
}

void* aligned_alloc(std::size_t alignment, std::size_t bytes) noexcept {
    return memalign(alignment, bytes);
}

int posix_memalign(void** memory, std::size_t alignment, std::size_t bytes) noexcept {
    *memory = memalign(alignment, bytes);
    return *memory ? 0 : ENOMEM;
}

void* memcpy(void* to, const void* from, std::size_t bytes) noexcept {
    count_copy(bytes);
    return real_memcpy ? real_memcpy(to, from, bytes) : move_bytewise(to, from, bytes);
}

void* memmove(void* to, const void* from, std::size_t bytes) noexcept {
    count_copy(bytes);
    return real_memmove ? real_memmove(to, from, bytes) : move_bytewise(to, from, bytes);
}

// What -D_FORTIFY_SOURCE makes of them where the room is known.
void* __memcpy_chk(void* to, const void* from, std::size_t bytes, std::size_t room) noexcept {
    if (bytes > room) __builtin_trap();
    return memcpy(to, from, bytes);
}

void* __memmove_chk(void* to, const void* from, std::size_t bytes, std::size_t room) noexcept {
    if (bytes > room) __builtin_trap();
    return memmove(to, from, bytes);
}

}  // extern "C"

#endif
