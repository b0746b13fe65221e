// What MINC 1 (netCDF) and MINC 2 (HDF5) have in common: variables with named dimensions and attributes. The two
// parsers make it, minc_layout turns it into an image.
#pragma once

#include "image/io/strided_voxels.hpp"

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace nora {

struct MincVariable {
  std::vector<std::string> dimensions;  // slowest first
  std::vector<std::int64_t> shape;      // as many
  StoredVoxel stored;
  std::map<std::string, std::string, std::less<>> texts;            // attributes
  std::map<std::string, std::vector<double>, std::less<>> numbers;  // attributes
  std::vector<double> values;                                       // of image-min and image-max only
  std::vector<std::pair<std::int64_t, std::string>> enumeration;    // names of values, where the type has them

  [[nodiscard]] std::string_view text(std::string_view attribute) const;
  [[nodiscard]] const std::vector<double>& number(std::string_view attribute) const;
};

/// Where the voxels of `image` lie in the file's bytes.
struct MincVoxels {
  std::int64_t first = 0;             // byte
  std::vector<std::int64_t> strides;  // bytes, as many as dimensions
};

struct MincFile {
  int version = 1;
  std::map<std::string, MincVariable, std::less<>> variables;
  MincVoxels voxels;

  /// nullptr if there is none.
  [[nodiscard]] const MincVariable* variable(std::string_view name) const;
};

/// image-min and image-max are read up to so many values.
inline constexpr std::int64_t maxMincScales = std::int64_t{1} << 22;

inline std::string_view MincVariable::text(std::string_view attribute) const {
  const auto found = texts.find(attribute);
  return found == texts.end() ? std::string_view{} : std::string_view(found->second);
}

inline const std::vector<double>& MincVariable::number(std::string_view attribute) const {
  static const std::vector<double> none;
  const auto found = numbers.find(attribute);
  return found == numbers.end() ? none : found->second;
}

inline const MincVariable* MincFile::variable(std::string_view name) const {
  const auto found = variables.find(name);
  return found == variables.end() ? nullptr : &found->second;
}

}  // namespace nora
