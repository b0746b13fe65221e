// Files that explain an image: BIDS metadata, b-values and directions, names and colours of labels.
#pragma once

#include "image/image_info.hpp"
#include "image/io/file_reader.hpp"

#include <span>
#include <string>
#include <vector>

namespace nora {

/// Adds what the sidecars say to `info`: fields, unit, time step, diffusion scheme, labels. What the image itself says
/// stays. Labels are taken only by images of whole numbers; info.statistics, if there, tell for floating point.
/// A sidecar that is wrong or does not fit becomes a warning.
/// `imageName` tells FreeSurfer's segmentations, which come without a table.
void applySidecars(ImageInfo& info, std::span<const InputFile> sidecars, const std::string& imageName = {});

/// May the file be a sidecar, by its name alone?
[[nodiscard]] bool isSidecar(const std::string& name);

/// Names (with the folder of `imageName`) under which the sidecars of an image may lie, in the order of preference.
[[nodiscard]] std::vector<std::string> sidecarsOf(const std::string& imageName);

/// True for names of BIDS: "sub-01_task-rest_bold.nii.gz".
[[nodiscard]] bool isBidsName(const std::string& imageName);

/// Which of the files of a folder above (or its own) an image inherits: the same suffix ("bold"), and no entity that
/// the image does not have; .json, .bval and .bvec. The one with the most entities first. Source: BIDS 1.9, "The
/// Inheritance Principle".
[[nodiscard]] std::vector<std::string> inheritedSidecars(const std::string& imageName,
                                                         const std::vector<std::string>& names);

/// Names of the images to which a .json, .bval, .bvec or label table belongs by its own name, if there is one of them;
/// empty for other files.
[[nodiscard]] std::vector<std::string> imagesOfSidecar(const std::string& name);

/// Fills info.diffusion from a pair of files as FSL has them (bvec: three rows, or three columns; x flipped where the
/// image is right-handed). Errors: invalidInput (names the file, the line, the counts). Source: FSL FDT user guide,
/// dcm2niix, BIDS 1.9 "required gradient orientation information".
[[nodiscard]] Result<DiffusionScheme> diffusionFromFsl(const InputFile& bval, const InputFile& bvec,
                                                       const ImageInfo& info);

}  // namespace nora
