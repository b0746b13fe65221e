// Named arrays in one block of shared memory: how vertices, triangles, streamlines and their values come from a reader
// process, without a copy.
#pragma once

#include "base/error.hpp"
#include "base/mapped_bytes.hpp"
#include "image/voxel_type.hpp"

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include <nlohmann/json_fwd.hpp>

namespace nora {

/// `count` tuples of `components` numbers, tuple after tuple, native byte order.
struct ArrayInfo {
  static constexpr std::size_t alignment = 16;

  VoxelType type = VoxelType::float32;  // a scalar type
  std::int64_t count = 0;
  std::int64_t components = 1;
  std::size_t offset = 0;  // bytes; a multiple of `alignment`

  friend bool operator==(const ArrayInfo&, const ArrayInfo&) = default;
};

/// Bytes of the array, or an Error if that overflows or a number is negative.
[[nodiscard]] Result<std::size_t> arrayBytes(const ArrayInfo& array);

/// Places arrays one after the other. For readers: plan all, allocate once, then fill.
class ArrayPlan {
 public:
  /// The index of the new array.
  std::size_t add(VoxelType type, std::int64_t count, std::int64_t components = 1);
  /// After filling: fewer tuples than planned.
  void shrink(std::size_t array, std::int64_t count) { arrays_[array].count = count; }

  /// Errors: limitExceeded (overflow).
  [[nodiscard]] Result<std::size_t> totalBytes() const;
  [[nodiscard]] const std::vector<ArrayInfo>& arrays() const { return arrays_; }

  template <class T>
  [[nodiscard]] std::span<T> as(std::span<std::byte> memory, std::size_t array) const {
    const ArrayInfo& info = arrays_[array];
    return {reinterpret_cast<T*>(memory.data() + info.offset),
            static_cast<std::size_t>(info.count) * static_cast<std::size_t>(info.components)};
  }

 private:
  std::vector<ArrayInfo> arrays_;
  bool overflow_ = false;
  std::size_t end_ = 0;
};

/// Owner: its mapping. Immutable, so any number of threads may read it.
class ArrayBlock {
 public:
  ArrayBlock() = default;
  /// Checks that every array lies within the bytes. Errors: invalidInput.
  [[nodiscard]] static Result<ArrayBlock> create(std::vector<ArrayInfo> arrays, MappedBytes bytes,
                                                 const std::string& name);
  /// For tests: copies `bytes` into shared memory of its own.
  [[nodiscard]] static Result<ArrayBlock> copyOf(std::vector<ArrayInfo> arrays, std::span<const std::byte> bytes,
                                                 const std::string& name);

  [[nodiscard]] const std::vector<ArrayInfo>& arrays() const { return arrays_; }
  [[nodiscard]] std::size_t memoryBytes() const { return bytes_.size(); }

  /// The numbers of an array; empty if it is not of type T or there is no such array.
  template <class T>
  [[nodiscard]] std::span<const T> as(std::size_t array) const {
    if (array >= arrays_.size() || arrays_[array].type != voxelTypeOf<T>()) return {};
    const ArrayInfo& info = arrays_[array];
    return {reinterpret_cast<const T*>(bytes_.bytes().data() + info.offset),
            static_cast<std::size_t>(info.count * info.components)};
  }
  [[nodiscard]] std::span<const std::byte> bytesOf(std::size_t array) const {
    return bytes_.bytes().subspan(arrays_[array].offset);
  }
  /// A number of any array as double; NaN outside.
  [[nodiscard]] double value(std::size_t array, std::int64_t tuple, std::int64_t component = 0) const;

 private:
  std::vector<ArrayInfo> arrays_;
  MappedBytes bytes_;
};

[[nodiscard]] nlohmann::json toJson(const ArrayInfo& array);
/// The input comes from another process. Errors: invalidInput.
[[nodiscard]] Result<ArrayInfo> arrayInfoFromJson(const nlohmann::json& json);

}  // namespace nora
