#pragma once

#define CATCH_CONFIG_ENABLE_OPTIONAL_STRINGMAKER  // what std::optional has inside, instead of {?}
// Catch2 as it is installed: one header in version 2, many in version 3.
#if __has_include(<catch2/catch_all.hpp>)
#include <catch2/catch_all.hpp>
#else
#include <catch2/catch.hpp>
#endif
