#include <pgq/backoff/none.hpp>
#include <pgq/limiter/concurrency_by.hpp>
#include <pgq/limiter/global_concurrency.hpp>
#include <pgq/worker.hpp>

#include <support/catch.hpp>
#include <support/claiming_session.hpp>
#include <support/database.hpp>
#include <support/eventually.hpp>
#include <support/jobs.hpp>

#include <algorithm>
#include <array>
#include <atomic>
#include <barrier>
#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <stdexcept>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

namespace scenarios_names {

using namespace std::chrono_literals;
using test::database;
using test::note;

namespace naming {

struct parcel {
    static constexpr std::string_view entrypoint =
        "p\"ar'c;el\\ %s {s} {q} $1 \n\t \xc3\xbc\xe2\x82\xac\xf0\x9f\x90\x98 --";
    std::string key{};
    std::int64_t n = 0;
};

// 255 bytes, the longest name that is allowed.
#define PGQ_FIFTEEN "\xe2\x82\xac\xe2\x82\xac\xe2\x82\xac\xe2\x82\xac\xe2\x82\xac"
#define PGQ_SEVENTY_FIVE PGQ_FIFTEEN PGQ_FIFTEEN PGQ_FIFTEEN PGQ_FIFTEEN PGQ_FIFTEEN
struct crate {
    static constexpr std::string_view entrypoint =
        PGQ_SEVENTY_FIVE PGQ_SEVENTY_FIVE PGQ_SEVENTY_FIVE PGQ_FIFTEEN PGQ_FIFTEEN;
    std::int64_t n = 0;
};
static_assert(crate::entrypoint.size() == 255);

std::string repeated(std::string_view text, int times) {
    std::string all;
    while (times-- > 0) all += text;
    return all;
}

/// Names that broke other queues.
std::vector<std::string> odd_names() {
    return {" with spaces ",
            "qu\"ote'; DROP SCHEMA public; --",
            "''\"\"",
            "100%% %s %n $1 $$ {s} {q} :name",
            "back\\slash \\n \\' E'\\\\",
            "line\nbreak\ttab\rreturn \x01\x7f",
            "a/b#c?d=e&f",
            "NULL",
            repeated("a", 64),
            repeated("\xc3\xbc", 40),
            repeated("\xf0\x9f\x90\x98", 63) + "abc",
            repeated("\"", 255),
            "\xd7\xa9\xd7\x9c\xd7\x95\xd7\x9d \xe2\x80\xae \xef\xbf\xbf"};
}

}  // namespace naming

}  // namespace scenarios_names

BOOST_HANA_ADAPT_STRUCT(scenarios_names::naming::parcel, key, n);
BOOST_HANA_ADAPT_STRUCT(scenarios_names::naming::crate, n);

namespace scenarios_names {

namespace {

using naming::crate;
using naming::odd_names;
using naming::parcel;

using parcel_queue = pgq::queue<pgq::job<parcel, pgq::limiter::serialized_by<&parcel::key>>,
                                pgq::job<crate, pgq::limiter::global_concurrency<2>>, pgq::driver::libpq,
                                pgq::serializer::json, pgq::backoff::none>;

using headers = std::vector<std::pair<std::string, std::string>>;

}  // namespace

TEST_CASE("a queue, a key or a header may have any UTF-8 name, and all calls work with it",
          "[scenario][names][pq-21][pgjobq-bug-16][direct]") {
    const database db;
    for (const std::string& name : odd_names()) {
        INFO(name);
        parcel_queue jobs{db.driver(), {.name = name}};
        test::run_log seen;
        std::atomic<bool> broken{true};
        test::running_worker w{jobs, pgq::worker_options{.max_attempts = 1, .poll_interval = 10min},
                               [&](const parcel& p, const pgq::context& c) {
                                   seen.add(p.n, c, p.key);
                                   if (p.n == 2 && broken) throw std::runtime_error{name};
                               },
                               [&](const crate& k, const pgq::context& c) { seen.add(k.n, c); }};
        const auto asleep = [&] { return db.subscribed_workers() == 1; };
        REQUIRE(test::eventually(asleep));
        const std::array own{pgq::header{name, name}, pgq::header{"other", ""}};
        (void)jobs.enqueue(parcel{name, 1}, {.priority = 3, .headers = own}).value();
        REQUIRE(test::eventually([&] { return seen.size() == 1 && db.is_empty() && asleep(); }));
        const auto first = seen.all()[0];
        CHECK(first.text == name);
        auto found = first.headers;
        std::sort(found.begin(), found.end());
        headers wanted{{name, name}, {"other", ""}};
        std::sort(wanted.begin(), wanted.end());
        CHECK(found == wanted);

        const auto bad = jobs.enqueue(parcel{name, 2}).value();
        REQUIRE(test::eventually([&] { return jobs.counts<parcel>().value().held == 1; }));
        const auto held = jobs.held<parcel>().value();
        REQUIRE(held.size() == 1);
        CHECK(held[0].id == bad);
        CHECK(held[0].reason.find(name) != std::string::npos);
        CHECK(db.query_text("SELECT queue FROM {s}.job") == name);
        broken = false;
        REQUIRE(test::eventually(asleep));
        CHECK(jobs.requeue(bad).value() == 1);
        CHECK(test::eventually([&] { return db.is_empty(); }));

        (void)jobs.enqueue(crate{3}).value();
        CHECK(test::eventually([&] { return seen.size() == 4; }));
        const auto limits = jobs.limits().value();
        REQUIRE(limits.size() == 2);
        for (auto limit : limits) {
            CHECK((limit.entrypoint == crate::entrypoint || limit.entrypoint == parcel::entrypoint));
            limit.limit.amount = 7;
            CHECK(jobs.change_limit(limit).has_value());
        }
        CHECK(w.stop().has_value());
        CHECK(db.is_empty());
    }
    CHECK(db.query_int("SELECT count(*) FROM {s}.lane_limit WHERE amount = 7") ==
          2 * static_cast<std::int64_t>(odd_names().size()));
}

TEST_CASE("names that differ in case, spaces or Unicode form are different queues", "[scenario][names]") {
    const database db;
    std::vector<std::string> names = {"name",        "Name",         "name ", " name",
                                      "n\xc3\xa4me", "na\xcc\x88me", "na.me", "na_me"};
    std::vector<std::unique_ptr<parcel_queue>> all;
    for (const auto& name : names)
        all.push_back(std::make_unique<parcel_queue>(db.driver(), pgq::queue_options{.name = name}));
    for (std::size_t i = 0; i < all.size(); ++i)
        (void)all[i]->enqueue(parcel{names[i], static_cast<std::int64_t>(i)}).value();
    for (std::size_t i = 0; i < all.size(); ++i) {
        test::run_log seen;
        test::run_until_empty(
            *all[i], {}, [&](const parcel& p, const pgq::context& c) { seen.add(p.n, c, p.key); }, [](const crate&) {});
        REQUIRE(seen.size() == 1);
        CHECK(seen.all()[0].text == names[i]);
    }
    CHECK(db.is_empty());
}

TEST_CASE("an invalid name is refused, and no lane is created", "[scenario][names]") {
    const database db;
    for (const std::string& name : {std::string{}, std::string(256, 'x'), std::string("a\0b", 3), std::string{"\xff"},
                                    std::string{"\xc3"}, std::string{"\xed\xa0\x80"}}) {
        parcel_queue jobs{db.driver(), {.name = name}};
        CHECK(jobs.enqueue(parcel{}).error() == pgq::errc::invalid_name);
        CHECK(jobs.lanes().error() == pgq::errc::invalid_name);
    }
    parcel_queue jobs{db.driver()};
    for (const std::string& key : {std::string("a\0b", 3), std::string{"\xff"}})
        CHECK_FALSE(jobs.enqueue(parcel{key, 1}));
    CHECK(db.rows("lane") <= 2);
    // The size of an index entry depends on how well it compresses. The limit for a key does not.
    CHECK(jobs.enqueue(parcel{std::string(2049, 'x'), 1}).error() == pgq::errc::invalid_name);
    CHECK(db.is_empty());
    std::string longest;
    for (unsigned i = 1; longest.size() < 2048; ++i) longest += static_cast<char>('!' + i * i * 2654435761u % 90);
    CHECK(jobs.enqueue(parcel{longest, 1}).has_value());
}

TEST_CASE("jobs with one odd key run one at a time, and jobs with different keys run at once",
          "[scenario][names][limiter]") {
    const database db;
    parcel_queue jobs{db.driver(), {}, pgq::executor::thread_pool{8}};
    std::vector<parcel> work;
    for (int round = 0; round < 6; ++round)
        for (const std::string& key : odd_names()) work.push_back({key, round});
    (void)jobs.enqueue(work).value();
    std::mutex mutex;
    std::map<std::string, int> running;
    std::map<std::string, std::vector<std::int64_t>> order;
    int most_of_one = 0;
    std::size_t most = 0, now = 0;
    test::run_until_empty(
        jobs, {},
        [&](const parcel& p, const pgq::context& c) {
            {
                const std::lock_guard lock{mutex};
                most_of_one = std::max(most_of_one, ++running[p.key]);
                most = std::max(most, ++now);
                order[p.key].push_back(p.n);
            }
            (void)test::always(5ms, [&] { return !c.stop_token().stop_requested(); });
            const std::lock_guard lock{mutex};
            --running[p.key];
            --now;
        },
        [](const crate&) {});
    CHECK(db.is_empty());
    CHECK(most_of_one == 1);
    CHECK(most > 1);
    CHECK(order.size() == odd_names().size());
    for (const auto& [key, rounds] : order) CHECK(std::is_sorted(rounds.begin(), rounds.end()));
}

TEST_CASE("installations with odd schema names in one database share no job, wake-up, lock, limit or id",
          "[scenario][names][pq-25][direct]") {
    const std::string base = test::fresh_schemas::next();
    const database plain{base + "_A"};
    const database lower{base + "_a"};
    const database odd{base + "\"'; {s} \\ % \xf0\x9f\x90\x98"};
    const database longest{base + std::string(63 - base.size(), '"')};
    const std::array<const database*, 4> all{&plain, &lower, &odd, &longest};
    using queue =
        pgq::queue<pgq::job<note, pgq::limiter::global_concurrency<1>>, pgq::driver::libpq, pgq::serializer::json>;

    std::vector<std::unique_ptr<queue>> jobs;
    std::vector<std::unique_ptr<test::run_log>> seen;
    std::vector<std::unique_ptr<test::gate>> gates;
    using handler = std::function<void(const note&, const pgq::context&)>;
    std::vector<std::unique_ptr<test::running_worker<queue, handler>>> workers;
    for (const auto* db : all) {
        jobs.push_back(std::make_unique<queue>(db->driver()));
        seen.push_back(std::make_unique<test::run_log>());
        gates.push_back(std::make_unique<test::gate>());
        workers.push_back(std::make_unique<test::running_worker<queue, handler>>(
            *jobs.back(), pgq::worker_options{.poll_interval = 10min},
            [d = seen.back().get(), g = gates.back().get()](const note& n, const pgq::context& c) {
                d->add(n.n, c);
                (void)g->pass(c);
            }));
    }
    for (const auto* db : all) REQUIRE(test::eventually([&] { return db->subscribed_workers() == 1; }));
    test::claiming_session listener{plain, jobs[0]->lanes().value()};
    listener.subscribe_wakes();

    // One job runs in each: a limit of one counts per installation.
    for (std::size_t i = 1; i < all.size(); ++i) {
        (void)jobs[i]->enqueue(note{.n = static_cast<std::int64_t>(i)}).value();
        CHECK(test::eventually([&] { return gates[i]->waiting() == 1; }));
        CHECK(jobs[i]->enqueue(note{.n = 10}).has_value());
    }
    CHECK_FALSE(listener.receives_wake(200ms));
    CHECK(plain.rows("ready") + plain.leased() == 0);
    CHECK(seen[0]->size() == 0);

    // Each installation counts its own ids: id 2 is a different job in each.
    CHECK(jobs[0]->cancel(pgq::job_id{2}).value().removed == 0);
    CHECK(jobs[1]->cancel(pgq::job_id{2}).value().removed == 1);
    CHECK(jobs[2]->counts<note>().value().ready == 1);
    for (auto& g : gates) g->open();
    CHECK(test::eventually([&] { return seen[1]->size() == 1 && seen[2]->size() == 2 && seen[3]->size() == 2; }));
    for (auto& w : workers) CHECK(w->stop().has_value());
    for (const auto* db : all) CHECK(db->is_empty());
}

TEST_CASE("four programs may install at once, more than once, while workers run and jobs arrive",
          "[scenario][names][pgjobq-1]") {
    const database db;
    test::note_queue<> jobs{db.driver()};
    test::run_log seen;
    test::running_worker w{jobs, pgq::worker_options{},
                           [&](const note& n, const pgq::context& c) { seen.add(n.n, c); }};
    std::atomic<int> failed{0};
    {
        std::barrier start{5};
        std::vector<std::jthread> programs;
        for (int i = 0; i < 4; ++i)
            programs.emplace_back([&] {
                start.arrive_and_wait();
                for (int round = 0; round < 5; ++round)
                    if (!db.driver().install()) ++failed;
            });
        start.arrive_and_wait();
        for (std::int64_t n = 0; n < 200; ++n) (void)jobs.enqueue(note{.n = n}).value();
    }
    CHECK(failed == 0);
    CHECK(test::eventually([&] { return seen.size() == 200 && db.is_empty(); }));
    CHECK(seen.each_ran_once(200));
    CHECK(w.stop().has_value());
}

}  // namespace scenarios_names
