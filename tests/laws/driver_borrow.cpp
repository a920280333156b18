#include <pgq/driver/borrow.hpp>
#include <pgq/driver/libpq.hpp>
#include <pgq/testing/laws/driver.hpp>

#include <support/catch.hpp>
#include <support/database.hpp>
#include <support/reusable_schema.hpp>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace laws_driver_borrow {

namespace {

using lent = pgq::driver::borrow::session;

/// driver::libpq, but all client verbs run on one borrowed connection.
class half_borrowed {
public:
    using policy_category = pgq::driver_tag;

    class session : public pgq::driver::libpq::session {
    public:
        session(pgq::driver::libpq::session own, lent borrowed)
            : pgq::driver::libpq::session{std::move(own)}, lent_{std::move(borrowed)} {}

        pgq::result<std::vector<pgq::lane_id>> lanes(std::string_view queue, std::span<const pgq::lane_name> names) {
            return lent_.lanes(queue, names);
        }
        pgq::result<std::vector<pgq::lane_limit>> limits(std::string_view queue,
                                                         std::span<const pgq::lane_limit> declared) {
            return lent_.limits(queue, declared);
        }
        pgq::result<bool> change_limit(std::string_view queue, const pgq::lane_limit& limit) {
            return lent_.change_limit(queue, limit);
        }
        pgq::result<bool> pause(const pgq::pause_request& what) { return lent_.pause(what); }
        pgq::result<bool> resume(std::string_view queue, std::string_view entrypoint) {
            return lent_.resume(queue, entrypoint);
        }
        pgq::result<std::vector<pgq::paused_scope>> paused(std::string_view queue) { return lent_.paused(queue); }
        pgq::result<void> enqueue(const pgq::enqueue_request& r, std::vector<pgq::job_id>& ids) {
            return lent_.enqueue(r, ids);
        }
        pgq::result<void> take(const pgq::take_request& r, pgq::take_reply& reply) { return lent_.take(r, reply); }
        pgq::result<void> hold_taken(const pgq::taken_record& job, std::string_view reason) {
            return lent_.hold_taken(job, reason);
        }
        pgq::result<void> enqueue_tracked(const pgq::tracked_request& r, std::vector<pgq::enqueued_job>& jobs) {
            return lent_.enqueue_tracked(r, jobs);
        }
        pgq::result<pgq::cancel_reply> cancel(std::span<const pgq::job_id> ids) { return lent_.cancel(ids); }
        pgq::result<std::int64_t> requeue(std::span<const pgq::job_id> ids) { return lent_.requeue(ids); }
        pgq::result<std::vector<pgq::held_job>> held(pgq::lane_id lane, std::size_t limit) {
            return lent_.held(lane, limit);
        }
        pgq::result<pgq::lane_counts> counts(pgq::lane_id lane) { return lent_.counts(lane); }
        pgq::result<void> find(const pgq::find_request& r, std::vector<pgq::job_id>& found) {
            return lent_.find(r, found);
        }
        pgq::result<std::optional<pgq::found_job>> find_one(pgq::job_id id) { return lent_.find_one(id); }
        pgq::result<std::vector<pgq::failed_attempt>> failures(pgq::job_id id) { return lent_.failures(id); }
        pgq::result<std::int64_t> open_jobs(pgq::lane_id lane, std::int64_t most) {
            return lent_.open_jobs(lane, most);
        }
        pgq::result<void> set_dead_letter_routes(std::span<const pgq::lane_id> lanes,
                                                 std::span<const pgq::lane_id> to) {
            return lent_.set_dead_letter_routes(lanes, to);
        }
        pgq::result<std::optional<std::string>> progress_of(pgq::job_id id) { return lent_.progress_of(id); }
        pgq::result<std::vector<pgq::listed_lane>> list_lanes(const pgq::lane_query& q) { return lent_.list_lanes(q); }
        pgq::result<pgq::job_page> list_jobs(const pgq::job_search& r) { return lent_.list_jobs(r); }
        pgq::result<std::vector<pgq::listed_worker>> list_workers(pgq::worker_id after, std::int64_t most) {
            return lent_.list_workers(after, most);
        }
        pgq::result<std::vector<pgq::failed_group>> failed_groups(std::optional<std::span<const pgq::lane_id>> lanes,
                                                                  std::int64_t most) {
            return lent_.failed_groups(lanes, most);
        }
        pgq::result<pgq::action_reply> act(const pgq::action_request& r) { return lent_.act(r); }
        pgq::result<pgq::forget_reply> forget_worker(pgq::worker_id id, bool forced) {
            return lent_.forget_worker(id, forced);
        }

        pgq::result<std::vector<pgq::lane_statistics>> statistics(const pgq::statistics_request& r) {
            return lent_.statistics(r);
        }
        pgq::result<std::vector<pgq::capped_counts>> counts_up_to(std::span<const pgq::lane_id> lanes,
                                                                  std::int64_t most) {
            return lent_.counts_up_to(lanes, most);
        }
        pgq::result<std::vector<pgq::job_failure>> latest_failures(std::span<const pgq::lane_id> lanes,
                                                                   std::size_t limit) {
            return lent_.latest_failures(lanes, limit);
        }
        pgq::result<void> keep_failures(std::span<const pgq::lane_id> lanes, pgq::duration keep) {
            return lent_.keep_failures(lanes, keep);
        }

        pgq::result<bool> declare_schedule(std::string_view queue, const pgq::schedule_definition& d) {
            return lent_.declare_schedule(queue, d);
        }
        pgq::result<pgq::schedule_change_reply> change_schedule(std::string_view queue, std::string_view name,
                                                                pgq::schedule_change change, std::string_view reason) {
            return lent_.change_schedule(queue, name, change, reason);
        }
        pgq::result<std::int64_t> prune_schedules(std::string_view queue, pgq::duration unused_for) {
            return lent_.prune_schedules(queue, unused_for);
        }

        // All verbs share one connection and so one transaction. The law needs a second session that sees only what is
        // committed.
        void begin() = delete;

    private:
        lent lent_;
    };

    explicit half_borrowed(const pgq::driver::connection_options& where)
        : connection_{std::make_shared<test::sql_connection>(
              test::database::settings_of(where.conninfo, "client_encoding", "UTF8"), where.schema)},
          borrowed_{connection_->get(), {.schema = where.schema}},
          own_{where} {}

    pgq::result<session> connect(pgq::session_role role) const {
        auto own = own_.connect(role);
        if (!own) return std::move(own.error());
        auto borrowed = borrowed_.connect(pgq::session_role::client);
        if (!borrowed) return std::move(borrowed.error());
        return session{std::move(*own), std::move(*borrowed)};
    }
    pgq::result<void> install() const { return own_.install(); }

private:
    std::shared_ptr<test::sql_connection> connection_;
    pgq::driver::borrow borrowed_;
    pgq::driver::libpq own_;
};

}  // namespace

TEST_CASE("driver::borrow keeps the driver laws for clients", "[driver][borrow][laws]") {
    pgq::laws::check_driver<half_borrowed>([] { return half_borrowed{test::reusable_schema::next()}; });
}

}  // namespace laws_driver_borrow
