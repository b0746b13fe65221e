#include "image/io/nifti_layout.hpp"

#include "image/io/nifti_space.hpp"

#include <algorithm>
#include <cmath>
#include <string_view>
#include <utility>

namespace nora {
namespace {

using Dims = std::array<std::int64_t, 8>;  // as in the header: [1] is x

constexpr int symmetricMatrix = 1005;
constexpr int displacementVector = 1006;
constexpr int vectorIntent = 1007;
constexpr int rgbVector = 2003;
constexpr int rgbaVector = 2004;

std::string_view intentText(int code) {
  static constexpr std::pair<int, std::string_view> names[] = {
      {2, "correlation"},
      {3, "t test"},
      {4, "f test"},
      {5, "z score"},
      {6, "chi2"},
      {7, "beta"},
      {8, "binomial"},
      {9, "gamma"},
      {10, "poisson"},
      {11, "normal"},
      {12, "non central f test"},
      {13, "non central chi2"},
      {14, "logistic"},
      {15, "laplace"},
      {16, "uniform"},
      {17, "non central t test"},
      {18, "weibull"},
      {19, "chi"},
      {20, "inverse gaussian"},
      {21, "extreme value 1"},
      {22, "p value"},
      {23, "log p value"},
      {24, "log10 p value"},
      {1001, "estimate"},
      {1002, "label"},
      {1003, "neuroname"},
      {1004, "general matrix"},
      {symmetricMatrix, "symmetric matrix"},
      {displacementVector, "displacement vector"},
      {vectorIntent, "vector"},
      {1008, "pointset"},
      {1009, "triangle"},
      {1010, "quaternion"},
      {1011, "dimensionless"},
      {2001, "time series"},
      {2002, "node index"},
      {rgbVector, "rgb vector"},
      {rgbaVector, "rgba vector"},
      {2005, "shape"},
  };
  const auto* found = std::find_if(std::begin(names), std::end(names), [&](const auto& n) { return n.first == code; });
  return found == std::end(names) ? std::string_view{} : found->second;
}

/// dim[1] to dim[7], with 1 where there is none.
Result<Dims> checkedDims(const NiftiHeader& header, const std::string& name, ImageInfo& info) {
  const std::int64_t rank = header.dim[0];
  if (rank < 1 || rank > 7) {
    return fail(ErrorCode::invalidInput, "dim[0] is " + std::to_string(rank) + "; it must be 1 to 7", name);
  }
  Dims dims{rank, 1, 1, 1, 1, 1, 1, 1};
  for (std::size_t i = 1; i <= static_cast<std::size_t>(rank); ++i) {
    dims[i] = header.dim[i];
    const std::string field = "dim[" + std::to_string(i) + "]";
    if (dims[i] < 0 || (dims[i] == 0 && i == 1)) {
      return fail(ErrorCode::invalidInput, field + " is " + std::to_string(dims[i]) + "; it must be 1 or more", name);
    }
    if (dims[i] > 0) continue;
    dims[i] = 1;
    info.warnings.push_back(field + " is 0; taken as 1");
  }
  return dims;
}

bool isVectorIntent(int code) {
  return code == displacementVector || code == vectorIntent || code == rgbVector || code == rgbaVector;
}

Result<void> setDims(const Dims& dims, int intentCode, const std::string& name, ImageInfo& info) {
  info.dims = {dims[1], dims[2], dims[3]};
  info.timePoints = dims[4];
  info.components = dims[5];
  for (const std::int64_t more : {dims[6], dims[7]}) {
    if (more > 1) info.warnings.emplace_back("dimensions 6 and 7 are shown as components");
    if (__builtin_mul_overflow(info.components, more, &info.components)) {
      return fail(ErrorCode::invalidInput, "the dimensions overflow", name);
    }
  }
  const bool isVector = isVectorIntent(intentCode) && dims[4] >= 2 && dims[4] <= 4;
  const bool isTensor = intentCode == symmetricMatrix && dims[4] == 6;
  if (info.components == 1 && (isVector || isTensor)) std::swap(info.timePoints, info.components);
  return {};
}

double secondsPerUnit(int xyztUnits) {
  constexpr int timeMask = 0x38;
  switch (xyztUnits & timeMask) {
    case 8: return 1;
    case 16: return 1e-3;
    case 24: return 1e-6;
    default: return 0;  // unknown, or not a time: hertz, ppm, rad/s
  }
}

void setTexts(const NiftiHeader& header, ImageInfo& info) {
  info.format = header.version == 1 ? "NIfTI-1" : "NIfTI-2";
  info.intent = std::string(intentText(header.intentCode));
  const bool isVector = isVectorIntent(header.intentCode);
  if (isVector || header.intentCode == symmetricMatrix) {
    info.fields.emplace_back("intent", info.intent);
    info.intent = isVector ? "vector" : "tensor";
  }
  constexpr const char* blanks = " \t\r\n";
  const std::size_t first = header.descrip.find_first_not_of(blanks);
  if (first == std::string::npos) return;
  info.description = printable(header.descrip.substr(first, header.descrip.find_last_not_of(blanks) - first + 1));
}

void setScale(const NiftiHeader& header, NiftiLayout& layout) {
  const bool scaled = header.sclSlope != 0 && std::isfinite(header.sclSlope) && !isColour(layout.coding.type);
  if (!scaled) return;
  layout.scale.slope = header.sclSlope;
  if (std::isfinite(header.sclInter)) {
    layout.scale.inter = header.sclInter;
  } else {
    layout.info.warnings.emplace_back("scl_inter is not a finite number; taken as 0");
  }
  if (layout.coding.complex) return;
  layout.info.slope = layout.scale.slope;
  layout.info.inter = layout.scale.inter;
}

void setRanges(const NiftiHeader& header, ImageInfo& info) {
  if (std::isfinite(header.calMin) && std::isfinite(header.calMax) && header.calMax > header.calMin) {
    info.windowLow = header.calMin;
    info.windowHigh = header.calMax;
  }
  const double step = header.pixdim[4] * secondsPerUnit(header.xyztUnits);
  if (info.timePoints > 1 && std::isfinite(step) && step > 0) info.timeStepSeconds = step;
}

Result<void> setOffset(const NiftiHeader& header, const std::string& name, NiftiLayout& layout) {
  constexpr std::int64_t largest = std::int64_t{1} << 40;  // far beyond any extension, and safe to add to
  std::int64_t offset = header.voxOffset;
  if (offset < 0 || offset > largest) {
    return fail(ErrorCode::invalidInput, "vox_offset is " + std::to_string(offset) + ": no place in a file", name);
  }
  if (!header.pair && offset < header.smallestOffset()) {
    layout.info.warnings.push_back("vox_offset is " + std::to_string(offset) + ", inside the header; taken as " +
                                   std::to_string(header.smallestOffset()));
    offset = header.smallestOffset();
  }
  layout.offset = static_cast<std::uint64_t>(offset);
  return {};
}

Result<void> setCoding(const NiftiHeader& header, const std::string& name, NiftiLayout& layout) {
  const auto coding = niftiCoding(header.datatype);
  if (!coding) {
    return fail(ErrorCode::unsupported, "NIfTI datatype " + std::to_string(header.datatype) + " is unknown", name);
  }
  layout.coding = *coding;
  layout.swapped = header.swapped;
  layout.info.type = coding->type;
  if (static_cast<std::size_t>(header.bitpix) != coding->bits) {
    layout.info.warnings.push_back("bitpix is " + std::to_string(header.bitpix) + ", but datatype " +
                                   std::to_string(header.datatype) + " has " + std::to_string(coding->bits) + " bits");
  }
  if (coding->complex) layout.info.warnings.emplace_back("complex voxels are shown by their magnitude");
  return {};
}

}  // namespace

Result<NiftiLayout> describeNifti(const NiftiHeader& header, const std::string& name, bool preferQform) {
  constexpr int firstCifti = 3000;
  constexpr int lastCifti = 3099;
  if (header.version == 2 && header.intentCode >= firstCifti && header.intentCode <= lastCifti) {
    return fail(ErrorCode::unsupported, "this is a CIFTI file (values on surfaces and voxels), not an image", name);
  }
  NiftiLayout layout;
  setTexts(header, layout.info);
  const auto dims = checkedDims(header, name, layout.info);
  if (!dims) return tl::make_unexpected(dims.error());
  auto done = setDims(*dims, header.intentCode, name, layout.info);
  if (done) done = setCoding(header, name, layout);
  if (done) done = setOffset(header, name, layout);
  if (done) done = placeInSpace(header, name, preferQform, layout.info);
  if (!done) return tl::make_unexpected(done.error());
  setScale(header, layout);
  setRanges(header, layout.info);

  const auto count = voxelCount(layout.info, name);
  if (!count) return tl::make_unexpected(count.error());
  layout.voxels = *count;  // at most 2^56, so that the next line cannot overflow: 2^56 / 8 * 256 + 1 < 2^64
  layout.diskBytes = layout.coding.bits == 1 ? (layout.voxels + 7) / 8 : layout.voxels * (layout.coding.bits / 8);
  return layout;
}

}  // namespace nora
