// What the programs share that draw with VTK, the peer of the rendering benchmarks: a window without X, a camera, the
// picture as a file. Only built where VTK and EGL are found, and never part of nora.
#pragma once

#include <EGL/egl.h>
#include <EGL/eglext.h>
#include <GL/glew.h>
#include <vtkCamera.h>
#include <vtkGenericOpenGLRenderWindow.h>
#include <vtkLight.h>
#include <vtkNew.h>
#include <vtkObjectFactory.h>
#include <vtkOpenGLState.h>
#include <vtkRenderer.h>
#include <vtkSmartPointer.h>
#include <vtkUnsignedCharArray.h>

#include <array>
#include <chrono>
#include <cstdio>
#include <fstream>
#include <stdexcept>
#include <string>

#include <nlohmann/json.hpp>

namespace nora::bench {

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
inline CurrentContextWindow* CurrentContextWindow::New() {
  auto* window = new CurrentContextWindow;
  window->InitializeObjectBase();
  return window;
}

inline void makeContext() {
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

inline void place(vtkRenderer* renderer, const json& job) {
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

inline void write(CurrentContextWindow* window, int width, int height, const std::string& path) {
  vtkNew<vtkUnsignedCharArray> pixels;
  window->GetPixelData(0, 0, width - 1, height - 1, 1, pixels.Get(), 0);
  std::ofstream file(path, std::ios::binary);
  for (int y = height - 1; y >= 0; --y) {
    file.write(reinterpret_cast<const char*>(pixels->GetPointer(3LL * y * width)), 3LL * width);
  }
}

/// A window of that size, drawing into the current context.
inline vtkSmartPointer<CurrentContextWindow> makeWindow(int width, int height) {
  auto window = vtkSmartPointer<CurrentContextWindow>::New();
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
  return window;
}

/// Draws `frames` times after one that is not timed; milliseconds. Writes the last picture.
inline json drawAndTime(CurrentContextWindow* window, int width, int height, const json& picture) {
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

}  // namespace nora::bench
