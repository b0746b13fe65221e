#include "image/io/ply_header.hpp"

#include "image/io/byte_reader.hpp"
#include "image/io/mesh_text.hpp"

#include <algorithm>

namespace nora {
namespace {

constexpr std::size_t maxElements = 32, maxProperties = 256, maxLines = 4096;

std::optional<VoxelType> plyType(std::string_view name) {
  static constexpr std::pair<std::string_view, VoxelType> known[] = {
      {"char", VoxelType::int8},      {"int8", VoxelType::int8},       {"uchar", VoxelType::uint8},
      {"uint8", VoxelType::uint8},    {"short", VoxelType::int16},     {"int16", VoxelType::int16},
      {"ushort", VoxelType::uint16},  {"uint16", VoxelType::uint16},   {"int", VoxelType::int32},
      {"int32", VoxelType::int32},    {"uint", VoxelType::uint32},     {"uint32", VoxelType::uint32},
      {"float", VoxelType::float32},  {"float32", VoxelType::float32}, {"double", VoxelType::float64},
      {"float64", VoxelType::float64}};
  for (const auto& [text, type] : known) {
    if (text == name) return type;
  }
  return std::nullopt;
}

bool readProperty(const std::vector<std::string_view>& row, PlyElement& element) {
  if (element.properties.size() >= maxProperties) return false;
  PlyProperty property;
  const bool list = row.size() == 5 && row[1] == "list";
  if (!list && row.size() != 3) return false;
  const auto type = plyType(row[row.size() - 2]);
  if (!type) return false;
  property.type = *type;
  property.name = std::string(row.back());
  if (list) {
    property.countType = plyType(row[2]);
    if (!property.countType || isFloat(*property.countType)) return false;
  }
  element.properties.push_back(std::move(property));
  return true;
}

/// False: the line means nothing.
bool readLine(std::string_view line, PlyHeader& header) {
  const auto row = words(line, " \t\r", 64);
  if (row.empty() || row[0] == "obj_info") return true;
  if (row[0] == "comment") {
    header.comments += std::string(trimmed(line.substr(line.find("comment") + 7))) + "\n";
    return true;
  }
  if (row[0] == "format" && row.size() == 3) {
    const bool little = row[1] == "binary_little_endian", big = row[1] == "binary_big_endian";
    header.encoding = little ? PlyEncoding::littleEndian : big ? PlyEncoding::bigEndian : PlyEncoding::ascii;
    return little || big || row[1] == "ascii";
  }
  if (row[0] == "element" && row.size() == 3 && header.elements.size() < maxElements) {
    const auto count = numberFrom<std::uint64_t>(row[2]);
    header.elements.push_back({std::string(row[1]), count.value_or(0), {}});
    return count.has_value();
  }
  return row[0] == "property" && !header.elements.empty() && readProperty(row, header.elements.back());
}

}  // namespace

bool PlyElement::hasLists() const {
  return std::any_of(properties.begin(), properties.end(),
                     [](const PlyProperty& p) { return p.countType.has_value(); });
}

std::size_t PlyElement::smallestBytes(PlyEncoding encoding) const {
  constexpr std::size_t digitAndSpace = 2;
  std::size_t bytes = 0;
  for (const PlyProperty& p : properties) {
    bytes += encoding == PlyEncoding::ascii ? digitAndSpace : bytesPerVoxel(p.countType.value_or(p.type));
  }
  return bytes;
}

Result<PlyHeader> parsePlyHeader(std::string_view content, const std::string& name) {
  const auto wrong = [&](std::string what) { return fail(ErrorCode::invalidInput, std::move(what), name); };
  TextCursor cursor(content);
  if (trimmed(cursor.restOfLine()) != "ply") return wrong("this is no PLY file");
  PlyHeader header;
  for (std::size_t lines = 0;; ++lines) {
    if (cursor.left() == 0 || lines == maxLines) return wrong("the header has no end (end_header)");
    const std::string_view line = cursor.restOfLine();
    if (trimmed(line) == "end_header") break;
    if (!readLine(line, header)) {
      return wrong("line " + std::to_string(lines + 2) + " of the header means nothing to nora");
    }
  }
  header.size = cursor.position();
  std::erase_if(header.elements, [](const PlyElement& e) { return e.properties.empty() || e.count == 0; });
  std::uint64_t needed = 0;
  for (const PlyElement& element : header.elements) {
    std::uint64_t bytes = 0;
    if (__builtin_mul_overflow(element.count, element.smallestBytes(header.encoding), &bytes) ||
        __builtin_add_overflow(needed, bytes, &needed) || needed > cursor.left() + 1) {
      return wrong("the header claims " + std::to_string(element.count) + " x \"" + element.name +
                   "\", more than the file holds");
    }
  }
  return header;
}

}  // namespace nora
