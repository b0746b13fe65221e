#include "image/io/trk_header.hpp"

#include "image/io/byte_reader.hpp"

#include <algorithm>
#include <cmath>
#include <string_view>

namespace nora {
namespace {

constexpr std::size_t reservedBytes = 444;
constexpr std::size_t countAt = 988;
constexpr std::size_t headerSizeAt = 996;
constexpr std::size_t nameBytes = 20;
constexpr std::size_t mostNames = 10;

/// Fields as they are in the file.
struct Raw {
  std::array<std::int16_t, 3> dims{};
  std::array<float, 3> voxelSize{};
  std::array<float, 16> matrix{};
  std::string_view order;
};

/// One slot holds "name", or "name\0n" for n numbers under one name (nibabel's convention).
std::vector<TrkColumns> columnsOf(std::span<const std::byte> slots, std::size_t total, const char* rest) {
  std::vector<TrkColumns> out;
  std::size_t first = 0;
  for (std::size_t i = 0; i < mostNames && first < total; ++i) {
    auto slot = asText(slots.subspan(i * nameBytes, nameBytes));
    while (slot.ends_with('\0')) slot.remove_suffix(1);
    if (slot.empty()) continue;
    const auto zero = slot.find('\0');
    std::size_t count = 1;
    if (zero != std::string_view::npos) count = numberFrom<std::size_t>(slot.substr(zero + 1)).value_or(1);
    if (count == 0) continue;
    count = std::min(count, total - first);
    const auto name = trimmed(slot.substr(0, zero));
    out.push_back({name.empty() ? std::string(rest) : std::string(name), first, count});
    first += count;
  }
  if (first < total) out.push_back({rest, first, total - first});
  return out;
}

/// World axis (0 x, 1 y, 2 z) and direction of each voxel axis.
struct Axis {
  int world = 0;
  int sign = 1;
};
std::optional<std::array<Axis, 3>> axesOf(std::string_view codes) {
  constexpr std::string_view positive = "RAS", negative = "LPI";
  std::array<Axis, 3> out;
  if (codes.size() != 3) return std::nullopt;
  unsigned seen = 0;
  for (std::size_t i = 0; i < 3; ++i) {
    const bool up = positive.find(codes[i]) != std::string_view::npos;
    const auto world = (up ? positive : negative).find(codes[i]);
    if (world == std::string_view::npos) return std::nullopt;
    out[i] = {static_cast<int>(world), up ? 1 : -1};
    seen |= 1u << world;
  }
  if (seen != 7) return std::nullopt;
  return out;
}

std::string upper(std::string_view text) {
  std::string out(text);
  for (char& c : out) c = c >= 'a' && c <= 'z' ? static_cast<char>(c - 32) : c;
  return out;
}

/// Voxel of the matrix from voxel of the stored order, by nibabel's rule (inv_ornt_aff of the stored orientation).
Affine reorient(const std::array<Axis, 3>& stored, const std::array<Axis, 3>& matrix,
                const std::array<std::int16_t, 3>& dims) {
  Affine out;
  for (int i = 0; i < 3; ++i) {
    const Axis& axis = stored[static_cast<std::size_t>(i)];
    int j = 0;
    while (matrix[static_cast<std::size_t>(j)].world != axis.world) ++j;
    const int flip = axis.sign == matrix[static_cast<std::size_t>(j)].sign ? 1 : -1;
    for (int c = 0; c < 3; ++c) out(i, c) = c == j ? flip : 0;
    out(i, 3) = flip > 0 ? 0 : dims[static_cast<std::size_t>(i)] - 1;
  }
  return out;
}

void takeMatrix(const Raw& raw, TrkHeader& header) {
  if (header.version == 1 || raw.matrix[15] == 0) {
    header.warnings.emplace_back(
        "the file does not say where its image lies in space (no vox_to_ras): positions are voxel numbers, not "
        "millimetres, as nibabel takes them");
    return;
  }
  header.hasMatrix = true;
  for (std::size_t i = 0; i < 12; ++i) header.worldFromVoxel.m[i] = raw.matrix[i];
}

Result<void> takeOrder(const Raw& raw, TrkHeader& header, const std::string& name) {
  header.voxelOrder = upper(trimmed(raw.order));
  if (header.voxelOrder.empty()) {
    header.voxelOrder = "LPS";
    header.warnings.emplace_back("the file does not name its voxel order; it was taken as LPS, as TrackVis does");
  }
  if (axesOf(header.voxelOrder)) return {};
  return fail(ErrorCode::invalidInput,
              "the voxel order \"" + header.voxelOrder + "\" is none: three letters such as LPS are wanted", name);
}

Vec3 voxelSize(const Raw& raw, TrkHeader& header) {
  Vec3 size{};
  bool sound = true;
  for (std::size_t i = 0; i < 3; ++i) {
    size[i] = raw.voxelSize[i];
    sound = sound && std::isfinite(size[i]) && size[i] > 0;
  }
  if (sound) return size;
  header.warnings.emplace_back("the voxel size is not a size; that of the matrix vox_to_ras was taken");
  return spacingMm(header.worldFromVoxel);
}

/// The size of the image in the order of the matrix; tells where the axes change places.
void takeDims(const Raw& raw, const std::array<Axis, 3>& stored, const std::array<Axis, 3>& matrix,
              const std::string& matrixOrder, TrkHeader& header) {
  bool swapped = false;
  std::array<std::int64_t, 3> dims{};
  for (std::size_t i = 0; i < 3; ++i) {
    for (std::size_t j = 0; j < 3; ++j) {
      if (matrix[j].world != stored[i].world) continue;
      dims[j] = raw.dims[i];
      swapped = swapped || i != j;
    }
  }
  if (dims[0] > 0 && dims[1] > 0 && dims[2] > 0) header.dims = dims;
  if (!swapped) return;
  header.warnings.push_back("the axes are stored as " + header.voxelOrder + ", the matrix is " + matrixOrder +
                            ": they were turned as nibabel does; hold the streamlines against their image");
}

Result<void> placeInSpace(const Raw& raw, TrkHeader& header, const std::string& name) {
  takeMatrix(raw, header);
  const std::string matrixOrder = orientationCode(header.worldFromVoxel);
  const auto matrix = axesOf(matrixOrder);
  if (!inverse(header.worldFromVoxel) || !matrix) {
    return fail(ErrorCode::invalidInput, "the matrix vox_to_ras makes no sense; the axes cannot be told from it", name);
  }
  if (auto ordered = takeOrder(raw, header, name); !ordered) return ordered;
  const auto stored = axesOf(header.voxelOrder);
  takeDims(raw, *stored, *matrix, matrixOrder, header);
  if (!header.dims && header.voxelOrder != matrixOrder) {
    return fail(ErrorCode::invalidInput,
                "the axes are stored as " + header.voxelOrder + ", the matrix is " + matrixOrder +
                    ", and without the size of the image they cannot be turned",
                name);
  }
  const Vec3 size = voxelSize(raw, header);
  Affine voxel;  // of the stored order, from what is stored
  for (int i = 0; i < 3; ++i) {
    voxel(i, i) = 1 / size[static_cast<std::size_t>(i)];
    voxel(i, 3) = -0.5;
  }
  header.worldFromStored = header.worldFromVoxel * reorient(*stored, *matrix, raw.dims) * voxel;
  return {};
}

Result<std::size_t> numbersPer(std::int16_t count, const char* what, const std::string& name) {
  if (count >= 0) return static_cast<std::size_t>(count);
  return fail(ErrorCode::invalidInput, "the header claims " + std::to_string(count) + " numbers for each " + what,
              name);
}

/// The size of the header is 1000 in one of both orders.
std::endian orderOf(std::span<const std::byte> bytes) {
  ByteReader size(bytes.subspan(headerSizeAt), std::endian::big);
  return size.number<std::int32_t>() == static_cast<std::int32_t>(TrkHeader::bytes) ? std::endian::big
                                                                                    : std::endian::little;
}

Result<void> checkVersion(TrkHeader& header, std::int32_t size, const std::string& name) {
  if (size != static_cast<std::int32_t>(TrkHeader::bytes) || header.count < 0) {
    return fail(ErrorCode::invalidInput, "the header is damaged: its size or the number of streamlines is wrong", name);
  }
  if (header.version < 1 || header.version > 3) {
    return fail(ErrorCode::unsupported,
                "version " + std::to_string(header.version) + " of the TrackVis format is unknown", name);
  }
  if (header.version == 3) header.warnings.emplace_back("version 3 of the format was read as version 2");
  return {};
}

}  // namespace

bool hasTrkMagic(std::span<const std::byte> bytes) {
  return asText(bytes).starts_with("TRACK");
}

Result<TrkHeader> parseTrkHeader(std::span<const std::byte> bytes, const std::string& name) {
  if (!hasTrkMagic(bytes)) {
    return fail(ErrorCode::invalidInput, "the file does not begin as a TrackVis file does (\"TRACK\")", name);
  }
  if (bytes.size() < TrkHeader::bytes) {
    return fail(ErrorCode::invalidInput,
                "the file is cut short: its header has 1000 bytes, the file holds " + std::to_string(bytes.size()),
                name);
  }
  TrkHeader header;
  header.order = orderOf(bytes);
  ByteReader reader(bytes.first(TrkHeader::bytes), header.order);
  Raw raw;
  reader.skip(6);
  for (auto& dim : raw.dims) dim = reader.number<std::int16_t>();
  for (auto& size : raw.voxelSize) size = reader.number<float>();
  reader.skip(12);  // origin: TrackVis does not use it
  const auto scalars = numbersPer(reader.number<std::int16_t>(), "point", name);
  const auto scalarNames = reader.take(mostNames * nameBytes);
  const auto properties = numbersPer(reader.number<std::int16_t>(), "streamline", name);
  const auto propertyNames = reader.take(mostNames * nameBytes);
  for (auto& number : raw.matrix) number = reader.number<float>();
  reader.skip(reservedBytes);
  raw.order = reader.text(4);
  reader.seek(countAt);
  header.count = reader.number<std::int32_t>();
  header.version = reader.number<std::int32_t>();
  const auto size = reader.number<std::int32_t>();
  if (auto known = checkVersion(header, size, name); !known) return tl::make_unexpected(known.error());
  if (!scalars) return tl::make_unexpected(scalars.error());
  if (!properties) return tl::make_unexpected(properties.error());
  header.scalars = *scalars;
  header.properties = *properties;
  header.scalarColumns = columnsOf(scalarNames, *scalars, "scalars");
  header.propertyColumns = columnsOf(propertyNames, *properties, "properties");
  if (auto placed = placeInSpace(raw, header, name); !placed) return tl::make_unexpected(placed.error());
  return header;
}

}  // namespace nora
