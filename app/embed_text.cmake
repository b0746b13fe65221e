# cmake -DFILE=... -DNAME=function -DOUT=FILE.cpp -P embed_text.cmake: a text file as a C++ function that has it.
file(READ ${FILE} text)
file(WRITE ${OUT} "// Made by app/embed_text.cmake.
#include \"app/embedded_texts.hpp\"

namespace nora {

std::string_view ${NAME}() {
  return R\"embedded(${text})embedded\";
}

}  // namespace nora
")
