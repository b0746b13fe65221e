#include "image/io/reader_main.hpp"

#include "base/log.hpp"
#include "base/mapped_bytes.hpp"
#include "image/io/file_readers.hpp"
#include "image/io/reader_pool.hpp"
#include "image/io/reader_protocol.hpp"
#include "image/io/reader_sandbox.hpp"
#include "image/io/sidecars.hpp"
#include "image/statistics.hpp"
#include "image/volume.hpp"

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <exception>
#include <functional>
#include <new>
#include <optional>
#include <utility>

#include <unistd.h>

namespace nora::reader {
namespace {

using nlohmann::json;

constexpr std::chrono::milliseconds progressInterval{50};

/// One file of a request: its number there, and the mapping that its bytes lie in.
struct RequestedFile {
  std::size_t number = 0;
  MappedBytes mapping;

  [[nodiscard]] bool holds(std::span<const std::byte> part) const {
    const auto all = mapping.bytes();
    const std::less_equal<const std::byte*> notBehind;
    return notBehind(all.data(), part.data()) && notBehind(part.data() + part.size(), all.data() + all.size());
  }
};

/// The memory file that came with the request.
class MemoryFileSink final : public MemorySink {
 public:
  /// Voxels of `inPlaceBytes` and more may stay in one of `files`; 0: none may.
  MemoryFileSink(int fd, std::size_t maxBytes, std::span<const RequestedFile> files, std::size_t inPlaceBytes)
      : fd_(fd), maxBytes_(maxBytes), files_(files), inPlaceBytes_(inPlaceBytes) {}

  bool canStayInFile(std::span<const std::byte> voxels) const override {
    constexpr std::uintptr_t alignment = 16;  // of voxels in a Volume; mappings begin with a page
    if (reinterpret_cast<std::uintptr_t>(voxels.data()) % alignment != 0) return false;
    const bool large = inPlaceBytes_ > 0 && voxels.size() >= inPlaceBytes_ && voxels.size() <= maxBytes_;
    return large && std::any_of(files_.begin(), files_.end(), [&](const auto& file) { return file.holds(voxels); });
  }

  Result<std::span<std::byte>> allocate(std::size_t size) override {
    if (mapping_) return fail(ErrorCode::internal, "the reader asked for memory twice");
    if (size > maxBytes_) {
      return fail(ErrorCode::limitExceeded, "the image needs " + std::to_string(size >> 20) + " MiB; the limit is " +
                                                std::to_string(maxBytes_ >> 20) + " MiB");
    }
    if (::ftruncate(fd_, static_cast<off_t>(size)) != 0) {
      return fail(ErrorCode::limitExceeded, "there is no memory for " + std::to_string(size >> 20) + " MiB of voxels");
    }
    auto mapped = MappedBytes::readWrite(fd_, size, "");
    if (!mapped) return tl::make_unexpected(mapped.error());
    mapping_ = std::move(*mapped);
    return mapping_->writable();
  }

  void copyIn(std::span<const std::byte> from, std::span<std::byte> to) override {
    const auto at = mapping_ ? to.data() - mapping_->writable().data() : 0;
    std::size_t done = 0;
    if (mapping_ && ::lseek(fd_, at, SEEK_SET) == at) {
      while (done < from.size()) {
        const ssize_t wrote = ::write(fd_, from.data() + done, from.size() - done);
        if (wrote <= 0) break;  // the mapping takes the rest, or says what is wrong
        done += static_cast<std::size_t>(wrote);
      }
    }
    std::copy(from.begin() + static_cast<std::ptrdiff_t>(done), from.end(),
              to.begin() + static_cast<std::ptrdiff_t>(done));
  }

  [[nodiscard]] std::span<const std::byte> written() const {
    return mapping_ ? mapping_->bytes() : std::span<const std::byte>{};
  }

  Result<void> seal() {
    mapping_.reset();
    return sealMemoryFile(fd_);
  }

 private:
  int fd_;
  std::size_t maxBytes_;
  std::span<const RequestedFile> files_;
  std::size_t inPlaceBytes_;
  std::optional<MappedBytes> mapping_;
};

/// A file and the mapping that its bytes lie in.
struct MappedFile {
  MappedBytes mapping;
  InputFile input;
};

/// No exception of a library leaves this.
template <class Function>
auto guarded(const std::string& name, Function&& function) -> decltype(function()) {
  try {
    return function();
  } catch (const std::bad_alloc&) {
    return fail(ErrorCode::limitExceeded, "reading it needs more memory than a reader may use", name);
  } catch (const std::exception& exception) {
    return fail(ErrorCode::internal, std::string("the reader gave up: ") + exception.what(), name);
  } catch (...) {
    return fail(ErrorCode::internal, "the reader gave up", name);
  }
}

std::string unknownFormat(const std::string& name) {
  const auto dot = name.rfind('.');
  const std::string_view suffix = dot == std::string::npos ? std::string_view{} : std::string_view(name).substr(dot);
  if (suffix == ".raw" || suffix == ".zraw" || name.ends_with(".raw.gz")) {
    return "these are voxels without a header, which alone say nothing; open the header (.mhd, .nhdr) that names them";
  }
  return "no reader knows this format";
}

class Server {
 public:
  explicit Server(const Readers& readers) : readers_(readers) {}

  Talk<void> run() {
    auto hello = receive(socketInReader, false, forEver_);
    if (!hello) return tl::make_unexpected(hello.error());
    volumeBytes_ = hello->json.value("volumeBytes", std::size_t{0});
    requestTime_ = std::chrono::seconds(hello->json.value("seconds", 0));
    preferQform_ = hello->json.value("preferQform", false);
    inPlaceBytes_ = hello->json.value("inPlaceBytes", std::size_t{0});
    enterSandbox({hello->json.value("processBytes", std::size_t{0}), volumeBytes_ + voxelFileSlack});
    for (auto sent = answer({{"ready", true}}); sent; sent = serveOne()) {
    }
    return {};
  }

 private:
  Talk<void> answer(const json& message) { return send(socketInReader, message, {}, forEver_); }

  Talk<void> serveOne() {
    auto request = receive(socketInReader, true, forEver_);
    if (!request) return tl::make_unexpected(request.error());
    allowProcessorTime(requestTime_);
    const std::string wanted = request->json.value("op", "");
    if (wanted == "peek") return peekAll(*request);
    return wanted == "peekTogether" ? peekTogether(*request) : readOne(std::move(*request));
  }

  [[nodiscard]] const FileReader* readerOf(const InputFile& file) const {
    for (const auto& reader : readers_) {
      if (reader->recognises(file)) return reader.get();
    }
    return nullptr;
  }

  [[nodiscard]] static Result<MappedFile> map(const std::string& name, const UniqueFd& fd) {
    auto mapping = MappedBytes::readOnly(fd.get(), name);
    if (!mapping) return tl::make_unexpected(mapping.error());
    const auto bytes = mapping->bytes();
    return MappedFile{std::move(*mapping), {name, bytes}};
  }

  Talk<void> peekAll(Message& request) {
    const json names = request.json.value("names", json::array());
    for (std::size_t i = 0; i < request.descriptors.size() && i < names.size(); ++i) {
      allowProcessorTime(requestTime_);
      const std::string name = bytesFromUtf8(names[i].get<std::string>());
      const auto summary = guarded(name, [&] { return peekFile(name, request.descriptors[i]); });
      request.descriptors[i].reset();
      const auto sent = answer(summary ? toJson(*summary) : toJson(summary.error()));
      if (!sent) return sent;
    }
    return {};
  }

  Talk<void> peekTogether(Message& request) {
    const json names = request.json.value("names", json::array());
    std::vector<MappedBytes> mappings;
    std::vector<InputFile> files;
    for (std::size_t i = 0; i < request.descriptors.size() && i < names.size(); ++i) {
      auto file = map(bytesFromUtf8(names[i].get<std::string>()), request.descriptors[i]);
      if (!file && files.empty()) return answer(toJson(file.error()));
      if (!file) continue;
      files.push_back(std::move(file->input));
      mappings.push_back(std::move(file->mapping));
    }
    if (files.empty()) return tl::make_unexpected(Ending::malformed);
    const auto summary = guarded(files.front().name, [&]() -> Result<FileSummary> {
      const FileReader* reader = readerOf(files.front());
      return reader != nullptr ? reader->peekTogether(files) : FileSummary{"other", "", nullptr};
    });
    return answer(summary ? toJson(*summary) : toJson(summary.error()));
  }

  [[nodiscard]] Result<FileSummary> peekFile(const std::string& name, const UniqueFd& fd) const {
    const auto file = map(name, fd);
    if (!file) return tl::make_unexpected(file.error());
    const FileReader* reader = readerOf(file->input);
    return reader != nullptr ? reader->peek(file->input) : FileSummary{"other", "", nullptr};
  }

  Talk<void> readOne(Message first) {
    if (first.descriptors.empty()) return tl::make_unexpected(Ending::malformed);
    // The first descriptor is the memory file for what is read.
    const UniqueFd memory = std::move(first.descriptors.front());
    first.descriptors.erase(first.descriptors.begin());
    ReadOptions options;
    options.preferQform = preferQform_;
    if (const auto time = first.json.find("timePoint"); time != first.json.end() && time->is_number_integer()) {
      options.timePoint = time->get<std::int64_t>();
    }
    if (const auto series = first.json.find("series"); series != first.json.end() && series->is_string()) {
      options.series = bytesFromUtf8(series->get<std::string>());
    }
    options.progress = [this](double fraction) { tellProgress(fraction); };
    auto files = receiveFiles(std::move(first));
    if (!files) return tl::make_unexpected(files.error());
    if (files->failed) return answer(toJson(*files->failed));
    const std::string name = files->name();
    const auto read = guarded(name, [&] { return readContent(*files, options, memory.get()); });
    return answer(read ? *read : toJson(read.error()));
  }

  struct Files {
    std::vector<RequestedFile> files;
    std::vector<InputFile> inputs, sidecars;
    std::optional<Error> failed;

    [[nodiscard]] std::string name() const { return inputs.empty() ? std::string{} : inputs.front().name; }
  };

  Talk<Files> receiveFiles(Message part) {
    Files files;
    std::size_t number = 0;
    for (;;) {
      const json names = part.json.value("names", json::array());
      const json sidecars = part.json.value("sidecars", json::array());
      for (std::size_t i = 0; i < part.descriptors.size() && i < names.size(); ++i, ++number) {
        auto file = map(bytesFromUtf8(names[i].get<std::string>()), part.descriptors[i]);
        const bool isSidecar = i < sidecars.size() && sidecars[i] == true;
        if (file) {
          (isSidecar ? files.sidecars : files.inputs).push_back(std::move(file->input));
          files.files.push_back({number, std::move(file->mapping)});
        } else if (!files.failed && !isSidecar) {
          files.failed = file.error();
        }
      }
      if (!part.json.value("more", false)) return files;
      auto next = receive(socketInReader, true, forEver_);
      if (!next) return tl::make_unexpected(next.error());
      part = std::move(*next);
    }
  }

  [[nodiscard]] Result<json> readContent(const Files& files, const ReadOptions& options, int memory) const {
    const FileReader* reader = nullptr;
    std::vector<InputFile> inputs = files.inputs;
    for (std::size_t i = 0; i < inputs.size() && reader == nullptr; ++i) {
      reader = readerOf(inputs[i]);
      if (reader != nullptr) std::swap(inputs[0], inputs[i]);  // a reader may take the first for its own
    }
    const std::string name = files.name();
    if (reader == nullptr) return fail(ErrorCode::unsupported, unknownFormat(name), name);
    MemoryFileSink sink(memory, volumeBytes_ + voxelFileSlack, files.files, inPlaceBytes_);
    auto content = reader->readContent(inputs, options, sink);
    if (!content) return tl::make_unexpected(content.error());
    auto described = std::visit([&](auto& read) { return describe(std::move(read), files, sink.written()); }, *content);
    if (!described) return described;
    if (const auto sealed = sink.seal(); !sealed) return tl::make_unexpected(sealed.error());
    return described;
  }

  static Result<json> describe(ReadImage image, const Files& files, std::span<const std::byte> memory) {
    const std::string name = files.name();
    const auto count = voxelCount(image.info, name);
    if (!count) return tl::make_unexpected(count.error());
    ImageInfo held = image.info;
    held.timePoints = image.timePointsRead.value_or(image.info.timePoints);
    const auto heldCount = voxelCount(held, name);
    if (!heldCount) return tl::make_unexpected(heldCount.error());
    const std::size_t size = *heldCount * bytesPerVoxel(held.type);
    const auto voxels = voxelsOf(image, size, memory);
    if (!voxels) return fail(ErrorCode::internal, "fewer voxels were read than the image has", name);
    image.info.statistics = computeStatistics(held, *voxels);
    applySidecars(image.info, files.sidecars, name);
    json answer{{"info", nora::toJson(image.info)},
                {"offset", image.voxelOffset},
                {"firstTimePoint", image.firstTimePoint},
                {"timePointsHeld", held.timePoints}};
    if (!image.stayInFile) return answer;
    const auto file = std::find_if(files.files.begin(), files.files.end(),
                                   [&](const RequestedFile& each) { return each.holds(*voxels); });
    if (file == files.files.end()) return fail(ErrorCode::internal, "the voxels are in none of the files", name);
    answer["file"] = file->number;
    answer["offset"] = voxels->data() - file->mapping.bytes().data();
    answer["size"] = voxels->size();
    return answer;
  }

  /// The `size` bytes of an image's voxels, wherever they are; nothing if there are fewer.
  static std::optional<std::span<const std::byte>> voxelsOf(const ReadImage& image, std::size_t size,
                                                            std::span<const std::byte> memory) {
    if (image.sameVoxels.size() == size) return image.sameVoxels;
    const bool held =
        !image.stayInFile && image.voxelOffset <= memory.size() && size <= memory.size() - image.voxelOffset;
    return held ? std::optional(memory.subspan(image.voxelOffset, size)) : std::nullopt;
  }

  template <class ReadArrays>
  static Result<json> describe(ReadArrays read, const Files& files, std::span<const std::byte> memory) {
    json arrays = json::array();
    for (const ArrayInfo& array : read.arrays) {
      const auto size = arrayBytes(array);
      if (!size || array.offset > memory.size() || *size > memory.size() - array.offset) {
        return fail(ErrorCode::internal, "fewer data were read than the file has", files.name());
      }
      arrays.push_back(nora::toJson(array));
    }
    measure(read, memory);
    return json{{"info", nora::toJson(read.info)}, {"arrays", std::move(arrays)}};
  }

  static Result<json> describe(ReadDocument read, const Files& files, std::span<const std::byte> memory) {
    if (read.offset > memory.size() || read.size > memory.size() - read.offset) {
      return fail(ErrorCode::internal, "fewer bytes were read than the document has", files.name());
    }
    return json{{"info", nora::toJson(read.info)}, {"offset", read.offset}, {"size", read.size}};
  }

  /// At most some messages a second; what cannot be sent is not sent.
  void tellProgress(double fraction) {
    const auto now = std::chrono::steady_clock::now();
    if (now - progressTold_ < progressInterval || !(fraction >= 0 && fraction <= 1)) return;
    progressTold_ = now;
    static_cast<void>(answer({{"progress", fraction}}));
  }

  const Readers& readers_;
  Patience forEver_;
  std::size_t volumeBytes_ = 0;
  std::chrono::seconds requestTime_{0};
  bool preferQform_ = false;
  std::size_t inPlaceBytes_ = 0;
  std::chrono::steady_clock::time_point progressTold_{};
};

}  // namespace

int serve(const Readers& readers) {
  int status = EXIT_SUCCESS;
  try {
    const auto ended = Server(readers).run();
    if (!ended && ended.error() != Ending::closed) status = EXIT_FAILURE;
  } catch (const std::exception& exception) {
    log::error(std::string("reader: ") + exception.what());
    status = EXIT_FAILURE;
  }
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
  std::_Exit(status);  // what the sanitizers do at the end, the sandbox forbids
#endif
  return status;
}

}  // namespace nora::reader

namespace nora {

int readerMain() {
  prepareReaders();
  return reader::serve(fileReaders());
}

}  // namespace nora
