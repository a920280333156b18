#pragma once

#define PGQ_VERSION_MAJOR 0
#define PGQ_VERSION_MINOR 1
#define PGQ_VERSION_PATCH 0

/// "major.minor.patch" of this library; CMake and the packages read it from here.
#define PGQ_VERSION "0.1.0"
