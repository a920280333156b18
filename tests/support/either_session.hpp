#pragma once

#include <pgq/concept/driver.hpp>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace test {

/// A session of one of two types; either may come from a pool. With it, the driver laws can check a driver that has one
/// session type for clients and another for workers.
template <class A, class B>
class either_session {
public:
    explicit either_session(A a) : held_{std::in_place_index<0>, std::move(a)} {}
    explicit either_session(B b) : held_{std::in_place_index<1>, std::move(b)} {}

    pgq::result<std::vector<pgq::lane_id>> lanes(std::string_view queue, std::span<const pgq::lane_name> names) {
        return on([&](auto& s) { return s.lanes(queue, names); });
    }
    pgq::result<std::vector<pgq::lane_limit>> limits(std::string_view queue,
                                                     std::span<const pgq::lane_limit> declared) {
        return on([&](auto& s) { return s.limits(queue, declared); });
    }
    pgq::result<bool> change_limit(std::string_view queue, const pgq::lane_limit& limit) {
        return on([&](auto& s) { return s.change_limit(queue, limit); });
    }
    pgq::result<void> enqueue(const pgq::enqueue_request& r, std::vector<pgq::job_id>& ids) {
        return on([&](auto& s) { return s.enqueue(r, ids); });
    }
    pgq::result<void> take(const pgq::take_request& r, pgq::take_reply& reply) {
        return on([&](auto& s) { return s.take(r, reply); });
    }
    pgq::result<void> keep(const pgq::taken_record& job, std::string_view reason) {
        return on([&](auto& s) { return s.keep(job, reason); });
    }
    pgq::result<void> exchange(const pgq::exchange_request& r, pgq::exchange_reply& reply) {
        return on([&](auto& s) { return s.exchange(r, reply); });
    }
    pgq::result<pgq::wake_reason> wait(pgq::duration timeout) {
        return on([&](auto& s) { return s.wait(timeout); });
    }
    void interrupt() noexcept {
        on([](auto& s) { s.interrupt(); });
    }
    pgq::result<pgq::worker_id> register_worker(const pgq::worker_info& info) {
        return on([&](auto& s) { return s.register_worker(info); });
    }
    pgq::result<pgq::beat_reply> beat(pgq::worker_id id) {
        return on([&](auto& s) { return s.beat(id); });
    }
    pgq::result<pgq::rescue_reply> rescue() {
        return on([](auto& s) { return s.rescue(); });
    }
    pgq::result<void> retire(pgq::worker_id id) {
        return on([&](auto& s) { return s.retire(id); });
    }
    pgq::result<std::vector<pgq::lease_ref>> leases_of(pgq::worker_id id) {
        return on([&](auto& s) { return s.leases_of(id); });
    }
    pgq::result<void> give_back(std::span<const pgq::lease_ref> leases) {
        return on([&](auto& s) { return s.give_back(leases); });
    }
    pgq::result<void> enqueue_tracked(const pgq::tracked_request& r, std::vector<pgq::enqueued_job>& jobs) {
        return on([&](auto& s) { return s.enqueue_tracked(r, jobs); });
    }
    pgq::result<void> watch(std::span<const pgq::job_id> ids, pgq::duration keep, std::vector<pgq::ended_job>& ended) {
        return on([&](auto& s) { return s.watch(ids, keep, ended); });
    }
    pgq::result<std::vector<pgq::lease_news>> leases_now(pgq::worker_id id) {
        return on([&](auto& s) { return s.leases_now(id); });
    }
    bool stop_asked() noexcept {
        return on([](auto& s) { return s.stop_asked(); });
    }
    pgq::result<pgq::sweep_reply> sweep() {
        return on([](auto& s) { return s.sweep(); });
    }
    pgq::result<void> revise(const pgq::revision& r) {
        return on([&](auto& s) { return s.revise(r); });
    }
    pgq::result<std::optional<std::string>> progress_of(pgq::job_id id) {
        return on([&](auto& s) { return s.progress_of(id); });
    }
    pgq::result<pgq::cancel_reply> cancel(std::span<const pgq::job_id> ids) {
        return on([&](auto& s) { return s.cancel(ids); });
    }
    pgq::result<std::int64_t> requeue(std::span<const pgq::job_id> ids) {
        return on([&](auto& s) { return s.requeue(ids); });
    }
    pgq::result<std::vector<pgq::held_job>> held(pgq::lane_id lane, std::size_t limit) {
        return on([&](auto& s) { return s.held(lane, limit); });
    }
    pgq::result<pgq::lane_counts> counts(pgq::lane_id lane) {
        return on([&](auto& s) { return s.counts(lane); });
    }

private:
    template <class Call>
    auto on(Call call) {
        return std::visit(
            [&](auto& s) {
                if constexpr (requires { s.discard(); }) return call(s.get());
                else return call(s);
            },
            held_);
    }

    std::variant<A, B> held_;
};

}  // namespace test
