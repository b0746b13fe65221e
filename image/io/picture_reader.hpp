// Pictures and PDF for the page.
#pragma once

#include "image/io/file_reader.hpp"

#include <cstdint>
#include <optional>

namespace nora {

/// By the first bytes: PNG, JPEG, GIF and PDF are passed on as they are once their head was checked; TIFF (many pages,
/// 1 to 64 bits, palette, floating point, tiles, BigTIFF) becomes PNG: ReadOptions.timePoint picks the page.
class PictureReader final : public FileReader {
 public:
  static constexpr std::size_t maxFileBytes = std::size_t{64} << 20;  // of what is passed on
  static constexpr std::uint64_t maxPixels = std::uint64_t{1} << 26;
  static constexpr std::int64_t maxSide = 30'000;

  [[nodiscard]] bool recognises(const InputFile& file) const override;
  [[nodiscard]] Result<FileSummary> peek(const InputFile& file) const override;
  /// Errors: invalidInput (damaged head), limitExceeded (too large for a browser), notFound (no such page).
  [[nodiscard]] Result<ReadContent> readContent(std::span<const InputFile> files, const ReadOptions& options,
                                                MemorySink& sink) const override;
};

/// Width, height and one page of a TIFF file as PNG. For PictureReader.
[[nodiscard]] Result<ReadContent> readTiff(const InputFile& file, std::int64_t page, MemorySink& sink);
[[nodiscard]] bool isTiff(std::span<const std::byte> bytes);

/// Errors: limitExceeded if a browser should not get a picture of that size.
[[nodiscard]] Result<void> checkPictureSize(std::uint64_t width, std::uint64_t height, const std::string& name);

}  // namespace nora
