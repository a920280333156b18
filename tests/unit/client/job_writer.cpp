#include <pgq/client/job_writer.hpp>
#include <pgq/compose/composition.hpp>
#include <pgq/limiter/concurrency_by.hpp>
#include <pgq/serializer/json.hpp>
#include <pgq/unique_by.hpp>

#include <support/catch.hpp>

#include <boost/hana/adapt_struct.hpp>

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace unit_client_job_writer {

struct parcel {
    static constexpr std::string_view entrypoint = "parcel";
    std::string to{};
};
struct sum {
    static constexpr std::string_view entrypoint = "sum";
    using result = std::int64_t;
    std::int64_t n = 0;
};

}  // namespace unit_client_job_writer

BOOST_HANA_ADAPT_STRUCT(unit_client_job_writer::parcel, to);
BOOST_HANA_ADAPT_STRUCT(unit_client_job_writer::sum, n);

namespace unit_client_job_writer {

namespace {

using namespace std::chrono_literals;
using pgq::enqueue_options;
using pgq::insert_form;
using pgq::detail::job_writer;

using keyed = pgq::composition<pgq::job<parcel, pgq::limiter::concurrency_by<&parcel::to, 1>>, pgq::job<sum>,
                               pgq::serializer::json>;
using unique = pgq::composition<pgq::job<parcel, pgq::unique_by<&parcel::to>>, pgq::serializer::json>;
using plain = pgq::composition<pgq::job<parcel>, pgq::serializer::json>;

constexpr auto no_options = [](const auto&) { return enqueue_options{}; };
const std::vector<parcel> two{{"ada"}, {"bob"}};

}  // namespace

TEST_CASE("jobs of one type are payloads, and options once if they are the same for all", "[client][job_writer]") {
    job_writer<plain, parcel> written{1h};
    CHECK(written.empty());
    int calls = 0;
    const auto options_of = [&](const parcel&) {
        return enqueue_options{.priority = static_cast<std::int16_t>(++calls)};
    };
    SECTION("the same for all") {
        written.add_all(two, options_of, true).value();
        CHECK(calls == 1);
    }
    SECTION("for each") {
        written.add_all(two, options_of, false).value();
        CHECK(calls == 2);
        CHECK(written.request({}).option(1).priority == 2);
    }
    const auto r = written.request({5});
    CHECK(r.lane == pgq::lane_id{5});
    REQUIRE(r.bodies->size() == 2);
    CHECK((*r.bodies)[0] == R"({"to":"ada"})");
    CHECK((*r.bodies)[1] == R"({"to":"bob"})");
    CHECK_FALSE(r.has_keys());
    CHECK(r.option(0).priority == 1);
}

TEST_CASE("an entrypoint with a keyed limiter has a key for each job", "[client][job_writer]") {
    job_writer<keyed, parcel> written{1h};
    written.add_all(two, no_options, true).value();
    const auto r = written.request({});
    REQUIRE(r.has_keys());
    CHECK((*r.keys)[1] == "bob");
    CHECK(r.form() == insert_form::any);
}

TEST_CASE("a key that cannot be stored is an error", "[client][job_writer]") {
    job_writer<keyed, parcel> written{1h};
    const auto error_of = [&](std::string key) {
        return written.add_all(std::vector{parcel{std::move(key)}}, no_options, true).error();
    };
    CHECK(error_of(std::string("a\0b", 3)) == pgq::errc::invalid_text);
    const auto e = error_of(std::string(pgq::max_key_bytes + 1, 'x'));
    CHECK(e == pgq::errc::invalid_name);
    CHECK(e.message == "a job's key has more than 2048 bytes");
    job_writer<keyed, parcel> longest{1h};
    CHECK(longest.add_all(std::vector{parcel{std::string(pgq::max_key_bytes, 'x')}}, no_options, true).has_value());
}

TEST_CASE("the result of a job is kept as long as the queue says, unless the options say it", "[client][job_writer]") {
    job_writer<keyed, sum> written{7min};
    const auto options_of = [](const sum& s) { return enqueue_options{.keep_outcome = s.n * 1min}; };
    written.add_all(std::vector<sum>{{0}, {3}}, options_of, false).value();
    const auto r = written.request({});
    CHECK(r.option(0).keep_outcome == 7min);
    CHECK(r.option(1).keep_outcome == 3min);
    CHECK(r.form() == insert_form::tracked);
}

TEST_CASE("a uniqueness policy gives each job options of its own", "[client][job_writer]") {
    job_writer<unique, parcel> written{1h};
    written.add_all(two, no_options, true).value();
    const auto r = written.request({});
    REQUIRE(r.options.size() == 2);
    CHECK(r.options[0].unique_key.key() == "(3:ada)");
    CHECK(r.options[1].unique_key.key() == "(3:bob)");
}

TEST_CASE("a batch has a copy of what its options refer to", "[client][job_writer]") {
    pgq::enqueue_batch batch;
    {
        job_writer<unique, parcel> written{1h};
        written.add_all_to(batch, two, no_options, true).value();
    }
    const auto r = batch.request({});
    REQUIRE(r.bodies->size() == 2);
    CHECK(r.options[1].unique_key.key() == "(3:bob)");
}

TEST_CASE("a batch of several types has an empty key for jobs without one", "[client][job_writer]") {
    pgq::enqueue_batch batch;
    CHECK(job_writer<keyed, parcel>{1h}.add_to(batch, {"ada"}, {}).value());
    CHECK_FALSE(job_writer<keyed, sum>{1h}.add_to(batch, {3}, {}).value());
    REQUIRE(batch.keys().size() == 2);
    CHECK(batch.keys()[0] == "ada");
    CHECK(batch.keys()[1].empty());
    CHECK(batch.options()[1].keep_outcome == 1h);
    CHECK(job_writer<keyed, parcel>{1h}.add_to(batch, {std::string(3000, 'x')}, {}).error() == pgq::errc::invalid_name);
}

TEST_CASE("the form of a request is the cheapest that stores its jobs", "[client][job_writer]") {
    const auto form_of = [](std::size_t n, const enqueue_options& o) {
        job_writer<plain, parcel> written{1h};
        const auto options_of = [&](const parcel&) { return o; };
        written.add_all(std::vector<parcel>(n), options_of, true).value();
        return written.request({}).form();
    };
    CHECK(form_of(1, {.priority = 3}) == insert_form::one);
    CHECK(form_of(2, {.priority = 3}) == insert_form::many);
    CHECK(form_of(10, {.packed = true}) == insert_form::packed);
    CHECK(form_of(2, {.packed = true}) == insert_form::many);
    CHECK(form_of(10, {.run_at = pgq::in(1h), .packed = true}) == insert_form::any);
    CHECK(form_of(10, {.unique_key = "k", .packed = true}) == insert_form::tracked);
}

}  // namespace unit_client_job_writer
