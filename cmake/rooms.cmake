# SPDX-License-Identifier: GPL-3.0-or-later
#
# The rooms of the tree as libraries: tools -> smtp -> crypto, dns -> core. A room's library links
# only what its arrows permit; tests/rooms_arrows.py checks the includes. core's public headers show
# fmt, spdlog, JSON and expected, so these are public; the rest stays inside the room that uses it.

function(sealgate_room room)
    cmake_parse_arguments(PARSE_ARGV 1 arg "" "" "PUBLIC;PRIVATE")
    file(GLOB sources CONFIGURE_DEPENDS "${PROJECT_SOURCE_DIR}/${room}/*.cc")
    if(sources)
        add_library(sealgate_${room} STATIC ${sources})
        target_link_libraries(sealgate_${room} PUBLIC sealgate_compiler ${arg_PUBLIC}
                              PRIVATE ${arg_PRIVATE})
    else()
        add_library(sealgate_${room} INTERFACE)
        target_link_libraries(sealgate_${room} INTERFACE sealgate_compiler ${arg_PUBLIC})
    endif()
endfunction()

sealgate_room(core
    PUBLIC fmt::fmt spdlog::spdlog nlohmann_json::nlohmann_json tl::expected PkgConfig::libuv
           PkgConfig::libhs Threads::Threads
    PRIVATE PkgConfig::rocksdb PkgConfig::libcurl)
sealgate_room(dns PUBLIC sealgate_core PRIVATE unbound::unbound PkgConfig::libidn2)
sealgate_room(crypto PUBLIC sealgate_core wolfssl::wolfssl PRIVATE OpenSSL::Crypto)
sealgate_room(smtp PUBLIC sealgate_crypto sealgate_dns sealgate_core)

# A program of tools/: everything but its main.cc is a library, so that tests can link it.
function(sealgate_program name)
    file(GLOB sources CONFIGURE_DEPENDS "${PROJECT_SOURCE_DIR}/tools/${name}/*.cc")
    set(main "${PROJECT_SOURCE_DIR}/tools/${name}/main.cc")
    list(REMOVE_ITEM sources "${main}")
    if(sources)
        add_library(tool_${name} STATIC ${sources})
        target_link_libraries(tool_${name} PUBLIC sealgate_smtp CLI11::CLI11)
    else()
        add_library(tool_${name} INTERFACE)
        target_link_libraries(tool_${name} INTERFACE sealgate_smtp CLI11::CLI11)
    endif()
    if(NOT EXISTS "${main}")
        return()
    endif()
    add_executable(${name} "${main}")
    target_link_libraries(${name} PRIVATE tool_${name})
    if(SEALGATE_MIMALLOC)  # first in line and kept although nothing names it: it replaces malloc
        target_link_options(${name} PRIVATE
            -Wl,--push-state,--no-as-needed $<TARGET_FILE:mimalloc> -Wl,--pop-state)
    endif()
    install(TARGETS ${name} RUNTIME DESTINATION "${CMAKE_INSTALL_BINDIR}")
endfunction()

include(GNUInstallDirs)
# Seen again when a main.cc appears: the globs below name the folders' files at every build.
file(GLOB mains CONFIGURE_DEPENDS "${PROJECT_SOURCE_DIR}/tools/*/main.cc")
sealgate_program(sealgate)
sealgate_program(sealload)
