#include "image/io/stl_reader.hpp"

#include "image/io/byte_reader.hpp"
#include "image/io/mesh_arrays.hpp"
#include "image/io/mesh_content.hpp"
#include "image/io/mesh_text.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <cctype>
#include <cstring>
#include <limits>
#include <new>
#include <vector>

namespace nora {
namespace {

constexpr std::size_t headerBytes = 80;
constexpr std::size_t facetBytes = 50;
constexpr std::size_t firstFacet = headerBytes + 4;

using Point = std::array<float, 3>;

std::uint32_t claimedFacets(std::span<const std::byte> bytes) {
  ByteReader reader(bytes);
  reader.skip(headerBytes);
  return reader.number<std::uint32_t>();
}

/// Keywords of the format are written in any case.
bool isWord(std::string_view word, std::string_view lower) {
  return word.size() == lower.size() && std::equal(word.begin(), word.end(), lower.begin(), [](char a, char b) {
           return std::tolower(static_cast<unsigned char>(a)) == b;
         });
}

/// Without the mark that some editors put in front.
std::string_view withoutMark(std::string_view text) {
  constexpr std::string_view mark = "\xEF\xBB\xBF";
  return text.starts_with(mark) ? text.substr(mark.size()) : text;
}

bool beginsAsText(std::string_view text) {
  constexpr std::string_view first = "solid";
  text = trimmed(withoutMark(text));
  return text.size() >= first.size() && isWord(text.substr(0, first.size()), first);
}

std::uint64_t countOf(std::string_view text, std::string_view lower) {
  std::uint64_t count = 0;
  for (std::size_t at = 0; at + lower.size() <= text.size(); ++at) {
    if (std::tolower(static_cast<unsigned char>(text[at])) == lower[0] && isWord(text.substr(at, lower.size()), lower))
      ++count;
  }
  return count;
}

/// Binary if the size fits the number of facets, or if it does not begin like text.
bool isBinary(std::span<const std::byte> bytes) {
  if (bytes.size() >= firstFacet && firstFacet + std::uint64_t{claimedFacets(bytes)} * facetBytes == bytes.size()) {
    return true;
  }
  const std::string_view text = asText(bytes.first(std::min<std::size_t>(bytes.size(), 1024)));
  return !beginsAsText(text) || text.find('\0') != std::string_view::npos;
}

/// Gives each point a number; the same for the same coordinates.
class Joiner {
 public:
  explicit Joiner(std::span<float> points) : points_(points), table_(firstSlots, empty) {}

  [[nodiscard]] std::size_t count() const { return count_; }

  std::uint32_t numberOf(Point point) {
    for (float& v : point) v += 0.0F;  // -0 and 0 are one place
    if (2 * count_ >= table_.size()) grow();
    std::size_t slot = hash(point) & (table_.size() - 1);
    for (; table_[slot] != empty; slot = (slot + 1) & (table_.size() - 1)) {
      if (std::memcmp(points_.data() + table_[slot] * std::size_t{3}, point.data(), sizeof point) == 0) {
        return table_[slot];
      }
    }
    table_[slot] = static_cast<std::uint32_t>(count_);
    std::copy(point.begin(), point.end(), points_.begin() + static_cast<std::ptrdiff_t>(3 * count_));
    return static_cast<std::uint32_t>(count_++);
  }

 private:
  static constexpr std::uint32_t empty = std::numeric_limits<std::uint32_t>::max();
  static constexpr std::size_t firstSlots = 1024;

  static std::size_t hash(const Point& point) {
    const auto bits = std::bit_cast<std::array<std::uint32_t, 3>>(point);
    std::uint64_t h = 0;
    for (const std::uint32_t word : bits) {
      h = (h ^ word) * 0x9e3779b97f4a7c15U;  // Fibonacci hashing
      h ^= h >> 29;
    }
    return static_cast<std::size_t>(h);
  }

  void grow() {
    std::vector<std::uint32_t> larger(table_.size() * 2, empty);
    for (std::size_t i = 0; i < count_; ++i) {
      Point point;
      std::copy_n(points_.begin() + static_cast<std::ptrdiff_t>(3 * i), point.size(), point.begin());
      std::size_t slot = hash(point) & (larger.size() - 1);
      while (larger[slot] != empty) slot = (slot + 1) & (larger.size() - 1);
      larger[slot] = static_cast<std::uint32_t>(i);
    }
    table_ = std::move(larger);
  }

  std::span<float> points_;
  std::vector<std::uint32_t> table_;
  std::size_t count_ = 0;
};

struct StlFile {
  std::span<const std::byte> bytes;
  const std::string& name;
  const ReadOptions& options;
  MeshArrays arrays = {};
  SurfaceInfo info = {};

  [[nodiscard]] tl::unexpected<Error> wrong(std::string what) const {
    return fail(ErrorCode::invalidInput, std::move(what), name);
  }

  /// Room for no shared vertex at all; pages that stay unused cost nothing.
  Result<void> allocate(std::uint64_t facets, MemorySink& sink) {
    if (facets > std::numeric_limits<std::uint32_t>::max() / 3) return wrong("the file has too many triangles");
    info.format = "STL";
    planMesh(arrays, info, static_cast<std::int64_t>(3 * facets), static_cast<std::int64_t>(facets));
    return arrays.allocate(sink, name);
  }

  void finish(std::size_t vertices) {
    info.vertices = static_cast<std::int64_t>(vertices);
    arrays.plan.shrink(*info.points, info.vertices);
  }

  Result<void> readBinary(MemorySink& sink) {
    if (bytes.size() < firstFacet) return wrong("the file is cut short: a binary STL file has at least 84 bytes");
    const std::uint64_t facets = claimedFacets(bytes);
    if (facets > (bytes.size() - firstFacet) / facetBytes) {
      return wrong("the header claims " + std::to_string(facets) + " triangles, the file holds " +
                   std::to_string((bytes.size() - firstFacet) / facetBytes));
    }
    if (auto made = allocate(facets, sink); !made) return made;
    constexpr std::size_t normalBytes = 12, progressEach = 1U << 16;
    Joiner joiner(arrays.as<float>(*info.points));
    const auto corners = arrays.as<std::uint32_t>(*info.triangleCorners);
    ByteReader reader(bytes);
    reader.skip(firstFacet);
    for (std::size_t i = 0; i < corners.size(); ++i) {
      if (i % 3 == 0) reader.skip(normalBytes);
      Point point;
      for (float& v : point) v = reader.number<float>();
      corners[i] = joiner.numberOf(point);
      if (i % 3 == 2) reader.skip(2);  // attribute
      if (i % progressEach == 0) options.progress(static_cast<double>(i) / static_cast<double>(corners.size()));
    }
    finish(joiner.count());
    return {};
  }

  Result<void> readText(MemorySink& sink) {
    const std::string_view text = withoutMark(asText(bytes));
    constexpr std::string_view key = "vertex";
    if (auto made = allocate(countOf(text, key) / 3, sink); !made) return made;
    Joiner joiner(arrays.as<float>(*info.points));
    const auto corners = arrays.as<std::uint32_t>(*info.triangleCorners);
    TextCursor cursor(text);
    std::size_t corner = 0, ofFacet = 0;
    bool closed = false;
    cursor.restOfLine();  // solid NAME
    while (!cursor.atEnd()) {
      const std::string_view word = cursor.word();
      if (isWord(word, "solid") || isWord(word, "endsolid")) {
        cursor.restOfLine();  // its name
        closed = isWord(word, "endsolid");
        continue;
      }
      if (isWord(word, "endloop") && ofFacet != 3) {
        return wrong("a facet before line " + std::to_string(cursor.line()) + " has not three vertices");
      }
      if (isWord(word, "outer")) ofFacet = 0;
      if (!isWord(word, key)) continue;
      Point point;
      for (float& v : point) {
        const auto number = cursor.real();
        if (!number) return wrong("line " + std::to_string(cursor.line()) + " has no three coordinates");
        v = static_cast<float>(*number);
      }
      ++ofFacet;
      if (corner == corners.size()) return wrong("a facet of the file has not three vertices");
      corners[corner++] = joiner.numberOf(point);
    }
    if (!closed || corner != corners.size()) return wrong("the file is cut short: its end (endsolid) is missing");
    finish(joiner.count());
    return {};
  }
};

}  // namespace

bool StlReader::recognises(const InputFile& file) const {
  return hasMeshSuffix(file.name, ".stl") || hasMeshSuffix(file.name, ".stla") || hasMeshSuffix(file.name, ".stlb");
}

Result<FileSummary> StlReader::peek(const InputFile& file) const {
  const std::string beginning = beginningOf(file, firstFacet);
  if (beginning.empty()) return fail(ErrorCode::invalidInput, "the file is empty or damaged", file.name);
  if (beginning.size() < firstFacet && !beginsAsText(beginning)) {
    return fail(ErrorCode::invalidInput, "this is no STL file", file.name);
  }
  return FileSummary{"surface", "STL", nullptr};
}

Result<ReadSurface> StlReader::read(std::span<const InputFile> files, const ReadOptions& options,
                                    MemorySink& sink) const {
  if (files.empty()) return fail(ErrorCode::invalidInput, "no file was given");
  const InputFile& file = files.front();
  try {
    const auto content = MeshContent::of(file);
    if (!content) return tl::make_unexpected(content.error());
    StlFile stl{content->bytes(), file.name, options};
    const bool binary = isBinary(stl.bytes);
    if (auto done = binary ? stl.readBinary(sink) : stl.readText(sink); !done) return tl::make_unexpected(done.error());
    if (auto good = checkMesh(stl.arrays, stl.info, file.name); !good) return tl::make_unexpected(good.error());
    std::string_view header = content->text();
    header = header.substr(0, binary ? headerBytes : header.find_first_of("\r\n"));
    if (applySpaceComment(stl.info, header)) transformMesh(stl.arrays, stl.info, rasFromLps());
    stl.info.structure = structureOfName(file.name);
    stl.info.fields.emplace_back("encoding", binary ? "binary" : "text");
    return ReadSurface{std::move(stl.info), stl.arrays.plan.arrays()};
  } catch (const std::bad_alloc&) {
    return fail(ErrorCode::limitExceeded, "out of memory while reading the surface", file.name);
  }
}

}  // namespace nora
