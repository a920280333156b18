#include <pgq/driver/asio_libpq.hpp>
#include <pgq/testing/laws/driver.hpp>

#include <support/asio_context.hpp>
#include <support/catch.hpp>
#include <support/reusable_schema.hpp>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

namespace laws_driver_asio_libpq {

namespace {

using pgq::driver::asio_libpq;

asio_libpq installed(test::running_context& context) {
    return asio_libpq{context.executor(), test::reusable_schema::next()};
}

/// The driver with its asynchronous verbs wherever there are two kinds of a verb.
class by_handlers {
public:
    using policy_category = pgq::driver_tag;

    class session : public pgq::driver::pq::async_session {
    public:
        explicit session(async_session s) : async_session{std::move(s)} {}

        // Only blocking verbs begin transactions, and the asynchronous verbs do not see them.
        void begin() = delete;
        void begin_sync() = delete;

        pgq::result<std::vector<pgq::lane_id>> lanes(std::string_view queue, std::span<const pgq::lane_name> names) {
            test::outcome<std::vector<pgq::lane_id>> end;
            async_lanes(queue, names, end.handler());
            return ended(end);
        }
        pgq::result<std::vector<pgq::lane_limit>> limits(std::string_view queue, std::span<const pgq::lane_limit> all) {
            test::outcome<std::vector<pgq::lane_limit>> end;
            async_limits(queue, all, end.handler());
            return ended(end);
        }
        pgq::result<bool> change_limit(std::string_view queue, const pgq::lane_limit& limit) {
            test::outcome<bool> end;
            async_change_limit(queue, limit, end.handler());
            return ended(end);
        }
        pgq::result<bool> pause(const pgq::pause_request& what) {
            test::outcome<bool> end;
            async_pause(what, end.handler());
            return ended(end);
        }
        pgq::result<bool> resume(std::string_view queue, std::string_view entrypoint) {
            test::outcome<bool> end;
            async_resume(queue, entrypoint, end.handler());
            return ended(end);
        }
        pgq::result<std::vector<pgq::paused_scope>> paused(std::string_view queue) {
            test::outcome<std::vector<pgq::paused_scope>> end;
            async_paused(queue, end.handler());
            return ended(end);
        }
        pgq::result<void> enqueue(const pgq::enqueue_request& r, std::vector<pgq::job_id>& ids) {
            test::outcome<> end;
            async_enqueue(r, ids, end.handler());
            return ended(end);
        }
        pgq::result<void> enqueue_tracked(const pgq::tracked_request& r, std::vector<pgq::enqueued_job>& jobs) {
            test::outcome<> end;
            async_enqueue_tracked(r, jobs, end.handler());
            return ended(end);
        }
        pgq::result<void> sync(const pgq::sync_request& r, pgq::sync_reply& reply) {
            test::outcome<> end;
            async_sync(r, reply, end.handler());
            return ended(end);
        }
        pgq::result<pgq::wake_reason> wait(pgq::duration timeout) {
            test::outcome<pgq::wake_reason> end;
            async_wait(timeout, end.handler());
            return ended(end);
        }
        pgq::result<pgq::worker_id> register_worker(const pgq::worker_info& info) {
            test::outcome<pgq::worker_id> end;
            async_register_worker(info, end.handler());
            return ended(end);
        }
        pgq::result<pgq::beat_reply> beat(pgq::worker_id id) {
            test::outcome<pgq::beat_reply> end;
            async_beat(id, end.handler());
            return ended(end);
        }
        pgq::result<pgq::beat_reply> beat(pgq::worker_id id, const pgq::minute_report& report) {
            test::outcome<pgq::beat_reply> end;
            async_beat(id, report, end.handler());
            return ended(end);
        }
        pgq::result<pgq::rescue_reply> rescue() {
            test::outcome<pgq::rescue_reply> end;
            async_rescue(end.handler());
            return ended(end);
        }
        pgq::result<std::vector<pgq::held_by_rescue>> retire(pgq::worker_id id) {
            test::outcome<std::vector<pgq::held_by_rescue>> end;
            async_retire(id, end.handler());
            return ended(end);
        }
        pgq::result<std::vector<pgq::held_by_rescue>> retire(pgq::worker_id id, const pgq::minute_report& report) {
            test::outcome<std::vector<pgq::held_by_rescue>> end;
            async_retire(id, report, end.handler());
            return ended(end);
        }
        pgq::result<std::vector<pgq::lane_statistics>> statistics(const pgq::statistics_request& r) {
            test::outcome<std::vector<pgq::lane_statistics>> end;
            async_run(pgq::driver::pq::command::admin::statistics{r}, end.handler());
            return ended(end);
        }
        pgq::result<std::vector<pgq::capped_counts>> counts_up_to(std::span<const pgq::lane_id> lanes,
                                                                  std::int64_t most) {
            test::outcome<std::vector<pgq::capped_counts>> end;
            async_run(pgq::driver::pq::command::admin::counts_up_to{lanes, most}, end.handler());
            return ended(end);
        }
        pgq::result<std::vector<pgq::job_failure>> latest_failures(std::span<const pgq::lane_id> lanes,
                                                                   std::size_t limit) {
            test::outcome<std::vector<pgq::job_failure>> end;
            async_run(pgq::driver::pq::command::admin::latest_failures{lanes, limit}, end.handler());
            return ended(end);
        }
        pgq::result<void> keep_failures(std::span<const pgq::lane_id> lanes, pgq::duration keep) {
            test::outcome<> end;
            async_run(pgq::driver::pq::command::admin::keep_failures{lanes, keep}, end.handler());
            return ended(end);
        }
        pgq::result<std::vector<pgq::lease_update>> leases_of(pgq::worker_id id) {
            test::outcome<std::vector<pgq::lease_update>> end;
            async_leases_of(id, end.handler());
            return ended(end);
        }
        pgq::result<std::vector<pgq::lease_update>> lease_updates(pgq::worker_id id) {
            test::outcome<std::vector<pgq::lease_update>> end;
            async_lease_updates(id, end.handler());
            return ended(end);
        }
        pgq::result<std::vector<pgq::held_by_rescue>> give_back(std::span<const pgq::lease_ref> leases) {
            test::outcome<std::vector<pgq::held_by_rescue>> end;
            async_give_back(leases, end.handler());
            return ended(end);
        }
        pgq::result<std::vector<pgq::database_problem>> problems() {
            test::outcome<std::vector<pgq::database_problem>> end;
            async_problems(end.handler());
            return ended(end);
        }
        pgq::result<pgq::purge_reply> expire_and_purge() {
            test::outcome<pgq::purge_reply> end;
            async_expire_and_purge(end.handler());
            return ended(end);
        }
        pgq::result<void> revise(const pgq::revision& r) {
            test::outcome<> end;
            async_revise(r, end.handler());
            return ended(end);
        }
        pgq::result<std::optional<std::string>> progress_of(pgq::job_id id) {
            test::outcome<std::optional<std::string>> end;
            async_progress_of(id, end.handler());
            return ended(end);
        }
        pgq::result<void> watch(std::span<const pgq::job_id> ids, pgq::duration keep_for,
                                std::vector<pgq::ended_job>& ended_jobs) {
            test::outcome<> end;
            async_watch(ids, keep_for, ended_jobs, end.handler());
            return ended(end);
        }
        pgq::result<pgq::cancel_reply> cancel(std::span<const pgq::job_id> ids) {
            test::outcome<pgq::cancel_reply> end;
            async_cancel(ids, end.handler());
            return ended(end);
        }
        pgq::result<std::int64_t> requeue(std::span<const pgq::job_id> ids) {
            test::outcome<std::int64_t> end;
            async_requeue(ids, end.handler());
            return ended(end);
        }
        pgq::result<std::vector<pgq::held_job>> held(pgq::lane_id lane, std::size_t limit) {
            test::outcome<std::vector<pgq::held_job>> end;
            async_held(lane, limit, end.handler());
            return ended(end);
        }
        pgq::result<pgq::lane_counts> counts(pgq::lane_id lane) {
            test::outcome<pgq::lane_counts> end;
            async_counts(lane, end.handler());
            return ended(end);
        }
        pgq::result<void> find(const pgq::find_request& r, std::vector<pgq::job_id>& found) {
            test::outcome<> end;
            async_find(r, found, end.handler());
            return ended(end);
        }
        pgq::result<std::optional<pgq::found_job>> find_one(pgq::job_id id) {
            test::outcome<std::optional<pgq::found_job>> end;
            async_run(pgq::driver::pq::command::admin::find_one{id}, end.handler());
            return ended(end);
        }
        pgq::result<std::vector<pgq::failed_attempt>> failures(pgq::job_id id) {
            test::outcome<std::vector<pgq::failed_attempt>> end;
            async_failures(id, end.handler());
            return ended(end);
        }
        pgq::result<std::int64_t> open_jobs(pgq::lane_id lane, std::int64_t most) {
            test::outcome<std::int64_t> end;
            async_open_jobs(lane, most, end.handler());
            return ended(end);
        }
        pgq::result<void> set_dead_letter_routes(std::span<const pgq::lane_id> from, std::span<const pgq::lane_id> to) {
            test::outcome<> end;
            async_set_dead_letter_routes(from, to, end.handler());
            return ended(end);
        }

    private:
        template <class T>
        pgq::result<T> ended(test::outcome<T>& end) {
            auto [failed, value] = end.get();
            if (failed) return why(failed);
            return value;
        }
        pgq::result<void> ended(test::outcome<>& end) {
            if (const auto failed = end.error()) return why(failed);
            return {};
        }
        pgq::error_info why(std::error_code failed) {
            CHECK(last_error().code == failed);
            return last_error();
        }
    };

    explicit by_handlers(asio_libpq driver) : driver_{std::move(driver)} {}

    pgq::result<session> connect(pgq::session_role role) const {
        test::outcome<asio_libpq::session> end;
        driver_.async_connect(role, end.handler());
        auto [failed, opened] = end.get();
        if (failed) return opened.last_error();
        return session{std::move(opened)};
    }
    pgq::result<void> install() const { return driver_.install(); }

private:
    asio_libpq driver_;
};

static_assert(pgq::worker_driver<by_handlers>);

}  // namespace

TEST_CASE("driver::asio_libpq keeps the driver laws with its blocking verbs", "[driver][asio_libpq][laws]") {
    test::running_context context;
    pgq::laws::check_driver<asio_libpq>([&] { return installed(context); });
}

TEST_CASE("driver::asio_libpq keeps the driver laws with its asynchronous verbs", "[driver][asio_libpq][laws]") {
    test::running_context context;
    pgq::laws::check_driver<by_handlers>([&] { return by_handlers{installed(context)}; });
}

}  // namespace laws_driver_asio_libpq
