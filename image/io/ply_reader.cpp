#include "image/io/ply_reader.hpp"

#include "image/io/byte_reader.hpp"
#include "image/io/mesh_arrays.hpp"
#include "image/io/mesh_content.hpp"
#include "image/io/mesh_polygons.hpp"
#include "image/io/mesh_text.hpp"
#include "image/io/ply_header.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>
#include <limits>
#include <new>
#include <optional>

namespace nora {
namespace {

/// The numbers of the body, one after the other. A copy goes on from where the original stands.
class Numbers {
 public:
  Numbers(std::span<const std::byte> body, PlyEncoding encoding)
      : ascii_(encoding == PlyEncoding::ascii),
        text_(ascii_ ? asText(body) : std::string_view{}),
        binary_(ascii_ ? std::span<const std::byte>{} : body,
                encoding == PlyEncoding::bigEndian ? std::endian::big : std::endian::little) {}

  [[nodiscard]] bool good() const { return good_ && binary_.good(); }
  [[nodiscard]] std::size_t left() const { return ascii_ ? text_.left() : binary_.left(); }

  double next(VoxelType type) {
    if (ascii_) {
      const auto number = text_.real();
      good_ = good_ && number.has_value();
      return number.value_or(0);
    }
    return visitScalar(type, [&](auto zero) { return static_cast<double>(binary_.number<decltype(zero)>()); });
  }
  /// The length of a list, held against what is left.
  std::uint64_t count(VoxelType countType, VoxelType type) {
    const double number = next(countType);
    const std::size_t each = ascii_ ? 2 : bytesPerVoxel(type);
    good_ = good_ && number >= 0 && number * static_cast<double>(each) <= static_cast<double>(left()) + 1;
    return good() ? static_cast<std::uint64_t>(number) : 0;
  }
  void skip(const PlyElement& element) {
    if (!ascii_ && !element.hasLists()) {
      binary_.skip(element.count * element.smallestBytes(PlyEncoding::littleEndian));
      return;
    }
    for (std::uint64_t i = 0; i < element.count && good(); ++i) {
      for (const PlyProperty& p : element.properties) skip(p);
    }
  }
  void skip(const PlyProperty& p) {
    const std::uint64_t numbers = p.countType ? count(*p.countType, p.type) : 1;
    for (std::uint64_t i = 0; i < numbers && good(); ++i) next(p.type);
  }

 private:
  bool ascii_;
  TextCursor text_;
  ByteReader binary_;
  bool good_ = true;
};

bool isFaceList(const PlyElement& element, const PlyProperty& p) {
  return element.name == "face" && p.countType && (p.name == "vertex_indices" || p.name == "vertex_index");
}
bool isStripList(const PlyElement& element, const PlyProperty& p) {
  return element.name == "tristrips" && p.countType && (p.name == "vertex_indices" || p.name == "vertex_index");
}

/// Where a property of the vertices goes.
struct Target {
  std::size_t array = 0;
  std::size_t component = 0, components = 1;
  bool used = false;
};

class PlyFile {
 public:
  PlyFile(const PlyHeader& header, std::span<const std::byte> content, const std::string& name,
          const ReadOptions& options)
      : header_(header), body_(content.subspan(header.size)), name_(name), options_(options) {}

  Result<ReadSurface> read(MemorySink& sink) {
    const auto vertex = std::find_if(header_.elements.begin(), header_.elements.end(),
                                     [](const PlyElement& e) { return e.name == "vertex"; });
    if (vertex == header_.elements.end()) return wrong("the file has no vertices");
    const auto triangles = countTriangles();
    if (!triangles) return cut();
    info_.format = "PLY";
    planMesh(arrays_, info_, static_cast<std::int64_t>(vertex->count), static_cast<std::int64_t>(*triangles));
    if (!planVertices(*vertex)) return wrong("the vertices of the file have no x, y and z");
    if (auto made = arrays_.allocate(sink, name_); !made) return tl::make_unexpected(made.error());
    if (!fill(*vertex)) return cut();
    if (auto good = checkMesh(arrays_, info_, name_); !good) return tl::make_unexpected(good.error());
    if (applySpaceComment(info_, header_.comments)) transformMesh(arrays_, info_, rasFromLps());
    if (info_.triangles == 0) info_.warnings.emplace_back("the file has points, but no faces");
    info_.structure = structureOfName(name_);
    info_.description = header_.comments.substr(0, header_.comments.find('\n'));
    return ReadSurface{std::move(info_), arrays_.plan.arrays()};
  }

 private:
  [[nodiscard]] tl::unexpected<Error> wrong(std::string what) const {
    return fail(ErrorCode::invalidInput, std::move(what), name_);
  }
  [[nodiscard]] tl::unexpected<Error> cut() const {
    return wrong("the file is cut short, or holds something that is no number");
  }

  /// Walks over all elements. Strips: at most two corners less than numbers.
  [[nodiscard]] std::optional<std::uint64_t> countTriangles() const {
    Numbers numbers(body_, header_.encoding);
    std::uint64_t triangles = 0;
    for (const PlyElement& element : header_.elements) {
      const bool mesh = std::any_of(element.properties.begin(), element.properties.end(), [&](const PlyProperty& p) {
        return isFaceList(element, p) || isStripList(element, p);
      });
      if (!mesh) {
        numbers.skip(element);
        continue;
      }
      for (std::uint64_t i = 0; i < element.count && numbers.good(); ++i) {
        for (const PlyProperty& p : element.properties) {
          if (!isFaceList(element, p) && !isStripList(element, p)) {
            numbers.skip(p);
            continue;
          }
          const std::uint64_t corners = numbers.count(*p.countType, p.type);
          triangles += trianglesOf(corners);
          for (std::uint64_t c = 0; c < corners && numbers.good(); ++c) numbers.next(p.type);
        }
      }
    }
    if (!numbers.good()) return std::nullopt;
    return triangles;
  }

  static std::optional<std::size_t> oneOf(std::string_view name, std::initializer_list<std::string_view> names) {
    const auto* found = std::find(names.begin(), names.end(), name);
    if (found == names.end()) return std::nullopt;
    return static_cast<std::size_t>(found - names.begin());
  }

  /// Plans data for the properties. False: no coordinates.
  bool planVertices(const PlyElement& vertex) {
    std::array<bool, 3> coordinates{}, normals{};
    std::array<bool, 4> colours{};
    for (const PlyProperty& p : vertex.properties) {
      if (p.countType) continue;
      if (const auto i = oneOf(p.name, {"x", "y", "z"})) coordinates[*i] = true;
      if (const auto i = oneOf(p.name, {"nx", "ny", "nz"})) normals[*i] = true;
      if (const auto i = colourOf(p.name)) colours[*i] = true;
    }
    if (!coordinates[0] || !coordinates[1] || !coordinates[2]) return false;
    const auto count = info_.vertices;
    std::optional<std::size_t> normal, colour;
    if (normals[0] && normals[1] && normals[2]) {
      normal = arrays_.plan.add(VoxelType::float32, count, 3);
      info_.data.push_back({"normals", DataRole::normal, *normal, "", ""});
    }
    if (colours[0] && colours[1] && colours[2]) {
      colour = arrays_.plan.add(VoxelType::uint8, count, colours[3] ? 4 : 3);
      info_.data.push_back({"colour", DataRole::colour, *colour, "", ""});
    }
    for (const PlyProperty& p : vertex.properties) {
      Target& target = targets_.emplace_back();
      if (p.countType) continue;
      target.used = true;
      const auto place = oneOf(p.name, {"x", "y", "z"}), direction = oneOf(p.name, {"nx", "ny", "nz"});
      const auto shade = colourOf(p.name);
      if (place) {
        target = {*info_.points, *place, 3, true};
      } else if (direction && normal) {
        target = {*normal, *direction, 3, true};
      } else if (shade && colour) {
        target = {*colour, *shade, colours[3] ? std::size_t{4} : std::size_t{3}, true};
      } else {
        target.array = arrays_.plan.add(p.type, count);
        info_.data.push_back({p.name, DataRole::scalar, target.array, "", ""});
      }
    }
    return true;
  }

  static std::optional<std::size_t> colourOf(std::string_view name) {
    if (const auto i = oneOf(name, {"red", "green", "blue", "alpha"})) return i;
    if (const auto i = oneOf(name, {"diffuse_red", "diffuse_green", "diffuse_blue"})) return i;
    return oneOf(name, {"r", "g", "b", "a"});
  }

  bool fill(const PlyElement& vertex) {
    Numbers numbers(body_, header_.encoding);
    FanWriter fans(arrays_.as<std::uint32_t>(*info_.triangleCorners));
    std::size_t done = 0;
    for (const PlyElement& element : header_.elements) {
      options_.progress(static_cast<double>(done++) / static_cast<double>(header_.elements.size()));
      if (&element == &vertex) {
        if (!fillVertices(element, numbers)) return false;
      } else if (element.name == "face" || element.name == "tristrips") {
        if (!fillFaces(element, numbers, fans)) return false;
      } else {
        numbers.skip(element);
      }
    }
    info_.triangles = static_cast<std::int64_t>(fans.triangles());
    arrays_.plan.shrink(*info_.triangleCorners, info_.triangles);
    return numbers.good();
  }

  bool fillVertices(const PlyElement& element, Numbers& numbers) {
    for (std::uint64_t v = 0; v < element.count && numbers.good(); ++v) {
      for (std::size_t i = 0; i < element.properties.size(); ++i) {
        const PlyProperty& p = element.properties[i];
        if (targets_[i].used) {
          store(numbers.next(p.type), p, targets_[i], v);
        } else {
          numbers.skip(p);
        }
      }
    }
    return numbers.good();
  }

  void store(double value, const PlyProperty& p, const Target& target, std::uint64_t v) {
    const VoxelType type = arrays_.plan.arrays()[target.array].type;
    std::byte* to =
        arrays_.bytesOf(target.array).data() + (v * target.components + target.component) * bytesPerVoxel(type);
    if (target.components > 1 && type == VoxelType::uint8) {  // a colour
      const double scaled = isFloat(p.type) ? value * 255 : p.type == VoxelType::uint16 ? value / 257 : value;
      *to = static_cast<std::byte>(std::isfinite(scaled) ? std::lround(std::clamp(scaled, 0.0, 255.0)) : 0);
      return;
    }
    visitScalar(type, [&](auto zero) {
      using T = decltype(zero);
      T number{};
      if constexpr (std::is_floating_point_v<T>) {
        number = static_cast<T>(value);
      } else if (std::isfinite(value)) {  // text may hold what the type cannot
        number = static_cast<T>(std::clamp(value, static_cast<double>(std::numeric_limits<T>::min()),
                                           static_cast<double>(std::numeric_limits<T>::max())));
      }
      std::memcpy(to, &number, sizeof number);
    });
  }

  bool fillFaces(const PlyElement& element, Numbers& numbers, FanWriter& fans) {
    for (std::uint64_t f = 0; f < element.count && numbers.good(); ++f) {
      for (const PlyProperty& p : element.properties) {
        const bool good = isFaceList(element, p)    ? fillFace(p, numbers, fans)
                          : isStripList(element, p) ? fillStrip(p, numbers, fans)
                                                    : (numbers.skip(p), true);
        if (!good) return false;
      }
    }
    return numbers.good();
  }

  static std::uint32_t index(double value) {
    const bool possible = value >= 0 && value < std::numeric_limits<std::uint32_t>::max();
    return possible ? static_cast<std::uint32_t>(value) : std::numeric_limits<std::uint32_t>::max();
  }

  static bool fillFace(const PlyProperty& p, Numbers& numbers, FanWriter& fans) {
    const std::uint64_t corners = numbers.count(*p.countType, p.type);
    fans.begin();
    for (std::uint64_t c = 0; c < corners && numbers.good(); ++c) {
      if (!fans.add(index(numbers.next(p.type)))) return false;
    }
    return true;
  }

  /// Every corner from the third on makes a triangle with the two before it, turned every second time; -1 starts anew.
  static bool fillStrip(const PlyProperty& p, Numbers& numbers, FanWriter& fans) {
    const std::uint64_t corners = numbers.count(*p.countType, p.type);
    std::array<std::uint32_t, 2> last{};
    std::uint64_t inStrip = 0;
    for (std::uint64_t c = 0; c < corners && numbers.good(); ++c) {
      const double number = numbers.next(p.type);
      if (number < 0) {
        inStrip = 0;
        continue;
      }
      const std::uint32_t corner = index(number);
      if (inStrip >= 2) {
        const bool turned = inStrip % 2 == 1;
        fans.begin();
        if (!fans.add(last[turned ? 1 : 0]) || !fans.add(last[turned ? 0 : 1]) || !fans.add(corner)) return false;
      }
      last = {last[1], corner};
      ++inStrip;
    }
    return true;
  }

  const PlyHeader& header_;
  std::span<const std::byte> body_;
  const std::string& name_;
  const ReadOptions& options_;
  MeshArrays arrays_;
  SurfaceInfo info_;
  std::vector<Target> targets_;
};

}  // namespace

bool PlyReader::recognises(const InputFile& file) const {
  constexpr std::size_t magicBytes = 5;
  const std::string beginning = beginningOf(file, magicBytes);
  return hasMeshSuffix(file.name, ".ply") || beginning.starts_with("ply\n") || beginning.starts_with("ply\r\n");
}

Result<FileSummary> PlyReader::peek(const InputFile& file) const {
  if (!beginningOf(file, 4).starts_with("ply")) return fail(ErrorCode::invalidInput, "this is no PLY file", file.name);
  return FileSummary{"surface", "PLY", nullptr};
}

Result<ReadSurface> PlyReader::read(std::span<const InputFile> files, const ReadOptions& options,
                                    MemorySink& sink) const {
  if (files.empty()) return fail(ErrorCode::invalidInput, "no file was given");
  const InputFile& file = files.front();
  try {
    const auto content = MeshContent::of(file);
    if (!content) return tl::make_unexpected(content.error());
    const auto header = parsePlyHeader(content->text(), file.name);
    if (!header) return tl::make_unexpected(header.error());
    return PlyFile(*header, content->bytes(), file.name, options).read(sink);
  } catch (const std::bad_alloc&) {
    return fail(ErrorCode::limitExceeded, "out of memory while reading the surface", file.name);
  }
}

}  // namespace nora
