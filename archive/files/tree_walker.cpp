// The walk over the served tree: folders one by one, names sorted, links last.
#include "archive/files/tree_walker.hpp"

#include "archive/files/path_text.hpp"

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <deque>
#include <memory>
#include <set>
#include <string_view>
#include <utility>

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>

namespace nora {
namespace {

using Clock = std::chrono::steady_clock;
using Identity = std::pair<std::uint64_t, std::uint64_t>;  // device, inode

constexpr std::size_t maxDepth = 100;                  // folders within folders
constexpr std::chrono::milliseconds longestWait{200};  // files found are passed on after this, batch full or not
constexpr std::size_t namesBetweenStops = 4096;

Identity identityOf(const FileStat& stat) {
  return {stat.device, stat.inode};
}

struct Item {
  std::string name;
  FileStat stat;
};

/// A folder on the way down: what it holds and how far we are.
struct Level {
  std::string path;  // "" for the root, else with a '/' behind
  Identity identity;
  std::vector<Item> items;
  std::size_t next = 0;
};

struct LinkedFolder {
  std::string path;
  Identity identity;
};

class Walk {
 public:
  Walk(const ServedRoot& root, std::size_t batch, const std::function<void(std::vector<FoundFile>)>& found,
       const std::function<void(WalkProblem)>& problem, std::stop_token stop)
      : root_(root),
        batchSize_(std::max<std::size_t>(batch, 1)),
        found_(found),
        problem_(problem),
        stop_(std::move(stop)) {
    const auto slash = root.path().rfind('/');
    rootName_ = root.path().substr(slash + 1);
    if (rootName_.empty()) rootName_.assign(1, '/');
    if (placeFromPath(rootName_).subject != ".") subjectPrefix_ = rootName_ + '/';
  }

  void run() {
    enter("", nullptr);
    descend();
    while (!linked_.empty() && !stop_.stop_requested()) {
      const LinkedFolder link = std::move(linked_.front());
      linked_.pop_front();
      enter(link.path, &link.identity);
      descend();
    }
    flush();
  }

 private:
  /// Works through the levels until none is left.
  void descend() {
    while (!levels_.empty() && !stop_.stop_requested()) {
      Level& level = levels_.back();
      if (level.next == level.items.size()) {
        levels_.pop_back();
        flushIfLate();
        continue;
      }
      Item item = std::move(level.items[level.next++]);
      std::string path = level.path + item.name;
      if (item.stat.type == FileType::folder) {
        const Identity identity = identityOf(item.stat);
        enter(path, &identity);
      } else {
        take(std::move(path), item.stat);
      }
    }
  }

  /// Reads a folder and puts it on top of the levels, unless it was seen already.
  void enter(const std::string& path, const Identity* known) {
    if (known != nullptr && visited_.contains(*known)) return;
    if (levels_.size() >= maxDepth) {
      return report(path, {ErrorCode::limitExceeded, "the folder lies too deep; what is in it was left out", path});
    }
    const auto fd = root_.openFolder(path);
    if (!fd) return report(path, fd.error());
    struct stat status {};
    if (::fstat(fd->get(), &status) != 0) return report(path, {ErrorCode::internal, std::strerror(errno), path});
    const Identity identity = identityOf(fileStat(status));
    if (!visited_.insert(identity).second) return;
    Level level;
    level.path = path.empty() ? path : path + '/';
    level.identity = identity;
    levels_.push_back(std::move(level));
    readFolder(fd->get(), path);
  }

  void readFolder(int fd, const std::string& path) {
    // fdopendir takes the descriptor over; ours is needed by fstatat.
    const std::unique_ptr<DIR, int (*)(DIR*)> folder(::fdopendir(::fcntl(fd, F_DUPFD_CLOEXEC, 0)), ::closedir);
    if (!folder) return report(path, {ErrorCode::internal, std::strerror(errno), path});
    Level& level = levels_.back();
    for (;;) {
      errno = 0;
      const dirent* entry = ::readdir(folder.get());
      if (entry == nullptr) break;
      if (entry->d_name[0] == '.') continue;
      if (level.items.size() % namesBetweenStops == 0 && stop_.stop_requested()) return;
      if (!readItem(fd, level, entry->d_name)) break;
    }
    if (errno != 0) {
      const char* what =
          errno == EACCES ? "the files of the folder cannot be reached: permission denied" : std::strerror(errno);
      report(path, {errno == EACCES ? ErrorCode::forbidden : ErrorCode::internal, what, path});
    }
    std::sort(level.items.begin(), level.items.end(), [](const Item& a, const Item& b) { return a.name < b.name; });
  }

  /// False (with errno) if the whole folder cannot be searched.
  bool readItem(int fd, Level& level, const char* name) {
    struct stat status {};
    if (::fstatat(fd, name, &status, AT_SYMLINK_NOFOLLOW) != 0) return errno == ENOENT;
    Item item{textOfPath(name), fileStat(status)};
    if (S_ISLNK(status.st_mode) && !follow(level.path + item.name, item.stat)) return true;
    if (item.stat.type != FileType::other) level.items.push_back(std::move(item));
    return true;
  }

  /// Replaces a link's stat by that of its target. False if there is nothing to take now.
  bool follow(const std::string& path, FileStat& stat) {
    const auto target = root_.stat(path);
    if (!target) {
      Error error = target.error();
      if (error.code == ErrorCode::forbidden)
        error.what = "the link leads out of the served folder; it was not followed";
      if (error.code == ErrorCode::notFound) error.what = "the link leads to nothing";
      report(path, std::move(error));
      return false;
    }
    stat = *target;
    if (stat.type != FileType::folder) return true;
    const Identity identity = identityOf(stat);
    if (std::any_of(levels_.begin(), levels_.end(), [&](const Level& level) { return level.identity == identity; })) {
      report(path, {ErrorCode::invalidInput, "the link leads back to a folder above it; it was not followed", path});
    } else {
      linked_.push_back({path, identity});
    }
    return false;
  }

  void take(std::string path, const FileStat& stat) {
    PathPlace place = placeFromPath(subjectPrefix_ + path);
    if (place.subject == ".") place.subject = rootName_;
    batch_.push_back({std::move(path), stat, std::move(place.subject), std::move(place.study)});
    if (batch_.size() >= batchSize_) flush();
  }

  void flush() {
    lastFlush_ = Clock::now();
    if (batch_.empty()) return;
    found_(std::exchange(batch_, {}));
    batch_.reserve(batchSize_);
  }

  void flushIfLate() {
    if (Clock::now() - lastFlush_ > longestWait) flush();
  }

  void report(const std::string& path, Error error) { problem_({path, std::move(error)}); }

  const ServedRoot& root_;
  std::size_t batchSize_;
  const std::function<void(std::vector<FoundFile>)>& found_;
  const std::function<void(WalkProblem)>& problem_;
  std::stop_token stop_;
  std::string rootName_;
  std::string subjectPrefix_;  // "sub-01/" where the root is a subject's folder
  std::vector<Level> levels_;
  std::set<Identity> visited_;
  std::deque<LinkedFolder> linked_;
  std::vector<FoundFile> batch_;
  Clock::time_point lastFlush_ = Clock::now();
};

bool isLabel(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '+' || c == '-';
  });
}

/// "sub-01" in "sub-01_ses-2_T1w" for the key "sub-": the first of the parts between underscores; else empty.
std::string_view entity(std::string_view name, std::string_view key, bool mayFollow) {
  for (std::size_t at = 0; at <= name.size();) {
    const std::size_t end = std::min(name.find('_', at), name.size());
    const std::string_view part = name.substr(at, end - at);
    if (part.starts_with(key) && isLabel(part.substr(key.size()))) return part;
    if (!mayFollow) break;
    at = end + 1;
  }
  return {};
}

std::vector<std::string_view> splitPath(std::string_view path) {
  std::vector<std::string_view> parts;
  for (std::size_t at = 0; at <= path.size();) {
    const std::size_t end = std::min(path.find('/', at), path.size());
    if (end > at) parts.push_back(path.substr(at, end - at));
    at = end + 1;
  }
  return parts;
}

}  // namespace

void walkTree(const ServedRoot& root, std::size_t batch, const std::function<void(std::vector<FoundFile>)>& found,
              const std::function<void(WalkProblem)>& problem, std::stop_token stop) {
  Walk(root, batch, found, problem, std::move(stop)).run();
}

PathPlace placeFromPath(const std::string& relativePath) {
  const std::vector<std::string_view> parts = splitPath(relativePath);
  PathPlace place;
  for (std::size_t i = 0; i < parts.size(); ++i) {
    const std::string_view name = i + 1 == parts.size() ? parts[i].substr(0, parts[i].find('.')) : parts[i];
    if (place.subject.empty()) place.subject = entity(name, "sub-", false);
    if (place.study.empty()) place.study = entity(name, "ses-", true);
  }
  if (!place.subject.empty()) return place;
  if (parts.size() >= 2 && entity(parts[0], "ses-", false).empty()) {
    place.subject = parts[0];
    if (place.study.empty() && parts.size() >= 3) place.study = parts[1];
  } else {
    place.subject.assign(1, '.');
  }
  return place;
}

}  // namespace nora
