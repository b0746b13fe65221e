// Against a provider in Python (oidc_provider.py), started here.
#include "archive/access/oidc_client.hpp"

#include "archive/access/encoding.hpp"
#include "tests/archive/access/peers/peer_process.hpp"
#include "tests/archive/temporary_folder.hpp"

#include <chrono>
#include <ctime>
#include <memory>
#include <stdexcept>

#include <gtest/gtest.h>

namespace nora {
namespace {

using namespace std::chrono_literals;

class Oidc : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    port = freePort();
    folder = new TemporaryFolder;
    const std::string log = *folder / "log";
    if (PeerProcess::run({"/usr/bin/python3", "-c", "import cryptography"}, log) != 0) return;
    provider = new PeerProcess(
        {"/usr/bin/python3", std::string(NORA_ACCESS_PEERS) + "/oidc_provider.py", std::to_string(port)}, log);
    ASSERT_TRUE(waitForPort(port));
  }
  static void TearDownTestSuite() {
    delete provider;
    delete folder;
  }
  void SetUp() override {
    if (provider == nullptr) GTEST_SKIP() << "python3-cryptography is not installed";
    control("reset=1");
  }

  static std::string base() { return "http://127.0.0.1:" + std::to_string(port); }
  static std::string control(const std::string& query) {
    const auto answer = httpFetch({base() + "/control?" + query, {}, {}}, {});
    return answer ? answer->body : describe(answer.error());
  }
  static OidcSettings settings() {
    OidcSettings made;
    made.issuer = base() + "/realm";
    made.clientId = "nora-lab";
    made.clientSecret = "s3cret/+ ü";
    made.redirectUri = "https://nora.lab.local/auth/callback";
    made.http.timeout = 1500ms;
    return made;
  }
  OidcClient client(const OidcSettings& with = settings()) {
    auto made = OidcClient::make(with, [this] { return std::time(nullptr) + ahead_; });
    if (!made) throw std::runtime_error(describe(made.error()));
    return std::move(*made);
  }
  /// As a browser would: to the provider, and back with its answer.
  static std::string visit(const std::string& url) {
    const auto answer = httpFetch({url, {}, {}}, {});
    return answer ? answer->body : describe(answer.error());
  }
  static Result<OidcUser> logIn(const OidcClient& by) {
    auto begun = by.start();
    if (!begun) return tl::make_unexpected(begun.error());
    return by.finish(begun->pending, visit(begun->url));
  }
  static ::testing::AssertionResult says(const Result<OidcUser>& result, ErrorCode code, const std::string& what) {
    if (result) return ::testing::AssertionFailure() << "let in as " << result->name;
    const std::string text = describe(result.error());
    if (result.error().code == code && text.find(what) != std::string::npos) return ::testing::AssertionSuccess();
    return ::testing::AssertionFailure() << toString(result.error().code) << ": " << text;
  }
  /// With claims other than they should be.
  ::testing::AssertionResult refused(const std::string& claims, const std::string& what) {
    control("claims=" + percentEncode(claims));
    return says(logIn(client()), ErrorCode::forbidden, what);
  }

  static inline int port = 0;
  static inline TemporaryFolder* folder = nullptr;
  static inline PeerProcess* provider = nullptr;
  std::int64_t ahead_ = 0;  // of our clock
};

TEST_F(Oidc, LetsAUserInByEitherAlgorithm) {
  for (const auto* algorithm : {"RS256", "ES256"}) {
    control(std::string("alg=") + algorithm);
    const auto user = logIn(client());
    ASSERT_TRUE(user) << describe(user.error());
    EXPECT_EQ(user->issuer, base() + "/realm");
    EXPECT_EQ(user->subject, "user-7");
    EXPECT_EQ(user->name, "alice");
    EXPECT_EQ(user->fullName, "Alice Example");
    EXPECT_EQ(user->email, "alice@lab.local");
    EXPECT_EQ(user->groups, (std::vector<std::string>{"editors", "readers"}));
  }
}

TEST_F(Oidc, SendsTheSecretAsTheProviderWantsIt) {
  control("method=client_secret_post");
  EXPECT_TRUE(logIn(client()));
  OidcSettings with = settings();
  with.clientSecret = "wrong";
  EXPECT_TRUE(says(logIn(client(with)), ErrorCode::invalidInput, "check client_id and client_secret"));
  control("reset=1");
  EXPECT_TRUE(says(logIn(client(with)), ErrorCode::invalidInput, "check client_id and client_secret"));
}

TEST_F(Oidc, EachLogInHasItsOwnStateNonceAndVerifier) {
  const OidcClient by = client();
  const auto one = by.start(), other = by.start();
  EXPECT_NE(one->pending.state, other->pending.state);
  EXPECT_NE(one->pending.nonce, other->pending.nonce);
  EXPECT_NE(one->pending.verifier, other->pending.verifier);
  EXPECT_EQ(one->url.find(one->pending.verifier), std::string::npos) << "the verifier stays here";
  const std::string answer = visit(one->url);
  EXPECT_TRUE(says(by.finish(other->pending, answer), ErrorCode::forbidden, "not to this log-in"));
  OidcPending mixed = one->pending;
  mixed.verifier = other->pending.verifier;
  EXPECT_TRUE(says(by.finish(mixed, answer), ErrorCode::forbidden, "begin again")) << "PKCE";
}

TEST_F(Oidc, ACodeIsGoodOnce) {
  const OidcClient by = client();
  const auto begun = by.start();
  const std::string answer = visit(begun->url);
  EXPECT_TRUE(by.finish(begun->pending, answer));
  EXPECT_TRUE(says(by.finish(begun->pending, answer), ErrorCode::forbidden, "used already"));
}

TEST_F(Oidc, RefusesAnswersThatAreNotToThisLogIn) {
  const OidcClient by = client();
  const auto begun = by.start();
  const std::string state = "state=" + begun->pending.state, iss = "&iss=" + percentEncode(base() + "/realm");
  EXPECT_TRUE(says(by.finish(begun->pending, ""), ErrorCode::forbidden, "not to this log-in"));
  EXPECT_TRUE(
      says(by.finish(begun->pending, state + "&" + state + iss + "&code=x"), ErrorCode::forbidden, "not to this"));
  EXPECT_TRUE(says(by.finish({}, "state=" + iss + "&code=x"), ErrorCode::forbidden, "not to this log-in"));
  EXPECT_TRUE(says(by.finish(begun->pending, state + "&code=x"), ErrorCode::forbidden, "another provider"));
  EXPECT_TRUE(
      says(by.finish(begun->pending, state + "&iss=https://evil&code=x"), ErrorCode::forbidden, "another provider"));
  EXPECT_TRUE(says(by.finish(begun->pending, state + iss), ErrorCode::forbidden, "no code"));
  EXPECT_TRUE(says(by.finish(begun->pending, state + iss + "&error=access_denied&error_description=not%20you%0a"),
                   ErrorCode::forbidden, "access_denied not you\\x0a"));
  EXPECT_TRUE(says(by.finish(begun->pending, state + iss + "&code=" + std::string(20000, 'x')), ErrorCode::forbidden,
                   "too long"));
  ahead_ = 601;
  EXPECT_TRUE(says(by.finish(begun->pending, visit(begun->url)), ErrorCode::forbidden, "ten minutes"));
}

TEST_F(Oidc, RefusesTokensWithAWrongClaim) {
  EXPECT_TRUE(refused(R"({"iss": "https://evil.example.org"})", "iss: is of https://evil.example.org"));
  EXPECT_TRUE(refused(R"({"aud": "another"})", "aud"));
  EXPECT_TRUE(refused(R"({"aud": ["another"]})", "aud"));
  EXPECT_TRUE(refused(R"({"aud": null})", "aud"));
  EXPECT_TRUE(refused(R"({"aud": ["nora-lab", "another"]})", "azp"));
  EXPECT_TRUE(refused(R"({"azp": "another"})", "azp"));
  EXPECT_TRUE(refused(R"({"nonce": "another"})", "nonce"));
  EXPECT_TRUE(refused(R"({"nonce": null})", "nonce"));
  EXPECT_TRUE(refused(R"({"sub": ""})", "sub"));
  EXPECT_TRUE(refused(R"({"exp": null})", "exp"));
  EXPECT_TRUE(refused(R"({"exp": "never"})", "exp"));
  EXPECT_TRUE(refused(R"({"iat": null})", "iat"));
  EXPECT_TRUE(refused(R"({"nbf": 9999999999})", "nbf"));
  control("claims=" + percentEncode(R"({"aud": ["nora-lab", "another"], "azp": "nora-lab"})"));
  EXPECT_TRUE(logIn(client()));
}

TEST_F(Oidc, TakesClocksThatDifferALittleAndSaysWhenTheyDifferMuch) {
  control("clock=50");
  EXPECT_TRUE(logIn(client()));
  control("clock=300");
  EXPECT_TRUE(says(logIn(client()), ErrorCode::forbidden, "clock is behind the provider's: set both by NTP"));
  control("clock=-350");
  EXPECT_TRUE(logIn(client())) << "ended 50 s ago";
  control("clock=-400");
  EXPECT_TRUE(says(logIn(client()), ErrorCode::forbidden, "clock is ahead of the provider's: set both by NTP"));
}

TEST_F(Oidc, RefusesTokensThatTheProviderHasNotSigned) {
  control("stranger=1");
  EXPECT_TRUE(says(logIn(client()), ErrorCode::forbidden, "is not signed by the provider"));
  control("reset=1&unsigned=1");
  EXPECT_TRUE(says(logIn(client()), ErrorCode::forbidden, "is not signed by the provider"));
  control("reset=1&unsigned=1&header_alg=none");
  EXPECT_TRUE(says(logIn(client()), ErrorCode::unsupported, "\"none\""));
  control("reset=1&header_alg=HS256");
  EXPECT_TRUE(says(logIn(client()), ErrorCode::unsupported, "\"HS256\"")) << "the public key as a shared secret";
  control("reset=1&header_alg=ES256");
  EXPECT_TRUE(says(logIn(client()), ErrorCode::forbidden, "does not publish")) << "the kind of another key";
}

TEST_F(Oidc, KeepsKeysAndFollowsWhenTheyRotate) {
  const OidcClient by = client();
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(logIn(by));
  EXPECT_EQ(control("count=/realm/keys"), "1");
  EXPECT_EQ(control("count=/realm/.well-known/openid-configuration"), "1");
  control("rotate=1");
  EXPECT_TRUE(says(logIn(by), ErrorCode::forbidden, "does not publish")) << "asked a moment ago";
  ahead_ = 31;
  EXPECT_TRUE(logIn(by));
  EXPECT_EQ(control("count=/realm/keys"), "2");
  ahead_ = 31 + 3600;
  EXPECT_TRUE(by.start());
  EXPECT_EQ(control("count=/realm/.well-known/openid-configuration"), "2") << "an hour is over";
}

TEST_F(Oidc, AsksForWhatTheTokenLeavesOut) {
  control("claims=" + percentEncode(R"({"preferred_username": null})"));
  const auto user = logIn(client());
  ASSERT_TRUE(user) << describe(user.error());
  EXPECT_EQ(user->name, "alice-by-info");
  EXPECT_EQ(user->issuer, base() + "/realm");
  control("info_sub=another");
  EXPECT_TRUE(says(logIn(client()), ErrorCode::forbidden, "another user"));
  OidcSettings with = settings();
  with.nameClaim = "upn";
  control("reset=1");
  EXPECT_TRUE(says(logIn(client(with)), ErrorCode::invalidInput, "name_claim"));
}

TEST_F(Oidc, GivesAnAddressOnlyIfItIsVerified) {
  control("claims=" + percentEncode(R"({"email_verified": false})"));
  EXPECT_EQ(logIn(client())->email, "");
  control("claims=" + percentEncode(R"({"email_verified": null})"));
  EXPECT_EQ(logIn(client())->email, "");
}

TEST_F(Oidc, SaysWhatIsWrongWithAProvider) {
  for (const auto* at : {"/realm/.well-known/openid-configuration", "/realm/keys", "/realm/token"}) {
    const auto with = [&](const std::string& kind) {
      control("reset=1");
      control("at=" + percentEncode(at) + "&kind=" + kind);
      const auto begin = std::chrono::steady_clock::now();
      const auto result = logIn(client());
      EXPECT_LT(std::chrono::steady_clock::now() - begin, 2500ms);
      return result;
    };
    EXPECT_TRUE(says(with("big"), ErrorCode::limitExceeded, at)) << at;
    EXPECT_TRUE(says(with("down"), ErrorCode::unavailable, "status 503")) << at;
    EXPECT_TRUE(says(with("html"), ErrorCode::invalidInput, "JSON")) << at;
    EXPECT_TRUE(says(with("array"), ErrorCode::invalidInput, "JSON")) << at;
    EXPECT_TRUE(says(with("slow"), ErrorCode::unavailable, "did not answer in time")) << at;
    EXPECT_FALSE(with("redirect")) << "redirects are not followed";
  }
  control("reset=1&issuer=https%3A%2F%2Fother");
  EXPECT_TRUE(says(logIn(client()), ErrorCode::invalidInput, "is the configuration of https://other"));
  control("reset=1&token_endpoint=http%3A%2F%2Flogin.example.org%2Ftoken");
  EXPECT_TRUE(says(logIn(client()), ErrorCode::invalidInput, "must begin with https://"));
  OidcSettings none = settings();
  none.issuer = "http://127.0.0.1:" + std::to_string(freePort());
  EXPECT_TRUE(says(logIn(client(none)), ErrorCode::unavailable, "is it running"));
}

TEST_F(Oidc, RefusesSettingsThatAreNotSafe) {
  const auto problem = [](auto change) {
    OidcSettings with = settings();
    change(with);
    const auto made = OidcClient::make(with);
    return made ? std::string() : describe(made.error());
  };
  EXPECT_NE(problem([](auto& s) { s.issuer = "http://login.example.org"; }).find("https://"), std::string::npos);
  EXPECT_NE(problem([](auto& s) { s.issuer = "https://a:b@login.example.org"; }).find("password"), std::string::npos);
  EXPECT_NE(problem([](auto& s) { s.issuer = "ftp://127.0.0.1"; }).find("https://"), std::string::npos);
  EXPECT_NE(problem([](auto& s) { s.issuer = "http://127.0.0.1.example.org"; }).find("https://"), std::string::npos);
  EXPECT_NE(problem([](auto& s) { s.issuer = ""; }).find("issuer"), std::string::npos);
  EXPECT_NE(problem([](auto& s) { s.clientId = ""; }).find("client_id"), std::string::npos);
  EXPECT_NE(problem([](auto& s) { s.redirectUri = "http://nora.example.org/x"; }).find("redirect_uri"),
            std::string::npos);
  EXPECT_NE(problem([](auto& s) { s.scopes = {"profile"}; }).find("openid"), std::string::npos);
  EXPECT_EQ(problem([](auto&) {}), "");
}

}  // namespace
}  // namespace nora
