#include "streaming/pick_job.hpp"

#include "render/scene/shape_layer.hpp"

#include <algorithm>
#include <cmath>

namespace nora {
namespace {

std::string labelOf(const AttachedData& data, double value) {
  if (data.role != DataRole::label || !data.labels || !std::isfinite(value)) return {};
  const Label* label = data.labels->find(static_cast<std::int64_t>(value));
  return label ? label->name : std::string();
}

PickedValue valueOf(const Layer& layer, const AttachedData& data, const ArrayBlock& arrays, std::int64_t index) {
  const double value = arrays.value(data.array, index, shownComponent(layer, data));
  return {layer.id, data.name, value, labelOf(data, value)};
}

bool isNumber(const AttachedData& data) {
  return data.role == DataRole::scalar || data.role == DataRole::label;
}

/// Of the mesh's own file everything; of what is painted on it what is shown.
std::vector<PickedValue> valuesAtVertex(const PickJob& job, const Layer& hitLayer, const Surface& mesh,
                                        std::int64_t vertex) {
  std::vector<PickedValue> out;
  for (const AttachedData& data : mesh.info().data) {
    if (isNumber(data)) out.push_back(valueOf(hitLayer, data, mesh.arrays(), vertex));
  }
  for (const Layer& layer : job.scene->layers) {
    const auto at = job.shapes->find(layer.id);
    const auto* painted = at == job.shapes->end() ? nullptr : std::get_if<Surface>(at->second.get());
    if (!painted || layer.id == hitLayer.id) continue;
    if (layer.surface.on != hitLayer.id && (!layer.surface.on.empty() || painted->hasMesh())) continue;
    const AttachedData* data = dataFor(layer, *painted, mesh.info());
    if (data && isNumber(*data)) out.push_back(valueOf(layer, *data, painted->arrays(), vertex));
  }
  return out;
}

std::vector<PickedValue> valuesOfStreamline(const Layer& layer, const Tractogram& tracts, const PickHit& hit) {
  std::vector<PickedValue> out;
  for (const AttachedData& data : tracts.info().perPoint) {
    if (isNumber(data)) out.push_back(valueOf(layer, data, tracts.arrays(), hit.point));
  }
  for (const AttachedData& data : tracts.info().perStreamline) {
    if (isNumber(data)) out.push_back(valueOf(layer, data, tracts.arrays(), hit.streamline));
  }
  return out;
}

std::vector<PickedValue> valuesOf(const PickJob& job, const PickHit& hit) {
  const auto& layers = job.scene->layers;
  const auto layer = std::find_if(layers.begin(), layers.end(), [&](const Layer& l) { return l.id == hit.layer; });
  const auto shape = job.shapes->find(hit.layer);
  if (layer == layers.end() || shape == job.shapes->end()) return {};
  if (const auto* mesh = std::get_if<Surface>(shape->second.get())) {
    return valuesAtVertex(job, *layer, *mesh, hit.vertex);
  }
  if (const auto* tracts = std::get_if<Tractogram>(shape->second.get())) {
    return valuesOfStreamline(*layer, *tracts, hit);
  }
  return {};
}

}  // namespace

std::string answer(Picker& picker, const PickJob& job) {
  RenderRequest request;
  request.scene = job.scene.get();
  request.view = job.asked.view;
  request.width = job.viewport.width;
  request.height = job.viewport.height;
  request.volumes = job.volumes.get();
  request.shapes = job.shapes.get();
  const auto hit = picker.pick(request, job.asked.x * job.viewport.width, job.asked.y * job.viewport.height);
  if (!hit) return errorMessage(hit.error(), job.asked.input);
  return pickedMessage(job.asked.input, *hit, *hit ? valuesOf(job, **hit) : std::vector<PickedValue>());
}

}  // namespace nora
