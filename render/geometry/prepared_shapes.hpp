// What drawing a surface or streamlines needs beyond the file's arrays: normals, lengths, a fair order.
#pragma once

#include "image/content.hpp"
#include "render/renderer.hpp"
#include "render/scene/label_colours.hpp"
#include "render/scene/shape_layer.hpp"

#include <array>
#include <cstdint>
#include <list>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace nora {

/// Numbers at vertices, points or lines, as long as the mesh needs them.
struct PreparedValues {
  std::size_t array = 0;
  std::int64_t component = 0;
  std::size_t count = 0;
  Window automatic;                       // percentiles
  bool symmetric = false;                 // for which the window was found
  std::vector<float> padded;              // if the file has values for some of the vertices only
  std::unique_ptr<LabelColours> colours;  // role label
};

/// Which streamlines are shown.
struct StreamlineChoice {
  std::vector<std::string> groups;
  double minLengthMm = 0;
  double maxLengthMm = 0;
  std::int64_t every = 1;

  friend bool operator==(const StreamlineChoice&, const StreamlineChoice&) = default;
};

class PreparedShape {
 public:
  explicit PreparedShape(const std::shared_ptr<const Content>& shape);

  [[nodiscard]] bool isFor(const std::shared_ptr<const Content>& shape) const { return shape_.lock() == shape; }
  [[nodiscard]] bool expired() const { return shape_.expired(); }

  /// Of a mesh: x y z of each vertex, weighted by the area of its triangles.
  [[nodiscard]] const std::vector<float>& normals() const { return normals_; }

  /// Of streamlines: the numbers of those that are chosen, shuffled, so that the first few are a fair sample.
  [[nodiscard]] const std::vector<std::uint32_t>& chosen(const StreamlineChoice& choice);
  /// Least and greatest x y z of each streamline; the least above the greatest if it has no finite point.
  [[nodiscard]] const std::vector<std::array<float, 6>>& boxes() const { return boxes_; }
  /// Which group a streamline is in, the last of several, from 1 on; 0: none.
  [[nodiscard]] const std::vector<std::int32_t>& groupOfLine();
  [[nodiscard]] const LabelColours& groupColours();

  [[nodiscard]] const PreparedValues& values(const Layer& layer, const AttachedData& data, const ArrayBlock& arrays,
                                             std::size_t count);

 private:
  void makeNormals(const Surface& surface);
  void measureLines(const Tractogram& tracts);
  void makeGroups();

  std::weak_ptr<const Content> shape_;
  std::vector<float> normals_;
  std::vector<float> lengths_;
  std::vector<std::array<float, 6>> boxes_;
  std::vector<std::uint32_t> shuffled_;
  std::optional<StreamlineChoice> choice_;
  std::vector<std::uint32_t> chosen_;
  std::vector<std::int32_t> groupOfLine_;
  std::unique_ptr<LabelColours> groupColours_;
  std::list<PreparedValues> values_;
};

/// Those that were shown last. Does not keep shapes alive.
class PreparedShapes {
 public:
  [[nodiscard]] PreparedShape& get(const std::shared_ptr<const Content>& shape);

 private:
  std::list<PreparedShape> shapes_;
};

}  // namespace nora
