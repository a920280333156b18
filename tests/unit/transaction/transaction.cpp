#include <pgq/compose/composition.hpp>
#include <pgq/serializer/json.hpp>
#include <pgq/transaction/transaction.hpp>

#include <support/catch.hpp>
#include <support/jobs.hpp>

#include <boost/hana/adapt_struct.hpp>

#include <array>
#include <chrono>
#include <cstdint>
#include <optional>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace unit_transaction_transaction {

struct sum {
    static constexpr std::string_view entrypoint = "sum";
    using result = std::int64_t;
    std::int64_t n = 0;
};

}  // namespace unit_transaction_transaction

BOOST_HANA_ADAPT_STRUCT(unit_transaction_transaction::sum, n);

namespace unit_transaction_transaction {

namespace {

using namespace std::chrono_literals;

// What a transaction asks of its session, in one line.
struct driver {
    using policy_category = pgq::driver_tag;
    struct session {
        std::vector<std::string> log{};
        std::string failing{};  // the call that fails

        pgq::result<void> note(std::string what) {
            log.push_back(std::move(what));
            if (log.back() == failing) return pgq::error_info{pgq::errc::timeout, failing + " failed"};
            return {};
        }
        pgq::result<void> savepoint() { return note("savepoint"); }
        pgq::result<void> release_savepoint() { return note("release"); }
        pgq::result<void> rollback_to_savepoint() { return note("undo"); }
        pgq::result<void> enqueue(const pgq::enqueue_request& r, std::vector<pgq::job_id>& ids) {
            for (std::size_t i = 0; i < r.bodies->size(); ++i) ids.push_back({static_cast<std::int64_t>(i) + 1});
            return note(
                "enqueue " + std::to_string(r.bodies->size()) + " in lane " + std::to_string(r.lane.value) +
                ", kept for " +
                std::to_string(std::chrono::duration_cast<std::chrono::minutes>(r.options[0].keep_outcome).count()) +
                " min");
        }
        pgq::result<pgq::sql_rows> exec(const std::string& sql,
                                        std::span<const std::optional<std::string>> parameters) {
            std::string line = sql;
            for (const auto& p : parameters) line += " " + p.value_or("NULL");
            if (auto done = note(line); !done) return done.error();
            return pgq::sql_rows{};
        }
    };
    pgq::result<session> connect(pgq::session_role) const { return session{}; }
};

using composed = pgq::composition<pgq::job<test::note>, pgq::job<sum>, driver, pgq::serializer::json>;
using transaction = pgq::basic_transaction<composed>;

struct fixture {
    pgq::detail::queue_core<composed> core{driver{}, "q", 7min, composed::executor{}, composed::observer{}};
    driver::session session{};
    std::array<pgq::lane_id, 2> lanes{pgq::lane_id{10}, pgq::lane_id{11}};
    pgq::call_limit limit{};
    transaction tx{core, session, lanes, limit};
};

}  // namespace

TEST_CASE("arguments of exec are texts as the server reads them", "[transaction]") {
    fixture f;
    const std::optional<int> none;
    CHECK(f.tx.exec("x", "a", std::string{"b"}, std::string_view{"c"}, 7, std::int64_t{-8}, 0.5, true, none,
                    std::nullopt, nullptr, std::optional{false}, pgq::job_id{9}));
    CHECK(f.session.log == std::vector<std::string>{"x a b c 7 -8 0.5 true NULL NULL NULL false 9"});
}

TEST_CASE("what a transaction enqueues has its own lane, and is kept as long as the queue says", "[transaction]") {
    fixture f;
    CHECK(f.tx.enqueue(test::note{}).value() == pgq::job_id{1});
    CHECK(f.tx.enqueue(std::vector<sum>(3)).value().size() == 3);
    CHECK(f.tx.enqueue(std::vector<sum>{}).value().empty());
    CHECK(f.tx.enqueue(sum{}, {.keep_outcome = 2min}));
    CHECK(f.session.log == std::vector<std::string>{"enqueue 1 in lane 10, kept for 0 min",
                                                    "enqueue 3 in lane 11, kept for 7 min",
                                                    "enqueue 1 in lane 11, kept for 2 min"});
}

TEST_CASE("a savepoint is released, or undone when its function fails, and gives what that returned", "[transaction]") {
    fixture f;
    CHECK(f.tx.savepoint([] {}));
    CHECK(f.tx.savepoint([](transaction&) { return 7; }).value() == 7);
    CHECK(f.tx.savepoint([]() -> pgq::result<int> { return pgq::errc::timeout; }).error() == pgq::errc::timeout);
    CHECK_THROWS_AS(f.tx.savepoint([] { throw std::runtime_error{"no"}; }), std::runtime_error);
    CHECK(f.session.log == std::vector<std::string>{"savepoint", "release", "savepoint", "release", "savepoint", "undo",
                                                    "savepoint", "undo"});
    CHECK_FALSE(f.tx.failed());
}

TEST_CASE("a transaction has failed when a call has, until a savepoint undoes it", "[transaction]") {
    fixture f;
    f.session.failing = "bad";
    CHECK_FALSE(f.tx.savepoint([&] { return f.tx.exec("bad"); }));
    CHECK_FALSE(f.tx.failed());
    CHECK_FALSE(f.tx.exec("bad"));
    REQUIRE(f.tx.failed());
    CHECK(f.tx.failed()->message == "bad failed");
}

TEST_CASE("a savepoint that cannot be set does not call its function", "[transaction]") {
    fixture f;
    f.session.failing = "savepoint";
    CHECK(f.tx.savepoint([] { FAIL("it was called"); }).error() == pgq::errc::timeout);
    CHECK(f.tx.failed());
}

}  // namespace unit_transaction_transaction
