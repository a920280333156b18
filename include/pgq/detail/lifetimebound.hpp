#pragma once

/// Behind a parameter: the object that is made, or returned, refers to the argument. A compiler that knows the
/// attribute warns if the argument is a temporary that is destroyed too early. GCC does not know it.
#if defined(__has_cpp_attribute)
#if __has_cpp_attribute(clang::lifetimebound)
#define PGQ_LIFETIMEBOUND [[clang::lifetimebound]]
#elif __has_cpp_attribute(msvc::lifetimebound)
#define PGQ_LIFETIMEBOUND [[msvc::lifetimebound]]
#endif
#endif
#ifndef PGQ_LIFETIMEBOUND
#define PGQ_LIFETIMEBOUND
#endif
