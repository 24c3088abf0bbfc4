# Libraries, headers, the package for find_package(snn) and the .pc files.
include(CMakePackageConfigHelpers)
set(SNN_PACKAGE ${CMAKE_INSTALL_LIBDIR}/cmake/snn)

install(FILES ${SNN_HEADERS} DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/snn)
set(SNN_PC snn-device)
set(SNN_TARGETS snn_device)
if(TARGET snn_runtime)
    list(APPEND SNN_PC snn)
    list(APPEND SNN_TARGETS snn_runtime)
endif()
install(TARGETS ${SNN_TARGETS} EXPORT snnTargets ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR})
install(EXPORT snnTargets NAMESPACE snn:: DESTINATION ${SNN_PACKAGE})
if(TARGET snn_loader)
    install(FILES loader/include/snn_loader.h DESTINATION ${CMAKE_INSTALL_INCLUDEDIR})
    install(TARGETS snn_loader EXPORT snnLoaderTargets ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR})
    install(EXPORT snnLoaderTargets NAMESPACE snn:: DESTINATION ${SNN_PACKAGE})
    install(FILES cmake/Findprotobuf-c.cmake DESTINATION ${SNN_PACKAGE})
    list(APPEND SNN_PC snn-loader)
endif()

configure_package_config_file(cmake/snnConfig.cmake.in snnConfig.cmake INSTALL_DESTINATION ${SNN_PACKAGE})
# Before 1.0 a minor version may break what the one before it had.
write_basic_package_version_file(snnConfigVersion.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${CMAKE_CURRENT_BINARY_DIR}/snnConfig.cmake ${CMAKE_CURRENT_BINARY_DIR}/snnConfigVersion.cmake
    DESTINATION ${SNN_PACKAGE})

# Relative to the .pc file, so that what is installed may be moved.
file(RELATIVE_PATH up /prefix/${CMAKE_INSTALL_LIBDIR}/pkgconfig /prefix)
string(REGEX REPLACE "/$" "" up ${up})
set(PC_PREFIX "\${pcfiledir}/${up}")
set(PC_LIBDIR "\${prefix}/${CMAKE_INSTALL_LIBDIR}")
set(PC_INCLUDEDIR "\${prefix}/${CMAKE_INSTALL_INCLUDEDIR}")
set(PC_VERSION ${PROJECT_VERSION})
foreach(name ${SNN_PC})
    configure_file(pkgconfig/${name}.pc.in ${name}.pc @ONLY)
    install(FILES ${CMAKE_CURRENT_BINARY_DIR}/${name}.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)
endforeach()
