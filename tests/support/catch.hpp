#pragma once

#define CATCH_CONFIG_ENABLE_OPTIONAL_STRINGMAKER  // print the value of a std::optional instead of {?}
// Version 2 of Catch2 has one header, version 3 has many.
#if __has_include(<catch2/catch_all.hpp>)
#include <catch2/catch_all.hpp>
#else
#include <catch2/catch.hpp>
#endif
