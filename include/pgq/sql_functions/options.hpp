#pragma once

#include <pgq/detail/require_cxx20.hpp>

#include <cstddef>
#include <string>
#include <vector>

namespace pgq {

/// The names of the functions of `pgq::sql_functions`, their schema, and the roles that may call them.
struct sql_options {
    std::string queue = "default";           ///< the name of the queue that they enqueue into
    std::string jobs_schema = "pgq_jobs";    ///< where the tables are: `connection_options::schema`
    std::string schema = {};                 ///< where the functions are; empty: with the tables
    std::string prefix = "enqueue_";         ///< the functions are called this and the entrypoint
    std::vector<std::string> grant_to = {};  ///< roles that may use the schema and its functions; "PUBLIC" is everybody
    bool require_members = false;  ///< also members that the job type has a default for, except for optional ones
    std::size_t max_payload = std::size_t{16} << 20;  ///< bytes: `connection_options::max_payload`
};

}  // namespace pgq
