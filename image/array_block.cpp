#include "image/array_block.hpp"

#include "image/checked_fields.hpp"

#include <cstring>
#include <limits>

namespace nora {
namespace {

constexpr std::size_t maxBytes = std::size_t{1} << 48;  // beyond any memory; sums of some do not overflow

std::size_t aligned(std::size_t offset) {
  return (offset + ArrayInfo::alignment - 1) / ArrayInfo::alignment * ArrayInfo::alignment;
}

}  // namespace

Result<std::size_t> arrayBytes(const ArrayInfo& array) {
  std::size_t bytes = 0;
  if (array.count < 0 || array.components < 1 || isColour(array.type) ||
      __builtin_mul_overflow(static_cast<std::size_t>(array.count), static_cast<std::size_t>(array.components),
                             &bytes) ||
      __builtin_mul_overflow(bytes, bytesPerVoxel(array.type), &bytes) || bytes > maxBytes) {
    return fail(ErrorCode::invalidInput, "an array of " + std::to_string(array.count) + " x " +
                                             std::to_string(array.components) + " numbers is not possible");
  }
  return bytes;
}

std::size_t ArrayPlan::add(VoxelType type, std::int64_t count, std::int64_t components) {
  ArrayInfo info{type, count, components, end_};
  const auto bytes = arrayBytes(info);
  overflow_ = overflow_ || !bytes || end_ > maxBytes;
  if (!overflow_) end_ = aligned(end_ + *bytes);
  arrays_.push_back(info);
  return arrays_.size() - 1;
}

Result<std::size_t> ArrayPlan::totalBytes() const {
  if (overflow_) return fail(ErrorCode::limitExceeded, "the file claims more data than any memory can hold");
  return end_;
}

Result<ArrayBlock> ArrayBlock::create(std::vector<ArrayInfo> arrays, MappedBytes bytes, const std::string& name) {
  for (const ArrayInfo& array : arrays) {
    const auto size = arrayBytes(array);
    if (!size) return fail(ErrorCode::invalidInput, size.error().what, name);
    if (array.offset % ArrayInfo::alignment != 0 || array.offset > bytes.size() ||
        *size > bytes.size() - array.offset) {
      return fail(ErrorCode::invalidInput, "an array lies outside the data that were read", name);
    }
  }
  ArrayBlock block;
  block.arrays_ = std::move(arrays);
  block.bytes_ = std::move(bytes);
  return block;
}

Result<ArrayBlock> ArrayBlock::copyOf(std::vector<ArrayInfo> arrays, std::span<const std::byte> bytes,
                                      const std::string& name) {
  const auto fd = createMemoryFile(name, bytes.size());
  if (!fd) return tl::make_unexpected(fd.error());
  auto mapped = MappedBytes::readWrite(fd->get(), bytes.size(), name);
  if (!mapped) return tl::make_unexpected(mapped.error());
  if (!bytes.empty()) std::memcpy(mapped->writable().data(), bytes.data(), bytes.size());
  return create(std::move(arrays), std::move(*mapped), name);
}

double ArrayBlock::value(std::size_t array, std::int64_t tuple, std::int64_t component) const {
  if (array >= arrays_.size()) return std::numeric_limits<double>::quiet_NaN();
  const ArrayInfo& info = arrays_[array];
  if (tuple < 0 || tuple >= info.count || component < 0 || component >= info.components) {
    return std::numeric_limits<double>::quiet_NaN();
  }
  return visitScalar(info.type, [&](auto zero) {
    using T = decltype(zero);
    return static_cast<double>(as<T>(array)[static_cast<std::size_t>(tuple * info.components + component)]);
  });
}

nlohmann::json toJson(const ArrayInfo& array) {
  return {{"type", toString(array.type)},
          {"count", array.count},
          {"components", array.components},
          {"offset", array.offset}};
}

Result<ArrayInfo> arrayInfoFromJson(const nlohmann::json& json) {
  CheckedFields fields(json);
  ArrayInfo array;
  fields.check(fromString(fields.text("type"), array.type), "type");
  array.count = static_cast<std::int64_t>(fields.count("count", CheckedFields::maxCount));
  array.components = fields.positive(fields.at("components"), "components");
  array.offset = fields.count("offset");
  if (!fields.good()) return fail(ErrorCode::invalidInput, "an array has no usable \"" + fields.wrong() + "\"");
  if (const auto bytes = arrayBytes(array); !bytes) return tl::make_unexpected(bytes.error());
  return array;
}

}  // namespace nora
