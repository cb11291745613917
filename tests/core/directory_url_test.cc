// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/directory_url.h"

#include <gtest/gtest.h>

namespace sealgate {
namespace {

const std::vector<std::string> attributes{"userCertificate;binary", "userSMIMECertificate"};

std::string filled(const std::string& pattern, const std::string& local,
                   const std::string& domain = "example.com") {
    const auto url = DirectoryUrl::parse(pattern);
    if (!url) return url.error().what;
    return url->fill(local + "@" + domain, domain, attributes);
}

struct Filling {
    const char* name;
    std::string pattern;
    std::string local;
    std::string want;
};

class DirectoryUrlFillTest : public testing::TestWithParam<Filling> {};

TEST_P(DirectoryUrlFillTest, EscapesForThePlace) {
    const Filling& row = GetParam();
    EXPECT_EQ(filled(row.pattern, row.local), row.want);
}

const std::string in_filter = "ldap://d/dc=x?a?sub?(mail=%e)";
const std::string filter_is = "ldap://d/dc=x?a?sub?(mail=";
const std::string in_dn = "ldap://d/mail=%e,dc=x?a";
const std::string in_path = "https://d/keys/%e.pem";

// clang-format off
const Filling fillings[] = {
    {"Filter", in_filter, "bob", filter_is + "bob%40example.com)"},
    {"FilterInjection", in_filter, "*)(uid=*", filter_is + "%5C2A%5C29%5C28uid%5C3D%5C2A%40example.com)"},
    {"FilterStar", in_filter, "*", filter_is + "%5C2A%40example.com)"},
    {"FilterBackslash", in_filter, "a\\2ab", filter_is + "a%5C5C2ab%40example.com)"},
    {"FilterNul", in_filter, std::string("a\0b", 3), filter_is + "a%5C00b%40example.com)"},
    {"FilterPercent", in_filter, "%29(x", filter_is + "%5C2529%5C28x%40example.com)"},
    {"FilterQuestionMark", in_filter, "a?base?(b", filter_is + "a%5C3Fbase%5C3F%5C28b%40example.com)"},
    {"FilterHash", in_filter, "a#b", filter_is + "a%5C23b%40example.com)"},
    {"FilterPlaceholder", in_filter, "%e", filter_is + "%5C25e%40example.com)"},
    {"FilterLineEnds", in_filter, "a\r\nb", filter_is + "a%5C0D%5C0Ab%40example.com)"},
    {"FilterNonAscii", in_filter, "b\xc3\xbc", filter_is + "b%5CC3%5CBC%40example.com)"},
    {"FilterBrokenUtf8", in_filter, "b\xff", filter_is + "b%5CFF%40example.com)"},
    {"FilterQuoted", in_filter, "\"a b\"", filter_is + "%5C22a%5C20b%5C22%40example.com)"},
    {"FilterTwice", "ldap://d/?a?sub?(|(mail=%e)(o=%d))", "bob",
     "ldap://d/?a?sub?(%7C(mail=bob%40example.com)(o=example.com))"},
    {"Dn", in_dn, "bob", "ldap://d/mail=bob%40example.com,dc=x?a??"},
    {"DnInjection", in_dn, "a,dc=y", "ldap://d/mail=a%5C2Cdc%5C3Dy%40example.com,dc=x?a??"},
    {"DnPlus", in_dn, "a+b", "ldap://d/mail=a%5C2Bb%40example.com,dc=x?a??"},
    {"DnQuote", in_dn, "\"a;<b>\"", "ldap://d/mail=%5C22a%5C3B%5C3Cb%5C3E%5C22%40example.com,dc=x?a??"},
    {"DnBlanks", in_dn, " a ", "ldap://d/mail=%5C20a%5C20%40example.com,dc=x?a??"},
    {"DnQuestionMark", in_dn, "a?b", "ldap://d/mail=a%5C3Fb%40example.com,dc=x?a??"},
    {"DnDomain", "ldap://d/ou=%d,dc=x", "bob",
     "ldap://d/ou=example.com,dc=x?userCertificate%3Bbinary,userSMIMECertificate??"},
    {"Path", in_path, "bob", "https://d/keys/bob%40example.com.pem"},
    {"PathInjection", in_path, "../../etc", "https://d/keys/..%2F..%2Fetc%40example.com.pem"},
    {"PathQuery", in_path, "a?b&c=d#e", "https://d/keys/a%3Fb%26c%3Dd%23e%40example.com.pem"},
    {"PathPercent", in_path, "%2e%2e", "https://d/keys/%252e%252e%40example.com.pem"},
    {"PathNul", in_path, std::string("a\0b", 3), "https://d/keys/a%00b%40example.com.pem"},
    {"PathNonAscii", in_path, "b\xc3\xbc", "https://d/keys/b%C3%BC%40example.com.pem"},
    {"PathLineEnds", in_path, "a\r\nHost: x", "https://d/keys/a%0D%0AHost%3A%20x%40example.com.pem"},
    {"PathPlus", in_path, "a+b", "https://d/keys/a%2Bb%40example.com.pem"},
    {"Query", "https://d/?q=%e&d=%d", "a&b=c", "https://d/?q=a%26b%3Dc%40example.com&d=example.com"},
    {"Host", "https://keys.%d/%e", "bob", "https://keys.example.com/bob%40example.com"},
    {"HostAndPort", "ldaps://%d:6360/?a?sub?(mail=%e)", "b",
     "ldaps://example.com:6360/?a?sub?(mail=b%40example.com)"},
    {"NoPath", "https://%d", "bob", "https://example.com/"},
    {"AttributesFilledIn", "ldap://d/dc=x??one?(mail=%e)", "b",
     "ldap://d/dc=x?userCertificate%3Bbinary,userSMIMECertificate?one?(mail=b%40example.com)"},
    {"BlanksOfTheOperator", "ldap://d/ou=the staff,dc=x?a?sub?(mail=%e)", "b",
     "ldap://d/ou=the%20staff,dc=x?a?sub?(mail=b%40example.com)"},
    {"OctetsOfTheOperator", "ldap://d/o=a%2C%20b?a?sub?(mail=%e)", "b",
     "ldap://d/o=a%2C%20b?a?sub?(mail=b%40example.com)"},
    {"NonAsciiOfTheOperator", "ldap://d/o=\xc3\xa9?a?sub?(mail=%e)", "b",
     "ldap://d/o=%C3%A9?a?sub?(mail=b%40example.com)"},
    {"UpperCaseScheme", "LDAPS://d/?a?sub?(mail=%e)", "b", "ldaps://d/?a?sub?(mail=b%40example.com)"},
    {"AddressAsHost", "ldap://[::1]:390/?a?sub?(mail=%e)", "b",
     "ldap://[::1]:390/?a?sub?(mail=b%40example.com)"},
};
// clang-format on

INSTANTIATE_TEST_SUITE_P(Rows, DirectoryUrlFillTest, testing::ValuesIn(fillings),
                         [](const auto& row) { return row.param.name; });

struct Fault {
    const char* pattern;
    const char* want;
};

TEST(DirectoryUrl, RefusesWhatItCannotFillInSafely) {
    const char* const scheme = "begins with none of ldap://, ldaps://, https://";
    const char* const place = "has %e or %d where it cannot be filled in";
    const char* const octet = "has a % that is neither %e nor %d nor an octet such as %2C";
    const char* const port = "has no port between 1 and 65535";
    const char* const host = "has no host name";
    for (const auto& [pattern, want] : {
             Fault{"", scheme},
             Fault{"ldap.example.com/%e", scheme},
             Fault{"http://d/%e", scheme},
             Fault{"ldapi://d/%e", scheme},
             Fault{"file:///%e", scheme},
             Fault{"ldap:/d/%e", scheme},
             Fault{"ldap:///%e", host},
             Fault{"ldap://d d/%e", host},
             Fault{"ldap://d,e/%e", host},
             Fault{"ldap://[::1/%e", host},
             Fault{"ldap://[d]/%e", host},
             Fault{"ldap://1.2.3/%e", host},
             Fault{"ldap://%e/", host},
             Fault{"https://%e.example/%d", host},
             Fault{"ldap://d:/%e", port},
             Fault{"ldap://d:0/%e", port},
             Fault{"ldap://d:65536/%e", port},
             Fault{"ldap://d:389x/%e", port},
             Fault{"ldap://d:%d/%e", port},
             Fault{"ldap://u:p@d/%e", "has a login: write bind-dn and password-file instead"},
             Fault{"ldap://d?a?sub?(mail=%e)", "lacks a / before the first ?"},
             Fault{"ldap://d/?%e?sub?(a=b)", place},
             Fault{"ldap://d/?a?%d?(a=b)", "has a scope that is none of base, one, sub"},
             Fault{"ldap://d/?a?subtree?(a=%e)", "has a scope that is none of base, one, sub"},
             Fault{"ldap://d/?a?sub?(a=%e)?x", "has extensions behind the filter"},
             Fault{"https://d/#%e", "has a #fragment: write %23 for a #"},
             Fault{"https://d/%", octet},
             Fault{"https://d/%x%e", octet},
             Fault{"https://d/%2c%e", octet},
             Fault{"https://d/%%e", octet},
             Fault{"https://d/%E%e", octet},
             Fault{"https://d/%e9",
                   "can be read in two ways: write octets with capitals (%EC), and "
                   "nothing of 0-9 and a-f after %e and %d"},
             Fault{"https://d/%dc",
                   "can be read in two ways: write octets with capitals (%EC), and "
                   "nothing of 0-9 and a-f after %e and %d"},
             Fault{"https://d/x", "has neither %e nor %d, so it asks the same for everybody"},
             Fault{"ldap://d/dc=x?a?sub?(mail=bob)",
                   "has neither %e nor %d, so it asks the same for everybody"},
         }) {
        const auto url = DirectoryUrl::parse(pattern);
        ASSERT_FALSE(url) << pattern;
        EXPECT_STREQ(url.error().what, want) << pattern;
    }
}

TEST(DirectoryUrl, KnowsItsHost) {
    EXPECT_EQ(DirectoryUrl::parse("ldap://ldap.example:390/%e")->host("x.org"), "ldap.example");
    EXPECT_EQ(DirectoryUrl::parse("https://keys.%d:1/%e")->host("x.org"), "keys.x.org");
    EXPECT_EQ(DirectoryUrl::parse("ldap://[2001:db8::1]/%e")->host("x.org"), "2001:db8::1");
    EXPECT_EQ(DirectoryUrl::parse("ldap://192.0.2.1/%e")->host("x.org"), "192.0.2.1");
}

TEST(DirectoryUrl, KnowsWhereTheRecipientStands) {
    const auto fixed = DirectoryUrl::parse("ldap://d/dc=x??sub?(mail=%e)");
    EXPECT_FALSE(fixed->has_recipient_in_host());
    EXPECT_FALSE(fixed->has_recipient_in_base());
    EXPECT_TRUE(DirectoryUrl::parse("ldap://d/ou=%d")->has_recipient_in_base());
    EXPECT_TRUE(DirectoryUrl::parse("https://%d/%e")->has_recipient_in_host());
}

}  // namespace
}  // namespace sealgate
