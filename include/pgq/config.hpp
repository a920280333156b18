#pragma once

/// 1 when this compiler and the Asio that the program uses can do coroutines; the Asio headers of ours are empty otherwise.
#if defined(__cpp_impl_coroutine) && __has_include(<asio/version.hpp>)
#if !defined(__clang__) || defined(ASIO_HAS_CO_AWAIT)
#define PGQ_HAS_COROUTINES 1
#else
#define PGQ_HAS_COROUTINES 0
#endif
#else
#define PGQ_HAS_COROUTINES 0
#endif
