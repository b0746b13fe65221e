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

}  // namespace
}  // namespace nora
