# The search on MariaDB; left out where MySQL's connector is not there.
find_library(NORA_MYSQL_CONNECTOR mysqlcppconn)
if(NORA_MYSQL_CONNECTOR)
  add_executable(search_mariadb_tests ${CMAKE_CURRENT_LIST_DIR}/mariadb/search_mariadb_test.cpp
                 ${CMAKE_CURRENT_LIST_DIR}/search_world.cpp ${CMAKE_CURRENT_LIST_DIR}/search_reference.cpp
                 ${CMAKE_CURRENT_LIST_DIR}/search_suite.cpp)
  target_link_libraries(search_mariadb_tests PRIVATE nora_archive ${NORA_MYSQL_CONNECTOR} GTest::gmock GTest::gtest_main)
  target_compile_definitions(search_mariadb_tests PRIVATE NORA_SOURCE_DIR="${CMAKE_SOURCE_DIR}")
  gtest_discover_tests(search_mariadb_tests PROPERTIES LABELS db TIMEOUT 300 DISCOVERY_TIMEOUT 60)
endif()
