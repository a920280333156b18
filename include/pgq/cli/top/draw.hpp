#pragma once

#include <pgq/cli/top/canvas.hpp>
#include <pgq/cli/top/draw_job.hpp>
#include <pgq/cli/top/grid.hpp>
#include <pgq/cli/top/help.hpp>
#include <pgq/cli/top/model.hpp>
#include <pgq/cli/top/numbers.hpp>
#include <pgq/cli/top/rows.hpp>

#include <pgq/admin/overview.hpp>
#include <pgq/time/clock.hpp>
#include <pgq/time/duration_words.hpp>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

/// Draws the state of the screen.
namespace pgq::cli::top {

namespace detail {

inline span word(std::string text, look how = look::plain) { return {std::move(text), how}; }

/// The server takes long.
inline bool is_overdue(const model& m, steady_time now) {
    return m.sample && m.updating && now - m.sampled_at > m.with.interval + std::chrono::seconds{3};
}

/// "demo on db1                                                  live, every 2s  12:00:02 UTC"
inline line head_line(const model& m, steady_time now) {
    line left{word("pgq top", look::heading), word("  " + m.with.glyphs.safe(m.with.server))};
    if (m.with.read_only) left.push_back(word("  read-only", look::notice));
    line right;
    if (m.failing) right.push_back(word("!! not updated for " + short_text(now - m.failing->since), look::alarm));
    else if (is_overdue(m, now))
        right.push_back(word("! no answer for " + short_text(now - m.sampled_at), look::warning));
    else if (!m.updating) right.push_back(word("stopped; space goes on", look::notice));
    else right.push_back(word("every " + pgq::detail::duration_in_words(m.with.interval), look::faint));
    if (m.sample) right.push_back(word("  " + clock_text(m.sample->at) + " UTC"));
    return m.with.glyphs.ends(std::move(left), right, m.size.columns);
}

struct totals {
    capped_counts jobs{};
    job_statistics last{};
    std::int64_t paused = 0;
};
inline totals totals_of(const overview& o) {
    totals t;
    for (const auto& e : o.entrypoints) {
        t.jobs += e.counts;
        t.last += e.last;
        t.paused += e.paused ? 1 : 0;
    }
    return t;
}

inline line totals_line(const model& m) {
    if (!m.sample) return {word("waiting for the first answer ...", look::faint)};
    const overview& o = *m.sample;
    const totals t = totals_of(o);
    const double seconds = std::chrono::duration<double>(covered_time(o.at, m.with.last)).count();
    line l;
    const auto add = [&](const char* name, const std::string& value) {
        l.push_back(word(std::string{name} + ' ', look::faint));
        l.push_back(word(value + "   "));
    };
    add("ready", t.jobs.ready.text());
    add("run", t.jobs.leased.text());
    add("held", t.jobs.held.text());
    add("in/s", rate_text(static_cast<double>(t.last.enqueued) / seconds));
    add("out/s", rate_text(static_cast<double>(t.last.finished()) / seconds));
    if (o.more_lanes) l.push_back(word("!only 1000 lanes are read   ", look::warning));
    if (t.paused > 0) l.push_back(word(std::to_string(t.paused) + " paused   ", look::notice));
    add("later", t.jobs.deferred.text());
    return m.with.glyphs.cut(l, m.size.columns);
}

/// How many rows of a list have something wrong: much, and less.
struct problems {
    std::int64_t alarms = 0;
    std::int64_t warnings = 0;
};
inline problems problems_of(const model& m, view v) {
    problems p;
    const auto add = [&](look l) {
        p.alarms += l == look::alarm ? 1 : 0;
        p.warnings += l == look::warning ? 1 : 0;
    };
    if (!m.sample) return p;
    if (v == view::entrypoints)
        for (const auto c : m.found.conditions) add(look_of(c));
    if (v == view::workers)
        for (const auto& w : m.sample->workers) add(w.alive ? look::plain : look::warning);
    if (v == view::schedules)
        for (const auto& s : m.sample->schedules) add(is_late(s, m.sample->at) ? look::warning : look::plain);
    return p;
}

/// The names of the lists, each with what is wrong there. In a list of jobs and a job: where these are.
inline line views_line(const model& m) {
    static constexpr std::array<std::pair<view, std::string_view>, 4> all{{{view::entrypoints, "1 entrypoints"},
                                                                           {view::workers, "2 workers"},
                                                                           {view::schedules, "3 schedules"},
                                                                           {view::failures, "4 failures"}}};
    line l;
    for (const auto& [v, name] : all) {
        const bool here = v == m.base;
        if (!here && m.now != m.base) continue;
        const problems wrong = problems_of(m, v);
        l.push_back(word((here ? '[' : ' ') + std::string{name}, here ? look::heading : look::faint));
        if (wrong.alarms > 0) l.push_back(word(" !!" + std::to_string(wrong.alarms), look::alarm));
        if (wrong.warnings > 0) l.push_back(word(" !" + std::to_string(wrong.warnings), look::warning));
        l.push_back(word(here ? "] " : "  ", here ? look::heading : look::faint));
    }
    const bool of_lane = m.now == view::jobs || (m.now == view::job && m.under_job == view::jobs);
    if (of_lane) l.push_back(word("> jobs of " + m.with.glyphs.safe(m.lane.text()) + ' ', look::heading));
    if (m.now == view::jobs) l.push_back(word("page " + std::to_string(m.pages.size()), look::faint));
    if (m.now == view::job) l.push_back(word("> job " + std::to_string(m.job.id.value), look::heading));
    line right;
    if (!m.typing && !m.list().filter.empty())
        right.push_back(word("filter: " + m.with.glyphs.safe(m.list().filter), look::notice));
    return m.with.glyphs.ends(std::move(l), right, m.size.columns);
}

/// The last line: a question, what somebody types, what happened, or what the keys do.
inline line last_line(const model& m, steady_time now) {
    const glyphs& g = m.with.glyphs;
    if (m.question) return {word(g.safe(m.question_text) + "? y/n ", look::chosen)};
    if (m.typing) return {word("filter: " + g.safe(m.list().filter))};
    if (m.said) return {word(m.said->text, m.said->look)};
    if (m.failing) {
        const bool away = m.failing->why == errc::connection_lost || m.failing->why == errc::timeout;
        return {word((away ? "not connected, since " : "no answer, since ") + short_text(now - m.failing->since) +
                         ": " + g.safe(m.failing->why.text()),
                     look::alarm)};
    }
    if (m.help) return {word("any key goes on", look::faint)};
    return {word(keys_text(m.now), look::faint)};
}

inline const char* nothing_text(const model& m) {
    if (!m.list().filter.empty()) return "  nothing matches the filter; Esc clears it";
    switch (m.now) {
    case view::entrypoints: return "  no program has used this schema yet";
    case view::workers: return "  no worker is registered: no job runs";
    case view::schedules: return "  no schedule is declared";
    case view::failures: return "  no attempt has failed lately";
    case view::jobs: return m.page ? "  no jobs" : "  reading ...";
    case view::job: break;
    }
    return "";
}

inline void draw_list(const model& m, std::size_t height, std::vector<line>& out) {
    const grid g = arranged_rows(m);
    const grid_painter paint{g, m.list().order, m.with.glyphs, m.size.columns};
    out.push_back(paint.titles());
    if (g.rows.empty()) out.push_back({word(m.sample ? nothing_text(m) : "", look::faint)});
    const std::size_t chosen = chosen_row(g, m.list());
    for (std::size_t i = m.list().first; i < g.rows.size() && out.size() < height; ++i)
        out.push_back(paint.row(i, i == chosen));
}

}  // namespace detail

inline frame draw(const model& m, steady_time now) {
    frame f;
    const std::size_t rows = std::max<std::size_t>(m.size.rows, 2);
    f.lines = {detail::head_line(m, now), detail::totals_line(m), detail::views_line(m)};
    if (m.help) draw_help(m, f.lines);
    else if (m.now == view::job) draw_job(m, rows - 1, f.lines);
    else detail::draw_list(m, rows - 1, f.lines);
    f.lines.resize(rows - 1);
    f.lines.push_back(detail::last_line(m, now));
    for (line& l : f.lines) l = m.with.glyphs.cut(l, m.size.columns);
    f.has_cursor = m.typing || m.question.has_value();
    return f;
}

}  // namespace pgq::cli::top
