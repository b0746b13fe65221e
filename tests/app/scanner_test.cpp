#include "app/scanner.hpp"
#include "app/http_api.hpp"
#include "app/served_images.hpp"

#include <algorithm>
#include <array>
#include <filesystem>
#include <fstream>
#include <set>

#include <unistd.h>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

namespace nora {
namespace {

class Served : public testing::Test {
 protected:
  void SetUp() override {
    root_ = std::make_unique<ServedRoot>(std::move(*ServedRoot::open(std::string(NORA_TEST_DATA) + "/demo")));
    Scanner(*root_, pool_, catalogue_, [this] { ++news_; }).scan({});
  }

  [[nodiscard]] Entry entry(const std::string& name) const {
    for (const auto& found : catalogue_.after(0, 5000).entries) {
      if (found.name.find(name) != std::string::npos) return found;
    }
    ADD_FAILURE() << "no entry " << name;
    return {};
  }

  ReaderPool pool_{NORA_PROGRAM, ReaderPool::Limits{}};
  std::unique_ptr<ServedRoot> root_;
  Catalogue catalogue_;
  ContentCache cache_{std::size_t{1} << 30};
  Readiness readiness_;
  Metrics metrics_;
  int news_ = 0;
};

TEST_F(Served, ScanListsTheSampleData) {
  EXPECT_GT(news_, 0);
  EXPECT_FALSE(catalogue_.counts().scanning);
  EXPECT_EQ(catalogue_.counts().problems, 0);
  EXPECT_EQ(entry("T1w").state, EntryState::ready);
  EXPECT_EQ(entry("pial").kind, "surface");
  EXPECT_EQ(entry("pial").state, EntryState::ready);
  const auto page = catalogue_.after(0, 5000);
  const auto series =
      std::count_if(page.entries.begin(), page.entries.end(), [](const Entry& e) { return !e.series.empty(); });
  EXPECT_EQ(series, 1);
}

TEST_F(Served, EntriesLoadOnceAndAreShared) {
  ServedImages images(*root_, pool_, catalogue_, cache_);
  const auto source = images.resolve(entry("statmap").id);
  ASSERT_TRUE(source) << describe(source.error());
  const auto first = images.load(*source, {}, {});
  ASSERT_TRUE(first) << describe(first.error());
  EXPECT_EQ(images.load(*source, {}, {})->volume().get(), first->volume().get());
}

TEST_F(Served, SurfacesAndStreamlinesLoadAsShapes) {
  ServedImages images(*root_, pool_, catalogue_, cache_);
  for (const char* name : {"pial", "SLF1R", "IFOFR"}) {
    const auto source = images.resolve(entry(name).id);
    ASSERT_TRUE(source) << describe(source.error());
    const auto loaded = images.load(*source, {}, {});
    ASSERT_TRUE(loaded) << describe(loaded.error());
    EXPECT_EQ(loaded->volume(), nullptr);
    ASSERT_NE(loaded->shape(), nullptr);
    EXPECT_EQ(kindOf(*loaded->shape()), entry(name).kind);
    EXPECT_EQ(images.load(*source, {}, {})->shape(), loaded->shape());
  }
}

TEST_F(Served, WhatCannotBeOpenedSaysWhy) {
  ServedImages images(*root_, pool_, catalogue_, cache_);
  EXPECT_EQ(images.resolve(entry("participants").id).error().code, ErrorCode::unsupported);
  EXPECT_EQ(images.resolve("0123456789abcdef").error().code, ErrorCode::notFound);
  EXPECT_EQ(images.load(Source{"../LICENCES.md", ""}, {}, {}).error().code, ErrorCode::forbidden);
  EXPECT_EQ(images.load(Source{"nothing.nii", ""}, {}, {}).error().code, ErrorCode::notFound);
  EXPECT_EQ(images.load(Source{"sub-03/dicom", "1.2.3"}, {}, {}).error().code, ErrorCode::notFound);
}

/// What the client gets in the end.
HttpResponse made(const HttpAnswer& answer) {
  const auto* work = std::get_if<HttpWork>(&answer);
  return work != nullptr ? (*work)({}) : std::get<HttpResponse>(answer);
}

TEST_F(Served, HttpPagesThroughTheCatalogue) {
  ServedImages images(*root_, pool_, catalogue_, cache_);
  const EntryContent content(images, pool_, catalogue_);
  const auto http = [handler = makeHttpApi({catalogue_, content, readiness_, metrics_, "demo"})](
                        const HttpRequest& request) { return made(handler(request)); };
  std::size_t seen = 0;
  std::uint64_t after = 0;
  for (bool more = true; more;) {
    HttpRequest request{"GET", "/api/v1/catalogue", {{"after", std::to_string(after)}, {"limit", "3"}}, "", false};
    const auto answer = nlohmann::json::parse(http(request).body);
    seen += answer.at("entries").size();
    EXPECT_LE(answer.at("entries").size(), 3U);
    after = answer.at("revision");
    more = answer.at("more");
  }
  EXPECT_EQ(seen, catalogue_.after(0, 5000).entries.size());
}

TEST_F(Served, AHeaderWithoutItsDataIsNotReady) {
  const auto folder = std::filesystem::temp_directory_path() / ("nora-scanner-" + std::to_string(::getpid()));
  std::filesystem::create_directories(folder / "b");
  const std::filesystem::path data(NORA_TEST_DATA "/nifti");
  std::filesystem::copy_file(data / "pair_float32.hdr", folder / "alone.hdr");
  std::filesystem::copy_file(data / "pair_float32.hdr", folder / "b/both.hdr");
  std::filesystem::copy_file(data / "pair_float32.img", folder / "b/both.img");
  const auto root = ServedRoot::open(folder.string());
  ASSERT_TRUE(root);
  Scanner(*root, pool_, catalogue_, [] {}).scan({});
  EXPECT_EQ(entry("alone.hdr").state, EntryState::failed);
  EXPECT_EQ(entry("alone.hdr").reason, "its data file is missing: alone.img");
  EXPECT_EQ(entry("both.hdr").state, EntryState::ready);
  EXPECT_EQ(entry("both.hdr").sizeBytes, 352 + 840);
  std::filesystem::remove_all(folder);
}

TEST_F(Served, WhatBelongsToAnotherFileIsNotListedOnItsOwn) {
  namespace fs = std::filesystem;
  const auto folder = fs::temp_directory_path() / ("nora-parts-" + std::to_string(::getpid()));
  fs::create_directories(folder / "bundle");
  const fs::path data(NORA_TEST_DATA "/nifti");
  fs::copy_file(data / "pair_float32.hdr", folder / "both.Hdr");
  fs::copy_file(data / "pair_float32.img", folder / "both.Img");
  fs::copy_file(data / "pair_float32.hdr", folder / "plain.hdr");
  fs::copy_file(data / "pair_float32.img", folder / "plain.img");
  for (const char* table :
       {"plain.lut", "plain_LUT.txt", "plain.label.txt", "plain.json", "plain.bvals", "other.lut"}) {
    std::ofstream(folder / table) << "1 a 1 2 3 255\n";
  }
  std::ofstream(folder / "bundle/header.json")
      << R"({"VOXEL_TO_RASMM":[],"NB_STREAMLINES":1,"NB_VERTICES":2,"DIMENSIONS":[1,1,1]})";
  const std::array<float, 6> points{0, 0, 0, 1, 2, 3};
  const std::array<std::uint32_t, 2> offsets{0, 2};
  std::ofstream(folder / "bundle/positions.3.float32").write(reinterpret_cast<const char*>(points.data()), 24);
  std::ofstream(folder / "bundle/offsets.uint32").write(reinterpret_cast<const char*>(offsets.data()), 8);
  const auto root = ServedRoot::open(folder.string());
  ASSERT_TRUE(root);
  Catalogue catalogue;
  Scanner(*root, pool_, catalogue, [] {}).scan({});
  std::set<std::string> listed;
  for (const auto& found : catalogue.after(0, 5000).entries) listed.insert(found.kind + " " + found.name);
  EXPECT_EQ(listed, (std::set<std::string>{"image both.Hdr", "image plain.hdr", "table other.lut", "tracts bundle"}));
  ServedImages images(*root, pool_, catalogue, cache_);
  const EntryContent content(images, pool_, catalogue);
  for (const auto& found : catalogue.after(0, 5000).entries) {
    if (found.kind != "tracts") continue;
    const auto info = content.info(found.id, {});
    ASSERT_TRUE(info) << describe(info.error());
    EXPECT_EQ(info->at("points"), 2);
  }
  fs::remove_all(folder);
}

TEST_F(Served, AnalyzeIsListedAsItIsReadWithTheMatBesideIt) {
  namespace fs = std::filesystem;
  const auto folder = fs::temp_directory_path() / ("nora-mat-" + std::to_string(::getpid()));
  fs::create_directories(folder);
  for (const char* suffix : {".hdr", ".img"}) {
    fs::copy_file(fs::path(NORA_TEST_DATA "/formats/analyze/int16_le") += suffix, (folder / "a") += suffix);
  }
  const auto listed = [&] {
    const auto root = ServedRoot::open(folder.string());
    Catalogue catalogue;
    Scanner(*root, pool_, catalogue, [] {}).scan({});
    ServedImages images(*root, pool_, catalogue, cache_);
    const Entry entry = catalogue.find("a.hdr", "").value_or(Entry{});
    const auto volume = images.load(Source{"a.hdr", ""}, {}, {});
    EXPECT_TRUE(volume);
    if (volume) {
      EXPECT_EQ(entry.warnings, volume->volume()->info().warnings);
    }
    return entry.warnings;
  };
  const auto alone = listed();
  // MATLAB level 4: doubles, 4 x 4, real, a name of two bytes; column by column.
  const std::array<std::int32_t, 5> head{0, 4, 4, 0, 2};
  const std::array<double, 16> matrix{0, 2, 0, 0, 3, 0, 0, 0, 0, 0, 4, 0, -10, -20, -30, 1};
  std::ofstream mat(folder / "a.mat", std::ios::binary);
  mat.write(reinterpret_cast<const char*>(head.data()), sizeof head).write("M", 2);
  mat.write(reinterpret_cast<const char*>(matrix.data()), sizeof matrix);
  mat.close();
  EXPECT_NE(listed(), alone);
  fs::remove_all(folder);
}

TEST_F(Served, HttpAnswersOnlyWhatItKnows) {
  ServedImages images(*root_, pool_, catalogue_, cache_);
  const EntryContent content(images, pool_, catalogue_);
  const auto http = [handler = makeHttpApi({catalogue_, content, readiness_, metrics_, "demo"})](
                        const HttpRequest& request) { return made(handler(request)); };
  EXPECT_EQ(http(HttpRequest{"GET", "/", {}, "", false, false}).status, 200);
  EXPECT_EQ(http(HttpRequest{"GET", "/sub-01/anat/sub-01_T1w.nii.gz", {}, "", false, false}).status, 404);
  EXPECT_EQ(http(HttpRequest{"GET", "/api/v1/catalogue", {{"after", "-1"}}, "", false, false}).status, 400);
  EXPECT_EQ(http(HttpRequest{"GET", "/api/v1/catalogue", {{"limit", "0"}}, "", false, false}).status, 400);
}

TEST_F(Served, HttpTellsWhatEntriesHold) {
  ServedImages images(*root_, pool_, catalogue_, cache_);
  const EntryContent content(images, pool_, catalogue_);
  const HttpHandler handler = makeHttpApi({catalogue_, content, readiness_, metrics_, "demo"});
  const auto get = [&](const std::string& path, std::map<std::string, std::string> query = {}) {
    return made(handler(HttpRequest{"GET", path, std::move(query), "", false, false}));
  };
  const std::string image = "/api/v1/entries/" + entry("T1w").id;
  const auto info = nlohmann::json::parse(get(image + "/info").body);
  EXPECT_EQ(info.at("kind"), "image");
  EXPECT_EQ(info.at("file"), entry("T1w").path);
  EXPECT_TRUE(info.at("mean").is_number());
  EXPECT_EQ(get(image + "/content").status, httpStatus(ErrorCode::unsupported));
  EXPECT_EQ(get(image).status, 404);
  EXPECT_EQ(get(image + "/other").status, 404);
  EXPECT_EQ(get(image + "/content", {{"page", "0"}}).status, 400);
  EXPECT_EQ(get("/api/v1/entries/0123456789abcdef/info").status, 404);
}

TEST_F(Served, HttpHandsOutDocumentsThatCanDoNothing) {
  root_ =
      std::make_unique<ServedRoot>(std::move(*ServedRoot::open(std::string(NORA_TEST_DATA) + "/formats/documents")));
  Scanner(*root_, pool_, catalogue_, [] {}).scan({});
  ServedImages images(*root_, pool_, catalogue_, cache_);
  const EntryContent content(images, pool_, catalogue_);
  const HttpHandler handler = makeHttpApi({catalogue_, content, readiness_, metrics_, "documents"});
  const auto get = [&](const std::string& name, const std::string& what,
                       std::map<std::string, std::string> query = {}) {
    return made(
        handler(HttpRequest{"GET", "/api/v1/entries/" + entry(name).id + what, std::move(query), "", false, false}));
  };
  const auto table = get("participants.tsv", "/content");
  EXPECT_EQ(table.contentType, "application/json");
  EXPECT_EQ(nlohmann::json::parse(table.body).at("rows").size(), 13U);
  EXPECT_EQ(table.contentSecurityPolicy, "sandbox; default-src 'none'");
  EXPECT_EQ(nlohmann::json::parse(get("pages.tif", "/info").body).at("pages"), 3);
  const auto second = get("pages.tif", "/content", {{"page", "2"}});
  EXPECT_EQ(second.contentType, "image/png");
  EXPECT_NE(second.body, get("pages.tif", "/content").body);
  EXPECT_EQ(get("pages.tif", "/content", {{"page", "4"}}).status, 404);
  EXPECT_EQ(get("LICENCES.md", "/content").contentType, "text/plain; charset=utf-8");
  EXPECT_NE(get("two_pages.pdf", "/content").contentSecurityPolicy.find("default-src 'none'"), std::string::npos);
}

}  // namespace
}  // namespace nora
