// Load times by format: a warm file through a warm reader process to a value in memory, statistics included. Peers:
// nibabel inside a running interpreter, and ITK where it was there when the benchmarks were built.
#include "benchmarks/bench.hpp"
#include "image/io/reader_pool.hpp"

#include <cmath>
#include <cstdio>
#include <filesystem>
#include <fstream>

#include <nlohmann/json.hpp>

namespace nora::bench {
namespace {

using nlohmann::json;

json outputOf(const std::string& command) {
  FILE* pipe = ::popen((command + " 2>/dev/null").c_str(), "r");
  if (pipe == nullptr) return json::object();
  std::string text;
  char buffer[4096];
  for (std::size_t got = 0; (got = std::fread(buffer, 1, sizeof buffer, pipe)) > 0;) text.append(buffer, got);
  ::pclose(pipe);
  return json::parse(text, nullptr, false);
}

/// The number that expected.json has for the file: the mean of a volume, the count of points.
double checkOf(const Content& content) {
  if (const auto* volume = std::get_if<Volume>(&content)) return volume->info().statistics->mean;
  if (const auto* surface = std::get_if<Surface>(&content)) return static_cast<double>(surface->info().vertices);
  return static_cast<double>(std::get<Tractogram>(content).info().points);
}

Result<Content> load(ReaderPool& pool, const std::string& path, const ReadOptions& options = {}) {
  std::vector<OpenedFile> files;
  files.push_back(*openRegularFile(path, path));
  return pool.readContent(files, path, options, {});
}

std::optional<double> timeIn(const json& times, const std::string& name) {
  return times.is_object() && times.contains(name) ? std::optional(times[name].get<double>()) : std::nullopt;
}

}  // namespace

std::vector<Row> formatRows() {
  const auto folder = std::filesystem::temp_directory_path() / "nora_formats_bench";
  const std::string script = "/usr/bin/python3 " NORA_SOURCE_DIR "/benchmarks/formats_files.py ";
  require(std::system((script + "make " + folder.string()).c_str()) == 0, "the files could not be made");
  const json nibabel = outputOf(script + "time " + folder.string());
  json itk = json::object();
#ifdef NORA_ITK_LOAD
  itk = outputOf(NORA_ITK_LOAD " " + folder.string() + "/volume*");
#endif
  std::ifstream in(folder / "expected.json");
  const json expected = json::parse(in);

  ReaderPool pool(NORA_PROGRAM, ReaderPool::Limits{});
  std::vector<Row> rows;
  for (const auto& [name, numbers] : expected.items()) {
    const std::string path = (folder / name).string();
    const auto content = load(pool, path);
    require(content.has_value(), content ? "" : describe(content.error()));
    const double known = numbers.at(1);
    require(std::abs(checkOf(*content) - known) <= 1e-6 * std::abs(known), "the content of " + name);
    const double ours = timeMedian([&] { require(load(pool, path).has_value(), name); }, 7);
    const double megabytes = numbers.at(0).get<double>() / 1e6;
    const std::string what = "load " + name + " (" + std::to_string(std::lround(megabytes)) + " MB in memory), warm";
    rows.push_back({"", what, ours, "ms", {}, true, "nibabel", timeIn(nibabel, name)});
    if (const auto theirs = timeIn(itk, name)) rows.push_back({"", what, ours, "ms", {}, true, "ITK", theirs});
    const bool trx = name == "tracts.trx";
    if (trx || name == "tracts.tck") {
      const double rate = megabytes / ours * 1e3;
      rows.push_back({"Q11", "rate of " + what, rate, "MB/s", trx ? 1000.0 : 500.0, false, "", {}});
    }
    if (name == "series.nii.gz") {
      ReadOptions first;
      first.timePoint = 0;
      const double one = timeMedian([&] { require(load(pool, path, first).has_value(), name); }, 7);
      rows.push_back({"", "first time point of " + what, one, "ms", {}, true, "all of it, ours", ours});
    }
  }
  std::filesystem::remove_all(folder);
  return rows;
}

}  // namespace nora::bench
