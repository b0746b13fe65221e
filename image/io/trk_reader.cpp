#include "image/io/trk_reader.hpp"

#include "image/io/byte_reader.hpp"
#include "image/io/tract_content.hpp"
#include "image/io/trk_header.hpp"

#include <cstring>
#include <new>

namespace nora {
namespace {

template <bool swapped>
std::uint32_t word(const std::byte* at) {
  std::uint32_t bits = 0;
  std::memcpy(&bits, at, sizeof bits);
  return swapped ? __builtin_bswap32(bits) : bits;
}
template <bool swapped>
float real(const std::byte* at) {
  return std::bit_cast<float>(word<swapped>(at));
}

struct Counts {
  std::uint64_t streamlines = 0;
  std::uint64_t points = 0;
  std::size_t bytes = 0;
};

/// Hops from streamline to streamline.
template <bool swapped>
Result<Counts> countStreamlines(std::span<const std::byte> data, const TrkHeader& header, const std::string& name) {
  const std::size_t pointBytes = (3 + header.scalars) * sizeof(float);
  const std::size_t propertyBytes = header.properties * sizeof(float);
  Counts counts;
  const auto claimed = static_cast<std::uint64_t>(header.count);
  const auto cut = [&] {
    return fail(ErrorCode::invalidInput,
                "the file is cut short or damaged after " + std::to_string(counts.streamlines) +
                    (claimed > 0 ? " of " + std::to_string(claimed) : std::string()) + " streamlines",
                name);
  };
  while (claimed == 0 ? counts.bytes < data.size() : counts.streamlines < claimed) {
    const std::size_t left = data.size() - counts.bytes;
    if (left < sizeof(std::uint32_t)) return cut();
    const std::size_t points = word<swapped>(data.data() + counts.bytes);
    const std::size_t size = sizeof(std::uint32_t) + points * pointBytes + propertyBytes;  // below 2^50
    if (size > left) return cut();
    counts.bytes += size;
    counts.points += points;
    ++counts.streamlines;
  }
  return counts;
}

/// Where one named run of numbers goes.
struct Target {
  TrkColumns columns;
  std::size_t array = 0;
};

std::vector<Target> planColumns(const std::vector<TrkColumns>& all, std::int64_t count, ArrayPlan& plan,
                                std::vector<AttachedData>& attached) {
  std::vector<Target> out;
  for (const TrkColumns& columns : all) {
    const auto array = plan.add(VoxelType::float32, count, static_cast<std::int64_t>(columns.count));
    out.push_back({columns, array});
    attached.push_back({.name = columns.name, .array = array, .intent = {}, .structure = {}});
  }
  return out;
}

template <bool swapped>
void copyColumns(const std::byte* from, std::size_t tuples, std::size_t stride, const TrkColumns& columns, float* to) {
  for (std::size_t i = 0; i < tuples; ++i, from += stride) {
    for (std::size_t k = 0; k < columns.count; ++k) *to++ = real<swapped>(from + (columns.first + k) * sizeof(float));
  }
}

class Filler {
 public:
  Filler(const TrkHeader& header, const ArrayPlan& plan, std::span<std::byte> memory)
      : header_(header), plan_(plan), memory_(memory) {}

  std::vector<Target> scalars, properties;

  template <bool swapped>
  void fill(std::span<const std::byte> data, std::span<float> positions, std::span<std::uint64_t> offsets,
            const std::function<void(double)>& progress) {
    constexpr std::size_t progressStreamlines = 4096;
    const std::size_t pointBytes = (3 + header_.scalars) * sizeof(float);
    const std::size_t total = offsets.size() - 1;
    const std::byte* at = data.data();
    std::uint64_t first = 0;
    for (std::size_t s = 0; s < total; ++s) {
      if (s % progressStreamlines == 0) progress(static_cast<double>(s) / static_cast<double>(total));
      const std::size_t points = word<swapped>(at);
      at += sizeof(std::uint32_t);
      copyPoints<swapped>(at, points, pointBytes, positions.subspan(3 * first, 3 * points));
      for (const Target& target : scalars) {
        copyColumns<swapped>(at + 3 * sizeof(float), points, pointBytes, target.columns,
                             out(target) + first * target.columns.count);
      }
      at += points * pointBytes;
      for (const Target& target : properties) {
        copyColumns<swapped>(at, 1, 0, target.columns, out(target) + s * target.columns.count);
      }
      at += header_.properties * sizeof(float);
      first += points;
      offsets[s + 1] = first;
    }
  }

 private:
  float* out(const Target& target) { return plan_.as<float>(memory_, target.array).data(); }

  template <bool swapped>
  void copyPoints(const std::byte* from, std::size_t points, std::size_t stride, std::span<float> to) {
    float* p = to.data();
    for (std::size_t i = 0; i < points; ++i, from += stride) {
      for (std::size_t k = 0; k < 3; ++k) *p++ = real<swapped>(from + k * sizeof(float));
    }
    movePoints(to, header_.worldFromStored);
  }

  const TrkHeader& header_;
  const ArrayPlan& plan_;
  std::span<std::byte> memory_;
};

TractogramInfo describe(TrkHeader& header, const Counts& counts, std::size_t bytesLeft) {
  TractogramInfo info;
  info.format = "TrackVis";
  info.streamlines = static_cast<std::int64_t>(counts.streamlines);
  info.points = static_cast<std::int64_t>(counts.points);
  info.space = "voxel corner (TrackVis)";
  if (header.hasMatrix) info.worldFromVoxel = header.worldFromVoxel;
  info.dims = header.dims;
  info.fields.emplace_back("version", std::to_string(header.version));
  info.fields.emplace_back("voxel order", header.voxelOrder);
  info.warnings = std::move(header.warnings);
  if (bytesLeft > 0) {
    info.warnings.push_back("the file goes on for " + std::to_string(bytesLeft) +
                            " bytes behind the last streamline that its header counts; they were not read");
  }
  return info;
}

Result<ReadTracts> readTrk(const InputFile& file, const ReadOptions& options, MemorySink& sink) {
  const auto content = TractContent::of(file);
  if (!content) return tl::make_unexpected(content.error());
  auto header = parseTrkHeader(content->bytes(), file.name);
  if (!header) return tl::make_unexpected(header.error());
  const auto data = content->bytes().subspan(TrkHeader::bytes);
  const bool swapped = header->order != std::endian::native;
  const auto counts =
      swapped ? countStreamlines<true>(data, *header, file.name) : countStreamlines<false>(data, *header, file.name);
  if (!counts) return tl::make_unexpected(counts.error());
  TractogramInfo info = describe(*header, *counts, data.size() - counts->bytes);
  ArrayPlan plan;
  info.positions = plan.add(VoxelType::float32, info.points, 3);
  info.offsets = plan.add(VoxelType::uint64, info.streamlines + 1);
  auto scalars = planColumns(header->scalarColumns, info.points, plan, info.perPoint);
  auto properties = planColumns(header->propertyColumns, info.streamlines, plan, info.perStreamline);
  const auto size = plan.totalBytes();
  if (!size) return tl::make_unexpected(size.error());
  auto memory = sink.allocate(*size);
  if (!memory) return tl::make_unexpected(memory.error());
  Filler filler(*header, plan, *memory);
  filler.scalars = std::move(scalars);
  filler.properties = std::move(properties);
  const auto positions = plan.as<float>(*memory, info.positions);
  const auto offsets = plan.as<std::uint64_t>(*memory, info.offsets);
  if (swapped) {
    filler.fill<true>(data, positions, offsets, options.progress);
  } else {
    filler.fill<false>(data, positions, offsets, options.progress);
  }
  return ReadTracts{std::move(info), plan.arrays()};
}

}  // namespace

bool TrkReader::recognises(const InputFile& file) const {
  return hasTrkMagic(beginningOf(file, 6)) || nameEndsWith(file.name, ".trk") || nameEndsWith(file.name, ".trk.gz");
}

Result<FileSummary> TrkReader::peek(const InputFile& file) const {
  if (file.bytes.empty()) return fail(ErrorCode::invalidInput, "the file is empty", file.name);
  const auto header = parseTrkHeader(beginningOf(file, TrkHeader::bytes), file.name);
  if (!header) return tl::make_unexpected(header.error());
  return FileSummary{"tracts", "TrackVis", nullptr};
}

Result<ReadTracts> TrkReader::read(std::span<const InputFile> files, const ReadOptions& options,
                                   MemorySink& sink) const {
  if (files.empty()) return fail(ErrorCode::invalidInput, "no file was given");
  try {
    return readTrk(files.front(), options, sink);
  } catch (const std::bad_alloc&) {
    return fail(ErrorCode::limitExceeded, "out of memory while reading the streamlines", files.front().name);
  }
}

}  // namespace nora
