#include "reader_fixture.hpp"

#include "image/io/reader_protocol.hpp"

#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace nora {
namespace {

using testing::HasSubstr;

class ReaderPeek : public testing::Test {
 protected:
  TemporaryFolder folder_;
  ReaderPool pool_{NORA_READER_PROGRAM, smallLimits()};
};

TEST_F(ReaderPeek, ThousandFilesComeBackInOrder) {
  const auto files = folder_.orders(std::vector<std::string>(1000, "name"));
  const auto found = pool_.peek(files, {});
  ASSERT_EQ(found.size(), 1000u);
  for (std::size_t i = 0; i < found.size(); ++i) {
    ASSERT_TRUE(found[i]);
    EXPECT_EQ(found[i]->format, std::to_string(i));
  }
}

TEST_F(ReaderPeek, FileThatKillsTheReaderFailsAlone) {
  const auto files = folder_.orders({"image", "crash", "image", "refuse", "abort", "image"});
  const auto found = pool_.peek(files, {});
  ASSERT_EQ(found.size(), 6u);
  EXPECT_TRUE(found[0]);
  ASSERT_FALSE(found[1]);
  EXPECT_EQ(found[1].error().code, ErrorCode::unavailable);
  EXPECT_THAT(found[1].error().what, HasSubstr(crashed));
  EXPECT_EQ(found[1].error().where, "1");
  EXPECT_TRUE(found[2]);
  ASSERT_FALSE(found[3]);
  EXPECT_EQ(found[3].error().code, ErrorCode::unsupported);
  ASSERT_FALSE(found[4]);
  EXPECT_EQ(found[4].error().what, "the reader stopped (signal 6)");
  EXPECT_TRUE(found[5]);
}

TEST_F(ReaderPeek, SlowFileFailsAlone) {
  auto limits = smallLimits();
  limits.readTime = std::chrono::milliseconds(500);
  ReaderPool pool(NORA_READER_PROGRAM, limits);
  const auto files = folder_.orders({"image", "sleep", "image"});
  const auto found = pool.peek(files, {});
  EXPECT_TRUE(found[0]);
  ASSERT_FALSE(found[1]);
  EXPECT_THAT(found[1].error().what, HasSubstr("took longer"));
  EXPECT_TRUE(found[2]);
}

TEST_F(ReaderPeek, UnknownFilesAreOther) {
  std::vector<OpenedFile> files;
  for (const std::string content : {"hello", "", "NORA"}) {
    files.push_back(std::move(*openRegularFile(folder_.write("f", content), "f")));
    std::filesystem::remove(folder_.path() / "f");
  }
  for (const auto& result : pool_.peek(files, {})) {
    ASSERT_TRUE(result) << describe(result.error());
    EXPECT_EQ(result->kind, "other");
    EXPECT_TRUE(result->format.empty());
  }
}

TEST_F(ReaderPeek, OddNamesArriveByteForByte) {
  std::string allBytes;
  for (int i = 1; i < 256; ++i) allBytes += static_cast<char>(i);
  const std::vector<std::string> names{"a\nb", "\"quoted\"", "back\\slash", "\xff\xfe", "Gehirn-\xc3\xa4",
                                       "",     allBytes};
  std::vector<OpenedFile> files;
  for (const auto& name : names) files.push_back(folder_.order("name", name));
  const auto found = pool_.peek(files, {});
  for (std::size_t i = 0; i < names.size(); ++i) {
    ASSERT_TRUE(found[i]);
    EXPECT_EQ(reader::bytesFromUtf8(found[i]->format), names[i]);
  }
}

TEST_F(ReaderPeek, HeaderLargerThanADatagramArrives) {
  const auto files = folder_.orders({"big header", "image"});
  const auto found = pool_.peek(files, {});
  ASSERT_TRUE(found[0]) << describe(found[0].error());
  EXPECT_EQ(found[0]->header["warnings"].size(), 1000u);
  EXPECT_TRUE(found[1]);
}

TEST_F(ReaderPeek, LongErrorIsCut) {
  const auto files = folder_.orders({"long"});
  const auto found = pool_.peek(files, {});
  ASSERT_FALSE(found[0]);
  EXPECT_EQ(found[0].error().code, ErrorCode::invalidInput);
  EXPECT_LT(found[0].error().what.size(), 5000u);
}

TEST_F(ReaderPeek, SingularAffineIsRefused) {
  const auto files = folder_.orders({"singular", "image"});
  const auto found = pool_.peek(files, {});
  ASSERT_FALSE(found[0]);
  EXPECT_EQ(found[0].error().code, ErrorCode::invalidInput);
  EXPECT_TRUE(found[1]);
}

TEST_F(ReaderPeek, StopLeavesTheRestCancelled) {
  const auto files = folder_.orders({"image", "sleep", "image", "image"});
  std::stop_source stop;
  std::vector<Result<FileSummary>> found;
  std::thread peeking([&] { found = pool_.peek(files, stop.get_token()); });
  while (pool_.processIds().empty()) std::this_thread::yield();
  stop.request_stop();
  peeking.join();
  ASSERT_EQ(found.size(), 4u);
  for (std::size_t i = 1; i < 4; ++i) {
    ASSERT_FALSE(found[i]);
    EXPECT_EQ(found[i].error().code, ErrorCode::cancelled);
  }
}

class ReaderLie : public testing::TestWithParam<const char*> {};

TEST_P(ReaderLie, IsAnErrorAndNothingElse) {
  const TemporaryFolder folder;
  ReaderPool pool(folder.program("liar"), smallLimits());
  std::vector<OpenedFile> files;
  files.push_back(folder.order("content that is long enough", GetParam()));
  const auto read = pool.readContent(files, "content", {}, {});
  ASSERT_FALSE(read);
  EXPECT_FALSE(read.error().what.empty());
  EXPECT_FALSE(pool.peek(files, {}).at(0));
}

INSTANTIATE_TEST_SUITE_P(
    All, ReaderLie,
    testing::Values("nothing known", "no offset", "negative offset", "far offset", "odd offset", "info is text",
                    "error is text", "error of numbers", "odd kind", "odd header", "header for other", "huge claim",
                    "more than there is", "garbage", "no json", "deep json", "not an object", "empty datagram",
                    "oversized datagram", "endless", "closes and stays", "unsealed", "empty", "endless progress",
                    "time beyond", "no time held", "document outside", "mesh corner beyond", "mesh array outside",
                    "mesh array unaligned", "mesh array huge", "mesh wrong type", "mesh without corners",
                    "mesh data elsewhere", "mesh data short", "mesh labels of floats", "tracts offsets descend",
                    "tracts offsets end early", "tracts member beyond", "tracts short offsets", "in file of nobody",
                    "in file but fewer", "in file beyond its end", "in file far off", "in file unaligned"));

TEST(ReaderLies, HonestAnswerOfTheSameProgramIsBelieved) {
  const TemporaryFolder folder;
  ReaderPool pool(folder.program("liar"), smallLimits());
  const auto read = readOne(pool, folder.order("image", "the truth"));
  EXPECT_TRUE(read) << describe(read.error()) << ": else the lies above prove nothing";
  for (const char* order : {"mesh", "tracts", "in file"}) {
    std::vector<OpenedFile> files;
    files.push_back(folder.order("content that is long enough", order));
    const auto content = pool.readContent(files, "content", {}, {});
    EXPECT_TRUE(content) << order << ": " << describe(content.error());
  }
}

TEST(ReaderLies, DescriptorsFromTheReaderAreDropped) {
  const TemporaryFolder folder;
  ReaderPool pool(folder.program("liar"), smallLimits());
  EXPECT_TRUE(readOne(pool, folder.order("image", "the truth")));
  const auto count = [] { return std::distance(std::filesystem::directory_iterator("/proc/self/fd"), {}); };
  const auto before = count();
  EXPECT_TRUE(readOne(pool, folder.order("image", "descriptors back")));
  EXPECT_EQ(count(), before);
}

TEST(ReaderProtocol, AnyBytesSurviveTheWayThroughJson) {
  std::string all;
  for (int i = 0; i < 256; ++i) all += static_cast<char>(i);
  EXPECT_EQ(reader::bytesFromUtf8(reader::utf8FromBytes(all)), all);
  EXPECT_EQ(reader::utf8FromBytes("plain.nii"), "plain.nii");
  EXPECT_EQ(reader::bytesFromUtf8("\xe2\x82\xac!"), "?!");
  EXPECT_EQ(reader::bytesFromUtf8("\xc3"), "?");
}

}  // namespace
}  // namespace nora
