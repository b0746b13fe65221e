// Streamlines in RAS millimetres with values at their points and for each streamline, and named groups.
#pragma once

#include "base/error.hpp"
#include "image/affine.hpp"
#include "image/array_block.hpp"
#include "image/surface.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <nlohmann/json_fwd.hpp>

namespace nora {

struct StreamlineGroup {
  std::string name;
  std::size_t array = 0;  // uint32, numbers of streamlines
  std::optional<std::array<std::uint8_t, 3>> rgb = {};
  std::int64_t count = 0;

  friend bool operator==(const StreamlineGroup&, const StreamlineGroup&) = default;
};

struct TractogramInfo {
  std::string format;  // "TCK", "TrackVis", "TRX", "VTK", ...
  std::int64_t streamlines = 0;
  std::int64_t points = 0;
  std::size_t positions = 0;       // array: float32, 3 components, RAS mm
  std::size_t offsets = 1;         // array: uint64, streamlines + 1: first point of each, then the number of points
  Vec3 boundsLow{}, boundsHigh{};  // RAS mm, of finite points; computed by the reader process
  double lengthMinMm = 0, lengthMeanMm = 0,
         lengthMaxMm = 0;  // of those whose points are finite; computed by the reader process
  std::string space;       // how positions were brought to RAS mm: "RAS mm", "voxel corner (TrackVis)", ...
  /// The reference image that the file names, if any.
  std::optional<Affine> worldFromVoxel;
  std::optional<std::array<std::int64_t, 3>> dims;
  std::vector<AttachedData> perPoint;
  std::vector<AttachedData> perStreamline;
  std::vector<StreamlineGroup> groups;
  std::vector<std::pair<std::string, std::string>> fields;
  std::vector<std::string> warnings;

  friend bool operator==(const TractogramInfo&, const TractogramInfo&) = default;
};

/// Checked when made: offsets ascend from 0 to the number of points, group members are streamlines.
/// Owner: its mapping. Immutable, so any number of threads may read it.
class Tractogram {
 public:
  [[nodiscard]] static Result<Tractogram> create(TractogramInfo info, ArrayBlock arrays, std::string name);

  [[nodiscard]] const TractogramInfo& info() const { return info_; }
  [[nodiscard]] const std::string& name() const { return name_; }
  [[nodiscard]] std::span<const float> positions() const;  // x y z, x y z, ...
  [[nodiscard]] std::span<const std::uint64_t> offsets() const;
  [[nodiscard]] const ArrayBlock& arrays() const { return arrays_; }
  [[nodiscard]] std::size_t memoryBytes() const { return arrays_.memoryBytes(); }

 private:
  Tractogram(TractogramInfo info, ArrayBlock arrays, std::string name)
      : info_(std::move(info)), arrays_(std::move(arrays)), name_(std::move(name)) {}

  TractogramInfo info_;
  ArrayBlock arrays_;
  std::string name_;
};

/// What `nora info --json` prints (without "file"): kind "tracts", format, streamlines, points, boundsMm, ...
[[nodiscard]] nlohmann::json toJson(const TractogramInfo& info);
/// The input comes from another process: every field is checked. Errors: invalidInput.
[[nodiscard]] Result<TractogramInfo> tractogramInfoFromJson(const nlohmann::json& json);

/// Fills bounds, lengths, ranges and group counts from the arrays, and warns of odd points and streamlines. For the
/// reader process. `pointsMeasured`: what StreamlineMeasure tells is there already.
void measure(TractogramInfo& info, std::span<const ArrayInfo> arrays, std::span<const std::byte> memory,
             bool pointsMeasured = false);

}  // namespace nora
