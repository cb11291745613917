# SPDX-License-Identifier: GPL-3.0-or-later
#
# Everything under tests/ and bench/, found by place:
#   tests/<room>/*.cc         one GoogleTest binary per room, <room>_test
#   tests/support/*.cc        a library for all of them; it may look at core/ only
#   tests/fuzz/NAME.cc        fuzz_NAME: with libFuzzer (preset fuzz), else it replays
#                             tests/fuzz/seeds/NAME/* so that every seed is a regression test
#   tests/system/test_*.py    one ctest each, label "system", run alone
#   bench/*.cc                Google Benchmark; each runs once, small, as a test
#   bench/support/*.cc        what all of them use
# Under a sanitizer, test names begin with its name, so that tools/test can run two builds in one
# ctest, and system tests carry the label "slow".

include(GoogleTest)

set(sealgate_test_environment
    "SEALGATE_BIN_DIR=${CMAKE_RUNTIME_OUTPUT_DIRECTORY}"
    "SEALGATE_SOURCE_DIR=${PROJECT_SOURCE_DIR}"
    "SEALGATE_CORPUS_DIR=${SEALGATE_CORPUS_DIR}")
set(test_prefix "")
set(system_labels "system")
set(system_timeout 600)
if(SEALGATE_SANITIZE)
    set(test_prefix "asan.")
    if(SEALGATE_SANITIZE MATCHES "thread")
        set(test_prefix "tsan.")
    endif()
    set(system_labels "system;slow")
    set(system_timeout 1800)
    list(APPEND sealgate_test_environment
        "ASAN_OPTIONS=detect_stack_use_after_return=1:strict_string_checks=1"
        "UBSAN_OPTIONS=print_stacktrace=1"
        "TSAN_OPTIONS=second_deadlock_stack=1:suppressions=${PROJECT_SOURCE_DIR}/cmake/tsan.supp")
    find_program(symbolizer NAMES llvm-symbolizer-14 llvm-symbolizer)
    if(symbolizer)
        list(APPEND sealgate_test_environment "ASAN_SYMBOLIZER_PATH=${symbolizer}")
    endif()
endif()

add_library(sealgate_test_base INTERFACE)
target_compile_definitions(sealgate_test_base INTERFACE
    SEALGATE_SOURCE_DIR="${PROJECT_SOURCE_DIR}"
    SEALGATE_CORPUS_DIR="${SEALGATE_CORPUS_DIR}"
    SEALGATE_BIN_DIR="${CMAKE_RUNTIME_OUTPUT_DIRECTORY}")
target_link_libraries(sealgate_test_base INTERFACE sealgate_core)

file(GLOB support CONFIGURE_DEPENDS "${PROJECT_SOURCE_DIR}/tests/support/*.cc")
if(support)
    add_library(sealgate_test_support STATIC ${support})
    target_link_libraries(sealgate_test_support PUBLIC sealgate_test_base GTest::gmock GTest::gtest)
else()
    add_library(sealgate_test_support INTERFACE)
    target_link_libraries(sealgate_test_support INTERFACE
        sealgate_test_base GTest::gmock GTest::gtest)
endif()

# The rooms whose headers these sources include, as libraries: a fuzzer of core/ links no cipher.
function(sealgate_rooms_of result)
    set(rooms sealgate_core)
    foreach(source IN LISTS ARGN)
        file(STRINGS "${source}" includes REGEX "^#include \"(crypto|dns|smtp|tools)/")
        foreach(include IN LISTS includes)
            if(include MATCHES "\"tools/(sealgate|sealload)/")
                list(PREPEND rooms tool_${CMAKE_MATCH_1})
            elseif(include MATCHES "\"(crypto|dns|smtp)/")
                list(PREPEND rooms sealgate_${CMAKE_MATCH_1})
            endif()
        endforeach()
        set_property(DIRECTORY "${PROJECT_SOURCE_DIR}" APPEND PROPERTY
            CMAKE_CONFIGURE_DEPENDS "${source}")
    endforeach()
    list(REMOVE_DUPLICATES rooms)
    set(${result} ${rooms} PARENT_SCOPE)
endfunction()

function(sealgate_test room)
    file(GLOB sources CONFIGURE_DEPENDS "${PROJECT_SOURCE_DIR}/tests/${room}/*.cc")
    if(NOT sources)
        return()
    endif()
    add_executable(${room}_test ${sources})
    target_link_libraries(${room}_test PRIVATE sealgate_test_support ${ARGN} GTest::gtest_main)
    gtest_discover_tests(${room}_test DISCOVERY_MODE PRE_TEST DISCOVERY_TIMEOUT 120
        NO_PRETTY_VALUES
        TEST_PREFIX "${test_prefix}"
        PROPERTIES TIMEOUT 300)
    # What is a list does not get through gtest_discover_tests(); this file is read after its own.
    set(properties "${CMAKE_CURRENT_BINARY_DIR}/${room}_test_properties.cmake")
    file(WRITE "${properties}"
        "set_tests_properties(\${${room}_test_TESTS} PROPERTIES LABELS \"unit;${room}\"\n"
        "    ENVIRONMENT \"${sealgate_test_environment}\")\n")
    set_property(DIRECTORY APPEND PROPERTY TEST_INCLUDE_FILES "${properties}")
endfunction()

sealgate_test(core sealgate_core PkgConfig::rocksdb)
sealgate_test(dns sealgate_dns)
sealgate_test(crypto sealgate_crypto OpenSSL::Crypto)
sealgate_test(smtp sealgate_smtp)
sealgate_test(tools tool_sealgate tool_sealload)

file(GLOB fuzzers CONFIGURE_DEPENDS "${PROJECT_SOURCE_DIR}/tests/fuzz/*.cc")
foreach(source IN LISTS fuzzers)
    cmake_path(GET source STEM name)
    sealgate_rooms_of(rooms "${source}")
    add_executable(fuzz_${name} "${source}")
    target_link_libraries(fuzz_${name} PRIVATE sealgate_test_base ${rooms})
    if(SEALGATE_FUZZ)
        target_link_options(fuzz_${name} PRIVATE -fsanitize=fuzzer)
    else()
        target_sources(fuzz_${name} PRIVATE "${PROJECT_SOURCE_DIR}/tests/fuzz/replay/main.cc")
        add_test(NAME ${test_prefix}fuzz_${name}.seeds
            COMMAND fuzz_${name} "${PROJECT_SOURCE_DIR}/tests/fuzz/seeds/${name}")
        set_tests_properties(${test_prefix}fuzz_${name}.seeds PROPERTIES TIMEOUT 300
            LABELS "unit;fuzz" ENVIRONMENT "${sealgate_test_environment}")
    endif()
endforeach()

if(SEALGATE_BENCHES)
    # Objects and not an archive: its malloc and memcpy must be there though nobody asks for them.
    file(GLOB bench_support CONFIGURE_DEPENDS "${PROJECT_SOURCE_DIR}/bench/support/*.cc")
    add_library(sealgate_bench_support OBJECT ${bench_support})
    target_link_libraries(sealgate_bench_support
        PUBLIC sealgate_test_base benchmark::benchmark ${CMAKE_DL_LIBS})
    set_source_files_properties("${PROJECT_SOURCE_DIR}/bench/support/cost_hooks.cc" PROPERTIES
        COMPILE_OPTIONS "-fno-builtin;-U_FORTIFY_SOURCE")
    if(SEALGATE_SANITIZE)  # it has its own malloc
        target_compile_definitions(sealgate_bench_support PRIVATE SEALGATE_BENCH_WITHOUT_HOOKS)
    endif()
    file(GLOB benches CONFIGURE_DEPENDS "${PROJECT_SOURCE_DIR}/bench/*.cc")
    foreach(source IN LISTS benches)
        cmake_path(GET source STEM name)
        sealgate_rooms_of(rooms "${source}")
        add_executable(${name} "${source}")
        target_link_libraries(${name} PRIVATE sealgate_bench_support ${rooms}
            benchmark::benchmark_main)
        # The bare libraries, for the figures beside ours.
        foreach(library "wolfssl=wolfssl::wolfssl" "openssl=OpenSSL::Crypto"
                "rocksdb=PkgConfig::rocksdb")
            string(REPLACE "=" ";" pair "${library}")
            list(POP_FRONT pair folder)
            file(STRINGS "${source}" seen REGEX "^#include <${folder}/")
            if(seen)
                target_link_libraries(${name} PRIVATE ${pair})
            endif()
        endforeach()
        add_test(NAME bench.${name} COMMAND ${name} --benchmark_min_time=0.01)
        set_tests_properties(bench.${name} PROPERTIES TIMEOUT 300 LABELS "bench"
            ENVIRONMENT "${sealgate_test_environment}")
    endforeach()
endif()

file(GLOB system_tests CONFIGURE_DEPENDS "${PROJECT_SOURCE_DIR}/tests/system/test_*.py")
foreach(source IN LISTS system_tests)
    cmake_path(GET source STEM name)
    add_test(NAME ${test_prefix}system.${name} COMMAND Python3::Interpreter "${source}")
    set_tests_properties(${test_prefix}system.${name} PROPERTIES
        TIMEOUT ${system_timeout} LABELS "${system_labels}" RUN_SERIAL ON SKIP_RETURN_CODE 77
        ENVIRONMENT "${sealgate_test_environment};PYTHONDONTWRITEBYTECODE=1")
endforeach()

add_test(NAME ${test_prefix}rooms_arrows
    COMMAND Python3::Interpreter "${PROJECT_SOURCE_DIR}/tests/rooms_arrows.py"
        "${PROJECT_SOURCE_DIR}")
set_tests_properties(${test_prefix}rooms_arrows PROPERTIES LABELS "unit")

# Every header compiles alone: one generated source per header.
if(SEALGATE_HEADERS_ALONE)
    set(alone)
    foreach(room core dns crypto smtp tools/sealgate tools/sealload tests/support)
        file(GLOB headers CONFIGURE_DEPENDS RELATIVE "${PROJECT_SOURCE_DIR}"
            "${PROJECT_SOURCE_DIR}/${room}/*.h")
        foreach(header IN LISTS headers)
            string(REPLACE "/" "_" unit "${header}")
            set(unit "${PROJECT_BINARY_DIR}/headers_alone/${unit}.cc")
            file(CONFIGURE OUTPUT "${unit}" CONTENT "#include \"${header}\"\n" @ONLY)
            list(APPEND alone "${unit}")
        endforeach()
    endforeach()
    if(alone)
        add_library(headers_alone OBJECT ${alone})
        target_compile_options(headers_alone PRIVATE -O0 -g0)
        target_link_libraries(headers_alone PRIVATE sealgate_smtp CLI11::CLI11 wolfssl::wolfssl
            OpenSSL::Crypto unbound::unbound PkgConfig::rocksdb GTest::gmock sealgate_test_base)
    endif()
endif()
