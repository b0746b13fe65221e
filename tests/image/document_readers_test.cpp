// Tables, texts, pictures: what the page's panel gets of them.
#include "image/io/picture_reader.hpp"
#include "image/io/table_reader.hpp"
#include "image/io/text_reader.hpp"

#include <cmath>
#include <filesystem>
#include <fstream>
#include <random>
#include <sstream>

#include <gmock/gmock.h>
#include <png.h>
#include <zlib.h>
#include <nlohmann/json.hpp>

namespace nora {
namespace {

using nlohmann::json;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Pair;

class VectorSink final : public MemorySink {
 public:
  Result<std::span<std::byte>> allocate(std::size_t size) override {
    memory.resize(size);
    return std::span(memory);
  }
  std::vector<std::byte> memory;
};

struct Opened {
  DocumentInfo info;
  std::string bytes;
  Error error;
  [[nodiscard]] json table() const { return json::parse(bytes); }
};

Opened open(const FileReader& reader, const std::string& content, const std::string& name, std::int64_t page = 0) {
  const InputFile file{name, std::as_bytes(std::span(content))};
  EXPECT_TRUE(reader.recognises(file)) << name;
  VectorSink sink;
  ReadOptions options;
  options.timePoint = page;
  auto read = reader.readContent(std::array{file}, options, sink);
  if (!read) return {{}, "", read.error()};
  auto& document = std::get<ReadDocument>(*read);
  EXPECT_LE(document.offset + document.size, sink.memory.size());
  // What comes back from a reader process is checked: it must pass.
  const auto info = documentInfoFromJson(json::parse(toJson(document.info).dump()));
  EXPECT_TRUE(info) << describe(info.error());
  return {document.info,
          std::string(reinterpret_cast<const char*>(sink.memory.data()) + document.offset, document.size),
          {}};
}

Opened table(const std::string& content, const std::string& name = "t.csv") {
  return open(TableReader(), content, name);
}

std::string folder() {
  return std::string(NORA_TEST_DATA) + "/formats/documents/";
}

std::string stored(const std::string& name) {
  std::ifstream in(folder() + name, std::ios::binary);
  std::ostringstream out;
  out << in.rdbuf();
  return out.str();
}

std::string gzipped(const std::string& content) {
  z_stream stream{};
  constexpr int gzipWrapper = 16;
  EXPECT_EQ(deflateInit2(&stream, 6, Z_DEFLATED, MAX_WBITS + gzipWrapper, 8, Z_DEFAULT_STRATEGY), Z_OK);
  std::string out(deflateBound(&stream, content.size()) + 64, '\0');
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(content.data()));
  stream.avail_in = static_cast<uInt>(content.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  deflate(&stream, Z_FINISH);
  out.resize(stream.total_out);
  deflateEnd(&stream);
  return out;
}

// ---- tables

TEST(TableReader, QuotesLineEndsAndEmptyLinesAreUnderstood) {
  const auto read = table(
      "\xef\xbb\xbf"
      "a,b\r\n1,\"x, \"\"y\"\"\nz\"\r\n\r\n2,\r3,plain\"quote\n4");
  EXPECT_EQ(read.table()["columns"], json({"a", "b"}));
  EXPECT_EQ(read.table()["rows"], json::parse(R"([["1","x, \"y\"\nz"],["2",""],["3","plain\"quote"],["4"]])"));
  EXPECT_EQ(read.info.rows, 4);
  EXPECT_EQ(read.info.columns, 2);
  EXPECT_EQ(read.info.kind, "table");
  EXPECT_EQ(read.info.mediaType, "application/json");
}

TEST(TableReader, SeparatorIsFoundAndLatin1BecomesUtf8) {
  const auto read = table(stored("latin1_semicolon.csv"));
  EXPECT_EQ(read.table()["columns"], json({"name", "value", "note"}));
  EXPECT_EQ(read.table()["rows"][0], json({"M\xc3\xbcller; A.", "1,5", "says \"x\""}));
  EXPECT_EQ(read.table()["rows"][1], json({"B", "2,5"}));
  EXPECT_EQ(table("a|b\n1|2\n").table()["rows"], json::parse(R"([["1","2"]])"));
  EXPECT_EQ(table("a\tb,c\n1\t2,3\n").table()["columns"], json({"a", "b,c"}));
  EXPECT_EQ(table("one\ntwo\n").table(), json::parse(R"({"columns":["one"],"rows":[["two"]]})"));
}

TEST(TableReader, Utf16OfSpreadsheetsIsRead) {
  std::string utf16 = "\xff\xfe";
  for (const char c : std::string("a\tb\r\n1\t2\r\n")) utf16 += std::string{c, '\0'};
  utf16 += std::string("\xfc\0\t\0\x3d\xd8\x00\xde\n\0", 10);
  EXPECT_EQ(table(utf16, "t.tsv").table()["rows"], json::parse("[[\"1\",\"2\"],[\"\xc3\xbc\",\"\xf0\x9f\x98\x80\"]]"));
}

TEST(TableReader, ColumnsWithoutNamesAreNumbered) {
  const auto read = table("1,2.5\n3,4\n");
  EXPECT_EQ(read.table(), json::parse(R"({"columns":["1","2"],"rows":[["1","2.5"],["3","4"]]})"));
  const auto wide = table("a,b\n1,2,3\n");
  EXPECT_EQ(wide.table()["columns"], json({"a", "b", "3"}));
  EXPECT_EQ(wide.info.columns, 3);
}

TEST(TableReader, BidsTablesAreReadAlsoCompressed) {
  const std::string content = stored("participants.tsv");
  const auto plain = table(content, "participants.tsv"), packed = table(gzipped(content), "participants.tsv.gz");
  EXPECT_EQ(plain.table()["columns"], json({"participant_id", "sex", "age"}));
  EXPECT_EQ(plain.table()["rows"][0], json({"sub-01", "M", "25"}));
  EXPECT_EQ(packed.bytes, plain.bytes);
  EXPECT_THAT(packed.info.warnings, IsEmpty());
  std::string damaged = gzipped(content);
  damaged[damaged.size() - 6] = static_cast<char>(damaged[damaged.size() - 6] ^ 1);
  EXPECT_THAT(table(damaged, "participants.tsv.gz").info.warnings, ElementsAre(HasSubstr("damaged")));
}

TEST(TableReader, OfALongTableTheFirstRowsAndTheTrueCountAreTold) {
  std::string content = "n\n";
  for (std::size_t i = 0; i < TableReader::maxRows + 500; ++i) content += std::to_string(i) + "\n";
  const auto read = table(content);
  EXPECT_EQ(read.info.rows, static_cast<std::int64_t>(TableReader::maxRows + 500));
  EXPECT_EQ(read.table()["rows"].size(), TableReader::maxRows);
  EXPECT_THAT(read.info.warnings, ElementsAre("only the first 100000 of 100500 rows are shown"));
}

TEST(TableReader, LongCellsAndManyCellsAreBounded) {
  const auto cells = table("a,b\n" + std::string(3'000'000, ','));
  EXPECT_LE(cells.table()["rows"][0].size(), 16384U);
  const auto cell = table("a,b\n" + std::string(40'000'000, 'x') + ",y\n");
  EXPECT_LE(cell.bytes.size(), std::size_t{1} << 20);
  const auto quote = table("a,b\n\"" + std::string(200'000, 'x') + "\n1,2\n");
  EXPECT_EQ(quote.info.rows, 2);
}

TEST(TableReader, GradientsHaveARowAVolume) {
  const auto bval = table("0 1000 2000\n", "a.bval");
  EXPECT_EQ(bval.table(), json::parse(R"({"columns":["b"],"rows":[["0"],["1000"],["2000"]]})"));
  const auto bvec = table("0 1 2 5\n0 3 4 6\nnan 0 0 7\n", "bvecs");
  EXPECT_EQ(bvec.table()["columns"], json({"x", "y", "z"}));
  EXPECT_EQ(bvec.table()["rows"][1], json({"1", "3", "0"}));
  EXPECT_EQ(bvec.info.rows, 4);
  EXPECT_EQ(table("1 2 3\n4 5 6\n7 8 9\n1 1 1\n", "a.bvec").info.rows, 4);
}

TEST(TableReader, FreeSurferStatisticsKeepTheirMeasures) {
  const auto read = table(
      "# Title Segmentation Statistics\n#\n# Measure BrainSeg, BrainSegVol, Brain Segmentation Volume, "
      "1234.5, mm^3\n# ColHeaders  Index SegId NVoxels Volume_mm3 StructName\n"
      "  1   4  7890  7890.1  Left-Lateral-Ventricle\n  2   5  25  25.0 Left-Inf-Lat-Vent\n",
      "aseg.stats");
  EXPECT_EQ(read.table()["columns"], json({"Index", "SegId", "NVoxels", "Volume_mm3", "StructName"}));
  EXPECT_EQ(read.table()["rows"][1][4], "Left-Inf-Lat-Vent");
  EXPECT_THAT(read.info.fields, Contains(Pair("Brain Segmentation Volume", "1234.5 mm^3")));
}

TEST(TableReader, JsonIsPassedOnOnceChecked) {
  const std::string text = "{\"a\": [1, {\"b\": null}]}";
  const auto read = table(text, "a.json");
  EXPECT_EQ(read.bytes, text);
  EXPECT_EQ(read.info.format, "JSON");
  EXPECT_THAT(read.info.warnings, IsEmpty());
  EXPECT_EQ(table("\xef\xbb\xbf{}", "a.json").bytes, "{}");
}

TEST(TableReader, WhatIsNoJsonIsShownAsText) {
  const auto read = table("{\"a\": NaN,\n\"b\": 1}", "a.json");
  EXPECT_EQ(read.info.mediaType, "text/plain");
  EXPECT_THAT(read.info.warnings, ElementsAre("not valid JSON (line 1); shown as text"));
  const auto deep = table(std::string(5000, '[') + std::string(5000, ']'), "a.json");
  EXPECT_EQ(deep.info.mediaType, "text/plain");
  EXPECT_THAT(deep.info.warnings, ElementsAre(HasSubstr("nested more than 64 deep")));
  EXPECT_EQ(table(std::string(TableReader::maxJsonBytes + 1, ' '), "a.json").error.code, ErrorCode::limitExceeded);
}

TEST(TableReader, EmptyAndBinaryFilesAreToldSo) {
  EXPECT_EQ(table("").table(), json::parse(R"({"columns":[],"rows":[]})"));
  EXPECT_EQ(table(std::string("a,b\n\0\0\0\1", 8)).error.code, ErrorCode::invalidInput);
}

// ---- text

TEST(TextReader, TextOfAnyEncodingBecomesUtf8) {
  const auto read = open(TextReader(),
                         "Gr\xfc\xdf"
                         "e \x80 5\r\nend",
                         "notes.txt");
  EXPECT_EQ(read.bytes,
            "Gr\xc3\xbc\xc3\x9f"
            "e \xe2\x82\xac 5\r\nend");
  EXPECT_THAT(read.info.fields, ElementsAre(Pair("encoding", "Windows-1252")));
  EXPECT_EQ(read.info.rows, 2);
  EXPECT_EQ(read.info.mediaType, "text/plain");
  EXPECT_EQ(open(TextReader(), "<script>alert(1)</script>", "a.html").info.mediaType, "text/plain");
  EXPECT_EQ(open(TextReader(), "x", "d/README").bytes, "x");
  EXPECT_EQ(open(TextReader(), "", "a.md").bytes, "");
}

TEST(TextReader, LongTextIsCutWithAWarning) {
  const auto read = open(TextReader(), std::string(TextReader::maxBytes + 5, 'x'), "a.txt");
  EXPECT_EQ(read.bytes.size(), TextReader::maxBytes);
  EXPECT_THAT(read.info.warnings, ElementsAre("only the first 8 MiB are shown"));
}

TEST(TextReader, BinaryIsNotShown) {
  EXPECT_EQ(open(TextReader(), std::string("a\0b", 3), "a.txt").error.code, ErrorCode::invalidInput);
}

// ---- pictures

struct Picture {
  int width = 0, height = 0;
  std::vector<std::uint8_t> rgb;
};

Picture decoded(const std::string& png) {
  png_image image{};
  image.version = PNG_IMAGE_VERSION;
  EXPECT_NE(png_image_begin_read_from_memory(&image, png.data(), png.size()), 0);
  image.format = PNG_FORMAT_RGB;
  Picture out{static_cast<int>(image.width), static_cast<int>(image.height),
              std::vector<std::uint8_t>(PNG_IMAGE_SIZE(image))};
  EXPECT_NE(png_image_finish_read(&image, nullptr, out.rgb.data(), 0, nullptr), 0);
  return out;
}

TEST(PictureReader, PagesOfTiffFilesLookAsPillowShowsThem) {
  const json answers = json::parse(stored("pictures.json"));
  EXPECT_GE(answers.size(), 11U);
  for (const json& answer : answers) {
    const std::string name = answer["file"];
    SCOPED_TRACE(name + " page " + answer["page"].dump());
    const auto read = open(PictureReader(), stored(name), name, answer["page"]);
    ASSERT_EQ(read.info.mediaType, "image/png") << describe(read.error);
    EXPECT_EQ(read.info.pages, answer["pages"]);
    EXPECT_EQ(read.info.width, answer["width"]);
    EXPECT_EQ(read.info.height, answer["height"]);
    const Picture picture = decoded(read.bytes);
    ASSERT_EQ(picture.width, answer["width"]);
    // JPEG decoders round differently; the others only where sixteen bits become eight.
    const double tolerance = name == "rgb_jpeg.tif" ? 3 : 0.51;
    for (const json& pixel : answer["pixels"]) {
      const auto at =
          (pixel[1].get<std::size_t>() * static_cast<std::size_t>(picture.width) + pixel[0].get<std::size_t>()) * 3;
      for (std::size_t c = 0; c < 3; ++c)
        EXPECT_NEAR(picture.rgb[at + c], pixel[2 + c].get<double>(), tolerance) << pixel;
    }
  }
}

TEST(PictureReader, APageThatIsNotThereIsNotFound) {
  const auto read = open(PictureReader(), stored("pages.tif"), "pages.tif", 3);
  EXPECT_EQ(read.error.code, ErrorCode::notFound);
  EXPECT_EQ(read.error.what, "there is no page 4; the file has 3");
}

TEST(PictureReader, PicturesOfTheWebArePassedOnAsTheyAre) {
  for (const auto& [name, type] : std::vector<std::pair<std::string, std::string>>{
           {"rgb.png", "image/png"}, {"rgb.jpg", "image/jpeg"}, {"rgb.gif", "image/gif"}}) {
    const auto read = open(PictureReader(), stored(name), name);
    EXPECT_EQ(read.info.mediaType, type) << describe(read.error);
    EXPECT_EQ(read.bytes, stored(name));
    EXPECT_EQ(read.info.width, 41);
    EXPECT_EQ(read.info.height, 30);
    EXPECT_THAT(read.info.warnings, IsEmpty()) << name;
  }
}

TEST(PictureReader, PagesOfAPdfAreCounted) {
  const auto read = open(PictureReader(), stored("two_pages.pdf"), "two_pages.pdf");
  EXPECT_EQ(read.info.mediaType, "application/pdf");
  EXPECT_EQ(read.info.pages, 2);
  EXPECT_EQ(read.bytes, stored("two_pages.pdf"));
  EXPECT_THAT(read.info.warnings, IsEmpty());
}

TEST(PictureReader, CutPicturesAreShownWithAWarningOrRefused) {
  const std::string png = stored("rgb.png"), jpeg = stored("rgb.jpg");
  EXPECT_THAT(open(PictureReader(), png.substr(0, png.size() - 20), "a.png").info.warnings,
              ElementsAre(HasSubstr("cut short")));
  EXPECT_THAT(open(PictureReader(), jpeg.substr(0, jpeg.size() - 20), "a.jpg").info.warnings,
              ElementsAre(HasSubstr("cut short")));
  EXPECT_EQ(open(PictureReader(), png.substr(0, 20), "a.png").error.code, ErrorCode::invalidInput);
  EXPECT_EQ(open(PictureReader(), jpeg.substr(0, 30), "a.jpg").error.code, ErrorCode::invalidInput);
}

TEST(PictureReader, SizesThatWouldFillTheBrowserAreRefused) {
  std::string png = stored("rgb.png");
  png.replace(16, 8, std::string("\x00\x00\x70\x00\x00\x00\x70\x00", 8));
  EXPECT_EQ(open(PictureReader(), png, "a.png").error.code, ErrorCode::limitExceeded);
  png.replace(16, 8, std::string("\x00\x00\x00\x00\x00\x00\x70\x00", 8));
  EXPECT_EQ(open(PictureReader(), png, "a.png").error.code, ErrorCode::invalidInput);
}

/// A little-endian TIFF of one strip with chosen tags.
std::string tiff(const std::vector<std::array<std::uint32_t, 3>>& tags, std::uint32_t next = 0,
                 const std::string& pixels = "") {
  std::string out = std::string("II*\0", 4);
  const auto number = [&](std::uint32_t value, int bytes) {
    for (int i = 0; i < bytes; ++i) out += static_cast<char>(value >> (8 * i));
  };
  number(8, 4);
  number(static_cast<std::uint32_t>(tags.size()), 2);
  for (const auto& [tag, type, value] : tags) {
    number(tag, 2);
    number(type, 2);
    number(1, 4);
    number(value, 4);
  }
  number(next, 4);
  return out + pixels;
}

TEST(PictureReader, TiffFilesThatLieAreRefusedSoon) {
  using Tags = std::vector<std::array<std::uint32_t, 3>>;
  const Tags huge{{256, 4, 1U << 31}, {257, 4, 1U << 31}, {258, 3, 16}, {262, 3, 1}, {273, 4, 8}, {279, 4, 100}};
  EXPECT_FALSE(open(PictureReader(), tiff(huge), "a.tif").error.what.empty());
  const Tags large{{256, 4, 8000}, {257, 4, 8000}, {258, 3, 16}, {262, 3, 1}, {273, 4, 8}, {279, 4, 100}};
  EXPECT_THAT(open(PictureReader(), tiff(large), "a.tif").error.what, HasSubstr("claims"));
  const Tags bomb{{256, 4, 8000}, {257, 4, 8000}, {258, 3, 16},   {259, 3, 8},
                  {262, 3, 1},    {273, 4, 8},    {278, 4, 8000}, {279, 4, 50}};
  EXPECT_FALSE(open(PictureReader(), tiff(bomb), "a.tif").error.what.empty());
  const Tags tiles{{256, 4, 10},       {257, 4, 10},       {258, 3, 16}, {259, 3, 8}, {262, 3, 1},
                   {322, 4, 1U << 30}, {323, 4, 1U << 30}, {324, 4, 8},  {325, 4, 50}};
  EXPECT_FALSE(open(PictureReader(), tiff(tiles), "a.tif").error.what.empty());
  const Tags good{{256, 4, 2}, {257, 4, 1}, {258, 3, 8}, {259, 3, 1}, {262, 3, 1}, {273, 4, 8 + 2 + 12 * 8 + 4},
                  {278, 4, 1}, {279, 4, 2}};
  const auto circle = open(PictureReader(), tiff(good, 8, "ab"), "a.tif");
  EXPECT_EQ(circle.info.pages, 1) << describe(circle.error);
  EXPECT_EQ(decoded(circle.bytes).rgb[0], 'a');
  EXPECT_EQ(open(PictureReader(), std::string("II*\0\0\0\0\0", 8), "a.tif").error.code, ErrorCode::invalidInput);
}

TEST(DocumentReaders, DamagedFilesAreRefusedOrReadButNeverHarm) {
  std::mt19937 random(5);
  for (const auto& entry : std::filesystem::directory_iterator(folder())) {
    const std::string name = entry.path().filename(), good = stored(name);
    for (const FileReader* reader :
         std::initializer_list<const FileReader*>{new PictureReader, new TableReader, new TextReader}) {
      const std::unique_ptr<const FileReader> owner(reader);
      for (int round = 0; round < 56; ++round) {
        std::string bad = round <= 16 ? good.substr(0, good.size() * static_cast<std::size_t>(round) / 16) : good;
        for (int flip = 0; round > 16 && flip < 3; ++flip) bad[random() % bad.size()] = static_cast<char>(random());
        const InputFile file{name, std::as_bytes(std::span(bad))};
        if (!reader->recognises(file)) continue;
        VectorSink sink;
        const auto read = reader->readContent(std::array{file}, {}, sink);
        if (!read) continue;
        EXPECT_LE(std::get<ReadDocument>(*read).size, sink.memory.size());
      }
    }
  }
}

}  // namespace
}  // namespace nora
