#include "image/io/mesh_xml.hpp"

#include "image/io/byte_reader.hpp"

#include <algorithm>
#include <memory>
#include <type_traits>

#include <expat.h>

namespace nora {
namespace {

constexpr int maxDepth = 64;
constexpr std::size_t maxAttributes = 64;
constexpr std::size_t pieceBytes = std::size_t{16} << 20;  // expat takes an int

struct Walk {
  XML_Parser parser;
  const XmlVisitor& visitor;
  std::vector<std::string> texts = {};
  int depth = 0;
  bool skipping = false;
  std::string wrong = {};
  ErrorCode code = ErrorCode::invalidInput;

  void stop(std::string what, ErrorCode why = ErrorCode::invalidInput) {
    if (!wrong.empty()) return;
    wrong = std::move(what);
    code = why;
    XML_StopParser(parser, XML_FALSE);
  }
};

void opened(void* data, const XML_Char* name, const XML_Char** attributes) {
  Walk& walk = *static_cast<Walk*>(data);
  if (++walk.depth > maxDepth)
    return walk.stop("the XML is nested deeper than " + std::to_string(maxDepth) + " levels");
  XmlElement element{name, {}, 0};
  for (std::size_t i = 0; attributes[i] != nullptr && i < 2 * maxAttributes; i += 2) {
    element.attributes.emplace_back(attributes[i], attributes[i + 1]);
  }
  element.contentBegin = static_cast<std::size_t>(XML_GetCurrentByteIndex(walk.parser)) +
                         static_cast<std::size_t>(XML_GetCurrentByteCount(walk.parser));
  walk.texts.emplace_back();
  walk.skipping = element.name == walk.visitor.skipTextOf;
  if (std::string wrong = walk.visitor.open(element, walk.depth); !wrong.empty()) walk.stop(std::move(wrong));
}

void closed(void* data, const XML_Char* name) {
  Walk& walk = *static_cast<Walk*>(data);
  if (!walk.wrong.empty() || walk.texts.empty()) return;
  const auto end = static_cast<std::size_t>(XML_GetCurrentByteIndex(walk.parser));
  const std::string text = std::move(walk.texts.back());
  walk.texts.pop_back();
  walk.skipping = false;
  if (std::string wrong = walk.visitor.close(name, trimmed(text), end, walk.depth); !wrong.empty()) {
    walk.stop(std::move(wrong));
  }
  --walk.depth;
}

void gathered(void* data, const XML_Char* text, int size) {
  Walk& walk = *static_cast<Walk*>(data);
  if (walk.skipping || walk.texts.empty()) return;
  std::string& all = walk.texts.back();
  const std::size_t room = walk.visitor.mostText - std::min(walk.visitor.mostText, all.size());
  all.append(text, std::min(room, static_cast<std::size_t>(size)));
}

void entity(void* data, const XML_Char*, int, const XML_Char*, int, const XML_Char*, const XML_Char*, const XML_Char*,
            const XML_Char*) {
  static_cast<Walk*>(data)->stop("the XML declares entities, which nora does not expand", ErrorCode::unsupported);
}

}  // namespace

std::string_view XmlElement::attribute(std::string_view wanted) const {
  for (const auto& [key, value] : attributes) {
    if (key == wanted) return value;
  }
  return {};
}

Result<void> walkXml(std::string_view text, const XmlVisitor& visitor, const std::string& name) {
  const std::unique_ptr<std::remove_pointer_t<XML_Parser>, decltype(&XML_ParserFree)> parser(XML_ParserCreate(nullptr),
                                                                                             &XML_ParserFree);
  if (!parser) return fail(ErrorCode::limitExceeded, "out of memory while reading the XML", name);
  Walk walk{parser.get(), visitor};
  XML_SetHashSalt(parser.get(), 0x6e6f7261);  // else expat asks the system for random numbers
  XML_SetUserData(parser.get(), &walk);
  XML_SetElementHandler(parser.get(), opened, closed);
  XML_SetCharacterDataHandler(parser.get(), gathered);
  XML_SetEntityDeclHandler(parser.get(), entity);
  for (std::size_t at = 0;;) {
    const std::size_t size = std::min(pieceBytes, text.size() - at);
    const bool last = at + size == text.size();
    const auto status = XML_Parse(parser.get(), text.data() + at, static_cast<int>(size), last ? 1 : 0);
    if (!walk.wrong.empty()) return fail(walk.code, std::move(walk.wrong), name);
    if (status != XML_STATUS_OK) {
      return fail(ErrorCode::invalidInput,
                  std::string("the XML is damaged or cut short (") + XML_ErrorString(XML_GetErrorCode(parser.get())) +
                      " in line " + std::to_string(XML_GetCurrentLineNumber(parser.get())) + ")",
                  name);
    }
    at += size;
    if (last) return {};
  }
}

}  // namespace nora
