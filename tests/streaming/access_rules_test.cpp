// Who is asking, and by which name: without a socket.
#include "streaming/socket/access_rules.hpp"

#include <gtest/gtest.h>

namespace nora {
namespace {

IpAddress address(const char* text) {
  return IpAddress::parse(text).value();
}

AccessRules rules(AccessRules::Options options = {}) {
  auto made = AccessRules::make(options);
  EXPECT_TRUE(made) << describe(made.error());
  return *made;
}

RequestFacts asked(const char* host, const char* origin, const char* peer = "10.0.0.9") {
  RequestFacts facts;
  facts.peer = address(peer);
  facts.ours = address("10.0.0.1");
  facts.host = host;
  facts.origin = origin;
  return facts;
}

TEST(IpAddress, IsReadInBothFamilies) {
  EXPECT_TRUE(address("127.0.0.1").isLoopback());
  EXPECT_TRUE(address("127.9.9.9").isLoopback());
  EXPECT_TRUE(address("[::1]").isLoopback());
  EXPECT_TRUE(address("::ffff:127.0.0.1").isLoopback());
  EXPECT_EQ(address("::ffff:10.0.0.1"), address("10.0.0.1"));
  EXPECT_FALSE(address("::").isLoopback());
  EXPECT_FALSE(address("128.0.0.1").isLoopback());
  for (const char* text : {"", "localhost", "10.0.0.1:80", "10.0.0", "1.2.3.4.5", "[10.0.0.1", "fe80::1%eth0"}) {
    EXPECT_FALSE(IpAddress::parse(text)) << text;
  }
}

TEST(AddressRange, HoldsWhatHasItsPrefix) {
  EXPECT_TRUE(AddressRange::parse("10.1.2.3")->contains(address("10.1.2.3")));
  EXPECT_FALSE(AddressRange::parse("10.1.2.3")->contains(address("10.1.2.4")));
  EXPECT_TRUE(AddressRange::parse("10.0.0.0/9")->contains(address("10.127.255.255")));
  EXPECT_FALSE(AddressRange::parse("10.0.0.0/9")->contains(address("10.128.0.0")));
  EXPECT_TRUE(AddressRange::parse("fd00::/8")->contains(address("fdff::1")));
  EXPECT_FALSE(AddressRange::parse("fd00::/8")->contains(address("fe00::1")));
  EXPECT_TRUE(AddressRange::parse("0.0.0.0/0")->contains(address("203.0.113.9")));
  EXPECT_FALSE(AddressRange::parse("0.0.0.0/0")->contains(address("2001:db8::1")));
  for (const char* text :
       {"", "/8", "10.0.0.0/33", "10.0.0.0/", "10.0.0.0/-1", "10.0.0.0/8x", "fd00::/129", "host/8"}) {
    EXPECT_FALSE(AddressRange::parse(text)) << text;
  }
}

TEST(AccessRules, AnOriginMustNameTheHost) {
  const auto plain = rules();
  const auto may = [&](const char* origin, const char* host) {
    return plain.refuseOrigin(asked(host, origin)).empty();
  };
  EXPECT_TRUE(may("", "anything"));
  EXPECT_TRUE(may("http://localhost:8080", "localhost:8080"));
  EXPECT_TRUE(may("HTTP://LocalHost:8080", "localhost:8080"));
  EXPECT_TRUE(may("http://host", "host:80"));
  EXPECT_TRUE(may("https://host", "host"));
  EXPECT_TRUE(may("http://[::1]:8080", "[::1]:8080"));
  for (const char* origin :
       {"null", "http://", "http://localhost", "http://localhost:80800", "http://localhost:8080.evil.example",
        "http://evil.example/localhost:8080", "file://localhost:8080", "localhost:8080", "http://x@localhost:8080",
        "http://localhost:8080, http://evil.example"}) {
    EXPECT_FALSE(may(origin, "localhost:8080")) << origin;
  }
  EXPECT_FALSE(may("http://", ""));
}

TEST(AccessRules, WithTlsAPageOfHttpIsAnotherSite) {
  const auto plain = rules();
  auto facts = asked("host", "http://host");
  facts.tls = true;
  EXPECT_FALSE(plain.refuseOrigin(facts).empty());
  facts.origin = "https://host";
  EXPECT_TRUE(plain.refuseOrigin(facts).empty());
}

TEST(AccessRules, ForwardedNamesAreBelievedFromTrustedProxiesOnly) {
  auto facts = asked("127.0.0.1:8080", "https://images.example.org");
  facts.forwardedHost = "images.example.org";
  facts.forwardedProto = "https";
  EXPECT_FALSE(rules().refuseOrigin(facts).empty());
  EXPECT_FALSE(rules({.trustedProxies = {"10.0.0.8"}}).refuseOrigin(facts).empty());
  const auto trusting = rules({.trustedProxies = {"10.0.0.0/24"}});
  EXPECT_TRUE(trusting.refuseOrigin(facts).empty());
  facts.forwardedProto = "http";
  EXPECT_FALSE(trusting.refuseOrigin(facts).empty()) << "another scheme";
  facts.forwardedProto = "https";
  facts.forwardedHost = "evil.example, other.example.org";
  EXPECT_FALSE(trusting.refuseOrigin(facts).empty());
  facts.forwardedHost = "evil.example, images.example.org";  // the proxy added the last one
  EXPECT_TRUE(trusting.refuseOrigin(facts).empty());
  facts.forwardedHost = "";
  facts.host = "images.example.org";
  EXPECT_TRUE(trusting.refuseOrigin(facts).empty()) << "the proxy may as well pass Host on";
}

TEST(AccessRules, AllowedOriginsAreTheOnlyOnes) {
  const auto strict = rules({.allowedOrigins = {"https://Images.example.org", "http://lab:8080"}});
  EXPECT_TRUE(strict.refuseOrigin(asked("127.0.0.1:8080", "https://images.example.org")).empty());
  EXPECT_TRUE(strict.refuseOrigin(asked("x", "https://images.example.org:443")).empty());
  EXPECT_TRUE(strict.refuseOrigin(asked("x", "http://lab:8080")).empty());
  EXPECT_FALSE(strict.refuseOrigin(asked("images.example.org", "http://images.example.org")).empty());
  EXPECT_FALSE(strict.refuseOrigin(asked("evil.example", "http://evil.example")).empty()) << "DNS rebinding";
  EXPECT_TRUE(strict.refuseHost(asked("images.example.org", "")).empty());
  EXPECT_TRUE(strict.refuseHost(asked("lab:8080", "")).empty());
  EXPECT_TRUE(strict.refuseHost(asked("10.0.0.1:8080", "")).empty());
  EXPECT_TRUE(strict.refuseHost(asked("[fd00::1]:8080", "")).empty());
  EXPECT_FALSE(strict.refuseHost(asked("evil.example", "")).empty());
  for (const char* bad : {"images.example.org", "https://", "https://a/b", "ftp://a", "*"}) {
    const auto made = AccessRules::make({.allowedOrigins = {bad}});
    ASSERT_FALSE(made) << bad;
    EXPECT_EQ(made.error().where, bad);
  }
}

TEST(AccessRules, AServerOfThisMachineAnswersToItsNamesAndToTrustedProxies) {
  AccessRules::Options options{.localNamesOnly = true};
  EXPECT_TRUE(rules(options).refuseHost(asked("localhost:8080", "", "127.0.0.1")).empty());
  EXPECT_FALSE(rules(options).refuseHost(asked("images.example.org", "", "127.0.0.1")).empty());
  options.trustedProxies = {"127.0.0.1"};
  EXPECT_TRUE(rules(options).refuseHost(asked("images.example.org", "", "127.0.0.1")).empty());
  options.allowedOrigins = {"https://images.example.org"};
  EXPECT_TRUE(rules(options).refuseHost(asked("images.example.org", "", "127.0.0.1")).empty());
  EXPECT_FALSE(rules(options).refuseHost(asked("evil.example", "", "127.0.0.1")).empty());
}

TEST(AccessRules, LimitsAreForTheClientBehindTrustedProxies) {
  auto facts = asked("h", "", "127.0.0.1");
  facts.forwardedFor = "198.51.100.7, 203.0.113.5, 10.0.0.8";
  EXPECT_EQ(rules().clientOf(facts), address("127.0.0.1")) << "anybody can say so";
  EXPECT_EQ(rules({.trustedProxies = {"127.0.0.1"}}).clientOf(facts), address("10.0.0.8"));
  EXPECT_EQ(rules({.trustedProxies = {"127.0.0.1", "10.0.0.0/8"}}).clientOf(facts), address("203.0.113.5"));
  facts.forwardedFor = "198.51.100.7, garbage";
  EXPECT_EQ(rules({.trustedProxies = {"127.0.0.1"}}).clientOf(facts), address("127.0.0.1"));
  facts.forwardedFor = "";
  EXPECT_EQ(rules({.trustedProxies = {"127.0.0.1"}}).clientOf(facts), address("127.0.0.1"));
}

TEST(AccessRules, WhatWasPassedOnIsNotLocal) {
  auto facts = asked("h", "", "127.0.0.1");
  EXPECT_TRUE(AccessRules::isLocal(facts));
  facts.viaOther = true;
  EXPECT_FALSE(AccessRules::isLocal(facts));
  EXPECT_FALSE(AccessRules::isLocal(asked("h", "", "10.0.0.9")));
  EXPECT_TRUE(AccessRules::isLocal(asked("h", "", "10.0.0.1"))) << "from our own address";
}

}  // namespace
}  // namespace nora
