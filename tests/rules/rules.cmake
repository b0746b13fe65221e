# Tests that are scripts: the include rules and the commands of the repository.
add_test(NAME Scripts.RunAndCheckRefuseAndStart COMMAND ${CMAKE_SOURCE_DIR}/tests/scripts/run_test.sh)
set_tests_properties(Scripts.RunAndCheckRefuseAndStart PROPERTIES LABELS unit TIMEOUT 60)
