// What the tests of streamline and VTK readers share: files of tests/data, reading into checked values, and damage.
#pragma once

#include "image/content.hpp"
#include "image/io/file_reader.hpp"
#include "nifti_test_support.hpp"

#include <cmath>
#include <fstream>
#include <iterator>
#include <random>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace nora::testing {

inline Bytes dataFile(const std::string& name) {
  std::ifstream file(NORA_TEST_DATA "/formats/" + name, std::ios::binary);
  const std::string text{std::istreambuf_iterator<char>(file), {}};
  EXPECT_FALSE(text.empty()) << name;
  Bytes bytes(text.size());
  std::memcpy(bytes.data(), text.data(), text.size());
  return bytes;
}

inline Bytes bytesOf(const std::string& text) {
  Bytes bytes(text.size());
  if (!text.empty()) std::memcpy(bytes.data(), text.data(), text.size());
  return bytes;
}

inline void append(Bytes& bytes, const std::string& text) {
  const Bytes more = bytesOf(text);
  bytes.insert(bytes.end(), more.begin(), more.end());
}
template <class T>
void append(Bytes& bytes, const std::vector<T>& numbers) {
  const auto raw = std::as_bytes(std::span(numbers));
  bytes.insert(bytes.end(), raw.begin(), raw.end());
}

/// As the server does with what a reader process hands over.
inline Result<Content> readContent(const FileReader& reader, const std::vector<InputFile>& files,
                                   std::size_t limit = std::size_t{1} << 26) {
  CountingSink sink(limit);
  auto content = reader.readContent(files, {}, sink);
  if (!content) return tl::make_unexpected(content.error());
  const std::string name = files.front().name;
  const auto wrap = [](auto&& made) -> Result<Content> {
    if (!made) return tl::make_unexpected(made.error());
    return Content(std::move(*made));
  };
  if (auto* tracts = std::get_if<ReadTracts>(&*content)) {
    measure(*tracts, sink.memory.bytes());
    auto arrays = ArrayBlock::create(tracts->arrays, std::move(sink.memory), name);
    if (!arrays) return tl::make_unexpected(arrays.error());
    return wrap(Tractogram::create(std::move(tracts->info), std::move(*arrays), name));
  }
  if (auto* surface = std::get_if<ReadSurface>(&*content)) {
    measure(*surface, sink.memory.bytes());
    auto arrays = ArrayBlock::create(surface->arrays, std::move(sink.memory), name);
    if (!arrays) return tl::make_unexpected(arrays.error());
    return wrap(Surface::create(std::move(surface->info), std::move(*arrays), name));
  }
  auto& image = std::get<ReadImage>(*content);
  return wrap(Volume::create(std::move(image.info), std::move(sink.memory), image.voxelOffset, name));
}

inline Result<Tractogram> readTracts(const FileReader& reader, const std::vector<InputFile>& files) {
  auto content = readContent(reader, files);
  if (!content) return tl::make_unexpected(content.error());
  if (!std::holds_alternative<Tractogram>(*content)) return fail(ErrorCode::internal, "no tracts");
  return std::move(std::get<Tractogram>(*content));
}

/// The message of a file that must be refused.
inline std::string refusal(const FileReader& reader, const std::vector<InputFile>& files) {
  const auto content = readContent(reader, files);
  if (content) return "(it was read)";
  EXPECT_EQ(content.error().where, files.front().name);
  EXPECT_NE(content.error().code, ErrorCode::internal) << content.error().what;
  return content.error().what;
}

inline const std::vector<std::string>& warningsOf(const Content& content) {
  return std::visit([](const auto& made) -> const std::vector<std::string>& { return made.info().warnings; }, content);
}

/// With `orTold` a file may also be read with a warning (a cut between two sections).
inline void expectEveryCutIsAnError(const FileReader& reader, const Bytes& whole, const std::string& name,
                                    bool orTold = false) {
  ASSERT_TRUE(readContent(reader, {{name, whole}})) << refusal(reader, {{name, whole}});
  for (std::size_t sixteenth = 0; sixteenth < 16; ++sixteenth) {
    const Bytes cut(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(whole.size() * sixteenth / 16));
    const auto content = readContent(reader, {{name, cut}});
    EXPECT_TRUE(!content || (orTold && !warningsOf(*content).empty())) << name << ", " << sixteenth << "/16";
    EXPECT_TRUE(content || content.error().where == name);
    static_cast<void>(reader.peek({name, cut}));
    static_cast<void>(reader.recognises({name, cut}));
  }
}

/// Flips bytes, writes extreme numbers, cuts: each mutant is an Error that names the file, or content that holds.
inline void expectMutantsSurvive(const FileReader& reader, const Bytes& seed, const std::string& name, int rounds) {
  std::mt19937 random(20240229);  // fixed: the same mutants in every run
  const auto below = [&](std::size_t n) { return std::uniform_int_distribution<std::size_t>(0, n - 1)(random); };
  for (int round = 0; round < rounds; ++round) {
    Bytes mutant = seed;
    for (std::size_t i = 0, n = 1 + below(4); i < n; ++i) {
      // The head is hit most: there is what the rest is read by.
      const std::size_t at = below(below(2) == 0 ? std::min<std::size_t>(mutant.size(), 600) : mutant.size());
      constexpr std::array<unsigned char, 6> extremes{0x00, 0xff, 0x7f, 0x80, '9', '-'};
      mutant[at] = below(2) == 0 ? mutant[at] ^ static_cast<std::byte>(1u << below(8)) : std::byte{extremes[below(6)]};
      for (std::size_t k = 1; below(3) == 0 && k < 4 && at + k < mutant.size(); ++k) mutant[at + k] = mutant[at];
    }
    if (below(8) == 0) mutant.resize(1 + below(mutant.size()));
    static_cast<void>(reader.recognises({name, mutant}));
    static_cast<void>(reader.peek({name, mutant}));
    const auto content = readContent(reader, {{name, mutant}});
    if (content) continue;
    EXPECT_EQ(content.error().where, name) << content.error().what;
    EXPECT_NE(content.error().code, ErrorCode::internal) << content.error().what;
  }
}

inline std::vector<float> pointOf(const Tractogram& tracts, std::size_t point) {
  const auto p = tracts.positions().subspan(3 * point, 3);
  return {p.begin(), p.end()};
}

}  // namespace nora::testing
