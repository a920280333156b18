#pragma once

#include <pgq/concept/policy.hpp>
#include <pgq/cron/literal.hpp>
#include <pgq/cron/zone.hpp>
#include <pgq/protocol/schedule.hpp>
#include <pgq/time/clock.hpp>
#include <pgq/time/static_duration.hpp>

#include <chrono>
#include <optional>
#include <string_view>

// Options of schedule::cron, each at most once, in any order. They are those of schedule_options.
namespace pgq::schedule {

/// The time zone: `zone<"UTC">`, the default, or an offset: `zone<"+05:45">`. For names such as Europe/Berlin there is
/// named_zone in <pgq/timezones.hpp>.
template <::pgq::cron::literal Text>
struct zone {
    using policy_category = schedule_zone_tag;
    static constexpr bool is_valid = ::pgq::cron::read_offset(Text.view()).has_value();
    template <class Options>
    static void set(Options& o) {
        o.zone = Text.view();
    }
};

/// Fires up to so much later than the tick: `jitter<30s>`, at most a day.
template <static_duration Most>
struct jitter {
    using policy_category = schedule_jitter_tag;
    static constexpr bool is_valid = Most.value() > duration{} && Most.value() <= std::chrono::hours{24};
    template <class Options>
    static void set(Options& o) {
        o.jitter = Most.value();
    }
};

/// Fires no tick that came more than a minute ago, as pgq::missed::skip(). The default is the newest missed one.
struct skip_missed {
    using policy_category = schedule_missed_tag;
    static constexpr bool is_valid = true;
    template <class Options>
    static void set(Options& o) {
        o.missed = decltype(o.missed)::skip();
    }
};

/// Fires the newest `Most` (1 to 1000) of the missed ticks that are not older than `Age`: `all_missed<60>`,
/// `all_missed<60, 4h>`.
template <int Most, static_duration Age = duration::max()>
struct all_missed {
    using policy_category = schedule_missed_tag;
    static constexpr bool is_valid = Most >= 1 && Most <= most_missed_ticks && Age.value() > duration{};
    template <class Options>
    static void set(Options& o) {
        constexpr auto age = Age.value() == duration::max() ? std::nullopt : std::optional{Age.value()};
        o.missed = decltype(o.missed)::all(Most, age);
    }
};

/// What a tick does if the job of the former tick has not ended: `overlap<pgq::overlap::skip>`.
template <::pgq::overlap What>
struct overlap {
    using policy_category = schedule_overlap_tag;
    static constexpr bool is_valid = true;
    template <class Options>
    static void set(Options& o) {
        o.overlap = What;
    }
};

}  // namespace pgq::schedule
