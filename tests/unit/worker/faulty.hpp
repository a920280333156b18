#pragma once

#include <pgq/concept/driver.hpp>

#include <support/forwarding_session.hpp>

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
    sync,
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
    using rule = std::function<std::optional<fault>(verb, std::size_t nth, const pgq::sync_request*)>;

    fault_plan() = default;
    explicit fault_plan(rule r) : rule_{std::move(r)} {}

    /// The `nth` call (from 1) of one verb fails, once.
    static rule at(verb which, std::size_t nth, fault f) {
        return [=](verb v, std::size_t n, const pgq::sync_request*) {
            return v == which && n == nth ? std::optional{f} : std::nullopt;
        };
    }
    /// Fails if any of these rules does.
    static rule any(std::vector<rule> rules) {
        return [rules = std::move(rules)](verb v, std::size_t n, const pgq::sync_request* r) -> std::optional<fault> {
            for (const auto& one : rules)
                if (auto f = one(v, n, r)) return f;
            return std::nullopt;
        };
    }

    std::optional<fault> next(verb v, const pgq::sync_request* r = nullptr) {
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
    std::size_t failed_verb() const {
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
class faulty_session : public forwarding_session<faulty_session<Inner>> {
public:
    faulty_session(Inner inner, pgq::session_role role, std::shared_ptr<fault_plan> plan)
        : inner_{std::move(inner)}, role_{role}, plan_{std::move(plan)} {}

    pgq::result<void> sync(const pgq::sync_request& r, pgq::sync_reply& reply) {
        return perform(
            verb::sync, [&](Inner& s) { return s.sync(r, reply); }, &r);
    }
    void interrupt() noexcept { inner_.interrupt(); }
    bool take_stop_request() noexcept { return inner_.take_stop_request(); }

private:
    friend forwarding_session<faulty_session>;

    // The verbs that are in the plan.
    template <class Call>
    auto on(std::string_view name, Call call) {
        constexpr std::pair<std::string_view, verb> planned[]{
            {"wait", verb::wait},           {"register_worker", verb::register_worker},
            {"leases_of", verb::leases_of}, {"lease_updates", verb::leases_of},
            {"give_back", verb::give_back}, {"retire", verb::retire},
            {"counts", verb::counts},       {"beat", verb::beat},
            {"rescue", verb::rescue}};
        for (const auto& [known, v] : planned)
            if (known == name) return perform(v, call);
        return call(inner_);
    }

    template <class Do>
    auto perform(verb v, Do call, const pgq::sync_request* r = nullptr) -> decltype(call(std::declval<Inner&>())) {
        if (role_ == pgq::session_role::client) return call(inner_);
        if (broken_) return pgq::errc::connection_lost;
        const auto f = plan_->next(v, r);
        if (!f) return call(inner_);
        if (f->performed) (void)call(inner_);
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
