// A triangle mesh in RAS millimetres with values at its vertices; or only the values, to be shown on a mesh of as many
// vertices.
#pragma once

#include "base/error.hpp"
#include "image/affine.hpp"
#include "image/array_block.hpp"
#include "image/label_table.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <nlohmann/json_fwd.hpp>

namespace nora {

enum class DataRole : std::uint8_t {
  scalar,  // one or more numbers a vertex (components: time points, vector); NaN: no value
  label,   // int32 keys into `labels`
  colour,  // uint8, three or four components
  normal,  // float32, three components
  vector,  // float32, three components: one arrow a vertex
};
[[nodiscard]] std::string_view toString(DataRole role);
[[nodiscard]] bool fromString(std::string_view name, DataRole& role);

/// Values at the vertices (or at the points or streamlines of a tractogram).
struct AttachedData {
  std::string name;  // "thickness", "aparc", ... ; never empty
  DataRole role = DataRole::scalar;
  std::size_t array = 0;  // index of the array in the block; count: the number of vertices
  std::string intent;     // NIFTI_INTENT name without its prefix in lower case ("t test"), or empty
  std::string structure;  // "CortexLeft": the mesh it belongs to, where a file has several (CIFTI); else empty
  std::optional<LabelTable> labels = {};  // role label
  double min = 0, max = 0;                // of the finite values; computed by the reader process
  std::uint64_t finite = 0;
  /// Of the array's components: how many are time points, how many numbers a vertex has at each; computed by the reader
  /// process. For a series by its intent, "time series".
  std::int64_t components = 1;
  std::int64_t timePoints = 1;

  friend bool operator==(const AttachedData&, const AttachedData&) = default;
};

struct SurfaceInfo {
  std::string format;            // "GIFTI", "FreeSurfer surface", ...
  std::int64_t vertices = 0;     // of the mesh; without a mesh: the count that all data share, 0 if they differ
  bool verticesAtLeast = false;  // the file has values for some vertices only and does not say how many there are
  std::int64_t triangles = 0;    // 0: no mesh
  /// Indices of the arrays; empty without a mesh.
  std::optional<std::size_t> points;           // float32, 3 components, RAS mm
  std::optional<std::size_t> triangleCorners;  // uint32, 3 components
  Vec3 boundsLow{}, boundsHigh{};              // RAS mm, of finite points; computed by the reader process
  std::string structure;                       // "CortexLeft", "CortexRight", ... (GIFTI names) or empty
  std::string space;                           // "scanner", "tkRAS", "MNI152", "Talairach", "unknown"
  std::string description;
  std::vector<AttachedData> data;
  std::vector<std::pair<std::string, std::string>> fields;  // other header fields worth showing
  std::vector<std::string> warnings;

  friend bool operator==(const SurfaceInfo&, const SurfaceInfo&) = default;
};

/// Checked when made: triangle corners are vertices, every data array has the role's type.
/// Owner: its mapping. Immutable, so any number of threads may read it.
class Surface {
 public:
  [[nodiscard]] static Result<Surface> create(SurfaceInfo info, ArrayBlock arrays, std::string name);

  [[nodiscard]] const SurfaceInfo& info() const { return info_; }
  [[nodiscard]] const std::string& name() const { return name_; }
  [[nodiscard]] bool hasMesh() const { return info_.points.has_value(); }
  [[nodiscard]] std::span<const float> points() const;             // x y z, x y z, ...
  [[nodiscard]] std::span<const std::uint32_t> triangles() const;  // three corners each
  [[nodiscard]] const ArrayBlock& arrays() const { return arrays_; }
  [[nodiscard]] std::size_t memoryBytes() const { return arrays_.memoryBytes(); }

 private:
  Surface(SurfaceInfo info, ArrayBlock arrays, std::string name)
      : info_(std::move(info)), arrays_(std::move(arrays)), name_(std::move(name)) {}

  SurfaceInfo info_;
  ArrayBlock arrays_;
  std::string name_;
};

/// What `nora info --json` prints (without "file"): kind "surface", format, vertices, triangles, boundsMm, data, ...
[[nodiscard]] nlohmann::json toJson(const SurfaceInfo& info);
/// The input comes from another process: every field is checked. Errors: invalidInput.
[[nodiscard]] Result<SurfaceInfo> surfaceInfoFromJson(const nlohmann::json& json);

[[nodiscard]] nlohmann::json toJson(const AttachedData& data);
[[nodiscard]] Result<AttachedData> attachedDataFromJson(const nlohmann::json& json);

/// Fills bounds, min, max and finite from the arrays, whose sizes are known to fit. For the reader process.
void measure(SurfaceInfo& info, std::span<const ArrayInfo> arrays, std::span<const std::byte> memory);
void measure(AttachedData& data, std::span<const ArrayInfo> arrays, std::span<const std::byte> memory);
[[nodiscard]] bool allFinite(std::span<const float> values);
/// Bounds of the points (x y z, ...) that are finite; unchanged if there is none.
void measureBounds(std::span<const float> points, Vec3& low, Vec3& high);

}  // namespace nora
