#pragma once

#include <plans/measured_session.hpp>
#include <plans/statements.hpp>

#include <support/database.hpp>

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace test {

/// A schema that the library has installed, with any number of jobs, and sessions in it. The server's statistics change
/// only when a test asks for ANALYZE.
/// A million ready jobs come with 200 000 delayed ones (2000 of them due), 20 000 held ones, 10 000 blocked ones, 2000
/// leases with 40 000 jobs, and another million packed jobs. 90 000 jobs are tracked. There are 50 000 unique keys, 20
/// 000 dependencies, 100 000 outcomes and 50 000 failures, and 50 000 rows of statistics.
class backlog {
public:
    explicit backlog(std::string name) : name_{std::move(name)} {
        for_each_table("ALTER TABLE {t} SET (autovacuum_enabled = off, toast.autovacuum_enabled = off)");
        db_.exec(
            "INSERT INTO {s}.lane (queue, entrypoint) SELECT 'q', e"
            " FROM unnest('{big,keyed,busy,counted,a,b,c,d,e,later,idle,packed}'::text[]) WITH ORDINALITY x(e, o) "
            "ORDER BY o");
        db_.exec("INSERT INTO {s}.claim_slot (lane, number) SELECT id, n FROM {s}.lane, generate_series(1, 4) n");
        db_.exec(
            "INSERT INTO {s}.lane_limit (queue, entrypoint, kind, number, amount, burst) VALUES"
            " ('q', 'keyed', 'k', 0, 2, 1), ('q', 'busy', 'k', 0, 2, 1),"
            " ('q', 'counted', 'c', 0, 1000000, 1), ('q', 'counted', 'r', 0, 1000000, 100000)");
        // The library's ids are random. These are known to the tests, and stored in an order of their own.
        db_.exec(
            "INSERT INTO {s}.worker (id, lease_time, host, pid, version, lanes)"
            " SELECT i, '1 hour', 'here', i, '0', '{1,2,3,4,5,6,7,8,9,10}' FROM generate_series(1, 50) i"
            " ORDER BY md5(i::text)");
        db_.exec("SELECT setval('{q}.job_id', 900000000)");
        next_hour_ = "'" + db_.query_text("SELECT date_trunc('hour', now()) + interval '1 hour'") + "'::timestamptz";
    }

    /// Makes the jobs with these numbers, and the rows that belong to them.
    void fill(std::int64_t from, std::int64_t to) {
        numbers_ = " BETWEEN " + std::to_string(from) + " AND " + std::to_string(to);
        series_ = " FROM generate_series(" + std::to_string(from) + ", " + std::to_string(to) + ") i";
        fill_jobs();
        fill_tracked();
        fill_records();
    }

    /// "ANALYZE" or "VACUUM ANALYZE".
    void analyze_tables(std::string_view how) { for_each_table(std::string{how} + " {t}"); }

    watched& open(const std::string& circumstances, session_of whom) {
        sessions_.push_back(std::make_unique<watched>(db_, name_ + ", " + circumstances, whom));
        return *sessions_.back();
    }
    const database& db() const noexcept { return db_; }

private:
    void fill_jobs() {
        put("ready (id, rank, lane, flags, headers, key, body)", 1,
            "i, ((~ CASE WHEN i % 10 = 0 OR i % 100 = 92 THEN 5 WHEN i % 10 = 1 THEN -1 ELSE 0 END)::int8 << 48)"
            " | CASE WHEN i % 7 = 0 THEN 1700000000000 + (i::int8 * 7919) % 1000000 ELSE 281474976710655 END,"
            " CASE WHEN i % 100 < 90 THEN 1 WHEN i % 100 < 92 THEN 2 WHEN i % 100 < 94 THEN 3 ELSE i % 100 - 90 END,"
            " CASE WHEN i % 20 = 7 THEN 1 END,"
            " CASE WHEN i % 5 = 0 AND i % 50 <> 0 THEN '{\"tenant\":\"a\"}'::jsonb END,"
            " CASE WHEN i % 100 = 92 THEN 'busy' WHEN i % 100 BETWEEN 90 AND 93 THEN 'k' || i / 100 % 1000 END,"
            " <body>");
        put("pack (id, rank, lane, n, ids, bodies)", 100,
            "<in packs> + i, (~ (i / 100 % 3)::int8) << 48 | 281474976710655, 12, 100,"
            " ARRAY(SELECT <in packs> + i + j FROM generate_series(0, 99) j), array_fill(<body>, '{100}')");
        put("deferred (run_at, id, rank, lane, kind, body)", 5,
            "now() + CASE WHEN i <= 10000 THEN i * interval '1 ms' - interval '1 hour'"
            " ELSE i * interval '1 s' + interval '1 hour' END,"
            " <delayed> + i, -1, 10, CASE WHEN i % 3 = 0 THEN 'r' ELSE 'd' END, <body>");
        put("deferred (run_at, id, rank, lane, kind, attempts, reason, flags, body)", 50,
            "'infinity', <held> + i, -1, 1 + i / 50 % 9, 'h', 20, 'it failed',"
            " CASE WHEN i % 100 = 0 THEN 1 END, <body>");
        put("deferred (run_at, id, rank, lane, kind, flags, body)", 100,
            "'infinity', <blocked> + i, -1, 10, 'b', 1, <body>");
        put("lease (id, worker, lane, max_attempts, flags, ids, ranks, attempts, bodies, enqueued_at)", 500,
            "i / 500, 1 + (i / 500 - 1) % 50, 5 + i / 500 % 5, 20,"
            " CASE WHEN i / 500 % 2 = 1 THEN array_fill(1::int2, '{20}') END,"
            " ARRAY(SELECT <leased> + i + j FROM generate_series(0, 19) j), array_fill((-1)::int8, '{20}'),"
            " array_fill(1::int2, '{20}'), array_fill(<body>, '{20}'), array_fill(now(), '{20}')");
    }

    void fill_tracked() {
        db_.exec(
            "INSERT INTO {s}.tracked (id, lane, rank, digest, expires_at, keep_for)"
            " SELECT id, lane, rank, CASE WHEN id % 40 = 7 THEN sha256(convert_to('q', 'UTF8') || '\\x00'::bytea"
            " || convert_to('big', 'UTF8') || '\\x00'::bytea || convert_to('key' || id, 'UTF8')) END,"
            " CASE WHEN id % 100 = 27 THEN now() + interval '1 day' END,"
            " CASE WHEN id % 3 = 0 THEN interval '1 day' END FROM {s}.ready WHERE flags & 1 <> 0 AND id" +
            numbers_);
        db_.exec(
            "INSERT INTO {s}.tracked (id, lane, rank, held, waits_for)"
            " SELECT id, lane, rank, kind = 'h', CASE kind WHEN 'b' THEN 2 ELSE 0 END FROM {s}.deferred"
            " WHERE flags & 1 <> 0 AND id % 100000000" +
            numbers_);
        db_.exec(
            "INSERT INTO {s}.tracked (id, lane, rank, keep_for) SELECT j.id, l.lane, -1, interval '1 day'"
            " FROM {s}.lease l, unnest(ids) j(id) WHERE flags IS NOT NULL AND l.ids[1] % 100000000" +
            numbers_);
    }

    void fill_records() {
        put("dependency (parent, child)", 100, "i - 13, <blocked> + i");
        put("dependency (parent, child)", 100, "i - 33, <blocked> + i");
        db_.exec(
            "INSERT INTO {s}.unique_key (digest, job_id, scope)"
            " SELECT digest, id, 'f' FROM {s}.tracked WHERE digest IS NOT NULL AND id" +
            numbers_);
        put("unique_key (digest, job_id, scope, until)", 40,
            "sha256(('p' || i)::bytea), <elsewhere> + i, 'p', now() + interval '1 day'");
        put("outcome (id, lane, kind, attempts, keep_until)", 10,
            "<elsewhere> + i, 1, 'd', 1, now() + interval '1 day'");
        put("failure (id, lane, attempt, reason)", 20, "<elsewhere> + i, 1, 1, 'why'");
        // Two rows for each lane and minute of the 35 hours before the next full hour, as if they were added up.
        put("minute (lane, at, worker, enqueued, done, wait_us, run_us, wait, run)", 20,
            "1 + i / 20 % 12, " + next_hour_ +
                " - i / 240 * interval '30 seconds', 0,"
                " 600, 600, 60000000, 6000000, 300 * 1e60 + 300, 600 * 1e36");
        db_.exec("DELETE FROM {s}.minute WHERE lane = 0; TRUNCATE {s}.hour");  // of the numbers before these
        db_.exec(
            "INSERT INTO {s}.minute (lane, at, worker, enqueued, done, wait_us, run_us, wait, run)"
            " SELECT 0, at, 0, sum(enqueued), sum(done), sum(wait_us), sum(run_us), sum(wait), sum(run)"
            " FROM {s}.minute GROUP BY at");
        db_.exec(
            "INSERT INTO {s}.hour SELECT lane, date_bin('1 hour', at, 'epoch'::timestamptz), sum(enqueued), sum(done),"
            " 0, 0, 0, 0, 0, sum(wait_us), sum(run_us), sum(wait), sum(run) FROM {s}.minute GROUP BY 1, 2");
    }

    /// Inserts a row for each number that `step` divides.
    void put(const std::string& into, int step, std::string values) const {
        replace(values, "<body>", "convert_to(repeat('x', 45), 'UTF8')");
        replace(values, "<in packs>", std::to_string(statements::in_packs));
        replace(values, "<delayed>", std::to_string(statements::delayed));
        replace(values, "<held>", std::to_string(statements::held));
        replace(values, "<blocked>", std::to_string(statements::blocked));
        replace(values, "<leased>", std::to_string(statements::leased));
        replace(values, "<elsewhere>", std::to_string(statements::elsewhere));
        db_.exec("INSERT INTO {s}." + into + " SELECT " + values + series_ + " WHERE i % " + std::to_string(step) +
                 " = 0");
    }
    static void replace(std::string& text, std::string_view name, const std::string& value) {
        for (auto at = text.find(name); at != std::string::npos; at = text.find(name))
            text.replace(at, name.size(), value);
    }
    void for_each_table(const std::string& command) const {
        const auto tables = db_.sql().exec(
            "SELECT oid::regclass FROM pg_class WHERE relnamespace = to_regnamespace('{q}') AND relkind = 'r'");
        for (int i = 0; i < PQntuples(tables.get()); ++i) {
            std::string text = command;
            replace(text, "{t}", PQgetvalue(tables.get(), i, 0));
            db_.exec(text);
        }
    }

    std::string name_;
    std::string numbers_{}, series_{};
    database db_;
    std::string next_hour_{};  // when this began; an SQL value
    std::vector<std::unique_ptr<watched>> sessions_;
};

/// A backlog with up-to-date statistics.
struct analyzed_backlog {
    analyzed_backlog(const std::string& name, std::int64_t n) : jobs{name} {
        jobs.fill(1, n);
        jobs.analyze_tables("VACUUM ANALYZE");
    }

    backlog jobs;
    watched& worker = jobs.open("worker", session_of::worker);
    watched& client = jobs.open("client", session_of::client);
    watched& settled_client = jobs.open("settled client", session_of::settled_client);
};

/// A backlog that has grown since the last ANALYZE, which saw a thousand jobs. Some sessions have made their plans
/// before, and would keep them until the next ANALYZE or VACUUM.
struct stale_statistics_backlog {
    stale_statistics_backlog(const std::string& name, std::int64_t n) : jobs{name} {
        jobs.analyze_tables("ANALYZE");
        get_used_to_it(worker_of_none, client_of_none);
        jobs.fill(1, 1000);
        jobs.analyze_tables("ANALYZE");
        get_used_to_it(worker_of_few, client_of_few);
        jobs.fill(1001, n);
    }

    backlog jobs;
    watched& worker = jobs.open("worker", session_of::worker);
    watched& client = jobs.open("client", session_of::client);
    watched& settled_client = jobs.open("settled client", session_of::settled_client);
    watched& worker_of_none = jobs.open("worker since there were no jobs", session_of::worker);
    watched& client_of_none = jobs.open("client since there were no jobs", session_of::settled_client);
    watched& worker_of_few = jobs.open("worker since there were few jobs", session_of::worker);
    watched& client_of_few = jobs.open("client since there were few jobs", session_of::settled_client);

private:
    static void get_used_to_it(watched& worker, watched& client) {
        for (const auto& a : statements::all_of_workers(worker.sql())) worker.warm_up(a);
        for (const auto& a : statements::all_of_clients(client.sql())) client.warm_up(a);
    }
};

// Each one is made once per program, because a million jobs take ten seconds.
inline analyzed_backlog& million() {
    static analyzed_backlog all{"a million jobs", 1'000'000};
    return all;
}
inline analyzed_backlog& ten_thousand() {
    static analyzed_backlog all{"ten thousand jobs", 10'000};
    return all;
}
/// This one must be made last: a session that was idle while many rows were created forgets its plans.
inline stale_statistics_backlog& unknown_million() {
    (void)ten_thousand();
    (void)million();
    static stale_statistics_backlog all{"a million unknown jobs", 1'000'000};
    return all;
}

/// The states of a worker's session in which it may claim from a million jobs.
inline std::vector<watched*> workers() {
    auto& unknown = unknown_million();
    return {&million().worker, &unknown.worker, &unknown.worker_of_none, &unknown.worker_of_few};
}
/// The states of a client's session.
inline std::vector<watched*> clients() {
    auto& unknown = unknown_million();
    return {&million().client,       &million().settled_client, &unknown.client,
            &unknown.settled_client, &unknown.client_of_none,   &unknown.client_of_few};
}

}  // namespace test
