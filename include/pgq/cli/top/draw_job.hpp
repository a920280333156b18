#pragma once

#include <pgq/cli/output/cell_text.hpp>
#include <pgq/cli/top/canvas.hpp>
#include <pgq/cli/top/model.hpp>
#include <pgq/cli/top/numbers.hpp>
#include <pgq/cli/top/payload.hpp>
#include <pgq/cli/top/rows.hpp>

#include <pgq/protocol/listing.hpp>
#include <pgq/protocol/tracked.hpp>
#include <pgq/time/clock.hpp>

#include <algorithm>
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace pgq::cli::top {

namespace detail {

/// Lines of names and values.
class job_lines {
public:
    explicit job_lines(const model& m) : m_{m} {}

    void add(std::string_view name, std::string_view value, look how = look::plain) {
        constexpr std::size_t names = 12;
        const std::size_t width = m_.size.columns > names + 3 ? m_.size.columns - names - 3 : 1;
        for (const std::string& part : wrapped(value, width, m_.with.glyphs)) {
            out_.push_back({{"  " + m_.with.glyphs.fit(name, names) + ' ', look::faint}, {part, how}});
            name = {};
        }
    }
    void add_time(std::string_view name, time_point t) {
        const time_point now = m_.sample ? m_.sample->at : t;
        add(name, text_of(std::chrono::floor<std::chrono::seconds>(t)) +
                      (t <= now ? "  (" + short_text(now - t) + " ago)" : "  (in " + short_text(t - now) + ")"));
    }
    void title(std::string text) { out_.push_back({{std::move(text), look::heading}}); }

    std::vector<line> all() && { return std::move(out_); }

private:
    const model& m_;
    std::vector<line> out_{};
};

inline void add_job(const model& m, const listed_job& j, job_lines& to) {
    const auto* e = m.find(j.lane);
    to.add("state", state_name(j.state), j.state == job_state::held ? look::warning : look::plain);
    if (!j.reason.empty()) to.add("reason", j.reason);
    if (e) to.add("entrypoint", e->queue + '/' + e->entrypoint);
    to.add("attempts", std::to_string(j.attempts));
    to.add("priority", std::to_string(j.priority()));
    to.add_time("enqueued", j.enqueued_at);
    if (j.since) to.add_time("since", *j.since);
    if (j.run_at) to.add_time("runs at", *j.run_at);
    if (j.worker) to.add("worker", std::to_string(j.worker->value));
    if (j.key) to.add("limit key", *j.key);
    if (!j.headers.empty()) to.title("headers");
    for (const auto& h : j.headers) to.add(h.name, h.value);
}

}  // namespace detail

/// All lines about the open job.
inline std::vector<line> job_lines_of(const model& m) {
    detail::job_lines lines{m};
    const open_job& o = m.job;
    if (!o.loaded) lines.title("reading ...");
    else if (!o.job) lines.add("state", "it has ended, or was never there");
    else detail::add_job(m, *o.job, lines);
    if (!o.attempts.empty()) lines.title("failed attempts, latest first");
    for (auto a = o.attempts.rbegin(); a != o.attempts.rend(); ++a) {
        lines.add_time("attempt " + std::to_string(a->attempt), a->at);
        lines.add("", a->reason);
    }
    if (o.payload) {
        lines.title("payload");
        lines.add("", *o.payload);
    }
    return std::move(lines).all();
}

inline void draw_job(const model& m, std::size_t height, std::vector<line>& out) {
    std::vector<line> all = job_lines_of(m);
    const std::size_t room = height > out.size() ? height - out.size() : 1;
    const std::size_t first = std::min(m.list().first, all.size() > room ? all.size() - room : 0);
    for (std::size_t i = first; i < all.size() && out.size() < height; ++i) out.push_back(std::move(all[i]));
}

}  // namespace pgq::cli::top
