// FreeSurfer's .annot: a colour for every vertex, and a table that names the colours.
#include "image/io/byte_reader.hpp"
#include "image/io/freesurfer_format.hpp"
#include "image/io/mesh_arrays.hpp"

#include <algorithm>
#include <bit>
#include <map>

namespace nora {
namespace {

constexpr std::int32_t noLabel = -1;

struct ColourTable {
  std::vector<Label> labels;
  std::map<std::uint32_t, std::int32_t> keyOfColour;  // the file knows a vertex's label by its colour
  std::string source;
};

tl::unexpected<Error> badTable(const std::string& name) {
  return fail(ErrorCode::invalidInput, "the colour table of the annotation is damaged or cut short", name);
}

std::string_view lengthAndText(ByteReader& reader) {
  const auto size = reader.number<std::int32_t>();
  return reader.text(size < 0 ? reader.left() + 1 : static_cast<std::size_t>(size));  // too much: no longer good
}

void addEntry(ByteReader& reader, std::int32_t key, ColourTable& table) {
  Label label;
  label.value = key;
  label.name = std::string(lengthAndText(reader));
  std::uint32_t colour = 0;
  for (std::size_t i = 0; i < 4; ++i) {
    const auto part = static_cast<std::uint32_t>(std::clamp(reader.number<std::int32_t>(), 0, 255));
    if (i < 3) colour |= part << (8 * i);
    label.rgba[i] = static_cast<std::uint8_t>(i < 3 ? part : 255 - part);  // the fourth is transparency
  }
  if (!reader.good()) return;
  table.keyOfColour.emplace(colour, key);
  table.labels.push_back(std::move(label));
}

/// Behind the vertices; absent in old files, which relied on a table of FreeSurfer's.
Result<ColourTable> readTable(ByteReader& reader, const std::string& name) {
  ColourTable table;
  constexpr std::size_t smallestEntry = 20;
  if (reader.left() < 2 * sizeof(std::int32_t) || reader.number<std::int32_t>() == 0) return table;
  auto entries = reader.number<std::int32_t>();
  const bool numbered = entries < 0;
  if (numbered) {
    constexpr std::int32_t version = -2;
    if (entries != version) {
      return fail(ErrorCode::unsupported,
                  "the colour table of the annotation has version " + std::to_string(-std::int64_t{entries}) +
                      "; nora knows 1 and 2",
                  name);
    }
    reader.skip(sizeof(std::int32_t));  // one more than the largest key
    table.source = std::string(lengthAndText(reader));
    entries = reader.number<std::int32_t>();
  } else {
    table.source = std::string(lengthAndText(reader));
  }
  if (!reader.good() || entries < 0 || static_cast<std::size_t>(entries) > reader.left() / smallestEntry) {
    return badTable(name);
  }
  for (std::int32_t i = 0; i < entries && reader.good(); ++i) {
    addEntry(reader, numbered ? reader.number<std::int32_t>() : i, table);
  }
  if (!reader.good()) return badTable(name);
  return table;
}

/// Vertices may come in any order; those that do not come have no label.
std::size_t fillKeys(ByteReader& reader, std::uint32_t count, const ColourTable& table, std::span<std::int32_t> keys) {
  std::fill(keys.begin(), keys.end(), noLabel);
  for (std::uint32_t i = 0; i < count; ++i) {
    const auto vertex = reader.number<std::uint32_t>();
    const auto colour = reader.number<std::uint32_t>();
    if (table.labels.empty()) {
      keys[vertex] = static_cast<std::int32_t>(colour);
      continue;
    }
    constexpr std::uint32_t withoutAlpha = 0xffffffU;
    const auto found = table.keyOfColour.find(colour & withoutAlpha);
    if (found != table.keyOfColour.end()) keys[vertex] = found->second;
  }
  return static_cast<std::size_t>(std::count(keys.begin(), keys.end(), noLabel));
}

/// The colours of an annotation without a table say themselves what they look like.
std::vector<Label> labelsOfColours(std::span<const std::int32_t> keys) {
  std::vector<std::int32_t> distinct(keys.begin(), keys.end());
  std::sort(distinct.begin(), distinct.end());
  distinct.erase(std::unique(distinct.begin(), distinct.end()), distinct.end());
  std::vector<Label> labels;
  for (const std::int32_t key : distinct) {
    if (labels.size() >= LabelTable::maxLabels) break;
    if (key == noLabel) continue;
    Label label;
    label.value = key;
    const auto bits = static_cast<std::uint32_t>(key);
    label.rgba = {static_cast<std::uint8_t>(bits), static_cast<std::uint8_t>(bits >> 8),
                  static_cast<std::uint8_t>(bits >> 16), 255};
    labels.push_back(std::move(label));
  }
  return labels;
}

}  // namespace

Result<ReadSurface> readFreeSurferAnnotation(const FreeSurferInput& input, MemorySink& sink) {
  constexpr std::size_t pairBytes = 8;
  ByteReader reader(input.bytes, std::endian::big);
  const auto count = reader.number<std::uint32_t>();
  if (!reader.good() || count == 0 || count > reader.left() / pairBytes) {
    return fail(ErrorCode::invalidInput,
                "the header claims " + std::to_string(count) + " vertices, more than the file holds", input.name);
  }
  std::uint32_t vertices = 0;
  for (ByteReader scan = reader; scan.position() < sizeof count + count * pairBytes;) {
    const auto vertex = scan.number<std::uint32_t>();
    scan.skip(sizeof(std::uint32_t));
    constexpr std::uint32_t most = 1U << 22;  // 4 million; FreeSurfer's largest surfaces have one
    if (vertex >= most) {
      return fail(ErrorCode::invalidInput,
                  "the annotation names vertex " + std::to_string(vertex) + ", more than a surface can have",
                  input.name);
    }
    vertices = std::max(vertices, vertex + 1);
  }
  ByteReader behind = reader;
  behind.skip(count * pairBytes);
  auto table = readTable(behind, input.name);
  if (!table) return tl::make_unexpected(table.error());

  MeshArrays arrays;
  AttachedData data;
  data.name = dataNameOf(input.name);
  if (data.name.ends_with(".annot")) data.name.resize(data.name.size() - 6);
  data.role = DataRole::label;
  data.intent = "label";
  data.array = arrays.plan.add(VoxelType::int32, vertices);
  if (auto made = arrays.allocate(sink, input.name); !made) return tl::make_unexpected(made.error());
  const auto keys = arrays.as<std::int32_t>(data.array);
  const std::size_t without = fillKeys(reader, count, *table, keys);
  ReadSurface surface;
  if (table->labels.empty()) {
    table->labels = labelsOfColours(keys);
    surface.info.warnings.emplace_back("the annotation has no colour table: its labels have colours, but no names");
  }
  if (without > 0) table->labels.push_back({noLabel, "unknown", {0, 0, 0, 0}, true});
  data.labels = LabelTable(std::move(table->labels), "in the file");
  if (!table->source.empty()) surface.info.fields.emplace_back("colour table", table->source);
  surface.info.vertices = vertices;
  surface.info.data.push_back(std::move(data));
  surface.arrays = arrays.plan.arrays();
  return surface;
}

}  // namespace nora
