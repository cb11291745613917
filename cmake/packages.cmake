# SPDX-License-Identifier: GPL-3.0-or-later
#
# Libraries of the distribution (tools/packages.txt installs them). Those without a CMake package of
# use come through pkg-config as PkgConfig::NAME; imported targets are SYSTEM by themselves.

find_package(PkgConfig REQUIRED)
find_package(Threads REQUIRED)

pkg_check_modules(libuv REQUIRED IMPORTED_TARGET libuv>=1.44)
pkg_check_modules(libidn2 REQUIRED IMPORTED_TARGET libidn2)
pkg_check_modules(libcurl REQUIRED IMPORTED_TARGET libcurl>=7.87)  # with ldap, as Debian's is
pkg_check_modules(libhs REQUIRED IMPORTED_TARGET libhs)
pkg_check_modules(rocksdb REQUIRED IMPORTED_TARGET rocksdb)

# libunbound.pc asks for the .pc files of what the shared library was itself built with.
find_library(UNBOUND_LIBRARY unbound REQUIRED)
find_path(UNBOUND_INCLUDE_DIR unbound-event.h REQUIRED)
add_library(unbound::unbound UNKNOWN IMPORTED)
set_target_properties(unbound::unbound PROPERTIES IMPORTED_LOCATION "${UNBOUND_LIBRARY}"
    INTERFACE_INCLUDE_DIRECTORIES "${UNBOUND_INCLUDE_DIR}")

find_package(OpenSSL 3.0 REQUIRED COMPONENTS Crypto)
find_package(fmt REQUIRED)
find_package(spdlog REQUIRED)  # Debian's is built with SPDLOG_FMT_EXTERNAL and says so itself
find_package(nlohmann_json REQUIRED)
find_package(CLI11 REQUIRED)
find_package(tl-expected REQUIRED)

if(SEALGATE_MIMALLOC)
    find_package(mimalloc REQUIRED)
endif()
if(SEALGATE_TESTS)
    find_package(GTest REQUIRED)
    find_package(benchmark REQUIRED)
    find_package(Python3 REQUIRED COMPONENTS Interpreter)
endif()
