#include "image/io/obj_reader.hpp"

#include "image/io/byte_reader.hpp"
#include "image/io/mesh_arrays.hpp"
#include "image/io/mesh_content.hpp"
#include "image/io/mesh_polygons.hpp"
#include "image/io/mesh_text.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <limits>
#include <new>
#include <optional>

namespace nora {
namespace {

/// Lines of the file; one that ends with a backslash goes on in the next.
class Lines {
 public:
  explicit Lines(std::string_view text) : cursor_(text) {}

  [[nodiscard]] std::size_t number() const { return number_; }
  [[nodiscard]] std::size_t position() const { return cursor_.position(); }

  std::optional<std::string_view> next() {
    if (cursor_.left() == 0) return std::nullopt;
    number_ = cursor_.line();
    std::string_view line = cursor_.restOfLine();
    if (!line.ends_with('\\')) return line;
    joined_.clear();
    for (; line.ends_with('\\'); line = cursor_.restOfLine()) {
      joined_.append(line.substr(0, line.size() - 1)).push_back(' ');
    }
    joined_.append(line);
    return joined_;
  }

 private:
  TextCursor cursor_;
  std::size_t number_ = 0;
  std::string joined_;
};

/// "f": a vertex, and perhaps a normal, of one corner "v", "v/vt", "v//vn" or "v/vt/vn"; 0 where there is none.
struct Corner {
  std::int64_t vertex = 0, normal = 0;
};

std::optional<Corner> cornerOf(std::string_view word) {
  Corner corner;
  std::int64_t* const places[] = {&corner.vertex, nullptr, &corner.normal};
  for (std::size_t i = 0; i < 3 && !word.empty(); ++i) {
    const auto end = std::min(word.find('/'), word.size());
    const std::string_view number = word.substr(0, end);
    if (!number.empty() && places[i] != nullptr) {
      const auto value = numberFrom<std::int64_t>(number);
      if (!value) return std::nullopt;
      *places[i] = *value;
    }
    word.remove_prefix(std::min(end + 1, word.size()));
  }
  if (corner.vertex == 0) return std::nullopt;
  return corner;
}

/// From 0; a negative index counts back from the last that came so far. Out of range: what no vertex has.
std::uint32_t resolved(std::int64_t index, std::uint64_t soFar) {
  const std::int64_t from0 = index > 0 ? index - 1 : static_cast<std::int64_t>(soFar) + index;
  const bool possible = from0 >= 0 && from0 < std::numeric_limits<std::int32_t>::max();
  return possible ? static_cast<std::uint32_t>(from0) : std::numeric_limits<std::uint32_t>::max();
}

class ObjFile {
 public:
  ObjFile(std::string_view text, const std::string& name, const ReadOptions& options)
      : text_(text), name_(name), options_(options) {}

  Result<ReadSurface> read(MemorySink& sink) {
    count();
    if (vertices_ == 0) return fail(ErrorCode::invalidInput, "the file has no vertices", name_);
    if (vertices_ > std::numeric_limits<std::int32_t>::max()) {
      return fail(ErrorCode::limitExceeded, "the file has too many vertices", name_);
    }
    info_.format = "OBJ";
    planMesh(arrays_, info_, static_cast<std::int64_t>(vertices_), static_cast<std::int64_t>(triangles_));
    if (colours_ == vertices_) colour_ = arrays_.plan.add(VoxelType::uint8, info_.vertices, 3);
    if (normals_ == vertices_) normal_ = arrays_.plan.add(VoxelType::float32, info_.vertices, 3);
    if (auto made = arrays_.allocate(sink, name_); !made) return tl::make_unexpected(made.error());
    if (auto filled = fill(); !filled) return tl::make_unexpected(filled.error());
    if (auto good = checkMesh(arrays_, info_, name_); !good) return tl::make_unexpected(good.error());
    describe();
    return ReadSurface{std::move(info_), arrays_.plan.arrays()};
  }

 private:
  void count() {
    Lines lines(text_);
    while (const auto line = lines.next()) {
      if (line->starts_with("v ") || line->starts_with("v\t")) {
        ++vertices_;
        countColour(words(*line, " \t", 8));
      } else if (line->starts_with("vn")) {
        ++normals_;
      } else if (line->starts_with("f ") || line->starts_with("f\t")) {
        triangles_ += trianglesOf(words(*line, " \t", line->size()).size() - 1);
      } else if (line->starts_with("o ") || line->starts_with("g ")) {
        ++objects_;
      } else if (line->starts_with('#') && comments_.size() < mostComments) {
        comments_.append(*line).push_back('\n');
      }
    }
  }

  /// v x y z r g b
  void countColour(const std::vector<std::string_view>& row) {
    constexpr std::size_t firstColour = 4, withColour = 7;
    if (row.size() < withColour) return;
    ++colours_;
    for (std::size_t i = firstColour; i < withColour; ++i) {
      brightest_ = std::max(brightest_, numberFrom<double>(row[i]).value_or(0));
    }
  }

  [[nodiscard]] tl::unexpected<Error> wrong(const Lines& lines) const {
    return fail(ErrorCode::invalidInput,
                "line " + std::to_string(lines.number()) + " has not the numbers it should, or the file is cut short",
                name_);
  }

  Result<void> fill() {
    FanWriter fans(arrays_.as<std::uint32_t>(*info_.triangleCorners));
    Lines lines(text_);
    std::uint64_t vertex = 0, normal = 0, number = 0;
    constexpr std::uint64_t progressEach = 1U << 15;
    while (const auto line = lines.next()) {
      if (number++ % progressEach == 0) {
        options_.progress(static_cast<double>(lines.position()) / static_cast<double>(text_.size()));
      }
      bool good = true;
      if (line->starts_with("v ") || line->starts_with("v\t")) {
        good = readVertex(*line, vertex++);
      } else if (line->starts_with("vn")) {
        good = readNormal(*line, normal++);
      } else if (line->starts_with("f ") || line->starts_with("f\t")) {
        good = readFace(*line, vertex, normal, fans);
      }
      if (!good) return wrong(lines);
    }
    if (fans.triangles() != triangles_) return wrong(lines);
    return {};
  }

  bool readVertex(std::string_view line, std::uint64_t vertex) {
    TextCursor cursor(line.substr(1));
    const auto point = arrays_.as<float>(*info_.points).subspan(3 * vertex, 3);
    for (float& v : point) {
      const auto number = cursor.real();
      if (!number) return false;
      v = static_cast<float>(*number);
    }
    if (!colour_) return true;
    for (std::uint8_t& part : arrays_.as<std::uint8_t>(*colour_).subspan(3 * vertex, 3)) {
      const auto number = cursor.real();
      if (!number || !std::isfinite(*number)) return false;
      // Written as 0 to 1; some write 0 to 255.
      const double scaled = brightest_ > 1 ? *number : *number * 255;
      part = static_cast<std::uint8_t>(std::lround(std::clamp(scaled, 0.0, 255.0)));
    }
    return true;
  }

  bool readNormal(std::string_view line, std::uint64_t normal) {
    if (!normal_) return true;
    TextCursor cursor(line.substr(2));
    for (float& v : arrays_.as<float>(*normal_).subspan(3 * normal, 3)) {
      const auto number = cursor.real();
      if (!number) return false;
      v = static_cast<float>(*number);
    }
    return true;
  }

  bool readFace(std::string_view line, std::uint64_t vertex, std::uint64_t normal, FanWriter& fans) {
    TextCursor cursor(line.substr(1));
    fans.begin();
    std::size_t corners = 0;
    for (auto word = cursor.word(); !word.empty(); word = cursor.word(), ++corners) {
      const auto corner = cornerOf(word);
      if (!corner) return false;
      const std::uint32_t index = resolved(corner->vertex, vertex);
      if (!fans.add(index)) return false;
      if (corner->normal != 0 && resolved(corner->normal, normal) != index) oneToOne_ = false;
    }
    return corners > 0;
  }

  void describe() {
    if (normal_ && oneToOne_) info_.data.push_back({"normals", DataRole::normal, *normal_, "", ""});
    if (colour_) info_.data.push_back({"colour", DataRole::colour, *colour_, "", ""});
    if (applySpaceComment(info_, comments_)) transformMesh(arrays_, info_, rasFromLps());
    if (objects_ > 1) info_.fields.emplace_back("objects and groups", std::to_string(objects_));
    if (info_.triangles == 0) info_.warnings.emplace_back("the file has points, but no faces");
    if (!text_.ends_with('\n')) info_.warnings.emplace_back("the last line has no end: the file may be cut short");
    info_.structure = structureOfName(name_);
  }

  static constexpr std::size_t mostComments = 4096;  // bytes

  std::string_view text_;
  const std::string& name_;
  const ReadOptions& options_;
  std::uint64_t vertices_ = 0, normals_ = 0, colours_ = 0, triangles_ = 0, objects_ = 0;
  std::string comments_;
  MeshArrays arrays_;
  SurfaceInfo info_;
  std::optional<std::size_t> colour_, normal_;
  double brightest_ = 0;
  bool oneToOne_ = true;
};

}  // namespace

bool ObjReader::recognises(const InputFile& file) const {
  return hasMeshSuffix(file.name, ".obj");
}

Result<FileSummary> ObjReader::peek(const InputFile& file) const {
  const std::string beginning = beginningOf(file, 64);
  if (beginning.empty()) return fail(ErrorCode::invalidInput, "the file is empty or damaged", file.name);
  if (beginning.find('\0') != std::string::npos) {
    return fail(ErrorCode::invalidInput, "this is no OBJ mesh: it is not text", file.name);
  }
  return FileSummary{"surface", "OBJ", nullptr};
}

Result<ReadSurface> ObjReader::read(std::span<const InputFile> files, const ReadOptions& options,
                                    MemorySink& sink) const {
  if (files.empty()) return fail(ErrorCode::invalidInput, "no file was given");
  const InputFile& file = files.front();
  try {
    const auto content = MeshContent::of(file);
    if (!content) return tl::make_unexpected(content.error());
    return ObjFile(content->text(), file.name, options).read(sink);
  } catch (const std::bad_alloc&) {
    return fail(ErrorCode::limitExceeded, "out of memory while reading the surface", file.name);
  }
}

}  // namespace nora
