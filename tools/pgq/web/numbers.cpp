#include "numbers.hpp"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <utility>

namespace pgq::web {

namespace {

using seconds = std::chrono::duration<double>;

double per_second(std::int64_t n, duration window) { return static_cast<double>(n) / seconds{window}.count(); }

json::value whole_seconds(const std::optional<duration>& d) {
    if (!d) return nullptr;
    return std::max<std::int64_t>(0, std::chrono::floor<std::chrono::seconds>(*d).count());
}

std::int64_t weight(const entrypoint_overview& e) {
    return e.counts.held.value * 1000 + e.counts.ready.value + e.counts.leased.value + e.last.finished();
}

}  // namespace

json::object to_json(const entrypoint_overview& e) {
    return {{"queue", text(e.queue)},
            {"entrypoint", text(e.entrypoint)},
            {"ready", number(e.counts.ready)},
            {"deferred", number(e.counts.deferred)},
            {"blocked", number(e.counts.blocked)},
            {"leased", number(e.counts.leased)},
            {"held", number(e.counts.held)},
            {"oldest", whole_seconds(e.counts.oldest_ready)},
            {"in", per_second(e.last.enqueued, recent_window)},
            {"out", per_second(e.last.finished(), recent_window)},
            {"failed", e.last.held + e.last.retried},
            {"wait", percentiles(e.last.wait)},
            {"run", percentiles(e.last.run)},
            {"paused", e.paused},
            {"draining", e.draining}};
}

json::array to_json(const std::vector<entrypoint_overview>& all) {
    json::array out;
    for (const auto& e : all) out.push_back(to_json(e));
    return out;
}

json::object totals(const std::vector<entrypoint_overview>& all) {
    entrypoint_overview sum;
    std::int64_t paused = 0;
    for (const auto& e : all) {
        sum.counts += e.counts, sum.last += e.last;
        paused += e.paused || e.draining ? 1 : 0;
    }
    auto o = to_json(sum);
    for (const char* no : {"queue", "entrypoint", "paused", "draining"}) o.erase(no);
    o["entrypoints"] = all.size();
    o["stopped"] = paused;
    return o;
}

json::array busiest(std::vector<entrypoint_overview> all, std::size_t most) {
    std::stable_sort(all.begin(), all.end(), [](const auto& a, const auto& b) { return weight(a) > weight(b); });
    if (all.size() > most) all.resize(most);
    return to_json(all);
}

series_window window_of(std::string_view name) noexcept {
    using std::chrono::hours, std::chrono::minutes;
    if (name == "7d") return {hours{168}, statistics_retention, minutes{30}};
    if (name == "24h") return {hours{24}, hours{24}, minutes{10}};
    return {hours{1}, hours{1}, minutes{1}};
}

json::object series(const std::vector<lane_statistics>& parts, const series_window& w, time_point now) {
    const auto step = std::chrono::floor<std::chrono::minutes>(w.step);
    const auto floor_of = [&](time_point t) {
        const auto since = t.time_since_epoch();
        return time_point{since - since % step};
    };
    std::map<time_point, job_statistics> sums;
    // The present step is left out: its numbers would look like a drop.
    for (auto at = floor_of(now - std::chrono::floor<std::chrono::microseconds>(w.last)); at + step <= now; at += step)
        sums[at];
    for (const auto& p : parts)
        if (const auto found = sums.find(floor_of(p.at)); found != sums.end()) found->second += p;

    json::array at, in, out, failed, wait50, wait99, run50, run99;
    for (const auto& [t, s] : sums) {
        at.push_back(std::chrono::floor<std::chrono::seconds>(t).time_since_epoch().count());
        in.push_back(per_second(s.enqueued, step));
        out.push_back(per_second(s.done, step));
        failed.push_back(per_second(s.held + s.retried, step));
        wait50.push_back(span(s.wait.percentile(0.5))), wait99.push_back(span(s.wait.percentile(0.99)));
        run50.push_back(span(s.run.percentile(0.5))), run99.push_back(span(s.run.percentile(0.99)));
    }
    return {{"at", std::move(at)},
            {"in", std::move(in)},
            {"out", std::move(out)},
            {"failed", std::move(failed)},
            {"wait50", std::move(wait50)},
            {"wait99", std::move(wait99)},
            {"run50", std::move(run50)},
            {"run99", std::move(run99)},
            {"step", std::chrono::duration_cast<std::chrono::seconds>(w.step).count()},
            {"kept_hours", std::chrono::duration_cast<std::chrono::hours>(statistics_retention).count()},
            {"complete", w.asked <= w.last}};
}

}  // namespace pgq::web
