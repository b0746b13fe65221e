// libFuzzer target for our own parsers: the bytes go to the readers as a reader process would give them. The first
// argument's file name decides nothing; NORA_FUZZ_NAME is the name under which the bytes are offered ("a.mif").
//
// Built with clang and -fsanitize=fuzzer,address,undefined; see docs/TESTING.md.
#include "image/io/file_reader.hpp"
#include "image/io/file_readers.hpp"
#include "image/surface.hpp"
#include "image/volume.hpp"

#include <cstdlib>
#include <cstring>
#include <string>
#include <vector>

namespace {

using namespace nora;

constexpr std::size_t maxContent = std::size_t{64} << 20;

class LimitedSink final : public MemorySink {
 public:
  Result<std::span<std::byte>> allocate(std::size_t size) override {
    if (size > maxContent) return fail(ErrorCode::limitExceeded, "too large for the fuzzer");
    memory.assign(size, std::byte{0});
    return std::span(memory);
  }
  std::vector<std::byte> memory;
};

const std::string& offeredName() {
  static const char* given = std::getenv("NORA_FUZZ_NAME");
  static const std::string name = given != nullptr ? given : "a";
  return name;
}

}  // namespace

extern "C" int LLVMFuzzerInitialize(int* /*argc*/, char*** /*argv*/) {
  prepareReaders();
  return 0;
}

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const InputFile file{offeredName(), {reinterpret_cast<const std::byte*>(data), size}};
  const FileReader* reader = readerFor(file);
  if (reader == nullptr) return 0;
  static_cast<void>(reader->peek(file));
  LimitedSink sink;
  auto content = reader->readContent(std::span(&file, 1), {}, sink);
  if (!content) return 0;
  // What the reader says it wrote must lie in the memory: read it all.
  if (auto* surface = std::get_if<ReadSurface>(&*content)) measure(*surface, sink.memory);
  if (auto* tracts = std::get_if<ReadTracts>(&*content)) measure(*tracts, sink.memory);
  return 0;
}
