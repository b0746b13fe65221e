// The members of a TRX archive by what they are, and their numbers in the types that nora keeps.
#pragma once

#include "image/io/zip_directory.hpp"
#include "image/voxel_type.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace nora {

enum class TrxType : std::uint8_t {
  int8,
  uint8,
  int16,
  uint16,
  int32,
  uint32,
  int64,
  uint64,
  float16,
  float32,
  float64
};

[[nodiscard]] std::size_t bytesOf(TrxType type);
/// What the numbers become in memory: float16 becomes float32, all others stay.
[[nodiscard]] VoxelType keptAs(TrxType type);

/// "dpv/colour.3.uint8": folder "dpv", name "colour", three components.
struct TrxMember {
  const ZipMember* zip = nullptr;
  std::string folder;  // "", "dpv", "dps", "groups", "dpg/GROUP"
  std::string name;
  std::size_t components = 1;
  TrxType type = TrxType::float32;

  [[nodiscard]] std::size_t numbers() const { return zip->size / bytesOf(type); }
};

/// Empty if the name is none of an array (header.json, foreign files, unknown types).
[[nodiscard]] std::optional<TrxMember> trxMember(const ZipMember& zip);

/// Numbers of a member: those of a stored one lie in the archive, those of a deflated one in memory of its own.
class TrxNumbers {
 public:
  /// Errors: invalidInput (damaged), limitExceeded.
  [[nodiscard]] static Result<TrxNumbers> of(const TrxMember& member, const std::string& file);

  /// Each as T; `out` has as many as the member, or some from `first` on. For whole numbers: values below zero become
  /// the largest T.
  void copyTo(std::span<float> out, std::size_t first = 0) const;
  void copyTo(std::span<std::uint64_t> out) const;
  void copyTo(std::span<std::uint32_t> out) const;
  /// As they are, float16 as float32.
  void copyBytesTo(std::span<std::byte> out) const;
  /// Some of the numbers as they are stored.
  [[nodiscard]] std::span<const std::byte> bytes(std::size_t first, std::size_t count) const;
  [[nodiscard]] double at(std::size_t i) const;

 private:
  TrxType type_ = TrxType::float32;
  std::vector<std::byte> memory_;
  std::span<const std::byte> bytes_;
};

}  // namespace nora
