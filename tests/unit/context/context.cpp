#include <pgq/context/batch_context.hpp>
#include <pgq/context/context.hpp>
#include <pgq/context/job_services.hpp>
#include <pgq/context/resources.hpp>

#include <support/catch.hpp>

#include <array>
#include <chrono>
#include <limits>
#include <optional>
#include <stdexcept>
#include <stop_token>
#include <string>
#include <typeinfo>
#include <utility>
#include <vector>

namespace unit_context_context {

using namespace pgq;
using namespace std::chrono_literals;

namespace {

struct note {
    std::string text{};
};

result<void> write_note(const void* job, std::string& out) {
    out += static_cast<const note*>(job)->text;
    return {};
}
constexpr detail::payload_writer writer{&typeid(note), &write_note};

/// Records the changes that a context asks for.
struct recording_reviser final : detail::job_reviser {
    result<void> revise(revision r) override {
        if (fails) return errc::lease_lost;
        changes.emplace_back(std::string{r.body.value_or("-")}, std::string{r.progress.value_or("-")});
        return {};
    }

    std::vector<std::pair<std::string, std::string>> changes{};
    bool fails = false;
};

struct fixture {
    detail::job_services services() {
        return {.reviser = &reviser, .lease = 7, .writer = &writer, .revised = &revised};
    }
    context make() { return {job, {}, shared, 1, steady_time::max(), services()}; }

    recording_reviser reviser{};
    std::optional<std::string> revised{};
    resources shared{};
    job_record job{.id = {5}};
};

}  // namespace

TEST_CASE("a context shows the job, its headers and its limits", "[context]") {
    const std::array headers{header{"a", "1"}, header{"b", "2"}};
    const job_record job{.id = {5}, .attempt = 3, .headers = headers};
    const resources none;
    const context plain{job, {}, none};
    CHECK(plain.id() == job_id{5});
    CHECK(plain.attempt() == 3);
    CHECK(plain.header_value("b") == "2");
    CHECK_FALSE(plain.header_value("c"));
    CHECK_FALSE(plain.must_end_by());
    CHECK(context{job, {}, none, 1, steady_time{9s}}.must_end_by() == steady_time{9s});
}

TEST_CASE("resources are found by type, and the first of a type stays", "[context][resources]") {
    int first = 1, second = 2;
    resources r;
    r.add(first).add(second);
    CHECK(&r.get<int>() == &first);
    CHECK(r.find<std::string>() == nullptr);
    CHECK_THROWS_AS(r.get<std::string>(), std::out_of_range);
}

TEST_CASE("an update stores the payload and keeps it for the next try", "[context][update]") {
    fixture t;
    REQUIRE(t.make().update(note{"page 7"}));
    CHECK(t.reviser.changes == std::vector{std::pair{std::string{"page 7"}, std::string{"-"}}});
    CHECK(t.revised == "page 7");
}

TEST_CASE("an update that fails keeps the former payload", "[context][update]") {
    fixture t;
    t.reviser.fails = true;
    CHECK(t.make().update(note{"page 7"}).error() == errc::lease_lost);
    CHECK_FALSE(t.revised);
}

TEST_CASE("an update of another type, of a former version or without a worker is refused", "[context][update]") {
    fixture t;
    CHECK(t.make().update(std::string{"page 7"}).error() == errc::invalid_option);
    auto former = t.services();
    former.former = true;
    CHECK(former.update(job_id{5}, note{}).error() == errc::invalid_option);
    CHECK(context{t.job, {}, t.shared}.update(note{}).error() == errc::invalid_option);
    CHECK(t.reviser.changes.empty());
}

TEST_CASE("progress is stored at once when it is the first or the whole", "[context][progress]") {
    fixture t;
    const context c = t.make();
    REQUIRE(c.progress(0.25, "page 3"));
    REQUIRE(c.progress(1));
    REQUIRE(t.reviser.changes.size() == 2);
    CHECK(t.reviser.changes[0].second == "0.25 page 3");
    CHECK(t.reviser.changes[1].second == "1");
    CHECK(c.progress(std::numeric_limits<double>::quiet_NaN()).error() == errc::invalid_option);
    CHECK(t.reviser.changes.size() == 2);
}

TEST_CASE("a batch context has the context of each job and the resources", "[context][batch]") {
    int shared = 1;
    resources r;
    r.add(shared);
    const std::array jobs{job_record{.id = {1}}, job_record{.id = {2}}};
    const std::array contexts{context{jobs[0], {}, r}, context{jobs[1], {}, r}};
    std::stop_source stop;
    const batch_context batch{contexts, stop.get_token(), r};
    REQUIRE(batch.size() == 2);
    CHECK(batch[1].id() == job_id{2});
    CHECK(&batch.resource<int>() == &shared);
    stop.request_stop();
    CHECK(batch.stop_token().stop_requested());
}

}  // namespace unit_context_context
