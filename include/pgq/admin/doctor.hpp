#pragma once

#include <pgq/admin/conditions.hpp>
#include <pgq/admin/drift.hpp>
#include <pgq/concept/admin.hpp>
#include <pgq/error/result.hpp>
#include <pgq/protocol/doctor/examination.hpp>
#include <pgq/protocol/doctor/finding.hpp>
#include <pgq/schema/catalog/generated.hpp>
#include <pgq/schema/roles_sql.hpp>
#include <pgq/time/clock.hpp>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <iterator>
#include <string>
#include <utility>
#include <vector>

namespace pgq {

struct doctor_options {
    duration statement_timeout = std::chrono::seconds{10};  ///< a part that takes longer is a note
    duration old_snapshot = std::chrono::minutes{5};        ///< report the oldest transaction from this age on
    duration late = std::chrono::minutes{1};                ///< so late may due jobs, schedules and rescues be
    duration long_pause = std::chrono::hours{24};           ///< report a pause from this age on
    std::int64_t dead_rows = 100'000;                       ///< report a table from so many on, if fewer rows are alive
    std::int64_t count_up_to = 1000;                        ///< jobs that wait in a lane
    role_options roles{};  ///< the names that roles_sql() got. Their rights are checked if the owner owns the schema
};

namespace detail {

/// The member of pgq::admin that says what is wrong.
template <class Admin>
class admin_doctor {
public:
    /// What is wrong with this installation, worst first; nothing if all is well. It reads only. It needs the rights of
    /// a reader; what the role may not read is a note. docs/guides/administration.md lists the topics.
    ///
    /// An installation that is missing, or of another version, is a finding. Errors: those of the connection.
    result<std::vector<finding>> doctor(const doctor_options& o = {}) {
        using session = typename Admin::session;
        static_assert(can_examine<session>,
                      "pgq: this driver has no server for doctor() to examine. Use a driver of PostgreSQL.");
        if constexpr (can_examine<session>) return examine(o);
    }

protected:
    admin_doctor() = default;

private:
    result<std::vector<finding>> examine(const doctor_options& o) {
        std::vector<finding> found;
        if (auto done = examine_server(o, found); !done) {
            if (!is_of_another_version(done.error())) return std::move(done.error());
            return std::vector<finding>{
                {severity::error, "version", done.error().message, done.error().hint, std::string{}}};
        }
        if (auto done = examine_objects(o, found); !done) return std::move(done.error());
        if (auto done = examine_jobs(o, found); !done) return std::move(done.error());
        if (auto done = examine_problems(found); !done) return std::move(done.error());
        std::stable_sort(found.begin(), found.end(),
                         [](const finding& a, const finding& b) { return a.severity < b.severity; });
        return found;
    }

    static bool is_of_another_version(const error_info& e) {
        return e == errc::schema_missing || e == errc::schema_older || e == errc::schema_newer ||
               e == errc::schema_changed;
    }

    result<void> examine_server(const doctor_options& o, std::vector<finding>& found) {
        time_point before{}, after{};
        auto conditions = with([&](auto& s) {
            before = now();
            auto reply = s.examine({.part = condition_part::server,
                                    .limit = o.statement_timeout,
                                    .old_snapshot = o.old_snapshot,
                                    .dead_rows = o.dead_rows,
                                    .owner = o.roles.owner,
                                    .producer = o.roles.producer,
                                    .worker = o.roles.worker,
                                    .operators = o.roles.operators,
                                    .reader = o.roles.reader});
            after = now();
            return reply;
        });
        if (!conditions) return std::move(conditions.error());
        for (const auto& c : *conditions)
            if (c.code == "owner") schema_ = c.name, owner_ = c.detail;
        const server_words words{schema_};
        for (const auto& c : *conditions) {
            if (c.code == "owner" || c.code == "no_right") continue;
            if (c.code == "clock") check_clock(c, before, after, found);
            else found.push_back(words.of(c));
        }
        if (auto missing = missing_rights(*conditions, schema::catalog, o.roles, schema_))
            found.push_back(std::move(*missing));
        return {};
    }

    static void check_clock(const found_condition& c, time_point before, time_point after,
                            std::vector<finding>& found) {
        const auto text = clock_difference(time_point{std::chrono::microseconds{c.count}}, before, after);
        if (!text.empty())
            found.push_back({severity::warning,
                             "clock",
                             "the clock of the server is " + text,
                             "synchronize the clocks of both hosts",
                             {}});
    }

    result<void> examine_objects(const doctor_options& o, std::vector<finding>& found) {
        auto objects = with([&](auto& s) { return s.examine_objects(o.statement_timeout); });
        if (!objects) return skip("the catalog", objects.error(), found);
        auto more = drift{schema::catalog, *objects, schema_, owner_}.findings();
        std::move(more.begin(), more.end(), std::back_inserter(found));
        return {};
    }

    result<void> examine_jobs(const doctor_options& o, std::vector<finding>& found) {
        auto conditions = with([&](auto& s) {
            return s.examine({.part = condition_part::jobs,
                              .limit = o.statement_timeout,
                              .late = o.late,
                              .long_pause = o.long_pause,
                              .most = o.count_up_to});
        });
        if (!conditions) return skip("the state of jobs and workers", conditions.error(), found);
        const job_words words{schema_, o.count_up_to};
        for (const auto& c : *conditions) found.push_back(words.of(c));
        return {};
    }

    result<void> examine_problems(std::vector<finding>& found) {
        auto problems = with([&](auto& s) { return s.problems(); });
        if (!problems) return skip("row level security and publications", problems.error(), found);
        const bool is_off = std::any_of(found.begin(), found.end(), [](const finding& f) {
            return f.topic == "settings" && (f.what.starts_with("autovacuum ") || f.what.starts_with("track_counts "));
        });
        for (const auto& p : *problems)
            if (!is_off || p.name != "autovacuum") found.push_back(finding_of(p, schema_));
        return {};
    }

    static result<void> skip(const char* part, error_info& e, std::vector<finding>& found) {
        const auto why = reason_to_skip(e);
        if (why.empty()) return std::move(e);
        found.push_back({severity::note,
                         "unchecked",
                         std::string{part} + " was not checked: " + std::string{why},
                         "call doctor() as a reader or as the owner of the schema: " + e.message,
                         {}});
        return {};
    }

    static time_point now() {
        return std::chrono::time_point_cast<std::chrono::microseconds>(std::chrono::system_clock::now());
    }

    template <class Use>
    auto with(Use use) {
        return static_cast<Admin&>(*this).connection().with(use);
    }

    std::string schema_{}, owner_{};
};

}  // namespace detail
}  // namespace pgq
