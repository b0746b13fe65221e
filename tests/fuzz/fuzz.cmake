# Damaged files: a run over every format through real reader processes, and libFuzzer targets with clang.
if(TARGET nora_app)
  add_executable(mutation_run ${CMAKE_CURRENT_LIST_DIR}/mutation_run.cpp ${CMAKE_CURRENT_LIST_DIR}/mutation.cpp)
  target_link_libraries(mutation_run PRIVATE nora_app ZLIB::ZLIB BZip2::BZip2 LibLZMA::LibLZMA CLI11::CLI11)
  target_compile_definitions(mutation_run PRIVATE NORA_PROGRAM="${CMAKE_RUNTIME_OUTPUT_DIRECTORY}/nora")
  add_dependencies(mutation_run nora)
  # A small sample; docs/TESTING.md has the long run.
  add_test(NAME Mutants.few COMMAND mutation_run --mutants 2 ${CMAKE_SOURCE_DIR}/tests/data/formats)
  set_tests_properties(Mutants.few PROPERTIES TIMEOUT 300 LABELS net)
endif()

option(NORA_FUZZ "Build the libFuzzer target (needs clang++)" OFF)
if(NORA_FUZZ)
  add_executable(fuzz_reader ${CMAKE_CURRENT_LIST_DIR}/fuzz_reader.cpp)
  target_link_libraries(fuzz_reader PRIVATE nora_image)
  target_link_options(fuzz_reader PRIVATE -fsanitize=fuzzer)
endif()
