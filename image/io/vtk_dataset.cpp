#include "image/io/vtk_dataset.hpp"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <utility>

namespace nora {
namespace {

template <class T, bool swapped>
T load(const std::byte* at) {
  std::array<std::byte, sizeof(T)> raw{};
  std::memcpy(raw.data(), at, sizeof(T));
  if constexpr (swapped) std::reverse(raw.begin(), raw.end());
  return std::bit_cast<T>(raw);
}

template <class T, bool swapped>
double loadReal(const std::byte* at) {
  return static_cast<double>(load<T, swapped>(at));
}

template <class T, bool swapped>
std::int64_t loadIndex(const std::byte* at) {
  const T value = load<T, swapped>(at);
  if constexpr (std::is_integral_v<T>) {
    return std::in_range<std::int64_t>(value) ? static_cast<std::int64_t>(value) : -1;
  } else {
    constexpr T most = 1e15f;
    return value >= 0 && value < most && value == std::floor(value) ? static_cast<std::int64_t>(value) : -1;
  }
}

void reverseEach(std::byte* data, std::size_t count, std::size_t size) {
  for (std::size_t i = 0; i < count; ++i, data += size) std::reverse(data, data + size);
}

constexpr std::array<std::pair<std::string_view, VoxelType>, 32> typeNames{
    {{"char", VoxelType::int8},
     {"signed_char", VoxelType::int8},
     {"unsigned_char", VoxelType::uint8},
     {"short", VoxelType::int16},
     {"unsigned_short", VoxelType::uint16},
     {"int", VoxelType::int32},
     {"unsigned_int", VoxelType::uint32},
     {"long", VoxelType::int64},
     {"unsigned_long", VoxelType::uint64},
     {"long_long", VoxelType::int64},
     {"unsigned_long_long", VoxelType::uint64},
     {"float", VoxelType::float32},
     {"double", VoxelType::float64},
     {"vtkidtype", VoxelType::int32},  // VTK writes it so
     {"vtktypeint8", VoxelType::int8},
     {"vtktypeuint8", VoxelType::uint8},
     {"vtktypeint16", VoxelType::int16},
     {"vtktypeuint16", VoxelType::uint16},
     {"vtktypeint32", VoxelType::int32},
     {"vtktypeuint32", VoxelType::uint32},
     {"vtktypeint64", VoxelType::int64},
     {"vtktypeuint64", VoxelType::uint64},
     {"int8", VoxelType::int8},
     {"uint8", VoxelType::uint8},
     {"int16", VoxelType::int16},
     {"uint16", VoxelType::uint16},
     {"int32", VoxelType::int32},
     {"uint32", VoxelType::uint32},
     {"int64", VoxelType::int64},
     {"uint64", VoxelType::uint64},
     {"float32", VoxelType::float32},
     {"float64", VoxelType::float64}}};

}  // namespace

void VtkArray::copyTuples(std::uint64_t first, std::uint64_t count, std::byte* out) const {
  const std::size_t size = static_cast<std::size_t>(count) * tupleBytes();
  if (size == 0) return;
  std::memcpy(out, bytes.data() + first * tupleBytes(), size);
  const std::size_t unit = bytesPerVoxel(type);
  if (order == std::endian::native || unit == 1) return;
  reverseEach(out, size / unit, unit);
}

double (*VtkArray::realLoader() const)(const std::byte*) {
  const bool swapped = order != std::endian::native;
  return visitScalar(type, [&](auto number) {
    using T = decltype(number);
    return swapped ? &loadReal<T, true> : &loadReal<T, false>;
  });
}

std::int64_t (*VtkArray::indexLoader() const)(const std::byte*) {
  const bool swapped = order != std::endian::native;
  return visitScalar(type, [&](auto number) {
    using T = decltype(number);
    return swapped ? &loadIndex<T, true> : &loadIndex<T, false>;
  });
}

std::optional<VoxelType> vtkType(std::string_view name) {
  std::string lower(name);
  for (char& c : lower) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
  const auto known =
      std::find_if(typeNames.begin(), typeNames.end(), [&](const auto& entry) { return entry.first == lower; });
  if (known == typeNames.end()) return std::nullopt;
  return known->second;
}

std::string vtkSpaceOf(std::string_view title) {
  for (const char* space : {"RAS", "LPS"}) {
    if (title.find(std::string("SPACE=") + space) != std::string_view::npos) return space;
  }
  return {};
}

}  // namespace nora
