// STL, PLY, OBJ, OFF and MZ3: connected meshes, polygons, colours, spaces, what is refused.
#include "image/io/mz3_reader.hpp"
#include "image/io/obj_reader.hpp"
#include "image/io/off_reader.hpp"
#include "image/io/ply_reader.hpp"
#include "image/io/stl_reader.hpp"
#include "tract_test_support.hpp"

namespace nora {
namespace {

using testing::append;
using testing::Bytes;
using testing::bytesOf;
using testing::dataFile;
using ::testing::ElementsAre;
using ::testing::ElementsAreArray;
using ::testing::HasSubstr;
using testing::refusal;

const StlReader stl;
const PlyReader ply;
const ObjReader obj;
const OffReader off;
const Mz3Reader mz3;

Result<Surface> read(const FileReader& reader, const std::string& name, const Bytes& bytes) {
  auto content = testing::readContent(reader, {{name, bytes}});
  if (!content) return tl::make_unexpected(content.error());
  return std::move(std::get<Surface>(*content));
}
Result<Surface> read(const FileReader& reader, const std::string& name, const std::string& text) {
  return read(reader, name, bytesOf(text));
}

Bytes binaryStl(const std::string& header, const std::vector<std::array<float, 9>>& facets) {
  Bytes file = bytesOf(header);
  file.resize(80, std::byte{' '});
  append(file, std::vector<std::uint32_t>{static_cast<std::uint32_t>(facets.size())});
  for (const auto& facet : facets) {
    append(file, std::vector<float>{0, 0, 1});
    append(file, std::vector<float>(facet.begin(), facet.end()));
    append(file, std::vector<std::uint16_t>{0});
  }
  return file;
}

const std::vector<std::array<float, 9>> twoFacets{{1, 2, 3, 4, 2, 3, 4, 5, 3}, {1, 2, 3, 4, 5, 3, -0.0F, 5, 3}};

TEST(StlReader, FacetsShareTheirVertices) {
  const auto surface = read(stl, "a.stl", binaryStl("a header", twoFacets));
  ASSERT_TRUE(surface) << describe(surface.error());
  EXPECT_THAT(surface->points(), ElementsAre(1, 2, 3, 4, 2, 3, 4, 5, 3, 0, 5, 3));
  EXPECT_THAT(surface->triangles(), ElementsAre(0, 1, 2, 0, 2, 3));
  EXPECT_EQ(surface->info().space, "unknown");
}

TEST(StlReader, MinusZeroIsZero) {
  const auto surface =
      read(stl, "a.stl", binaryStl("", {{0.0F, 0, 0, 1, 0, 0, 0, 1, 0}, {-0.0F, 0, 0, 0, 1, 0, 1, 1, 0}}));
  ASSERT_TRUE(surface);
  EXPECT_EQ(surface->info().vertices, 4);
}

TEST(StlReader, ABinaryFileThatBeginsWithSolidIsToldByItsSize) {
  const auto surface = read(stl, "a.stl", binaryStl("solid trap", twoFacets));
  ASSERT_TRUE(surface) << describe(surface.error());
  EXPECT_EQ(surface->info().triangles, 2);
}

TEST(StlReader, SpaceLpsInTheHeaderIsHonoured) {
  const auto surface = read(stl, "a.stl", binaryStl("3D Slicer output. SPACE=LPS", twoFacets));
  ASSERT_TRUE(surface);
  EXPECT_THAT(surface->points().first(3), ElementsAre(-1, -2, 3));
  EXPECT_THAT(surface->triangles(), ElementsAre(0, 1, 2, 0, 2, 3));
  EXPECT_EQ(surface->info().space, "scanner");
}

TEST(StlReader, TextOfSeveralSolidsIsOneMesh) {
  const std::string solid =
      "solid one\nfacet normal 0 0 1\nouter loop\nvertex 0 0 0\nvertex 1e1 0 0\nvertex 0 2.5 -1\n"
      "endloop\nendfacet\nendsolid one\n";
  const auto surface = read(stl, "a.stl", solid + solid);
  ASSERT_TRUE(surface) << describe(surface.error());
  EXPECT_THAT(surface->points(), ElementsAre(0, 0, 0, 10, 0, 0, 0, 2.5, -1));
  EXPECT_THAT(surface->triangles(), ElementsAre(0, 1, 2, 0, 1, 2));
}

TEST(StlReader, TextWithAMarkInFrontAndLinesThatEndInCarriageReturnsIsRead) {
  std::string solid =
      "\xEF\xBB\xBFsolid one\nfacet normal 0 0 1\nouter loop\nvertex 0 0 0\nvertex 1 0 0\nvertex 0 1 0\n"
      "endloop\nendfacet\nendsolid one\n";
  for (const char* end : {"\n", "\r", "\r\n"}) {
    std::string text;
    for (const char c : solid) text += c == '\n' ? end : std::string(1, c);
    const auto surface = read(stl, "a.stl", text);
    ASSERT_TRUE(surface) << describe(surface.error());
    EXPECT_EQ(surface->info().triangles, 1);
  }
}

TEST(StlReader, ImpossibleFilesAreRefused) {
  Bytes lie = binaryStl("a", twoFacets);
  lie[83] = std::byte{0x10};
  testing::CountingSink sink;
  const std::vector<InputFile> files{{"a.stl", lie}};
  EXPECT_FALSE(stl.read(files, {}, sink));
  EXPECT_EQ(sink.asked, 0U);
  EXPECT_THAT(refusal(stl, files), HasSubstr("claims"));
  const Bytes nan = binaryStl("a", {{1, 2, std::nanf(""), 4, 5, 6, 7, 8, 9}});
  EXPECT_THAT(refusal(stl, {{"a.stl", nan}}), HasSubstr("vertex 0"));
  const Bytes four = bytesOf(
      "solid\nfacet normal 0 0 1\nouter loop\nvertex 0 0 0\nvertex 1 0 0\nvertex 0 1 0\n"
      "vertex 0 0 1\nvertex 0 0 2\nvertex 0 0 3\nendloop\nendfacet\nendsolid\n");
  EXPECT_THAT(refusal(stl, {{"a.stl", four}}), HasSubstr("three vertices"));
}

const std::string polygons =
    "ply\nformat ascii 1.0\ncomment SPACE=LPS\nelement face 2\nproperty list uchar int vertex_indices\n"
    "property float quality\nelement vertex 5\nproperty double x\nproperty double y\nproperty double z\n"
    "property float nx\nproperty float ny\nproperty float nz\nproperty short depth\nelement edge 1\nproperty int a\n"
    "property int b\nend_header\n4 0 1 2 3 0.5\n3 0 3 4 0.25\n0 0 0 0 0 1 -3\n10 0 0 1 0 0 7\n10 20 0 0 1 0 9\n"
    "0 20 0 0 0 1 11\n-5 10 4 0 0 1 13\n0 1\n";

TEST(PlyReader, PolygonsBecomeTrianglesAndPropertiesBecomeData) {
  const auto surface = read(ply, "a.ply", polygons);
  ASSERT_TRUE(surface) << describe(surface.error());
  EXPECT_THAT(surface->triangles(), ElementsAre(0, 1, 2, 0, 2, 3, 0, 3, 4));
  EXPECT_THAT(surface->points().subspan(12, 3), ElementsAre(5, -10, 4));  // LPS
  const auto& data = surface->info().data;
  ASSERT_EQ(data.size(), 2U);
  EXPECT_EQ(data[0].role, DataRole::normal);
  EXPECT_EQ(surface->arrays().value(data[0].array, 1, 0), -1);  // turned as well
  EXPECT_EQ(data[1].name, "depth");
  EXPECT_EQ(surface->arrays().arrays()[data[1].array].type, VoxelType::int16);
  EXPECT_EQ(surface->arrays().value(data[1].array, 4), 13);
}

TEST(PlyReader, StripsAreTurnedEverySecondTime) {
  const auto surface =
      read(ply, "a.ply",
           "ply\nformat ascii 1.0\nelement vertex 5\nproperty float x\nproperty float y\nproperty float z\n"
           "element tristrips 1\nproperty list int int vertex_indices\nend_header\n"
           "0 0 0\n1 0 0\n0 1 0\n1 1 0\n0 2 0\n8 0 1 2 3 -1 2 3 4\n");
  ASSERT_TRUE(surface) << describe(surface.error());
  EXPECT_THAT(surface->triangles(), ElementsAre(0, 1, 2, 2, 1, 3, 2, 3, 4));
  EXPECT_EQ(surface->info().triangles, 3);
}

TEST(PlyReader, EveryTypeIsReadInBothByteOrders) {
  for (const bool bigEndian : {false, true}) {
    Bytes file =
        bytesOf(std::string("ply\nformat binary_") + (bigEndian ? "big" : "little") +
                "_endian 1.0\nelement vertex 3\nproperty float x\nproperty double y\nproperty short z\n"
                "property uchar red\nproperty uchar green\nproperty uchar blue\nproperty list uchar ushort many\n"
                "element face 1\nproperty list ushort uint vertex_index\nend_header\n");
    const auto put = [&](auto value) {
      auto raw = std::bit_cast<std::array<std::byte, sizeof value>>(value);
      if (bigEndian) std::reverse(raw.begin(), raw.end());
      file.insert(file.end(), raw.begin(), raw.end());
    };
    for (int v = 0; v < 3; ++v) {
      put(static_cast<float>(v) + 0.5F);
      put(static_cast<double>(v) * v);
      put(static_cast<std::int16_t>(-v));
      for (const int c : {10, 20, 30}) put(static_cast<std::uint8_t>(c + v));
      put(static_cast<std::uint8_t>(v));
      for (int i = 0; i < v; ++i) put(static_cast<std::uint16_t>(i));
    }
    put(std::uint16_t{3});
    for (const std::uint32_t corner : {2U, 1U, 0U}) put(corner);
    const auto surface = read(ply, "a.ply", file);
    ASSERT_TRUE(surface) << describe(surface.error());
    EXPECT_THAT(surface->points(), ElementsAre(0.5, 0, 0, 1.5, 1, -1, 2.5, 4, -2));
    EXPECT_THAT(surface->triangles(), ElementsAre(2, 1, 0));
    EXPECT_EQ(surface->info().data.at(0).role, DataRole::colour);
    EXPECT_EQ(surface->arrays().value(surface->info().data[0].array, 2, 1), 22);
  }
}

TEST(PlyReader, LiesAreRefusedBeforeMemoryIsAskedFor) {
  const std::string body = "property float x\nproperty float y\nproperty float z\n";
  for (const std::string& lie :
       {"ply\nformat binary_little_endian 1.0\nelement vertex 4611686018427387905\n" + body + "end_header\n12345678",
        "ply\nformat ascii 1.0\nelement vertex 100000000\n" + body + "end_header\n0 0 0\n",
        "ply\nformat binary_little_endian 1.0\nelement vertex 0\n" + body +
            "element face 1\nproperty list uint int vertex_indices\nend_header\n\xff\xff\xff\x7f"}) {
    const Bytes file = bytesOf(lie);
    testing::CountingSink sink;
    const std::vector<InputFile> files{{"a.ply", file}};
    EXPECT_FALSE(ply.read(files, {}, sink));
    EXPECT_EQ(sink.asked, 0U);
  }
  EXPECT_THAT(
      refusal(ply, {{"a.ply", bytesOf("ply\nformat ascii 1.0\nelement vertex 1\nproperty huge x\nend_header\n")}}),
      HasSubstr("line 4"));
}

TEST(ObjReader, IndicesMayBeRelativeAndPolygonsGoOverLines) {
  const auto surface =
      read(obj, "a.obj",
           "# two objects\no one\nv 0 0 0 1 0 0\nv 10 0 0 0 1 0\nv 10 20 0 0 0 1\nv 0 20 0 0.5 0.5 0.5\n"
           "vt 0 0\nf -4/1 -3/1 \\\n -2/1 -1/1\no two\nv -5 10 4 1 1 1\nf 1 4 5\nl 1 2\n");
  ASSERT_TRUE(surface) << describe(surface.error());
  EXPECT_THAT(surface->triangles(), ElementsAre(0, 1, 2, 0, 2, 3, 0, 3, 4));
  ASSERT_EQ(surface->info().data.size(), 1U);
  EXPECT_EQ(surface->arrays().value(surface->info().data[0].array, 3, 0), 128);
  EXPECT_EQ(surface->arrays().value(surface->info().data[0].array, 0, 0), 255);
}

TEST(ObjReader, NormalsAreKeptWhereTheyGoWithTheVertices) {
  const std::string head = "v 0 0 0\nv 1 0 0\nv 0 1 0\nvn 0 0 1\nvn 0 1 0\nvn 1 0 0\n";
  const auto same = read(obj, "a.obj", head + "f 1//1 2//2 3//3\n");
  ASSERT_TRUE(same);
  ASSERT_EQ(same->info().data.size(), 1U);
  EXPECT_EQ(same->info().data[0].role, DataRole::normal);
  const auto other = read(obj, "a.obj", head + "f 1/7/1 2//1 3//1\n");
  ASSERT_TRUE(other);
  EXPECT_TRUE(other->info().data.empty());
}

TEST(ObjReader, ImpossibleFacesAreRefused) {
  const std::string head = "v 0 0 0\nv 1 0 0\nv 0 1 0\n";
  const auto why = [&](const std::string& rest) { return refusal(obj, {{"a.obj", bytesOf(head + rest)}}); };
  EXPECT_THAT(why("f 1 2 4\n"), HasSubstr("names vertex 3"));
  EXPECT_THAT(why("f 1 2 -4\n"), HasSubstr("names vertex -1"));
  EXPECT_THAT(why("f 1 2 0\n"), HasSubstr("line 4"));
  EXPECT_THAT(why("f 1 2 x\n"), HasSubstr("line 4"));
  EXPECT_THAT(why("v 1 nan 2\nf 1 2 3\n"), HasSubstr("vertex 3"));
  EXPECT_THAT(refusal(obj, {{"a.obj", bytesOf("# nothing\n")}}), HasSubstr("no vertices"));
}

TEST(OffReader, ColoursPolygonsAndCommentsAreRead) {
  const auto surface = read(off, "a.off",
                            "COFF # a comment\n# another\n4 1 0\n0 0 0 255 0 0 255\n10 0 0 0 255 0 128\n\n"
                            "10 20 0 0 0 255 255\n0 20 0 9 8 7 255\n4 0 1 2 3 1.0 0 0\n");
  ASSERT_TRUE(surface) << describe(surface.error());
  EXPECT_THAT(surface->triangles(), ElementsAre(0, 1, 2, 0, 2, 3));
  EXPECT_EQ(surface->arrays().value(surface->info().data.at(0).array, 1, 3), 128);
  EXPECT_THAT(refusal(off, {{"a.off", bytesOf("OFF\n3000000000 1 0\n0 0 0\n")}}), HasSubstr("claims"));
  EXPECT_THAT(refusal(off, {{"a.off", bytesOf("4OFF\n1 0 0\n0 0 0 0\n")}}), HasSubstr("three dimensions"));
  EXPECT_THAT(refusal(off, {{"a.off", bytesOf("OFF\n3 1 0\n0 0 0\n1 0 0\n0 1 0\n3 0 1 3\n")}}), HasSubstr("vertex 3"));
}

TEST(Mz3Reader, LayersAreOneArrayEach) {
  const auto surface = read(mz3, "lh.blob_layers.mz3", dataFile("mesh/blob_layers.mz3"));
  ASSERT_TRUE(surface) << describe(surface.error());
  ASSERT_EQ(surface->info().data.size(), 3U);
  EXPECT_EQ(surface->info().data[1].name, "blob_layers 2");
  EXPECT_EQ(surface->arrays().value(1, 5), 2 * surface->arrays().value(0, 5));
  EXPECT_FALSE(surface->hasMesh());
}

TEST(Mz3Reader, LiesAndLaterVersionsAreRefused) {
  Bytes file = dataFile("mesh/blob_rgba.mz3");
  file[7] = std::byte{0x7f};
  EXPECT_THAT(refusal(mz3, {{"a.mz3", file}}), HasSubstr("claims"));
  file[3] = std::byte{1};
  EXPECT_THAT(refusal(mz3, {{"a.mz3", file}}), HasSubstr("attributes"));
}

TEST(MeshReaders, CutAndDamagedFilesAreErrors) {
  const std::vector<std::pair<const FileReader*, std::vector<const char*>>> seeds{
      {&stl, {"cube.stl", "blob_binary.stl"}},
      {&ply, {"blob_text.ply", "blob_little.ply", "blob_big.ply"}},
      {&off, {"cube.off"}},
      {&mz3, {"blob_rgba.mz3", "blob_layers.mz3", "blob_double.mz3"}}};
  for (const auto& [reader, names] : seeds) {
    for (const char* name : names) {
      const Bytes seed = dataFile(std::string("mesh/") + name);
      testing::expectEveryCutIsAnError(*reader, seed, name);
      testing::expectMutantsSurvive(*reader, seed, name, 80);
    }
    EXPECT_NE(refusal(*reader, {{"a", {}}}), "(it was read)");
  }
  testing::expectMutantsSurvive(ply, bytesOf(polygons), "a.ply", 300);
  testing::expectMutantsSurvive(off, dataFile("mesh/colours.off"), "colours.off", 100);
  testing::expectMutantsSurvive(obj, dataFile("mesh/blob.obj"), "blob.obj", 100);
}

TEST(MeshReaders, ACutObjFileIsAnErrorOrWarnsOfItsEnd) {
  const Bytes whole = dataFile("mesh/blob.obj");
  for (std::size_t sixteenth = 1; sixteenth < 16; ++sixteenth) {
    const Bytes cut(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(whole.size() * sixteenth / 16));
    const auto surface = read(obj, "a.obj", cut);
    if (!surface) continue;
    EXPECT_THAT(surface->info().warnings, ::testing::Contains(HasSubstr("cut short"))) << sixteenth;
  }
}

}  // namespace
}  // namespace nora
