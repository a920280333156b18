#pragma once

#include <pgq/cli/output/cell_text.hpp>
#include <pgq/cli/output/state_name.hpp>
#include <pgq/cli/top/conditions.hpp>
#include <pgq/cli/top/grid.hpp>
#include <pgq/cli/top/model.hpp>
#include <pgq/cli/top/numbers.hpp>

#include <pgq/admin/overview.hpp>
#include <pgq/protocol/listing.hpp>
#include <pgq/protocol/schedule.hpp>
#include <pgq/protocol/statistics.hpp>
#include <pgq/time/clock.hpp>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

/// The rows of each list.
namespace pgq::cli::top {

namespace detail {

inline grid_cell number(std::int64_t n) { return {capped_count{n, false}.text(), static_cast<double>(n)}; }
inline grid_cell number(const capped_count& n) {
    return {n.text(), static_cast<double>(n.value) + (n.capped ? 0.5 : 0)};
}
inline grid_cell rate(double n) { return {rate_text(n), n}; }
inline grid_cell span_of(const std::optional<duration>& d, std::string_view prefix = {}) {
    if (!d) return {};
    return {std::string{prefix} + short_text(*d), static_cast<double>(d->count())};
}
/// How long ago.
inline grid_cell ago(time_point now, const std::optional<time_point>& t) {
    return span_of(t ? std::optional<duration>{now - *t} : std::nullopt);
}
/// How long until then.
inline grid_cell time_to(time_point now, const std::optional<time_point>& t) {
    if (!t) return {"never", 9e18};
    return {*t < now ? "due" : short_text(*t - now), static_cast<double>(duration{*t - now}.count())};
}
inline std::string first_line(std::string_view text) { return std::string{text.substr(0, text.find('\n'))}; }

}  // namespace detail

inline std::vector<grid_column> entrypoint_columns(std::size_t trend) {
    return {{.title = "state"},
            {.title = "queue", .most = 14},
            {.title = "entrypoint", .most = 16},
            {.title = "ready", .at_right = true},
            {.title = "run", .at_right = true, .rank = 1},
            {.title = "held", .at_right = true, .rank = 2},
            {.title = "oldest", .at_right = true, .rank = 3},
            {.title = "in/s", .at_right = true, .rank = 5},
            {.title = "out/s", .at_right = true, .rank = 4},
            {.title = "trend", .rank = 6, .most = trend},
            {.title = "later", .at_right = true, .rank = 7},
            {.title = "wait50", .at_right = true, .rank = 10},
            {.title = "wait99", .at_right = true, .rank = 8},
            {.title = "run50", .at_right = true, .rank = 11},
            {.title = "run99", .at_right = true, .rank = 9},
            {.title = "blocked", .at_right = true, .rank = 12}};
}

inline grid_row entrypoint_row(const model& m, std::size_t at, std::size_t trend) {
    using namespace detail;
    const double seconds = std::chrono::duration<double>(covered_time(m.sample->at, m.with.last)).count();
    const entrypoint_overview& e = m.sample->entrypoints[at];
    const condition_of_lane is = m.found.conditions[at];
    const auto spent = [](const duration_histogram& h, double part) { return span_of(h.percentile(part)); };
    return {.of = {.queue = e.queue, .entrypoint = e.entrypoint},
            .cells = {{std::string{name_of(is)}, static_cast<double>(is)},
                      {m.with.glyphs.safe(e.queue)},
                      {m.with.glyphs.safe(e.entrypoint)},
                      number(e.counts.ready),
                      number(e.counts.leased),
                      number(e.counts.held),
                      span_of(e.counts.oldest_ready, e.counts.oldest_ready_at_least ? ">" : ""),
                      rate(static_cast<double>(e.last.enqueued) / seconds),
                      rate(static_cast<double>(e.last.finished()) / seconds),
                      {sparkline(m.rates.of(e), trend, m.with.glyphs)},
                      number(e.counts.deferred),
                      spent(e.last.wait, 0.5),
                      spent(e.last.wait, 0.99),
                      spent(e.last.run, 0.5),
                      spent(e.last.run, 0.99),
                      number(e.counts.blocked)},
            .look = look_of(is)};
}

inline grid entrypoint_rows(const model& m) {
    const std::size_t trend = m.size.columns >= 140 ? 24 : 8;
    grid g{.columns = entrypoint_columns(trend)};
    for (std::size_t i = 0; i < m.sample->entrypoints.size(); ++i) g.rows.push_back(entrypoint_row(m, i, trend));
    return g;
}

/// What a worker claims from, in few words.
inline std::string served_text(const listed_worker& w, const model& m) {
    constexpr std::size_t most = 200;
    std::string out;
    const auto add = [&](const std::string& name) { out += (out.empty() ? "" : ", ") + name; };
    if (w.prefix && w.queues.empty()) add(*w.prefix + "*");
    for (std::size_t i = 0; i < w.queues.size() && out.size() < most; ++i) add(w.queues[i]);
    for (std::size_t i = 0; i < w.lanes.size() && out.size() < most; ++i)
        if (const auto* e = m.find(w.lanes[i])) add(e->queue + '/' + e->entrypoint);
    return out;
}

inline grid worker_rows(const model& m) {
    using namespace detail;
    grid g{.columns = {{.title = "state"},
                       {.title = "id", .at_right = true},
                       {.title = "host", .most = 20},
                       {.title = "pid", .at_right = true, .rank = 3},
                       {.title = "running", .at_right = true},
                       {.title = "heartbeat", .at_right = true},
                       {.title = "started", .at_right = true, .rank = 2},
                       {.title = "lease", .at_right = true, .rank = 4},
                       {.title = "version", .rank = 5},
                       {.title = "serves", .rank = 1, .most = 20, .grows = true}}};
    const time_point now = m.sample->at;
    for (const listed_worker& w : m.sample->workers)
        g.rows.push_back({.of = {.other = std::to_string(w.id.value)},
                          .cells = {{w.alive ? "" : "!late", w.alive ? 0.0 : 1.0},
                                    {std::to_string(w.id.value), static_cast<double>(w.id.value)},
                                    {m.with.glyphs.safe(w.host)},
                                    {std::to_string(w.pid), static_cast<double>(w.pid)},
                                    number(w.running),
                                    ago(now, w.heartbeat_at),
                                    ago(now, w.started_at),
                                    span_of(w.lease_time),
                                    {m.with.glyphs.safe(w.version)},
                                    {m.with.glyphs.safe(served_text(w, m))}},
                          .look = w.alive ? look::plain : look::warning});
    return g;
}

/// It should have fired, and did not.
inline bool is_late(const stored_schedule& s, time_point now) noexcept {
    return s.next_at && !s.paused_at && *s.next_at + std::chrono::minutes{1} < now;
}

inline grid schedule_rows(const model& m) {
    using namespace detail;
    grid g{.columns = {{.title = "state"},
                       {.title = "queue", .rank = 2, .most = 14},
                       {.title = "name", .most = 20},
                       {.title = "next in", .at_right = true},
                       {.title = "last", .at_right = true, .rank = 1},
                       {.title = "times", .rank = 3, .most = 20},
                       {.title = "zone", .rank = 5, .most = 20},
                       {.title = "entrypoint", .rank = 4, .most = 20},
                       {.title = "job", .at_right = true, .rank = 6}}};
    const time_point now = m.sample->at;
    for (const stored_schedule& s : m.sample->schedules) {
        const auto* e = m.find(s.lane);
        const bool late = is_late(s, now);
        g.rows.push_back({.of = {.queue = e ? e->queue : std::string{}, .entrypoint = s.entrypoint, .other = s.name},
                          .cells = {{s.paused_at ? "paused"
                                     : late      ? "!late"
                                                 : "",
                                     late          ? 2.0
                                     : s.paused_at ? 1.0
                                                   : 0.0},
                                    {m.with.glyphs.safe(e ? e->queue : std::string{})},
                                    {m.with.glyphs.safe(s.name)},
                                    detail::time_to(now, s.next_at),
                                    ago(now, s.fired_at),
                                    {m.with.glyphs.safe(s.expression)},
                                    {m.with.glyphs.safe(s.zone)},
                                    {m.with.glyphs.safe(s.entrypoint)},
                                    {s.fired_job ? std::to_string(s.fired_job->value) : std::string{}}},
                          .look = late          ? look::warning
                                  : s.paused_at ? look::notice
                                                : look::plain});
    }
    return g;
}

inline grid failure_rows(const model& m) {
    using namespace detail;
    grid g{.columns = {{.title = "ago", .at_right = true},
                       {.title = "queue", .rank = 2, .most = 14},
                       {.title = "entrypoint", .most = 16},
                       {.title = "job", .at_right = true},
                       {.title = "attempt", .at_right = true, .rank = 1},
                       {.title = "reason", .most = 20, .grows = true}}};
    for (const job_failure& f : m.sample->failures) {
        const auto* e = m.find(f.lane);
        g.rows.push_back({.of = {.job = f.id, .other = std::to_string(f.attempt)},
                          .cells = {ago(m.sample->at, f.at),
                                    {m.with.glyphs.safe(e ? e->queue : std::string{})},
                                    {m.with.glyphs.safe(f.entrypoint)},
                                    {std::to_string(f.id.value), static_cast<double>(f.id.value)},
                                    number(f.attempt),
                                    {m.with.glyphs.safe(first_line(f.reason))}}});
    }
    return g;
}

inline grid job_rows(const model& m) {
    using namespace detail;
    grid g{.columns = {{.title = "job", .at_right = true},
                       {.title = "state"},
                       {.title = "enqueued", .at_right = true},
                       {.title = "priority", .at_right = true, .rank = 3},
                       {.title = "attempts", .at_right = true, .rank = 1},
                       {.title = "for", .at_right = true, .rank = 2},
                       {.title = "runs in", .at_right = true, .rank = 4},
                       {.title = "worker", .at_right = true, .rank = 5},
                       {.title = "reason", .most = 20, .grows = true}},
           .sortable = false};
    if (!m.page || !m.sample) return g;
    const time_point now = m.sample->at;
    for (const listed_job& j : m.page->jobs) {
        const auto until = j.run_at ? std::optional<duration>{*j.run_at - now} : std::nullopt;
        g.rows.push_back({.of = {.job = j.id},
                          .cells = {{std::to_string(j.id.value)},
                                    {std::string{state_name(j.state)}},
                                    ago(now, j.enqueued_at),
                                    number(j.priority()),
                                    number(j.attempts),
                                    ago(now, j.since),
                                    span_of(until),
                                    {j.worker ? std::to_string(j.worker->value) : std::string{}},
                                    {m.with.glyphs.safe(first_line(j.reason))}},
                          .look = j.state == job_state::held ? look::warning : look::plain});
    }
    return g;
}

/// The row that shows the chosen thing; if that is gone, the one in its place.
inline std::size_t chosen_row(const grid& g, const list_state& l) noexcept {
    if (g.rows.empty()) return 0;
    for (std::size_t i = 0; i < g.rows.size() && l.chosen != target{}; ++i)
        if (g.rows[i].of == l.chosen) return i;
    return std::min(l.at, g.rows.size() - 1);
}

/// The rows of the present list, arranged. None, if a job is shown or there is no sample yet.
inline grid arranged_rows(const model& m) {
    grid g;
    if (!m.sample) return g;
    switch (m.now) {
    case view::entrypoints: g = entrypoint_rows(m); break;
    case view::workers: g = worker_rows(m); break;
    case view::schedules: g = schedule_rows(m); break;
    case view::failures: g = failure_rows(m); break;
    case view::jobs: g = job_rows(m); break;
    case view::job: return g;
    }
    arrange(g, m.list().order, m.list().filter);
    return g;
}

}  // namespace pgq::cli::top
