#pragma once

// What an attempt needs of a worker, without a worker: a runner that records results, sessions and transactions that
// answer what the test says, and time as a value.

#include <pgq/client/open_transaction.hpp>
#include <pgq/compose/checked.hpp>
#include <pgq/compose/execution_plan.hpp>
#include <pgq/context/job_services.hpp>
#include <pgq/context/resources.hpp>
#include <pgq/event/events.hpp>
#include <pgq/executor/watchdog.hpp>
#include <pgq/health/running_handlers.hpp>
#include <pgq/job/outcome.hpp>
#include <pgq/transaction/session_pool.hpp>
#include <pgq/transaction/transaction.hpp>
#include <pgq/worker/held_lease.hpp>
#include <pgq/worker/job_batch.hpp>

#include "compile_fail/fakes.hpp"

#include <array>
#include <chrono>
#include <cstdint>
#include <optional>
#include <span>
#include <stop_token>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

namespace unit_handler {

/// A payload is the text of the job; "unreadable" cannot be read.
struct text_serializer {
    using policy_category = pgq::serializer_tag;
    pgq::result<void> write(const fakes::mail& m, std::string& out) const {
        out = m.to;
        return {};
    }
    pgq::result<void> read(std::string_view body, fakes::mail& m) const {
        if (body == "unreadable") return pgq::errc::invalid_payload;
        m.to = body;
        return {};
    }
};

struct ten_seconds {
    using policy_category = pgq::backoff_tag;
    pgq::duration delay(int attempt) const noexcept { return attempt * std::chrono::seconds{10}; }
};

template <class... Policies>
using mails = typename pgq::checked<pgq::job<fakes::mail, Policies...>, fakes::driver, text_serializer, ten_seconds,
                                    fakes::executor>::composition_type;

struct events {
    std::vector<std::string> all;

    void on(const pgq::event::job_started& e) { all.push_back("started " + std::to_string(e.id.value)); }
    void on(const pgq::event::try_failed& e) { all.push_back("try failed: " + std::string{e.reason}); }
    void on(const pgq::event::error& e) { all.push_back("error: " + e.error.text()); }
    void on(const pgq::event::lease_lost&) { all.push_back("lease lost"); }
};

struct fake_runner {
    using observer_type = events;
    struct conclusion {
        std::uint32_t position = 0;
        pgq::outcome what{};
        bool settled_by_handler = false;
    };

    events seen{};
    pgq::resources resources{};
    std::vector<conclusion> concluded{};
    std::vector<std::uint32_t> taken_back{};
    pgq::detail::job_reviser* reviser = nullptr;
    std::stop_source return_unstarted{};

    events& observer() noexcept { return seen; }
    const pgq::resources& shared() const noexcept { return resources; }
    void exceeded_timeout(const pgq::event::handler_exceeded_timeout&) noexcept {}
    void handler_ended() noexcept {}
    static pgq::detail::running_handlers::registration handler_begins() noexcept { return {}; }
    static bool try_begin(fake_runner& self, pgq::detail::held_lease&, std::uint32_t position) noexcept {
        for (const auto p : self.taken_back)
            if (p == position) return false;
        return true;
    }
    template <class Ended>
    void conclude(pgq::detail::held_lease&, std::uint32_t position, std::string_view, pgq::steady_time, pgq::outcome o,
                  const Ended& ended, bool settled_by_handler = false) noexcept {
        ended(o);
        concluded.push_back({position, std::move(o), settled_by_handler});
    }
};

/// What the database answers.
struct fake_sessions {
    pgq::result<pgq::detail::lease_end> acknowledged = pgq::detail::lease_end::ended;
    pgq::result<void> begun{};
    pgq::result<pgq::detail::lease_end> committed = pgq::detail::lease_end::ended;
    std::vector<std::string> calls{};

    static pgq::detail::transaction_count& transactions() noexcept {
        static pgq::detail::transaction_count open{0};
        return open;
    }
    pgq::result<pgq::detail::lease_end> acknowledge(pgq::worker_id, const pgq::lease_ref&,
                                                    const std::array<std::stop_token, 2>&) {
        calls.push_back("acknowledge");
        return acknowledged;
    }
};

template <class Composition>
class fake_transaction {
public:
    pgq::result<void> begin(fake_sessions& sessions) {
        sessions_ = &sessions;
        if (!sessions.begun) return sessions.begun;
        sessions.calls.push_back("begin");
        open_.emplace(core_, session_, std::span<const pgq::lane_id>{}, limit_);
        return {};
    }
    bool is_open() const noexcept { return open_.has_value(); }
    pgq::basic_transaction<Composition>& operator*() noexcept { return *open_; }
    void roll_back() noexcept {
        if (!open_) return;
        sessions_->calls.push_back("roll back");
        open_.reset();
    }
    pgq::result<pgq::detail::lease_end> commit(pgq::worker_id, const pgq::lease_ref&, const std::optional<std::string>&,
                                               const std::array<std::stop_token, 2>&) {
        sessions_->calls.push_back("commit");
        open_.reset();
        return sessions_->committed;
    }

private:
    pgq::detail::queue_core<Composition> core_{
        {}, "q", std::chrono::hours{1}, typename Composition::executor{}, typename Composition::observer{}};
    fakes::session session_{};
    pgq::call_limit limit_{};
    fake_sessions* sessions_ = nullptr;
    std::optional<pgq::basic_transaction<Composition>> open_{};
};

struct without_transaction {};

/// One lease with jobs of these payloads, and what runs them.
template <class Composition, class Handler>
struct fake_run {
    explicit fake_run(Handler h, const std::vector<std::string>& payloads = {"ada"}, std::int16_t attempt = 1)
        : handler{std::move(h)}, bodies{payloads} {
        pgq::claimed_lease lease{.ref = {.id = 7}};
        for (std::uint32_t i = 0; i < bodies.size(); ++i)
            lease.jobs.push_back({.id = pgq::job_id{i + 1}, .attempt = attempt, .index = i, .body = bodies[i]});
        slot.open(std::move(lease), 0, 0, {});
    }

    Handler handler;
    std::vector<std::string> bodies;
    pgq::detail::held_lease slot{};
    fake_runner runner{};
    fake_sessions sessions{};
    pgq::steady_time now{std::chrono::hours{1}};
    typename pgq::detail::execution_plan<Composition, fakes::mail>::own_executor own{};
    typename Composition::executor queue_wide{};
    pgq::detail::lazy_watchdog time_limits{};
};

template <class Composition, class Handler, bool InTransaction = false, bool AtMostOnce = false>
struct fake_access {
    using runner = fake_runner;
    using composition = Composition;
    using transaction = std::conditional_t<InTransaction, fake_transaction<Composition>, without_transaction>;
    static constexpr bool in_transaction = InTransaction;
    static constexpr bool at_most_once = AtMostOnce;

    fake_run<Composition, Handler>* run;

    auto decorators() const {
        return pgq::detail::execution_plan<Composition, fakes::mail>::decorators(run->own, run->queue_wide);
    }
    pgq::detail::watchdog& time_limits() const { return run->time_limits.get(); }
    pgq::steady_time now() const noexcept { return run->now; }
    fake_sessions& sessions() const noexcept { return run->sessions; }
    Handler& handler() const noexcept { return run->handler; }
    int* line_of(pgq::detail::held_lease&, std::uint32_t) const noexcept { return nullptr; }
    void start_next(int*) const noexcept {}
};

}  // namespace unit_handler
