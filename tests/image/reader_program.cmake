# The reader process of the tests: the real server loop and sandbox with a format that misbehaves on request.
add_executable(reader_program ${CMAKE_CURRENT_LIST_DIR}/reader_program/main.cpp)
target_link_libraries(reader_program PRIVATE nora_image)
if(TARGET image_tests)
  add_dependencies(image_tests reader_program)
  target_compile_definitions(image_tests PRIVATE NORA_READER_PROGRAM="$<TARGET_FILE:reader_program>")
endif()
