# The index and the search on MariaDB. One process: the server starts once.
file(GLOB mariadb_sources CONFIGURE_DEPENDS ${CMAKE_CURRENT_LIST_DIR}/mariadb/*.cpp)
# The shared suite: whatever asks fresh_database.hpp for an index.
set(shared_sources accounts_test accounts_safety_test archive_test archive_scans_test archive_sorted_test database_test index_health_test index_kill_test journal_test
                   saved_views_test search_reference search_suite search_world)
list(TRANSFORM shared_sources PREPEND ${CMAKE_CURRENT_LIST_DIR}/)
list(TRANSFORM shared_sources APPEND .cpp)
add_executable(archive_mariadb_tests ${mariadb_sources} ${shared_sources})
target_link_libraries(archive_mariadb_tests PRIVATE nora_archive GTest::gmock GTest::gtest_main)
target_compile_definitions(archive_mariadb_tests PRIVATE NORA_SOURCE_DIR="${CMAKE_SOURCE_DIR}")
add_test(NAME Archive.mariadb COMMAND archive_mariadb_tests)
set_tests_properties(Archive.mariadb PROPERTIES LABELS db TIMEOUT 300)
