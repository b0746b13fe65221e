#include "app/scan_service.hpp"

#include "app/content_hashes.hpp"
#include "base/log.hpp"

#include <algorithm>

namespace nora {

ScanService::ScanService(Archive& archive, ReaderPool& pool, std::function<void()> changed)
    : archive_(archive),
      pool_(pool),
      changed_(std::move(changed)),
      thread_([this](const std::stop_token& stop) { run(stop); }) {}

ScanService::~ScanService() {
  thread_.request_stop();
  news_.notify_all();
}

void ScanService::request(std::int64_t projectId) {
  {
    const std::lock_guard lock(mutex_);
    if (std::find(waiting_.begin(), waiting_.end(), projectId) != waiting_.end()) return;
    waiting_.push_back(projectId);
    state_.scanning = true;  // before anybody can ask: an empty list is not a finished scan
  }
  news_.notify_all();
}

ScanService::State ScanService::state() const {
  const std::lock_guard lock(mutex_);
  return state_;
}

void ScanService::set(const std::function<void(State&)>& change) {
  {
    const std::lock_guard lock(mutex_);
    change(state_);
  }
  changed_();
}

void ScanService::run(const std::stop_token& stop) {
  while (true) {
    std::int64_t project = 0;
    {
      std::unique_lock lock(mutex_);
      if (!news_.wait(lock, stop, [this] { return !waiting_.empty(); })) return;
      project = waiting_.front();
      waiting_.pop_front();
    }
    scan(project, stop);
    set([this](State& state) { state.scanning = !waiting_.empty(); });
    learn(project, stop);
  }
}

/// While nothing else is to be done.
void ScanService::learn(std::int64_t projectId, const std::stop_token& stop) {
  const auto isIdle = [this] {
    const std::lock_guard lock(mutex_);
    return waiting_.empty();
  };
  if (!isIdle() || stop.stop_requested()) return;
  const auto project = archive_.project(projectId);
  if (!project) return;
  const auto done = hashContents(archive_, *project, INT64_MAX, isIdle, stop);
  if (!done) log::warning("contents of " + project->name + ": " + describe(done.error()));
}

void ScanService::scan(std::int64_t projectId, const std::stop_token& stop) {
  set([](State& state) {
    state.scanning = true;
    state.files = 0;
  });
  const auto project = archive_.project(projectId);
  const auto fails = [&](const Error& error) {
    if (error.code == ErrorCode::cancelled) return;
    log::warning("scan: " + describe(error));
    set([&](State& state) { state.problem = describe(error); });
  };
  if (!project) return fails(project.error());
  const auto done =
      ProjectScan(archive_, *project, pool_)
          .run([this](std::int64_t looked, std::int64_t) { set([&](State& state) { state.files = looked; }); }, stop);
  if (!done) return fails(done.error());
  const auto& files = done->files;
  set([&](State& state) {
    state.problem.clear();
    state.files = files.added + files.changed + files.moved + files.unchanged;
  });
  log::info("scan of " + project->name + ": " + std::to_string(files.added) + " new, " + std::to_string(files.changed) +
            " changed, " + std::to_string(files.moved) + " moved, " + std::to_string(done->vanished) + " gone, " +
            std::to_string(files.unchanged) + " as before, " + std::to_string(done->broken) + " that cannot be read");
  for (const auto& line : done->problems) log::warning("scan of " + project->name + ": " + line);
}

}  // namespace nora
