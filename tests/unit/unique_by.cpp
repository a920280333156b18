#include <pgq/driver/memory.hpp>
#include <pgq/executor/in_place.hpp>
#include <pgq/job/members.hpp>
#include <pgq/queue.hpp>
#include <pgq/serializer/json.hpp>
#include <pgq/unique_by.hpp>
#include <pgq/worker.hpp>

#include <boost/hana/adapt_struct.hpp>

#include <support/catch.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

namespace unit_unique_by {

using namespace std::chrono_literals;

namespace named {

enum class kind : std::uint8_t { morning = 1, evening = 2 };

struct digest {
    static constexpr std::string_view entrypoint = "digest";
    std::string user{};
    std::int64_t day = 0;
    kind when = kind::morning;
    std::string text{};
};
struct plain {
    static constexpr std::string_view entrypoint = "plain";
    std::int64_t n = 0;
};

}  // namespace named

}  // namespace unit_unique_by

BOOST_HANA_ADAPT_STRUCT(unit_unique_by::named::digest, user, day, when, text);
BOOST_HANA_ADAPT_STRUCT(unit_unique_by::named::plain, n);

namespace unit_unique_by {

namespace {

using named::digest;
using named::plain;

template <class... Policies>
using queue_of = pgq::queue<pgq::job<digest, Policies...>, plain, pgq::driver::memory, pgq::serializer::json,
                            pgq::executor::in_place>;
using by_user = pgq::unique_by<&digest::user>;

template <class Policy>
std::string key_of(const digest& d) {
    std::string key;
    Policy::key(d, key);
    return key;
}

// The rules may be written in any order.
static_assert(std::is_same_v<by_user::while_waiting::or_replace, by_user::or_replace::while_waiting>);
static_assert(by_user::rule.scope() == pgq::unique_scope::until_finished);
static_assert(by_user::rule.then() == pgq::on_duplicate::skip);
static_assert(by_user::while_waiting::or_fail::rule.scope() == pgq::unique_scope::while_waiting);
static_assert(by_user::while_waiting::or_fail::rule.then() == pgq::on_duplicate::fail);
static_assert(by_user::or_debounce::during<1h>::rule.period() == 1h);
static_assert(by_user::or_debounce::during<1h>::rule.then() == pgq::on_duplicate::debounce);
static_assert(!pgq::can_make_key<by_user, plain>);
static_assert(sizeof(queue_of<by_user>) == sizeof(queue_of<>));

// A uniqueness policy of a program.
struct by_parity {
    using policy_category = pgq::uniqueness_tag;
    static constexpr pgq::unique rule = pgq::unique{}.or_replace();
    static void key(const digest& d, std::string& out) { out += d.day % 2 == 0 ? "even" : "odd"; }
};

template <class Queue>
std::vector<std::string> texts(Queue& jobs) {
    std::vector<std::string> seen;
    pgq::worker_options options{.until = pgq::run_until::empty};
    pgq::worker w{jobs, options, [&](const digest& d) { seen.push_back(d.text); }, [](const plain&) {}};
    w.run().value();
    return seen;
}

}  // namespace

TEST_CASE("a key has the text and length of each member, so that different members give different keys",
          "[unique_by]") {
    using all = pgq::unique_by<&digest::user, &digest::day, &digest::when>;
    using two = pgq::unique_by<&digest::user, &digest::text>;
    CHECK(key_of<all>({.user = "ada", .day = 17, .when = named::kind::evening}) == "(3:ada,2:17,1:2)");
    CHECK(key_of<pgq::unique_by<>>({}) == "()");
    CHECK(key_of<by_user>({}) == "(0:)");
    CHECK(key_of<two>({.user = "ab", .text = "c"}) != key_of<two>({.user = "a", .text = "bc"}));
    CHECK(key_of<two>({.user = "a,1:b", .text = "c"}) != key_of<two>({.user = "a", .text = "b,1:c"}));
    CHECK(key_of<two>({.user = "a", .text = ""}) != key_of<two>({.user = "", .text = "a"}));
}

TEST_CASE("an enqueue of one job, of a range or of a flow makes the keys from the members", "[unique_by]") {
    queue_of<pgq::unique_by<&digest::user, &digest::day>> jobs;
    const auto first = jobs.enqueue(digest{.user = "ada", .day = 1, .text = "first"}).value();
    CHECK(first.is_new());
    CHECK(jobs.enqueue(digest{.user = "ada", .day = 1, .text = "second"}).value() == first);
    CHECK(jobs.enqueue(digest{.user = "ada", .day = 2}).value().is_new());

    const std::vector<digest> some{{.user = "ada", .day = 1}, {.user = "bob", .day = 1}, {.user = "bob", .day = 1}};
    const auto range = jobs.enqueue(some, {.priority = 1}).value();
    CHECK(range[0] == first);
    CHECK(range.is_new(1));
    CHECK(range[2] == range[1]);

    auto flow = jobs.flow();
    flow.add(digest{.user = "ada", .day = 1});
    flow.add(digest{.user = "cleo", .day = 1});
    const auto made = flow.enqueue().value();
    CHECK(made[0] == pgq::enqueued_job{.id = first, .is_new = false});
    CHECK(made[1].is_new);

    CHECK(jobs.counts<digest>().value().ready == 4);
}

TEST_CASE("a unique key of the caller replaces the key of the members, and its rule applies", "[unique_by]") {
    queue_of<by_user> jobs;
    (void)jobs.enqueue(digest{.user = "ada"}).value();
    const auto named = jobs.enqueue(digest{.user = "ada"}, {.unique_key = "other"}).value();
    CHECK(named.is_new());
    CHECK(jobs.enqueue(digest{.user = "bob"}, {.unique_key = pgq::unique{"other"}.or_fail()}).error() ==
          pgq::errc::duplicate_key);
    // A caller that writes the text of the key gets the same key.
    CHECK_FALSE(jobs.enqueue(digest{.user = "bob"}, {.unique_key = "(3:ada)"}).value().is_new());
    const auto mixed = jobs.enqueue(std::vector<digest>{{.user = "x", .text = "x"}, {.user = "y"}},
                                    [](const digest& d) {
                                        return pgq::enqueue_options{
                                            .unique_key = d.text.empty() ? pgq::unique{} : pgq::unique{"other"}};
                                    })
                           .value();
    CHECK(mixed[0] == named);
    CHECK(mixed.is_new(1));
}

TEST_CASE("other job types of the queue have no keys", "[unique_by]") {
    queue_of<pgq::unique_by<>> jobs;
    CHECK(jobs.enqueue(plain{}).value() != jobs.enqueue(plain{}).value());
    CHECK(jobs.enqueue(digest{.user = "ada"}).value() == jobs.enqueue(digest{.user = "bob"}).value());
}

TEST_CASE("the policy decides how long a key is kept and what a duplicate does", "[unique_by]") {
    queue_of<by_user::or_fail> strict;
    (void)strict.enqueue(digest{.user = "ada"}).value();
    CHECK(strict.enqueue(digest{.user = "ada"}).error() == pgq::errc::duplicate_key);

    queue_of<by_user::while_waiting::or_replace> latest;
    for (const char* text : {"one", "two", "three"}) (void)latest.enqueue(digest{.user = "ada", .text = text}).value();
    CHECK(texts(latest) == std::vector<std::string>{"three"});
    CHECK(latest.enqueue(digest{.user = "ada"}).value().is_new());

    queue_of<by_user::during<1h>> hourly;
    (void)hourly.enqueue(digest{.user = "ada", .text = "now"}).value();
    CHECK(texts(hourly) == std::vector<std::string>{"now"});
    CHECK_FALSE(hourly.enqueue(digest{.user = "ada"}).value().is_new());

    queue_of<by_user::or_debounce> quiet;
    (void)quiet.enqueue(digest{.user = "ada", .text = "early"}).value();
    (void)quiet.enqueue(digest{.user = "ada", .text = "late"}, {.run_at = pgq::in(1h)}).value();
    CHECK(texts(quiet).empty());
    CHECK(quiet.counts<digest>().value().deferred == 1);

    queue_of<by_parity> own;
    for (const int day : {1, 2, 3, 4}) (void)own.enqueue(digest{.day = day, .text = std::to_string(day)}).value();
    CHECK(texts(own) == std::vector<std::string>{"3", "4"});
}

TEST_CASE("a key that is not valid text is an error, and nothing is enqueued", "[unique_by]") {
    queue_of<by_user> jobs;
    CHECK(jobs.enqueue(std::vector<digest>{{.user = "ada"}, {.user = std::string("a\0b", 3)}}).error() ==
          pgq::errc::invalid_text);
    CHECK(jobs.counts<digest>().value().ready == 0);
}

}  // namespace unit_unique_by
