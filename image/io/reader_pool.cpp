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
  json sidecars = json::array();
  std::vector<int> descriptors;
};

/// As many of `files` as fit into one message that carries `already` other descriptors.
Batch batchOf(std::span<const OpenedFile> files, std::size_t already = 0) {
  constexpr std::size_t maxNameBytes = 4096;
  Batch batch;
  for (const OpenedFile& file : files.first(std::min(files.size(), reader::maxDescriptors - already))) {
    const std::string_view name = file.name;
    batch.names.push_back(reader::utf8FromBytes(name.substr(name.size() - std::min(name.size(), maxNameBytes))));
    batch.sidecars.push_back(file.sidecar);
    batch.descriptors.push_back(file.fd.get());
  }
  return batch;
}

/// Sends a read request; the memory file for what is read goes first.
Result<void> sendRead(Process& process, std::span<const OpenedFile> files, int memory, const ReadOptions& options,
                      const Patience& patience) {
  // Hints: files are read from end to end, and the disk may begin before the reader asks. No more than is soon wanted.
  constexpr off_t readAhead = off_t{512} << 20;
  for (const OpenedFile& file : files) {
    ::posix_fadvise(file.fd.get(), 0, 0, POSIX_FADV_SEQUENTIAL);
    ::posix_fadvise(file.fd.get(), 0, readAhead, POSIX_FADV_WILLNEED);
  }
  for (bool first = true;; first = false) {
    Batch batch = batchOf(files, first ? 1 : 0);
    files = files.subspan(batch.descriptors.size());
    if (first) batch.descriptors.insert(batch.descriptors.begin(), memory);
    json message{{"op", "read"},
                 {"names", std::move(batch.names)},
                 {"sidecars", std::move(batch.sidecars)},
                 {"more", !files.empty()}};
    if (options.timePoint) message["timePoint"] = *options.timePoint;
    if (!options.series.empty()) message["series"] = reader::utf8FromBytes(options.series);
    const auto sent = process.send(message, batch.descriptors, patience);
    if (!sent || files.empty()) return sent;
  }
}

/// How much of a memory file was written, 0 to 1: the kernel counts its pages. Readers that hand the work to a library
/// in one call (gzip by libdeflate) cannot tell how far they are.
double shareWritten(int memory) {
  struct stat status {};
  if (::fstat(memory, &status) != 0 || status.st_size <= 0) return 0;
  constexpr double blockBytes = 512;
  return std::min(static_cast<double>(status.st_blocks) * blockBytes / static_cast<double>(status.st_size), 1.0);
}

/// The answer to a read request. Meanwhile says how far the reader is, by what it tells and by what it has written.
Result<json> receiveContent(Process& process, int memory, const ReadOptions& options, const Patience& patience) {
  constexpr int mostMessages = 100'000;  // an honest reader tells twenty a second
  constexpr std::chrono::milliseconds lookInterval{100};
  double furthest = 0;
  const auto advance = [&](double fraction) {
    if (!(fraction > furthest)) return;
    furthest = fraction;
    options.progress(furthest);
  };
  for (int told = 0; told < mostMessages;) {
    const auto ready = process.hasMessage(lookInterval, patience);
    if (!ready) return tl::make_unexpected(ready.error());
    if (!*ready) {
      advance(shareWritten(memory));
      continue;
    }
    auto answer = process.receive(patience);
    if (!answer) return answer;
    const auto progress = answer->is_object() ? answer->find("progress") : answer->end();
    if (progress == answer->end()) return answer;
    if (progress->is_number()) advance(std::clamp(progress->get<double>(), 0.0, 1.0));
    ++told;
  }
  return tl::make_unexpected(reader::senselessAnswer());
}

Result<FileSummary> summaryFrom(const json& answer) {
  if (auto error = reader::errorIn(answer)) return tl::make_unexpected(std::move(*error));
  return reader::fileSummaryFromJson(answer);
}

/// Fields of an answer that are whole numbers.
std::optional<std::size_t> sizeIn(const json& answer, const char* key) {
  const auto found = answer.find(key);
  if (found == answer.end() || !found->is_number_unsigned()) return std::nullopt;
  return found->get<std::size_t>();
}

Result<Content> volumeFrom(const json& answer, MappedBytes bytes, const std::string& name) {
  auto info = imageInfoFromJson(answer.at("info"));
  if (!info) return tl::make_unexpected(info.error());
  const auto offset = sizeIn(answer, "offset");
  const auto first = sizeIn(answer, "firstTimePoint");
  const auto count = sizeIn(answer, "timePointsHeld");
  if (!offset || !first || !count) return tl::make_unexpected(reader::senselessAnswer());
  const TimeRange held{static_cast<std::int64_t>(*first), static_cast<std::int64_t>(*count)};
  return Volume::create(std::move(*info), std::move(bytes), *offset, name, held).map([](Volume&& volume) {
    return Content(std::move(volume));
  });
}

Result<ArrayBlock> arraysFrom(const json& answer, MappedBytes bytes, const std::string& name) {
  const auto list = answer.find("arrays");
  if (list == answer.end() || !list->is_array()) return tl::make_unexpected(reader::senselessAnswer());
  std::vector<ArrayInfo> arrays;
  for (const json& each : *list) {
    auto array = arrayInfoFromJson(each);
    if (!array) return tl::make_unexpected(array.error());
    arrays.push_back(*array);
  }
  return ArrayBlock::create(std::move(arrays), std::move(bytes), name);
}

Result<Content> surfaceFrom(const json& answer, MappedBytes bytes, const std::string& name) {
  auto info = surfaceInfoFromJson(answer.at("info"));
  if (!info) return tl::make_unexpected(info.error());
  auto arrays = arraysFrom(answer, std::move(bytes), name);
  if (!arrays) return tl::make_unexpected(arrays.error());
  return Surface::create(std::move(*info), std::move(*arrays), name).map([](Surface&& surface) {
    return Content(std::move(surface));
  });
}

Result<Content> tractsFrom(const json& answer, MappedBytes bytes, const std::string& name) {
  auto info = tractogramInfoFromJson(answer.at("info"));
  if (!info) return tl::make_unexpected(info.error());
  auto arrays = arraysFrom(answer, std::move(bytes), name);
  if (!arrays) return tl::make_unexpected(arrays.error());
  return Tractogram::create(std::move(*info), std::move(*arrays), name).map([](Tractogram&& tracts) {
    return Content(std::move(tracts));
  });
}

Result<Content> documentFrom(const json& answer, MappedBytes bytes, const std::string& name) {
  auto info = documentInfoFromJson(answer.at("info"));
  if (!info) return tl::make_unexpected(info.error());
  const auto offset = sizeIn(answer, "offset");
  const auto size = sizeIn(answer, "size");
  if (!offset || !size) return tl::make_unexpected(reader::senselessAnswer());
  return Document::create(std::move(*info), std::move(bytes), *offset, *size, name).map([](Document&& document) {
    return Content(std::move(document));
  });
}

/// The files of a request and the states in which they were then.
struct Request {
  std::span<const OpenedFile> files;
  std::vector<std::optional<FileStamp>> stamps;
};

/// A volume whose voxels stay in one of the files. Believes nothing.
Result<Content> volumeInFile(json answer, const Request& request, std::size_t maxBytes, const std::string& name) {
  const auto number = sizeIn(answer, "file");
  const auto offset = sizeIn(answer, "offset");
  const auto size = sizeIn(answer, "size");
  constexpr std::size_t alignment = 16;
  if (!number || !offset || !size || *number >= request.files.size() || !request.stamps[*number] ||
      *offset % alignment != 0) {
    return tl::make_unexpected(reader::senselessAnswer());
  }
  if (*size > maxBytes) return fail(ErrorCode::limitExceeded, "the content is larger than allowed", name);
  auto bytes = MappedBytes::ofFile(request.files[*number].fd.get(), *request.stamps[*number],
                                   {*offset, *size, Volume::paddingBytes}, name);
  if (!bytes) return tl::make_unexpected(bytes.error());
  answer["offset"] = std::size_t{0};
  return volumeFrom(answer, std::move(*bytes), name);
}

/// What an answer claims to have put into the memory file. Believes nothing.
Result<Content> contentFrom(const json& answer, int memory, const Request& request, std::size_t maxBytes,
                            const std::string& name) {
  if (auto error = reader::errorIn(answer)) return tl::make_unexpected(std::move(*error));
  const auto info = answer.find("info");
  if (info == answer.end() || !info->is_object()) return tl::make_unexpected(reader::senselessAnswer());
  if (answer.contains("file")) return volumeInFile(answer, request, maxBytes, name);
  if (!isSealed(memory)) return fail(ErrorCode::unavailable, "the reader kept a hand on the data", name);
  auto bytes = MappedBytes::readOnly(memory, name);
  if (!bytes) return tl::make_unexpected(bytes.error());
  if (bytes->size() > maxBytes) return fail(ErrorCode::limitExceeded, "the content is larger than allowed", name);
  const json kind = info->value("kind", json());
  if (kind == "image") return volumeFrom(answer, std::move(*bytes), name);
  if (kind == "surface") return surfaceFrom(answer, std::move(*bytes), name);
  if (kind == "tracts") return tractsFrom(answer, std::move(*bytes), name);
  return documentFrom(answer, std::move(*bytes), name);
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

Result<Content> ReaderPool::readContent(std::span<const OpenedFile> files, const std::string& name,
                                        const ReadOptions& options, std::stop_token stop) {
  if (files.empty()) return fail(ErrorCode::invalidInput, "no file to read", name);
  Patience patience(state_->limits.readTime, stop);
  auto process = state_->take(patience, stop);
  if (!process) return tl::make_unexpected(at(process.error(), name));
  Loan loan(*state_, std::move(*process));
  const auto memory = createMemoryFile(name, 0);
  if (!memory) return tl::make_unexpected(memory.error());
  Request request{files, {}};
  for (const OpenedFile& file : files) request.stamps.push_back(stampOf(file.fd.get()));
  if (const auto sent = sendRead(loan.process(), files, memory->get(), options, patience); !sent) {
    return tl::make_unexpected(at(sent.error(), name));
  }
  const auto answer = receiveContent(loan.process(), memory->get(), options, patience);
  if (!answer) {
    // A reader ends with SIGBUS where a file is cut under its hands.
    for (std::size_t i = 0; i < files.size() && answer.error().code == ErrorCode::unavailable; ++i) {
      if (stampOf(files[i].fd.get()) == request.stamps[i]) continue;
      return fail(ErrorCode::unavailable, "the file was changed while it was read; open it again", files[i].name);
    }
    return tl::make_unexpected(at(answer.error(), name));
  }
  const std::size_t maxBytes = state_->limits.volumeBytes + reader::voxelFileSlack;
  auto content = contentFrom(*answer, memory->get(), request, maxBytes, name);
  // A process that lies about what it read does not go on; one that reports an error of the file does.
  if (content || reader::errorIn(*answer)) loan.keep();
  if (!content) return tl::make_unexpected(at(content.error(), name));
  return content;
}

Result<Volume> ReaderPool::read(std::span<const OpenedFile> files, const std::string& name, std::stop_token stop) {
  return read(files, name, {}, std::move(stop));
}

Result<Volume> ReaderPool::read(std::span<const OpenedFile> files, const std::string& name, const ReadOptions& options,
                                std::stop_token stop) {
  auto content = readContent(files, name, options, std::move(stop));
  if (!content) return tl::make_unexpected(content.error());
  if (auto* volume = std::get_if<Volume>(&*content)) return std::move(*volume);
  const std::string_view kind = kindOf(*content);
  return fail(ErrorCode::unsupported, "this is not an image (" + std::string(kind) + ")", name);
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

Result<FileSummary> ReaderPool::peekTogether(std::span<const OpenedFile> files, std::stop_token stop) {
  Patience patience(state_->limits.readTime, stop);
  auto process = state_->take(patience, stop);
  if (!process) return tl::make_unexpected(at(process.error(), files.front().name));
  Loan loan(*state_, std::move(*process));
  const Batch batch = batchOf(files);
  const json message{{"op", "peekTogether"}, {"names", batch.names}};
  if (const auto sent = loan.process().send(message, batch.descriptors, patience); !sent) {
    return tl::make_unexpected(at(sent.error(), files.front().name));
  }
  const auto answer = loan.process().receive(patience);
  if (!answer) return tl::make_unexpected(at(answer.error(), files.front().name));
  loan.keep();
  auto summary = summaryFrom(*answer);
  if (!summary) summary.error() = at(std::move(summary.error()), files.front().name);
  return summary;
}

std::vector<int> ReaderPool::processIds() const {
  const std::lock_guard lock(state_->mutex);
  std::vector<int> ids(state_->lentIds.begin(), state_->lentIds.end());
  for (const auto& process : state_->idle) ids.push_back(process->id());
  return ids;
}

}  // namespace nora
