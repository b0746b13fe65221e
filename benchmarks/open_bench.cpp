// First picture: from a file on disk, through a reader process, to the first slice and its JPEG. Peer: nibabel in
// Python, file to a windowed slice, measured inside the interpreter (no start-up).
#include "benchmarks/bench.hpp"
#include "benchmarks/phantom.hpp"
#include "image/io/reader_pool.hpp"
#include "render/renderer.hpp"
#include "streaming/encoder/encoder.hpp"

#include <array>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <fstream>

#include <fcntl.h>
#include <unistd.h>

namespace nora::bench {
namespace {

/// A NIfTI-1 header for the phantom. Source: nifti1.h.
std::array<char, 352> niftiHeader(std::int16_t size) {
  std::array<char, 352> header{};
  const auto put = [&](std::size_t at, auto value) { std::memcpy(header.data() + at, &value, sizeof value); };
  put(0, std::int32_t{348});
  const std::array<std::int16_t, 8> dims{3, size, size, size, 1, 1, 1, 1};
  const float half = static_cast<float>(size) / 2;
  put(40, dims);
  put(70, std::int16_t{4});   // int16
  put(72, std::int16_t{16});  // bits
  put(76, std::array<float, 8>{1, 1, 1, 1, 1, 1, 1, 1});
  put(108, 352.0F);
  put(112, 1.0F);
  put(254, std::int16_t{1});  // sform_code
  put(280, std::array<float, 12>{1, 0, 0, -half, 0, 1, 0, -half, 0, 0, 1, -half});
  std::memcpy(header.data() + 344, "n+1", 4);
  return header;
}

void writeNifti(const std::string& path, std::int16_t size) {
  const auto voxels = phantomVoxels(size);
  const auto header = niftiHeader(size);
  std::ofstream file(path, std::ios::binary);
  file.write(header.data(), static_cast<std::streamsize>(header.size()));
  file.write(reinterpret_cast<const char*>(voxels.data()),
             static_cast<std::streamsize>(voxels.size() * sizeof voxels[0]));
}

/// Takes the file out of the page cache; true if the system did so.
bool forget(const std::string& path) {
  const UniqueFd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  return file && ::fdatasync(file.get()) == 0 && ::posix_fadvise(file.get(), 0, 0, POSIX_FADV_DONTNEED) == 0;
}

std::optional<double> nibabelMilliseconds(const std::string& path, int size) {
  const std::string script =
      "import time,numpy as np,nibabel as nib\n"
      "def run():\n"
      "  t=time.perf_counter(); v=np.asanyarray(nib.load('" +
      path + "').dataobj); s=v[:,:," + std::to_string(size / 2) +
      "].astype('f4')\n"
      "  np.percentile(v,(2,98)); (np.clip(s/900,0,1)*255).astype('u1'); return (time.perf_counter()-t)*1e3\n"
      "run(); print(sorted(run() for _ in range(5))[2])";
  FILE* pipe = ::popen(("/usr/bin/python3 -c \"" + script + "\" 2>/dev/null").c_str(), "r");
  double value = 0;
  const bool got = pipe != nullptr && std::fscanf(pipe, "%lf", &value) == 1;
  if (pipe != nullptr) ::pclose(pipe);
  return got ? std::optional(value) : std::nullopt;
}

}  // namespace

std::vector<Row> openRows() {
  const auto folder = std::filesystem::temp_directory_path() / "nora_bench";
  std::filesystem::create_directories(folder);
  const std::string plain = (folder / "phantom.nii").string();
  constexpr std::int16_t small = 256, big = 512;
  const std::string large = (folder / "large.nii").string();
  writeNifti(plain, small);
  writeNifti(large, big);
  require(std::system(("gzip -1 -k -f '" + plain + "'").c_str()) == 0, "gzip");

  ReaderPool pool(NORA_PROGRAM, ReaderPool::Limits{});
  auto renderer = makeCpuRenderer();
  require(renderer.has_value(), "no renderer");
  auto encoder = makeEncoder(Codec::jpeg);
  require(encoder.has_value(), "no JPEG encoder");
  std::vector<std::byte> jpeg;
  std::vector<Row> rows;
  const auto firstPicture = [&](const std::string& path) {
    std::vector<OpenedFile> files;
    files.push_back(*openRegularFile(path, path));
    auto volume = pool.read(files, path, {});
    require(volume.has_value(), volume ? "" : describe(volume.error()));
    const Scene scene = defaultScene(Source{path, ""}, volume->info());
    const LayerVolumes volumes{{scene.layers.front().id, std::make_shared<const Volume>(std::move(*volume))}};
    Frame frame;
    const RenderRequest request{&scene, "axial", 640, 360, &volumes, 1};
    require((*renderer)->render(request, frame).has_value(), "slice");
    jpeg.clear();
    require((*encoder)->encode(frame, {}, jpeg).has_value(), "jpeg");
  };
  const auto row = [&](const std::string& what, double target, double time, std::optional<double> peer) {
    rows.push_back(
        {"Q15", "first picture of a " + what, time, "ms", target, true, "nibabel to a windowed slice", peer});
  };
  const auto warm = [&](const std::string& path) { return timeMedian([&] { firstPicture(path); }, 9); };
  row("256^3 int16 volume (33 MB), .nii, warm", 100, warm(plain), nibabelMilliseconds(plain, small));
  const std::string zipped = plain + ".gz";
  row("256^3 int16 volume (33 MB), .nii.gz, warm", 250, warm(zipped), nibabelMilliseconds(zipped, small));
  row("512^3 int16 volume (268 MB), .nii, warm", 100, warm(large), nibabelMilliseconds(large, big));
  const auto cold = [&] {
    require(forget(large), "the page cache cannot be emptied");
    firstPicture(large);
  };
  row("512^3 int16 volume (268 MB), .nii, not in the page cache", 1000, timeMedian(cold, 3), std::nullopt);
  std::filesystem::remove_all(folder);
  return rows;
}

}  // namespace nora::bench
