#pragma once

#include <pgq/cli/command/part/known_names.hpp>
#include <pgq/cli/command/part/watch.hpp>
#include <pgq/cli/program.hpp>

#include <pgq/observer/database_queries.hpp>
#include <pgq/protocol/limit.hpp>

#include <CLI/App.hpp>

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>

namespace pgq::cli::command {

/// Ends with 1 if there is no such queue.
struct limits {
    static constexpr const char* name = "limits";
    static constexpr const char* what =
        "Show the limits that hold for all workers together, and how much of each is used";

    void declare(CLI::App& a) {
        a.add_option("--queue", queue, "Only this queue")->type_name("NAME");
        again.declare(a);
    }

    exit_code run(program& p) {
        if (const auto wrong = check_names(p, queue, {}); wrong != exit_code::done) return wrong;
        return again.show(p, [&] { return listing(p); });
    }

    table listing(program& p) const {
        table t{{{"queue"},
                 {"entrypoint"},
                 {"kind"},
                 {"number", kind::number},
                 {"allowed", kind::number},
                 {"used", kind::number},
                 {"per_s", kind::number}}};
        const auto rows = p.read(observer::queries::limits, {"1000000"});
        for (std::size_t i = 0; i < rows.size(); ++i) {
            const auto r = rows[i];
            if (!queue.empty() && r[0] != queue) continue;
            const auto number = [&r](std::size_t at) {
                return r[at] ? cell{std::strtod(r[at]->c_str(), nullptr)} : cell{};
            };
            t.add({*r[0], *r[1], std::string{name_of(static_cast<limit_kind>(r[2]->at(0)))},
                   std::int64_t{std::atoll(r[3]->c_str())}, number(4), number(5), number(6)});
        }
        return t;
    }

    std::string queue{};
    watch again{};
};

}  // namespace pgq::cli::command
