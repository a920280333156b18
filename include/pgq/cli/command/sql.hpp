#pragma once

#include <pgq/cli/command/part/role_names.hpp>
#include <pgq/cli/program.hpp>

#include <pgq/error/result.hpp>
#include <pgq/install.hpp>

#include <CLI/App.hpp>

#include <string>

/// Print SQL, and connect to nothing.
namespace pgq::cli::command {

template <result<std::string> (*Script)(const install_options&)>
struct sql_script {
    void declare(CLI::App&) {}
    exit_code run(program& p) {
        write_out(Script({.schema = p.options().schema}).value());
        return exit_code::done;
    }
};

struct sql_install : sql_script<install_sql> {
    static constexpr const char* name = "install";
    static constexpr const char* what = "The script that makes the tables";
};
struct sql_upgrade : sql_script<upgrade_sql> {
    static constexpr const char* name = "upgrade";
    static constexpr const char* what = "The script that runs the migrations that are missing";
};
struct sql_uninstall : sql_script<uninstall_sql> {
    static constexpr const char* name = "uninstall";
    static constexpr const char* what = "The script that deletes the schema with all jobs";
};

struct sql_roles {
    static constexpr const char* name = "roles";
    static constexpr const char* what = "The script that makes the five roles and gives them their rights";

    void declare(CLI::App& a) { roles.declare(a); }
    exit_code run(program& p) {
        write_out(roles_sql(roles.in(p.options().schema)).value());
        return exit_code::done;
    }

    role_names roles{};
};

}  // namespace pgq::cli::command
