#include "streaming/socket/loop_workers.hpp"

#include <algorithm>
#include <optional>
#include <utility>

namespace nora {

LoopWorkers::LoopWorkers(std::size_t threads, std::size_t most, std::function<void()> interrupt)
    : most_(most), interrupt_(std::move(interrupt)) {
  for (std::size_t i = 0; i < threads; ++i) {
    threads_.emplace_back([this](const std::stop_token& stop) { run(stop); });
  }
}

LoopWorkers::~LoopWorkers() {
  for (auto& thread : threads_) thread.request_stop();
  {
    const std::lock_guard lock(mutex_);
    for (auto& [ticket, job] : jobs_) job.stop.request_stop();
  }
  threads_.clear();
}

std::uint64_t LoopWorkers::start(Work work) {
  {
    const std::lock_guard lock(mutex_);
    if (jobs_.size() >= most_) return 0;
    jobs_[++last_].work = std::move(work);
    queue_.push_back(last_);
  }
  news_.notify_one();
  return last_;
}

void LoopWorkers::forget(std::uint64_t ticket) {
  if (ticket == 0) return;
  std::optional<Job> dropped;  // ends, as what it holds does, when the lock is gone
  std::vector<Done> outcomes;
  const std::lock_guard lock(mutex_);
  const auto job = jobs_.find(ticket);
  if (job == jobs_.end()) return;
  job->second.stop.request_stop();
  dropped = std::move(job->second);
  jobs_.erase(job);
  std::erase(queue_, ticket);
  for (auto& done : done_) {
    if (done.ticket == ticket) outcomes.push_back(std::move(done));
  }
  std::erase_if(done_, [&](const Done& done) { return done.ticket == ticket; });
}

void LoopWorkers::chore(std::function<void()> work) {
  {
    const std::lock_guard lock(mutex_);
    chores_.push_back(std::move(work));
  }
  news_.notify_one();
}

/// One outcome may make the loop forget the tickets of others: they are taken one by one.
void LoopWorkers::deliver() {
  std::unique_lock lock(mutex_);
  for (std::size_t left = done_.size(); left > 0 && !done_.empty(); --left) {
    const Done done = std::move(done_.front());
    done_.pop_front();
    lock.unlock();
    done.then();
    lock.lock();
  }
}

void LoopWorkers::run(const std::stop_token& stop) {
  std::unique_lock lock(mutex_);
  while (news_.wait(lock, stop, [this] { return !queue_.empty() || !chores_.empty(); })) {
    if (chores_.empty()) {
      work(lock);
      continue;
    }
    std::function<void()> chore = std::move(chores_.front());
    chores_.pop_front();
    lock.unlock();
    chore();
    chore = nullptr;
    lock.lock();
  }
}

/// The first of the queue.
void LoopWorkers::work(std::unique_lock<std::mutex>& lock) {
  const std::uint64_t ticket = queue_.front();
  queue_.pop_front();
  Work work = std::move(jobs_.at(ticket).work);
  const std::stop_token wanted = jobs_.at(ticket).stop.get_token();
  lock.unlock();
  Then then = work(wanted);
  work = nullptr;
  lock.lock();
  if (!jobs_.contains(ticket)) {
    lock.unlock();
    then = nullptr;  // what it holds may take its time to end
    lock.lock();
    return;
  }
  done_.push_back({ticket, std::move(then)});
  lock.unlock();
  interrupt_();
  lock.lock();
}

}  // namespace nora
