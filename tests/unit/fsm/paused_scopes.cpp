#include <pgq/fsm/paused_scopes.hpp>

#include <support/catch.hpp>

#include <array>
#include <string>
#include <utility>
#include <vector>

namespace unit_fsm_paused_scopes {

using pgq::pause_kind, pgq::paused_scope;

namespace {

constexpr std::array mine{pgq::lane_name{.entrypoint = "mail"}, pgq::lane_name{.entrypoint = "report"}};

paused_scope scope(std::string queue, std::string entrypoint, pause_kind kind = pause_kind::paused) {
    return {.queue = std::move(queue), .entrypoint = std::move(entrypoint), .kind = kind};
}

}  // namespace

TEST_CASE("a scope covers an entrypoint, all of its queue, or everything", "[fsm][pause]") {
    CHECK(scope("q", "mail").covers("q", "mail"));
    CHECK_FALSE(scope("q", "mail").covers("q", "report"));
    CHECK_FALSE(scope("q", "mail").covers("other", "mail"));
    CHECK(scope("q", "").covers("q", "report"));
    CHECK_FALSE(scope("q", "").covers("other", "report"));
    CHECK(scope("", "").covers("other", "report"));
}

TEST_CASE("each reading says what has begun and what has ended since the one before", "[fsm][pause]") {
    pgq::fsm::paused_scopes known;
    CHECK(known.read({}, "q", mine).begun.empty());
    auto changes = known.read({scope("q", "mail"), scope("", "")}, "q", mine);
    CHECK(changes.begun == std::vector{scope("q", "mail"), scope("", "")});
    CHECK(changes.ended.empty());
    CHECK_FALSE(changes.can_claim_more());
    changes = known.read({scope("q", "mail")}, "q", mine);
    CHECK(changes.begun.empty());
    CHECK(changes.ended == std::vector{scope("", "")});
    CHECK(changes.can_claim_more());
}

TEST_CASE("a reading leaves out what the worker does not serve", "[fsm][pause]") {
    pgq::fsm::paused_scopes known;
    const auto changes = known.read({scope("q", "sms"), scope("other", ""), scope("q", "report")}, "q", mine);
    CHECK(changes.begun == std::vector{scope("q", "report")});
}

TEST_CASE("the end of a drain brings no jobs to claim, and a changed reason is no change", "[fsm][pause]") {
    pgq::fsm::paused_scopes known;
    auto drain = scope("q", "", pause_kind::draining);
    (void)known.read({drain}, "q", mine);
    drain.reason = "another";
    CHECK(known.read({drain}, "q", mine).begun.empty());
    const auto changes = known.read({scope("q", "")}, "q", mine);
    CHECK(changes.begun.size() == 1);
    CHECK(changes.ended == std::vector{drain});
    CHECK_FALSE(changes.can_claim_more());
}

}  // namespace unit_fsm_paused_scopes
