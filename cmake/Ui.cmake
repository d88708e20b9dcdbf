# slipway_embed_ui(TARGET): puts ui/dist, as `npm run build` left it, into TARGET.
#
# The tool runs at every build and touches its outputs only when they change, so a UI that is built after the tree was
# configured, or not at all, needs no configuring again.
function(slipway_embed_ui target)
  set(out ${CMAKE_BINARY_DIR}/ui)
  add_custom_target(slipway_ui_assets
    COMMAND ${CMAKE_SOURCE_DIR}/tools/embed_assets ${CMAKE_SOURCE_DIR}/ui/dist ${out} ui
    BYPRODUCTS ${out}/ui_assets.cc ${out}/ui_assets.S
    COMMENT "Embedding the UI")
  target_sources(${target} PRIVATE ${out}/ui_assets.cc ${out}/ui_assets.S)
  set_source_files_properties(${out}/ui_assets.S PROPERTIES SKIP_PRECOMPILE_HEADERS ON)
  add_dependencies(${target} slipway_ui_assets)
endfunction()

# slipway_embed_openapi(TARGET): renders src/api/openapi and puts the document into TARGET.
function(slipway_embed_openapi target)
  set(out ${CMAKE_BINARY_DIR}/openapi)
  file(GLOB sources CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/src/api/openapi/*.yaml)
  add_custom_command(
    OUTPUT ${out}/openapi_assets.cc ${out}/openapi_assets.S
    COMMAND ${CMAKE_SOURCE_DIR}/tools/render_openapi ${CMAKE_SOURCE_DIR}/src/api/openapi ${out}/document/openapi.json
    COMMAND ${CMAKE_SOURCE_DIR}/tools/embed_assets ${out}/document ${out} openapi
    COMMAND ${CMAKE_COMMAND} -E touch ${out}/openapi_assets.cc ${out}/openapi_assets.S
    DEPENDS ${sources} ${CMAKE_SOURCE_DIR}/tools/render_openapi ${CMAKE_SOURCE_DIR}/tools/embed_assets
    COMMENT "Rendering the API's description"
    VERBATIM)
  target_sources(${target} PRIVATE ${out}/openapi_assets.cc ${out}/openapi_assets.S)
  set_source_files_properties(${out}/openapi_assets.S PROPERTIES SKIP_PRECOMPILE_HEADERS ON)
endfunction()
