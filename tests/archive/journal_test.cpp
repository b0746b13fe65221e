// What people said, beside the data: the index that was lost comes back from the journals, on every database.
#include "archive/access/pseudonym.hpp"
#include "archive/index/remembered.hpp"
#include "tests/archive/archive_world.hpp"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <map>
#include <unordered_map>

#include <nlohmann/json.hpp>

namespace nora {
namespace {

namespace fs = std::filesystem;

class JournalTest : public test::ArchiveWorld {
 protected:
  void SetUp() override {
    test::ArchiveWorld::SetUp();
    if (IsSkipped() || HasFatalFailure()) return;
    take(files());
  }
  static std::vector<FoundFileRecord> files() {
    return {found("sub-01/ses-1/a.nii", "sub-01", "ses-1", 11), found("sub-01/ses-2/b.nii", "sub-01", "ses-2", 12),
            found("sub-02/ses-1/c.nii", "sub-02", "ses-1", 13), found("README", "", "", 14)};
  }
  std::int64_t setMeta(Level level, std::int64_t id, const std::string& json, const std::string& user = "anna") {
    auto done = archive->setMeta(level, id, json, user);
    EXPECT_TRUE(done) << describe(done.error());
    return done.value_or(0);
  }
  [[nodiscard]] std::string journal(const std::string& of = "Study A") const {
    return archive_sql::newestJournal((store / (".nora/" + of)).string());
  }
  [[nodiscard]] static std::string textOf(const std::string& file) {
    std::ifstream in(file, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
  }

  void sayThings() {
    tag(Level::file, fileId("sub-01/ses-1/a.nii"), "checked");
    tag(Level::file, fileId("README"), "Ä <b>");
    tag(Level::subject, idOf(Level::subject, "sub-02"), "left-handed");
    tag(Level::study, findAll(Level::study, "ses-2").front(), "long");
    tag(Level::project, project.id, "running");
    setMeta(Level::file, fileId("sub-01/ses-1/a.nii"), R"({"n": 1})");
    setMeta(Level::file, fileId("sub-01/ses-1/a.nii"), R"({"n": 2, "t": "\u2028"})", "bert");
    setMeta(Level::subject, idOf(Level::subject, "sub-01"), R"({"age": 61})");
    setMeta(Level::study, findAll(Level::study, "ses-2").front(), R"({"scanner": "X"})");
    setMeta(Level::project, project.id, R"({"ethics": "12/24"})");
  }

  /// All that the index says, by names.
  nlohmann::json content() {
    nlohmann::json out;
    const auto projects = archive->projects();
    for (const auto& one : *projects) {
      out["projects"][one.name] = {one.title,  one.root,     one.inPlace, one.hideIdentity,
                                   one.secret, one.settings, one.meta,    one.createdUs};
      note(out["projects"][one.name], Level::project, one.id);
    }
    const auto subjects = archive->subjects(findAll(Level::subject, ""));
    const auto studies = archive->studies(findAll(Level::study, ""));
    const auto all = archive->files(findAll(Level::file, "state:present | state:vanished | state:broken"));
    std::map<std::int64_t, std::string> names;
    for (const auto& one : *subjects) {
      names[one.id] = one.name;
      out["subjects"][one.name] = {one.pseudonym, one.meta};
      note(out["subjects"][one.name], Level::subject, one.id);
    }
    for (const auto& one : *studies) {
      const std::string name = names.at(one.subjectId) + "/" + one.name;
      out["studies"][name] = {one.date, one.uid, one.meta};
      note(out["studies"][name], Level::study, one.id);
      names[one.id + (std::int64_t{1} << 40)] = name;
    }
    for (const auto& one : *all) {
      const std::string place = one.studyId != 0     ? names.at(one.studyId + (std::int64_t{1} << 40))
                                : one.subjectId != 0 ? names.at(one.subjectId)
                                                     : "";
      out["files"][one.path] = {place,    one.name,   one.kind, one.size, one.mtimeUs, static_cast<int>(one.state),
                                one.meta, one.sidecar};
      note(out["files"][one.path], Level::file, one.id);
    }
    return out;
  }
  void note(nlohmann::json& out, Level level, std::int64_t id) {
    out.push_back(*archive->tags(level, id));
    const auto history = archive->metaHistory(level, id);
    for (const auto& change : *history) out.push_back({change.atUs, change.user, change.before, change.after});
  }

  /// A fresh index beside the same store, made as nora reindex does; then the files are found again.
  void loseIndexAndRebuild() {
    const auto journals = std::map<std::string, std::string>(
        {{project.name, archive_sql::newestJournal(fs::path(journalOfIndex()).parent_path().string())}});
    address = test::freshAddress();
    open();
    for (const auto& [name, file] : journals) {
      const auto said = archive_sql::projectOfJournal(file);
      ASSERT_TRUE(said) << describe(said.error());
      ASSERT_TRUE(archive->addLostProject(*said, file));
      project = *archive->project(said->name);
      const auto rebuilt = archive->rebuild(project.id);
      ASSERT_TRUE(rebuilt) << describe(rebuilt.error());
    }
    take(files());
    project = *archive->project(project.id);
  }
  std::string journalOfIndex() {
    std::string out;
    const auto done = database->read([&](Sql& sql) -> Result<void> {
      auto rows = sql.query("SELECT file FROM project_journal WHERE project_id = ?", {project.id});
      if (!rows) return tl::make_unexpected(rows.error());
      out = rows->empty() ? "" : rows->front().text(0);
      return {};
    });
    EXPECT_TRUE(done);
    return out;
  }
  /// What the index says of how much of the journal it has.
  void setBytes(std::int64_t bytes) {
    const auto done = database->write([&](Sql& sql) -> Result<void> {
      auto set =
          sql.change("UPDATE project_journal SET bytes = ?, whole = 0 WHERE project_id = ?", {bytes, project.id});
      if (!set) return tl::make_unexpected(set.error());
      return {};
    });
    EXPECT_TRUE(done);
  }
};

TEST_F(JournalTest, ALostIndexComesBackWithAllThatWasSaid) {
  sayThings();
  auto changed = *archive->project(project.id);
  changed.title = "Démo";
  changed.hideIdentity = true;
  changed.settings = R"({"pattern":"{subject}/{study}"})";
  ASSERT_TRUE(archive->changeProject(changed));
  const auto before = content();
  loseIndexAndRebuild();
  EXPECT_EQ(content(), before);
  EXPECT_TRUE(project.hideIdentity) << "names would be seen by everybody";
}

TEST_F(JournalTest, LinesAreOnTheDiskWhenAChangeIsAcknowledged) {
  const auto size = textOf(journal()).size();
  tag(Level::file, fileId("README"), "seen");
  const auto line = nlohmann::json::parse(textOf(journal()).substr(size));
  EXPECT_EQ(line.at("path"), "README");
  EXPECT_EQ(line.at("tags"), nlohmann::json::array({"seen"}));
  EXPECT_EQ(fs::status(fs::path(journal()).parent_path()).permissions() & fs::perms::others_all, fs::perms::none);
}

TEST_F(JournalTest, AnErrorLeavesNothingInTheJournal) {
  const auto before = textOf(journal());
  const auto id = fileId("README");
  ASSERT_FALSE(archive->setMeta(Level::file, id, R"({"n": 1})", "anna", 1)) << "another revision";
  const std::vector<std::string> wrong{"../x"};
  ASSERT_FALSE(archive->tag(Level::file, std::span(&id, 1), wrong, {}));
  ASSERT_FALSE(archive->rename(Level::subject, idOf(Level::subject, "sub-01"), "sub-02"));
  EXPECT_EQ(textOf(journal()), before);
}

TEST_F(JournalTest, WhatOnlyTheJournalHasIsDoneAtTheNextStart) {
  const auto bytes = static_cast<std::int64_t>(textOf(journal()).size());
  sayThings();
  const auto said = content();
  const auto lines = textOf(journal());
  loseIndexAndRebuild();  // as when nothing had been said
  address = test::freshAddress();
  open();
  const auto owner = archive_sql::projectOfJournal(journal());
  ASSERT_TRUE(archive->addLostProject(*owner, journal()));
  project = *archive->project("Study A");
  take(files());
  setBytes(bytes);  // all after that was of programs that were killed before the index had it
  open();
  EXPECT_EQ(content(), said);
  EXPECT_EQ(textOf(journal()), lines) << "read, not written";
  open();
  EXPECT_EQ(content(), said) << "once";
}

TEST_F(JournalTest, ABrokenLastLineIsLeftOut) {
  sayThings();
  const auto said = content();
  const auto file = journal();
  std::ofstream(file, std::ios::app | std::ios::binary) << R"({"at": 1, "level": "file", "path": "README", "ta)";
  open();
  EXPECT_EQ(content(), said);
  tag(Level::file, fileId("README"), "more");
  EXPECT_EQ(textOf(file).find("\"ta{"), std::string::npos);
  loseIndexAndRebuild();
  EXPECT_EQ(archive->tags(Level::file, fileId("README")), (std::set<std::string>{"more", "Ä <b>"}));
}

TEST_F(JournalTest, AJournalThatIsGoneOrGrewIsWrittenAnewWithTheHistory) {
  sayThings();
  const auto said = content();
  const auto first = journal();
  fs::remove(first);
  tag(Level::file, fileId("README"), "after");
  EXPECT_NE(journal(), first);
  const auto after = content();
  loseIndexAndRebuild();
  EXPECT_EQ(content(), after);
  EXPECT_NE(said, after);
}

TEST_F(JournalTest, WhatWasRenamedIsFoundUnderItsNewName) {
  const auto subject = idOf(Level::subject, "sub-01");
  const auto pseudonymBefore = archive->subject(subject)->pseudonym;
  tag(Level::subject, subject, "before");
  ASSERT_TRUE(archive->rename(Level::subject, subject, "Erika"));
  ASSERT_TRUE(archive->rename(Level::study, findAll(Level::study, "ses-2").front(), "follow-up"));
  ASSERT_TRUE(archive->rename(Level::project, project.id, "Study B"));
  setMeta(Level::subject, subject, R"({"age": 50})");
  auto again = files();
  again.front().facts.size = 99;
  again.push_back(found("sub-01/ses-2/new.nii", "sub-01", "ses-2", 5));
  take(again);
  EXPECT_EQ(archive->file(project.id, "sub-01/ses-2/new.nii")->subjectId, subject) << "folders have the old name";
  EXPECT_EQ(findAll(Level::subject, "").size(), 2U);
  const auto before = content();
  for (const bool isWhole : {false, true}) {
    if (isWhole) {  // the journal is written anew
      fs::remove(journalOfIndex());
      tag(Level::file, fileId("README"), "x");
      const auto id = fileId("README");
      const std::vector<std::string> gone{"x"};
      ASSERT_TRUE(archive->tag(Level::file, std::span(&id, 1), {}, gone));
    }
    loseIndexAndRebuild();
    take(again);
    EXPECT_EQ(content(), before) << isWhole;
    EXPECT_EQ(project.name, "Study B");
    EXPECT_EQ(archive->subject(idOf(Level::subject, "Erika"))->pseudonym, pseudonymBefore);
  }
}

TEST_F(JournalTest, TheNameOfARenamedProjectIsFreeAndReindexMakesNoSecondOne) {
  const auto file = journal();
  ASSERT_TRUE(archive->rename(Level::project, project.id, "Study B"));
  const auto other = add("Study A");
  EXPECT_NE(other.id, 0);
  ASSERT_TRUE(archive->addLostProject(*archive_sql::projectOfJournal(file), file));
  EXPECT_EQ(archive->projects()->size(), 2U);
  const auto id = other.id;
  tag(Level::project, id, "new");
  EXPECT_EQ(textOf(file).find("\"new\""), std::string::npos) << "each has a journal of its own";
}

TEST_F(JournalTest, NobodyGetsThePseudonymOfAnother) {
  std::unordered_map<std::string, std::string> seen;
  std::string one, two;
  for (int i = 0; one.empty(); ++i) {  // 30 bits: two of some 40,000 names have the same
    const std::string name = "s" + std::to_string(i);
    const auto [at, isNew] = seen.emplace(pseudonym(project.secret, name), name);
    if (!isNew) one = at->second, two = name;
  }
  take({found("x/1", one, ""), found("x/2", two, "")});
  const auto first = archive->subject(idOf(Level::subject, one))->pseudonym;
  const auto second = archive->subject(idOf(Level::subject, two))->pseudonym;
  ASSERT_NE(first, second);
  const auto rebuild = [&] {
    loseIndexAndRebuild();
    take({found("x/2", two, "")});
    take({found("x/1", one, "")});  // in the other order
    EXPECT_EQ(archive->subject(idOf(Level::subject, one))->pseudonym, first);
    EXPECT_EQ(archive->subject(idOf(Level::subject, two))->pseudonym, second);
  };
  rebuild();
  fs::remove(journalOfIndex());
  tag(Level::file, fileId("README"), "x");
  rebuild();
}

TEST_F(JournalTest, AMovedFileAndAVanishedOneKeepWhatWasSaid) {
  sayThings();
  const auto id = fileId("sub-01/ses-1/a.nii");
  ASSERT_TRUE(archive->markVanished(std::span(&id, 1)));
  auto moved = found("sub-03/ses-1/a.nii", "sub-03", "ses-1", 11);
  EXPECT_EQ(take({moved}).moved, 1);
  const auto readme = fileId("README");
  ASSERT_TRUE(archive->markVanished(std::span(&readme, 1)));
  const auto tagged = archive->tags(Level::file, fileId("sub-03/ses-1/a.nii"));
  const auto history = archive->metaHistory(Level::file, fileId("sub-03/ses-1/a.nii"));
  loseIndexAndRebuild();
  ASSERT_TRUE(archive->markVanished(std::vector<std::int64_t>{fileId("sub-01/ses-1/a.nii"), fileId("README")}));
  take({moved});
  EXPECT_EQ(*archive->tags(Level::file, fileId("sub-03/ses-1/a.nii")), *tagged);
  EXPECT_EQ(archive->metaHistory(Level::file, fileId("sub-03/ses-1/a.nii"))->size(), history->size());
  EXPECT_EQ(archive->tags(Level::file, fileId("README")), std::set<std::string>{"Ä <b>"});
}

TEST_F(JournalTest, TwoServersWithOneStoreWriteOneJournal) {
  auto second = openDatabase(address);
  ASSERT_TRUE(second) << describe(second.error());
  Archive other(**second, [this] { return ++clock; });
  ASSERT_TRUE(other.rememberIn(store.path().string()));
  const auto id = fileId("README");
  for (int i = 0; i < 6; ++i) {
    const std::vector<std::string> name{"t" + std::to_string(i)};
    ASSERT_TRUE((i % 2 == 0 ? *archive : other).tag(Level::file, std::span(&id, 1), name, {}));
  }
  const auto before = content();
  loseIndexAndRebuild();
  EXPECT_EQ(content(), before);
}

TEST_F(JournalTest, AClockThatGoesBackKeepsTheOrderOfTheHistory) {
  const auto id = fileId("README");
  for (int i = 0; i < 5; ++i) {
    clock -= 3'600'000'000;
    setMeta(Level::file, id, R"({"n": )" + std::to_string(i) + "}");
  }
  const auto check = [&] {
    const auto history = archive->metaHistory(Level::file, fileId("README"));
    ASSERT_EQ(history->size(), 5U);
    for (std::size_t i = 0; i < 5; ++i) EXPECT_EQ(history->at(i).after, R"({"n":)" + std::to_string(4 - i) + "}");
    EXPECT_EQ(archive->file(fileId("README"))->meta, R"({"n":4})");
  };
  check();
  const auto since = archive->changedSince(Level::file, test::everyProject, {0, 0}, 100);
  ASSERT_TRUE(since);
  EXPECT_EQ(since->ids.back(), id) << "the order of changes is that of revisions, not of clocks";
  loseIndexAndRebuild();
  check();
}

}  // namespace
}  // namespace nora
