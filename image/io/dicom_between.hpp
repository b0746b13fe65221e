// Planes between the slices of an unevenly spaced series: mixtures of their neighbours, but not of what is no quantity
// (padding, labels).
#pragma once

#include "image/image_info.hpp"
#include "image/io/dicom_pixels.hpp"

#include <array>
#include <optional>
#include <span>

namespace nora {

/// Voxel values that stand for "nothing here", both ends included.
struct DicomPadding {
  double low = 0, high = 0;
};

/// Of the voxels of one slice. `scaled`: its table or `slope` and `inter` were applied to the voxels.
[[nodiscard]] std::optional<DicomPadding> voxelPaddingOf(const DicomPixelFormat& format, double slope, double inter,
                                                         bool scaled);

/// target = (1 - weight) a + weight b, voxel by voxel; whole numbers are rounded, colours mixed part by part. Where
/// either is padding: the nearer one as it is. All three spans hold the same number of voxels of `type`.
void blendPlanes(VoxelType type, std::span<const std::byte> a, std::span<const std::byte> b, double weight,
                 const std::array<std::optional<DicomPadding>, 2>& padding, std::span<std::byte> target);

/// True if the voxels of a time point (`info`: of it alone) are few whole numbers in plateaus: labels, most likely.
[[nodiscard]] bool looksLikeLabels(const ImageInfo& info, std::span<const std::byte> voxels);

}  // namespace nora
