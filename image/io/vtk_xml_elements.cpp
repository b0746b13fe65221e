#include "image/io/vtk_xml_elements.hpp"

#include "image/io/byte_reader.hpp"

#include <algorithm>
#include <memory>

#include <expat.h>

namespace nora {
namespace {

constexpr std::size_t mostDepth = 64;
constexpr std::size_t mostArrays = 100000;

/// Follows the parser. Text is not collected: expat tells where it is in the file, and the text is used where it lies.
class Follower {
 public:
  Follower(XML_Parser parser, std::span<const std::byte> bytes, bool headOnly)
      : parser_(parser), bytes_(bytes), headOnly_(headOnly) {}

  VtkXml xml;
  bool complete = false;  // stopped where all is known
  bool refused = false;   // stopped because something is out of bounds

  void start(std::string_view name, const char** pairs) {
    if (path_.size() >= mostDepth) return refuse();
    endText();
    VtkAttributes attributes;
    for (; *pairs != nullptr; pairs += 2) attributes.insert_or_assign(pairs[0], pairs[1]);
    const std::string outer = path_.empty() ? std::string() : path_.back();
    path_.emplace_back(name);
    if (path_.size() == 1)
      xml.file = std::move(attributes);
    else if (path_.size() == 2 && name != "AppendedData")
      xml.dataset = std::move(attributes);
    else if (name == "Piece")
      piece(std::move(attributes));
    else if (name == "PointData" && xml.pieces <= 1)
      active(attributes);
    else if ((name == "DataArray" || name == "Array") && xml.pieces <= 1)
      array(outer, std::move(attributes));
    else if (name == "AppendedData")
      appended(attributes);
  }

  void end() {
    endText();
    if (!path_.empty()) {
      if (path_.back() == "DataArray" || path_.back() == "Array") inArray_ = false;
      path_.pop_back();
    }
    textFrom_ = static_cast<std::size_t>(XML_GetCurrentByteIndex(parser_) + XML_GetCurrentByteCount(parser_));
  }

  void refuse() {
    refused = true;
    XML_StopParser(parser_, XML_FALSE);
  }

 private:
  void stop() {
    complete = true;
    XML_StopParser(parser_, XML_FALSE);
  }

  void piece(VtkAttributes attributes) {
    if (++xml.pieces == 1) xml.piece = std::move(attributes);
    if (headOnly_) stop();
  }
  void active(const VtkAttributes& attributes) {
    xml.scalars = valueOf(attributes, "Scalars");
    xml.normals = valueOf(attributes, "Normals");
  }

  void array(const std::string& section, VtkAttributes attributes) {
    if (xml.arrays.size() >= mostArrays) return refuse();
    xml.arrays.push_back({section, std::move(attributes), {}});
    inArray_ = true;
    textFrom_ = static_cast<std::size_t>(XML_GetCurrentByteIndex(parser_) + XML_GetCurrentByteCount(parser_));
  }
  /// The longest stretch of an array's own text is the data; VTK puts elements with information beside it.
  void endText() {
    if (!inArray_ || (path_.back() != "DataArray" && path_.back() != "Array")) return;
    const auto here = static_cast<std::size_t>(std::max<XML_Index>(0, XML_GetCurrentByteIndex(parser_)));
    auto& text = xml.arrays.back().text;
    if (here > textFrom_ && here <= bytes_.size() && here - textFrom_ > text.size()) {
      text = asText(bytes_.subspan(textFrom_, here - textFrom_));
    }
  }

  void appended(const VtkAttributes& attributes) {
    xml.appendedRaw = valueOf(attributes, "encoding") == "raw";
    const auto rest = asText(bytes_).substr(std::min(
        bytes_.size(), static_cast<std::size_t>(XML_GetCurrentByteIndex(parser_) + XML_GetCurrentByteCount(parser_))));
    const auto underscore = rest.find('_');
    if (underscore == std::string_view::npos) return refuse();
    xml.appended = bytes_.last(rest.size() - underscore - 1);
    stop();
  }

  XML_Parser parser_;
  std::span<const std::byte> bytes_;
  bool headOnly_ = false;
  bool inArray_ = false;
  std::size_t textFrom_ = 0;
  std::vector<std::string> path_;
};

void onStart(void* follower, const XML_Char* name, const XML_Char** attributes) {
  static_cast<Follower*>(follower)->start(name, attributes);
}
void onEnd(void* follower, const XML_Char*) {
  static_cast<Follower*>(follower)->end();
}
void onEntity(void* follower, const XML_Char*, int, const XML_Char*, int, const XML_Char*, const XML_Char*,
              const XML_Char*, const XML_Char*) {
  static_cast<Follower*>(follower)->refuse();
}

}  // namespace

std::string_view valueOf(const VtkAttributes& attributes, std::string_view key) {
  const auto found = attributes.find(key);
  return found == attributes.end() ? std::string_view{} : std::string_view(found->second);
}

Result<VtkXml> readVtkElements(std::span<const std::byte> bytes, bool headOnly, const std::string& name) {
  const std::unique_ptr<XML_ParserStruct, decltype(&XML_ParserFree)> parser(XML_ParserCreate(nullptr), &XML_ParserFree);
  if (!parser) return fail(ErrorCode::limitExceeded, "out of memory while reading the file", name);
  Follower follower(parser.get(), bytes, headOnly);
  XML_SetUserData(parser.get(), &follower);
  XML_SetElementHandler(parser.get(), &onStart, &onEnd);
  XML_SetEntityDeclHandler(parser.get(), &onEntity);
  constexpr std::size_t chunkBytes = std::size_t{1} << 20;
  for (std::size_t at = 0; at <= bytes.size() && !follower.complete && !follower.refused; at += chunkBytes) {
    const auto chunk = bytes.subspan(at, std::min(chunkBytes, bytes.size() - at));
    const bool last = at + chunkBytes >= bytes.size();
    const auto status = XML_Parse(parser.get(), reinterpret_cast<const char*>(chunk.data()),
                                  static_cast<int>(chunk.size()), last ? XML_TRUE : XML_FALSE);
    if (status == XML_STATUS_OK || follower.complete || follower.refused) {
      if (last) break;
      continue;
    }
    const XML_Error error = XML_GetErrorCode(parser.get());
    return fail(ErrorCode::invalidInput,
                "the file is cut short or damaged in line " + std::to_string(XML_GetCurrentLineNumber(parser.get())) +
                    " (" + XML_ErrorString(error) + ")",
                name);
  }
  if (follower.refused) {
    return fail(ErrorCode::invalidInput, "the file is no VTK file that can be read: nested too deeply or damaged",
                name);
  }
  return std::move(follower.xml);
}

}  // namespace nora
