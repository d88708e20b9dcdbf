# Where each library comes from. All but ONNX Runtime and DuckDB are Debian packages that tools/bootstrap installs.
find_package(Threads REQUIRED)
find_package(Boost 1.81 REQUIRED)
find_package(OpenSSL REQUIRED)
find_package(simdjson REQUIRED)  # server only: it has no static library
find_package(yaml-cpp REQUIRED)
find_package(CLI11 REQUIRED)
find_package(fmt REQUIRED)
find_package(SQLite3 REQUIRED)
find_package(PostgreSQL REQUIRED)
find_package(ZLIB REQUIRED)
find_package(PkgConfig REQUIRED)
pkg_check_modules(ZSTD REQUIRED IMPORTED_TARGET libzstd)
pkg_check_modules(RE2 REQUIRED IMPORTED_TARGET re2)
# Its -pthread would keep a room from the precompiled header; Threads::Threads says what is needed.
set_target_properties(PkgConfig::RE2 PROPERTIES INTERFACE_COMPILE_OPTIONS "")

pkg_check_modules(ARGON2 REQUIRED IMPORTED_TARGET libargon2)

if(SLIPWAY_UNIT_TESTS)
  find_package(GTest REQUIRED)
endif()

# What the command line links, which is one static program. By plain names, because the linker then takes the static or the
# shared library as the program wants it; the packages' own targets name the shared file.
set(SLIPWAY_FMT fmt::fmt-header-only)
set(SLIPWAY_SSL -lssl)
set(SLIPWAY_CRYPTO -lcrypto)
set(SLIPWAY_ZLIB -lz)
set(SLIPWAY_ZSTD -lzstd)
set(SLIPWAY_YAML -lyaml-cpp)
set(SLIPWAY_PNG -lpng)
set(SLIPWAY_TURBOJPEG -lturbojpeg)

# BLAKE3: the official C implementation with its assembly, from Debian's librust-blake3-dev.
set(BLAKE3_SOURCE "/usr/share/cargo/registry/blake3-1.3.1/c" CACHE PATH "The C folder of the BLAKE3 sources")
add_library(blake3 STATIC ${BLAKE3_SOURCE}/blake3.c ${BLAKE3_SOURCE}/blake3_dispatch.c ${BLAKE3_SOURCE}/blake3_portable.c)
target_include_directories(blake3 SYSTEM PUBLIC ${BLAKE3_SOURCE})
if(CMAKE_SYSTEM_PROCESSOR MATCHES "x86_64|AMD64")
  target_sources(blake3 PRIVATE
    ${BLAKE3_SOURCE}/blake3_sse2_x86-64_unix.S ${BLAKE3_SOURCE}/blake3_sse41_x86-64_unix.S
    ${BLAKE3_SOURCE}/blake3_avx2_x86-64_unix.S ${BLAKE3_SOURCE}/blake3_avx512_x86-64_unix.S)
elseif(CMAKE_SYSTEM_PROCESSOR MATCHES "aarch64|arm64")
  target_sources(blake3 PRIVATE ${BLAKE3_SOURCE}/blake3_neon.c)
endif()

# ONNX Runtime and DuckDB are loaded at run time (dlopen), by the worker and on first use, so that an idle server stays
# small; only their headers are needed to compile. tools/bootstrap puts them into SLIPWAY_DEPS.
foreach(name onnxruntime duckdb)
  if(NOT EXISTS "${SLIPWAY_DEPS}/${name}/include")
    message(FATAL_ERROR "${SLIPWAY_DEPS}/${name}/include does not exist; run tools/bootstrap build, which fetches ${name}")
  endif()
  add_library(slipway_${name}_headers INTERFACE)
  target_include_directories(slipway_${name}_headers SYSTEM INTERFACE "${SLIPWAY_DEPS}/${name}/include")
endforeach()

# A program finds them in ../lib/slipway beside its own folder: installed they lie there, in a build they are linked.
set(SLIPWAY_RUNTIME_LIBRARIES "${SLIPWAY_DEPS}/onnxruntime/lib/libonnxruntime.so.1" "${SLIPWAY_DEPS}/duckdb/lib/libduckdb.so")
file(MAKE_DIRECTORY "${CMAKE_BINARY_DIR}/lib/slipway")
foreach(library ${SLIPWAY_RUNTIME_LIBRARIES})
  get_filename_component(file_name "${library}" NAME)
  file(CREATE_LINK "${library}" "${CMAKE_BINARY_DIR}/lib/slipway/${file_name}" SYMBOLIC)
endforeach()
