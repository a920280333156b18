#pragma once

#include <pgq/cli/output/format.hpp>
#include <pgq/cli/tree/option_kinds.hpp>

#include <pgq/time/clock.hpp>

#include <CLI/App.hpp>

#include <chrono>
#include <string>

namespace pgq::cli {

/// What every sub-command takes, before or behind its name.
struct global_options {
    std::string dsn{};
    std::string schema = "pgq_jobs";
    duration statement_timeout = std::chrono::seconds{10};
    std::string format_name = "table";
    bool yes = false;
    bool no_color = false;
    bool verbose = false;

    cli::format format() const noexcept {
        using enum cli::format;
        return format_name == "json" ? json : format_name == "csv" ? csv : format_name == "markdown" ? markdown : table;
    }

    /// `has_database`: the program knows one, so the option need not be given.
    void declare(CLI::App& a, bool has_database) {
        a.add_option("--dsn", dsn,
                     has_database ? "Connection string or URI, instead of the program's own"
                                  : "Connection string or URI; the rest comes from PGHOST, PGSERVICE, ...")
            ->type_name("TEXT")
            ->take_last();
        a.add_option("--schema", schema, "Where the tables are (" + schema + ")")->type_name("NAME")->take_last();
        add_duration(a, "--statement-timeout", statement_timeout, "Limit of one statement (10s); 0s for none")
            ->check([](const std::string& text) {
                const auto given = detail::read_duration(text);
                return given && *given > std::chrono::hours{500} ? "it is more than 500h" : std::string{};
            });
        add_choice(a, "--format", format_name, {"table", "json", "csv", "markdown"}, "How to write the output (table)");
        a.add_flag("--yes", yes, "Do not ask");
        a.add_flag("--no-color", no_color, "No colours; so does NO_COLOR in the environment");
        a.add_flag("-v,--verbose", verbose, "Show each statement on stderr");
    }
};

}  // namespace pgq::cli
