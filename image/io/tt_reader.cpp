#include "image/io/tt_reader.hpp"

#include "image/io/byte_reader.hpp"
#include "image/io/tract_content.hpp"
#include "image/io/tt_matrices.hpp"

#include <algorithm>
#include <cmath>
#include <new>

namespace nora {
namespace {

constexpr std::size_t headBytes = 16;  // of a streamline: number of coordinates, first point
constexpr float unit = 1.0f / 32;      // voxels
constexpr std::size_t peekBytes = 256;

const MatMatrix* find(const std::vector<MatMatrix>& matrices, std::string_view name) {
  const auto found =
      std::find_if(matrices.begin(), matrices.end(), [&](const MatMatrix& matrix) { return matrix.name == name; });
  return found == matrices.end() ? nullptr : &*found;
}

/// The blocks of streamlines in their order: track, track1, track2, ...
Result<std::vector<std::span<const std::byte>>> blocksOf(const std::vector<MatMatrix>& matrices,
                                                         const std::string& name) {
  std::vector<std::span<const std::byte>> blocks;
  for (std::size_t i = 0; i < matrices.size(); ++i) {
    const MatMatrix* block = find(matrices, i == 0 ? "track" : "track" + std::to_string(i));
    if (block == nullptr) break;
    if (block->type != MatType::uint8) {
      return fail(ErrorCode::invalidInput, "the matrix \"" + block->name + "\" does not hold bytes", name);
    }
    blocks.push_back(block->bytes);
  }
  if (blocks.empty()) {
    return fail(ErrorCode::invalidInput, "the file has no matrix \"track\": it is no DSI Studio tractogram", name);
  }
  return blocks;
}

struct Counts {
  std::uint64_t streamlines = 0, points = 0;
};

Result<Counts> countStreamlines(const std::vector<std::span<const std::byte>>& blocks, const std::string& name) {
  Counts counts;
  for (const auto block : blocks) {
    for (std::size_t at = 0; at < block.size();) {
      const std::size_t numbers = ByteReader(block.subspan(at)).number<std::uint32_t>();
      const std::size_t left = block.size() - at;
      if (left < headBytes || numbers < 3 || numbers % 3 != 0 || numbers - 3 > left - headBytes) {
        return fail(ErrorCode::invalidInput,
                    "the streamlines are cut short or damaged after number " + std::to_string(counts.streamlines),
                    name);
      }
      at += headBytes + numbers - 3;
      counts.points += numbers / 3;
      ++counts.streamlines;
    }
  }
  return counts;
}

/// Steps are added up in whole 1/32 voxels, so that nothing is rounded on the way.
void copyStreamlines(const std::vector<std::span<const std::byte>>& blocks, std::span<float> positions,
                     std::span<std::uint64_t> offsets) {
  float* out = positions.data();
  std::size_t streamline = 0;
  for (const auto block : blocks) {
    for (ByteReader reader(block); reader.left() > 0;) {
      const std::size_t numbers = reader.number<std::uint32_t>();
      std::array<std::int64_t, 3> at{};
      for (auto& coordinate : at) coordinate = reader.number<std::int32_t>();
      const auto steps = reader.take(numbers - 3);
      for (const auto coordinate : at) *out++ = static_cast<float>(coordinate) * unit;
      for (std::size_t i = 0; i < steps.size(); ++i) {
        at[i % 3] += static_cast<std::int8_t>(steps[i]);
        *out++ = static_cast<float>(at[i % 3]) * unit;
      }
      offsets[++streamline] = static_cast<std::uint64_t>(out - positions.data()) / 3;
    }
  }
}

std::optional<std::array<double, 3>> three(const MatMatrix* matrix) {
  if (matrix == nullptr || matrix->numbers != 3) return std::nullopt;
  return std::array{*matrix->number(0), *matrix->number(1), *matrix->number(2)};
}

/// RAS mm from voxels.
Affine placement(const std::vector<MatMatrix>& matrices, TractogramInfo& info) {
  const MatMatrix* matrix = find(matrices, "trans_to_mni");
  Affine affine;
  if (matrix != nullptr && matrix->numbers == 16) {
    for (std::size_t i = 0; i < 12; ++i) affine.m[i] = *matrix->number(i);
    if (inverse(affine)) {
      info.space = "voxel centre (trans_to_mni)";
      info.worldFromVoxel = affine;
      return affine;
    }
  }
  info.warnings.emplace_back(
      "the file does not say where its image lies in space (trans_to_mni); x was taken to run left, y back");
  info.space = "voxel centre, LPS assumed";
  const auto size = three(find(matrices, "voxel_size")).value_or(std::array<double, 3>{1, 1, 1});
  const bool sound = std::all_of(size.begin(), size.end(), [](double s) { return std::isfinite(s) && s > 0; });
  affine = Affine{};
  for (int i = 0; i < 3; ++i) affine(i, i) = (i < 2 ? -1 : 1) * (sound ? size[static_cast<std::size_t>(i)] : 1);
  return affine;
}

void describe(const std::vector<MatMatrix>& matrices, TractogramInfo& info) {
  info.format = "DSI Studio TT";
  if (const auto dims = three(find(matrices, "dimension"))) {
    const bool sound = std::all_of(dims->begin(), dims->end(), [](double d) { return d >= 1 && d <= 1e6; });
    if (sound) info.dims.emplace();
    for (std::size_t i = 0; sound && i < 3; ++i) (*info.dims)[i] = static_cast<std::int64_t>((*dims)[i]);
  }
  for (const char* name : {"report", "parameter_id"}) {
    if (const MatMatrix* text = find(matrices, name)) info.fields.emplace_back(name, text->text());
  }
}

struct Tt {
  TractContent content;
  std::vector<MatMatrix> matrices;
  std::vector<std::span<const std::byte>> blocks;
  Counts counts;
  const MatMatrix* cluster = nullptr;  // one number for each streamline
};

Result<Tt> openTt(const InputFile& file) {
  Tt tt;
  auto content = TractContent::of(file);
  if (!content) return tl::make_unexpected(content.error());
  tt.content = std::move(*content);
  auto matrices = readMat4(tt.content.bytes(), file.name);
  if (!matrices) return tl::make_unexpected(matrices.error());
  tt.matrices = std::move(*matrices);
  auto blocks = blocksOf(tt.matrices, file.name);
  if (!blocks) return tl::make_unexpected(blocks.error());
  tt.blocks = std::move(*blocks);
  const auto counts = countStreamlines(tt.blocks, file.name);
  if (!counts) return tl::make_unexpected(counts.error());
  tt.counts = *counts;
  tt.cluster = find(tt.matrices, "cluster");
  if (tt.cluster != nullptr && tt.cluster->numbers != counts->streamlines) tt.cluster = nullptr;
  return tt;
}

Result<ReadTracts> readTt(const InputFile& file, const ReadOptions& options, MemorySink& sink) {
  const auto tt = openTt(file);
  if (!tt) return tl::make_unexpected(tt.error());
  TractogramInfo info;
  describe(tt->matrices, info);
  info.streamlines = static_cast<std::int64_t>(tt->counts.streamlines);
  info.points = static_cast<std::int64_t>(tt->counts.points);
  const Affine worldFromVoxel = placement(tt->matrices, info);
  ArrayPlan plan;
  info.positions = plan.add(VoxelType::float32, info.points, 3);
  info.offsets = plan.add(VoxelType::uint64, info.streamlines + 1);
  if (tt->cluster != nullptr) {
    const auto array = plan.add(VoxelType::float32, info.streamlines);
    info.perStreamline.push_back({.name = "cluster", .array = array, .intent = {}, .structure = {}});
  }
  const auto size = plan.totalBytes();
  if (!size) return tl::make_unexpected(size.error());
  auto memory = sink.allocate(*size);
  if (!memory) return tl::make_unexpected(memory.error());
  const auto positions = plan.as<float>(*memory, info.positions);
  const auto offsets = plan.as<std::uint64_t>(*memory, info.offsets);
  copyStreamlines(tt->blocks, positions, offsets);
  options.progress(0.5);
  movePoints(positions, worldFromVoxel);
  if (tt->cluster != nullptr) {
    const auto out = plan.as<float>(*memory, info.perStreamline.front().array);
    for (std::size_t i = 0; i < out.size(); ++i) out[i] = static_cast<float>(*tt->cluster->number(i));
  }
  return ReadTracts{std::move(info), plan.arrays()};
}

}  // namespace

bool TtReader::recognises(const InputFile& file) const {
  return nameEndsWith(file.name, ".tt.gz") || nameEndsWith(file.name, ".tt");
}

Result<FileSummary> TtReader::peek(const InputFile& file) const {
  if (file.bytes.empty()) return fail(ErrorCode::invalidInput, "the file is empty", file.name);
  if (!looksLikeMat4(beginningOf(file, peekBytes))) {
    return fail(ErrorCode::invalidInput, "the file does not begin as a DSI Studio tractogram (a MATLAB 4 file) does",
                file.name);
  }
  return FileSummary{"tracts", "DSI Studio TT", nullptr};
}

Result<ReadTracts> TtReader::read(std::span<const InputFile> files, const ReadOptions& options,
                                  MemorySink& sink) const {
  if (files.empty()) return fail(ErrorCode::invalidInput, "no file was given");
  try {
    return readTt(files.front(), options, sink);
  } catch (const std::bad_alloc&) {
    return fail(ErrorCode::limitExceeded, "out of memory while reading the streamlines", files.front().name);
  }
}

}  // namespace nora
