// Takes jobs without a worker: at once, after a wait, in a loop, by a filter, and under a lease.

#include <pgq/driver/libpq.hpp>
#include <pgq/job/filter.hpp>
#include <pgq/pgq.hpp>
#include <pgq/serializer/json.hpp>

#include <array>
#include <chrono>
#include <cstdio>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

using namespace std::chrono_literals;

namespace app {
struct apple {
    static constexpr std::string_view entrypoint = "apple";
    std::string kind{};
};
}  // namespace app
BOOST_HANA_ADAPT_STRUCT(app::apple, kind);

using apples = pgq::queue<app::apple, pgq::driver::libpq, pgq::serializer::json>;

namespace {

void eat(const app::apple& a) { std::printf("umm, %s apples taste good\n", a.kind.c_str()); }

void get_one(apples& queue) {
    (void)queue.enqueue(app::apple{"Cox"}).value();
    (void)queue.enqueue(app::apple{"Arthur Turner"}).value();
    (void)queue.enqueue(app::apple{"Golden Delicious"}).value();

    if (auto job = queue.get<app::apple>().value()) eat(**job);                   // waits a second for one
    if (auto job = queue.get<app::apple>({.timeout = 0s}).value()) eat(**job);    // does not wait
    if (auto job = queue.get<app::apple>({.timeout = 1min}).value()) eat(**job);  // waits a minute
    if (!queue.get<app::apple>({.timeout = 0s}).value()) std::puts("none is left");
}

void get_all(apples& queue) {
    (void)queue.enqueue(app::apple{"Boskoop"}, {.run_at = pgq::in(300ms)}).value();   // waits 300 ms
    (void)queue.enqueue(app::apple{"Gala"}).value();                                  // no expected time: last
    (void)queue.enqueue(app::apple{"Elstar"}, {.expected_at = pgq::in(2h)}).value();  // the earliest comes first
    (void)queue.enqueue(app::apple{"Braeburn"}, {.expected_at = pgq::in(5min)}).value();

    for (auto& job : queue.items<app::apple>({.timeout = 500ms})) {
        if (!job) break;  // no job came for half a second; the loop may also go on
        eat(**job);
    }
}

void get_some(apples& queue) {
    const std::array<pgq::header, 1> good{{{"grade", "1"}}}, poor{{{"grade", "3"}}};
    (void)queue.enqueue(app::apple{"Windfall"}, {.headers = poor}).value();
    (void)queue.enqueue(app::apple{"Jonagold"}, {.headers = good}).value();

    const auto wanted = pgq::header_of("grade") <= 2 && pgq::header_of("worms").does_not_exist();
    while (auto job = queue.get<app::apple>({.timeout = 0s, .where = wanted}).value()) eat(**job);
    std::printf("%d left for cider\n", static_cast<int>(queue.counts<app::apple>().value().ready));
}

void work(apples& queue) {
    for (auto& job : queue.poll<app::apple>({.timeout = 500ms})) {
        std::printf("%s, delivery %d\n", job->kind.c_str(), job.attempts());
        if (job.attempts() == 1) job.retry(10ms, "still green").value();
        else job.ack().value();
    }
}

}  // namespace

// get [CONNECTION-STRING]
int main(int argc, char** argv) try {
    apples queue{pgq::driver::libpq{argc > 1 ? argv[1] : ""}};
    queue.install().value();
    get_one(queue);
    get_all(queue);
    get_some(queue);
    std::thread worker{[&] { work(queue); }};  // any number of threads may poll
    worker.join();
} catch (const pgq::failure& e) {
    std::fprintf(stderr, "get: %s\n", e.info().text().c_str());
    return 1;
}
