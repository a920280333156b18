#pragma once

#include <pgq/cli/command/part/role_names.hpp>
#include <pgq/cli/output/program_name.hpp>
#include <pgq/cli/output/safe_text.hpp>
#include <pgq/cli/output/terminal.hpp>
#include <pgq/cli/program.hpp>

#include <pgq/admin/doctor.hpp>
#include <pgq/protocol/doctor/finding.hpp>

#include <CLI/App.hpp>
#include <CLI/Validators.hpp>

#include <algorithm>
#include <array>
#include <cstdint>
#include <limits>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace pgq::cli::command {

/// Ends with 1 if a finding is an error.
struct doctor {
    static constexpr const char* name = "doctor";
    static constexpr const char* what = "Say what is wrong with the tables, rights, settings, jobs and workers";

    void declare(CLI::App& a) {
        a.add_flag("--sql", only_sql, "Only the statements that repair it, for psql; read them first");
        add_duration(a, "--old-snapshot", o.old_snapshot, "Report an open transaction from this age on (5min)");
        add_duration(a, "--late", o.late, "So late may due jobs, schedules and rescues be (1min)");
        add_duration(a, "--long-pause", o.long_pause, "Report a pause from this age on (24h)");
        a.add_option("--dead-rows", o.dead_rows, "Report a table from so many dead rows on (100000)")
            ->check(CLI::Range(std::int64_t{0}, std::numeric_limits<std::int64_t>::max()))
            ->transform(decimal())
            ->type_name("N");
        roles.declare(a);
    }

    exit_code run(program& p) {
        (void)p.session();  // without the tables of this version it ends here
        o.statement_timeout = p.options().statement_timeout;
        o.roles = roles.in(p.options().schema);
        auto found = p.ops().doctor(o).value();
        for (finding& f : found) f.remedy = for_shell(std::move(f.remedy));
        if (only_sql) write_out(script(found));
        else if (p.options().format() == format::table) write_out(text(found));
        else p.show(listing(found));
        const bool is_bad =
            std::any_of(found.begin(), found.end(), [](const auto& f) { return f.severity == severity::error; });
        return is_bad ? exit_code::not_met : exit_code::done;
    }

private:
    static std::string name_of(severity s) {
        return s == severity::error ? "error" : s == severity::warning ? "warning" : "note";
    }
    /// The library's remedies speak to a programmer.
    static std::string for_shell(std::string text) {
        const std::array<std::pair<std::string_view, std::string>, 4> words{
            {{"call doctor()", "run " + line_of("doctor")},
             {"admin::lanes() and counts() list them", line_of("queues") + " lists them"},
             {"the script of pgq::roles_sql()", "the script of " + line_of("sql roles")},
             {"call forget_worker(", "run \"" + program_name() + " workers forget "}}};
        for (const auto& [from, to] : words) {
            const auto at = text.find(from);
            if (at == std::string::npos) continue;
            text.replace(at, from.size(), to);
            if (to.back() == ' ') text.replace(text.find(')', at), 1, "\"");
        }
        return text;
    }
    /// A finding in each paragraph, because its sentences are too long for columns.
    static std::string text(const std::vector<finding>& found) {
        if (found.empty()) return "nothing is wrong\n";
        std::string out;
        for (const finding& f : found) {
            out += (out.empty() ? "" : "\n") + name_of(f.severity) + ' ' + safe(f.topic) + ": " + safe(f.what) + '\n';
            if (!f.remedy.empty()) out += "  " + safe(f.remedy) + '\n';
            if (!f.sql.empty()) out += indented(f.sql);
        }
        return out;
    }
    static std::string indented(std::string_view sql) {
        // The script of the roles is long; a person gets it from --sql.
        if (std::count(sql.begin(), sql.end(), '\n') > 20)
            return "    (a script: " + line_of("doctor --sql") + " prints it)\n";
        std::string out;
        each_line(sql, [&](std::string_view line) { out += "    " + safe(line) + '\n'; });
        return out;
    }
    /// Several statements of one finding are one transaction, except for those that must stand alone.
    static std::string script(const std::vector<finding>& found) {
        std::string out;
        for (const finding& f : found) {
            if (f.sql.empty()) continue;
            const bool alone = f.sql.find(";\n") == std::string::npos || f.sql.starts_with("VACUUM ") ||
                               f.sql.starts_with("ALTER SYSTEM ");
            out += (out.empty() ? "-- " : "\n-- ") + name_of(f.severity) + ' ' + safe(f.topic) + ": " + safe(f.what);
            out += '\n' + (alone ? f.sql : "BEGIN;\n" + f.sql + "\nCOMMIT;") + '\n';
        }
        return out;
    }
    static table listing(const std::vector<finding>& found) {
        table t{{{"severity"}, {"topic"}, {"what"}, {"remedy"}, {"sql"}}};
        for (const finding& f : found) t.add({name_of(f.severity), f.topic, f.what, f.remedy, f.sql});
        return t;
    }
    template <class F>
    static void each_line(std::string_view text, F f) {
        while (!text.empty()) {
            const auto end = std::min(text.find('\n'), text.size());
            f(text.substr(0, end));
            text.remove_prefix(std::min(end + 1, text.size()));
        }
    }

public:
    doctor_options o{};
    role_names roles{};
    bool only_sql = false;
};

}  // namespace pgq::cli::command
