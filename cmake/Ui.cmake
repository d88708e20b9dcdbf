# slipway_embed_ui(TARGET): puts ui/dist, as `npm run build` left it, into TARGET.
#
# The tool runs at every build and touches its outputs only when they change, so a UI that is built after the tree was
# configured, or not at all, needs no configuring again.
function(slipway_embed_ui target)
  set(out ${CMAKE_BINARY_DIR}/ui)
  add_custom_target(slipway_ui_assets
    COMMAND ${CMAKE_SOURCE_DIR}/tools/embed_ui ${CMAKE_SOURCE_DIR}/ui/dist ${out}
    BYPRODUCTS ${out}/ui_assets.cc ${out}/ui_assets.S
    COMMENT "Embedding the UI")
  target_sources(${target} PRIVATE ${out}/ui_assets.cc ${out}/ui_assets.S)
  set_source_files_properties(${out}/ui_assets.S PROPERTIES SKIP_PRECOMPILE_HEADERS ON)
  add_dependencies(${target} slipway_ui_assets)
endfunction()
