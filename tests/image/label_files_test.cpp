#include "image/io/label_files.hpp"

#include "image/io/label_parsers.hpp"

#include <fstream>
#include <random>
#include <sstream>

#include <gmock/gmock.h>
#include <nlohmann/json.hpp>

namespace nora {
namespace {

using ::testing::HasSubstr;
using Rgba = std::array<std::uint8_t, 4>;

InputFile fileOf(const std::string& text, const std::string& name) {
  return {name, std::as_bytes(std::span(text))};
}

Result<LabelFile> parsed(const std::string& text, const std::string& name = "t.txt") {
  return parseLabelFile(fileOf(text, name));
}

std::string stored(const std::string& name) {
  std::ifstream in(std::string(NORA_TEST_DATA) + "/formats/labels/" + name, std::ios::binary);
  std::ostringstream out;
  out << in.rdbuf();
  return out.str();
}

void expectLabel(const Result<LabelFile>& file, std::int64_t value, const std::string& name, const Rgba& rgba) {
  ASSERT_TRUE(file) << describe(file.error());
  const Label* label = file->table.find(value);
  ASSERT_NE(label, nullptr) << value;
  EXPECT_EQ(label->name, name);
  EXPECT_TRUE(label->hasColour);
  EXPECT_EQ(label->rgba, rgba) << name;
}

TEST(LabelFiles, FreeSurferAlphaZeroIsOpaque) {
  const auto file = parsed(stored("FreeSurfer_colorlut_sample.txt"));
  expectLabel(file, 4, "Left-Lateral-Ventricle", {120, 18, 134, 255});
  expectLabel(file, 0, "Unknown", {0, 0, 0, 0});
  EXPECT_EQ(file->table.labels().size(), 6U);
  EXPECT_EQ(file->format, "FreeSurfer look-up table");
  EXPECT_TRUE(file->certain);
}

TEST(LabelFiles, FreeSurferHeaderInvertsOnlyWhatWouldNotAllVanish) {
  const std::string header = "#No. Label Name: R G B A\n";
  expectLabel(parsed(header + "1 a 1 2 3 0\n2 b 4 5 6 100\n"), 2, "b", {4, 5, 6, 155});
  expectLabel(parsed(header + "1 a 1 2 3 255\n2 b 4 5 6 255\n"), 2, "b", {4, 5, 6, 255});
}

TEST(LabelFiles, SlicerAlphaIsAnOpacity) {
  const auto file = parsed(
      "# Color table file C:/x.ctbl\n# 3 values\n0 Background 0 0 0 0\n1 artery 216 101 79 255\n"
      "2 veil 1 2 3 0\n3 bone_2 241 214 145 128\n",
      "x.ctbl");
  expectLabel(file, 1, "artery", {216, 101, 79, 255});
  expectLabel(file, 2, "veil", {1, 2, 3, 0});
  expectLabel(file, 3, "bone_2", {241, 214, 145, 128});
  EXPECT_EQ(file->format, "Slicer colour table");
}

TEST(LabelFiles, MrtrixTablesGiveTheLongName) {
  const auto file = parsed(
      "# Lookup table\n0  ???   Unknown  0 0 0 0\n1 L.BSTS ctx-lh-bankssts 25 100 40 255\n"
      "2 L.CACG ctx-lh-caudalanteriorcingulate 125 100 160 255\n");
  expectLabel(file, 1, "ctx-lh-bankssts", {25, 100, 40, 255});
  EXPECT_EQ(file->format, "MRtrix look-up table");
}

TEST(LabelFiles, NamesWithSpacesAreKeptWhole) {
  const auto file = parsed("1 Left Hippocampus 1 2 3 255\n2 Left Amygdala 4 5 6 255\n3 Left BA 17 7 8 9 255\n");
  expectLabel(file, 2, "Left Amygdala", {4, 5, 6, 255});
  expectLabel(file, 3, "Left BA 17", {7, 8, 9, 255});
  expectLabel(parsed("1 BA 17 20 30 40\n2 Pons 1 2 3\n"), 1, "BA 17", {20, 30, 40, 255});
}

TEST(LabelFiles, ItkSnapOpacityIsAFractionAndHiddenLabelsAreTransparent) {
  const auto file = parsed(
      "################\n# ITK-SnAP Label Description File\n"
      "    0     0    0    0        0  0  0    \"Clear Label\"\n"
      "    1   255    0    0        1  1  1    \"Label 1\"\n"
      "    2     0  255    0      0.5  1  1    \"Gr\xc3\xbcn, \\ 2\"\n"
      "    3     0    0  255        1  0  1    \"hidden\"\n",
      "x.label");
  expectLabel(file, 1, "Label 1", {255, 0, 0, 255});
  expectLabel(file, 2, "Gr\xc3\xbcn, \\ 2", {0, 255, 0, 128});
  expectLabel(file, 3, "hidden", {0, 0, 255, 0});
  EXPECT_EQ(file->format, "ITK-SNAP labels");
}

TEST(LabelFiles, FsleyesColoursAreFractions) {
  const auto file = parsed("1 1.0 0.0 0.5 Cerebral White Matter\n2 0.2 0.4 0.6 Cortex\n", "x.lut");
  expectLabel(file, 1, "Cerebral White Matter", {255, 0, 128, 255});
  EXPECT_EQ(file->format, "FSLeyes look-up table");
}

TEST(LabelFiles, BinaryLutHoldsAllRedsThenGreensThenBlues) {
  const auto file = parsed(stored("aal.nii.lut"), "aal.nii.lut");
  // As numpy shows the bytes at i, 256 + i and 512 + i.
  expectLabel(file, 3, "", {203, 149, 149, 255});
  expectLabel(file, 100, "", {61, 61, 203, 255});
  expectLabel(file, 0, "", {255, 255, 255, 0});
  EXPECT_FALSE(file->named);
  const auto imageJ = parsed("ICOL" + std::string(28, '\1') + stored("aal.nii.lut"), "x.lut");
  expectLabel(imageJ, 3, "", {203, 149, 149, 255});
}

TEST(LabelFiles, TextLutOfMricronIsRead) {
  const auto file = parsed(stored("red_otto.lut"), "red_otto.lut");
  expectLabel(file, 1, "", {128, 0, 0, 255});
  EXPECT_EQ(file->table.labels().size(), 256U);
}

TEST(LabelFiles, ListsOfNamesHaveNoColoursAndAreNotCertain) {
  const auto aal = parsed(stored("aal.nii.txt"), "aal.nii.txt");
  ASSERT_TRUE(aal) << describe(aal.error());
  EXPECT_EQ(aal->table.find(1)->name, "Precentral_L");
  EXPECT_FALSE(aal->coloured);
  EXPECT_FALSE(aal->certain);
  const auto jhu = parsed(stored("JHU-WhiteMatter-labels-1mm.nii.txt"), "x.nii.txt");
  ASSERT_TRUE(jhu) << describe(jhu.error());
  EXPECT_EQ(jhu->table.find(2)->name, "Pontine_crossing_tract_(a_part_of_MCP)");
}

TEST(LabelFiles, NamesOfOneFileAndColoursOfAnotherMakeOneTable) {
  const auto names = parsed(stored("aal.nii.txt"), "d/aal.nii.txt");
  const auto colours = parsed(stored("aal.nii.lut"), "d/aal.nii.lut");
  const LabelTable table = merged(*names, *colours);
  EXPECT_EQ(table.find(3)->name, "Frontal_Sup_L");
  EXPECT_EQ(table.find(3)->rgba, (Rgba{203, 149, 149, 255}));
  EXPECT_EQ(table.find(250)->name, "");
  EXPECT_EQ(table.source(), "aal.nii.txt, aal.nii.lut");
  EXPECT_EQ(merged(*colours, *names).labels(), table.labels());
}

TEST(LabelFiles, NiivueColourMapsAreRead) {
  const auto file = parsed(stored("AllenAtlas.json"), "AllenAtlas.json");
  ASSERT_TRUE(file) << describe(file.error());
  const auto json = nlohmann::json::parse(stored("AllenAtlas.json"));
  ASSERT_EQ(file->table.labels().size(), json["R"].size());
  for (std::size_t i = 1; i < json["R"].size(); ++i) {
    expectLabel(file, static_cast<std::int64_t>(i), json["labels"][i], {json["R"][i], json["G"][i], json["B"][i], 255});
  }
  EXPECT_EQ(file->table.find(0)->rgba[3], 0);
  const auto sparse =
      parsed(R"({"R":[0,9],"G":[0,8],"B":[0,7],"A":[0,64],"I":[0,1000],"labels":["air","x"]})", "a.json");
  expectLabel(sparse, 1000, "x", {9, 8, 7, 64});
}

TEST(LabelFiles, LabelsInJsonOfOtherKindsAreRead) {
  const auto name = [](const std::string& text, std::int64_t value) {
    const auto file = parsed(text, "dataset.json");
    if (!file) return describe(file.error());
    return file->table.find(value) == nullptr ? std::string("absent") : file->table.find(value)->name;
  };
  EXPECT_EQ(name(R"({"labels":{"0":"background","1":"liver"}})", 1), "liver");
  EXPECT_EQ(name(R"({"labels":{"background":0,"liver":2}, "channel_names":{"0":"CT"}})", 2), "liver");
  EXPECT_EQ(name(R"({"labels":["background","a","b"]})", 2), "b");
  EXPECT_EQ(name(R"({"5":"five","7":"seven"})", 7), "seven");
  EXPECT_EQ(name(R"([{"id":4,"name":"four"},{"id":5,"name":"five"}])", 5), "five");
  EXPECT_EQ(name(R"({"5":{"name":"five","color":[1,2,3]}})", 5), "five");
  expectLabel(parsed(R"({"labels":[{"value":3,"name":"x","color":"#0a0B0c"}]})", "a.json"), 3, "x", {10, 11, 12, 255});
  expectLabel(parsed(R"({"labels":[{"value":3,"name":"x","color":[1,0.5,0]}]})", "a.json"), 3, "x", {255, 128, 0, 255});
}

TEST(LabelFiles, MetadataInJsonAreNoTable) {
  for (const char* text : {R"({"RepetitionTime":2.5})", R"({"EchoTime":3, "b":4})", "[1,2,3]", R"(["a","b"])", "3",
                           "{}", "", R"({"labels":3})", R"({"a":"b"})", R"({"labels":[]})", "{\"1\":"}) {
    EXPECT_FALSE(parsed(text, "a.json")) << text;
  }
}

TEST(LabelFiles, BidsAndSlicerColumnsAreRead) {
  const auto bids = parsed(
      "index\tname\tabbreviation\tcolor\tmapping\n1\tGray Matter\tGM\t#ff53bb\t1\n"
      "2\tWhite Matter\tWM\tn/a\t2\n",
      "a_dseg.tsv");
  expectLabel(bids, 1, "Gray Matter", {0xff, 0x53, 0xbb, 255});
  EXPECT_FALSE(bids->table.find(2)->hasColour);
  const auto slicer = parsed(
      "LabelValue,Name,Color_R,Color_G,Color_B,Color_A,Type\n1,\"bone, hard\",241,214,145,200,x\n"
      "0,nothing,0,0,0,,\n",
      "a.csv");
  expectLabel(slicer, 1, "bone, hard", {241, 214, 145, 200});
  expectLabel(slicer, 0, "nothing", {0, 0, 0, 0});
  expectLabel(parsed("id;name;r;g;b\r\n7;x;0.5;1;0\r\n", "a.csv"), 7, "x", {128, 255, 0, 255});
}

TEST(LabelFiles, OtherTablesAreNotTaken) {
  EXPECT_FALSE(parsed("onset\tduration\n1\t2\n", "events.tsv"));
  EXPECT_FALSE(parsed("participant_id\tage\nsub-01\t3\n", "participants.tsv"));
  EXPECT_FALSE(parsed("This is a text of words.\n", "readme.txt"));
  EXPECT_FALSE(parsed("1 2 3\n4 5 6\n", "matrix.txt"));
  for (const char* text : {"1 2 3 4\n5 6 7 8\n", "1 first step\n2 second step\n", "1 0.5 0.25 1.0\n"}) {
    EXPECT_FALSE(LabelReader().recognises(fileOf(text, "matrix.txt"))) << text;
  }
  EXPECT_TRUE(LabelReader().recognises(fileOf("1 a 1 2 3 0\n2 b 1 2 3 0\n", "lut.txt")));
}

TEST(LabelFiles, ErrorsNameTheLine) {
  const auto error = [](const std::string& text, const std::string& name = "t.txt") {
    const auto file = parsed(text, name);
    return file ? "no error" : describe(file.error());
  };
  const std::string header = "#No. Label Name: R G B A\n";
  EXPECT_THAT(error(header + "1 a 1 2 3 0\n\nx b 4 5 6 0\n"), HasSubstr("line 4: the value must be a whole number"));
  EXPECT_THAT(error(header + "1 a 1 2 3 0\n2 b 4 5 600 0\n"), HasSubstr("line 3"));
  EXPECT_THAT(error("1 255 0 0 1 1 1 \"a\"\n2 256 0 0 1 1 1 \"b\"\n"), HasSubstr("line 2: the colour"));
  EXPECT_THAT(error("index\tname\n1\ta\nx\tb\n", "a.tsv"), HasSubstr("line 3: \"x\" is no whole number"));
  EXPECT_THAT(error("index\tcolor\n1\tred\n", "a.tsv"), HasSubstr("line 2"));
  EXPECT_THAT(error(R"({"R":[1,2],"G":[1],"B":[1,2]})", "a.json"), HasSubstr("one length"));
  EXPECT_THAT(error(R"({"R":[1,2],"G":[1,2],"B":[1,256]})", "a.json"), HasSubstr("entry 1"));
}

TEST(LabelFiles, HexadecimalColoursOfAllSpellingsAreRead) {
  EXPECT_EQ(colourFromHexText("#f0A"), (Rgba{255, 0, 170, 255}));
  EXPECT_EQ(colourFromHexText("0x010203"), (Rgba{1, 2, 3, 255}));
  EXPECT_EQ(colourFromHexText("01020304"), (Rgba{1, 2, 3, 4}));
  for (const char* wrong : {"", "#", "#12", "#12345", "#12345g", "red", "#+1-2+3", "#0102030405"}) {
    EXPECT_FALSE(colourFromHexText(wrong)) << wrong;
  }
}

TEST(LabelFiles, ReaderGivesATableAsJson) {
  class Sink final : public MemorySink {
   public:
    Result<std::span<std::byte>> allocate(std::size_t size) override {
      memory.resize(size);
      return std::span(memory);
    }
    std::vector<std::byte> memory;
  } sink;
  const std::string text = stored("FreeSurfer_colorlut_sample.txt");
  const InputFile file = fileOf(text, "FreeSurferColorLUT.txt");
  ASSERT_TRUE(LabelReader().recognises(file));
  EXPECT_EQ(LabelReader().peek(file)->kind, "labels");
  const auto content = LabelReader().readContent(std::array{file}, {}, sink);
  ASSERT_TRUE(content);
  const auto& document = std::get<ReadDocument>(*content);
  EXPECT_EQ(document.info.kind, "labels");
  EXPECT_EQ(document.info.rows, 6);
  const auto json = nlohmann::json::parse(reinterpret_cast<const char*>(sink.memory.data()),
                                          reinterpret_cast<const char*>(sink.memory.data()) + document.size);
  EXPECT_EQ(json["labels"][5], nlohmann::json({5, "Left-Inf-Lat-Vent", "#c43afaff"}));
}

/// Whatever comes, the answer is a table or an error, and soon.
TEST(LabelFiles, DamagedTablesAreRefusedOrReadButNeverHarm) {
  std::mt19937 random(7);
  for (const char* name :
       {"FreeSurfer_colorlut_sample.txt", "aal.nii.txt", "aal.nii.lut", "AllenAtlas.json", "red_otto.lut"}) {
    const std::string good = stored(name);
    ASSERT_FALSE(good.empty());
    for (std::size_t cut = 0; cut <= 16; ++cut) static_cast<void>(parsed(good.substr(0, good.size() * cut / 16), name));
    for (int round = 0; round < 60; ++round) {
      std::string bad = good;
      for (int flips = 0; flips < 4; ++flips) bad[random() % bad.size()] = static_cast<char>(random());
      static_cast<void>(parsed(bad, name));
    }
  }
  EXPECT_FALSE(parsed("", "a.txt"));
  EXPECT_FALSE(parsed(std::string(100000, '['), "a.json"));
  EXPECT_FALSE(parsed(std::string(100000, '"'), "a.csv"));
  EXPECT_FALSE(parsed(std::string(768, '\0'), "a.txt"));
}

}  // namespace
}  // namespace nora
