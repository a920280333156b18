#pragma once

#include <pgq/detail/require_cxx20.hpp>

/// 1 if the compiler and the installed Asio support coroutines, otherwise 0. If it is 0, the headers for coroutines and
/// asynchronous workers are empty. With Clang, define ASIO_HAS_CO_AWAIT to enable them.
#if defined(__cpp_impl_coroutine) && __has_include(<asio/version.hpp>)
#if !defined(__clang__) || defined(ASIO_HAS_CO_AWAIT)
#define PGQ_HAS_COROUTINES 1
#else
#define PGQ_HAS_COROUTINES 0
#endif
#else
#define PGQ_HAS_COROUTINES 0
#endif
