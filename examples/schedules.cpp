// run:
#include <pgq/driver/libpq.hpp>
#include <pgq/pgq.hpp>
#include <pgq/serializer/json.hpp>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <stop_token>
#include <string>
#include <string_view>
#include <thread>

using namespace std::chrono_literals;

namespace app {
struct clean_up {
    static constexpr std::string_view entrypoint = "clean_up";
    int keep_days = 30;
};
struct report {
    static constexpr std::string_view entrypoint = "report";
    std::string of{};
};
struct pulse {
    static constexpr std::string_view entrypoint = "pulse";
    int source = 0;
};
using queue =
    pgq::queue<pgq::job<clean_up>, pgq::job<report>, pgq::job<pulse>, pgq::driver::libpq, pgq::serializer::json>;

using nightly = pgq::tick<"nightly">;  // a job type without data
using timed_queue =
    pgq::queue<pgq::job<nightly, pgq::schedule::cron<"0 3 * * *">>, pgq::job<pulse, pgq::schedule::cron<"@every 1s">>,
               pgq::driver::libpq, pgq::serializer::json>;
}  // namespace app
BOOST_HANA_ADAPT_STRUCT(app::clean_up, keep_days);
BOOST_HANA_ADAPT_STRUCT(app::report, of);
BOOST_HANA_ADAPT_STRUCT(app::pulse, source);

namespace {

void declare(pgq::scheduler<app::queue>& schedules, const std::string& from_a_file) {
    schedules.every<"0 3 * * *">(app::clean_up{.keep_days = 30}).value();  // the compiler checks it
    schedules.every(from_a_file, app::report{"sales"}, {.name = "sales report", .zone = "+01:00"}).value();
    schedules.every(1s, app::pulse{}).value();
}

void print(pgq::scheduler<app::queue>& schedules) {
    for (const pgq::stored_schedule& s : schedules.list().value()) {
        const std::time_t next = s.next_at ? std::chrono::system_clock::to_time_t(*s.next_at) : 0;
        std::printf("%s: %s (%s)%s, next %s", s.name.c_str(), s.expression.c_str(), s.zone.c_str(),
                    s.paused_at ? ", paused" : "", std::ctime(&next));
    }
}

void print_tick(const app::pulse&, const pgq::context& c) {
    const pgq::time_point tick = *c.scheduled_at();  // also if the job starts late, or again
    std::printf("pulse of second %lld\n", static_cast<long long>(tick.time_since_epoch() / 1s));
}

void work_on_schedule(const std::string& conninfo) {
    app::timed_queue jobs{pgq::driver::libpq{conninfo}, {.name = "example of scheduled job types"}};
    std::stop_source enough;
    pgq::worker w{jobs, [](const app::nightly&) { std::puts("good night"); },
                  [&](const app::pulse& p, const pgq::context& c) {
                      print_tick(p, c);
                      enough.request_stop();
                  }};
    w.run(enough.get_token()).value();

    pgq::scheduler schedules{jobs};
    for (const auto* name : {"nightly", "pulse"}) schedules.remove(name).value();
}

}  // namespace

// schedules [CONNECTION-STRING]
int main(int argc, char** argv) try {
    const char* dsn = std::getenv("PGQ_DSN");
    const std::string conninfo = argc > 1 ? argv[1] : dsn != nullptr ? dsn : "";
    app::queue jobs{pgq::driver::libpq{conninfo}, {.name = "example of schedules"}};
    jobs.install().value();

    pgq::scheduler schedules{jobs};
    declare(schedules, "*/15 8-18 * * MON-FRI");
    const std::jthread runs{[&](std::stop_token stop) { schedules.run(stop).value(); }};

    std::stop_source enough;
    int pulses = 0;
    pgq::worker w{
        jobs,
        [](const app::clean_up& c) { std::printf("deleting what is older than %d days\n", c.keep_days); },
        [](const app::report& r) { std::printf("report of %s\n", r.of.c_str()); },
        [&](const app::pulse& p, const pgq::context& c) {
            print_tick(p, c);
            if (++pulses == 2) enough.request_stop();
        },
    };
    w.run(enough.get_token()).value();

    schedules.pause("clean_up", "while the archive moves").value();
    schedules.resume("clean_up").value();
    schedules.fire_now("clean_up").value();  // now, beside its ticks
    print(schedules);
    for (const auto* name : {"clean_up", "sales report", "pulse"}) schedules.remove(name).value();

    work_on_schedule(conninfo);
} catch (const pgq::failure& e) {
    std::fprintf(stderr, "schedules: %s\n", e.info().text().c_str());
    return 1;
}
