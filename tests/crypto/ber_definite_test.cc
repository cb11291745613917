// SPDX-License-Identifier: GPL-3.0-or-later
#include "crypto/ber_definite.h"

#include <gtest/gtest.h>

#include <random>
#include <string>

#include "core/limits.h"
#include "crypto/ber_writer.h"
#include "tests/crypto/ber_forms.h"

namespace sealgate {
namespace {

using test::from_hex;
using test::to_hex;

std::string outcome(ByteSpan ber) {
    const auto definite = in_definite_form(ber);
    return definite ? to_hex(*definite)
                    : std::string(to_text(definite.error().kind)) + ": " + definite.error().what;
}

// Is all of it, not its beginning alone.
bool is_in_definite_form(ByteSpan ber) {
    BerStream stream;
    for (;;) {
        const auto event = stream.next(ber);
        if (!event || event->kind == BerEvent::Kind::input) return stream.at_rest() && ber.empty();
        if (event->kind == BerEvent::Kind::begin && !begins_in_definite_form(*event)) return false;
    }
}

TEST(BerDefinite, MakesLengthsDefiniteAndJoinsStrings) {
    const struct {
        const char* name;
        const char* ber;
        const char* want;
    } cases[] = {
        {"as it is", "3006 020105 0401aa", "30060201050401aa"},
        {"a primitive", "0401aa", "0401aa"},
        {"an empty sequence", "3000", "3000"},
        {"indefinite", "3080 020105 0000", "3003020105"},
        {"indefinite and empty", "30800000", "3000"},
        {"in each other", "3080 a080 3180 0000 0000 0500 0000", "3006a0023100 0500"},
        {"definite around indefinite", "3007 3080 020105 0000", "30053003020105"},
        {"long lengths", "30820007 048200 01aa 0500", "30050401aa0500"},
        {"zeros as contents", "3080 04020000 0000", "300404020000"},
        {"an octet string in segments", "2480 0401aa 0400 0402bbcc 0000", "0403aabbcc"},
        {"definite and in segments", "2406 0401aa 0401bb", "0402aabb"},
        {"an octet string without segments", "2400", "0400"},
        {"segments in segments", "2480 2480 0401aa 0000 2403 0401bb 0401cc 0000", "0403aabbcc"},
        {"a string among others", "3080 0500 2480 0401aa 0000 020105 0000",
         "30080500 0401aa 020105"},
        {"two strings", "3080 2480 0401aa 0000 2480 0401bb 0000 0000", "30060401aa0401bb"},
        {"a bit string in segments", "2380 0303 00aabb 0302 04c0 0000", "030404aabbc0"},
        {"bit segments in bit segments", "2380 2380 0302 00aa 0000 2304 0302 01c0 0000",
         "030301aac0"},
        {"a bit string without segments", "2380 0000", "030100"},
        {"a bit string's only segment is empty", "2303 030100", "030100"},
        {"text in segments", "3a80 04034a6f6e 04026573 0000", "1a054a6f6e6573"},
        {"text in segments of its own type", "2c80 0c0161 0c0162 0000", "0c026162"},
        {"a time in segments", "3780 0401 31 0401 32 0000", "17023132"},
        {"a string under a tag stays", "a080 0401aa 0401bb 0000", "a006 0401aa 0401bb"},
        {"and what is in it is joined", "a080 2480 0401aa 0000 0000", "a003 0401aa"},
        {"a set keeps its order", "3180 020105 020101 0000", "3106020105020101"},
        {"a constructed INTEGER stays what it is", "2280 020105 0000", "2203020105"},
    };
    for (const auto& row : cases) {
        SCOPED_TRACE(row.name);
        const Bytes ber = from_hex(row.ber);
        const std::string want = to_hex(from_hex(row.want));
        EXPECT_EQ(outcome(ber), want);
        EXPECT_EQ(outcome(from_hex(row.want)), want) << "a second time";
        EXPECT_TRUE(is_in_definite_form(from_hex(row.want)));
        EXPECT_EQ(is_in_definite_form(ber), to_hex(ber) == want);
    }
}

TEST(BerDefinite, RefusesWhatIsNotOneElement) {
    const struct {
        const char* name;
        const char* ber;
        const char* want;
    } cases[] = {
        {"nothing", "", "malformed: BER element cut short"},
        {"cut in its header", "30", "malformed: BER element cut short"},
        {"cut in its contents", "0402aa", "malformed: BER element cut short"},
        {"without end of contents", "3080 0500", "malformed: BER element cut short"},
        {"with something behind", "0500 0500", "malformed: octets behind a BER element"},
        {"with an end behind", "0500 0000", "malformed: octets behind a BER element"},
        {"a segment that is an INTEGER", "2480 020105 0000",
         "malformed: BER string with a segment of another type"},
        {"a segment that is a sequence", "2480 3000 0000",
         "malformed: BER string with a segment of another type"},
        {"a segment with a context tag", "2480 8001aa 0000",
         "malformed: BER string with a segment of another type"},
        {"a bit segment in an octet string", "2480 030200aa 0000",
         "malformed: BER string with a segment of another type"},
        {"an octet segment in a bit string", "2380 0401aa 0000",
         "malformed: BER string with a segment of another type"},
        {"another text's segment", "2c80 130161 0000",
         "malformed: BER string with a segment of another type"},
        {"unused bits before the last segment", "2380 030201aa 030200bb 0000",
         "malformed: BER bit string segmented within an octet"},
        {"a bit segment without its first octet", "2380 0300 0000",
         "malformed: BER bit string segmented within an octet"},
        {"nine unused bits", "2380 030209aa 0000", "malformed: BER bit string"},
        {"a tag number above 30", "30801f2a000000", "unsupported: BER tag number above 30"},
    };
    for (const auto& row : cases) EXPECT_EQ(outcome(from_hex(row.ber)), row.want) << row.name;
}

TEST(BerDefinite, HasTheDepthOfTheStream) {
    Bytes ber, want;
    for (int i = 0; i < limits::ber_depth_max; ++i) {
        for (const std::uint8_t octet : from_hex("3080")) ber.push_back(octet);
        want.push_back(0x30);
        want.push_back(static_cast<std::uint8_t>(2 * (limits::ber_depth_max - 1 - i)));
    }
    ber.insert(ber.end(), 2 * limits::ber_depth_max, 0);
    EXPECT_EQ(outcome(ber), to_hex(want));
    Bytes deeper = from_hex("3080");
    deeper.insert(deeper.end(), ber.begin(), ber.end());
    deeper.insert(deeper.end(), 2, 0);
    EXPECT_EQ(outcome(deeper), "limit: BER elements nested too deep");
}

// A row of elements, any DER.
void write_random(BerWriter& out, std::mt19937& random, int depth) {
    const std::uint8_t constructed[] = {ber::sequence, ber::set, ber::context(0), ber::context(3),
                                        0x61};
    const std::uint8_t primitives[] = {ber::integer, ber::octet_string, ber::null, 0x0c, 0x82,
                                       0x41};
    for (auto count = random() % 5; count > 0; --count) {
        if (depth > 0 && random() % 2) {
            out.element(constructed[random() % std::size(constructed)],
                        [&] { write_random(out, random, depth - 1); });
            continue;
        }
        Bytes contents(random() % 3 ? random() % 8 : random() % 300);
        for (std::uint8_t& octet : contents) octet = static_cast<std::uint8_t>(random());
        if (random() % 4 == 0) {
            contents.insert(contents.begin(), contents.empty()
                                                  ? std::uint8_t{0}
                                                  : static_cast<std::uint8_t>(random() % 8));
            out.element(ber::bit_string, ByteSpan(contents));
        } else {
            out.element(primitives[random() % std::size(primitives)], ByteSpan(contents));
        }
    }
}

TEST(BerDefinite, GivesBackTheDerOfAnyForm) {
    std::mt19937 random(20261122);
    for (int i = 0; i < 300; ++i) {
        BerWriter out;
        out.sequence([&] { write_random(out, random, 5); });
        const Bytes der = out.take();
        for (const test::BerForm& form : test::ber_forms()) {
            const Bytes ber = test::in_ber_form(der, form);
            const auto definite = in_definite_form(ber);
            ASSERT_TRUE(definite) << form.name << ": " << definite.error().what << " "
                                  << to_hex(ber);
            ASSERT_EQ(to_hex(*definite), to_hex(der)) << form.name << ": " << to_hex(ber);
            ASSERT_EQ(is_in_definite_form(ber), ber == der) << form.name;
        }
    }
}

}  // namespace
}  // namespace sealgate
