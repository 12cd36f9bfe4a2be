# Installation: headers, a CMake package that finds its dependencies again, and a pkg-config file. All files are
# relocatable and independent of the machine's architecture.
include(GNUInstallDirs)
include(CMakePackageConfigHelpers)
set(skewgrad_package_dir "${CMAKE_INSTALL_DATADIR}/cmake/skewgrad")

install(TARGETS skewgrad skewgrad_reference skewgrad_cuda skewgrad_report skewgrad_command_line EXPORT skewgradTargets
        FILE_SET HEADERS DESTINATION "${CMAKE_INSTALL_INCLUDEDIR}"
        FILE_SET reincluded DESTINATION "${CMAKE_INSTALL_INCLUDEDIR}")
install(EXPORT skewgradTargets NAMESPACE skewgrad:: DESTINATION "${skewgrad_package_dir}")

configure_package_config_file("${CMAKE_CURRENT_LIST_DIR}/skewgradConfig.cmake.in"
    "${PROJECT_BINARY_DIR}/skewgradConfig.cmake" INSTALL_DESTINATION "${skewgrad_package_dir}")
# Before 1.0 a minor version may change names.
write_basic_package_version_file("${PROJECT_BINARY_DIR}/skewgradConfigVersion.cmake"
    COMPATIBILITY SameMinorVersion ARCH_INDEPENDENT)
install(FILES "${PROJECT_BINARY_DIR}/skewgradConfig.cmake" "${PROJECT_BINARY_DIR}/skewgradConfigVersion.cmake"
              "${CMAKE_CURRENT_LIST_DIR}/skewgrad-dependencies.cmake"
        DESTINATION "${skewgrad_package_dir}")

# pkg-config: folders that the compiler searches by default are left out, since -I would change their order.
set(skewgrad_pc_include_flags "")
foreach(variable IN ITEMS SKEWGRAD_XTENSOR_INCLUDE_DIR SKEWGRAD_RANDOM123_INCLUDE_DIR SKEWGRAD_NLOHMANN_JSON_INCLUDE_DIR)
    if(${variable} AND NOT ${variable} IN_LIST CMAKE_CXX_IMPLICIT_INCLUDE_DIRECTORIES)
        string(APPEND skewgrad_pc_include_flags " -I${${variable}}")
    endif()
endforeach()
file(RELATIVE_PATH skewgrad_pc_to_prefix "/${CMAKE_INSTALL_DATADIR}/pkgconfig" "/")
configure_file("${CMAKE_CURRENT_LIST_DIR}/skewgrad.pc.in" "${PROJECT_BINARY_DIR}/skewgrad.pc" @ONLY)
install(FILES "${PROJECT_BINARY_DIR}/skewgrad.pc" DESTINATION "${CMAKE_INSTALL_DATADIR}/pkgconfig")
install(FILES "${PROJECT_SOURCE_DIR}/LICENSE" DESTINATION "${CMAKE_INSTALL_DOCDIR}")
