#include "image/io/reader_pool.hpp"

#include "reader_fixture.hpp"

#include <algorithm>
#include <csignal>
#include <cstring>
#include <fstream>
#include <map>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/wait.h>

namespace nora {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;

class ReaderPoolTest : public testing::Test {
 protected:
  TemporaryFolder folder_;
  ReaderPool pool_{NORA_READER_PROGRAM, smallLimits()};
};

std::size_t openDescriptors() {
  return static_cast<std::size_t>(std::distance(std::filesystem::directory_iterator("/proc/self/fd"), {}));
}

/// Waits until a reader process lives that is busy, so that a test can disturb it.
int onlyProcess(const ReaderPool& pool) {
  std::vector<int> ids;
  while ((ids = pool.processIds()).empty()) std::this_thread::yield();
  return ids.front();
}

TEST_F(ReaderPoolTest, ReadsVoxelsStatisticsAndGeometry) {
  const auto volume = readOne(pool_, folder_.order("image"));
  ASSERT_TRUE(volume) << describe(volume.error());
  EXPECT_EQ(volume->name(), "the image");
  EXPECT_EQ(volume->dims(), (std::array<std::int64_t, 3>{4, 3, 2}));
  EXPECT_EQ(volume->value(0, 0, 0), 1);
  EXPECT_EQ(volume->value(3, 2, 1), 24);
  ASSERT_TRUE(volume->info().statistics);
  EXPECT_EQ(volume->info().statistics->max, 24);
  EXPECT_EQ(volume->info().statistics->finite, 24u);
}

TEST_F(ReaderPoolTest, HandsOverMoreFilesThanOneMessageTakes) {
  std::vector<OpenedFile> files;
  for (int i = 0; i < 300; ++i) files.push_back(folder_.order("image"));
  const auto volume = pool_.read(files, "series", {});
  ASSERT_TRUE(volume) << describe(volume.error());
  EXPECT_EQ(volume->value(0, 0, 0), 300 % 256);  // the reader counts its files
}

TEST_F(ReaderPoolTest, ProcessIsUsedAgain) {
  ASSERT_TRUE(readOne(pool_, folder_.order("image")));
  const auto before = pool_.processIds();
  ASSERT_EQ(before.size(), 1u);
  ASSERT_TRUE(readOne(pool_, folder_.order("image")));
  EXPECT_EQ(pool_.processIds(), before);
  EXPECT_FALSE(readOne(pool_, folder_.order("refuse")));
  EXPECT_EQ(pool_.processIds(), before) << "an error of the file is no reason to start anew";
}

TEST_F(ReaderPoolTest, ProcessIsReplacedAfterItsRequests) {
  auto limits = smallLimits();
  limits.requestsPerProcess = 2;
  ReaderPool pool(NORA_READER_PROGRAM, limits);
  ASSERT_TRUE(readOne(pool, folder_.order("image")));
  EXPECT_EQ(pool.processIds().size(), 1u);
  ASSERT_TRUE(readOne(pool, folder_.order("image")));
  EXPECT_TRUE(pool.processIds().empty());
  EXPECT_TRUE(readOne(pool, folder_.order("image")));
}

TEST_F(ReaderPoolTest, ErrorOfTheReaderArrivesWithItsFile) {
  const auto volume = readOne(pool_, folder_.order("refuse", "odd\xff\nname"));
  ASSERT_FALSE(volume);
  EXPECT_EQ(volume.error().code, ErrorCode::unsupported);
  EXPECT_EQ(volume.error().what, "refused on purpose");
  EXPECT_EQ(volume.error().where, "odd\xff\nname");
}

TEST_F(ReaderPoolTest, UnknownFormatIsNamedAsSuch) {
  auto file = openRegularFile(folder_.write("notes.txt", "hello"), "notes.txt");
  ASSERT_TRUE(file);
  const auto volume = readOne(pool_, std::move(*file));
  ASSERT_FALSE(volume);
  EXPECT_EQ(volume.error().code, ErrorCode::unsupported);
  EXPECT_EQ(volume.error().where, "notes.txt");
  const auto none = pool_.read({}, "nothing", {});
  ASSERT_FALSE(none);
  EXPECT_EQ(none.error().code, ErrorCode::invalidInput);
}

struct Misdeed {
  const char* order;
  ErrorCode code;
  const char* what;
};

class ReaderMisdeed : public testing::TestWithParam<Misdeed> {};

TEST_P(ReaderMisdeed, FailsThatFileOnly) {
  const TemporaryFolder folder;
  ReaderPool pool(NORA_READER_PROGRAM, smallLimits());
  const auto volume = readOne(pool, folder.order(GetParam().order));
  ASSERT_FALSE(volume);
  EXPECT_EQ(volume.error().code, GetParam().code) << volume.error().what;
  EXPECT_THAT(volume.error().what, HasSubstr(GetParam().what));
  EXPECT_FALSE(volume.error().where.empty());
  EXPECT_TRUE(readOne(pool, folder.order("image"))) << "the next file is read as if nothing had happened";
}

INSTANTIATE_TEST_SUITE_P(All, ReaderMisdeed,
                         testing::Values(Misdeed{"crash", ErrorCode::unavailable, crashed},
                                         Misdeed{"abort", ErrorCode::unavailable, "the reader stopped (signal 6)"},
                                         Misdeed{"quit", ErrorCode::unavailable, "the reader stopped (exit status 7)"},
                                         Misdeed{"throw", ErrorCode::internal, "a library threw"},
                                         Misdeed{"huge", ErrorCode::limitExceeded, "the limit is"},
                                         Misdeed{"twice", ErrorCode::internal, "only once"},
                                         Misdeed{"short", ErrorCode::internal, "fewer voxels"}));

TEST_F(ReaderPoolTest, MemoryOfAReaderIsBounded) {
  if (sanitized) GTEST_SKIP() << "sanitizers reserve more address space than any limit";
  const auto volume = readOne(pool_, folder_.order("exhaust"));
  ASSERT_FALSE(volume);
  EXPECT_EQ(volume.error().code, ErrorCode::limitExceeded);
  EXPECT_TRUE(readOne(pool_, folder_.order("image")));
}

TEST_F(ReaderPoolTest, KillingTheReaderFailsOnlyTheFileBeingRead) {
  Result<Volume> read = fail(ErrorCode::internal, "");
  std::thread reading([&] { read = readOne(pool_, folder_.order("sleep")); });
  ::kill(onlyProcess(pool_), SIGKILL);
  reading.join();
  ASSERT_FALSE(read);
  EXPECT_EQ(read.error().code, ErrorCode::unavailable);
  EXPECT_THAT(read.error().what, HasSubstr("signal 9"));
  EXPECT_TRUE(readOne(pool_, folder_.order("image")));
}

TEST_F(ReaderPoolTest, DeathWhileIdleIsNotNoticedByTheNextFile) {
  ASSERT_TRUE(readOne(pool_, folder_.order("image")));
  const int id = onlyProcess(pool_);
  ::kill(id, SIGKILL);
  siginfo_t info{};
  ASSERT_EQ(::waitid(P_PID, static_cast<id_t>(id), &info, WEXITED | WNOWAIT), 0);
  EXPECT_TRUE(readOne(pool_, folder_.order("image")));
}

TEST_F(ReaderPoolTest, ReaderThatTakesTooLongIsStopped) {
  auto limits = smallLimits();
  limits.readTime = 300ms;
  ReaderPool pool(NORA_READER_PROGRAM, limits);
  const auto volume = readOne(pool, folder_.order("sleep"));
  ASSERT_FALSE(volume);
  EXPECT_EQ(volume.error().code, ErrorCode::unavailable);
  EXPECT_EQ(volume.error().what, "the reader took longer than 0.3 s");
  EXPECT_TRUE(pool.processIds().empty());
}

TEST_F(ReaderPoolTest, StopEndsAReadAtOnce) {
  std::stop_source stop;
  Result<Volume> read = fail(ErrorCode::internal, "");
  std::thread reading([&] { read = readOne(pool_, folder_.order("sleep"), stop.get_token()); });
  onlyProcess(pool_);
  const auto before = std::chrono::steady_clock::now();
  stop.request_stop();
  reading.join();
  EXPECT_LT(std::chrono::steady_clock::now() - before, 5s);
  ASSERT_FALSE(read);
  EXPECT_EQ(read.error().code, ErrorCode::cancelled);
  const auto later = readOne(pool_, folder_.order("image"), stop.get_token());
  ASSERT_FALSE(later) << "a stop that came before counts as well";
  EXPECT_EQ(later.error().code, ErrorCode::cancelled);
}

TEST_F(ReaderPoolTest, StopEndsWaitingForAFreeProcess) {
  auto limits = smallLimits();
  limits.processes = 1;
  ReaderPool pool(NORA_READER_PROGRAM, limits);
  std::stop_source stopFirst;
  std::thread first([&] { (void)readOne(pool, folder_.order("sleep"), stopFirst.get_token()); });
  onlyProcess(pool);
  const TemporaryFolder other;
  std::stop_source stopSecond;
  std::thread stopping([&] { stopSecond.request_stop(); });
  const auto second = readOne(pool, other.order("image"), stopSecond.get_token());
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code, ErrorCode::cancelled);
  stopping.join();
  stopFirst.request_stop();
  first.join();
}

TEST_F(ReaderPoolTest, ManyThreadsShareFewProcesses) {
  std::vector<std::jthread> threads;
  std::atomic<int> good = 0;
  std::size_t most = 0;
  for (int i = 0; i < 8; ++i) {
    threads.emplace_back([&] {
      const TemporaryFolder folder;
      for (int k = 0; k < 10; ++k) good += readOne(pool_, folder.order(k % 5 == 3 ? "crash" : "image")).has_value();
    });
  }
  while (good < 8) most = std::max(most, pool_.processIds().size());
  threads.clear();
  EXPECT_EQ(good, 8 * 8);
  EXPECT_LE(most, smallLimits().processes);
}

TEST_F(ReaderPoolTest, LeavesNoDescriptorAndNoProcessBehind) {
  (void)readOne(pool_, folder_.order("image"));
  const std::size_t before = openDescriptors();
  for (const char* order : {"image", "crash", "refuse", "short", "image"}) (void)readOne(pool_, folder_.order(order));
  EXPECT_EQ(openDescriptors(), before);
  std::vector<int> ids;
  {
    ReaderPool pool(NORA_READER_PROGRAM, smallLimits());
    (void)readOne(pool, folder_.order("image"));
    ids = pool.processIds();
  }
  ASSERT_EQ(ids.size(), 1u);
  EXPECT_EQ(::kill(ids.front(), 0), -1);
}

TEST_F(ReaderPoolTest, ReaderCannotReachTheSystem) {
  const auto files = folder_.orders({"forbidden"});
  const auto found = pool_.peek(files, {});
  ASSERT_TRUE(found.at(0)) << describe(found[0].error());
  const std::string& report = found[0]->format;
  EXPECT_THAT(report, HasSubstr("socket: Operation not permitted"));
  if (sanitized) return;  // they need to open files
  EXPECT_THAT(report, testing::Not(HasSubstr("possible")));
  EXPECT_EQ(report.find("open: Operation not permitted"), 0u) << report;
}

/// The smallest NIfTI-1 file: 2 x 2 x 2 uint8 of 1 mm. Source: nifti1.h.
std::string tinyNifti() {
  std::string bytes(352, '\0');
  const auto put = [&](std::size_t at, auto value) { std::memcpy(bytes.data() + at, &value, sizeof value); };
  put(0, std::int32_t{348});
  for (const std::size_t i : {0U, 1U, 2U, 3U}) put(40 + 2 * i, static_cast<std::int16_t>(i == 0 ? 3 : 2));
  put(70, std::int16_t{2});
  put(72, std::int16_t{8});
  for (const std::size_t i : {1U, 2U, 3U}) put(76 + 4 * i, 1.0F);
  put(108, 352.0F);
  bytes.replace(344, 4, std::string("n+1\0", 4));
  return bytes + std::string("\1\2\3\4\5\6\7\10");
}

TEST(ReaderPool, ProductsOwnReadersWorkInTheSandbox) {
  const TemporaryFolder folder;
  ReaderPool pool(folder.program("nora"), smallLimits());
  std::vector<OpenedFile> files;
  files.push_back(std::move(*openRegularFile(folder.write("a.nii", tinyNifti()), "a.nii")));
  files.push_back(std::move(*openRegularFile(folder.write("b.nii", tinyNifti().substr(0, 100)), "b.nii")));
  const auto found = pool.peek(files, {});
  ASSERT_TRUE(found[0]) << describe(found[0].error());
  EXPECT_EQ(found[0]->format, "NIfTI-1");
  EXPECT_EQ(found[0]->kind, "image");
  const auto volume = pool.read(std::span(files).first(1), "a.nii", {});
  ASSERT_TRUE(volume) << describe(volume.error());
  EXPECT_EQ(volume->value(1, 1, 1), 8);
  EXPECT_EQ(volume->info().statistics->mean, 4.5);
}

TEST(ReaderPool, LargePlainVoxelsStayInTheirFile) {
  const TemporaryFolder folder;
  auto limits = smallLimits();
  limits.inPlaceBytes = 8;
  ReaderPool pool(folder.program("nora"), limits);
  const auto path = folder.write("a.nii", tinyNifti());
  const auto volume = readOne(pool, std::move(*openRegularFile(path, "a.nii")));
  ASSERT_TRUE(volume) << describe(volume.error());
  EXPECT_EQ(volume->value(1, 1, 1), 8);
  EXPECT_EQ(volume->info().statistics->mean, 4.5);
  EXPECT_TRUE(volume->isIntact());
  std::fstream(path, std::ios::in | std::ios::out | std::ios::binary).seekp(352).put('\77').flush();
  EXPECT_FALSE(volume->isIntact());
  EXPECT_EQ(volume->value(0, 0, 0), 63) << "else it was a copy";
}

TEST(ReaderPool, VoxelsBehindAHeaderOfAnyLengthAreRightWhetherTheyStayOrNot) {
  const TemporaryFolder folder;
  auto limits = smallLimits();
  limits.inPlaceBytes = 8;
  ReaderPool pool(folder.program("nora"), limits);
  int kept = 0;
  for (std::size_t more = 0; more < 16; ++more) {
    const std::string header = "ObjectType = Image\nNDims = 3\nComment = " + std::string(more + 1, 'x') +
                               "\nDimSize = 2 2 2\nElementSpacing = 1 1 1\nElementType = MET_UCHAR\n"
                               "ElementDataFile = LOCAL\n";
    const auto path = folder.write("a" + std::to_string(more) + ".mha", header + "\1\2\3\4\5\6\7\10");
    const auto volume = readOne(pool, std::move(*openRegularFile(path, path)));
    ASSERT_TRUE(volume) << describe(volume.error());
    EXPECT_EQ(volume->value(0, 0, 0), 1);
    EXPECT_EQ(volume->value(1, 1, 1), 8);
    std::fstream(path, std::ios::in | std::ios::out | std::ios::binary).seekp(0).put('o').flush();
    kept += volume->isIntact() ? 0 : 1;
  }
  EXPECT_EQ(kept, 1) << "one length in sixteen is aligned";
}

TEST(ReaderPool, VoxelsThatAreConvertedOrFewAreCopied) {
  const TemporaryFolder folder;
  auto limits = smallLimits();
  limits.inPlaceBytes = 9;
  ReaderPool pool(folder.program("nora"), limits);
  const auto few = folder.write("few.nii", tinyNifti());
  std::string swapped = tinyNifti();
  for (const std::size_t i : {0U, 1U}) std::swap(swapped[i], swapped[3 - i]);  // the size of the header
  for (std::size_t at = 40; at < 76; at += 2) std::swap(swapped[at], swapped[at + 1]);
  for (std::size_t at = 76; at < 112; at += 4) {
    for (const std::size_t i : {0U, 1U}) std::swap(swapped[at + i], swapped[at + 3 - i]);
  }
  swapped[71] = 4;  // int16 of the other byte order
  swapped[73] = 16;
  const auto other = folder.write("other.nii", swapped + std::string("\1\2\3\4\5\6\7\10"));
  for (const auto& [path, last] : std::map<std::string, double>{{few, 8}, {other, 7 * 256 + 8}}) {
    const auto volume = readOne(pool, std::move(*openRegularFile(path, path)));
    ASSERT_TRUE(volume) << describe(volume.error());
    EXPECT_EQ(volume->value(1, 1, 1), last);
    std::fstream(path, std::ios::in | std::ios::out | std::ios::binary).seekp(352).put('\77').flush();
    EXPECT_TRUE(volume->isIntact());
  }
}

TEST(ReaderPool, MissingProgramIsAnError) {
  const TemporaryFolder folder;
  ReaderPool pool(folder.path() / "no such program", smallLimits());
  const auto files = folder.orders({"image", "image"});
  for (const auto& result : pool.peek(files, {})) {
    ASSERT_FALSE(result);
    EXPECT_EQ(result.error().code, ErrorCode::internal);
  }
  EXPECT_FALSE(pool.read(files, "x", {}));
}

TEST(ReaderPool, ProgramThatQuitsOrSleepsAtStartIsAnError) {
  const TemporaryFolder folder;
  auto limits = smallLimits();
  limits.readTime = 300ms;
  for (const char* name : {"quitter", "sleeper"}) {
    ReaderPool pool(folder.program(name), limits);
    const auto files = folder.orders(std::vector<std::string>(50, "image"));
    const auto before = std::chrono::steady_clock::now();
    for (const auto& result : pool.peek(files, {})) {
      ASSERT_FALSE(result);
      EXPECT_EQ(result.error().code, ErrorCode::unavailable);
      EXPECT_THAT(result.error().what, HasSubstr("could not start"));
    }
    EXPECT_LT(std::chrono::steady_clock::now() - before, 10s) << "it is tried once, not once a file";
  }
}

TEST(OpenRegularFile, SaysWhyAFileCannotBeOpened) {
  const TemporaryFolder folder;
  const auto codeOf = [&](const std::filesystem::path& path) {
    const auto opened = openRegularFile(path, "shown");
    EXPECT_FALSE(opened);
    EXPECT_EQ(opened ? "" : opened.error().where, "shown");
    return opened ? ErrorCode::internal : opened.error().code;
  };
  EXPECT_EQ(codeOf(folder.path() / "missing"), ErrorCode::notFound);
  EXPECT_EQ(codeOf(folder.path()), ErrorCode::invalidInput);
  EXPECT_EQ(codeOf("/dev/null"), ErrorCode::invalidInput);
  ASSERT_EQ(::mkfifo((folder.path() / "pipe").c_str(), 0600), 0);
  EXPECT_EQ(codeOf(folder.path() / "pipe"), ErrorCode::invalidInput) << "and does not block";
  std::filesystem::create_symlink("loop", folder.path() / "loop");
  EXPECT_EQ(codeOf(folder.path() / "loop"), ErrorCode::invalidInput);
  if (::geteuid() != 0) {
    const auto secret = folder.write("secret", "x");
    ::chmod(secret.c_str(), 0);
    EXPECT_EQ(codeOf(secret), ErrorCode::forbidden);
  }
}

}  // namespace
}  // namespace nora
