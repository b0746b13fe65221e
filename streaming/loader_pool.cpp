#include "streaming/loader_pool.hpp"

#include <algorithm>
#include <tuple>

namespace nora {

LoaderPool::LoaderPool(std::size_t threads) : threadCount_(std::max<std::size_t>(threads, 1)) {
  for (std::size_t i = 0; i < threadCount_; ++i) {
    threads_.emplace_back([this](const std::stop_token& stop) { work(stop); });
  }
}

LoaderPool::~LoaderPool() {
  for (auto& thread : threads_) thread.request_stop();
  threads_.clear();
}

void LoaderPool::submit(const void* owner, std::stop_token stop, std::function<void()> job, Haste haste) {
  {
    const std::lock_guard lock(mutex_);
    // Superseded jobs go at once: a client that changes its mind all the time must not fill the memory.
    std::erase_if(jobs_, [](const Job& waiting) { return waiting.stop.stop_requested(); });
    jobs_.push_back({owner, std::move(stop), std::move(job), haste});
  }
  ready_.notify_one();
}

bool LoaderPool::mayRun(const Job& job) const {
  return job.haste == Haste::waitedFor || background_ + 1 < threadCount_ || threadCount_ == 1;
}

bool LoaderPool::anyMayRun() const {
  return std::any_of(jobs_.begin(), jobs_.end(), [&](const Job& job) { return mayRun(job); });
}

LoaderPool::Job LoaderPool::takeNext() {
  // What is waited for first, then the owner with the least, then the oldest.
  const auto rank = [&](const Job& job) {
    const auto at = running_.find(job.owner);
    return std::tuple(!mayRun(job), job.haste == Haste::background, at == running_.end() ? 0 : at->second);
  };
  const auto next =
      std::min_element(jobs_.begin(), jobs_.end(), [&](const Job& a, const Job& b) { return rank(a) < rank(b); });
  Job job = std::move(*next);
  jobs_.erase(next);
  ++running_[job.owner];
  if (job.haste == Haste::background) ++background_;
  return job;
}

void LoaderPool::work(const std::stop_token& stop) {
  std::unique_lock lock(mutex_);
  while (ready_.wait(lock, stop, [&] { return anyMayRun(); })) {
    if (stop.stop_requested()) return;
    Job job = takeNext();
    lock.unlock();
    if (!job.stop.stop_requested()) job.run();
    job.run = nullptr;  // what it holds is freed without the lock
    lock.lock();
    const auto at = running_.find(job.owner);
    if (--at->second == 0) running_.erase(at);
    if (job.haste == Haste::background) {
      --background_;
      ready_.notify_one();  // another may have waited for its place
    }
  }
}

}  // namespace nora
