// The peer of the rendering benchmark: draws a volume with VTK's ray casters, without X, and times them.
//   vtk_volume JOB.json   prints {"name": [milliseconds, ...], ...}, or {"error": "..."}; writes each picture as raw
//                         RGB, top row first, to the file that the job names.
// Only built where VTK and EGL are found, and never part of nora.
#include "benchmarks/vtk_context.hpp"

#include <vtkColorTransferFunction.h>
#include <vtkFixedPointVolumeRayCastMapper.h>
#include <vtkGPUVolumeRayCastMapper.h>
#include <vtkImageData.h>
#include <vtkPiecewiseFunction.h>
#include <vtkVolume.h>
#include <vtkVolumeProperty.h>

#include <vtkAutoInit.h>

VTK_MODULE_INIT(vtkRenderingOpenGL2)
VTK_MODULE_INIT(vtkRenderingVolumeOpenGL2)

namespace {

using namespace nora::bench;

vtkSmartPointer<vtkImageData> imageOf(const json& job) {
  auto image = vtkSmartPointer<vtkImageData>::New();
  const int edge = job.at("edge");
  const double spacing = job.at("spacingMm");
  const double origin = -0.5 * spacing * (edge - 1);
  image->SetDimensions(edge, edge, edge);
  image->SetSpacing(spacing, spacing, spacing);
  image->SetOrigin(origin, origin, origin);
  image->AllocateScalars(VTK_SHORT, 1);
  std::ifstream file(job.at("voxels").get<std::string>(), std::ios::binary);
  file.read(static_cast<char*>(image->GetScalarPointer()), 2LL * edge * edge * edge);
  if (!file) throw std::runtime_error("the voxels are cut short");
  return image;
}

vtkSmartPointer<vtkVolumeProperty> propertyOf(const json& job) {
  auto property = vtkSmartPointer<vtkVolumeProperty>::New();
  vtkNew<vtkPiecewiseFunction> opacity;
  vtkNew<vtkColorTransferFunction> colour;
  for (const json& point : job.at("points")) {
    opacity->AddPoint(point.at(0), point.at(1));
    colour->AddRGBPoint(point.at(0), point.at(2).get<double>() / 255, point.at(3).get<double>() / 255,
                        point.at(4).get<double>() / 255);
  }
  property->SetScalarOpacity(opacity);
  property->SetColor(colour);
  property->SetScalarOpacityUnitDistance(1);  // opacities are of one millimetre
  property->SetInterpolationTypeToLinear();
  property->SetShade(job.at("shaded").get<bool>() ? 1 : 0);
  property->SetAmbient(job.at("ambient"));
  property->SetDiffuse(job.at("diffuse"));
  property->SetSpecular(job.at("specular"));
  property->SetSpecularPower(job.at("specularPower"));
  return property;
}

vtkSmartPointer<vtkVolumeMapper> mapperOf(const std::string& name, bool maximum, double step, vtkImageData* image) {
  vtkSmartPointer<vtkVolumeMapper> out;
  if (name == "fixed") {
    auto mapper = vtkSmartPointer<vtkFixedPointVolumeRayCastMapper>::New();
    mapper->AutoAdjustSampleDistancesOff();
    mapper->LockSampleDistanceToInputSpacingOff();
    mapper->IntermixIntersectingGeometryOff();
    mapper->SetImageSampleDistance(1);
    mapper->SetSampleDistance(static_cast<float>(step));
    mapper->SetInteractiveSampleDistance(static_cast<float>(step));
    out = mapper;
  } else {
    auto mapper = vtkSmartPointer<vtkGPUVolumeRayCastMapper>::New();
    mapper->AutoAdjustSampleDistancesOff();
    mapper->LockSampleDistanceToInputSpacingOff();
    mapper->UseJitteringOff();
    mapper->SetImageSampleDistance(1);
    mapper->SetSampleDistance(static_cast<float>(step));
    out = mapper;
  }
  if (maximum) out->SetBlendModeToMaximumIntensity();
  out->SetInputData(image);
  return out;
}

/// One picture of the job: {"mapper", "step", "frames", "file"}. The first frame is not timed.
json draw(const json& job, const json& picture, vtkImageData* image) {
  const int width = job.at("width");
  const int height = job.at("height");
  const auto window = makeWindow(width, height);
  vtkNew<vtkRenderer> renderer;
  window->AddRenderer(renderer);
  vtkNew<vtkVolume> volume;
  const double step = picture.at("step").get<double>() * job.at("spacingMm").get<double>();
  volume->SetMapper(mapperOf(picture.at("mapper"), job.at("maximum"), step, image));
  volume->SetProperty(propertyOf(job));
  renderer->AddVolume(volume);
  place(renderer, job);
  return drawAndTime(window, width, height, picture);
}

}  // namespace

int main(int count, char** arguments) {
  json out = json::object();
  try {
    if (count != 2) throw std::runtime_error("usage: vtk_volume JOB.json");
    std::ifstream file(arguments[1]);
    const json job = json::parse(file);
    makeContext();
    const auto image = imageOf(job);
    for (const json& picture : job.at("pictures")) out[picture.at("name")] = draw(job, picture, image);
  } catch (const std::exception& e) {
    out = {{"error", e.what()}};
  }
  std::printf("%s\n", out.dump().c_str());
  return 0;
}
