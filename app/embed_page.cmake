# Writes a C++ file that holds the built page. Run as: cmake -DDIST=... -DOUT=... -P embed_page.cmake
set(types "html=text/html\; charset=utf-8" "js=text/javascript\; charset=utf-8" "css=text/css\; charset=utf-8"
    "svg=image/svg+xml" "png=image/png" "ico=image/x-icon" "json=application/json" "webmanifest=application/manifest+json")
file(GLOB files RELATIVE ${DIST} ${DIST}/*)
list(SORT files)
set(symbols "")
set(table "")
set(number 0)
foreach(file ${files})
  if(file MATCHES "\\.map$")
    continue()
  endif()
  set(type "application/octet-stream")
  foreach(pair ${types})
    string(REGEX MATCH "^([a-z]+)=(.*)$" ignored "${pair}")
    if(file MATCHES "\\.${CMAKE_MATCH_1}$")
      string(REGEX MATCH "^([a-z]+)=(.*)$" ignored "${pair}")
      set(type "${CMAKE_MATCH_2}")
    endif()
  endforeach()
  execute_process(COMMAND gzip -9 -n -c ${DIST}/${file} OUTPUT_FILE ${OUT}.${number}.gz RESULT_VARIABLE failed)
  if(failed)
    message(FATAL_ERROR "gzip failed on ${file}")
  endif()
  file(SHA256 ${DIST}/${file} sum)
  string(SUBSTRING ${sum} 0 16 sum)
  foreach(kind plain gzip)
    set(path ${DIST}/${file})
    if(kind STREQUAL gzip)
      set(path ${OUT}.${number}.gz)
    endif()
    string(APPEND symbols
      "asm(\".section .rodata\\n.global nora_${kind}_${number}\\nnora_${kind}_${number}:\\n.incbin \\\"${path}\\\"\\n"
      ".global nora_${kind}_${number}_end\\nnora_${kind}_${number}_end:\\n.byte 0\\n.previous\\n\");\n"
      "extern \"C\" const char nora_${kind}_${number}[], nora_${kind}_${number}_end[];\n")
  endforeach()
  string(APPEND table
    "      PageFile{\"/${file}\", \"${type}\", view(nora_gzip_${number}, nora_gzip_${number}_end), "
    "view(nora_plain_${number}, nora_plain_${number}_end), \"\\\"${sum}\\\"\"},\n")
  math(EXPR number "${number} + 1")
endforeach()
file(WRITE ${OUT}
"// Made by app/embed_page.cmake.
#include \"app/page_files.hpp\"

#include <array>

${symbols}
namespace nora {
namespace {
std::string_view view(const char* begin, const char* end) { return {begin, static_cast<std::size_t>(end - begin)}; }
}  // namespace

std::span<const PageFile> pageFiles() {
  static const std::array<PageFile, ${number}> files{
${table}  };
  return files;
}

}  // namespace nora
")
