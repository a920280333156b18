#pragma once

#include <pgq/cron/any_zone.hpp>
#include <pgq/cron/expression.hpp>
#include <pgq/error/result.hpp>
#include <pgq/protocol/schedule.hpp>
#include <pgq/time/clock.hpp>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace pgq::fsm {

/// What the shell of a scheduler does next.
enum class scheduler_do : std::uint8_t {
    load,  // read the schedules, then call loaded() or failed()
    wait,  // until notified, or for `timeout`; call changed() if notified
    fire,  // send firings(), then call fired() or failed()
    stop,
};
struct scheduler_action {
    scheduler_do what = scheduler_do::stop;
    duration timeout{};
};

/// Ticks that are not fired: the scheduler was not there, or was late. From the first to the last one.
struct missed_ticks {
    time_point from{};
    time_point to{};
};

/// The first tick at or after `from`; empty if there is none until `ends_at`.
inline std::optional<time_point> first_tick(const cron::expression& when, const cron::any_zone& zone, time_point from,
                                            const std::optional<time_point>& ends_at) {
    const time_point tick = when.next(std::chrono::ceil<std::chrono::seconds>(from) - std::chrono::seconds{1}, zone);
    if (tick == time_point::max() || (ends_at && tick > *ends_at)) return std::nullopt;
    return tick;
}

/// Decides which ticks to fire, and when. It has no clock: each call brings the steady time.
///
///     start --> load -- loaded() --> wait until the first tick -- it has come --> fire -- fired() --> wait
///                ^                                                                  |
///                +-- changed(), failed(), or the reply shows a change --------------+
///
/// A tick has come when the clock of the database says so. The machine knows that clock by the times in the replies. A
/// reply is older when it is received than when it was made, so the machine's clock is never early.
///
/// With jitter a schedule fires later than its ticks, always by the same part of it, which depends on its name: many
/// schedules of one time spread.
class scheduler {
public:
    using zone_finder = std::function<result<cron::any_zone>(std::string_view)>;

    /// `find_zone`: for the zones that are neither UTC nor an offset. `poll`: how often it loads if nothing notifies.
    explicit scheduler(zone_finder find_zone, duration poll = std::chrono::seconds{1})
        : find_zone_{std::move(find_zone)}, poll_{std::max<duration>(poll, std::chrono::milliseconds{1})} {}

    scheduler_action next(steady_time now) {
        if (stopping_) return {scheduler_do::stop};
        if (must_load_ || now >= load_at_) return {scheduler_do::load};
        plan(now);
        if (!firings_.empty()) return {scheduler_do::fire};
        return {scheduler_do::wait, std::max<duration>(std::min(wake_at_, load_at_) - now, duration{})};
    }

    /// The schedules of the queue. Returns those that this program cannot read, each once: others fire them.
    std::vector<error_info> loaded(const schedule_list& list, steady_time now) {
        must_load_ = false;
        load_at_ = now + (list.notifies ? reload_every : poll_);
        time_ = list.now;
        time_at_ = now;
        std::vector<error_info> unreadable;
        rules_.clear();
        firings_.clear();
        for (const auto& s : list.all) add(s, unreadable);
        return unreadable;
    }
    /// A schedule was declared, changed or removed.
    void changed() noexcept { must_load_ = true; }
    /// A load, a wait or a firing has failed; whether ticks were fired is not known.
    void failed() noexcept { must_load_ = true; }
    void stop() noexcept { stopping_ = true; }

    /// For `fire`: valid until the next event.
    std::span<const schedule_firing> firings() const noexcept { return firings_; }
    /// The ticks before those of firing number `i` that are not fired.
    const std::optional<missed_ticks>& missed(std::size_t i) const noexcept { return missed_[i]; }

    /// The reply to firings().
    void fired(const fire_reply& reply, steady_time now) {
        if (reply.all.size() != firings_.size()) return failed();
        const bool early = std::any_of(reply.all.begin(), reply.all.end(),
                                       [](const fire_answer& a) { return a.outcome == fire_outcome::early; });
        if (early || reply.now > time_of(now)) time_ = reply.now, time_at_ = now;
        for (std::size_t i = 0; i < reply.all.size(); ++i) apply(rules_[fired_[i]], reply.all[i], now);
        firings_.clear();
    }

    /// The time of the database, as far as it is known.
    time_point time_of(steady_time now) const noexcept {
        return time_ + std::chrono::floor<std::chrono::microseconds>(now - time_at_);
    }

    /// How long a schedule fires after its ticks.
    static duration delay_of(std::string_view name, duration jitter) noexcept {
        std::uint32_t hash = 2166136261U;
        for (const char c : name) hash = (hash ^ static_cast<unsigned char>(c)) * 16777619U;
        const std::int64_t most = std::chrono::duration_cast<std::chrono::microseconds>(jitter).count();
        const double part = static_cast<double>(hash) / 4294967296.0;
        return std::chrono::microseconds{static_cast<std::int64_t>(part * static_cast<double>(most))};
    }

private:
    static constexpr duration reload_every = std::chrono::minutes{10};
    static constexpr duration retry_busy = std::chrono::milliseconds{20};
    static constexpr std::size_t ticks_in_call = 1000;

    struct rule {
        std::string name;
        lane_id lane{};
        cron::expression when{};
        cron::any_zone zone{};
        std::chrono::microseconds delay{};
        std::optional<time_point> ends_at{};
        std::size_t missed_count = 1;
        std::optional<duration> missed_age{};
        time_point expected{};              // next_at in the database
        std::optional<time_point> first{};  // the first tick that is not fired
        steady_time not_before{};           // another scheduler fires it just now
    };

    void add(const stored_schedule& s, std::vector<error_info>& unreadable) {
        if (s.paused_at || !s.next_at) return;
        auto when = cron::expression::parse(s.expression);
        if (!when) return report(s, when.error(), unreadable);
        auto zone = cron::find_offset(s.zone);
        if (!zone) {
            auto found = find_zone_ ? find_zone_(s.zone) : result<cron::any_zone>{errc::invalid_option};
            if (!found) return report(s, found.error(), unreadable);
            zone = std::move(*found);
        }
        rule& r = rules_.emplace_back();
        r.name = s.name;
        r.lane = s.lane;
        r.when = *when;
        r.zone = std::move(*zone);
        r.delay = std::chrono::duration_cast<std::chrono::microseconds>(delay_of(s.name, s.jitter));
        r.ends_at = s.ends_at;
        r.missed_count = static_cast<std::size_t>(std::clamp(s.missed_count, 1, most_missed_ticks));
        r.missed_age = s.missed_age;
        expect(r, s.next_at);
    }
    void report(const stored_schedule& s, const error_info& why, std::vector<error_info>& unreadable) {
        std::string which = s.name + '\n' + s.expression + '\n' + s.zone;
        if (std::find(reported_.begin(), reported_.end(), which) != reported_.end()) return;
        reported_.push_back(std::move(which));
        unreadable.emplace_back(why.code, "this program cannot fire the schedule \"" + s.name + "\" (" + s.expression +
                                              ", zone " + s.zone + "): " + why.text());
    }

    static void expect(rule& r, const std::optional<time_point>& next_at) {
        r.first.reset();
        if (!next_at) return;
        r.expected = *next_at;
        r.first = first_tick(r.when, r.zone, *next_at, r.ends_at);
    }

    void plan(steady_time now) {
        firings_.clear();
        missed_.clear();
        fired_.clear();
        wake_at_ = load_at_;
        const time_point time = time_of(now);
        std::size_t ticks = 0;
        for (std::size_t i = 0; i < rules_.size(); ++i) {
            const rule& r = rules_[i];
            if (!r.first) continue;
            const time_point until = time - r.delay;
            if (*r.first > until) {
                const auto left = std::min<std::chrono::microseconds>(*r.first - until, std::chrono::hours{1});
                wake_at_ = std::min(wake_at_, now + left);
            } else if (now < r.not_before) {
                wake_at_ = std::min(wake_at_, r.not_before);
            } else if (ticks < ticks_in_call) {
                add_firing(i, until);
                ticks += firings_.back().ticks.size();
            }
        }
    }
    void add_firing(std::size_t i, time_point until) {
        const rule& r = rules_[i];
        schedule_firing f{.name = r.name, .lane = r.lane, .expected = r.expected};
        const time_point last = r.ends_at ? std::min(until, *r.ends_at) : until;
        const time_point behind = std::chrono::floor<std::chrono::seconds>(last) + std::chrono::seconds{1};
        time_point tick = r.when.previous(behind, r.zone);
        f.next = first_tick(r.when, r.zone, behind, r.ends_at);
        const auto fits = [&] { return !r.missed_age || until - tick <= *r.missed_age; };
        for (; tick >= *r.first && f.ticks.size() < r.missed_count && fits(); tick = r.when.previous(tick, r.zone))
            f.ticks.push_back(tick);
        std::reverse(f.ticks.begin(), f.ticks.end());
        missed_.push_back(tick >= *r.first ? std::optional{missed_ticks{*r.first, tick}} : std::nullopt);
        firings_.push_back(std::move(f));
        fired_.push_back(i);
    }
    void apply(rule& r, const fire_answer& a, steady_time now) {
        switch (a.outcome) {
        case fire_outcome::fired:
        case fire_outcome::not_expected: return expect(r, a.next_at);
        case fire_outcome::busy: r.not_before = now + retry_busy; return;
        case fire_outcome::early: return;
        case fire_outcome::paused:
        case fire_outcome::gone: break;
        }
        r.first.reset();
        must_load_ = true;
    }

    zone_finder find_zone_;
    duration poll_;
    bool stopping_ = false;
    bool must_load_ = true;
    steady_time load_at_{};
    steady_time wake_at_{};
    time_point time_{};  // of the database, at `time_at_`
    steady_time time_at_{};
    std::vector<rule> rules_{};
    std::vector<schedule_firing> firings_{};
    std::vector<std::optional<missed_ticks>> missed_{};  // one for each firing
    std::vector<std::size_t> fired_{};                   // the rule of each firing
    std::vector<std::string> reported_{};
};

}  // namespace pgq::fsm
