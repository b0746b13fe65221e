#include "image/io/off_reader.hpp"

#include "image/io/byte_reader.hpp"
#include "image/io/mesh_arrays.hpp"
#include "image/io/mesh_content.hpp"
#include "image/io/mesh_polygons.hpp"
#include "image/io/mesh_text.hpp"

#include <algorithm>
#include <cmath>
#include <new>
#include <optional>

namespace nora {
namespace {

struct Header {
  bool colours = false, normals = false;
  std::uint32_t vertices = 0, faces = 0;
};

bool isKeyword(std::string_view word) {
  return word.size() <= 8 && word.ends_with("OFF") &&
         word.substr(0, word.size() - 3).find_first_not_of("STCN4n") == std::string_view::npos;
}

/// One file: the parts in order.
class OffFile {
 public:
  OffFile(std::string_view text, const std::string& name) : text_(text), name_(name) {}

  Result<ReadSurface> read(MemorySink& sink) {
    TextCursor cursor(text_);
    if (auto good = readHeader(cursor); !good) return tl::make_unexpected(good.error());
    const auto triangles = countTriangles(cursor);
    if (!triangles) return tl::make_unexpected(triangles.error());
    info_.format = "OFF";
    planMesh(arrays_, info_, header_.vertices, static_cast<std::int64_t>(*triangles));
    planData();
    if (auto made = arrays_.allocate(sink, name_); !made) return tl::make_unexpected(made.error());
    for (std::uint32_t v = 0; v < header_.vertices; ++v) {
      if (!readVertex(cursor, v)) return wrongLine(cursor);
    }
    if (auto good = readFaces(cursor); !good) return tl::make_unexpected(good.error());
    if (auto good = checkMesh(arrays_, info_, name_); !good) return tl::make_unexpected(good.error());
    applySpaceComment(info_, {});
    if (!text_.ends_with('\n')) info_.warnings.emplace_back("the last line has no end: the file may be cut short");
    info_.structure = structureOfName(name_);
    return ReadSurface{std::move(info_), arrays_.plan.arrays()};
  }

 private:
  [[nodiscard]] tl::unexpected<Error> wrong(std::string what) const {
    return fail(ErrorCode::invalidInput, std::move(what), name_);
  }
  [[nodiscard]] tl::unexpected<Error> wrongLine(const TextCursor& cursor) const {
    return wrong("line " + std::to_string(cursor.line()) + " has not the numbers it should, or the file is cut short");
  }

  /// The keyword may be missing; the counts may follow it on its line.
  Result<void> readHeader(TextCursor& cursor) {
    cursor.skipComments();
    TextCursor ahead = cursor;
    if (const auto word = ahead.word(); isKeyword(word)) {
      if (word.find_first_of("4n") != std::string_view::npos) {
        return fail(ErrorCode::unsupported, "the points of the file have more than three dimensions", name_);
      }
      header_.colours = word.find('C') != std::string_view::npos;
      header_.normals = word.find('N') != std::string_view::npos;
      cursor = ahead;
    }
    cursor.skipComments();
    if (TextCursor binary = cursor; binary.word() == "BINARY") {
      return fail(ErrorCode::unsupported, "this is a binary OFF file; save it as text", name_);
    }
    const auto vertices = cursor.number<std::uint32_t>();
    const auto faces = cursor.number<std::uint32_t>();
    if (!vertices || !faces || !cursor.number<std::int64_t>())
      return wrong("the file has no counts of vertices and faces");
    header_.vertices = *vertices;
    header_.faces = *faces;
    constexpr std::uint64_t shortestVertex = 6, shortestFace = 2;  // "0 0 0\n", "0\n"
    if (*vertices * shortestVertex + *faces * shortestFace > cursor.left() + 1) {
      return wrong("the header claims " + std::to_string(*vertices) + " vertices and " + std::to_string(*faces) +
                   " faces, more than the file holds");
    }
    return {};
  }

  void planData() {
    if (header_.normals) {
      normals_ = arrays_.plan.add(VoxelType::float32, header_.vertices, 3);
      info_.data.push_back({"normals", DataRole::normal, *normals_, "", ""});
    }
    if (header_.colours) {
      colours_ = arrays_.plan.add(VoxelType::uint8, header_.vertices, 4);
      info_.data.push_back({"colour", DataRole::colour, *colours_, "", ""});
    }
  }

  static bool numbers(TextCursor& cursor, std::span<float> out) {
    return std::all_of(out.begin(), out.end(), [&](float& v) {
      const auto number = cursor.real();
      if (number) v = static_cast<float>(*number);
      return number.has_value();
    });
  }

  bool readVertex(TextCursor& cursor, std::uint32_t v) {
    cursor.skipComments();
    const std::size_t at = std::size_t{3} * v;
    if (!numbers(cursor, arrays_.as<float>(*info_.points).subspan(at, 3))) return false;
    if (normals_ && !numbers(cursor, arrays_.as<float>(*normals_).subspan(at, 3))) return false;
    if (!colours_) {
      cursor.restOfLine();  // texture coordinates, or a colour that the keyword does not announce
      return true;
    }
    return readColour(cursor, arrays_.as<std::uint8_t>(*colours_).subspan(std::size_t{4} * v, 4));
  }

  /// Three or four numbers up to the end of the line: 0 to 255, or 0 to 1 if one is written with a point.
  static bool readColour(TextCursor& cursor, std::span<std::uint8_t> out) {
    const auto parts = words(cursor.restOfLine(), " \t\r", 5);
    if (parts.size() < 3) return false;
    const bool real = std::any_of(parts.begin(), parts.end(), [](auto p) { return p.find('.') != p.npos; });
    out[3] = 255;
    for (std::size_t i = 0; i < std::min<std::size_t>(parts.size(), 4); ++i) {
      const auto number = numberFrom<double>(parts[i]);
      if (!number || !std::isfinite(*number)) return false;
      out[i] = static_cast<std::uint8_t>(std::lround(std::clamp(real ? *number * 255 : *number, 0.0, 255.0)));
    }
    return true;
  }

  /// Walks over vertices and faces without keeping them.
  Result<std::uint64_t> countTriangles(TextCursor cursor) const {
    for (std::uint32_t v = 0; v < header_.vertices; ++v) {
      cursor.skipComments();
      cursor.restOfLine();
    }
    std::uint64_t triangles = 0;
    for (std::uint32_t f = 0; f < header_.faces; ++f) {
      cursor.skipComments();
      const auto corners = cursor.number<std::uint32_t>();
      if (!corners || *corners > cursor.left()) return wrongLine(cursor);
      triangles += trianglesOf(*corners);
      cursor.restOfLine();
    }
    return triangles;
  }

  Result<void> readFaces(TextCursor& cursor) {
    FanWriter fans(arrays_.as<std::uint32_t>(*info_.triangleCorners));
    for (std::uint32_t f = 0; f < header_.faces; ++f) {
      cursor.skipComments();
      const auto corners = cursor.number<std::uint32_t>();
      if (!corners) return wrongLine(cursor);
      fans.begin();
      for (std::uint32_t c = 0; c < *corners; ++c) {
        const auto vertex = cursor.number<std::int32_t>();
        if (!vertex || !fans.add(static_cast<std::uint32_t>(*vertex))) return wrongLine(cursor);
      }
      cursor.restOfLine();  // a colour, perhaps
    }
    if (fans.triangles() == static_cast<std::size_t>(info_.triangles)) return {};
    return wrongLine(cursor);
  }

  std::string_view text_;
  const std::string& name_;
  Header header_;
  MeshArrays arrays_;
  SurfaceInfo info_;
  std::optional<std::size_t> normals_, colours_;
};

}  // namespace

bool OffReader::recognises(const InputFile& file) const {
  if (hasMeshSuffix(file.name, ".off")) return true;
  const std::string beginning = beginningOf(file, 8);
  return beginning.starts_with("OFF\n") || beginning.starts_with("COFF\n") || beginning.starts_with("OFF\r");
}

Result<FileSummary> OffReader::peek(const InputFile& file) const {
  if (file.bytes.empty()) return fail(ErrorCode::invalidInput, "the file is empty", file.name);
  return FileSummary{"surface", "OFF", nullptr};
}

Result<ReadSurface> OffReader::read(std::span<const InputFile> files, const ReadOptions& /*options*/,
                                    MemorySink& sink) const {
  if (files.empty()) return fail(ErrorCode::invalidInput, "no file was given");
  const InputFile& file = files.front();
  try {
    const auto content = MeshContent::of(file);
    if (!content) return tl::make_unexpected(content.error());
    return OffFile(content->text(), file.name).read(sink);
  } catch (const std::bad_alloc&) {
    return fail(ErrorCode::limitExceeded, "out of memory while reading the surface", file.name);
  }
}

}  // namespace nora
