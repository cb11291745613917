# SPDX-License-Identifier: GPL-3.0-or-later
#
# wolfssl::wolfssl. "bundled" is the static library that tools/setup builds from the pinned, patched
# source package and keeps outside the build folder; "system" is whatever pkg-config finds.
# EXTERNAL_OPTS_OPENVPN, an old name, is wolfSSL 5.7's way to have settings.h read that build's
# options.h by itself, so that no file of ours can forget it; newer ones: WOLFSSL_USE_OPTIONS_H.

add_library(wolfssl::wolfssl INTERFACE IMPORTED)
target_compile_definitions(wolfssl::wolfssl INTERFACE
    EXTERNAL_OPTS_OPENVPN WOLFSSL_USE_OPTIONS_H)

if(SEALGATE_WOLFSSL STREQUAL "system")
    pkg_check_modules(wolfssl_system REQUIRED IMPORTED_TARGET wolfssl)
    target_link_libraries(wolfssl::wolfssl INTERFACE PkgConfig::wolfssl_system)
elseif(SEALGATE_WOLFSSL STREQUAL "bundled")
    # The same name that cmake/wolfssl/prefix computes for tools/setup: one script, one answer.
    set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS
        cmake/wolfssl/lock cmake/wolfssl/build cmake/wolfssl/vzeroupper.patch cmake/wolfssl/prefix)
    execute_process(COMMAND "${PROJECT_SOURCE_DIR}/cmake/wolfssl/prefix"
        OUTPUT_VARIABLE wolfssl_prefix OUTPUT_STRIP_TRAILING_WHITESPACE COMMAND_ERROR_IS_FATAL ANY)
    if(SEALGATE_DEPS_DIR)
        cmake_path(GET wolfssl_prefix FILENAME wolfssl_name)
        set(wolfssl_prefix "${SEALGATE_DEPS_DIR}/${wolfssl_name}")
    endif()
    if(NOT EXISTS "${wolfssl_prefix}/lib/libwolfssl.a")
        message(FATAL_ERROR "wolfSSL is not built: ${wolfssl_prefix} is absent. Run tools/setup "
            "(or configure with -DSEALGATE_WOLFSSL=system).")
    endif()
    target_include_directories(wolfssl::wolfssl SYSTEM INTERFACE "${wolfssl_prefix}/include")
    target_link_libraries(wolfssl::wolfssl INTERFACE
        "${wolfssl_prefix}/lib/libwolfssl.a" Threads::Threads m ${CMAKE_DL_LIBS})
else()
    message(FATAL_ERROR "SEALGATE_WOLFSSL is bundled or system, not ${SEALGATE_WOLFSSL}")
endif()
