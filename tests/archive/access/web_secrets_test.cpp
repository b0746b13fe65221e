#include "archive/access/web_secrets.hpp"

#include <gtest/gtest.h>

namespace nora {
namespace {

using namespace std::chrono_literals;

TEST(SessionCookie, IsHeldToHostPathAndHttps) {
  EXPECT_EQ(*sessionCookie("abc", {"/", true}, 1h),
            "__Host-nora=abc; Path=/; HttpOnly; SameSite=Lax; Secure; Max-Age=3600");
  EXPECT_EQ(*sessionCookie("abc", {"/nora/", true}, 0s),
            "__Secure-nora=abc; Path=/nora/; HttpOnly; SameSite=Lax; Secure");
  EXPECT_EQ(*sessionCookie("abc", {"/", false}, 0s), "nora=abc; Path=/; HttpOnly; SameSite=Lax");
  EXPECT_EQ(endedSessionCookie({"/", true}), "__Host-nora=; Path=/; HttpOnly; SameSite=Lax; Secure; Max-Age=0");
}

TEST(SessionCookie, RefusesWhatWouldEndTheHeader) {
  for (const auto* value : {"", "a b", "a;b", "a\r\nSet-Cookie: x=y", "a,b", "\"a\"", "\xc3\xa4"}) {
    EXPECT_FALSE(sessionCookie(value, {}, 0s)) << value;
  }
  EXPECT_FALSE(sessionCookie("abc", {"/a;b", true}, 0s));
  EXPECT_FALSE(sessionCookie("abc", {"a", true}, 0s));
  EXPECT_FALSE(sessionCookie("abc", {"/a\r\nX: y", true}, 0s));
}

TEST(SessionCookie, IsFoundAmongOthersAndRefusedIfThereTwice) {
  EXPECT_EQ(cookieValue("a=1; __Host-nora=abc; b=2", "__Host-nora"), "abc");
  EXPECT_EQ(cookieValue("nora=abc", "nora"), "abc");
  EXPECT_EQ(cookieValue("x; nora=a=b ;", "nora"), "a=b");
  EXPECT_FALSE(cookieValue("xnora=abc; norax=1", "nora"));
  EXPECT_FALSE(cookieValue("nora=abc; nora=planted", "nora"));
  EXPECT_FALSE(cookieValue("", "nora"));
}

RequestOrigin own(std::string_view method) {
  RequestOrigin request;
  request.method = method;
  request.ownOrigin = "https://nora.example.org";
  request.origin = "https://nora.example.org";
  request.csrfHeader = "secret";
  return request;
}

TEST(Forgery, RequestsOfThePageAreLetThrough) {
  EXPECT_TRUE(checkForgery(own("POST"), "secret"));
  RequestOrigin without = own("DELETE");
  without.origin = "";
  without.fetchSite = "same-origin";
  EXPECT_TRUE(checkForgery(without, "secret"));
  RequestOrigin reads;
  reads.method = "GET";
  EXPECT_TRUE(checkForgery(reads, "secret")) << "a link from elsewhere may be followed";
}

TEST(Forgery, RequestsOfOtherSitesAreRefused) {
  const auto refused = [](auto change) {
    RequestOrigin request = own("POST");
    change(request);
    const auto checked = checkForgery(request, "secret");
    return !checked && checked.error().code == ErrorCode::forbidden;
  };
  EXPECT_TRUE(refused([](auto& r) { r.origin = "https://evil.example.org"; }));
  EXPECT_TRUE(refused([](auto& r) { r.origin = "http://nora.example.org"; }));
  EXPECT_TRUE(refused([](auto& r) { r.origin = "null"; }));
  EXPECT_TRUE(refused([](auto& r) { r.origin = ""; }));
  EXPECT_TRUE(refused([](auto& r) { r.origin = "", r.fetchSite = "same-site"; }));
  EXPECT_TRUE(refused([](auto& r) { r.origin = "https://evil.example.org", r.fetchSite = "same-origin"; }));
  EXPECT_TRUE(refused([](auto& r) { r.csrfHeader = ""; }));
  EXPECT_TRUE(refused([](auto& r) { r.csrfHeader = "secreT"; }));
  EXPECT_TRUE(refused([](auto& r) {
    r.method = "get";
    r.csrfHeader = "";
  })) << "methods have their case";
}

TEST(Forgery, AWebSocketMustBeOfTheOwnOrigin) {
  RequestOrigin request = own("GET");
  request.webSocket = true;
  request.csrfHeader = "";
  EXPECT_TRUE(checkForgery(request, "secret"));
  request.origin = "https://evil.example.org";
  EXPECT_FALSE(checkForgery(request, "secret"));
}

TEST(Forgery, ASessionWithoutAValueMatchesNothing) {
  RequestOrigin request = own("POST");
  request.csrfHeader = "";
  EXPECT_FALSE(checkForgery(request, ""));
}

}  // namespace
}  // namespace nora
