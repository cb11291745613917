// SPDX-License-Identifier: GPL-3.0-or-later
#include "crypto/tls_sessions.h"

#include <gtest/gtest.h>

#include <memory>
#include <string>

namespace sealgate {
namespace {

TlsSession session(const char* text, TlsSession::Use use = TlsSession::Use::once) {
    return {SecureBytes::copy_of(as_bytes(text)), use};
}

std::string take(TlsSessions& sessions, const char* target) {
    return std::string(as_text(sessions.take(target).bytes()));
}

TEST(TlsSessions, GivesTheNewestFirstAndEachOnce) {
    TlsSessions sessions(2, 10);
    for (const char* text : {"a", "b", "c"}) sessions.keep("x", session(text));
    EXPECT_EQ(take(sessions, "y"), "");
    EXPECT_EQ(take(sessions, "x"), "c");
    EXPECT_EQ(take(sessions, "x"), "b");
    EXPECT_EQ(take(sessions, "x"), "");  // a was one too many
    EXPECT_EQ(sessions.target_count(), 0u);
}

TEST(TlsSessions, GivesASessionForOftenAgain) {
    TlsSessions sessions(2, 10);
    sessions.keep("x", session("a", TlsSession::Use::often));
    EXPECT_EQ(take(sessions, "x"), "a");
    EXPECT_EQ(take(sessions, "x"), "a");
    sessions.keep("x", session("b"));
    EXPECT_EQ(take(sessions, "x"), "b");
    EXPECT_EQ(take(sessions, "x"), "a");
    sessions.forget("x");
    sessions.forget("nobody");
    EXPECT_EQ(take(sessions, "x"), "");
}

TEST(TlsSessions, LetsTheTargetGoThatWasNotUsedForLongest) {
    TlsSessions sessions(4, 2);
    sessions.keep("x", session("x1", TlsSession::Use::often));
    sessions.keep("y", session("y1", TlsSession::Use::often));
    EXPECT_EQ(take(sessions, "x"), "x1");
    sessions.keep("z", session("z1"));
    EXPECT_EQ(sessions.target_count(), 2u);
    EXPECT_EQ(take(sessions, "y"), "");
    EXPECT_EQ(take(sessions, "x"), "x1");
    EXPECT_EQ(take(sessions, "z"), "z1");
}

TEST(TlsSessions, KeepsNothingWhereNothingMayBeKept) {
    for (TlsSessions* sessions : {new TlsSessions(0, 2), new TlsSessions(2, 0)}) {
        const std::unique_ptr<TlsSessions> owner(sessions);
        sessions->keep("x", session("a"));
        EXPECT_EQ(take(*sessions, "x"), "");
        EXPECT_EQ(sessions->target_count(), 0u);
    }
}

}  // namespace
}  // namespace sealgate
