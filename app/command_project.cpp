// `nora project|scan`: projects, and bringing the index up to date with their folders.
#include "app/archive_command.hpp"
#include "app/commands.hpp"
#include "app/content_hashes.hpp"
#include "app/item_json.hpp"
#include "app/local_images.hpp"
#include "app/project_folder.hpp"
#include "app/project_scan.hpp"
#include "archive/files/path_pattern.hpp"

#include <algorithm>
#include <cstdio>

#include <unistd.h>

#include <CLI/CLI.hpp>

namespace nora {
namespace {

struct ProjectOptions : ArchiveOptions {
  std::string name, folder, title, pattern;
  bool hideIdentity = false;
};

int addProject(const ProjectOptions& options) {
  if (!options.pattern.empty()) {
    if (const auto pattern = PathPattern::parse(options.pattern); !pattern) return report(pattern.error());
  }
  auto open = openIndex(options.index);
  if (!open) return report(open.error());
  ProjectRecord project;
  project.name = options.name;
  project.title = options.title;
  project.inPlace = true;
  if (auto placed = placeProject((*open)->archive, options.folder, project); !placed) return report(placed.error());
  project.hideIdentity = options.hideIdentity;
  if (!options.pattern.empty()) project.settings = nlohmann::json{{"pattern", options.pattern}}.dump();
  const auto made = (*open)->archive.addProject(project);
  if (!made) return report(made.error());
  if (auto noted = noteCommand(**open, "project.add", made->name, made->id, {{"root", made->root}}); !noted)
    return report(noted.error());
  if (options.json)
    print(toJson(*made));
  else
    std::printf("project %s: %s. nora scan takes its files into the index.\n", printable(made->name).c_str(),
                printable(made->root).c_str());
  return 0;
}

int listProjects(const ArchiveOptions& options) {
  auto open = openIndex(options.index);
  if (!open) return report(open.error());
  const auto projects = (*open)->archive.projects();
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

struct RemoveOptions : ArchiveOptions {
  std::string name;
  bool isSure = false;
};

int removeProject(const RemoveOptions& options) {
  auto open = openIndex(options.index);
  if (!open) return report(open.error());
  Archive& archive = (*open)->archive;
  const auto project = archive.project(options.name);
  if (!project) return report({project.error().code, project.error().what, options.name});
  const std::vector<std::int64_t> ids{project->id};
  const auto counts = archive.countsOf(Level::project, ids);
  if (!counts) return report(counts.error());
  const auto files = counts->at(project->id).files;
  if (!options.isSure) {
    return report({ErrorCode::invalidInput,
                   "tags, metadata and rights of " + std::to_string(files) + " files would be gone from the index (" +
                       project->root + " stays as it is): say --yes",
                   options.name});
  }
  const nlohmann::json detail = {{"root", project->root}, {"files", files}};
  if (auto noted = noteCommand(**open, "project.remove", project->name, project->id, detail); !noted)
    return report(noted.error());
  if (auto removed = archive.removeProject(project->id); !removed) return report(removed.error());
  if (options.json)
    print({{"project", project->name}, {"root", project->root}, {"files", files}});
  else
    std::printf("project %s: %lld files are no longer in the index; %s is as it was\n",
                printable(project->name).c_str(), static_cast<long long>(files), printable(project->root).c_str());
  return 0;
}

constexpr std::int64_t hashedPerScan =
    10'000;  // files of which the content is learnt, beside a scan that is not the first

struct ScanOptions : ArchiveOptions {
  std::vector<std::string> projects;
};

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
  const bool isFirst = found->files.unchanged == 0;
  const auto learnt = hashContents(archive, project, isFirst ? 0 : hashedPerScan, [] { return true; }, {});
  if (!learnt) return report(learnt.error());
  if (json) {
    auto json = toJson(*found);
    json["project"] = project.name;
    print(json);
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
  auto open = openIndex(options.index);
  if (!open) return report(open.error());
  const auto all = (*open)->archive.projects();
  if (!all) return report(all.error());
  ReaderPool pool("/proc/self/exe", commandLineLimits(false));
  int status = 0;
  for (const ProjectRecord& project : *all) {
    const auto& wanted = options.projects;
    if (!wanted.empty() && std::find(wanted.begin(), wanted.end(), project.name) == wanted.end()) continue;
    status = std::max(status, scanOne((*open)->archive, project, pool, options.json));
  }
  for (const std::string& name : options.projects) {
    const bool isThere =
        std::any_of(all->begin(), all->end(), [&](const ProjectRecord& project) { return project.name == name; });
    if (!isThere) return report({ErrorCode::notFound, "there is no such project: nora project list shows them", name});
  }
  return status;
}

}  // namespace

void addProjectCommands(CLI::App& app, int& exitStatus) {
  CLI::App* project = app.add_subcommand("project", "Projects of the archive")->require_subcommand(1);
  auto added = std::make_shared<ProjectOptions>();
  CLI::App* add =
      addCommand(*project, "add", "Makes a project of a folder, whose files stay where they are, or one of nora's own",
                 added, addProject, exitStatus);
  add->add_option("NAME", added->name, "Its name")->required();
  add->add_option("DIR", added->folder, "The folder; without it one of nora's own, below the store");
  add->add_option("--pattern", added->pattern,
                  "How folders name subjects and studies: {subject}/{study}, **/S{subject}_*/{study}");
  add->add_option("--title", added->title, "What people read");
  add->add_flag("--hide-identity", added->hideIdentity, "Names of subjects only for those with the right to see them");
  addCommand(*project, "list", "Lists the projects", std::make_shared<ArchiveOptions>(), listProjects, exitStatus);

  auto removed = std::make_shared<RemoveOptions>();
  CLI::App* remove =
      addCommand(*project, "remove", "Takes a project out of the index, with its tags, metadata and rights; files stay",
                 removed, removeProject, exitStatus);
  remove->add_option("NAME", removed->name, "Its name")->required();
  remove->add_flag("--yes", removed->isSure, "It is meant");

  auto scanned = std::make_shared<ScanOptions>();
  CLI::App* scanning =
      addCommand(app, "scan", "Brings the index up to date with the folders of projects", scanned, scan, exitStatus);
  scanning->add_option("PROJECT", scanned->projects, "All, if none is named");
}

}  // namespace nora
