#include "image/io/reader_pool.hpp"

#include "base/child_process.hpp"
#include "base/mapped_bytes.hpp"
#include "image/io/reader_process.hpp"
#include "image/io/reader_protocol.hpp"

#include <algorithm>
#include <cerrno>
#include <condition_variable>
#include <cstring>
#include <mutex>
#include <set>
#include <utility>

#include <fcntl.h>
#include <sys/stat.h>

namespace nora {
namespace {

using nlohmann::json;
using reader::Patience;
using reader::Process;

Error cancelled() {
  return {ErrorCode::cancelled, "cancelled", ""};
}

Error at(Error error, const std::string& name) {
  if (error.where.empty()) error.where = name;
  return error;
}

struct Batch {
  json names = json::array();
  std::vector<int> descriptors;
};

/// As many of `files` as fit into one message that carries `already` other descriptors.
Batch batchOf(std::span<const OpenedFile> files, std::size_t already = 0) {
  constexpr std::size_t maxNameBytes = 4096;
  Batch batch;
  for (const OpenedFile& file : files.first(std::min(files.size(), reader::maxDescriptors - already))) {
    const std::string_view name = file.name;
    batch.names.push_back(reader::utf8FromBytes(name.substr(name.size() - std::min(name.size(), maxNameBytes))));
    batch.descriptors.push_back(file.fd.get());
  }
  return batch;
}

/// Sends a read request; the memory file for the voxels goes first.
Result<void> sendRead(Process& process, std::span<const OpenedFile> files, int voxels, const Patience& patience) {
  for (bool first = true;; first = false) {
    Batch batch = batchOf(files, first ? 1 : 0);
    files = files.subspan(batch.descriptors.size());
    if (first) batch.descriptors.insert(batch.descriptors.begin(), voxels);
    const json message{{"op", "read"}, {"names", std::move(batch.names)}, {"more", !files.empty()}};
    const auto sent = process.send(message, batch.descriptors, patience);
    if (!sent || files.empty()) return sent;
  }
}

Result<FileSummary> summaryFrom(const json& answer) {
  if (auto error = reader::errorIn(answer)) return tl::make_unexpected(std::move(*error));
  return reader::fileSummaryFromJson(answer);
}

/// The volume that an answer claims to have put into the memory file. Believes nothing.
Result<Volume> volumeFrom(const json& answer, int voxels, std::size_t maxBytes, const std::string& name) {
  if (auto error = reader::errorIn(answer)) return tl::make_unexpected(at(std::move(*error), name));
  const auto info = answer.find("info");
  const auto offset = answer.find("offset");
  if (info == answer.end() || offset == answer.end() || !offset->is_number_unsigned()) {
    return fail(ErrorCode::unavailable, "the reader gave an answer that makes no sense", name);
  }
  auto checked = imageInfoFromJson(*info);
  if (!checked) return tl::make_unexpected(at(checked.error(), name));
  if (!isSealed(voxels)) return fail(ErrorCode::unavailable, "the reader kept a hand on the voxels", name);
  auto bytes = MappedBytes::readOnly(voxels, name);
  if (!bytes) return tl::make_unexpected(bytes.error());
  if (bytes->size() > maxBytes) return fail(ErrorCode::limitExceeded, "the image is larger than allowed", name);
  return Volume::create(std::move(*checked), std::move(*bytes), offset->get<std::size_t>(), name);
}

}  // namespace

Result<OpenedFile> openRegularFile(const std::string& path, std::string name) {
  UniqueFd fd(::open(path.c_str(), O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC));
  if (!fd) {
    const int error = errno;
    switch (error) {
      case ENOENT:
      case ENOTDIR: return fail(ErrorCode::notFound, "no such file", std::move(name));
      case EACCES:
      case EPERM: return fail(ErrorCode::forbidden, "no permission to read this file", std::move(name));
      case ELOOP: return fail(ErrorCode::invalidInput, "a symbolic link that leads in a circle", std::move(name));
      case ENXIO: return fail(ErrorCode::invalidInput, "not a regular file", std::move(name));
      case ENAMETOOLONG: return fail(ErrorCode::notFound, "the file name is too long", std::move(name));
      case EMFILE:
      case ENFILE: return fail(ErrorCode::unavailable, "too many files are open", std::move(name));
      default: return fail(ErrorCode::internal, std::string("cannot open: ") + std::strerror(error), std::move(name));
    }
  }
  struct stat status {};
  if (::fstat(fd.get(), &status) != 0) {
    return fail(ErrorCode::internal, std::string("cannot stat: ") + std::strerror(errno), std::move(name));
  }
  if (S_ISDIR(status.st_mode)) return fail(ErrorCode::invalidInput, "a folder, not a file", std::move(name));
  if (!S_ISREG(status.st_mode)) return fail(ErrorCode::invalidInput, "not a regular file", std::move(name));
  return OpenedFile{std::move(name), std::move(fd)};
}

struct ReaderPool::State {
  std::string program;
  Limits limits;
  ChildStarter starter;

  mutable std::mutex mutex;
  std::condition_variable_any changed;
  std::vector<std::unique_ptr<Process>> idle;
  std::size_t lent = 0;
  std::set<int> lentIds;

  /// Blocks until one more process may be lent. Empty: a new one has to be started.
  Result<std::unique_ptr<Process>> takeIdle(const std::stop_token& stop) {
    std::unique_lock lock(mutex);
    if (!changed.wait(lock, stop, [&] { return lent < limits.processes; })) return tl::make_unexpected(cancelled());
    ++lent;
    if (idle.empty()) return std::unique_ptr<Process>{};
    auto process = std::move(idle.back());
    idle.pop_back();
    lentIds.insert(process->id());
    return process;
  }

  Result<std::unique_ptr<Process>> take(Patience& patience, const std::stop_token& stop) {
    if (stop.stop_requested()) return tl::make_unexpected(cancelled());
    auto process = takeIdle(stop);
    patience.renew();  // waiting for others does not count
    if (!process || (*process && (*process)->isWaiting())) return process;
    if (*process) {
      const std::lock_guard lock(mutex);
      lentIds.erase((*process)->id());
    }
    process->reset();
    process = Process::start(starter, program, limits, patience);
    patience.renew();
    const std::lock_guard lock(mutex);
    if (process) {
      lentIds.insert((*process)->id());
    } else {
      --lent;
      changed.notify_one();
    }
    return process;
  }

  /// Back to the others, or away if it failed or has served its time.
  void giveBack(std::unique_ptr<Process> process, bool sound) {
    {
      const std::lock_guard lock(mutex);
      --lent;
      lentIds.erase(process->id());
      if (sound && process->requests() < limits.requestsPerProcess) idle.push_back(std::move(process));
    }
    changed.notify_one();
  }

  bool peekBatch(Process& process, std::span<const OpenedFile> files, Patience& patience,
                 std::vector<Result<FileSummary>>& results) const;
};

/// A process on loan; goes back when the loan ends.
class ReaderPool::Loan {
 public:
  Loan(State& state, std::unique_ptr<Process> process) : state_(state), process_(std::move(process)) {
    process_->countRequest();
  }
  Loan(const Loan&) = delete;
  Loan& operator=(const Loan&) = delete;
  ~Loan() { state_.giveBack(std::move(process_), sound_); }

  Process& process() { return *process_; }
  /// The exchange went to its end as it should: the process may serve others.
  void keep() { sound_ = true; }

 private:
  State& state_;
  std::unique_ptr<Process> process_;
  bool sound_ = false;
};

ReaderPool::ReaderPool(std::string program, Limits limits) : state_(std::make_unique<State>()) {
  state_->program = std::move(program);
  state_->limits = limits;
  state_->limits.processes = std::max<std::size_t>(1, limits.processes);
}

ReaderPool::~ReaderPool() = default;

Result<Volume> ReaderPool::read(std::span<const OpenedFile> files, const std::string& name, std::stop_token stop) {
  if (files.empty()) return fail(ErrorCode::invalidInput, "no file to read", name);
  Patience patience(state_->limits.readTime, stop);
  auto process = state_->take(patience, stop);
  if (!process) return tl::make_unexpected(at(process.error(), name));
  Loan loan(*state_, std::move(*process));
  const auto voxels = createMemoryFile(name, 0);
  if (!voxels) return tl::make_unexpected(voxels.error());
  if (const auto sent = sendRead(loan.process(), files, voxels->get(), patience); !sent) {
    return tl::make_unexpected(at(sent.error(), name));
  }
  const auto answer = loan.process().receive(patience);
  if (!answer) return tl::make_unexpected(at(answer.error(), name));
  const std::size_t maxBytes = state_->limits.volumeBytes + reader::voxelFileSlack;
  auto volume = volumeFrom(*answer, voxels->get(), maxBytes, name);
  // A process that lies about voxels does not go on; one that reports an error of the file does.
  if (volume || reader::errorIn(*answer)) loan.keep();
  return volume;
}

/// Appends one result for each file that one message takes, or fewer if the process fails: then the last is its Error.
/// False if the process failed.
bool ReaderPool::State::peekBatch(Process& process, std::span<const OpenedFile> files, Patience& patience,
                                  std::vector<Result<FileSummary>>& results) const {
  const Batch batch = batchOf(files);
  const json message{{"op", "peek"}, {"names", batch.names}};
  if (const auto sent = process.send(message, batch.descriptors, patience); !sent) {
    results.emplace_back(tl::make_unexpected(at(sent.error(), files.front().name)));
    return false;
  }
  for (const OpenedFile& file : files.first(batch.descriptors.size())) {
    patience.renew();  // the limit is for each file
    const auto answer = process.receive(patience);
    auto summary = answer ? summaryFrom(*answer) : tl::make_unexpected(answer.error());
    if (!summary) summary.error() = at(std::move(summary.error()), file.name);
    results.push_back(std::move(summary));
    if (!answer) return false;
  }
  return true;
}

std::vector<Result<FileSummary>> ReaderPool::peek(std::span<const OpenedFile> files, std::stop_token stop) {
  std::vector<Result<FileSummary>> results;
  results.reserve(files.size());
  Patience patience(state_->limits.readTime, stop);
  while (results.size() < files.size()) {
    auto process = state_->take(patience, stop);
    if (!process) {
      while (results.size() < files.size()) {
        results.emplace_back(tl::make_unexpected(at(process.error(), files[results.size()].name)));
      }
      break;
    }
    Loan loan(*state_, std::move(*process));
    if (state_->peekBatch(loan.process(), files.subspan(results.size()), patience, results)) loan.keep();
  }
  return results;
}

std::vector<int> ReaderPool::processIds() const {
  const std::lock_guard lock(state_->mutex);
  std::vector<int> ids(state_->lentIds.begin(), state_->lentIds.end());
  for (const auto& process : state_->idle) ids.push_back(process->id());
  return ids;
}

}  // namespace nora
