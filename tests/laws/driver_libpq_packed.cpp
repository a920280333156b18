#include <pgq/driver/libpq.hpp>
#include <pgq/testing/laws/driver.hpp>

#include <support/catch.hpp>
#include <support/reusable_schema.hpp>

#include <atomic>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace laws_driver_libpq_packed {

namespace {

/// driver::libpq, but every enqueued job that may be in a pack is put into one.
class packing_session : public pgq::driver::pq::session {
public:
    using base = pgq::driver::pq::session;
    static inline std::atomic<bool> in_transactions = false;

    packing_session(base s, std::string_view schema) : base{std::move(s)}, schema_{schema} {}

    pgq::result<void> enqueue(const pgq::enqueue_request& r, std::vector<pgq::job_id>& ids) {
        if (r.has_request_id()) return base::enqueue(r, ids);  // it is refused in a transaction
        return packed([&] { return base::enqueue(r, ids); });
    }
    pgq::result<void> enqueue_tracked(const pgq::tracked_request& r, std::vector<pgq::enqueued_job>& jobs) {
        const auto request = pgq::detail::request_id_of(r.options);
        if (!request || request->is_set()) return base::enqueue_tracked(r, jobs);
        return packed([&] { return base::enqueue_tracked(r, jobs); });
    }
    /// A transaction that takes a job of a pack locks the whole pack until it ends, see docs/design/packs.md. So while
    /// a transaction is open, no jobs are packed.
    pgq::result<void> begin() {
        if (open_) return base::begin();
        if (auto begun = base::begin(); !begun) return begun;
        if (auto apart = run("SELECT {s}.unpack(ARRAY(SELECT id FROM {s}.lane), NULL, false)"); !apart) return apart;
        if (auto done = base::commit(); !done) return done;
        open_ = in_transactions = true;
        return base::begin();
    }
    pgq::result<void> commit() { return open_ = in_transactions = false, base::commit(); }
    pgq::result<void> rollback() { return open_ = in_transactions = false, base::rollback(); }

private:
    template <class Enqueue>
    pgq::result<void> packed(Enqueue enqueue) {
        if (!open_)
            if (auto begun = base::begin(); !begun) return begun;
        auto put = enqueue();
        if (put && !in_transactions)
            put =
                run("WITH gone AS (DELETE FROM {s}.ready WHERE flags IS NULL AND headers IS NULL AND key IS NULL AND "
                    "attempts = 0 AND octet_length(body) <= 250"
                    "              RETURNING id, rank, lane, body, enqueued_at),"
                    " placed AS (SELECT *, (row_number() OVER (PARTITION BY lane, rank ORDER BY id) - 1) / 10 AS place "
                    "FROM gone)"
                    " INSERT INTO {s}.pack (id, rank, lane, n, ids, bodies, enqueued_at)"
                    " SELECT min(id), rank, lane, count(*), array_agg(id ORDER BY id), array_agg(body ORDER BY id),"
                    "       min(enqueued_at)"
                    "   FROM placed GROUP BY lane, rank, place");
        if (open_) return put;
        if (put) return base::commit();
        (void)base::rollback();
        return put;
    }
    pgq::result<void> run(std::string_view sql) {
        auto ran = base::exec(pgq::statement::render(sql, schema_), {});
        return ran ? pgq::result<void>{} : pgq::result<void>{std::move(ran.error())};
    }

    std::string schema_;
    bool open_ = false;
};

class packing_libpq {
public:
    using policy_category = pgq::driver_tag;
    using session = packing_session;

    packing_libpq(pgq::driver::connection_options options, bool expecting)
        : options_{std::move(options)}, expecting_{expecting} {}

    pgq::result<session> connect(pgq::session_role role) const {
        packing_session::in_transactions = false;
        auto s = pgq::driver::pq::session::open(options_, role);
        if (!s) return s.error();
        s->info().expects_packs = expecting_;
        return session{std::move(*s), options_.schema};
    }
    pgq::result<void> install() const { return pgq::driver::pq::installer{options_}.run(); }
    const pgq::driver::connection_options& options() const noexcept { return options_; }

private:
    pgq::driver::connection_options options_;
    bool expecting_;
};

void check(bool expecting) {
    pgq::laws::check_driver<packing_libpq>([expecting] {
        return packing_libpq{test::reusable_schema::next(), expecting};
    });
}

}  // namespace

TEST_CASE("packed jobs keep the driver laws in sessions that expect packs", "[driver][libpq][packs][laws]") {
    check(true);
}

TEST_CASE("packed jobs keep the driver laws in sessions that do not expect packs", "[driver][libpq][packs][laws]") {
    check(false);
}

}  // namespace laws_driver_libpq_packed
