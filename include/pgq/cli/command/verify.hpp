#pragma once

#include <pgq/cli/database/installation.hpp>
#include <pgq/cli/program.hpp>

#include <CLI/App.hpp>

#include <string>

namespace pgq::cli::command {

/// Ends with 0 if it is as expected, with 1 if tables are there that should not, with 4 if they are missing, older,
/// newer or other ones.
struct verify {
    static constexpr const char* name = "verify";
    static constexpr const char* what = "Check that the tables are there, and are of this version";

    void declare(CLI::App& a) {
        add_choice(a, "--expect", expected, {"present", "absent"}, "What must be so (present)");
    }

    exit_code run(program& p) {
        const std::string schema = "schema " + statement::quoted(p.options().schema);
        const auto found = installation::read(p.plain());
        if (expected == "present") found.check(p.options().schema).value();
        else if (found.exists())
            return p.fail(exit_code::not_met, schema + " has pgq tables, version " + std::to_string(found.version()),
                          '"' + program_name() + " uninstall\" deletes them");
        p.say(schema + (found.exists() ? " has version " + std::to_string(found.version()) : " has no pgq tables"));
        return exit_code::done;
    }

    std::string expected = "present";
};

}  // namespace pgq::cli::command
