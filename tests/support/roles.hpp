#pragma once

#include <pgq/install.hpp>

#include <support/database.hpp>
#include <support/sql_functions.hpp>

#include <exception>
#include <string>

namespace test {

/// The five roles of one schema. The destructor drops them, and the schema with them.
class roles {
public:
    explicit roles(const std::string& schema, const std::string& server = dsn())
        : line_{server, schema},
          names_{.schema = schema,
                 .owner = schema + "_owner",
                 .producer = schema + "_producer",
                 .worker = schema + "_worker",
                 .operators = schema + "_operator",
                 .reader = schema + "_reader"} {
        run_script(line_, script());
    }
    roles(const roles&) = delete;
    roles& operator=(const roles&) = delete;
    ~roles() {
        const auto all = "\"" + names_.owner + "\", \"" + names_.producer + "\", \"" + names_.worker + "\", \"" +
                         names_.operators + "\", \"" + names_.reader + "\"";
        try {
            (void)line_.exec("DROP OWNED BY " + all + " CASCADE; DROP ROLE " + all);
        } catch (const std::exception&) {  // they have no rights on anything else
        }
    }

    std::string script() const { return pgq::roles_sql(names_).value(); }
    const pgq::role_options& names() const noexcept { return names_; }

    /// The connection string of sessions that have the rights of this role.
    static std::string conninfo_as(const std::string& role, const std::string& server) {
        return database::settings_of(server, "options", "-c role=" + role);
    }

private:
    sql_connection line_;
    pgq::role_options names_;
};

}  // namespace test
