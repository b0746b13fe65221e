// DICOM files that lie: cut, flipped, huge, deflated bombs. Every answer is an image or an Error, soon and in little
// memory.
#include "image/io/dicom_header.hpp"
#include "image/io/dicom_jpeg2000.hpp"
#include "image/io/dicom_layout.hpp"
#include "image/io/dicom_reader.hpp"
#include "image/volume.hpp"

#include <cstring>
#include <filesystem>
#include <fstream>
#include <random>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <zlib.h>

namespace nora {
namespace {

using testing::HasSubstr;

using Bytes = std::vector<std::byte>;

const std::filesystem::path folder = std::filesystem::path(NORA_TEST_DATA) / "formats" / "dicom";

std::vector<std::filesystem::path> allFiles() {
  std::vector<std::filesystem::path> files;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    if (entry.path().extension() == ".dcm") files.push_back(entry.path());
  }
  std::sort(files.begin(), files.end());
  return files;
}

Bytes bytesOf(const std::filesystem::path& file) {
  std::ifstream stream(file, std::ios::binary);
  const std::string text((std::istreambuf_iterator<char>(stream)), {});
  const auto* data = reinterpret_cast<const std::byte*>(text.data());
  return {data, data + text.size()};
}

class SmallSink : public MemorySink {
 public:
  Result<std::span<std::byte>> allocate(std::size_t size) override {
    if (size > (std::size_t{1} << 22)) return fail(ErrorCode::limitExceeded, "too large for a test");
    bytes.assign(size, {});
    return std::span(bytes);
  }
  Bytes bytes;
};

/// Reads and peeks; what comes back has to make sense.
bool isRead(const Bytes& bytes) {
  const DicomReader reader;
  const InputFile file{"a", bytes};
  if (const auto summary = reader.peek(file); summary && summary->kind == "dicom") {
    EXPECT_TRUE(dicomHeaderFromJson(summary->header)) << summary->header.dump().substr(0, 500);
  }
  SmallSink sink;
  const auto image = reader.read(std::span(&file, 1), {}, sink);
  if (!image) {
    EXPECT_FALSE(image.error().what.empty());
    return false;
  }
  const auto count = voxelCount(image->info, "a");
  EXPECT_TRUE(count);
  EXPECT_LE(*count * bytesPerVoxel(image->info.type), sink.bytes.size());
  EXPECT_TRUE(inverse(image->info.worldFromVoxel));
  return true;
}

TEST(DicomHostile, EveryCutEndsInAnError) {
  for (const auto& path : allFiles()) {
    const Bytes whole = bytesOf(path);
    for (std::size_t n = 0; n < 16; ++n) {
      const auto end = whole.begin() + static_cast<std::ptrdiff_t>(whole.size() * n / 16);
      EXPECT_FALSE(isRead(Bytes(whole.begin(), end))) << path.filename() << " " << n;
    }
  }
}

TEST(DicomHostile, AHugeJpeg2000FrameIsRefusedBeforeItTakesMemory) {
  DicomPixelFormat format;
  format.rows = format.columns = 65535;
  format.samples = 3;
  format.bitsAllocated = 8;
  const auto done = decodeJpeg2000({}, format, {}, "a");
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().code, ErrorCode::limitExceeded);
  EXPECT_NE(done.error().what.find("65535 x 65535"), std::string::npos);
  EXPECT_NE(done.error().what.find("at most 134217728 values"), std::string::npos);
}

TEST(DicomHostile, EveryFlippedByteEndsInAnAnswer) {
  std::mt19937 random(20240102);
  for (const auto& path : allFiles()) {
    const Bytes whole = bytesOf(path);
    for (int n = 0; n < 60; ++n) {
      Bytes bytes = whole;
      const int flips = 1 + static_cast<int>(random() % 4);
      for (int i = 0; i < flips; ++i) bytes[random() % bytes.size()] = static_cast<std::byte>(random());
      static_cast<void>(isRead(bytes));
    }
  }
}

/// Replaces the value of an element of explicit little endian; its size stays.
Bytes with(Bytes bytes, std::uint16_t group, std::uint16_t element, const char* vr, std::vector<int> value) {
  const int head[] = {group & 0xFF, group >> 8, element & 0xFF, element >> 8, vr[0], vr[1]};
  for (std::size_t at = 0; at + 8 + value.size() <= bytes.size(); ++at) {
    bool found = true;
    for (std::size_t i = 0; i < 6; ++i) found = found && bytes[at + i] == static_cast<std::byte>(head[i]);
    if (!found) continue;
    for (std::size_t i = 0; i < value.size(); ++i) bytes[at + 8 + i] = static_cast<std::byte>(value[i]);
    return bytes;
  }
  ADD_FAILURE() << "no such element";
  return bytes;
}

TEST(DicomHostile, HugeDimensionsAndFramesAreLies) {
  const Bytes enhanced = bytesOf(folder / "enhanced_dwi.dcm");
  EXPECT_FALSE(isRead(with(enhanced, 0x0028, 0x0010, "US", {0xFF, 0xFF})));
  EXPECT_FALSE(isRead(with(with(enhanced, 0x0028, 0x0010, "US", {0xFF, 0xFF}), 0x0028, 0x0011, "US", {0xFF, 0xFF})));
  EXPECT_FALSE(isRead(with(enhanced, 0x0028, 0x0008, "IS", {'9', '9'})));
  EXPECT_FALSE(isRead(with(enhanced, 0x0028, 0x0008, "IS", {'0', ' '})));
  const Bytes rle = bytesOf(folder / "enhanced_ct_rle.dcm");
  EXPECT_FALSE(isRead(with(with(rle, 0x0028, 0x0010, "US", {0xFF, 0xFF}), 0x0028, 0x0011, "US", {0xFF, 0xFF})));
  const Bytes j2k = bytesOf(folder / "enhanced_ct_j2k_basic_table.dcm");
  EXPECT_FALSE(isRead(with(j2k, 0x0028, 0x0010, "US", {17, 0})));
}

/// A deflated data set: rows, columns, 16 bits, then pixel data of `pixelBytes` zeros.
Bytes deflated(int rows, int columns, std::size_t pixelBytes) {
  Bytes head = bytesOf(folder / "enhanced_4d_deflated.dcm");
  std::string data;
  const auto element = [&](std::uint16_t group, std::uint16_t number, const char* vr, const std::string& value) {
    const std::uint16_t size = static_cast<std::uint16_t>(value.size());
    const std::uint16_t words[] = {group, number};
    data.append(reinterpret_cast<const char*>(words), 4).append(vr, 2);
    data.append(reinterpret_cast<const char*>(&size), 2).append(value);
  };
  const auto word = [](int value) {
    return std::string{static_cast<char>(value & 0xFF), static_cast<char>(value >> 8)};
  };
  element(0x0008, 0x0016, "UI", "1.2.840.10008.5.1.4.1.1.7\0\0\0\0\0");
  element(0x0028, 0x0002, "US", word(1));
  element(0x0028, 0x0004, "CS", "MONOCHROME2 ");
  element(0x0028, 0x0010, "US", word(rows));
  element(0x0028, 0x0011, "US", word(columns));
  element(0x0028, 0x0100, "US", word(16));
  const std::uint16_t pixels[] = {0x7FE0, 0x0010};
  const auto size = static_cast<std::uint32_t>(pixelBytes);
  data.append(reinterpret_cast<const char*>(pixels), 4).append("OW\0\0", 4);
  data.append(reinterpret_cast<const char*>(&size), 4);
  data.append(pixelBytes, '\0');
  z_stream stream{};
  deflateInit2(&stream, 9, Z_DEFLATED, -MAX_WBITS, 9, Z_DEFAULT_STRATEGY);
  std::string out(deflateBound(&stream, data.size()), '\0');
  stream.next_in = reinterpret_cast<Bytef*>(data.data());
  stream.avail_in = static_cast<uInt>(data.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  deflate(&stream, Z_FINISH);
  out.resize(stream.total_out);
  deflateEnd(&stream);
  // The meta header of a real deflated file, whose group length says where it ends.
  std::uint32_t meta = 0;
  std::memcpy(&meta, head.data() + 140, 4);
  head.resize(144 + meta);
  for (const char c : out) head.push_back(static_cast<std::byte>(c));
  return head;
}

TEST(DicomHostile, ADeflatedBombIsInflatedNoFurtherThanItsPixelsNeed) {
  constexpr std::size_t bombBytes = std::size_t{40} << 20;
  const Bytes bomb = deflated(16, 16, bombBytes);
  ASSERT_LT(bomb.size(), bombBytes / 500);
  const auto layout = dicomLayout(bomb, "bomb");
  ASSERT_TRUE(layout) << layout.error().what;
  EXPECT_LE(layout->inflated.size(), std::size_t{1} << 20);
  EXPECT_TRUE(isRead(bomb));
  const auto liar = dicomLayout(deflated(60000, 60000, 4096), "liar");
  EXPECT_TRUE(!liar || liar->inflated.size() < (std::size_t{1} << 20));
  EXPECT_FALSE(isRead(deflated(60000, 60000, 4096)));
}

TEST(DicomHostile, AnEmptyFileAndADicomdirAreNoImages) {
  EXPECT_FALSE(isRead({}));
  EXPECT_FALSE(isRead(Bytes(132)));
}

}  // namespace
}  // namespace nora
