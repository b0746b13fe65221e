// CIFTI-2: which values go where, and what is refused. Values against nibabel: the table test of all formats.
#include "image/io/cifti_reader.hpp"
#include "tract_test_support.hpp"

namespace nora {
namespace {

using testing::Bytes;
using testing::bytesOf;
using testing::dataFile;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using testing::refusal;

const CiftiReader reader;

Bytes blob(const std::string& kind) {
  return dataFile("cifti/blob." + kind + ".nii");
}

Result<Surface> read(const std::string& name, const Bytes& bytes) {
  auto content = testing::readContent(reader, {{name, bytes}});
  if (!content) return tl::make_unexpected(content.error());
  return std::move(std::get<Surface>(*content));
}

/// The file with every `from` of its XML replaced by a text of the same length.
Bytes replaced(Bytes file, const std::string& from, const std::string& to) {
  EXPECT_EQ(from.size(), to.size());
  std::string text(reinterpret_cast<const char*>(file.data()), file.size());
  const auto at = text.find(from);
  EXPECT_NE(at, std::string::npos) << from;
  text.replace(at, from.size(), to);
  return bytesOf(text);
}

TEST(CiftiReader, EverySurfaceHasItsOwnDataAndNanOutsideTheMask) {
  const auto surface = read("blob.dscalar.nii", blob("dscalar"));
  ASSERT_TRUE(surface) << describe(surface.error());
  const auto& data = surface->info().data;
  ASSERT_EQ(data.size(), 4U);
  EXPECT_EQ(data[0].structure, "CortexLeft");
  EXPECT_EQ(data[0].name, "sulc");
  EXPECT_EQ(data[1].name, "curv");
  EXPECT_EQ(data[2].structure, "CortexRight");
  EXPECT_TRUE(std::isnan(surface->arrays().value(data[0].array, 3)));
  EXPECT_TRUE(std::isfinite(surface->arrays().value(data[0].array, 4)));
  EXPECT_TRUE(std::isnan(surface->arrays().value(data[2].array, 5)));
  EXPECT_FALSE(surface->hasMesh());
}

TEST(CiftiReader, ASeriesHasAComponentATimePointAndTellsItsVoxels) {
  const auto surface = read("blob.dtseries.nii", blob("dtseries"));
  ASSERT_TRUE(surface);
  ASSERT_EQ(surface->info().data.size(), 2U);
  EXPECT_EQ(surface->arrays().arrays()[0].components, 7);
  EXPECT_THAT(surface->info().warnings, ElementsAre(HasSubstr("6 voxels")));
}

TEST(CiftiReader, EveryMapOfLabelsHasItsOwnTable) {
  const auto surface = read("blob.dlabel.nii", blob("dlabel"));
  ASSERT_TRUE(surface);
  const auto& data = surface->info().data;
  ASSERT_EQ(data.size(), 4U);
  ASSERT_NE(data[0].labels->find(5), nullptr);
  EXPECT_EQ(data[0].labels->find(5)->name, "hinten");
  EXPECT_EQ(data[1].labels->find(5), nullptr);
}

TEST(CiftiReader, AFileWithVoxelsOnlyIsAnImage) {
  const Bytes file = dataFile("cifti/voxels.dtseries.nii");
  const auto content = testing::readContent(reader, {{"voxels.dtseries.nii", file}});
  ASSERT_TRUE(content) << describe(content.error());
  const auto& volume = std::get<Volume>(*content);
  EXPECT_THAT(volume.dims(), ElementsAre(6, 5, 4));
  EXPECT_EQ(volume.info().timePoints, 3);
  EXPECT_EQ(volume.info().timeStepSeconds, 2);
  EXPECT_EQ(volume.value(0, 0, 0), 0);
  EXPECT_NE(volume.value(1, 2, 1), 0);
  const auto summary = reader.peek({"voxels.dtseries.nii", file});
  ASSERT_TRUE(summary);
  EXPECT_EQ(summary->kind, "image");
}

TEST(CiftiReader, ConnectivityAndOtherVersionsAreRefusedWithTheReason) {
  EXPECT_THAT(refusal(reader, {{"blob.dconn.nii", blob("dconn")}}), HasSubstr("connectivity matrix (20 x 20"));
  const Bytes old = replaced(blob("dscalar"), "CIFTI Version=\"2", "CIFTI Version=\"1");
  EXPECT_THAT(refusal(reader, {{"a.dscalar.nii", old}}), HasSubstr("version 1"));
}

TEST(CiftiReader, IndicesThatCannotBeAreRefusedAndNamed) {
  const auto why = [](const std::string& from, const std::string& to) {
    return refusal(reader, {{"a.dscalar.nii", replaced(blob("dscalar"), from, to)}});
  };
  EXPECT_THAT(why("<VertexIndices>1 2 4", "<VertexIndices>1 2 x"), HasSubstr("no numbers"));
  EXPECT_THAT(why("IndexOffset=\"108\"", "IndexOffset=\"999\""), HasSubstr("CortexRight does not fit"));
  EXPECT_THAT(why("SurfaceNumberOfVertices=\"162\"", "SurfaceNumberOfVertices=\"100\""), HasSubstr("of 100"));
  EXPECT_THAT(why("SurfaceNumberOfVertices=\"162\"", "SurfaceNumberOfVertices=\"1e9\""), HasSubstr("no usable"));
}

TEST(CiftiReader, CutAndDamagedFilesAreErrors) {
  for (const char* kind : {"dscalar", "dtseries", "dlabel", "pscalar"}) {
    const std::string name = std::string("blob.") + kind + ".nii";
    testing::expectEveryCutIsAnError(reader, blob(kind), name);
    testing::expectMutantsSurvive(reader, blob(kind), name, 120);
  }
  testing::expectMutantsSurvive(reader, dataFile("cifti/voxels.dtseries.nii"), "voxels.dtseries.nii", 120);
  EXPECT_THAT(refusal(reader, {{"a.dscalar.nii", {}}}), HasSubstr("empty"));
  EXPECT_FALSE(reader.recognises({"a.nii", testing::smallInt16(2).bytes()}));
}

}  // namespace
}  // namespace nora
