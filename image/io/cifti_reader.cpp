#include "image/io/cifti_reader.hpp"

#include "image/io/cifti_matrix.hpp"
#include "image/io/mesh_arrays.hpp"
#include "image/io/mesh_content.hpp"
#include "image/volume.hpp"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <new>
#include <vector>

namespace nora {
namespace {

constexpr std::size_t mostData = 500;  // beyond it, maps become the components of one

/// "Conte.sulc.dscalar.nii" -> "Conte.sulc"
std::string nameWithoutEnding(const std::string& fileName) {
  std::string name = meshBaseName(fileName);
  for (int i = 0; i < 2; ++i) name.resize(std::min(name.find_last_of('.'), name.size()));
  return name.empty() ? "values" : name;
}

double secondsOf(const CiftiDimension& dimension) {
  return dimension.axis == CiftiAxis::series && dimension.seriesUnit == "SECOND" ? dimension.seriesStep : 0;
}

std::vector<std::pair<std::string, std::string>> fieldsOf(const CiftiFile& file) {
  std::vector<std::pair<std::string, std::string>> fields;
  fields.emplace_back("rows", std::to_string(file.rows) + " (" + std::string(toString(file.across().axis)) + ")");
  fields.emplace_back("columns", std::to_string(file.columns) + " (" + std::string(toString(file.along().axis)) + ")");
  if (file.along().axis == CiftiAxis::series) {
    fields.emplace_back("step", std::to_string(file.along().seriesStep) + " " + file.along().seriesUnit);
  }
  if (!file.voxels.empty()) fields.emplace_back("voxels", std::to_string(file.voxels.size()));
  return fields;
}

/// The values for surfaces.
class SurfacesOfCifti {
 public:
  SurfacesOfCifti(const CiftiFile& file, std::span<const std::byte> bytes, const std::string& name,
                  const ReadOptions& options)
      : file_(file), bytes_(bytes), name_(name), options_(options) {}

  Result<ReadSurface> read(MemorySink& sink) {
    labels_ = file_.along().axis == CiftiAxis::labels;
    const bool series = file_.along().axis == CiftiAxis::series;
    together_ = series || static_cast<std::size_t>(file_.columns) * file_.surfaces.size() > mostData;
    for (const CiftiSurface& surface : file_.surfaces) plan(surface);
    if (auto made = arrays_.allocate(sink, name_); !made) return tl::make_unexpected(made.error());
    for (std::size_t s = 0; s < file_.surfaces.size(); ++s) {
      if (auto filled = fill(file_.surfaces[s], s); !filled) return tl::make_unexpected(filled.error());
      options_.progress(static_cast<double>(s + 1) / static_cast<double>(file_.surfaces.size()));
    }
    describe();
    return ReadSurface{std::move(info_), arrays_.plan.arrays()};
  }

 private:
  void plan(const CiftiSurface& surface) {
    const VoxelType type = labels_                            ? VoxelType::int32
                           : file_.type == VoxelType::float64 ? VoxelType::float64
                                                              : VoxelType::float32;
    const std::size_t count = together_ ? 1 : static_cast<std::size_t>(file_.columns);
    for (std::size_t i = 0; i < count; ++i) {
      AttachedData data;
      data.array = arrays_.plan.add(type, surface.vertices, together_ ? file_.columns : 1);
      data.structure = surface.structure;
      data.role = labels_ ? DataRole::label : DataRole::scalar;
      data.intent = labels_ ? "label" : file_.along().axis == CiftiAxis::series ? "time series" : "";
      data.name = nameWithoutEnding(name_);
      const auto& maps = file_.along().maps;
      if (!together_ && i < maps.size() && !maps[i].name.empty()) data.name = maps[i].name;
      if (labels_ && i < maps.size()) data.labels = LabelTable(maps[i].labels, "in the file");
      info_.data.push_back(std::move(data));
    }
  }

  Result<void> fill(const CiftiSurface& surface, std::size_t number) {
    const auto columns = static_cast<std::size_t>(file_.columns);
    const std::size_t first = number * (together_ ? 1 : columns);  // of its arrays
    const std::size_t count = together_ ? 1 : columns, each = together_ ? columns : 1;
    if (!labels_) {
      for (std::size_t i = first; i < first + count; ++i) fillWithNothing(i);
    }
    std::vector<double> row(columns);
    for (const auto& [vertex, index] : surface.rows) {
      readCiftiRow(file_, bytes_, index, row);
      for (std::size_t i = 0; i < count; ++i) {
        const auto values = std::span<const double>(row).subspan(i * each, each);
        if (!put(first + i, static_cast<std::size_t>(vertex) * each, values)) {
          return fail(ErrorCode::invalidInput,
                      "row " + std::to_string(index) + " has a label key that is no whole number", name_);
        }
      }
    }
    return {};
  }

  void fillWithNothing(std::size_t array) {
    constexpr double nothing = std::numeric_limits<double>::quiet_NaN();
    if (arrays_.plan.arrays()[array].type == VoxelType::float64) {
      std::ranges::fill(arrays_.as<double>(array), nothing);
    } else {
      std::ranges::fill(arrays_.as<float>(array), static_cast<float>(nothing));
    }
  }

  bool put(std::size_t array, std::size_t at, std::span<const double> values) {
    const VoxelType type = arrays_.plan.arrays()[array].type;
    if (type == VoxelType::float64) {
      std::ranges::copy(values, arrays_.as<double>(array).begin() + static_cast<std::ptrdiff_t>(at));
    } else if (type == VoxelType::float32) {
      const auto to = arrays_.as<float>(array).subspan(at, values.size());
      for (std::size_t i = 0; i < values.size(); ++i) to[i] = static_cast<float>(values[i]);
    } else {
      const auto to = arrays_.as<std::int32_t>(array).subspan(at, values.size());
      for (std::size_t i = 0; i < values.size(); ++i) {
        if (!(std::abs(values[i]) <= std::numeric_limits<std::int32_t>::max()) || values[i] != std::floor(values[i])) {
          return false;
        }
        to[i] = static_cast<std::int32_t>(values[i]);
      }
    }
    return true;
  }

  void describe() {
    info_.format = "CIFTI-2";
    info_.fields = fieldsOf(file_);
    const std::int64_t vertices = file_.surfaces.front().vertices;
    const bool same = std::ranges::all_of(file_.surfaces, [&](const auto& s) { return s.vertices == vertices; });
    info_.vertices = same ? vertices : 0;
    if (file_.surfaces.size() == 1) info_.structure = file_.surfaces.front().structure;
    if (!file_.voxels.empty()) {
      info_.warnings.push_back("the values of " + std::to_string(file_.voxels.size()) +
                               " voxels in the file are left out: only those of surfaces are shown");
    }
    if (together_ && file_.along().axis != CiftiAxis::series) {
      info_.warnings.push_back("the file has " + std::to_string(file_.columns) +
                               " maps; they are shown as the components of one");
    }
  }

  const CiftiFile& file_;
  std::span<const std::byte> bytes_;
  const std::string& name_;
  const ReadOptions& options_;
  bool labels_ = false, together_ = false;
  MeshArrays arrays_;
  SurfaceInfo info_;
};

/// A file with voxels only is an image; voxels that it does not name are 0.
ImageInfo imageInfoOf(const CiftiFile& file) {
  const bool labels = file.along().axis == CiftiAxis::labels;
  ImageInfo info;
  info.format = "CIFTI-2";
  info.dims = file.across().volumeDims;
  info.timePoints = file.columns;
  info.type = labels ? VoxelType::int32 : VoxelType::float32;
  info.worldFromVoxel = file.across().worldFromVoxel;
  info.affineSource = "CIFTI";
  info.intent = labels ? "label" : "";
  info.timeStepSeconds = secondsOf(file.along());
  info.fields = fieldsOf(file);
  if (labels && !file.along().maps.empty()) info.labels = LabelTable(file.along().maps.front().labels, "in the image");
  return info;
}

Result<ReadImage> readVoxels(const CiftiFile& file, std::span<const std::byte> bytes, const std::string& name,
                             MemorySink& sink) {
  ReadImage image{imageInfoOf(file)};
  const auto count = voxelCount(image.info, name);
  std::size_t size = 0;
  constexpr std::size_t unit = sizeof(float);
  if (!count) return tl::make_unexpected(count.error());
  if (__builtin_mul_overflow(*count, unit, &size) || __builtin_add_overflow(size, Volume::paddingBytes, &size)) {
    return fail(ErrorCode::limitExceeded, "the volume is too large", name);
  }
  auto memory = sink.allocate(size);
  if (!memory) return tl::make_unexpected(memory.error());
  const auto& dims = image.info.dims;
  const auto frame = static_cast<std::size_t>(dims[0] * dims[1] * dims[2]);
  std::vector<double> row(static_cast<std::size_t>(file.columns));
  for (const auto& [voxel, index] : file.voxels) {
    readCiftiRow(file, bytes, index, row);
    const auto at = static_cast<std::size_t>((voxel[2] * dims[1] + voxel[1]) * dims[0] + voxel[0]);
    for (std::size_t t = 0; t < row.size(); ++t) {
      std::byte* to = memory->data() + (t * frame + at) * unit;
      if (image.info.type == VoxelType::float32) {
        const auto value = static_cast<float>(row[t]);
        std::memcpy(to, &value, unit);
      } else {
        constexpr double most = std::numeric_limits<std::int32_t>::max();
        const auto key = static_cast<std::int32_t>(std::isfinite(row[t]) ? std::clamp(row[t], -most, most) : 0);
        std::memcpy(to, &key, unit);
      }
    }
  }
  return image;
}

}  // namespace

bool CiftiReader::recognises(const InputFile& file) const {
  for (const char* ending : {".dscalar.nii", ".dtseries.nii", ".dlabel.nii", ".dconn.nii", ".pscalar.nii",
                             ".ptseries.nii", ".plabel.nii", ".pconn.nii"}) {
    if (hasMeshSuffix(file.name, ending)) return true;
  }
  const std::string beginning = beginningOf(file, niftiHeaderBytes);
  return hasCiftiHeader(std::as_bytes(std::span(beginning)), file.name);
}

Result<FileSummary> CiftiReader::peek(const InputFile& file) const {
  if (file.bytes.empty()) return fail(ErrorCode::invalidInput, "the file is empty", file.name);
  const std::string beginning = beginningOf(file, niftiHeaderBytes);
  if (!hasCiftiHeader(std::as_bytes(std::span(beginning)), file.name)) {
    return fail(ErrorCode::invalidInput, "this is no CIFTI-2 file", file.name);
  }
  const auto content = MeshContent::of(file);
  if (!content) return tl::make_unexpected(content.error());
  const auto cifti = openCifti(content->bytes(), file.name);
  if (!cifti) return tl::make_unexpected(cifti.error());
  if (!cifti->surfaces.empty()) return FileSummary{"surface", "CIFTI-2", nullptr};
  return FileSummary{"image", "CIFTI-2", toJson(imageInfoOf(*cifti))};
}

Result<ReadContent> CiftiReader::readContent(std::span<const InputFile> files, const ReadOptions& options,
                                             MemorySink& sink) const {
  if (files.empty()) return fail(ErrorCode::invalidInput, "no file was given");
  const InputFile& file = files.front();
  try {
    const auto content = MeshContent::of(file);
    if (!content) return tl::make_unexpected(content.error());
    const auto cifti = openCifti(content->bytes(), file.name);
    if (!cifti) return tl::make_unexpected(cifti.error());
    if (cifti->surfaces.empty()) {
      return readVoxels(*cifti, content->bytes(), file.name, sink).map([](ReadImage&& image) {
        return ReadContent(std::move(image));
      });
    }
    return SurfacesOfCifti(*cifti, content->bytes(), file.name, options).read(sink).map([](ReadSurface&& surface) {
      return ReadContent(std::move(surface));
    });
  } catch (const std::bad_alloc&) {
    return fail(ErrorCode::limitExceeded, "out of memory while reading the file", file.name);
  }
}

}  // namespace nora
