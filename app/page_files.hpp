// The built page, compiled into the program (app/embed_page.cmake).
#pragma once

#include <span>
#include <string_view>

namespace nora {

struct PageFile {
  std::string_view path;  // "/index.html"
  std::string_view contentType;
  std::string_view gzip;  // the file, compressed
  std::string_view plain;
  std::string_view etag;  // with quotes
};

[[nodiscard]] std::span<const PageFile> pageFiles();

}  // namespace nora
