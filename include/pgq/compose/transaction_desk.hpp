#pragma once

#include <pgq/concept/driver.hpp>
#include <pgq/error/result.hpp>
#include <pgq/job/id.hpp>

#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace pgq::detail {

/// The sessions of a worker for handlers that run in a transaction: one for each of them that runs, kept when it is over.
template <class Composition>
class transaction_desk {
public:
    using driver_type = typename Composition::driver;
    using session_type = typename driver_type::session;

    transaction_desk(driver_type driver, std::string queue_name)
        : driver_{std::move(driver)}, name_{std::move(queue_name)} {}

    /// A session with a transaction open. Those that broke while nobody needed them are passed over.
    result<session_type> begin() {
        while (auto idle = take_idle())
            if (auto begun = idle->begin(); begun) return std::move(*idle);
        auto opened = open();
        if (!opened) return opened;
        if (auto begun = opened->begin(); !begun) return std::move(begun.error());
        return opened;
    }
    /// One that nothing has been done on.
    result<session_type> open() {
        auto opened = driver_.connect(session_role::client);
        if (!opened) return opened;
        if (auto found = find_lanes(*opened); !found) return std::move(found.error());
        return opened;
    }
    void give_back(session_type&& s) {
        const std::lock_guard lock{mutex_};
        idle_.push_back(std::move(s));
    }
    /// Once a session was opened they do not change.
    std::span<const lane_id> lanes() const noexcept { return lanes_; }

private:
    std::optional<session_type> take_idle() {
        const std::lock_guard lock{mutex_};
        if (idle_.empty()) return std::nullopt;
        std::optional<session_type> s{std::move(idle_.back())};
        idle_.pop_back();
        return s;
    }
    result<void> find_lanes(session_type& s) {
        const std::lock_guard lock{mutex_};
        if (!lanes_.empty()) return {};
        auto found = s.lanes(name_, Composition::lane_names);
        if (!found) return std::move(found.error());
        lanes_ = std::move(*found);
        return {};
    }

    driver_type driver_;
    std::string name_;
    std::mutex mutex_;  // for what follows
    std::vector<session_type> idle_;
    std::vector<lane_id> lanes_;
};

}  // namespace pgq::detail
