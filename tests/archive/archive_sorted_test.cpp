// Orders, pages by key, all ids at once and counts: against plain C++ over the same rows, on every database.
#include "archive/search/fold.hpp"
#include "tests/archive/archive_world.hpp"

#include <algorithm>
#include <map>
#include <tuple>

namespace nora {
namespace {

class ArchiveSortedTest : public test::ArchiveWorld {
 protected:
  void SetUp() override {
    test::ArchiveWorld::SetUp();
    if (IsSkipped() || HasFatalFailure()) return;
    std::vector<FoundFileRecord> files;
    for (int i = 0; i < 41; ++i) {
      const std::string subject = "sub-" + std::to_string(i % 4),
                        study = i % 3 == 0 ? "" : "Ses-" + std::to_string(i % 3);
      auto one = found(
          "d" + std::to_string(i % 5) + "/" + names.at(static_cast<std::size_t>(i) % names.size()) + std::to_string(i),
          i % 7 == 0 ? "" : subject, i % 7 == 0 ? "" : study, 100 + i % 6);
      one.facts.mtimeUs = 1000 - i % 9;
      one.facts.modality = i % 2 == 0 ? "MR" : "";
      one.facts.dims[0] = i % 4 * 64;
      one.facts.spacingMm[0] = 0.25 * (i % 5);
      one.facts.date = i % 5 == 0 ? "" : "2024-0" + std::to_string(1 + i % 5);
      files.push_back(one);
    }
    EXPECT_EQ(take(files).added, 41);
    const auto gone = fileId(files.at(8).facts.path);
    ASSERT_TRUE(archive->markVanished(std::span(&gone, 1)));
  }

  std::vector<std::int64_t> pages(Level level, const std::string& query, const Archive::Selection& selection,
                                  int most) {
    std::vector<std::int64_t> out;
    std::optional<Archive::SortKey> after;
    for (;;) {
      const auto page = archive->findSorted(level, *parseQuery(query), test::everyProject, selection, after, most);
      if (!page) {
        ADD_FAILURE() << selection.sort << ": " << describe(page.error());
        return out;
      }
      EXPECT_LE(page->ids.size(), static_cast<std::size_t>(most));
      out.insert(out.end(), page->ids.begin(), page->ids.end());
      if (!page->next) return out;
      EXPECT_EQ(page->next->id, page->ids.back());
      after = page->next;
      if (out.size() > 1000) {
        ADD_FAILURE() << selection.sort << ": the pages do not end";
        return out;
      }
    }
  }

  const std::vector<std::string> names{"b", "B", "ä", "Z", "\xF0\x9F\xA7\xA0", "a b", "_", "10", "9", "é"};
};

TEST_F(ArchiveSortedTest, PagesOfEveryOrderAreAllIdsInThatOrder) {
  for (const Level level : {Level::file, Level::study, Level::subject, Level::project}) {
    for (const auto column : Archive::sortColumns(level)) {
      for (const bool descending : {false, true}) {
        Archive::Selection selection;
        selection.sort = column;
        selection.descending = descending;
        const auto all = findAll(level, "", selection);
        const auto said = std::string(column) + (descending ? " descending" : "");
        EXPECT_EQ(pages(level, "", selection, 3), all) << said;
        EXPECT_EQ(pages(level, "", selection, 1000), all) << said;
        auto sorted = all;
        std::sort(sorted.begin(), sorted.end());
        EXPECT_EQ(std::adjacent_find(sorted.begin(), sorted.end()), sorted.end()) << said << ": each once";
        EXPECT_EQ(sorted, findAll(level, "")) << said << ": all of them";
      }
    }
  }
  EXPECT_EQ(findAll(Level::file, "").size(), 40U) << "what has vanished is not listed";
}

TEST_F(ArchiveSortedTest, TheOrderIsThatOfTheValuesThenOfTheIds) {
  const auto files = archive->files(findAll(Level::file, ""));
  ASSERT_TRUE(files);
  std::map<std::int64_t, FileRecord> byId;
  for (const auto& file : *files) byId[file.id] = file;
  const auto keyOf = [&](const std::string& column, std::int64_t id) -> std::tuple<double, std::string> {
    const FileRecord& file = byId.at(id);
    if (column == "size") return {static_cast<double>(file.size), ""};
    if (column == "modified") return {static_cast<double>(file.mtimeUs), ""};
    if (column == "dims") return {static_cast<double>(file.dims[0]), ""};
    if (column == "spacingMm") return {file.spacingMm[0], ""};
    if (column == "subject") return {static_cast<double>(file.subjectId), ""};
    if (column == "study") return {static_cast<double>(file.studyId), ""};
    return {0, file.date};
  };
  for (const std::string column : {"size", "modified", "dims", "spacingMm", "subject", "study", "date"}) {
    for (const bool descending : {false, true}) {
      Archive::Selection selection;
      selection.sort = column;
      selection.descending = descending;
      auto wanted = findAll(Level::file, "");
      std::sort(wanted.begin(), wanted.end(), [&](auto a, auto b) {
        const auto left = std::tuple(keyOf(column, a), a), right = std::tuple(keyOf(column, b), b);
        return descending ? right < left : left < right;
      });
      EXPECT_EQ(findAll(Level::file, "", selection), wanted) << column << descending;
    }
  }
}

TEST_F(ArchiveSortedTest, NamesSortWithoutRegardToCaseAndByCodePoints) {
  const auto files = archive->files(findAll(Level::file, ""));
  ASSERT_TRUE(files);
  std::vector<std::pair<std::string, std::int64_t>> wanted;
  for (const auto& file : *files) wanted.emplace_back(foldText(file.name), file.id);
  std::sort(wanted.begin(), wanted.end());
  Archive::Selection selection;
  selection.sort = "name";
  std::vector<std::int64_t> ids;
  for (const auto& [name, id] : wanted) ids.push_back(id);
  EXPECT_EQ(findAll(Level::file, "", selection), ids);
}

TEST_F(ArchiveSortedTest, APartIsChosenAndCounted) {
  const auto subjects = findAll(Level::subject, "");
  ASSERT_EQ(subjects.size(), 4U);
  const auto files = archive->files(findAll(Level::file, ""));
  ASSERT_TRUE(files);
  for (const std::int64_t subject : {subjects[0], subjects[3], std::int64_t{0}}) {
    Archive::Selection part;
    part.project = project.id;
    part.subject = subject;
    part.sort = "size";
    const auto wanted =
        std::count_if(files->begin(), files->end(), [&](const auto& file) { return file.subjectId == subject; });
    EXPECT_GT(wanted, 0);
    EXPECT_EQ(static_cast<std::int64_t>(findAll(Level::file, "", part).size()), wanted) << subject;
    EXPECT_EQ(static_cast<std::int64_t>(pages(Level::file, "", part, 2).size()), wanted) << subject;
    EXPECT_EQ(archive->count(Level::file, *parseQuery(""), test::everyProject, 1000, part), wanted) << subject;
    EXPECT_EQ(archive->count(Level::file, *parseQuery(""), test::everyProject, 2, part), 2) << "counted no further";
  }
  const std::vector<std::int64_t> projects{project.id};
  const auto whole = archive->countsOf(Level::project, projects);
  ASSERT_TRUE(whole) << describe(whole.error());
  EXPECT_EQ(whole->at(project.id).files, 40);
  EXPECT_EQ(whole->at(project.id).subjects, 4);
  EXPECT_EQ(whole->at(project.id).studies, static_cast<std::int64_t>(findAll(Level::study, "").size()));
  const auto ofSubjects = archive->countsOf(Level::subject, subjects);
  const auto ofStudies = archive->countsOf(Level::study, findAll(Level::study, ""));
  ASSERT_TRUE(ofSubjects && ofStudies);
  for (const auto& [id, counts] : *ofSubjects)
    EXPECT_EQ(counts.files,
              std::count_if(files->begin(), files->end(), [&, id = id](const auto& f) { return f.subjectId == id; }));
  for (const auto& [id, counts] : *ofStudies)
    EXPECT_EQ(counts.files,
              std::count_if(files->begin(), files->end(), [&, id = id](const auto& f) { return f.studyId == id; }));
  std::int64_t bytes = 0;
  for (const auto& file : *files) bytes += file.size;
  EXPECT_EQ(archive->bytesOf(projects)->at(project.id), bytes);
  EXPECT_EQ(archive->countsOf(Level::project, std::vector<std::int64_t>{123456})->at(123456).files, 0);
}

TEST_F(ArchiveSortedTest, PagesHoldWhileRowsComeAndGo) {
  Archive::Selection selection;
  selection.sort = "size";
  const auto before = findAll(Level::file, "", selection);
  const auto first = archive->findSorted(Level::file, *parseQuery(""), test::everyProject, selection, std::nullopt, 10);
  ASSERT_TRUE(first && first->next);
  const std::vector<std::int64_t> gone{first->ids.front(), first->ids.back()};
  ASSERT_EQ(archive->markVanished(gone), 2);
  take({found("new/small", "sub-0", "", 1)});
  std::vector<std::int64_t> rest;
  for (auto after = first->next; after;) {
    const auto page = archive->findSorted(Level::file, *parseQuery(""), test::everyProject, selection, after, 10);
    ASSERT_TRUE(page) << describe(page.error());
    rest.insert(rest.end(), page->ids.begin(), page->ids.end());
    after = page->next;
  }
  EXPECT_EQ(rest, std::vector<std::int64_t>(before.begin() + 10, before.end()));
}

TEST_F(ArchiveSortedTest, WrongColumnsAndLimitsAreNamed) {
  Archive::Selection selection;
  selection.sort = "size; DROP TABLE file";
  const auto wrong = archive->findSorted(Level::file, *parseQuery(""), test::everyProject, selection, std::nullopt, 10);
  ASSERT_FALSE(wrong);
  EXPECT_EQ(wrong.error().where, "sort");
  selection.sort = "size";
  const auto none = archive->allIds(Level::subject, *parseQuery(""), test::everyProject, selection);
  ASSERT_FALSE(none) << "subjects have no size";
  EXPECT_EQ(none.error().code, ErrorCode::invalidInput);
  for (const int most : {0, -1, 1001}) {
    EXPECT_EQ(
        archive->findSorted(Level::file, *parseQuery(""), test::everyProject, {}, std::nullopt, most).error().where,
        "limit");
  }
}

}  // namespace
}  // namespace nora
