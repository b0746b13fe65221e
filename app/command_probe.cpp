// `nora probe`: the value of an image at a voxel or at a point in space.
#include "app/commands.hpp"
#include "app/local_images.hpp"

#include <cmath>
#include <cstdio>
#include <memory>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

namespace nora {
namespace {

struct ProbeOptions {
  std::string file;
  std::string series;
  std::vector<std::int64_t> voxel;
  std::vector<double> mm;
  std::int64_t time = 0;
  std::int64_t component = 0;
  bool json = false;
  bool preferQform = false;
};

nlohmann::json finiteOrNull(double value) {
  return std::isfinite(value) ? nlohmann::json(value) : nlohmann::json();
}

Result<void> checkRange(const ProbeOptions& options, const ImageInfo& info) {
  const auto outside = [&](std::int64_t value, std::int64_t count) { return value < 0 || value >= count; };
  if (outside(options.time, info.timePoints)) {
    return fail(ErrorCode::invalidInput,
                "--time must be from 0 to " + std::to_string(info.timePoints - 1) + " for this image", options.file);
  }
  if (outside(options.component, info.components)) {
    return fail(ErrorCode::invalidInput,
                "--component must be from 0 to " + std::to_string(info.components - 1) + " for this image",
                options.file);
  }
  for (const double mm : options.mm) {
    if (!std::isfinite(mm)) return fail(ErrorCode::invalidInput, "must be finite numbers", "--mm");
  }
  return {};
}

/// " Bq/mL = 2.5 SUVbw": the unit of a value, and the value in others.
std::string withUnit(const ImageInfo& info, double value) {
  std::string text = info.unit.empty() ? "" : " " + printable(info.unit);
  for (const auto& other : info.otherUnits) {
    char number[32];
    std::snprintf(number, sizeof number, " = %.6g ", other.factor * value);
    text += number + printable(other.unit);
  }
  return text;
}

int runProbe(const ProbeOptions& options) {
  ReaderPool pool("/proc/self/exe", commandLineLimits(options.preferQform));
  const auto image = openSource(pool, "", Source{options.file, options.series});
  if (!image) return report(image.error());
  const auto volume = pool.read(image->files, options.file, readOptions(*image), {});
  if (!volume) return report(volume.error());
  if (auto checked = checkRange(options, volume->info()); !checked) return report(checked.error());

  const Probe probe = options.mm.empty() ? probeAtVoxel(*volume, {options.voxel[0], options.voxel[1], options.voxel[2]},
                                                        options.time, options.component)
                                         : probeAtMm(*volume, {options.mm[0], options.mm[1], options.mm[2]},
                                                     options.time, options.component);
  nlohmann::json out{{"voxel", probe.voxel},
                     {"mm", probe.mm},
                     {"inside", probe.inside},
                     {"value", finiteOrNull(probe.value)},
                     {"trilinear", finiteOrNull(probe.trilinear)}};
  if (isColour(volume->info().type) && probe.inside) {
    out["rgb"] = colourAt(*volume, probe.voxel, options.time, options.component);
  }
  const ImageInfo& info = volume->info();
  if (!info.unit.empty()) out["unit"] = info.unit;
  for (const auto& other : info.otherUnits) {
    out["otherUnits"].push_back({{"unit", other.unit}, {"value", finiteOrNull(other.factor * probe.value)}});
  }
  if (options.json) {
    std::printf("%s\n", out.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace).c_str());
  } else {
    std::printf("voxel %lld %lld %lld  mm %.6g %.6g %.6g  value %.9g%s  trilinear %.9g%s\n",
                static_cast<long long>(probe.voxel[0]), static_cast<long long>(probe.voxel[1]),
                static_cast<long long>(probe.voxel[2]), probe.mm[0], probe.mm[1], probe.mm[2], probe.value,
                withUnit(info, probe.value).c_str(), probe.trilinear, probe.inside ? "" : "  (outside the image)");
  }
  return 0;
}

}  // namespace

void addProbeCommand(CLI::App& app, int& exitStatus) {
  auto options = std::make_shared<ProbeOptions>();
  CLI::App* command = app.add_subcommand("probe", "Prints the value of an image at a voxel or a point");
  command->add_option("FILE", options->file, "An image file or a folder of DICOM")->required();
  auto* where = command->add_option_group("where")->require_option(1);
  where->add_option("--voxel", options->voxel, "Voxel i j k, counted from 0")->expected(3);
  where->add_option("--mm", options->mm, "Point x y z in RAS millimetres")->expected(3);
  command->add_option("--series", options->series, "Which image of a DICOM folder or file: its 'series' in nora info");
  command->add_option("--time", options->time, "Time point, counted from 0");
  command->add_option("--component", options->component, "Component of a vector image, counted from 0");
  command->add_flag("--json", options->json, "Print a JSON object");
  command->add_flag("--prefer-qform", options->preferQform, "NIfTI: the qform goes before the sform");
  command->callback([options, &exitStatus] { exitStatus = runProbe(*options); });
}

}  // namespace nora
