#include <pgq/driver/memory.hpp>
#include <pgq/executor/in_place.hpp>
#include <pgq/serializer/json.hpp>
#include <pgq/serializer/versioned.hpp>
#include <pgq/worker.hpp>

#include "support/catch.hpp"
#include "support/photos.hpp"

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace unit_serializer_versioned {

namespace versioned_jobs {

struct leaf {
    std::int32_t n = 0;
};
struct tree {
    static constexpr std::string_view entrypoint = "tree";
    std::vector<tree> branches{};
    std::map<std::string, leaf> leaves{};
    std::optional<std::variant<bool, double>> extra{};
    std::chrono::milliseconds age{};
};
struct same_tree {
    std::vector<same_tree> branches{};
    std::map<std::string, leaf> leaves{};
    std::optional<std::variant<bool, double>> extra{};
    std::chrono::milliseconds age{};
};
struct other_unit {
    std::vector<other_unit> branches{};
    std::map<std::string, leaf> leaves{};
    std::optional<std::variant<bool, double>> extra{};
    std::chrono::seconds age{};
};
struct small {
    std::int32_t n = 0;
};
struct large {
    std::int64_t n = 0;
};
struct natural {
    std::uint32_t n = 0;
};
struct renamed {
    std::int32_t m = 0;
};
// The job type of a program without versions.
struct note_0 {
    static constexpr std::string_view version = "";
    static constexpr std::string_view entrypoint = "note";
    std::string text{};
};
struct note {
    static constexpr std::string_view entrypoint = "note";
    using previous = note_0;
    static note from(note_0&& old) { return {.text = old.text, .size = static_cast<int>(old.text.size())}; }
    std::string text{};
    int size = 0;
};

}  // namespace versioned_jobs

}  // namespace unit_serializer_versioned

BOOST_HANA_ADAPT_STRUCT(unit_serializer_versioned::versioned_jobs::leaf, n);
BOOST_HANA_ADAPT_STRUCT(unit_serializer_versioned::versioned_jobs::tree, branches, leaves, extra, age);
BOOST_HANA_ADAPT_STRUCT(unit_serializer_versioned::versioned_jobs::same_tree, branches, leaves, extra, age);
BOOST_HANA_ADAPT_STRUCT(unit_serializer_versioned::versioned_jobs::other_unit, branches, leaves, extra, age);
BOOST_HANA_ADAPT_STRUCT(unit_serializer_versioned::versioned_jobs::small, n);
BOOST_HANA_ADAPT_STRUCT(unit_serializer_versioned::versioned_jobs::large, n);
BOOST_HANA_ADAPT_STRUCT(unit_serializer_versioned::versioned_jobs::natural, n);
BOOST_HANA_ADAPT_STRUCT(unit_serializer_versioned::versioned_jobs::renamed, m);
BOOST_HANA_ADAPT_STRUCT(unit_serializer_versioned::versioned_jobs::note_0, text);
BOOST_HANA_ADAPT_STRUCT(unit_serializer_versioned::versioned_jobs::note, text, size);

namespace unit_serializer_versioned {

using namespace versioned_jobs;
namespace photos = test::photos;
using versioned = pgq::serializer::versioned<pgq::serializer::json>;

namespace {

template <class Photo>
using photo_queue = pgq::queue<Photo, pgq::driver::memory, versioned, pgq::executor::in_place>;

template <class Queue, class Handler>
void work(Queue& jobs, Handler handler) {
    pgq::worker w{jobs, {.until = pgq::run_until::empty}, handler};
    w.run().value();
}

}  // namespace

TEST_CASE("a fingerprint depends on names, order and types of members, and not on the compiler",
          "[serializer][versioned]") {
    CHECK(pgq::fingerprint_of<tree> == pgq::fingerprint_of<same_tree>);
    CHECK(pgq::fingerprint_of<tree> != pgq::fingerprint_of<other_unit>);
    CHECK(pgq::fingerprint_of<small> == pgq::fingerprint_of<leaf>);
    CHECK(pgq::fingerprint_of<small> != pgq::fingerprint_of<large>);
    CHECK(pgq::fingerprint_of<small> != pgq::fingerprint_of<natural>);
    CHECK(pgq::fingerprint_of<small> != pgq::fingerprint_of<renamed>);
    CHECK(pgq::fingerprint_of<photos::v5>.size() == 16);
    // Databases contain these values, so they must never change.
    CHECK(pgq::fingerprint_of<photos::v5> == "a904a3a3d4fa1557");
    CHECK(pgq::fingerprint_of<tree> == "93c6e1ab9f0ac5b7");
}

TEST_CASE("a payload of any previous version is converted to the current one, step by step",
          "[serializer][versioned]") {
    STATIC_REQUIRE(versioned::versions<photos::v5>.size() == 5);
    STATIC_REQUIRE(versioned::versions<photos::v5>[4] == versioned::versions<photos::v1>[0]);
    photos::v5 job;
    versioned{}.read(R"({"n":7})", job, 4).value();
    CHECK(job.n == 7);
    CHECK(job.file == "untitled");
    CHECK(job.edge == "256px");
    versioned{}.read(R"({"n":8,"path":"cat.jpg","edge":9})", job, 2).value();
    CHECK(job.file == "cat.jpg");
    CHECK(job.edge == "9px");
    versioned{}.read(R"({"n":9,"file":"dog.jpg","edge":"2px"})", job, 0).value();
    CHECK(job.edge == "2px");
    CHECK_FALSE(versioned{}.read(R"({"n":9,"file":"dog.jpg","edge":"2px"})", job, 1));
}

TEST_CASE("a worker runs only the versions that it can read", "[serializer][versioned]") {
    const pgq::driver::memory store;
    photo_queue<photos::v1> first{store};
    photo_queue<photos::v3> third{store};
    photo_queue<photos::v5> fifth{store};
    first.enqueue(photos::v1{1}).value();
    third.enqueue(photos::v3{3, "three", 3}).value();
    fifth.enqueue(photos::v5{5, "five", "5px"}).value();

    std::vector<std::int64_t> seen;
    work(third, [&](const photos::v3& p) { seen.push_back(p.n); });
    CHECK(seen == std::vector<std::int64_t>{1, 3});
    CHECK(third.counts<photos::v3>().value() == pgq::lane_counts{});
    CHECK(fifth.counts<photos::v5>().value() == pgq::lane_counts{.ready = 1});

    std::vector<int> attempts;
    work(fifth, [&](const photos::v5& p, pgq::context& c) {
        CHECK(p.edge == "5px");
        attempts.push_back(c.attempt());
    });
    CHECK(attempts == std::vector{1});
}

TEST_CASE("jobs of all versions run in one common order", "[serializer][versioned]") {
    const pgq::driver::memory store;
    photo_queue<photos::v1> first{store};
    photo_queue<photos::v2> second{store};
    for (std::int64_t n = 0; n < 6; ++n) {
        if (n % 2 == 0) first.enqueue(photos::v1{n}).value();
        else second.enqueue(photos::v2{n, "x"}).value();
    }
    std::vector<std::int64_t> seen;
    work(second, [&](const photos::v2& p) { seen.push_back(p.n); });
    CHECK(seen == std::vector<std::int64_t>{0, 1, 2, 3, 4, 5});
}

TEST_CASE("a job that was enqueued without versions can be read", "[serializer][versioned]") {
    const pgq::driver::memory store;
    pgq::queue<note_0, pgq::driver::memory, pgq::serializer::json, pgq::executor::in_place> before{store};
    pgq::queue<note, pgq::driver::memory, versioned, pgq::executor::in_place> now{store};
    before.enqueue(note_0{"hello"}).value();
    int size = 0;
    work(now, [&](const note& n) { size = n.size; });
    CHECK(size == 5);
}

}  // namespace unit_serializer_versioned
