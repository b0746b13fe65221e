// `nora import|reindex`: files into a project's folder, and the index from what is on the disk.
#include "app/archive_command.hpp"
#include "app/commands.hpp"
#include "app/local_images.hpp"
#include "app/project_scan.hpp"
#include "app/stop_signals.hpp"
#include "archive/files/placed_file.hpp"
#include "archive/files/tree_walker.hpp"
#include "archive/index/remembered.hpp"

#include <algorithm>
#include <cstdio>
#include <filesystem>

#include <fcntl.h>
#include <CLI/CLI.hpp>

namespace nora {
namespace {

struct ImportOptions : ArchiveOptions {
  std::vector<std::string> sources;
  std::string project, subject, study;
  bool rename = false;
};

struct Imported {
  std::int64_t stored = 0, wasThere = 0;
};

/// "scan-2.nii.gz" for "scan.nii.gz".
std::string otherName(const std::string& path, int number) {
  const std::size_t slash = path.rfind('/') + 1;  // npos + 1 is 0
  const std::size_t dot = std::min(path.find('.', slash), path.size());
  return path.substr(0, dot) + "-" + std::to_string(number) + path.substr(dot);
}

class Import {
 public:
  Import(const ImportOptions& options, std::string root, std::stop_token stop)
      : options_(options), root_(std::move(root)), stop_(std::move(stop)) {
    for (const std::string& part : {options.subject, options.study}) {
      if (!part.empty()) above_ += part + "/";
    }
  }

  Result<void> take(const std::string& source) {
    std::error_code failed;
    if (!std::filesystem::is_directory(source, failed)) {
      const UniqueFd fd(::open(source.c_str(), O_RDONLY | O_CLOEXEC));
      if (!fd) return tl::make_unexpected(systemError(errno, source));
      return place(fd.get(), std::filesystem::path(source).filename().string());
    }
    const auto folder = ServedRoot::open(source);
    if (!folder) return tl::make_unexpected(folder.error());
    Result<void> out;
    std::stop_source ends;
    const std::stop_callback also(stop_, [&] { ends.request_stop(); });
    walkTree(
        *folder, 256,
        [&](const std::vector<FoundFile>& files) {
          for (const FoundFile& file : files) {
            if (!out) return;
            const auto fd = folder->openFile(file.path);
            out = fd ? place(fd->get(), file.path) : Result<void>(tl::make_unexpected(fd.error()));
            if (!out) ends.request_stop();
          }
        },
        [&](const WalkProblem& wrong) {
          if (out) out = tl::make_unexpected(wrong.error);
          ends.request_stop();
        },
        ends.get_token());
    if (out && stop_.stop_requested()) return fail(ErrorCode::cancelled, "stopped; what was copied stays", source);
    return out;
  }

  Imported counts;

 private:
  Result<void> place(int fd, const std::string& name) {
    std::string path = above_ + name;
    auto placed = placeFile(fd, root_, path, stop_);
    for (int number = 2; !placed && options_.rename && isTaken(path) && number < 1000; ++number) {
      path = otherName(above_ + name, number);
      placed = placeFile(fd, root_, path, stop_);
    }
    if (!placed && isTaken(path) && placed.error().code == ErrorCode::invalidInput)
      return fail(ErrorCode::invalidInput, placed.error().what + "; --rename gives it another name", path);
    if (!placed) return tl::make_unexpected(placed.error());
    ++(*placed == Placed::stored ? counts.stored : counts.wasThere);
    return {};
  }

  [[nodiscard]] bool isTaken(const std::string& path) const {
    std::error_code failed;
    return std::filesystem::exists(root_ + "/" + path, failed);
  }

  const ImportOptions& options_;
  const std::string root_;
  const std::stop_token stop_;
  std::string above_;
};

Result<ScanReport> scanned(Archive& archive, const ProjectRecord& project, std::stop_token stop) {
  ReaderPool pool("/proc/self/exe", commandLineLimits(false));
  auto found = ProjectScan(archive, project, pool).run({}, stop);
  if (found) {
    for (const std::string& problem : found->problems) std::fprintf(stderr, "nora: %s\n", problem.c_str());
  }
  return found;
}

int import(const ImportOptions& options) {
  auto open = openIndex(options.index);
  if (!open) return report(open.error());
  const auto project = (*open)->archive.project(options.project);
  if (!project) return report({project.error().code, project.error().what, options.project});
  if (!options.study.empty() && options.subject.empty())
    return report({ErrorCode::invalidInput, "a study is of a subject: --subject", options.study});
  for (const std::string& name : {options.subject, options.study}) {
    if (name.empty()) continue;
    if (auto right = checkItemName(name, "name"); !right) return report(right.error());
  }
  const StopSignals signals;
  Import work(options, project->root, signals.token());
  Result<void> done;
  for (const std::string& source : options.sources) {
    if (done) done = work.take(source);
  }
  // What was copied is registered in any case: it is there.
  const auto found = scanned((*open)->archive, *project, done ? signals.token() : std::stop_token());
  const nlohmann::json counts = {{"stored", work.counts.stored}, {"wasThere", work.counts.wasThere}};
  if (auto noted = noteCommand(**open, "file.import", project->name, project->id, counts); !noted)
    return report(noted.error());
  if (!done) return report(done.error());
  if (!found) return report(found.error());
  if (options.json)
    print(counts);
  else
    std::printf("%lld files stored, %lld were there already\n", static_cast<long long>(work.counts.stored),
                static_cast<long long>(work.counts.wasThere));
  return 0;
}

// ---- reindex

struct ReindexOptions : ArchiveOptions {
  std::string project;
};

/// Makes projects of which there is a journal in the store, and none in the index.
Result<void> takeLostProjects(Archive& archive) {
  std::error_code failed;
  const std::filesystem::path store = archive.store();
  std::vector<std::string> folders;
  for (const auto& entry : std::filesystem::directory_iterator(store / ".nora", failed))
    folders.push_back(entry.path());
  for (const auto& entry : std::filesystem::directory_iterator(store, failed))
    folders.push_back(entry.path() / ".nora");
  for (const std::string& folder : folders) {
    const std::string file = archive_sql::newestJournal(folder);
    if (file.empty()) continue;
    const auto project = archive_sql::projectOfJournal(file);
    if (!project) return tl::make_unexpected(project.error());
    if (auto made = archive.addLostProject(*project, file); !made) return made;
  }
  return {};
}

Result<ScanReport> reindexOne(OpenIndex& index, const ProjectRecord& project, const std::stop_token& stop) {
  if (const auto root = ServedRoot::open(project.root); !root) return tl::make_unexpected(root.error());
  if (auto done = index.archive.rebuild(project.id); !done) return tl::make_unexpected(done.error());
  const auto fresh = index.archive.project(project.id);
  if (!fresh) return tl::make_unexpected(fresh.error());
  auto found = scanned(index.archive, *fresh, stop);
  if (!found) return found;
  if (auto noted = noteCommand(index, "project.reindex", fresh->name, fresh->id); !noted)
    return tl::make_unexpected(noted.error());
  return found;
}

/// A project that fails does not keep the others from being taken.
int reindex(const ReindexOptions& options) {
  auto open = openIndex(options.index);
  if (!open) return report(open.error());
  Archive& archive = (*open)->archive;
  if (auto taken = takeLostProjects(archive); !taken) return report(taken.error());
  const auto projects = archive.projects();
  if (!projects) return report(projects.error());
  const StopSignals signals;
  bool isFound = options.project.empty();
  int status = 0;
  for (const ProjectRecord& project : *projects) {
    if (!options.project.empty() && project.name != options.project) continue;
    isFound = true;
    const auto found = reindexOne(**open, project, signals.token());
    if (!found) {
      const int failed = report(found.error());
      if (found.error().code == ErrorCode::cancelled) return failed;
      status = std::max(status, failed);
      continue;
    }
    if (options.json)
      print({{"project", project.name}, {"added", found->files.added}, {"changed", found->files.changed}});
    else
      std::printf("%s: %lld files\n", printable(project.name).c_str(),
                  static_cast<long long>(found->files.added + found->files.changed));
  }
  return isFound ? status : report({ErrorCode::notFound, "there is no such project", options.project});
}

}  // namespace

void addImportCommands(CLI::App& app, int& exitStatus) {
  auto wanted = std::make_shared<ImportOptions>();
  CLI::App* command = addCommand(app, "import", "Copies files into a project's folder and takes them into the index",
                                 wanted, import, exitStatus);
  command->add_option("FILE", wanted->sources, "Files, and folders with all that is in them")->required();
  command->add_option("--project", wanted->project, "Its name")->required();
  command->add_option("--subject", wanted->subject, "Without it the folders' names say it");
  command->add_option("--study", wanted->study, "Of the subject");
  command->add_flag("--rename", wanted->rename, "Another name (-2, -3) where another file is already");

  auto again = std::make_shared<ReindexOptions>();
  addCommand(app, "reindex", "Makes the index anew from what is on the disk, also where it was lost", again, reindex,
             exitStatus)
      ->add_option("--project", again->project, "Only this one");
}

}  // namespace nora
