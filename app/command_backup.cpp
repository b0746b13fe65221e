// `nora backup|restore`: the whole index of SQLite in one file.
#include "app/archive_command.hpp"
#include "app/commands.hpp"
#include "archive/files/placed_file.hpp"
#include "archive/index/sqlite_copy.hpp"
#include "base/unique_fd.hpp"

#include <cerrno>
#include <cstdio>
#include <filesystem>

#include <fcntl.h>
#include <unistd.h>

#include <CLI/CLI.hpp>

namespace nora {
namespace {

struct BackupOptions : ArchiveOptions {
  std::string file;
  bool isSure = false;
};

/// A file that is gone with what SQLite keeps beside it, unless it was kept.
class PartFile {
 public:
  explicit PartFile(std::string file) : file_(std::move(file)) { remove(); }
  ~PartFile() { remove(); }
  PartFile(const PartFile&) = delete;
  PartFile& operator=(const PartFile&) = delete;
  [[nodiscard]] const std::string& name() const { return file_; }
  /// Gives it its name, where nothing of that name is; it is on the disk when this returns.
  [[nodiscard]] Result<void> keepAs(const std::string& name) const {
    const UniqueFd file(::open(file_.c_str(), O_RDONLY | O_CLOEXEC));
    if (!file) return tl::make_unexpected(systemError(errno, file_));
    if (auto done = synchronise(file.get(), file_); !done) return done;
    if (::link(file_.c_str(), name.c_str()) != 0) return tl::make_unexpected(systemError(errno, name));
    const std::string above = std::filesystem::absolute(name).parent_path().string();
    const UniqueFd folder(::open(above.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    return folder ? synchronise(folder.get(), above) : Result<void>(tl::make_unexpected(systemError(errno, above)));
  }

 private:
  void remove() const {
    for (const char* end : {"", "-wal", "-shm", "-journal"}) ::unlink((file_ + end).c_str());
  }
  const std::string file_;
};

/// The file of an index; an error for those of a server of databases.
Result<std::string> fileOf(const std::string& index) {
  const auto address = indexAddress(index);
  if (!address) return tl::make_unexpected(address.error());
  if (address->dialect == SqlDialect::sqlite) return address->file;
  return fail(ErrorCode::unsupported,
              "mariadb-dump --single-transaction --triggers makes the backup of an index in MySQL, mariadb restores it "
              "(docs/ADMIN_GUIDE.md)",
              address->database);
}

/// A copy of `index` as one whole and checked file; `part`: its name until then.
Result<void> copyTo(const std::string& index, const std::string& file, const std::string& partName) {
  if (::access(file.c_str(), F_OK) == 0) return fail(ErrorCode::invalidInput, "another file is there already", file);
  const PartFile part(partName);
  if (auto copied = copySqlite(index, part.name()); !copied) return copied;
  if (auto closed = closeJournal(part.name()); !closed) return closed;
  if (auto whole = checkSqlite(part.name()); !whole) return whole;
  return part.keepAs(file);
}

int backup(const BackupOptions& options) {
  const auto file = fileOf(options.index);
  if (!file) return report(file.error());
  if (::access(file->c_str(), F_OK) != 0)
    return report({ErrorCode::notFound, "there is no index: nora project add makes one", *file});
  auto open = openIndex(options.index);
  if (!open) return report(open.error());
  if (auto noted = noteCommand(**open, "index.backup", options.file); !noted) return report(noted.error());
  if (auto copied = copyTo(*file, options.file, options.file + ".part"); !copied) return report(copied.error());
  std::error_code failed;
  const auto bytes = static_cast<std::int64_t>(std::filesystem::file_size(options.file, failed));
  if (options.json)
    print({{"file", options.file}, {"bytes", bytes}});
  else
    std::printf("%s: %lld bytes, checked\n", printable(options.file).c_str(), static_cast<long long>(bytes));
  return 0;
}

Result<std::unique_ptr<OpenIndex>> openFile(const std::string& file) {
  DatabaseAddress address;
  address.file = file;
  auto database = openDatabase(address);
  if (!database) return tl::make_unexpected(database.error());
  return std::make_unique<OpenIndex>(std::move(*database));
}

/// A name beside the index that is free.
std::string nameForKept(const std::string& index) {
  const std::string name = index + ".before-" + isoTime(nowUs());
  std::string out = name;
  for (int number = 2; ::access(out.c_str(), F_OK) == 0; ++number) out = name + "-" + std::to_string(number);
  return out;
}

/// What the index holds now is kept beside it; the name of that file, empty where there was no index.
/// `revision`: how far it had come.
Result<std::string> keepPresent(const std::string& index, std::int64_t& revision) {
  if (::access(index.c_str(), F_OK) != 0) return std::string();
  const std::string kept = nameForKept(index);
  const auto copied = copyTo(index, kept, index + ".kept.part");
  if (copied) {
    if (auto open = openFile(index); open) revision = (*open)->archive.revision().value_or(0);
    return kept;
  }
  if (copied.error().code != ErrorCode::internal) return tl::make_unexpected(copied.error());
  for (const char* end : {"-wal", "-shm", ""}) {  // it is damaged: all of it is put aside
    if (::rename((index + end).c_str(), (kept + end).c_str()) != 0 && errno != ENOENT)
      return tl::make_unexpected(systemError(errno, index + end));
  }
  return kept;
}

/// The backup as an index of today, checked.
Result<void> prepare(const std::string& backupFile, const std::string& part) {
  if (::access(backupFile.c_str(), R_OK) != 0) return tl::make_unexpected(systemError(errno, backupFile));
  if (auto copied = copySqlite(backupFile, part); !copied)
    return fail(copied.error().code, "this is no backup of an index, or it is damaged", backupFile);
  if (auto whole = checkSqlite(part); !whole) return fail(whole.error().code, whole.error().what, backupFile);
  auto plain = openSqlite(part);
  if (!plain) return tl::make_unexpected(plain.error());
  if (!Archive(**plain).revision()) return fail(ErrorCode::invalidInput, "this is no backup of an index", backupFile);
  plain->reset();
  if (auto today = openFile(part); !today) return fail(today.error().code, today.error().what, backupFile);
  return {};
}

/// Whoever was logged in logs in again: sessions that were ended since then would be alive. Programs that follow the
/// index must see that it has changed: its number goes on from the higher one.
Result<void> settle(const std::string& part, std::int64_t revisionBefore) {
  auto open = openFile(part);
  if (!open) return tl::make_unexpected(open.error());
  if (auto gone = (*open)->accounts.removeAllSessions(); !gone) return gone;
  return (*open)->archive.raiseAbove(revisionBefore);
}

int restore(const BackupOptions& options) {
  const auto index = fileOf(options.index);
  if (!index) return report(index.error());
  const bool isThere = ::access(index->c_str(), F_OK) == 0;
  if (isThere && !options.isSure)
    return report(
        {ErrorCode::invalidInput,
         "an index is there: stop nora serve, then say --yes; the backup takes its place, and it is kept beside it",
         *index});
  std::error_code failed;
  const auto folder = std::filesystem::absolute(*index).parent_path();
  if (auto made = makeFolders(folder.string()); !made) return report(made.error());
  const PartFile part(*index + ".part");
  if (auto ready = prepare(options.file, part.name()); !ready) return report(ready.error());
  std::int64_t revision = 0;
  const auto kept = keepPresent(*index, revision);
  if (!kept) return report(kept.error());
  if (auto settled = settle(part.name(), revision); !settled) return report(settled.error());
  if (auto copied = copySqlite(part.name(), *index); !copied) return report(copied.error());
  auto open = openIndex(options.index);
  if (!open) return report(open.error());
  if (auto noted = noteCommand(**open, "index.restore", options.file); !noted) return report(noted.error());
  if (options.json)
    print({{"index", *index}, {"kept", *kept}});
  else
    std::printf(
        "%s is as in %s, with what the journals beside the data say since then.%s%s nora scan takes new files.\n",
        printable(*index).c_str(), printable(options.file).c_str(), kept->empty() ? "" : " What it was is kept as ",
        kept->empty() ? "" : (printable(*kept) + ".").c_str());
  return 0;
}

}  // namespace

void addBackupCommands(CLI::App& app, int& exitStatus) {
  auto saved = std::make_shared<BackupOptions>();
  addCommand(app, "backup", "Copies the index into one file, also while it is used (SQLite)", saved, backup, exitStatus)
      ->add_option("FILE", saved->file, "A new file")
      ->required();
  auto wanted = std::make_shared<BackupOptions>();
  CLI::App* command = addCommand(app, "restore", "Puts a backup in the place of the index; the present one is kept",
                                 wanted, restore, exitStatus);
  command->add_option("FILE", wanted->file, "Made by nora backup")->required();
  command->add_flag("--yes", wanted->isSure, "It is meant, and no nora serve runs");
}

}  // namespace nora
