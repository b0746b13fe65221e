#include "image/io/cifti_matrix.hpp"

#include "image/io/byte_reader.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>
#include <optional>

namespace nora {
namespace {

constexpr int firstIntent = 3000, lastIntent = 3099;
constexpr std::size_t extensionsAt = 544;
constexpr std::int32_t ciftiExtension = 32;

tl::unexpected<Error> wrong(std::string what, const std::string& name) {
  return fail(ErrorCode::invalidInput, std::move(what), name);
}

std::optional<VoxelType> typeOf(int datatype) {
  switch (datatype) {
    case 2: return VoxelType::uint8;
    case 4: return VoxelType::int16;
    case 8: return VoxelType::int32;
    case 16: return VoxelType::float32;
    case 64: return VoxelType::float64;
    case 256: return VoxelType::int8;
    case 512: return VoxelType::uint16;
    case 768: return VoxelType::uint32;
    case 1024: return VoxelType::int64;
    case 1280: return VoxelType::uint64;
    default: return std::nullopt;
  }
}

/// The text of the header extension with CIFTI's code.
Result<std::string_view> ciftiExtensionOf(std::span<const std::byte> bytes, const NiftiHeader& header,
                                          const std::string& name) {
  const bool bigMachine = std::endian::native == std::endian::big;
  ByteReader reader(bytes, header.swapped != bigMachine ? std::endian::big : std::endian::little);
  reader.seek(extensionsAt);
  const auto end = static_cast<std::size_t>(header.voxOffset);
  constexpr std::int32_t prefix = 8;
  while (reader.good() && reader.position() + prefix <= end) {
    const auto size = reader.number<std::int32_t>();
    const auto code = reader.number<std::int32_t>();
    if (size < prefix || static_cast<std::size_t>(size - prefix) > end - std::min(end, reader.position())) break;
    const std::string_view text = reader.text(static_cast<std::size_t>(size - prefix));
    if (code == ciftiExtension && reader.good()) return text;
  }
  return wrong("the file has no CIFTI extension in its header, or it is damaged", name);
}

/// Rows and columns by the header; on disk a row comes whole.
Result<void> readShape(const NiftiHeader& header, std::span<const std::byte> bytes, const std::string& name,
                       CiftiFile& file) {
  for (std::size_t i = 1; i <= 4; ++i) {
    if (header.dim[0] >= static_cast<std::int64_t>(i) && header.dim[i] > 1) {
      return wrong("the header has other dimensions than those of a CIFTI matrix", name);
    }
  }
  constexpr int rowLength = 5, rowCount = 6;
  if (header.dim[0] > rowCount && header.dim[7] > 1) {
    return fail(ErrorCode::unsupported, "the matrix has more than two dimensions", name);
  }
  if (header.dim[0] < rowCount) return wrong("the header has fewer dimensions than a CIFTI matrix", name);
  file.columns = header.dim[rowLength];
  file.rows = header.dim[rowCount];
  const auto type = typeOf(header.datatype);
  if (!type) return fail(ErrorCode::unsupported, "the values are of a type that CIFTI does not allow", name);
  file.type = *type;
  file.swapped = header.swapped;
  if (header.sclSlope != 0 && std::isfinite(header.sclSlope) && std::isfinite(header.sclInter)) {
    file.slope = header.sclSlope;
    file.inter = header.sclInter;
  }
  file.offset = static_cast<std::size_t>(header.voxOffset);
  std::uint64_t size = 0;
  const std::uint64_t held = bytes.size() - std::min(bytes.size(), file.offset);
  if (file.columns < 1 || file.rows < 1 ||
      __builtin_mul_overflow(static_cast<std::uint64_t>(file.columns), static_cast<std::uint64_t>(file.rows), &size) ||
      __builtin_mul_overflow(size, bytesPerVoxel(*type), &size) || size > held) {
    return wrong("the header claims a matrix of " + std::to_string(file.rows) + " x " + std::to_string(file.columns) +
                     " values, more than the file holds",
                 name);
  }
  return {};
}

std::int64_t lengthOf(const CiftiDimension& dimension, std::int64_t otherwise) {
  switch (dimension.axis) {
    case CiftiAxis::scalars:
    case CiftiAxis::labels: return static_cast<std::int64_t>(dimension.maps.size());
    case CiftiAxis::parcels: return static_cast<std::int64_t>(dimension.parcels.size());
    case CiftiAxis::series: return dimension.seriesLength;
    default: return otherwise;
  }
}

Result<void> checkAxes(const CiftiFile& file, const std::string& name) {
  const auto spatial = [](CiftiAxis a) { return a == CiftiAxis::brainModels || a == CiftiAxis::parcels; };
  const CiftiAxis along = file.along().axis, across = file.across().axis;
  const std::string shape = std::to_string(file.rows) + " x " + std::to_string(file.columns);
  if (spatial(along) && spatial(across)) {
    return fail(ErrorCode::unsupported,
                "this is a connectivity matrix (" + shape + ", " + std::string(toString(across)) + " by " +
                    std::string(toString(along)) + "), not values for a surface; save one row of it as a dscalar file",
                name);
  }
  if (spatial(along) || !spatial(across) || along == CiftiAxis::none) {
    return fail(ErrorCode::unsupported,
                "the rows of the matrix are " + std::string(toString(across)) + " and its columns " +
                    std::string(toString(along)) + "; nora reads brain models or parcels by scalars, labels or series",
                name);
  }
  if (lengthOf(file.along(), file.columns) != file.columns || lengthOf(file.across(), file.rows) != file.rows) {
    return wrong("the XML of the file describes a matrix of another size than " + shape, name);
  }
  return {};
}

CiftiSurface& surfaceOf(CiftiFile& file, const std::string& structure, std::int64_t vertices) {
  for (CiftiSurface& surface : file.surfaces) {
    if (surface.structure == structure) return surface;
  }
  return file.surfaces.emplace_back(CiftiSurface{structure, vertices, {}});
}

/// The places of the rows, each checked.
Result<void> placeModels(CiftiFile& file, const std::string& name) {
  for (const CiftiModel& model : file.across().models) {
    const std::size_t listed = model.surface ? model.indices.size() : model.voxels.size();
    if (model.offset > file.rows || model.count > file.rows - model.offset ||
        listed != static_cast<std::size_t>(model.count)) {
      return wrong("the brain model of " + model.structure + " does not fit the matrix", name);
    }
    for (std::int64_t i = 0; i < model.count; ++i) {
      const auto at = static_cast<std::size_t>(i);
      if (!model.surface) {
        file.voxels.emplace_back(model.voxels[at], model.offset + i);
        continue;
      }
      if (model.indices[at] >= model.vertices) {
        return wrong("the brain model of " + model.structure + " names vertex " + std::to_string(model.indices[at]) +
                         " of " + std::to_string(model.vertices),
                     name);
      }
      surfaceOf(file, model.structure, model.vertices).rows.emplace_back(model.indices[at], model.offset + i);
    }
  }
  return {};
}

Result<void> placeParcels(CiftiFile& file, const std::string& name) {
  for (const auto& [structure, vertices] : file.across().surfaces) surfaceOf(file, structure, vertices);
  std::int64_t row = 0;
  for (const CiftiParcel& parcel : file.across().parcels) {
    for (const auto& [structure, vertices] : parcel.vertices) {
      CiftiSurface& surface = surfaceOf(file, structure, 0);
      for (const std::int64_t vertex : vertices) {
        if (vertex >= surface.vertices) {
          return wrong("parcel \"" + parcel.name + "\" names vertex " + std::to_string(vertex) + " of " +
                           std::to_string(surface.vertices),
                       name);
        }
        surface.rows.emplace_back(vertex, row);
      }
    }
    for (const CiftiVoxel& voxel : parcel.voxels) file.voxels.emplace_back(voxel, row);
    ++row;
  }
  std::erase_if(file.surfaces, [](const CiftiSurface& s) { return s.rows.empty(); });
  return {};
}

/// A few values must not ask for a huge surface or volume.
Result<void> checkPlaces(const CiftiFile& file, std::size_t bytes, const std::string& name) {
  constexpr std::uint64_t freely = 64U << 20, mostTimes = 400;  // a small region of a large surface is real
  for (const CiftiSurface& surface : file.surfaces) {
    std::uint64_t size = sizeof(double);
    const bool overflow = __builtin_mul_overflow(size, static_cast<std::uint64_t>(surface.vertices), &size) ||
                          __builtin_mul_overflow(size, static_cast<std::uint64_t>(file.columns), &size);
    if (!overflow && (size <= freely || size / mostTimes <= bytes)) continue;
    return wrong("the surface of " + surface.structure + " claims " + std::to_string(surface.vertices) +
                     " vertices, more than a file of this size can mean",
                 name);
  }
  if (!file.voxels.empty() && !file.across().hasVolume) return wrong("the voxels of the file have no volume", name);
  const CiftiVoxel& dims = file.across().volumeDims;
  for (const auto& [voxel, row] : file.voxels) {
    if (voxel[0] < dims[0] && voxel[1] < dims[1] && voxel[2] < dims[2]) continue;
    return wrong("row " + std::to_string(row) + " names a voxel outside the volume", name);
  }
  return {};
}

template <class T>
T reversed(T value) {
  auto bytes = std::bit_cast<std::array<std::byte, sizeof(T)>>(value);
  std::reverse(bytes.begin(), bytes.end());
  return std::bit_cast<T>(bytes);
}

}  // namespace

bool hasCiftiHeader(std::span<const std::byte> beginning, const std::string& name) {
  if (!hasNiftiMagic(beginning)) return false;
  const auto header = parseNiftiHeader(beginning, name);
  return header && header->version == 2 && header->intentCode >= firstIntent && header->intentCode <= lastIntent;
}

Result<CiftiFile> openCifti(std::span<const std::byte> bytes, const std::string& name) {
  const auto header = parseNiftiHeader(bytes.first(std::min(bytes.size(), niftiHeaderBytes)), name);
  if (!header) return tl::make_unexpected(header.error());
  if (header->version != 2 || header->voxOffset < static_cast<std::int64_t>(extensionsAt) ||
      static_cast<std::uint64_t>(header->voxOffset) > bytes.size()) {
    return wrong("this is no CIFTI-2 file, or it is cut short", name);
  }
  CiftiFile file;
  const auto text = ciftiExtensionOf(bytes, *header, name);
  if (!text) return tl::make_unexpected(text.error());
  auto xml = parseCifti(*text, name);
  if (!xml) return tl::make_unexpected(xml.error());
  file.xml = std::move(*xml);
  if (auto good = readShape(*header, bytes, name, file); !good) return tl::make_unexpected(good.error());
  if (auto good = checkAxes(file, name); !good) return tl::make_unexpected(good.error());
  const bool parcels = file.across().axis == CiftiAxis::parcels;
  if (auto placed = parcels ? placeParcels(file, name) : placeModels(file, name); !placed) {
    return tl::make_unexpected(placed.error());
  }
  if (auto good = checkPlaces(file, bytes.size(), name); !good) return tl::make_unexpected(good.error());
  if (file.surfaces.empty() && file.voxels.empty()) return wrong("the file names neither vertices nor voxels", name);
  return file;
}

void readCiftiRow(const CiftiFile& file, std::span<const std::byte> bytes, std::int64_t row, std::span<double> out) {
  visitScalar(file.type, [&](auto zero) {
    using T = decltype(zero);
    const std::byte* from = bytes.data() + file.offset + static_cast<std::size_t>(row * file.columns) * sizeof(T);
    for (double& value : out) {
      T number;
      std::memcpy(&number, from, sizeof number);
      from += sizeof number;
      if (file.swapped) number = reversed(number);
      value = file.slope * static_cast<double>(number) + file.inter;
    }
  });
}

}  // namespace nora
