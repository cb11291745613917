// SPDX-License-Identifier: GPL-3.0-or-later
#include "dns/domain_name.h"

#include <gtest/gtest.h>

namespace sealgate {
namespace {

using namespace std::string_view_literals;

const std::string label63(63, 'a');

struct Case {
    const char* name;
    std::string in;
    const char* want;  // null: refused
};

class LookupForm : public testing::TestWithParam<Case> {};

TEST_P(LookupForm, IsLowerCaseALabelsOrARefusal) {
    const auto& [name, in, want] = GetParam();
    const auto got = to_lookup_form(in);
    if (want) {
        ASSERT_TRUE(got) << got.error().what;
        EXPECT_EQ(*got, want);
        EXPECT_EQ(to_lookup_form(*got).value_or(""), want) << "not stable";
    } else {
        EXPECT_FALSE(got) << *got;
    }
}

const Case cases[] = {
    {"Plain", "example.com", "example.com"},
    {"UpperCase", "MX1.Example.COM", "mx1.example.com"},
    {"FinalDot", "example.com.", "example.com"},
    {"Underscore", "mail_host.example", "mail_host.example"},
    {"OneLabel", "localhost", "localhost"},
    {"Umlaut", "B\xc3\xbc\x63her.example", "xn--bcher-kva.example"},
    {"SharpSIsKept", "fa\xc3\x9f.example", "xn--fa-hia.example"},
    {"IdeographicFullStop",
     "\xe4\xbe\x8b\xe3\x80\x82"
     "example",
     "xn--fsq.example"},
    {"ALabelStays", "xn--bcher-kva.example", "xn--bcher-kva.example"},
    {"Empty", "", nullptr},
    {"OnlyADot", ".", nullptr},
    {"EmptyLabel", "a..example", nullptr},
    {"LeadingDot", ".example", nullptr},
    {"Space", "a b.example", nullptr},
    {"Control", "a\r\nb.example", nullptr},
    {"Nul", std::string("a\0b.example", 11), nullptr},
    {"Literal", "[192.0.2.1]", nullptr},
    {"NotUtf8", "a\xff.example", nullptr},
    {"LabelOf64", label63 + "a.example", nullptr},
    {"NameOf254", label63 + "." + label63 + "." + label63 + "." + std::string(62, 'b'), nullptr},
};
INSTANTIATE_TEST_SUITE_P(Rows, LookupForm, testing::ValuesIn(cases),
                         [](const auto& row) { return std::string(row.param.name); });

TEST(LookupFormLimits, TakesALabelOf63AndANameOf253) {
    EXPECT_TRUE(to_lookup_form(label63 + ".example"));
    const std::string name = label63 + "." + label63 + "." + label63 + "." + std::string(61, 'b');
    ASSERT_EQ(name.size(), 253U);
    EXPECT_TRUE(to_lookup_form(name));
}

TEST(WireName, IsReadLabelByLabel) {
    EXPECT_EQ(name_from_wire("\3mx1\7Example\3com\0"sv).value_or("?"), "mx1.example.com");
    EXPECT_EQ(name_from_wire("\0"sv).value_or("?"), "");
}

TEST(WireName, IsRefusedWhenBrokenOrNoHostName) {
    for (const auto wire :
         {""sv, "\3mx"sv, "\3mx1"sv, "\3a.b\0"sv, "\3a b\0"sv, "\300\14"sv, "\1\0\0"sv}) {
        EXPECT_FALSE(name_from_wire(wire));
    }
    std::string endless;
    for (int i = 0; i < 130; ++i) endless += "\1a";
    EXPECT_FALSE(name_from_wire(endless + std::string(1, '\0')));
}

}  // namespace
}  // namespace sealgate
