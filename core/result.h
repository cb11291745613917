// SPDX-License-Identifier: GPL-3.0-or-later
// What a function gives back when it can fail.
//
// An Error is cheap to copy and never holds the peer's bytes: a kind, which says what happens next,
// a static text for people, and an offset in the input where there is one. Complaints of the
// operator's files, which do carry names and line numbers, are core/ini.h's.
#pragma once

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <utility>

#include <tl/expected.hpp>

namespace sealgate {

// The kind decides what the caller does, so there are as many kinds as there are things to do.
enum class ErrorKind : std::uint8_t {
    malformed,    // the input is wrong: refuse it for good
    limit,        // a named limit was passed: refuse it for good, and name the limit
    unsupported,  // the input may be right, we do not do it: refuse it for good
    untrusted,    // well-formed, and not believed
    temporary,    // the same may work later: disk full, DNS silent, memory short
    internal,     // our own fault: log it, answer "temporary" to the peer
};

struct Error {
    ErrorKind kind;
    const char* what;      // static text, never the peer's bytes
    std::uint64_t at = 0;  // byte offset in the input, where there is one
};

template <typename T>
using Result = tl::expected<T, Error>;

inline tl::unexpected<Error> malformed(const char* what, std::uint64_t at = 0) {
    return tl::unexpected(Error{ErrorKind::malformed, what, at});
}
inline tl::unexpected<Error> past_limit(const char* what, std::uint64_t at = 0) {
    return tl::unexpected(Error{ErrorKind::limit, what, at});
}
inline tl::unexpected<Error> unsupported(const char* what, std::uint64_t at = 0) {
    return tl::unexpected(Error{ErrorKind::unsupported, what, at});
}
inline tl::unexpected<Error> untrusted(const char* what, std::uint64_t at = 0) {
    return tl::unexpected(Error{ErrorKind::untrusted, what, at});
}
inline tl::unexpected<Error> temporary(const char* what, std::uint64_t at = 0) {
    return tl::unexpected(Error{ErrorKind::temporary, what, at});
}
inline tl::unexpected<Error> internal(const char* what, std::uint64_t at = 0) {
    return tl::unexpected(Error{ErrorKind::internal, what, at});
}

const char* to_text(ErrorKind kind);

[[noreturn]] void check_failed(const char* invariant, const char* file, int line);

}  // namespace sealgate

// Passes an error up; otherwise is the value. TRY(f()) on a Result<void> is a statement.
#define TRY(expression)                                               \
    __extension__({                                                   \
        auto try_result_ = (expression);                              \
        if (!try_result_) return tl::unexpected(try_result_.error()); \
        ::sealgate::detail::take(std::move(try_result_));             \
    })

// For our own bugs, in release too; the invariant is stated positively. Never for what a peer, the
// DNS or the disk can cause.
#define CHECK(invariant) \
    ((invariant) ? (void)0 : ::sealgate::check_failed(#invariant, __FILE__, __LINE__))

namespace sealgate::detail {
template <typename T>
T take(Result<T>&& result) {
    return *std::move(result);
}
inline void take(Result<void>&&) {}
}  // namespace sealgate::detail
