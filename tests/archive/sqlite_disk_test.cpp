// SQLite on disks that are full, read-only, or hold something else.
#include "archive/index/archive.hpp"
#include "tests/archive/temporary_folder.hpp"

#include <iostream>
#include <string>

#include <gtest/gtest.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/wait.h>
#include <unistd.h>

namespace nora {
namespace {

/// A disk of 4 MiB that only this process sees. False: not allowed here.
bool mountSmallDisk(const std::string& folder) {
  const int spaces = ::geteuid() == 0 ? CLONE_NEWNS : CLONE_NEWNS | CLONE_NEWUSER;
  if (::unshare(spaces) != 0) return false;
  static_cast<void>(::mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr));
  return ::mount("tmpfs", folder.c_str(), "tmpfs", 0, "size=4m") == 0;
}

bool canMount(const std::string& folder) {
  const pid_t child = ::fork();
  if (child == 0) ::_exit(mountSmallDisk(folder) ? 0 : 1);
  int status = 1;
  ::waitpid(child, &status, 0);
  return status == 0;
}

/// In the child: what is not so ends it, with a line that says what.
void require(bool isSo, const std::string& what) {
  if (isSo) return;
  std::cerr << "NOT SO: " << what << "\n";
  std::_Exit(1);
}

template <class T>
void require(const Result<T>& result, const std::string& what) {
  require(result.has_value(), what + (result ? "" : ": " + describe(result.error())));
}

std::vector<FoundFileRecord> someFiles(int batch) {
  std::vector<FoundFileRecord> out(50);
  for (std::size_t i = 0; i < out.size(); ++i) {
    out[i].facts.path = "b" + std::to_string(batch) + "/" + std::to_string(i);
    out[i].facts.sidecar = "{\"note\":\"" + std::string(500, 'x') + "\"}";
  }
  return out;
}

[[noreturn]] void fillDisk(const std::string& folder) {
  require(mountSmallDisk(folder), "a small disk");
  DatabaseAddress address;
  address.file = folder + "/index.sqlite";
  auto database = openDatabase(address);
  require(database, "opens");
  Archive archive(**database);
  ProjectRecord wanted;
  wanted.name = "p";
  const auto project = archive.addProject(wanted);
  require(project, "a project");
  // Something else takes most of the room, and will give it back.
  const std::string other = folder + "/other";
  std::ofstream(other) << std::string(2 << 20, 'x');
  int stored = 0;
  Result<Archive::Registered> done;
  while (stored < 1000 && (done = archive.registerFiles(project->id, someFiles(stored)))) ++stored;
  require(!done, "the disk gets full");
  require(done.error().code == ErrorCode::limitExceeded, describe(done.error()));
  require(done.error().what.find("make room") != std::string::npos, done.error().what);
  require(stored > 0, "some was stored before");
  const auto known = archive.knownFiles(project->id);
  require(known, "it can be read while the disk is full");
  require(known->size() == static_cast<std::size_t>(stored) * 50, "all or nothing of each batch");
  std::filesystem::remove(other);
  require(archive.registerFiles(project->id, someFiles(stored)), "it goes on when there is room");
  database->reset();
  database = openDatabase(address);
  require(database, "opens again");
  require(Archive(**database).knownFiles(project->id)->size() == static_cast<std::size_t>(stored + 1) * 50,
          "all there");
  std::_Exit(0);
}

[[noreturn]] void openReadOnly(const std::string& folder) {
  require(mountSmallDisk(folder), "a small disk");
  DatabaseAddress address;
  address.file = folder + "/index.sqlite";
  require(openDatabase(address), "opens");
  require(::mount(nullptr, folder.c_str(), nullptr, MS_REMOUNT | MS_RDONLY, nullptr) == 0, "read-only");
  const auto again = openDatabase(address);
  require(!again, "a read-only index is not opened");
  const std::string text = describe(again.error());
  require(text.find("can") != std::string::npos && text.find("writ") != std::string::npos, text);
  require(text.find(address.file) != std::string::npos, text);
  std::_Exit(0);
}

TEST(SqliteDisk, NothingIsHalfStoredWhenItIsFullAndItGoesOnWhenThereIsRoom) {
  TemporaryFolder folder;
  if (!canMount(folder.path())) GTEST_SKIP() << "a small disk cannot be mounted here (no right to, no user namespaces)";
  EXPECT_EXIT(fillDisk(folder.path()), testing::ExitedWithCode(0), "");
}

TEST(SqliteDisk, AReadOnlyIndexIsRefusedWithWhatToDo) {
  TemporaryFolder folder;
  if (!canMount(folder.path())) GTEST_SKIP() << "a small disk cannot be mounted here (no right to, no user namespaces)";
  EXPECT_EXIT(openReadOnly(folder.path()), testing::ExitedWithCode(0), "");
}

TEST(SqliteDisk, WhatIsNotAnIndexIsLeftAsItIs) {
  TemporaryFolder folder;
  folder.file("text", std::string(5000, 't'));
  DatabaseAddress address;
  address.file = (folder / "text").string();
  const auto text = openDatabase(address);
  ASSERT_FALSE(text);
  EXPECT_NE(text.error().what.find("damaged"), std::string::npos) << text.error().what;
  EXPECT_EQ(std::filesystem::file_size(folder / "text"), 5000U);
  address.file = (folder / "missing/index.sqlite").string();
  EXPECT_EQ(openDatabase(address).error().code, ErrorCode::notFound);
  address.file = folder.path().string();
  EXPECT_EQ(openDatabase(address).error().code, ErrorCode::notFound) << "a folder";
}

}  // namespace
}  // namespace nora
