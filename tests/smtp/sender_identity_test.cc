// SPDX-License-Identifier: GPL-3.0-or-later
#include "smtp/sender_identity.h"

#include <gtest/gtest.h>

namespace sealgate {
namespace {

// What From itself may look like is in addresses_test.cc.
TEST(AddressToCover, IsTheOneInFromWhereAllReadersFindIt) {
    const struct {
        const char* name;
        std::string header;
        const char* want;  // null: none
    } rows[] = {
        {"ordinary", "From: A <a@b.example>\r\nTo: x@y.example\r\n\r\n", "a@b.example"},
        {"message ends in its header", "From: a@b.example\r\n", "a@b.example"},
        {"same Sender", "Sender: a@b.example\r\nFrom: a@b.example\r\n\r\n", "a@b.example"},
        {"other Sender", "Sender: c@d.example\r\nFrom: a@b.example\r\n\r\n", "a@b.example"},
        {"two Senders", "Sender: c@d.example\r\nSender: e@f.example\r\nFrom: a@b.example\r\n\r\n",
         "a@b.example"},
        {"Resent-From", "Resent-From: c@d.example\r\nFrom: a@b.example\r\n\r\n", "a@b.example"},
        {"Reply-To", "Reply-To: c@d.example\r\nFrom: a@b.example\r\n\r\n", "a@b.example"},
        {"other case of the name", "FROM: a@b.example\r\n\r\n", "a@b.example"},
        {"mbox line", "From c@d.example\r\nFrom: a@b.example\r\n\r\n", "a@b.example"},
        {"From in the body", "From: a@b.example\r\n\r\nFrom: c@d.example\r\n", "a@b.example"},
        {"only Sender", "Sender: a@b.example\r\n\r\n", nullptr},
        {"nothing", "\r\n", nullptr},
        {"two From", "From: a@b.example\r\nFrom: a@b.example\r\n\r\n", nullptr},
        {"two From, apart", "From: a@b.example\r\nTo: x\r\nfrom : c@d.example\r\n\r\n", nullptr},
        {"two addresses", "From: a@b.example, c@d.example\r\n\r\n", nullptr},
        {"group", "From: x: a@b.example;\r\n\r\n", nullptr},
        {"second address in a fold", "From: a@b.example,\r\n c@d.example\r\n\r\n", nullptr},
        {"line that is no field, From behind it",
         "From: a@b.example\r\nhello\r\nFrom: c@d.example\r\n\r\n", nullptr},
        {"NUL in a name, From behind it",
         std::string("From: a@b.example\r\nX\0Y: 1\r\nFrom: c@d.example\r\n\r\n", 48), nullptr},
        {"8-bit in a name", "From: a@b.example\r\nFr\xC3\xB6m: c@d.example\r\n\r\n", nullptr},
        {"name of two words", "From: a@b.example\r\nFr om: c@d.example\r\n\r\n", nullptr},
        {"mbox line in between", "From: a@b.example\r\nFrom c@d.example\r\n\r\n", nullptr},
    };
    for (const auto& [name, header, want] : rows)
        EXPECT_EQ(address_to_cover(Header::parse(Chunk::copy_of(header))).value_or("none"),
                  want ? want : "none")
            << name;
}

}  // namespace
}  // namespace sealgate
