// Uploads, presets, filters and share links by the routes.
#include "tests/app/api_world.hpp"

#include "archive/access/digest.hpp"

#include <filesystem>
#include <fstream>
#include <sstream>

#include <gmock/gmock.h>

namespace nora::test {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

std::string textOf(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  std::ostringstream out;
  out << file.rdbuf();
  return out.str();
}

std::string sumOf(const std::string& bytes) {
  Sha256 sum;
  sum.add(bytes);
  return sum.finish();
}

class ApiUploadTest : public ApiWorld {
 protected:
  void SetUp() override {
    ApiWorld::SetUp();
    addPerson("editor", Right::edit);
    addPerson("other", Right::edit);
    addPerson("reader", Rights(Right::read) | Right::download);
    addPerson("stranger", {});
  }
  ApiAnswer begin(const std::string& who, const std::string& path, std::int64_t size, const std::string& sum = "") {
    return ask(who, "POST", uploadsOf(open),
               {{"path", path}, {"size", size}, {"sha256", sum.empty() ? nlohmann::json("") : nlohmann::json(sum)}});
  }
  static std::string uploadsOf(const ProjectRecord& project) {
    return "/api/v1/projects/" + std::to_string(project.id) + "/uploads";
  }
  static std::string at(const ApiAnswer& begun) {
    return "/api/v1/uploads/" + std::to_string(begun.json()["id"].get<std::int64_t>());
  }
  /// A whole upload; the answer of its end.
  ApiAnswer upload(const std::string& path, const std::string& bytes, bool unpack) {
    const auto begun = begin("editor", path, static_cast<std::int64_t>(bytes.size()));
    EXPECT_EQ(begun.status, 201) << begun.body;
    EXPECT_EQ(send("editor", "PATCH", at(begun), bytes, {{"upload-offset", "0"}}).status, 200);
    return ask("editor", "POST", at(begun) + "/finish", {{"unpack", unpack}});
  }
  /// A zip made by Python; `program` has z, a ZipFile.
  std::string zip(const std::string& program) {
    const auto file = (index_ / "made.zip").string();
    std::filesystem::remove(file);
    const std::string command =
        "python3 -W ignore -c 'import sys, zipfile\nz = zipfile.ZipFile(sys.argv[1], \"w\", zipfile.ZIP_DEFLATED)\n" +
        program + "\nz.close()' " + file;
    EXPECT_EQ(std::system(command.c_str()), 0);
    return textOf(file);
  }
  [[nodiscard]] std::size_t filesIn() const {
    std::size_t count = 0;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(openFolder_.path()))
      count += entry.is_regular_file() ? 1 : 0;
    return count;
  }
};

TEST_F(ApiUploadTest, AFileComesInPiecesAndGoesOnAfterARestart) {
  const std::string bytes = std::string(5000, 'a') + std::string(7000, 'b');
  const auto begun = begin("editor", "sub-02/anat/new.nii", 12000, sumOf(bytes));
  ASSERT_EQ(begun.status, 201) << begun.body;
  EXPECT_EQ(send("editor", "PATCH", at(begun), bytes.substr(0, 5000), {{"upload-offset", "0"}}).json()["offset"], 5000);
  EXPECT_EQ(ask("editor", "POST", at(begun) + "/finish").status, 400);
  restart();
  EXPECT_EQ(ask("editor", "GET", at(begun)).json()["offset"], 5000);
  const auto wrong = send("editor", "PATCH", at(begun), "b", {{"upload-offset", "4000"}});
  EXPECT_EQ(wrong.status, 400);
  EXPECT_THAT(wrong.body, HasSubstr("5000"));
  EXPECT_EQ(send("editor", "PATCH", at(begun), bytes.substr(5000), {{"upload-offset", "5000"}}).json()["offset"],
            12000);
  const auto done = ask("editor", "POST", at(begun) + "/finish");
  ASSERT_EQ(done.status, 200) << done.body;
  EXPECT_EQ(textOf(openFolder_ / "sub-02/anat/new.nii"), bytes);
  EXPECT_THAT(changed, ElementsAre(open.id));
  EXPECT_EQ(ask("editor", "GET", at(begun)).status, 404);
}

TEST_F(ApiUploadTest, WhatWasDamagedOrIsTooLongDoesNotGetIn) {
  const auto files = filesIn();
  const auto begun = begin("editor", "a.nii", 4, sumOf("good"));
  EXPECT_EQ(send("editor", "PATCH", at(begun), "goodbye", {{"upload-offset", "0"}}).status, 400);
  EXPECT_EQ(send("editor", "PATCH", at(begun), "evil", {{"upload-offset", "0"}}).status, 200);
  const auto done = ask("editor", "POST", at(begun) + "/finish");
  EXPECT_EQ(done.status, 400);
  EXPECT_THAT(done.body, HasSubstr("sha256"));
  EXPECT_EQ(ask("editor", "DELETE", at(begun)).status, 200);
  EXPECT_EQ(filesIn(), files);
  EXPECT_TRUE(changed.empty());
}

TEST_F(ApiUploadTest, PathsStayInTheProjectAndNothingIsOverwritten) {
  for (const char* path : {"../out.nii", "/etc/x", "a/../b", ".hidden", "a//b", "a/", "", "a/.x/b", "a\nb"})
    EXPECT_EQ(begin("editor", path, 10).status, 400) << path;
  EXPECT_EQ(begin("editor", "big", INT64_MAX).status, 413);
  EXPECT_EQ(upload("sub-Mustermann/ses-Mustermann-1/notes.txt", "something else", false).status, 400);
  EXPECT_EQ(textOf(openFolder_ / "sub-Mustermann/ses-Mustermann-1/notes.txt"), "Mustermann was here");
}

TEST_F(ApiUploadTest, OnlyWhoMayEditAddsAndOnlyToTheirOwn) {
  const nlohmann::json body{{"path", "x.nii"}, {"size", 3}};
  EXPECT_EQ(ask("reader", "POST", uploadsOf(open), body).status, 403);
  EXPECT_EQ(ask("stranger", "POST", uploadsOf(open), body).status, 404);
  EXPECT_EQ(ask("", "POST", uploadsOf(open), body).status, 401);
  EXPECT_EQ(ask("editor", "POST", uploadsOf(hidden), body).status, 403);  // names are hidden there
  const auto begun = begin("editor", "x.nii", 3);
  for (const char* who : {"other", "reader", "stranger"}) {
    EXPECT_EQ(ask(who, "GET", at(begun)).status, 404) << who;
    EXPECT_EQ(send(who, "PATCH", at(begun), "abc", {{"upload-offset", "0"}}).status, 404) << who;
    EXPECT_EQ(ask(who, "POST", at(begun) + "/finish").status, 404) << who;
    EXPECT_EQ(ask(who, "DELETE", at(begun)).status, 404) << who;
  }
  ProjectRecord wanted;
  wanted.name = "in place";
  wanted.root = openFolder_.path().string();
  wanted.inPlace = true;
  const auto inPlace = index->archive.addProject(wanted);
  addPerson("administrator", {}, true);
  EXPECT_EQ(ask("administrator", "POST", uploadsOf(*inPlace), body).status, 403);
}

TEST_F(ApiUploadTest, AZipIsUnpackedIntoItsFolder) {
  const auto done = upload("new/all.zip",
                           zip("z.writestr(\"sub-03/a.nii\", \"A\" * 100000)\nz.writestr(\"b.txt\", \"B\")\n"
                               "z.writestr(\"empty/\", \"\")\nz.writestr(\"__MACOSX/c\", \"C\")\n"
                               "z.writestr(\".DS_Store\", \"D\")"),
                           true);
  ASSERT_EQ(done.status, 200) << done.body;
  EXPECT_THAT(done.json()["added"].get<std::vector<std::string>>(), ElementsAre("new/sub-03/a.nii", "new/b.txt"));
  EXPECT_THAT(done.json()["skipped"].get<std::vector<std::string>>(), ElementsAre("__MACOSX/c", ".DS_Store"));
  EXPECT_EQ(textOf(openFolder_ / "new/sub-03/a.nii"), std::string(100000, 'A'));
  EXPECT_FALSE(std::filesystem::exists(openFolder_ / "new/all.zip"));
}

TEST_F(ApiUploadTest, AHostileZipLeavesNothingBehind) {
  const auto files = filesIn();
  const std::vector<std::string> programs{
      "z.writestr(\"ok.txt\", \"x\")\nz.writestr(\"../../out.txt\", \"x\")",
      "z.writestr(\"ok.txt\", \"x\")\nz.writestr(\"/etc/out.txt\", \"x\")",
      "z.writestr(\"ok.txt\", \"x\")\nz.writestr(\"a/./b\", \"x\")",
      "z.writestr(\"ok.txt\", \"x\")\nz.writestr(\"a\\\\..\\\\b\", \"x\")",
      "z.writestr(\"ok.txt\", \"x\")\nz.writestr(\"ok.txt\", \"y\")",
      "i = zipfile.ZipInfo(\"link\")\ni.create_system = 3\ni.external_attr = 0o120777 << 16\nz.writestr(\"ok\", "
      "\"x\")\n"
      "z.writestr(i, \"/etc/passwd\")",
      // one of them is there already with other bytes: the one before is taken away again
      "z.writestr(\"first.txt\", \"x\")\nz.writestr(\"sub-Mustermann/ses-Mustermann-1/notes.txt\", \"other\")",
      "z.writestr(\"ok.txt\", \"x\")\nz.writestr(\"file/a\", \"x\")\nz.writestr(\"file\", \"x\")",
  };
  for (const std::string& program : programs) {
    const auto done = upload("all.zip", zip(program), true);
    EXPECT_GE(done.status, 400) << program << done.body;
    EXPECT_LT(done.status, 500) << program << done.body;
    EXPECT_EQ(ask("editor", "DELETE", "/api/v1/uploads/1").status, 404);
    for (const auto& entry : std::filesystem::directory_iterator(openFolder_ / ".nora-uploads"))
      std::filesystem::remove(entry.path());
    EXPECT_EQ(filesIn(), files) << program;
  }
  EXPECT_EQ(upload("all.zip", "this is no zip at all", true).status, 400);
  auto damaged = zip("z.writestr(\"a.txt\", \"some bytes\" * 1000)");
  damaged[45] = static_cast<char>(damaged[45] ^ 0x55);
  EXPECT_EQ(upload("all.zip", damaged, true).status, 400);
  EXPECT_FALSE(std::filesystem::exists(openFolder_ / "a.txt"));
}

TEST_F(ApiUploadTest, PresetsAndFiltersBelongToWhoMadeThem) {
  const auto preset =
      ask("editor", "POST", "/api/v1/presets", {{"name", "mine"}, {"scene", {{"layers", nlohmann::json::array()}}}});
  ASSERT_EQ(preset.status, 201) << preset.body;
  const auto filter =
      ask("editor", "POST", "/api/v1/filters", {{"name", "mr"}, {"query", "modality:MR"}, {"projectId", open.id}});
  ASSERT_EQ(filter.status, 201) << filter.body;
  EXPECT_EQ(ask("editor", "POST", "/api/v1/filters", {{"name", "bad"}, {"query", "size:>10X"}}).status, 400);
  const std::string ofOpen = "?project=" + std::to_string(open.id);
  EXPECT_EQ(ask("editor", "GET", "/api/v1/presets").json()["items"].size(), 1U);
  EXPECT_EQ(ask("editor", "GET", "/api/v1/filters" + ofOpen).json()["items"][0]["query"], "modality:MR");
  EXPECT_EQ(ask("other", "GET", "/api/v1/presets").json()["items"].size(), 0U);
  EXPECT_EQ(ask("other", "GET", "/api/v1/filters" + ofOpen).json()["items"].size(), 0U);
  EXPECT_EQ(ask("stranger", "GET", "/api/v1/filters" + ofOpen).status, 404);
  EXPECT_EQ(ask("", "GET", "/api/v1/presets").status, 401);
  const std::string path = "/api/v1/presets/" + std::to_string(preset.json()["id"].get<std::int64_t>());
  EXPECT_EQ(ask("other", "DELETE", path).status, 404);
  EXPECT_EQ(ask("editor", "DELETE", path).status, 200);
  EXPECT_EQ(
      ask("editor", "POST", "/api/v1/presets", {{"name", "all"}, {"scene", {{"a", 1}}}, {"everybody", true}}).status,
      403);
}

TEST_F(ApiUploadTest, TokensMakeNoShareLinks) {
  const std::string path = "/api/v1/projects/" + std::to_string(open.id) + "/shares";
  const nlohmann::json body{{"rights", {"read"}}, {"expires", "2099-01-01"}};
  EXPECT_EQ(ask("editor", "POST", path, body).status, 403);
  EXPECT_EQ(ask("stranger", "POST", path, body).status, 404);
  EXPECT_EQ(ask("", "POST", path, body).status, 401);
  EXPECT_EQ(ask("editor", "GET", path).json()["items"].size(), 0U);
}

}  // namespace
}  // namespace nora::test
