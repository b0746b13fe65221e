# Tests beside the rooms' own.
include(${CMAKE_CURRENT_LIST_DIR}/rules/rules.cmake)
include(${CMAKE_CURRENT_LIST_DIR}/image/reader_program.cmake)
include(${CMAKE_CURRENT_LIST_DIR}/fuzz/fuzz.cmake)
include(${CMAKE_CURRENT_LIST_DIR}/archive/mariadb.cmake)
