#include "image/io/nifti_space.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>
#include <limits>
#include <optional>

namespace nora {
namespace {

/// Codes that nifti1.h defines: scanner, aligned, Talairach, MNI, other template.
bool isUsed(int code, const char* form, ImageInfo& info) {
  constexpr int lastCode = 5;
  if (code >= 1 && code <= lastCode) return true;
  if (code != 0) info.warnings.push_back(std::string(form) + " code " + std::to_string(code) + " is unknown; ignored");
  return false;
}

/// Voxel sizes that make sense: 1 mm instead of 0 or NaN, absolute values, as nibabel mends them.
Vec3 mendedSpacing(const NiftiHeader& header, ImageInfo& info) {
  Vec3 spacing{};
  for (std::size_t a = 0; a < 3; ++a) {
    const double size = std::abs(header.pixdim[a + 1]);
    const bool sensible = std::isfinite(size) && size > 0;
    spacing[a] = sensible ? size : 1;
    if (info.dims[a] == 1) continue;
    const std::string axis(1, "xyz"[a]);
    if (!sensible) info.warnings.push_back("the voxel size along " + axis + " is not a number above 0; taken as 1 mm");
    if (header.pixdim[a + 1] < 0)
      info.warnings.push_back("the voxel size along " + axis + " is negative; sign dropped");
  }
  return spacing;
}

Affine sformOf(const NiftiHeader& header) {
  Affine out;
  std::copy(header.srow.begin(), header.srow.end(), out.m.begin());
  return out;
}

/// a of the unit quaternion (a, b, c, d), or nothing if b, c, d are too long to be part of one.
std::optional<double> realPart(const NiftiHeader& header, ImageInfo& info) {
  const auto& q = header.quatern;
  const double left = 1 - (q[0] * q[0] + q[1] * q[1] + q[2] * q[2]);
  constexpr double gross = 1e-2;
  if (!(left > -gross)) return std::nullopt;
  const double rounding = 3 * (header.version == 1 ? static_cast<double>(std::numeric_limits<float>::epsilon())
                                                   : std::numeric_limits<double>::epsilon());
  if (left < -rounding) info.warnings.push_back("the quaternion of the qform is longer than 1; normalised");
  return std::sqrt(std::max(left, 0.0));
}

std::optional<Affine> qformOf(const NiftiHeader& header, const Vec3& spacing, ImageInfo& info) {
  const auto real = realPart(header, info);
  const bool placed =
      std::all_of(header.qoffset.begin(), header.qoffset.end(), [](double v) { return std::isfinite(v); });
  if (!real || !placed) return std::nullopt;
  const double a = *real;
  const auto [b, c, d] = header.quatern;
  const double s = 2 / (a * a + b * b + c * c + d * d);  // normalises
  const double qfac = header.pixdim[0] == -1 ? -1 : 1;
  Affine out;
  out.setColumn(0, Vec3{1 - s * (c * c + d * d), s * (b * c + a * d), s * (b * d - a * c)} * spacing[0]);
  out.setColumn(1, Vec3{s * (b * c - a * d), 1 - s * (b * b + d * d), s * (c * d + a * b)} * spacing[1]);
  out.setColumn(2, Vec3{s * (b * d + a * c), s * (c * d - a * b), 1 - s * (b * b + c * c)} * (spacing[2] * qfac));
  out.setColumn(3, header.qoffset);
  return out;
}

/// nibabel's get_base_affine: Analyze's habits, radiological and centred.
Affine pixdimAffine(const NiftiHeader& header, const Vec3& spacing, ImageInfo& info) {
  Affine out;
  for (int a = 0; a < 3; ++a) {
    const auto axis = static_cast<std::size_t>(a);
    const double size = header.dim[0] > a ? spacing[axis] : 1;
    const double step = a == 0 ? -size : size;
    out(a, a) = step;
    out(a, 3) = -step * static_cast<double>(info.dims[axis] - 1) / 2;
  }
  info.warnings.emplace_back("no orientation in the header: left and right are a guess");
  return out;
}

double millimetresPerUnit(int xyztUnits, ImageInfo& info) {
  constexpr int spaceMask = 0x07;
  constexpr int metre = 1;
  constexpr int micron = 3;
  switch (xyztUnits & spaceMask) {
    case metre: info.warnings.emplace_back("the header is in metres; scaled to millimetres"); return 1000;
    case micron: info.warnings.emplace_back("the header is in microns; scaled to millimetres"); return 0.001;
    default: return 1;
  }
}

/// What the codes allow and can be inverted.
struct Candidates {
  std::optional<Affine> sform;
  std::optional<Affine> qform;
  bool stated = false;  // the header claims at least one of them
  bool qformFirst = false;

  [[nodiscard]] bool useQform() const { return qform && (qformFirst || !sform); }
  [[nodiscard]] std::string used() const { return useQform() ? "; the qform is used" : "; the sform is used"; }
};

/// Where sform and qform put the corners of the image apart: their greatest distance.
double distanceMm(const Affine& a, const Affine& b, const ImageInfo& info) {
  double most = 0;
  for (std::size_t corner = 0; corner < 8; ++corner) {
    Vec3 voxel{};
    for (std::size_t axis = 0; axis < 3; ++axis) {
      voxel[axis] = (corner >> axis & 1) != 0 ? static_cast<double>(info.dims[axis] - 1) : 0;
    }
    most = std::max(most, length(a.point(voxel) - b.point(voxel)));
  }
  return most;
}

std::string shortNumber(double value) {
  std::array<char, 32> text{};
  std::snprintf(text.data(), text.size(), "%.6g", value == 0 ? 0 : value);  // no "-0"
  return text.data();
}

/// The form that is not used is kept as text where it is another one. Codes that differ mean two spaces (scanner and
/// MNI), which is as it should be; the same code with two places is a contradiction.
void keepOther(const NiftiHeader& header, const Candidates& candidates, double scale, ImageInfo& info) {
  constexpr double sameMm = 0.01;
  const Affine &sform = *candidates.sform, &qform = *candidates.qform;
  const bool keepSform = candidates.useQform();
  const Affine& kept = keepSform ? sform : qform;
  const double apart = distanceMm(sform, qform, info) * scale;
  if (!(apart > sameMm)) return;
  std::string rows = "code " + std::to_string(keepSform ? header.sformCode : header.qformCode) + ", mm:";
  for (std::size_t i = 0; i < 12; ++i) rows += (i > 0 && i % 4 == 0 ? " | " : " ") + shortNumber(kept.m[i] * scale);
  info.fields.emplace_back(keepSform ? "sform" : "qform", rows);
  const Vec3 spacing = spacingMm(sform);
  const double halfVoxelMm = std::min({spacing[0], spacing[1], spacing[2]}) * scale / 2;
  const bool sameHand = (determinant(sform) > 0) == (determinant(qform) > 0);  // else that was said already
  if (header.sformCode == header.qformCode && sameHand && apart > halfVoxelMm) {
    info.warnings.push_back("sform and qform have the same code but put the image up to " + shortNumber(apart) +
                            " mm apart" + candidates.used());
  }
}

Candidates candidatesOf(const NiftiHeader& header, bool preferQform, ImageInfo& info) {
  Candidates out;
  out.qformFirst = preferQform;
  const bool useSform = isUsed(header.sformCode, "sform", info);
  const bool useQform = isUsed(header.qformCode, "qform", info);
  out.stated = useSform || useQform;
  if (useSform) out.sform = sformOf(header);
  if (useQform) out.qform = qformOf(header, mendedSpacing(header, info), info);
  if (out.sform && !inverse(*out.sform)) {
    out.sform.reset();
    info.warnings.emplace_back("the sform is singular; ignored");
  }
  if (out.qform && !inverse(*out.qform)) out.qform.reset();
  if (useQform && useSform && !out.qform) info.warnings.emplace_back("the qform makes no sense; ignored");
  if (out.sform && out.qform && (determinant(*out.sform) > 0) != (determinant(*out.qform) > 0)) {
    info.warnings.push_back("sform and qform disagree about left and right" + out.used());
  }
  return out;
}

}  // namespace

Result<void> placeInSpace(const NiftiHeader& header, const std::string& name, bool preferQform, ImageInfo& info) {
  const Candidates candidates = candidatesOf(header, preferQform, info);
  if (candidates.useQform()) {
    info.worldFromVoxel = *candidates.qform;
    info.affineSource = "qform";
  } else if (candidates.sform) {
    info.worldFromVoxel = *candidates.sform;
    info.affineSource = "sform";
  } else if (candidates.stated) {
    const auto [b, c, d] = header.quatern;
    return fail(ErrorCode::invalidInput,
                "neither the sform (srow_x, srow_y, srow_z) nor the qform (quatern_b, c, d: " + shortNumber(b) + ", " +
                    shortNumber(c) + ", " + shortNumber(d) + ") of the header is a transform, so the image has no " +
                    "place; write a right one, or set qform_code and sform_code to 0 to have it centred",
                name);
  } else {
    info.worldFromVoxel = pixdimAffine(header, mendedSpacing(header, info), info);
    info.affineSource = "pixdim";
  }
  const double scale = millimetresPerUnit(header.xyztUnits, info);
  if (candidates.sform && candidates.qform) {
    keepOther(header, candidates, scale, info);
  }
  for (std::size_t i = 0; i < 12; ++i) info.worldFromVoxel.m[i] *= scale;
  if (!inverse(info.worldFromVoxel)) {
    return fail(ErrorCode::invalidInput, "the affine of the header cannot be inverted", name);
  }
  return {};
}

}  // namespace nora
