#pragma once

#include <pgq/cli/command/part/checks.hpp>
#include <pgq/cli/database/installation.hpp>
#include <pgq/cli/program.hpp>

#include <pgq/schema/uninstall_sql.hpp>

#include <CLI/App.hpp>

#include <cstdint>
#include <cstdlib>
#include <string>

namespace pgq::cli::command {

struct uninstall {
    static constexpr const char* name = "uninstall";
    static constexpr const char* what = "Delete the schema with all jobs";

    void declare(CLI::App& a) {
        a.add_flag("--dry-run", dry_run, "Show what would be deleted, and change nothing");
        a.add_flag("--force", forced, "Also if workers are alive");
    }

    exit_code run(program& p) {
        const install_options where{.schema = p.options().schema};
        auto& db = p.plain();
        db.run_script(uninstall_check_sql(where).value());
        p.show(contents(db));
        if (dry_run) return exit_code::done;
        if (const auto n = workers_alive(db); n > 0 && !forced)
            return p.fail(exit_code::not_met, counted(n, "worker") + " alive",
                          "stop them, or say --force: their jobs fail when the tables are gone");
        const std::string schema = statement::quoted(where.schema);
        if (!p.is_confirmed("Delete schema " + schema + " with all of this?")) return exit_code::not_confirmed;
        db.run_script(uninstall_sql(where).value());
        p.say("schema " + schema + " is deleted");
        return exit_code::done;
    }

    /// What the schema has, tables without rows left out.
    static table contents(plain_connection& db) {
        table t{{{"table"}, {"rows", kind::count}, {"bytes", kind::number}}};
        const auto tables = db.read(R"(
            SELECT c.relname, pg_total_relation_size(c.oid) FROM pg_class c
             WHERE c.relnamespace = to_regnamespace('{q}') AND c.relkind = 'r' ORDER BY c.relname)");
        for (std::size_t i = 0; i < tables.size(); ++i) {
            const auto rows = db.read("SELECT count(*) FROM (SELECT FROM {s}." + statement::quoted(*tables[i][0]) +
                                      " LIMIT 10001) x");
            const auto found = std::atoll(rows[0][0]->c_str());
            if (found > 0)
                t.add(
                    {*tables[i][0], capped_count::of(found, 10'000), std::int64_t{std::atoll(tables[i][1]->c_str())}});
        }
        return t;
    }

    static std::int64_t workers_alive(plain_connection& db) {
        if (db.read("SELECT 1 WHERE to_regclass('{q}.worker') IS NOT NULL").size() == 0) return 0;
        const auto n = db.read("SELECT count(*) FROM {s}.worker WHERE heartbeat_at >= now() - lease_time");
        return std::atoll(n[0][0]->c_str());
    }

    bool dry_run = false;
    bool forced = false;
};

}  // namespace pgq::cli::command
