// What the tests of image readers share: files made of text and bytes, and the bad-input drill that every reader has to
// stand.
#pragma once

#include "image/statistics.hpp"
#include "nifti_test_support.hpp"

#include <random>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

namespace nora::testing {

inline Bytes bytesOf(std::string_view text) {
  const auto* data = reinterpret_cast<const std::byte*>(text.data());
  return {data, data + text.size()};
}

inline Bytes joined(std::string_view head, const Bytes& body) {
  Bytes out = bytesOf(head);
  out.insert(out.end(), body.begin(), body.end());
  return out;
}

/// The numbers, one after the other, in either byte order.
template <class T>
Bytes numbers(const std::vector<T>& values, bool bigEndian = false) {
  Bytes out;
  for (const T value : values) {
    std::array<std::byte, sizeof(T)> raw{};
    std::memcpy(raw.data(), &value, sizeof(T));
    if (bigEndian) std::reverse(raw.begin(), raw.end());
    out.insert(out.end(), raw.begin(), raw.end());
  }
  return out;
}

/// 0, 1, 2, ...
template <class T>
std::vector<T> counting(std::size_t count) {
  std::vector<T> out(count);
  for (std::size_t i = 0; i < count; ++i) out[i] = static_cast<T>(i);
  return out;
}

/// Whatever the bytes: an error with a text, or an image that holds together. True if it was an image.
inline bool survives(const ImageReader& reader, const std::vector<InputFile>& files) {
  static_cast<void>(reader.recognises(files[0]));
  static_cast<void>(reader.peek(files[0]));
  CountingSink sink(std::size_t{1} << 24);
  auto image = reader.read(files, {}, sink);
  if (!image) {
    EXPECT_FALSE(image.error().what.empty());
    EXPECT_NE(image.error().code, ErrorCode::internal) << image.error().what;
    return false;
  }
  static_cast<void>(computeStatistics(image->info, sink.memory.bytes().subspan(image->voxelOffset)));
  EXPECT_TRUE(imageInfoFromJson(toJson(image->info)));
  auto volume = Volume::create(std::move(image->info), std::move(sink.memory), image->voxelOffset, "mutant");
  EXPECT_TRUE(volume) << describe(volume.error());
  return volume.has_value();
}

/// Cut at every sixteenth of its length, the first of `files` is an error that names it.
inline void expectCutsAreErrors(const ImageReader& reader, std::vector<InputFile> files, std::size_t cutFile = 0) {
  const auto whole = files[cutFile].bytes;
  ASSERT_TRUE(survives(reader, files));
  for (std::size_t sixteenth = 0; sixteenth < 16; ++sixteenth) {
    files[cutFile].bytes = whole.first(whole.size() * sixteenth / 16);
    CountingSink sink;
    const auto image = reader.read(files, {}, sink);
    ASSERT_FALSE(image) << sixteenth;
    EXPECT_EQ(image.error().code, ErrorCode::invalidInput) << describe(image.error());
    EXPECT_EQ(image.error().where, files[cutFile].name) << sixteenth;
  }
}

struct Outcomes {
  int images = 0;
  int errors = 0;
};

/// Flips bits and sets bytes of the first file, mostly in its first `headerBytes`; always the same mutants.
inline Outcomes mutate(const ImageReader& reader, std::vector<InputFile> files, std::size_t headerBytes, int rounds) {
  std::mt19937 random(20240229);
  Outcomes out;
  const Bytes whole(files[0].bytes.begin(), files[0].bytes.end());
  for (int round = 0; round < rounds; ++round) {
    Bytes mutant = whole;
    const std::size_t changes = 1 + random() % 4;
    for (std::size_t i = 0; i < changes; ++i) {
      const std::size_t reach = random() % 4 == 0 ? mutant.size() : std::min(mutant.size(), headerBytes);
      std::byte& victim = mutant[random() % reach];
      // A digit for a digit keeps a text header readable and its claims wrong.
      const bool digit = victim >= std::byte{'0'} && victim <= std::byte{'9'};
      if (digit && random() % 2 == 0) {
        victim = static_cast<std::byte>('0' + random() % 10);
      } else {
        victim =
            random() % 2 == 0 ? victim ^ static_cast<std::byte>(1U << random() % 8) : static_cast<std::byte>(random());
      }
    }
    files[0].bytes = mutant;
    (survives(reader, files) ? out.images : out.errors) += 1;
  }
  return out;
}

}  // namespace nora::testing
