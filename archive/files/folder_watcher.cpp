#include "archive/files/folder_watcher.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <system_error>

#include <poll.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <sys/vfs.h>
#include <unistd.h>

namespace nora {
namespace {

namespace fs = std::filesystem;

constexpr std::uint32_t wanted = IN_CREATE | IN_DELETE | IN_MOVED_FROM | IN_MOVED_TO | IN_CLOSE_WRITE | IN_ATTRIB |
                                 IN_DELETE_SELF | IN_MOVE_SELF | IN_ONLYDIR | IN_EXCL_UNLINK | IN_DONT_FOLLOW;

/// File systems whose files other machines change without a word to this one. Source: linux/magic.h and the file
/// systems' own headers.
bool isRemote(const std::string& folder) {
  constexpr std::array<std::uint32_t, 13> magics{
      0x6969,                              // NFS
      0x517B,     0xFF534D42, 0xFE534D42,  // SMB, CIFS, SMB2
      0x65735546,                          // FUSE
      0x5346414F,                          // AFS
      0x00C36400,                          // Ceph
      0x0BD00BD0,                          // Lustre
      0x47504653,                          // GPFS
      0x01021997,                          // 9P
      0x7461636F,                          // OCFS2
      0x01161970,                          // GFS2
      0x19830326,                          // BeeGFS
  };
  struct statfs status {};
  if (::statfs(folder.c_str(), &status) != 0) return false;
  return std::find(magics.begin(), magics.end(), static_cast<std::uint32_t>(status.f_type)) != magics.end();
}

bool isHidden(const std::string& name) {
  return name.starts_with('.');
}

}  // namespace

FolderWatcher::FolderWatcher(std::string folder, Options options, std::function<void()> changed)
    : folder_(std::move(folder)),
      options_(options),
      changed_(std::move(changed)),
      wake_(::eventfd(0, EFD_CLOEXEC)),
      thread_([this](const std::stop_token& stop) { run(stop); }) {}

FolderWatcher::~FolderWatcher() {
  thread_.request_stop();
  const std::uint64_t one = 1;
  (void)!::write(wake_.get(), &one, sizeof one);
}

std::string FolderWatcher::whyPolling() const {
  isSettled_.wait(false);
  return why_;
}

/// Until there is something to read, or the end. True: there is.
bool FolderWatcher::waitFor(int fd, std::chrono::milliseconds time) const {
  std::array<pollfd, 2> ask{{{wake_.get(), POLLIN, 0}, {fd, POLLIN, 0}}};
  const int ready = ::poll(ask.data(), fd < 0 ? 1 : 2, static_cast<int>(time.count()));
  return ready > 0 && fd >= 0 && (ask[1].revents & POLLIN) != 0;
}

bool FolderWatcher::add(const std::string& folder) {
  if (folderOf_.size() >= options_.mostWatches) {
    errno = ENOSPC;
    return false;
  }
  const int watch = ::inotify_add_watch(inotify_.get(), folder.c_str(), wanted);
  if (watch < 0) return errno != ENOSPC && errno != ENOMEM;  // gone again, or not readable: nothing to watch
  folderOf_[watch] = folder;
  return true;
}

/// A folder and all below it. Set before its content is looked at, so that nothing slips between.
bool FolderWatcher::addTree(const std::string& folder) {
  if (!add(folder)) return false;
  std::error_code failed;
  for (fs::directory_iterator at(folder, failed), end; !failed && at != end; at.increment(failed)) {
    std::error_code ignored;
    if (at->is_symlink(ignored) || !at->is_directory(ignored)) continue;
    if (!isHidden(at->path().filename().string()) && !addTree(at->path().string())) return false;
  }
  return true;
}

/// Moved away: it may lie outside now.
void FolderWatcher::forgetTree(const std::string& folder) {
  std::erase_if(folderOf_, [&](const auto& item) {
    const bool isBelow = item.second == folder || item.second.starts_with(folder + "/");
    if (isBelow) ::inotify_rm_watch(inotify_.get(), item.first);
    return isBelow;
  });
}

bool FolderWatcher::readEvents() {
  alignas(inotify_event) std::array<char, 64 * 1024> buffer;
  const ssize_t size = ::read(inotify_.get(), buffer.data(), buffer.size());
  for (ssize_t at = 0; at < size;) {
    inotify_event event{};
    std::memcpy(&event, buffer.data() + at, sizeof event);
    const std::string name = event.len > 0 ? std::string(buffer.data() + at + sizeof event) : std::string();
    at += static_cast<ssize_t>(sizeof event + event.len);
    if ((event.mask & IN_Q_OVERFLOW) != 0) {
      isDirty_ = true;
      folderOf_.clear();
      if (!addTree(folder_)) return false;
      continue;
    }
    const auto folder = folderOf_.find(event.wd);
    if (folder == folderOf_.end()) continue;
    if ((event.mask & IN_IGNORED) != 0) {
      folderOf_.erase(folder);
      continue;
    }
    if (isHidden(name)) continue;
    isDirty_ = true;
    if ((event.mask & IN_ISDIR) == 0 || name.empty()) continue;
    const std::string path = folder->second + "/" + name;
    if ((event.mask & IN_MOVED_FROM) != 0) forgetTree(path);
    if ((event.mask & (IN_CREATE | IN_MOVED_TO)) != 0 && !addTree(path)) return false;
  }
  return true;
}

std::string FolderWatcher::begin() {
  if (isRemote(folder_)) return "the folder is on a disk of another machine";
  inotify_ = UniqueFd(::inotify_init1(IN_CLOEXEC | IN_NONBLOCK));
  if (!inotify_) return "there is no inotify: " + std::generic_category().message(errno);
  if (!addTree(folder_)) {
    return "the system allows too few watches: " + std::to_string(folderOf_.size()) +
           " are not enough (fs.inotify.max_user_watches)";
  }
  return folderOf_.empty() ? "the folder cannot be watched: " + folder_ : "";
}

void FolderWatcher::pollOn(const std::stop_token& stop) {
  inotify_ = {};
  folderOf_.clear();
  while (!stop.stop_requested()) {
    (void)waitFor(-1, options_.poll);
    if (!stop.stop_requested()) changed_();
  }
}

void FolderWatcher::run(const std::stop_token& stop) {
  why_ = begin();
  const bool watches = why_.empty();
  isSettled_ = true;
  isSettled_.notify_all();
  Clock::time_point first;
  bool canWatch = watches;
  while (canWatch && !stop.stop_requested()) {
    if (isDirty_ && Clock::now() - first >= options_.longest) {
      isDirty_ = false;
      changed_();
      continue;
    }
    const bool wasDirty = isDirty_;
    const auto time = wasDirty ? options_.quiet : options_.poll;
    if (waitFor(inotify_.get(), time)) {
      canWatch = readEvents() && !folderOf_.empty();
      if (isDirty_ && !wasDirty) first = Clock::now();
    } else if (wasDirty && !stop.stop_requested()) {
      isDirty_ = false;
      changed_();
    }
  }
  if (stop.stop_requested()) return;
  if (watches) changed_();
  pollOn(stop);
}

}  // namespace nora
