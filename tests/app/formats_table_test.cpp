// Every format against an independent reader, and docs/FORMATS.md against what was really opened.
#include "tests/app/formats_table.hpp"
#include "app/file_set.hpp"
#include "app/local_images.hpp"

#include <cstdlib>
#include <fstream>
#include <sstream>

#include <gtest/gtest.h>

namespace nora {
namespace {

constexpr const char* pageFile = NORA_SOURCE_DIR "/docs/FORMATS.md";

ReaderPool& pool() {
  static ReaderPool readers(NORA_PROGRAM, commandLineLimits());
  return readers;
}

/// A file with all that belongs to it, or the files that the answer names (slices of a series).
Result<Content> read(const formats::Answer& answer) {
  const auto open = [](const std::string& name) { return openRegularFile(name, name); };
  const auto pathOf = [&](const std::string& file) { return (answer.folder / file).string(); };
  const auto list = [](const std::string&) { return std::vector<std::string>{}; };
  auto files = openFileSet(pool(), pathOf(answer.file()), {open, list}, {});
  if (!files) return tl::make_unexpected(files.error());
  for (const auto& part : answer.expected.at("parts")) {
    const std::string path = pathOf(part.get<std::string>());
    const bool there = std::any_of(files->begin(), files->end(), [&](const auto& f) { return f.name == path; });
    if (there) continue;
    auto file = openRegularFile(path, path);
    if (!file) return tl::make_unexpected(file.error());
    files->push_back(std::move(*file));
  }
  return pool().readContent(*files, answer.file(), {}, {});
}

void check(const formats::Answer& answer, formats::Table& table) {
  SCOPED_TRACE(answer.list + ": " + answer.file());
  const auto content = read(answer);
  if (answer.expected.at("kind") == "refused") {
    ASSERT_FALSE(content) << "should be refused";
    EXPECT_NE(content.error().what.find(answer.expected.at("why").get<std::string>()), std::string::npos)
        << describe(content.error());
    return table.refused(answer, content.error());
  }
  ASSERT_TRUE(content) << describe(content.error());
  table.opened(answer, *content);
  for (const auto& difference : formats::differences(*content, answer.expected)) ADD_FAILURE() << difference;
}

/// Documents and label tables have no independent answers: they have tests of their own. Here they have to open.
void openDocuments(formats::Table& table) {
  for (const char* folder : {"documents", "labels"}) {
    for (const auto& entry : std::filesystem::directory_iterator(NORA_TEST_DATA "/formats/" + std::string(folder))) {
      const std::string name = entry.path().filename();
      if (name == "LICENCES.md" || name.starts_with("bad")) continue;
      SCOPED_TRACE(name);
      const formats::Answer answer{
          NORA_TEST_DATA,
          folder,
          {{"file", "formats/" + std::string(folder) + "/" + name}, {"parts", nlohmann::json::array()}}};
      const auto content = read(answer);
      EXPECT_TRUE(content) << describe(content.error());
      if (content) table.opened(answer, *content);
    }
  }
}

std::string textOf(const std::string& path) {
  std::ifstream in(path);
  std::ostringstream out;
  out << in.rdbuf();
  return out.str();
}

TEST(FormatsTable, IndependentReadersAgreeAndThePageSaysWhatWasOpened) {
  const auto answers = formats::answers(false, NORA_TEST_DATA);
  ASSERT_FALSE(answers.empty());
  formats::Table table;
  for (const auto& answer : answers) check(answer, table);
  openDocuments(table);
  const std::string page = table.markdown();
  if (std::getenv("NORA_WRITE_FORMATS") != nullptr) std::ofstream(pageFile) << page;
  EXPECT_EQ(textOf(pageFile), page) << "docs/FORMATS.md is not what was opened; write it anew (it says how)";
}

TEST(FormatsTable, IndependentReadersAgreeOnTheLargerCollection) {
  const char* given = std::getenv("NORA_SHARED_DATA");
  const std::filesystem::path folder = given != nullptr ? given : NORA_SOURCE_DIR "/../shared/data";
  if (!std::filesystem::is_directory(folder)) GTEST_SKIP() << "the larger collection is not here";
  formats::Table table;
  for (const auto& answer : formats::answers(true, folder)) check(answer, table);
}

}  // namespace
}  // namespace nora
