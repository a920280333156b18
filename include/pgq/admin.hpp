#pragma once

#include <pgq/admin/actions.hpp>
#include <pgq/admin/connection.hpp>
#include <pgq/admin/doctor.hpp>
#include <pgq/admin/listing.hpp>
#include <pgq/admin/overview.hpp>
#include <pgq/admin/rules.hpp>
#include <pgq/admin/selection.hpp>
#include <pgq/concept/admin.hpp>
#include <pgq/concept/driver.hpp>
#include <pgq/error/result.hpp>
#include <pgq/time/clock.hpp>

#include <utility>

namespace pgq {

struct admin_options {
    /// After so long a call ends with errc::timeout, even if the server is silent. Zero: as the driver's options say.
    duration time_limit{};
};

/// What an operator does, without any job type: lists lanes, jobs, workers and failures, acts on jobs by their ids or
/// on all that match, pauses, and changes limits and schedules. Payloads are bytes here.
///
///     pgq::admin ops{pgq::driver::libpq{}};
///     for (const auto& g : ops.failed_groups().value()) std::printf("%s: %s\n", ...);
///     ops.requeue({.queue = "mail", .reason = "smtp"}).value();
///
/// It opens a client session with its first call, and again after that broke. One thread at a time may use it. Rights
/// are in docs/guides/roles.md: a reader may list, an operator may act.
template <driver_policy Driver>
    requires admin_session<typename Driver::session>
class admin : public detail::admin_listing<admin<Driver>>,
              public detail::admin_overview<admin<Driver>>,
              public detail::admin_actions<admin<Driver>>,
              public detail::admin_rules<admin<Driver>>,
              public detail::admin_doctor<admin<Driver>> {
    friend class detail::admin_listing<admin<Driver>>;
    friend class detail::admin_overview<admin<Driver>>;
    friend class detail::admin_actions<admin<Driver>>;
    friend class detail::admin_rules<admin<Driver>>;
    friend class detail::admin_doctor<admin<Driver>>;

public:
    using session = typename Driver::session;

    explicit admin(Driver driver, admin_options o = {}) : connection_{std::move(driver), o.time_limit} {}

    const Driver& driver() const noexcept { return connection_.driver(); }
    /// Makes the tables, or runs the migrations that are missing.
    result<void> install() { return connection_.driver().install(); }

private:
    auto& connection() noexcept { return connection_; }

    detail::admin_connection<Driver> connection_;
};

}  // namespace pgq
