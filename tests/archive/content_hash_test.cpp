#include "archive/files/content_hash.hpp"
#include "base/unique_fd.hpp"
#include "tests/archive/temporary_folder.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>

namespace nora {
namespace {

class ContentHashTest : public testing::Test {
 protected:
  Result<std::string> hashOf(const std::string& content, std::int64_t size = -1) {
    folder.file("f", content);
    const UniqueFd fd(::open((folder / "f").c_str(), O_RDONLY | O_CLOEXEC));
    return contentHash(fd.get(), size < 0 ? static_cast<std::int64_t>(content.size()) : size, {});
  }
  TemporaryFolder folder;
};

TEST_F(ContentHashTest, OfSmallFilesIsSha256OfAll) {
  EXPECT_EQ(hashOf("abc"), "whole:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(hashOf(""), "whole:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  std::string most(256 << 10, 'x');
  const auto before = hashOf(most);
  EXPECT_TRUE(isOfWholeContent(*before));
  for (const std::size_t at : {std::size_t{0}, most.size() / 2, most.size() - 1}) {
    most[at] = 'y';
    EXPECT_NE(*hashOf(most), *before) << at;
    most[at] = 'x';
  }
}

TEST_F(ContentHashTest, OfLargeFilesKnowsSizeBeginningAndEnd) {
  std::string large((1 << 20) + 17, 'x');
  const auto before = hashOf(large);
  ASSERT_TRUE(before);
  EXPECT_FALSE(isOfWholeContent(*before));
  EXPECT_NE(*hashOf(large + "x"), *before);
  for (const std::size_t at : {std::size_t{0}, std::size_t{65535}, large.size() - 1, large.size() - 65536}) {
    large[at] = 'y';
    EXPECT_NE(*hashOf(large), *before) << at;
    large[at] = 'x';
  }
  EXPECT_EQ(*hashOf(large), *before);
}

TEST_F(ContentHashTest, AFileThatIsShorterThanWasSaidIsAnError) {
  for (const std::int64_t size : {std::int64_t{10}, std::int64_t{1} << 30}) {
    const auto hash = hashOf("abc", size);
    ASSERT_FALSE(hash);
    EXPECT_EQ(hash.error().code, ErrorCode::unavailable);
  }
}

}  // namespace
}  // namespace nora
