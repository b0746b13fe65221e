// Points and 4x4 affine transforms in double precision. World space is RAS millimetres everywhere in nora.
#pragma once

#include <array>
#include <cmath>
#include <optional>
#include <string>

namespace nora {

using Vec3 = std::array<double, 3>;

[[nodiscard]] constexpr Vec3 operator+(const Vec3& a, const Vec3& b) {
  return {a[0] + b[0], a[1] + b[1], a[2] + b[2]};
}
[[nodiscard]] constexpr Vec3 operator-(const Vec3& a, const Vec3& b) {
  return {a[0] - b[0], a[1] - b[1], a[2] - b[2]};
}
[[nodiscard]] constexpr Vec3 operator*(const Vec3& a, double s) {
  return {a[0] * s, a[1] * s, a[2] * s};
}
[[nodiscard]] constexpr double dot(const Vec3& a, const Vec3& b) {
  return a[0] * b[0] + a[1] * b[1] + a[2] * b[2];
}
[[nodiscard]] constexpr Vec3 cross(const Vec3& a, const Vec3& b) {
  return {a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]};
}
[[nodiscard]] inline double length(const Vec3& a) {
  return std::sqrt(dot(a, a));
}
[[nodiscard]] inline Vec3 normalised(const Vec3& a) {
  const double l = length(a);
  return l > 0 ? a * (1 / l) : a;
}

/// Row-major affine transform; the last row is 0 0 0 1. Named target from source: worldFromVoxel.
struct Affine {
  std::array<double, 16> m{1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1};

  [[nodiscard]] double operator()(int row, int column) const { return m[static_cast<std::size_t>(row * 4 + column)]; }
  double& operator()(int row, int column) { return m[static_cast<std::size_t>(row * 4 + column)]; }

  [[nodiscard]] Vec3 column(int c) const { return {(*this)(0, c), (*this)(1, c), (*this)(2, c)}; }
  void setColumn(int c, const Vec3& v) {
    for (int r = 0; r < 3; ++r) (*this)(r, c) = v[static_cast<std::size_t>(r)];
  }

  /// Applies to a point (with translation).
  [[nodiscard]] Vec3 point(const Vec3& p) const {
    return {m[0] * p[0] + m[1] * p[1] + m[2] * p[2] + m[3], m[4] * p[0] + m[5] * p[1] + m[6] * p[2] + m[7],
            m[8] * p[0] + m[9] * p[1] + m[10] * p[2] + m[11]};
  }
  /// Applies to a direction (without translation).
  [[nodiscard]] Vec3 direction(const Vec3& p) const {
    return {m[0] * p[0] + m[1] * p[1] + m[2] * p[2], m[4] * p[0] + m[5] * p[1] + m[6] * p[2],
            m[8] * p[0] + m[9] * p[1] + m[10] * p[2]};
  }

  friend bool operator==(const Affine&, const Affine&) = default;
};

[[nodiscard]] Affine operator*(const Affine& a, const Affine& b);

/// Determinant of the 3x3 part.
[[nodiscard]] double determinant(const Affine& a);

/// Empty if an entry is not finite or the 3x3 part is singular: |det| < 1e-10 x the product of the column lengths.
[[nodiscard]] std::optional<Affine> inverse(const Affine& a);

/// Lengths of the three columns: voxel sizes in millimetres.
[[nodiscard]] Vec3 spacingMm(const Affine& worldFromVoxel);

/// Closest axis codes of the voxel axes, as nibabel's aff2axcodes: "RAS", "LPI", ... ("?" for a zero column).
[[nodiscard]] std::string orientationCode(const Affine& worldFromVoxel);

}  // namespace nora
