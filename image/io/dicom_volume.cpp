#include "image/io/dicom_volume.hpp"

#include "image/io/dicom_between.hpp"
#include "image/io/dicom_dataset.hpp"
#include "image/io/dicom_frames.hpp"
#include "image/io/dicom_mosaic.hpp"
#include "image/io/dicom_stack.hpp"
#include "image/io/dicom_stored.hpp"
#include "image/io/dicom_tags.hpp"
#include "image/io/dicom_tiles.hpp"
#include "image/io/dicom_values.hpp"
#include "image/volume.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <optional>
#include <string>
#include <vector>

namespace nora {
namespace {

constexpr char interpolatedField[] = "interpolated planes";

struct Instance {
  DicomHeader header;
  DicomPixelFormat format;
  std::vector<DicomFrameValues> values;  // of each frame, or one for all

  [[nodiscard]] const DicomFrameValues& valuesOf(std::size_t frame) const {
    return values[frame < values.size() ? frame : 0];
  }
};

Result<Instance> inspect(const InputFile& file) {
  const auto layout = dicomLayout(file.bytes, file.name, DicomExtent::header);
  if (!layout) return tl::make_unexpected(layout.error());
  const DicomDataset dataset(*layout, file.name);
  Instance instance{dataset.header(), dataset.pixelFormat(), {}};
  instance.values = frameValuesOf(dataset, instance.format, instance.header.frames);
  return instance;
}

bool sameTable(const DicomPixelFormat& a, const DicomPixelFormat& b) {
  if (!a.table || !b.table) return a.table.has_value() == b.table.has_value();
  return a.table->first == b.table->first && a.table->entries == b.table->entries;
}

/// Reads the files of one stack into the sink.
class VolumeRead {
 public:
  VolumeRead(std::span<const InputFile> files, const ReadOptions& options, MemorySink& sink)
      : files_(files), options_(options), sink_(sink) {}

  Result<ReadImage> run() {
    if (auto r = inspectAll(); !r) return tl::make_unexpected(r.error());
    if (auto r = findStack(); !r) return tl::make_unexpected(r.error());
    if (auto r = checkFormats(); !r) return tl::make_unexpected(r.error());
    chooseTimePoints();
    describe();
    ImageInfo held = info_;
    held.timePoints = timePointsRead_;
    const auto count = voxelCount(held, files_.front().name);
    if (!count) return tl::make_unexpected(count.error());
    if (*count > std::numeric_limits<std::size_t>::max() / 16) {
      return fail(ErrorCode::limitExceeded, "the image is too large", files_.front().name);
    }
    auto memory = sink_.allocate(*count * bytesPerVoxel(info_.type) + Volume::paddingBytes);
    if (!memory) return tl::make_unexpected(memory.error());
    voxels_ = memory->first(*count * bytesPerVoxel(info_.type));
    if (auto r = decodeAll(); !r) return tl::make_unexpected(r.error());
    fillBetween();
    proposeWindow();
    ReadImage image{std::move(info_), 0};
    image.firstTimePoint = firstTimePoint_;
    if (timePointsRead_ != stack_.timePoints) image.timePointsRead = timePointsRead_;
    return image;
  }

 private:
  Result<void> inspectAll() {
    if (files_.empty()) return fail(ErrorCode::invalidInput, "no files");
    for (const auto& file : files_) {
      auto instance = inspect(file);
      if (!instance) return tl::make_unexpected(instance.error());
      instances_.push_back(std::move(*instance));
    }
    return {};
  }

  Result<void> findStack() {
    std::vector<DicomHeader> headers;
    for (const auto& instance : instances_) headers.push_back(instance.header);
    auto grouping = groupDicom(headers);
    if (!grouping.refused.empty()) {
      Error error = grouping.refused.front().second;
      error.where = files_[grouping.refused.front().first].name;
      return tl::make_unexpected(std::move(error));
    }
    if (grouping.stacks.empty()) return fail(ErrorCode::invalidInput, "the files make no image", files_.front().name);
    auto wanted = wantedStack(grouping.stacks);
    if (!wanted) return tl::make_unexpected(wanted.error());
    stack_ = std::move(grouping.stacks[*wanted]);
    return {};
  }

  /// By ReadOptions::series, which names a frame of the first file where that holds several stacks.
  Result<std::size_t> wantedStack(const std::vector<DicomStack>& stacks) {
    if (stacks.size() == 1) return 0;
    const auto names = "\"" + stacks[0].label + "\", \"" + stacks[1].label + "\"" + (stacks.size() > 2 ? ", ..." : "");
    const auto at = options_.series.rfind('@');
    if (at != std::string::npos) {
      const std::string number = options_.series.substr(at + 1);
      for (std::size_t n = 0; n < stacks.size(); ++n) {
        const auto holds = [&](const DicomSlice& s) { return s.instance == 0 && std::to_string(s.frame) == number; };
        if (std::any_of(stacks[n].frames.begin(), stacks[n].frames.end(), holds)) return n;
      }
      return fail(ErrorCode::notFound, "the files hold no image " + options_.series, files_.front().name);
    }
    if (files_.size() > 1) {
      return fail(ErrorCode::invalidInput,
                  "the files make " + std::to_string(stacks.size()) + " images (" + names + "), not one",
                  files_.front().name);
    }
    std::size_t largest = 0;
    for (std::size_t n = 1; n < stacks.size(); ++n) {
      if (stacks[n].frames.size() > stacks[largest].frames.size()) largest = n;
    }
    info_.warnings.push_back("the file holds " + std::to_string(stacks.size()) + " images (" + names + "); \"" +
                             stacks[largest].label + "\" is shown");
    return largest;
  }

  Result<void> checkFormats() {
    const Instance& a = first();
    const DicomFrameValues& av = a.valuesOf(stack_.frames.front().frame);
    for (const auto& [i, frame] : stack_.frames) {
      const Instance& b = instances_[i];
      if (b.format.isColour() != a.format.isColour()) {
        return fail(ErrorCode::invalidInput, "colour and grey slices are mixed in one series", files_[i].name);
      }
      const DicomFrameValues& bv = b.valuesOf(frame);
      differs_ = differs_ || voxelTypeOf(a.format) != voxelTypeOf(b.format) || av.slope != bv.slope ||
                 av.inter != bv.inter || !sameTable(a.format, b.format);
    }
    scaled_ = (differs_ || hasEmptyPlanes()) && !a.format.isColour();
    return {};
  }

  /// Frames can be read one by one, so one time point costs no more than itself.
  void chooseTimePoints() {
    timePointsRead_ = stack_.timePoints;
    const auto wanted = options_.timePoint;
    if (!wanted || *wanted < 0 || *wanted >= stack_.timePoints || stack_.timePoints == 1) return;
    firstTimePoint_ = *wanted;
    timePointsRead_ = 1;
  }

  void describe() {
    const Instance& instance = first();
    const DicomHeader& h = instance.header;
    const DicomPixelFormat& f = instance.format;
    const DicomFrameValues& values = instance.valuesOf(stack_.frames.front().frame);
    info_.format = "DICOM";
    info_.dims = {h.columns, h.rows, stack_.depth()};
    info_.timePoints = stack_.timePoints;
    info_.type = scaled_ ? VoxelType::float32 : voxelTypeOf(f);
    if (!scaled_ && !f.isColour() && !f.table) {
      info_.slope = values.slope;
      info_.inter = values.inter;
    }
    info_.worldFromVoxel = stack_.worldFromVoxel;
    info_.affineSource = "dicom";
    info_.description = h.seriesDescription;
    info_.modality = h.modality;
    if (const auto between = interpolatedPlanes(); between > 0) {
      info_.fields.emplace_back(interpolatedField, std::to_string(between) + " of " + std::to_string(stack_.depth()));
    }
    info_.timeStepSeconds = timeStep();
    info_.warnings.insert(info_.warnings.end(), stack_.warnings.begin(), stack_.warnings.end());
    if (scaled_ && differs_) {
      info_.warnings.push_back("the scale differs from slice to slice; it was applied and float32 made of it");
    }
    const auto zeroSlope = [&](const DicomSlice& s) { return valuesOf(s).zeroSlope; };
    const bool noScale = std::any_of(stack_.frames.begin(), stack_.frames.end(), zeroSlope);
    if (noScale) {
      info_.warnings.push_back(
          "RescaleSlope (0028,1053) is 0, which cannot be: the values there are shown as stored, "
          "and the unit is not known");
    }
    if (f.photometric == "MONOCHROME1") info_.warnings.push_back("MONOCHROME1: shown inverted");
    if (f.samples == 3 && f.bitsAllocated == 16) info_.warnings.push_back("colours of 16 bits are shown with 8");
    describeMeaning();
    if (!noScale) return;
    info_.unit.clear();
    info_.otherUnits.clear();
  }

  void describeMeaning() {
    std::string earliest;
    for (const auto& instance : instances_) {
      const std::string& time = instance.header.acquisitionTime;
      const auto a = secondsOf(time), b = secondsOf(earliest);
      if (a && (!b || *a < *b)) earliest = time;
    }
    const std::size_t i = stack_.frames.front().instance;
    const auto layout = dicomLayout(files_[i].bytes, files_[i].name, DicomExtent::header);
    if (layout) describeValues(DicomDataset(*layout, files_[i].name), first().format, earliest, info_);
    if (stack_.timePoints < 2) return;
    std::vector<DicomFrameValues> timePoints;
    const auto slices = static_cast<std::size_t>(stack_.slices);
    for (std::size_t n = 0; n < stack_.frames.size(); n += slices) {
      timePoints.push_back(valuesOf(stack_.frames[n]));
      for (std::size_t z = 1; z < slices; ++z) {
        const auto& b = valuesOf(stack_.frames[n + z]).bValue;
        if (b != timePoints.back().bValue) timePoints.back().bValue.reset();
      }
    }
    info_.diffusion = diffusionScheme(timePoints);
  }

  [[nodiscard]] std::string timeOf(const DicomSlice& slice) const {
    const DicomHeader& h = instances_[slice.instance].header;
    return h.places.empty() ? h.acquisitionTime : h.places[slice.frame].acquisitionTime;
  }

  /// Repetition time, unless the clock clearly says otherwise (3D sequences repeat many times a volume).
  [[nodiscard]] double timeStep() const {
    if (stack_.timePoints < 2) return 0;
    const DicomHeader& h = first().header;
    if (h.frameTimeMs > 0) return h.frameTimeMs / 1000;
    const double repetition = h.repetitionTimeMs > 0 && h.repetitionTimeMs < 1e7 ? h.repetitionTimeMs / 1000 : 0;
    const auto start = secondsOf(timeOf(stack_.frames.front()));
    const auto end =
        secondsOf(timeOf(stack_.frames[static_cast<std::size_t>(stack_.slices * (stack_.timePoints - 1))]));
    if (!start || !end || *end <= *start) return repetition;
    const double measured = (*end - *start) / static_cast<double>(stack_.timePoints - 1);
    const bool agrees = std::abs(measured - repetition) <= 0.05 * repetition;
    return agrees ? repetition : measured;
  }

  /// One frame and where its voxels go.
  struct Task {
    DicomSlice source;
    std::size_t target = 0;  // slice number in the sink
  };

  /// In the order of files, so that each is opened once.
  [[nodiscard]] std::vector<Task> tasks() const {
    std::vector<Task> tasks;
    const auto slices = static_cast<std::size_t>(stack_.slices), depth = static_cast<std::size_t>(stack_.depth());
    for (std::size_t n = 0; n < stack_.frames.size(); ++n) {
      const auto t = static_cast<std::int64_t>(n / slices) - firstTimePoint_;
      if (t < 0 || t >= timePointsRead_ || isAbsent(n)) continue;
      tasks.push_back({stack_.frames[n], depth * static_cast<std::size_t>(t) + zOf(n % slices)});
    }
    std::stable_sort(tasks.begin(), tasks.end(), [](const Task& a, const Task& b) {
      return a.source.instance != b.source.instance ? a.source.instance < b.source.instance
                                                    : a.source.frame < b.source.frame;
    });
    return tasks;
  }

  Result<void> decodeAll() {
    const auto all = tasks();
    for (std::size_t begin = 0; begin < all.size();) {
      std::size_t end = begin;
      while (end < all.size() && all[end].source.instance == all[begin].source.instance) ++end;
      if (auto r = decode(std::span(all).subspan(begin, end - begin), begin, all.size()); !r) return r;
      begin = end;
    }
    return {};
  }

  /// All frames of one file.
  Result<void> decode(std::span<const Task> tasks, std::size_t done, std::size_t total) {
    const std::size_t i = tasks.front().source.instance;
    const Instance& instance = instances_[i];
    const auto layout = dicomLayout(files_[i].bytes, files_[i].name);
    if (!layout) return tl::make_unexpected(layout.error());
    if (instance.header.tiled) {
      return readTiles(*layout, instance.format, files_[i].name, options_, sliceOf(tasks.front().target));
    }
    const bool mosaic = instance.header.mosaic;
    const std::size_t frames = mosaic ? 1 : static_cast<std::size_t>(instance.header.frames);
    auto stored = DicomStoredFrames::open(*layout, instance.format, frames, files_[i].name);
    if (!stored) return tl::make_unexpected(stored.error());
    std::vector<std::byte> whole;  // the mosaic
    for (std::size_t n = 0; n < tasks.size(); ++n) {
      const auto target = sliceOf(tasks[n].target);
      const std::size_t frame = tasks[n].source.frame;
      if (!mosaic) {
        if (auto r = convert(*stored, frame, instance.valuesOf(frame), target); !r) return r;
      } else {
        if (n == 0) {
          whole.resize(instance.format.pixelCount() * bytesPerVoxel(info_.type));
          if (auto r = convert(*stored, 0, instance.valuesOf(0), whole); !r) return r;
        }
        copyMosaicTile(whole, frame, static_cast<std::size_t>(instance.header.frames),
                       static_cast<std::size_t>(info_.dims[0]), static_cast<std::size_t>(info_.dims[1]),
                       bytesPerVoxel(info_.type), target);
      }
      options_.progress(static_cast<double>(done + n + 1) / static_cast<double>(total));
    }
    return {};
  }

  Result<void> convert(DicomStoredFrames& stored, std::size_t number, const DicomFrameValues& values,
                       std::span<std::byte> target) {
    auto frame = stored.frame(number);
    if (!frame) return tl::make_unexpected(frame.error());
    if (frame->bytes.empty() || target.size() != frame->format.pixelCount() * bytesPerVoxel(info_.type) ||
        (!scaled_ && voxelTypeOf(frame->format) != info_.type)) {
      return fail(ErrorCode::invalidInput, "a compressed frame has another size or kind than the image", stored.name());
    }
    frame->format.slope = values.slope;
    frame->format.inter = values.inter;
    if (scaled_) {
      convertPixelsScaled(frame->format, frame->bytes,
                          {reinterpret_cast<float*>(target.data()), frame->format.pixelCount()}, frame->firstBit);
    } else {
      convertPixels(frame->format, frame->bytes, target, frame->firstBit);
    }
    return {};
  }

  /// Planes without a slice, and slices that are lost. Between slices that belong together: linear between them, for
  /// labels the nearest. Where slices are missing: NaN, which is drawn transparent, read out as nothing and left out of
  /// the statistics; checkFormats() chose float32 for that.
  void fillBetween() {
    if (!isColour(info_.type)) {
      for (const std::size_t slice : emptySlices()) empty(sliceOf(slice));
    }
    if (stack_.depthOf.empty()) return;
    for (std::int64_t t = 0; t < timePointsRead_; ++t) {
      for (std::size_t i = 0; i + 1 < stack_.depthOf.size(); ++i) fillStep(t, i, true);
    }
    if (interpolatedPlanes() == 0) return;
    ImageInfo alone = info_;
    alone.timePoints = 1;
    if (looksLikeLabels(alone, voxels_)) return tellLabels();
    for (std::int64_t t = 0; t < timePointsRead_; ++t) {
      for (std::size_t i = 0; i + 1 < stack_.depthOf.size(); ++i) fillStep(t, i, false);
    }
  }

  /// Planes of the grid that hold no slice because it is missing, in the time points that were read.
  [[nodiscard]] std::vector<std::size_t> emptySlices() const {
    std::vector<std::size_t> empty;
    const auto depth = static_cast<std::size_t>(stack_.depth()), slices = static_cast<std::size_t>(stack_.slices);
    for (std::size_t t = 0; t < static_cast<std::size_t>(timePointsRead_); ++t) {
      for (std::size_t i = 0; i + 1 < stack_.depthOf.size(); ++i) {
        const auto below = static_cast<std::size_t>(stack_.depthOf[i]);
        const auto above = static_cast<std::size_t>(stack_.depthOf[i + 1]);
        for (std::size_t z = below + 1; z < above && !stack_.bridged[i]; ++z) empty.push_back(t * depth + z);
      }
      for (std::size_t i = 0; i < slices; ++i) {
        if (isAbsent((t + static_cast<std::size_t>(firstTimePoint_)) * slices + i)) empty.push_back(t * depth + zOf(i));
      }
    }
    return empty;
  }

  /// Planes between slices i and i + 1 of the time point `t` of those read.
  void fillStep(std::int64_t t, std::size_t i, bool nearest) {
    if (!stack_.bridged[i]) return;
    const auto first = static_cast<std::size_t>(t * stack_.depth());
    const std::size_t below = zOf(i), above = zOf(i + 1);
    const auto source = static_cast<std::size_t>((firstTimePoint_ + t) * stack_.slices) + i;
    const std::array padding{paddingOf(stack_.frames[source]), paddingOf(stack_.frames[source + 1])};
    for (std::size_t z = below + 1; z < above; ++z) {
      const double weight = static_cast<double>(z - below) / static_cast<double>(above - below);
      if (nearest) {
        const auto from = sliceOf(first + (weight < 0.5 ? below : above));
        std::copy(from.begin(), from.end(), sliceOf(first + z).begin());
      } else {
        blendPlanes(info_.type, sliceOf(first + below), sliceOf(first + above), weight, padding, sliceOf(first + z));
      }
    }
  }

  void tellLabels() {
    info_.warnings.emplace_back(
        "few different values, as in label maps: planes between slices are copies of the "
        "nearest slice, not mixtures");
    for (auto& [name, value] : info_.fields) {
      if (name == interpolatedField) name = "copied planes";
    }
  }

  [[nodiscard]] std::optional<DicomPadding> paddingOf(const DicomSlice& slice) const {
    const DicomFrameValues& values = valuesOf(slice);
    return voxelPaddingOf(instances_[slice.instance].format, values.slope, values.inter, scaled_);
  }

  [[nodiscard]] std::size_t zOf(std::size_t slice) const {
    return stack_.depthOf.empty() ? slice : static_cast<std::size_t>(stack_.depthOf[slice]);
  }

  [[nodiscard]] bool isAbsent(std::size_t number) const { return !stack_.absent.empty() && stack_.absent[number]; }

  static void empty(std::span<std::byte> slice) {
    std::fill_n(reinterpret_cast<float*>(slice.data()), slice.size() / sizeof(float),
                std::numeric_limits<float>::quiet_NaN());
  }

  [[nodiscard]] std::int64_t interpolatedPlanes() const {
    std::int64_t planes = 0;
    for (std::size_t i = 0; i < stack_.bridged.size(); ++i) {
      if (stack_.bridged[i]) planes += stack_.depthOf[i + 1] - stack_.depthOf[i] - 1;
    }
    return planes;
  }

  [[nodiscard]] bool hasEmptyPlanes() const {
    return !stack_.absent.empty() ||
           std::find(stack_.bridged.begin(), stack_.bridged.end(), false) != stack_.bridged.end();
  }

  /// The windows of the middle slice; for MONOCHROME1 turned round, from the voxels if the file has none.
  void proposeWindow() {
    const DicomSlice& middle = stack_.frames[static_cast<std::size_t>(stack_.slices / 2)];
    const DicomPixelFormat& f = instances_[middle.instance].format;
    if (f.isColour()) return;
    info_.windowPresets = valuesOf(middle).windows;
    const bool inverted = f.photometric == "MONOCHROME1";
    if (info_.windowPresets.empty() && inverted) info_.windowPresets.push_back(rangeOfVoxels());
    for (auto& preset : info_.windowPresets) {
      if (inverted) std::swap(preset.low, preset.high);
    }
    if (info_.windowPresets.empty()) return;
    info_.windowLow = info_.windowPresets.front().low;
    info_.windowHigh = info_.windowPresets.front().high;
  }

  [[nodiscard]] WindowPreset rangeOfVoxels() const {
    double low = HUGE_VAL, high = -HUGE_VAL;
    visitScalar(info_.type, [&](auto zero) {
      using T = decltype(zero);
      const std::span<const T> all(reinterpret_cast<const T*>(voxels_.data()), voxels_.size() / sizeof(T));
      for (const T value : all) {  // a comparison with NaN is false
        if (static_cast<double>(value) < low) low = static_cast<double>(value);
        if (static_cast<double>(value) > high) high = static_cast<double>(value);
      }
    });
    if (!(low <= high)) return {"all", 0, 1};
    return {"all", info_.slope * low + info_.inter, info_.slope * high + info_.inter};
  }

  [[nodiscard]] const Instance& first() const { return instances_[stack_.frames.front().instance]; }
  [[nodiscard]] const DicomFrameValues& valuesOf(const DicomSlice& slice) const {
    return instances_[slice.instance].valuesOf(slice.frame);
  }

  [[nodiscard]] std::span<std::byte> sliceOf(std::size_t number) {
    const std::size_t bytes = static_cast<std::size_t>(info_.dims[0] * info_.dims[1]) * bytesPerVoxel(info_.type);
    return voxels_.subspan(number * bytes, bytes);
  }

  std::span<const InputFile> files_;
  const ReadOptions& options_;
  MemorySink& sink_;
  std::vector<Instance> instances_;
  DicomStack stack_;
  std::int64_t firstTimePoint_ = 0, timePointsRead_ = 1;
  bool differs_ = false;  // the scale is not the same in all slices
  bool scaled_ = false;   // float32 with the scale applied
  ImageInfo info_;
  std::span<std::byte> voxels_;
};

}  // namespace

Result<ReadImage> readDicomVolume(std::span<const InputFile> files, const ReadOptions& options, MemorySink& sink) {
  return VolumeRead(files, options, sink).run();
}

}  // namespace nora
