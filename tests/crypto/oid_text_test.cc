// SPDX-License-Identifier: GPL-3.0-or-later
#include "crypto/oid_text.h"

#include <gtest/gtest.h>

#include "crypto/oid.h"

namespace sealgate {
namespace {

TEST(OidText, WritesNumbersWithDots) {
    const struct {
        Bytes der;
        const char* want;
    } cases[] = {
        {Bytes(std::begin(oid::sha256), std::end(oid::sha256)), "2.16.840.1.101.3.4.2.1"},
        {Bytes(std::begin(oid::data), std::end(oid::data)), "1.2.840.113549.1.7.1"},
        {{0x06, 0x01, 0x00}, "0.0"},
        {{0x06, 0x01, 0x27}, "0.39"},
        {{0x06, 0x01, 0x28}, "1.0"},
        {{0x06, 0x01, 0x4f}, "1.39"},
        {{0x06, 0x01, 0x50}, "2.0"},
        {{0x06, 0x03, 0x88, 0x37, 0x03}, "2.999.3"},  // X.690's own example
        {{0x06, 0x0a, 0x2a, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f},
         "1.2.9223372036854775807"},
    };
    for (const auto& row : cases) EXPECT_EQ(dotted_oid(row.der), row.want);
}

TEST(OidText, SaysNothingOfWhatIsNoIdentifier) {
    const struct {
        const char* what;
        Bytes der;
    } cases[] = {
        {"nothing", {}},
        {"no contents", {0x06, 0x00}},
        {"another tag", {0x02, 0x01, 0x2a}},
        {"cut", {0x06, 0x02, 0x2a}},
        {"more behind it", {0x06, 0x01, 0x2a, 0x00}},
        {"a number that does not end", {0x06, 0x02, 0x2a, 0x86}},
        {"a number over 64 bits",
         {0x06, 0x0b, 0x2a, 0x82, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x00}},
    };
    for (const auto& row : cases) EXPECT_EQ(dotted_oid(row.der), "") << row.what;
}

TEST(OidText, CutsLongOnes) {
    Bytes der{0x06, 0x81, 0xc8};
    der.resize(3 + 200, 0x7f);
    const std::string text = dotted_oid(der);
    EXPECT_EQ(text.size(), 256u);
    EXPECT_EQ(text.substr(0, 10), "2.47.127.1");
}

}  // namespace
}  // namespace sealgate
