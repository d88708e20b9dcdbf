# What `make install` and the packages place. The programs look for ONNX Runtime and DuckDB in ../lib/slipway, where the
# tarball also carries the shared libraries that a bare system lacks.
include(GNUInstallDirs)

foreach(program slipway slipway-server slipway-worker)
  if(TARGET ${program})
    # The old kind of tag, which also serves the libraries of libraries.
    if(NOT program STREQUAL "slipway")  # which is static
      target_link_options(${program} PRIVATE -Wl,--disable-new-dtags)
      set_target_properties(${program} PROPERTIES INSTALL_RPATH "$ORIGIN/../lib/slipway")
    endif()
    install(TARGETS ${program} RUNTIME DESTINATION bin)
  endif()
endforeach()

install(FILES ${SLIPWAY_RUNTIME_LIBRARIES} DESTINATION lib/slipway)
install(FILES "${CMAKE_SOURCE_DIR}/LICENSE" "${CMAKE_SOURCE_DIR}/CHANGELOG.md" DESTINATION share/doc/slipway)
install(FILES "${SLIPWAY_DEPS}/onnxruntime/LICENSE" DESTINATION share/doc/slipway RENAME LICENSE.onnxruntime)
if(EXISTS "${SLIPWAY_DEPS}/duckdb/LICENSE")
  install(FILES "${SLIPWAY_DEPS}/duckdb/LICENSE" DESTINATION share/doc/slipway RENAME LICENSE.duckdb)
endif()
if(IS_DIRECTORY "${CMAKE_SOURCE_DIR}/include/slipway")
  install(DIRECTORY "${CMAKE_SOURCE_DIR}/include/slipway" DESTINATION include)
endif()
