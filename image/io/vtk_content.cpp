#include "image/io/vtk_content.hpp"

#include "image/io/tract_content.hpp"
#include "image/volume.hpp"

#include <algorithm>
#include <array>

namespace nora {
namespace {

constexpr std::size_t mostArrays = 500;  // of values
constexpr std::uint64_t mostPoints = 0xffffffff;

enum class Kind { vertex, line, polygon, strip, pixel, other };

/// VTK's numbers for the cells of an unstructured grid.
Kind kindOfGridCell(std::int64_t type) {
  switch (type) {
    case 1:
    case 2: return Kind::vertex;
    case 3:
    case 4: return Kind::line;
    case 5:
    case 7:
    case 9: return Kind::polygon;
    case 6: return Kind::strip;
    case 8: return Kind::pixel;
    default: return Kind::other;
  }
}

/// One cell: its kind, its number among the cell data, and where its ids are.
struct Cell {
  Kind kind = Kind::other;
  std::uint64_t number = 0;
  const std::byte* ids = nullptr;
  std::uint64_t count = 0;
  std::size_t idBytes = 0;
  std::int64_t (*load)(const std::byte*) = nullptr;

  [[nodiscard]] std::int64_t id(std::uint64_t i) const { return load(ids + i * idBytes); }
};

tl::unexpected<Error> damagedCells(const std::string& name) {
  return fail(ErrorCode::invalidInput, "the cells are damaged: they do not fit the number of their points", name);
}

/// Visits the cells of one list. False if the list contradicts itself.
template <class Visitor>
bool visitCells(const VtkCells& cells, Cell cell, const VtkArray* types, Visitor&& visitor) {
  cell.load = cells.ids.indexLoader();
  cell.idBytes = bytesPerVoxel(cells.ids.type);
  const std::uint64_t total = cells.ids.numbers();
  const bool inPlace = cells.form == VtkCells::Form::inPlace;
  const auto loadOffset = cells.offsets.indexLoader();
  const std::size_t offsetBytes = bytesPerVoxel(cells.offsets.type);
  const auto loadType = types != nullptr ? types->indexLoader() : nullptr;
  const auto offset = [&](std::uint64_t i) { return loadOffset(cells.offsets.bytes.data() + i * offsetBytes); };
  std::uint64_t at = 0;
  const bool leadingZero = cells.form == VtkCells::Form::starts;
  if (leadingZero && cells.count > 0 && offset(0) != 0) return false;
  for (std::uint64_t i = 0; i < cells.count; ++i, ++cell.number) {
    std::int64_t count = 0;
    if (inPlace) {
      if (at >= total) return false;
      count = cell.load(cells.ids.bytes.data() + at++ * cell.idBytes);
    } else {
      const std::int64_t end = offset(leadingZero ? i + 1 : i);
      if (end < 0 || static_cast<std::uint64_t>(end) < at) return false;
      count = end - static_cast<std::int64_t>(at);
    }
    if (count < 0 || static_cast<std::uint64_t>(count) > total - at) return false;
    cell.count = static_cast<std::uint64_t>(count);
    cell.ids = cells.ids.bytes.data() + at * cell.idBytes;
    at += cell.count;
    if (types != nullptr) cell.kind = kindOfGridCell(loadType(types->bytes.data() + i * types->tupleBytes()));
    if (!visitor(static_cast<const Cell&>(cell))) return false;
  }
  return true;
}

template <class Visitor>
bool visitAllCells(const VtkDataset& dataset, Visitor&& visitor) {
  Cell cell;
  if (dataset.grid) return visitCells(*dataset.grid, cell, &dataset.gridTypes, visitor);
  constexpr std::array<Kind, 4> kinds{Kind::vertex, Kind::line, Kind::polygon, Kind::strip};
  for (std::size_t i = 0; i < kinds.size(); ++i) {
    cell.kind = kinds[i];
    if (!visitCells(dataset.cells[i], cell, nullptr, visitor)) return false;
    cell.number += dataset.cells[i].count;
  }
  return true;
}

std::uint64_t trianglesOf(const Cell& cell) {
  switch (cell.kind) {
    case Kind::polygon:
    case Kind::strip: return cell.count < 3 ? 0 : cell.count - 2;
    case Kind::pixel: return cell.count == 4 ? 2 : 0;
    default: return 0;
  }
}

struct Counts {
  std::uint64_t lines = 0, linePoints = 0, triangles = 0;
  std::uint64_t flat = 0, fans = 0, others = 0;
};

/// Counts, and checks that every id is a point.
Result<Counts> countCells(const VtkDataset& dataset, const std::string& name) {
  Counts counts;
  std::int64_t lost = -1;
  const std::uint64_t points = dataset.points.tuples;
  const bool sound = visitAllCells(dataset, [&](const Cell& cell) {
    for (std::uint64_t i = 0; i < cell.count; ++i) {
      const std::int64_t id = cell.id(i);
      if (id >= 0 && static_cast<std::uint64_t>(id) < points) continue;
      lost = id;
      return false;
    }
    if (cell.kind == Kind::line) {
      ++counts.lines;
      counts.linePoints += cell.count;
      return true;
    }
    const std::uint64_t triangles = trianglesOf(cell);
    counts.triangles += triangles;
    const bool face = cell.kind == Kind::polygon || cell.kind == Kind::strip || cell.kind == Kind::pixel;
    counts.flat += face && triangles == 0 ? 1 : 0;
    counts.fans += cell.kind == Kind::polygon && cell.count > 4 ? 1 : 0;
    counts.others += cell.kind == Kind::other ? 1 : 0;
    return true;
  });
  if (sound) return counts;
  if (lost == -1) return damagedCells(name);
  return fail(ErrorCode::invalidInput,
              "a cell names point " + std::to_string(lost) + ", but there are only " + std::to_string(points), name);
}

void tell(std::vector<std::string>& warnings, std::uint64_t count, const char* what) {
  if (count > 0) warnings.push_back(std::to_string(count) + what);
}

/// Points as float32, LPS turned to RAS.
class PointWriter {
 public:
  explicit PointWriter(const VtkDataset& dataset)
      : points_(dataset.points), load_(dataset.points.realLoader()), sign_(dataset.space == "LPS" ? -1.0f : 1.0f) {}

  void write(std::uint64_t point, float* out) const {
    const std::size_t unit = bytesPerVoxel(points_.type);
    const std::byte* at = points_.bytes.data() + point * 3 * unit;
    out[0] = sign_ * static_cast<float>(load_(at));
    out[1] = sign_ * static_cast<float>(load_(at + unit));
    out[2] = static_cast<float>(load_(at + 2 * unit));
  }

 private:
  const VtkArray& points_;
  double (*load_)(const std::byte*);
  float sign_;
};

/// Values that nora keeps: those with one tuple for each point (or cell), and how they are kept.
struct Values {
  const VtkAttribute* attribute = nullptr;
  std::size_t array = 0;
};

std::vector<Values> planValues(const std::vector<VtkAttribute>& all, std::uint64_t wanted, std::int64_t count,
                               ArrayPlan& plan, std::vector<AttachedData>& attached,
                               std::vector<std::string>& warnings) {
  std::vector<Values> out;
  for (const VtkAttribute& attribute : all) {
    const VtkArray& array = attribute.array;
    if (array.tuples != wanted || array.components == 0) {
      warnings.push_back("\"" + array.name + "\" was left out: it has " + std::to_string(array.tuples) +
                         " values, not " + std::to_string(wanted));
      continue;
    }
    if (out.size() == mostArrays) {
      warnings.push_back("only the first " + std::to_string(mostArrays) + " arrays of values were read");
      break;
    }
    DataRole role = attribute.role;
    if (role == DataRole::normal && array.components != 3) role = DataRole::scalar;
    if (array.type == VoxelType::uint8 && (array.components == 3 || array.components == 4)) role = DataRole::colour;
    const auto type = role == DataRole::normal ? VoxelType::float32 : array.type;
    const auto planned = plan.add(type, count, static_cast<std::int64_t>(array.components));
    out.push_back({&attribute, planned});
    attached.push_back({.name = array.name.empty() ? "values" : array.name,
                        .role = role,
                        .array = planned,
                        .intent = {},
                        .structure = {}});
  }
  return out;
}

void copyNormals(const VtkArray& array, bool lps, std::span<float> out) {
  const auto load = array.realLoader();
  const std::size_t unit = bytesPerVoxel(array.type);
  for (std::size_t i = 0; i < out.size(); ++i) {
    const auto value = static_cast<float>(load(array.bytes.data() + i * unit));
    out[i] = lps && i % 3 < 2 ? -value : value;
  }
}

std::byte* arrayStart(const ArrayPlan& plan, std::span<std::byte> memory, std::size_t array) {
  return memory.data() + plan.arrays()[array].offset;
}

Result<std::span<std::byte>> allocate(const ArrayPlan& plan, MemorySink& sink) {
  const auto size = plan.totalBytes();
  if (!size) return tl::make_unexpected(size.error());
  return sink.allocate(*size);
}

void fillTriangles(const VtkDataset& dataset, std::span<std::uint32_t> corners) {
  std::uint32_t* out = corners.data();
  static_cast<void>(visitAllCells(dataset, [&](const Cell& cell) {
    const auto put = [&](std::uint64_t a, std::uint64_t b, std::uint64_t c) {
      for (const auto i : {a, b, c}) *out++ = static_cast<std::uint32_t>(cell.id(i));
    };
    const std::uint64_t triangles = trianglesOf(cell);
    for (std::uint64_t t = 0; t < triangles; ++t) {
      if (cell.kind == Kind::strip) {
        t % 2 == 0 ? put(t, t + 1, t + 2) : put(t + 1, t, t + 2);
      } else if (cell.kind == Kind::pixel) {
        t == 0 ? put(0, 1, 3) : put(0, 3, 2);
      } else {
        put(0, t + 1, t + 2);
      }
    }
    return true;
  }));
}

Result<ReadContent> surfaceOf(VtkDataset& dataset, const Counts& counts, MemorySink& sink) {
  SurfaceInfo info;
  info.format = dataset.format;
  info.description = dataset.title;
  info.space = dataset.space.empty() ? "unknown" : "scanner";
  info.fields.emplace_back("coordinates", dataset.space.empty() ? "not said, taken as RAS mm" : dataset.space + " mm");
  info.vertices = static_cast<std::int64_t>(dataset.points.tuples);
  info.triangles = static_cast<std::int64_t>(counts.triangles);
  info.warnings = std::move(dataset.warnings);
  tell(info.warnings, counts.lines, " lines beside the polygons are not shown");
  tell(info.warnings, counts.flat, " polygons of fewer than three points were left out");
  tell(info.warnings, counts.fans, " polygons of more than four corners were cut into fans");
  tell(info.warnings, counts.others, " cells that are no polygons were left out");
  tell(info.warnings, dataset.cellData.size(), " arrays of values for polygons (not points) are not shown");
  ArrayPlan plan;
  info.points = plan.add(VoxelType::float32, info.vertices, 3);
  info.triangleCorners = plan.add(VoxelType::uint32, info.triangles, 3);
  const auto values =
      planValues(dataset.pointData, dataset.points.tuples, info.vertices, plan, info.data, info.warnings);
  const auto memory = allocate(plan, sink);
  if (!memory) return tl::make_unexpected(memory.error());
  float* points = plan.as<float>(*memory, *info.points).data();
  const PointWriter writer(dataset);
  for (std::uint64_t i = 0; i < dataset.points.tuples; ++i) writer.write(i, points + 3 * i);
  fillTriangles(dataset, plan.as<std::uint32_t>(*memory, *info.triangleCorners));
  for (std::size_t i = 0; i < values.size(); ++i) {
    const VtkArray& array = values[i].attribute->array;
    if (info.data[i].role == DataRole::normal) {
      copyNormals(array, dataset.space == "LPS", plan.as<float>(*memory, values[i].array));
    } else {
      array.copyTuples(0, array.tuples, arrayStart(plan, *memory, values[i].array));
    }
  }
  return ReadSurface{std::move(info), plan.arrays()};
}

void fillLines(const VtkDataset& dataset, const std::vector<Values>& perPoint, const std::vector<Values>& perLine,
               const ArrayPlan& plan, std::span<std::byte> memory, std::span<float> positions,
               std::span<std::uint64_t> offsets) {
  const PointWriter writer(dataset);
  std::uint64_t line = 0, point = 0;
  const auto copy = [&](const Values& values, std::uint64_t from, std::uint64_t to) {
    const VtkArray& array = values.attribute->array;
    array.copyTuples(from, 1, arrayStart(plan, memory, values.array) + to * array.tupleBytes());
  };
  static_cast<void>(visitAllCells(dataset, [&](const Cell& cell) {
    if (cell.kind != Kind::line) return true;
    for (std::uint64_t i = 0; i < cell.count; ++i, ++point) {
      const auto id = static_cast<std::uint64_t>(cell.id(i));
      writer.write(id, &positions[3 * point]);
      for (const Values& values : perPoint) copy(values, id, point);
    }
    for (const Values& values : perLine) copy(values, cell.number, line);
    offsets[++line] = point;
    return true;
  }));
}

/// Normals of lines keep their own type: only a surface needs them as float32.
void asScalars(std::vector<VtkAttribute>& attributes) {
  for (VtkAttribute& attribute : attributes) attribute.role = DataRole::scalar;
}

Result<ReadContent> tractsOf(VtkDataset& dataset, const Counts& counts, std::uint64_t cellCount, MemorySink& sink) {
  TractogramInfo info;
  info.format = dataset.format;
  info.streamlines = static_cast<std::int64_t>(counts.lines);
  info.points = static_cast<std::int64_t>(counts.linePoints);
  info.space = dataset.space.empty() ? "RAS mm (the file does not say)" : dataset.space + " mm";
  if (!dataset.title.empty()) info.fields.emplace_back("title", dataset.title);
  info.warnings = std::move(dataset.warnings);
  tell(info.warnings, counts.others, " cells that are no lines were left out");
  asScalars(dataset.pointData);
  asScalars(dataset.cellData);
  ArrayPlan plan;
  info.positions = plan.add(VoxelType::float32, info.points, 3);
  info.offsets = plan.add(VoxelType::uint64, info.streamlines + 1);
  const auto perPoint =
      planValues(dataset.pointData, dataset.points.tuples, info.points, plan, info.perPoint, info.warnings);
  const auto perLine =
      planValues(dataset.cellData, cellCount, info.streamlines, plan, info.perStreamline, info.warnings);
  const auto memory = allocate(plan, sink);
  if (!memory) return tl::make_unexpected(memory.error());
  const auto positions = plan.as<float>(*memory, info.positions);
  const auto offsets = plan.as<std::uint64_t>(*memory, info.offsets);
  fillLines(dataset, perPoint, perLine, plan, *memory, positions, offsets);
  return ReadTracts{std::move(info), plan.arrays()};
}

std::string kindOfGrid(const VtkDataset& dataset) {
  const auto load = dataset.gridTypes.indexLoader();
  bool lines = false;
  for (std::uint64_t i = 0; i < dataset.grid->count; ++i) {
    const Kind kind = kindOfGridCell(load(dataset.gridTypes.bytes.data() + i * dataset.gridTypes.tupleBytes()));
    if (kind == Kind::polygon || kind == Kind::strip || kind == Kind::pixel) return "surface";
    lines = lines || kind == Kind::line;
  }
  return lines ? "tracts" : "";
}

Result<ReadContent> imageOf(VtkDataset& dataset, MemorySink& sink, const std::string& name) {
  auto info = vtkImageInfo(dataset, name);
  if (!info) return tl::make_unexpected(info.error());
  const VtkArray& array = dataset.pointData.front().array;
  const std::size_t size = static_cast<std::size_t>(array.tuples) * array.tupleBytes();
  auto memory = sink.allocate(size + Volume::paddingBytes);
  if (!memory) return tl::make_unexpected(memory.error());
  if (info->components == 1) {
    array.copyTuples(0, array.tuples, memory->data());
    return ReadImage{std::move(*info)};
  }
  VtkArray single;  // one component after the other: a view of one number each
  single.type = array.type;
  single.order = array.order;
  single.bytes = array.bytes;
  const std::size_t unit = bytesPerVoxel(array.type);
  for (std::size_t c = 0; c < array.components; ++c) {
    std::byte* out = memory->data() + c * array.tuples * unit;
    for (std::uint64_t i = 0; i < array.tuples; ++i) single.copyTuples(i * array.components + c, 1, out + i * unit);
  }
  return ReadImage{std::move(*info)};
}

}  // namespace

Result<ImageInfo> vtkImageInfo(const VtkDataset& dataset, const std::string& name) {
  if (dataset.pointData.empty()) {
    return fail(ErrorCode::unsupported, "the image has no values at its points; values of cells are not read", name);
  }
  ImageInfo info;
  info.format = dataset.format + " image";
  info.dims = dataset.image->dims;
  info.worldFromVoxel = dataset.image->worldFromVoxel;
  info.affineSource = "origin and spacing, taken as RAS mm";
  info.description = dataset.title;
  info.warnings = dataset.warnings;
  const VtkArray& array = dataset.pointData.front().array;
  const bool colour = array.type == VoxelType::uint8 && (array.components == 3 || array.components == 4);
  info.type = !colour ? array.type : array.components == 3 ? VoxelType::rgb24 : VoxelType::rgba32;
  info.components = colour ? 1 : static_cast<std::int64_t>(array.components);
  const auto voxels = voxelCount(info, name);
  if (!voxels) return tl::make_unexpected(voxels.error());
  const std::uint64_t wanted = *voxels / static_cast<std::uint64_t>(info.components);
  if (array.tuples != wanted) {
    return fail(ErrorCode::invalidInput,
                "the image has " + std::to_string(wanted) + " voxels, but " + std::to_string(array.tuples) + " values",
                name);
  }
  tell(info.warnings, dataset.pointData.size() - 1, " further arrays of values were left out");
  return info;
}

std::string vtkKind(const VtkDataset& dataset) {
  if (dataset.image) return "image";
  if (dataset.grid) return kindOfGrid(dataset);
  if (dataset.cells[2].count > 0 || dataset.cells[3].count > 0) return "surface";
  return dataset.cells[1].count > 0 ? "tracts" : "";
}

Result<ReadContent> vtkContent(VtkDataset& dataset, const ReadOptions& options, MemorySink& sink,
                               const std::string& name) {
  if (dataset.image) return imageOf(dataset, sink, name);
  if (dataset.points.components != 3) return fail(ErrorCode::invalidInput, "the points have no x, y and z", name);
  if (dataset.points.tuples > mostPoints) {
    return fail(ErrorCode::limitExceeded, "the file has more than 4294967295 points", name);
  }
  const auto counts = countCells(dataset, name);
  if (!counts) return tl::make_unexpected(counts.error());
  options.progress(0.5);
  if (counts->triangles > 0) return surfaceOf(dataset, *counts, sink);
  if (counts->lines == 0) {
    return fail(ErrorCode::unsupported,
                "the file holds neither polygons nor lines (" + std::to_string(dataset.points.tuples) + " points)",
                name);
  }
  std::uint64_t cells = 0;
  for (const VtkCells& list : dataset.cells) cells += list.count;
  if (dataset.grid) cells = dataset.grid->count;
  return tractsOf(dataset, *counts, cells, sink);
}

}  // namespace nora
