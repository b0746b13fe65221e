#include "image/io/mz3_reader.hpp"

#include "image/io/byte_reader.hpp"
#include "image/io/mesh_arrays.hpp"
#include "image/io/mesh_content.hpp"

#include <algorithm>
#include <bit>
#include <cstring>
#include <new>

namespace nora {
namespace {

constexpr std::size_t headerBytes = 16;
constexpr std::uint16_t magic = 0x5a4d;  // "MZ"
constexpr std::uint64_t manyLayers = 256;

enum Attribute : std::uint16_t { faces = 1, vertices = 2, rgba = 4, scalars = 8, doubles = 16, lookUpTable = 64 };

struct Header {
  std::uint16_t attributes = 0;
  std::uint32_t faceCount = 0, vertexCount = 0, skip = 0;

  [[nodiscard]] bool has(Attribute attribute) const { return (attributes & attribute) != 0; }
};

Result<Header> parseHeader(std::string_view bytes, const std::string& name) {
  ByteReader reader(std::as_bytes(std::span(bytes)));
  Header header;
  const auto found = reader.number<std::uint16_t>();
  header.attributes = reader.number<std::uint16_t>();
  header.faceCount = reader.number<std::uint32_t>();
  header.vertexCount = reader.number<std::uint32_t>();
  header.skip = reader.number<std::uint32_t>();
  if (!reader.good() || found != magic) {
    return fail(ErrorCode::invalidInput, "this is no MZ3 file, or it is cut short within its header", name);
  }
  constexpr int known = faces | vertices | rgba | scalars | doubles | lookUpTable;
  if ((header.attributes & ~known) != 0 || header.attributes == 0) {
    return fail(ErrorCode::unsupported,
                "the file has attributes (" + std::to_string(header.attributes) + ") that nora does not know", name);
  }
  return header;
}

/// One file: the parts in order.
class Mz3File {
 public:
  Mz3File(const Header& header, std::span<const std::byte> bytes, const std::string& name)
      : header_(header), bytes_(bytes), name_(name), at_(headerBytes + std::size_t{header.skip}) {}

  Result<ReadSurface> read(MemorySink& sink) {
    info_.format = "MZ3";
    info_.vertices = header_.vertexCount;
    if (auto planned = plan(); !planned) return tl::make_unexpected(planned.error());
    if (auto made = arrays_.allocate(sink, name_); !made) return tl::make_unexpected(made.error());
    fill();
    if (auto good = checkMesh(arrays_, info_, name_); !good) return tl::make_unexpected(good.error());
    if (info_.points) applySpaceComment(info_, {});
    if (header_.has(lookUpTable)) info_.warnings.emplace_back("the look-up table of the file is left out");
    info_.structure = structureOfName(name_);
    return ReadSurface{std::move(info_), arrays_.plan.arrays()};
  }

 private:
  [[nodiscard]] tl::unexpected<Error> wrong(std::string what) const {
    return fail(ErrorCode::invalidInput, std::move(what), name_);
  }

  Result<void> plan() {
    const std::uint64_t count = header_.vertexCount;
    const bool hasMesh = header_.has(faces) && header_.has(vertices);
    if (header_.has(faces) && !hasMesh) return wrong("the file has faces, but no vertices");
    std::uint64_t needed = at_;
    if (header_.has(faces)) needed += std::uint64_t{header_.faceCount} * 12;
    if (header_.has(vertices)) needed += count * 12;
    if (header_.has(rgba)) needed += count * 4;
    const std::uint64_t unit = header_.has(doubles) ? sizeof(double) : sizeof(float);
    const bool hasScalars = header_.has(scalars) || header_.has(doubles);
    const std::uint64_t left = bytes_.size() - std::min<std::uint64_t>(bytes_.size(), needed);
    layers_ = hasScalars && count > 0 ? left / (count * unit) : 0;
    if (needed > bytes_.size() || count == 0 || (hasScalars && (layers_ == 0 || left % (count * unit) != 0))) {
      return wrong("the header claims " + std::to_string(header_.faceCount) + " triangles and " +
                   std::to_string(count) + " vertices with their data; the file holds something else, or is cut short");
    }
    if (header_.has(vertices)) {
      planMesh(arrays_, info_, static_cast<std::int64_t>(count), header_.has(faces) ? header_.faceCount : 0);
      if (info_.triangles == 0) info_.warnings.emplace_back("the file has points, but no faces");
    }
    if (header_.has(rgba)) addData("colour", DataRole::colour, VoxelType::uint8, 4);
    planLayers(header_.has(doubles) ? VoxelType::float64 : VoxelType::float32);
    return {};
  }

  void addData(std::string name, DataRole role, VoxelType type, std::int64_t components) {
    const std::size_t array = arrays_.plan.add(type, info_.vertices, components);
    info_.data.push_back({std::move(name), role, array, "", ""});
  }

  /// Many layers (a time series) are the components of one; few are one each.
  void planLayers(VoxelType type) {
    const std::string name = dataNameOf(name_);
    if (layers_ > manyLayers) return addData(name, DataRole::scalar, type, static_cast<std::int64_t>(layers_));
    for (std::uint64_t i = 0; i < layers_; ++i) {
      addData(layers_ == 1 ? name : name + " " + std::to_string(i + 1), DataRole::scalar, type, 1);
    }
  }

  void copy(std::span<std::byte> to) {
    std::memcpy(to.data(), bytes_.data() + at_, to.size());
    at_ += to.size();
  }

  /// The file is little-endian, as are the machines that nora runs on.
  void fill() {
    static_assert(std::endian::native == std::endian::little);
    if (header_.has(faces)) copy(arrays_.bytesOf(*info_.triangleCorners));
    if (header_.has(vertices)) copy(arrays_.bytesOf(*info_.points));
    for (const AttachedData& data : info_.data) {
      const auto components = static_cast<std::size_t>(arrays_.plan.arrays()[data.array].components);
      if (data.role == DataRole::colour || components == 1) {
        copy(arrays_.bytesOf(data.array));
      } else {
        interleave(arrays_.bytesOf(data.array), components, header_.has(doubles) ? sizeof(double) : sizeof(float));
      }
    }
  }

  void interleave(std::span<std::byte> to, std::size_t components, std::size_t unit) {
    const std::byte* from = bytes_.data() + at_;
    const std::size_t count = header_.vertexCount;
    for (std::size_t v = 0; v < count; ++v) {
      for (std::size_t c = 0; c < components; ++c) {
        std::memcpy(to.data() + (v * components + c) * unit, from + (c * count + v) * unit, unit);
      }
    }
    at_ += to.size();
  }

  const Header& header_;
  std::span<const std::byte> bytes_;
  const std::string& name_;
  std::size_t at_;
  std::uint64_t layers_ = 0;
  MeshArrays arrays_;
  SurfaceInfo info_;
};

}  // namespace

bool Mz3Reader::recognises(const InputFile& file) const {
  return hasMeshSuffix(file.name, ".mz3");
}

Result<FileSummary> Mz3Reader::peek(const InputFile& file) const {
  const auto header = parseHeader(beginningOf(file, headerBytes), file.name);
  if (!header) return tl::make_unexpected(header.error());
  return FileSummary{"surface", "MZ3", nullptr};
}

Result<ReadSurface> Mz3Reader::read(std::span<const InputFile> files, const ReadOptions& /*options*/,
                                    MemorySink& sink) const {
  if (files.empty()) return fail(ErrorCode::invalidInput, "no file was given");
  const InputFile& file = files.front();
  try {
    const auto content = MeshContent::of(file);
    if (!content) return tl::make_unexpected(content.error());
    const auto header = parseHeader(content->text().substr(0, headerBytes), file.name);
    if (!header) return tl::make_unexpected(header.error());
    return Mz3File(*header, content->bytes(), file.name).read(sink);
  } catch (const std::bad_alloc&) {
    return fail(ErrorCode::limitExceeded, "out of memory while reading the surface", file.name);
  }
}

}  // namespace nora
