// Which names of hosts the server answers to.
#include "streaming/socket/http.hpp"

#include <gtest/gtest.h>

namespace nora {
namespace {

TEST(Http, OnlyNamesOfThisMachineAreLocal) {
  for (const auto* host : {"localhost", "LOCALHOST:8080", "127.0.0.1", "127.0.0.1:80", "[::1]", "[::1]:8080"}) {
    EXPECT_TRUE(hostIsLocal(host)) << host;
  }
  for (const auto* host :
       {"", "evil.example", "evil.example:8080", "127.0.0.1.evil.example", "localhost.evil.example", "[::2]:1"}) {
    EXPECT_FALSE(hostIsLocal(host)) << host;
  }
}

TEST(Origin, MustNameTheHost) {
  EXPECT_TRUE(originMatchesHost("http://localhost:8080", "localhost:8080"));
  EXPECT_TRUE(originMatchesHost("HTTP://LocalHost:8080", "localhost:8080"));
  EXPECT_TRUE(originMatchesHost("http://host", "host:80"));
  EXPECT_TRUE(originMatchesHost("https://host", "host"));
  EXPECT_TRUE(originMatchesHost("http://[::1]:8080", "[::1]:8080"));
  for (const char* origin :
       {"", "null", "http://", "http://localhost", "http://localhost:80800", "http://localhost:8080.evil.example",
        "http://evil.example/localhost:8080", "file://localhost:8080", "localhost:8080"}) {
    EXPECT_FALSE(originMatchesHost(origin, "localhost:8080")) << origin;
  }
  EXPECT_FALSE(originMatchesHost("http://", ""));
}

}  // namespace
}  // namespace nora
