// Jobs of which there is one at a time: by a key that the caller names, and by one made of the job's members. Jobs live in memory here;
// with driver::libpq it is the same, for all programs at once.

#include <pgq/driver/memory.hpp>
#include <pgq/pgq.hpp>
#include <pgq/serializer/json.hpp>

#include <chrono>
#include <cstdio>
#include <string>
#include <string_view>

using namespace std::chrono_literals;

namespace app {

struct welcome {
    static constexpr std::string_view entrypoint = "welcome";
    std::string user{};
};
struct digest {
    static constexpr std::string_view entrypoint = "digest";
    std::string user{};
    std::string text{};
};

}  // namespace app
BOOST_HANA_ADAPT_STRUCT(app::welcome, user);
BOOST_HANA_ADAPT_STRUCT(app::digest, user, text);

// At most one digest waits for each user: the latest one.
using app_queue = pgq::queue<pgq::job<app::digest, pgq::unique_by<&app::digest::user>::while_waiting::or_replace>,
                             app::welcome, pgq::driver::memory, pgq::serializer::json, pgq::executor::in_place>;

void greet(const app::welcome& w) { std::printf("welcome, %s\n", w.user.c_str()); }
void post(const app::digest& d) { std::printf("digest for %s: %s\n", d.user.c_str(), d.text.c_str()); }

void name_keys(app_queue& jobs) {
    const auto first = jobs.enqueue(app::welcome{"ada"}, {.unique_key = "welcome:ada"}).value();
    const auto again = jobs.enqueue(app::welcome{"ada"}, {.unique_key = "welcome:ada"}).value();
    std::printf("again: %s, %s\n", again.is_new() ? "a new one" : "not enqueued",
                again == first ? "its id is the first one's" : "?");

    // An error instead, and the key is taken for an hour, even if the job is done by then.
    const pgq::unique once = pgq::unique{"welcome:grace"}.during(1h).or_fail();
    jobs.enqueue(app::welcome{"grace"}, {.unique_key = once}).value();
    if (const auto put = jobs.enqueue(app::welcome{"grace"}, {.unique_key = once}); !put)
        std::printf("refused: %s\n", put.error().message.c_str());
}

void let_members_be_keys(app_queue& jobs) {
    jobs.enqueue(app::digest{"ada", "one message"}).value();
    jobs.enqueue(app::digest{"bob", "one message"}).value();
    jobs.enqueue(app::digest{"ada", "three messages"}).value();
}

int main() try {
    app_queue jobs;
    name_keys(jobs);
    let_members_be_keys(jobs);

    const pgq::worker_options until_empty{.until = pgq::run_until::empty};
    pgq::worker w{jobs, until_empty, greet, post};
    w.run().value();
    const auto later = jobs.enqueue(app::welcome{"ada"}, {.unique_key = "welcome:ada"}).value();
    std::printf("later: %s\n", later.is_new() ? "a new one" : "not enqueued");
} catch (const pgq::failure& e) {
    std::fprintf(stderr, "unique: %s\n", e.info().text().c_str());
    return 1;
}
