#include "app/http_api.hpp"
#include "app/scanner.hpp"
#include "app/served_images.hpp"

#include <algorithm>

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
  VolumeCache cache_{std::size_t{1} << 30};
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
  const auto series = std::count_if(page.entries.begin(), page.entries.end(), [](const Entry& e) { return !e.series.empty(); });
  EXPECT_EQ(series, 1);
}

TEST_F(Served, EntriesLoadOnceAndAreShared) {
  ServedImages images(*root_, pool_, catalogue_, cache_);
  const auto source = images.resolve(entry("statmap").id);
  ASSERT_TRUE(source) << describe(source.error());
  const auto first = images.load(*source, {});
  ASSERT_TRUE(first) << describe(first.error());
  EXPECT_EQ(images.load(*source, {})->get(), first->get());
}

TEST_F(Served, WhatCannotBeOpenedSaysWhy) {
  ServedImages images(*root_, pool_, catalogue_, cache_);
  EXPECT_EQ(images.resolve(entry("pial").id).error().code, ErrorCode::unsupported);
  EXPECT_EQ(images.resolve("0123456789abcdef").error().code, ErrorCode::notFound);
  EXPECT_EQ(images.load(Source{"../LICENCES.md", ""}, {}).error().code, ErrorCode::forbidden);
  EXPECT_EQ(images.load(Source{"nothing.nii", ""}, {}).error().code, ErrorCode::notFound);
  EXPECT_EQ(images.load(Source{"sub-03/dicom", "1.2.3"}, {}).error().code, ErrorCode::notFound);
}

TEST_F(Served, HttpPagesThroughTheCatalogue) {
  const HttpHandler http = makeHttpApi(catalogue_, "demo");
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

TEST_F(Served, HttpAnswersOnlyWhatItKnows) {
  const HttpHandler http = makeHttpApi(catalogue_, "demo");
  EXPECT_EQ(http(HttpRequest{"GET", "/", {}, "", false}).status, 200);
  EXPECT_EQ(http(HttpRequest{"GET", "/sub-01/anat/sub-01_T1w.nii.gz", {}, "", false}).status, 404);
  EXPECT_EQ(http(HttpRequest{"GET", "/api/v1/catalogue", {{"after", "-1"}}, "", false}).status, 400);
  EXPECT_EQ(http(HttpRequest{"GET", "/api/v1/catalogue", {{"limit", "0"}}, "", false}).status, 400);
}

}  // namespace
}  // namespace nora
