# SPDX-License-Identifier: GPL-3.0-or-later
#
# What a builder may choose. The presets of CMakePresets.json set these.

if(NOT CMAKE_BUILD_TYPE AND NOT CMAKE_CONFIGURATION_TYPES)
    set(CMAKE_BUILD_TYPE RelWithDebInfo CACHE STRING "Kind of build" FORCE)
endif()

set(SEALGATE_WOLFSSL "bundled" CACHE STRING
    "bundled: the patched static library that tools/setup builds; system: pkg-config wolfssl")
set_property(CACHE SEALGATE_WOLFSSL PROPERTY STRINGS bundled system)

set(SEALGATE_SANITIZE "" CACHE STRING "Sanitizers, as for -fsanitize=, such as address,undefined")
option(SEALGATE_FUZZ "Build tests/fuzz with libFuzzer (clang only) in place of seed replay" OFF)
option(SEALGATE_TESTS "Build the tests and the seed replays" ON)
option(SEALGATE_BENCHES "Build the benches and run each once as a test" ON)
option(SEALGATE_WERROR "Warnings are errors" OFF)
option(SEALGATE_MIMALLOC "Link the mains with mimalloc; never under sanitizers" OFF)
option(SEALGATE_HEADERS_ALONE "Compile every header by itself" OFF)

cmake_path(SET default_corpus_dir NORMALIZE "${PROJECT_SOURCE_DIR}/../shared/corpus")
set(SEALGATE_CORPUS_DIR "${default_corpus_dir}" CACHE PATH
    "Mail corpora that tests read; what is absent is reported as skipped")

if(SEALGATE_FUZZ AND NOT CMAKE_CXX_COMPILER_ID MATCHES "Clang")
    message(FATAL_ERROR "SEALGATE_FUZZ needs clang: use the preset fuzz")
endif()
if(SEALGATE_MIMALLOC AND (SEALGATE_SANITIZE OR SEALGATE_FUZZ))
    message(FATAL_ERROR "SEALGATE_MIMALLOC would hide the sanitizers' allocator")
endif()
