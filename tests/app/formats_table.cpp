#include "tests/app/formats_table.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <fstream>
#include <limits>
#include <sstream>

namespace nora::formats {
namespace {

using nlohmann::json;

constexpr double mmTolerance = 1e-3;     // single precision of coordinates beyond 1 m
constexpr double valueTolerance = 2e-6;  // of the largest value: single precision of scaled values

class Differences {
 public:
  template <class T>
  void same(const std::string& what, const T& ours, const T& theirs) {
    if (ours != theirs) add(what, json(ours).dump(), json(theirs).dump());
  }
  /// `theirs` may be null: not finite.
  void near(const std::string& what, double ours, const json& theirs, double tolerance) {
    const double expected = theirs.is_number() ? theirs.get<double>() : std::numeric_limits<double>::quiet_NaN();
    const bool equal = std::isfinite(expected) ? std::abs(ours - expected) <= tolerance : !std::isfinite(ours);
    if (!equal) add(what, std::to_string(ours), theirs.dump());
  }
  void add(const std::string& what, const std::string& ours, const std::string& theirs) {
    if (list.size() < 20) list.push_back(what + ": nora has " + ours + ", the other reader " + theirs);
  }
  std::vector<std::string> list;
};

double scaleOf(const json& expected) {
  const auto size = [&](const char* key) {
    return expected.at(key).is_number() ? std::abs(expected.at(key).get<double>()) : 0.0;
  };
  return std::max({size("min"), size("max"), 1e-30});
}

void compareVoxels(const Volume& volume, const json& expected, Differences& out) {
  const double tolerance = valueTolerance * scaleOf(expected);
  for (const json& each : expected.at("voxels")) {
    const auto v = each.at("voxel").get<std::array<std::int64_t, 3>>();
    const auto t = each.at("time").get<std::int64_t>();
    const auto c = each.at("component").get<std::int64_t>();
    out.near("voxel " + each.dump(), volume.value(v[0], v[1], v[2], t, c), each.at("value"), tolerance);
    if (each.contains("rgb")) {
      out.same("colour at " + each.dump(), colourAt(volume, v, t, c), each.at("rgb").get<std::array<int, 3>>());
    }
  }
}

void compareImage(const Volume& volume, const json& expected, Differences& out) {
  const ImageInfo& info = volume.info();
  std::vector<std::int64_t> dims{info.dims[0], info.dims[1], info.dims[2], info.timePoints, info.components};
  auto theirs = expected.at("dims").get<std::vector<std::int64_t>>();
  theirs.resize(5, 1);
  out.same("dims", dims, theirs);
  out.same("type", std::string(toString(info.type)), expected.at("type").get<std::string>());
  for (std::size_t r = 0; r < 3; ++r) {
    for (std::size_t c = 0; c < 4; ++c) {
      const json& entry = expected.at("affine").at(r).at(c);
      out.near("affine " + std::to_string(r) + "," + std::to_string(c),
               info.worldFromVoxel(static_cast<int>(r), static_cast<int>(c)), entry, mmTolerance * (c == 3 ? 1 : 0.1));
    }
  }
  const VoxelStatistics statistics = info.statistics.value_or(VoxelStatistics{});
  const double tolerance = valueTolerance * scaleOf(expected);
  if (!expected.at("min").is_null()) {
    out.near("min", statistics.min, expected.at("min"), tolerance);
    out.near("max", statistics.max, expected.at("max"), tolerance);
    out.near("mean", statistics.mean, expected.at("mean"), 10 * tolerance);
  }
  if (dims == theirs) compareVoxels(volume, expected, out);
}

void comparePoint(const std::string& what, std::span<const float> points, std::size_t index, const json& expected,
                  Differences& out) {
  for (std::size_t axis = 0; axis < 3; ++axis) {
    const bool there = 3 * index + axis < points.size();
    out.near(what + " " + std::to_string(index), there ? points[3 * index + axis] : NAN, expected.at(axis),
             mmTolerance);
  }
}

void compareBounds(const Vec3& low, const Vec3& high, const json& expected, Differences& out) {
  if (expected.is_null()) return;
  for (std::size_t axis = 0; axis < 3; ++axis) {
    out.near("lower bound", low[axis], expected.at(0).at(axis), mmTolerance);
    out.near("upper bound", high[axis], expected.at(1).at(axis), mmTolerance);
  }
}

void compareData(const std::vector<AttachedData>& list, const ArrayBlock& arrays, const json& expected,
                 Differences& out) {
  std::map<std::string, int> seen;  // several structures of one file may share a name
  for (const json& theirs : expected) {
    const auto name = theirs.at("name").get<std::string>();
    int before = seen[name]++;
    const auto ours =
        std::find_if(list.begin(), list.end(), [&](const AttachedData& d) { return d.name == name && before-- == 0; });
    if (ours == list.end()) {
      out.add("data \"" + name + "\"", "none", "some");
      continue;
    }
    out.same(name + ": role", std::string(toString(ours->role)), theirs.at("role").get<std::string>());
    out.same(name + ": components", arrays.arrays().at(ours->array).components,
             theirs.at("components").get<std::int64_t>());
    const double tolerance = valueTolerance * scaleOf(theirs);
    if (!theirs.at("min").is_null()) {
      out.near(name + ": min", ours->min, theirs.at("min"), tolerance);
      out.near(name + ": max", ours->max, theirs.at("max"), tolerance);
    }
    for (const json& value : theirs.at("values")) {
      out.near(name + " " + value.dump(), arrays.value(ours->array, value.at(0), value.at(1)), value.at(2), tolerance);
    }
    for (const json& label : theirs.value("labels", json::array())) {
      const Label* mine = ours->labels ? ours->labels->find(label.at(0)) : nullptr;
      out.same(name + ": label " + label.at(0).dump(), mine != nullptr ? mine->name : "none",
               label.at(1).get<std::string>());
      if (mine != nullptr) {
        out.same(name + ": colour of " + label.at(0).dump(), mine->rgba,
                 label.at(2).get<std::array<std::uint8_t, 4>>());
      }
    }
  }
}

void compareSurface(const Surface& surface, const json& expected, Differences& out) {
  if (expected.contains("vertices")) {
    out.same("vertices", surface.info().vertices, expected.at("vertices").get<std::int64_t>());
    out.same("triangles", surface.info().triangles, expected.at("triangles").get<std::int64_t>());
    compareBounds(surface.info().boundsLow, surface.info().boundsHigh, expected.at("bounds"), out);
    for (const json& point : expected.at("points")) {
      comparePoint("vertex", surface.points(), point.at(0), point.at(1), out);
    }
    for (const json& corner : expected.at("corners")) {
      const auto index = corner.at(0).get<std::size_t>();
      const auto triangles = surface.triangles();
      std::array<std::uint32_t, 3> ours{};
      for (std::size_t i = 0; i < 3 && 3 * index + i < triangles.size(); ++i) ours[i] = triangles[3 * index + i];
      out.same("triangle " + corner.at(0).dump(), ours, corner.at(1).get<std::array<std::uint32_t, 3>>());
    }
  }
  compareData(surface.info().data, surface.arrays(), expected.at("data"), out);
}

void compareTracts(const Tractogram& tracts, const json& expected, Differences& out) {
  const TractogramInfo& info = tracts.info();
  out.same("streamlines", info.streamlines, expected.at("streamlines").get<std::int64_t>());
  out.same("points", info.points, expected.at("points").get<std::int64_t>());
  compareBounds(info.boundsLow, info.boundsHigh, expected.at("bounds"), out);
  const auto offsets = tracts.offsets();
  for (const json& sample : expected.at("samples")) {
    const auto s = sample.at(0).get<std::size_t>();
    if (s + 1 >= offsets.size()) continue;  // told above
    out.same("length of streamline " + sample.at(0).dump(), offsets[s + 1] - offsets[s],
             sample.at(1).get<std::uint64_t>());
    comparePoint("point of streamline " + sample.at(0).dump(), tracts.positions(),
                 offsets[s] + sample.at(2).get<std::size_t>(), sample.at(3), out);
  }
  compareData(info.perPoint, tracts.arrays(), expected.at("perPoint"), out);
  compareData(info.perStreamline, tracts.arrays(), expected.at("perStreamline"), out);
  for (const json& group : expected.at("groups")) {
    const auto ours = std::find_if(info.groups.begin(), info.groups.end(),
                                   [&](const StreamlineGroup& g) { return g.name == group.at(0); });
    out.same("group " + group.at(0).dump(), ours == info.groups.end() ? -1 : ours->count,
             group.at(1).get<std::int64_t>());
  }
}

void addOnce(std::vector<std::string>& list, const std::string& entry) {
  if (!entry.empty() && std::find(list.begin(), list.end(), entry) == list.end()) list.push_back(entry);
}

std::string joined(std::vector<std::string> list) {
  std::sort(list.begin(), list.end());
  std::string out;
  for (const std::string& entry : list) out += (out.empty() ? "" : ", ") + entry;
  return out;
}

std::string shapeOf(const ImageInfo& info) {
  const bool flat = info.dims[2] == 1;
  return std::string(flat ? "2D" : "3D") + (info.timePoints > 1 ? " + time" : "") +
         (info.components > 1 ? " + components" : "");
}

std::string titleOf(const std::string& kind) {
  static const std::map<std::string, std::string> titles{{"image", "Images"},       {"surface", "Surfaces"},
                                                         {"tracts", "Tracts"},      {"table", "Tables"},
                                                         {"document", "Documents"}, {"labels", "Look-up tables"}};
  return titles.at(kind);
}

std::string cell(std::string text) {
  std::replace(text.begin(), text.end(), '|', '/');
  return text;
}

}  // namespace

std::vector<Answer> answers(bool shared, const std::filesystem::path& folder) {
  std::vector<std::filesystem::path> lists;
  for (const auto& entry : std::filesystem::directory_iterator(NORA_TEST_DATA "/formats")) {
    const bool isShared = entry.path().stem().string().ends_with("_shared");
    if (entry.path().extension() == ".json" && isShared == shared) lists.push_back(entry.path());
  }
  std::sort(lists.begin(), lists.end());
  std::vector<Answer> out;
  for (const auto& list : lists) {
    std::ifstream in(list);
    json all = json::parse(in);
    for (json& answer : all) {
      out.push_back({folder, list.stem().string(), std::move(answer)});
    }
  }
  return out;
}

std::vector<std::string> differences(const Content& content, const json& expected) {
  Differences out;
  const auto kind = expected.at("kind").get<std::string>();
  out.same("kind", std::string(kindOf(content)), kind);
  if (!out.list.empty()) return out.list;
  if (kind == "image") compareImage(std::get<Volume>(content), expected, out);
  if (kind == "surface") compareSurface(std::get<Surface>(content), expected, out);
  if (kind == "tracts") compareTracts(std::get<Tractogram>(content), expected, out);
  return out.list;
}

void Table::opened(const Answer& answer, const Content& content) {
  const auto kind = std::string(kindOf(content));
  const auto format = infoOf(content).at("format").get<std::string>();
  Row& row = rows_[{kind, format}];
  ++row.files;
  addOnce(row.tools, answer.expected.value("tool", ""));
  if (const auto* volume = std::get_if<Volume>(&content)) {
    addOnce(row.types, std::string(toString(volume->info().type)));
    addOnce(row.dims, shapeOf(volume->info()));
  } else if (const auto* surface = std::get_if<Surface>(&content)) {
    addOnce(row.types, surface->hasMesh() ? "mesh" : "values only");
    for (const auto& data : surface->info().data) addOnce(row.types, std::string(toString(data.role)));
  } else if (const auto* tracts = std::get_if<Tractogram>(&content)) {
    addOnce(row.types, tracts->info().perPoint.empty() ? "" : "per point");
    addOnce(row.types, tracts->info().perStreamline.empty() ? "" : "per streamline");
    addOnce(row.types, tracts->info().groups.empty() ? "" : "groups");
  } else {
    addOnce(row.types, std::get<Document>(content).info().mediaType);
  }
}

void Table::refused(const Answer& answer, const Error& error) {
  refusals_[answer.file()] = error.what;
}

std::string Table::markdown() const {
  std::ostringstream out;
  out << "# Formats\n\n"
         "This page is made by a test (`app_tests`, FormatsTable) from the files that it really opened: those of\n"
         "tests/data for which an independent reader gave its answers (dims, affine, types, values at ten places,\n"
         "points, counts). The test fails if nora's reading differs, and if this page is not what it found.\n"
         "To write it anew: `NORA_WRITE_FORMATS=1 app_tests --gtest_filter='FormatsTable.*'`.\n";
  std::string kind;
  for (const auto& [key, row] : rows_) {
    if (key.first != kind) {
      kind = key.first;
      out << "\n## " << titleOf(kind)
          << "\n\n| format | files | seen | shapes | agrees with |\n|---|---|---|---|---|\n";
    }
    out << "| " << cell(key.second) << " | " << row.files << " | " << joined(row.types) << " | " << joined(row.dims)
        << " | " << cell(joined(row.tools)) << " |\n";
  }
  if (!refusals_.empty()) out << "\n## Refused, and why\n\n| file | nora says |\n|---|---|\n";
  for (const auto& [file, what] : refusals_) out << "| " << cell(file) << " | " << cell(what) << " |\n";
  return out.str();
}

}  // namespace nora::formats
