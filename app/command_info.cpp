// `nora info`: what files hold (images, surfaces, tracts, tables, ...), read by the same engine as the page.
#include "app/commands.hpp"
#include "app/local_images.hpp"
#include "archive/files/tree_walker.hpp"

#include <algorithm>
#include <cstdio>
#include <memory>
#include <string>

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

namespace nora {
namespace {

struct InfoOptions {
  std::vector<std::string> files;
  std::string series;
  bool json = false;
  bool preferQform = false;
};

/// All that a path holds, or the one that --series names.
Result<std::vector<LocalImage>> wantedImages(ReaderPool& pool, const std::string& file, const std::string& series) {
  if (series.empty()) return openLocal(pool, file);
  auto image = openSource(pool, "", Source{file, series});
  if (!image) return tl::make_unexpected(image.error());
  std::vector<LocalImage> images;
  images.push_back(std::move(*image));
  return images;
}

std::string dump(const nlohmann::json& json, int indent = 2) {
  return json.dump(indent, ' ', false, nlohmann::json::error_handler_t::replace);
}

void printText(const nlohmann::json& row) {
  std::printf("%s\n", printable(row.at("file").get<std::string>()).c_str());
  for (const auto& [key, value] : row.items()) {
    if (key == "file" || (value.is_array() && value.empty()) || value == "" || value.is_null()) continue;
    if (key == "verticesAtLeast") continue;
    if (key == "vertices" && row.value("verticesAtLeast", false)) {
      std::printf("  %-16s at least %s\n", key.c_str(), dump(value, -1).c_str());
    } else if (key == "affine") {
      for (const auto& line : value)
        std::printf("  %-16s %s\n", line == value[0] ? "affine" : "", dump(line, -1).c_str());
    } else if (key == "warnings") {
      for (const auto& warning : value) std::printf("  %-16s %s\n", "warning", warning.get<std::string>().c_str());
    } else {
      std::printf("  %-16s %s\n", key.c_str(),
                  value.is_string() ? value.get<std::string>().c_str() : dump(value, -1).c_str());
    }
  }
}

nlohmann::json failure(const std::string& file, const Error& error) {
  const std::string kind = kindBySuffix(file);
  return {{"file", file},
          {"kind", kind == "image?" ? "image" : kind},
          {"error", {{"code", toString(error.code)}, {"what", error.what}, {"where", error.where}}}};
}

int runInfo(const InfoOptions& options) {
  ReaderPool pool("/proc/self/exe", commandLineLimits(options.preferQform));
  nlohmann::json rows = nlohmann::json::array();
  int status = 0;
  const auto failed = [&](const std::string& file, const Error& error) {
    rows.push_back(failure(file, error));
    const int code = report(error);
    if (status == 0) status = code;
  };
  for (const auto& file : options.files) {
    auto images = wantedImages(pool, file, options.series);
    if (!images) {
      failed(file, images.error());
      continue;
    }
    for (const auto& image : *images) {
      const auto content = pool.readContent(image.files, file, readOptions(image), {});
      if (!content) {
        failed(file, content.error());
        continue;
      }
      nlohmann::json row = infoOf(*content);
      row["file"] = file;
      if (!image.key.empty()) row["series"] = image.key;
      if (!image.name.empty()) row["name"] = image.name;
      for (const auto& warning : image.warnings) {
        auto& known = row["warnings"];
        if (std::find(known.begin(), known.end(), nlohmann::json(warning)) == known.end()) known.push_back(warning);
      }
      rows.push_back(std::move(row));
    }
  }
  if (options.json) {
    std::printf("%s\n", dump(rows).c_str());
    return status;
  }
  for (const auto& row : rows) {
    if (!row.contains("error")) printText(row);
  }
  return status;
}

}  // namespace

void addInfoCommand(CLI::App& app, int& exitStatus) {
  auto options = std::make_shared<InfoOptions>();
  CLI::App* command = app.add_subcommand("info", "Says what files, or folders of DICOM, hold");
  command->add_option("FILE", options->files, "Files or folders of DICOM")->required();
  command->add_option("--series", options->series, "Only this image of a DICOM folder or file, by its 'series'");
  command->add_flag("--json", options->json, "Print a JSON array with one object for each image, surface, ...");
  command->add_flag("--prefer-qform", options->preferQform, "NIfTI: the qform goes before the sform");
  command->callback([options, &exitStatus] { exitStatus = runInfo(*options); });
}

int report(const Error& error) {
  std::fprintf(stderr, "nora: %s\n", describe(error).c_str());
  return nora::exitStatus(error.code);
}

}  // namespace nora
