#include "image/io/dicom_reader.hpp"

#include "image/io/dicom_dataset.hpp"
#include "image/io/dicom_header.hpp"
#include "image/io/dicom_layout.hpp"
#include "image/io/dicom_pixels.hpp"
#include "image/io/dicom_stack.hpp"
#include "image/volume.hpp"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <optional>

namespace nora {
namespace {

struct Instance {
  DicomHeader header;
  DicomPixelFormat format;
};

/// Uncompressed pixels that claim YBR_FULL_422 but have all three samples are YBR_FULL.
void correctSubsampling(const DicomLayout::Pixels& pixels, DicomPixelFormat& format) {
  if (!pixels.encapsulated && format.photometric == "YBR_FULL_422" && pixels.size >= format.pixelCount() * 3) {
    format.photometric = "YBR_FULL";
  }
}

Result<void> checkPixelData(const DicomLayout& layout, const DicomPixelFormat& format, const std::string& name) {
  if (!layout.pixels) return fail(ErrorCode::unsupported, "no pixel data: not an image", name);
  const auto& pixels = *layout.pixels;
  if (pixels.encapsulated && !layout.explicitVr) {
    return fail(ErrorCode::unsupported, "compressed pixel data in a data set of implicit encoding is not read", name);
  }
  const std::size_t wanted = pixels.encapsulated ? 1 : storedFrameBytes(format);
  if (pixels.size >= wanted && (!pixels.encapsulated || pixels.size == pixels.claimed)) return {};
  return fail(ErrorCode::invalidInput,
              "the pixel data is cut off: " + std::to_string(pixels.size) + " bytes are there, " +
                  (pixels.encapsulated ? std::string("its end is missing") : std::to_string(wanted) + " are needed"),
              name);
}

Result<Instance> inspect(const InputFile& file) {
  const auto layout = dicomLayout(file.bytes, file.name);
  if (!layout) return tl::make_unexpected(layout.error());
  const auto dataset = DicomDataset::parse(*layout, DicomDataset::Part::header, file.name);
  if (!dataset) return tl::make_unexpected(dataset.error());
  return Instance{dataset->header(), dataset->pixelFormat()};
}

/// The pixels of one instance as they are stored, decompressed; `format` then describes them.
class StoredPixels {
 public:
  static Result<StoredPixels> of(const InputFile& file, DicomPixelFormat& format) {
    StoredPixels stored;
    auto layout = dicomLayout(file.bytes, file.name);
    if (!layout) return tl::make_unexpected(layout.error());
    if (auto r = checkPixelData(*layout, format, file.name); !r) return tl::make_unexpected(r.error());
    if (layout->pixels->encapsulated) {
      auto dataset = DicomDataset::parse(*layout, DicomDataset::Part::all, file.name);
      if (!dataset) return tl::make_unexpected(dataset.error());
      auto frame = dataset->decodeFrame(format);
      if (!frame) return tl::make_unexpected(frame.error());
      if (auto r = checkPixelFormat(format, file.name); !r) return tl::make_unexpected(r.error());
      stored.owned_ = std::move(*frame);
      stored.bytes_ = stored.owned_;
    } else {
      stored.bytes_ = layout->dataset.subspan(layout->pixels->value, layout->pixels->size);
      stored.owned_ = std::move(layout->inflated);  // the data set's owner, if it was deflated
    }
    return stored;
  }
  [[nodiscard]] std::span<const std::byte> bytes() const { return bytes_; }

 private:
  std::vector<std::byte> owned_;
  std::span<const std::byte> bytes_;
};

bool sameScale(const DicomPixelFormat& a, const DicomPixelFormat& b) {
  return voxelTypeOf(a) == voxelTypeOf(b) && a.slope == b.slope && a.inter == b.inter;
}

/// Reads the files of one stack into the sink.
class StackRead {
 public:
  StackRead(std::span<const InputFile> files, MemorySink& sink) : files_(files), sink_(sink) {}

  Result<ImageReader::Image> run() {
    if (auto r = inspectAll(); !r) return tl::make_unexpected(r.error());
    if (auto r = findStack(); !r) return tl::make_unexpected(r.error());
    if (auto r = checkFormats(); !r) return tl::make_unexpected(r.error());
    describe();
    const auto count = voxelCount(info_, files_.front().name);
    if (!count) return tl::make_unexpected(count.error());
    if (*count > std::numeric_limits<std::size_t>::max() / 16) {
      return fail(ErrorCode::limitExceeded, "the image is too large", files_.front().name);
    }
    auto memory = sink_.allocate(*count * bytesPerVoxel(info_.type) + Volume::paddingBytes);
    if (!memory) return tl::make_unexpected(memory.error());
    voxels_ = memory->first(*count * bytesPerVoxel(info_.type));
    if (auto r = decodeAll(); !r) return tl::make_unexpected(r.error());
    fillGaps();
    proposeWindow();
    return ImageReader::Image{std::move(info_), 0};
  }

 private:
  Result<void> inspectAll() {
    if (files_.empty()) return fail(ErrorCode::invalidInput, "no files");
    for (const auto& file : files_) {
      auto instance = inspect(file);
      if (!instance) return tl::make_unexpected(instance.error());
      headers_.push_back(std::move(instance->header));
      formats_.push_back(std::move(instance->format));
    }
    return {};
  }

  Result<void> findStack() {
    auto grouping = groupDicom(headers_);
    if (!grouping.refused.empty()) {
      Error error = grouping.refused.front().second;
      error.where = files_[grouping.refused.front().first].name;
      return tl::make_unexpected(std::move(error));
    }
    if (grouping.stacks.size() != 1) {
      return fail(ErrorCode::invalidInput,
                  "the files make " + std::to_string(grouping.stacks.size()) + " images (\"" +
                      grouping.stacks[0].label + "\", \"" + grouping.stacks[1].label + "\"), not one",
                  files_.front().name);
    }
    stack_ = std::move(grouping.stacks.front());
    return {};
  }

  Result<void> checkFormats() {
    for (const auto i : stack_.instances) {
      const auto layout = dicomLayout(files_[i].bytes, files_[i].name);
      if (!layout) return tl::make_unexpected(layout.error());
      if (layout->pixels) correctSubsampling(*layout->pixels, formats_[i]);
      if (!layout->pixels || !layout->pixels->encapsulated || formats_[i].samples == 1) {
        if (auto r = checkPixelFormat(formats_[i], files_[i].name); !r) return r;
      }
      if (auto r = checkPixelData(*layout, formats_[i], files_[i].name); !r) return r;
      if (formats_[i].isColour() != formats_[first()].isColour()) {
        return fail(ErrorCode::invalidInput, "colour and grey slices are mixed in one series", files_[i].name);
      }
      scaled_ = scaled_ || !sameScale(formats_[i], formats_[first()]);
    }
    differs_ = scaled_;
    scaled_ = (scaled_ || hasGaps()) && !formats_[first()].isColour();
    return {};
  }

  void describe() {
    const DicomHeader& h = headers_[first()];
    const DicomPixelFormat& f = formats_[first()];
    info_.format = "DICOM";
    info_.dims = {h.columns, h.rows, stack_.depth()};
    info_.timePoints = stack_.timePoints;
    info_.type = scaled_ ? VoxelType::float32 : voxelTypeOf(f);
    if (!scaled_ && !f.isColour()) {
      info_.slope = f.slope;
      info_.inter = f.inter;
    }
    info_.worldFromVoxel = stack_.worldFromVoxel;
    info_.affineSource = "dicom";
    info_.description = h.seriesDescription;
    info_.modality = h.modality;
    info_.timeStepSeconds = timeStep();
    info_.warnings = stack_.warnings;
    if (scaled_ && differs_)
      info_.warnings.push_back("the scale differs from slice to slice; it was applied and float32 made of it");
    if (f.photometric == "MONOCHROME1") info_.warnings.push_back("MONOCHROME1: shown inverted");
  }

  /// Repetition time, unless the clock clearly says otherwise (3D sequences repeat many times a volume).
  double timeStep() const {
    if (stack_.timePoints < 2) return 0;
    const DicomHeader& a = headers_[first()];
    const DicomHeader& b =
        headers_[stack_.instances[static_cast<std::size_t>(stack_.slices * (stack_.timePoints - 1))]];
    const double repetition = a.repetitionTimeMs > 0 && a.repetitionTimeMs < 1e7 ? a.repetitionTimeMs / 1000 : 0;
    const auto start = secondsOf(a.acquisitionTime), end = secondsOf(b.acquisitionTime);
    if (!start || !end || *end <= *start) return repetition;
    const double measured = (*end - *start) / static_cast<double>(stack_.timePoints - 1);
    const bool agrees = std::abs(measured - repetition) <= 0.05 * repetition;
    return agrees ? repetition : measured;
  }

  Result<void> decodeAll() {
    const std::size_t slices = static_cast<std::size_t>(stack_.slices);
    for (std::size_t n = 0; n < stack_.instances.size(); ++n) {
      const std::size_t z = stack_.depthOf.empty() ? n % slices : static_cast<std::size_t>(stack_.depthOf[n % slices]);
      const auto frame = sliceOf(static_cast<std::size_t>(stack_.depth()) * (n / slices) + z);
      if (auto r = decode(stack_.instances[n], frame); !r) return r;
    }
    return {};
  }

  Result<void> decode(std::size_t i, std::span<std::byte> target) {
    DicomPixelFormat format = formats_[i];
    const auto stored = StoredPixels::of(files_[i], format);
    if (!stored) return tl::make_unexpected(stored.error());
    if (stored->bytes().size() < storedFrameBytes(format)) {
      return fail(ErrorCode::invalidInput, "the pixel data is cut off", files_[i].name);
    }
    if (scaled_) {
      convertPixelsScaled(format, stored->bytes(), {reinterpret_cast<float*>(target.data()), format.pixelCount()});
    } else {
      convertPixels(format, stored->bytes(), target);
    }
    return {};
  }

  /// A slice that is missing has no values: NaN, which is drawn transparent, read out as nothing and left out of the
  /// statistics. describe() chose float32 for that.
  void fillGaps() {
    if (!hasGaps() || isColour(info_.type)) return;
    const auto depth = static_cast<std::size_t>(stack_.depth());
    std::vector<bool> there(depth);
    for (const auto z : stack_.depthOf) there[static_cast<std::size_t>(z)] = true;
    for (std::size_t n = 0; n < depth * static_cast<std::size_t>(stack_.timePoints); ++n) {
      if (there[n % depth]) continue;
      const auto bytes = sliceOf(n);
      std::fill_n(reinterpret_cast<float*>(bytes.data()), bytes.size() / sizeof(float),
                  std::numeric_limits<float>::quiet_NaN());
    }
  }

  [[nodiscard]] bool hasGaps() const { return !stack_.depthOf.empty(); }

  /// The window of the middle slice; for MONOCHROME1 turned round, from the voxels if the file has none.
  void proposeWindow() {
    const DicomPixelFormat& f = formats_[stack_.instances[static_cast<std::size_t>(stack_.slices / 2)]];
    if (f.isColour()) return;
    if (f.window) {
      info_.windowLow = (*f.window)[0] - (*f.window)[1] / 2;
      info_.windowHigh = (*f.window)[0] + (*f.window)[1] / 2;
    }
    if (f.photometric != "MONOCHROME1") return;
    if (!f.window) {
      visitScalar(info_.type, [&](auto zero) {
        using T = decltype(zero);
        const std::span<const T> all(reinterpret_cast<const T*>(voxels_.data()), voxels_.size() / sizeof(T));
        double low = HUGE_VAL;
        double high = -HUGE_VAL;
        for (const T value : all) {  // a comparison with NaN is false
          if (static_cast<double>(value) < low) low = static_cast<double>(value);
          if (static_cast<double>(value) > high) high = static_cast<double>(value);
        }
        info_.windowLow = info_.slope * low + info_.inter;
        info_.windowHigh = info_.slope * high + info_.inter;
      });
    }
    std::swap(info_.windowLow, info_.windowHigh);
  }

  [[nodiscard]] std::size_t first() const { return stack_.instances.front(); }

  [[nodiscard]] std::span<std::byte> sliceOf(std::size_t number) {
    const std::size_t bytes = static_cast<std::size_t>(info_.dims[0] * info_.dims[1]) * bytesPerVoxel(info_.type);
    return voxels_.subspan(number * bytes, bytes);
  }

  std::span<const InputFile> files_;
  MemorySink& sink_;
  std::vector<DicomHeader> headers_;
  std::vector<DicomPixelFormat> formats_;
  DicomStack stack_;
  bool scaled_ = false;   // float32 with the scale applied
  bool differs_ = false;  // the scale is not the same in all slices  // the scale is applied slice by slice
  ImageInfo info_;
  std::span<std::byte> voxels_;
};

}  // namespace

void DicomReader::prepare() {
  DicomDataset::prepare();
}

bool DicomReader::recognises(const InputFile& file) const {
  return looksLikeDicom(file.bytes);
}

Result<FileSummary> DicomReader::peek(const InputFile& file) const {
  const auto layout = dicomLayout(file.bytes, file.name);
  if (!layout) return tl::make_unexpected(layout.error());
  if (layout->mediaClassUid == dicomDirectoryClassUid) return FileSummary{"other", "DICOMDIR", nullptr};
  const auto dataset = DicomDataset::parse(*layout, DicomDataset::Part::header, file.name);
  if (!dataset) return tl::make_unexpected(dataset.error());
  return FileSummary{"dicom", "DICOM", toJson(dataset->header())};
}

Result<ImageReader::Image> DicomReader::read(std::span<const InputFile> files, const ReadOptions& /*options*/,
                                             MemorySink& sink) const {
  return StackRead(files, sink).run();
}

}  // namespace nora
