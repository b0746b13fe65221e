#include "image/io/analyze_header.hpp"

#include "image/io/byte_reader.hpp"
#include "image/io/nifti_header.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <optional>

namespace nora {
namespace {

// Offsets of header_key, image_dimension and data_history.
constexpr std::size_t dimAt = 40;
constexpr std::size_t datatypeAt = 70;
constexpr std::size_t pixdimAt = 76;
constexpr std::size_t calMaxAt = 124;
constexpr std::size_t descripAt = 148;
constexpr std::size_t orientAt = 252;
constexpr std::size_t originatorAt = 253;
constexpr std::size_t descripBytes = 80;
constexpr std::size_t unitsAt = 56;
constexpr std::size_t unitsBytes = 4;

std::endian otherOrder() {
  return std::endian::native == std::endian::little ? std::endian::big : std::endian::little;
}

/// The byte order in which the size of the header is right and the number of dimensions possible.
std::optional<std::endian> orderOf(std::span<const std::byte> bytes) {
  for (const std::endian order : {std::endian::native, otherOrder()}) {
    ByteReader in(bytes, order);
    if (in.number<std::int32_t>() != static_cast<std::int32_t>(analyzeHeaderBytes)) continue;
    in.seek(dimAt);
    const auto rank = in.number<std::int16_t>();
    if (in.good() && rank >= 1 && rank <= 7) return order;
  }
  return std::nullopt;
}

int niftiDatatype(int datatype) {
  switch (datatype) {  // SPM's types that Analyze does not have
    case 130: return 256;
    case 132: return 512;
    case 136: return 768;
    default: return datatype;
  }
}

struct AnalyzeHeader {
  NiftiHeader common;
  double voxOffset = 0;
  int orient = 0;
  std::array<std::int16_t, 3> origin{};  // SPM; voxels from 1
};

AnalyzeHeader parse(std::span<const std::byte> bytes, std::endian order) {
  AnalyzeHeader out;
  NiftiHeader& common = out.common;
  common.swapped = order != std::endian::native;
  common.pair = true;
  ByteReader in(bytes, order);
  in.seek(dimAt);
  for (auto& n : common.dim) n = in.number<std::int16_t>();
  in.seek(datatypeAt);
  common.datatype = niftiDatatype(in.number<std::int16_t>());
  common.bitpix = in.number<std::int16_t>();
  in.seek(pixdimAt);
  for (auto& size : common.pixdim) size = in.number<float>();
  out.voxOffset = in.number<float>();
  common.sclSlope = in.number<float>();  // funused1
  common.sclInter = in.number<float>();  // funused2
  if (!std::isfinite(common.sclInter)) common.sclInter = 0;
  in.seek(calMaxAt);
  common.calMax = in.number<float>();
  common.calMin = in.number<float>();
  in.seek(descripAt);
  common.descrip = in.text(descripBytes);
  in.seek(orientAt);
  out.orient = in.number<std::uint8_t>();
  in.seek(originatorAt);
  for (auto& at : out.origin) at = in.number<std::int16_t>();
  return out;
}

/// Directions of the voxel axes in RAS, by the orient byte.
struct Axes {
  Vec3 x, y, z;
};
constexpr Vec3 toLeft{-1, 0, 0};
constexpr Vec3 toFront{0, 1, 0};
constexpr Vec3 toBack{0, -1, 0};
constexpr Vec3 up{0, 0, 1};
constexpr Vec3 down{0, 0, -1};
constexpr std::array<Axes, 6> axesByOrient{{{toLeft, toFront, up},
                                            {toLeft, up, toFront},
                                            {toFront, up, toLeft},
                                            {toLeft, toBack, up},
                                            {toLeft, down, toFront},
                                            {toFront, down, toLeft}}};

/// SPM's origin if there is a sensible one, else the centre; in voxels from 0.
Vec3 originVoxel(const AnalyzeHeader& header, ImageInfo& info) {
  bool any = false;
  bool sensible = true;
  Vec3 voxel{};
  for (std::size_t a = 0; a < 3; ++a) {
    any = any || header.origin[a] != 0;
    sensible = sensible && header.origin[a] > -info.dims[a] && header.origin[a] < 2 * info.dims[a];
    voxel[a] = header.origin[a] - 1;
  }
  if (any && sensible) {
    info.affineSource = "SPM origin";
    return voxel;
  }
  info.affineSource = "pixdim";
  for (std::size_t a = 0; a < 3; ++a) voxel[a] = static_cast<double>(info.dims[a] - 1) / 2;
  return voxel;
}

void placeBySpm(const SpmPlace& spm, ImageInfo& info) {
  info.worldFromVoxel = spm.worldFromVoxel;
  info.affineSource = "SPM .mat (" + spm.variable + ")";
  if (spm.variable == "mat") return;
  info.warnings.push_back(
      "M of the .mat file does not say left from right: x is taken as stored to the left (shown as " +
      orientationCode(spm.worldFromVoxel) + "), SPM99's habit");
}

void placeByHeader(const AnalyzeHeader& header, ImageInfo& info) {
  const bool known = header.orient < static_cast<int>(axesByOrient.size());
  const Axes& axes = axesByOrient[known ? static_cast<std::size_t>(header.orient) : 0];
  const Vec3 spacing = spacingMm(info.worldFromVoxel);
  const Vec3 origin = originVoxel(header, info);
  Affine affine;
  affine.setColumn(0, axes.x * spacing[0]);
  affine.setColumn(1, axes.y * spacing[1]);
  affine.setColumn(2, axes.z * spacing[2]);
  affine.setColumn(3, affine.direction(origin) * -1.0);
  info.worldFromVoxel = affine;
  info.warnings.push_back("Analyze 7.5 does not say left from right: shown as " + orientationCode(affine) +
                          ", x to the left where slices are axial, as nibabel and SPM do without a .mat file");
  if (!known) {
    info.warnings.push_back("the orient byte is " + std::to_string(header.orient) + "; taken as 0 (axial slices)");
  } else if (header.orient > 0) {
    info.warnings.push_back("the orient byte is " + std::to_string(header.orient) +
                            ", which nora obeys and nibabel and SPM ignore");
  }
}

}  // namespace

bool looksLikeAnalyze(std::span<const std::byte> bytes) {
  return bytes.size() >= analyzeHeaderBytes && !hasNiftiMagic(bytes) && orderOf(bytes).has_value();
}

Result<NiftiLayout> describeAnalyze(std::span<const std::byte> bytes, const std::string& name, const SpmPlace* place) {
  const auto order = orderOf(bytes);
  if (!order || bytes.size() < analyzeHeaderBytes) {
    return fail(ErrorCode::invalidInput, "this is no header of Analyze 7.5, or it is cut short", name);
  }
  AnalyzeHeader header = parse(bytes, *order);
  constexpr double largest = 1e12;
  if (header.voxOffset < 0) {
    return fail(ErrorCode::unsupported, "vox_offset is negative: every slice has bytes of its own before it", name);
  }
  if (!(header.voxOffset < largest) || header.voxOffset != std::floor(header.voxOffset)) {
    return fail(ErrorCode::invalidInput, "vox_offset, the place of the voxels, is not a sensible whole number", name);
  }
  header.common.voxOffset = static_cast<std::int64_t>(header.voxOffset);
  constexpr int firstOfNifti = 256;
  const auto coding = niftiCoding(header.common.datatype);
  if (!coding || (header.common.datatype >= firstOfNifti && header.common.bitpix != static_cast<int>(coding->bits))) {
    return fail(ErrorCode::unsupported, "Analyze datatype " + std::to_string(header.common.datatype) + " is unknown",
                name);
  }
  auto layout = describeNifti(header.common, name);
  if (!layout) return layout;
  layout->info.format = "Analyze 7.5";
  // In place of what describeNifti makes of a header without transforms.
  std::erase_if(layout->info.warnings, [](const std::string& w) { return w.starts_with("no orientation"); });
  place != nullptr ? placeBySpm(*place, layout->info) : placeByHeader(header, layout->info);
  ByteReader in(bytes);
  in.seek(unitsAt);
  const std::string units = printable(trimmed(in.text(unitsBytes)));
  if (!units.empty()) layout->info.fields.emplace_back("vox_units", units);
  return layout;
}

}  // namespace nora
