# The index and the search on MariaDB. One process: the server starts once.
file(GLOB mariadb_sources CONFIGURE_DEPENDS ${CMAKE_CURRENT_LIST_DIR}/mariadb/*.cpp)
add_executable(archive_mariadb_tests ${mariadb_sources} ${CMAKE_CURRENT_LIST_DIR}/accounts_test.cpp ${CMAKE_CURRENT_LIST_DIR}/archive_test.cpp ${CMAKE_CURRENT_LIST_DIR}/database_test.cpp
               ${CMAKE_CURRENT_LIST_DIR}/accounts_safety_test.cpp ${CMAKE_CURRENT_LIST_DIR}/saved_views_test.cpp ${CMAKE_CURRENT_LIST_DIR}/index_kill_test.cpp
               ${CMAKE_CURRENT_LIST_DIR}/search_world.cpp ${CMAKE_CURRENT_LIST_DIR}/search_reference.cpp ${CMAKE_CURRENT_LIST_DIR}/search_suite.cpp)
target_link_libraries(archive_mariadb_tests PRIVATE nora_archive GTest::gmock GTest::gtest_main)
target_compile_definitions(archive_mariadb_tests PRIVATE NORA_SOURCE_DIR="${CMAKE_SOURCE_DIR}")
add_test(NAME Archive.mariadb COMMAND archive_mariadb_tests)
set_tests_properties(Archive.mariadb PROPERTIES LABELS db TIMEOUT 300)
