// `nora project|scan|find|tag|meta`: the archive on the command line, on the same index as a server that runs.
#include "app/commands.hpp"
#include "app/local_images.hpp"
#include "app/project_scan.hpp"
#include "archive/access/secret.hpp"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include <unistd.h>
#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

namespace nora {
namespace {

constexpr int itemsPerPage = 1000;
const SearchScope everything{true, {}, {}};  // whoever may open the index file may read all of it

struct ArchiveOptions {
  std::string index;
  bool json = false;
};

std::string defaultIndex() {
  const char* data = std::getenv("XDG_DATA_HOME");
  const char* home = std::getenv("HOME");
  const std::filesystem::path base =
      data != nullptr && *data != '\0' ? data : std::filesystem::path(home != nullptr ? home : ".") / ".local/share";
  return (base / "nora" / "index.sqlite").string();
}

struct OpenArchive {
  std::unique_ptr<Database> database;
  std::unique_ptr<Archive> archive;
};

Result<OpenArchive> openArchive(const ArchiveOptions& options) {
  const std::string text = options.index.empty() ? defaultIndex() : options.index;
  auto address = parseDatabaseAddress(text);
  if (!address) return tl::make_unexpected(address.error());
  if (const char* password = std::getenv("NORA_INDEX_PASSWORD")) address->password = password;
  if (address->dialect == SqlDialect::sqlite) {
    std::error_code failed;
    const auto folder = std::filesystem::absolute(address->file).parent_path();
    std::filesystem::create_directories(folder, failed);
    if (failed)
      return fail(ErrorCode::forbidden, "the folder of the index cannot be made: " + failed.message(), folder.string());
  }
  auto database = openDatabase(*address);
  if (!database) return tl::make_unexpected(database.error());
  OpenArchive out{std::move(*database), nullptr};
  out.archive = std::make_unique<Archive>(*out.database);
  return out;
}

void print(const nlohmann::json& json) {
  std::printf("%s\n", json.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace).c_str());
}

nlohmann::json metaOf(const std::string& text) {
  auto json = nlohmann::json::parse(text, nullptr, false);
  return json.is_discarded() ? nlohmann::json::object() : json;
}

// ---- project

nlohmann::json toJson(const ProjectRecord& project) {
  return {{"id", project.id},
          {"name", project.name},
          {"title", project.title},
          {"root", project.root},
          {"inPlace", project.inPlace},
          {"hideIdentity", project.hideIdentity},
          {"meta", metaOf(project.meta)}};
}

struct ProjectOptions : ArchiveOptions {
  std::string name, folder, title;
  bool hideIdentity = false;
};

int addProject(const ProjectOptions& options) {
  const auto root = ServedRoot::open(options.folder);
  if (!root) return report(root.error());
  auto open = openArchive(options);
  if (!open) return report(open.error());
  ProjectRecord project;
  project.name = options.name;
  project.title = options.title;
  project.root = root->path();
  project.inPlace = true;
  project.hideIdentity = options.hideIdentity;
  project.secret = newSecret().text;
  const auto made = open->archive->addProject(project);
  if (!made) return report(made.error());
  if (options.json)
    print(toJson(*made));
  else
    std::printf("project %s: %s. nora scan takes its files into the index.\n", printable(made->name).c_str(),
                printable(made->root).c_str());
  return 0;
}

int listProjects(const ArchiveOptions& options) {
  auto open = openArchive(options);
  if (!open) return report(open.error());
  const auto projects = open->archive->projects();
  if (!projects) return report(projects.error());
  nlohmann::json list = nlohmann::json::array();
  for (const ProjectRecord& project : *projects) {
    if (options.json)
      list.push_back(toJson(project));
    else
      std::printf("%s\t%s\t%s\n", printable(project.name).c_str(), printable(project.root).c_str(),
                  printable(project.title).c_str());
  }
  if (options.json) print(list);
  return 0;
}

// ---- scan

struct ScanOptions : ArchiveOptions {
  std::vector<std::string> projects;
};

nlohmann::json toJson(const std::string& project, const ScanReport& found) {
  return {{"project", project},
          {"added", found.files.added},
          {"changed", found.files.changed},
          {"unchanged", found.files.unchanged},
          {"moved", found.files.moved},
          {"vanished", found.vanished},
          {"broken", found.broken},
          {"problems", found.problems}};
}

int scanOne(Archive& archive, const ProjectRecord& project, ReaderPool& pool, bool json) {
  const bool tells = !json && ::isatty(STDERR_FILENO) == 1;
  const auto progress = [&](std::int64_t looked, std::int64_t all) {
    if (tells)
      std::fprintf(stderr, "\r%s: %lld of %lld files ", printable(project.name).c_str(), static_cast<long long>(looked),
                   static_cast<long long>(all));
  };
  const auto found = ProjectScan(archive, project, pool).run(progress, {});
  if (tells) std::fprintf(stderr, "\r\033[K");
  if (!found) return report(found.error());
  if (json) {
    print(toJson(project.name, *found));
    return 0;
  }
  std::printf("%s: %lld added, %lld changed, %lld moved, %lld vanished, %lld as they were, %lld cannot be read\n",
              printable(project.name).c_str(), static_cast<long long>(found->files.added),
              static_cast<long long>(found->files.changed), static_cast<long long>(found->files.moved),
              static_cast<long long>(found->vanished), static_cast<long long>(found->files.unchanged),
              static_cast<long long>(found->broken));
  for (const std::string& problem : found->problems) std::fprintf(stderr, "nora: %s\n", problem.c_str());
  return 0;
}

int scan(const ScanOptions& options) {
  auto open = openArchive(options);
  if (!open) return report(open.error());
  const auto all = open->archive->projects();
  if (!all) return report(all.error());
  ReaderPool pool("/proc/self/exe", commandLineLimits(false));
  int status = 0;
  for (const ProjectRecord& project : *all) {
    const auto& wanted = options.projects;
    if (!wanted.empty() && std::find(wanted.begin(), wanted.end(), project.name) == wanted.end()) continue;
    status = std::max(status, scanOne(*open->archive, project, pool, options.json));
  }
  for (const std::string& name : options.projects) {
    const bool isThere =
        std::any_of(all->begin(), all->end(), [&](const ProjectRecord& project) { return project.name == name; });
    if (!isThere) return report({ErrorCode::notFound, "there is no such project: nora project list shows them", name});
  }
  return status;
}

// ---- find

struct FindOptions : ArchiveOptions {
  std::string query;
  std::string level = "file";
  std::int64_t limit = 0;  // 0: all
  bool count = false;
  bool csv = false;
};

Level levelOf(const std::string& name) {
  return name == "project"   ? Level::project
         : name == "subject" ? Level::subject
         : name == "study"   ? Level::study
                             : Level::file;
}

/// Names by id, as far as they were needed.
class Names {
 public:
  explicit Names(Archive& archive) : archive_(archive) {
    if (const auto projects = archive.projects()) {
      for (const ProjectRecord& project : *projects) projects_[project.id] = project;
    }
  }
  const ProjectRecord& project(std::int64_t id) { return projects_[id]; }
  std::string subject(std::int64_t id) {
    if (id == 0) return {};
    const auto at = subjects_.find(id);
    if (at != subjects_.end()) return at->second;
    const auto found = archive_.subject(id);
    return subjects_[id] = found ? found->name : "";
  }
  std::string study(std::int64_t id) {
    if (id == 0) return {};
    const auto at = studies_.find(id);
    if (at != studies_.end()) return at->second;
    const auto found = archive_.study(id);
    return studies_[id] = found ? found->name : "";
  }

 private:
  Archive& archive_;
  std::map<std::int64_t, ProjectRecord> projects_;
  std::map<std::int64_t, std::string> subjects_, studies_;
};

const char* stateName(FileState state) {
  return state == FileState::present ? "present" : state == FileState::vanished ? "vanished" : "broken";
}

nlohmann::json toJson(const FileRecord& file, Names& names) {
  return {{"id", file.id},
          {"project", names.project(file.projectId).name},
          {"subject", names.subject(file.subjectId)},
          {"study", names.study(file.studyId)},
          {"path", file.path},
          {"file", names.project(file.projectId).root + "/" + file.path},
          {"kind", file.kind},
          {"format", file.format},
          {"size", file.size},
          {"state", stateName(file.state)},
          {"reason", file.reason},
          {"modality", file.modality},
          {"sequence", file.sequence},
          {"dims", file.dims},
          {"spacingMm", file.spacingMm},
          {"date", file.date},
          {"meta", metaOf(file.meta)}};
}

/// RFC 4180. A text that a spreadsheet would take for a formula gets a ' before it.
std::string csvField(std::string text) {
  if (!text.empty() && std::string_view("=+-@\t\r").find(text.front()) != std::string_view::npos)
    text.insert(0, 1, '\'');
  if (text.find_first_of(",\"\r\n") == std::string::npos) return text;
  std::string out = "\"";
  for (const char c : text) out += c == '"' ? "\"\"" : std::string(1, c);
  return out + "\"";
}

void printCsv(const nlohmann::json& item, bool isFirst) {
  std::string head, line;
  for (const auto& [key, value] : item.items()) {
    head += key + ",";
    line += csvField(value.is_string() ? value.get<std::string>() : value.dump()) + ",";
  }
  head.pop_back();
  line.pop_back();
  if (isFirst) std::printf("%s\r\n", head.c_str());
  std::printf("%s\r\n", line.c_str());
}

Result<std::vector<nlohmann::json>> itemsOf(Archive& archive, Level level, const std::vector<std::int64_t>& ids,
                                            Names& names) {
  std::vector<nlohmann::json> out;
  const auto tags = archive.tagsOf(level, ids);
  if (!tags) return tl::make_unexpected(tags.error());
  const auto add = [&](std::int64_t id, nlohmann::json item) {
    const auto at = tags->find(id);
    item["tags"] = at == tags->end() ? std::set<std::string>{} : at->second;
    out.push_back(std::move(item));
  };
  if (level == Level::file) {
    const auto files = archive.files(ids);
    if (!files) return tl::make_unexpected(files.error());
    for (const FileRecord& file : *files) add(file.id, toJson(file, names));
  } else if (level == Level::study) {
    const auto studies = archive.studies(ids);
    if (!studies) return tl::make_unexpected(studies.error());
    for (const StudyRecord& study : *studies) {
      add(study.id, {{"id", study.id},
                     {"project", names.project(study.projectId).name},
                     {"subject", names.subject(study.subjectId)},
                     {"name", study.name},
                     {"date", study.date},
                     {"meta", metaOf(study.meta)}});
    }
  } else if (level == Level::subject) {
    const auto subjects = archive.subjects(ids);
    if (!subjects) return tl::make_unexpected(subjects.error());
    for (const SubjectRecord& subject : *subjects) {
      add(subject.id, {{"id", subject.id},
                       {"project", names.project(subject.projectId).name},
                       {"name", subject.name},
                       {"pseudonym", subject.pseudonym},
                       {"meta", metaOf(subject.meta)}});
    }
  } else {
    for (const std::int64_t id : ids) add(id, toJson(names.project(id)));
  }
  return out;
}

void printLine(Level level, const nlohmann::json& item) {
  const auto text = [&](const char* key) { return printable(item.value(key, "")); };
  if (level == Level::file)
    std::printf("%s\n", text("file").c_str());
  else if (level == Level::project)
    std::printf("%s\n", text("name").c_str());
  else if (level == Level::subject)
    std::printf("%s\t%s\n", text("project").c_str(), text("name").c_str());
  else
    std::printf("%s\t%s\t%s\n", text("project").c_str(), text("subject").c_str(), text("name").c_str());
}

int find(const FindOptions& options) {
  const auto query = parseQuery(options.query);
  if (!query) return report(query.error());
  auto open = openArchive(options);
  if (!open) return report(open.error());
  Archive& archive = *open->archive;
  const Level level = levelOf(options.level);
  if (options.count) {
    const auto count = archive.count(level, *query, everything, std::numeric_limits<std::int64_t>::max());
    if (!count) return report(count.error());
    std::printf("%lld\n", static_cast<long long>(*count));
    return 0;
  }
  Names names(archive);
  std::int64_t printed = 0;
  for (std::int64_t after = 0;;) {
    const auto left = options.limit == 0 ? itemsPerPage : std::min<std::int64_t>(itemsPerPage, options.limit - printed);
    const auto page = archive.find(level, *query, everything, after, static_cast<int>(left));
    if (!page) return report(page.error());
    const auto items = itemsOf(archive, level, page->ids, names);
    if (!items) return report(items.error());
    for (const auto& item : *items) {
      if (options.json)
        print(item);
      else if (options.csv)
        printCsv(item, printed == 0);
      else
        printLine(level, item);
      ++printed;
    }
    if (!page->next || (options.limit != 0 && printed >= options.limit)) return 0;
    after = *page->next;
  }
}

// ---- tag, meta

struct TagOptions : FindOptions {
  std::vector<std::string> add, remove;
};

int tag(const TagOptions& options) {
  const auto query = parseQuery(options.query);
  if (!query) return report(query.error());
  auto open = openArchive(options);
  if (!open) return report(open.error());
  const Level level = levelOf(options.level);
  std::vector<std::int64_t> ids;  // all first: tags may change what the search finds
  for (std::int64_t after = 0;;) {
    const auto page = open->archive->find(level, *query, everything, after, itemsPerPage);
    if (!page) return report(page.error());
    ids.insert(ids.end(), page->ids.begin(), page->ids.end());
    if (!page->next) break;
    after = *page->next;
  }
  const auto changed = open->archive->tag(level, ids, options.add, options.remove);
  if (!changed) return report(changed.error());
  if (options.json)
    print({{"found", ids.size()}, {"changed", *changed}});
  else
    std::printf("%zu found, %lld changed\n", ids.size(), static_cast<long long>(*changed));
  return 0;
}

struct MetaOptions : ArchiveOptions {
  std::int64_t id = 0;
  std::string level = "file";
  std::string set;
  bool history = false;
};

int meta(const MetaOptions& options) {
  auto open = openArchive(options);
  if (!open) return report(open.error());
  Archive& archive = *open->archive;
  const Level level = levelOf(options.level);
  if (!options.set.empty()) {
    const char* user = std::getenv("USER");
    const auto stored = archive.setMeta(level, options.id, options.set, user != nullptr ? user : "");
    if (!stored) return report(stored.error());
  }
  if (options.history) {
    const auto history = archive.metaHistory(level, options.id);
    if (!history) return report(history.error());
    for (const MetaChange& change : *history)
      print({{"atUs", change.atUs},
             {"user", change.user},
             {"before", metaOf(change.before)},
             {"after", metaOf(change.after)}});
    return 0;
  }
  Names names(archive);
  const auto items = itemsOf(archive, level, {options.id}, names);
  if (!items) return report(items.error());
  if (items->empty())
    return report({ErrorCode::notFound, "there is no such " + options.level, std::to_string(options.id)});
  print(items->front().at("meta"));
  return 0;
}

// ---- the parser

template <class Options>
CLI::App* addCommand(CLI::App& app, const std::string& name, const std::string& about,
                     const std::shared_ptr<Options>& options) {
  CLI::App* command = app.add_subcommand(name, about);
  command
      ->add_option("--index", options->index,
                   "The index: a file of SQLite, or mysql://USER@HOST/NAME (password: NORA_INDEX_PASSWORD)")
      ->envname("NORA_INDEX");
  command->add_flag("--json", options->json, "Print JSON");
  return command;
}

template <class Options>
void addLevel(CLI::App* command, const std::shared_ptr<Options>& options) {
  command->add_option("--level", options->level, "project, subject, study or file")
      ->check(CLI::IsMember({"project", "subject", "study", "file"}));
}

void addProjectCommands(CLI::App& app, int& exitStatus) {
  CLI::App* project = app.add_subcommand("project", "Projects of the archive")->require_subcommand(1);
  auto added = std::make_shared<ProjectOptions>();
  CLI::App* add = addCommand(*project, "add", "Makes a project of a folder; its files stay where they are", added);
  add->add_option("NAME", added->name, "Its name")->required();
  add->add_option("DIR", added->folder, "The folder")->required();
  add->add_option("--title", added->title, "What people read");
  add->add_flag("--hide-identity", added->hideIdentity, "Names of subjects only for those with the right to see them");
  add->callback([added, &exitStatus] { exitStatus = addProject(*added); });
  auto listed = std::make_shared<ArchiveOptions>();
  CLI::App* list = addCommand(*project, "list", "Lists the projects", listed);
  list->callback([listed, &exitStatus] { exitStatus = listProjects(*listed); });
}

}  // namespace

void addArchiveCommands(CLI::App& app, int& exitStatus) {
  addProjectCommands(app, exitStatus);
  auto scanned = std::make_shared<ScanOptions>();
  CLI::App* scanning = addCommand(app, "scan", "Brings the index up to date with the folders of projects", scanned);
  scanning->add_option("PROJECT", scanned->projects, "All, if none is named");
  scanning->callback([scanned, &exitStatus] { exitStatus = scan(*scanned); });

  auto wanted = std::make_shared<FindOptions>();
  CLI::App* finding = addCommand(app, "find", "Searches the archive (docs/SEARCH.md)", wanted);
  finding->add_option("QUERY", wanted->query, "As in the page; none finds everything");
  addLevel(finding, wanted);
  finding->add_option("--limit", wanted->limit, "Most items; 0: all")->check(CLI::NonNegativeNumber);
  finding->add_flag("--count", wanted->count, "Print only how many");
  finding->add_flag("--csv", wanted->csv, "Print CSV with a line of names");
  finding->callback([wanted, &exitStatus] { exitStatus = find(*wanted); });

  auto tagged = std::make_shared<TagOptions>();
  CLI::App* tagging = addCommand(app, "tag", "Adds and removes tags of what a search finds", tagged);
  tagging->add_option("QUERY", tagged->query, "As in nora find")->required();
  addLevel(tagging, tagged);
  tagging->add_option("--add", tagged->add, "A tag");
  tagging->add_option("--remove", tagged->remove, "A tag");
  tagging->callback([tagged, &exitStatus] { exitStatus = tag(*tagged); });

  auto asked = std::make_shared<MetaOptions>();
  CLI::App* asking = addCommand(app, "meta", "Shows or sets the metadata of an item", asked);
  asking->add_option("ID", asked->id, "Its id, as nora find --json gives it")->required();
  addLevel(asking, asked);
  asking->add_option("--set", asked->set, "A JSON object in the place of what is there");
  asking->add_flag("--history", asked->history, "Who changed it, the newest first");
  asking->callback([asked, &exitStatus] { exitStatus = meta(*asked); });
}

}  // namespace nora
