#include "base/mapped_bytes.hpp"

#include <cstring>

#include <fcntl.h>
#include <gtest/gtest.h>

namespace nora {
namespace {

TEST(MappedBytes, SealedMemoryFileCanBeReadAndNeverWritten) {
  const auto fd = createMemoryFile("m", 5000);
  ASSERT_TRUE(fd);
  {
    auto writable = MappedBytes::readWrite(fd->get(), 5000, "m");
    ASSERT_TRUE(writable);
    writable->writable()[4999] = std::byte{42};
    EXPECT_FALSE(sealMemoryFile(fd->get())) << "a writable mapping is still there";
    EXPECT_FALSE(isSealed(fd->get()));
  }
  ASSERT_TRUE(sealMemoryFile(fd->get()));
  EXPECT_TRUE(isSealed(fd->get()));
  const auto bytes = MappedBytes::readOnly(fd->get(), "m");
  ASSERT_TRUE(bytes);
  EXPECT_EQ(bytes->size(), 5000u);
  EXPECT_EQ(bytes->bytes()[4999], std::byte{42});
  EXPECT_LT(::write(fd->get(), "x", 1), 0);
  EXPECT_NE(::ftruncate(fd->get(), 0), 0);
  EXPECT_FALSE(MappedBytes::readWrite(fd->get(), 5000, "m"));
}

TEST(MappedBytes, PartlySealedIsNotSealed) {
  const auto fd = createMemoryFile("m", 10);
  ASSERT_TRUE(fd);
  ASSERT_EQ(::fcntl(fd->get(), F_ADD_SEALS, F_SEAL_WRITE | F_SEAL_GROW), 0);
  EXPECT_FALSE(isSealed(fd->get())) << "it could still be cut under our feet";
}

TEST(MappedBytes, OrdinaryFileIsNotSealed) {
  const UniqueFd fd(::open("/proc/self/exe", O_RDONLY | O_CLOEXEC));
  EXPECT_FALSE(isSealed(fd.get()));
  EXPECT_TRUE(MappedBytes::readOnly(fd.get(), "exe"));
}

TEST(MappedBytes, EmptyFileMapsToNothingAndDevicesNotAtAll) {
  const auto fd = createMemoryFile("m", 0);
  ASSERT_TRUE(fd);
  const auto bytes = MappedBytes::readOnly(fd->get(), "m");
  ASSERT_TRUE(bytes);
  EXPECT_EQ(bytes->size(), 0u);
  const UniqueFd device(::open("/dev/zero", O_RDONLY | O_CLOEXEC));
  EXPECT_FALSE(MappedBytes::readOnly(device.get(), "zero"));
}

TEST(MappedBytes, MovingHandsTheMappingOver) {
  const auto fd = createMemoryFile("m", 100);
  auto first = MappedBytes::readWrite(fd->get(), 100, "m");
  ASSERT_TRUE(first);
  const std::byte* address = first->bytes().data();
  MappedBytes second = std::move(*first);
  EXPECT_EQ(second.bytes().data(), address);
  second.writable()[99] = std::byte{1};
  MappedBytes third;
  third = std::move(second);
  EXPECT_EQ(third.bytes()[99], std::byte{1});
}

}  // namespace
}  // namespace nora
