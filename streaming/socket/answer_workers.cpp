#include "streaming/socket/answer_workers.hpp"

#include "streaming/socket/http.hpp"

namespace nora {

AnswerWorkers::AnswerWorkers(std::size_t threads, std::size_t most, std::function<void()> interrupt)
    : most_(most), interrupt_(std::move(interrupt)) {
  for (std::size_t i = 0; i < threads; ++i) {
    threads_.emplace_back([this](const std::stop_token& stop) { run(stop); });
  }
}

AnswerWorkers::~AnswerWorkers() {
  for (auto& thread : threads_) thread.request_stop();
  {
    const std::lock_guard lock(mutex_);
    for (auto& [ticket, job] : jobs_) job.stop.request_stop();
  }
  threads_.clear();
}

std::uint64_t AnswerWorkers::start(HttpWork work) {
  {
    const std::lock_guard lock(mutex_);
    if (jobs_.size() >= most_) return 0;
    jobs_[++last_].work = std::move(work);
    queue_.push_back(last_);
  }
  news_.notify_one();
  return last_;
}

void AnswerWorkers::forget(std::uint64_t ticket) {
  const std::lock_guard lock(mutex_);
  const auto job = jobs_.find(ticket);
  if (job == jobs_.end()) return;
  job->second.stop.request_stop();
  jobs_.erase(job);
  std::erase(queue_, ticket);
  std::erase_if(done_, [&](const Done& done) { return done.ticket == ticket; });
}

std::vector<AnswerWorkers::Done> AnswerWorkers::take() {
  const std::lock_guard lock(mutex_);
  return std::exchange(done_, {});
}

void AnswerWorkers::run(const std::stop_token& stop) {
  std::unique_lock lock(mutex_);
  while (news_.wait(lock, stop, [this] { return !queue_.empty(); })) {
    const std::uint64_t ticket = queue_.front();
    queue_.pop_front();
    const HttpWork work = std::move(jobs_.at(ticket).work);
    const std::stop_token wanted = jobs_.at(ticket).stop.get_token();
    lock.unlock();
    HttpResponse response = guarded([&] { return work(wanted); });
    lock.lock();
    if (!jobs_.contains(ticket)) continue;
    done_.push_back({ticket, std::move(response)});
    lock.unlock();
    interrupt_();
    lock.lock();
  }
}

}  // namespace nora
