#pragma once

#include <pgq/driver/pq/connection/options.hpp>
#include <pgq/version.hpp>

#include <string>

namespace pgq::cli {

/// What is special to a program that has the sub-commands: to `pgq`, or to one of a user.
struct description {
    std::string name = "pgq";  ///< letters, digits, '-', '_' and '.': shells complete it
    std::string what = "Looks after the jobs of pgq in a PostgreSQL database";  ///< without its full stop
    std::string version = "pgq " PGQ_VERSION;                                   ///< what --version prints
    driver::connection_options database{};  ///< --dsn and --schema change it for one line
};

}  // namespace pgq::cli
