// SPDX-License-Identifier: GPL-3.0-or-later
#include "smtp/recipient_access.h"

#include <gtest/gtest.h>

namespace sealgate {
namespace {

RecipientAccessRow row(const char* pattern, bool accept, const char* reply = nullptr) {
    RecipientAccessRow made;
    made.pattern = pattern;
    made.accept = accept;
    if (reply) made.reply = reply;
    return made;
}

std::string verdict(const RecipientAccess& access, std::string_view address) {
    const Reply* refused = access.refuses(address);
    return refused ? std::to_string(refused->code) + " " + refused->text() : "accept";
}

TEST(RecipientAccess, LetsTheMostSpecificRowWin) {
    const RecipientAccess access({
        row("example.com", true),
        row("gone@example.com", false, "550 5.1.1 No such user"),
        row(".example.com", false, "551 5.1.6 Moved"),
        row(".deep.example.com", true),
        row("all", false, "450 4.7.1 Later"),
        row("[192.0.2.1]", true),
    });
    struct Case {
        const char* address;
        const char* want;
    };
    for (const Case& c : {
             Case{"a@example.com", "accept"},
             Case{"A@EXAMPLE.com", "accept"},
             Case{"Gone@Example.com", "550 5.1.1 No such user"},
             Case{"a@sub.example.com", "551 5.1.6 Moved"},
             Case{"a@x.deep.example.com", "accept"},
             Case{"a@deep.example.com", "551 5.1.6 Moved"},
             Case{"a@notexample.com", "450 4.7.1 Later"},
             Case{"a@com", "450 4.7.1 Later"},
             Case{"\"x@example.com\"@other.example", "450 4.7.1 Later"},
             Case{"a@[192.0.2.1]", "accept"},
             Case{"a@[192.0.2.2]", "450 4.7.1 Later"},
         }) {
        EXPECT_EQ(verdict(access, c.address), c.want) << c.address;
    }
}

TEST(RecipientAccess, RefusesAllWhenNoRowSaysAll) {
    EXPECT_EQ(verdict(RecipientAccess({}), "a@b"), "550 5.7.1 Relaying denied");
    EXPECT_EQ(verdict(RecipientAccess({row("ALL", true)}), "a@b"), "accept");
}

}  // namespace
}  // namespace sealgate
