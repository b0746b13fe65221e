#include "archive/access/digest.hpp"
#include "archive/access/encoding.hpp"
#include "archive/access/pseudonym.hpp"
#include "archive/access/secret.hpp"

#include <random>
#include <set>

#include <gtest/gtest.h>

namespace nora {
namespace {

TEST(Digest, GivesTheValuesOfTheStandards) {
  EXPECT_EQ(toHex(sha256("abc")), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");  // FIPS 180-4
  EXPECT_EQ(toHex(hmacSha256("Jefe", "what do ya want for nothing?")),  // RFC 4231, case 2
            "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
}

TEST(Digest, GivesTheChallengeOfAVerifierAsInTheStandard) {  // RFC 7636, appendix B
  EXPECT_EQ(toBase64Url(sha256("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk")),
            "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM");
}

TEST(Digest, ComparesWholeTexts) {
  EXPECT_TRUE(equalInConstantTime("abc", "abc"));
  EXPECT_TRUE(equalInConstantTime("", ""));
  EXPECT_FALSE(equalInConstantTime("abc", "abd"));
  EXPECT_FALSE(equalInConstantTime("abc", "ab"));
  EXPECT_FALSE(equalInConstantTime("", "a"));
}

TEST(Base64Url, GivesTheValuesOfTheStandardWithoutPadding) {  // RFC 4648, section 10
  EXPECT_EQ(toBase64Url(""), "");
  EXPECT_EQ(toBase64Url("f"), "Zg");
  EXPECT_EQ(toBase64Url("fo"), "Zm8");
  EXPECT_EQ(toBase64Url("foo"), "Zm9v");
  EXPECT_EQ(toBase64Url("foob"), "Zm9vYg");
  EXPECT_EQ(toBase64Url("\xfb\xff"), "-_8");
}

TEST(Base64Url, ReadsWhatItWroteAndOnlyOneTextForAValue) {
  std::mt19937 random(1);
  for (int length = 0; length < 100; ++length) {
    std::string bytes(static_cast<std::size_t>(length), '\0');
    for (auto& byte : bytes) byte = static_cast<char>(random());
    EXPECT_EQ(fromBase64Url(toBase64Url(bytes)), bytes);
  }
  for (const auto* wrong : {"Z", "Zh", "Zm9=", "Zg==", "Zm9+", "Zm 9", "Zm9v\n", "Zm9"}) {
    EXPECT_FALSE(fromBase64Url(wrong)) << wrong;
  }
}

TEST(Query, GivesDecodedValuesAndRefusesOnesThatAreThereTwice) {
  EXPECT_EQ(queryValue("a=1&b=x%20y+z&c=", "b"), "x y z");
  EXPECT_EQ(queryValue("a=1&b=%3D%26", "b"), "=&");
  EXPECT_EQ(queryValue("a=%", "a"), "%");
  EXPECT_EQ(queryValue("a=1&c=", "c"), "");
  EXPECT_FALSE(queryValue("a=1&ab=2", "b"));
  EXPECT_FALSE(queryValue("a=1&a=2", "a"));
  EXPECT_EQ(percentEncode("a b/ü"), "a%20b%2F%C3%BC");
}

TEST(Secret, IsKnownByItsHashOnly) {
  const NewSecret secret = newSecret("nora_token_");
  EXPECT_EQ(secret.text.substr(0, 11), "nora_token_");
  EXPECT_EQ(secret.text.size(), 11U + 43U);
  EXPECT_EQ(secret.hash.size(), 64U);
  EXPECT_EQ(secret.hash.find(secret.text), std::string::npos);
  EXPECT_TRUE(secretMatches(secret.text, secret.hash));
  std::string other = secret.text;
  other.back() = other.back() == 'A' ? 'B' : 'A';
  EXPECT_FALSE(secretMatches(other, secret.hash));
  EXPECT_FALSE(secretMatches("", hashOfSecret("")));
  EXPECT_FALSE(secretMatches(secret.hash, secret.hash)) << "the hash itself lets nobody in";
}

TEST(Secret, IsAnotherEachTime) {
  std::set<std::string> all;
  for (int i = 0; i < 1000; ++i) all.insert(newSecret().text);
  EXPECT_EQ(all.size(), 1000U);
}

TEST(Secret, IsToldFromOtherTextsByItsForm) {
  EXPECT_TRUE(looksLikeSecret(newSecret("nora_").text, "nora_"));
  EXPECT_FALSE(looksLikeSecret(newSecret("nora_").text));
  EXPECT_FALSE(looksLikeSecret("nora_short", "nora_"));
  EXPECT_FALSE(looksLikeSecret(newSecret("nora_").text + std::string(100000, 'A'), "nora_"));
  EXPECT_FALSE(looksLikeSecret("", "nora_"));
}

TEST(Pseudonym, IsStableAndDependsOnSecretSubjectAndAttempt) {
  const std::string secret = "0123456789abcdef";
  // HMAC-SHA256 by another program: printf 'nora subject 0 sub-01' | openssl dgst -sha256 -hmac 0123456789abcdef
  // begins 1f058726; its first 30 bits in base 32.
  EXPECT_EQ(pseudonym(secret, "sub-01"), "P-3W2RE9");
  EXPECT_NE(pseudonym(secret, "sub-02"), pseudonym(secret, "sub-01"));
  EXPECT_NE(pseudonym(secret, "sub-01", 1), pseudonym(secret, "sub-01"));
  EXPECT_NE(pseudonym("another secret of 16", "sub-01"), pseudonym(secret, "sub-01"));
}

TEST(Pseudonym, RarelyMeetsAnother) {
  std::set<std::string> all;
  for (int i = 0; i < 10000; ++i) {
    const std::string text = pseudonym("0123456789abcdef", std::to_string(i));
    ASSERT_EQ(text.size(), 8U);
    ASSERT_EQ(text.find_first_not_of("0123456789ABCDEFGHJKMNPQRSTVWXYZ", 2), std::string::npos) << text;
    all.insert(text);
  }
  EXPECT_GE(all.size(), 9998U);
}

TEST(PseudonymDeathTest, EndsTheProgramForASecretThatCouldBeGuessed) {
  EXPECT_DEATH((void)pseudonym("short", "sub-01"), "");
}

}  // namespace
}  // namespace nora
