#pragma once

#include <pgq/cli/program.hpp>

#include <pgq/observer/database_metrics.hpp>

#include <CLI/App.hpp>
#include <prometheus/text_serializer.h>

#include <chrono>
#include <string>

namespace pgq::cli::command {

/// If the database cannot be read, it prints pgq_up 0, as a scrape would, and ends with the code of the error.
struct metrics {
    static constexpr const char* name = "metrics";
    static constexpr const char* what = "Print what the database knows in the text format of Prometheus";

    void declare(CLI::App&) {}

    exit_code run(program& p) {
        const auto limit = std::chrono::ceil<std::chrono::milliseconds>(p.options().statement_timeout);
        const observer::database_metrics<driver::libpq> numbers{p.driver(), {.statement_timeout = limit}};
        write_out(prometheus::TextSerializer{}.Serialize(numbers.Collect()));
        const auto error = numbers.last_error();
        if (!error.code) return exit_code::done;
        complain(explain(error).text());
        return code_of(error);
    }
};

}  // namespace pgq::cli::command
