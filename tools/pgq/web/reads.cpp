#include "reads.hpp"

#include "json.hpp"
#include "numbers.hpp"
#include "reading_driver.hpp"
#include "search.hpp"

#include <pgq/admin.hpp>
#include <pgq/cli/output/exit_code.hpp>
#include <pgq/cli/output/state_name.hpp>
#include <pgq/driver/libpq.hpp>
#include <pgq/observer/database_queries.hpp>
#include <pgq/statement/statistics.hpp>
#include <pgq/version.hpp>

#include <boost/json/serialize.hpp>

#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <map>
#include <string>
#include <utility>
#include <vector>

namespace pgq::web {

namespace {

constexpr std::size_t shown_entrypoints = 20;
constexpr std::int64_t page_of_jobs = 50;
constexpr std::string_view job_path = "/api/job/";

/// Of all lanes with these names together, by steps of $4 seconds in the last $3 seconds. admin::statistics() answers
/// for each lane: sixty steps of a thousand lanes are 60 000 rows. Lane 0 has the sums of all lanes, but not yet the
/// rows of workers. The index has the lane in front, so each lane is a range.
constexpr std::string_view sums_of_steps = R"(
WITH named AS MATERIALIZED (
    SELECT l.id FROM {s}.lane l
     WHERE ($1 <> '' OR $2 <> '') AND ($1 = '' OR l.queue = $1) AND ($2 = '' OR l.entrypoint = $2)
     UNION ALL
    SELECT 0 WHERE $1 = '' AND $2 = '')
SELECT (floor(extract(epoch FROM m.at) / $4::int8) * $4::int8)::int8 AS part, sum(m.enqueued), sum(m.done),
       sum(m.retried), sum(m.held), sum(m.wait)::text, sum(m.run)::text
  FROM (SELECT r.* FROM named n CROSS JOIN LATERAL (
            SELECT * FROM {s}.minute o
             WHERE o.lane = n.id AND o.worker = 0 AND o.at >= statement_timestamp() - $3::int8 * interval '1 second'
            OFFSET 0) r
         UNION ALL
        SELECT r.* FROM {s}.minute r
         WHERE r.worker <> 0 AND r.at >= statement_timestamp() - $3::int8 * interval '1 second'
           AND ($1 = '' AND $2 = '' OR r.lane IN (SELECT n.id FROM named n))) m
 GROUP BY part)";

time_point now() { return std::chrono::floor<std::chrono::microseconds>(std::chrono::system_clock::now()); }

std::optional<std::int64_t> integer(std::string_view text) {
    std::int64_t n = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), n);
    return error == std::errc{} && end == text.data() + text.size() ? std::optional{n} : std::nullopt;
}

json::value cell(const sql_rows::cell& c) { return c ? json::value(text(*c)) : json::value(nullptr); }
json::value numeric(const sql_rows::cell& c) { return c ? json::value(std::strtod(c->c_str(), nullptr)) : nullptr; }

}  // namespace

using lane_names = std::map<lane_id, listed_lane>;

struct reads::parts {
    parts(const driver::libpq& d, payload_view v, bool flag)
        : driver{d}, decode{std::move(v)}, read_only{flag}, ops{driver}, doctor{d} {}

    reading_driver driver;
    payload_view decode;
    bool read_only;
    admin<reading_driver> ops;
    admin<driver::libpq> doctor;  // it begins its own transactions, which cannot write either

    json::object overview() {
        const auto found = ops.overview({.last = recent_window, .failures = 8}).value();
        json::array failures;
        for (const auto& f : found.failures) {
            const auto* e = found.find(f.lane);
            failures.push_back(json::object{{"id", id(f.id.value)},
                                            {"attempt", f.attempt},
                                            {"at", time(f.at)},
                                            {"entrypoint", text(e ? e->queue + "/" + e->entrypoint : std::string{})},
                                            {"reason", text(std::string_view{f.reason}.substr(0, 300))}});
        }
        return {{"totals", totals(found.entrypoints)},
                {"busiest", busiest(found.entrypoints, shown_entrypoints)},
                {"workers", counts_of(found.workers)},
                {"failures", std::move(failures)}};
    }

    json::object queues() {
        const auto found = ops.overview({.last = recent_window, .failures = 0}).value();
        json::array pauses;
        const auto rows = driver
                              .query(
                                  "SELECT queue, entrypoint, kind, (extract(epoch FROM since) * 1000)::int8, reason "
                                  "FROM {s}.paused ORDER BY since DESC LIMIT 1000")
                              .value();
        for (std::size_t i = 0; i < rows.size(); ++i)
            pauses.push_back(json::object{{"queue", cell(rows[i][0])},
                                          {"entrypoint", cell(rows[i][1])},
                                          {"kind", cell(rows[i][2])},
                                          {"since", numeric(rows[i][3])},
                                          {"reason", cell(rows[i][4])}});
        return {{"queues", to_json(found.entrypoints)}, {"pauses", std::move(pauses)}, {"more", found.more_lanes}};
    }

    json::object jobs(const request_target& t) {
        auto which = parse_search(t.get("q"), now()).value();
        page_options page{.most = page_of_jobs};
        if (const auto after = integer(t.get("after"))) page.after = {*after};
        const auto found = ops.jobs(which, page).value();
        const auto lanes = all_lanes();
        json::array rows;
        for (const auto& j : found.jobs) rows.push_back(job(j, lane_of(lanes, j.lane)));
        return {{"jobs", std::move(rows)}, {"next", found.next ? id(found.next->value) : json::value(nullptr)}};
    }

    json::object one_job(job_id which) {
        auto found = ops.job(which);
        const bool blind = !found && found.error().code == make_sqlstate("42501");
        if (blind) {  // a reader may not read payloads
            driver.end();
            return one_listed_job(which);
        }
        if (!found.value())
            throw failure{error_info{errc::invalid_option, "there is no such job, or its end is not kept"}};
        const found_job& f = **found;
        json::object o{{"id", id(f.id.value)},
                       {"queue", text(f.queue)},
                       {"entrypoint", text(f.entrypoint)},
                       {"version", text(f.version)},
                       {"state", cli::state_name(f.state)},
                       {"attempts", f.attempts},
                       {"reason", text(f.reason)},
                       {"headers", headers(f.headers)},
                       {"key", f.key ? json::value(text(*f.key)) : json::value(nullptr)},
                       {"blocked_by", f.blocked_by}};
        if (f.end) o["end"] = std::string(1, static_cast<char>(*f.end));
        if (f.state != job_state::ended) {
            const listed_lane lane{.id = f.lane, .queue = f.queue, .entrypoint = f.entrypoint, .version = f.version};
            o["priority"] = f.priority();
            o["enqueued_at"] = time(f.enqueued_at);
            o["run_at"] = f.state == job_state::deferred ? time(f.run_at) : json::value(nullptr);
            o["payload"] = payload(f.body, decode ? decode(lane, f.body) : std::nullopt);
        }
        if (f.holder)
            o["holder"] = json::object{{"worker", f.holder->worker.value},
                                       {"host", text(f.holder->host)},
                                       {"pid", f.holder->pid},
                                       {"since", time(f.holder->since)}};
        return with_history(std::move(o), which);
    }
    json::object one_listed_job(job_id which) {
        const auto page =
            ops.jobs({.after = {which.value - 1}, .last = which}, {.most = 1, .patience = duration{}}).value();
        if (page.jobs.empty()) throw failure{error_info{errc::invalid_option, "there is no such job"}};
        const auto lanes = all_lanes();
        auto o = job(page.jobs[0], lane_of(lanes, page.jobs[0].lane));
        o["payload"] = json::object{{"kind", "hidden"}, {"text", ""}, {"bytes", 0}, {"cut", true}};
        return with_history(std::move(o), which);
    }
    json::object with_history(json::object o, job_id which) {
        json::array attempts;
        for (const auto& f : ops.failures(which).value())
            attempts.push_back(json::object{{"attempt", f.attempt}, {"at", time(f.at)}, {"reason", text(f.reason)}});
        o["failures"] = std::move(attempts);
        json::array parents, children;
        const auto edges = driver
                               .query(
                                   "SELECT parent, child FROM {s}.dependency WHERE child = $1::int8 OR parent = "
                                   "$1::int8 ORDER BY parent, child LIMIT 200",
                                   {std::to_string(which.value)})
                               .value();
        const std::string own = std::to_string(which.value);
        for (std::size_t i = 0; i < edges.size(); ++i)
            (edges[i][0] == own ? children : parents).push_back(cell(edges[i][0] == own ? edges[i][1] : edges[i][0]));
        o["parents"] = std::move(parents);
        o["children"] = std::move(children);
        return o;
    }

    json::object failed(const request_target& t) {
        const auto which = parse_search(t.get("q"), now()).value();
        const auto lanes = all_lanes();
        json::array groups;
        for (const auto& g : ops.failed_groups(which.queue, which.entrypoint).value()) {
            const auto* lane = lane_of(lanes, g.lane);
            groups.push_back(json::object{{"lane", g.lane.value},
                                          {"queue", text(lane ? lane->queue : "")},
                                          {"entrypoint", text(lane ? lane->entrypoint : "")},
                                          {"version", text(lane ? lane->version : "")},
                                          {"reason", text(g.reason)},
                                          {"count", number(g.count)},
                                          {"latest", time(g.latest)},
                                          {"example", id(g.example.value)}});
        }
        return {{"groups", std::move(groups)}};
    }

    json::object workers() {
        const auto lanes = all_lanes();
        json::array all;
        for (const auto& w : ops.workers().value()) {
            json::array names;
            for (const lane_id l : w.lanes) names.push_back(name_of_lane(lanes, l));
            for (const auto& e : w.entrypoints) names.push_back(text(e));
            all.push_back(json::object{{"id", w.id.value},
                                       {"host", text(w.host)},
                                       {"pid", w.pid},
                                       {"version", text(w.version)},
                                       {"prefix", w.prefix ? json::value(text(*w.prefix)) : json::value(nullptr)},
                                       {"entrypoints", std::move(names)},
                                       {"started_at", time(w.started_at)},
                                       {"heartbeat_at", time(w.heartbeat_at)},
                                       {"lease_time", span(w.lease_time)},
                                       {"alive", w.alive},
                                       {"running", w.running}});
        }
        return {{"workers", std::move(all)}};
    }

    json::object schedules() {
        json::array all;
        const auto lanes = all_lanes();
        for (const auto& s : ops.schedules({}).value().all) {
            const auto* lane = lane_of(lanes, s.lane);
            all.push_back(json::object{{"queue", text(lane ? lane->queue : std::string{})},
                                       {"name", text(s.name)},
                                       {"entrypoint", text(s.entrypoint)},
                                       {"expression", text(s.expression)},
                                       {"zone", text(s.zone)},
                                       {"next_at", time(s.next_at)},
                                       {"fired_at", time(s.fired_at)},
                                       {"fired_job", s.fired_job ? id(s.fired_job->value) : json::value(nullptr)},
                                       {"paused_at", time(s.paused_at)},
                                       {"pause_reason", text(s.pause_reason)}});
        }
        return {{"schedules", std::move(all)}};
    }

    json::object limits() {
        json::array all;
        const auto used = driver.query(observer::queries::limits, {"1000"}).value();
        for (std::size_t i = 0; i < used.size(); ++i) {
            const auto r = used[i];
            const auto kind = static_cast<limit_kind>(r[2].value_or("c").at(0));
            all.push_back(json::object{{"queue", cell(r[0])},
                                       {"entrypoint", cell(r[1])},
                                       {"kind", pgq::name_of(kind)},
                                       {"number", numeric(r[3])},
                                       {"allowed", numeric(r[4])},
                                       {"used", numeric(r[5])},
                                       {"rate", numeric(r[6])}});
        }
        return {{"limits", std::move(all)}};
    }

    json::object series_of(const request_target& t) {
        const auto window = window_of(t.get("last"));
        const auto in_seconds = [](duration d) {
            return std::to_string(std::chrono::duration_cast<std::chrono::seconds>(d).count());
        };
        const auto rows = driver
                              .query(sums_of_steps, {std::string{t.get("queue")}, std::string{t.get("entrypoint")},
                                                     in_seconds(window.last + window.step), in_seconds(window.step)})
                              .value();
        std::vector<lane_statistics> sums(rows.size());
        for (std::size_t i = 0; i < rows.size(); ++i) {
            const auto integral = [r = rows[i]](std::size_t at) { return std::atoll(r[at].value_or("0").c_str()); };
            auto& s = sums[i];
            s.at = time_point{std::chrono::seconds{integral(0)}};
            s.enqueued = integral(1), s.done = integral(2), s.retried = integral(3), s.held = integral(4);
            s.wait = statement::histogram_of(rows[i][5].value_or("0"), {});
            s.run = statement::histogram_of(rows[i][6].value_or("0"), {});
        }
        return series(sums, window, now());
    }

    json::object system() {
        json::array findings, tables;
        driver.end();  // the doctor sees the snapshots of all sessions
        for (const auto& f : doctor.doctor({.statement_timeout = std::chrono::seconds{3}}).value())
            findings.push_back(json::object{{"severity", severity_of(f.severity)},
                                            {"topic", text(f.topic)},
                                            {"what", text(f.what)},
                                            {"remedy", text(f.remedy)},
                                            {"sql", text(f.sql)}});
        const auto found = driver.query(observer::queries::tables).value();
        for (std::size_t i = 0; i < found.size(); ++i)
            tables.push_back(json::object{
                {"name", cell(found[i][0])}, {"bytes", numeric(found[i][1])}, {"dead", numeric(found[i][2])}});
        const auto about = driver
                               .query(
                                   "SELECT current_setting('server_version'), current_database(), current_user, "
                                   "(SELECT max(version) FROM {s}.migration), pg_is_in_recovery(), "
                                   "pg_database_size(current_database())")
                               .value();
        const auto r = about[0];
        return {{"pgq", PGQ_VERSION},
                {"server", cell(r[0])},
                {"database", cell(r[1])},
                {"role", cell(r[2])},
                {"schema", driver.options().schema},
                {"migration", numeric(r[3])},
                {"standby", r[4] == "t"},
                {"bytes", numeric(r[5])},
                {"tables", std::move(tables)},
                {"findings", std::move(findings)}};
    }

    /// Who looks, and what this session may do.
    json::object me() {
        const auto a = granted();
        return {{"version", PGQ_VERSION},
                {"schema", driver.options().schema},
                {"may_act", a.may_act},
                {"reason", a.reason}};
    }
    access granted() {
        if (read_only) return {false, "this page was started with --read-only"};
        const auto r = driver
                           .query(
                               "SELECT pg_is_in_recovery(), current_setting('default_transaction_read_only'), "
                               "coalesce(bool_and(has_function_privilege(p.oid, 'EXECUTE')), false), current_user "
                               "FROM pg_catalog.pg_proc p WHERE pronamespace = to_regnamespace('{q}') "
                               "AND proname IN ('requeue', 'run_now', 'drop_held', 'move_jobs')")
                           .value();
        if (r[0][0] == "t") return {false, "this server is a standby; connect to the primary to act"};
        if (r[0][1] == "on") return {false, "transactions of this database are read-only"};
        if (r[0][2] != "t")
            return {false, "the role \"" + r[0][3].value_or("") + "\" may read and not act; connect as an operator"};
        return {true, {}};
    }

    lane_names all_lanes() {
        lane_names all;
        for (lane_query q;;) {
            auto page = ops.lanes(q).value();
            for (auto& l : page) {
                q.after = l.id;
                all.emplace(l.id, std::move(l));
            }
            if (static_cast<std::int64_t>(page.size()) < q.most) return all;
        }
    }
    static json::object counts_of(const std::vector<listed_worker>& workers) {
        std::int64_t alive = 0, dead = 0, running = 0;
        for (const auto& w : workers) {
            ++(w.alive ? alive : dead);
            running += w.running;
        }
        return {{"alive", alive}, {"dead", dead}, {"running", running}};
    }

    static const listed_lane* lane_of(const lane_names& lanes, lane_id which) {
        const auto found = lanes.find(which);
        return found == lanes.end() ? nullptr : &found->second;
    }
    static json::string name_of_lane(const lane_names& lanes, lane_id which) {
        const auto* lane = lane_of(lanes, which);
        return text(lane ? lane->queue + "/" + lane->entrypoint : std::string{});
    }
    static std::string_view severity_of(severity s) {
        return s == severity::error ? "error" : s == severity::warning ? "warning" : "note";
    }

    json::object answer(const request_target& t) {
        const std::string_view path = t.path;
        if (path == "/api/overview") return overview();
        if (path == "/api/queues") return queues();
        if (path == "/api/jobs") return jobs(t);
        if (path == "/api/failed") return failed(t);
        if (path == "/api/workers") return workers();
        if (path == "/api/schedules") return schedules();
        if (path == "/api/limits") return limits();
        if (path == "/api/series") return series_of(t);
        if (path == "/api/system") return system();
        if (path == "/api/me") return me();
        return one_job({integer(path.substr(job_path.size())).value_or(-1)});
    }
};

reads::reads(const driver::libpq& driver, payload_view decode, bool read_only)
    : parts_{std::make_unique<parts>(driver, std::move(decode), read_only)} {}
reads::~reads() = default;

bool reads::knows(std::string_view path) {
    constexpr std::array<std::string_view, 10> paths{"/api/overview", "/api/queues",    "/api/jobs",   "/api/failed",
                                                     "/api/workers",  "/api/schedules", "/api/limits", "/api/series",
                                                     "/api/system",   "/api/me"};
    if (std::find(paths.begin(), paths.end(), path) != paths.end()) return true;
    if (!path.starts_with(job_path)) return false;
    const auto digits = path.substr(job_path.size());
    const auto is_digit = [](char c) { return c >= '0' && c <= '9'; };
    return !digits.empty() && std::all_of(digits.begin(), digits.end(), is_digit) && integer(digits).has_value();
}

int reads::seconds_to_share(const request_target& t) {
    if (t.path == "/api/system" || t.path == "/api/me") return 10;
    if (t.path == "/api/series") return t.get("last") == "1h" || t.get("last").empty() ? 5 : 30;
    return 1;
}

response reads::answer(const request_target& t) {
    response r;
    try {
        r.body = json::serialize(parts_->answer(t));
    } catch (const failure& e) {
        const auto info = cli::explain(e.info());
        const bool gone = t.path.starts_with(job_path) && info == errc::invalid_option;
        r = error_response(gone ? 404 : status_of(info), info.message, info.hint);
    }
    parts_->driver.end();
    return r;
}

void reads::check() {
    (void)parts_->driver.borrow().value();
    parts_->driver.end();
}

}  // namespace pgq::web
