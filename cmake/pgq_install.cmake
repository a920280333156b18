# Installs the headers, the SQL files, and the packages for CMake and pkg-config. What is installed does not depend on the
# libraries of the machine: all components are always there.
include(CMakePackageConfigHelpers)
include(GNUInstallDirs)

# Packagers may choose other directories; they are relative to the prefix.
set(PGQ_INSTALL_CMAKEDIR "${CMAKE_INSTALL_LIBDIR}/cmake/pgq" CACHE STRING "Where pgqConfig.cmake is installed")
set(PGQ_INSTALL_PKGCONFIGDIR "${CMAKE_INSTALL_LIBDIR}/pkgconfig" CACHE STRING "Where the .pc files are installed")
set(PGQ_INSTALL_LICENSEDIR
    "${CMAKE_INSTALL_DATADIR}/licenses/pgq"
    CACHE STRING "Where the licence is installed; if empty, it is not"
)
mark_as_advanced(PGQ_INSTALL_CMAKEDIR PGQ_INSTALL_PKGCONFIGDIR PGQ_INSTALL_LICENSEDIR)
set(pgq_sql_dir "${CMAKE_INSTALL_DATADIR}/pgq/sql")

# Each component has its own export file, because a project includes only those of the components it asks for.
install(TARGETS pgq EXPORT pgq_core_targets FILE_SET HEADERS DESTINATION "${CMAKE_INSTALL_INCLUDEDIR}")
install(EXPORT pgq_core_targets NAMESPACE pgq:: DESTINATION "${PGQ_INSTALL_CMAKEDIR}")
foreach(component IN LISTS pgq_components)
  install(TARGETS pgq_${component} EXPORT pgq_${component}_targets)
  install(EXPORT pgq_${component}_targets NAMESPACE pgq:: DESTINATION "${PGQ_INSTALL_CMAKEDIR}")
endforeach()

configure_package_config_file(
  "${CMAKE_CURRENT_LIST_DIR}/pgqConfig.cmake.in" "${CMAKE_CURRENT_BINARY_DIR}/pgqConfig.cmake"
  INSTALL_DESTINATION "${PGQ_INSTALL_CMAKEDIR}" PATH_VARS pgq_sql_dir NO_SET_AND_CHECK_MACRO
  NO_CHECK_REQUIRED_COMPONENTS_MACRO
)
# Before 1.0 a minor version may break compatibility.
set(pgq_compatibility SameMajorVersion)
if(PROJECT_VERSION_MAJOR EQUAL 0)
  set(pgq_compatibility SameMinorVersion)
endif()
write_basic_package_version_file(
  "${CMAKE_CURRENT_BINARY_DIR}/pgqConfigVersion.cmake" COMPATIBILITY ${pgq_compatibility} ARCH_INDEPENDENT
)
install(
  FILES "${CMAKE_CURRENT_BINARY_DIR}/pgqConfig.cmake" "${CMAKE_CURRENT_BINARY_DIR}/pgqConfigVersion.cmake"
        "${CMAKE_CURRENT_LIST_DIR}/pgq_dependencies.cmake"
  DESTINATION "${PGQ_INSTALL_CMAKEDIR}"
)

# The .pc files name the prefix relative to themselves, unless a directory is absolute.
cmake_path(
  RELATIVE_PATH CMAKE_INSTALL_PREFIX BASE_DIRECTORY "${CMAKE_INSTALL_PREFIX}/${PGQ_INSTALL_PKGCONFIGDIR}"
  OUTPUT_VARIABLE pgq_pc_up
)
set(pgq_pc_prefix "\${pcfiledir}/${pgq_pc_up}")
if(IS_ABSOLUTE "${PGQ_INSTALL_PKGCONFIGDIR}")
  set(pgq_pc_prefix "${CMAKE_INSTALL_PREFIX}")
endif()
foreach(directory IN ITEMS CMAKE_INSTALL_INCLUDEDIR pgq_sql_dir)
  set(pgq_pc_${directory} "\${prefix}/${${directory}}")
  if(IS_ABSOLUTE "${${directory}}")
    set(pgq_pc_${directory} "${${directory}}")
  endif()
endforeach()

# pgq_pc(NAME DESCRIPTION REQUIRES LIBS [MACRO...]): installs NAME.pc. Programs use the libraries through inline functions,
# so they link them too: the packages are in Requires, not in Requires.private. Boost and date have no .pc file, and not
# every Asio has one.
function(pgq_pc name description requires libs)
  list(TRANSFORM ARGN PREPEND " -D" OUTPUT_VARIABLE cflags)
  list(JOIN cflags "" cflags)
  configure_file("${CMAKE_CURRENT_FUNCTION_LIST_DIR}/pgq.pc.in" "${CMAKE_CURRENT_BINARY_DIR}/${name}.pc" @ONLY)
  install(FILES "${CMAKE_CURRENT_BINARY_DIR}/${name}.pc" DESTINATION "${PGQ_INSTALL_PKGCONFIGDIR}")
endfunction()

set(pgq_pc_core "pgq = ${PROJECT_VERSION}")
pgq_pc(pgq "${PROJECT_DESCRIPTION}" "" "-pthread")
pgq_pc(pgq-libpq "pgq: jobs in PostgreSQL, through libpq" "${pgq_pc_core}, libpq" "")
pgq_pc(pgq-asio "pgq: coroutines with standalone Asio" "pgq-libpq = ${PROJECT_VERSION}" "")
pgq_pc(pgq-json "pgq: payloads in JSON, with Boost.JSON" "${pgq_pc_core}" "-lboost_json")
pgq_pc(pgq-nlohmann "pgq: payloads in JSON and MessagePack, with nlohmann/json"
       "${pgq_pc_core}, nlohmann_json >= ${pgq_nlohmann_version}" ""
)
pgq_pc(pgq-sodium "pgq: encrypted payloads, with libsodium" "${pgq_pc_core}, libsodium" "")
pgq_pc(pgq-zstd "pgq: compressed payloads, with Zstandard" "${pgq_pc_core}, libzstd" "")
# The macro with which packagers build date, so that it reads the time zones of the system.
pgq_pc(pgq-timezones "pgq: time zones of cron expressions, with Howard Hinnant's date" "${pgq_pc_core}" "-ldate-tz"
       USE_OS_TZDB=1 PGQ_CLI_TIMEZONES=1
)
pgq_pc(pgq-prometheus "pgq: metrics for Prometheus, with prometheus-cpp" "${pgq_pc_core}, prometheus-cpp-core" ""
       PGQ_CLI_PROMETHEUS=1
)
# CLI11 has headers only, and its .pc file has had two names.
pgq_pc(pgq-cli "pgq: a worker with the sub-commands of the command pgq, with CLI11"
       "pgq-libpq = ${PROJECT_VERSION}, pgq-json = ${PROJECT_VERSION}" ""
)
pgq_pc(pgq-testing "pgq: tests for policies, with Catch2" "${pgq_pc_core}, catch2" "")

file(GLOB pgq_sql CONFIGURE_DEPENDS "${PROJECT_SOURCE_DIR}/sql/*.sql")
install(FILES ${pgq_sql} DESTINATION "${pgq_sql_dir}")
if(PGQ_INSTALL_LICENSEDIR)
  install(FILES "${PROJECT_SOURCE_DIR}/LICENSE" DESTINATION "${PGQ_INSTALL_LICENSEDIR}")
endif()
