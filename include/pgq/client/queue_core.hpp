#pragma once

#include <pgq/diagnostic/calls.hpp>
// The messages come first, as in compose/checked.hpp.
#include <pgq/client/client_connection.hpp>
#include <pgq/client/group_commit.hpp>
#include <pgq/client/lazy_parts.hpp>
#include <pgq/client/open_transaction.hpp>
#include <pgq/compose/limiter_set.hpp>
#include <pgq/concept/observer.hpp>
#include <pgq/detail/type_list.hpp>
#include <pgq/event/events.hpp>
#include <pgq/job/traits.hpp>
#include <pgq/protocol/tracked.hpp>
#include <pgq/time/clock.hpp>

#include <cassert>
#include <concepts>
#include <cstddef>
#include <exception>
#include <memory>
#include <string>
#include <tuple>
#include <type_traits>
#include <utility>

namespace pgq::detail {

/// What a refused queue has in the place of a driver, so that its message stays the only one.
struct no_driver {
    struct session {};
};

template <class Composition>
using driver_of =
    std::conditional_t<std::is_void_v<typename Composition::driver>, no_driver, typename Composition::driver>;

/// What the constructor of a queue uses for a driver that is not given.
template <class Driver>
Driver default_driver() {
    if constexpr (std::default_initializable<Driver>) return {};
    else {
        (void)sizeof(diagnostic::no_default_driver<Driver>);
        std::terminate();
    }
}
/// The same for an executor and an observer.
template <class Part>
Part default_part() {
    if constexpr (std::default_initializable<Part>) return Part{};
    else {
        (void)sizeof(diagnostic::no_default_part<Part>);
        std::terminate();
    }
}

template <class Composition, class Jobs = typename Composition::jobs>
struct limiters_of;
template <class Composition, class... Jobs>
struct limiters_of<Composition, type_list<Jobs...>> {
    /// One for each entrypoint, and that of the queue.
    using type = std::tuple<typename Composition::template limiter_of<Jobs>..., typename Composition::limiter>;

    static limiter_set as_set(const type& all) {
        limiter_set b;
        (b.add(entrypoint_of<Jobs>, std::get<Composition::template index_of<Jobs>>(all)), ...);
        b.add_queue(std::get<sizeof...(Jobs)>(all));
        return b;
    }
};

/// What a queue object holds. All queue types of one composition have the same. Workers, pollers and flows share its
/// ownership; handles notice its end, see job_handle.
template <class Composition>
struct queue_core {
    using driver_type = driver_of<Composition>;

    queue_core(driver_type driver, std::string name, duration keep, typename Composition::executor e,
               typename Composition::observer o)
        : connection{std::move(driver), std::move(name), Composition::lane_names},
          keep_results{keep},
          executor{std::move(e)},
          observer{std::move(o)} {}

    template <class... Args>
    static std::shared_ptr<queue_core> make(Args&&... args) {
        auto core = std::make_shared<queue_core>(std::forward<Args>(args)...);
        core->link = std::shared_ptr<client_connection<driver_type>>{core, &core->connection};
        if constexpr (observes<typename Composition::observer, event::cancel_requested>)
            core->connection.report_cancels_to({core.get(), &report_cancel});
        return core;
    }

    static void report_cancel(void* core, const cancel_reply& r) noexcept {
        auto& self = *static_cast<queue_core*>(core);
        notify(self.observer, event::cancel_requested{self.connection.name(), r.removed, r.stopping});
    }

    client_connection<driver_type> connection;
    weak_connection<driver_type> link{};  ///< to `connection`, for handles
    group_commit<driver_type> commits{};
    transaction_count transactions{0};
    duration keep_results;
    typename limiters_of<Composition>::type limiters{};
    typename Composition::executor executor;
    typename Composition::observer observer;
    lazy_parts parts{};
};

/// Stops a debug build if a queue object is used that was moved from.
template <class Core>
const std::shared_ptr<Core>& not_moved_from(const std::shared_ptr<Core>& core) noexcept {
    assert(core && "this queue object was moved from: use the one that it was moved into");
    return core;
}

}  // namespace pgq::detail
