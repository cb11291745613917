// SPDX-License-Identifier: GPL-3.0-or-later
#include "crypto/ber_stream.h"

#include <gtest/gtest.h>

#include <optional>
#include <string>
#include <vector>

#include "core/limits.h"
#include "tests/crypto/ber_forms.h"

namespace sealgate {
namespace {

using test::from_hex;
using test::to_hex;

// "30{ 02{ 05 } }", "30*{" for indefinite lengths; contents are put together.
class Tape {
public:
    // False: an error, which `error` is then.
    bool feed(ByteSpan input) {
        const ByteSpan whole = input;
        for (;;) {
            const auto event = stream.next(input);
            if (!event) {
                error = event.error();
                return false;
            }
            if (event->kind == BerEvent::Kind::input) {
                EXPECT_TRUE(input.empty());
                return true;
            }
            note(*event, whole);
        }
    }

    BerStream stream;
    std::string text;
    std::string octets;  // as they came, in hexadecimal
    std::optional<Error> error;

private:
    void note(const BerEvent& event, ByteSpan input) {
        octets += to_hex(event.octets);
        const bool contents = event.kind == BerEvent::Kind::contents;
        if (contents) {
            EXPECT_GE(event.octets.data(), input.data());
            EXPECT_LE(event.octets.data() + event.octets.size(), input.data() + input.size());
            EXPECT_FALSE(event.octets.empty());
        }
        if (event.kind == BerEvent::Kind::begin) {
            open_.push_back(event.tag);
            text += to_hex({&event.tag, 1});
            text += event.indefinite ? "*{" : "{";
        } else if (event.kind == BerEvent::Kind::end) {
            EXPECT_EQ(event.tag, open_.back());
            open_.pop_back();
            text += "}";
        } else {
            text += to_hex(event.octets);
        }
        EXPECT_EQ(stream.depth(), static_cast<int>(open_.size()));
    }

    std::vector<std::uint8_t> open_;
};

std::string outcome(const Tape& tape) {
    if (!tape.error) return tape.text + (tape.stream.at_rest() ? "" : " cut short");
    return tape.text + " " + to_text(tape.error->kind) + ": " + tape.error->what + " at " +
           std::to_string(tape.error->at);
}

// Whole, byte by byte, and in two pieces at every place.
std::string outcome_at_any_cut(ByteSpan ber) {
    Tape whole;
    whole.feed(ber);
    const std::string want = outcome(whole);
    Tape bytewise;
    for (std::size_t i = 0; i < ber.size(); ++i)
        if (!bytewise.feed(ber.subspan(i, 1))) break;
    EXPECT_EQ(outcome(bytewise), want);
    for (std::size_t cut = 0; cut <= ber.size(); ++cut) {
        Tape two;
        if (two.feed(ber.first(cut))) two.feed(ber.subspan(cut));
        EXPECT_EQ(outcome(two), want) << "cut at " << cut;
        if (two.stream.at_rest() && !two.error) {
            EXPECT_EQ(two.octets, to_hex(ber));
        }
    }
    return want;
}

TEST(BerStream, TellsOfElementsAtAnyCut) {
    const struct {
        const char* name;
        const char* hex;
        const char* want;
    } cases[] = {
        {"nothing", "", ""},
        {"a primitive", "020105", "02{05}"},
        {"without contents", "0500", "05{}"},
        {"an empty sequence", "3000", "30{}"},
        {"an empty one of indefinite length", "30800000", "30*{}"},
        {"one after the other", "0500 020105 3000", "05{}02{05}30{}"},
        {"in each other", "3007 3000 3103 020105", "30{30{}31{02{05}}}"},
        {"ends together", "3004 3102 3000 0500", "30{31{30{}}}05{}"},
        {"indefinite in definite", "3009 3180 020105 0000 0500 0500", "30{31*{02{05}}05{}}05{}"},
        {"definite in indefinite", "3080 3103 020105 0000", "30*{31{02{05}}}"},
        {"indefinite in indefinite", "3080 a080 2480 0401aa 0000 0000 0000",
         "30*{a0*{24*{04{aa}}}}"},
        {"zeros as contents", "3080 04020000 0000", "30*{04{0000}}"},
        {"an octet more of length", "04 8102 abcd", "04{abcd}"},
        {"zeros before a length", "04 8500 0000 0002 abcd", "04{abcd}"},
        {"zeros before none", "30 8400000000", "30{}"},
        {"a context tag", "8002abcd", "80{abcd}"},
        {"application and private tags", "7e00 c101aa", "7e{}c1{aa}"},
        {"a cut header", "3080 04", "30*{ cut short"},
        {"a cut length", "3082 01", " cut short"},
        {"cut contents", "0405 abcd", "04{abcd cut short"},
        {"no end of contents", "3080 0500", "30*{05{} cut short"},
        {"half an end of contents", "3080 00", "30*{ cut short"},
    };
    for (const auto& row : cases) {
        SCOPED_TRACE(row.name);
        EXPECT_EQ(outcome_at_any_cut(from_hex(row.hex)), row.want);
    }
}

TEST(BerStream, RefusesWhatIsNotBer) {
    const struct {
        const char* name;
        const char* hex;
        const char* want;
    } cases[] = {
        {"a tag number above 30", "3003 1f2a00", "30{ unsupported: BER tag number above 30 at 3"},
        {"a private one", "ff2a00", " unsupported: BER tag number above 30 at 1"},
        {"tag 0 at the top", "0000",
         " malformed: BER end of contents without indefinite length at 1"},
        {"tag 0 in a definite length", "3002 0000",
         "30{ malformed: BER end of contents without indefinite length at 3"},
        {"an end too many", "3080 0000 0000",
         "30*{} malformed: BER end of contents without indefinite length at 5"},
        {"tag 0 in definite in indefinite", "3080 3002 0000 0000",
         "30*{30{ malformed: BER end of contents without indefinite length at 5"},
        {"an end with contents", "3080 0001aa",
         "30*{ malformed: BER end of contents with contents at 4"},
        {"an end of indefinite length", "3080 0080 0000",
         "30*{ malformed: BER end of contents with contents at 4"},
        {"an end with a length of two octets", "3080 008100",
         "30*{ malformed: BER end of contents with contents at 4"},
        {"a constructed tag 0", "2000", " malformed: BER tag number 0 at 1"},
        {"a primitive of indefinite length", "0480 0000",
         " malformed: BER primitive of indefinite length at 2"},
        {"the reserved length octet", "30ff", " malformed: BER length octet that is reserved at 2"},
        {"longer than the one around it", "3003 040200",
         "30{ malformed: BER element longer than the one around it at 4"},
        {"longer by its header alone", "3001 04",
         "30{ malformed: BER element longer than the one around it at 3"},
        {"longer by the octets of its length", "3003 048200 0000",
         "30{ malformed: BER element longer than the one around it at 5"},
        {"longer than what is two further out", "3004 3080 0403",
         "30{30*{ malformed: BER element longer than the one around it at 6"},
        {"no end of contents in a definite length", "3004 3080 0500 0000",
         "30{30*{05{} malformed: BER element longer than the one around it at 6"},
        {"half an end of contents in a definite length", "3003 3080 00",
         "30{30*{ malformed: BER element longer than the one around it at 5"},
        {"a length of 2^63", "04 88 8000000000000000", " malformed: BER length beyond 2^63 at 10"},
        {"a length of 2^63 behind zeros", "04 8a 0000 8000000000000000",
         " malformed: BER length beyond 2^63 at 12"},
        {"a length of 2^64", "04 89 010000000000000000",
         " malformed: BER length beyond 2^63 at 11"},
        {"a length below 2^63 in one that is short", "3010 04 88 7fffffffffffffff aabb",
         "30{ malformed: BER element longer than the one around it at 12"},
    };
    for (const auto& row : cases) {
        SCOPED_TRACE(row.name);
        EXPECT_EQ(outcome_at_any_cut(from_hex(row.hex)), row.want);
    }
}

TEST(BerStream, TakesLengthsUpTo126OctetsAndBelow2To63) {
    Bytes longest = from_hex("04fe");
    longest.insert(longest.end(), 125, 0);
    for (const char* rest : {"02", "abcd"})
        for (const std::uint8_t octet : from_hex(rest)) longest.push_back(octet);
    EXPECT_EQ(outcome_at_any_cut(longest), "04{abcd}");

    const Bytes largest = from_hex("3088 7fffffffffffffff 0488 7ffffffffffffff0 aa");
    EXPECT_EQ(outcome_at_any_cut(largest), "30{04{aa cut short");
    ByteSpan input(largest);
    BerStream stream;
    const auto begin = stream.next(input);
    ASSERT_TRUE(begin);
    EXPECT_EQ(begin->length, 0x7fffffffffffffffu);
    EXPECT_EQ(stream.at(), 10u);
}

TEST(BerStream, NestsToItsLimit) {
    for (const bool indefinite : {false, true}) {
        const auto nested = [&](int depth, const char* innermost) {
            Bytes ber = from_hex(innermost);
            for (int i = 0; i < depth; ++i) {
                Bytes around = indefinite ? from_hex("3080")
                                          : Bytes{0x30, static_cast<std::uint8_t>(ber.size())};
                around.insert(around.end(), ber.begin(), ber.end());
                if (indefinite) around.insert(around.end(), 2, 0);
                ber = std::move(around);
            }
            return ber;
        };
        const std::string at = outcome_at_any_cut(nested(limits::ber_depth_max, "020105"));
        EXPECT_EQ(at.find("limit"), std::string::npos) << at;
        const std::string past = outcome_at_any_cut(nested(limits::ber_depth_max + 1, ""));
        EXPECT_NE(past.find("limit: BER elements nested too deep"), std::string::npos) << past;
    }
}

TEST(BerStream, TakesNothingItIsNotGiven) {
    BerStream stream;
    ByteSpan nothing;
    for (int i = 0; i < 3; ++i) {
        const auto event = stream.next(nothing);
        ASSERT_TRUE(event);
        EXPECT_EQ(event->kind, BerEvent::Kind::input);
    }
    EXPECT_TRUE(stream.at_rest());
    EXPECT_EQ(stream.at(), 0u);
}

}  // namespace
}  // namespace sealgate
