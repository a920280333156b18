#pragma once

// Every header includes this one first, directly or through others. An older standard is then one error, in place of
// the thousands that the headers would give: the header that does not exist ends the compilation.
#if !defined(__cpp_concepts) || __cpp_concepts < 201907L || (defined(__cplusplus) && __cplusplus < 202002L)
#error "pgq: this library needs C++20. Compile with -std=c++20 or later; GCC 12, Clang 14 and newer have it."
#include <the_error_above_ends_the_compilation>
#endif
