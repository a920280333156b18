# The targets that a consumer links. They set no warning flags, and no macros but PGQ_CLI_TIMEZONES and
# PGQ_CLI_PROMETHEUS, which only the headers of pgq::cli read: they say that these components are linked. All of them always exist; only the
# components that a project asks for need their libraries.
#
#   pgq::pgq      the core: headers, Hana and threads
#   pgq::libpq    + libpq
#   pgq::asio     + libpq and standalone Asio
#   pgq::json     + Boost.JSON
#   pgq::cli         + libpq, Boost.JSON and CLI11: pgq::main
#   pgq::testing  + Catch2: the laws, which test policies of the consumer
#   pgq::nlohmann, pgq::sodium, pgq::zstd   + the library of that name, for the serializers that need it
#   pgq::timezones   + Howard Hinnant's date: time zones of cron expressions
#   pgq::prometheus  + the core of prometheus-cpp, without its HTTP server: metrics

include("${CMAKE_CURRENT_LIST_DIR}/pgq_dependencies.cmake")

# A project that adds this source tree names the components it uses in PGQ_COMPONENTS. pgq alone needs no library for
# the installation; pgq_dev.cmake looks for those of the tests and examples.
if(NOT PROJECT_IS_TOP_LEVEL)
  foreach(component IN LISTS PGQ_COMPONENTS ITEMS "")
    pgq_find_component("${component}" problem)
    if(problem)
      message(FATAL_ERROR "${problem}")
    endif()
  endforeach()
endif()

# pgq_link(COMPONENT TARGET...): links what the component needs. If nobody has looked for a library, the build links a
# name in its place that says what to do, because CMake prints that name in its error message.
function(pgq_link component)
  set(hint pgq::${component}_needs_its_name_in_PGQ_COMPONENTS)
  foreach(target IN LISTS ARGN)
    target_link_libraries(
      pgq_${component} INTERFACE $<BUILD_INTERFACE:$<IF:$<TARGET_EXISTS:${target}>,${target},${hint}>>
                                 $<INSTALL_INTERFACE:${target}>
    )
  endforeach()
endfunction()

file(GLOB_RECURSE pgq_headers CONFIGURE_DEPENDS "${PROJECT_SOURCE_DIR}/include/pgq/*.hpp")
file(GLOB_RECURSE pgq_definitions CONFIGURE_DEPENDS "${PROJECT_SOURCE_DIR}/include/pgq/*.ipp")

add_library(pgq INTERFACE)
add_library(pgq::pgq ALIAS pgq)
target_compile_features(pgq INTERFACE cxx_std_20)
target_sources(pgq INTERFACE FILE_SET HEADERS BASE_DIRS "${PROJECT_SOURCE_DIR}/include" FILES ${pgq_headers}
                                                                                              ${pgq_definitions}
)
target_link_libraries(pgq INTERFACE ${pgq_links_core})

foreach(component IN LISTS pgq_components)
  add_library(pgq_${component} INTERFACE)
  add_library(pgq::${component} ALIAS pgq_${component})
  set_target_properties(pgq_${component} PROPERTIES EXPORT_NAME ${component})
  target_link_libraries(pgq_${component} INTERFACE pgq)
  pgq_link(${component} ${pgq_links_${component}})
endforeach()
target_link_libraries(pgq_asio INTERFACE pgq_libpq)
target_link_libraries(pgq_cli INTERFACE pgq_libpq pgq_json)
foreach(component IN ITEMS timezones prometheus)
  string(TOUPPER "PGQ_CLI_${component}" definition)
  target_compile_definitions(pgq_${component} INTERFACE ${definition})
endforeach()
