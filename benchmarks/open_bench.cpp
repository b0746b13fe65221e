// First picture: from a file on disk, through a reader process, to the first slice and its JPEG. Peer: nibabel in Python,
// file to a windowed slice, measured inside the interpreter (no start-up).
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

namespace nora::bench {
namespace {

constexpr int size = 256;

/// A NIfTI-1 header for the phantom. Source: nifti1.h.
std::array<char, 352> niftiHeader() {
  std::array<char, 352> header{};
  const auto put = [&](std::size_t at, auto value) { std::memcpy(header.data() + at, &value, sizeof value); };
  put(0, std::int32_t{348});
  const std::array<std::int16_t, 8> dims{3, size, size, size, 1, 1, 1, 1};
  put(40, dims);
  put(70, std::int16_t{4});   // int16
  put(72, std::int16_t{16});  // bits
  put(76, std::array<float, 8>{1, 1, 1, 1, 1, 1, 1, 1});
  put(108, 352.0F);
  put(112, 1.0F);
  put(254, std::int16_t{1});  // sform_code
  put(280, std::array<float, 12>{1, 0, 0, -size / 2.0F, 0, 1, 0, -size / 2.0F, 0, 0, 1, -size / 2.0F});
  std::memcpy(header.data() + 344, "n+1", 4);
  return header;
}

void writeNifti(const std::string& path) {
  const auto voxels = phantomVoxels(size);
  const auto header = niftiHeader();
  std::ofstream file(path, std::ios::binary);
  file.write(header.data(), static_cast<std::streamsize>(header.size()));
  file.write(reinterpret_cast<const char*>(voxels.data()), static_cast<std::streamsize>(voxels.size() * sizeof voxels[0]));
}

std::optional<double> nibabelMilliseconds(const std::string& path) {
  const std::string script =
      "import time,numpy as np,nibabel as nib\n"
      "def run():\n"
      "  t=time.perf_counter(); v=np.asanyarray(nib.load('" + path + "').dataobj); s=v[:,:,128].astype('f4')\n"
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
  writeNifti(plain);
  require(std::system(("gzip -1 -k -f '" + plain + "'").c_str()) == 0, "gzip");

  ReaderPool pool(NORA_PROGRAM, ReaderPool::Limits{});
  auto renderer = makeCpuRenderer();
  require(renderer.has_value(), "no renderer");
  auto encoder = makeJpegEncoder(80);
  require(encoder.has_value(), "no JPEG encoder");
  std::vector<std::byte> jpeg;
  std::vector<Row> rows;
  for (const std::string& path : {plain, plain + ".gz"}) {
    const auto firstPicture = [&] {
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
      require((*encoder)->encode(frame, jpeg).has_value(), "jpeg");
    };
    const bool isPlain = path == plain;
    rows.push_back({"Q15", std::string("first picture of a 256^3 int16 volume (33 MB), ") + (isPlain ? ".nii" : ".nii.gz") + ", warm",
                    timeMedian(firstPicture, 9), "ms", isPlain ? std::optional(100.0) : std::optional(250.0), true,
                    "nibabel to a windowed slice", nibabelMilliseconds(path)});
  }
  std::filesystem::remove_all(folder);
  return rows;
}

}  // namespace nora::bench
