// GIFTI surfaces and values: where points lie, how arrays become data, what is refused.
#include "image/io/gifti_reader.hpp"
#include "tract_test_support.hpp"

namespace nora {
namespace {

using testing::Bytes;
using testing::bytesOf;
using testing::dataFile;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using testing::refusal;

const GiftiReader reader;

Result<Surface> read(const std::vector<InputFile>& files) {
  auto content = testing::readContent(reader, files);
  if (!content) return tl::make_unexpected(content.error());
  return std::move(std::get<Surface>(*content));
}

std::string array(const std::string& intent, const std::string& type, const std::string& dims, const std::string& data,
                  const std::string& inside = "") {
  std::string out = "<DataArray Intent=\"NIFTI_INTENT_" + intent + "\" DataType=\"NIFTI_TYPE_" + type +
                    "\" ArrayIndexingOrder=\"RowMajorOrder\" Encoding=\"ASCII\" Endian=\"LittleEndian\" " + dims + ">";
  return out + inside + "<Data>" + data + "</Data></DataArray>\n";
}

std::string dims(int a, int b = 0) {
  if (b == 0) return "Dimensionality=\"1\" Dim0=\"" + std::to_string(a) + "\"";
  return "Dimensionality=\"2\" Dim0=\"" + std::to_string(a) + "\" Dim1=\"" + std::to_string(b) + "\"";
}

std::string meta(const std::string& name, const std::string& value) {
  return "<MetaData><MD><Name>" + name + "</Name><Value>" + value + "</Value></MD></MetaData>";
}

std::string transform(const std::string& from, const std::string& to, const std::string& matrix) {
  return "<CoordinateSystemTransformMatrix><DataSpace>NIFTI_XFORM_" + from + "</DataSpace><TransformedSpace>" +
         "NIFTI_XFORM_" + to + "</TransformedSpace><MatrixData>" + matrix +
         "</MatrixData></CoordinateSystemTransformMatrix>";
}

const std::string triangle = array("TRIANGLE", "INT32", dims(1, 3), "0 1 2");

std::string points(const std::string& inside = "", const std::string& numbers = "1 2 3  4 5 6  7 8 10") {
  return array("POINTSET", "FLOAT32", dims(3, 3), numbers, inside);
}

Bytes gifti(const std::string& arrays, const std::string& head = "") {
  return bytesOf("<?xml version=\"1.0\"?>\n" + head + "<GIFTI Version=\"1.0\">\n" + arrays + "</GIFTI>\n");
}

std::vector<float> firstPoint(const Surface& surface) {
  return {surface.points().begin(), surface.points().begin() + 3};
}

TEST(GiftiReader, ReadsPointsAndTrianglesOfText) {
  const Bytes file = gifti(points() + triangle);
  const auto surface = read({{"a.gii", file}});
  ASSERT_TRUE(surface) << describe(surface.error());
  EXPECT_THAT(surface->points(), ElementsAre(1, 2, 3, 4, 5, 6, 7, 8, 10));
  EXPECT_THAT(surface->triangles(), ElementsAre(0, 1, 2));
  EXPECT_EQ(surface->info().space, "unknown");
}

TEST(GiftiReader, AMatrixToTheScannerIsAppliedAndSaidSo) {
  const Bytes file =
      gifti(points(transform("UNKNOWN", "SCANNER_ANAT", "0 -1 0 10 1 0 0 20 0 0 1 30 0 0 0 1")) + triangle);
  const auto surface = read({{"a.gii", file}});
  ASSERT_TRUE(surface);
  EXPECT_THAT(firstPoint(*surface), ElementsAre(8, 21, 33));
  EXPECT_EQ(surface->info().space, "scanner");
  EXPECT_FALSE(surface->info().warnings.empty());
}

TEST(GiftiReader, PointsOfAKnownWorldStayThoughAMatrixLeadsElsewhere) {
  const Bytes file =
      gifti(points(transform("TALAIRACH", "SCANNER_ANAT", "2 0 0 0 0 2 0 0 0 0 2 0 0 0 0 1")) + triangle);
  const auto surface = read({{"a.gii", file}});
  ASSERT_TRUE(surface);
  EXPECT_THAT(firstPoint(*surface), ElementsAre(1, 2, 3));
  EXPECT_EQ(surface->info().space, "Talairach");
}

TEST(GiftiReader, AMatrixToTalairachIsNotApplied) {
  const Bytes file = gifti(points(transform("UNKNOWN", "TALAIRACH", "2 0 0 0 0 2 0 0 0 0 2 0 0 0 0 1")) + triangle);
  const auto surface = read({{"a.gii", file}});
  ASSERT_TRUE(surface);
  EXPECT_THAT(firstPoint(*surface), ElementsAre(1, 2, 3));
}

TEST(GiftiReader, FreeSurfersPointsAreMovedByTheCentreOfTheirVolume) {
  std::string md = "<MetaData>";
  const auto add = [&](const std::string& key, const std::string& value) {
    md += "<MD><Name><![CDATA[VolGeom" + key + "]]></Name><Value><![CDATA[" + value + "]]></Value></MD>";
  };
  // A conformed volume: x to the left, y down, z to the front.
  for (const auto& [key, value] : std::initializer_list<std::pair<std::string, std::string>>{{"X_R", "-1"},
                                                                                             {"X_A", "0"},
                                                                                             {"X_S", "0"},
                                                                                             {"Y_R", "0"},
                                                                                             {"Y_A", "0"},
                                                                                             {"Y_S", "-1"},
                                                                                             {"Z_R", "0"},
                                                                                             {"Z_A", "1"},
                                                                                             {"Z_S", "0"},
                                                                                             {"C_R", "5.5"},
                                                                                             {"C_A", "-7"},
                                                                                             {"C_S", "40"}}) {
    add(key, value);
  }
  const Bytes file = gifti(points(md + "</MetaData>") + triangle);
  const auto surface = read({{"a.gii", file}});
  ASSERT_TRUE(surface);
  EXPECT_THAT(firstPoint(*surface), ElementsAre(6.5F, -5, 43));
  EXPECT_EQ(surface->info().space, "scanner");
  EXPECT_THAT(surface->info().warnings, ElementsAre(HasSubstr("tkRAS")));
}

TEST(GiftiReader, ATimeSeriesIsOneArrayWithAComponentATimePoint) {
  std::string arrays;
  for (int t = 0; t < 20; ++t) {
    arrays += array("TIME_SERIES", "FLOAT32", dims(2), std::to_string(t) + " " + std::to_string(-t));
  }
  const Bytes file = gifti(arrays);
  const auto surface = read({{"run.func.gii", file}});
  ASSERT_TRUE(surface);
  ASSERT_EQ(surface->info().data.size(), 1U);
  EXPECT_EQ(surface->info().data[0].name, "run");
  EXPECT_EQ(surface->arrays().arrays()[0].components, 20);
  EXPECT_EQ(surface->arrays().value(0, 0, 17), 17);
  EXPECT_EQ(surface->arrays().value(0, 1, 17), -17);
  EXPECT_FALSE(surface->hasMesh());
  EXPECT_EQ(surface->info().vertices, 2);
}

TEST(GiftiReader, OtherArraysKeepTheirNamesTypesAndIntents) {
  const Bytes file =
      gifti(points() + triangle + array("TTEST", "INT16", dims(3), "-5 0 7", meta("Name", "/a/b/lh.map")) +
            array("NONE", "FLOAT64", dims(3, 2), "1 2 3 4 5 6", meta("Name", "pairs")));
  const auto surface = read({{"a.gii", file}});
  ASSERT_TRUE(surface) << describe(surface.error());
  const auto& data = surface->info().data;
  ASSERT_EQ(data.size(), 2U);
  EXPECT_EQ(data[0].name, "lh.map");
  EXPECT_EQ(data[0].intent, "t test");
  EXPECT_EQ(surface->arrays().arrays()[data[0].array].type, VoxelType::int16);
  EXPECT_EQ(surface->arrays().value(data[1].array, 2, 1), 6);
}

TEST(GiftiReader, VectorsOfUnitLengthAreNormalsAndOthersArrows) {
  const auto role = [](const std::string& numbers) {
    const Bytes file = gifti(points() + triangle + array("VECTOR", "FLOAT32", dims(3, 3), numbers));
    const auto surface = read({{"a.gii", file}});
    if (!surface || surface->info().data.size() != 1) return std::string("none");
    return std::string(toString(surface->info().data[0].role));
  };
  EXPECT_EQ(role("0 0 1  0 1 0  0.6 0.8 0"), "normal");
  EXPECT_EQ(role("0 0 2  0 1 0  0.6 0.8 0"), "vector");
}

TEST(GiftiReader, AMatrixThatIsNoTransformIsTold) {
  const Bytes file = gifti(points(transform("UNKNOWN", "SCANNER_ANAT", "0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 1")) + triangle);
  const auto surface = read({{"a.gii", file}});
  ASSERT_TRUE(surface);
  EXPECT_EQ(surface->info().space, "unknown");
  EXPECT_THAT(surface->info().warnings, ::testing::Contains(HasSubstr("was not applied")));
}

TEST(GiftiReader, LabelsHaveNamesAndColours) {
  const Bytes file = gifti(
      "<LabelTable><Label Key=\"0\" Red=\"0\" Green=\"0\" Blue=\"0\" Alpha=\"0\">none</Label>"
      "<Label Key=\"-3\" Red=\"1\" Green=\"0.5\" Blue=\"0\" Alpha=\"1\">a &amp; b</Label></LabelTable>" +
      array("LABEL", "INT32", dims(2), "0 -3"));
  const auto surface = read({{"a.label.gii", file}});
  ASSERT_TRUE(surface);
  const AttachedData& data = surface->info().data.at(0);
  EXPECT_EQ(data.role, DataRole::label);
  ASSERT_TRUE(data.labels);
  const Label* label = data.labels->find(-3);
  ASSERT_NE(label, nullptr);
  EXPECT_EQ(label->name, "a & b");
  EXPECT_THAT(label->rgba, ElementsAre(255, 128, 0, 255));
}

TEST(GiftiReader, SparseValuesAreNanElsewhere) {
  const Bytes file = gifti(points() + triangle + array("NODE_INDEX", "INT32", dims(2), "2 0") +
                           array("SHAPE", "FLOAT32", dims(2), "0.5 0.25"));
  const auto surface = read({{"a.gii", file}});
  ASSERT_TRUE(surface) << describe(surface.error());
  const std::size_t values = surface->info().data.at(0).array;
  EXPECT_EQ(surface->arrays().value(values, 0), 0.25);
  EXPECT_TRUE(std::isnan(surface->arrays().value(values, 1)));
  EXPECT_EQ(surface->arrays().value(values, 2), 0.5);
}

TEST(GiftiReader, OnlyTheFirstOfSeveralMeshesIsRead) {
  const Bytes file = gifti(points() + triangle + points("", "9 9 9 9 9 9 9 9 9"));
  const auto surface = read({{"a.gii", file}});
  ASSERT_TRUE(surface);
  EXPECT_THAT(firstPoint(*surface), ElementsAre(1, 2, 3));
  EXPECT_THAT(surface->info().warnings, ElementsAre(HasSubstr("1 more")));
}

TEST(GiftiReader, ExternalDataComeFromTheFileOfThatName) {
  const Bytes header = dataFile("gifti/external.gii"), data = dataFile("gifti/external.dat");
  const auto summary = reader.peek({"external.gii", header});
  ASSERT_TRUE(summary);
  EXPECT_THAT(summary->parts, ElementsAre("external.dat"));
  EXPECT_TRUE(read({{"external.gii", header}, {"external.dat", data}}));
  EXPECT_THAT(refusal(reader, {{"external.gii", header}}), HasSubstr("\"external.dat\" is missing"));
  std::string odd(reinterpret_cast<const char*>(header.data()), header.size());
  const auto at = odd.find('"', odd.find("ExternalFileOffset=")) + 1;
  odd.replace(at, odd.find('"', at) - at, "-96");
  EXPECT_THAT(refusal(reader, {{"external.gii", bytesOf(odd)}, {"external.dat", data}}),
              HasSubstr("ExternalFileOffset is \"-96\""));
  const Bytes cut(data.begin(), data.begin() + 200);
  EXPECT_THAT(refusal(reader, {{"external.gii", header}, {"external.dat", cut}}), HasSubstr("claims"));
}

TEST(GiftiReader, ImpossibleMeshesAreRefusedAndNamed) {
  const auto why = [](const std::string& arrays) { return refusal(reader, {{"a.gii", gifti(arrays)}}); };
  EXPECT_THAT(why(points() + array("TRIANGLE", "INT32", dims(1, 3), "0 1 3")), HasSubstr("names vertex 3"));
  EXPECT_THAT(why(points() + array("TRIANGLE", "INT32", dims(1, 3), "0 1 -1")), HasSubstr("names vertex -1"));
  EXPECT_THAT(why(points("", "1 2 3 4 nan 6 7 8 9") + triangle), HasSubstr("vertex 1"));
  EXPECT_THAT(why(array("POINTSET", "FLOAT32", dims(3, 2), "1 2 3 4 5 6") + triangle), HasSubstr("2 numbers"));
  EXPECT_THAT(why(triangle), HasSubstr("neither"));
  EXPECT_THAT(why(points("", "1 2 3 4 5 6 7 80  ") + triangle), HasSubstr("fewer"));
  EXPECT_THAT(why(points("", "1 2 3 4 5 6 7 8 9 10") + triangle), HasSubstr("more"));
  EXPECT_THAT(why(points("", "1 2 3 4 5 6 7 8 x") + triangle), HasSubstr("no such number"));
  EXPECT_THAT(why(array("SHAPE", "FLOAT128", dims(2), "1 2")), HasSubstr("FLOAT128"));
}

TEST(GiftiReader, ClaimsBeyondTheTextAskForNoMemory) {
  for (const char* size : {"400000000", "4611686018427387904", "9223372036854775807"}) {
    const std::string dim = std::string("Dimensionality=\"2\" Dim0=\"") + size + "\" Dim1=\"3\"";
    const Bytes file = gifti(array("POINTSET", "FLOAT32", dim, "1 2 3") + triangle);
    testing::CountingSink sink;
    const std::vector<InputFile> files{{"a.gii", file}};
    EXPECT_FALSE(reader.read(files, {}, sink)) << size;
    EXPECT_EQ(sink.asked, 0U);
  }
}

TEST(GiftiReader, EntitiesAndDeepNestingAreRefused) {
  const std::string bomb = "<!DOCTYPE GIFTI [<!ENTITY a \"aaaaaaaaaa\"><!ENTITY b \"&a;&a;&a;\">]>";
  EXPECT_THAT(refusal(reader, {{"a.gii", gifti(points() + triangle, bomb)}}), HasSubstr("entities"));
  const std::string system = "<!DOCTYPE GIFTI SYSTEM \"http://www.nitrc.org/frs/download.php/115/gifti.dtd\">";
  const Bytes usual = gifti(points() + triangle, system);
  EXPECT_TRUE(read({{"a.gii", usual}}));
  std::string deep;
  for (int i = 0; i < 5000; ++i) deep += "<a>";
  EXPECT_THAT(refusal(reader, {{"a.gii", gifti(deep)}}), HasSubstr("nested"));
}

TEST(GiftiReader, AGzipBombIsRefused) {
  const Bytes member = testing::gzipped(Bytes(std::size_t{4} << 20, std::byte{' '}), 9);
  Bytes bomb;
  for (int i = 0; i < 24; ++i) bomb.insert(bomb.end(), member.begin(), member.end());
  EXPECT_THAT(refusal(reader, {{"a.gii.gz", bomb}}), HasSubstr("inflates to more than"));
}

TEST(GiftiReader, CutAndDamagedFilesAreErrors) {
  for (const char* name :
       {"blob_ascii.surf.gii", "blob_gzip.surf.gii", "blob_whole_gz.surf.gii.gz", "blob_labels.label.gii"}) {
    const Bytes seed = dataFile(std::string("gifti/") + name);
    testing::expectEveryCutIsAnError(reader, seed, name);
    testing::expectMutantsSurvive(reader, seed, name, 100);
  }
  EXPECT_THAT(refusal(reader, {{"a.gii", {}}}), HasSubstr("empty"));
  EXPECT_FALSE(reader.recognises({"a.xml", bytesOf("<?xml version=\"1.0\"?><VTKFile>")}));
  EXPECT_TRUE(reader.recognises({"a.xml", gifti("")}));
}

TEST(GiftiReader, ArraysOfAllSortsSurviveDamage) {
  for (const char* name : {"blob_values.func.gii", "blob_sparse.func.gii", "blob_colours.gii", "blob_tkras.surf.gii",
                           "blob_column_major.surf.gii", "external.gii"}) {
    testing::expectMutantsSurvive(reader, dataFile(std::string("gifti/") + name), name, 60);
  }
}

}  // namespace
}  // namespace nora
