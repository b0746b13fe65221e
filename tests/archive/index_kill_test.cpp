// Programs that die while they write, and several that write at once: on SQLite and MariaDB.
#include "archive/index/archive.hpp"
#include "tests/archive/fresh_database.hpp"

#include <atomic>
#include <chrono>
#include <csignal>
#include <map>
#include <random>
#include <thread>

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

namespace nora {
namespace {

constexpr int filesOfBatch = 20;

FoundFileRecord foundFile(const std::string& path, const std::string& subject) {
  FoundFileRecord out;
  out.facts.path = path;
  out.facts.kind = "image";
  out.facts.sidecar = R"({"EchoTime": 3})";
  out.subject = subject;
  out.study = "ses";
  return out;
}

/// Registers batches and says the number of each that was acknowledged. Never returns.
[[noreturn]] void writeUntilKilled(const DatabaseAddress& address, std::int64_t project, int round, int tell) {
  auto database = openDatabase(address);
  if (!database) ::_exit(1);
  Archive archive(**database);
  for (int batch = round * 1000;; ++batch) {
    std::vector<FoundFileRecord> files;
    for (int i = 0; i < filesOfBatch; ++i)
      files.push_back(foundFile("b" + std::to_string(batch) + "/" + std::to_string(i), "s" + std::to_string(i % 3)));
    if (!archive.registerFiles(project, files)) ::_exit(2);
    if (::write(tell, &batch, sizeof batch) != sizeof batch) ::_exit(3);
  }
}

class IndexKillTest : public testing::Test {
 protected:
  void SetUp() override {
    if (const auto why = test::whyNoDatabase(); !why.empty()) GTEST_SKIP() << why;
    address = test::freshAddress();
    auto opened = openDatabase(address);
    ASSERT_TRUE(opened) << describe(opened.error());
    ProjectRecord wanted;
    wanted.name = "p";
    project = Archive(**opened).addProject(wanted)->id;
  }
  /// The batches that were acknowledged before the child was killed.
  std::vector<int> writeAndKill(int round, std::chrono::milliseconds after) {
    int ends[2] = {-1, -1};
    EXPECT_EQ(::pipe(ends), 0);
    const pid_t child = ::fork();
    if (child == 0) {
      ::close(ends[0]);
      writeUntilKilled(address, project, round, ends[1]);
    }
    ::close(ends[1]);
    std::vector<int> acknowledged(1);
    EXPECT_EQ(::read(ends[0], acknowledged.data(), sizeof(int)), static_cast<ssize_t>(sizeof(int))) << "it has begun";
    std::this_thread::sleep_for(after);
    ::kill(child, SIGKILL);
    int batch = 0;
    while (::read(ends[0], &batch, sizeof batch) == sizeof batch) acknowledged.push_back(batch);
    ::close(ends[0]);
    int status = 0;
    ::waitpid(child, &status, 0);
    EXPECT_TRUE(WIFSIGNALED(status)) << "it ended by itself: " << status;
    return acknowledged;
  }

  DatabaseAddress address;
  std::int64_t project = 0;
};

TEST_F(IndexKillTest, AProgramThatIsKilledLosesNothingAcknowledgedAndLeavesNoHalf) {
  std::mt19937 random(7);
  std::vector<int> acknowledged;
  for (int round = 0; round < 12; ++round) {
    const auto more = writeAndKill(round, std::chrono::milliseconds(random() % 25));
    acknowledged.insert(acknowledged.end(), more.begin(), more.end());
  }
  auto database = openDatabase(address);
  ASSERT_TRUE(database) << describe(database.error());
  Archive archive(**database);
  std::map<std::string, int> batches;
  const auto known = archive.knownFiles(project);
  ASSERT_TRUE(known) << describe(known.error());
  for (const auto& [path, file] : *known) ++batches[path.substr(0, path.find('/'))];
  for (const auto& [name, count] : batches) EXPECT_EQ(count, filesOfBatch) << name;
  for (const int batch : acknowledged) EXPECT_EQ(batches.count("b" + std::to_string(batch)), 1U) << batch;
  EXPECT_LE(batches.size(), acknowledged.size() + 12) << "at most one of each child was stored and not yet told";
  const SearchScope all{true, {}, {}};
  const auto files = static_cast<std::int64_t>(known->size());
  EXPECT_EQ(archive.count(Level::file, *parseQuery("meta.EchoTime=3"), all, 1'000'000), files);
  EXPECT_EQ(archive.count(Level::file, *parseQuery("path:b*"), all, 1'000'000), files);
  EXPECT_EQ(archive.count(Level::subject, *parseQuery(""), all, 100), 3);
}

TEST_F(IndexKillTest, SeveralServersOnOneIndexLoseNothing) {
  constexpr int servers = 3, writersOfEach = 4, filesOfEach = 10;
  std::vector<std::unique_ptr<Database>> databases;
  for (int i = 0; i < servers; ++i) {
    auto opened = openDatabase(address);
    ASSERT_TRUE(opened) << describe(opened.error());
    databases.push_back(std::move(*opened));
  }
  std::atomic<std::int64_t> added{0}, again{0};
  std::vector<std::thread> writers;
  for (int w = 0; w < servers * writersOfEach; ++w) {
    writers.emplace_back([&, w] {
      Archive archive(*databases.at(static_cast<std::size_t>(w % servers)));
      for (int i = 0; i < filesOfEach; ++i) {
        // Each file is found by every server.
        const auto file = foundFile(std::to_string(w / servers) + "/" + std::to_string(i), "s" + std::to_string(i));
        const auto done = archive.registerFiles(project, std::span(&file, 1));
        ASSERT_TRUE(done) << describe(done.error());
        added += done->added;
        again += done->unchanged;
      }
    });
  }
  for (auto& writer : writers) writer.join();
  EXPECT_EQ(added, writersOfEach * filesOfEach);
  EXPECT_EQ(again, (servers - 1) * writersOfEach * filesOfEach);
  Archive archive(*databases.front());
  EXPECT_EQ(archive.knownFiles(project)->size(), static_cast<std::size_t>(writersOfEach * filesOfEach));
  EXPECT_EQ(archive.count(Level::subject, *parseQuery(""), {true, {}, {}}, 1000), filesOfEach);
  EXPECT_EQ(archive.revision(), 1 + servers * writersOfEach * filesOfEach) << "1 by the project";
}

}  // namespace
}  // namespace nora
