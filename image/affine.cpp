#include "image/affine.hpp"

#include <algorithm>
#include <numeric>

namespace nora {

Affine operator*(const Affine& a, const Affine& b) {
  Affine out;
  for (int r = 0; r < 4; ++r) {
    for (int c = 0; c < 4; ++c) {
      double sum = 0;
      for (int k = 0; k < 4; ++k) sum += a(r, k) * b(k, c);
      out(r, c) = sum;
    }
  }
  return out;
}

double determinant(const Affine& a) {
  return dot(a.column(0), cross(a.column(1), a.column(2)));
}

std::optional<Affine> inverse(const Affine& a) {
  if (!std::all_of(a.m.begin(), a.m.end(), [](double v) { return std::isfinite(v); })) return std::nullopt;
  const Vec3 x = a.column(0);
  const Vec3 y = a.column(1);
  const Vec3 z = a.column(2);
  const double det = determinant(a);
  constexpr double relativeSingularity = 1e-10;
  const double scale = length(x) * length(y) * length(z);
  if (!(std::abs(det) > relativeSingularity * scale) || !std::isfinite(1 / det)) return std::nullopt;
  const std::array<Vec3, 3> rows{cross(y, z) * (1 / det), cross(z, x) * (1 / det), cross(x, y) * (1 / det)};
  Affine out;
  const Vec3 t = a.column(3);
  for (int r = 0; r < 3; ++r) {
    const Vec3& row = rows[static_cast<std::size_t>(r)];
    for (int c = 0; c < 3; ++c) out(r, c) = row[static_cast<std::size_t>(c)];
    out(r, 3) = -dot(row, t);
  }
  return out;
}

Vec3 spacingMm(const Affine& a) {
  return {length(a.column(0)), length(a.column(1)), length(a.column(2))};
}

std::string orientationCode(const Affine& a) {
  // Greedy assignment by the largest remaining cosine; a voxel axis takes one world axis only.
  static constexpr std::array<std::array<char, 2>, 3> letters{{{'L', 'R'}, {'P', 'A'}, {'I', 'S'}}};
  std::string code = "???";
  std::array<bool, 3> worldTaken{};
  std::array<bool, 3> voxelDone{};
  for (int round = 0; round < 3; ++round) {
    double best = 0;
    int bestVoxel = -1;
    int bestWorld = -1;
    for (int v = 0; v < 3; ++v) {
      const Vec3 axis = normalised(a.column(v));
      for (int w = 0; w < 3; ++w) {
        const double cosine = std::abs(axis[static_cast<std::size_t>(w)]);
        if (!voxelDone[static_cast<std::size_t>(v)] && !worldTaken[static_cast<std::size_t>(w)] && cosine > best) {
          best = cosine;
          bestVoxel = v;
          bestWorld = w;
        }
      }
    }
    if (bestVoxel < 0) break;
    voxelDone[static_cast<std::size_t>(bestVoxel)] = true;
    worldTaken[static_cast<std::size_t>(bestWorld)] = true;
    const bool positive = a(bestWorld, bestVoxel) > 0;
    code[static_cast<std::size_t>(bestVoxel)] = letters[static_cast<std::size_t>(bestWorld)][positive ? 1 : 0];
  }
  return code;
}

}  // namespace nora
