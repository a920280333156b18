#pragma once

#include <pgq/detail/require_cxx20.hpp>

#define PGQ_VERSION_MAJOR 0
#define PGQ_VERSION_MINOR 1
#define PGQ_VERSION_PATCH 0

/// The version of this library: "major.minor.patch". CMake and the packages read it from this file.
#define PGQ_VERSION "0.1.0"
