// Makes a surface, streamlines or an image of what a VTK file holds.
#pragma once

#include "image/io/file_reader.hpp"
#include "image/io/vtk_dataset.hpp"

namespace nora {

/// "surface", "tracts" or "image" by what cells there are; empty if there is nothing to show.
[[nodiscard]] std::string vtkKind(const VtkDataset& dataset);

/// Of a dataset that is an image. Errors: as vtkContent.
[[nodiscard]] Result<ImageInfo> vtkImageInfo(const VtkDataset& dataset, const std::string& name);

/// Polygons (as fans), strips and triangles: a surface with the values of its points. Lines only: streamlines, each
/// with copies of its points, the values of points and lines. An image: its first array of values (or the one named as
/// scalars). World: RAS as it is, LPS turned; what does not say is taken as RAS.
/// Errors: invalidInput (ids of points that are not there), unsupported (nothing to show), limitExceeded.
[[nodiscard]] Result<ReadContent> vtkContent(VtkDataset& dataset, const ReadOptions& options, MemorySink& sink,
                                             const std::string& name);

}  // namespace nora
