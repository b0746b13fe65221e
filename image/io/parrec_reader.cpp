#include "image/io/parrec_reader.hpp"

#include "image/io/parrec_header.hpp"
#include "image/io/parrec_volumes.hpp"
#include "image/io/strided_voxels.hpp"
#include "image/volume.hpp"

#include <algorithm>
#include <bit>
#include <cctype>

namespace nora {
namespace {

bool endsWith(const std::string& name, std::string_view suffix) {
  return name.size() >= suffix.size() &&
         std::equal(suffix.begin(), suffix.end(), name.end() - static_cast<std::ptrdiff_t>(suffix.size()),
                    [](char a, char b) { return a == std::tolower(static_cast<unsigned char>(b)); });
}

bool isRecName(const std::string& name) {
  return endsWith(name, ".rec") || endsWith(name, ".rec.gz");
}

bool isHeader(const InputFile& file) {
  return !isRecName(file.name) && (looksLikePar(file.bytes) || endsWith(file.name, ".par"));
}

struct ParImage {
  ParHeader header;
  std::vector<std::size_t> sorted;  // lines of the header, in the order of memory
  ImageInfo info;
  StoredVoxel stored;
  VoxelScales scales;
  std::uint64_t sliceBytes = 0;
};

VoxelScale scaleOf(const ParSlice& slice) {
  return {slice.slope, slice.intercept};
}

void setScales(ParImage& image) {
  const auto& slices = image.header.slices;
  const VoxelScale first = scaleOf(slices.front());
  if (std::all_of(slices.begin(), slices.end(), [&](const ParSlice& s) { return scaleOf(s) == first; })) {
    if (first.slope == 0) image.info.warnings.emplace_back("the rescale slope is 0; taken as 1");
    image.info.slope = first.slope == 0 ? 1 : first.slope;
    image.info.inter = first.inter;
    return;
  }
  for (const std::size_t line : image.sorted) image.scales.table.push_back(scaleOf(slices[line]));
  image.scales.strides = {0, 0, 1, image.info.dims[2], 0};
}

Result<ParImage> describe(const InputFile& file) {
  auto header = parseParHeader(file.bytes, file.name);
  if (!header) return tl::make_unexpected(header.error());
  auto sorted = sortedSlices(*header, file.name);
  if (!sorted) return tl::make_unexpected(sorted.error());
  auto info = describePar(*header, *sorted, file.name);
  if (!info) return tl::make_unexpected(info.error());
  ParImage image{std::move(*header), std::move(*sorted), std::move(*info), {}, {}, 0};
  image.stored.number = image.header.slices.front().bits == 8 ? VoxelType::uint8 : VoxelType::uint16;
  image.stored.swapped = std::endian::native == std::endian::big;
  setScales(image);
  image.info.type = image.scales.inMemory(image.stored);
  const auto count = voxelCount(image.info, file.name);
  if (!count) return tl::make_unexpected(count.error());
  image.sliceBytes = static_cast<std::uint64_t>(image.info.dims[0] * image.info.dims[1]) * (image.stored.bits() / 8);
  return image;
}

/// Places of the slices in the .REC file, in slices. The index holds unless two are the same or one lies beyond the
/// file, as in parts of a larger export: then the order of the lines.
std::vector<std::uint64_t> placesOf(ParImage& image, const InputFile& data) {
  const auto& slices = image.header.slices;
  std::vector<std::uint64_t> places;
  for (const ParSlice& s : slices)
    places.push_back(s.index < 0 ? ~std::uint64_t{0} : static_cast<std::uint64_t>(s.index));
  auto ordered = places;
  std::sort(ordered.begin(), ordered.end());
  const bool distinct = std::adjacent_find(ordered.begin(), ordered.end()) == ordered.end();
  const bool within = ordered.back() < slices.size() ||
                      (packingOf(data) == Packing::plain && ordered.back() < data.bytes.size() / image.sliceBytes);
  if (!distinct || !within) {
    image.info.warnings.emplace_back(
        "the index of the slices is no order of the REC file; the order of the lines is used");
    for (std::size_t i = 0; i < places.size(); ++i) places[i] = i;
  }
  return places;
}

/// One slice, as an image of its own.
void placeSlice(const ParImage& image, std::uint64_t place, std::int64_t slice, std::int64_t volume,
                std::span<const std::byte> from, std::span<std::byte> to) {
  const Axes dims{image.info.dims[0], image.info.dims[1], 1, 1, 1};
  const auto unit = static_cast<std::int64_t>(image.stored.bits() / 8);
  const VoxelOrder order{static_cast<std::int64_t>(place * image.sliceBytes), {unit, unit * dims[0], 0, 0, 0}};
  VoxelScales scales;
  if (!image.scales.table.empty()) {
    scales.table = {image.scales.table[static_cast<std::size_t>(slice + volume * image.info.dims[2])]};
  }
  placeVoxels(dims, order, image.stored, scales, from, to, [](double) {});
}

Result<ReadImage> readSlices(ParImage image, const InputFile& data, const ReadOptions& options, MemorySink& sink) {
  const Packing packing = packingOf(data);
  const auto places = placesOf(image, data);
  const std::uint64_t end = (*std::max_element(places.begin(), places.end()) + 1) * image.sliceBytes;
  const auto holds = checkHolds(data, packing, end);
  if (!holds) return tl::make_unexpected(holds.error());
  ReadImage out;
  std::int64_t first = 0;
  std::int64_t count = image.info.timePoints;
  const auto t = options.timePoint.value_or(-1);
  if (packing == Packing::plain && t >= 0 && t < count && count > 1) {
    out.firstTimePoint = first = t;
    out.timePointsRead = count = 1;
  }
  const std::int64_t perVolume = image.info.dims[2];
  const std::size_t made =
      static_cast<std::size_t>(image.info.dims[0] * image.info.dims[1]) * bytesPerVoxel(image.info.type);
  auto memory = sink.allocate(made * static_cast<std::size_t>(perVolume * count) + Volume::paddingBytes);
  if (!memory) return tl::make_unexpected(memory.error());
  const auto content = FileContent::open(data, packing, end);
  if (!content) return tl::make_unexpected(content.error());
  for (std::int64_t i = 0; i < perVolume * count; ++i) {
    const std::size_t line = image.sorted[static_cast<std::size_t>(first * perVolume + i)];
    placeSlice(image, places[line], i % perVolume, first + i / perVolume, content->bytes(),
               memory->subspan(static_cast<std::size_t>(i) * made, made));
    options.progress(static_cast<double>(i) / static_cast<double>(perVolume * count));
  }
  out.info = std::move(image.info);
  return out;
}

tl::unexpected<Error> noHeader(const std::string& name) {
  return fail(ErrorCode::notFound, "these are the voxels of a Philips export, but its .PAR file is missing", name);
}

}  // namespace

bool ParrecReader::recognises(const InputFile& file) const {
  return isRecName(file.name) || isHeader(file);
}

Result<FileSummary> ParrecReader::peek(const InputFile& file) const {
  if (!isHeader(file)) return noHeader(file.name);
  const auto image = describe(file);
  if (!image) return tl::make_unexpected(image.error());
  return FileSummary{"image", image->info.format, toJson(image->info)};
}

Result<ImageReader::Image> ParrecReader::read(std::span<const InputFile> files, const ReadOptions& options,
                                              MemorySink& sink) const {
  const auto headerFile = std::find_if(files.begin(), files.end(), isHeader);
  if (headerFile == files.end()) return noHeader(files.empty() ? "" : files.front().name);
  const auto data = std::find_if(files.begin(), files.end(), [&](const InputFile& f) { return &f != &*headerFile; });
  if (data == files.end()) {
    return fail(ErrorCode::notFound, "its voxels are missing: no .REC file beside it", headerFile->name);
  }
  auto image = describe(*headerFile);
  if (!image) return tl::make_unexpected(image.error());
  return readSlices(std::move(*image), *data, options, sink);
}

}  // namespace nora
