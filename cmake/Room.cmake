# slipway_room(NAME [LINKS room...] [LIBRARIES target...])
#
# One folder under src/ is one room: one static library of its .cc files, one test program of its *_test.cc files.
# LINKS are the other rooms whose headers it may include; tools/check_rooms holds the includes and the README against
# that list. LIBRARIES are third-party targets; they are PRIVATE, so that their headers stay inside the room.
# Each NAME_fuzz.cc becomes a program NAME_fuzz: with libFuzzer in the preset `fuzz`, else with the plain driver of
# tests/fuzz, which runs the corpus and the same mutations every time.
# Every room is compiled with one precompiled header of the standard library.
file(CONFIGURE OUTPUT ${CMAKE_BINARY_DIR}/generated/precompiled.cc CONTENT "// Only here to carry the precompiled header.\n")
add_library(slipway_precompiled OBJECT ${CMAKE_BINARY_DIR}/generated/precompiled.cc)
target_compile_options(slipway_precompiled PRIVATE ${SLIPWAY_WARNINGS})
target_precompile_headers(slipway_precompiled PRIVATE ${CMAKE_SOURCE_DIR}/cmake/precompiled.h)

function(slipway_room name)
  cmake_parse_arguments(ROOM "" "" "LINKS;LIBRARIES" ${ARGN})
  file(GLOB_RECURSE sources CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/*.cc)
  set(tests ${sources})
  set(fuzz_targets ${sources})
  list(FILTER sources EXCLUDE REGEX "(_test|_fuzz|_bench)\\.cc$")
  list(FILTER fuzz_targets INCLUDE REGEX "_fuzz\\.cc$")
  list(FILTER tests INCLUDE REGEX "_test\\.cc$")

  if(NOT sources)
    return()
  endif()
  set(library slipway_${name})
  add_library(${library} STATIC ${sources})
  target_include_directories(${library} PUBLIC ${CMAKE_SOURCE_DIR}/src)
  target_compile_options(${library} PRIVATE ${SLIPWAY_WARNINGS})
  list(TRANSFORM ROOM_LINKS PREPEND slipway_ OUTPUT_VARIABLE links)
  target_link_libraries(${library} PUBLIC ${links} Threads::Threads PRIVATE ${ROOM_LIBRARIES})
  target_precompile_headers(${library} REUSE_FROM slipway_precompiled)

  if(SLIPWAY_UNIT_TESTS AND tests)
    add_executable(${name}_test ${tests})
    target_compile_options(${name}_test PRIVATE ${SLIPWAY_WARNINGS})
    target_precompile_headers(${name}_test REUSE_FROM slipway_precompiled)
    target_link_libraries(${name}_test PRIVATE ${library} ${ROOM_LIBRARIES} GTest::gtest GTest::gtest_main)
    add_test(NAME ${name} COMMAND ${name}_test)
  endif()

  if(SLIPWAY_UNIT_TESTS)
    foreach(source ${fuzz_targets})
      get_filename_component(target ${source} NAME_WE)
      add_executable(${target} ${source} $<$<NOT:$<BOOL:${SLIPWAY_LIBFUZZER}>>:${CMAKE_SOURCE_DIR}/tests/fuzz/driver.cc>)
      target_compile_options(${target} PRIVATE ${SLIPWAY_WARNINGS})
      target_link_libraries(${target} PRIVATE ${library} ${ROOM_LIBRARIES})
      if(SLIPWAY_LIBFUZZER)
        target_link_options(${target} PRIVATE -fsanitize=fuzzer)
      endif()
    endforeach()
  endif()
endfunction()

# slipway_program(NAME LINKS room... [LIBRARIES target...]): one program under src/apps/.
function(slipway_program name)
  cmake_parse_arguments(PROGRAM "" "" "LINKS;LIBRARIES" ${ARGN})
  file(GLOB_RECURSE sources CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/*.cc)
  add_executable(${name} ${sources})
  target_compile_options(${name} PRIVATE ${SLIPWAY_WARNINGS})
  target_precompile_headers(${name} REUSE_FROM slipway_precompiled)
  list(TRANSFORM PROGRAM_LINKS PREPEND slipway_ OUTPUT_VARIABLE links)
  target_link_libraries(${name} PRIVATE ${links} ${PROGRAM_LIBRARIES} Threads::Threads)
endfunction()
