#pragma once

/// Version 2 of Catch2 has one header, version 3 has many.
#if __has_include(<catch2/catch_all.hpp>)
#include <catch2/catch_all.hpp>
#elif __has_include(<catch2/catch.hpp>)
#include <catch2/catch.hpp>
#else
#error "pgq: the headers of pgq/testing need Catch2, version 2.13 or 3. Install it, or link its target."
#endif
