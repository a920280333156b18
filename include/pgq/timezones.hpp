#pragma once

#include <pgq/concept/policy.hpp>
#include <pgq/cron/any_zone.hpp>
#include <pgq/cron/literal.hpp>
#include <pgq/cron/zone.hpp>
#include <pgq/error/result.hpp>

#include <version>

// The standard library's time zones, if it has them; otherwise those of the library `date`.
#if defined(__cpp_lib_chrono) && __cpp_lib_chrono >= 201907L
#include <chrono>
#else
#include <date/tz.h>
#if !USE_OS_TZDB && AUTO_DOWNLOAD
#error "pgq: this build of date downloads its time zones. Build date with USE_SYSTEM_TZ_DB, or without its remote API."
#endif
#endif

#include <chrono>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>

namespace pgq {
namespace detail {

#if defined(__cpp_lib_chrono) && __cpp_lib_chrono >= 201907L
namespace zones = std::chrono;
#else
namespace zones = ::date;
#endif

}  // namespace detail

/// A time zone of the system, by its IANA name. It reads the system's database once per program and downloads nothing.
///
/// With the library `date` a zone has no daylight saving time after 2037. Copies are cheap; it is thread-safe.
class time_zone {
public:
    /// Finds a zone: `time_zone::find("Europe/Berlin")`. Errors: `errc::invalid_option` if there is no such zone, or if
    /// the system has no database of time zones.
    static result<time_zone> find(std::string_view name) {
        try {
            return time_zone{detail::zones::locate_zone(std::string{name})};
        } catch (const std::runtime_error& e) {
            return error_info{errc::invalid_option, "there is no such time zone: " + std::string{e.what()},
                              "write an IANA name, such as Europe/Berlin, and install the package tzdata"};
        }
    }

    /// The name of the zone. For an alias it may be the name of the zone that the alias stands for.
    std::string_view name() const noexcept { return zone_->name(); }

    cron::offset_period period_at(std::chrono::sys_seconds t) const {
        const auto info = zone_->get_info(t);
        return {.begin = info.begin, .end = info.end, .offset = info.offset};
    }

private:
    explicit time_zone(const detail::zones::time_zone* zone) noexcept : zone_{zone} {}

    const detail::zones::time_zone* zone_;
};

static_assert(cron::zone<time_zone>);

/// For schedulers: `pgq::scheduler s{jobs, {.zones = pgq::find_zone}};`. See time_zone::find.
inline result<cron::any_zone> find_zone(std::string_view name) {
    auto found = time_zone::find(name);
    if (!found) return std::move(found.error());
    return cron::any_zone{*found};
}

namespace schedule {

/// An option of schedule::cron: the time zone by its IANA name, `named_zone<"Europe/Berlin">`. The system knows the
/// names, so a name that it does not have is an error of the worker's `run`: errc::invalid_option.
template <::pgq::cron::literal Name>
struct named_zone {
    using policy_category = schedule_zone_tag;
    static constexpr bool is_valid = true;
    template <class Options>
    static void set(Options& o) {
        o.zone = Name.view();
    }
    static result<::pgq::cron::any_zone> find(std::string_view name) { return ::pgq::find_zone(name); }
};

}  // namespace schedule

}  // namespace pgq
