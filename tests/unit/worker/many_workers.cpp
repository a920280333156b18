#include <pgq/driver/memory.hpp>
#include <pgq/executor/in_place.hpp>
#include <pgq/queue.hpp>
#include <pgq/serializer/json.hpp>
#include <pgq/worker.hpp>

#include <support/catch.hpp>
#include <support/jobs.hpp>
#include <unit/worker/faulty.hpp>

#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

namespace unit_worker_many_workers {

namespace {

using inner_session = test::faulty_session<pgq::driver::memory::session>;

// Reports a given number of workers, and records for each claim whether it should wait for a turn.
class many_workers_session : public inner_session {
public:
    many_workers_session(inner_session inner, std::int64_t workers, std::shared_ptr<std::vector<bool>> claims)
        : inner_session{std::move(inner)}, workers_{workers}, claims_{std::move(claims)} {}

    pgq::result<void> sync(const pgq::sync_request& r, pgq::sync_reply& reply) {
        if (r.limit > 0) claims_->push_back(r.contended);
        auto went = inner_session::sync(r, reply);
        if (r.peek_next_due) reply.workers = workers_;
        return went;
    }

private:
    std::int64_t workers_;
    std::shared_ptr<std::vector<bool>> claims_;
};

class many_workers {
public:
    using policy_category = pgq::driver_tag;
    using session = many_workers_session;

    explicit many_workers(std::int64_t workers = 1) : workers_{workers} {}

    pgq::result<session> connect(pgq::session_role role) const {
        auto opened = memory_.connect(role);
        if (!opened) return opened.error();
        return session{{std::move(*opened), role, std::make_shared<test::fault_plan>()}, workers_, claims};
    }
    pgq::result<void> install() const { return {}; }

    std::shared_ptr<std::vector<bool>> claims = std::make_shared<std::vector<bool>>();

private:
    pgq::driver::memory memory_;
    std::int64_t workers_;
};

std::vector<bool> claims_among(std::int64_t workers) {
    using queue = pgq::queue<test::note, many_workers, pgq::serializer::json, pgq::executor::in_place>;
    many_workers driver{workers};
    queue jobs{driver};
    (void)jobs.enqueue(std::vector<test::note>(10)).value();
    int ran = 0;
    pgq::worker w{jobs, pgq::worker_options{.until = pgq::run_until::empty}, [&](const test::note&) { ++ran; }};
    w.run().value();
    REQUIRE(ran == 10);
    REQUIRE(driver.claims->size() > 2);
    return *driver.claims;
}

}  // namespace

TEST_CASE("a worker takes turns after it has learned that there are more workers than turns", "[worker][turns]") {
    const auto claims = claims_among(5);
    CHECK_FALSE(claims.front());  // not known yet
    CHECK(claims.back());
}

TEST_CASE("few workers do not wait for each other", "[worker][turns]") {
    for (const bool contended : claims_among(4)) CHECK_FALSE(contended);
}

}  // namespace unit_worker_many_workers
