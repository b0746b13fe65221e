#include "image/io/vtk_xml.hpp"

#include "image/io/base64.hpp"
#include "image/io/byte_reader.hpp"
#include "image/io/gzip.hpp"
#include "image/io/vtk_content.hpp"
#include "image/io/vtk_numbers.hpp"
#include "image/io/vtk_xml_elements.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <memory>

#include <libdeflate.h>
#include <lz4.h>
#include <lzma.h>

namespace nora {
namespace {

tl::unexpected<Error> wrong(std::string what, const std::string& name) {
  return fail(ErrorCode::invalidInput, std::move(what), name);
}

/// Bytes of a file, as they are or in base64, from which pieces are taken one after the other.
class ByteSource {
 public:
  ByteSource(std::span<const std::byte> raw, bool base64, const std::string& name)
      : raw_(raw), base64_(base64), name_(name) {}

  /// The next bytes without taking them; base64 stretches are decoded each for itself. Empty if they are not there.
  std::span<const std::byte> peek(std::size_t size, std::vector<std::byte>& memory) const {
    if (!base64_) return size <= raw_.size() ? raw_.first(size) : std::span<const std::byte>{};
    const std::size_t characters = charactersOf(size);
    if (characters < size || characters > raw_.size()) return {};
    memory.resize(mostBase64Bytes(characters));
    const auto decoded = decodeBase64(asText(raw_.first(characters)), memory, name_);
    if (!decoded || *decoded < size) return {};
    return std::span<const std::byte>(memory).first(size);
  }
  /// Moves on by what `size` bytes take, padding included.
  void skip(std::size_t size) { raw_ = raw_.subspan(std::min(raw_.size(), base64_ ? charactersOf(size) : size)); }
  [[nodiscard]] std::size_t mostBytes() const { return raw_.size(); }

 private:
  static std::size_t charactersOf(std::size_t size) { return size / 3 * 4 + (size % 3 != 0 ? 4 : 0); }

  std::span<const std::byte> raw_;
  bool base64_;
  const std::string& name_;
};

constexpr std::string_view zlibCompressor = "vtkZLibDataCompressor", lzmaCompressor = "vtkLZMADataCompressor";
constexpr std::string_view lz4Compressor = "vtkLZ4DataCompressor";

enum class BlockPacking { zlib, lzma, lz4 };

/// Unpacks blocks: zlib streams, whole .xz files, or bare LZ4 blocks.
class Unpacker {
 public:
  explicit Unpacker(BlockPacking packing)
      : packing_(packing), inflater_(libdeflate_alloc_decompressor(), &libdeflate_free_decompressor) {}

  /// False if the block does not fill `out` exactly.
  [[nodiscard]] bool fill(std::span<const std::byte> block, std::span<std::byte> out) const {
    if (packing_ == BlockPacking::lz4) {
      constexpr std::size_t most = std::numeric_limits<int>::max();
      if (block.size() > most || out.size() > most) return false;
      const int made =
          LZ4_decompress_safe(reinterpret_cast<const char*>(block.data()), reinterpret_cast<char*>(out.data()),
                              static_cast<int>(block.size()), static_cast<int>(out.size()));
      return made >= 0 && static_cast<std::size_t>(made) == out.size();
    }
    if (packing_ == BlockPacking::zlib) {
      return inflater_ && libdeflate_zlib_decompress(inflater_.get(), block.data(), block.size(), out.data(),
                                                     out.size(), nullptr) == LIBDEFLATE_SUCCESS;
    }
    std::uint64_t memory = std::uint64_t{256} << 20;
    std::size_t in = 0, made = 0;
    const auto status =
        lzma_stream_buffer_decode(&memory, 0, nullptr, reinterpret_cast<const std::uint8_t*>(block.data()), &in,
                                  block.size(), reinterpret_cast<std::uint8_t*>(out.data()), &made, out.size());
    return status == LZMA_OK && made == out.size();
  }

 private:
  BlockPacking packing_;
  std::unique_ptr<libdeflate_decompressor, decltype(&libdeflate_free_decompressor)> inflater_;
};

class XmlArrays {
 public:
  XmlArrays(const VtkXml& xml, const std::string& name) : xml_(xml), name_(name) {
    order_ = valueOf(xml.file, "byte_order") == "BigEndian" ? std::endian::big : std::endian::little;
    wide_ = valueOf(xml.file, "header_type") == "UInt64";
    packed_ = !valueOf(xml.file, "compressor").empty();
    const auto compressor = valueOf(xml.file, "compressor");
    if (compressor == lzmaCompressor) packing_ = BlockPacking::lzma;
    if (compressor == lz4Compressor) packing_ = BlockPacking::lz4;
  }

  /// `tuples`: how many there must be; empty: as many as there are.
  Result<VtkArray> decode(const VtkElement& element, std::optional<std::uint64_t> tuples) const {
    VtkArray out;
    out.name = valueOf(element.attributes, "Name");
    const auto typeName = valueOf(element.attributes, "type");
    const auto type = typeName == "String" ? VoxelType::int8 : vtkType(typeName);
    const auto components = valueOf(element.attributes, "NumberOfComponents");
    constexpr std::uint32_t mostComponents = 1u << 20;
    const auto width = components.empty() ? 1 : numberFrom<std::uint32_t>(components).value_or(0);
    if (!type || width > mostComponents) return wrong("the array \"" + out.name + "\" is of no known type", name_);
    out.type = *type;
    out.components = std::max<std::uint32_t>(width, 1);
    const auto format = valueOf(element.attributes, "format");
    auto done = format == "ascii" || format.empty() ? decodeText(element.text, out) : decodeBytes(element, format, out);
    if (!done) return tl::make_unexpected(done.error());
    if (tuples && out.tuples != *tuples) {
      return wrong("\"" + out.name + "\" holds " + std::to_string(out.tuples) + " values, " + std::to_string(*tuples) +
                       " are wanted: the file is cut short or damaged",
                   name_);
    }
    return out;
  }

 private:
  Result<void> decodeText(std::string_view text, VtkArray& out) const {
    if (parseAllVtkNumbers(text, out)) return {};
    return wrong("the numbers of \"" + out.name + "\" are damaged", name_);
  }

  Result<void> decodeBytes(const VtkElement& element, std::string_view format, VtkArray& out) const {
    out.order = order_;
    const bool appended = format == "appended";
    std::span<const std::byte> raw = std::as_bytes(std::span(trimmed(element.text)));
    if (appended) {
      const auto offset = numberFrom<std::uint64_t>(valueOf(element.attributes, "offset"));
      if (!offset || *offset > xml_.appended.size()) {
        return wrong("the appended data of \"" + out.name + "\" are missing: the file is cut short or damaged", name_);
      }
      raw = xml_.appended.subspan(*offset);
    } else if (format != "binary") {
      return wrong("the format \"" + std::string(format) + "\" of an array is unknown", name_);
    }
    ByteSource source(raw, !(appended && xml_.appendedRaw), name_);
    const auto done = packed_ ? inflateBlocks(source, out) : plain(source, out);
    if (!done) return done;
    const std::size_t tuple = out.tupleBytes();
    if (out.bytes.size() % tuple != 0) return damaged(out);
    out.tuples = out.bytes.size() / tuple;
    return {};
  }

  [[nodiscard]] tl::unexpected<Error> damaged(const VtkArray& array) const {
    return wrong("the data of \"" + array.name + "\" are cut short or damaged", name_);
  }

  [[nodiscard]] std::size_t wordBytes() const { return wide_ ? 8 : 4; }
  [[nodiscard]] std::uint64_t word(std::span<const std::byte> bytes, std::size_t i) const {
    ByteReader reader(bytes, order_);
    reader.seek(i * wordBytes());
    return wide_ ? reader.number<std::uint64_t>() : reader.number<std::uint32_t>();
  }

  /// Number of bytes, bytes.
  Result<void> plain(ByteSource& source, VtkArray& out) const {
    std::vector<std::byte> memory;
    const auto head = source.peek(wordBytes(), memory);
    if (head.empty()) return damaged(out);
    const std::uint64_t size = word(head, 0);
    if (size > source.mostBytes()) return damaged(out);
    const auto all = source.peek(wordBytes() + size, out.memory);
    if (all.size() != wordBytes() + size) return damaged(out);
    out.bytes = all.subspan(wordBytes());
    return {};
  }

  /// Number of blocks, their size, that of the last if it is shorter (else 0), the size of each when packed; the
  /// blocks.
  Result<void> inflateBlocks(ByteSource& source, VtkArray& out) const {
    std::vector<std::byte> memory;
    auto head = source.peek(3 * wordBytes(), memory);
    if (head.empty()) return damaged(out);
    const std::uint64_t blocks = word(head, 0), blockBytes = word(head, 1), lastBytes = word(head, 2);
    if (blocks > source.mostBytes() / wordBytes()) return damaged(out);
    if (blocks == 0) return {};
    const std::size_t headBytes = (3 + static_cast<std::size_t>(blocks)) * wordBytes();
    head = source.peek(headBytes, memory);
    std::uint64_t packed = 0, size = 0;
    for (std::uint64_t i = 0; i < blocks && !head.empty(); ++i) {
      const std::uint64_t one = word(head, 3 + static_cast<std::size_t>(i));
      if (one > source.mostBytes() - packed) return damaged(out);
      packed += one;
    }
    const bool overflow = __builtin_mul_overflow(blocks - (lastBytes > 0 ? 1 : 0), blockBytes, &size) ||
                          __builtin_add_overflow(size, lastBytes, &size);
    if (head.empty() || overflow || lastBytes > blockBytes || size / mostRatio() > packed) return damaged(out);
    source.skip(headBytes);
    std::vector<std::byte> decoded;
    const auto data = source.peek(packed, decoded);
    if (data.size() != packed) return damaged(out);
    out.memory.resize(size);
    if (!inflate(head, blocks, blockBytes, data, out.memory)) return damaged(out);
    out.bytes = out.memory;
    return {};
  }

  [[nodiscard]] std::size_t mostRatio() const {
    constexpr std::size_t mostLzmaRatio = 8192;  // of zeros, measured; the range coder cannot do much better
    constexpr std::size_t mostLz4Ratio = 256;    // a byte of a length stands for 255
    return packing_ == BlockPacking::lzma  ? mostLzmaRatio
           : packing_ == BlockPacking::lz4 ? mostLz4Ratio
                                           : maxDeflateRatio;
  }

  bool inflate(std::span<const std::byte> head, std::uint64_t blocks, std::uint64_t blockBytes,
               std::span<const std::byte> packed, std::span<std::byte> out) const {
    const Unpacker unpacker(packing_);
    std::size_t at = 0;
    for (std::uint64_t i = 0; i < blocks; ++i) {
      const std::size_t size = std::min<std::size_t>(blockBytes, out.size() - at);
      const auto one = packed.first(word(head, 3 + static_cast<std::size_t>(i)));
      if (!unpacker.fill(one, out.subspan(at, size))) return false;
      at += size;
      packed = packed.subspan(one.size());
    }
    return at == out.size();
  }

  const VtkXml& xml_;
  const std::string& name_;
  std::endian order_ = std::endian::little;
  bool wide_ = false, packed_ = false;
  BlockPacking packing_ = BlockPacking::zlib;
};

std::uint64_t countOf(const VtkXml& xml, std::string_view key) {
  return numberFrom<std::uint64_t>(valueOf(xml.piece, key)).value_or(0);
}

Result<void> addCells(const VtkXml& xml, const XmlArrays& arrays, std::string_view section, std::uint64_t count,
                      VtkCells& cells, const std::string& name) {
  if (count == 0) return {};
  cells.form = VtkCells::Form::ends;
  cells.count = count;
  bool ids = false, offsets = false;
  for (const VtkElement& element : xml.arrays) {
    if (element.section != section) continue;
    const auto key = valueOf(element.attributes, "Name");
    if (key != "connectivity" && key != "offsets") continue;
    const bool isIds = key == "connectivity";
    auto array = arrays.decode(element, isIds ? std::nullopt : std::optional(count));
    if (!array) return tl::make_unexpected(array.error());
    (isIds ? cells.ids : cells.offsets) = std::move(*array);
    (isIds ? ids : offsets) = true;
  }
  if (ids && offsets) return {};
  return wrong("the " + std::string(section) + " have no connectivity or no offsets", name);
}

Result<void> addPoints(const VtkXml& xml, const XmlArrays& arrays, VtkDataset& dataset, const std::string& name) {
  for (const VtkElement& element : xml.arrays) {
    if (element.section != "Points") continue;
    auto points = arrays.decode(element, countOf(xml, "NumberOfPoints"));
    if (!points) return tl::make_unexpected(points.error());
    dataset.points = std::move(*points);
    return {};
  }
  return wrong("the file has no points", name);
}

Result<void> addValues(const VtkXml& xml, const XmlArrays& arrays, VtkDataset& dataset) {
  for (const VtkElement& element : xml.arrays) {
    const bool points = element.section == "PointData", cells = element.section == "CellData";
    const bool text = valueOf(element.attributes, "type") == "String";
    if (element.section == "FieldData" && text && valueOf(element.attributes, "Name") == "SPACE") {
      auto space = arrays.decode(element, std::nullopt);
      const std::string value(space ? trimmed(asText(space->bytes)).substr(0, 3) : std::string_view{});
      if (value == "RAS" || value == "LPS") dataset.space = value;
    }
    if ((!points && !cells) || text) continue;
    auto array = arrays.decode(element, std::nullopt);
    if (!array) return tl::make_unexpected(array.error());
    const bool normals = points && !xml.normals.empty() && array->name == xml.normals;
    const bool first = points && !xml.scalars.empty() && array->name == xml.scalars;
    auto& list = points ? dataset.pointData : dataset.cellData;
    list.insert(first ? list.begin() : list.end(),
                VtkAttribute{std::move(*array), normals ? DataRole::normal : DataRole::scalar});
  }
  return {};
}

/// Numbers of an attribute such as Origin="0 0 0"; the default where it is missing.
template <std::size_t n>
std::optional<std::array<double, n>> numbersOf(const VtkAttributes& attributes, std::string_view key,
                                               std::array<double, n> fallback) {
  const auto text = valueOf(attributes, key);
  if (text.empty()) return fallback;
  const auto parts = words(text);
  if (parts.size() != n) return std::nullopt;
  for (std::size_t i = 0; i < n; ++i) {
    const auto number = numberFrom<double>(parts[i]);
    if (!number || !(std::abs(*number) < 1e9)) return std::nullopt;
    fallback[i] = *number;
  }
  return fallback;
}

/// The first voxel of the file has the number at which the extent begins; origin is that of number 0.
Result<void> addImage(const VtkXml& xml, VtkDataset& dataset, const std::string& name) {
  const auto extent = numbersOf<6>(xml.piece, "Extent", {0, -1, 0, -1, 0, -1});
  const auto origin = numbersOf<3>(xml.dataset, "Origin", {0, 0, 0});
  const auto spacing = numbersOf<3>(xml.dataset, "Spacing", {1, 1, 1});
  const auto direction = numbersOf<9>(xml.dataset, "Direction", {1, 0, 0, 0, 1, 0, 0, 0, 1});
  if (!extent || !origin || !spacing || !direction) return wrong("the geometry of the image is damaged", name);
  VtkImage image;
  Vec3 first{};
  for (std::size_t i = 0; i < 3; ++i) {
    image.dims[i] = static_cast<std::int64_t>((*extent)[2 * i + 1] - (*extent)[2 * i]) + 1;
    if (image.dims[i] < 1) return wrong("the image has no voxels", name);
    first[i] = (*extent)[2 * i];
    for (std::size_t r = 0; r < 3; ++r) image.worldFromVoxel.m[4 * r + i] = (*direction)[3 * r + i] * (*spacing)[i];
  }
  const Vec3 shift = image.worldFromVoxel.direction(first);
  for (int r = 0; r < 3; ++r) {
    image.worldFromVoxel(r, 3) = (*origin)[static_cast<std::size_t>(r)] + shift[static_cast<std::size_t>(r)];
  }
  if (!inverse(image.worldFromVoxel)) return wrong("the spacing of the image is zero", name);
  dataset.image = image;
  return {};
}

Result<void> addGrid(const VtkXml& xml, const XmlArrays& arrays, VtkDataset& dataset, const std::string& name) {
  dataset.grid.emplace();
  const std::uint64_t count = countOf(xml, "NumberOfCells");
  if (const auto done = addCells(xml, arrays, "Cells", count, *dataset.grid, name); !done) return done;
  for (const VtkElement& element : xml.arrays) {
    if (element.section != "Cells" || valueOf(element.attributes, "Name") != "types") continue;
    auto types = arrays.decode(element, count);
    if (!types) return tl::make_unexpected(types.error());
    dataset.gridTypes = std::move(*types);
  }
  if (dataset.gridTypes.tuples < count) return wrong("the types of the cells are missing", name);
  return {};
}

Result<void> checkKind(const VtkXml& xml, const std::string& name) {
  const auto type = valueOf(xml.file, "type");
  if (type != "PolyData" && type != "UnstructuredGrid" && type != "ImageData") {
    return fail(ErrorCode::unsupported, "a VTK dataset of the kind \"" + std::string(type) + "\" is not read", name);
  }
  const auto compressor = valueOf(xml.file, "compressor");
  if (!compressor.empty() && compressor != zlibCompressor && compressor != lzmaCompressor &&
      compressor != lz4Compressor) {
    return fail(
        ErrorCode::unsupported,
        "the data are packed by " + std::string(compressor) + "; save the file with zlib or without compression", name);
  }
  if (xml.pieces == 1) return {};
  if (xml.pieces == 0) return wrong("the file holds no piece of data; it is cut short or damaged", name);
  return fail(ErrorCode::unsupported, "the file holds " + std::to_string(xml.pieces) + " pieces; save it as one piece",
              name);
}

}  // namespace

bool hasVtkXmlMagic(std::span<const std::byte> bytes) {
  constexpr std::size_t headBytes = 1024;
  auto text = asText(bytes.first(std::min(bytes.size(), headBytes)));
  if (text.starts_with("\xef\xbb\xbf")) text.remove_prefix(3);
  text = trimmed(text);
  return text.starts_with('<') && text.find("<VTKFile") != std::string_view::npos;
}

Result<VtkDataset> readVtkXml(std::span<const std::byte> bytes, const std::string& name) {
  const auto xml = readVtkElements(bytes, false, name);
  if (!xml) return tl::make_unexpected(xml.error());
  auto done = checkKind(*xml, name);
  if (!done) return tl::make_unexpected(done.error());
  VtkDataset dataset;
  dataset.format = "VTK XML";
  const XmlArrays arrays(*xml, name);
  const auto type = valueOf(xml->file, "type");
  if (type == "ImageData") {
    done = addImage(*xml, dataset, name);
  } else {
    done = addPoints(*xml, arrays, dataset, name);
  }
  if (done && type == "UnstructuredGrid") done = addGrid(*xml, arrays, dataset, name);
  constexpr std::array<std::pair<std::string_view, std::string_view>, 4> lists{{{"Verts", "NumberOfVerts"},
                                                                                {"Lines", "NumberOfLines"},
                                                                                {"Polys", "NumberOfPolys"},
                                                                                {"Strips", "NumberOfStrips"}}};
  for (std::size_t i = 0; done && type == "PolyData" && i < lists.size(); ++i) {
    done = addCells(*xml, arrays, lists[i].first, countOf(*xml, lists[i].second), dataset.cells[i], name);
  }
  if (done) done = addValues(*xml, arrays, dataset);
  if (!done) return tl::make_unexpected(done.error());
  return dataset;
}

std::string peekVtkXml(std::span<const std::byte> bytes) {
  const auto xml = readVtkElements(bytes, true, {});
  if (!xml) return {};
  const auto type = valueOf(xml->file, "type");
  if (type == "ImageData") return "image";
  if (type == "UnstructuredGrid") {  // only the types of its cells tell
    const auto dataset = readVtkXml(bytes, {});
    return dataset ? vtkKind(*dataset) : std::string();
  }
  if (type != "PolyData") return {};
  if (countOf(*xml, "NumberOfPolys") > 0 || countOf(*xml, "NumberOfStrips") > 0) return "surface";
  return countOf(*xml, "NumberOfLines") > 0 ? "tracts" : "";
}

}  // namespace nora
