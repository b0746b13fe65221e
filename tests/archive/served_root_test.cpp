#include "archive/files/served_root.hpp"

#include "archive/files/beneath.hpp"
#include "tests/archive/temporary_folder.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fcntl.h>
#include <sys/stat.h>

namespace nora {
namespace {

using testing::HasSubstr;

std::string contentOf(const UniqueFd& fd) {
  std::string text(100, '\0');
  const auto size = ::read(fd.get(), text.data(), text.size());
  text.resize(static_cast<std::size_t>(std::max<ssize_t>(size, 0)));
  return text;
}

/// served/ holds the files; secret.txt lies beside it.
class ServedRootTest : public testing::Test {
 protected:
  void SetUp() override {
    folder_.file("secret.txt", "secret");
    folder_.file("served-too/secret.txt", "secret");
    folder_.file("served/a/b/file.txt", "hello");
  }
  ServedRoot root() const { return ServedRoot::open(folder_ / "served").value(); }
  ErrorCode refused(const std::string& path) const {
    const auto fd = root().openFile(path);
    EXPECT_FALSE(fd) << path;
    return fd ? ErrorCode::internal : fd.error().code;
  }
  TemporaryFolder folder_;
};

TEST_F(ServedRootTest, OpensAFileBeneathTheRoot) {
  const auto fd = root().openFile("a/b/file.txt");
  ASSERT_TRUE(fd);
  EXPECT_EQ(contentOf(*fd), "hello");
  EXPECT_NE(::fcntl(fd->get(), F_GETFD) & FD_CLOEXEC, 0);
  EXPECT_EQ(::fcntl(fd->get(), F_GETFL) & O_NONBLOCK, 0);
}

TEST_F(ServedRootTest, RefusesEveryPathThatLeavesIt) {
  for (const char* path : {"../secret.txt", "a/../../secret.txt", "a/b/../../../secret.txt", "..", "a/..",
                           "/etc/passwd", "//etc/passwd", "../served/a/b/file.txt"}) {
    EXPECT_EQ(refused(path), ErrorCode::forbidden) << path;
    EXPECT_FALSE(root().openFolder(path)) << path;
    EXPECT_FALSE(root().stat(path)) << path;
  }
}

TEST_F(ServedRootTest, RefusesLinksThatLeaveIt) {
  folder_.link("served/relative", "../secret.txt");
  folder_.link("served/absolute", folder_ / "secret.txt");
  folder_.link("served/neighbour", folder_ / "served-too/secret.txt");
  folder_.link("served/up", "..");
  folder_.link("served/a/chain", "../relative");
  folder_.link("served/magic", "/proc/self/root");
  for (const char* path : {"relative", "absolute", "neighbour", "up/secret.txt", "a/chain", "magic/etc/passwd"}) {
    EXPECT_EQ(refused(path), ErrorCode::forbidden) << path;
  }
}

TEST_F(ServedRootTest, FollowsLinksThatStayBeneathIt) {
  folder_.link("served/c/relative", "../a/b");
  folder_.link("served/absolute", folder_ / "served/a");
  folder_.link("served/self", folder_ / "served");
  for (const char* path : {"c/relative/file.txt", "absolute/b/file.txt", "self/absolute/b/file.txt"}) {
    const auto fd = root().openFile(path);
    ASSERT_TRUE(fd) << path;
    EXPECT_EQ(contentOf(*fd), "hello");
  }
}

TEST_F(ServedRootTest, TheWayWithoutOpenat2DecidesTheSame) {
  folder_.link("served/in", "a/b/file.txt");
  folder_.link("served/inAbsolute", folder_ / "served/a/b/file.txt");
  folder_.link("served/out", "../secret.txt");
  folder_.link("served/neighbour", folder_ / "served-too/secret.txt");
  const std::string path = folder_ / "served";
  const UniqueFd rootFd(::open(path.c_str(), O_RDONLY | O_DIRECTORY));
  for (const auto method : {BeneathMethod::best, BeneathMethod::fallback}) {
    for (const char* name : {"a/b/file.txt", "in", "inAbsolute"}) {
      const auto fd = openBeneath(rootFd.get(), path, name, O_RDONLY, method);
      ASSERT_TRUE(fd) << name;
      EXPECT_EQ(contentOf(*fd), "hello");
    }
    for (const char* name : {"out", "neighbour", "../secret.txt", "/etc/passwd"}) {
      const auto fd = openBeneath(rootFd.get(), path, name, O_RDONLY, method);
      ASSERT_FALSE(fd) << name;
      EXPECT_EQ(fd.error().code, ErrorCode::forbidden) << name;
    }
    EXPECT_EQ(openBeneath(rootFd.get(), path, "none", O_RDONLY, method).error().code, ErrorCode::notFound);
    EXPECT_TRUE(openBeneath(rootFd.get(), path, "", O_RDONLY | O_DIRECTORY, method));
  }
}

TEST_F(ServedRootTest, SaysWhatIsWrong) {
  folder_.link("served/nowhere", "nothing");
  folder_.link("served/ring", "ring");
  EXPECT_EQ(refused("none"), ErrorCode::notFound);
  EXPECT_EQ(refused("a/b/file.txt/more"), ErrorCode::notFound);
  EXPECT_EQ(refused("nowhere"), ErrorCode::notFound);
  EXPECT_EQ(refused("a"), ErrorCode::invalidInput);
  EXPECT_EQ(refused(""), ErrorCode::invalidInput);
  EXPECT_EQ(refused("ring"), ErrorCode::invalidInput);
  EXPECT_EQ(refused(std::string("a/b/file.txt\0.nii", 17)), ErrorCode::invalidInput);
  EXPECT_EQ(refused(std::string(5000, 'a')), ErrorCode::invalidInput);
  EXPECT_EQ(root().openFolder("a/b/file.txt").error().code, ErrorCode::invalidInput);
  EXPECT_EQ(root().openFile("none").error().where, "none");
}

TEST_F(ServedRootTest, APipeNeitherBlocksNorOpens) {
  ASSERT_EQ(::mkfifo((folder_ / "served/pipe").c_str(), 0644), 0);
  EXPECT_EQ(refused("pipe"), ErrorCode::invalidInput);
  EXPECT_EQ(root().stat("pipe")->type, FileType::other);
}

TEST_F(ServedRootTest, TellsSizeTimeAndIdentity) {
  folder_.link("served/link", "a/b/file.txt");
  const auto stat = root().stat("a/b/file.txt");
  ASSERT_TRUE(stat);
  EXPECT_EQ(stat->sizeBytes, 5);
  EXPECT_EQ(stat->type, FileType::regular);
  EXPECT_GT(stat->modifiedNs, 1'600'000'000LL * 1'000'000'000);
  EXPECT_EQ(root().stat("link")->inode, stat->inode);
  EXPECT_EQ(root().stat("a")->type, FileType::folder);
}

TEST_F(ServedRootTest, NamesOfAnyBytesOpen) {
  for (const std::string name :
       {"new\nline", "qu\"o'te", "bl ank", "gr\xc3\xbc\xc3\x9f", "bad\xff\xfe", "\\", "-rf", "..."}) {
    folder_.file("served/" + name, "hello");
    EXPECT_TRUE(root().openFile(name)) << name;
  }
}

TEST_F(ServedRootTest, TheRootMustBeAFolder) {
  EXPECT_EQ(ServedRoot::open(folder_ / "none").error().code, ErrorCode::notFound);
  EXPECT_EQ(ServedRoot::open(folder_ / "secret.txt").error().code, ErrorCode::invalidInput);
  folder_.link("link", "served");
  EXPECT_EQ(ServedRoot::open(folder_ / "link")->path(), folder_ / "served");
}

TEST_F(ServedRootTest, ReplacingTheFolderUnderTheServerChangesNothing) {
  const ServedRoot before = root();
  std::filesystem::rename(folder_ / "served", folder_ / "moved");
  folder_.link("served", "served-too");
  EXPECT_TRUE(before.openFile("a/b/file.txt"));
  EXPECT_FALSE(before.openFile("secret.txt"));
}

}  // namespace
}  // namespace nora
