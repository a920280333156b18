#pragma once

#include <pgq/admin/repair.hpp>
#include <pgq/error/result.hpp>
#include <pgq/protocol/admin.hpp>
#include <pgq/protocol/doctor/examination.hpp>
#include <pgq/protocol/doctor/finding.hpp>
#include <pgq/protocol/statistics.hpp>
#include <pgq/schema/catalog/expected.hpp>
#include <pgq/schema/roles_sql.hpp>
#include <pgq/schema/script_text.hpp>
#include <pgq/statement/query.hpp>
#include <pgq/time/clock.hpp>
#include <pgq/time/duration_words.hpp>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>

/// What a session found, in words.
namespace pgq::detail {

/// Conditions of the server.
class server_words {
public:
    explicit server_words(std::string_view schema_name) : schema_{schema_name} {}

    finding of(const found_condition& c) const {
        if (c.code == "off") return setting(c.name);
        if (c.code == "snapshot" || c.code == "prepared" || c.code == "slot") return holder(c);
        if (c.code == "read_only")
            return {severity::error,
                    "settings",
                    "default_transaction_read_only is on: workers and enqueues wait or fail",
                    "set default_transaction_read_only = off for the database and the roles",
                    {}};
        if (c.code == "standby")
            return {severity::note,
                    "settings",
                    "this server is a standby: nothing can be enqueued or claimed here",
                    "examine the primary",
                    {}};
        if (c.code == "connections")
            return {severity::warning,
                    "settings",
                    std::to_string(c.count) + " of " + c.detail + " connections are in use: soon no worker can connect",
                    "raise max_connections, use a pooler, or find the program that opens them",
                    {}};
        if (c.code == "create")
            return {severity::error, "rights",
                    "everybody may create objects in the schema, and so run code with the rights of its owner",
                    "run the statement", "REVOKE CREATE ON SCHEMA " + statement::quoted(schema_) + " FROM PUBLIC;"};
        if (c.code == "blind")
            return {severity::note,
                    "unchecked",
                    "this role does not see what other sessions do: old snapshots stay unseen",
                    "grant it pg_read_all_stats, or call doctor() as a role that has it",
                    {}};
        return dead_rows(c);
    }

private:
    static finding setting(const std::string& name) {
        const bool loses = name == "fsync" || name == "full_page_writes";
        return {
            loses ? severity::error : severity::warning, "settings",
            name + " is off: " +
                (loses ? "a crash of the server may destroy jobs" : "dead rows stay, and each claim becomes slower"),
            "run the statement as a superuser, outside of a transaction, then SELECT pg_reload_conf()",
            "ALTER SYSTEM SET " + name + " = on;"};
    }
    static finding holder(const found_condition& c) {
        if (c.code == "snapshot")
            return {severity::warning, "snapshot",
                    "process " + c.name + " (" + c.detail + ") has an open transaction since " +
                        duration_in_words(c.age) + ": dead rows that are newer stay, and each claim becomes slower",
                    "end the transaction; the statement ends the session",
                    "SELECT pg_terminate_backend(" + c.name + ");"};
        if (c.code == "prepared")
            return {severity::warning, "snapshot",
                    "the prepared transaction \"" + c.name + "\" of \"" + c.detail + "\" is " +
                        duration_in_words(c.age) + " old: dead rows that are newer stay",
                    "commit it or roll it back; the statement rolls it back",
                    "ROLLBACK PREPARED " + schema::literal(c.name) + ";"};
        return {
            severity::warning, "snapshot",
            "the " + c.detail + " replication slot \"" + c.name + "\" holds rows of the last " +
                capped_count{.value = c.count}.text() + " transactions",
            c.detail == "active" ? "find the long query on the standby, or turn hot_standby_feedback off there"
                                 : "connect the standby, or drop the slot",
            c.detail == "active" ? std::string{} : "SELECT pg_drop_replication_slot(" + schema::literal(c.name) + ");"};
    }
    finding dead_rows(const found_condition& c) const {
        return {severity::warning, "dead_rows",
                "the table \"" + c.name + "\" has " + capped_count{.value = c.count}.text() +
                    " dead rows: each claim becomes slower",
                "find what holds an old snapshot, then run the statement outside of a transaction",
                "VACUUM " + repair::in_schema(schema_, c.name) + ";"};
    }

    std::string schema_;
};

/// Conditions of jobs and workers.
class job_words {
public:
    job_words(std::string_view schema_name, std::int64_t most) : schema_{statement::quoted(schema_name)}, most_{most} {}

    finding of(const found_condition& c) const {
        const std::string n = capped_count::of(c.count, most_).text(), since = duration_in_words(c.age);
        if (c.code == "lane")
            return {
                severity::warning,
                "lane",
                "no live worker serves " + c.name + version_of(c) + ": " + n + " jobs wait, the first since " + since,
                "start a worker for it, or move or cancel the jobs",
                {}};
        if (c.code == "version")
            return {severity::warning,
                    "payload_version",
                    "no live worker reads the payload version \"" + c.detail + "\" of " + c.name + ": " + n +
                        " jobs wait, the first since " + since,
                    "start a worker that reads it, or move or cancel the jobs",
                    {}};
        if (c.code == "lanes")
            return {severity::warning,
                    "lane",
                    "no live worker serves " + std::to_string(c.count) + " more lanes in which jobs wait",
                    "start workers for them; admin::lanes() and counts() list them",
                    {}};
        if (c.code == "dead_worker")
            return {severity::warning,
                    "worker",
                    "worker " + c.name + " (" + c.detail + ") has no heartbeat since " + since +
                        ", and its jobs were not rescued",
                    "start any worker: it rescues them; or call forget_worker(" + c.name + ")",
                    {}};
        if (c.code == "orphaned")
            return {severity::warning,
                    "worker",
                    n + " leases belong to workers that are not registered, the oldest since " + since,
                    "start any worker: its heartbeat rescues the jobs",
                    {}};
        if (c.code == "paused" || c.code == "draining") return pause(c, since);
        if (c.code == "pauses")
            return {severity::error, "paused",
                    "the function " + c.name + " does not say what the table \"paused\" says", "run the statement",
                    "SELECT " + schema_ + ".apply_pauses();"};
        if (c.code == "due")
            return {severity::warning,
                    "due",
                    n + " jobs are due and still deferred, the first since " + since,
                    "start a worker: it makes due jobs ready",
                    {}};
        return {severity::warning,
                "schedule",
                "the schedule " + c.name + " is late by " + since,
                "start a scheduler, or a worker of its job type; or remove the schedule",
                {}};
    }

private:
    static std::string version_of(const found_condition& c) {
        return c.detail.empty() ? std::string{} : " in the version \"" + c.detail + "\"";
    }
    finding pause(const found_condition& c, const std::string& since) const {
        std::string what = "everything in the schema";
        if (!c.name.empty()) what = "the queue \"" + c.name + "\"";
        if (!c.detail.empty()) what = "the entrypoint \"" + c.detail + "\" of " + what;
        return {severity::note, "paused", what + " is " + c.code + " since " + since, "resume it, if nobody needs that",
                "SELECT " + schema_ + ".resume(" + schema::literal(c.name) + ", " + schema::literal(c.detail) + ");"};
    }

    std::string schema_;
    std::int64_t most_;
};

/// The rights of roles_sql() that its roles lack, in one finding. Objects that are not of pgq do not count.
inline std::optional<finding> missing_rights(std::span<const found_condition> conditions,
                                             std::span<const schema::expected_object> expected, role_options roles,
                                             std::string_view schema_name) {
    std::string first;
    std::size_t more = 0;
    for (const auto& c : conditions) {
        const bool is_known = c.detail.empty() || std::any_of(expected.begin(), expected.end(), [&](const auto& e) {
                                  return e.table.empty() && e.name == c.detail;
                              });
        if (c.code != "no_right" || !is_known) continue;
        if (!first.empty()) ++more;
        else first = "the role \"" + c.name + "\" has no right on " + (c.detail.empty() ? "the schema" : c.detail);
    }
    if (first.empty()) return std::nullopt;
    if (more > 0) first += ", and " + std::to_string(more) + " more rights are missing";
    roles.schema = std::string{schema_name};
    auto script = roles_sql(roles);
    return finding{severity::error, "rights", std::move(first), "run the script of pgq::roles_sql() again",
                   script ? std::move(*script) : std::string{}};
}

/// What a worker checks, too.
inline finding finding_of(const database_problem& p, std::string_view schema_name) {
    finding f{p.prevents_work ? severity::error : severity::warning, p.name, p.message, p.remedy, {}};
    const std::string_view change = p.name == "replica_identity" ? "REPLICA IDENTITY FULL"
                                    : p.name == "autovacuum"     ? "RESET (autovacuum_enabled)"
                                    : p.name == "row_security"   ? "DISABLE ROW LEVEL SECURITY"
                                                                 : "";
    if (change.empty()) return f;
    for (const auto& table : p.tables)
        f.sql += (f.sql.empty() ? "" : "\n") + repair::alter_table(schema_name, table) + std::string{change} + ";";
    return f;
}

/// The clocks of the server and of this process. `before` and `after` its answer, this clock said these times.
inline std::string clock_difference(time_point server, time_point before, time_point after) {
    constexpr duration tolerated = std::chrono::seconds{1};
    if (server + tolerated < before) return "behind the clock of this process by " + duration_in_words(before - server);
    if (server > after + tolerated) return "ahead of the clock of this process by " + duration_in_words(server - after);
    return {};
}

/// A part that a role may not read, or that takes too long. Empty: the error is another one.
inline std::string_view reason_to_skip(const error_info& e) {
    if (e.code == make_sqlstate("42501")) return "this role may not read it";
    if (e.code == make_sqlstate("57014")) return "it took too long";
    if (e.code == make_sqlstate("42P01") || e.code == make_sqlstate("42703") || e.code == make_sqlstate("42883"))
        return "a table, a column or a function is missing";
    return {};
}

}  // namespace pgq::detail
