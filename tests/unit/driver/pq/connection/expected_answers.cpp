#include <pgq/driver/pq/command/admin/cancel.hpp>
#include <pgq/driver/pq/command/enqueue.hpp>
#include <pgq/driver/pq/command/sync.hpp>
#include <pgq/driver/pq/connection/batch.hpp>
#include <pgq/driver/pq/connection/expected_answers.hpp>
#include <pgq/statement/enqueue.hpp>
#include <pgq/statement/wake.hpp>

#include <support/catch.hpp>
#include <support/composed.hpp>

#include <cstddef>
#include <initializer_list>
#include <string>
#include <vector>

namespace unit_driver_pq_connection_expected_answers {

using namespace pgq;
using driver::pq::expected_answers;
using part = expected_answers::part;
using kind = expected_answers::result_kind;
namespace command = driver::pq::command;

namespace {

constexpr expected_answers::sent_one insert{.query = &statement::enqueue_one, .ends_transaction = true};
constexpr expected_answers::sent_one wake{.query = &statement::wake, .ends_transaction = true, .awaited = false};

expected_answers sent(std::initializer_list<expected_answers::sent_one> all) {
    expected_answers e;
    e.begin_batch();
    for (const auto& s : all) e.sent(s);
    return e;
}
/// A statement that works, in a transaction of its own.
void answer(expected_answers& e) {
    CHECK(e.came(kind::value));
    CHECK(e.came(kind::null));
    CHECK(e.came(kind::pipeline_sync));
}

struct one_job {
    one_job() { written.bytes() += "b", written.close(); }
    enqueue_request request() const { return {.lane = {3}, .bodies = &written, .options = {&options, 1}}; }
    bodies written{};
    enqueue_options options{};
    std::vector<job_id> ids{};
};
template <class Command>
std::size_t awaited(Command c, const driver::pq::session_info& info = test::own_session()) {
    driver::pq::batch steps;
    c.compose(steps, info);
    return steps.awaited();
}

}  // namespace

TEST_CASE("a batch is answered when its own statements are, and the wake behind them is still owed",
          "[driver][pq][connection]") {
    auto e = sent({insert, wake});
    CHECK_FALSE(e.is_answered());
    CHECK(e.came(kind::value));
    CHECK(e.came(kind::null));
    CHECK_FALSE(e.is_answered());  // its commit is not
    CHECK(e.next() == part::pipeline_sync);
    CHECK(e.came(kind::pipeline_sync));
    CHECK(e.is_answered());
    CHECK_FALSE(e.is_idle());
    CHECK(e.current().query == &statement::wake);
    answer(e);
    CHECK(e.is_idle());
    CHECK(e.waited_for() == nullptr);
}

TEST_CASE("the answer to a wake comes before the answers to the next batch", "[driver][pq][connection]") {
    auto e = sent({insert, wake});
    answer(e);
    for (std::size_t i = 0; i < 3; ++i) {
        e.begin_batch();
        e.sent(insert);
        e.sent(wake);
        CHECK_FALSE(e.is_answered());
        CHECK_FALSE(e.current().awaited);
        CHECK(e.waited_for() == &statement::enqueue_one);
        answer(e);
        CHECK_FALSE(e.is_answered());
        CHECK(e.current().awaited);
        answer(e);
        CHECK(e.is_answered());
    }
    CHECK_FALSE(e.is_idle());
}

TEST_CASE("a batch of which nobody reads an answer is answered as soon as it is sent", "[driver][pq][connection]") {
    auto e = sent({wake});
    CHECK(e.is_answered());
    CHECK_FALSE(e.is_idle());
    auto nothing = sent({});
    CHECK(nothing.is_answered());
    CHECK(nothing.is_idle());
}

TEST_CASE("a statement that a wake prepares is not prepared again before the answer", "[driver][pq][connection]") {
    auto preparing = wake;
    preparing.prepares = true;
    auto e = sent({insert, preparing});
    answer(e);
    CHECK(e.prepares(statement::wake));
    CHECK_FALSE(e.prepares(statement::enqueue_one));
    e.begin_batch();
    CHECK(e.prepares(statement::wake));
    CHECK(e.next() == part::prepare);
    CHECK(e.came(kind::value));
    CHECK(e.came(kind::null));
    answer(e);
    CHECK_FALSE(e.prepares(statement::wake));
}

TEST_CASE("the error of a commit comes with a null behind it, and a null alone is no answer",
          "[driver][pq][connection]") {
    auto e = sent({insert, wake});
    CHECK(e.came(kind::value));
    CHECK(e.came(kind::null));
    CHECK(e.came(kind::value));  // the commit failed
    CHECK(e.came(kind::null));
    CHECK_FALSE(e.is_answered());
    CHECK(e.came(kind::pipeline_sync));
    CHECK(e.is_answered());
    CHECK_FALSE(e.came(kind::null));
    CHECK(e.came(kind::value));
    CHECK(e.came(kind::null));
    CHECK_FALSE(e.came(kind::null));
}

TEST_CASE("nobody waits for a wake behind a commit", "[driver][pq][connection]") {
    one_job one;
    CHECK(awaited(command::enqueue{one.request(), one.ids}) == 1);
    CHECK(awaited(command::wake{{.lanes = {{3}}}}) == 0);
    CHECK(awaited(command::wake{{.noted = true}}) == 0);
    sync_reply reply;
    CHECK(awaited(command::sync{{.worker = {1}, .promote = true}, reply}) == 1);
}

TEST_CASE("a wake that commits with the caller's transaction is waited for", "[driver][pq][connection]") {
    one_job one;
    CHECK(awaited(command::enqueue{one.request(), one.ids}, test::callers_transaction()) == 2);
    CHECK(awaited(command::wake{{.noted = true}}, test::callers_transaction()) == 1);
}

}  // namespace unit_driver_pq_connection_expected_answers
