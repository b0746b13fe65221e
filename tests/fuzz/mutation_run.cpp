// Drives damaged files of every format through the reader pool, as the server would: no mutant may end the program,
// hang it, or make a reader take much more memory than the data need. Prints what happened as JSON.
//
//   mutation_run [--mutants N] [--seed S] [--strict] FILE-OR-FOLDER...
//
// Each file is cut at every 1/16 of its length, then damaged N times. --strict: a dead reader process is a failure too
// (it costs one file only, but our own parsers must not die).
#include "app/file_set.hpp"
#include "base/mapped_bytes.hpp"
#include "tests/fuzz/mutation.hpp"

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <map>
#include <memory>
#include <set>

#include <sys/mman.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

namespace nora::fuzz {
namespace {

using nlohmann::json;
using Clock = std::chrono::steady_clock;

constexpr std::size_t allowedMemory = std::size_t{64} << 20;  // beside twice the true data
constexpr std::chrono::seconds tooSlow{5};

struct Settings {
  std::vector<std::string> places;
  int mutants = 100;
  std::uint64_t seed = 1;
  bool strict = false;
};

/// One file set: bytes of the file and of all that belongs to it.
struct Original {
  std::string name;
  std::vector<std::pair<std::string, Bytes>> files;
  std::vector<bool> sidecar;
  std::string format;
  std::size_t size = 0;  // memory of the content as it should be
};

struct Tally {
  int mutants = 0, opened = 0, refused = 0, dead = 0, slow = 0, greedy = 0;
  double slowestSeconds = 0;
  std::size_t mostMemory = 0;
};

Bytes bytesOf(int fd) {
  const auto mapped = MappedBytes::readOnly(fd, "");
  if (!mapped) return {};
  return {mapped->bytes().begin(), mapped->bytes().end()};
}

OpenedFile inMemory(const std::string& name, std::span<const std::byte> bytes) {
  UniqueFd fd(::memfd_create("mutant", MFD_CLOEXEC));
  for (std::size_t at = 0; at < bytes.size();) {
    const auto written = ::write(fd.get(), bytes.data() + at, bytes.size() - at);
    if (written <= 0) break;
    at += static_cast<std::size_t>(written);
  }
  return {name, std::move(fd)};
}

std::size_t memoryOf(const Content& content) {
  if (const auto* volume = std::get_if<Volume>(&content)) return volume->memoryBytes();
  if (const auto* surface = std::get_if<Surface>(&content)) return surface->memoryBytes();
  if (const auto* tracts = std::get_if<Tractogram>(&content)) return tracts->memoryBytes();
  return std::get<Document>(content).bytes().size();
}

/// Highest resident memory of a process since resetPeak, in bytes; 0 if that cannot be read.
std::size_t peakOf(int process) {
  std::ifstream status("/proc/" + std::to_string(process) + "/status");
  for (std::string line; std::getline(status, line);) {
    if (line.starts_with("VmHWM:")) return std::stoull(line.substr(6)) << 10;
  }
  return 0;
}
void resetPeak(int process) {
  std::ofstream("/proc/" + std::to_string(process) + "/clear_refs") << "5";
}

class Run {
 public:
  explicit Run(Settings settings) : settings_(std::move(settings)), random_(settings_.seed) {
    ReaderPool::Limits limits;
    limits.processes = 1;
    limits.volumeBytes = std::size_t{1} << 30;
    limits.processBytes = std::size_t{4} << 30;
    limits.readTime = std::chrono::seconds(20);
    pool_ = std::make_unique<ReaderPool>(NORA_PROGRAM, limits);
  }

  int run() {
    const auto start = Clock::now();
    for (const auto& path : filesBelow()) {
      if (auto original = load(path)) torture(*original);
    }
    json out{{"seconds", std::chrono::duration<double>(Clock::now() - start).count()}, {"seed", settings_.seed}};
    Tally sum;
    for (const auto& [format, tally] : tallies_) {
      out["formats"][format] = toJson(tally);
      add(sum, tally);
    }
    out["all"] = toJson(sum);
    out["findings"] = findings_;
    std::printf("%s\n", out.dump(1).c_str());
    const bool bad = sum.slow > 0 || sum.greedy > 0 || (settings_.strict && sum.dead > 0) || sum.mutants == 0;
    return bad ? 1 : 0;
  }

 private:
  [[nodiscard]] std::vector<std::string> filesBelow() const {
    std::vector<std::string> out;
    for (const auto& place : settings_.places) {
      if (!std::filesystem::is_directory(place)) {
        out.push_back(place);
        continue;
      }
      for (const auto& entry : std::filesystem::recursive_directory_iterator(place)) {
        if (entry.is_regular_file()) out.push_back(entry.path().string());
      }
    }
    std::sort(out.begin(), out.end());
    return out;
  }

  std::optional<Original> load(const std::string& path) {
    const auto open = [](const std::string& name) { return openRegularFile(name, name); };
    const auto list = [](const std::string& folder) {
      std::vector<std::string> names;
      for (const auto& entry : std::filesystem::directory_iterator(folder)) names.push_back(entry.path().filename());
      std::sort(names.begin(), names.end());
      return names;
    };
    auto files = openFileSet(*pool_, path, FileAccess{open, list}, {});
    if (!files) return std::nullopt;
    const auto content = pool_->readContent(*files, path, {}, {});
    if (!content) return std::nullopt;  // not of a format, or only a part of one
    Original original{path, {}, {}, infoOf(*content).value("format", ""), memoryOf(*content)};
    for (const auto& file : *files) {
      original.files.emplace_back(file.name, bytesOf(file.fd.get()));
      original.sidecar.push_back(file.sidecar);
    }
    return original;
  }

  void torture(const Original& original) {
    for (int n = 0; n < 16; ++n)
      attempt(original, 0, cut(original.files[0].second, n), "cut at " + std::to_string(n) + "/16");
    for (int n = 0; n < settings_.mutants; ++n) {
      const std::size_t victim = n % 4 == 3 ? random_() % original.files.size() : 0;
      if (original.files[victim].second.empty()) continue;
      std::string how;
      const Bytes bytes = mutated(original.files[victim].second, random_, how);
      attempt(original, victim, bytes, how);
    }
  }

  void attempt(const Original& original, std::size_t victim, const Bytes& bytes, const std::string& how) {
    std::vector<OpenedFile> files;
    std::size_t inputs = 0;
    for (std::size_t i = 0; i < original.files.size(); ++i) {
      files.push_back(inMemory(original.files[i].first, i == victim ? bytes : original.files[i].second));
      files.back().sidecar = original.sidecar[i];
      inputs += original.files[i].second.size();
    }
    const auto before = pool_->processIds();
    for (const int process : before) resetPeak(process);
    const auto base = before.empty() ? 0 : peakOf(before.front());
    const auto start = Clock::now();
    static_cast<void>(pool_->peek(std::span(files).first(1), {}));
    const auto content = pool_->readContent(files, original.name, {}, {});
    const double seconds = std::chrono::duration<double>(Clock::now() - start).count();
    const auto after = pool_->processIds();
    const std::size_t peak = before.empty() || after != before ? 0 : peakOf(before.front());
    const std::size_t made = content ? memoryOf(*content) : 0;

    Tally& tally = tallies_[original.format];
    ++tally.mutants;
    ++(content ? tally.opened : tally.refused);
    const bool died = !content && content.error().code == ErrorCode::unavailable;
    const std::size_t used = peak > base ? peak - base : 0;
    const bool greedy = used > 2 * std::max(made, original.size) + inputs + allowedMemory;
    tally.slowestSeconds = std::max(tally.slowestSeconds, seconds);
    tally.mostMemory = std::max(tally.mostMemory, used);
    if (died) ++tally.dead;
    if (seconds > std::chrono::duration<double>(tooSlow).count()) ++tally.slow;
    if (greedy) ++tally.greedy;
    if (died || greedy || seconds > std::chrono::duration<double>(tooSlow).count()) {
      remember(original, bytes, how, died ? content.error().what : greedy ? "memory" : "slow", seconds, used);
    }
  }

  void remember(const Original& original, const Bytes& bytes, const std::string& how, const std::string& what,
                double seconds, std::size_t used) {
    if (findings_.size() >= 200) return;
    const std::string kept =
        std::filesystem::temp_directory_path() /
        ("mutant" + std::to_string(findings_.size()) + "_" + std::filesystem::path(original.name).filename().string());
    std::ofstream(kept, std::ios::binary)
        .write(reinterpret_cast<const char*>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
    findings_.push_back({{"file", original.name},
                         {"how", how},
                         {"what", what},
                         {"seconds", seconds},
                         {"MiB", used >> 20},
                         {"kept", kept}});
  }

  static json toJson(const Tally& t) {
    return {{"mutants", t.mutants},
            {"opened", t.opened},
            {"refused", t.refused},
            {"readersDead", t.dead},
            {"slow", t.slow},
            {"greedy", t.greedy},
            {"slowestSeconds", t.slowestSeconds},
            {"mostMiB", t.mostMemory >> 20}};
  }
  static void add(Tally& sum, const Tally& t) {
    sum.mutants += t.mutants;
    sum.opened += t.opened;
    sum.refused += t.refused;
    sum.dead += t.dead;
    sum.slow += t.slow;
    sum.greedy += t.greedy;
    sum.slowestSeconds = std::max(sum.slowestSeconds, t.slowestSeconds);
    sum.mostMemory = std::max(sum.mostMemory, t.mostMemory);
  }

  Settings settings_;
  Random random_;
  std::unique_ptr<ReaderPool> pool_;
  std::map<std::string, Tally> tallies_;
  json findings_ = json::array();
};

}  // namespace
}  // namespace nora::fuzz

int main(int argc, char** argv) {
  nora::fuzz::Settings settings;
  CLI::App app{"Drives damaged files through the reader pool"};
  app.add_option("PLACE", settings.places, "Files and folders of sound files")->required();
  app.add_option("--mutants", settings.mutants, "Mutants a file, beside the 16 cuts");
  app.add_option("--seed", settings.seed, "Of the random numbers");
  app.add_flag("--strict", settings.strict, "A reader process that dies is a failure too");
  CLI11_PARSE(app, argc, argv);
  return nora::fuzz::Run(std::move(settings)).run();
}
