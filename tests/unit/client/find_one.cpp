#include <pgq/driver/memory.hpp>
#include <pgq/executor/in_place.hpp>
#include <pgq/queue.hpp>
#include <pgq/serializer/json.hpp>

#include <support/catch.hpp>

#include <boost/hana/adapt_struct.hpp>

#include <cstdint>
#include <string>
#include <string_view>

namespace unit_client_find_one {

struct film {
    static constexpr std::string_view entrypoint = "film";
    std::string name{};
};
struct song {
    static constexpr std::string_view entrypoint = "song";
    std::int64_t name = 0;
};
/// Another program's type of the same entrypoint.
struct other_film {
    static constexpr std::string_view entrypoint = "film";
    std::int64_t name = 0;
};

}  // namespace unit_client_find_one
BOOST_HANA_ADAPT_STRUCT(unit_client_find_one::film, name);
BOOST_HANA_ADAPT_STRUCT(unit_client_find_one::song, name);
BOOST_HANA_ADAPT_STRUCT(unit_client_find_one::other_film, name);

namespace unit_client_find_one {

using jobs_of = pgq::queue<film, song, pgq::driver::memory, pgq::serializer::json>;
using others_jobs = pgq::queue<other_film, pgq::driver::memory, pgq::serializer::json>;

TEST_CASE("a job is found with its payload, and by its id alone with bytes", "[client][find_one]") {
    const pgq::driver::memory store;
    jobs_of jobs{store};
    const auto id = jobs.enqueue(film{"one"}, {.priority = 3}).value().id();
    const auto found = jobs.find_one<film>(id).value();
    REQUIRE(found.has_value());
    CHECK(found->state == pgq::job_state::ready);
    CHECK(found->payload.value().name == "one");
    CHECK_FALSE(found->payload_error.has_value());
    CHECK(found->priority() == 3);
    const auto bytes = jobs.find_one(id).value();
    REQUIRE(bytes.has_value());
    CHECK(bytes->body == R"({"name":"one"})");
    CHECK(bytes->entrypoint == "film");
    CHECK(bytes->queue == "default");
    CHECK_FALSE(jobs.find_one<film>({id.value + 1}).value().has_value());
    CHECK_FALSE(jobs.find_one({INT64_MIN}).value().has_value());
}

TEST_CASE("a job of another type or queue is an error that names both", "[client][find_one]") {
    const pgq::driver::memory store;
    jobs_of jobs{store}, dead{store, {.name = "dead"}};
    const auto id = jobs.enqueue(film{"one"}).value().id();
    for (const auto& refused : {jobs.find_one<song>(id).error(), dead.find_one<song>(id).error()}) {
        CHECK(refused == pgq::errc::invalid_option);
        CHECK(refused.text().find("\"film\" of the queue \"default\"") != std::string::npos);
    }
    CHECK(dead.find_one<film>(id).error() == pgq::errc::invalid_option);
    CHECK(dead.find_one(id).value()->queue == "default");
}

TEST_CASE("a payload that cannot be read is reported together with the other values of the job", "[client][find_one]") {
    const pgq::driver::memory store;
    jobs_of jobs{store};
    others_jobs others{store};
    const auto id = jobs.enqueue(film{"one"}).value().id();
    const auto found = others.find_one<other_film>(id).value();
    REQUIRE(found.has_value());
    CHECK_FALSE(found->payload.has_value());
    CHECK(found->payload_error.value() == pgq::errc::invalid_payload);
    CHECK(found->body == R"({"name":"one"})");
}

}  // namespace unit_client_find_one
