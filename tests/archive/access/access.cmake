# Users and rights: what needs nobody else (unit), and the adapters against real peers on loopback (net).
file(GLOB access_sources CONFIGURE_DEPENDS ${CMAKE_CURRENT_LIST_DIR}/*.cpp)
add_executable(access_tests ${access_sources})
target_link_libraries(access_tests PRIVATE nora_archive OpenSSL::Crypto GTest::gmock GTest::gtest_main)
gtest_discover_tests(access_tests PROPERTIES LABELS unit TIMEOUT 60 DISCOVERY_TIMEOUT 60)

file(GLOB access_peer_sources CONFIGURE_DEPENDS ${CMAKE_CURRENT_LIST_DIR}/peers/*.cpp)
if(access_peer_sources)
  add_executable(access_peer_tests ${access_peer_sources})
  target_link_libraries(access_peer_tests PRIVATE nora_archive GTest::gmock GTest::gtest_main)
  target_compile_definitions(access_peer_tests PRIVATE NORA_ACCESS_PEERS="${CMAKE_CURRENT_LIST_DIR}/peers")
  # One process for all of them: each suite starts its peer once.
  add_test(NAME Access.peers COMMAND access_peer_tests)
  set_tests_properties(Access.peers PROPERTIES LABELS net TIMEOUT 120)
endif()
