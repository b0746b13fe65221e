// Values for the vertices of a FreeSurfer surface: curv files, paint files, labels.
#include "image/io/byte_reader.hpp"
#include "image/io/freesurfer_format.hpp"
#include "image/io/mesh_arrays.hpp"
#include "image/io/mesh_text.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>
#include <vector>

namespace nora {
namespace {

/// A value array of its own, with the file's name.
Result<std::span<float>> allocateValues(ReadSurface& surface, std::int64_t count, std::int64_t components,
                                        const std::string& name, MemorySink& sink) {
  MeshArrays arrays;
  AttachedData data;
  data.name = dataNameOf(name);
  data.array = arrays.plan.add(VoxelType::float32, count, components);
  if (auto made = arrays.allocate(sink, name); !made) return tl::make_unexpected(made.error());
  surface.info.vertices = count;
  surface.info.data.push_back(std::move(data));
  surface.arrays = arrays.plan.arrays();
  return arrays.as<float>(0);
}

tl::unexpected<Error> claims(std::uint64_t values, const std::string& name) {
  return fail(ErrorCode::invalidInput,
              "the header claims " + std::to_string(values) + " values, which is not what the file holds", name);
}

Result<ReadSurface> readCurv(const FreeSurferInput& input, MemorySink& sink) {
  ByteReader reader(input.bytes, std::endian::big);
  reader.skip(3);
  const auto vertices = reader.number<std::uint32_t>();
  const auto faces = reader.number<std::uint32_t>();
  const auto each = reader.number<std::uint32_t>();
  const std::uint64_t values = std::uint64_t{vertices} * each;
  if (!reader.good() || values == 0 || values > reader.left() / sizeof(float)) return claims(values, input.name);
  ReadSurface surface;
  auto out = allocateValues(surface, vertices, each, input.name, sink);
  if (!out) return tl::make_unexpected(out.error());
  for (float& v : *out) v = reader.number<float>();
  surface.info.fields.emplace_back("faces of its surface", std::to_string(faces));
  return surface;
}

Result<ReadSurface> readOldCurv(const FreeSurferInput& input, MemorySink& sink) {
  constexpr std::size_t header = 6, unit = 2;
  constexpr float hundredth = 100;
  if (input.bytes.size() <= header) return claims(0, input.name);
  ByteReader reader(input.bytes, std::endian::big);
  reader.skip(header);
  ReadSurface surface;
  auto out = allocateValues(surface, static_cast<std::int64_t>(reader.left() / unit), 1, input.name, sink);
  if (!out) return tl::make_unexpected(out.error());
  for (float& v : *out) v = static_cast<float>(reader.number<std::int16_t>()) / hundredth;
  return surface;
}

struct Entry {
  std::uint32_t vertex = 0;
  float value = 0;
};

/// NaN but for the entries. The file does not say how many vertices there are: up to the last that it names.
Result<ReadSurface> spread(const std::vector<Entry>& entries, const std::string& name, MemorySink& sink) {
  constexpr std::uint32_t mostVertices = 1U << 22;  // 4 million; FreeSurfer's largest have one
  std::uint32_t vertices = 0;
  for (const Entry& entry : entries) {
    if (entry.vertex >= mostVertices) {
      return fail(ErrorCode::invalidInput,
                  "the file names vertex " + std::to_string(entry.vertex) + ", more than a surface can have", name);
    }
    vertices = std::max(vertices, entry.vertex + 1);
  }
  ReadSurface surface;
  auto out = allocateValues(surface, vertices, 1, name, sink);
  if (!out) return tl::make_unexpected(out.error());
  std::fill(out->begin(), out->end(), std::numeric_limits<float>::quiet_NaN());
  for (const Entry& entry : entries) (*out)[entry.vertex] = entry.value;
  surface.info.verticesAtLeast = true;
  surface.info.fields.emplace_back("vertices with a value", std::to_string(entries.size()));
  surface.info.warnings.emplace_back(
      "the file does not say how many vertices its surface has; the number is taken from the last that it names");
  return surface;
}

Result<ReadSurface> readPaint(const FreeSurferInput& input, MemorySink& sink) {
  ByteReader reader(input.bytes, std::endian::big);
  reader.skip(2);  // latency
  const auto three = [&] {
    const std::uint32_t high = reader.number<std::uint8_t>();
    return high << 16 | reader.number<std::uint16_t>();
  };
  const std::uint32_t count = three();
  constexpr std::size_t entryBytes = 7;
  if (!reader.good() || count == 0 || count > reader.left() / entryBytes) return claims(count, input.name);
  std::vector<Entry> entries(count);
  for (Entry& entry : entries) {
    entry.vertex = three();
    entry.value = reader.number<float>();
  }
  return spread(entries, input.name, sink);
}

Result<ReadSurface> readLabel(const FreeSurferInput& input, MemorySink& sink) {
  TextCursor cursor(asText(input.bytes));
  std::string description;
  while (cursor.left() > 0 && input.bytes[cursor.position()] == std::byte{'#'}) {
    description += trimmed(cursor.restOfLine());
  }
  const auto count = cursor.number<std::uint32_t>();
  constexpr std::size_t shortestLine = 10;  // "0 0 0 0 0\n"
  if (!count || *count == 0 || *count > (cursor.left() + 1) / shortestLine)
    return claims(count.value_or(0), input.name);
  std::vector<Entry> entries;
  entries.reserve(*count);
  std::size_t unassigned = 0;
  for (std::uint32_t i = 0; i < *count; ++i) {
    const auto vertex = cursor.number<std::int64_t>();
    const bool point = cursor.real() && cursor.real() && cursor.real();
    const auto value = cursor.real();
    if (!vertex || !point || !value || *vertex > std::numeric_limits<std::uint32_t>::max()) {
      return fail(ErrorCode::invalidInput,
                  "line " + std::to_string(cursor.line()) + " of the label has not the five numbers it should",
                  input.name);
    }
    if (*vertex < 0) {
      ++unassigned;
    } else {
      entries.push_back({static_cast<std::uint32_t>(*vertex), static_cast<float>(*value)});
    }
  }
  if (entries.empty()) {
    return fail(ErrorCode::unsupported, "the label names points of a volume only, no vertices of a surface",
                input.name);
  }
  auto surface = spread(entries, input.name, sink);
  if (!surface) return surface;
  surface->info.description = std::move(description);
  auto& name = surface->info.data.front().name;
  if (name.ends_with(".label")) name.resize(name.size() - 6);
  if (unassigned > 0) {
    surface->info.warnings.push_back(std::to_string(unassigned) + " points of the label belong to no vertex");
  }
  return surface;
}

/// Lines of five numbers: vertex, x, y, z, value; the vertices in order.
Result<ReadSurface> readAsciiValues(const FreeSurferInput& input, MemorySink& sink) {
  TextCursor counter(asText(input.bytes));
  std::int64_t lines = 0;
  while (!counter.atEnd()) {
    counter.restOfLine();
    ++lines;
  }
  ReadSurface surface;
  auto out = allocateValues(surface, lines, 1, input.name, sink);
  if (!out) return tl::make_unexpected(out.error());
  TextCursor cursor(asText(input.bytes));
  for (std::size_t i = 0; i < out->size(); ++i) {
    const auto vertex = cursor.number<std::uint64_t>();
    const bool point = cursor.real() && cursor.real() && cursor.real();
    const auto value = cursor.real();
    if (!vertex || *vertex != i || !point || !value) {
      return fail(ErrorCode::invalidInput,
                  "line " + std::to_string(i + 1) + " has not the number of its vertex, x, y, z and a value",
                  input.name);
    }
    (*out)[i] = static_cast<float>(*value);
  }
  return surface;
}

}  // namespace

Result<ReadSurface> readFreeSurferValues(FreeSurferFormat format, const FreeSurferInput& input, MemorySink& sink) {
  switch (format) {
    case FreeSurferFormat::oldCurv: return readOldCurv(input, sink);
    case FreeSurferFormat::paint: return readPaint(input, sink);
    case FreeSurferFormat::label: return readLabel(input, sink);
    case FreeSurferFormat::asciiValues: return readAsciiValues(input, sink);
    default: return readCurv(input, sink);
  }
}

}  // namespace nora
