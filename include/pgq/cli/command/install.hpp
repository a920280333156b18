#pragma once

#include <pgq/cli/command/part/role_names.hpp>
#include <pgq/cli/database/installation.hpp>
#include <pgq/cli/program.hpp>

#include <pgq/schema/roles_sql.hpp>

#include <CLI/App.hpp>

#include <string>

namespace pgq::cli::command {

struct install {
    static constexpr const char* name = "install";
    static constexpr const char* what = "Make the tables, or run the migrations that are missing";

    void declare(CLI::App& a) {
        a.add_flag("--dry-run", dry_run, "Show the migrations that would run, and change nothing");
        a.add_flag("--roles", with_roles, "Make the five roles, too, and give them their rights");
        roles.declare(a);
    }

    exit_code run(program& p) {
        if (dry_run) {
            p.show(installation::read(p.plain()).migrations());
            return exit_code::done;
        }
        p.driver().install().value();
        if (with_roles) p.plain().run_script(roles_sql(roles.in(p.options().schema)).value());
        p.say("schema " + statement::quoted(p.options().schema) + " has version " + std::to_string(schema::version) +
              (with_roles ? ", and its roles have their rights" : ""));
        return exit_code::done;
    }

    bool dry_run = false;
    bool with_roles = false;
    role_names roles{};
};

}  // namespace pgq::cli::command
