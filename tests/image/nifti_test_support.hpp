// NIfTI files made in memory, and a sink to read them into.
#pragma once

#include "image/image_info.hpp"
#include "image/io/gzip.hpp"
#include "image/io/file_reader.hpp"
#include "image/volume.hpp"

#include <algorithm>
#include <array>
#include <cstring>
#include <string>
#include <vector>

#include <zlib.h>

namespace nora::testing {

using Bytes = std::vector<std::byte>;

/// Shared memory as a reader process offers it; counts what was asked for.
class CountingSink final : public MemorySink {
 public:
  explicit CountingSink(std::size_t limit = std::size_t{1} << 28) : limit_(limit) {}

  Result<std::span<std::byte>> allocate(std::size_t size) override {
    asked = std::max(asked, size);
    if (size > limit_) return fail(ErrorCode::limitExceeded, "too large for the test");
    auto fd = createMemoryFile("test", size);
    if (!fd) return tl::make_unexpected(fd.error());
    auto mapped = MappedBytes::readWrite(fd->get(), size, "test");
    if (!mapped) return tl::make_unexpected(mapped.error());
    memory = std::move(*mapped);
    return memory.writable();
  }

  MappedBytes memory;
  std::size_t asked = 0;

 private:
  std::size_t limit_;
};

inline Result<Volume> readVolume(const ImageReader& reader, const std::vector<InputFile>& files) {
  CountingSink sink;
  auto image = reader.read(files, {}, sink);
  if (!image) return tl::make_unexpected(image.error());
  return Volume::create(std::move(image->info), std::move(sink.memory), image->voxelOffset, files.front().name);
}

/// One gzip member.
inline Bytes gzipped(std::span<const std::byte> content, int level = 6) {
  z_stream stream{};
  constexpr int gzipWrapper = 16;
  constexpr int memoryLevel = 8;
  if (deflateInit2(&stream, level, Z_DEFLATED, MAX_WBITS + gzipWrapper, memoryLevel, Z_DEFAULT_STRATEGY) != Z_OK)
    return {};
  Bytes out(deflateBound(&stream, content.size()) + 64);
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<std::byte*>(content.data()));
  stream.avail_in = static_cast<uInt>(content.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  deflate(&stream, Z_FINISH);
  out.resize(stream.total_out);
  deflateEnd(&stream);
  return out;
}

/// A NIfTI file that a test bends to its need: a sound header, an sform, voxels.
class NiftiFile {
 public:
  NiftiFile(int version, bool bigEndian, int datatype, int bitpix, std::vector<std::int64_t> dims)
      : version_(version), bigEndian_(bigEndian), bytes_(version == 1 ? 352 : 544) {
    const bool one = version == 1;
    put<std::int32_t>(0, one ? 348 : 540);
    text(one ? 344 : 4, one ? std::string("n+1\0", 4) : std::string("n+2\0\r\n\032\n", 8));
    put<std::int16_t>(one ? 70 : 12, static_cast<std::int16_t>(datatype));
    put<std::int16_t>(one ? 72 : 14, static_cast<std::int16_t>(bitpix));
    setDim(0, static_cast<std::int64_t>(dims.size()));
    for (std::size_t i = 0; i < dims.size(); ++i) setDim(i + 1, dims[i]);
    for (std::size_t i = 0; i < 8; ++i) setPixdim(i, 1);
    setOffset(one ? 352 : 544);
    setScale(1, 0);
    setForms(0, 1);
    setSform({1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0});
  }

  template <class T>
  void put(std::size_t at, T value) {
    std::array<std::byte, sizeof(T)> raw{};
    std::memcpy(raw.data(), &value, sizeof(T));
    if (bigEndian_) std::reverse(raw.begin(), raw.end());
    std::copy(raw.begin(), raw.end(), bytes_.begin() + static_cast<std::ptrdiff_t>(at));
  }
  void text(std::size_t at, const std::string& value) { std::memcpy(bytes_.data() + at, value.data(), value.size()); }

  void setDim(std::size_t i, std::int64_t n) {
    if (version_ == 1) {
      put<std::int16_t>(40 + 2 * i, static_cast<std::int16_t>(n));
    } else {
      put<std::int64_t>(16 + 8 * i, n);
    }
  }
  void setPixdim(std::size_t i, double v) { putReal(76 + 4 * i, 104 + 8 * i, v); }
  void setScale(double slope, double inter) {
    putReal(112, 176, slope);
    putReal(116, 184, inter);
  }
  void setWindow(double low, double high) {
    putReal(124, 192, high);
    putReal(128, 200, low);
  }
  void setOffset(double offset) {
    if (version_ == 1) {
      put<float>(108, static_cast<float>(offset));
    } else {
      put<std::int64_t>(168, static_cast<std::int64_t>(offset));
    }
  }
  void setForms(int qform, int sform) {
    putCode(252, 344, qform);
    putCode(254, 348, sform);
  }
  void setSform(const std::array<double, 12>& rows) {
    for (std::size_t i = 0; i < 12; ++i) putReal(280 + 4 * i, 400 + 8 * i, rows[i]);
  }
  void setQuaternion(double b, double c, double d) {
    putReal(256, 352, b);
    putReal(260, 360, c);
    putReal(264, 368, d);
  }
  void setIntent(int code) { putCode(68, 504, code); }
  void setUnits(int code) {
    if (version_ == 1) {
      bytes_[123] = static_cast<std::byte>(code);
    } else {
      put<std::int32_t>(500, code);
    }
  }
  void setDescription(const std::string& value) { text(version_ == 1 ? 148 : 240, value); }
  void setPairMagic() { text(version_ == 1 ? 344 : 4, version_ == 1 ? "ni1" : "ni2"); }

  template <class T>
  void append(T value) {
    const std::size_t at = bytes_.size();
    bytes_.resize(at + sizeof(T));
    put<T>(at, value);
  }

  [[nodiscard]] Bytes& bytes() { return bytes_; }

 private:
  void putReal(std::size_t at1, std::size_t at2, double v) {
    if (version_ == 1) {
      put<float>(at1, static_cast<float>(v));
    } else {
      put<double>(at2, v);
    }
  }
  void putCode(std::size_t at1, std::size_t at2, int code) {
    if (version_ == 1) {
      put<std::int16_t>(at1, static_cast<std::int16_t>(code));
    } else {
      put<std::int32_t>(at2, code);
    }
  }

  int version_;
  bool bigEndian_;
  Bytes bytes_;
};

/// 4 x 3 x 2 int16 voxels 0, 1, 2, ... 23.
inline NiftiFile smallInt16(int version = 1, bool bigEndian = false) {
  NiftiFile file(version, bigEndian, 4, 16, {4, 3, 2});
  for (std::int16_t i = 0; i < 24; ++i) file.append<std::int16_t>(i);
  return file;
}

}  // namespace nora::testing
