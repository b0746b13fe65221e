// The reader process of the tests. Started as "reader_program" it serves files of a format whose content is an order:
// "NORATEST crash". Started by a link named "liar" it answers with lies instead, chosen by the name of the file; by a
// link named "nora" it is the reader of the product.
#include "image/io/file_readers.hpp"
#include "image/io/reader_main.hpp"
#include "image/io/reader_pool.hpp"
#include "image/io/reader_protocol.hpp"

#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <map>
#include <sstream>
#include <stdexcept>
#include <thread>

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

namespace {

using namespace nora;
using nlohmann::json;

constexpr std::string_view magic = "NORATEST ";

ImageInfo smallImage() {
  ImageInfo info;
  info.format = "test";
  info.dims = {4, 3, 2};
  info.affineSource = "test";
  return info;
}

std::string outcome(bool possible) {
  return possible ? "possible " : std::string(std::strerror(errno)) + ", ";
}

/// Tries what a reader must not be able to do.
std::string tryForbidden() {
  std::ostringstream out;
  struct stat status {};
  out << "open: " << outcome(::open("/etc/passwd", O_RDONLY) >= 0);
  out << "stat: " << outcome(::stat("/etc/passwd", &status) == 0);
  out << "socket: " << outcome(::socket(AF_INET, SOCK_STREAM, 0) >= 0);
  const pid_t child = ::fork();
  if (child == 0) ::_exit(0);
  out << "fork: " << outcome(child > 0);
  char* const argv[] = {const_cast<char*>("/bin/true"), nullptr};
  out << "exec: " << outcome(::execv("/bin/true", argv) == 0);
  out << "kill: " << outcome(::kill(::getppid(), 0) == 0);
  void* code = ::mmap(nullptr, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  out << "code: " << outcome(code != MAP_FAILED);
  out << "memfd: " << outcome(::memfd_create("x", 0) >= 0);
  out << "signal by fcntl: " << outcome(::fcntl(3, F_SETOWN, ::getppid()) == 0);
  const rlimit none{RLIM_INFINITY, RLIM_INFINITY};
  out << "setrlimit: " << outcome(::setrlimit(RLIMIT_AS, &none) == 0);
  return out.str();
}

void exhaustMemory() {
  constexpr std::size_t step = std::size_t{64} << 20;
  std::vector<std::unique_ptr<char[]>> blocks;
  for (;;) blocks.push_back(std::make_unique_for_overwrite<char[]>(step));
}

void disturb(const std::string& order) {
  if (order == "crash") ::raise(SIGSEGV);
  if (order == "abort") std::abort();
  if (order == "quit") ::_exit(7);
  if (order == "throw") throw std::runtime_error("a library threw");
  if (order == "exhaust") exhaustMemory();
  while (order == "sleep") std::this_thread::sleep_for(std::chrono::hours(1));
}

class OrderReader final : public ImageReader {
 public:
  bool recognises(const InputFile& file) const override {
    return file.bytes.size() >= magic.size() && std::memcmp(file.bytes.data(), magic.data(), magic.size()) == 0;
  }

  Result<FileSummary> peek(const InputFile& file) const override {
    const std::string order = orderIn(file);
    disturb(order);
    if (order == "forbidden") return FileSummary{"other", tryForbidden(), nullptr};
    if (order == "name") return FileSummary{"other", reader::utf8FromBytes(file.name), nullptr};
    if (order == "refuse") return fail(ErrorCode::unsupported, "refused on purpose", file.name);
    if (order == "long") return fail(ErrorCode::invalidInput, std::string(1 << 20, 'x'), file.name);
    ImageInfo info = smallImage();
    if (order == "big header") info.warnings.assign(1000, std::string(1000, 'w'));
    if (order == "singular") info.worldFromVoxel.setColumn(0, {0, 0, 0});
    return FileSummary{"image", "test", toJson(info)};
  }

  Result<Image> read(std::span<const InputFile> files, const ReadOptions&, MemorySink& sink) const override {
    std::string order;
    for (const InputFile& file : files) {
      if (recognises(file)) order = orderIn(file);
    }
    disturb(order);
    if (order == "refuse") return fail(ErrorCode::unsupported, "refused on purpose", files.front().name);
    Image image{smallImage(), 16};
    if (order == "huge") image.info.dims = {1 << 20, 1 << 20, 1 << 10};
    if (order.starts_with("raw ")) image.info.dims = {1024, 1024, std::stoll(order.substr(4))};
    const std::size_t size = *voxelCount(image.info, "");
    auto memory = sink.allocate(16 + size + 64);
    if (!memory) return tl::make_unexpected(memory.error());
    if (order == "twice" && !sink.allocate(16)) return fail(ErrorCode::internal, "only once", files.front().name);
    if (order == "short") image.info.dims = {400, 300, 200};
    for (std::size_t i = 0; i < size; ++i) (*memory)[16 + i] = static_cast<std::byte>(i + files.size());
    return image;
  }

 private:
  static std::string orderIn(const InputFile& file) {
    std::string text(reinterpret_cast<const char*>(file.bytes.data()), file.bytes.size());
    return text.substr(magic.size());
  }
};

/// A mesh of four vertices and one triangle whose corners are the zeros at the beginning of the memory; and lies.
json meshAnswer(const std::string& order) {
  SurfaceInfo info;
  info.format = "test";
  info.vertices = 4;
  info.triangles = 1;
  info.points = 0;
  info.triangleCorners = 1;
  info.data.push_back({"values", DataRole::scalar, 0, "", "", {}, 0, 0, 0});
  ArrayInfo points{VoxelType::float32, 4, 3, 0};
  ArrayInfo corners{VoxelType::uint32, 1, 3, 0};
  if (order == "mesh corner beyond") corners.offset = 64;  // 0 0 5
  if (order == "mesh array outside") points.offset = 4096;
  if (order == "mesh array unaligned") points.offset = 4;
  if (order == "mesh array huge") points.count = INT64_MAX;
  if (order == "mesh wrong type") points.type = VoxelType::float64;
  if (order == "mesh without corners") info.triangleCorners.reset();
  if (order == "mesh data elsewhere") info.data[0].array = 7;
  if (order == "mesh data short") info.data[0].array = 1;
  if (order == "mesh labels of floats") info.data[0].role = DataRole::label;
  return {{"info", toJson(info)}, {"arrays", {toJson(points), toJson(corners)}}};
}

/// Two streamlines of two points: offsets are the zeros at the beginning of the memory, or the numbers at byte 64.
json tractsAnswer(const std::string& order) {
  TractogramInfo info;
  info.format = "test";
  info.streamlines = 1;
  info.points = 0;
  ArrayInfo positions{VoxelType::float32, 0, 3, 0};
  ArrayInfo offsets{VoxelType::uint64, 2, 1, 0};
  ArrayInfo members{VoxelType::uint32, 1, 1, 0};
  info.groups.push_back({"group", 2, {}, 1});
  if (order == "tracts offsets descend") {
    info.streamlines = 3;
    info.points = positions.count = 4;
    offsets = {VoxelType::uint64, 4, 1, 64};
  }
  if (order == "tracts offsets end early") info.points = positions.count = 4;
  if (order == "tracts member beyond") members.offset = 80;  // 3
  if (order == "tracts short offsets") info.streamlines = 5;
  return {{"info", toJson(info)}, {"arrays", {toJson(positions), toJson(offsets), toJson(members)}}};
}

/// Answers one request with the lie that `order` names.
void lie(const std::string& order, reader::Message& request) {
  const reader::Patience forEver;
  const auto say = [&](const json& answer) { (void)reader::send(3, answer, {}, forEver); };
  json honest{{"info", toJson(smallImage())}, {"offset", 0}, {"firstTimePoint", 0}, {"timePointsHeld", 1}};
  const int voxels = request.descriptors.front().get();
  (void)::ftruncate(voxels, order == "empty" ? 0 : 4096);
  constexpr std::array<std::uint64_t, 4> numbers{0, 5, 3, 4};  // at byte 64
  if (order != "empty") (void)::pwrite(voxels, numbers.data(), sizeof numbers, 64);
  if (order != "unsealed") (void)::fcntl(voxels, F_ADD_SEALS, F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE);
  const std::map<std::string, json> answers{
      {"nothing known", json::object()},
      {"no offset", {{"info", honest["info"]}}},
      {"negative offset", {{"info", honest["info"]}, {"offset", -16}}},
      {"far offset", {{"info", honest["info"]}, {"offset", 0xFFFFFFFFFFFFFFF0}}},
      {"odd offset", {{"info", honest["info"]}, {"offset", 3}}},
      {"info is text", {{"info", "hello"}, {"offset", 0}}},
      {"error is text", {{"error", "hello"}}},
      {"error of numbers", {{"error", {{"code", 1}, {"what", 2}, {"where", 3}}}}},
      {"odd kind", {{"kind", "program"}, {"format", ""}, {"header", nullptr}}},
      {"odd header", {{"kind", "dicom"}, {"format", "DICOM"}, {"header", {{"rows", "many"}}}}},
      {"header for other", {{"kind", "other"}, {"format", ""}, {"header", {{"a", 1}}}}},
  };
  if (order.starts_with("mesh")) return say(meshAnswer(order));
  if (order.starts_with("tracts")) return say(tractsAnswer(order));
  if (order == "document outside") {
    DocumentInfo info;
    info.kind = "document";
    info.mediaType = "text/plain";
    return say({{"info", toJson(info)}, {"offset", 4000}, {"size", 97}});
  }
  while (order == "endless progress") say({{"progress", 0.5}});
  if (order == "time beyond") honest["firstTimePoint"] = 1;
  if (order.starts_with("in file")) {
    honest["file"] = order == "in file of nobody" ? 1 : 0;
    honest["size"] = order == "in file but fewer" ? 23 : 24;
    if (order == "in file beyond its end") honest["offset"] = 16;
    if (order == "in file far off") honest["offset"] = 0xFFFFFFFFFFFFFFF0;
    if (order == "in file unaligned") honest["offset"] = 1;
  }
  if (order == "no time held") honest["timePointsHeld"] = 0;
  if (const auto found = answers.find(order); found != answers.end()) return say(found->second);
  if (order == "huge claim") honest["info"]["dims"] = {INT64_MAX, INT64_MAX, 3};
  if (order == "more than there is") honest["info"]["dims"] = {4000, 3000, 2};
  if (order == "garbage") return (void)::send(3, "\xff\xfe\0garbage", 10, 0);
  if (order == "no json") return (void)::send(3, "E{\"a\":[1,", 9, 0);
  if (order == "deep json") return (void)::send(3, ("E" + std::string(30000, '[')).c_str(), 30001, 0);
  if (order == "not an object") return (void)::send(3, "E17", 3, 0);
  if (order == "empty datagram") return (void)::send(3, "", 0, 0);
  if (order == "oversized datagram") return (void)::send(3, ("E" + std::string(100000, ' ')).c_str(), 100001, 0);
  while (order == "endless") {
    if (::send(3, ("M" + std::string(30000, ' ')).c_str(), 30001, MSG_NOSIGNAL) < 0) return;
  }
  if (order == "closes and stays") {
    ::close(3);
    std::this_thread::sleep_for(std::chrono::hours(1));
  }
  if (order == "descriptors back") return (void)reader::send(3, honest, std::array{0, 1, 2}, forEver);
  say(honest);
}

int liarMain() {
  const reader::Patience forEver;
  if (!reader::receive(3, false, forEver)) return 1;
  (void)reader::send(3, {{"ready", true}}, {}, forEver);
  for (;;) {
    auto request = reader::receive(3, true, forEver);
    if (!request) return 0;
    lie(request->json["names"][0].get<std::string>(), *request);
  }
}

}  // namespace

int main(int /*count*/, char** arguments) {
  const std::string name = std::filesystem::path(arguments[0]).filename();
  if (name == "liar") return liarMain();
  if (name == "nora") return readerMain();
  if (name == "quitter") return 9;
  if (name == "sleeper") std::this_thread::sleep_for(std::chrono::hours(1));
  reader::Readers readers;
  readers.push_back(std::make_unique<OrderReader>());
  prepareReaders();
  return reader::serve(readers);
}
