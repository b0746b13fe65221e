#include "image/io/dicom_seg.hpp"

#include "image/io/dicom_dataset.hpp"
#include "image/io/dicom_frames.hpp"
#include "image/io/dicom_seg_components.hpp"
#include "image/io/dicom_seg_geometry.hpp"
#include "image/io/dicom_seg_pixels.hpp"
#include "image/io/dicom_seg_segments.hpp"
#include "image/io/dicom_tags.hpp"
#include "image/io/dicom_text.hpp"
#include "image/volume.hpp"

#include <algorithm>
#include <map>
#include <optional>
#include <set>
#include <utility>

namespace nora {
namespace {

constexpr char segmentationClassUid[] = "1.2.840.10008.5.1.4.1.1.66.4";
constexpr char labelMapSegmentationClassUid[] = "1.2.840.10008.5.1.4.1.1.66.7";
constexpr std::uint32_t segmentationType = 0x00620001, maximumFractionalValue = 0x0062000E;
constexpr std::uint32_t segmentationFractionalType = 0x00620010;

/// One segment with its frames.
struct Part {
  Segment segment;
  std::vector<std::size_t> frames;
  std::size_t component = 0;
  std::uint64_t voxels = 0;
};

class SegmentationRead {
 public:
  SegmentationRead(const DicomLayout& layout, const std::string& name, const ReadOptions& options, MemorySink& sink)
      : name_(name), options_(options), sink_(sink), layout_(layout), item_(layout) {}

  Result<ReadImage> run() {
    if (auto r = open(); !r) return tl::make_unexpected(r.error());
    const std::string type = item_.text(segmentationType);
    const bool labelMap = type == "LABELMAP" || item_.text(tag::sopClassUid) == labelMapSegmentationClassUid;
    if (!labelMap) collectParts();
    describe();
    const auto done = labelMap ? readLabelMap() : type == "FRACTIONAL" ? readFractional() : readBinary();
    if (!done) return tl::make_unexpected(done.error());
    addFields(labelMap ? "LABELMAP" : type);
    return ReadImage{std::move(info_), 0};
  }

 private:
  Result<void> open() {
    auto pixels = SegPixels::open(layout_, name_);
    if (!pixels) return tl::make_unexpected(pixels.error());
    pixels_.emplace(std::move(*pixels));
    auto groups = framesOf(item_, pixels_->frames());
    frames_ = std::move(groups.frames);
    const bool tiled = item_.has(tag::totalMatrixColumns) ||
                       item_.text(tag::dimensionOrganizationType).starts_with("TILED") ||
                       std::any_of(frames_.begin(), frames_.end(), [](const auto& f) { return f.tilePosition; });
    if (tiled) return fail(ErrorCode::unsupported, "segmentations of whole-slide images (tiles) are not shown", name_);
    if (frames_.empty() && pixels_->frames() == 1) frames_.emplace_back();
    if (groups.moreDescribed || frames_.size() != pixels_->frames()) {
      return fail(ErrorCode::invalidInput,
                  "the segmentation has " + counted(pixels_->frames(), "frame") + ", but says of " +
                      (groups.moreDescribed ? "more" : std::to_string(frames_.size())) + " what they are",
                  name_);
    }
    auto geometry = segGeometry(frames_, name_, pixels_->format().pixelCount());
    if (!geometry) return tl::make_unexpected(geometry.error());
    geometry_ = std::move(*geometry);
    const DicomCharacters characters(item_.text(tag::specificCharacterSet));
    segments_ = segmentsOf(item_, characters);
    description_ = characters.utf8(item_.raw(tag::seriesDescription));
    return {};
  }

  /// Frames by segment. A frame that names none belongs to the only one.
  void collectParts() {
    std::map<std::int64_t, std::size_t> byNumber;
    for (const Segment& segment : segments_) {
      byNumber[segment.number] = parts_.size();
      parts_.push_back({segment, {}});
    }
    for (std::size_t f = 0; f < frames_.size(); ++f) {
      std::int64_t number = frames_[f].segment;
      if (number == 0) number = segments_.empty() ? 1 : segments_.front().number;
      const auto [found, isNew] = byNumber.try_emplace(number, parts_.size());
      if (isNew) {
        Segment unknown;
        unknown.number = number;
        parts_.push_back({unknown, {}});
        info_.warnings.push_back("segment " + std::to_string(number) + " is used but not described");
      }
      parts_[found->second].frames.push_back(f);
    }
    std::size_t twice = 0;
    for (const Part& part : parts_) {
      std::set<std::int64_t> planes;
      for (const std::size_t f : part.frames) twice += planes.insert(geometry_.zOf[f]).second ? 0 : 1;
    }
    if (twice > 0) info_.warnings.push_back(counted(twice, "frame") + " of a segment in the place of another: united");
  }

  void describe() {
    info_.format = "DICOM SEG";
    info_.modality = "SEG";
    info_.description = description_;
    info_.dims = {pixels_->format().columns, pixels_->format().rows, geometry_.planes};
    info_.worldFromVoxel = geometry_.worldFromVoxel;
    info_.affineSource = "dicom";
    info_.warnings.insert(info_.warnings.end(), geometry_.warnings.begin(), geometry_.warnings.end());
  }

  /// Memory of all components; info_ must be complete in type and size.
  Result<std::span<std::byte>> allocate() {
    const auto count = voxelCount(info_, name_);
    if (!count) return tl::make_unexpected(count.error());
    componentBytes_ = *count / static_cast<std::size_t>(info_.components) * bytesPerVoxel(info_.type);
    return sink_.allocate(*count * bytesPerVoxel(info_.type) + Volume::paddingBytes);
  }

  Result<SegmentMask> maskOf(const Part& part) {
    SegmentMask mask(pixels_->format().pixelCount());
    for (const std::size_t f : part.frames) {
      for (std::int64_t z = geometry_.span[f][0]; z <= geometry_.span[f][1]; ++z) {
        if (auto r = pixels_->addBits(f, mask.plane(z)); !r) return tl::make_unexpected(r.error());
      }
    }
    return mask;
  }

  void progress(double from, double to, std::size_t done) const {
    options_.progress(from + (to - from) * static_cast<double>(done) / static_cast<double>(parts_.size()));
  }

  Result<void> readBinary() {
    SegmentPacking packing;
    for (std::size_t i = 0; i < parts_.size(); ++i) {
      const auto mask = maskOf(parts_[i]);
      if (!mask) return tl::make_unexpected(mask.error());
      const auto component = packing.add(*mask, name_);
      if (!component) return tl::make_unexpected(component.error());
      parts_[i].component = *component;
      parts_[i].voxels = mask->count();
      progress(0, 0.5, i + 1);
    }
    const bool wide = std::any_of(parts_.begin(), parts_.end(), [](const Part& p) { return p.segment.number > 255; });
    info_.type = wide ? VoxelType::uint16 : VoxelType::uint8;
    info_.components = static_cast<std::int64_t>(packing.components());
    const auto memory = allocate();
    if (!memory) return tl::make_unexpected(memory.error());
    for (std::size_t i = 0; i < parts_.size(); ++i) {
      const auto mask = maskOf(parts_[i]);
      if (!mask) return tl::make_unexpected(mask.error());
      const auto target = memory->subspan(parts_[i].component * componentBytes_, componentBytes_);
      writeMask(*mask, parts_[i].segment.number, info_.type, target);
      progress(0.5, 1, i + 1);
    }
    setLabels();
    return {};
  }

  /// One frame into all planes that it fills.
  Result<void> readPlanes(std::size_t frame, std::span<std::byte> target, std::size_t frameBytes) {
    const auto planeAt = [&](std::int64_t z) {
      return target.subspan(static_cast<std::size_t>(z) * frameBytes, frameBytes);
    };
    const auto own = planeAt(geometry_.zOf[frame]);
    if (auto r = pixels_->read(frame, own); !r) return r;
    for (std::int64_t z = geometry_.span[frame][0]; z <= geometry_.span[frame][1]; ++z) {
      if (z != geometry_.zOf[frame]) std::copy(own.begin(), own.end(), planeAt(z).begin());
    }
    return {};
  }

  Result<void> readFractional() {
    const int bits = pixels_->format().bitsAllocated;
    const double most = item_.number(maximumFractionalValue).value_or(bits == 1 ? 1 : 255);
    if (!(most >= 1)) return fail(ErrorCode::invalidInput, "the largest fractional value is not above 0", name_);
    info_.type = bits == 16 ? VoxelType::uint16 : VoxelType::uint8;
    info_.slope = 1 / most;
    info_.windowLow = 0;
    info_.windowHigh = 1;
    info_.intent = item_.text(segmentationFractionalType) == "OCCUPANCY" ? "occupancy" : "probability";
    info_.components = static_cast<std::int64_t>(parts_.size());
    const auto memory = allocate();
    if (!memory) return tl::make_unexpected(memory.error());
    const std::size_t frameBytes = pixels_->format().pixelCount() * bytesPerVoxel(info_.type);
    for (std::size_t i = 0; i < parts_.size(); ++i) {
      parts_[i].component = i;
      const auto target = memory->subspan(i * componentBytes_, componentBytes_);
      for (const std::size_t f : parts_[i].frames) {
        if (auto r = readPlanes(f, target, frameBytes); !r) return r;
      }
      progress(0, 1, i + 1);
    }
    return {};
  }

  Result<void> readLabelMap() {
    std::set<std::int64_t> planes;
    for (const std::int64_t z : geometry_.zOf) {
      if (!planes.insert(z).second) {
        return fail(ErrorCode::unsupported, "a label map with several frames in one place (time points) is not shown",
                    name_);
      }
    }
    info_.type = pixels_->format().bitsAllocated == 16 ? VoxelType::uint16 : VoxelType::uint8;
    const auto memory = allocate();
    if (!memory) return tl::make_unexpected(memory.error());
    const std::size_t frameBytes = pixels_->format().pixelCount() * bytesPerVoxel(info_.type);
    for (std::size_t f = 0; f < frames_.size(); ++f) {
      if (auto r = readPlanes(f, *memory, frameBytes); !r) return r;
      options_.progress(static_cast<double>(f + 1) / static_cast<double>(frames_.size()));
    }
    for (const Segment& segment : segments_) parts_.push_back({segment, {}});
    setLabels();
    addPaletteColours();
    return {};
  }

  void setLabels() {
    info_.intent = "label";
    std::vector<Label> labels;
    for (const Part& part : parts_) {
      Label label{part.segment.number, part.segment.label};
      label.hasColour = part.segment.colour.has_value();
      if (part.segment.colour) {
        label.rgba = {(*part.segment.colour)[0], (*part.segment.colour)[1], (*part.segment.colour)[2], 255};
      }
      labels.push_back(std::move(label));
    }
    info_.labels = LabelTable(std::move(labels), "in the image");
  }

  /// A label map may come as palette colour: then the palette has the colours. Source: DICOM PS3.3 C.8.20.2.
  void addPaletteColours() {
    if (item_.text(tag::photometric) != "PALETTE COLOR") return;
    const DicomPixelFormat format = DicomDataset(layout_, name_).pixelFormat();
    std::vector<Label> labels = info_.labels->labels();
    for (Label& label : labels) {
      const std::int64_t entry = label.value - format.paletteFirst;
      if (label.hasColour || entry < 0) continue;
      const auto at = static_cast<std::size_t>(entry);
      const bool known = std::all_of(format.palette.begin(), format.palette.end(),
                                     [&](const auto& table) { return at < table.size(); });
      if (!known) continue;
      label.rgba = {format.palette[0][at], format.palette[1][at], format.palette[2][at], 255};
      label.hasColour = true;
    }
    info_.labels = LabelTable(std::move(labels), "in the image");
  }

  void addFields(const std::string& type) {
    if (const std::string uid = segSourceSeriesUid(item_); !uid.empty()) info_.fields.emplace_back("sourceSeries", uid);
    info_.fields.emplace_back("segmentation", type.empty() ? "BINARY" : type);
    info_.fields.emplace_back("frames", std::to_string(frames_.size()) + " on " + std::to_string(geometry_.filled) +
                                            " of " + counted(static_cast<std::uint64_t>(geometry_.planes), "slice"));
    for (const Part& part : parts_) {
      std::string text = textOf(part.segment);
      if (info_.intent == "label" && !part.frames.empty()) text += ", " + counted(part.voxels, "voxel");
      if (info_.components > 1) {
        text += ", component " + std::to_string(part.component + 1) + " of " + std::to_string(info_.components);
      }
      info_.fields.emplace_back("segment " + std::to_string(part.segment.number), std::move(text));
    }
  }

  const std::string& name_;
  const ReadOptions& options_;
  MemorySink& sink_;
  const DicomLayout& layout_;
  DicomItem item_;
  std::optional<SegPixels> pixels_;  // there once open() has returned
  std::vector<DicomFrame> frames_;
  SegGeometry geometry_;
  std::vector<Segment> segments_;
  std::string description_;
  std::vector<Part> parts_;
  std::size_t componentBytes_ = 0;
  ImageInfo info_;
};

}  // namespace

bool isSegmentationClass(const std::string& sopClassUid) {
  return sopClassUid == segmentationClassUid || sopClassUid == labelMapSegmentationClassUid;
}

Result<ReadImage> readDicomSegmentation(std::span<const InputFile> files, const ReadOptions& options,
                                        MemorySink& sink) {
  const InputFile& file = files.front();
  const auto layout = dicomLayout(file.bytes, file.name);
  if (!layout) return tl::make_unexpected(layout.error());
  return SegmentationRead(*layout, file.name, options, sink).run();
}

}  // namespace nora
