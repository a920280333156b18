# Finds Zstandard as zstd::zstd. Not every system has its CMake package, and the target names in it depend on the build.

find_path(zstd_INCLUDE_DIR NAMES zstd.h DOC "where zstd.h is")
find_library(zstd_LIBRARY NAMES zstd DOC "the Zstandard library")
mark_as_advanced(zstd_INCLUDE_DIR zstd_LIBRARY)

include(FindPackageHandleStandardArgs)
find_package_handle_standard_args(zstd REQUIRED_VARS zstd_LIBRARY zstd_INCLUDE_DIR)

if(zstd_FOUND AND NOT TARGET zstd::zstd)
  add_library(zstd::zstd UNKNOWN IMPORTED)
  set_target_properties(
    zstd::zstd PROPERTIES IMPORTED_LOCATION "${zstd_LIBRARY}" INTERFACE_INCLUDE_DIRECTORIES "${zstd_INCLUDE_DIR}"
  )
endif()
