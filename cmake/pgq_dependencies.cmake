# Finds the libraries that the components of pgq need. This file is installed: pgqConfig.cmake includes it in a project
# that uses an installed pgq, and pgq_targets.cmake in a project that adds the source tree.
#
#   pgq_components                     the names of all components
#   pgq_find_component(NAME PROBLEM)   finds the library of a component, or of the core if NAME is empty. Sets PROBLEM to
#                                      a sentence that says what is missing, or to nothing.
#
# A target of a library that exists already is used as it is. The package of a library goes first. Not every system has
# one for Asio, libsodium and Zstandard, and the targets in it have several names. For these three, the libraries have
# targets in the namespace of pgq, so they cannot collide with targets of the project.

set(pgq_components libpq asio json nlohmann sodium zstd timezones prometheus testing)
set(pgq_boost_version 1.81)
set(pgq_nlohmann_version 3.10)

# What each component links, and the name of that library for people.
set(pgq_links_core Boost::headers Threads::Threads)
set(pgq_links_libpq PostgreSQL::PostgreSQL)
set(pgq_links_asio pgq::asio_library)
set(pgq_links_json Boost::json)
set(pgq_links_nlohmann nlohmann_json::nlohmann_json)
set(pgq_links_sodium pgq::sodium_library)
set(pgq_links_zstd pgq::zstd_library)
set(pgq_links_timezones date::date-tz)
set(pgq_links_prometheus prometheus-cpp::core)
set(pgq_links_testing Catch2::Catch2)

set(pgq_library_core "the headers of Boost ${pgq_boost_version} or later" "libboost1.81-dev")
set(pgq_library_libpq "libpq" "libpq-dev")
set(pgq_library_asio "standalone Asio" "libasio-dev")
set(pgq_library_json "Boost.JSON ${pgq_boost_version} or later" "libboost-json1.81-dev")
set(pgq_library_nlohmann "nlohmann/json ${pgq_nlohmann_version} or later" "nlohmann-json3-dev")
set(pgq_library_sodium "libsodium" "libsodium-dev")
set(pgq_library_zstd "Zstandard" "libzstd-dev")
set(pgq_library_timezones "Howard Hinnant's date" "libhowardhinnant-date-dev")
set(pgq_library_prometheus "prometheus-cpp" "prometheus-cpp-dev")
set(pgq_library_testing "Catch2" "catch2")

# pgq_library_package(NAME PACKAGE TARGET...): makes pgq::NAME_library of the first TARGET that exists, or that the package
# makes.
function(pgq_library_package name package)
  foreach(attempt IN ITEMS existing found)
    foreach(target IN LISTS ARGN)
      if(TARGET ${target} AND NOT TARGET pgq::${name}_library)
        add_library(pgq::${name}_library INTERFACE IMPORTED)
        set_target_properties(pgq::${name}_library PROPERTIES INTERFACE_LINK_LIBRARIES ${target})
      endif()
    endforeach()
    if(attempt STREQUAL "existing" AND NOT TARGET pgq::${name}_library)
      find_package(${package} QUIET CONFIG)
    endif()
  endforeach()
endfunction()

# pgq_library_files(NAME HEADER [LIBRARY...]): makes pgq::NAME_library of a header and a library that are in the usual
# places. PGQ_<NAME>_INCLUDE_DIR and PGQ_<NAME>_LIBRARY in the cache can name others.
function(pgq_library_files name header)
  if(TARGET pgq::${name}_library OR CMAKE_DISABLE_FIND_PACKAGE_${name})
    return()
  endif()
  string(TOUPPER "PGQ_${name}" variable)
  find_path(${variable}_INCLUDE_DIR NAMES ${header} DOC "where ${header} is")
  mark_as_advanced(${variable}_INCLUDE_DIR)
  set(libraries)
  if(ARGN)
    find_library(${variable}_LIBRARY NAMES ${ARGN} DOC "the library of ${header}")
    mark_as_advanced(${variable}_LIBRARY)
    set(libraries "${${variable}_LIBRARY}")
  endif()
  if(${variable}_INCLUDE_DIR AND (libraries OR NOT ARGN))
    add_library(pgq::${name}_library INTERFACE IMPORTED)
    set_target_properties(
      pgq::${name}_library PROPERTIES INTERFACE_INCLUDE_DIRECTORIES "${${variable}_INCLUDE_DIR}"
                                      INTERFACE_LINK_LIBRARIES "${libraries}"
    )
  endif()
endfunction()

# Calls find_package for the library of a component. All results are targets.
function(pgq_find_library component)
  if(component STREQUAL "core")
    find_package(Threads QUIET)
    if(NOT TARGET Boost::headers)
      find_package(Boost ${pgq_boost_version} QUIET)
    endif()
  elseif(component STREQUAL "libpq")
    find_package(PostgreSQL QUIET)
  elseif(component STREQUAL "asio")
    pgq_library_package(asio asio asio::asio)
    pgq_library_files(asio asio/version.hpp)
  elseif(component STREQUAL "json")
    find_package(Boost ${pgq_boost_version} QUIET COMPONENTS json)
  elseif(component STREQUAL "nlohmann")
    find_package(nlohmann_json ${pgq_nlohmann_version} QUIET CONFIG)
  elseif(component STREQUAL "sodium")
    pgq_library_package(sodium libsodium libsodium::libsodium)
    pgq_library_package(sodium unofficial-sodium unofficial-sodium::sodium)
    pgq_library_files(sodium sodium.h sodium libsodium)
  elseif(component STREQUAL "zstd")
    pgq_library_package(zstd zstd zstd::libzstd zstd::libzstd_shared zstd::libzstd_static)
    pgq_library_files(zstd zstd.h zstd)
  elseif(component STREQUAL "timezones")
    find_package(date QUIET CONFIG)
  elseif(component STREQUAL "prometheus")
    find_package(prometheus-cpp QUIET CONFIG)
  elseif(component STREQUAL "testing")
    find_package(Catch2 QUIET CONFIG)
  endif()
endfunction()

# pgq_missing_target(COMPONENT VARIABLE): sets VARIABLE to a target that the component links and that does not exist.
function(pgq_missing_target component variable)
  set(${variable} "" PARENT_SCOPE)
  foreach(target IN LISTS pgq_links_${component})
    if(NOT TARGET ${target})
      set(${variable} ${target} PARENT_SCOPE)
    endif()
  endforeach()
endfunction()

function(pgq_find_component name problem)
  set(${problem} "" PARENT_SCOPE)
  set(title "pgq::${name}")
  set(wanted core ${name})
  if(name STREQUAL "")
    set(title "pgq")
  elseif(name STREQUAL "asio")
    set(wanted core libpq asio)
  elseif(NOT name IN_LIST pgq_components)
    string(JOIN ", " names ${pgq_components})
    set(${problem} "pgq has no component \"${name}\": it has ${names}." PARENT_SCOPE)
    return()
  endif()

  foreach(component IN LISTS wanted)
    pgq_missing_target(${component} missing)
    if(missing)
      pgq_find_library(${component})
      pgq_missing_target(${component} missing)
    endif()
    if(missing STREQUAL "Threads::Threads")
      set(${problem} "${title} needs threads, and the compiler or the C library has none." PARENT_SCOPE)
      return()
    elseif(missing)
      list(GET pgq_library_${component} 0 library)
      list(GET pgq_library_${component} 1 package)
      string(CONCAT sentence "${title} needs ${library}, not found: install it (Debian: ${package}), "
                    "or add its folder to CMAKE_PREFIX_PATH."
      )
      set(${problem} "${sentence}" PARENT_SCOPE)
      return()
    endif()
  endforeach()
endfunction()
