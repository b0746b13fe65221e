#include "base/mapped_bytes.hpp"

#include <csignal>
#include <cstring>
#include <filesystem>
#include <string>
#include <vector>

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

namespace nora {
namespace {

constexpr std::size_t page = 4096;

/// A file of 16 pages whose byte i is i / 64 and a descriptor that may write it.
class FileGuardTest : public testing::Test {
 protected:
  FileGuardTest() {
    std::string path = std::filesystem::temp_directory_path() / "nora_guard_XXXXXX";
    fd_ = UniqueFd(::mkstemp(path.data()));
    std::filesystem::remove(path);
    std::vector<char> content(16 * page);
    for (std::size_t i = 0; i < content.size(); ++i) content[i] = static_cast<char>(i / 64);
    EXPECT_EQ(::pwrite(fd_.get(), content.data(), content.size(), 0), static_cast<ssize_t>(content.size()));
    // A change in the same tick of the file system's clock could not be told from none.
    const timespec longAgo[2] = {{1000, 0}, {1000, 0}};
    EXPECT_EQ(::futimens(fd_.get(), longAgo), 0);
  }
  Result<MappedBytes> map(const FilePart& part) {
    return MappedBytes::ofFile(fd_.get(), *stampOf(fd_.get()), part, "f");
  }

  UniqueFd fd_;
};

TEST_F(FileGuardTest, APartAndItsPaddingAreMapped) {
  const auto inside = map({100, 5000, 64});
  ASSERT_TRUE(inside);
  EXPECT_EQ(inside->bytes().size(), 5064u);
  EXPECT_EQ(inside->bytes()[0], std::byte{100 / 64});
  EXPECT_EQ(inside->bytes()[4999], static_cast<std::byte>(5099 / 64));
  EXPECT_TRUE(inside->isIntact());
  // To the very end of the last page: the padding lies in a page that the file does not have.
  const auto atEnd = map({2 * page + 16, 14 * page - 16, 64});
  ASSERT_TRUE(atEnd);
  EXPECT_EQ(atEnd->bytes()[14 * page - 17], static_cast<std::byte>(16 * page / 64 - 1));
  EXPECT_EQ(atEnd->bytes()[14 * page - 16 + 63], std::byte{0});
}

TEST_F(FileGuardTest, APartThatTheFileDoesNotHaveIsRefused) {
  EXPECT_FALSE(map({15 * page, page + 1, 0}));
  EXPECT_FALSE(map({17 * page, 1, 0}));
  EXPECT_FALSE(map({~std::uint64_t{0} - 10, 100, 0}));
  EXPECT_FALSE(map({0, 0, 0}));
}

TEST_F(FileGuardTest, AFileThatWasChangedSinceItsStampIsRefused) {
  const auto stamp = stampOf(fd_.get());
  ASSERT_EQ(::pwrite(fd_.get(), "x", 1, 0), 1);
  const auto mapped = MappedBytes::ofFile(fd_.get(), *stamp, {0, 100, 0}, "the file");
  ASSERT_FALSE(mapped);
  EXPECT_EQ(mapped.error().where, "the file");
}

TEST_F(FileGuardTest, AChangedFileIsNotIntact) {
  const auto mapped = map({0, 16 * page, 0});
  ASSERT_TRUE(mapped && mapped->isIntact());
  ASSERT_EQ(::pwrite(fd_.get(), "x", 1, 7), 1);
  EXPECT_FALSE(mapped->isIntact());
}

TEST_F(FileGuardTest, BytesOfACutFileReadAsZerosAndTheOthersStay) {
  auto mapped = map({0, 16 * page, 0});
  const auto other = map({0, 2 * page, 0});
  ASSERT_TRUE(mapped && other);
  ASSERT_EQ(::ftruncate(fd_.get(), 3 * page), 0);
  const MappedBytes moved = std::move(*mapped);  // the guard goes with the bytes
  EXPECT_EQ(moved.bytes()[15 * page], std::byte{0});
  EXPECT_EQ(moved.bytes()[5 * page + 3], std::byte{0});
  EXPECT_EQ(moved.bytes()[3 * page - 1], static_cast<std::byte>(3 * page / 64 - 1));
  EXPECT_FALSE(moved.isIntact());
  EXPECT_EQ(other->bytes()[page], static_cast<std::byte>(page / 64));
}

TEST_F(FileGuardTest, PlacesAreFreeAgainWhenMappingsEnd) {
  for (int i = 0; i < 20000; ++i) ASSERT_TRUE(map({0, page, 0})) << i;  // more than there are places
}

using FileGuardDeathTest = FileGuardTest;

TEST_F(FileGuardDeathTest, AFaultElsewhereStillEndsTheProgram) {
  const auto guarded = map({0, page, 0});
  ASSERT_TRUE(guarded);
  const auto plain = MappedBytes::readOnly(fd_.get(), "f");
  ASSERT_TRUE(plain);
  ASSERT_EQ(::ftruncate(fd_.get(), 0), 0);
  const auto touch = [&] { std::_Exit(std::to_integer<int>(plain->bytes()[5 * page])); };
  EXPECT_EXIT(
      touch(), [](int status) { return status != 0; }, "");
}

}  // namespace
}  // namespace nora
