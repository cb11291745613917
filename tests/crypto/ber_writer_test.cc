// SPDX-License-Identifier: GPL-3.0-or-later
#include "crypto/ber_writer.h"

#include <gtest/gtest.h>

#include <string>

#include "crypto/oid.h"

namespace sealgate {
namespace {

std::string hex(ByteSpan bytes) {
    std::string text;
    for (const std::uint8_t byte : bytes) {
        text += "0123456789abcdef"[byte >> 4];
        text += "0123456789abcdef"[byte & 15];
    }
    return text;
}

TEST(BerWriter, WritesLengthsInTheFewestOctets) {
    const struct {
        std::size_t bytes;
        const char* want;
    } cases[] = {
        {0, "0400"},
        {1, "0401"},
        {0x7f, "047f"},
        {0x80, "048180"},
        {0xff, "0481ff"},
        {0x100, "04820100"},
        {0xffff, "0482ffff"},
        {0x10000, "0483010000"},
        {0xffffffff, "0484ffffffff"},
        {0x100000000, "04850100000000"},
    };
    for (const auto& row : cases) {
        BerWriter out;
        out.header(ber::octet_string, row.bytes);
        EXPECT_EQ(hex(out.bytes()), row.want) << row.bytes;
    }
}

TEST(BerWriter, WritesIntegersAsPositiveInTheFewestOctets) {
    const struct {
        std::uint64_t value;
        const char* want;
    } cases[] = {
        {0, "020100"},
        {1, "020101"},
        {127, "02017f"},
        {128, "02020080"},
        {255, "020200ff"},
        {256, "02020100"},
        {0xffffffffffffffff, "020900ffffffffffffffff"},
    };
    for (const auto& row : cases) {
        BerWriter out;
        out.integer(row.value);
        EXPECT_EQ(hex(out.bytes()), row.want) << row.value;
    }
}

TEST(BerWriter, WritesYearsOutsideOf1950To2049WithFourDigits) {
    const struct {
        std::int64_t seconds;
        const char* want;
        std::uint8_t tag;
    } cases[] = {
        {0, "700101000000Z", ber::utc_time},
        {1795305600, "261122000000Z", ber::utc_time},
        {-631152000, "500101000000Z", ber::utc_time},
        {-631152001, "19491231235959Z", ber::generalized_time},
        {2524607999, "491231235959Z", ber::utc_time},
        {2524608000, "20500101000000Z", ber::generalized_time},
        {253402300799, "99991231235959Z", ber::generalized_time},
    };
    for (const auto& row : cases) {
        BerWriter out;
        out.time(row.seconds);
        EXPECT_EQ(out.bytes().at(0), row.tag);
        EXPECT_EQ(as_text(ByteSpan(out.bytes()).subspan(2)), row.want);
    }
}

TEST(BerWriter, NestsElementsAndCountsTheirLengthsAfterwards) {
    BerWriter out;
    out.sequence([&] {
        out.raw(oid::ed25519);
        out.element(ber::context(0), [&] { out.set([&] { out.octet_string(Bytes(130, 0xaa)); }); });
        out.null();
    });
    const std::string want =
        "308192"
        "06032b6570"
        "a08188"
        "318185"
        "048182" +
        hex(Bytes(130, 0xaa)) + "0500";
    EXPECT_EQ(hex(out.bytes()), want);
}

TEST(BerWriter, SortsASetByItsEncodings) {
    const struct {
        std::vector<Bytes> in;
        const char* want;
    } cases[] = {
        {{}, "3100"},
        {{{0x02, 0x01, 0x02}, {0x02, 0x01, 0x01}}, "3106020101020102"},
        {{{0x04, 0x02, 0x00, 0x00}, {0x04, 0x01, 0xff}}, "31070401ff04020000"},
        {{{0x30, 0x00}, {0x05, 0x00}, {0x05, 0x00}}, "3106050005003000"},
    };
    for (const auto& row : cases) {
        BerWriter out;
        out.set_of(row.in);
        EXPECT_EQ(hex(out.bytes()), row.want);
    }
}

TEST(BerWriter, OpensAndEndsIndefiniteLengths) {
    BerWriter out;
    out.open_indefinite(ber::octet_string_constructed);
    out.octet_string(as_bytes("ab"));
    out.end_of_contents();
    EXPECT_EQ(hex(out.bytes()), "2480040261620000");
}

}  // namespace
}  // namespace sealgate
