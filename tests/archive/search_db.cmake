# The search on MariaDB; skipped where there is no mariadbd.
add_executable(search_mariadb_tests ${CMAKE_CURRENT_LIST_DIR}/mariadb/search_mariadb_test.cpp
               ${CMAKE_CURRENT_LIST_DIR}/search_world.cpp ${CMAKE_CURRENT_LIST_DIR}/search_reference.cpp
               ${CMAKE_CURRENT_LIST_DIR}/search_suite.cpp)
target_link_libraries(search_mariadb_tests PRIVATE nora_archive GTest::gmock GTest::gtest_main)
gtest_discover_tests(search_mariadb_tests PROPERTIES LABELS db TIMEOUT 300 DISCOVERY_TIMEOUT 60)
