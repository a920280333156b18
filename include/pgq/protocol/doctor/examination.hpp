#pragma once

#include <pgq/time/clock.hpp>

#include <cstdint>
#include <string>
#include <string_view>

namespace pgq {

/// What an object of the schema is.
enum class object_kind : char {
    table = 't',  ///< also a view
    column = 'c',
    index = 'i',  ///< without those of constraints
    constraint = 'k',
    trigger = 'r',
    sequence = 's',
    function = 'f',
};

/// An object as the catalog of the server describes it, without the name of its schema.
struct catalog_object {
    object_kind kind{};
    std::string table{};       ///< of a column, index, constraint or trigger
    std::string name{};        ///< of a function with the types of its arguments
    std::string definition{};  ///< the type of a column, the arguments and the result of a function
    std::string traits{};      ///< the default of a column; language, volatility, rights and settings of a function
    bool fine = false;         ///< a column is NOT NULL, an index or constraint valid, a trigger always enabled
    std::string body{};        ///< of a function
    bool is_owned = true;      ///< by the owner of the schema
    bool is_public = false;    ///< PUBLIC has a right
};

/// Which part of an installation a session examines.
enum class condition_part : std::uint8_t { server, jobs };

/// What a session looks for.
struct examination {
    condition_part part = condition_part::server;
    duration limit{};         ///< of each statement
    duration old_snapshot{};  ///< from this age on a transaction is reported
    duration late{};          ///< so late may due jobs, schedules and rescues be
    duration long_pause{};
    std::int64_t dead_rows = 0;
    std::int64_t most = 0;                 ///< jobs are counted up to this
    std::string_view owner{}, producer{};  ///< the names of the roles of pgq::roles_sql
    std::string_view worker{}, operators{}, reader{};
};

/// A row of what a session found. statement/admin/doctor.hpp lists the codes.
struct found_condition {
    std::string code{};
    std::string name{};
    std::string detail{};
    std::int64_t count = 0;
    duration age{};
};

}  // namespace pgq
