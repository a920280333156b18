#pragma once

/// For programs that are compiled with PGQ_SEPARATE_COMPILATION: one file includes this, and so contains what the other
/// files only declare. See docs/guides/compile_time.md.

#include <pgq/detail/separate_compilation.hpp>

#if __has_include(<libpq-fe.h>)
#include <pgq/driver/pq/session/admin_verbs.ipp>
#include <pgq/driver/pq/session/caller_transaction.ipp>
#include <pgq/driver/pq/session/client_verbs.ipp>
#include <pgq/driver/pq/session/copy_stream.ipp>
#include <pgq/driver/pq/session/installer.ipp>
#include <pgq/driver/pq/session/session.ipp>
#endif

#ifdef PGQ_SEPARATE_COMPILATION

#ifdef __ELF__
PGQ_DETAIL_MIXED(".rodata");
#endif

#if __has_include(<libpq-fe.h>)
template class pgq::driver::pq::client_verbs<pgq::driver::pq::session>;
template class pgq::driver::pq::admin_verbs<pgq::driver::pq::session>;
#endif

#endif
