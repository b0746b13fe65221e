#include "tests/app/api_world.hpp"

#include <algorithm>
#include <array>
#include <cstdio>
#include <fstream>
#include <set>

#include <gmock/gmock.h>

namespace nora::test {
namespace {

using testing::AnyOf;
using testing::HasSubstr;
using testing::Not;

const std::string base = "sub-Mustermann/ses-Mustermann-1/";

std::string lowered(std::string text) {
  for (char& c : text) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return text;
}

/// What Python's zipfile says of a zip: "NAME SIZE" for each, or why it is none.
std::vector<std::string> zipList(const std::string& file) {
  const std::string command =
      "python3 -c 'import sys, zipfile\nz = zipfile.ZipFile(sys.argv[1])\nassert z.testzip() is "
      "None\nfor i in z.infolist(): print(i.filename, i.file_size)' " +
      file + " 2>&1";
  std::vector<std::string> out;
  FILE* pipe = ::popen(command.c_str(), "r");
  std::array<char, 1000> line{};
  while (std::fgets(line.data(), line.size(), pipe) != nullptr) {
    out.emplace_back(line.data());
    out.back().pop_back();
  }
  ::pclose(pipe);
  return out;
}

class ApiArchiveTest : public ApiWorld {
 protected:
  void SetUp() override {
    ApiWorld::SetUp();
    addPerson("reader", Right::read);
    addPerson("taker", Right::read | Right::download);
    addPerson("seer", Rights(Right::read) | Right::download | Right::seeIdentity);
    addPerson("editor", Rights(Right::edit));
    addPerson("stranger", {});
  }
  std::vector<std::string> zipOf(const ApiAnswer& answer) {
    const auto path = index_ / "made.zip";
    std::ofstream(path, std::ios::binary) << answer.body;
    return zipList(path.string());
  }
};

TEST_F(ApiArchiveTest, NothingTellsTheNameOfASubjectThatIsHidden) {
  const std::string project = std::to_string(hidden.id);
  const auto tagged =
      ask("editor", "POST", "/api/v1/tags", {{"level", "files"}, {"q", "project:hidden"}, {"add", {"good"}}});
  ASSERT_EQ(tagged.status, 200) << tagged.body;
  std::vector<std::string> paths;
  for (const std::string level : {"files", "studies", "subjects"}) {
    for (const char* what : {"?total=1&project=", "/ids?project=", ".csv?project="})
      paths.push_back("/api/v1/" + level + what + project);
    paths.push_back("/api/v1/" + level +
                    ".csv?columns=name,subject,study,path,meta,meta.PatientName,source&project=" + project);
  }
  for (const char* sort : {"name", "path", "subject", "study", "sequence"})
    paths.push_back("/api/v1/files?limit=1&sort=" + std::string(sort) + "&project=" + project);
  for (const char* level : {"files", "studies", "subjects"}) {
    const auto list = ask("taker", "GET", std::string("/api/v1/") + level + "?project=" + project).json();
    for (const auto& row : list["items"]) {
      const std::string item = std::string("/api/v1/") + level + "/" + std::to_string(row["id"].get<std::int64_t>());
      paths.push_back(item);
      paths.push_back(item + "/meta");
      paths.push_back(item + "/history");
      if (std::string(level) == "files") paths.push_back(item + "/content");
    }
  }
  ASSERT_GT(paths.size(), 25U);
  for (const std::string& path : paths) {
    const auto answer = ask("taker", "GET", path);
    EXPECT_THAT(lowered(answer.body), Not(HasSubstr("mustermann"))) << path;
    for (const auto& [name, value] : answer.headers)
      EXPECT_THAT(lowered(value), Not(HasSubstr("mustermann"))) << path << " " << name;
  }
}

TEST_F(ApiArchiveTest, SearchingForAHiddenNameFindsNothing) {
  const std::string project = "&project=" + std::to_string(hidden.id);
  for (const char* q : {"mustermann", "subject:sub-mustermann", "path:*mustermann*", "name:*mustermann*",
                        "study:*mustermann*", "meta.PatientName=*max*", "has:meta.PatientName", "*mustermann*"}) {
    for (const char* level : {"files", "studies", "subjects"}) {
      const auto answer = ask("taker", "GET", std::string("/api/v1/") + level + "?q=" + q + project);
      ASSERT_EQ(answer.status, 200) << answer.body;
      EXPECT_EQ(answer.json()["items"].size(), 0U) << level << " " << q;
      EXPECT_EQ(ask("taker", "GET", std::string("/api/v1/") + level + "/ids?q=" + q + project).body, "") << q;
    }
  }
  EXPECT_EQ(ask("seer", "GET", "/api/v1/files?q=mustermann" + project).json()["items"].size(), 3U);
}

TEST_F(ApiArchiveTest, WhoMayNotReadGetsNothingByAnyRoute) {
  const std::string id = std::to_string(fileId(open.id, base + "notes.txt"));
  for (const std::string who : {"stranger", ""}) {
    for (const std::string& path :
         {"/api/v1/files/" + id, "/api/v1/files/" + id + "/meta", "/api/v1/files/" + id + "/history",
          "/api/v1/files/" + id + "/content", "/api/v1/projects/" + std::to_string(open.id)}) {
      const auto answer = ask(who, "GET", path);
      EXPECT_EQ(answer.status, 404) << who << path << answer.body;
      EXPECT_THAT(answer.body, Not(HasSubstr("Mustermann")));
    }
    for (const char* path : {"/api/v1/files", "/api/v1/studies", "/api/v1/subjects", "/api/v1/projects"})
      EXPECT_EQ(ask(who, "GET", path).json()["items"].size(), 0U) << who << path;
    EXPECT_EQ(ask(who, "GET", "/api/v1/files/ids").body, "");
    EXPECT_THAT(ask(who, "GET", "/api/v1/files.csv?columns=id").body, "id\r\n");
    EXPECT_EQ(ask(who, "POST", "/api/v1/zip", {{"level", "files"}, {"ids", {std::stoll(id)}}}).status, 404);
    EXPECT_EQ(ask(who, "POST", "/api/v1/zip", {{"level", "projects"}, {"ids", {open.id}}}).status, 404);
    const auto rows = ask(who, "POST", "/api/v1/files/rows", {{"ids", {std::stoll(id)}}});
    EXPECT_EQ(rows.json()["items"][0], nullptr);
  }
}

TEST_F(ApiArchiveTest, WhoMayReadButNotDownloadGetsNoBytes) {
  const auto id = fileId(open.id, base + "notes.txt");
  EXPECT_EQ(ask("reader", "GET", "/api/v1/files/" + std::to_string(id) + "/content").status, 403);
  EXPECT_EQ(ask("reader", "POST", "/api/v1/zip", {{"level", "files"}, {"ids", {id}}}).status, 403);
  EXPECT_EQ(ask("reader", "POST", "/api/v1/zip", {{"level", "files"}, {"q", ""}}).status, 403);
  EXPECT_EQ(ask("reader", "GET", "/api/v1/files/" + std::to_string(id)).status, 200);
}

TEST_F(ApiArchiveTest, AFormAsksAsAProgramDoesAndIsToldInWords) {
  const std::string form = "csrf=x&json=%7B%22level%22%3A%22files%22%2C%22ids%22%3A%5B" +
                           std::to_string(fileId(open.id, base + "notes.txt")) + "%5D%7D";
  const std::map<std::string, std::string> headers{{"content-type", "application/x-www-form-urlencoded"}};
  EXPECT_THAT(zipOf(send("taker", "POST", "/api/v1/zip", form, headers)), testing::SizeIs(1));
  const auto refused = send("reader", "POST", "/api/v1/zip", form, headers);
  EXPECT_EQ(refused.status, 403);
  EXPECT_THAT(refused.body, testing::StartsWith("open: "));
  EXPECT_EQ(send("taker", "POST", "/api/v1/zip", "csrf=x", headers).status, 400);
}

TEST_F(ApiArchiveTest, BytesComeWholeOrByRange) {
  const std::string path =
      "/api/v1/files/" + std::to_string(fileId(open.id, base + "sub-Mustermann_T1w.nii")) + "/content";
  const std::string all = std::string(300'000, 'x') + "end";
  const auto whole = ask("taker", "GET", path);
  EXPECT_EQ(whole.status, 200);
  EXPECT_EQ(whole.body, all);
  EXPECT_THAT(whole.headers.at("content-disposition"), HasSubstr("sub-Mustermann_T1w.nii"));
  struct Case {
    const char* range;
    int status;
    std::string body, where;
  };
  const std::vector<Case> cases{{"bytes=0-3", 206, "xxxx", "bytes 0-3/300003"},
                                {"bytes=299999-", 206, "xend", "bytes 299999-300002/300003"},
                                {"bytes=-3", 206, "end", "bytes 300000-300002/300003"},
                                {"bytes=300001-999999", 206, "nd", "bytes 300001-300002/300003"},
                                {"bytes=-999999", 206, all, "bytes 0-300002/300003"},
                                {"bytes=300003-", 416, "", "bytes */300003"},
                                {"bytes=-0", 416, "", "bytes */300003"},
                                {"bytes=5-2", 200, all, ""},
                                {"bytes=0-1,5-6", 200, all, ""},
                                {"lines=0-1", 200, all, ""},
                                {"bytes=a-b", 200, all, ""},
                                {"bytes=--3", 200, all, ""},
                                {"bytes=-", 200, all, ""}};
  for (const Case& one : cases) {
    const auto answer = ask("taker", "GET", path, nullptr, {{"range", one.range}});
    EXPECT_EQ(answer.status, one.status) << one.range;
    if (answer.status != 416) {
      EXPECT_EQ(answer.body, one.body) << one.range;
    }
    EXPECT_EQ(answer.headers.contains("content-range") ? answer.headers.at("content-range") : "", one.where)
        << one.range;
  }
  EXPECT_EQ(ask("taker", "GET", path, nullptr, {{"range", "bytes=0-3"}, {"if-range", whole.etag}}).status, 206);
  EXPECT_EQ(ask("taker", "GET", path, nullptr, {{"range", "bytes=0-3"}, {"if-range", "\"old\""}}).body, all);
}

TEST_F(ApiArchiveTest, HiddenFilesThatMayTellNamesStay) {
  const auto status = [&](const std::string& who, const std::string& name) {
    return ask(who, "GET", "/api/v1/files/" + std::to_string(fileId(hidden.id, base + name)) + "/content").status;
  };
  EXPECT_EQ(status("taker", "sub-Mustermann_T1w.nii"), 200);
  EXPECT_EQ(status("taker", "named.nii"), 403);
  EXPECT_EQ(status("taker", "notes.txt"), 403);
  for (const char* name : {"sub-Mustermann_T1w.nii", "named.nii", "notes.txt"}) EXPECT_EQ(status("seer", name), 200);
}

TEST_F(ApiArchiveTest, HiddenImagesLeaveWithoutTheirTexts) {
  const auto path = "/api/v1/files/" + std::to_string(fileId(hidden.id, base + "sub-Mustermann_T1w.nii")) + "/content";
  const auto whole = ask("seer", "GET", path), shown = ask("taker", "GET", path);
  EXPECT_THAT(whole.body, HasSubstr("Mustermann"));
  EXPECT_THAT(shown.body, Not(HasSubstr("Mustermann")));
  ASSERT_EQ(shown.body.size(), whole.body.size());
  EXPECT_EQ(shown.body.substr(352, 299'000), whole.body.substr(352, 299'000));
  EXPECT_EQ(shown.body.substr(299'352), std::string(651, '\0'));  // behind the voxels
}

TEST_F(ApiArchiveTest, AChangeThatFailsLeavesNoLineInTheAudit) {
  const auto lines = [&] { return index->accounts.audit({})->size(); };
  const auto before = lines();
  const auto path = "/api/v1/files/" + std::to_string(fileId(open.id, base + "notes.txt")) + "/meta";
  EXPECT_EQ(ask("editor", "PUT", path, {{"age", 1}}, {{"if-match", "\"1\""}}).status, 412);
  EXPECT_EQ(lines(), before);
  EXPECT_EQ(ask("editor", "PUT", path, {{"age", 1}}).status, 200);
  EXPECT_EQ(lines(), before + 1);
}

TEST_F(ApiArchiveTest, AZipHoldsTheFilesUnderTheirPaths) {
  const auto answer = ask("taker", "POST", "/api/v1/zip", {{"level", "projects"}, {"ids", {open.id}}});
  ASSERT_EQ(answer.status, 200) << answer.body;
  ASSERT_FALSE(answer.isBroken);
  EXPECT_THAT(zipOf(answer),
              testing::UnorderedElementsAre("open/" + base + "sub-Mustermann_T1w.nii 300003",
                                            "open/" + base + "named.nii 1020", "open/" + base + "notes.txt 19"));
}

TEST_F(ApiArchiveTest, AZipOfHiddenSubjectsHasPseudonymsAndSaysWhatIsMissing) {
  const auto answer = ask("taker", "POST", "/api/v1/zip", {{"level", "files"}, {"q", "project:hidden"}});
  ASSERT_EQ(answer.status, 200) << answer.body;
  EXPECT_THAT(lowered(answer.body), Not(HasSubstr("mustermann")));
  const auto names = zipOf(answer);
  ASSERT_EQ(names.size(), 2U);
  const auto subject = index->archive.find(Level::subject, *parseQuery("project:hidden"), {true, {}, {}}, 0, 10);
  const auto pseudonym = index->archive.subject(subject->ids.front())->pseudonym;
  EXPECT_THAT(names[0], HasSubstr("hidden/" + pseudonym + "/"));
  EXPECT_THAT(names[1], HasSubstr("not-included.txt"));
}

TEST_F(ApiArchiveTest, TablesAreCsvInTheOrderThatWasAsked) {
  const auto answer = ask("reader", "GET",
                          "/api/v1/files.csv?sort=size&descending=1&columns=name,size,meta.EchoTime,nothing&project=" +
                              std::to_string(open.id));
  EXPECT_EQ(answer.body,
            "name,size,meta.EchoTime,nothing\r\nsub-Mustermann_T1w.nii,300003,0.03,\r\nnamed.nii,1020,0.03,\r\n"
            "notes.txt,19,0.03,\r\n");
  EXPECT_EQ(ask("reader", "GET", "/api/v1/files.csv?sort=nonsense").status, 400);
}

TEST_F(ApiArchiveTest, ListsArePagedWithoutGapsInEveryOrder) {
  for (const auto sort : Archive::sortColumns(Level::file)) {
    for (const char* direction : {"", "&descending=1"}) {
      std::set<std::int64_t> met;
      std::string after;
      for (int page = 0; page < 10; ++page) {
        const auto answer = ask(
            "seer", "GET",
            "/api/v1/files?limit=2&sort=" + std::string(sort) + direction + (after.empty() ? "" : "&after=" + after));
        ASSERT_EQ(answer.status, 200) << answer.body;
        const auto list = answer.json();
        for (const auto& row : list["items"])
          EXPECT_TRUE(met.insert(row["id"].get<std::int64_t>()).second) << sort << direction;
        if (list["next"].is_null()) break;
        after = list["next"].get<std::string>();
      }
      EXPECT_EQ(met.size(), 6U) << sort << direction;
    }
  }
}

TEST_F(ApiArchiveTest, MetadataIsChangedOnlyAsItWasSeen) {
  const std::string path = "/api/v1/files/" + std::to_string(fileId(open.id, base + "notes.txt")) + "/meta";
  const auto seen = ask("editor", "GET", path);
  EXPECT_EQ(ask("reader", "PUT", path, {{"a", 1}}).status, 403);
  EXPECT_EQ(ask("editor", "PUT", path, {{"a", 1}}, {{"if-match", seen.etag}}).status, 200);
  EXPECT_EQ(ask("editor", "PUT", path, {{"a", 2}}, {{"if-match", seen.etag}}).status, 412);
  EXPECT_EQ(ask("editor", "GET", path).json(), nlohmann::json({{"a", 1}}));
  const auto history =
      ask("reader", "GET", "/api/v1/files/" + std::to_string(fileId(open.id, base + "notes.txt")) + "/history");
  EXPECT_EQ(history.json()["items"].size(), 1U);
  EXPECT_EQ(history.json()["items"][0]["user"], "editor");
}

TEST_F(ApiArchiveTest, WhatIsTakenAwayIsInTheAudit) {
  const auto id = fileId(open.id, base + "notes.txt");
  ask("taker", "GET", "/api/v1/files/" + std::to_string(id) + "/content");
  ask("taker", "POST", "/api/v1/zip", {{"level", "files"}, {"ids", {id}}});
  ask("taker", "GET", "/api/v1/files.csv");
  Accounts::AuditFilter filter;
  filter.user = "taker";
  const auto records = index->accounts.audit(filter);
  ASSERT_TRUE(records);
  std::set<std::string> actions;
  for (const auto& record : *records) actions.insert(record.action);
  EXPECT_EQ(actions, (std::set<std::string>{"file.download", "zip.download", "csv.export"}));
}

}  // namespace
}  // namespace nora::test
