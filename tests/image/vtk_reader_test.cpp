#include "image/io/vtk_reader.hpp"
#include "tract_test_support.hpp"

#include <filesystem>

namespace nora {
namespace {

using testing::Bytes;
using testing::bytesOf;
using ::testing::Contains;
using testing::dataFile;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using testing::pointOf;
using testing::readContent;
using testing::refusal;

const VtkReader reader;

Result<Content> read(const std::string& text) {
  return readContent(reader, {{"a.vtk", bytesOf(text)}});
}
std::string why(const std::string& text) {
  return refusal(reader, {{"a.vtk", bytesOf(text)}});
}
template <class T>
const T& as(const Result<Content>& content) {
  if (!content) throw std::runtime_error(describe(content.error()));
  return std::get<T>(*content);
}

const std::string head = "# vtk DataFile Version 3.0\ntitle\nASCII\nDATASET POLYDATA\n";
const std::string square = "POINTS 4 float\n0 0 0  1 0 0  1 1 0  0 1 0\n";

TEST(VtkReader, LinesBecomeStreamlinesWithTheirPointsInOrder) {
  const auto content = read(head + square + "LINES 2 6\n3 0 1 2\n1 3\n");
  const auto& tracts = as<Tractogram>(content);
  EXPECT_THAT(tracts.offsets(), ElementsAre(0u, 3u, 4u));
  EXPECT_THAT(pointOf(tracts, 3), ElementsAre(0, 1, 0));
  EXPECT_EQ(tracts.info().space, "RAS mm (the file does not say)");
}

TEST(VtkReader, SharedAndReversedPointsOfLinesAreCopiedWithTheirValues) {
  const auto content = read(head + square + "LINES 2 7\n3 2 1 0\n2 0 2\nCELL_DATA 2\nSCALARS w float\n5\n6\n" +
                            "POINT_DATA 4\nSCALARS s int 1\nLOOKUP_TABLE default\n10 11 12 13\n");
  const auto& tracts = as<Tractogram>(content);
  const auto& info = tracts.info();
  ASSERT_EQ(info.perPoint.size(), 1u);
  EXPECT_THAT(tracts.arrays().as<std::int32_t>(info.perPoint[0].array), ElementsAre(12, 11, 10, 10, 12));
  ASSERT_EQ(info.perStreamline.size(), 1u);
  EXPECT_THAT(tracts.arrays().as<float>(info.perStreamline[0].array), ElementsAre(5, 6));
}

TEST(VtkReader, ValuesOfLinesSkipThoseOfTheVerticesBeforeThem) {
  const auto content =
      read(head + square + "VERTICES 1 2\n1 0\nLINES 1 3\n2 0 1\nCELL_DATA 2\nSCALARS w float\n5\n6\n");
  const auto& tracts = as<Tractogram>(content);
  EXPECT_THAT(tracts.arrays().as<float>(tracts.info().perStreamline.at(0).array), ElementsAre(6));
}

TEST(VtkReader, PolygonsAndStripsBecomeTrianglesOfOneSide) {
  const auto polygons = read(head + square + "POLYGONS 1 5\n4 0 1 2 3\n");
  EXPECT_THAT(as<Surface>(polygons).triangles(), ElementsAre(0, 1, 2, 0, 2, 3));
  const auto strips = read(head + square + "TRIANGLE_STRIPS 1 5\n4 0 1 3 2\n");
  EXPECT_THAT(as<Surface>(strips).triangles(), ElementsAre(0, 1, 3, 3, 1, 2));
}

TEST(VtkReader, LpsIsTurnedToRasWithItsNormals) {
  const std::string body = square + "POLYGONS 1 4\n3 0 1 2\nPOINT_DATA 4\nNORMALS n double\n" +
                           "1 2 3 1 2 3 1 2 3 1 2 3\nCOLOR_SCALARS c 3\n0 0.5 1 0 0 0 0 0 0 0 0 2\n";
  const auto content =
      read("# vtk DataFile Version 3.0\n3D Slicer output. SPACE=LPS\nASCII\nDATASET POLYDATA\n" + body);
  const auto& surface = as<Surface>(content);
  EXPECT_THAT(surface.points().subspan(6, 3), ElementsAre(-1, -1, 0));
  const auto& data = surface.info().data;
  ASSERT_EQ(data.size(), 2u);
  EXPECT_EQ(data[0].role, DataRole::normal);
  EXPECT_THAT(surface.arrays().as<float>(data[0].array).first(3), ElementsAre(-1, -2, 3));
  EXPECT_EQ(data[1].role, DataRole::colour);
  EXPECT_THAT(surface.arrays().as<std::uint8_t>(data[1].array).first(3), ElementsAre(0, 128, 255));
  EXPECT_EQ(surface.info().space, "scanner");
}

TEST(VtkReader, TheSpaceOfSlicersXmlFilesIsHonoured) {
  const auto plain = readContent(reader, {{"a.vtp", dataFile("vtk/surface_binary_zlib.vtp")}});
  const auto lps = readContent(reader, {{"a.vtp", dataFile("vtk/surface_lps.vtp")}});
  const auto a = as<Surface>(plain).points(), b = as<Surface>(lps).points();
  for (std::size_t i = 0; i < a.size(); ++i) EXPECT_EQ(a[i], i % 3 < 2 ? -b[i] : b[i]) << i;
}

TEST(VtkReader, EveryFlavourOfOneSurfaceHoldsTheSame) {
  const auto first = readContent(reader, {{"a.vtk", dataFile("vtk/surface_5_binary.vtk")}});
  const Surface& wanted = as<Surface>(first);
  for (const char* name : {"surface_4_binary.vtk", "surface_appended_raw.vtp", "surface_appended_zlib.vtp",
                           "surface_binary.vtp", "surface_binary_zlib.vtp", "surface_big_endian.vtp"}) {
    const auto content = readContent(reader, {{name, dataFile(std::string("vtk/") + name)}});
    ASSERT_TRUE(content) << name << ": " << describe(content.error());
    const Surface& surface = as<Surface>(content);
    EXPECT_TRUE(std::ranges::equal(surface.points(), wanted.points())) << name;
    EXPECT_TRUE(std::ranges::equal(surface.triangles(), wanted.triangles())) << name;
    EXPECT_EQ(surface.info().data.size(), 4u) << name;
  }
}

TEST(VtkReader, BinaryValuesWithoutALookUpTableBeginBehindTheirLine) {
  std::string text = "# vtk DataFile Version 3.0\nt\nBINARY\nDATASET POLYDATA\nPOINTS 2 float\n";
  const auto put = [&](std::uint32_t bits) {
    for (int shift = 24; shift >= 0; shift -= 8) text.push_back(static_cast<char>(bits >> shift & 0xff));
  };
  for (int i = 0; i < 6; ++i) put(0x3f800000);  // 1.0
  text += "\nLINES 1 3\n";
  for (const std::uint32_t n : {2u, 0u, 1u}) put(n);
  text += "\nPOINT_DATA 2\nSCALARS s float\n";
  put(0x0a0a0a0a);  // bytes that are line feeds
  put(0x40000000);
  const auto content = read(text);
  const auto& tracts = as<Tractogram>(content);
  EXPECT_THAT(tracts.arrays().as<float>(tracts.info().perPoint.at(0).array),
              ElementsAre(std::bit_cast<float>(0x0a0a0a0au), 2.0f));
}

TEST(VtkReader, ImagesArePlacedByOriginSpacingAndExtent) {
  for (const char* name : {"vtk/image.vti", "vtk/image_ascii.vtk", "vtk/image_binary.vtk"}) {
    const auto content = readContent(reader, {{name, dataFile(name)}});
    const auto& volume = as<Volume>(content);
    EXPECT_THAT(volume.dims(), ElementsAre(6, 5, 4)) << name;
    EXPECT_EQ(volume.worldFromVoxel().column(3), (Vec3{-7, 20, 27.5})) << name;
    EXPECT_EQ(volume.value(5, 4, 3), 112) << name;
  }
}

TEST(VtkReader, AnImageOfVectorsBecomesPlanar) {
  const auto content = read(
      "# vtk DataFile Version 3.0\nt\nASCII\nDATASET STRUCTURED_POINTS\nDIMENSIONS 2 1 1\n"
      "ORIGIN 0 0 0\nSPACING 1 1 1\nPOINT_DATA 2\nVECTORS v float\n1 2 3 4 5 6\n");
  const auto& volume = as<Volume>(content);
  EXPECT_EQ(volume.info().components, 3);
  EXPECT_EQ(volume.value(1, 0, 0, 0, 2), 6);
  EXPECT_EQ(volume.value(0, 0, 0, 0, 1), 2);
}

TEST(VtkReader, WhatCannotBeReadSaysWhy) {
  EXPECT_THAT(why(head + square), HasSubstr("neither polygons nor lines"));
  EXPECT_THAT(why(head + square + "LINES 1 3\n2 0 4\n"), HasSubstr("point 4"));
  EXPECT_THAT(why(head + square + "LINES 1 3\n2 0 -7\n"), HasSubstr("point -7"));
  EXPECT_THAT(why(head + square + "LINES 1 3\n5 0 1\n"), HasSubstr("cells are damaged"));
  EXPECT_THAT(why(head + "POINTS 99999999999999 float\n1 2 3\n"), HasSubstr("cut short"));
  EXPECT_THAT(why(head + "POINTS 18446744073709551615 float\n1 2 3\n"), HasSubstr("number of points"));
  EXPECT_THAT(why(head + "POINTS 2 float\n1 2 3 4 5 x\n"), HasSubstr("points"));
  EXPECT_THAT(why("# vtk DataFile Version 3.0\nt\nASCII\nDATASET RECTILINEAR_GRID\n"), HasSubstr("rectilinear_grid"));
  EXPECT_THAT(why("# vtk DataFile Version 9.0\nt\nASCII\nDATASET POLYDATA\n"), HasSubstr("version 9.0"));
  EXPECT_THAT(why(R"(<VTKFile type="PolyData"><PolyData><Piece/><Piece/></PolyData></VTKFile>)"),
              HasSubstr("2 pieces"));
  EXPECT_THAT(why(R"(<?xml version="1.0"?><!DOCTYPE a [<!ENTITY b "c">]><VTKFile type="PolyData"/>)"),
              HasSubstr("damaged"));
  EXPECT_THAT(why("<VTKFile>" +
                  [] {
                    std::string deep;
                    for (int i = 0; i < 99; ++i) deep += "<a>";
                    return deep;
                  }()),
              HasSubstr("nested"));
}

TEST(VtkReader, CompressedBlocksThatLieAskForNoMemory) {
  // Header of 2^31 blocks; of one block that claims 4 GB; base64 of UInt32.
  const auto file = [](const std::string& base64) {
    return R"(<VTKFile type="PolyData" byte_order="LittleEndian" compressor="vtkZLibDataCompressor"><PolyData>)"
           R"(<Piece NumberOfPoints="2" NumberOfLines="1"><Points><DataArray type="Float32" NumberOfComponents="3" )"
           R"(format="binary">)" +
           base64 + "</DataArray></Points></Piece></PolyData></VTKFile>";
  };
  EXPECT_THAT(why(file("AAAAgP///38AAAAA")), HasSubstr("damaged"));
  EXPECT_THAT(why(file("AQAAAP////8AAAAACAAAAA==eJwDAAAAAAE=")), HasSubstr("damaged"));
}

TEST(VtkReader, PeekTellsWhatAFileHoldsWithoutItsNumbers) {
  for (const auto& [name, kind] :
       std::vector<std::pair<std::string, std::string>>{{"lines_5_binary.vtk", "tracts"},
                                                        {"lines_4_ascii.vtk", "tracts"},
                                                        {"surface_4_ascii.vtk", "surface"},
                                                        {"strips_5.vtk", "surface"},
                                                        {"lines.vtu", "tracts"},
                                                        {"lines_grid.vtk", "tracts"},
                                                        {"lines_ascii.vtp", "tracts"},
                                                        {"surface_big_endian.vtp", "surface"},
                                                        {"image.vti", "image"},
                                                        {"image_ascii.vtk", "image"}}) {
    const auto summary = reader.peek({name, dataFile("vtk/" + name)});
    ASSERT_TRUE(summary) << name;
    EXPECT_EQ(summary->kind, kind) << name;
    EXPECT_EQ(imageInfoFromJson(summary->header).has_value(), kind == "image") << name;
  }
}

TEST(VtkReader, DamagedFilesAreErrorsOrContent) {
  for (const auto& entry : std::filesystem::directory_iterator(NORA_TEST_DATA "/formats/vtk")) {
    const std::string name = entry.path().filename();
    if (name.ends_with(".md")) continue;
    testing::expectMutantsSurvive(reader, dataFile("vtk/" + name), name, 60);
    testing::expectEveryCutIsAnError(reader, dataFile("vtk/" + name), name, true);
  }
}

}  // namespace
}  // namespace nora
