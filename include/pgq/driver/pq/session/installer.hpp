#pragma once

#include <pgq/detail/separate_compilation.hpp>
#include <pgq/driver/pq/connection/options.hpp>
#include <pgq/error/result.hpp>

namespace pgq::driver::pq {

/// Makes the tables or brings them up to date, in one transaction under a lock, so that several programs may install at
/// once. Everything or nothing.
result<void> install(const connection_options& options);

}  // namespace pgq::driver::pq

#ifndef PGQ_SEPARATE_COMPILATION
#include <pgq/driver/pq/session/installer.ipp>
#endif
