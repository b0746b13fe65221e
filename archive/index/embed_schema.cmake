# cmake -DOUT=FILE.cpp "-DFILES=A.sql;B.sql" -P embed_schema.cmake: the schema as a C++ file.
set(text "// Made from archive/index/schema.\n#include \"archive/index/migration.hpp\"\n\nnamespace nora {\n\n"
         "const std::vector<SchemaFile>& schemaFiles() {\n  static const std::vector<SchemaFile> files{\n")
foreach(file ${FILES})
  get_filename_component(name ${file} NAME)
  string(REGEX MATCH "^[0-9]+" version ${name})
  math(EXPR number "1${version} % 10000")
  file(READ ${file} sql)
  string(APPEND text "      {${number}, \"${name}\", R\"sql(${sql})sql\"},\n")
endforeach()
string(APPEND text "  };\n  return files;\n}\n\n}  // namespace nora\n")
file(WRITE ${OUT} "${text}")
