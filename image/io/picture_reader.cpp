#include "image/io/picture_reader.hpp"

#include "image/io/byte_reader.hpp"
#include "image/io/text_reader.hpp"

#include <algorithm>
#include <array>

namespace nora {
namespace {

constexpr std::string_view pngMark = "\x89PNG\r\n\x1a\n", pdfMark = "%PDF-", jpegMark = "\xff\xd8\xff";

enum class PictureKind { none, png, jpeg, gif, tiff, pdf };

bool hasPdfMark(std::string_view text) {
  constexpr std::size_t looked = 1024;  // some programs write a line before it; readers search the first kilobyte
  return text.substr(0, looked).find(pdfMark) != std::string_view::npos;
}

PictureKind kindOf(const InputFile& file) {
  const std::string_view text = asText(file.bytes);
  if (text.starts_with(pngMark)) return PictureKind::png;
  if (text.starts_with(jpegMark)) return PictureKind::jpeg;
  if (text.starts_with("GIF87a") || text.starts_with("GIF89a")) return PictureKind::gif;
  if (isTiff(file.bytes)) return PictureKind::tiff;
  if (text.starts_with(pdfMark) || (hasTextSuffix(file.name, ".pdf") && hasPdfMark(text))) return PictureKind::pdf;
  return PictureKind::none;
}

std::string_view formatOf(PictureKind kind) {
  switch (kind) {
    case PictureKind::png: return "PNG";
    case PictureKind::jpeg: return "JPEG";
    case PictureKind::gif: return "GIF";
    case PictureKind::tiff: return "TIFF";
    case PictureKind::pdf: return "PDF";
    case PictureKind::none: break;
  }
  return {};
}

tl::unexpected<Error> damaged(const std::string& name) {
  return fail(ErrorCode::invalidInput, "the head of the picture is damaged or cut short", name);
}

constexpr std::string_view cutShort = "the file is cut short; the rest of the picture is missing";

/// IHDR must come first; IEND ends the file. Source: the PNG specification, third edition, 5 and 11.
Result<void> describePng(const InputFile& file, DocumentInfo& info) {
  ByteReader reader(file.bytes.subspan(pngMark.size()), std::endian::big);
  constexpr std::size_t lengthAndName = 8, checksum = 4;
  bool first = true, ended = false;
  while (reader.good() && reader.left() >= lengthAndName && !ended) {
    const auto length = reader.number<std::uint32_t>();
    const std::string_view name = asText(reader.take(4));
    if (first) {
      if (name != "IHDR" || length < 8 || reader.left() < length) return damaged(file.name);
      info.width = reader.number<std::uint32_t>();
      info.height = reader.number<std::uint32_t>();
      reader.skip(length - 8 + checksum);
    } else {
      reader.skip(std::size_t{length} + checksum);
    }
    first = false;
    ended = name == "IEND" && reader.good();
  }
  if (first) return damaged(file.name);
  if (!ended) info.warnings.emplace_back(cutShort);
  return {};
}

/// The first start-of-frame marker holds the size. Source: ITU-T T.81, B.2.
Result<void> describeJpeg(const InputFile& file, DocumentInfo& info) {
  ByteReader reader(file.bytes.subspan(2), std::endian::big);
  for (;;) {
    std::uint8_t marker = 0;
    if (reader.number<std::uint8_t>() != 0xff) return damaged(file.name);
    do marker = reader.number<std::uint8_t>();
    while (marker == 0xff && reader.good());
    if (!reader.good()) return damaged(file.name);
    if (marker == 0x01 || (marker >= 0xd0 && marker <= 0xd7)) continue;  // no content
    const auto length = reader.number<std::uint16_t>();
    if (length < 2 || marker == 0xda || marker == 0xd9) return damaged(file.name);
    const bool frame = marker >= 0xc0 && marker <= 0xcf && marker != 0xc4 && marker != 0xc8 && marker != 0xcc;
    if (frame) {
      reader.skip(1);
      info.height = reader.number<std::uint16_t>();
      info.width = reader.number<std::uint16_t>();
      if (!reader.good()) return damaged(file.name);
      break;
    }
    reader.skip(length - 2U);
  }
  constexpr std::string_view end = "\xff\xd9";
  constexpr std::size_t tail = 65536;  // cameras and scanners put padding behind
  const std::string_view text = asText(file.bytes);
  if (text.substr(text.size() - std::min(text.size(), tail)).rfind(end) == std::string_view::npos) {
    info.warnings.emplace_back(cutShort);
  }
  return {};
}

Result<void> describeGif(const InputFile& file, DocumentInfo& info) {
  ByteReader reader(file.bytes.subspan(6));
  info.width = reader.number<std::uint16_t>();
  info.height = reader.number<std::uint16_t>();
  if (!reader.good() || reader.left() < 3) return damaged(file.name);
  return {};
}

/// Pages are counted where the file's objects are not compressed; else the browser's viewer tells.
void describePdf(const InputFile& file, DocumentInfo& info) {
  const std::string_view text = asText(file.bytes);
  constexpr std::string_view type = "/Type";
  std::int64_t pages = 0;
  for (std::size_t at = text.find(type); at != std::string_view::npos; at = text.find(type, at + type.size())) {
    std::string_view rest = text.substr(at + type.size(), 16);
    rest = rest.substr(std::min(rest.find_first_not_of(" \r\n\t"), rest.size()));
    if (rest.starts_with("/Page") && !rest.starts_with("/Pages")) ++pages;
  }
  info.pages = std::max<std::int64_t>(pages, 1);
  if (pages > 0) info.fields.emplace_back("pages", std::to_string(pages));
  const std::size_t mark = text.find(pdfMark);
  info.fields.emplace_back("version", printable(text.substr(mark + pdfMark.size(), 3)));
  if (text.substr(text.size() - std::min<std::size_t>(text.size(), 2048)).find("%%EOF") == std::string_view::npos) {
    info.warnings.emplace_back("the file may be cut short: its end mark is missing");
  }
}

}  // namespace

Result<void> checkPictureSize(std::uint64_t width, std::uint64_t height, const std::string& name) {
  if (width == 0 || height == 0) return damaged(name);
  const auto side = static_cast<std::uint64_t>(PictureReader::maxSide);
  if (width <= side && height <= side && width * height <= PictureReader::maxPixels) return {};
  return fail(ErrorCode::limitExceeded,
              "the picture has " + std::to_string(width) + " x " + std::to_string(height) + " pixels; at most " +
                  std::to_string(PictureReader::maxPixels >> 20) + " million are shown, " + std::to_string(side) +
                  " along a side",
              name);
}

bool PictureReader::recognises(const InputFile& file) const {
  return kindOf(file) != PictureKind::none;
}

Result<FileSummary> PictureReader::peek(const InputFile& file) const {
  return FileSummary{"document", std::string(formatOf(kindOf(file))), nullptr};
}

Result<ReadContent> PictureReader::readContent(std::span<const InputFile> files, const ReadOptions& options,
                                               MemorySink& sink) const {
  const InputFile& file = files.front();
  const PictureKind kind = kindOf(file);
  if (kind == PictureKind::tiff) return readTiff(file, options.timePoint.value_or(0), sink);
  if (file.bytes.size() > maxFileBytes) {
    return fail(ErrorCode::limitExceeded, "a document of more than 64 MiB is not shown", file.name);
  }
  DocumentInfo info;
  info.kind = "document";
  info.format = formatOf(kind);
  if (kind == PictureKind::pdf) {
    info.mediaType = "application/pdf";
    describePdf(file, info);
    return documentOf(std::move(info), asText(file.bytes), sink);
  }
  const auto described = kind == PictureKind::png    ? describePng(file, info)
                         : kind == PictureKind::jpeg ? describeJpeg(file, info)
                                                     : describeGif(file, info);
  if (!described) return tl::make_unexpected(described.error());
  const auto fits =
      checkPictureSize(static_cast<std::uint64_t>(info.width), static_cast<std::uint64_t>(info.height), file.name);
  if (!fits) return tl::make_unexpected(fits.error());
  info.mediaType = kind == PictureKind::png ? "image/png" : kind == PictureKind::jpeg ? "image/jpeg" : "image/gif";
  return documentOf(std::move(info), asText(file.bytes), sink);
}

}  // namespace nora
