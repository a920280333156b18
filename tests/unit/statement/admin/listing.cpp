#include <pgq/statement/admin/action.hpp>
#include <pgq/statement/admin/listing.hpp>

#include <support/catch.hpp>

#include <array>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace unit_statement_admin_listing {

using namespace pgq;

TEST_CASE("states are stored as letters, one for each", "[statement][admin]") {
    CHECK(statement::letters_of(any_state) == "wdblh");
    CHECK(statement::letters_of(job_state{}).empty());
    std::string seen;
    for (const auto state : {job_state::ready, job_state::deferred, job_state::blocked, job_state::leased,
                             job_state::held, job_state::ended}) {
        const auto letters = statement::letters_of(state);
        REQUIRE(letters.size() == 1);
        CHECK(seen.find(letters) == std::string::npos);
        CHECK(statement::state_of(letters[0]) == state);
        seen += letters;
    }
}

TEST_CASE("no lanes are an empty array, and all lanes are a null", "[statement][admin]") {
    statement::params p;
    statement::bind_some_lanes(p, std::nullopt);
    CHECK(p.value(0) == nullptr);
    statement::bind_some_lanes(p, std::span<const lane_id>{});
    CHECK(p.value(1) != nullptr);
}

TEST_CASE("the parameters of each statement of an operator are bound", "[statement][admin]") {
    statement::params p;
    statement::bind_list_jobs(p, {});
    CHECK(p.size() == statement::list_jobs.parameters);
    p.clear();
    const std::array jobs{job_place{.id = {1}, .lane = lane_id{2}}};
    statement::bind_places(p, {.jobs = jobs});
    CHECK(p.size() == 2);
    CHECK(p.value(0) != nullptr);
}

TEST_CASE("an action says from which states it takes jobs, and has a name", "[statement][admin]") {
    CHECK(states_of(job_action::cancel) == any_state);
    CHECK(states_of(job_action::requeue) == job_state::held);
    CHECK(states_of(job_action::drop) == job_state::held);
    CHECK(states_of(job_action::run_now) == job_state::deferred);
    CHECK_FALSE(includes(states_of(job_action::move), job_state::blocked));
    CHECK_FALSE(includes(states_of(job_action::move), job_state::leased));
    CHECK(name_of(job_action::cancel) == "cancel");
    CHECK(name_of(job_action::move) == "move");
}

}  // namespace unit_statement_admin_listing
