# SPDX-License-Identifier: GPL-3.0-or-later
#
# cmake --install: programs (cmake/rooms.cmake), documentation, the example configuration and the
# units for systemd. What is absent from the tree is not installed.

set(units "${PROJECT_SOURCE_DIR}/packaging/systemd")
set(SEALGATE_SYSTEMD_PREFIX "lib" CACHE PATH "Where systemd, sysusers.d and tmpfiles.d lie")

foreach(document README.md LICENSE)
    if(EXISTS "${PROJECT_SOURCE_DIR}/${document}")
        install(FILES "${PROJECT_SOURCE_DIR}/${document}" DESTINATION "${CMAKE_INSTALL_DOCDIR}")
    endif()
endforeach()
if(IS_DIRECTORY "${PROJECT_SOURCE_DIR}/docs")
    install(DIRECTORY "${PROJECT_SOURCE_DIR}/docs/" DESTINATION "${CMAKE_INSTALL_DOCDIR}")
endif()
if(EXISTS "${PROJECT_SOURCE_DIR}/packaging/sealgate.ini")
    install(FILES "${PROJECT_SOURCE_DIR}/packaging/sealgate.ini"
            DESTINATION "${CMAKE_INSTALL_DOCDIR}/examples")
endif()
if(EXISTS "${units}/sealgate.service.in")
    # The unit names the programs' folder, known only at installation: --prefix may change it.
    install(CODE "
        set(bin_dir \"\${CMAKE_INSTALL_PREFIX}/${CMAKE_INSTALL_BINDIR}\")
        set(doc_dir \"\${CMAKE_INSTALL_PREFIX}/${CMAKE_INSTALL_DOCDIR}\")
        configure_file(\"${units}/sealgate.service.in\"
            \"${PROJECT_BINARY_DIR}/sealgate.service\" @ONLY)")
    install(FILES "${PROJECT_BINARY_DIR}/sealgate.service"
            DESTINATION "${SEALGATE_SYSTEMD_PREFIX}/systemd/system")
    install(FILES "${units}/sysusers.conf" DESTINATION "${SEALGATE_SYSTEMD_PREFIX}/sysusers.d"
            RENAME sealgate.conf)
    install(FILES "${units}/tmpfiles.conf" DESTINATION "${SEALGATE_SYSTEMD_PREFIX}/tmpfiles.d"
            RENAME sealgate.conf)
endif()
