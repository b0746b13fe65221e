#include "image/io/dicom_csa.hpp"

#include "image/io/byte_reader.hpp"
#include "image/io/dicom_text.hpp"

#include <array>
#include <cstdint>

namespace nora {
namespace {

constexpr std::uint32_t maxTags = 1000, maxItems = 10000;  // real headers have some hundred tags of some items
constexpr std::size_t nameBytes = 64;

}  // namespace

CsaHeader::CsaHeader(std::span<const std::byte> bytes) {
  ByteReader reader(bytes);
  const bool second = asText(bytes).starts_with("SV10");
  if (second) reader.skip(8);
  const auto tags = reader.number<std::uint32_t>();
  reader.skip(4);
  if (tags > maxTags) return;
  std::uint32_t firstItems = 0;  // CSA1 counts lengths from the number of items of the first tag
  for (std::uint32_t t = 0; t < tags && reader.good(); ++t) {
    const std::string name(reader.text(nameBytes));
    reader.skip(4 + 4 + 4);  // multiplicity, VR, its number
    const auto items = reader.number<std::uint32_t>();
    reader.skip(4);
    if (items > maxItems) return;
    if (t == 0) firstItems = items;
    auto& values = values_[name];
    for (std::uint32_t i = 0; i < items && reader.good(); ++i) {
      std::array<std::uint32_t, 4> head{};
      for (auto& word : head) word = reader.number<std::uint32_t>();
      const std::uint32_t size = second ? head[1] : head[0] - firstItems;
      if (!reader.good() || size > reader.left()) return;
      std::string value = cleanedText(reader.text(size));
      reader.skip((4 - size % 4) % 4);
      if (!value.empty()) values.push_back(std::move(value));
    }
  }
}

const std::vector<std::string>& CsaHeader::texts(const std::string& name) const {
  static const std::vector<std::string> none;
  const auto found = values_.find(name);
  return found == values_.end() ? none : found->second;
}

std::optional<double> CsaHeader::number(const std::string& name) const {
  const auto& all = texts(name);
  return all.empty() ? std::nullopt : numberOfText(all.front());
}

std::vector<double> CsaHeader::numbers(const std::string& name) const {
  std::vector<double> values;
  for (const auto& text : texts(name)) {
    const auto value = numberOfText(text);
    if (!value) return {};
    values.push_back(*value);
  }
  return values;
}

std::optional<double> protocolNumber(std::span<const std::byte> bytes, std::string_view name) {
  const std::string_view text = asText(bytes);
  const auto start = text.find("### ASCCONV BEGIN");
  const auto end = start == std::string_view::npos ? start : text.find("### ASCCONV END", start);
  if (end == std::string_view::npos) return std::nullopt;
  const std::string_view protocol = text.substr(start, end - start);
  const std::string key(name);
  const auto at = protocol.find("\n" + key);
  if (at == std::string_view::npos) return std::nullopt;
  ByteReader reader(std::as_bytes(std::span(protocol.data(), protocol.size())).subspan(at + 1 + key.size()));
  const std::string_view line = trimmed(reader.line());
  if (!line.starts_with('=')) return std::nullopt;
  return numberFrom<double>(line.substr(1));
}

}  // namespace nora
