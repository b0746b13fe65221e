# Tests beside the rooms' own.
include(${CMAKE_CURRENT_LIST_DIR}/rules/rules.cmake)
