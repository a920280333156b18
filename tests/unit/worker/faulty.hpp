#pragma once

#include <pgq/concept/driver.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace test {

/// The calls of a worker that can fail.
enum class verb : std::uint8_t {
    connect,
    exchange,
    wait,
    register_worker,
    leases_of,
    give_back,
    retire,
    counts,
    beat,
    rescue
};

/// One failure: the call is performed or not, and returns `error`. After errc::connection_lost the session cannot be
/// used again, as with a server.
struct fault {
    pgq::error_info error{};
    bool performed = false;
};

/// Decides which calls fail, and counts them. Only calls of workers and their monitors can fail, calls of clients
/// never. Several sessions may share one plan, one after the other or at once.
class fault_plan {
public:
    using rule = std::function<std::optional<fault>(verb, std::size_t nth, const pgq::exchange_request*)>;

    fault_plan() = default;
    explicit fault_plan(rule r) : rule_{std::move(r)} {}

    /// The `nth` call (from 1) of one verb fails, once.
    static rule at(verb which, std::size_t nth, fault f) {
        return [=](verb v, std::size_t n, const pgq::exchange_request*) {
            return v == which && n == nth ? std::optional{f} : std::nullopt;
        };
    }
    /// Fails if any of these rules does.
    static rule any(std::vector<rule> rules) {
        return
            [rules = std::move(rules)](verb v, std::size_t n, const pgq::exchange_request* r) -> std::optional<fault> {
                for (const auto& one : rules)
                    if (auto f = one(v, n, r)) return f;
                return std::nullopt;
            };
    }

    std::optional<fault> next(verb v, const pgq::exchange_request* r = nullptr) {
        const std::lock_guard lock{mutex_};
        const std::size_t n = ++counts_[static_cast<std::size_t>(v)];
        auto f = rule_ ? rule_(v, n, r) : std::nullopt;
        struck_ += f ? 1 : 0;
        return f;
    }
    std::size_t count(verb v) const {
        const std::lock_guard lock{mutex_};
        return counts_[static_cast<std::size_t>(v)];
    }
    std::size_t struck() const {
        const std::lock_guard lock{mutex_};
        return struck_;
    }

private:
    mutable std::mutex mutex_;
    rule rule_;
    std::array<std::size_t, 10> counts_{};
    std::size_t struck_ = 0;
};

/// A session of `Inner` that fails as planned.
template <class Inner>
class faulty_session {
public:
    faulty_session(Inner inner, pgq::session_role role, std::shared_ptr<fault_plan> plan)
        : inner_{std::move(inner)}, role_{role}, plan_{std::move(plan)} {}

    pgq::result<std::vector<pgq::lane_id>> lanes(std::string_view queue, std::span<const pgq::lane_name> names) {
        return inner_.lanes(queue, names);
    }
    pgq::result<std::vector<pgq::lane_limit>> limits(std::string_view queue,
                                                     std::span<const pgq::lane_limit> declared) {
        return inner_.limits(queue, declared);
    }
    pgq::result<bool> change_limit(std::string_view queue, const pgq::lane_limit& limit) {
        return inner_.change_limit(queue, limit);
    }
    pgq::result<void> enqueue(const pgq::enqueue_request& r, std::vector<pgq::job_id>& ids) {
        return inner_.enqueue(r, ids);
    }
    pgq::result<void> exchange(const pgq::exchange_request& r, pgq::exchange_reply& reply) {
        return perform(
            verb::exchange, [&] { return inner_.exchange(r, reply); }, &r);
    }
    pgq::result<pgq::wake_reason> wait(pgq::duration timeout) {
        return perform(verb::wait, [&] { return inner_.wait(timeout); });
    }
    void interrupt() noexcept { inner_.interrupt(); }

    pgq::result<pgq::worker_id> register_worker(const pgq::worker_info& info) {
        return perform(verb::register_worker, [&] { return inner_.register_worker(info); });
    }
    pgq::result<pgq::beat_reply> beat(pgq::worker_id id) {
        return perform(verb::beat, [&] { return inner_.beat(id); });
    }
    pgq::result<pgq::rescue_reply> rescue() {
        return perform(verb::rescue, [&] { return inner_.rescue(); });
    }
    pgq::result<void> retire(pgq::worker_id id) {
        return perform(verb::retire, [&] { return inner_.retire(id); });
    }
    pgq::result<std::vector<pgq::lease_ref>> leases_of(pgq::worker_id id) {
        return perform(verb::leases_of, [&] { return inner_.leases_of(id); });
    }
    pgq::result<void> give_back(std::span<const pgq::lease_ref> leases) {
        return perform(verb::give_back, [&] { return inner_.give_back(leases); });
    }

    pgq::result<void> enqueue_tracked(const pgq::tracked_request& r, std::vector<pgq::enqueued_job>& jobs) {
        return inner_.enqueue_tracked(r, jobs);
    }
    pgq::result<void> watch(std::span<const pgq::job_id> ids, pgq::duration keep, std::vector<pgq::ended_job>& ended) {
        return inner_.watch(ids, keep, ended);
    }
    pgq::result<std::vector<pgq::lease_news>> leases_now(pgq::worker_id id) {
        return perform(verb::leases_of, [&] { return inner_.leases_now(id); });
    }
    bool stop_asked() noexcept { return inner_.stop_asked(); }
    pgq::result<pgq::sweep_reply> sweep() { return inner_.sweep(); }
    pgq::result<void> revise(const pgq::revision& r) { return inner_.revise(r); }
    pgq::result<std::optional<std::string>> progress_of(pgq::job_id id) { return inner_.progress_of(id); }

    pgq::result<pgq::cancel_reply> cancel(std::span<const pgq::job_id> ids) { return inner_.cancel(ids); }
    pgq::result<std::int64_t> requeue(std::span<const pgq::job_id> ids) { return inner_.requeue(ids); }
    pgq::result<std::vector<pgq::held_job>> held(pgq::lane_id lane, std::size_t limit) {
        return inner_.held(lane, limit);
    }
    pgq::result<pgq::lane_counts> counts(pgq::lane_id lane) {
        return perform(verb::counts, [&] { return inner_.counts(lane); });
    }

private:
    template <class Do>
    auto perform(verb v, Do call, const pgq::exchange_request* r = nullptr) -> decltype(call()) {
        if (role_ == pgq::session_role::client) return call();
        if (broken_) return pgq::errc::connection_lost;
        const auto f = plan_->next(v, r);
        if (!f) return call();
        if (f->performed) (void)call();
        broken_ = f->error == pgq::errc::connection_lost;
        return f->error;
    }

    Inner inner_;
    pgq::session_role role_;
    std::shared_ptr<fault_plan> plan_;
    bool broken_ = false;
};

/// A driver whose worker sessions fail as planned. Otherwise it is `Inner`.
template <class Inner>
class faulty {
public:
    using policy_category = pgq::driver_tag;
    using session = faulty_session<typename Inner::session>;

    explicit faulty(Inner inner = {}, std::shared_ptr<fault_plan> plan = std::make_shared<fault_plan>())
        : inner_{std::move(inner)}, plan_{std::move(plan)} {}

    pgq::result<session> connect(pgq::session_role role) const {
        if (role == pgq::session_role::worker)
            if (const auto f = plan_->next(verb::connect)) return f->error;
        auto opened = inner_.connect(role);
        if (!opened) return opened.error();
        return session{std::move(*opened), role, plan_};
    }
    pgq::result<void> install() const { return inner_.install(); }

private:
    Inner inner_;
    std::shared_ptr<fault_plan> plan_;
};

}  // namespace test
