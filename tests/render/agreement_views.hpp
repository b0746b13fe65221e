// The pictures on which every backend must agree with the CPU's: each kind of view, layer, look and voxel type.
#pragma once

#include "tests/render/phantoms.hpp"

#include <string>
#include <vector>

namespace nora::agreement {

struct AgreementView {
  std::string name;
  std::string view;
  void (*layers)(phantom::Studio& studio);

  /// An empty Studio.
  void prepare(phantom::Studio& studio) const {
    studio.camera().zoom = 2;
    layers(studio);
  }
};

/// As test parameters.
[[nodiscard]] const std::vector<AgreementView>& views();

constexpr int width = 213;  // no multiple of a tile or a block
constexpr int height = 155;

inline void PrintTo(const AgreementView& view, std::ostream* out) {
  *out << view.name;
}

}  // namespace nora::agreement
