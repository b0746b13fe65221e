#include "app/api/server_state.hpp"

#include "app/api/account_routes.hpp"
#include "app/api/json_body.hpp"
#include "app/open_index.hpp"
#include "app/process_metrics.hpp"
#include "archive/index/index_health.hpp"

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <optional>

#include <sys/statvfs.h>

namespace nora {
namespace {

constexpr std::uint64_t littleRoom = std::uint64_t{1} << 30;  // bytes on a disk below which administrators are warned

std::optional<std::uint64_t> freeBytes(const std::string& folder) {
  struct statvfs disk {};
  if (::statvfs(folder.c_str(), &disk) != 0) return std::nullopt;
  return std::uint64_t{disk.f_bavail} * disk.f_frsize;
}

nlohmann::json orNull(const std::optional<std::uint64_t>& value) {
  return value ? nlohmann::json(*value) : nlohmann::json();
}

nlohmann::json scanJson(const Archive::ScanNote& note) {
  const auto said = nlohmann::json::parse(note.report, nullptr, false);
  if (note.endedUs == 0 || !said.is_object()) return nullptr;
  nlohmann::json out{{"at", jsonTime(note.endedUs)},
                     {"host", said.value("host", "")},
                     {"seconds", said.value("seconds", 0.0)},
                     {"failed", said.value("failed", nlohmann::json())},
                     {"problems", said.value("problems", nlohmann::json::array())}};
  for (const char* count : {"added", "changed", "unchanged", "moved", "touched", "vanished", "broken"})
    out[count] = said.value(count, std::int64_t{0});
  return out;
}

nlohmann::json journalJson(const JournalState& journal) {
  if (journal.file.empty()) return nullptr;
  return {{"file", journal.file},
          {"known", journal.known},
          {"onDisk", journal.onDisk < 0 ? nlohmann::json() : nlohmann::json(journal.onDisk)}};
}

/// What is wrong, one sentence each.
class Problems {
 public:
  void project(const ProjectRecord& project, const std::optional<std::uint64_t>& room, const JournalState& journal,
               const nlohmann::json& scan) {
    if (!room) add(project.name, "its folder is not there: " + project.root);
    if (room && *room < littleRoom) add(project.name, "its disk is nearly full: make room");
    if (journal.file.empty() || journal.onDisk < 0) {
      add(project.name, "its journal is not there: the next change writes it anew" +
                            (journal.file.empty() ? "" : ", in " + journal.file));
    } else if (journal.onDisk < journal.known) {
      add(project.name, "its journal is shorter than the index knows: the next change writes it anew, " + journal.file);
    } else if (journal.onDisk > journal.known) {
      add(project.name, "its journal has more than the index: it goes there with the next change, " + journal.file);
    }
    if (scan.is_null()) {
      add(project.name, "it has not been scanned");
    } else if (scan.at("failed").is_string()) {
      add(project.name, "the last scan failed: " + scan.at("failed").get<std::string>());
    } else if (const auto count = scan.at("problems").size(); count > 0) {
      add(project.name, std::to_string(count) + (count == 100 ? " or more" : "") +
                            " folders or names could not be taken: " + scan.at("problems").front().get<std::string>());
    }
  }
  void index(const std::optional<std::uint64_t>& room) {
    if (room && *room < littleRoom) add("", "the disk of the index is nearly full: make room");
  }
  nlohmann::json list = nlohmann::json::array();

 private:
  void add(const std::string& project, const std::string& what) {
    list.push_back({{"project", project}, {"problem", what}});
  }
};

}  // namespace

Result<HttpResponse> serverAnswer(const ApiPlaces& places, const Visit& visit) {
  const auto state = stateOf(places.database);
  if (!state) return tl::make_unexpected(state.error());
  const auto projects = places.archive.projects();
  const auto revision = places.archive.revision();
  const auto scans = places.archive.scanNotes();
  if (!projects) return tl::make_unexpected(projects.error());
  if (!revision || !scans) return tl::make_unexpected(revision ? scans.error() : revision.error());
  std::vector<std::int64_t> ids;
  for (const auto& project : *projects) ids.push_back(project.id);
  const auto counts = places.archive.countsOf(Level::project, ids);
  const auto bytes = places.archive.bytesOf(ids);
  if (!counts || !bytes) return tl::make_unexpected(counts ? bytes.error() : counts.error());
  auto storage = nlohmann::json::array();
  Problems problems;
  Archive::Counts all;
  for (const auto& project : *projects) {
    const auto& count = counts->at(project.id);
    all.subjects += count.subjects, all.studies += count.studies, all.files += count.files;
    const auto room = freeBytes(project.root);
    const auto known = std::find_if(state->journals.begin(), state->journals.end(),
                                    [&](const JournalState& one) { return one.projectId == project.id; });
    const JournalState journal = known == state->journals.end() ? JournalState{} : *known;
    const auto note = scans->find(project.id);
    const auto scan = note == scans->end() ? nlohmann::json() : scanJson(note->second);
    problems.project(project, room, journal, scan);
    storage.push_back({{"projectId", project.id},
                       {"project", project.name},
                       {"root", project.root},
                       {"files", count.files},
                       {"bytes", bytes->at(project.id)},
                       {"freeBytes", orNull(room)},
                       {"journal", journalJson(journal)},
                       {"lastScan", scan}});
  }
  const bool isFile = places.database.dialect() == SqlDialect::sqlite;
  const auto room =
      isFile ? freeBytes(std::filesystem::path(places.database.name()).parent_path().string()) : std::nullopt;
  problems.index(room);
  return jsonAnswer(
      {{"version", std::string(programVersion)},
       {"database", places.database.name()},
       {"revision", *revision},
       {"local", visit.visitor.key == "local"},
       {"index",
        {{"engine", state->engine},
         {"schema", state->schema},
         {"bytes", state->bytes},
         {"freeBytes", orNull(room)},
         {"roundTripMs", static_cast<double>(state->roundTrip.count()) / 1000}}},
       {"counts",
        {{"projects", projects->size()}, {"subjects", all.subjects}, {"studies", all.studies}, {"files", all.files}}},
       {"storage", std::move(storage)},
       {"health", std::move(problems.list)}});
}

Result<HttpResponse> checkIndexAnswer(const ApiPlaces& places, const Visit& visit) {
  if (auto noted = noteAction(places, visit, "index.check", 0, places.database.name()); !noted)
    return tl::make_unexpected(noted.error());
  const auto begun = std::chrono::steady_clock::now();
  const auto problems = checkIndex(places.database);
  if (!problems) return tl::make_unexpected(problems.error());
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - begun;
  return jsonAnswer({{"problems", *problems}, {"seconds", took.count()}});
}

}  // namespace nora
