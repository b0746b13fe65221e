// The peer of the formats benchmark: times how ITK reads each file into memory in its stored type.
//   itk_load FILE...   prints {file: milliseconds}, the median of five warm reads; files that ITK cannot read are left
//   out.
#include <itkImage.h>
#include <itkImageFileReader.h>
#include <itkMetaImageIOFactory.h>
#include <itkNiftiImageIOFactory.h>
#include <itkNrrdImageIOFactory.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <vector>

namespace {

double milliseconds(const std::string& path) {
  using Image = itk::Image<std::int16_t, 3>;
  const auto start = std::chrono::steady_clock::now();
  auto reader = itk::ImageFileReader<Image>::New();
  reader->SetFileName(path);
  reader->Update();
  return std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - start).count();
}

}  // namespace

int main(int count, char** arguments) {
  itk::NiftiImageIOFactory::RegisterOneFactory();
  itk::NrrdImageIOFactory::RegisterOneFactory();
  itk::MetaImageIOFactory::RegisterOneFactory();
  std::printf("{");
  const char* comma = "";
  for (int i = 1; i < count; ++i) {
    std::vector<double> times;
    try {
      static_cast<void>(milliseconds(arguments[i]));
      for (int n = 0; n < 5; ++n) times.push_back(milliseconds(arguments[i]));
    } catch (const itk::ExceptionObject&) {
      continue;
    }
    std::sort(times.begin(), times.end());
    std::printf("%s\"%s\": %.3f", comma, std::filesystem::path(arguments[i]).filename().c_str(), times[2]);
    comma = ", ";
  }
  std::printf("}\n");
}
