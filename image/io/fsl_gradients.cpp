// b-values and directions in FSL's pair of text files.
#include "image/io/byte_reader.hpp"
#include "image/io/plain_text.hpp"
#include "image/io/sidecars.hpp"

#include <cmath>

namespace nora {
namespace {

using Rows = std::vector<std::vector<double>>;
constexpr std::size_t maxFileBytes = std::size_t{16} << 20;

Result<Rows> numbersOf(const InputFile& file) {
  if (file.bytes.size() > maxFileBytes) {
    return fail(ErrorCode::limitExceeded, "more than 16 MiB of b-values are not read", file.name);
  }
  const PlainText text(file.bytes);
  ByteReader lines(std::as_bytes(std::span(text.raw())));
  Rows rows;
  for (std::size_t number = 1; lines.left() > 0; ++number) {
    std::vector<double> row;
    for (const std::string_view word : words(lines.line(), " \t\r,;\f\v", maxFileBytes)) {
      const auto value = numberFrom<double>(word);
      if (!value) {
        return fail(ErrorCode::invalidInput,
                    "line " + std::to_string(number) + ": \"" + printable(word.substr(0, 20)) + "\" is no number",
                    file.name);
      }
      row.push_back(*value);
    }
    if (!row.empty()) rows.push_back(std::move(row));
  }
  return rows;
}

tl::unexpected<Error> wrongShape(const std::string& what, const InputFile& file) {
  return fail(ErrorCode::invalidInput, what + "; it is left out", file.name);
}

/// One row, or one number a row.
Result<std::vector<double>> bValuesOf(const InputFile& file) {
  auto rows = numbersOf(file);
  if (!rows) return tl::make_unexpected(rows.error());
  if (rows->empty()) return wrongShape("it holds no b-values", file);
  if (rows->size() == 1) return std::move(rows->front());
  std::vector<double> out;
  for (const auto& row : *rows) {
    if (row.size() != 1) return wrongShape("b-values must stand in one row or in one column", file);
    out.push_back(row.front());
  }
  return out;
}

/// As three rows (FSL), or one row a volume.
Result<std::vector<Vec3>> directionsOf(const InputFile& file) {
  const auto rows = numbersOf(file);
  if (!rows) return tl::make_unexpected(rows.error());
  std::vector<Vec3> out;
  const bool wide =
      rows->size() == 3 && (*rows)[0].size() == (*rows)[1].size() && (*rows)[0].size() == (*rows)[2].size();
  if (wide) {
    for (std::size_t i = 0; i < (*rows)[0].size(); ++i) out.push_back({(*rows)[0][i], (*rows)[1][i], (*rows)[2][i]});
    return out;
  }
  for (const auto& row : *rows) {
    if (row.size() != 3) return wrongShape("directions must stand in three rows or in three columns", file);
    out.push_back({row[0], row[1], row[2]});
  }
  return out;
}

/// NaN stands for "no direction" where b is 0.
Vec3 unitOrZero(const Vec3& v) {
  const double l = length(v);
  return std::isfinite(l) && l > 0 ? v * (1 / l) : Vec3{};
}

}  // namespace

Result<DiffusionScheme> diffusionFromFsl(const InputFile& bval, const InputFile& bvec, const ImageInfo& info) {
  auto bValues = bValuesOf(bval);
  if (!bValues) return tl::make_unexpected(bValues.error());
  const auto directions = directionsOf(bvec);
  if (!directions) return tl::make_unexpected(directions.error());
  const auto volumes = static_cast<std::size_t>(info.timePoints);
  if (bValues->size() != volumes) {
    return wrongShape(std::to_string(bValues->size()) + " b-values for " + std::to_string(volumes) + " volumes", bval);
  }
  if (directions->size() != volumes) {
    return wrongShape(std::to_string(directions->size()) + " directions for " + std::to_string(volumes) + " volumes",
                      bvec);
  }
  DiffusionScheme scheme;
  scheme.source = bval.name.substr(bval.name.rfind('/') + 1);
  scheme.bValues = std::move(*bValues);
  for (const double b : scheme.bValues) {
    if (!std::isfinite(b) || b < 0) return wrongShape("a b-value is negative or no number", bval);
  }
  // Directions lie along the axes of the stored image; of a right-handed one FSL mirrors the first.
  Affine axes;
  for (int c = 0; c < 3; ++c) axes.setColumn(c, normalised(info.worldFromVoxel.column(c)));
  const double mirror = determinant(info.worldFromVoxel) > 0 ? -1 : 1;
  for (const Vec3& g : *directions) {
    scheme.directions.push_back(unitOrZero(axes.direction(unitOrZero({mirror * g[0], g[1], g[2]}))));
  }
  return scheme;
}

}  // namespace nora
