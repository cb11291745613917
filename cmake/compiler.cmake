# SPDX-License-Identifier: GPL-3.0-or-later
#
# One interface target, sealgate_compiler, that everything of ours links: language level, warnings,
# hardening and sanitizers. Libraries of others come in as SYSTEM and keep their warnings.

set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
set(CMAKE_RUNTIME_OUTPUT_DIRECTORY "${PROJECT_BINARY_DIR}/bin")
set(CMAKE_ARCHIVE_OUTPUT_DIRECTORY "${PROJECT_BINARY_DIR}/lib")
# Debug is for reading and stepping, yet its tests hash and sign: -Og keeps them quick.
set(CMAKE_CXX_FLAGS_DEBUG "-Og -g")
# CHECK stays in every build; assert() of libraries goes with NDEBUG.
set(CMAKE_CXX_FLAGS_RELWITHDEBINFO "-O2 -g -DNDEBUG")

include(CheckPIESupported)
check_pie_supported()

add_library(sealgate_compiler INTERFACE)
target_include_directories(sealgate_compiler INTERFACE "${PROJECT_SOURCE_DIR}")
target_compile_definitions(sealgate_compiler INTERFACE
    SEALGATE_VERSION="${PROJECT_VERSION}" _GLIBCXX_ASSERTIONS)
target_compile_options(sealgate_compiler INTERFACE
    -Wall -Wextra -Wpedantic -Wshadow -Wconversion
    $<$<BOOL:${SEALGATE_WERROR}>:-Werror>
    -fstack-protector-strong -fno-omit-frame-pointer)
if(CMAKE_CXX_COMPILER_ID MATCHES "Clang")
    # TRY is a statement expression; clang's pedantry names it even behind __extension__.
    target_compile_options(sealgate_compiler INTERFACE -Wno-gnu-statement-expression)
endif()

if(SEALGATE_SANITIZE)
    set(sanitize -fsanitize=${SEALGATE_SANITIZE} -fno-sanitize-recover=all)
    # vptr wants the type information of every base; Debian's RocksDB is built without it.
    if(SEALGATE_SANITIZE MATCHES "undefined")
        list(APPEND sanitize -fno-sanitize=vptr)
    endif()
    target_compile_options(sealgate_compiler INTERFACE ${sanitize})
    target_link_options(sealgate_compiler INTERFACE ${sanitize})
elseif(CMAKE_BUILD_TYPE MATCHES "Rel")
    target_compile_options(sealgate_compiler INTERFACE -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=2)
endif()
if(SEALGATE_FUZZ)
    target_compile_options(sealgate_compiler INTERFACE -fsanitize=fuzzer-no-link)
endif()
target_link_options(sealgate_compiler INTERFACE -Wl,-z,relro,-z,now -Wl,-z,noexecstack)
