// TIFF by libtiff, out of memory; pages become PNG by libpng. libtiff covers the many compressions and photometric
// kinds; what it has no colours for (16 to 64 bit, floating point) is read by samples and scaled to gray here.
#include "image/io/byte_reader.hpp"
#include "image/io/picture_reader.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>
#include <limits>
#include <memory>
#include <optional>

#include <png.h>
#include <tiffio.h>

namespace nora {
namespace {

constexpr std::size_t maxPages = 65536;
constexpr tmsize_t maxAllocation = tmsize_t{1} << 30;  // of libtiff, in one piece

/// The file as libtiff sees it, and what it last complained of.
struct TiffMemory {
  std::span<const std::byte> bytes;
  std::uint64_t at = 0;
  std::string complaint;
};

TiffMemory& memoryOf(thandle_t handle) {
  return *static_cast<TiffMemory*>(handle);
}

tmsize_t readBytes(thandle_t handle, void* out, tmsize_t size) {
  TiffMemory& file = memoryOf(handle);
  const std::uint64_t left = file.at < file.bytes.size() ? file.bytes.size() - file.at : 0;
  const auto count = std::min<std::uint64_t>(left, size > 0 ? static_cast<std::uint64_t>(size) : 0);
  if (count > 0) std::memcpy(out, file.bytes.data() + file.at, count);
  file.at += count;
  return static_cast<tmsize_t>(count);
}
tmsize_t writeNothing(thandle_t, void*, tmsize_t) {
  return -1;
}
toff_t seekTo(thandle_t handle, toff_t offset, int whence) {
  TiffMemory& file = memoryOf(handle);
  const std::uint64_t base = whence == SEEK_CUR ? file.at : whence == SEEK_END ? file.bytes.size() : 0;
  file.at = base + offset;
  return file.at;
}
int closeNothing(thandle_t) {
  return 0;
}
toff_t sizeOf(thandle_t handle) {
  return memoryOf(handle).bytes.size();
}
int mapAll(thandle_t handle, void** base, toff_t* size) {
  const TiffMemory& file = memoryOf(handle);
  *base = const_cast<std::byte*>(file.bytes.data());
  *size = file.bytes.size();
  return 1;
}
void unmapNothing(thandle_t, void*, toff_t) {}

int onError(TIFF*, void* user, const char* module, const char* format, va_list arguments) {
  char text[256];
  std::vsnprintf(text, sizeof text, format, arguments);
  static_cast<TiffMemory*>(user)->complaint = std::string(module == nullptr ? "" : module) + ": " + text;
  return 1;
}
int onWarning(TIFF*, void*, const char*, const char*, va_list) {
  return 1;
}

using TiffHandle = std::unique_ptr<TIFF, decltype(&TIFFClose)>;

TiffHandle openTiff(TiffMemory& file) {
  const std::unique_ptr<TIFFOpenOptions, decltype(&TIFFOpenOptionsFree)> options(TIFFOpenOptionsAlloc(),
                                                                                 &TIFFOpenOptionsFree);
  if (!options) return {nullptr, &TIFFClose};
  TIFFOpenOptionsSetMaxSingleMemAlloc(options.get(), maxAllocation);
  TIFFOpenOptionsSetErrorHandlerExtR(options.get(), onError, &file);
  TIFFOpenOptionsSetWarningHandlerExtR(options.get(), onWarning, &file);
  // h: pages are found by nobody but us; m would forbid the map.
  return {TIFFClientOpenExt("picture", "rh", &file, readBytes, writeNothing, seekTo, closeNothing, sizeOf, mapAll,
                            unmapNothing, options.get()),
          &TIFFClose};
}

/// Offsets of the pages, without libtiff: bounded in a chain that leads back to itself, too. Source: TIFF 6.0, 2; the
/// BigTIFF design.
std::vector<std::uint64_t> pageOffsets(std::span<const std::byte> bytes) {
  std::vector<std::uint64_t> out;
  const bool little = asText(bytes).starts_with("II");
  ByteReader reader(bytes, little ? std::endian::little : std::endian::big);
  reader.skip(2);
  const bool big = reader.number<std::uint16_t>() == 43;
  if (big) reader.skip(4);
  const auto offset = [&]() { return big ? reader.number<std::uint64_t>() : reader.number<std::uint32_t>(); };
  for (std::uint64_t at = offset(); at != 0 && out.size() < maxPages; at = offset()) {
    if (std::find(out.end() - static_cast<std::ptrdiff_t>(std::min<std::size_t>(out.size(), 64)), out.end(), at) !=
        out.end())
      break;
    reader.seek(at);
    const std::uint64_t entries = big ? reader.number<std::uint64_t>() : reader.number<std::uint16_t>();
    if (!reader.good() || entries > bytes.size()) break;
    out.push_back(at);
    reader.skip(entries * (big ? 20 : 12));
    if (!reader.good()) break;
  }
  return out;
}

struct Page {
  std::uint32_t width = 0, height = 0;
  std::uint16_t bits = 1, samples = 1, format = SAMPLEFORMAT_UINT, photometric = PHOTOMETRIC_MINISBLACK;
  std::uint16_t compression = COMPRESSION_NONE, planar = PLANARCONFIG_CONTIG, orientation = ORIENTATION_TOPLEFT;
};

Page describePage(TIFF* tiff) {
  Page page;
  TIFFGetField(tiff, TIFFTAG_IMAGEWIDTH, &page.width);
  TIFFGetField(tiff, TIFFTAG_IMAGELENGTH, &page.height);
  TIFFGetFieldDefaulted(tiff, TIFFTAG_BITSPERSAMPLE, &page.bits);
  TIFFGetFieldDefaulted(tiff, TIFFTAG_SAMPLESPERPIXEL, &page.samples);
  TIFFGetFieldDefaulted(tiff, TIFFTAG_SAMPLEFORMAT, &page.format);
  TIFFGetField(tiff, TIFFTAG_PHOTOMETRIC, &page.photometric);
  TIFFGetFieldDefaulted(tiff, TIFFTAG_COMPRESSION, &page.compression);
  TIFFGetFieldDefaulted(tiff, TIFFTAG_PLANARCONFIG, &page.planar);
  TIFFGetFieldDefaulted(tiff, TIFFTAG_ORIENTATION, &page.orientation);
  return page;
}

/// Pixels for libpng.
struct Raster {
  std::vector<std::uint8_t> bytes;
  png_uint_32 format = PNG_FORMAT_GRAY;
};

tl::unexpected<Error> unreadable(const TiffMemory& file, const std::string& name) {
  const std::string why = file.complaint.empty() ? "" : " (" + printable(file.complaint) + ")";
  return fail(ErrorCode::invalidInput, "the TIFF picture cannot be read; it is damaged or of an unknown kind" + why,
              name);
}

/// By libtiff's own colours.
Result<Raster> readColours(TIFF* tiff, const Page& page, const TiffMemory& file, const std::string& name) {
  Raster raster;
  raster.format = PNG_FORMAT_RGBA;
  const std::size_t pixels = std::size_t{page.width} * page.height;
  std::vector<std::uint32_t> packed(pixels);
  if (TIFFReadRGBAImageOriented(tiff, page.width, page.height, packed.data(), ORIENTATION_TOPLEFT, 1) == 0) {
    return unreadable(file, name);
  }
  raster.bytes.resize(pixels * 4);
  for (std::size_t i = 0; i < pixels; ++i) {
    raster.bytes[4 * i] = static_cast<std::uint8_t>(TIFFGetR(packed[i]));
    raster.bytes[4 * i + 1] = static_cast<std::uint8_t>(TIFFGetG(packed[i]));
    raster.bytes[4 * i + 2] = static_cast<std::uint8_t>(TIFFGetB(packed[i]));
    raster.bytes[4 * i + 3] = static_cast<std::uint8_t>(TIFFGetA(packed[i]));
  }
  return raster;
}

/// The first sample of every pixel, as stored, row by row.
bool readSamples(TIFF* tiff, const Page& page, std::vector<std::byte>& out) {
  const std::size_t size = page.bits / 8U;
  const std::size_t stride = (page.planar == PLANARCONFIG_CONTIG ? page.samples : 1) * size;
  const bool tiled = TIFFIsTiled(tiff) != 0;
  std::uint32_t tileWidth = page.width, tileHeight = page.height;
  if (tiled) {
    TIFFGetField(tiff, TIFFTAG_TILEWIDTH, &tileWidth);
    TIFFGetField(tiff, TIFFTAG_TILELENGTH, &tileHeight);
  } else {
    TIFFGetFieldDefaulted(tiff, TIFFTAG_ROWSPERSTRIP, &tileHeight);
    tileHeight = std::min(tileHeight, page.height);
  }
  const tmsize_t blockBytes = tiled ? TIFFTileSize(tiff) : TIFFStripSize(tiff);
  if (tileWidth == 0 || tileHeight == 0 || blockBytes <= 0 || blockBytes > maxAllocation) return false;
  const std::size_t rowBytes = std::size_t{tileWidth} * stride;
  if (static_cast<std::size_t>(blockBytes) / rowBytes < std::min(tileHeight, page.height)) return false;
  out.assign(std::size_t{page.width} * page.height * size, std::byte{0});
  std::vector<std::byte> block(static_cast<std::size_t>(blockBytes));
  for (std::uint32_t y0 = 0; y0 < page.height; y0 += std::min(tileHeight, page.height - y0)) {
    for (std::uint32_t x0 = 0; x0 < page.width; x0 += std::min(tileWidth, page.width - x0)) {
      const tmsize_t got = tiled ? TIFFReadTile(tiff, block.data(), x0, y0, 0, 0)
                                 : TIFFReadEncodedStrip(tiff, TIFFComputeStrip(tiff, y0, 0), block.data(), blockBytes);
      if (got < 0) return false;
      const std::uint32_t rows = std::min(tileHeight, page.height - y0), columns = std::min(tileWidth, page.width - x0);
      for (std::uint32_t y = 0; y < rows; ++y) {
        for (std::uint32_t x = 0; x < columns; ++x) {
          std::memcpy(out.data() + (std::size_t{y0 + y} * page.width + x0 + x) * size,
                      block.data() + y * rowBytes + x * stride, size);
        }
      }
    }
  }
  return true;
}

template <class T>
void scaleToGray(const std::vector<std::byte>& samples, bool whiteIsLow, Raster& raster, DocumentInfo& info) {
  const std::size_t count = samples.size() / sizeof(T);
  const auto at = [&](std::size_t i) {
    T value{};
    std::memcpy(&value, samples.data() + i * sizeof(T), sizeof(T));
    return static_cast<double>(value);
  };
  double low = std::numeric_limits<double>::infinity(), high = -low;
  for (std::size_t i = 0; i < count; ++i) {
    if (!std::isfinite(at(i))) continue;
    low = std::min(low, at(i));
    high = std::max(high, at(i));
  }
  raster.bytes.resize(count);
  for (std::size_t i = 0; i < count; ++i) {
    // In halves: the range of doubles may be beyond what a double holds.
    const double part = high > low ? (at(i) / 2 - low / 2) / (high / 2 - low / 2) : 0;
    const double level = std::isfinite(part) ? std::clamp(part, 0.0, 1.0) * 255 : 0;
    raster.bytes[i] = static_cast<std::uint8_t>(std::lround(whiteIsLow ? 255 - level : level));
  }
  if (low <= high)
    info.fields.emplace_back("shown from black to white",
                             nlohmann::json(low).dump() + " to " + nlohmann::json(high).dump());
}

Result<Raster> readGray(TIFF* tiff, const Page& page, const TiffMemory& file, const std::string& name,
                        DocumentInfo& info) {
  std::vector<std::byte> samples;
  const bool known = page.bits == 8 || page.bits == 16 || page.bits == 32 || page.bits == 64;
  const bool real = page.format == SAMPLEFORMAT_IEEEFP, negative = page.format == SAMPLEFORMAT_INT;
  if (!known || (real && page.bits < 32) || page.format > SAMPLEFORMAT_VOID) {
    return fail(ErrorCode::unsupported,
                "TIFF samples of " + std::to_string(page.bits) + " bits of this kind are not shown", name);
  }
  if (!readSamples(tiff, page, samples)) return unreadable(file, name);
  if (page.samples > 1)
    info.warnings.push_back("only the first of " + std::to_string(page.samples) + " channels is shown");
  if (page.orientation != ORIENTATION_TOPLEFT)
    info.warnings.emplace_back("the picture is shown as stored; it asks to be turned");
  Raster raster;
  const bool whiteIsLow = page.photometric == PHOTOMETRIC_MINISWHITE;
  const auto scale = [&](auto zero) { scaleToGray<decltype(zero)>(samples, whiteIsLow, raster, info); };
  switch (page.bits) {
    case 8: negative ? scale(std::int8_t{}) : scale(std::uint8_t{}); break;
    case 16: negative ? scale(std::int16_t{}) : scale(std::uint16_t{}); break;
    case 32: real ? scale(float{}) : negative ? scale(std::int32_t{}) : scale(std::uint32_t{}); break;
    default: real ? scale(double{}) : negative ? scale(std::int64_t{}) : scale(std::uint64_t{}); break;
  }
  return raster;
}

Result<ReadContent> writePng(const Page& page, const Raster& raster, DocumentInfo info, const std::string& name,
                             MemorySink& sink) {
  png_image image{};
  image.version = PNG_IMAGE_VERSION;
  image.width = page.width;
  image.height = page.height;
  image.format = raster.format;
  image.flags = PNG_IMAGE_FLAG_FAST;
  png_alloc_size_t size = PNG_IMAGE_PNG_SIZE_MAX(image);
  const auto memory = sink.allocate(size);
  if (!memory) return tl::make_unexpected(memory.error());
  if (png_image_write_to_memory(&image, memory->data(), &size, 0, raster.bytes.data(), 0, nullptr) == 0) {
    return fail(ErrorCode::internal, "the picture cannot be written as PNG", name);
  }
  return ReadDocument{std::move(info), 0, size};
}

}  // namespace

bool isTiff(std::span<const std::byte> bytes) {
  using namespace std::string_view_literals;
  const std::string_view text = asText(bytes);
  return text.starts_with("II*\0"sv) || text.starts_with("MM\0*"sv) || text.starts_with("II+\0"sv) ||
         text.starts_with("MM\0+"sv);
}

Result<ReadContent> readTiff(const InputFile& input, std::int64_t page, MemorySink& sink) {
  const auto pages = pageOffsets(input.bytes);
  if (pages.empty())
    return fail(ErrorCode::invalidInput, "the TIFF file holds no page; it is damaged or cut short", input.name);
  if (page < 0 || page >= static_cast<std::int64_t>(pages.size())) {
    return fail(ErrorCode::notFound,
                "there is no page " + std::to_string(page + 1) + "; the file has " + std::to_string(pages.size()),
                input.name);
  }
  TiffMemory file{input.bytes, 0, {}};
  const TiffHandle tiff = openTiff(file);
  if (!tiff || TIFFSetSubDirectory(tiff.get(), pages[static_cast<std::size_t>(page)]) == 0)
    return unreadable(file, input.name);
  const Page described = describePage(tiff.get());
  const auto fits = checkPictureSize(described.width, described.height, input.name);
  if (!fits) return tl::make_unexpected(fits.error());
  const std::uint64_t claimed =
      std::uint64_t{described.width} * described.height * described.samples * described.bits / 8;
  if (described.compression == COMPRESSION_NONE && claimed > input.bytes.size()) {
    return fail(ErrorCode::invalidInput,
                "the header claims " + std::to_string(claimed) + " bytes of pixels, the file holds " +
                    std::to_string(input.bytes.size()),
                input.name);
  }
  DocumentInfo info;
  info.kind = "document";
  info.format = "TIFF";
  info.mediaType = "image/png";
  info.width = described.width;
  info.height = described.height;
  info.pages = static_cast<std::int64_t>(pages.size());
  info.fields.emplace_back("bits", std::to_string(described.bits));
  info.fields.emplace_back("channels", std::to_string(described.samples));
  const bool byteColours =
      described.bits <= 8 && (described.format == SAMPLEFORMAT_UINT || described.format == SAMPLEFORMAT_VOID);
  const bool colours = described.samples >= 3 || described.photometric == PHOTOMETRIC_PALETTE;
  char why[1024] = "";
  const bool ready =
      (byteColours || (colours && described.format == SAMPLEFORMAT_UINT)) && TIFFRGBAImageOK(tiff.get(), why) != 0;
  auto raster = ready ? readColours(tiff.get(), described, file, input.name)
                      : readGray(tiff.get(), described, file, input.name, info);
  if (!raster) return tl::make_unexpected(raster.error());
  return writePng(described, *raster, std::move(info), input.name, sink);
}

}  // namespace nora
