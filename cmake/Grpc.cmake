# The gRPC half of the inference protocol, in two parts.
#
# slipway_grpc_messages: what protoc makes of src/api/inference/grpc.proto. Its code is not ours to warn about.
# slipway-grpc: libslipway-grpc.so, the only thing that links gRPC. The server loads it when it is told to answer gRPC, so
# that a server without costs nothing for it.
pkg_check_modules(PROTOBUF REQUIRED IMPORTED_TARGET protobuf)
pkg_check_modules(GRPCPP REQUIRED IMPORTED_TARGET grpc++)
find_program(PROTOC protoc REQUIRED)

function(slipway_grpc_messages)
  set(out ${CMAKE_BINARY_DIR}/generated/messages)
  set(proto api/inference/grpc)
  file(MAKE_DIRECTORY ${out})
  add_custom_command(
    OUTPUT ${out}/${proto}.pb.cc ${out}/${proto}.pb.h
    COMMAND ${PROTOC} --proto_path=${CMAKE_SOURCE_DIR}/src --cpp_out=${out} ${proto}.proto
    DEPENDS ${CMAKE_SOURCE_DIR}/src/${proto}.proto
    COMMENT "Making the messages of gRPC"
    VERBATIM)
  add_library(slipway_grpc_messages STATIC ${out}/${proto}.pb.cc)
  target_include_directories(slipway_grpc_messages SYSTEM PUBLIC ${out})
  target_link_libraries(slipway_grpc_messages PUBLIC PkgConfig::PROTOBUF)
endfunction()

# slipway_grpc_library(ROOM SOURCE): takes SOURCE out of the room's library and makes libslipway-grpc.so of it.
function(slipway_grpc_library room source)
  get_target_property(sources ${room} SOURCES)
  list(REMOVE_ITEM sources ${source})
  set_target_properties(${room} PROPERTIES SOURCES "${sources}")
  add_library(slipway-grpc MODULE ${source})
  target_include_directories(slipway-grpc PRIVATE ${CMAKE_SOURCE_DIR}/src)
  target_compile_options(slipway-grpc PRIVATE ${SLIPWAY_WARNINGS} -fvisibility=hidden)
  target_link_libraries(slipway-grpc PRIVATE -Wl,--as-needed PkgConfig::GRPCPP Threads::Threads)
  if(NOT SLIPWAY_SANITIZE)
    target_link_options(slipway-grpc PRIVATE -Wl,-z,defs)  # it stands on its own: nothing of ours but one header
  endif()
  set_target_properties(slipway-grpc PROPERTIES LIBRARY_OUTPUT_DIRECTORY "${CMAKE_BINARY_DIR}/lib/slipway")
  install(TARGETS slipway-grpc LIBRARY DESTINATION lib/slipway)
endfunction()
