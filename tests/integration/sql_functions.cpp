#include <pgq/backoff/fixed.hpp>
#include <pgq/backoff/stored.hpp>
#include <pgq/compose/settings.hpp>
#include <pgq/job/tick.hpp>
#include <pgq/limiter/all_of.hpp>
#include <pgq/limiter/concurrency_by.hpp>
#include <pgq/limiter/rate.hpp>
#include <pgq/serializer/json.hpp>
#include <pgq/serializer/versioned.hpp>
#include <pgq/sql_functions.hpp>

#include <support/catch.hpp>
#include <support/database.hpp>
#include <support/eventually.hpp>
#include <support/jobs.hpp>
#include <support/sql_functions.hpp>

#include <array>
#include <chrono>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <unordered_map>
#include <utility>
#include <variant>
#include <vector>

namespace integration_sql_functions {

using namespace std::chrono_literals;
using test::database;
using test::letter;
using test::note;

namespace surface {

enum class size : std::uint8_t { small, large = 200 };
enum class yes_or_no : bool { no, yes };
enum class color { red, green };

struct point {
    std::int32_t x = 0;
    std::int32_t y = 0;
    bool operator==(const point&) const = default;
};
struct tree {
    std::string name{};
    std::vector<tree> below{};
    bool operator==(const tree&) const = default;
};
using shape = std::variant<std::monostate, std::int32_t, std::string, point>;

/// One member of each kind that serializer::json writes.
struct all {
    static constexpr std::string_view entrypoint = "all";
    bool flag = true;
    std::int8_t i8 = -5;
    std::uint8_t u8 = 200;
    std::int16_t i16 = -300;
    std::uint16_t u16 = 60000;
    std::int32_t i32 = -70000;
    std::uint32_t u32 = 4000000000U;
    std::int64_t i64 = INT64_MIN;
    std::uint64_t u64 = UINT64_MAX;
    float f = 0.1F;
    double d = 1e300;
    std::string text = "it's \"q\" \\ \n\t\x01 \xc3\xbc \xf0\x9f\x90\x98 :name {f} $pgq$";
    std::vector<std::byte> bytes{std::byte{0}, std::byte{255}, std::byte{10}, std::byte{92}};
    size of{size::large};
    yes_or_no sure{yes_or_no::yes};
    color paint{color::green};
    std::optional<std::string> maybe{"perhaps"};
    std::optional<std::int32_t> none{};
    std::vector<std::string> tags{"a", "b'c", ""};
    std::vector<bool> bits{true, false};
    std::array<std::int16_t, 3> three{{1, -2, 3}};
    std::vector<std::optional<std::int32_t>> holes{1, {}, 3};
    std::pair<std::int32_t, std::string> both{1, "one"};
    std::tuple<bool, double> two{false, 2.5};
    std::map<std::string, std::int32_t> counts{{"a\"", 1}, {"", 2}};
    std::unordered_map<std::string, point> places{{"home", {1, 2}}};
    shape form{point{3, 4}};
    point at{5, 6};
    std::vector<point> way{{1, 2}, {3, 4}};
    tree root{"r", {{"a", {}}, {"b", {{"c", {}}}}}};
    std::chrono::milliseconds wait{1500};
    std::chrono::minutes rest{5};
    std::chrono::nanoseconds tick{-2000};
    std::chrono::duration<double> span{0.25};
    std::chrono::sys_time<std::chrono::milliseconds> when{1700000000123ms};
    std::chrono::sys_seconds since{-5s};
    bool operator==(const all&) const = default;
};

struct keyed {
    static constexpr std::string_view entrypoint = "keyed";
    std::string user = "nobody";
    std::int64_t n = -7;
    bool flag = true;
    size of{size::large};
};
template <int>
struct key_of : keyed {
    using keyed::keyed;
};

struct clash {
    static constexpr std::string_view entrypoint = "clash";
    std::int64_t priority = 0;
    std::string payload{};
    std::string job_payload{};
};

struct empty {
    static constexpr std::string_view entrypoint = "empty";
};

struct inner {
    std::int32_t x = 5;
    std::int32_t y = 6;
};
struct outer {
    static constexpr std::string_view entrypoint = "outer";
    inner in{.x = 50, .y = 60};
    std::string named = "default";
    std::optional<std::int32_t> maybe = 3;
};

struct letter_1 {
    static constexpr std::string_view entrypoint = "letter";
    std::string body{};
};
struct letter_2 {
    static constexpr std::string_view entrypoint = "letter";
    using previous = letter_1;
    static letter_2 from(letter_1&& old) { return {std::move(old.body), 1}; }
    std::string body{};
    std::int32_t pages = 0;
};

inline std::string_view name_of(color c) { return c == color::red ? "red" : "green"; }

}  // namespace surface

}  // namespace integration_sql_functions

BOOST_HANA_ADAPT_STRUCT(integration_sql_functions::surface::point, x, y);
BOOST_HANA_ADAPT_STRUCT(integration_sql_functions::surface::tree, name, below);
BOOST_HANA_ADAPT_STRUCT(integration_sql_functions::surface::all, flag, i8, u8, i16, u16, i32, u32, i64, u64, f, d, text,
                        bytes, of, sure, paint, maybe, none, tags, bits, three, holes, both, two, counts, places, form,
                        at, way, root, wait, rest, tick, span, when, since);
BOOST_HANA_ADAPT_STRUCT(integration_sql_functions::surface::keyed, user, n, flag, of);
BOOST_HANA_ADAPT_STRUCT(integration_sql_functions::surface::clash, priority, payload, job_payload);
BOOST_HANA_ADAPT_STRUCT(integration_sql_functions::surface::empty);
BOOST_HANA_ADAPT_STRUCT(integration_sql_functions::surface::inner, x, y);
BOOST_HANA_ADAPT_STRUCT(integration_sql_functions::surface::outer, in, named, maybe);
BOOST_HANA_ADAPT_STRUCT(integration_sql_functions::surface::letter_1, body);
BOOST_HANA_ADAPT_STRUCT(integration_sql_functions::surface::letter_2, body, pages);

template <>
struct pgq::codec<integration_sql_functions::surface::color> {
    using written_as = std::string;
    static void write(integration_sql_functions::surface::color c, pgq::serializer::json_writer& out) {
        out.string(integration_sql_functions::surface::name_of(c));
    }
    static bool read(pgq::serializer::json_value in, integration_sql_functions::surface::color& c) {
        if (!in.is_string()) return in.expected("a string");
        c = in.text() == "red" ? integration_sql_functions::surface::color::red
                               : integration_sql_functions::surface::color::green;
        return true;
    }
};

namespace integration_sql_functions {

namespace {

using surface::all;

template <class Job, class... Policies>
using json_queue = pgq::queue<pgq::job<Job, Policies...>, pgq::driver::libpq, pgq::serializer::json>;

std::string json_of(const auto& job) {
    std::string text;
    pgq::serializer::json{}.write(job, text).value();
    return text;
}

/// A worker runs all ready jobs.
template <class Queue, class Job>
std::vector<Job> run_all(Queue& jobs, pgq::worker_options options = {}) {
    std::mutex mutex;
    std::vector<Job> seen;
    test::run_until_empty(jobs, options, [&](const Job& job) {
        const std::lock_guard lock{mutex};
        seen.push_back(job);
    });
    return seen;
}

std::string stored(const database& db) { return db.query_text("SELECT convert_from(body, 'UTF8') FROM {s}.job"); }

/// Values that differ from the defaults, and the ends of ranges.
all other() {
    all a;
    a.flag = false;
    a.i8 = 127;
    a.u8 = 0;
    a.i16 = -32768;
    a.u16 = 65535;
    a.i32 = INT32_MAX;
    a.u32 = UINT32_MAX;
    a.i64 = INT64_MAX;
    a.u64 = 0;
    a.f = std::numeric_limits<float>::denorm_min();
    a.d = -std::numeric_limits<double>::infinity();
    a.text = "";
    a.bytes = {};
    a.of = surface::size::small;
    a.sure = surface::yes_or_no::no;
    a.paint = surface::color::red;
    a.maybe = {};
    a.none = 9;
    a.tags = {};
    a.holes = {};
    a.two = {true, std::numeric_limits<double>::denorm_min()};
    a.counts = {};
    a.places = {};
    a.form = std::monostate{};
    a.root = {};
    a.wait = -1ms;
    a.when = {};
    return a;
}

}  // namespace

TEST_CASE("the jsonb form stores the same text as the C++ serializer, and a worker reads an equal job",
          "[sql_functions]") {
    const database db;
    json_queue<all> jobs{db.driver()};
    test::emit<json_queue<all>>(db);
    const test::sql_connection c{test::dsn(), db.schema()};
    const all job = GENERATE(0, 1) == 0 ? all{} : other();
    (void)c.exec("SELECT {s}.enqueue_all(" + pgq::detail::sql::literal(json_of(job)) + ")");
    const auto seen = run_all<json_queue<all>, all>(jobs);
    REQUIRE(seen.size() == 1);
    CHECK(seen[0] == job);
    CHECK(db.is_empty());
}

TEST_CASE("without arguments each member has the default of the job type", "[sql_functions]") {
    const database db;
    json_queue<all> jobs{db.driver()};
    test::emit<json_queue<all>>(db);
    db.exec("SELECT {s}.enqueue_all()");
    const std::string text = stored(db);
    const auto seen = run_all<json_queue<all>, all>(jobs);
    REQUIRE(seen.size() == 1);
    CHECK(seen[0] == all{});
    // The default is written, not left out, so a later program with another default reads the same value.
    CHECK(text.find("\"rest\":5,\"tick\":-2000") != std::string::npos);
}

TEST_CASE("members are parameters with their names and the matching SQL types", "[sql_functions]") {
    const database db;
    json_queue<all> jobs{db.driver()};
    test::emit<json_queue<all>>(db);
    db.exec(
        "SELECT {s}.enqueue_all(flag => false, i8 => 127, u8 => 0, i16 => -32768, u16 => 65535, i32 => 2147483647,"
        " u32 => 4294967295, i64 => 9223372036854775807, u64 => 18446744073709551615, f => 0.5, d => '-Infinity',"
        " text => E'x\\n\"', bytes => '\\x00ff5c0a'::bytea, \"of\" => 0, sure => false, paint => 'red', maybe => NULL, "
        "\"none\" => 9,"
        " tags => ARRAY['\xc3\xbc', ''], bits => '{t,f,t}', three => ARRAY[3,2,1], holes => '[null, 2]', \"both\" => "
        "'[2, "
        "\"two\"]',"
        " two => '[true, 1e3]', counts => '{\"k\": 1}', places => '{}', form => '[2, \"s\"]', at => '{\"x\": 1, \"y\": "
        "2}',"
        " way => '[]', root => '{\"name\": \"n\", \"below\": [{\"name\": \"m\"}]}', wait => interval '2 seconds 5 "
        "milliseconds',"
        " rest => '2 days 1 hour', tick => '3 microseconds', span => '0.5', \"when\" => '2024-02-29 12:00:00.25+02',"
        " since => '1969-12-31 23:59:59Z')");
    const auto seen = run_all<json_queue<all>, all>(jobs);
    REQUIRE(seen.size() == 1);
    all wanted = other();
    wanted.u64 = UINT64_MAX;
    wanted.f = 0.5F;
    wanted.text = "x\n\"";
    wanted.bytes = {std::byte{0}, std::byte{255}, std::byte{92}, std::byte{10}};
    wanted.tags = {"\xc3\xbc", ""};
    wanted.bits = {true, false, true};
    wanted.three = {3, 2, 1};
    wanted.holes = {std::nullopt, 2};
    wanted.both = {2, "two"};
    wanted.two = {true, 1000.0};
    wanted.counts = {{"k", 1}};
    wanted.form = "s";
    wanted.at = {1, 2};
    wanted.way = {};
    wanted.root = {"n", {{"m", {}}}};
    wanted.wait = 2005ms;
    wanted.rest = 49h;
    wanted.tick = 3us;
    wanted.span = std::chrono::duration<double>{0.5};
    wanted.when = std::chrono::sys_time<std::chrono::milliseconds>{1709200800250ms};
    wanted.since = std::chrono::sys_seconds{-1s};
    CHECK(seen[0] == wanted);
    CHECK(json_of(seen[0]) == json_of(wanted));
}

TEST_CASE("a value that the job type cannot hold is refused with its location and the remedy, and nothing is enqueued",
          "[sql_functions]") {
    const database db;
    test::emit<json_queue<all>>(db);
    const test::sql_connection c{test::dsn(), db.schema()};
    const auto said = [&](const std::string& json) {
        return test::refusal(c, "SELECT {s}.enqueue_all(" + pgq::detail::sql::literal(json) + "::jsonb)");
    };
    using Catch::Matchers::StartsWith;
    CHECK_THAT(said("{\"flags\": true}"),
               StartsWith("22023 $.flags: the job type has no such member (its members are: flag, i8"));
    CHECK_THAT(said("{\"flag\": 1}"), StartsWith("22023 $.flag: expected a boolean, found a number"));
    CHECK_THAT(said("{\"i8\": 128}"), StartsWith("22023 $.i8: the number does not fit (from -128 to 127)"));
    CHECK_THAT(said("{\"u64\": -1}"),
               StartsWith("22023 $.u64: the number does not fit (from 0 to 18446744073709551615)"));
    CHECK_THAT(said("{\"i64\": 1.5}"), StartsWith("22023 $.i64: expected an integer without fraction"));
    CHECK_THAT(said("{\"i64\": \"1\"}"), StartsWith("22023 $.i64: expected an integer, found a string"));
    CHECK_THAT(said("{\"d\": 1e400}"), StartsWith("22023 $.d: the number does not fit"));
    CHECK_THAT(said("{\"f\": 1e39}"), StartsWith("22023 $.f: the number does not fit"));
    CHECK_THAT(said("{\"f\": \"inf\"}"),
               StartsWith("22023 $.f: expected a number, \"NaN\", \"Infinity\" or \"-Infinity\", found a string"));
    CHECK_THAT(said("{\"text\": null}"), StartsWith("22023 $.text: expected a string, found null"));
    CHECK_THAT(said("{\"bytes\": \"AB==\"}"), StartsWith("22023 $.bytes: expected base 64 text"));
    CHECK_THAT(said("{\"bytes\": \"A\"}"), StartsWith("22023 $.bytes: expected base 64 text"));
    CHECK_THAT(said("{\"of\": 256}"), StartsWith("22023 $.of: the number does not fit"));
    CHECK_THAT(said("{\"paint\": 1}"), StartsWith("22023 $.paint: expected a string"));
    CHECK_THAT(said("{\"none\": \"x\"}"), StartsWith("22023 $.none: expected an integer, found a string"));
    CHECK_THAT(said("{\"tags\": [\"a\", 1]}"), StartsWith("22023 $.tags.1: expected a string, found a number"));
    CHECK_THAT(said("{\"three\": [1, 2]}"), StartsWith("22023 $.three: expected 3 elements"));
    CHECK_THAT(said("{\"both\": [1]}"), StartsWith("22023 $.both: expected 2 elements"));
    CHECK_THAT(said("{\"both\": [1, 2]}"), StartsWith("22023 $.both.1: expected a string"));
    CHECK_THAT(said("{\"counts\": {\"secret\": \"x\"}}"), StartsWith("22023 $.counts.0: expected an integer"));
    CHECK_THAT(said("{\"counts\": []}"), StartsWith("22023 $.counts: expected an object, found an array"));
    CHECK_THAT(said("{\"form\": [4, 1]}"), StartsWith("22023 $.form.0: no alternative of the variant has this index"));
    CHECK_THAT(said("{\"form\": [1, \"x\"]}"), StartsWith("22023 $.form.1: expected an integer"));
    CHECK_THAT(said("{\"form\": [99999999999999999999, 1]}"), StartsWith("22023 $.form.0: the number does not fit"));
    CHECK_THAT(said("{\"root\": {\"below\": [{\"below\": [{\"name\": 1}]}]}}"),
               StartsWith("22023 $.root.below.0.below.0.name: expected a string, found a number"));
    CHECK_THAT(said("{\"way\": [{\"x\": 1, \"z\": 2}]}"),
               StartsWith("22023 $.way.0.z: the job type has no such member (its members are: x, y)"));
    CHECK_THAT(said("[]"), StartsWith("22023 $: expected an object, found an array"));
    std::string deep = "{}";
    for (int i = 0; i < 20; ++i) deep = "{\"below\": [" + deep + "]}";
    CHECK(said("{\"root\": " + deep + "}").find(".below.0.below: nested too deeply (") != std::string::npos);
    CHECK_THAT(test::refusal(c, "SELECT {s}.enqueue_all(NULL)"), StartsWith("22023 $: expected an object, found null"));
    CHECK_THAT(test::refusal(c, "SELECT {s}.enqueue_all('{}', text => 'x')"),
               StartsWith("22023 both a payload and members of it"));
    CHECK_THAT(test::refusal(c, "SELECT {s}.enqueue_all(text => NULL)"),
               StartsWith("22023 $.text: expected a string, found null"));
    CHECK_THAT(test::refusal(c, "SELECT {s}.enqueue_all(wait => '1 month')"),
               StartsWith("22023 $.wait: a month has no length of its own"));
    CHECK_THAT(test::refusal(c, "SELECT {s}.enqueue_all(since => '2024-01-01 00:00:00.5Z')"),
               StartsWith("22023 $.since: finer than the job type counts"));
    CHECK_THAT(test::refusal(c, "SELECT {s}.enqueue_all(priority => 40000)"), StartsWith("22023 priority:"));
    CHECK_THAT(test::refusal(c, "SELECT {s}.enqueue_all(headers => '{\"a\": 1}')"),
               StartsWith("22023 headers.a: expected a string"));
    CHECK_THAT(test::refusal(c, "SELECT {s}.enqueue_all(headers => '[]')"),
               StartsWith("22023 headers: expected an object"));
    CHECK(db.is_empty());
}

TEST_CASE("a member that is left out has the reader's default, unless the queue or the script requires it",
          "[sql_functions]") {
    const database db;
    using surface::outer;
    SECTION("as the serializer does by default") {
        json_queue<outer> jobs{db.driver()};
        test::emit<json_queue<outer>>(db);
        db.exec("SELECT {s}.enqueue_outer('{\"in\": {\"y\": 1}}')");
        CHECK(stored(db) == "{\"in\":{\"y\":1}}");
        const auto seen = run_all<json_queue<outer>, outer>(jobs);
        REQUIRE(seen.size() == 1);
        CHECK(seen[0].in.x == 50);
        CHECK(seen[0].named == "default");
        CHECK(seen[0].maybe == 3);
    }
    SECTION("with a strict serializer or the strict option") {
        if (GENERATE(true, false)) test::emit<json_queue<outer>>(db, {.require_members = true});
        else {
            using strict = pgq::serializer::basic_json<pgq::serializer::json_options{
                .missing = pgq::serializer::if_missing::fail}>;
            test::emit<pgq::queue<outer, pgq::driver::libpq, strict>>(db);
        }
        const test::sql_connection c{test::dsn(), db.schema()};
        CHECK(test::refusal(c, "SELECT {s}.enqueue_outer('{\"in\": {\"x\": 1, \"y\": 1}}')")
                  .find("$.named: the payload lacks it") != std::string::npos);
        CHECK(test::refusal(c, "SELECT {s}.enqueue_outer('{\"in\": {\"x\": 1}, \"named\": \"\"}')")
                  .find("$.in.y: the payload lacks it") != std::string::npos);
        CHECK(test::refusal(c, "SELECT {s}.enqueue_outer(named => 'x')").find("$.in: the payload lacks it") !=
              std::string::npos);
        CHECK(test::refusal(c, "SELECT {s}.enqueue_outer(named => 'x', \"in\" => '{\"x\": 1, \"y\": 1}')").empty());
        CHECK(stored(db) == "{\"in\":{\"x\":1,\"y\":1},\"named\":\"x\",\"maybe\":3}");
    }
}

TEST_CASE("the options of an enqueue are parameters: priority, times, headers", "[sql_functions]") {
    const database db;
    test::note_queue<> jobs{db.driver()};
    test::emit<test::note_queue<>>(db);
    db.exec("SELECT {s}.enqueue_note('{\"n\": 1}'::jsonb)");
    db.exec("SELECT {s}.enqueue_note(n => 2, expected_at => now() + interval '1 hour')");
    db.exec("SELECT {s}.enqueue_note(n => 3, expected_at => now() + interval '1 minute')");
    db.exec("SELECT {s}.enqueue_note(n => 4, priority => 5, headers => '{\"tenant\": \"a\"}')");
    db.exec("SELECT {s}.enqueue_note(n => 5, priority => -5, expected_at => '-infinity')");
    db.exec("SELECT {s}.enqueue_note(n => 6, run_at => now() - interval '1 hour', priority => -6)");
    db.exec("SELECT {s}.enqueue_note(n => 7, run_at => now() + interval '1 hour')");
    CHECK(
        test::refusal(db.sql(), "SELECT {s}.enqueue_note(n => 8, run_at => 'infinity')").starts_with("22023 run_at:"));
    CHECK(db.query_int("SELECT count(*) FROM {s}.job WHERE state = 'deferred'") == 1);
    test::run_log seen;
    pgq::worker w{
        jobs, {.until = pgq::run_until::empty}, [&](const note& n, const pgq::context& c) { seen.add(n.n, c); }};
    const auto one_at_a_time =
        db.query_text("SELECT string_agg(convert_from(body, 'UTF8'), ' ' ORDER BY rank, id) FROM {s}.ready");
    CHECK(one_at_a_time ==
          "{\"n\":4,\"text\":\"\"} {\"n\":3,\"text\":\"\"} {\"n\":2,\"text\":\"\"} {\"n\":1} {\"n\":5,\"text\":\"\"} "
          "{\"n\":6,\"text\":\"\"}");
    w.run().value();
    CHECK(seen.each_ran_once(6));
    for (const auto& s : seen.all())
        CHECK(s.headers == (s.n == 4 ? std::vector<std::pair<std::string, std::string>>{{"tenant", "a"}}
                                     : std::vector<std::pair<std::string, std::string>>{}));
}

TEST_CASE("SQL and C++ give a job the same rank", "[sql_functions]") {
    const database db;
    test::note_queue<> jobs{db.driver()};
    test::emit<test::note_queue<>>(db);
    const auto priority = GENERATE(std::int16_t{-32768}, std::int16_t{-1}, std::int16_t{0}, std::int16_t{32767});
    const auto deadline = pgq::at(std::chrono::sys_time<std::chrono::milliseconds>{1700000000123ms});
    (void)jobs.enqueue(note{}, {.priority = priority, .expected_at = deadline}).value();
    (void)jobs.enqueue(note{}, {.priority = priority}).value();
    const auto p = std::to_string(priority);
    db.exec("SELECT {s}.enqueue_note(priority => " + p + ", expected_at => to_timestamp(1700000000.123))");
    db.exec("SELECT {s}.enqueue_note(priority => " + p + ")");
    CHECK(db.query_int("SELECT count(DISTINCT rank) FROM {s}.ready") == 2);
    CHECK(db.query_int("SELECT count(DISTINCT body) FROM {s}.ready") == 1);
}

TEST_CASE("an enqueue by SQL wakes a sleeping worker when it commits", "[sql_functions][direct]") {
    const database db;
    test::note_queue<> jobs{db.driver()};
    test::emit<test::note_queue<>>(db);
    test::run_log seen;
    test::running_worker w{jobs, pgq::worker_options{.poll_interval = 10min},
                           [&](const note& n, const pgq::context& c) { seen.add(n.n, c); }};
    REQUIRE(test::eventually([&] { return db.subscribed_workers() == 1; }));
    const test::sql_connection c{test::dsn(), db.schema()};
    (void)c.exec("BEGIN");
    (void)c.exec("SELECT {s}.enqueue_note(n => 1)");
    CHECK(test::always(200ms, [&] { return seen.size() == 0; }));
    (void)c.exec("COMMIT");
    CHECK(test::eventually([&] { return seen.size() == 1; }));
    (void)c.exec("BEGIN");
    (void)c.exec("SELECT {s}.enqueue_note(n => 2)");
    (void)c.exec("ROLLBACK");
    CHECK(test::eventually([&] { return db.is_empty(); }));
    const auto before = std::chrono::steady_clock::now();
    (void)c.exec("SELECT {s}.enqueue_note(n => 3, run_at => now() + interval '300 milliseconds')");
    CHECK(test::eventually([&] { return seen.size() == 2; }));
    CHECK(std::chrono::steady_clock::now() - before < 10s);
    CHECK(seen.runs() == std::map<std::int64_t, int>{{1, 1}, {3, 1}});
}

TEST_CASE("SQL stores the key of a keyed limiter as C++ does", "[sql_functions][limiter]") {
    using surface::keyed;
    namespace limiter = pgq::limiter;
    const database db;
    const auto check = [&]<class Limiter>(std::type_identity<Limiter>, const std::string& of_default,
                                          const std::string& given, const std::string& key) {
        using queue = json_queue<keyed, Limiter>;
        queue jobs{db.driver()};
        test::emit<queue>(db);
        (void)jobs.enqueue(keyed{}).value();
        db.exec("SELECT {s}.enqueue_keyed('{}')");
        db.exec("SELECT {s}.enqueue_keyed()");
        CHECK(db.query_text("SELECT string_agg(key, ',') FROM {s}.ready") ==
              of_default + "," + of_default + "," + of_default);
        db.exec("DELETE FROM {s}.ready");
        db.exec("SELECT {s}.enqueue_keyed(" + given + ")");
        CHECK(db.query_text("SELECT key FROM {s}.ready") == key);
        db.exec("DELETE FROM {s}.ready");
    };
    check(std::type_identity<limiter::serialized_by<&keyed::user>>{}, "nobody", "\"user\" => '\xc3\xbc''; --'",
          "\xc3\xbc'; --");
    check(std::type_identity<limiter::concurrency_by<&keyed::n, 3>>{}, "-7", "'{\"n\": 12e2}'", "1200");
    check(std::type_identity<limiter::all_of<limiter::rate<5>, limiter::serialized_by<&keyed::flag>>>{}, "1",
          "flag => false", "0");
    check(std::type_identity<limiter::serialized_by<&keyed::of>>{}, "200", "\"of\" => 3", "3");
}

TEST_CASE("SQL enqueues into the lane of the present version, with the producer's back-off", "[sql_functions]") {
    const database db;
    using versions = pgq::serializer::versioned<pgq::serializer::json>;
    using queue = pgq::queue<pgq::job<surface::letter_2, pgq::backoff::stored<pgq::backoff::fixed>>, pgq::driver::libpq,
                             versions>;
    queue jobs{db.driver()};
    test::emit<queue>(db);
    (void)jobs.enqueue(surface::letter_2{"a", 2}).value();
    db.exec("SELECT {s}.enqueue_letter(body => 'a', pages => 2)");
    CHECK(db.query_int("SELECT count(DISTINCT (lane, headers::text, body)) FROM {s}.ready") == 1);
    db.exec("SELECT {s}.enqueue_letter(body => 'a', pages => 2, headers => '{\"mine\": \"1\"}')");
    CHECK(db.query_int("SELECT count(*) FROM {s}.ready a JOIN {s}.ready b ON b.headers = a.headers || '{\"mine\": "
                       "\"1\"}' WHERE NOT a.headers ? 'mine'") == 2);
}

TEST_CASE("SQL stores the settings of one job as the program does, and the priority and the delay of its type",
          "[sql_functions][settings]") {
    const database db;
    using queue = pgq::queue<pgq::job<surface::letter_2, pgq::priority<4>, pgq::delay<1h>>, pgq::driver::libpq,
                             pgq::serializer::versioned<pgq::serializer::json>>;
    queue jobs{db.driver()};
    test::emit<queue>(db);
    (void)jobs.enqueue(surface::letter_2{"a", 2}, {.max_attempts = 3, .timeout = 90s}).value();
    db.exec("SELECT {s}.enqueue_letter(body => 'a', pages => 2, max_attempts => 3, timeout => '90 s')");
    CHECK(db.query_int("SELECT count(DISTINCT (lane, rank, headers ->> 'pgq-max-attempts', body)) FROM {s}.deferred"
                       " WHERE run_at BETWEEN now() + interval '59 min' AND now() + interval '61 min'") == 1);
    CHECK(db.query_int("SELECT count(*) FROM {s}.deferred") == 2);
    CHECK(db.query_text("SELECT string_agg(headers ->> 'pgq-timeout', ' ' ORDER BY id) FROM {s}.deferred") ==
          "90s 90000000us");

    db.exec(
        "DELETE FROM {s}.deferred; SELECT {s}.enqueue_letter(body => 'a', pages => 2, priority => 1,"
        " run_at => now(), headers => '{\"mine\": \"1\", \"pgq-max-attempts\": \"9\"}', max_attempts => 2)");
    CHECK(db.query_text("SELECT priority || ' ' || (headers ->> 'mine') || ' ' || (headers ->> 'pgq-max-attempts')"
                        " FROM {s}.job") == "1 1 2");
    const test::sql_connection c{test::dsn(), db.schema()};
    for (const char* wrong : {"max_attempts => 0", "max_attempts => 32768", "timeout => '0 s'", "timeout => '-1 s'"})
        CHECK_THAT(test::refusal(c, "SELECT {s}.enqueue_letter(body => 'a', " + std::string{wrong} + ")"),
                   Catch::Matchers::StartsWith("22023 "));
}

TEST_CASE("a type whose jobs expire, or whose ends are kept by a setting, has no function",
          "[sql_functions][settings]") {
    using expiring = pgq::queue<pgq::job<surface::letter_2, pgq::expires_in<1h>>, pgq::driver::libpq,
                                pgq::serializer::versioned<pgq::serializer::json>>;
    const std::string script = pgq::sql_functions<expiring>().value();
    CHECK(script.find("-- no function for letter: its jobs expire") != std::string::npos);
    CHECK(script.find("enqueue_letter") == std::string::npos);
}

TEST_CASE("a tick, a job type without members, is enqueued by SQL as by the program", "[sql_functions][tick]") {
    using clean_up = pgq::tick<"clean_up">;
    using queue = pgq::queue<pgq::job<clean_up>, pgq::driver::libpq, pgq::serializer::json>;
    const database db;
    queue jobs{db.driver()};
    test::emit<queue>(db);
    jobs.enqueue(clean_up{}).value();
    db.exec("SELECT {s}.enqueue_clean_up()");
    CHECK(db.query_int("SELECT count(*) FROM {s}.ready WHERE convert_from(body, 'UTF8') = '{}'") == 2);
}

TEST_CASE("an option with the same name as a member gets the prefix job_", "[sql_functions]") {
    const database db;
    using queue = pgq::queue<surface::clash, surface::empty, pgq::driver::libpq, pgq::serializer::json>;
    test::emit<queue>(db);
    db.exec("SELECT {s}.enqueue_clash(priority => 9, payload => 'x', job_priority => 3)");
    CHECK(db.query_text("SELECT priority || convert_from(body, 'UTF8') FROM {s}.job") ==
          "3{\"priority\":9,\"payload\":\"x\",\"job_payload\":\"\"}");
    db.exec("DELETE FROM {s}.ready; SELECT {s}.enqueue_clash(job_job_payload => '{\"priority\": 4}')");
    CHECK(stored(db) == "{\"priority\":4}");
    db.exec("DELETE FROM {s}.ready; SELECT {s}.enqueue_empty()");
    CHECK(stored(db) == "{}");
}

TEST_CASE("a role needs only the right to execute, and without it it cannot enqueue", "[sql_functions][rights]") {
    const database db;
    const std::string role = db.schema() + "_web \"x\"", quoted = pgq::statement::quoted(role);
    db.exec("CREATE ROLE " + quoted);
    const auto drop = [&] { db.exec("DROP OWNED BY " + quoted + "; DROP ROLE " + quoted); };
    try {
        const test::sql_connection c{test::dsn(), db.schema()};
        test::emit<test::note_queue<>>(db);
        db.exec("GRANT USAGE ON SCHEMA {s} TO " + quoted);
        (void)c.exec("SET ROLE " + quoted);
        CHECK(test::refusal(c, "SELECT {s}.enqueue_note(n => 1)").substr(0, 5) == "42501");
        test::emit<test::note_queue<>>(db, {.grant_to = {role}});
        CHECK(test::refusal(c, "SELECT {s}.enqueue_note(n => 1)").empty());
        CHECK(test::refusal(c, "SELECT {s}.enqueue('default', 'note', '', '')").substr(0, 5) == "42501");
        CHECK(test::refusal(c, "SELECT * FROM {s}.ready").substr(0, 5) == "42501");
        // A table or function of the caller's schema that has one of our names is not used.
        (void)c.exec(
            "CREATE TEMP TABLE lane (id int, queue text, entrypoint text, version text); SET search_path = pg_temp, "
            "public");
        CHECK(test::refusal(c, "SELECT {s}.enqueue_note(n => 2)").empty());
        CHECK(db.rows("ready") == 2);

        // A replaced function keeps its grants.
        test::emit<test::note_queue<>>(db, {.require_members = true});
        CHECK(test::refusal(c, "SELECT {s}.enqueue_note(n => 3, text => 'x')").empty());
    } catch (...) {
        drop();
        throw;
    }
    drop();
}

TEST_CASE("the script may run again, and replaces only what it has created", "[sql_functions]") {
    const database db;
    const auto functions = [&] {
        return db.query_text(
            "SELECT string_agg(p.oid || obj_description(p.oid, 'pg_proc'), ';' ORDER BY p.oid)"
            " FROM pg_proc p WHERE p.pronamespace = to_regnamespace('{q}') AND p.proname ~ 'enqueue|json_text|ticks'");
    };
    test::emit<test::note_queue<>>(db);
    const auto first = functions();
    test::emit<test::note_queue<>>(db);
    CHECK(functions() == first);
    CHECK(db.query_int("SELECT count(*) FROM {s}.lane") == 1);

    test::emit<test::note_queue<>>(db, {.require_members = true});
    CHECK(functions() != first);
    CHECK(
        db.query_int(
            "SELECT count(*) FROM pg_proc WHERE proname = 'enqueue_note' AND pronamespace = to_regnamespace('{q}')") ==
        1);

    const auto other_queue = test::surface_of<test::note_queue<>>(db, {.queue = "other"});
    CHECK(test::refusal(db.sql(), other_queue).find("is for something else") != std::string::npos);
    db.exec("ROLLBACK");
    test::emit<test::note_queue<>>(db, {.queue = "other", .prefix = "other_"});
    db.exec("SELECT {s}.other_note(n => 1)");
    CHECK(db.query_text("SELECT queue FROM {s}.job") == "other");

    db.exec("CREATE FUNCTION {s}.enqueue_letter(int) RETURNS int LANGUAGE sql AS 'SELECT 1'");
    const auto letters = test::surface_of<json_queue<letter>>(db);
    CHECK(test::refusal(db.sql(), letters).find("is for something else") != std::string::npos);
    CHECK(db.query_int("SELECT {s}.enqueue_letter(1)") == 1);
}

TEST_CASE("the functions may live in a separate schema with any name", "[sql_functions][names]") {
    const std::string base = test::fresh_schemas::next();
    const database db{base + " \"jobs\" 'j' {f} \\ \xc3\xbc $pgq$"};
    const std::string mine = base + " 'f' \"x\" {jl} %";
    test::note_queue<> jobs{db.driver(), {.name = "qu'eue \\ {f} \n $pgq$ \xf0\x9f\x90\x98 %s"}};
    test::emit<test::note_queue<>>(db, {.queue = jobs.name(), .schema = mine});
    db.exec("SELECT " + pgq::statement::quoted(mine) + ".enqueue_note(n => 1)");
    CHECK(jobs.counts<note>().value().ready == 1);
    const auto seen = run_all<test::note_queue<>, note>(jobs);
    REQUIRE(seen.size() == 1);
    CHECK(seen[0].n == 1);
    db.exec("DROP SCHEMA " + pgq::statement::quoted(mine) + " CASCADE");
}

TEST_CASE("the functions accept exactly the input that the C++ serializer reads", "[sql_functions]") {
    const database db;
    test::emit<json_queue<all>>(db);
    const test::sql_connection c{test::dsn(), db.schema()};
    const std::vector<std::string> values = {"null",
                                             "true",
                                             "0",
                                             "-1",
                                             "7",
                                             "1.25",
                                             "128",
                                             "256",
                                             "65536",
                                             "4294967296",
                                             "-9223372036854775809",
                                             "18446744073709551616",
                                             "1e39",
                                             "\"\"",
                                             "\"AA==\"",
                                             "\"NaN\"",
                                             "[]",
                                             "[1]",
                                             "[1,2,3]",
                                             "[0,null]",
                                             "[1,\"x\"]",
                                             "[2,\"x\"]",
                                             "[3,{\"x\":1}]",
                                             "[9,0]",
                                             "[true,2]",
                                             "[\"a\"]",
                                             "[[1],[2]]",
                                             "{}",
                                             "{\"x\":1}",
                                             "{\"name\":\"n\",\"below\":[{}]}",
                                             "{\"below\":{}}",
                                             "{\"k\":{\"y\":2}}"};
    const std::vector<std::string> members = {
        "flag",   "i8",   "u8",   "i16",   "u16",  "i32",  "u32",  "i64",   "u64",   "f",    "d",    "text",
        "bytes",  "of",   "sure", "maybe", "none", "tags", "bits", "three", "holes", "both", "two",  "counts",
        "places", "form", "at",   "way",   "root", "wait", "rest", "tick",  "span",  "when", "since"};
    const pgq::serializer::basic_json<pgq::serializer::json_options{.unknown = pgq::serializer::if_unknown::fail}>
        strict;
    int taken = 0, refused = 0;
    for (const auto& member : members)
        for (const auto& value : values) {
            const std::string json = "{\"" + member + "\":" + value + "}";
            INFO(json);
            all job;
            const bool readable = strict.read(json, job).has_value();
            const std::string why = test::refusal(c, "SELECT {s}.enqueue_all(" + pgq::detail::sql::literal(json) + ")");
            CHECK(why.empty() == readable);
            if (!why.empty()) {
                ++refused;
                CHECK(why.find("22023 $." + member) == 0);
                continue;
            }
            ++taken;
            all again;
            REQUIRE(strict.read(stored(db), again));
            CHECK(json_of(again) == json_of(job));
            db.exec("DELETE FROM {s}.ready");
        }
    CHECK(taken > 150);
    CHECK(refused > 600);
}

TEST_CASE("a script for a database without the schema reports that", "[sql_functions]") {
    const database db;
    const auto script = pgq::sql_functions<test::note_queue<>>({.jobs_schema = db.schema() + "_not_here"}).value();
    CHECK(test::refusal(db.sql(), script).substr(0, 42) == "3F000 there are no pgq tables in the schem");
}

TEST_CASE("the general function enqueues any bytes into any lane, and creates the lane if it is missing",
          "[sql_functions]") {
    const database db;
    test::note_queue<> jobs{db.driver(), {.name = "red"}};
    test::emit<test::note_queue<>>(db);
    db.exec("SELECT {s}.enqueue('red', 'note', '', convert_to('{\"n\":7}', 'UTF8'), priority => 2)");
    const auto seen = run_all<test::note_queue<>, note>(jobs);
    REQUIRE(seen.size() == 1);
    CHECK(seen[0].n == 7);
    const test::sql_connection c{test::dsn(), db.schema()};
    CHECK(test::refusal(c, "SELECT {s}.enqueue('', 'note', '', '')").substr(0, 5) == "22023");
    CHECK(test::refusal(c, "SELECT {s}.enqueue('q', repeat('x', 256), '', '')").substr(0, 5) == "22023");
    CHECK(test::refusal(c, "SELECT {s}.enqueue('q', 'e', '', NULL)").substr(0, 5) == "22004");
}

}  // namespace integration_sql_functions
