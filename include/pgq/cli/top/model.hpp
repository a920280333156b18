#pragma once

#include <pgq/cli/top/canvas.hpp>
#include <pgq/cli/top/conditions.hpp>
#include <pgq/cli/top/grid.hpp>
#include <pgq/cli/top/numbers.hpp>
#include <pgq/cli/top/request.hpp>

#include <pgq/admin/overview.hpp>
#include <pgq/error/error_info.hpp>
#include <pgq/time/clock.hpp>

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

/// The state of the screen.
namespace pgq::cli::top {

enum class view : std::uint8_t { entrypoints, workers, schedules, failures, jobs, job };
inline constexpr std::size_t views = 6;

struct settings {
    std::string server{};  ///< "demo on db1"
    bool read_only = false;
    top::glyphs glyphs{};
    duration interval = std::chrono::seconds{2};
    duration last = std::chrono::minutes{2};  ///< the window of rates and percentiles
};

struct screen_size {
    std::size_t rows = 24;
    std::size_t columns = 80;
    friend bool operator==(const screen_size&, const screen_size&) = default;
};

/// Where somebody is in a list.
struct list_state {
    grid_order order{};
    target chosen{};
    std::size_t at = 0;     ///< the row of `chosen` when it was drawn last
    std::size_t first = 0;  ///< the row at the top
    std::string filter{};
};

/// Why there are no samples.
struct outage {
    error_info why{};
    steady_time since{};
};

struct message {
    std::string text{};
    top::look look = look::plain;
    steady_time until{};
};

/// A job that is shown with all that is known of it.
struct open_job {
    job_id id{};
    bool loaded = false;
    std::optional<listed_job> job{};
    std::vector<failed_attempt> attempts{};
    std::optional<std::string> payload{};  ///< lines to show, if somebody has asked for it
};

/// The out rates of the last samples of each entrypoint.
class history {
public:
    static constexpr std::size_t most = 60;

    void add(const overview& o, duration last) {
        std::map<std::pair<std::string, std::string>, std::vector<double>> next;
        const double seconds = std::chrono::duration<double>(covered_time(o.at, last)).count();
        for (const auto& e : o.entrypoints) {
            auto& values = next[{e.queue, e.entrypoint}];
            if (const auto at = rates_.find({e.queue, e.entrypoint}); at != rates_.end())
                values = std::move(at->second);
            if (values.size() == most) values.erase(values.begin());
            values.push_back(static_cast<double>(e.last.finished()) / seconds);
        }
        rates_ = std::move(next);
    }
    std::span<const double> of(const entrypoint_overview& e) const {
        const auto at = rates_.find({e.queue, e.entrypoint});
        return at == rates_.end() ? std::span<const double>{} : std::span<const double>{at->second};
    }

private:
    std::map<std::pair<std::string, std::string>, std::vector<double>> rates_{};
};

struct model {
    settings with{};
    screen_size size{};
    std::optional<overview> sample{};
    findings found{};  ///< in the sample
    steady_time sampled_at{};
    history rates{};
    std::optional<outage> failing{};
    bool updating = true;  ///< false: somebody has stopped it
    bool help = false;

    view base = view::entrypoints;       ///< the list below
    view now = view::entrypoints;        ///< what is shown
    view under_job = view::entrypoints;  ///< where a job was opened
    std::array<list_state, views> lists{};
    target lane{};  ///< of the page of jobs
    std::optional<job_page> page{};
    std::vector<job_id> pages{before_all_jobs};  ///< the `after` of this page and those before it
    open_job job{};

    std::optional<request> question{};  ///< is done if the answer is yes
    std::string question_text{};
    bool counting = false;  ///< the answer is the number of a question, unless a key is pressed before
    bool typing = false;    ///< the filter
    std::optional<message> said{};

    /// The entrypoint of the sample that has this lane; null, if none has it.
    const entrypoint_overview* find(lane_id id) const noexcept {
        const auto at = found.places.find(id.value);
        return at == found.places.end() ? nullptr : &sample->entrypoints[at->second];
    }
    list_state& list() { return lists[static_cast<std::size_t>(now)]; }
    const list_state& list() const { return lists[static_cast<std::size_t>(now)]; }
};

}  // namespace pgq::cli::top
