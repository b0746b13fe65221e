#include "streaming/socket/loop_workers.hpp"

#include <algorithm>
#include <optional>
#include <utility>

namespace nora {

LoopWorkers::LoopWorkers(std::size_t threads, std::size_t most, std::function<void()> interrupt, std::size_t waiters)
    : interrupt_(std::move(interrupt)), quick_{threads, most}, waiting_{waiters, most} {
  for (std::size_t i = 0; i < threads + waiters; ++i) {
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

std::uint64_t LoopWorkers::start(Work work, bool waits) {
  {
    const std::lock_guard lock(mutex_);
    Line& line = waits ? waiting_ : quick_;
    if (line.jobs >= line.most) return 0;
    ++line.jobs;
    Job& job = jobs_[++last_];
    job.work = std::move(work);
    job.waits = waits;
    line.queue.push_back(last_);
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
  Line& line = dropped->waits ? waiting_ : quick_;
  --line.jobs;
  jobs_.erase(job);
  std::erase(line.queue, ticket);
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
  while (news_.wait(lock, stop, [this] { return !chores_.empty() || quick_.mayRun() || waiting_.mayRun(); })) {
    if (chores_.empty()) {
      work(lock, quick_.mayRun() ? quick_ : waiting_);
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

/// The first of the line.
void LoopWorkers::work(std::unique_lock<std::mutex>& lock, Line& line) {
  const std::uint64_t ticket = line.queue.front();
  line.queue.pop_front();
  ++line.running;
  Work work = std::move(jobs_.at(ticket).work);
  const std::stop_token wanted = jobs_.at(ticket).stop.get_token();
  lock.unlock();
  Then then = work(wanted);
  work = nullptr;
  lock.lock();
  --line.running;
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
