#include "image/document.hpp"

#include <cstring>

#include <gmock/gmock.h>
#include <nlohmann/json.hpp>

namespace nora {
namespace {

using nlohmann::json;

DocumentInfo tableInfo() {
  DocumentInfo info;
  info.kind = "table";
  info.format = "CSV";
  info.mediaType = "application/json";
  info.rows = 3;
  info.columns = 2;
  info.fields = {{"separator", ";"}};
  info.warnings = {"cut"};
  return info;
}

MappedBytes memory(const std::string& text) {
  const auto fd = createMemoryFile("document", text.size());
  auto mapped = MappedBytes::readWrite(fd->get(), text.size(), "document");
  std::memcpy(mapped->writable().data(), text.data(), text.size());
  return std::move(*mapped);
}

TEST(Document, ShowsTheBytesBetweenItsOffsetAndItsEnd) {
  const auto document = Document::create(tableInfo(), memory("xxhello!"), 2, 5, "a.csv");
  ASSERT_TRUE(document);
  EXPECT_EQ(document->bytes(), "hello");
  EXPECT_EQ(document->name(), "a.csv");
  EXPECT_EQ(document->info(), tableInfo());
}

TEST(Document, RefusesBytesBeyondItsMemory) {
  EXPECT_FALSE(Document::create(tableInfo(), memory("hello"), 2, 4, "a.csv"));
  EXPECT_FALSE(Document::create(tableInfo(), memory("hello"), 6, 0, "a.csv"));
  EXPECT_FALSE(Document::create(tableInfo(), memory("hello"), 1, SIZE_MAX, "a.csv"));
  EXPECT_TRUE(Document::create(tableInfo(), memory("hello"), 5, 0, "a.csv"));
}

TEST(Document, HeaderComesBackFromJsonAsItWas) {
  const auto read = documentInfoFromJson(json::parse(toJson(tableInfo()).dump()));
  ASSERT_TRUE(read);
  EXPECT_EQ(*read, tableInfo());
}

TEST(Document, RefusesAHeaderThatABrowserShouldNotGet) {
  for (const auto& [key, wrong] : std::vector<std::pair<const char*, json>>{{"mediaType", "text/html"},
                                                                            {"mediaType", "image/svg+xml"},
                                                                            {"mediaType", "text/plain\r\nX: y"},
                                                                            {"kind", "image"},
                                                                            {"rows", -1},
                                                                            {"pages", 0},
                                                                            {"width", 1.5},
                                                                            {"fields", "x"}}) {
    json header = json::parse(toJson(tableInfo()).dump());
    ASSERT_TRUE(documentInfoFromJson(header));
    header[key] = wrong;
    EXPECT_FALSE(documentInfoFromJson(header)) << key << " " << wrong;
  }
  EXPECT_FALSE(documentInfoFromJson(json::array()));
}

}  // namespace
}  // namespace nora
