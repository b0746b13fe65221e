#include "archive/access/ldap_text.hpp"

#include "archive/access/ldap_directory.hpp"

#include <functional>
#include <random>

#include <gtest/gtest.h>

namespace nora {
namespace {

/// Any Unicode but NUL, with much of what is syntax.
std::string anyText(std::mt19937& random) {
  static const std::vector<std::string> pieces = {"*", "(",    ")",    "\\", ",",  "+",    "\"",     "<",    ">",
                                                  ";", "=",    "#",    " ",  "a",  "Z",    "0",      "&",    "|",
                                                  "!", "\x01", "\x7f", "ü",  "脳", "🧠", "{name}", "\\2a", "\n"};
  std::string text;
  for (auto length = 1 + random() % 12; length > 0; --length) text += pieces[random() % pieces.size()];
  return text;
}

TEST(LdapText, EscapesFilterValuesAsInTheStandard) {  // RFC 4515, section 4
  EXPECT_EQ(ldapFilterValue("Parens R Us (for all)"), "Parens R Us \\28for all\\29");
  EXPECT_EQ(ldapFilterValue("*"), "\\2a");
  EXPECT_EQ(ldapFilterValue("C:\\MyFile"), "C:\\5cMyFile");
  EXPECT_EQ(ldapFilterValue("Lučić"), "Lu\\c4\\8di\\c4\\87");
  EXPECT_EQ(ldapFilterValue(std::string("a\0b", 3)), "a\\00b");
}

TEST(LdapText, LeavesNoSyntaxInFilterValues) {
  std::mt19937 random(5);
  for (int i = 0; i < 5000; ++i) {
    const std::string text = anyText(random), escaped = ldapFilterValue(text);
    ASSERT_EQ(escaped.find_first_of("*()\n"), std::string::npos) << text;
    std::string back;
    for (std::size_t at = 0; at < escaped.size(); ++at) {
      if (escaped[at] != '\\') {
        back += escaped[at];
        continue;
      }
      ASSERT_LT(at + 2, escaped.size());
      back += static_cast<char>(std::stoi(escaped.substr(at + 1, 2), nullptr, 16));
      at += 2;
    }
    ASSERT_EQ(back, text);
  }
}

TEST(LdapText, AValueInANameIsReadBackByTheLibrary) {
  std::mt19937 random(6);
  for (int i = 0; i < 5000; ++i) {
    const std::string text = anyText(random);
    const std::string dn = "uid=" + ldapNameValue(text) + ",dc=lab";
    ASSERT_EQ(firstValueOfDn(dn), text) << dn;
    const std::string normal = normalisedDn(dn);
    ASSERT_EQ(normal.substr(normal.size() - 7), ",dc=lab") << dn;
  }
}

TEST(LdapText, NamesAreComparedInOneSpelling) {
  EXPECT_EQ(normalisedDn("CN=Readers, OU=Groups ,dc=lab"), normalisedDn("cn=readers,ou=groups,dc=lab"));
  EXPECT_NE(normalisedDn("cn=readers,ou=groups,dc=lab"), normalisedDn("cn=readers\\,ou=groups,dc=lab"));
  EXPECT_EQ(normalisedDn("no name"), "");
  EXPECT_EQ(normalisedDn(""), "");
}

TEST(LdapText, FillsPatternsEverywhere) {
  EXPECT_EQ(filledIn("(|(uid={name})(mail={name}@x))", "name", "a"), "(|(uid=a)(mail=a@x))");
  EXPECT_EQ(filledIn("{name}", "name", "{name}"), "{name}") << "no endless loop";
}

std::string problem(const std::function<void(LdapSettings&)>& change) {
  LdapSettings with;
  with.urls = {"ldaps://ldap.example.org"};
  with.baseDn = "dc=example,dc=org";
  change(with);
  const auto made = LdapDirectory::make(with);
  return made ? std::string() : describe(made.error());
}

TEST(LdapSettings, ThatWouldNotBeSafeOrCannotWorkAreRefused) {
  using S = LdapSettings;
  EXPECT_EQ(problem([](S&) {}), "");
  EXPECT_NE(problem([](S& s) { s.urls = {}; }).find("[ldap] urls"), std::string::npos);
  EXPECT_NE(problem([](S& s) { s.urls = {"http://x"}; }).find("must begin with ldaps://"), std::string::npos);
  EXPECT_NE(problem([](S& s) { s.urls = {"ldap://ldap.example.org"}; }).find("readable"), std::string::npos);
  EXPECT_NE(problem([](S& s) { s.urls = {"ldap://127.0.0.1.example.org"}; }).find("readable"), std::string::npos);
  EXPECT_EQ(problem([](S& s) { s.urls = {"ldap://127.0.0.1:389"}; }), "");
  EXPECT_EQ(problem([](S& s) { s.urls = {"ldap://ldap.example.org"}, s.startTls = true; }), "");
  EXPECT_EQ(problem([](S& s) { s.urls = {"ldap://ldap.example.org"}, s.allowPlain = true; }), "");
  EXPECT_NE(problem([](S& s) { s.startTls = true; }).find("start_tls"), std::string::npos);
  EXPECT_NE(problem([](S& s) { s.baseDn = ""; }).find("base_dn"), std::string::npos);
  EXPECT_NE(problem([](S& s) { s.baseDn = "example.org"; }).find("base_dn"), std::string::npos);
  EXPECT_NE(problem([](S& s) { s.userFilter = "(uid=alice)"; }).find("user_filter"), std::string::npos);
  EXPECT_NE(problem([](S& s) { s.userDnPattern = "uid=alice,dc=x"; }).find("user_dn_pattern"), std::string::npos);
  EXPECT_NE(problem([](S& s) { s.bindDn = "cn=x,dc=y"; }).find("bind_password"), std::string::npos);
  EXPECT_NE(problem([](S& s) { s.requiredGroup = "cn=x,dc=y"; }).find("required_group"), std::string::npos);
  EXPECT_NE(problem([](S& s) { s.groupNames = {{"readers", "x"}}; }).find("group_names"), std::string::npos);
}

}  // namespace
}  // namespace nora
