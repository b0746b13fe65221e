#include "image/io/nifti_extensions.hpp"

#include "image/io/byte_reader.hpp"

#include <string>
#include <string_view>
#include <utility>

namespace nora {
namespace {

constexpr std::size_t lengthBytes = 8;      // size and code
constexpr std::size_t mostExtensions = 64;  // shown
constexpr std::size_t shownBytes = 160;     // of the text

std::string_view kindOfExtension(int code) {
  static constexpr std::pair<int, std::string_view> names[] = {
      {0, "unspecified"},    {2, "DICOM"},        {4, "AFNI"},        {6, "comment"},
      {8, "XCEDE"},          {10, "JIM"},         {12, "workflow"},   {14, "FreeSurfer"},
      {16, "Python pickle"}, {18, "MiND"},        {20, "b-value"},    {22, "spherical direction"},
      {24, "DT component"},  {26, "SHC degree"},  {28, "VoxBo"},      {30, "Caret"},
      {32, "CIFTI"},         {34, "frame times"}, {38, "evaluation"}, {40, "MATLAB"},
      {42, "Quantiphyse"},   {44, "MRS"},
  };
  for (const auto& [known, name] : names) {
    if (known == code) return name;
  }
  return "unknown";
}

/// The beginning of a text in one line; empty if it is no text.
std::string shownText(std::string_view content) {
  content = trimmed(content.substr(0, content.find('\0')));
  const bool isCut = content.size() > shownBytes;
  std::string text(content.substr(0, shownBytes));
  for (char& c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte == '\n' || byte == '\r' || byte == '\t') c = ' ';
    if (byte < ' ' && c != ' ') return {};
  }
  return printable(text) + (isCut ? "..." : "");
}

}  // namespace

void describeExtensions(std::span<const std::byte> front, const NiftiHeader& header, ImageInfo& info) {
  const auto flagAt = static_cast<std::size_t>(header.smallestOffset()) - 4;
  if (front.size() <= flagAt || front[flagAt] == std::byte{0}) return;
  constexpr auto native = std::endian::native;
  constexpr auto other = native == std::endian::little ? std::endian::big : std::endian::little;
  ByteReader in(front, header.swapped ? other : native);
  in.seek(flagAt + 4);
  for (std::size_t n = 0; in.left() >= lengthBytes && n < mostExtensions; ++n) {
    const auto size = in.number<std::uint32_t>();
    const auto code = in.number<std::int32_t>();
    if (size == 0) return;  // zeros up to the voxels
    const bool isCut = !header.pair && static_cast<std::size_t>(header.voxOffset) > front.size();
    if (isCut && size > in.left()) return;  // larger than what was kept
    if (size < lengthBytes || size % 16 != 0 || size - lengthBytes > in.left()) {
      info.warnings.emplace_back("a header extension has a wrong length; it and what follows it are skipped");
      return;
    }
    const std::string text = shownText(asText(in.take(size - lengthBytes)));
    info.fields.emplace_back(
        "extension: " + std::string(kindOfExtension(code)),
        "code " + std::to_string(code) + ", " + std::to_string(size) + " bytes" + (text.empty() ? "" : ": " + text));
  }
}

}  // namespace nora
