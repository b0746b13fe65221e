// What happens when the database server dies.
#include "archive/access/secret.hpp"
#include "archive/index/archive.hpp"
#include "tests/archive/mariadb/maria_server.hpp"

#include <atomic>
#include <chrono>
#include <thread>

#include <gtest/gtest.h>

namespace nora {
namespace {

using namespace std::chrono_literals;

TEST(LostServer, NothingThatWasAcknowledgedIsLostAndItGoesOnWhenTheServerIsBack) {
  if (const auto why = test::whyNoMariaDb(); !why.empty()) GTEST_SKIP() << why;
  test::MariaServer server;
  auto database = openDatabase(server.database("nora"));
  ASSERT_TRUE(database) << describe(database.error());
  Archive archive(**database);
  ProjectRecord wanted;
  wanted.name = "p";
  wanted.secret = newSecret().text;
  const auto project = archive.addProject(wanted);
  ASSERT_TRUE(project);
  std::atomic<bool> done{false};
  std::vector<std::string> acknowledged;
  std::atomic<int> failures{0};
  std::thread writer([&] {
    for (int i = 0; !done; ++i) {
      FoundFileRecord one;
      one.facts.path = "f" + std::to_string(i);
      one.subject = "s" + std::to_string(i % 7);
      const auto stored = archive.registerFiles(project->id, std::span(&one, 1));
      if (stored) {
        acknowledged.push_back(one.facts.path);
      } else {
        ++failures;
        EXPECT_EQ(stored.error().code, ErrorCode::unavailable) << describe(stored.error());
      }
    }
  });
  for (int round = 0; round < 3; ++round) {
    std::this_thread::sleep_for(300ms);
    server.kill();
    std::this_thread::sleep_for(200ms);
    server.start();
  }
  std::this_thread::sleep_for(500ms);
  done = true;
  writer.join();
  EXPECT_GT(acknowledged.size(), 20U);
  const auto known = archive.knownFiles(project->id);
  ASSERT_TRUE(known) << describe(known.error());
  for (const auto& path : acknowledged) EXPECT_EQ(known->count(path), 1U) << path;
}

}  // namespace
}  // namespace nora
