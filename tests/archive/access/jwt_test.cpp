#include "archive/access/jwt.hpp"

#include "archive/access/encoding.hpp"

#include <random>

#include <gtest/gtest.h>

namespace nora {
namespace {

// RFC 7515, appendix A.3.
const std::string es256Keys =
    R"({"keys": [{"kty": "EC", "crv": "P-256", "x": "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU",
        "y": "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"}]})";
const std::string es256Token =
    "eyJhbGciOiJFUzI1NiJ9."
    "eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ."
    "DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q";

std::string headerOnly(const std::string& header) {
  return toBase64Url(header) + "." + toBase64Url("{}") + ".";
}

bool isSigned(std::string_view text, const std::vector<JsonWebKey>& keys) {
  const auto token = parseToken(text);
  return token && checkSignature(*token, keys).right;
}

TEST(JsonWebToken, OfTheStandardIsFoundRight) {
  const auto keys = parseKeySet(es256Keys);
  ASSERT_TRUE(keys) << describe(keys.error());
  const auto token = parseToken(es256Token);
  ASSERT_TRUE(token) << describe(token.error());
  EXPECT_EQ(token->claims["iss"], "joe");
  EXPECT_TRUE(checkSignature(*token, *keys).right);
}

TEST(JsonWebToken, IsWrongWithAnyCharacterChanged) {
  const auto keys = parseKeySet(es256Keys).value();
  std::mt19937 random(3);
  for (std::size_t i = 0; i < es256Token.size(); ++i) {
    for (int change = 0; change < 3; ++change) {
      std::string text = es256Token;
      text[i] = "ABCDEFGHabcdefgh0123-_.="[random() % 24];
      EXPECT_EQ(isSigned(text, keys), text == es256Token) << i << " " << text[i];
    }
    EXPECT_FALSE(isSigned(es256Token.substr(0, i), keys)) << i;
  }
  EXPECT_FALSE(isSigned(es256Token + "A", keys));
  EXPECT_FALSE(isSigned(es256Token + "=", keys));
  EXPECT_FALSE(isSigned(es256Token + ".", keys));
}

TEST(JsonWebToken, AnyBytesGiveAnErrorAndNoMore) {
  std::mt19937 random(4);
  for (int i = 0; i < 20000; ++i) {
    std::string text = es256Token;
    for (auto changes = 1 + random() % 8; changes > 0; --changes) {
      const std::size_t at = random() % text.size();
      switch (random() % 4) {
        case 0: text[at] = static_cast<char>(random()); break;
        case 1: text.erase(at, 1 + random() % 20); break;
        case 2: text.insert(at, text.substr(random() % text.size(), random() % 20)); break;
        default: text.insert(at, 1, '.'); break;
      }
      if (text.empty()) text = ".";
    }
    const auto token = parseToken(text);
    EXPECT_TRUE(token || !token.error().what.empty());
  }
}

TEST(JsonWebToken, RefusesZeroSignaturesOfEs256) {  // accepted by Java 15 to 18 (CVE-2022-21449)
  const auto keys = parseKeySet(es256Keys).value();
  const std::string front = es256Token.substr(0, es256Token.rfind('.') + 1);
  EXPECT_FALSE(isSigned(front + toBase64Url(std::string(64, '\0')), keys));
  EXPECT_FALSE(isSigned(front, keys));
}

TEST(JsonWebToken, MustBeSignedByAnAlgorithmThatIsKnown) {
  for (const auto* algorithm : {"none", "None", "HS256", "RS384", "", "rs256"}) {
    const auto token = parseToken(headerOnly(R"({"alg": ")" + std::string(algorithm) + R"("})"));
    ASSERT_FALSE(token) << algorithm;
    EXPECT_EQ(token.error().code, ErrorCode::unsupported);
  }
  EXPECT_EQ(parseToken(headerOnly(R"({"alg": ["RS256"]})")).error().code, ErrorCode::unsupported);
  EXPECT_EQ(parseToken(headerOnly(R"({"alg": "RS256", "crit": ["b64"]})")).error().code, ErrorCode::invalidInput);
  EXPECT_TRUE(parseToken(headerOnly(R"({"alg": "RS256"})")));
}

TEST(JsonWebToken, MayBeDeepOrLongWithoutHarm) {
  std::string deep = R"({"a": )";
  for (int i = 0; i < 20000; ++i) deep += '[';
  EXPECT_FALSE(parseToken(toBase64Url(R"({"alg": "RS256"})") + "." + toBase64Url(deep) + ".x"));
  EXPECT_EQ(parseToken(std::string(1 << 20, 'a')).error().what, "is longer than 64 KiB");
}

TEST(JsonWebKey, IsTakenForTheTokensThatMeanIt) {
  auto token = parseToken(es256Token).value();
  const auto keys = parseKeySet(es256Keys).value();
  token.keyId = "another";
  EXPECT_FALSE(checkSignature(token, keys).known);
  token.keyId = "";
  token.algorithm = JsonWebKey::Algorithm::rs256;
  EXPECT_FALSE(checkSignature(token, keys).known) << "a key of another kind";
}

TEST(JsonWebKey, ThatCannotBeUsedIsLeftOut) {
  const auto with = [](const std::string& key) { return parseKeySet(R"({"keys": [)" + key + "]}"); };
  const std::string x = R"("x": "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU")";
  const std::string y = R"("y": "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0")";
  const std::string good = R"("kty": "EC", "crv": "P-256", )" + x + ", " + y;
  EXPECT_EQ(with("{" + good + "}")->size(), 1U);
  EXPECT_EQ(with("{" + good + R"(}, {"kty": "oct", "k": "AAAA"}, 3, {"kty": 3})")->size(), 1U);
  EXPECT_FALSE(with("{" + good + R"(, "use": "enc"})"));
  EXPECT_FALSE(with("{" + good + R"(, "alg": "ES384"})"));
  EXPECT_FALSE(with(R"({"kty": "EC", "crv": "P-384", )" + x + ", " + y + "}"));
  EXPECT_FALSE(
      with(R"({"kty": "EC", "crv": "P-256", )" + x + R"(, "y": "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a1"})"));
  EXPECT_FALSE(
      with(R"({"kty": "EC", "crv": "P-256", )" + x + R"(, "y": "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU"})"))
      << "not on the curve";
  const auto rsa = [&](std::size_t bytes, const std::string& exponent) {
    std::string modulus(bytes, '\x91');
    return with(R"({"kty": "RSA", "n": ")" + toBase64Url(modulus) + R"(", "e": ")" + exponent + R"("})");
  };
  EXPECT_TRUE(rsa(256, "AQAB"));
  EXPECT_FALSE(rsa(128, "AQAB")) << "1024 bits";
  EXPECT_FALSE(rsa(4096, "AQAB")) << "32768 bits take seconds";
  EXPECT_FALSE(rsa(256, "AQ")) << "exponent 1";
  EXPECT_FALSE(rsa(256, ""));
  for (const auto* wrong : {"", "[]", "{}", R"({"keys": 3})", R"({"keys": []})", "{\"keys\": ["}) {
    EXPECT_FALSE(parseKeySet(wrong)) << wrong;
  }
}

}  // namespace
}  // namespace nora
