#include "image/io/dicom_rtstruct.hpp"

#include "image/io/dicom_dataset.hpp"
#include "image/io/dicom_rtstruct_parse.hpp"
#include "image/io/dicom_rtstruct_raster.hpp"
#include "image/io/dicom_text.hpp"
#include "image/volume.hpp"

#include <algorithm>
#include <utility>

namespace nora {
namespace {

constexpr std::int64_t maxLabelValue = 65535;

/// LPS to RAS or back.
Affine turned(Affine affine) {
  for (int row = 0; row < 2; ++row) {
    for (int c = 0; c < 4; ++c) affine(row, c) = -affine(row, c);
  }
  return affine;
}

/// The headers of the images that came with the structure set; files that are no images are passed over.
std::vector<DicomHeader> sourceHeaders(std::span<const InputFile> files, const std::string& seriesUid) {
  std::vector<DicomHeader> headers;
  for (const InputFile& file : files) {
    const auto layout = dicomLayout(file.bytes, file.name, DicomExtent::header);
    if (!layout) continue;
    DicomHeader header = DicomDataset(*layout, file.name).header();
    if (seriesUid.empty() || header.seriesUid == seriesUid) headers.push_back(std::move(header));
  }
  return headers;
}

/// The stack with the most slices.
std::optional<RtSourceStack> sourceStack(std::span<const InputFile> files, const std::string& seriesUid) {
  const auto headers = sourceHeaders(files, seriesUid);
  const DicomGrouping grouping = groupDicom(headers);
  const auto largest = std::max_element(grouping.stacks.begin(), grouping.stacks.end(),
                                        [](const auto& a, const auto& b) { return a.depth() < b.depth(); });
  if (largest == grouping.stacks.end()) return std::nullopt;
  const DicomHeader& first = headers[largest->instances.front()];
  const bool placed = first.positionLps || (!first.places.empty() && first.places.front().positionLps);
  if (!placed) return std::nullopt;
  return RtSourceStack{{largest->columns, largest->rows, largest->depth()}, turned(largest->worldFromVoxel)};
}

/// What became of one ROI.
struct Outcome {
  std::int64_t value = 0;  // of its label
  std::size_t component = 0;
  std::uint64_t voxels = 0;
  std::size_t drawn = 0;
};

class StructureSetRead {
 public:
  StructureSetRead(RtStructureSet set, RtGrid grid, const Affine& voxelFromLps, const std::string& name)
      : set_(std::move(set)), grid_(std::move(grid)), voxelFromLps_(voxelFromLps), name_(name) {}

  Result<ReadImage> run(const ReadOptions& options, MemorySink& sink) {
    chooseValues();
    info_.warnings = grid_.warnings;
    if (auto r = plan(options); !r) return tl::make_unexpected(r.error());
    describe();
    const auto count = voxelCount(info_, name_);
    if (!count) return tl::make_unexpected(count.error());
    auto memory = sink.allocate(*count * bytesPerVoxel(info_.type) + Volume::paddingBytes);
    if (!memory) return tl::make_unexpected(memory.error());
    const std::size_t componentBytes = *count / static_cast<std::size_t>(info_.components) * bytesPerVoxel(info_.type);
    for (std::size_t i = 0; i < set_.rois.size(); ++i) {
      const auto target = memory->subspan(outcomes_[i].component * componentBytes, componentBytes);
      writeMask(drawRoi(set_.rois[i], grid_, voxelFromLps_).mask, outcomes_[i].value, info_.type, target);
      options.progress(0.5 + 0.5 * static_cast<double>(i + 1) / static_cast<double>(set_.rois.size()));
    }
    return ReadImage{std::move(info_), 0};
  }

 private:
  /// The ROIs' own numbers where they can be labels; else they are counted.
  void chooseValues() {
    const bool own = std::all_of(set_.rois.begin(), set_.rois.end(),
                                 [](const RtRoi& roi) { return roi.number >= 1 && roi.number <= maxLabelValue; });
    for (std::size_t i = 0; i < set_.rois.size(); ++i) {
      outcomes_.push_back({own ? set_.rois[i].number : static_cast<std::int64_t>(i + 1)});
    }
    if (!own) info_.fields.emplace_back("labels", "counted from 1: a ROI number is below 1 or above 65535");
  }

  Result<void> plan(const ReadOptions& options) {
    for (std::size_t i = 0; i < set_.rois.size(); ++i) {
      const RtDrawing drawing = drawRoi(set_.rois[i], grid_, voxelFromLps_);
      const auto component = packing_.add(drawing.mask, name_);
      if (!component) return tl::make_unexpected(component.error());
      outcomes_[i].component = *component;
      outcomes_[i].voxels = drawing.mask.count();
      outcomes_[i].drawn = drawing.drawn;
      warnOf(set_.rois[i], drawing, outcomes_[i]);
      options.progress(0.5 * static_cast<double>(i + 1) / static_cast<double>(set_.rois.size()));
    }
    if (!empty_.empty()) info_.warnings.push_back("without contours: " + empty_);
    return {};
  }

  /// Nothing of a ROI is lost silently.
  void warnOf(const RtRoi& roi, const RtDrawing& drawing, const Outcome& outcome) {
    const auto warn = [&](std::size_t count, const std::string& noun, const std::string& why) {
      if (count > 0) info_.warnings.push_back(roi.name + ": " + counted(count, noun) + " " + why);
    };
    warn(roi.points, "point", "not drawn");
    warn(roi.open, "open contour", "not drawn");
    warn(roi.damaged, "contour", "left out: fewer than three points, or numbers that are none");
    warn(drawing.offPlane, "contour", "left out: more than half a slice beyond the images");
    warn(drawing.tilted, "contour", "left out: not parallel to the images");
    warn(drawing.copies, "contour", "left out: there twice");
    warn(drawing.outside, "contour", "cut at the border of the images");
    if (roi.contours.empty() && roi.points + roi.open + roi.damaged == 0) {
      empty_ += (empty_.empty() ? "" : ", ") + roi.name;
    } else if (drawing.drawn > 0 && outcome.voxels == 0) {
      info_.warnings.push_back(roi.name + ": encloses no centre of a voxel, so nothing of it is shown");
    }
  }

  void describe() {
    info_.format = "RTSTRUCT";
    info_.modality = "RTSTRUCT";
    info_.intent = "label";
    info_.description = set_.label;
    info_.dims = grid_.dims;
    info_.components = static_cast<std::int64_t>(packing_.components());
    info_.worldFromVoxel = turned(grid_.lpsFromVoxel);
    info_.affineSource = "dicom";
    info_.warnings.insert(info_.warnings.end(), set_.warnings.begin(), set_.warnings.end());
    if (set_.hasOtherSources) info_.warnings.emplace_back("drawn on several series; the one with most images is used");
    info_.fields.emplace_back("sourceSeries", set_.sourceSeriesUid);
    info_.type = VoxelType::uint8;
    std::vector<Label> labels;
    for (std::size_t i = 0; i < set_.rois.size(); ++i) {
      const RtRoi& roi = set_.rois[i];
      if (outcomes_[i].value > 255) info_.type = VoxelType::uint16;
      Label label{outcomes_[i].value, roi.name};
      label.hasColour = roi.colour.has_value();
      if (roi.colour) label.rgba = {(*roi.colour)[0], (*roi.colour)[1], (*roi.colour)[2], 255};
      labels.push_back(std::move(label));
      info_.fields.emplace_back("ROI " + std::to_string(roi.number), textOf(roi, outcomes_[i]));
    }
    info_.labels = LabelTable(std::move(labels), "in the image");
  }

  /// "Heart, ORGAN, MANUAL, 33 contours, 4711 voxels"
  [[nodiscard]] std::string textOf(const RtRoi& roi, const Outcome& outcome) const {
    std::string text = roi.name;
    for (const std::string& part : {roi.description, roi.interpretedType, roi.algorithm}) {
      if (!part.empty()) text += ", " + part;
    }
    text += ", " + counted(outcome.drawn, "contour") + ", " + counted(outcome.voxels, "voxel");
    if (packing_.components() > 1) {
      text += ", component " + std::to_string(outcome.component + 1) + " of " + std::to_string(packing_.components());
    }
    return text;
  }

  RtStructureSet set_;
  RtGrid grid_;
  Affine voxelFromLps_;
  const std::string& name_;
  ImageInfo info_;
  SegmentPacking packing_;
  std::vector<Outcome> outcomes_;
  std::string empty_;  // names of ROIs without contours
};

}  // namespace

Result<ReadImage> readRtStructureSet(std::span<const InputFile> files, const ReadOptions& options, MemorySink& sink) {
  const std::string& name = files.front().name;
  const auto layout = dicomLayout(files.front().bytes, name);
  if (!layout) return tl::make_unexpected(layout.error());
  auto set = parseStructureSet(DicomItem(*layout), name);
  if (!set) return tl::make_unexpected(set.error());
  const bool any = std::any_of(set->rois.begin(), set->rois.end(), [](const auto& r) { return !r.contours.empty(); });
  if (!any) return fail(ErrorCode::unsupported, "the structure set has no closed contours: nothing to show", name);
  auto grid = chooseGrid(*set, sourceStack(files.subspan(1), set->sourceSeriesUid));
  const auto voxelFromLps = grid ? inverse(grid->lpsFromVoxel) : std::nullopt;
  if (!voxelFromLps) {
    return fail(ErrorCode::invalidInput, "the contours have no area, or lie too far apart for one image", name);
  }
  return StructureSetRead(std::move(*set), std::move(*grid), *voxelFromLps, name).run(options, sink);
}

}  // namespace nora
