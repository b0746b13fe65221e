// What ITK makes of an image: for tests/formats/reference_images_a.py. Not part of the build; to compile it:
//   find_package(ITK REQUIRED COMPONENTS ITKIONRRD ITKIOMeta) include(${ITK_USE_FILE})
//   add_executable(itk_answers itk_answers.cpp) target_link_libraries(itk_answers ${ITK_LIBRARIES})
// itk_answers FILE VOXELS prints one JSON object and writes the voxels, components interleaved, native order, to VOXELS.
#include <itkImageIOBase.h>
#include <itkMetaImageIO.h>
#include <itkNrrdImageIO.h>
#include <itkVersion.h>

#include <exception>
#include <fstream>
#include <iostream>
#include <string>
#include <vector>

int main(int argc, char** argv) try {
  if (argc != 3) return 2;
  itk::ImageIOBase::Pointer io = itk::NrrdImageIO::New();
  if (!io->CanReadFile(argv[1])) io = itk::MetaImageIO::New();
  io->SetFileName(argv[1]);
  io->ReadImageInformation();
  const unsigned n = io->GetNumberOfDimensions();
  itk::ImageIORegion region(n);
  for (unsigned i = 0; i < n; ++i) region.SetSize(i, io->GetDimensions(i));
  io->SetIORegion(region);
  std::vector<char> voxels(io->GetImageSizeInBytes());
  io->Read(voxels.data());
  std::ofstream(argv[2], std::ios::binary).write(voxels.data(), static_cast<std::streamsize>(voxels.size()));

  std::cout.precision(17);
  const auto list = [&](auto&& value) {
    std::cout << "[";
    for (unsigned i = 0; i < n; ++i) std::cout << (i ? ", " : "") << value(i);
    std::cout << "]";
  };
  std::cout << "{\"tool\": \"ITK " << itk::Version::GetITKVersion() << "\", \"component\": \""
            << io->GetComponentTypeAsString(io->GetComponentType()) << "\", \"pixel\": \""
            << io->GetPixelTypeAsString(io->GetPixelType()) << "\", \"components\": " << io->GetNumberOfComponents()
            << ", \"dims\": ";
  list([&](unsigned i) { return io->GetDimensions(i); });
  std::cout << ", \"spacing\": ";
  list([&](unsigned i) { return io->GetSpacing(i); });
  std::cout << ", \"origin\": ";
  list([&](unsigned i) { return io->GetOrigin(i); });
  std::cout << ", \"directions\": [";  // of the axes, each in LPS
  for (unsigned axis = 0; axis < n; ++axis) {
    if (axis > 0) std::cout << ", ";
    list([&](unsigned i) { return io->GetDirection(axis)[i]; });
  }
  std::cout << "]}\n";
  return 0;
} catch (const std::exception& e) {
  std::cerr << e.what() << '\n';
  return 1;
}
