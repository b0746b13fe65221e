#include "archive/index/archive.hpp"
#include "tests/archive/fresh_database.hpp"

#include "archive/access/secret.hpp"

#include <algorithm>
#include <atomic>
#include <thread>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

namespace nora {
namespace {

using test::freshAddress;
using test::whyNoDatabase;

class ArchiveTest : public testing::Test {
 protected:
  void SetUp() override {
    if (const auto why = whyNoDatabase(); !why.empty()) GTEST_SKIP() << why;
    auto opened = openDatabase(freshAddress());
    ASSERT_TRUE(opened) << describe(opened.error());
    database = std::move(*opened);
    archive = std::make_unique<Archive>(*database, [this] { return ++clock; });
    ProjectRecord wanted;
    wanted.name = "Study A";
    wanted.root = "/data/a";
    wanted.secret = newSecret().text;
    auto made = archive->addProject(wanted);
    ASSERT_TRUE(made) << describe(made.error());
    project = *made;
  }

  static FoundFileRecord found(const std::string& path, const std::string& subject = "sub-01",
                               const std::string& study = "ses-1") {
    FoundFileRecord out;
    out.facts.path = path;
    out.facts.kind = "image";
    out.facts.format = "nifti";
    out.facts.size = 1000 + static_cast<std::int64_t>(path.size());
    out.facts.mtimeUs = 5;
    out.facts.dims = {256, 256, 160, 1};
    out.facts.spacingMm = {1, 1, 1.25};
    out.subject = subject;
    out.study = study;
    return out;
  }
  Archive::Registered add(const std::vector<FoundFileRecord>& files) {
    auto done = archive->registerFiles(project.id, files);
    EXPECT_TRUE(done) << describe(done.error());
    return done.value_or(Archive::Registered{});
  }
  FileRecord file(const std::string& path) {
    auto out = archive->file(project.id, path);
    EXPECT_TRUE(out) << path << ": " << describe(out.error());
    return out.value_or(FileRecord{});
  }
  std::vector<std::int64_t> findAll(Level level, const std::string& query, SearchScope scope = {true, {}, {}}) {
    const auto parsed = parseQuery(query);
    EXPECT_TRUE(parsed) << query;
    std::vector<std::int64_t> out;
    for (std::int64_t after = 0;;) {
      const auto page = archive->find(level, *parsed, scope, after, 7);
      if (!page) {
        ADD_FAILURE() << query << ": " << describe(page.error());
        return out;
      }
      out.insert(out.end(), page->ids.begin(), page->ids.end());
      if (!page->next) return out;
      after = *page->next;
    }
  }

  std::unique_ptr<Database> database;
  std::unique_ptr<Archive> archive;
  ProjectRecord project;
  std::int64_t clock = 1'700'000'000'000'000;
};

TEST_F(ArchiveTest, AProjectIsFoundByItsNameAndThereIsOneOfEachName) {
  const auto again = archive->project("Study A");
  ASSERT_TRUE(again);
  EXPECT_EQ(again->id, project.id);
  EXPECT_EQ(again->root, "/data/a");
  EXPECT_EQ(archive->addProject(project).error().code, ErrorCode::invalidInput);
  EXPECT_EQ(archive->project("study a").error().code, ErrorCode::notFound) << "names are compared by their bytes";
  EXPECT_EQ(archive->projects()->size(), 1U);
}

TEST_F(ArchiveTest, EveryProjectHasASecret) {
  ProjectRecord wanted;
  wanted.name = "no secret given";
  const auto made = archive->addProject(wanted);
  ASSERT_TRUE(made);
  const std::vector<FoundFileRecord> one{found("a.nii")};
  EXPECT_TRUE(archive->registerFiles(made->id, one)) << "its subject gets a pseudonym";
  wanted.name = "weak";
  wanted.secret = "0123456789";
  EXPECT_EQ(archive->addProject(wanted).error().code, ErrorCode::invalidInput);
}

TEST_F(ArchiveTest, NamesThatCannotBeFoldersAreRefused) {
  const std::vector<std::string> refused{"", "  ", ".hidden", "..", "a/b", "a\nb", "\xFF", std::string(200, 'x')};
  for (const std::string& name : refused) {
    ProjectRecord wanted;
    wanted.name = name;
    EXPECT_EQ(archive->addProject(wanted).error().code, ErrorCode::invalidInput) << name;
  }
  for (const std::string name :
       {"'; DROP TABLE file;--", "<b onclick=x>", "Müller \xF0\x9F\xA7\xA0", "a%_b", "trail "}) {
    ProjectRecord wanted;
    wanted.name = name;
    wanted.title = name;
    wanted.secret = project.secret;
    ASSERT_TRUE(archive->addProject(wanted)) << name;
    EXPECT_EQ(archive->project(name)->title, name);
    auto hostile = found("x/" + name, name, name);
    EXPECT_EQ(add({hostile}).added, 1) << name;
    EXPECT_EQ(archive->subject(file("x/" + name).subjectId)->name, name);
  }
}

TEST_F(ArchiveTest, FilesComeWithTheirSubjectsAndStudiesOnce) {
  const auto first = add({found("sub-01/ses-1/T1.nii"), found("sub-01/ses-1/T2.nii"),
                          found("sub-02/ses-1/T1.nii", "sub-02"), found("README", "", "")});
  EXPECT_EQ(first.added, 4);
  const auto again = add({found("sub-01/ses-1/T1.nii"), found("sub-01/ses-1/T2.nii")});
  EXPECT_EQ(again.unchanged, 2);
  EXPECT_EQ(again.added + again.changed + again.moved, 0);
  EXPECT_EQ(findAll(Level::subject, "").size(), 2U);
  EXPECT_EQ(findAll(Level::study, "").size(), 2U);
  const auto t1 = file("sub-01/ses-1/T1.nii");
  EXPECT_EQ(t1.name, "T1.nii");
  EXPECT_EQ(t1.dims[2], 160);
  EXPECT_EQ(t1.spacingMm[2], 1.25);
  EXPECT_EQ(archive->subject(t1.subjectId)->name, "sub-01");
  EXPECT_EQ(archive->study(t1.studyId)->name, "ses-1");
  EXPECT_EQ(archive->study(t1.studyId)->subjectId, t1.subjectId);
  EXPECT_EQ(file("README").subjectId, 0);
  const auto pseudonym = archive->subject(t1.subjectId)->pseudonym;
  EXPECT_TRUE(pseudonym.starts_with("P-")) << pseudonym;
  EXPECT_EQ(pseudonym.find("01"), std::string::npos);
}

TEST_F(ArchiveTest, AChangedFileKeepsItsIdTagsAndWhatUsersSaid) {
  auto one = found("sub-01/a.nii");
  one.facts.sidecar = R"({"EchoTime": 3, "Site": "A"})";
  add({one});
  const auto id = file("sub-01/a.nii").id;
  const std::vector<std::string> tags{"checked"};
  ASSERT_EQ(archive->tag(Level::file, std::span(&id, 1), tags, {}), 1);
  ASSERT_TRUE(archive->setMeta(Level::file, id, R"({"EchoTime": 3, "Site": "B", "note": "ok"})", "ana"));
  one.facts.size = 77;
  one.facts.sidecar = R"({"EchoTime": 4, "Site": "A", "Coil": "32"})";
  EXPECT_EQ(add({one}).changed, 1);
  const auto now = file("sub-01/a.nii");
  EXPECT_EQ(now.id, id);
  EXPECT_EQ(now.size, 77);
  EXPECT_EQ(nlohmann::json::parse(now.meta),
            nlohmann::json::parse(R"({"EchoTime": 4, "Site": "B", "note": "ok", "Coil": "32"})"));
  EXPECT_EQ(archive->tags(Level::file, id), std::set<std::string>{"checked"});
  EXPECT_EQ(findAll(Level::file, "meta.EchoTime=4"), std::vector<std::int64_t>{id});
  EXPECT_TRUE(findAll(Level::file, "meta.EchoTime=3").empty());
}

TEST_F(ArchiveTest, AFileThatWasMovedIsTheSameFile) {
  auto one = found("old/a.nii");
  one.facts.hash = std::string(64, 'a');
  auto twin = found("old/b.nii");
  twin.facts.hash = std::string(64, 'b');
  add({one, twin});
  const auto id = file("old/a.nii").id;
  const std::vector<std::string> tags{"checked"};
  ASSERT_EQ(archive->tag(Level::file, std::span(&id, 1), tags, {}), 1);
  ASSERT_EQ(archive->markVanished(std::span(&id, 1)), 1);
  EXPECT_EQ(archive->markVanished(std::span(&id, 1)), 0) << "it was vanished already";
  EXPECT_EQ(archive->knownFiles(project.id)->count("old/a.nii"), 0U);
  one.facts.path = "new/a.nii";
  const auto done = add({one});
  EXPECT_EQ(done.moved, 1);
  EXPECT_EQ(file("new/a.nii").id, id);
  EXPECT_EQ(file("new/a.nii").state, FileState::present);
  EXPECT_EQ(archive->tags(Level::file, id), std::set<std::string>{"checked"});
  EXPECT_EQ(archive->file(project.id, "old/a.nii").error().code, ErrorCode::notFound);
}

TEST_F(ArchiveTest, WhatABatchSaysLaterHoldsForWhatItSaidBefore) {
  auto one = found("a.nii"), again = found("a.nii");
  again.facts.size = 5;
  const auto twice = add({one, again});
  EXPECT_EQ(twice.added, 1);
  EXPECT_EQ(twice.changed, 1);
  EXPECT_EQ(file("a.nii").size, 5);

  auto old = found("old.nii");
  old.facts.hash = std::string(64, 'a');
  add({old});
  const auto id = file("old.nii").id;
  ASSERT_EQ(archive->markVanished(std::span(&id, 1)), 1);
  auto moved = old, other = found("old.nii");
  moved.facts.path = "new.nii";
  other.facts.hash = std::string(64, 'b');
  const auto both = add({moved, other});
  EXPECT_EQ(both.moved, 1);
  EXPECT_EQ(both.added, 1) << "the path is another file's now";
  EXPECT_EQ(file("new.nii").id, id);
  EXPECT_NE(file("old.nii").id, id);
}

TEST_F(ArchiveTest, EveryKeyOfALargeSidecarIsFound) {
  std::vector<FoundFileRecord> files;
  for (int f = 0; f < 3; ++f) {
    nlohmann::json meta;
    for (int i = 0; i < 99 + f; ++i) meta["key" + std::to_string(i)] = i * 10 + f;
    files.push_back(found("f" + std::to_string(f)));
    files.back().facts.sidecar = meta.dump();
  }
  add(files);
  for (int i = 0; i < 99; ++i) {
    for (int f = 0; f < 3; ++f) {
      const std::string query = "meta.key" + std::to_string(i) + "=" + std::to_string(i * 10 + f);
      ASSERT_EQ(findAll(Level::file, query), std::vector{file("f" + std::to_string(f)).id}) << query;
    }
  }
  EXPECT_EQ(findAll(Level::file, "has:meta.key100").size(), 1U);
}

TEST_F(ArchiveTest, WrongFactsAreRefusedAndNothingOfTheBatchIsStored) {
  for (const std::string path : {"", "/etc/passwd", "a/", "\0x"}) {
    auto wrong = found(path);
    const std::vector<FoundFileRecord> batch{found("fine.nii"), wrong};
    EXPECT_EQ(archive->registerFiles(project.id, batch).error().code, ErrorCode::invalidInput) << path;
  }
  EXPECT_EQ(archive->file(project.id, "fine.nii").error().code, ErrorCode::notFound);
  const std::vector<FoundFileRecord> one{found("fine.nii")};
  EXPECT_EQ(archive->registerFiles(99, one).error().code, ErrorCode::notFound);
}

TEST_F(ArchiveTest, TagsOfManyItemsChangeAtOnce) {
  std::vector<FoundFileRecord> files;
  for (int i = 0; i < 1200; ++i) files.push_back(found("f" + std::to_string(i)));
  add(files);
  const auto ids = findAll(Level::file, "");
  ASSERT_EQ(ids.size(), 1200U);
  const std::vector<std::string> both{"a", "b"}, a{"a"};
  const auto before = archive->revision();
  EXPECT_EQ(archive->tag(Level::file, ids, both, {}), 1200);
  EXPECT_EQ(archive->tag(Level::file, ids, both, {}), 0) << "they have them";
  EXPECT_EQ(archive->revision(), *before + 1);
  EXPECT_EQ(archive->tag(Level::file, std::span(ids).first(10), {}, a), 10);
  EXPECT_EQ(findAll(Level::file, "tag:a").size(), 1190U);
  EXPECT_EQ(findAll(Level::file, "tag:b !tag:a").size(), 10U);
  const auto counts = archive->tagCounts(Level::file, {true, {}, {}});
  EXPECT_EQ(counts->at("a"), 1190);
  EXPECT_TRUE(archive->tagCounts(Level::file, {})->empty());
  EXPECT_TRUE(archive->tagCounts(Level::file, {false, {project.id + 1}, {}})->empty());
}

TEST_F(ArchiveTest, MetadataIsCheckedAndItsHistoryKept) {
  add({found("a.nii")});
  const auto id = file("a.nii").id;
  EXPECT_EQ(archive->setMeta(Level::file, id, "[1]", "ana").error().code, ErrorCode::invalidInput);
  EXPECT_NE(archive->setMeta(Level::file, id, R"({"a": )", "ana").error().what.find("byte 7"), std::string::npos);
  EXPECT_EQ(archive->setMeta(Level::file, id, "{\"a\": \"\xFF\"}", "ana").error().code, ErrorCode::invalidInput);
  EXPECT_EQ(archive->setMeta(Level::file, id, "{\"a\":" + std::string(5000, '[') + std::string(5000, ']') + "}", "ana")
                .error()
                .code,
            ErrorCode::limitExceeded);
  EXPECT_EQ(archive->setMeta(Level::file, id, "{\"a\":\"" + std::string(1 << 20, 'x') + "\"}", "ana").error().code,
            ErrorCode::limitExceeded);
  EXPECT_EQ(archive->setMeta(Level::file, id + 999, "{}", "ana").error().code, ErrorCode::notFound);
  const std::string large = "{\"a\":\"" + std::string(1'000'000, 'x') + "\"}";
  const auto first = archive->setMeta(Level::file, id, large, "ana");
  ASSERT_TRUE(first) << describe(first.error());
  EXPECT_EQ(file("a.nii").meta, large);
  const auto second = archive->setMeta(Level::file, id, R"({"group": "patient"})", "ben", *first);
  ASSERT_TRUE(second);
  const auto late = archive->setMeta(Level::file, id, R"({"group": "control"})", "eva", *first);
  EXPECT_EQ(late.error().code, ErrorCode::unavailable) << "ben was there before";
  const auto history = archive->metaHistory(Level::file, id);
  ASSERT_EQ(history->size(), 2U);
  EXPECT_EQ(history->at(0).user, "ben");
  EXPECT_EQ(history->at(0).before, large);
  EXPECT_EQ(history->at(1).before, "{}");
  EXPECT_EQ(findAll(Level::file, "meta.group=patient"), std::vector<std::int64_t>{id});
}

TEST_F(ArchiveTest, OfThoseWhoChangeTheSameMetadataAtOnceOneWins) {
  add({found("a.nii")});
  const auto id = file("a.nii").id;
  for (int round = 0; round < 8; ++round) {
    const auto before = file("a.nii").revision;
    std::vector<std::thread> writers;
    std::atomic<int> stored{0};
    for (int w = 0; w < 8; ++w) {
      writers.emplace_back([&, w] {
        const std::string meta = "{\"writer\":" + std::to_string(round * 100 + w) + "}";
        const auto done = archive->setMeta(Level::file, id, meta, "w" + std::to_string(w), before);
        if (done)
          ++stored;
        else
          EXPECT_EQ(done.error().what, "it was changed by somebody else meanwhile: look at it again");
      });
    }
    for (auto& writer : writers) writer.join();
    ASSERT_EQ(stored, 1);
  }
  const auto history = archive->metaHistory(Level::file, id);
  ASSERT_EQ(history->size(), 8U);
  for (std::size_t i = 1; i < 8; ++i) EXPECT_EQ(history->at(i - 1).before, history->at(i).after) << "none is skipped";
}

TEST_F(ArchiveTest, ManyMayUseANewTagAtOnce) {
  std::vector<FoundFileRecord> files;
  for (int i = 0; i < 16; ++i) files.push_back(found("f" + std::to_string(i)));
  add(files);
  const auto ids = findAll(Level::file, "");
  for (int round = 0; round < 6; ++round) {
    std::vector<std::thread> writers;
    const std::vector<std::string> name{"new" + std::to_string(round)};
    for (const std::int64_t id : ids) {
      writers.emplace_back([&, id] {
        const auto done = archive->tag(Level::file, std::span(&id, 1), name, {});
        EXPECT_TRUE(done) << describe(done.error());
      });
    }
    for (auto& writer : writers) writer.join();
    EXPECT_EQ(findAll(Level::file, "tag:" + name[0]).size(), ids.size());
  }
  const std::vector<std::string> unknown{"nobody has this"};
  EXPECT_EQ(archive->tag(Level::file, ids, {}, unknown), 0);
  const auto rows = archive->tagCounts(Level::file, {true, {}, {}});
  EXPECT_EQ(rows->size(), 6U);
}

TEST_F(ArchiveTest, PagesShowEveryItemOnceInAStableOrder) {
  std::vector<FoundFileRecord> files;
  for (int i = 0; i < 50; ++i) files.push_back(found("f" + std::to_string(i) + (i % 2 == 0 ? ".nii" : ".txt")));
  add(files);
  const auto all = findAll(Level::file, "");
  EXPECT_EQ(all.size(), 50U);
  EXPECT_TRUE(std::is_sorted(all.begin(), all.end()));
  EXPECT_EQ(findAll(Level::file, "name:*.txt").size(), 25U);
  EXPECT_EQ(archive->count(Level::file, *parseQuery("name:*.txt"), {true, {}, {}}, 1000), 25);
  EXPECT_EQ(archive->count(Level::file, *parseQuery(""), {true, {}, {}}, 10), 10);
  EXPECT_EQ(archive->find(Level::file, *parseQuery(""), {true, {}, {}}, 0, 0).error().code, ErrorCode::invalidInput);
  const auto records = archive->files(all);
  ASSERT_EQ(records->size(), 50U);
  EXPECT_EQ(records->at(49).path, "f49.txt");
}

TEST_F(ArchiveTest, WhatHasChangedSinceIsToldOnceAndInOrder) {
  using Place = Archive::ChangePlace;
  const SearchScope all{true, {}, {}};
  std::vector<FoundFileRecord> files;
  for (int i = 0; i < 25; ++i) files.push_back(found("f" + std::to_string(i)));
  add(files);
  std::vector<std::int64_t> seen;
  Place place;
  for (bool more = true; more;) {
    const auto changes = archive->changedSince(Level::file, all, place, 10);
    ASSERT_TRUE(changes) << describe(changes.error());
    seen.insert(seen.end(), changes->ids.begin(), changes->ids.end());
    place = changes->upTo;
    more = changes->more;
  }
  EXPECT_EQ(seen, findAll(Level::file, ""));
  EXPECT_EQ(archive->changedSince(Level::file, all, place, 10)->upTo, place) << "nothing new";
  const auto third = file("f3").id, first = file("f1").id;
  const std::vector<std::string> tags{"checked"};
  ASSERT_TRUE(archive->tag(Level::file, std::span(&third, 1), tags, {}));
  ASSERT_TRUE(archive->setMeta(Level::file, first, R"({"a":1})", "ana"));
  EXPECT_EQ(archive->changedSince(Level::file, all, place, 10)->ids, (std::vector{third, first}));
  EXPECT_EQ(archive->changedSince(Level::file, {false, {project.id}, {}}, place, 10)->ids.size(), 2U);
  EXPECT_TRUE(archive->changedSince(Level::file, {false, {project.id + 1}, {}}, place, 10)->ids.empty());
  EXPECT_TRUE(archive->changedSince(Level::file, {}, place, 10)->ids.empty());
  EXPECT_EQ(archive->changedSince(Level::project, {false, {project.id}, {}}, {}, 10)->ids.size(), 1U);
  EXPECT_EQ(archive->changedSince(Level::subject, all, {}, 10)->ids.size(), 1U);
}

TEST_F(ArchiveTest, NobodyFindsWhatIsOfOtherProjects) {
  add({found("a.nii")});
  const auto id = file("a.nii").id;
  EXPECT_TRUE(findAll(Level::file, "", {}).empty());
  EXPECT_TRUE(findAll(Level::file, "", {false, {project.id + 1}, {}}).empty());
  EXPECT_EQ(findAll(Level::file, "", {false, {project.id}, {}}), std::vector<std::int64_t>{id});
}

TEST_F(ArchiveTest, SixtyFourWritersLoseNothing) {
  std::vector<std::thread> writers;
  std::atomic<int> stored{0};
  for (int w = 0; w < 64; ++w) {
    writers.emplace_back([&, w] {
      for (int i = 0; i < 4; ++i) {
        const std::vector<FoundFileRecord> one{
            found("w" + std::to_string(w) + "/" + std::to_string(i), "sub-" + std::to_string(i))};
        const auto done = archive->registerFiles(project.id, one);
        EXPECT_TRUE(done) << describe(done.error());
        if (done) stored += static_cast<int>(done->added);
      }
    });
  }
  for (auto& writer : writers) writer.join();
  EXPECT_EQ(stored, 256);
  EXPECT_EQ(findAll(Level::file, "").size(), 256U);
  EXPECT_EQ(findAll(Level::subject, "").size(), 4U);
}

TEST_F(ArchiveTest, ASubjectIsRenamedButNotToTheNameOfAnother) {
  add({found("a.nii", "sub-01"), found("b.nii", "sub-02")});
  const auto id = file("a.nii").subjectId;
  ASSERT_TRUE(archive->rename(Level::subject, id, "sub-10"));
  EXPECT_EQ(archive->subject(id)->name, "sub-10");
  EXPECT_EQ(findAll(Level::subject, "name:sub-10"), std::vector<std::int64_t>{id});
  EXPECT_EQ(archive->rename(Level::subject, id, "sub-02").error().code, ErrorCode::invalidInput);
  EXPECT_EQ(archive->rename(Level::subject, 12345, "x").error().code, ErrorCode::notFound);
}

}  // namespace
}  // namespace nora
