// `nora export`: the files of a search as a folder or a zip, and their rows as CSV.
#include "app/archive_command.hpp"
#include "app/commands.hpp"
#include "app/item_json.hpp"
#include "app/stop_signals.hpp"
#include "app/zip_stream.hpp"
#include "archive/files/placed_file.hpp"
#include "archive/files/served_root.hpp"

#include <array>
#include <cerrno>
#include <cstdio>
#include <filesystem>
#include <map>

#include <fcntl.h>
#include <unistd.h>

#include <CLI/CLI.hpp>

namespace nora {
namespace {

struct ExportOptions : ArchiveOptions {
  std::string query, folder, zip;
  bool pseudonyms = false;
};

std::string replaced(std::string text, const std::string& from, const std::string& to) {
  if (from.empty()) return text;
  for (std::size_t at = text.find(from); at != std::string::npos; at = text.find(from, at + to.size()))
    text.replace(at, from.size(), to);
  return text;
}

/// Where files go, one after the other.
class Target {
 public:
  Target() = default;
  Target(const Target&) = delete;
  Target& operator=(const Target&) = delete;
  virtual ~Target() = default;
  [[nodiscard]] virtual Result<void> take(int fd, const FileStat& stat, const std::string& name) = 0;
  [[nodiscard]] virtual Result<void> finish() = 0;
};

class FolderTarget final : public Target {
 public:
  FolderTarget(std::string folder, std::stop_token stop) : folder_(std::move(folder)), stop_(std::move(stop)) {}
  [[nodiscard]] Result<void> take(int fd, const FileStat& /*stat*/, const std::string& name) override {
    auto placed = placeFile(fd, folder_, name, stop_);
    if (!placed) return tl::make_unexpected(placed.error());
    return {};
  }
  [[nodiscard]] Result<void> finish() override { return {}; }

 private:
  const std::string folder_;
  const std::stop_token stop_;
};

/// Under a hidden name until it is whole.
class ZipTarget final : public Target {
 public:
  ZipTarget(std::string file, std::stop_token stop)
      : file_(std::move(file)),
        part_(file_ + ".part"),
        stop_(std::move(stop)),
        zip_([this](std::string_view bytes) { return write(bytes); }) {}
  ~ZipTarget() override {
    if (fd_) ::unlink(part_.c_str());
  }
  [[nodiscard]] Result<void> open() {
    std::error_code failed;
    if (std::filesystem::exists(file_, failed))
      return fail(ErrorCode::invalidInput, "another file is there already", file_);
    fd_.reset(::open(part_.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666));
    if (!fd_) return tl::make_unexpected(systemError(errno, file_));
    return {};
  }
  [[nodiscard]] Result<void> take(int fd, const FileStat& stat, const std::string& name) override {
    if (auto begun = zip_.begin(name, stat.modifiedNs / 1000); !begun) return begun;
    std::vector<char> buffer(std::size_t{1} << 20);
    for (;;) {
      if (stop_.stop_requested()) return fail(ErrorCode::cancelled, "stopped; no zip was made", file_);
      const ssize_t got = ::read(fd, buffer.data(), buffer.size());
      if (got < 0 && errno == EINTR) continue;
      if (got < 0) return tl::make_unexpected(systemError(errno, name));
      if (got == 0) return zip_.end();
      if (auto put = zip_.add({buffer.data(), static_cast<std::size_t>(got)}); !put) return put;
    }
  }
  [[nodiscard]] Result<void> finish() override {
    if (auto done = zip_.finish(); !done) return done;
    if (auto kept = synchronise(fd_.get(), file_); !kept) return kept;
    if (::renameat2(AT_FDCWD, part_.c_str(), AT_FDCWD, file_.c_str(), RENAME_NOREPLACE) != 0)
      return tl::make_unexpected(systemError(errno, file_));
    fd_.reset();
    return {};
  }

 private:
  Result<void> write(std::string_view bytes) {
    while (!bytes.empty()) {
      const ssize_t put = ::write(fd_.get(), bytes.data(), bytes.size());
      if (put < 0 && errno == EINTR) continue;
      if (put < 0) return tl::make_unexpected(systemError(errno, file_));
      bytes.remove_prefix(static_cast<std::size_t>(put));
    }
    return {};
  }

  const std::string file_, part_;
  const std::stop_token stop_;
  UniqueFd fd_;
  ZipStream zip_;
};

/// One export: files by their ids, into a target.
class Export {
 public:
  Export(OpenIndex& index, const ExportOptions& options, Target& target)
      : archive_(index.archive), options_(options), target_(target), names_(index.archive) {}

  Result<void> run(const std::vector<std::int64_t>& ids) {
    for (std::size_t i = 0; i < ids.size(); i += itemsPerPage) {
      const std::size_t count = std::min<std::size_t>(itemsPerPage, ids.size() - i);
      const auto records = archive_.files(std::span(ids).subspan(i, count));
      if (!records) return tl::make_unexpected(records.error());
      for (const FileRecord& file : *records) {
        if (auto taken = take(file); !taken) return taken;
      }
    }
    return target_.finish();
  }

  std::int64_t files = 0, bytes = 0, left = 0;

 private:
  Result<void> take(const FileRecord& file) {
    if (file.state == FileState::vanished) {
      ++left;
      return {};
    }
    auto root = rootOf(file.projectId);
    if (!root) return tl::make_unexpected(root.error());
    const auto parts = archive_.partsOf(file);
    if (!parts) return tl::make_unexpected(parts.error());
    for (const std::string& part : *parts) {
      const auto stat = (*root)->stat(part);
      const auto fd = stat ? (*root)->openFile(part) : Result<UniqueFd>(tl::make_unexpected(stat.error()));
      if (!fd) {
        std::fprintf(stderr, "nora: %s: %s\n", printable(part).c_str(), fd.error().what.c_str());
        ++left;
        continue;
      }
      if (auto taken = target_.take(fd->get(), *stat, nameOf(file, part)); !taken) return taken;
      ++files;
      bytes += stat->sizeBytes;
    }
    return {};
  }

  std::string nameOf(const FileRecord& file, const std::string& part) {
    const std::string& project = names_.project(file.projectId).name;
    if (!options_.pseudonyms || file.subjectId == 0) return project + "/" + part;
    auto at = pseudonyms_.find(file.subjectId);
    if (at == pseudonyms_.end()) {
      const auto subject = archive_.subject(file.subjectId);
      at = pseudonyms_.emplace(file.subjectId, subject ? subject->pseudonym : "unknown").first;
    }
    return project + "/" + replaced(part, names_.subject(file.subjectId), at->second);
  }

  Result<const ServedRoot*> rootOf(std::int64_t project) {
    auto at = roots_.find(project);
    if (at == roots_.end()) {
      auto root = ServedRoot::open(names_.project(project).root);
      if (!root) return tl::make_unexpected(root.error());
      at = roots_.emplace(project, std::move(*root)).first;
    }
    return &at->second;
  }

  Archive& archive_;
  const ExportOptions& options_;
  Target& target_;
  Names names_;
  std::map<std::int64_t, ServedRoot> roots_;
  std::map<std::int64_t, std::string> pseudonyms_;
};

Result<std::unique_ptr<Target>> targetOf(const ExportOptions& options, std::stop_token stop) {
  if (!options.zip.empty()) {
    auto zip = std::make_unique<ZipTarget>(options.zip, std::move(stop));
    if (auto opened = zip->open(); !opened) return tl::make_unexpected(opened.error());
    return zip;
  }
  if (auto made = makeFolders(options.folder); !made) return tl::make_unexpected(made.error());
  return std::make_unique<FolderTarget>(std::filesystem::canonical(options.folder).string(), std::move(stop));
}

int exportFiles(const ExportOptions& options) {
  auto open = openIndex(options.index);
  if (!open) return report(open.error());
  const auto ids = idsOf((*open)->archive, Level::file, options.query);
  if (!ids) return report(ids.error());
  const StopSignals signals;
  auto target = targetOf(options, signals.token());
  if (!target) return report(target.error());
  const nlohmann::json detail = {{"files", ids->size()}, {"pseudonyms", options.pseudonyms}};
  if (auto noted = noteCommand(**open, "export", options.query, 0, detail); !noted) return report(noted.error());
  Export work(**open, options, **target);
  if (auto done = work.run(*ids); !done) return report(done.error());
  if (options.pseudonyms) std::fprintf(stderr, "nora: names are pseudonyms; what the files say inside is as it was\n");
  if (options.json)
    print({{"files", work.files}, {"bytes", work.bytes}, {"left", work.left}});
  else
    std::printf("%lld files, %lld bytes; %lld could not be read\n", static_cast<long long>(work.files),
                static_cast<long long>(work.bytes), static_cast<long long>(work.left));
  return work.left == 0 ? 0 : exitStatus(ErrorCode::notFound);
}

}  // namespace

void addExportCommand(CLI::App& app, int& exitStatus) {
  auto wanted = std::make_shared<ExportOptions>();
  CLI::App* command =
      addCommand(app, "export", "Copies the files of a search into a folder or a zip", wanted, exportFiles, exitStatus);
  command->add_option("QUERY", wanted->query, "As in nora find")->required();
  CLI::Option_group* to = command->add_option_group("to", "Where to; names are <project>/<path in the project>");
  to->add_option("--to", wanted->folder, "A folder; files that are there already stay as they are");
  to->add_option("--zip", wanted->zip, "A zip file, which must not be there yet");
  to->require_option(1);
  command->add_flag("--pseudonyms", wanted->pseudonyms,
                    "Pseudonyms in the place of subjects' names in folders and files; contents stay");
}

}  // namespace nora
