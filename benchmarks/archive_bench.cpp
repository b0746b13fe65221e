// The index through the interface that the server uses: archive_bench ADDRESS [files] [keys]. Registers files of 10,000
// subjects in an empty index, a tenth of them with metadata of `keys` keys, finds them again as a second scan does,
// tags, and reads pages. Prints JSON; progress goes to standard error.
#include "archive/index/archive.hpp"

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <functional>
#include <iostream>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

namespace nora {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::int64_t batch = 1000;  // files of a call, as the scan registers them
constexpr std::int64_t projects = 20;
constexpr std::int64_t filesOfSubject = 100;
constexpr int repeats = 21;

double secondsSince(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

template <class T>
T must(Result<T> result) {
  if (result) return std::move(*result);
  std::cerr << describe(result.error()) << "\n";
  std::exit(1);
}

std::string sidecar(std::int64_t number, int keys) {
  nlohmann::json out = {{"EchoTime", static_cast<double>(number % 90) / 1000.0}, {"Manufacturer", "Siemens"}};
  for (int i = 2; i < keys; ++i) out["Key" + std::to_string(i)] = number % (i * 7 + 1);
  return out.dump();
}

FoundFileRecord madeUp(std::int64_t number, int keys) {
  constexpr const char* sequences[] = {"T1w", "T2w", "bold", "dwi", "pet", "mag"};
  const std::int64_t subject = number / filesOfSubject, session = number / 50 % 2 + 1;
  const std::string sequence = sequences[number % 6];
  FoundFileRecord out;
  out.subject = "sub-" + std::to_string(10'000 + subject);
  out.study = "ses-" + std::to_string(session);
  out.facts.path = out.subject + "/" + out.study + "/" + sequence + "/" + out.subject + "_" + out.study + "_run-" +
                   std::to_string(number % 50) + "_" + sequence + ".nii.gz";
  out.facts.kind = "image";
  out.facts.format = number % 5 == 0 ? "dicom" : "nifti";
  out.facts.size = number * 7919 % 100'000'000;
  out.facts.mtimeUs = 1'600'000'000'000'000 + number;
  out.facts.modality = number % 700 == 0 ? "PT" : "MR";
  out.facts.sequence = sequence;
  out.facts.dims = {256, 256, 100 + number % 90, number % 400 == 0 ? 200 : 1};
  out.facts.spacingMm = {1, 1, 0.5 + static_cast<double>(number % 40) / 20};
  if (number % 10 == 0) out.facts.sidecar = sidecar(number, keys);
  return out;
}

struct Registering {
  double seconds = 0;
  double slowestMs = 0;  // of a call
};

Registering registerAll(Archive& archive, const std::vector<std::int64_t>& ids, std::int64_t files, int keys) {
  Registering out;
  std::vector<FoundFileRecord> some;
  for (std::int64_t at = 0; at < files; at += batch) {
    some.clear();
    for (std::int64_t i = at; i < std::min(files, at + batch); ++i) some.push_back(madeUp(i, keys));
    const auto project = static_cast<std::size_t>(at * projects / files);
    const auto start = Clock::now();
    static_cast<void>(must(archive.registerFiles(ids.at(project), some)));
    const double seconds = secondsSince(start);
    out.seconds += seconds;
    out.slowestMs = std::max(out.slowestMs, seconds * 1000);
    if (at % (files / 10) == 0) std::cerr << at << " files, " << out.seconds << " s\n";
  }
  return out;
}

/// Milliseconds: median and 95 of 100.
nlohmann::json timed(const std::function<void()>& work) {
  std::vector<double> all;
  for (int i = 0; i < repeats; ++i) {
    const auto start = Clock::now();
    work();
    all.push_back(secondsSince(start) * 1000);
  }
  std::sort(all.begin(), all.end());
  return {{"p50Ms", all[repeats / 2]}, {"p95Ms", all[repeats * 95 / 100]}};
}

const std::vector<std::string> searches{"",
                                        "run-7_T1w",
                                        "sub-19999",
                                        "tag:bulk",
                                        "tag:bulk !format:dicom",
                                        "modality:pt",
                                        "format:dicom",
                                        "size:>99M",
                                        "dim:4",
                                        "spacing:<=1",
                                        "meta.EchoTime>0.06",
                                        "has:meta.EchoTime",
                                        "nosuchname",
                                        "meta.Key2=5",
                                        "state:vanished"};

nlohmann::json readPages(Archive& archive, const SearchScope& scope, std::int64_t deepest) {
  nlohmann::json out;
  for (const std::string& text : searches) {
    const Query query = must(parseQuery(text));
    const auto page = [&](std::int64_t after) {
      const auto found = must(archive.find(Level::file, query, scope, after, 100));
      static_cast<void>(must(archive.files(found.ids)));
      static_cast<void>(must(archive.tagsOf(Level::file, found.ids)));
    };
    nlohmann::json one{{"search", text}, {"first", timed([&] { page(0); })}, {"deep", timed([&] { page(deepest); })}};
    one["countTo10000"] = timed([&] { static_cast<void>(must(archive.count(Level::file, query, scope, 10'000))); });
    std::cerr << one.dump() << "\n";
    out.push_back(std::move(one));
  }
  return out;
}

/// Tags 10,000 files and takes the tag away from half of them; sets metadata one by one.
void changeSome(Archive& archive, const SearchScope& scope, nlohmann::json& report) {
  std::vector<std::int64_t> ids;
  for (std::int64_t after = 0; ids.size() < 10'000;) {
    const auto page = must(archive.find(Level::file, must(parseQuery("T1w")), scope, after, 1000));
    ids.insert(ids.end(), page.ids.begin(), page.ids.end());
    if (!page.next) break;
    after = *page.next;
  }
  const std::vector<std::string> tags{"bulk"};
  auto start = Clock::now();
  static_cast<void>(must(archive.tag(Level::file, ids, tags, {})));
  report["tagged"] = {{"files", ids.size()}, {"seconds", secondsSince(start)}};
  std::size_t at = 0;
  report["setMeta"] = timed([&] {
    static_cast<void>(must(archive.setMeta(Level::file, ids.at(at++), R"({"age": 61, "group": "patient"})", "bench")));
  });
}

int run(const std::string& where, std::int64_t files, int keys) {
  const auto database = must(openDatabase(must(parseDatabaseAddress(where))));
  Archive archive(*database);
  std::vector<std::int64_t> ids;
  for (std::int64_t i = 0; i < projects; ++i) {
    ProjectRecord project;
    project.name = "project " + std::to_string(i);
    project.root = "/nowhere/" + std::to_string(i);
    project.inPlace = true;
    ids.push_back(must(archive.addProject(project)).id);
  }
  nlohmann::json report{{"files", files}, {"keys", keys}};
  const auto note = [&](const char* name, const Registering& done) {
    report[name] = {{"seconds", done.seconds},
                    {"filesPerSecond", static_cast<double>(files) / done.seconds},
                    {"slowestCallMs", done.slowestMs}};
    std::cerr << report[name].dump() << "\n";
  };
  note("registered", registerAll(archive, ids, files, keys));
  note("registeredAgain", registerAll(archive, ids, files, keys));
  const auto start = Clock::now();
  std::size_t known = 0;
  for (const std::int64_t id : ids) known += must(archive.knownFiles(id)).size();
  report["known"] = {{"files", known}, {"seconds", secondsSince(start)}};
  const SearchScope all{true, {}, {}};
  changeSome(archive, all, report);
  report["pages"] = readPages(archive, all, files / 100 * 70);
  report["changedSince"] = timed([&] {
    const std::int64_t revision = must(archive.revision());
    static_cast<void>(must(archive.changedSince(Level::file, all, {revision - 5, 0}, 1000)));
  });
  std::cout << report.dump(1) << "\n";
  return 0;
}

}  // namespace
}  // namespace nora

int main(int count, char** arguments) {
  if (count < 2) {
    std::cerr << "archive_bench ADDRESS [files] [keys]: ADDRESS of an empty index, as sqlite:/tmp/index.sqlite\n";
    return 1;
  }
  constexpr std::int64_t million = 1'000'000;
  return nora::run(arguments[1], count > 2 ? std::atoll(arguments[2]) : million,
                   count > 3 ? std::atoi(arguments[3]) : 5);
}
