#include "image/io/mif_reader.hpp"

#include "image/io/gzip.hpp"
#include "image/io/mif_header.hpp"
#include "image/io/voxel_parts.hpp"
#include "image/volume.hpp"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <memory>

namespace nora {
namespace {

constexpr std::size_t maxAxes = 5;

/// NaN becomes the mean of the others, or 1 mm: MRtrix's way.
Vec3 spacingOf(const MifHeader& header, ImageInfo& info) {
  Vec3 spacing{};
  double sum = 0;
  int known = 0;
  const auto isKnown = [](double size) { return std::isfinite(size) && size != 0; };
  for (std::size_t a = 0; a < 3; ++a) {
    spacing[a] = a < header.vox.size() ? std::abs(header.vox[a]) : std::nan("");
    if (!isKnown(spacing[a])) continue;
    sum += spacing[a];
    ++known;
  }
  for (std::size_t a = 0; a < 3; ++a) {
    if (isKnown(spacing[a])) continue;
    spacing[a] = known > 0 ? sum / known : 1;
    if (info.dims[a] > 1) {
      info.warnings.push_back("the voxel size along " + std::string(1, "xyz"[a]) + " is not a number; taken as " +
                              std::to_string(spacing[a]) + " mm, as MRtrix does");
    }
  }
  return spacing;
}

Result<void> place(const MifHeader& header, const std::string& name, ImageInfo& info) {
  const Vec3 spacing = spacingOf(header, info);
  bool finite = !header.transform.empty();
  for (std::size_t r = 0; finite && r < 3; ++r) {
    const auto& row = header.transform[r];
    finite = std::all_of(row.begin(), row.begin() + 4, [](double v) { return std::isfinite(v); });
  }
  Affine& affine = info.worldFromVoxel;
  for (int r = 0; r < 3; ++r) {
    const auto row = static_cast<std::size_t>(r);
    for (int c = 0; c < 3 && finite; ++c) {
      const auto column = static_cast<std::size_t>(c);
      affine(r, c) = header.transform[row][column] * spacing[column];
    }
    if (finite) {
      affine(r, 3) = header.transform[row][3];
    } else {
      affine(r, r) = spacing[row];
      affine(r, 3) = -0.5 * spacing[row] * static_cast<double>(info.dims[row] - 1);
    }
  }
  info.affineSource = finite ? "transform" : "vox";
  if (!finite) info.warnings.emplace_back("no transform in the header: the image is centred, left and right a guess");
  if (inverse(affine)) return {};
  return fail(ErrorCode::invalidInput, "the transform of the header cannot be inverted", name);
}

/// Lengths other than 1 scale the b-value by their square, as MRtrix does unless they are rounding errors.
void setDiffusion(const MifHeader& header, ImageInfo& info) {
  if (header.gradients.empty()) return;
  if (static_cast<std::int64_t>(header.gradients.size()) != info.timePoints) {
    info.warnings.push_back("dw_scheme has " + std::to_string(header.gradients.size()) + " rows for " +
                            std::to_string(info.timePoints) + " volumes; ignored");
    return;
  }
  DiffusionScheme scheme{"in the image", {}, {}};
  double worst = 0;
  for (const auto& row : header.gradients) {
    if (!std::all_of(row.begin(), row.begin() + 4, [](double v) { return std::isfinite(v); })) {
      info.warnings.emplace_back("dw_scheme has entries that are no numbers; ignored");
      return;
    }
    const Vec3 direction{row[0], row[1], row[2]};
    const double squared = dot(direction, direction);
    if (squared > 0 && row[3] > 0) worst = std::max(worst, std::abs(std::log(squared)));
    scheme.directions.push_back(normalised(direction));
    scheme.bValues.push_back(row[3]);
  }
  constexpr double rounding = 0.01;
  for (std::size_t i = 0; worst > rounding && i < scheme.bValues.size(); ++i) {
    const auto& row = header.gradients[i];
    const double squared = dot({row[0], row[1], row[2]}, {row[0], row[1], row[2]});
    if (squared > 0) scheme.bValues[i] *= squared;
  }
  info.diffusion = std::move(scheme);
}

void setTexts(const MifHeader& header, ImageInfo& info) {
  for (const auto& [key, value] : header.others) {
    if (key == "comments" && info.description.empty()) info.description = printable(value);
    info.fields.emplace_back(printable(key), printable(value));
  }
}

/// Strides by the ranks of the layout, within one run of voxels that begins at byte `offset`.
Result<void> setOrder(const MifHeader& header, std::uint64_t offset, const std::string& name, StridedImage& image) {
  const bool bitwise = image.stored.kind == StoredVoxel::Kind::bit;
  const std::int64_t unit = bitwise ? 1 : static_cast<std::int64_t>(image.stored.bits() / 8);
  image.order.first = static_cast<std::int64_t>(bitwise ? offset * 8 : offset);
  std::int64_t step = unit;
  for (long rank = 1; rank <= static_cast<long>(header.layout.size()); ++rank) {
    const auto axis = static_cast<std::size_t>(
        std::find_if(header.layout.begin(), header.layout.end(), [&](long r) { return std::abs(r) == rank; }) -
        header.layout.begin());
    const std::int64_t size = header.dim[axis];
    if (axis >= maxAxes) continue;  // its size is 1
    image.order.strides[axis] = header.layout[axis] < 0 ? -step : step;
    if (header.layout[axis] < 0) image.order.first += (size - 1) * step;
    if (__builtin_mul_overflow(step, size, &step) || step > (std::int64_t{1} << 60)) {
      return fail(ErrorCode::invalidInput, "the dimensions overflow", name);
    }
  }
  return {};
}

void setScale(const MifHeader& header, StridedImage& image) {
  if (header.scaling == VoxelScale{}) return;
  const auto kind = image.stored.kind;
  if (kind == StoredVoxel::Kind::complex || kind == StoredVoxel::Kind::complexHalf) {
    image.scales.table = {header.scaling};  // before the magnitude is taken
  } else {
    image.info.slope = header.scaling.slope;
    image.info.inter = header.scaling.inter;
  }
}

Result<StridedImage> describeMif(const MifHeader& header, const std::string& name) {
  StridedImage image;
  ImageInfo& info = image.info;
  info.format = "MIF";
  for (std::size_t a = maxAxes; a < header.dim.size(); ++a) {
    if (header.dim[a] > 1) {
      return fail(ErrorCode::unsupported,
                  "the image has " + std::to_string(header.dim.size()) +
                      " axes; nora shows five (use mrconvert -coord to pick a part)",
                  name);
    }
  }
  const auto size = [&](std::size_t a) { return a < header.dim.size() ? header.dim[a] : 1; };
  info.dims = {size(0), size(1), size(2)};
  info.timePoints = size(3);
  info.components = size(4);
  image.stored = header.stored;
  if (const auto kind = header.stored.kind;
      kind == StoredVoxel::Kind::complex || kind == StoredVoxel::Kind::complexHalf) {
    info.warnings.emplace_back("complex voxels are shown by their magnitude");
  }
  auto done = place(header, name, info);
  if (done) done = setOrder(header, header.files.size() == 1 ? header.files[0].offset : 0, name, image);
  if (!done) return tl::make_unexpected(done.error());
  setScale(header, image);
  const double step = header.vox.size() > 3 ? header.vox[3] : 0;
  if (info.timePoints > 1 && std::isfinite(step) && step > 0) info.timeStepSeconds = step;
  setDiffusion(header, info);
  setTexts(header, info);
  const auto sound = image.finish(name);
  if (!sound) return tl::make_unexpected(sound.error());
  return image;
}

std::string baseName(const std::string& path) {
  return path.substr(path.find_last_of('/') + 1);
}

Result<const InputFile*> fileNamed(std::span<const InputFile> files, const MifFile& wanted, const InputFile& header) {
  if (wanted.name == ".") return &header;
  const auto found = std::find_if(files.begin(), files.end(), [&](const InputFile& f) {
    return &f != &header && baseName(f.name) == baseName(wanted.name);
  });
  if (found != files.end()) return &*found;
  if (wanted.name.find('[') != std::string::npos) {
    return fail(ErrorCode::unsupported,
                "its data are in numbered files (" + printable(wanted.name) + "); make one file of it: mrconvert",
                header.name);
  }
  return tl::make_unexpected(missingPart(wanted.name, header.name));
}

/// Data in several files, each with an equal run of voxels: joined in memory of their own.
Result<ReadImage> readJoined(StridedImage image, const MifHeader& header, std::span<const InputFile> files,
                             const InputFile& headerFile, const ReadOptions& options, MemorySink& sink) {
  const auto voxels = voxelCount(image.info, headerFile.name);
  if (!voxels) return tl::make_unexpected(voxels.error());
  const std::size_t parts = header.files.size();
  const std::uint64_t each = *voxels / parts * image.stored.bits() / 8;
  if (*voxels % parts != 0 || *voxels / parts * image.stored.bits() % 8 != 0) {
    return fail(ErrorCode::invalidInput, "the voxels do not divide among the data files", headerFile.name);
  }
  std::vector<const InputFile*> inputs;
  for (const MifFile& part : header.files) {
    const auto input = fileNamed(files, part, headerFile);
    if (!input) return tl::make_unexpected(input.error());
    const auto holds = checkHolds(**input, packingOf(**input), part.offset + each);
    if (!holds) return tl::make_unexpected(holds.error());
    inputs.push_back(*input);
  }
  const auto joined = std::make_unique_for_overwrite<std::byte[]>(each * parts);
  for (std::size_t i = 0; i < parts; ++i) {
    const auto content = FileContent::open(*inputs[i], packingOf(*inputs[i]), header.files[i].offset + each);
    if (!content) return tl::make_unexpected(content.error());
    const auto from = content->bytes().subspan(header.files[i].offset);
    std::copy(from.begin(), from.end(), joined.get() + i * each);
  }
  return readStrided(std::move(image), {headerFile.name, {joined.get(), each * parts}}, Packing::plain, options, sink);
}

}  // namespace

bool MifReader::recognises(const InputFile& file) const {
  return file.name.ends_with(".mif") || file.name.ends_with(".mif.gz") || file.name.ends_with(".mih") ||
         hasMifMagic(file.bytes);
}

Result<FileSummary> MifReader::peek(const InputFile& file) const {
  const auto header = parseMifHeader(file.bytes, file.name);
  if (!header) return tl::make_unexpected(header.error());
  const auto image = describeMif(*header, file.name);
  if (!image) return tl::make_unexpected(image.error());
  FileSummary summary{"image", image->info.format, toJson(image->info)};
  for (const MifFile& part : header->files) {
    if (part.name != ".") summary.parts.push_back(part.name);
  }
  if (header->files.size() == 1 && summary.parts.empty()) {
    const auto honest = checkClaim(*image, file);
    if (!honest) return tl::make_unexpected(honest.error());
  }
  return summary;
}

Result<ImageReader::Image> MifReader::read(std::span<const InputFile> files, const ReadOptions& options,
                                           MemorySink& sink) const {
  const auto headerFile =
      std::find_if(files.begin(), files.end(), [](const InputFile& f) { return hasMifMagic(f.bytes); });
  if (headerFile == files.end()) {
    const std::string name = files.empty() ? "" : files.front().name;
    const bool empty = !files.empty() && files.front().bytes.empty();
    return fail(ErrorCode::invalidInput,
                empty ? "the file is empty" : "this is no MRtrix image: the first line is not \"mrtrix image\"", name);
  }
  const auto header = parseMifHeader(headerFile->bytes, headerFile->name);
  if (!header) return tl::make_unexpected(header.error());
  auto image = describeMif(*header, headerFile->name);
  if (!image) return tl::make_unexpected(image.error());
  if (header->files.size() > 1) return readJoined(std::move(*image), *header, files, *headerFile, options, sink);
  const auto data = fileNamed(files, header->files[0], *headerFile);
  if (!data) return tl::make_unexpected(data.error());
  return readStrided(std::move(*image), **data, packingOf(**data), options, sink);
}

}  // namespace nora
