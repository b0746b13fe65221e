#include "image/io/vtk_legacy.hpp"

#include "image/io/byte_reader.hpp"
#include "image/io/vtk_content.hpp"
#include "image/io/vtk_numbers.hpp"

#include <algorithm>
#include <cmath>
#include <cstring>

namespace nora {
namespace {

constexpr std::string_view magic = "# vtk DataFile Version";

/// A sentence that ends the reading; thrown inside the parser only.
struct Damage {
  ErrorCode code;
  std::string what;
};

[[noreturn]] void damage(std::string what) {
  throw Damage{ErrorCode::invalidInput, std::move(what)};
}

std::string lower(std::string_view text) {
  std::string out(text);
  for (char& c : out) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
  return out;
}

/// "a%20b" -> "a b": how VTK writes names.
std::string decodedName(std::string_view name) {
  std::string out;
  for (std::size_t i = 0; i < name.size(); ++i) {
    int code = 0;
    const bool escaped = name[i] == '%' && i + 2 < name.size();
    const char* end = name.data() + i + 3;
    if (escaped && std::from_chars(name.data() + i + 1, end, code, 16).ptr == end) {
      out.push_back(static_cast<char>(code));
      i += 2;
    } else {
      out.push_back(name[i]);
    }
  }
  return out;
}

class LegacyParser {
 public:
  explicit LegacyParser(std::span<const std::byte> bytes) : text_(asText(bytes)) {}

  VtkDataset parse() {
    header();
    while (skipSpace()) section(lower(word()));
    finish();
    return std::move(dataset_);
  }

 private:
  // --- text

  bool skipSpace() {
    while (at_ < text_.size() && isSpace(text_[at_])) ++at_;
    return at_ < text_.size();
  }
  static bool isSpace(char c) { return c == ' ' || (c >= '\t' && c <= '\r'); }

  std::string_view word() {
    constexpr std::size_t mostBytes = 4096;
    skipSpace();
    const std::size_t first = at_;
    while (at_ < text_.size() && !isSpace(text_[at_])) ++at_;
    if (at_ == first) damage("the file is cut short");
    if (at_ - first > mostBytes) damage("a word of the file has no end; the file is damaged");
    return text_.substr(first, at_ - first);
  }
  /// True if the next word begins with `key` (lower case); nothing is taken.
  [[nodiscard]] bool nextIs(std::string_view key) const {
    std::size_t at = at_;
    while (at < text_.size() && isSpace(text_[at])) ++at;
    return lower(text_.substr(at, key.size())) == key;
  }
  std::string_view line() {
    const auto end = std::min(text_.find('\n', at_), text_.size());
    const auto out = trimmed(text_.substr(at_, end - at_));
    at_ = std::min(end + 1, text_.size());
    return out;
  }
  /// Words up to the end of the line, as SCALARS may leave some out.
  std::vector<std::string_view> restOfLine() { return words(line(), " \t\r", 16); }

  std::uint64_t count(const char* what) {
    const auto text = word();
    const auto number = numberFrom<std::uint64_t>(text);
    constexpr std::uint64_t most = std::uint64_t{1} << 48;
    if (!number || *number > most) damage(std::string("the number of ") + what + " is \"" + std::string(text) + "\"");
    return *number;
  }
  double real(const char* what) {
    const auto number = numberFrom<double>(word());
    if (!number || !std::isfinite(*number)) damage(std::string(what) + " is no number");
    return *number;
  }

  // --- arrays

  std::uint64_t numbersOf(std::uint64_t tuples, std::uint64_t components) const {
    std::uint64_t numbers = 0;
    if (__builtin_mul_overflow(tuples, components, &numbers)) damage("a count of the file is larger than any file");
    return numbers;
  }

  /// `type` as it is written. Strings are skipped and give nothing.
  std::optional<VtkArray> array(std::string_view name, std::string_view type, std::uint64_t tuples,
                                std::uint64_t components) {
    const std::string known = lower(type);
    if (known == "string" || known == "utf8_string" || known == "unicode_string") {
      strings(name, numbersOf(tuples, components));
      return std::nullopt;
    }
    VtkArray out;
    out.name = decodedName(name);
    out.tuples = tuples;
    out.components = static_cast<std::size_t>(components);
    const bool bits = known == "bit";
    const auto voxelType = bits ? VoxelType::uint8 : vtkType(known);
    if (!voxelType) damage("\"" + std::string(name) + "\" is of the unknown type \"" + std::string(type) + "\"");
    out.type = *voxelType;
    const std::uint64_t numbers = numbersOf(tuples, components);
    if (!binary_) {
      skipSpace();
      if (!parseVtkNumbers(text_, at_, numbers, out)) shortage(name);
    } else if (bits) {
      unpackBits(name, numbers, out);
    } else {
      line();
      out.order = std::endian::big;
      out.bytes = raw(name, numbersOf(numbers, bytesPerVoxel(out.type)));
    }
    return out;
  }

  [[noreturn]] void shortage(std::string_view name) const {
    damage("the file is cut short or damaged: the numbers of \"" + std::string(name) + "\" are not all there");
  }

  std::span<const std::byte> raw(std::string_view name, std::uint64_t size) {
    if (size > text_.size() - at_) shortage(name);
    const auto out = std::as_bytes(std::span(text_)).subspan(at_, size);
    at_ += size;
    return out;
  }

  void unpackBits(std::string_view name, std::uint64_t numbers, VtkArray& out) {
    line();
    const auto packed = raw(name, numbers / 8 + (numbers % 8 != 0 ? 1 : 0));
    out.memory.resize(numbers);
    for (std::uint64_t i = 0; i < numbers; ++i) {
      out.memory[i] = (packed[i / 8] >> (7 - i % 8)) & std::byte{1};
    }
    out.bytes = out.memory;
  }

  /// Only one string is of use: SPACE.
  void strings(std::string_view name, std::uint64_t count) {
    line();
    for (std::uint64_t i = 0; i < count; ++i) {
      if (at_ >= text_.size()) shortage(name);
      const auto value = binary_ ? binaryString(name) : line();
      if (lower(name) == "space" && (value == "RAS" || value == "LPS")) dataset_.space = value;
    }
  }
  /// The two highest bits of the first byte say in how many bytes the length is written.
  std::string_view binaryString(std::string_view name) {
    const auto first = static_cast<unsigned char>(text_[at_]);
    const std::size_t bytes = std::size_t{1} << (3 - (first >> 6));
    std::uint64_t size = 0;
    for (const auto byte : raw(name, bytes)) size = size << 8 | static_cast<std::uint64_t>(byte);
    size &= (std::uint64_t{1} << (8 * bytes - 2)) - 1;
    return asText(raw(name, size));
  }

  // --- sections

  void header() {
    const auto first = line();
    if (!first.starts_with(magic)) damage("the file does not begin as a VTK file does");
    const auto version = trimmed(first.substr(magic.size()));
    const auto major = numberFrom<int>(version.substr(0, version.find('.')));
    if (!major || *major < 1 || *major > 5) {
      throw Damage{ErrorCode::unsupported, "version " + std::string(version) + " of the VTK format is unknown"};
    }
    modern_ = *major >= 5;
    dataset_.format = "VTK legacy";
    dataset_.title = line();
    dataset_.space = vtkSpaceOf(dataset_.title);
    const std::string coding = lower(line());
    binary_ = coding == "binary";
    if (!binary_ && coding != "ascii") damage("the third line says neither ASCII nor BINARY");
  }

  void section(const std::string& key) {
    if (key == "dataset") return setDataset(lower(word()));
    if (key == "metadata") return skipMetadata();
    if (key == "field") return field();
    if (geometry(key) || structured(key)) return;
    if (key == "point_data" || key == "cell_data") {
      values_ = key == "point_data" ? &dataset_.pointData : &dataset_.cellData;
      valueCount_ = count("values");
      if (!skipSpace()) dataset_.warnings.push_back("the file ends behind \"" + key + "\", without its values");
      return;
    }
    if (attribute(key)) return;
    if (at_ == text_.size()) damage("the file is cut short inside the word \"" + key + "\"");
    dataset_.warnings.push_back("the section \"" + key + "\" is unknown; what follows it was not read");
    at_ = text_.size();
  }

  void setDataset(const std::string& kind) {
    if (kind == "structured_points") {
      dataset_.image.emplace();
    } else if (kind == "unstructured_grid") {
      dataset_.grid.emplace();
    } else if (kind != "polydata") {
      throw Damage{ErrorCode::unsupported, "a VTK dataset of the kind \"" + kind + "\" is not read"};
    }
  }

  bool geometry(const std::string& key) {
    constexpr std::array<std::string_view, 4> lists{"vertices", "lines", "polygons", "triangle_strips"};
    if (key == "points") {
      const auto n = count("points");
      auto points = array("points", word(), n, 3);
      if (!points) damage("the points are no numbers");
      dataset_.points = std::move(*points);
      return true;
    }
    for (std::size_t i = 0; i < lists.size(); ++i) {
      if (key != lists[i]) continue;
      dataset_.cells[i] = cells(key);
      return true;
    }
    if (key == "cells") {
      dataset_.grid = cells(key);
      return true;
    }
    if (key == "cell_types") {
      auto types = array(key, "int", count("cells"), 1);
      if (types) dataset_.gridTypes = std::move(*types);
      return true;
    }
    return false;
  }

  VtkCells cells(const std::string& key) {
    VtkCells out;
    const std::uint64_t a = count("cells"), b = count("ids");
    if (modern_ && nextIs("offsets")) {
      out.form = VtkCells::Form::starts;
      out.offsets = named("offsets", a);
      out.ids = named("connectivity", b);
      out.count = a > 0 ? a - 1 : 0;
      return out;
    }
    out.count = a;
    out.ids = std::move(*array(key, "int", b, 1));
    return out;
  }
  VtkArray named(const char* key, std::uint64_t n) {
    if (lower(word()) != key) damage(std::string("the section \"") + key + "\" is missing");
    auto out = array(key, word(), n, 1);
    if (!out) damage(std::string("\"") + key + "\" holds no numbers");
    return std::move(*out);
  }

  bool structured(const std::string& key) {
    if (!dataset_.image) return false;
    VtkImage& image = *dataset_.image;
    if (key == "dimensions") {
      for (auto& dim : image.dims) dim = static_cast<std::int64_t>(count("voxels"));
    } else if (key == "spacing" || key == "aspect_ratio") {
      for (int i = 0; i < 3; ++i) image.worldFromVoxel(i, i) = real("the spacing");
    } else if (key == "origin") {
      for (int i = 0; i < 3; ++i) image.worldFromVoxel(i, 3) = real("the origin");
    } else {
      return false;
    }
    return true;
  }

  void addValues(std::optional<VtkArray> array, DataRole role) {
    if (array && values_ != nullptr) values_->push_back({std::move(*array), role});
  }

  bool attribute(const std::string& key) {
    if (key == "scalars") {
      scalars();
    } else if (key == "color_scalars") {
      colours();
    } else if (key == "lookup_table") {
      skipLookupTable();
    } else if (key == "texture_coordinates") {
      const auto name = word();
      const auto dims = count("texture coordinates");
      addValues(array(name, word(), valueCount_, dims), DataRole::scalar);
    } else {
      static constexpr std::array<std::pair<std::string_view, std::uint64_t>, 8> widths{{{"vectors", 3},
                                                                                         {"normals", 3},
                                                                                         {"tensors", 9},
                                                                                         {"tensors6", 6},
                                                                                         {"global_ids", 1},
                                                                                         {"pedigree_ids", 1},
                                                                                         {"edge_flags", 1},
                                                                                         {"ghost_levels", 1}}};
      const auto known = std::find_if(widths.begin(), widths.end(), [&](const auto& w) { return w.first == key; });
      if (known == widths.end()) return false;
      const auto name = word();
      addValues(array(name, word(), valueCount_, known->second),
                key == "normals" ? DataRole::normal : DataRole::scalar);
    }
    return true;
  }

  /// SCALARS name type [components], then a line LOOKUP_TABLE name, which some programs leave out.
  void scalars() {
    const auto rest = restOfLine();
    if (rest.size() < 2) damage("SCALARS needs a name and a type");
    const auto components = rest.size() > 2 ? numberFrom<std::uint32_t>(rest[2]).value_or(0) : 1;
    if (components == 0) damage("SCALARS has no components");
    if (nextIs("lookup_table")) {
      word();
      word();
    } else if (binary_) {
      --at_;  // the numbers follow the line that was just taken
    }
    addValues(array(rest[0], rest[1], valueCount_, components), DataRole::scalar);
  }

  /// Bytes in binary files, 0 to 1 in text.
  void colours() {
    const auto name = word();
    const auto components = count("colour components");
    auto colours = array(name, binary_ ? "unsigned_char" : "float", valueCount_, components);
    if (colours && !binary_) {
      VtkArray bytes;
      bytes.name = colours->name;
      bytes.type = VoxelType::uint8;
      bytes.tuples = colours->tuples;
      bytes.components = colours->components;
      bytes.memory.resize(colours->numbers());
      const auto load = colours->realLoader();
      for (std::size_t i = 0; i < bytes.memory.size(); ++i) {
        const double value = load(colours->bytes.data() + i * sizeof(float));
        bytes.memory[i] = static_cast<std::byte>(std::isfinite(value) ? std::clamp(value, 0.0, 1.0) * 255 + 0.5 : 0);
      }
      bytes.bytes = bytes.memory;
      colours = std::move(bytes);
    }
    addValues(std::move(colours), DataRole::colour);
  }

  void skipLookupTable() {
    const auto name = word();
    static_cast<void>(array(name, binary_ ? "unsigned_char" : "float", count("colours"), 4));
  }

  /// FIELD name n, then n times: name components tuples type, numbers.
  void field() {
    word();
    const auto n = count("arrays");
    for (std::uint64_t i = 0; i < n; ++i) {
      if (nextIs("metadata")) {
        word();
        skipMetadata();
      }
      const auto name = word();
      if (name == "NULL_ARRAY") continue;
      const auto components = count("components"), tuples = count("values");
      addValues(array(name, word(), tuples, components), DataRole::scalar);
    }
  }

  /// Up to an empty line.
  void skipMetadata() {
    line();
    while (at_ < text_.size() && !line().empty()) {
    }
  }

  void finish() {
    if (dataset_.grid && dataset_.gridTypes.tuples < dataset_.grid->count) damage("the types of the cells are missing");
    if (!dataset_.image) return;
    for (const auto dim : dataset_.image->dims) {
      if (dim < 1) damage("the size of the image is missing");
    }
    if (!inverse(dataset_.image->worldFromVoxel)) damage("the spacing of the image is zero");
  }

  std::string_view text_;
  std::size_t at_ = 0;
  bool binary_ = false, modern_ = false;
  VtkDataset dataset_;
  std::vector<VtkAttribute>* values_ = nullptr;  // where attributes go; before POINT_DATA: nowhere
  std::uint64_t valueCount_ = 0;
};

}  // namespace

bool hasVtkLegacyMagic(std::span<const std::byte> bytes) {
  return asText(bytes).starts_with(magic);
}

Result<VtkDataset> readVtkLegacy(std::span<const std::byte> bytes, const std::string& name) {
  try {
    return LegacyParser(bytes).parse();
  } catch (const Damage& damage) {
    return fail(damage.code, damage.what, name);
  }
}

std::string peekVtkLegacy(std::span<const std::byte> bytes) {
  const auto text = asText(bytes);
  constexpr std::size_t headBytes = 1024;
  const std::string head = lower(text.substr(0, headBytes));
  if (head.find("structured_points") != std::string::npos) return "image";
  const bool grid = head.find("\ndataset unstructured_grid") != std::string::npos;
  if (grid || head.find("\nbinary") != std::string::npos) {  // the arrays of binary files are hopped over
    const auto dataset = readVtkLegacy(bytes, {});
    return dataset ? vtkKind(*dataset) : std::string();
  }
  for (const char* faces : {"\nPOLYGONS ", "\nTRIANGLE_STRIPS "}) {
    const auto at = text.find(faces);
    if (at != std::string_view::npos && !text.substr(at).starts_with(std::string(faces) + "0 ")) return "surface";
  }
  return text.find("\nLINES ") != std::string_view::npos ? "tracts" : "";
}

}  // namespace nora
