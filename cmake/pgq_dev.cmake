# For the tests, examples, benchmarks and tools of this project. Nothing of this is installed.

add_library(pgq_dev INTERFACE)
target_compile_features(pgq_dev INTERFACE cxx_std_20)
target_compile_options(pgq_dev INTERFACE -Wall -Wextra -Wpedantic -Wconversion -Wshadow -Werror)
# With optimization or a sanitizer, GCC 12 and 13 give false warnings about overlaps and uninitialized members inside
# std::string and std::variant.
target_compile_options(
  pgq_dev INTERFACE
  $<$<AND:$<CXX_COMPILER_ID:GNU>,$<VERSION_LESS:$<CXX_COMPILER_VERSION>,14>>:-Wno-restrict;-Wno-maybe-uninitialized>
)
# With the defaults GCC spends a tenth of its time on garbage collection.
target_compile_options(pgq_dev INTERFACE $<$<CXX_COMPILER_ID:GNU>:--param=ggc-min-heapsize=1048576>)
# With Clang, Asio before 1.24 looks for <experimental/coroutine>, does not find it and disables coroutines.
target_compile_definitions(
  pgq_dev INTERFACE $<$<CXX_COMPILER_ID:Clang,AppleClang>:ASIO_HAS_CO_AWAIT=1;ASIO_HAS_STD_COROUTINE=1>
)

# With assertions, access to an empty optional ends the test.
target_compile_definitions(pgq_dev INTERFACE $<$<CONFIG:Debug>:_GLIBCXX_ASSERTIONS>)

foreach(component libpq asio json)
  pgq_find_component(${component} problem)
  if(problem)
    message(FATAL_ERROR "${problem}")
  endif()
endforeach()
pgq_find_component(testing pgq_no_testing)
if(PGQ_BUILD_TESTS AND pgq_no_testing)
  message(FATAL_ERROR "${pgq_no_testing}")
endif()

# Only some serializers, time zones, metrics and pgq::main need these libraries. If one is missing or switched off, the files that need it
# are not built.
set(pgq_optional_nlohmann "pgq/serializer/(nlohmann|msgpack)[a-z_/]*\\.hpp")
set(pgq_optional_sodium "pgq/serializer/(encrypted|keys)\\.hpp")
set(pgq_optional_zstd "pgq/serializer/compressed\\.hpp")
set(pgq_optional_timezones "pgq/timezones\\.hpp")
set(pgq_optional_prometheus "(pgq/(observer/(prometheus|database_metrics|metric_families)|cli/command/metrics)|prometheus/.*)\\.h(pp)?")
set(pgq_optional_cli "pgq/cli(\\.hpp|/[a-z_/]*\\.hpp)")
set(pgq_missing_headers)
foreach(component nlohmann sodium zstd timezones prometheus cli)
  string(TOUPPER "PGQ_WITH_${component}" option)
  set(${option} AUTO CACHE STRING "Test pgq::${component}: ON, OFF, or AUTO, if its library is found")
  set_property(CACHE ${option} PROPERTY STRINGS AUTO ON OFF)
  set(problem "${option} is OFF")
  if(${option})
    pgq_find_component(${component} problem)
  endif()
  if(NOT problem)
    target_link_libraries(pgq_dev INTERFACE pgq::${component})
  elseif(${option} AND NOT ${option} STREQUAL "AUTO")
    message(FATAL_ERROR "${problem}")
  else()
    message(STATUS "Files that need pgq::${component} are not built and not tested: ${problem}")
    list(APPEND pgq_missing_headers "${pgq_optional_${component}}")
  endif()
endforeach()
# An example and its test need the HTTP server of prometheus-cpp, too.
if(TARGET prometheus-cpp::pull)
  target_link_libraries(pgq_dev INTERFACE prometheus-cpp::pull)
else()
  list(APPEND pgq_missing_headers "prometheus/exposer\\.h")
endif()

# OpenTelemetry has no component. Its test needs the SDK, too.
set(pgq_opentelemetry opentelemetry-cpp::api opentelemetry-cpp::trace opentelemetry-cpp::in_memory_span_exporter)
find_package(opentelemetry-cpp QUIET CONFIG)
if(TARGET opentelemetry-cpp::in_memory_span_exporter)
  target_link_libraries(pgq_dev INTERFACE ${pgq_opentelemetry})
else()
  message(STATUS "Files that need OpenTelemetry are not built and not tested: its C++ package, with the SDK, is not found")
  list(APPEND pgq_missing_headers "pgq/observer/opentelemetry\\.hpp")
endif()
string(JOIN "|" pgq_missing_headers ${pgq_missing_headers})

# pgq_buildable(VARIABLE FILE...): sets VARIABLE to the files that do not need a missing library.
function(pgq_buildable variable)
  set(buildable)
  foreach(file IN LISTS ARGN)
    set(unmet)
    if(pgq_missing_headers)
      if(file MATCHES "(${pgq_missing_headers})$")
        set(unmet yes)
      else()
        file(STRINGS "${file}" unmet REGEX "^#include <(${pgq_missing_headers})>")
      endif()
    endif()
    if(NOT unmet)
      list(APPEND buildable "${file}")
    endif()
  endforeach()
  set(${variable} ${buildable} PARENT_SCOPE)
endfunction()

# pgq_programs(FOLDER DIRECTORY PREFIX): builds one program per FOLDER/*.cpp into DIRECTORY. The program has the name of
# the file; the target has the PREFIX before it. Sets pgq_programs_added to the targets.
function(pgq_programs folder directory prefix)
  file(GLOB sources CONFIGURE_DEPENDS "${folder}/*.cpp")
  pgq_buildable(sources ${sources})
  set(added)
  foreach(source IN LISTS sources)
    cmake_path(GET source STEM stem)
    set(target "${prefix}${stem}")
    add_executable(${target} "${source}")
    target_link_libraries(${target} PRIVATE pgq::asio pgq::json pgq_dev)
    set_target_properties(${target} PROPERTIES OUTPUT_NAME "${stem}" RUNTIME_OUTPUT_DIRECTORY "${directory}")
    list(APPEND added ${target})
  endforeach()
  set(pgq_programs_added ${added} PARENT_SCOPE)
endfunction()
