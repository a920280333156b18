#pragma once

#include <pgq/cli/output/program_name.hpp>

#include <pgq/error/condition.hpp>
#include <pgq/error/error_info.hpp>

#include <system_error>
#include <utility>

namespace pgq::cli {

/// How the command ends. docs/guides/command.md lists them.
enum class exit_code : int {
    done = 0,
    not_met = 1,        ///< a check failed, or what the line names does not exist
    wrong_use = 2,      ///< an unknown option, a value out of range
    refused = 3,        ///< the database cannot be reached, or refuses
    schema = 4,         ///< the schema is missing, older, newer or another one
    not_confirmed = 5,  ///< the answer was no, or there was nobody to ask
    reader_gone = 141,  ///< as a shell reports SIGPIPE
};

inline exit_code code_of(const error_info& e) noexcept {
    for (const errc missing : {errc::schema_missing, errc::schema_older, errc::schema_newer, errc::schema_changed})
        if (e == missing) return exit_code::schema;
    if (e.code == make_sqlstate("3F000")) return exit_code::schema;  // raised by the script that deletes
    for (const errc wrong :
         {errc::bad_conninfo, errc::invalid_name, errc::invalid_text, errc::invalid_option, errc::invalid_cron})
        if (e == wrong) return exit_code::wrong_use;
    const bool refuses = e == condition::transient || e == condition::contention || e == condition::configuration;
    return refuses ? exit_code::refused : exit_code::not_met;
}

/// The error with the remedy of the command, where that of the library speaks to a programmer.
inline error_info explain(error_info e) {
    if (code_of(e) == exit_code::schema) e.statement.clear();
    if (e == errc::schema_missing) e.hint = "run " + line_of("install") + ", or name the right schema with --schema";
    else if (e == errc::schema_older) e.hint = "run " + line_of("upgrade");
    else if (e == errc::schema_newer)
        e.hint = "use a newer " + program_name() + ", or name the right schema with --schema";
    else if (e.code == make_sqlstate("57014")) e.hint = "give it more time with --statement-timeout";
    return e;
}

}  // namespace pgq::cli
