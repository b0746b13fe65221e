#include "image/io/gifti_reader.hpp"

#include "image/io/gifti_columns.hpp"
#include "image/io/gifti_data.hpp"
#include "image/io/gifti_space.hpp"
#include "image/io/mesh_arrays.hpp"
#include "image/io/mesh_content.hpp"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <new>
#include <set>

namespace nora {
namespace {

constexpr std::size_t batch = 16;  // time points that are written together: 64 bytes of float32 a vertex

/// A number of an array in memory as double.
double numberAt(VoxelType type, std::span<const std::byte> bytes, std::size_t i) {
  return visitScalar(type, [&](auto zero) {
    auto value = zero;
    std::memcpy(&value, bytes.data() + i * sizeof value, sizeof value);
    return static_cast<double>(value);
  });
}

/// False: the number does not fit the type that its role wants.
bool putNumber(VoxelType type, DataRole role, bool fromReal, double value, std::byte* to) {
  const auto put = [&](auto number) { std::memcpy(to, &number, sizeof number); };
  switch (type) {
    case VoxelType::float32: put(static_cast<float>(value)); return true;
    case VoxelType::float64: put(value); return true;
    case VoxelType::uint8: {
      const double byte = role == DataRole::colour && fromReal ? value * 255 : value;
      put(static_cast<std::uint8_t>(std::isfinite(byte) ? std::lround(std::clamp(byte, 0.0, 255.0)) : 0));
      return true;
    }
    case VoxelType::int32:
      if (!(std::abs(value) <= std::numeric_limits<std::int32_t>::max()) || value != std::floor(value)) return false;
      put(static_cast<std::int32_t>(value));
      return true;
    case VoxelType::uint32:
      if (!(value >= 0 && value <= std::numeric_limits<std::uint32_t>::max()) || value != std::floor(value)) {
        return false;
      }
      put(static_cast<std::uint32_t>(value));
      return true;
    default: return false;
  }
}

/// Reads one file: the steps in order.
class GiftiFile {
 public:
  GiftiFile(const GiftiXml& xml, GiftiSource source, const ReadOptions& options)
      : xml_(xml), source_(std::move(source)), options_(options) {}

  Result<ReadSurface> read(MemorySink& sink) {
    auto contents = sortGifti(xml_, source_.name);
    if (!contents) return tl::make_unexpected(contents.error());
    contents_ = std::move(*contents);
    for (const auto step : {&GiftiFile::checkClaims, &GiftiFile::readNodeIndex, &GiftiFile::plan}) {
      if (auto done = (this->*step)(); !done) return tl::make_unexpected(done.error());
    }
    if (auto made = arrays_.allocate(sink, source_.name); !made) return tl::make_unexpected(made.error());
    for (const auto step : {&GiftiFile::fillMesh, &GiftiFile::fillColumns}) {
      if (auto done = (this->*step)(); !done) return tl::make_unexpected(done.error());
    }
    describe();
    return ReadSurface{std::move(info_), arrays_.plan.arrays()};
  }

 private:
  [[nodiscard]] tl::unexpected<Error> wrong(std::string what) const {
    return fail(ErrorCode::invalidInput, std::move(what), source_.name);
  }

  Result<void> checkClaims() {
    for (const GiftiArray& array : xml_.arrays) {
      if (auto bytes = giftiBytes(array, source_); !bytes) return tl::make_unexpected(bytes.error());
    }
    return {};
  }

  /// Values for some vertices only: their numbers.
  Result<void> readNodeIndex() {
    if (!contents_.nodeIndex) return {};
    const GiftiArray& array = xml_.arrays[*contents_.nodeIndex];
    const auto bytes = giftiBytes(array, source_);
    std::vector<std::byte> raw(*bytes);
    if (auto decoded = decodeGifti(array, source_, raw); !decoded) return decoded;
    nodes_.resize(raw.size() / bytesPerVoxel(array.type));
    std::size_t largest = 0;
    constexpr double most = 1U << 28;  // more vertices than any surface has
    for (std::size_t i = 0; i < nodes_.size(); ++i) {
      const double node = numberAt(array.type, raw, i);
      if (!(node >= 0 && node < most)) return wrong("a node index of the file is no vertex");
      nodes_[i] = static_cast<std::size_t>(node);
      largest = std::max(largest, nodes_[i] + 1);
    }
    sparseVertices_ = contents_.points ? static_cast<std::size_t>(xml_.arrays[*contents_.points].count()) : largest;
    if (largest > sparseVertices_) return wrong("a node index of the file is no vertex of its mesh");
    if (!contents_.points) {
      info_.warnings.emplace_back(
          "values are given for some vertices only; their number is taken from the largest index");
      info_.verticesAtLeast = true;
    }
    return {};
  }

  [[nodiscard]] bool sparse(const GiftiColumn& column) const {
    return contents_.nodeIndex && static_cast<std::size_t>(column.count) == nodes_.size();
  }

  Result<void> plan() {
    info_.format = "GIFTI";
    if (contents_.points) {
      const std::int64_t triangles = contents_.triangles ? xml_.arrays[*contents_.triangles].count() : 0;
      planMesh(arrays_, info_, xml_.arrays[*contents_.points].count(), triangles);
      if (triangles == 0) info_.warnings.emplace_back("the file has points, but no triangles");
    }
    std::vector<GiftiColumn> kept;
    for (GiftiColumn& column : contents_.columns) {
      const std::int64_t count = sparse(column) ? static_cast<std::int64_t>(sparseVertices_) : column.count;
      if (contents_.points && count != info_.vertices) {
        info_.warnings.push_back("\"" + column.data.name + "\" has " + std::to_string(count) + " values for " +
                                 std::to_string(info_.vertices) + " vertices and is left out");
        continue;
      }
      if (sparse(column) && column.data.role == DataRole::scalar) {
        column.type = bytesPerVoxel(column.type) > 2 && column.type != VoxelType::float32 ? VoxelType::float64
                                                                                          : VoxelType::float32;
      }
      column.data.array = arrays_.plan.add(column.type, count, column.components);
      kept.push_back(std::move(column));
    }
    contents_.columns = std::move(kept);
    return {};
  }

  /// Decodes an array into one of nora's, in which it is all.
  Result<void> fillWhole(const GiftiArray& array, std::size_t target) {
    const VoxelType type = arrays_.plan.arrays()[target].type;
    const auto out = arrays_.bytesOf(target);
    const bool sameBits = type == array.type || (type == VoxelType::uint32 && array.type == VoxelType::int32);
    if (sameBits) return decodeGifti(array, source_, out);
    const auto bytes = giftiBytes(array, source_);
    std::vector<std::byte> raw(*bytes);
    if (auto decoded = decodeGifti(array, source_, raw); !decoded) return decoded;
    for (std::size_t i = 0; i < raw.size() / bytesPerVoxel(array.type); ++i) {
      const double value = numberAt(array.type, raw, i);
      if (!putNumber(type, DataRole::scalar, false, value, out.data() + i * bytesPerVoxel(type))) {
        return wrong("number " + std::to_string(i) + " of the triangles is no index of a vertex");
      }
    }
    return {};
  }

  Result<void> fillMesh() {
    if (!contents_.points) return {};
    const GiftiArray& points = xml_.arrays[*contents_.points];
    if (auto done = fillWhole(points, *info_.points); !done) return done;
    if (contents_.triangles) {
      if (auto done = fillWhole(xml_.arrays[*contents_.triangles], *info_.triangleCorners); !done) return done;
    }
    return checkMesh(arrays_, info_, source_.name);
  }

  Result<void> fillColumns() {
    for (std::size_t i = 0; i < contents_.columns.size(); ++i) {
      const GiftiColumn& column = contents_.columns[i];
      options_.progress(static_cast<double>(i) / static_cast<double>(contents_.columns.size()));
      const GiftiArray& first = xml_.arrays[column.sources.front()];
      const bool whole = column.sources.size() == 1 && first.type == column.type && !sparse(column);
      if (auto done = whole ? decodeGifti(first, source_, arrays_.bytesOf(column.data.array)) : fillMixed(column);
          !done) {
        return done;
      }
    }
    return {};
  }

  /// A column of several arrays, of another type than in the file, or spread over more vertices.
  Result<void> fillMixed(const GiftiColumn& column) {
    if (sparse(column)) fillMissing(column);
    const GiftiArray& first = xml_.arrays[column.sources.front()];
    const std::size_t each = static_cast<std::size_t>(column.components) / column.sources.size();
    const std::size_t bytes = static_cast<std::size_t>(column.count) * each * bytesPerVoxel(first.type);
    for (std::size_t start = 0; start < column.sources.size(); start += batch) {
      const std::size_t end = std::min(start + batch, column.sources.size());
      std::vector<std::vector<std::byte>> raw;
      for (std::size_t s = start; s < end; ++s) {
        raw.emplace_back(bytes);
        if (auto done = decodeGifti(xml_.arrays[column.sources[s]], source_, raw.back()); !done) return done;
      }
      if (!scatter(column, first.type, start * each, each, raw)) {
        return wrong("\"" + column.data.name + "\" has a value that is no label key (a whole number of 32 bits)");
      }
      options_.progress(static_cast<double>(end) / static_cast<double>(column.sources.size()));
    }
    return {};
  }

  /// What vertices without a value have: NaN, or a key that no label has.
  void fillMissing(const GiftiColumn& column) {
    const double nothing = column.data.role == DataRole::label    ? -1
                           : column.data.role == DataRole::colour ? 0
                                                                  : std::numeric_limits<double>::quiet_NaN();
    const auto out = arrays_.bytesOf(column.data.array);
    for (std::size_t at = 0; at < out.size(); at += bytesPerVoxel(column.type)) {
      putNumber(column.type, column.data.role, false, nothing, out.data() + at);
    }
  }

  /// Writes the numbers of some sources as components from `component` on.
  bool scatter(const GiftiColumn& column, VoxelType stored, std::size_t component, std::size_t each,
               const std::vector<std::vector<std::byte>>& raw) {
    const auto out = arrays_.bytesOf(column.data.array);
    const std::size_t size = bytesPerVoxel(column.type);
    const auto components = static_cast<std::size_t>(column.components);
    const bool spread = sparse(column);
    for (std::size_t v = 0; v < static_cast<std::size_t>(column.count); ++v) {
      std::byte* to = out.data() + ((spread ? nodes_[v] : v) * components + component) * size;
      for (const auto& source : raw) {
        for (std::size_t c = 0; c < each; ++c, to += size) {
          if (stored == column.type) {
            std::memcpy(to, source.data() + (v * each + c) * size, size);
          } else if (!putNumber(column.type, column.data.role, isFloat(stored), numberAt(stored, source, v * each + c),
                                to)) {
            return false;
          }
        }
      }
    }
    return true;
  }

  /// Many writers call their normals vectors and give them no name.
  [[nodiscard]] bool areUnit(std::size_t array) const {
    constexpr double tolerance = 1e-3;
    const auto values = arrays_.as<float>(array);
    for (std::size_t i = 0; i + 2 < values.size(); i += 3) {
      if (!(std::abs(length(Vec3{values[i], values[i + 1], values[i + 2]}) - 1) < tolerance)) return false;
    }
    return true;
  }

  void describe() {
    std::set<std::int64_t> counts;
    for (GiftiColumn& column : contents_.columns) {
      counts.insert(arrays_.plan.arrays()[column.data.array].count);
      if (column.data.role == DataRole::vector && areUnit(column.data.array)) column.data.role = DataRole::normal;
      info_.data.push_back(std::move(column.data));
    }
    if (!contents_.points) info_.vertices = counts.size() == 1 ? *counts.begin() : 0;
    for (std::string& warning : contents_.warnings) info_.warnings.push_back(std::move(warning));
    describeStructure();
    if (contents_.points) {
      const Affine world = worldFromGifti(xml_, xml_.arrays[*contents_.points], info_);
      if (!(world == Affine{})) transformMesh(arrays_, info_, world);
    }
    info_.description = std::string(valueOf(xml_.meta, "Description"));
  }

  void describeStructure() {
    constexpr std::string_view key = "AnatomicalStructurePrimary";
    info_.structure = std::string(valueOf(xml_.meta, key));
    for (const GiftiArray& array : xml_.arrays) {
      if (!info_.structure.empty()) break;
      info_.structure = std::string(valueOf(array.meta, key));
    }
    if (info_.structure.empty()) info_.structure = structureOfName(source_.name);
    for (const char* field : {"AnatomicalStructureSecondary", "GeometricType", "TimeStep"}) {
      for (const GiftiArray& array : xml_.arrays) {
        const auto value = valueOf(array.meta, field);
        if (value.empty()) continue;
        info_.fields.emplace_back(field, std::string(value));
        break;
      }
    }
  }

  const GiftiXml& xml_;
  GiftiSource source_;
  const ReadOptions& options_;
  GiftiContents contents_;
  MeshArrays arrays_;
  SurfaceInfo info_;
  std::vector<std::size_t> nodes_;
  std::size_t sparseVertices_ = 0;
};

}  // namespace

bool GiftiReader::recognises(const InputFile& file) const {
  constexpr std::size_t rootWithin = 1024;
  if (hasMeshSuffix(file.name, ".gii")) return true;
  return beginningOf(file, rootWithin).find("<GIFTI") != std::string::npos;
}

Result<FileSummary> GiftiReader::peek(const InputFile& file) const {
  if (file.bytes.empty()) return fail(ErrorCode::invalidInput, "the file is empty", file.name);
  constexpr std::size_t rootWithin = 4096;
  const std::string beginning = beginningOf(file, rootWithin);
  if (beginning.find("<GIFTI") == std::string::npos) {
    return fail(ErrorCode::invalidInput, "this is no GIFTI file: it does not begin with its XML", file.name);
  }
  FileSummary summary{"surface", "GIFTI", nullptr};
  constexpr std::size_t externalWithin = std::size_t{1} << 20;  // what names other files holds no data itself
  const std::string start = beginningOf(file, externalWithin);
  if (start.find("ExternalFileBinary") == std::string::npos && start.find("_EXTBIN") == std::string::npos) {
    return summary;
  }
  const auto content = MeshContent::of(file);
  if (!content) return tl::make_unexpected(content.error());
  const auto xml = parseGifti(content->text(), file.name);
  if (!xml) return tl::make_unexpected(xml.error());
  for (const GiftiArray& array : xml->arrays) {
    if (array.encoding != GiftiEncoding::external) continue;
    auto& parts = summary.parts;
    if (std::find(parts.begin(), parts.end(), array.externalName) == parts.end()) parts.push_back(array.externalName);
  }
  return summary;
}

Result<ReadSurface> GiftiReader::read(std::span<const InputFile> files, const ReadOptions& options,
                                      MemorySink& sink) const {
  if (files.empty()) return fail(ErrorCode::invalidInput, "no file was given");
  const InputFile& file = files.front();
  try {
    const auto content = MeshContent::of(file);
    if (!content) return tl::make_unexpected(content.error());
    const auto xml = parseGifti(content->text(), file.name);
    if (!xml) return tl::make_unexpected(xml.error());
    return GiftiFile(*xml, {content->text(), files.subspan(1), file.name}, options).read(sink);
  } catch (const std::bad_alloc&) {
    return fail(ErrorCode::limitExceeded, "out of memory while reading the surface", file.name);
  }
}

}  // namespace nora
