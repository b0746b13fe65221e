// FreeSurfer's surfaces and values: where points lie, which format a file is, what is refused.
#include "image/io/freesurfer_reader.hpp"
#include "tract_test_support.hpp"

namespace nora {
namespace {

using testing::append;
using testing::Bytes;
using testing::bytesOf;
using testing::dataFile;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using testing::refusal;

const FreeSurferReader reader;

Result<Surface> read(const std::string& name, const Bytes& bytes) {
  auto content = testing::readContent(reader, {{name, bytes}});
  if (!content) return tl::make_unexpected(content.error());
  return std::move(std::get<Surface>(*content));
}

template <class T>
void big(Bytes& bytes, T value) {
  auto raw = std::bit_cast<std::array<std::byte, sizeof(T)>>(value);
  std::reverse(raw.begin(), raw.end());
  bytes.insert(bytes.end(), raw.begin(), raw.end());
}

/// One triangle with the points (1, 2, 3), (4, 5, 6), (7, 8, 10).
Bytes triangleFile() {
  Bytes file = bytesOf(
      "\xff\xff\xfe"
      "created by nobody\n\n");
  big<std::int32_t>(file, 3);
  big<std::int32_t>(file, 1);
  for (const float v : {1, 2, 3, 4, 5, 6, 7, 8, 10}) big<float>(file, v);
  for (const std::int32_t v : {0, 1, 2}) big(file, v);
  return file;
}

std::vector<float> firstPoint(const Surface& surface) {
  return {surface.points().begin(), surface.points().begin() + 3};
}

TEST(FreeSurferReader, WithoutAVolumePointsStayTkRasAndAWarningSaysSo) {
  const auto surface = read("sub/surf/lh.white", triangleFile());
  ASSERT_TRUE(surface) << describe(surface.error());
  EXPECT_THAT(firstPoint(*surface), ElementsAre(1, 2, 3));
  EXPECT_EQ(surface->info().space, "tkRAS");
  EXPECT_EQ(surface->info().structure, "CortexLeft");
  EXPECT_THAT(surface->info().warnings, ElementsAre(HasSubstr("tkRAS")));
}

TEST(FreeSurferReader, AVolumeBringsPointsToTheScanner) {
  Bytes file = triangleFile();
  for (const std::int32_t v : {2, 0, 20}) big(file, v);
  // Axes of a volume whose x runs to the front, y to the right, z up; its centre at (100, 200, 300).
  append(file,
         "valid = 1  # volume info valid\nfilename = orig.mgz\nvolume = 10 20 30\nvoxelsize = 1 2 3\n"
         "xras   = 0 1 0\nyras   = 1 0 0\nzras   = 0 0 1\ncras   = 100 200 300\n");
  const auto surface = read("rh.white", file);
  ASSERT_TRUE(surface) << describe(surface.error());
  // tkRAS x is against the volume's x, y along its z, z against its y.
  EXPECT_THAT(firstPoint(*surface), ElementsAre(100 - 3, 200 - 1, 300 + 2));
  EXPECT_EQ(surface->info().space, "scanner");
  EXPECT_EQ(surface->info().structure, "CortexRight");
}

TEST(FreeSurferReader, AVolumeThatIsNotValidIsNotUsedAndACutOneIsAnError) {
  Bytes file = triangleFile();
  big<std::int32_t>(file, 20);
  Bytes cut = file;
  append(file, "valid = 0\nxras = 0 1 0\nyras = 1 0 0\nzras = 0 0 1\ncras = 100 200 300\n");
  const auto surface = read("lh.white", file);
  ASSERT_TRUE(surface);
  EXPECT_EQ(surface->info().space, "tkRAS");
  append(cut, "valid = 1\nfilename = orig.mgz\nxras = 0 1 0\nyras = 1 0 0\n");
  EXPECT_THAT(refusal(reader, {{"lh.white", cut}}), HasSubstr("geometry"));
}

TEST(FreeSurferReader, PointsInScannerRasStay) {
  Bytes file = triangleFile();
  for (const std::int32_t v : {2, 1, 20}) big(file, v);
  append(file, "valid = 1\nxras = 0 1 0\nyras = 1 0 0\nzras = 0 0 1\ncras = 100 200 300\n");
  const auto surface = read("lh.white", file);
  ASSERT_TRUE(surface);
  EXPECT_THAT(firstPoint(*surface), ElementsAre(1, 2, 3));
  EXPECT_EQ(surface->info().space, "scanner");
}

TEST(FreeSurferReader, CurvAndOldQuadrangleFilesAreToldApartBySize) {
  const auto curv = read("lh.thickness", dataFile("freesurfer/lh.blob.thickness"));
  ASSERT_TRUE(curv);
  EXPECT_EQ(curv->info().format, "FreeSurfer curv");
  EXPECT_EQ(curv->info().data.at(0).name, "thickness");
  const auto quads = read("lh.sheet", dataFile("freesurfer/lh.sheet_quads"));
  ASSERT_TRUE(quads) << describe(quads.error());
  EXPECT_EQ(quads->info().triangles, 50);
  const Bytes white(4096, std::byte{0xff});
  EXPECT_FALSE(reader.recognises({"picture.raw", white}));
}

TEST(FreeSurferReader, LabelsOfAnAnnotationAreIndicesOfItsTable) {
  const auto surface = read("lh.aparc.annot", dataFile("freesurfer/lh.blob.annot"));
  ASSERT_TRUE(surface);
  const AttachedData& data = surface->info().data.at(0);
  EXPECT_EQ(data.role, DataRole::label);
  EXPECT_EQ(surface->arrays().value(data.array, 0), -1);
  EXPECT_EQ(surface->arrays().value(data.array, 2), 2);
  ASSERT_NE(data.labels->find(2), nullptr);
  EXPECT_EQ(data.labels->find(2)->name, "zweite");
  EXPECT_THAT(data.labels->find(2)->rgba, ElementsAre(10, 220, 30, 155));
}

TEST(FreeSurferReader, AnAnnotationWithoutATableKeepsItsColours) {
  Bytes file;
  big<std::int32_t>(file, 2);
  for (const std::int32_t v : {1, 0x010203, 0, 0x00ff00}) big(file, v);
  const auto surface = read("lh.x.annot", file);
  ASSERT_TRUE(surface) << describe(surface.error());
  const AttachedData& data = surface->info().data.at(0);
  EXPECT_EQ(surface->arrays().value(data.array, 1), 0x010203);
  EXPECT_THAT(data.labels->find(0x010203)->rgba, ElementsAre(3, 2, 1, 255));
}

TEST(FreeSurferReader, ALabelHasNoValueElsewhere) {
  const auto surface = read("lh.V1.label", bytesOf("#!ascii label , from subject x vox2ras=TkReg\n2\n"
                                                   "4  1.0 2.0 3.0 0.5\n1  1.0 2.0 3.0 0.25\n"));
  ASSERT_TRUE(surface) << describe(surface.error());
  EXPECT_EQ(surface->info().vertices, 5);
  EXPECT_EQ(surface->info().data.at(0).name, "V1");
  EXPECT_EQ(surface->arrays().value(0, 4), 0.5);
  EXPECT_EQ(surface->arrays().value(0, 1), 0.25);
  EXPECT_TRUE(std::isnan(surface->arrays().value(0, 0)));
  EXPECT_FALSE(reader.recognises({"itksnap.label", bytesOf("####\n# ITK-SnAP Label Description File\n")}));
}

TEST(FreeSurferReader, ImpossibleFilesAreRefusedAndNamed) {
  Bytes outside = triangleFile();
  outside.back() = std::byte{3};
  EXPECT_THAT(refusal(reader, {{"lh.white", outside}}), HasSubstr("names vertex 3"));
  Bytes notFinite = triangleFile();
  const std::size_t numbers = notFinite.size() - 12 - 36;
  notFinite[numbers] = std::byte{0x7f};
  notFinite[numbers + 1] = std::byte{0xc0};
  EXPECT_THAT(refusal(reader, {{"lh.white", notFinite}}), HasSubstr("vertex 0"));
  Bytes huge = triangleFile();
  huge[numbers - 8] = std::byte{0x7f};
  EXPECT_THAT(refusal(reader, {{"lh.white", huge}}), HasSubstr("more than the file holds"));
  Bytes far;
  big<std::int32_t>(far, 1);
  for (const std::int32_t v : {0x7fffffff, 1}) big(far, v);
  EXPECT_THAT(refusal(reader, {{"lh.x.annot", far}}), HasSubstr("more than a surface can have"));
}

TEST(FreeSurferReader, CutAndDamagedFilesAreErrors) {
  for (const char* name :
       {"lh.blob", "lh.blob_gz.gz", "lh.blob.thickness", "lh.blob.annot", "rh.blob.old.annot", "rh.blob.label",
        "lh.blob.w", "lh.blob.asc", "lh.sheet_quads", "lh.sheet_new_quads", "lh.blob.old_curv"}) {
    const Bytes seed = dataFile(std::string("freesurfer/") + name);
    testing::expectEveryCutIsAnError(reader, seed, name);
    testing::expectMutantsSurvive(reader, seed, name, 100);
  }
  EXPECT_THAT(refusal(reader, {{"lh.white", {}}}), HasSubstr("empty"));
}

}  // namespace
}  // namespace nora
