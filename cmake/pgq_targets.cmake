# The targets that a consumer links. They set no warning flags and no macros.
#
#   pgq::pgq      the core: headers, Hana and threads
#   pgq::libpq    + libpq
#   pgq::asio     + libpq and standalone Asio
#   pgq::json     + Boost.JSON
#   pgq::testing  + Catch2: the laws, which test policies of the consumer
#   pgq::nlohmann, pgq::sodium, pgq::zstd   + the library of that name, for the serializers that need it
#   pgq::timezones   + Howard Hinnant's date, with the system's time zones
#
# In another project, only the targets whose library is found exist. The libraries of the last two lines are optional for
# the tests of pgq too: CMake prints which one is missing, and does not build the files that need it.

set(pgq_boost_version 1.81)

# The tests and programs of pgq need all required libraries.
if(PGQ_BUILD_TESTS OR PGQ_BUILD_EXAMPLES OR PGQ_BUILD_BENCH OR PGQ_BUILD_TOOLS)
  set(pgq_needs_all REQUIRED)
else()
  set(pgq_needs_all QUIET)
endif()

find_package(Threads REQUIRED)
find_package(Boost ${pgq_boost_version} REQUIRED)
find_package(PostgreSQL ${pgq_needs_all})
find_package(Boost ${pgq_boost_version} ${pgq_needs_all} COMPONENTS json)
list(APPEND CMAKE_MODULE_PATH "${CMAKE_CURRENT_LIST_DIR}")
find_package(asio ${pgq_needs_all} MODULE)
find_package(sodium QUIET MODULE)
find_package(zstd QUIET MODULE)
list(REMOVE_ITEM CMAKE_MODULE_PATH "${CMAKE_CURRENT_LIST_DIR}")
find_package(Catch2 QUIET)
find_package(nlohmann_json 3.10 QUIET CONFIG)
find_package(date QUIET CONFIG)

file(GLOB_RECURSE pgq_headers CONFIGURE_DEPENDS "${PROJECT_SOURCE_DIR}/include/pgq/*.hpp")

add_library(pgq INTERFACE)
add_library(pgq::pgq ALIAS pgq)
target_compile_features(pgq INTERFACE cxx_std_20)
target_sources(pgq INTERFACE FILE_SET HEADERS BASE_DIRS "${PROJECT_SOURCE_DIR}/include" FILES ${pgq_headers})
target_link_libraries(pgq INTERFACE Boost::headers Threads::Threads)
set(pgq_components)

# pgq_component(NAME TARGET...): makes pgq::NAME if every TARGET exists.
function(pgq_component name)
  foreach(needed IN LISTS ARGN)
    if(NOT TARGET ${needed})
      return()
    endif()
  endforeach()
  add_library(pgq_${name} INTERFACE)
  add_library(pgq::${name} ALIAS pgq_${name})
  set_target_properties(pgq_${name} PROPERTIES EXPORT_NAME ${name})
  target_link_libraries(pgq_${name} INTERFACE pgq ${ARGN})
  set(pgq_components ${pgq_components} ${name} PARENT_SCOPE)
endfunction()

pgq_component(libpq PostgreSQL::PostgreSQL)
pgq_component(asio pgq_libpq asio::asio)
pgq_component(json Boost::json)
pgq_component(testing Catch2::Catch2)
pgq_component(nlohmann nlohmann_json::nlohmann_json)
pgq_component(sodium sodium::sodium)
pgq_component(zstd zstd::zstd)
pgq_component(timezones date::date-tz)
