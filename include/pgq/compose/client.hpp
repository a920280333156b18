#pragma once

#include <pgq/concept/driver.hpp>
#include <pgq/detail/utf8.hpp>
#include <pgq/job/lane.hpp>
#include <pgq/job/traits.hpp>

#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace pgq::detail {

/// The side of a queue object that an asynchronous driver brings with it.
template <class Driver>
struct async_side {};
template <async_driver Driver>
struct async_side<Driver> {
    std::optional<typename Driver::async_client> client{};
};

/// The session of a queue object, opened when first needed and again after it broke, and the lanes of its entrypoints.
/// Usable from several threads; they take turns.
template <class Driver>
class client {
public:
    client(Driver driver, std::string queue_name, std::span<const lane_name> names)
        : driver_{std::move(driver)}, name_{std::move(queue_name)}, names_{names} {}

    const Driver& driver() const noexcept { return driver_; }
    const std::string& name() const noexcept { return name_; }

    /// Calls `use(session, lanes)`. A session that broke is not used again; whether what it was doing happened is in doubt then,
    /// so nothing is repeated here.
    template <class Use>
    auto with(Use use)
        -> decltype(use(std::declval<typename Driver::session&>(), std::declval<std::vector<lane_id>&>())) {
        const std::lock_guard lock{mutex_};
        if (auto ready = prepare(); !ready) return ready.error();
        auto answer = use(*session_, lanes_);
        if (!answer && answer.error() == errc::connection_lost) session_.reset();
        return answer;
    }

    result<std::vector<lane_id>> lanes() {
        return with([](auto&, const std::vector<lane_id>& found) { return result<std::vector<lane_id>>{found}; });
    }

    /// What async_enqueue works with; it connects when that is first called.
    auto& async() requires async_driver<Driver> {
        const std::lock_guard lock{mutex_};
        if (!async_.client) async_.client.emplace(driver_.make_async_client(name_, names_));
        return *async_.client;
    }

    result<void> check_name() const {
        if (name_.empty() || name_.size() > max_name_bytes || !is_storable_text(name_))
            return error_info{errc::invalid_name, "a queue's name is UTF-8 text of 1 to 255 bytes"};
        return {};
    }

private:
    result<void> prepare() {
        if constexpr (requires(typename Driver::session & s) { s.usable(); })
            if (session_ && !session_->usable()) session_.reset();
        if (!session_) {
            auto opened = driver_.connect(session_role::client);
            if (!opened) return opened.error();
            session_.emplace(std::move(*opened));
        }
        if (!lanes_.empty()) return {};
        if (auto fine = check_name(); !fine) return fine;
        auto found = session_->lanes(name_, names_);
        if (!found) return found.error();
        lanes_ = std::move(*found);
        return {};
    }

    Driver driver_;
    std::string name_;
    std::span<const lane_name> names_;
    std::mutex mutex_;
    std::optional<typename Driver::session> session_;
    std::vector<lane_id> lanes_;
    [[no_unique_address]] async_side<Driver> async_;
};

}  // namespace pgq::detail
