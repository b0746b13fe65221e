#include "image/io/nifti_header.hpp"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <optional>
#include <string_view>

namespace nora {
namespace {

constexpr std::size_t nifti1Bytes = 348;
constexpr std::size_t nifti2Bytes = 540;
constexpr std::size_t nifti1MagicAt = 344;
constexpr std::size_t nifti2MagicAt = 4;
constexpr std::size_t descripBytes = 80;

/// Fields at byte offsets, swapped to native order.
class Fields {
 public:
  Fields(std::span<const std::byte> bytes, bool swapped) : bytes_(bytes), swapped_(swapped) {}

  template <class T>
  [[nodiscard]] T at(std::size_t offset) const {
    std::array<std::byte, sizeof(T)> raw{};
    std::memcpy(raw.data(), bytes_.data() + offset, sizeof(T));
    if (swapped_) std::reverse(raw.begin(), raw.end());
    T value;
    std::memcpy(&value, raw.data(), sizeof(T));
    return value;
  }

  template <class T, class U, std::size_t n>
  void array(std::size_t offset, std::array<U, n>& out) const {
    for (std::size_t i = 0; i < n; ++i) out[i] = static_cast<U>(at<T>(offset + i * sizeof(T)));
  }

  [[nodiscard]] std::string text(std::size_t offset, std::size_t size) const {
    const std::string raw(reinterpret_cast<const char*>(bytes_.data() + offset), size);
    return raw.substr(0, raw.find('\0'));
  }

 private:
  std::span<const std::byte> bytes_;
  bool swapped_;
};

bool hasText(std::span<const std::byte> bytes, std::size_t offset, std::string_view text) {
  return bytes.size() >= offset + text.size() && std::memcmp(bytes.data() + offset, text.data(), text.size()) == 0;
}

struct Magic {
  int version;
  bool pair;
};

std::optional<Magic> findMagic(std::span<const std::byte> bytes) {
  if (hasText(bytes, nifti2MagicAt, std::string_view("n+2\0", 4))) return Magic{2, false};
  if (hasText(bytes, nifti2MagicAt, std::string_view("ni2\0", 4))) return Magic{2, true};
  if (hasText(bytes, nifti1MagicAt, std::string_view("n+1\0", 4))) return Magic{1, false};
  if (hasText(bytes, nifti1MagicAt, std::string_view("ni1\0", 4))) return Magic{1, true};
  return std::nullopt;
}

/// By sizeof_hdr; where that is wrong (some writers leave it out), by dim[0], which is 1 to 7.
bool isSwapped(std::span<const std::byte> bytes, int version) {
  const auto size = static_cast<std::int32_t>(version == 1 ? nifti1Bytes : nifti2Bytes);
  const Fields native(bytes, false);
  const Fields other(bytes, true);
  if (native.at<std::int32_t>(0) == size) return false;
  if (other.at<std::int32_t>(0) == size) return true;
  const auto count = [&](const Fields& fields) {
    return version == 1 ? static_cast<std::int64_t>(fields.at<std::int16_t>(40)) : fields.at<std::int64_t>(16);
  };
  const auto plausible = [](std::int64_t n) { return n >= 1 && n <= 7; };
  return !plausible(count(native)) && plausible(count(other));
}

void readVersion1(const Fields& in, NiftiHeader& out) {
  in.array<std::int16_t>(40, out.dim);
  out.intentCode = in.at<std::int16_t>(68);
  out.datatype = in.at<std::int16_t>(70);
  out.bitpix = in.at<std::int16_t>(72);
  in.array<float>(76, out.pixdim);
  out.sclSlope = in.at<float>(112);
  out.sclInter = in.at<float>(116);
  out.xyztUnits = in.at<std::uint8_t>(123);
  out.calMax = in.at<float>(124);
  out.calMin = in.at<float>(128);
  out.descrip = in.text(148, descripBytes);
  out.qformCode = in.at<std::int16_t>(252);
  out.sformCode = in.at<std::int16_t>(254);
  in.array<float>(256, out.quatern);
  in.array<float>(268, out.qoffset);
  in.array<float>(280, out.srow);
}

void readVersion2(const Fields& in, NiftiHeader& out) {
  out.datatype = in.at<std::int16_t>(12);
  out.bitpix = in.at<std::int16_t>(14);
  in.array<std::int64_t>(16, out.dim);
  in.array<double>(104, out.pixdim);
  out.voxOffset = in.at<std::int64_t>(168);
  out.sclSlope = in.at<double>(176);
  out.sclInter = in.at<double>(184);
  out.calMax = in.at<double>(192);
  out.calMin = in.at<double>(200);
  out.descrip = in.text(240, descripBytes);
  out.qformCode = in.at<std::int32_t>(344);
  out.sformCode = in.at<std::int32_t>(348);
  in.array<double>(352, out.quatern);
  in.array<double>(376, out.qoffset);
  in.array<double>(400, out.srow);
  out.xyztUnits = in.at<std::int32_t>(500);
  out.intentCode = in.at<std::int32_t>(504);
}

}  // namespace

bool hasNiftiMagic(std::span<const std::byte> bytes) {
  return findMagic(bytes).has_value();
}

Result<NiftiHeader> parseNiftiHeader(std::span<const std::byte> bytes, const std::string& name) {
  const auto magic = findMagic(bytes);
  if (!magic && bytes.size() < nifti1Bytes) {
    return fail(ErrorCode::invalidInput, "the file is too short for a NIfTI header", name);
  }
  if (!magic) return fail(ErrorCode::invalidInput, "this is no NIfTI file: the magic bytes are missing", name);
  if (bytes.size() < (magic->version == 1 ? nifti1Bytes : nifti2Bytes)) {
    return fail(ErrorCode::invalidInput, "the file is cut short within its NIfTI header", name);
  }
  NiftiHeader header;
  header.version = magic->version;
  header.pair = magic->pair;
  header.swapped = isSwapped(bytes, magic->version);
  const Fields fields(bytes, header.swapped);
  if (header.version == 2) {
    readVersion2(fields, header);
    return header;
  }
  readVersion1(fields, header);
  const float offset = fields.at<float>(108);  // NIfTI-1 keeps this whole number in a float
  constexpr float largest = 1e12F;
  if (!(std::abs(offset) < largest) || offset != std::floor(offset)) {
    return fail(ErrorCode::invalidInput, "vox_offset, the place of the voxels, is not a sensible whole number", name);
  }
  header.voxOffset = static_cast<std::int64_t>(offset);
  return header;
}

}  // namespace nora
