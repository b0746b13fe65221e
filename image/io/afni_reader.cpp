#include "image/io/afni_reader.hpp"

#include "image/io/afni_header.hpp"
#include "image/io/afni_labels.hpp"
#include "image/io/byte_reader.hpp"
#include "image/io/bzip2.hpp"
#include "image/io/strided_voxels.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <new>

namespace nora {
namespace {

using Kind = StoredVoxel::Kind;

/// MRI_TYPE of mrilib.h.
std::optional<StoredVoxel> storedOf(int type) {
  switch (type) {
    case 0: return StoredVoxel{Kind::number, VoxelType::uint8, false};
    case 1: return StoredVoxel{Kind::number, VoxelType::int16, false};
    case 2: return StoredVoxel{Kind::number, VoxelType::int32, false};
    case 3: return StoredVoxel{Kind::number, VoxelType::float32, false};
    case 4: return StoredVoxel{Kind::number, VoxelType::float64, false};
    case 5: return StoredVoxel{Kind::complex, VoxelType::float32, false};
    case 6: return StoredVoxel{Kind::number, VoxelType::rgb24, false};
    case 7: return StoredVoxel{Kind::number, VoxelType::rgba32, false};
    default: return std::nullopt;
  }
}

bool isSize(double value) {
  constexpr double largest = 1 << 30;
  return value >= 1 && value <= largest && value == std::floor(value);
}

Result<void> setDims(const AfniHeader& header, const std::string& name, ImageInfo& info) {
  const auto& dims = header.numbers("DATASET_DIMENSIONS");
  const auto& rank = header.numbers("DATASET_RANK");
  const double bricks = rank.size() > 1 ? rank[1] : static_cast<double>(header.numbers("BRICK_TYPES").size());
  constexpr double mostBricks = 1 << 20;  // a table of factors has as many entries
  if (dims.size() < 3 || !isSize(dims[0]) || !isSize(dims[1]) || !isSize(dims[2]) || !isSize(bricks) ||
      bricks > mostBricks) {
    return fail(ErrorCode::invalidInput, "DATASET_DIMENSIONS and DATASET_RANK of the AFNI header give no sizes", name);
  }
  for (std::size_t a = 0; a < 3; ++a) info.dims[a] = static_cast<std::int64_t>(dims[a]);
  info.timePoints = static_cast<std::int64_t>(bricks);
  return {};
}

Result<void> setStored(const AfniHeader& header, const std::string& name, StridedImage& image) {
  const auto& types = header.numbers("BRICK_TYPES");
  if (types.empty()) return fail(ErrorCode::invalidInput, "BRICK_TYPES is missing in the AFNI header", name);
  if (std::any_of(types.begin(), types.end(), [&](double t) { return t != types[0]; })) {
    return fail(ErrorCode::unsupported, "its sub-bricks have different types; make one type of it: 3dcalc -datum float",
                name);
  }
  constexpr double largest = 100;
  const auto stored = types[0] >= 0 && types[0] < largest ? storedOf(static_cast<int>(types[0])) : std::nullopt;
  if (!stored) return fail(ErrorCode::unsupported, "BRICK_TYPES of the AFNI header names an unknown type", name);
  image.stored = *stored;
  const std::string_view order = header.text("BYTEORDER_STRING");
  if (order.empty() && stored->bits() > 8 && !isColour(stored->number)) {
    image.info.warnings.emplace_back("no byte order in the header: taken as this machine's");
  }
  if (!order.empty()) {
    image.stored.swapped = (std::endian::native == std::endian::little) == (order == "MSB_FIRST");
  }
  if (stored->kind == Kind::complex) image.info.warnings.emplace_back("complex voxels are shown by their magnitude");
  return {};
}

/// From three rows in DICOM's LPS; empty if there are no such twelve numbers or they cannot be inverted.
std::optional<Affine> fromDicomRows(const std::vector<double>& rows) {
  if (rows.size() < 12) return std::nullopt;
  Affine out;
  for (std::size_t i = 0; i < 12; ++i) out.m[i] = i < 8 && rows[i] != 0 ? -rows[i] : rows[i];
  return inverse(out) ? std::optional(out) : std::nullopt;
}

/// By orientation codes: 0 R-L, 1 L-R, 2 P-A, 3 A-P, 4 I-S, 5 S-I; ORIGIN and DELTA count along DICOM's axes.
std::optional<Affine> fromCodes(const AfniHeader& header) {
  const auto& codes = header.numbers("ORIENT_SPECIFIC");
  const auto& origin = header.numbers("ORIGIN");
  const auto& delta = header.numbers("DELTA");
  if (codes.size() < 3 || origin.size() < 3 || delta.size() < 3) return std::nullopt;
  std::vector<double> rows(12);
  for (std::size_t a = 0; a < 3; ++a) {
    if (!(codes[a] >= 0 && codes[a] < 6)) return std::nullopt;
    const std::size_t axis = static_cast<std::size_t>(codes[a]) / 2;
    rows[axis * 4 + a] = delta[a];
    rows[axis * 4 + 3] = origin[a];
  }
  return fromDicomRows(rows);
}

bool differ(const Affine& a, const Affine& b) {
  constexpr double noticeable = 1e-2;  // mm, over a voxel; the header has six digits
  for (std::size_t i = 0; i < 12; ++i) {
    if (i % 4 != 3 && std::abs(a.m[i] - b.m[i]) > noticeable) return true;
  }
  return false;
}

Result<void> place(const AfniHeader& header, const std::string& name, ImageInfo& info) {
  const auto real = fromDicomRows(header.numbers("IJK_TO_DICOM_REAL"));
  auto straight = fromDicomRows(header.numbers("IJK_TO_DICOM"));
  info.affineSource = real ? "IJK_TO_DICOM_REAL" : "IJK_TO_DICOM";
  if (!straight) {
    straight = fromCodes(header);
    if (!real) info.affineSource = "ORIENT_SPECIFIC";
  }
  if (!real && !straight) {
    return fail(ErrorCode::invalidInput, "the AFNI header does not say how the image lies in space", name);
  }
  info.worldFromVoxel = real ? *real : *straight;
  if (real && straight && differ(*real, *straight)) {
    info.warnings.emplace_back("oblique: shown as scanned (IJK_TO_DICOM_REAL); AFNI shows it straightened by default");
  }
  return {};
}

void setScale(const AfniHeader& header, StridedImage& image) {
  const auto& factors = header.numbers("BRICK_FLOAT_FACS");
  if (isColour(image.stored.number) && image.stored.kind == Kind::number) return;
  std::vector<VoxelScale> table(static_cast<std::size_t>(image.info.timePoints));
  for (std::size_t t = 0; t < std::min(table.size(), factors.size()); ++t) {
    if (std::isfinite(factors[t]) && factors[t] != 0) table[t].slope = factors[t];
  }
  const bool same = std::all_of(table.begin(), table.end(), [&](const VoxelScale& s) { return s == table[0]; });
  if (same && image.stored.kind == Kind::number) {
    image.info.slope = table[0].slope;
  } else if (!same || !(table[0] == VoxelScale{})) {
    image.scales = {std::move(table), {0, 0, 0, 1, 0}, std::nullopt};
  }
}

void setTime(const AfniHeader& header, ImageInfo& info) {
  const auto& numbers = header.numbers("TAXIS_NUMS");
  const auto& floats = header.numbers("TAXIS_FLOATS");
  if (info.timePoints < 2 || floats.size() < 2 || !std::isfinite(floats[1]) || floats[1] <= 0) return;
  constexpr double milliseconds = 77001;
  constexpr double hertz = 77003;
  const double unit = numbers.size() > 2 ? numbers[2] : 0;
  if (unit != hertz) info.timeStepSeconds = unit == milliseconds ? floats[1] / 1000 : floats[1];
}

/// "Ttest(58)" as the intent is spelled elsewhere.
std::string intentOf(std::string_view statistic) {
  static constexpr std::pair<std::string_view, std::string_view> names[] = {
      {"Correl", "correlation"}, {"Ttest", "t test"},   {"Ftest", "f test"}, {"Zscore", "z score"}, {"Chisq", "chi2"},
      {"Beta", "beta"},          {"Binom", "binomial"}, {"Gamma", "gamma"},  {"Poisson", "poisson"}};
  const auto* found =
      std::find_if(std::begin(names), std::end(names), [&](const auto& n) { return statistic.starts_with(n.first); });
  return found == std::end(names) ? std::string() : std::string(found->second);
}

/// One text a sub-brick, "none" or "Ttest(58)": as BRICK_STATSYM has them, or made of BRICK_STATAUX, which is older:
/// sub-brick, code, number of parameters, parameters, and so on.
std::vector<std::string> statisticsOf(const AfniHeader& header, std::int64_t bricks) {
  std::vector<std::string> out;
  for (const std::string_view symbol : words(header.text("BRICK_STATSYM"), ";")) out.emplace_back(symbol);
  const auto& codes = header.numbers("BRICK_STATAUX");
  if (!out.empty() || codes.empty()) return out;
  out.resize(static_cast<std::size_t>(bricks), "none");
  static constexpr const char* names[] = {"Correl", "Ttest", "Ftest", "Zscore", "Chisq",
                                          "Beta",   "Binom", "Gamma", "Poisson"};
  for (std::size_t i = 0; i + 2 < codes.size();) {
    const double brick = codes[i], code = codes[i + 1], parameters = codes[i + 2];
    const bool sound = brick >= 0 && brick < static_cast<double>(out.size()) && code >= 2 && code <= 10 &&
                       parameters >= 0 && parameters <= static_cast<double>(codes.size() - i - 3);
    if (!sound) break;
    std::string text(names[static_cast<std::size_t>(code) - 2]);
    for (std::size_t p = 0; p < static_cast<std::size_t>(parameters); ++p) {
      text.append(p == 0 ? "(" : ",").append(std::to_string(std::lround(codes[i + 3 + p])));
    }
    out[static_cast<std::size_t>(brick)] = text + (parameters > 0 ? ")" : "");
    i += 3 + static_cast<std::size_t>(parameters);
  }
  return out;
}

void setTexts(const AfniHeader& header, ImageInfo& info) {
  for (const auto& [attribute, shown] :
       {std::pair{"TYPESTRING", "type"}, std::pair{"TEMPLATE_SPACE", "space"}, std::pair{"IDCODE_DATE", "made"}}) {
    if (const auto text = header.text(attribute); !text.empty()) info.fields.emplace_back(shown, printable(text));
  }
  const auto statistics = statisticsOf(header, info.timePoints);
  const auto labels = words(header.text("BRICK_LABS"), "~");
  for (std::size_t t = 0; t < std::max(labels.size(), statistics.size()); ++t) {
    std::string text(t < labels.size() ? labels[t] : "");
    if (t < statistics.size() && statistics[t] != "none") text.append(", ").append(statistics[t]);
    if (static_cast<std::int64_t>(t) < info.timePoints) {
      info.fields.emplace_back("sub-brick " + std::to_string(t), printable(text));
    }
  }
  if (info.timePoints == 1 && !statistics.empty()) info.intent = intentOf(statistics[0]);
  auto names = afniValueLabels(header.text("VALUE_LABEL_DTABLE"));
  if (names.empty()) names = afniAtlasLabels(header.text("ATLAS_LABEL_TABLE"));
  if (names.empty()) return;
  info.labels = LabelTable(std::move(names), "in the image");
  info.intent = "label";
}

Result<StridedImage> describeAfni(const AfniHeader& header, const std::string& name) {
  StridedImage image;
  image.info.format = "AFNI";
  auto done = setDims(header, name, image.info);
  if (done) done = setStored(header, name, image);
  if (done) done = place(header, name, image.info);
  if (!done) return tl::make_unexpected(done.error());
  const auto count = voxelCount(image.info, name);
  if (!count) return tl::make_unexpected(count.error());
  auto order = packedOrder(axesOf(image.info), image.stored, 0, name);
  if (!order) return tl::make_unexpected(order.error());
  image.order = *order;
  setScale(header, image);
  setTime(header, image.info);
  setTexts(header, image.info);
  const auto sound = image.finish(name);
  if (!sound) return tl::make_unexpected(sound.error());
  return image;
}

bool isBrikName(const std::string& name) {
  return name.ends_with(".BRIK") || name.ends_with(".BRIK.gz") || name.ends_with(".BRIK.bz2");
}

bool isHeader(const InputFile& file) {
  return !isBrikName(file.name) && (file.name.ends_with(".HEAD") || looksLikeAfniHeader(file.bytes));
}

tl::unexpected<Error> noHeader(const std::string& name) {
  return fail(ErrorCode::notFound, "these are the voxels of an AFNI dataset, but its .HEAD file is missing", name);
}

}  // namespace

bool AfniReader::recognises(const InputFile& file) const {
  return isBrikName(file.name) || isHeader(file);
}

Result<FileSummary> AfniReader::peek(const InputFile& file) const {
  if (!isHeader(file)) return noHeader(file.name);
  const auto header = AfniHeader::parse(file.bytes, file.name);
  if (!header) return tl::make_unexpected(header.error());
  const auto image = describeAfni(*header, file.name);
  if (!image) return tl::make_unexpected(image.error());
  return FileSummary{"image", image->info.format, toJson(image->info)};
}

Result<ImageReader::Image> AfniReader::read(std::span<const InputFile> files, const ReadOptions& options,
                                            MemorySink& sink) const {
  const auto headerFile = std::find_if(files.begin(), files.end(), isHeader);
  if (headerFile == files.end()) return noHeader(files.empty() ? "" : files.front().name);
  const auto data = std::find_if(files.begin(), files.end(), [&](const InputFile& f) { return &f != &*headerFile; });
  if (data == files.end()) {
    return fail(ErrorCode::notFound, "its voxels are missing: no .BRIK, .BRIK.gz or .BRIK.bz2 beside it",
                headerFile->name);
  }
  const auto header = AfniHeader::parse(headerFile->bytes, headerFile->name);
  if (!header) return tl::make_unexpected(header.error());
  auto image = describeAfni(*header, headerFile->name);
  if (!image) return tl::make_unexpected(image.error());
  if (!isBzip2(data->bytes)) return readStrided(std::move(*image), *data, packingOf(*data), options, sink);
  const auto voxels = voxelCount(image->info, headerFile->name);
  if (!voxels) return tl::make_unexpected(voxels.error());
  try {
    const auto plain = unpackBzip2(data->bytes, *voxels * image->stored.bits() / 8, data->name);
    if (!plain) return tl::make_unexpected(plain.error());
    return readStrided(std::move(*image), {data->name, *plain}, Packing::plain, options, sink);
  } catch (const std::bad_alloc&) {
    return fail(ErrorCode::limitExceeded, "out of memory while unpacking the voxels", data->name);
  }
}

}  // namespace nora
