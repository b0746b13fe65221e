// The peer of the rendering benchmark: draws a volume with VTK's ray casters, without X, and times them.
//   vtk_volume JOB.json   prints {"name": [milliseconds, ...], ...}, or {"error": "..."}; writes each picture as raw
//                         RGB, top row first, to the file that the job names.
// Only built where VTK and EGL are found, and never part of nora.
#include <EGL/egl.h>
#include <EGL/eglext.h>
#include <GL/glew.h>
#include <vtkCamera.h>
#include <vtkColorTransferFunction.h>
#include <vtkFixedPointVolumeRayCastMapper.h>
#include <vtkGPUVolumeRayCastMapper.h>
#include <vtkGenericOpenGLRenderWindow.h>
#include <vtkImageData.h>
#include <vtkLight.h>
#include <vtkNew.h>
#include <vtkObjectFactory.h>
#include <vtkOpenGLState.h>
#include <vtkPiecewiseFunction.h>
#include <vtkRenderer.h>
#include <vtkSmartPointer.h>
#include <vtkUnsignedCharArray.h>
#include <vtkVolume.h>
#include <vtkVolumeProperty.h>

#include <chrono>
#include <cstdio>
#include <fstream>
#include <stdexcept>

#include <vtkAutoInit.h>
#include <nlohmann/json.hpp>

VTK_MODULE_INIT(vtkRenderingOpenGL2)
VTK_MODULE_INIT(vtkRenderingVolumeOpenGL2)

namespace {

using nlohmann::json;

/// Debian's VTK is built for X: this window takes the EGL context that is current.
class CurrentContextWindow : public vtkGenericOpenGLRenderWindow {
 public:
  static CurrentContextWindow* New();
  vtkTypeMacro(CurrentContextWindow, vtkGenericOpenGLRenderWindow)

      void OpenGLInitContext() override {
    if (this->Initialized) return;
    const GLenum result = glewInit();
    if (result != GLEW_OK && result != GLEW_ERROR_NO_GLX_DISPLAY) throw std::runtime_error("no OpenGL functions");
    this->Initialized = true;
    this->GlewInitValid = true;
    this->GetState()->Initialize(this);
  }
};
vtkStandardNewMacro(CurrentContextWindow);

void makeContext() {
  const auto displayOf =
      reinterpret_cast<PFNEGLGETPLATFORMDISPLAYEXTPROC>(eglGetProcAddress("eglGetPlatformDisplayEXT"));
  if (displayOf == nullptr) throw std::runtime_error("no EGL platform displays");
  EGLDisplay display = displayOf(EGL_PLATFORM_SURFACELESS_MESA, EGL_DEFAULT_DISPLAY, nullptr);
  if (!eglInitialize(display, nullptr, nullptr)) throw std::runtime_error("no surfaceless EGL display");
  eglBindAPI(EGL_OPENGL_API);
  const EGLint wanted[] = {EGL_SURFACE_TYPE, EGL_PBUFFER_BIT, EGL_RENDERABLE_TYPE, EGL_OPENGL_BIT, EGL_NONE};
  EGLConfig config = nullptr;
  EGLint count = 0;
  eglChooseConfig(display, wanted, &config, 1, &count);
  const EGLint version[] = {
      EGL_CONTEXT_MAJOR_VERSION,           3,       EGL_CONTEXT_MINOR_VERSION, 2, EGL_CONTEXT_OPENGL_PROFILE_MASK,
      EGL_CONTEXT_OPENGL_CORE_PROFILE_BIT, EGL_NONE};
  EGLContext context = eglCreateContext(display, count > 0 ? config : nullptr, EGL_NO_CONTEXT, version);
  if (context == EGL_NO_CONTEXT || !eglMakeCurrent(display, EGL_NO_SURFACE, EGL_NO_SURFACE, context)) {
    throw std::runtime_error("no OpenGL context");
  }
}

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

void place(vtkRenderer* renderer, const json& job) {
  const auto vector = [&](const char* name) { return job.at(name).get<std::array<double, 3>>(); };
  vtkCamera* camera = renderer->GetActiveCamera();
  camera->ParallelProjectionOn();
  camera->SetPosition(vector("position").data());
  camera->SetFocalPoint(vector("focus").data());
  camera->SetViewUp(vector("up").data());
  camera->SetParallelScale(job.at("parallelScale"));
  renderer->ResetCameraClippingRange();
  vtkNew<vtkLight> light;
  light->SetLightTypeToSceneLight();
  light->SetPositional(false);
  light->SetPosition(vector("lamp").data());
  light->SetFocalPoint(vector("focus").data());
  renderer->AutomaticLightCreationOff();
  renderer->RemoveAllLights();
  renderer->AddLight(light);
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

void write(CurrentContextWindow* window, int width, int height, const std::string& path) {
  vtkNew<vtkUnsignedCharArray> pixels;
  window->GetPixelData(0, 0, width - 1, height - 1, 1, pixels.Get(), 0);
  std::ofstream file(path, std::ios::binary);
  for (int y = height - 1; y >= 0; --y) {
    file.write(reinterpret_cast<const char*>(pixels->GetPointer(3LL * y * width)), 3LL * width);
  }
}

/// One picture of the job: {"mapper", "step", "frames", "file"}. The first frame is not timed.
json draw(const json& job, const json& picture, vtkImageData* image) {
  const int width = job.at("width");
  const int height = job.at("height");
  vtkNew<CurrentContextWindow> window;
  window->SetOwnContext(0);
  window->SetReadyForRendering(true);
  window->SetIsCurrent(true);
  window->SetSupportsOpenGL(1);
  window->SetIsDirect(1);
  window->OpenGLInit();
  window->SetShowWindow(true);
  window->SetUseOffScreenBuffers(true);
  window->SetMultiSamples(0);
  window->SetSize(width, height);
  vtkNew<vtkRenderer> renderer;
  window->AddRenderer(renderer);
  vtkNew<vtkVolume> volume;
  const double step = picture.at("step").get<double>() * job.at("spacingMm").get<double>();
  volume->SetMapper(mapperOf(picture.at("mapper"), job.at("maximum"), step, image));
  volume->SetProperty(propertyOf(job));
  renderer->AddVolume(volume);
  place(renderer, job);
  json times = json::array();
  for (int frame = 0; frame <= picture.at("frames").get<int>(); ++frame) {
    const auto start = std::chrono::steady_clock::now();
    window->Render();
    glFinish();
    const std::chrono::duration<double, std::milli> time = std::chrono::steady_clock::now() - start;
    if (frame > 0) times.push_back(time.count());
  }
  write(window, width, height, picture.at("file"));
  return times;
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
