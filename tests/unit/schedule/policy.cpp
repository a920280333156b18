#include <pgq/driver/memory.hpp>
#include <pgq/executor/in_place.hpp>
#include <pgq/job/tick.hpp>
#include <pgq/scheduler.hpp>
#include <pgq/serializer/json.hpp>
#include <pgq/serializer/nlohmann.hpp>
#include <pgq/time/manual_clock.hpp>
#include <pgq/unique_by.hpp>
#include <pgq/worker.hpp>

#include "support/catch.hpp"
#include "support/eventually.hpp"
#include "support/fake_session.hpp"
#include "support/jobs.hpp"
#include "support/running_on_thread.hpp"

#include <atomic>
#include <chrono>
#include <mutex>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

namespace unit_schedule_policy {

using namespace std::chrono_literals;
using pgq::errc;
using pgq::time_point;
using test::eventually;
using test::letter;
using test::note;

namespace {

using clean_up = pgq::tick<"clean up">;

using queue =
    pgq::queue<pgq::job<note, pgq::attempts<2>, pgq::schedule::cron<"*/5 * * * *">>, letter,
               pgq::job<clean_up, pgq::schedule::cron<"@hourly">>, pgq::driver::memory, pgq::serializer::json>;

constexpr time_point midnight = std::chrono::sys_days{std::chrono::year{2026} / 11 / 29};

struct fixture {
    pgq::manual_clock clock{midnight + 1min};
    pgq::driver::memory driver = pgq::driver::memory::with_clock(clock);
    queue jobs{driver};
};

/// The ticks that handlers have seen.
class ticks {
public:
    void add(const pgq::context& c) {
        const std::lock_guard lock{mutex_};
        all_.push_back(c.scheduled_at());
    }
    std::vector<std::optional<time_point>> all() const {
        const std::lock_guard lock{mutex_};
        return all_;
    }

private:
    mutable std::mutex mutex_;
    std::vector<std::optional<time_point>> all_{};
};

/// A schedule policy of the program.
struct mine {
    using policy_category = pgq::schedule_tag;
    static constexpr std::string_view expression = "@hourly";
    static void set(pgq::schedule_options& o) {
        o.name = "mine";
        o.job.priority = 7;
    }
};
struct wrong : mine {
    static void set(pgq::schedule_options& o) { o.jitter = -1s; }
};

}  // namespace

TEST_CASE("a worker fires the schedules of its job types, and its handlers see the ticks", "[schedule][policy]") {
    fixture f;
    ticks notes, clean_ups;
    pgq::worker w{f.jobs,
                  [&](const note& n, const pgq::context& c) {
                      CHECK(n.n == 0);
                      notes.add(c);
                  },
                  [](const letter&) {}, [&](const clean_up&, const pgq::context& c) { clean_ups.add(c); }};
    test::running_on_thread runs{w};
    pgq::scheduler s{f.jobs};
    REQUIRE(eventually([&] { return s.list().value().size() == 2; }));
    f.clock.advance(5min);
    REQUIRE(eventually([&] { return notes.all().size() == 1; }));
    f.clock.advance(55min);
    REQUIRE(eventually([&] { return notes.all().size() == 2 && clean_ups.all().size() == 1; }));
    CHECK(runs.stop().has_value());
    CHECK(notes.all() == std::vector<std::optional<time_point>>{midnight + 5min, midnight + 1h});
    CHECK(clean_ups.all() == std::vector<std::optional<time_point>>{midnight + 1h});
    const auto stored = s.list().value();
    CHECK(stored[0].name == "clean up");
    CHECK(stored[0].expression == "@hourly");
    CHECK(stored[1].name == "note");
    CHECK(stored[1].zone == "UTC");
}

TEST_CASE("a worker that has ended fires nothing more", "[schedule][policy]") {
    fixture f;
    pgq::worker w{f.jobs, {.until = pgq::run_until::empty}, [](const auto&) {}};
    REQUIRE(w.run().has_value());
    pgq::scheduler s{f.jobs};
    REQUIRE(s.list().value().size() == 2);  // it has stored them, however short its run was
    f.clock.advance(1h);
    CHECK(f.jobs.counts<note>().value().ready == 0);
    CHECK_FALSE(s.list().value()[0].fired_at.has_value());
    std::stop_source stopped;
    stopped.request_stop();
    CHECK(w.run(stopped.get_token()).has_value());
}

TEST_CASE("a worker stores only the schedules of the job types that it serves", "[schedule][policy]") {
    fixture f;
    pgq::scheduler s{f.jobs};
    pgq::worker letters{pgq::serving<letter>(f.jobs), {.until = pgq::run_until::empty}, [](const letter&) {}};
    REQUIRE(letters.run().has_value());
    CHECK(s.list().value().empty());
    pgq::worker clean{pgq::serving<letter, clean_up>(f.jobs), {.until = pgq::run_until::empty}, [](const auto&) {}};
    REQUIRE(clean.run().has_value());
    REQUIRE(s.list().value().size() == 1);
    CHECK(s.list().value()[0].name == "clean up");
}

TEST_CASE("a worker with a schedule also fires those that other programs have declared", "[schedule][policy]") {
    fixture f;
    pgq::scheduler other{f.jobs};
    REQUIRE(other.every<"* * * * *">(letter{7}, {.name = "of another program"}).has_value());
    REQUIRE(other.declare().has_value());
    std::atomic<int> letters{0};
    pgq::worker w{pgq::serving<letter, clean_up>(f.jobs), [&](const letter& l) { letters += l.n == 7; },
                  [](const clean_up&) {}};
    test::running_on_thread runs{w};
    REQUIRE(eventually([&] { return other.list().value().size() == 2; }));
    f.clock.advance(1min);
    CHECK(eventually([&] { return letters == 2; }));  // one for the minute in which it was declared
    CHECK(runs.stop().has_value());
}

TEST_CASE("a worker with a schedule that cannot start returns the error and claims nothing", "[schedule][policy]") {
    fixture f;
    REQUIRE(f.jobs.enqueue(letter{}).has_value());
    const pgq::queue_names all = pgq::queue_names::all();
    pgq::worker many{f.jobs, {.until = pgq::run_until::empty, .queues = &all}, [](const auto&) {}};
    CHECK(many.run().error() == errc::invalid_option);
    CHECK(f.jobs.counts<letter>().value().ready == 1);
}

TEST_CASE("the options of a scheduled job type are stored, in any order; without them they have their defaults",
          "[schedule][policy]") {
    namespace s = pgq::schedule;
    using options_queue =
        pgq::queue<pgq::job<note, s::cron<"0 3 * * *", s::overlap<pgq::overlap::cancel_running>, s::all_missed<60, 4h>,
                                          s::zone<"-03:30">, s::jitter<90s>>>,
                   pgq::job<letter, s::cron<"@daily", s::zone<"UTC">, s::skip_missed>>,
                   pgq::job<clean_up, s::cron<"@daily", s::all_missed<1000>, s::overlap<pgq::overlap::skip>>>,
                   pgq::driver::memory, pgq::serializer::json>;
    options_queue jobs;
    pgq::worker w{jobs, {.until = pgq::run_until::empty}, [](const auto&) {}};
    REQUIRE(w.run().has_value());
    const auto all = pgq::scheduler{jobs}.list().value();
    REQUIRE(all.size() == 3);
    CHECK(all[0].name == "clean up");
    CHECK(all[0].missed_count == 1000);
    CHECK_FALSE(all[0].missed_age);
    CHECK(all[0].overlap == pgq::overlap::skip);
    CHECK(all[1].name == "letter");
    CHECK(all[1].zone == "UTC");
    CHECK(all[1].jitter == 0s);
    CHECK(all[1].missed_count == 1);
    CHECK(all[1].missed_age == 1min);
    CHECK(all[1].overlap == pgq::overlap::allow);
    CHECK(all[2].name == "note");
    CHECK(all[2].zone == "-03:30");
    CHECK(all[2].jitter == 90s);
    CHECK(all[2].missed_count == 60);
    CHECK(all[2].missed_age == 4h);
    CHECK(all[2].overlap == pgq::overlap::cancel_running);
}

TEST_CASE("a schedule policy of the program sets its own options, and wrong ones keep the worker from starting",
          "[schedule][policy]") {
    pgq::queue<pgq::job<note, mine>, pgq::driver::memory, pgq::serializer::json> good;
    pgq::worker w{good, {.until = pgq::run_until::empty}, [](const note&) {}};
    REQUIRE(w.run().has_value());
    CHECK(pgq::scheduler{good}.list().value().at(0).name == "mine");
    pgq::queue<pgq::job<note, wrong>, pgq::driver::memory, pgq::serializer::json> bad;
    pgq::worker never{bad, {.until = pgq::run_until::empty}, [](const note&) {}};
    CHECK(never.run().error() == errc::invalid_option);
    CHECK(pgq::scheduler{bad}.list().value().empty());
}

TEST_CASE("the order of the policies of a job type means nothing, also of a schedule", "[schedule][policy]") {
    using first = pgq::queue<pgq::job<note, pgq::schedule::cron<"@daily">, pgq::attempts<2>>, pgq::driver::memory,
                             pgq::serializer::json>;
    using second = pgq::queue<pgq::serializer::json, pgq::driver::memory,
                              pgq::job<note, pgq::attempts<2>, pgq::schedule::cron<"@daily">>>;
    using without = pgq::queue<pgq::job<note, pgq::attempts<2>>, pgq::driver::memory, pgq::serializer::json>;
    STATIC_REQUIRE(std::is_same_v<first::composition_type, second::composition_type>);
    STATIC_REQUIRE(pgq::detail::scheduled_jobs_t<first>::size == 1);
    STATIC_REQUIRE(pgq::detail::scheduled_jobs_t<without>::size == 0);
}

TEST_CASE("a tick is a job of an empty object in JSON and MessagePack", "[schedule][tick]") {
    std::string json, other;
    REQUIRE(pgq::serializer::json{}.write(clean_up{}, json).has_value());
    CHECK(json == "{}");
    REQUIRE(pgq::serializer::nlohmann{}.write(clean_up{}, other).has_value());
    CHECK(other == "{}");
    clean_up read;
    CHECK(pgq::serializer::json{}.read("{}", read).has_value());
    CHECK(pgq::serializer::nlohmann{}.read("{}", read).has_value());
    STATIC_REQUIRE(pgq::entrypoint_of<clean_up> == "clean up");
}

}  // namespace unit_schedule_policy
