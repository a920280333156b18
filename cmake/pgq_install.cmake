include(CMakePackageConfigHelpers)
include(GNUInstallDirs)

# Each component has its own export file, so that a component does not need the libraries of the others.
set(pgq_package_dir "${CMAKE_INSTALL_DATADIR}/cmake/pgq")

install(TARGETS pgq EXPORT pgq_core_targets FILE_SET HEADERS DESTINATION "${CMAKE_INSTALL_INCLUDEDIR}")
install(EXPORT pgq_core_targets NAMESPACE pgq:: DESTINATION "${pgq_package_dir}")
foreach(component IN LISTS pgq_components)
  install(TARGETS pgq_${component} EXPORT pgq_${component}_targets)
  install(EXPORT pgq_${component}_targets NAMESPACE pgq:: DESTINATION "${pgq_package_dir}")
endforeach()

configure_package_config_file(
  "${CMAKE_CURRENT_LIST_DIR}/pgqConfig.cmake.in" "${CMAKE_CURRENT_BINARY_DIR}/pgqConfig.cmake"
  INSTALL_DESTINATION "${pgq_package_dir}" NO_SET_AND_CHECK_MACRO
)
# Before 1.0 a minor version may break compatibility.
write_basic_package_version_file(
  "${CMAKE_CURRENT_BINARY_DIR}/pgqConfigVersion.cmake" COMPATIBILITY SameMinorVersion ARCH_INDEPENDENT
)
install(
  FILES "${CMAKE_CURRENT_BINARY_DIR}/pgqConfig.cmake" "${CMAKE_CURRENT_BINARY_DIR}/pgqConfigVersion.cmake"
        "${CMAKE_CURRENT_LIST_DIR}/Findasio.cmake" "${CMAKE_CURRENT_LIST_DIR}/Findsodium.cmake"
        "${CMAKE_CURRENT_LIST_DIR}/Findzstd.cmake"
  DESTINATION "${pgq_package_dir}"
)
install(FILES "${PROJECT_SOURCE_DIR}/LICENSE" DESTINATION "${CMAKE_INSTALL_DATADIR}/licenses/pgq")
