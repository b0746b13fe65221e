// The peer of the geometry benchmark: draws lines, tubes or a surface with VTK, without X, and times them.
//   vtk_geometry JOB.json   prints {"name": [milliseconds, ...], ...}, or {"error": "..."}; writes each picture as raw
//                           RGB, top row first, to the file that the job names.
// Only built where VTK and EGL are found, and never part of nora.
#include "benchmarks/vtk_context.hpp"

#include <vtkActor.h>
#include <vtkCellArray.h>
#include <vtkFloatArray.h>
#include <vtkPointData.h>
#include <vtkPoints.h>
#include <vtkPolyData.h>
#include <vtkPolyDataMapper.h>
#include <vtkProperty.h>
#include <vtkTubeFilter.h>

#include <vector>

#include <vtkAutoInit.h>

VTK_MODULE_INIT(vtkRenderingOpenGL2)

namespace {

using namespace nora::bench;

template <class T>
std::vector<T> readAll(const std::string& path) {
  std::ifstream file(path, std::ios::binary | std::ios::ate);
  if (!file) throw std::runtime_error("cannot read " + path);
  std::vector<T> out(static_cast<std::size_t>(file.tellg()) / sizeof(T));
  file.seekg(0);
  file.read(reinterpret_cast<char*>(out.data()), static_cast<std::streamsize>(out.size() * sizeof(T)));
  return out;
}

/// "points": x y z as float; "offsets" (first point of each line, then the number of points) or "triangles".
vtkSmartPointer<vtkPolyData> shapeOf(const json& picture) {
  auto shape = vtkSmartPointer<vtkPolyData>::New();
  const auto numbers = readAll<float>(picture.at("points"));
  vtkNew<vtkFloatArray> array;
  array->SetNumberOfComponents(3);
  array->SetNumberOfTuples(static_cast<vtkIdType>(numbers.size() / 3));
  std::copy(numbers.begin(), numbers.end(), array->GetPointer(0));
  vtkNew<vtkPoints> points;
  points->SetData(array);
  shape->SetPoints(points);
  vtkNew<vtkCellArray> cells;
  if (picture.contains("offsets")) {
    const auto offsets = readAll<std::uint64_t>(picture.at("offsets"));
    for (std::size_t l = 0; l + 1 < offsets.size(); ++l) {
      cells->InsertNextCell(static_cast<vtkIdType>(offsets[l + 1] - offsets[l]));
      for (std::uint64_t p = offsets[l]; p < offsets[l + 1]; ++p) cells->InsertCellPoint(static_cast<vtkIdType>(p));
    }
    shape->SetLines(cells);
  } else {
    const auto corners = readAll<std::uint32_t>(picture.at("triangles"));
    for (std::size_t t = 0; t + 2 < corners.size(); t += 3) {
      cells->InsertNextCell(3);
      for (std::size_t c = 0; c < 3; ++c) cells->InsertCellPoint(corners[t + c]);
    }
    shape->SetPolys(cells);
  }
  return shape;
}

/// One picture of the job: {"kind": "lines", "tubes" or "surface", "radiusMm", "opacity", "frames", "file", ...}.
json draw(const json& job, const json& picture) {
  const int width = job.at("width");
  const int height = job.at("height");
  const auto window = makeWindow(width, height);
  vtkNew<vtkRenderer> renderer;
  window->AddRenderer(renderer);
  vtkNew<vtkPolyDataMapper> mapper;
  const auto shape = shapeOf(picture);
  vtkNew<vtkTubeFilter> tubes;
  if (picture.at("kind") == "tubes") {
    tubes->SetInputData(shape);
    tubes->SetRadius(picture.at("radiusMm"));
    tubes->SetNumberOfSides(6);
    mapper->SetInputConnection(tubes->GetOutputPort());
  } else {
    mapper->SetInputData(shape);
  }
  vtkNew<vtkActor> actor;
  actor->SetMapper(mapper);
  actor->GetProperty()->SetColor(1, 1, 1);
  actor->GetProperty()->SetOpacity(picture.value("opacity", 1.0));
  actor->GetProperty()->SetLineWidth(picture.value("widthPixels", 1.0F));
  if (picture.value("opacity", 1.0) < 1) {
    window->SetAlphaBitPlanes(1);
    renderer->SetUseDepthPeeling(1);
    renderer->SetMaximumNumberOfPeels(8);
    renderer->SetOcclusionRatio(0);
  }
  renderer->AddActor(actor);
  place(renderer, job);
  return drawAndTime(window, width, height, picture);
}

}  // namespace

int main(int count, char** arguments) {
  json out = json::object();
  try {
    if (count != 2) throw std::runtime_error("usage: vtk_geometry JOB.json");
    std::ifstream file(arguments[1]);
    const json job = json::parse(file);
    makeContext();
    for (const json& picture : job.at("pictures")) out[picture.at("name")] = draw(job, picture);
  } catch (const std::exception& e) {
    out = {{"error", e.what()}};
  }
  std::printf("%s\n", out.dump().c_str());
  return 0;
}
