# Tests that are scripts: the rules of the repository and its commands.
function(nora_script_test name)
  add_test(NAME ${name} COMMAND ${ARGN})
  set_tests_properties(${name} PROPERTIES LABELS unit TIMEOUT 60)
endfunction()

set(rules ${CMAKE_SOURCE_DIR}/tests/rules)
nora_script_test(Rules.IncludesStayInTheirRooms /usr/bin/python3 ${rules}/include_rules.py ${CMAKE_SOURCE_DIR})
nora_script_test(Rules.EveryKindOfBreakIsFound /usr/bin/python3 ${rules}/include_rules.py --self-test)
nora_script_test(Rules.SampleDataHasItsLicences /usr/bin/python3 ${rules}/sample_data.py ${CMAKE_SOURCE_DIR})
nora_script_test(Scripts.GpuCheckRefuses ${CMAKE_SOURCE_DIR}/tests/scripts/gpu_check_test.sh refusals)
if(NORA_CUDA AND CMAKE_BINARY_DIR STREQUAL "${CMAKE_SOURCE_DIR}/build")  # where tools/gpu-check packs
  nora_script_test(Scripts.GpuCheckRunsInACleanPlace ${CMAKE_SOURCE_DIR}/tests/scripts/gpu_check_test.sh whole)
  # Alone: it may link nora again, which others are using.
  set_tests_properties(Scripts.GpuCheckRunsInACleanPlace PROPERTIES LABELS slow TIMEOUT 600 RUN_SERIAL TRUE)
endif()
nora_script_test(Scripts.RunAndCheckRefuseAndStart ${CMAKE_SOURCE_DIR}/tests/scripts/run_test.sh)
