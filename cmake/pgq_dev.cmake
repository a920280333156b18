# For our own tests, examples, benchmarks and tools only; nothing of this is installed.

add_library(pgq_dev INTERFACE)
target_compile_features(pgq_dev INTERFACE cxx_std_20)
target_compile_options(pgq_dev INTERFACE -Wall -Wextra -Wpedantic -Wconversion -Wshadow -Werror)
# Optimizing and instrumenting, GCC 12 and 13 warn of overlaps and uninitialized members inside std::string and
# std::variant that are not there.
target_compile_options(
  pgq_dev INTERFACE
  $<$<AND:$<CXX_COMPILER_ID:GNU>,$<VERSION_LESS:$<CXX_COMPILER_VERSION>,14>>:-Wno-restrict;-Wno-error=maybe-uninitialized>
)
# Asio before 1.24 looks for <experimental/coroutine> with Clang and so hides its coroutines.
target_compile_definitions(
  pgq_dev INTERFACE $<$<CXX_COMPILER_ID:Clang,AppleClang>:ASIO_HAS_CO_AWAIT=1;ASIO_HAS_STD_COROUTINE=1>
)

# `all_verify_interface_header_sets` compiles each header alone, with the warnings.
add_library(pgq_each_header INTERFACE)
set(pgq_own_headers ${pgq_headers})
if(TARGET pgq::testing)
  target_link_libraries(pgq_each_header INTERFACE pgq::testing)
else()
  list(FILTER pgq_own_headers EXCLUDE REGEX "/pgq/testing/")
endif()
target_sources(
  pgq_each_header INTERFACE FILE_SET HEADERS BASE_DIRS "${PROJECT_SOURCE_DIR}/include" FILES ${pgq_own_headers}
)
target_link_libraries(pgq_each_header INTERFACE pgq::asio pgq::json pgq_dev)
set_target_properties(pgq_each_header PROPERTIES VERIFY_INTERFACE_HEADER_SETS ON)

# pgq_programs(FOLDER DIRECTORY PREFIX): each FOLDER/*.cpp becomes a program of its stem; the target has the prefix.
# Sets pgq_programs_added to the targets.
function(pgq_programs folder directory prefix)
  file(GLOB sources CONFIGURE_DEPENDS "${folder}/*.cpp")
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
