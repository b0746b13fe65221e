#include "image/io/gifti_columns.hpp"

#include "image/io/mesh_arrays.hpp"

#include <algorithm>
#include <cctype>

namespace nora {
namespace {

constexpr std::size_t manyArrays = 256;  // beyond, arrays that are alike become one even if they are no time series

/// The names of intents in nora, where lower case with spaces is not enough.
std::string intentText(std::string intent) {
  static constexpr std::pair<std::string_view, std::string_view> special[] = {{"NONE", ""},
                                                                              {"TTEST", "t test"},
                                                                              {"FTEST", "f test"},
                                                                              {"ZSCORE", "z score"},
                                                                              {"CORREL", "correlation"},
                                                                              {"CHISQ", "chi2"},
                                                                              {"PVAL", "p value"},
                                                                              {"LOGPVAL", "log p value"},
                                                                              {"LOG10PVAL", "log10 p value"},
                                                                              {"RGB_VECTOR", "rgb vector"}};
  for (const auto& [name, text] : special) {
    if (intent == name) return std::string(text);
  }
  for (char& c : intent) c = c == '_' ? ' ' : static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return intent;
}

bool holdsText(std::string_view text, std::string_view part) {
  return std::search(text.begin(), text.end(), part.begin(), part.end(),
                     [](char a, char b) { return std::tolower(static_cast<unsigned char>(a)) == b; }) != text.end();
}

DataRole roleOf(const GiftiArray& array, std::int64_t components) {
  if (array.intent == "LABEL") return DataRole::label;
  if (array.intent == "RGB_VECTOR" && components == 3) return DataRole::colour;
  if (array.intent == "RGBA_VECTOR" && components == 4) return DataRole::colour;
  if (array.intent != "VECTOR" || components != 3) return DataRole::scalar;
  return holdsText(valueOf(array.meta, "Name"), "normal") ? DataRole::normal : DataRole::vector;
}

VoxelType typeFor(DataRole role, VoxelType stored) {
  switch (role) {
    case DataRole::label: return VoxelType::int32;
    case DataRole::colour: return VoxelType::uint8;
    case DataRole::normal:
    case DataRole::vector: return VoxelType::float32;
    case DataRole::scalar: break;
  }
  return stored;
}

std::string nameOf(const GiftiArray& array, std::size_t number, std::size_t columns, const std::string& file) {
  const std::string name = meshBaseName(std::string(valueOf(array.meta, "Name")));  // FreeSurfer writes a path
  if (!name.empty()) return name;
  const std::string base = dataNameOf(file);
  return columns > 1 ? base + " " + std::to_string(number + 1) : base;
}

bool alike(const GiftiArray& a, const GiftiArray& b, bool anyIntent) {
  return a.intent == b.intent && a.type == b.type && a.dims == b.dims && (anyIntent || a.intent == "TIME_SERIES");
}

Result<void> addColumn(const GiftiXml& xml, std::size_t index, bool merge, GiftiContents& contents,
                       const std::string& name) {
  const GiftiArray& array = xml.arrays[index];
  const auto components = array.components(name);
  if (!components) return tl::make_unexpected(components.error());
  if (array.count() == 0 || *components == 0) {
    contents.warnings.push_back("array " + std::to_string(index) + " is empty and left out");
    return {};
  }
  if (!contents.columns.empty() && *components == 1) {
    GiftiColumn& last = contents.columns.back();
    if (alike(array, xml.arrays[last.sources.front()], merge)) {
      last.sources.push_back(index);
      ++last.components;
      return {};
    }
  }
  GiftiColumn column;
  column.sources = {index};
  column.data.role = roleOf(array, *components);
  column.data.intent = intentText(array.intent);
  column.type = typeFor(column.data.role, array.type);
  column.count = array.count();
  column.components = *components;
  contents.columns.push_back(std::move(column));
  return {};
}

/// The shape that a mesh array needs.
Result<void> wantTriples(const GiftiArray& array, const std::string& name) {
  const auto components = array.components(name);
  if (!components) return tl::make_unexpected(components.error());
  if (*components == 3) return {};
  return fail(
      ErrorCode::invalidInput,
      "the array of " + intentText(array.intent) + "s has " + std::to_string(*components) + " numbers a row, not 3",
      name);
}

Result<void> takeMesh(const GiftiXml& xml, GiftiContents& contents, const std::string& name) {
  std::size_t more = 0;
  for (std::size_t i = 0; i < xml.arrays.size(); ++i) {
    const std::string& intent = xml.arrays[i].intent;
    auto* place = intent == "POINTSET"     ? &contents.points
                  : intent == "TRIANGLE"   ? &contents.triangles
                  : intent == "NODE_INDEX" ? &contents.nodeIndex
                                           : nullptr;
    if (place == nullptr) continue;
    if (place->has_value()) {
      ++more;
      continue;
    }
    *place = i;
    if (intent == "NODE_INDEX") continue;
    if (auto triples = wantTriples(xml.arrays[i], name); !triples) return triples;
  }
  if (more > 0) {
    contents.warnings.push_back("the file has " + std::to_string(more) +
                                " more arrays of points, triangles or node indices; only the first of each is read");
  }
  return {};
}

}  // namespace

Result<GiftiContents> sortGifti(const GiftiXml& xml, const std::string& name) {
  GiftiContents contents;
  if (auto mesh = takeMesh(xml, contents, name); !mesh) return tl::make_unexpected(mesh.error());
  const bool merge = xml.arrays.size() > manyArrays;
  for (std::size_t i = 0; i < xml.arrays.size(); ++i) {
    const std::string& intent = xml.arrays[i].intent;
    if (intent == "POINTSET" || intent == "TRIANGLE" || intent == "NODE_INDEX") continue;
    if (auto added = addColumn(xml, i, merge, contents, name); !added) return tl::make_unexpected(added.error());
  }
  for (std::size_t c = 0; c < contents.columns.size(); ++c) {
    GiftiColumn& column = contents.columns[c];
    column.data.name = nameOf(xml.arrays[column.sources.front()], c, contents.columns.size(), name);
    if (column.data.role == DataRole::label) column.data.labels = LabelTable(xml.labels, "in the file");
  }
  if (contents.triangles && !contents.points) {
    contents.triangles.reset();
    contents.warnings.emplace_back("the triangles of the file have no points; they are left out");
  }
  if (contents.points || !contents.columns.empty()) return contents;
  return fail(ErrorCode::unsupported, "the file holds neither the points of a surface nor values for one", name);
}

}  // namespace nora
