// The colours of an image's own label table, laid out so that kernels find them for any value.
#pragma once

#include "image/label_table.hpp"

#include <cstdint>
#include <vector>

namespace nora {

/// A hash table with linear probing. The entry of a label (modulo 2^32) stands at slot(label) or within probes() behind
/// it; slots that are empty have the key 0, which is never drawn.
class LabelColours {
 public:
  explicit LabelColours(const LabelTable& table);

  [[nodiscard]] const std::uint32_t* keys() const { return keys_.data(); }
  [[nodiscard]] const std::uint32_t* colours() const { return colours_.data(); }  // 0xAABBGGRR
  /// slot(label) = uint32(label * 2654435769) >> shift()
  [[nodiscard]] int shift() const { return shift_; }
  [[nodiscard]] int probes() const { return probes_; }

 private:
  std::vector<std::uint32_t> keys_, colours_;
  int shift_ = 0;
  int probes_ = 1;
};

}  // namespace nora
