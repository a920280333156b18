#pragma once

#include <pgq/cron/any_zone.hpp>
#include <pgq/detail/utf8.hpp>
#include <pgq/error/result.hpp>
#include <pgq/job/options.hpp>
#include <pgq/job/traits.hpp>
#include <pgq/protocol/schedule.hpp>
#include <pgq/time/clock.hpp>
#include <pgq/time/when.hpp>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

namespace pgq {

/// Which ticks of a schedule are fired that came while no scheduler ran.
class missed {
public:
    /// The newest one, however old it is. The default.
    static constexpr missed newest() noexcept { return {1, std::nullopt}; }
    /// None. A tick that is fired less than a minute late does not count as missed.
    static constexpr missed skip() noexcept { return {1, std::chrono::minutes{1}}; }
    /// The newest `most` (1 to 1000) of those that are not older than `age`.
    static constexpr missed all(std::int32_t most, std::optional<duration> age = std::nullopt) noexcept {
        return {most, age};
    }

    constexpr missed() noexcept = default;
    constexpr std::int32_t most() const noexcept { return most_; }
    constexpr std::optional<duration> age() const noexcept { return age_; }

private:
    constexpr missed(std::int32_t most, std::optional<duration> age) noexcept : most_{most}, age_{age} {}

    std::int32_t most_ = 1;
    std::optional<duration> age_{};
};

/// How a job is scheduled.
struct schedule_options {
    std::string name{};                     ///< unique in the queue; empty: the entrypoint of the job
    std::string zone = "UTC";               ///< also an offset such as `+05:45`, or a name, see scheduler_options
    duration jitter{};                      ///< fire up to so much later, always by the same part of it
    pgq::missed missed{};                   ///< what to do with ticks that came while no scheduler ran
    pgq::overlap overlap = overlap::allow;  ///< what to do if the job of the former tick has not ended
    std::optional<time_point> starts_at{};  ///< no tick before it
    std::optional<time_point> ends_at{};    ///< no tick behind it
    /// How the job is enqueued. Times are relative: they count from the moment at which a tick is fired. `after` and
    /// `at_most` are not possible, and `unique_key` only with overlap::allow or cancel_running. Its texts must live
    /// until `every` returns.
    enqueue_options job{};
};

/// How a scheduler works.
struct scheduler_options {
    /// Finds zones by name: `pgq::find_zone` of <pgq/timezones.hpp>. Without it there are UTC and offsets.
    std::function<result<cron::any_zone>(std::string_view)> zones{};
    duration poll_interval = std::chrono::seconds{5};  ///< behind a pooler: how soon changes are seen
    /// How long run() tries to connect when it starts while the server is away; then it returns the error.
    duration connect_timeout = std::chrono::minutes{1};
    /// run() first removes schedules of the queue that no program has declared for so long; at least 2 h. Empty: none.
    std::optional<duration> prune_after{};
};

namespace detail {

inline result<void> check(const scheduler_options& o) {
    if (o.poll_interval < std::chrono::milliseconds{1} || o.poll_interval > std::chrono::hours{24})
        return error_info{errc::invalid_option, "poll_interval is not between 1 ms and a day"};
    if (o.connect_timeout < duration{}) return error_info{errc::invalid_option, "connect_timeout is negative"};
    if (o.prune_after && *o.prune_after < std::chrono::hours{2})
        return error_info{errc::invalid_option, "prune_after is less than two hours",
                          "a program that runs declares its schedules again each half hour"};
    return {};
}

inline result<void> check_job(const enqueue_options& o, overlap what) {
    const auto absolute = [](const when& t) { return t.how() == when::kind::absolute; };
    if (absolute(o.run_at) || absolute(o.expected_at) || absolute(o.expires_at))
        return error_info{errc::invalid_option, "the job of a schedule has a fixed time",
                          "give it a time that counts from the tick: pgq::in(5min)"};
    if (!o.after.empty() || o.at_most > 0)
        return error_info{errc::invalid_option, "the job of a schedule cannot have the options after and at_most"};
    if (o.unique_key.is_set() && (what == overlap::skip || what == overlap::queue_one))
        return error_info{errc::invalid_option, "overlap::skip and overlap::queue_one make the unique key of the job",
                          "leave out the unique key of the job, or choose overlap::allow"};
    if (auto fine = check_headers(o.headers); !fine) return fine;
    if (auto fine = check_unique(o.unique_key); !fine) return fine;
    return check_values(o);
}

inline result<void> check(const schedule_options& o) {
    if (o.name.empty() || o.name.size() > max_name_bytes || !is_storable_text(o.name))
        return error_info{errc::invalid_name, "the name of a schedule is UTF-8 text of 1 to 255 bytes"};
    if (o.jitter < duration{} || o.jitter > std::chrono::hours{24})
        return error_info{errc::invalid_option, "jitter is not between zero and a day"};
    if (o.missed.most() < 1 || o.missed.most() > most_missed_ticks || o.missed.age().value_or(duration{}) < duration{})
        return error_info{errc::invalid_option, "missed::all takes 1 to 1000 ticks, and an age that is not negative"};
    if (o.starts_at && o.ends_at && *o.ends_at < *o.starts_at)
        return error_info{errc::invalid_option, "a schedule ends before it starts"};
    return {};
}

/// A zone by the text that is stored.
inline result<cron::any_zone> find_zone(const scheduler_options& o, std::string_view text) {
    if (auto offset = cron::find_offset(text)) return std::move(*offset);
    if (o.zones) return o.zones(text);
    return error_info{errc::invalid_option, "the zone is neither UTC nor an offset: " + std::string{text},
                      "include <pgq/timezones.hpp> and give the scheduler {.zones = pgq::find_zone}"};
}

/// Whether a scheduler with the options `own` can fire a schedule with the options `o`.
inline result<void> check(const schedule_options& o, const scheduler_options& own) {
    if (auto fine = check(o); !fine) return fine;
    if (auto fine = check_job(o.job, o.overlap); !fine) return fine;
    if (auto zone = find_zone(own, o.zone); !zone) return std::move(zone.error());
    return {};
}

}  // namespace detail

}  // namespace pgq
