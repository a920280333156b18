#pragma once

#include <pgq/concept/driver.hpp>
#include <pgq/concept/usable.hpp>
#include <pgq/error/result.hpp>
#include <pgq/fsm/pool.hpp>
#include <pgq/job/id.hpp>
#include <pgq/protocol/enqueue_batch.hpp>
#include <pgq/protocol/lane.hpp>
#include <pgq/time/call_limit.hpp>
#include <pgq/time/clock.hpp>

#include <algorithm>
#include <chrono>
#include <concepts>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace pgq::driver {

struct pool_options {
    std::size_t min = 0;                          ///< so many sessions stay open however long nobody needs them
    std::size_t max = 4;                          ///< so many at most
    duration wait = std::chrono::seconds{5};      ///< how long a caller waits for a free one; zero: not at all
    duration max_idle = std::chrono::minutes{1};  ///< idle for longer, it is closed, or asked before it is used
};

/// How many sessions of a pool are in which state.
struct pool_counts {
    std::size_t idle = 0;
    std::size_t lent = 0;     ///< in use, or being opened
    std::size_t waiting = 0;  ///< callers
};

namespace detail {

inline result<void> check(const pool_options& o) {
    if (o.max < 1 || o.max > 10'000 || o.min > o.max)
        return error_info{errc::invalid_option,
                          "a pool of " + std::to_string(o.min) + " to " + std::to_string(o.max) + " sessions",
                          "max is 1 to 10000, and min no more than max"};
    if (o.wait < duration{} || o.max_idle < duration{})
        return error_info{errc::invalid_option, "a time of the pool is negative"};
    return {};
}

/// The sessions that all copies of a pool share: the state machine, its lock, and the callers that wait. Sessions are
/// opened, checked and closed without the lock.
template <class Inner>
class pool_store {
public:
    using session = typename Inner::session;

    pool_store(Inner inner, const pool_options& options)
        : inner_{std::move(inner)},
          options_{options},
          machine_{{.min = options.min, .max = size_of(options), .max_idle = options.max_idle}},
          limits_(size_of(options)),
          sessions_(size_of(options)) {}

    const Inner& inner() const noexcept { return inner_; }
    const pool_options& options() const noexcept { return options_; }

    /// A slot that is the caller's, whatever is in it; then `prepare` it.
    result<fsm::pool_action> acquire() {
        if (auto fine = check(options_); !fine) return fine.error();
        close_surplus();
        waiter me;
        std::unique_lock lock{mutex_};
        const auto action = machine_.asked(me.name(), now());
        if (action.what != fsm::pool_do::wait) return action;
        const auto deadline = now() + std::min<duration>(options_.wait, std::chrono::hours{24 * 365});
        if (me.woken.wait_until(lock, deadline, [&] { return me.granted.has_value(); })) return *me.granted;
        (void)machine_.gave_up(me.name());
        return exhausted();
    }

    /// Makes sure that there is a session in the slot, and one that works.
    result<void> prepare(const fsm::pool_action& a) {
        auto& slot = sessions_[a.slot];
        const bool must_answer = a.what == fsm::pool_do::probe;
        if (slot && (!pgq::detail::is_usable(*slot) || (must_answer && !answers(*slot)))) slot.reset();
        if (slot) return {};
        auto opened = connect_within(inner_, session_role::client, limits_[a.slot]);
        if (!opened) return opened.error();
        slot.emplace(std::move(*opened));
        return {};
    }

    session& at(std::size_t slot) noexcept { return *sessions_[slot]; }

    call_limit& limit_of(std::size_t slot) noexcept { return limits_[slot]; }

    void give_back(std::size_t slot, bool works) noexcept {
        limits_[slot].clear();
        if (!works) sessions_[slot].reset();
        const std::lock_guard lock{mutex_};
        wake(works ? machine_.returned(slot, now()) : machine_.dropped(slot));
    }

    pool_counts counts() const {
        const std::lock_guard lock{mutex_};
        return {.idle = machine_.idle(), .lent = machine_.lent(), .waiting = machine_.waiting()};
    }

private:
    struct waiter {
        std::condition_variable woken;
        std::optional<fsm::pool_action> granted{};

        std::uint64_t name() const noexcept { return reinterpret_cast<std::uintptr_t>(this); }
        static waiter& of(std::uint64_t name) noexcept {
            return *reinterpret_cast<waiter*>(static_cast<std::uintptr_t>(name));
        }
    };

    static std::size_t size_of(const pool_options& o) { return check(o) ? o.max : 0; }
    static steady_time now() noexcept { return std::chrono::steady_clock::now(); }

    // The cheapest question that every driver has.
    static bool answers(session& s) { return s.held({}, 0).has_value(); }

    void wake(const std::optional<fsm::pool_grant>& g) noexcept {
        if (!g) return;
        waiter& next = waiter::of(g->caller);  // lives until it has had the lock again
        next.granted = g->action;
        next.woken.notify_one();
    }

    void close_surplus() {
        std::vector<std::optional<session>> closed;  // destroyed behind the lock
        const std::lock_guard lock{mutex_};
        while (const auto slot = machine_.surplus(now()))
            closed.push_back(std::exchange(sessions_[*slot], std::nullopt));
    }

    error_info exhausted() const {
        const auto waited = std::chrono::duration_cast<std::chrono::milliseconds>(options_.wait);
        error_info e{errc::timeout,
                     "all " + std::to_string(options_.max) + " sessions of the pool were in use for " +
                         std::to_string(waited.count()) + " ms",
                     "raise pool_options::max, or wait longer: pool_options::wait"};
        e.statement = "borrow";
        return e;
    }

    Inner inner_;
    pool_options options_;
    mutable std::mutex mutex_;  // for the members below; but a lent slot of sessions_ belongs to its borrower
    fsm::pool machine_;
    std::vector<call_limit> limits_;  // one for each slot; before the sessions, which refer to them
    std::vector<std::optional<session>> sessions_;
};

/// Several asynchronous clients as one: a call goes to the one with the fewest calls under way.
template <class Client>
class async_clients {
public:
    explicit async_clients(std::vector<Client> all) : all_{std::move(all)} {}

    template <class Answer, class Token>
    auto async_enqueue(std::size_t position, result<enqueue_batch> batch, Token&& token) {
        return idlest().template async_enqueue<Answer>(position, std::move(batch), std::forward<Token>(token));
    }
    /// Of the latest call that failed, whichever client had it.
    error_info last_error() const {
        const auto latest = std::max_element(all_.begin(), all_.end(), [](const Client& a, const Client& b) {
            return a.last_error_at() < b.last_error_at();
        });
        return latest->last_error();
    }

private:
    Client& idlest() noexcept {
        return *std::min_element(all_.begin(), all_.end(),
                                 [](const Client& a, const Client& b) { return a.under_way() < b.under_way(); });
    }

    std::vector<Client> all_;
};

template <class Inner>
struct pool_async_side {
    static constexpr bool is_async = false;
};
template <async_driver Inner>
struct pool_async_side<Inner> {
    static constexpr bool is_async = true;
    using async_client = async_clients<typename Inner::async_client>;
};

}  // namespace detail

/// Any driver, with several sessions for the callers of a queue: `queue<..., driver::pool<driver::libpq>>`,
/// `pool{libpq{"host=..."}, {.max = 8}}`. Each call borrows one of several sessions, so threads do not wait for
/// each other.
///
/// If no session is free, a call opens another one, up to `max`. If all `max` are in use, the call waits up to `wait`,
/// first come first served, and then returns errc::timeout. The next caller that gets the slot of a broken session
/// opens a new one. If a session was idle for `max_idle`, the next call of any thread closes it; the last `min`
/// sessions stay open, and are checked by a query before they are used. The time to open a session does not count in
/// `wait`: the inner driver limits it.
///
/// Workers do not use the pool: the inner driver opens their sessions. With an asynchronous driver, async_enqueue uses
/// up to `max` further connections, and sends each call on the one with the fewest waiting calls.
///
/// Copies share the sessions. These close when the last copy and the last loan are gone. Any thread may call the
/// members.
template <driver_policy Inner>
class pool : public detail::pool_async_side<Inner> {
    using store = detail::pool_store<Inner>;

public:
    using policy_category = driver_tag;
    using session = typename Inner::session;

    /// A session that is the holder's until this is destroyed. Used by one thread at a time.
    class loan {
    public:
        loan(loan&&) noexcept = default;
        loan& operator=(loan&& other) noexcept {
            loan old{std::move(*this)};
            store_ = std::move(other.store_);
            slot_ = other.slot_;
            works_ = other.works_;
            return *this;
        }
        ~loan() {
            if (store_) store_->give_back(slot_, works_);
        }

        session& get() const noexcept { return store_->at(slot_); }
        /// What the calls of the session obey while it is lent.
        call_limit& limit() const noexcept { return store_->limit_of(slot_); }
        /// The session broke: nobody gets it again.
        void discard() noexcept { works_ = false; }

    private:
        friend class pool;
        loan(std::shared_ptr<store> s, std::size_t slot) noexcept : store_{std::move(s)}, slot_{slot} {}

        std::shared_ptr<store> store_;
        std::size_t slot_;
        bool works_ = true;
    };

    pool() requires std::default_initializable<Inner> : pool{Inner{}} {}
    explicit pool(Inner inner, const pool_options& options = {})
        : store_{std::make_shared<store>(std::move(inner), options)} {}

    /// A session of the caller's own, not one of the pool.
    result<session> connect(session_role role) const { return store_->inner().connect(role); }
    /// The same, with a session whose calls obey `limit`, which must outlive it.
    result<session> connect(session_role role, const call_limit& limit) const {
        return connect_within(store_->inner(), role, limit);
    }
    result<void> install() const { return store_->inner().install(); }

    /// Fails with errc::timeout when none became free in time, with errc::invalid_option for options that cannot be,
    /// and as the inner driver when a session has to be opened and cannot.
    result<loan> borrow() const {
        auto slot = store_->acquire();
        if (!slot) return std::move(slot.error());
        loan mine{store_, slot->slot};
        if (auto ready = store_->prepare(*slot); !ready) {
            mine.discard();
            return std::move(ready.error());
        }
        return mine;
    }

    /// Opens `min` sessions now instead of when they are needed, to learn of errors early.
    result<void> open() const {
        std::vector<loan> all;
        while (all.size() < store_->options().min) {
            auto one = borrow();
            if (!one) return std::move(one.error());
            all.push_back(std::move(*one));
        }
        return {};
    }

    pool_counts counts() const { return store_->counts(); }
    const Inner& inner() const noexcept { return store_->inner(); }

    auto make_async_client(std::string queue, std::span<const lane_name> names) const requires async_driver<Inner> {
        std::vector<typename Inner::async_client> all;
        const auto size = std::max<std::size_t>(1, store_->options().max);
        while (all.size() < size) all.push_back(inner().make_async_client(queue, names));
        return typename pool::async_client{std::move(all)};
    }
    const auto& get_executor() const noexcept requires async_driver<Inner> { return inner().get_executor(); }
    /// As `connect`, asynchronously: a session of the caller's own.
    template <class Token>
    auto async_connect(session_role role, Token&& token) const requires async_driver<Inner> {
        return inner().async_connect(role, std::forward<Token>(token));
    }
    template <class Token>
    auto async_connect(session_role role, const call_limit& limit, Token&& token) const requires async_driver<Inner> {
        return async_connect_within(inner(), role, limit, std::forward<Token>(token));
    }

private:
    std::shared_ptr<store> store_;
};

}  // namespace pgq::driver
