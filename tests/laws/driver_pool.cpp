#include <pgq/driver/libpq.hpp>
#include <pgq/driver/memory.hpp>
#include <pgq/driver/pool.hpp>
#include <pgq/testing/laws/driver.hpp>

#include <support/catch.hpp>
#include <support/either_session.hpp>
#include <support/reusable_schema.hpp>

#include <utility>

namespace laws_driver_pool {

namespace {

/// A pool as a queue uses it: it lends client sessions. Worker sessions come from the inner driver.
template <class Pool>
class by_loans {
public:
    using policy_category = pgq::driver_tag;
    using session = test::either_session<typename Pool::loan, typename Pool::session>;

    explicit by_loans(Pool pool) : pool_{std::move(pool)} {}

    pgq::result<session> connect(pgq::session_role role) const {
        return role == pgq::session_role::client ? as_session(pool_.borrow()) : as_session(pool_.connect(role));
    }
    pgq::result<void> install() const { return pool_.install(); }

private:
    template <class T>
    static pgq::result<session> as_session(pgq::result<T> had) {
        if (!had) return std::move(had.error());
        return session{std::move(*had)};
    }

    Pool pool_;
};

}  // namespace

TEST_CASE("driver::pool over memory keeps the driver laws with lent sessions", "[driver][pool][laws]") {
    using pool = pgq::driver::pool<pgq::driver::memory>;
    pgq::laws::check_driver<by_loans<pool>>([] { return by_loans{pool{}}; });
}

TEST_CASE("driver::pool over libpq keeps the driver laws with lent sessions", "[driver][pool][laws]") {
    using pool = pgq::driver::pool<pgq::driver::libpq>;
    pgq::laws::check_driver<by_loans<pool>>(
        [] { return by_loans{pool{pgq::driver::libpq{test::reusable_schema::next()}}}; });
}

}  // namespace laws_driver_pool
