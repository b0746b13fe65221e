// Registering and paging a made-up archive: archive_bench INDEX [FILES]. INDEX as in nora find --index, and fresh.
// Prints one JSON object: files a second, time of pages, of bulk tags.
#include "archive/access/secret.hpp"
#include "archive/index/archive.hpp"

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

namespace nora {
namespace {

constexpr std::int64_t filesOfASubject = 100;
constexpr std::size_t batch = 1000;
const SearchScope everything{true, {}, {}};

double secondsOf(const std::function<void()>& work) {
  const auto start = std::chrono::steady_clock::now();
  work();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

template <class T>
T must(Result<T> result) {
  if (result) return std::move(*result);
  std::fprintf(stderr, "archive_bench: %s\n", describe(result.error()).c_str());
  std::exit(1);
}

FoundFileRecord made(std::int64_t number) {
  static constexpr const char* modalities[] = {"MR", "CT", "PT", ""};
  FoundFileRecord out;
  const std::string subject = "sub-" + std::to_string(10000 + number / filesOfASubject);
  const std::string session = "ses-" + std::to_string(1 + number % filesOfASubject / 50);
  out.subject = subject;
  out.study = session;
  out.facts.path = subject + "/" + session + "/anat/" + subject + "_" + session + "_run-" +
                   std::to_string(number % 50) + "_T1w.nii.gz";
  out.facts.kind = "image";
  out.facts.format = "NIfTI-1";
  out.facts.size = 1'000'000 + number * 7919 % 9'000'000;
  out.facts.mtimeUs = 1'600'000'000'000'000 + number;
  out.facts.modality = modalities[number % 4];
  out.facts.sequence = "t1_mprage_" + std::to_string(number % 17);
  out.facts.dims = {256, 256, 160 + number % 40, 1 + number % 3};
  out.facts.spacingMm = {1, 1, 1.0 + static_cast<double>(number % 5) / 10};
  if (number % 10 == 0)
    out.facts.sidecar =
        R"({"EchoTime": 0.00)" + std::to_string(number % 9) + R"(, "RepetitionTime": 2.3, "Manufacturer": "Siemens"})";
  return out;
}

nlohmann::json pages(Archive& archive, const std::string& text) {
  const Query query = must(parseQuery(text));
  std::vector<double> times;
  std::int64_t after = 0;
  std::size_t found = 0;
  for (int page = 0; page < 20; ++page) {
    Archive::Page result;
    times.push_back(1e3 * secondsOf([&] { result = must(archive.find(Level::file, query, everything, after, 100)); }));
    found += result.ids.size();
    if (!result.next) break;
    after = *result.next;
  }
  const double first = times.front();
  std::sort(times.begin(), times.end());
  return {{"query", text}, {"firstMs", first}, {"longestMs", times.back()}, {"pages", times.size()}, {"found", found}};
}

int run(const std::string& index, std::int64_t count) {
  auto database = must(openDatabase(must(parseDatabaseAddress(index))));
  Archive archive(*database);
  ProjectRecord wanted;
  wanted.name = "bench";
  wanted.secret = newSecret().text;
  const auto project = must(archive.addProject(wanted));
  const double registering = secondsOf([&] {
    std::vector<FoundFileRecord> files;
    for (std::int64_t number = 0; number < count; ++number) {
      files.push_back(made(number));
      if (files.size() < batch && number + 1 < count) continue;
      static_cast<void>(must(archive.registerFiles(project.id, files)));
      files.clear();
    }
  });
  nlohmann::json out{{"files", count}, {"filesPerSecond", static_cast<double>(count) / registering}};
  out["knownSeconds"] = secondsOf([&] { static_cast<void>(must(archive.knownFiles(project.id))); });
  std::vector<std::int64_t> ids;
  for (std::int64_t after = 0; ids.size() < 10'000;) {
    const auto page = must(archive.find(Level::file, must(parseQuery("modality:MR")), everything, after, 1000));
    ids.insert(ids.end(), page.ids.begin(), page.ids.end());
    if (!page.next) break;
    after = *page.next;
  }
  const std::vector<std::string> tags{"checked"};
  out["tagSeconds"] = secondsOf([&] { static_cast<void>(must(archive.tag(Level::file, ids, tags, {}))); });
  for (const char* query : {"", "sub-10005", "modality:CT", "tag:checked", "meta.EchoTime>0.006", "dim:4",
                            "nothing-like-that", "size:>9M", "subject:sub-10777"}) {
    out["pages"].push_back(pages(archive, query));
  }
  std::printf("%s\n", out.dump(1).c_str());
  return 0;
}

}  // namespace
}  // namespace nora

int main(int argc, char** argv) {
  if (argc < 2) {
    std::fprintf(stderr, "archive_bench INDEX [FILES]\n");
    return 2;
  }
  return nora::run(argv[1], argc > 2 ? std::strtoll(argv[2], nullptr, 10) : 1'000'000);
}
