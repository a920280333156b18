#include <support/catch.hpp>
#include <support/claiming_session.hpp>
#include <support/database.hpp>

#include <chrono>
#include <cstddef>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace integration_rates {

using namespace std::chrono_literals;

namespace {

/// A lane of a hundred jobs that get a token each ten seconds, and at most 20 at once. The test writes how old the
/// tokens are, so that no time passes.
class rated_lane {
public:
    explicit rated_lane(const test::database& db)
        : db_{db}, client_{db.options()}, lane_{client_.lanes({"job"}).at(0)}, worker_{db, {lane_}} {
        const std::vector<pgq::lane_limit> limits{
            {.entrypoint = "job", .limit = {.kind = pgq::limit_kind::rate, .amount = 360, .per = 1h, .burst = 20}}};
        (void)client_.line().limits("default", limits).value();
        (void)client_.enqueue(lane_, std::vector<std::string>(100, "x"));
    }

    void set_tokens(std::string_view tokens, std::string_view age) {
        db_.exec("UPDATE {s}.lane_limit SET tokens = " + std::string{tokens} + ", tokens_at = now() - interval '" +
                 std::string{age} + "'");
    }
    std::size_t claim() {
        const std::vector<pgq::limited_lane> wanted{{.lane = lane_, .most = 50, .max_attempts = 5}};
        return worker_.sync({.limited = wanted, .limited_capacity = 50}).claimed();
    }

private:
    const test::database& db_;
    test::enqueuing_session client_;
    pgq::lane_id lane_;
    test::claiming_session worker_;
};

}  // namespace

TEST_CASE("a rate for all workers refills by the time that has passed, up to its burst", "[integration][limit]") {
    const test::database db;
    rated_lane lane{db};
    lane.set_tokens("0", "45 s");
    CHECK(lane.claim() == 4);
    CHECK(lane.claim() == 0);
    // The half token of the five seconds before is still there.
    lane.set_tokens("(SELECT tokens FROM {s}.lane_limit)", "26 s");
    CHECK(lane.claim() == 3);
    lane.set_tokens("0", "4 s");
    CHECK(lane.claim() == 0);
    lane.set_tokens("0", "3 days");
    CHECK(lane.claim() == 20);
}

}  // namespace integration_rates
