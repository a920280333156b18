// Unique jobs: by a key that the caller chooses, and by a key made of members of the job. This example keeps the jobs
// in memory; with driver::libpq a key is unique over all programs.

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

void use_named_keys(app_queue& jobs) {
    const auto first = jobs.enqueue(app::welcome{"ada"}, {.unique_key = "welcome:ada"}).value();
    const auto again = jobs.enqueue(app::welcome{"ada"}, {.unique_key = "welcome:ada"}).value();
    std::printf("again: %s, %s\n", again.is_new() ? "new" : "not enqueued",
                again == first ? "with the id of the first" : "?");

    // A duplicate is an error, and the key is taken for an hour, even if the job is done before.
    const pgq::unique once = pgq::unique{"welcome:grace"}.during(1h).or_fail();
    jobs.enqueue(app::welcome{"grace"}, {.unique_key = once}).value();
    if (const auto put = jobs.enqueue(app::welcome{"grace"}, {.unique_key = once}); !put)
        std::printf("refused: %s\n", put.error().message.c_str());
}

void use_members_as_keys(app_queue& jobs) {
    jobs.enqueue(app::digest{"ada", "one message"}).value();
    jobs.enqueue(app::digest{"bob", "one message"}).value();
    jobs.enqueue(app::digest{"ada", "three messages"}).value();
}

void use_request_ids(app_queue& jobs) {
    // The web server may get the same order twice, and this call may be repeated: there is one job.
    const std::string id = "order-4711";
    const auto put = jobs.enqueue(app::welcome{"barbara"}, {.request_id = id}).value();
    const auto repeated = jobs.enqueue(app::welcome{"barbara"}, {.request_id = id}).value();
    std::printf("repeated: %s\n", repeated == put ? "the same job" : "?");
}

int main() try {
    app_queue jobs;
    use_named_keys(jobs);
    use_request_ids(jobs);
    use_members_as_keys(jobs);

    const pgq::worker_options until_empty{.until = pgq::run_until::empty};
    pgq::worker w{jobs, until_empty, greet, post};
    w.run().value();
    const auto later = jobs.enqueue(app::welcome{"ada"}, {.unique_key = "welcome:ada"}).value();
    std::printf("later: %s\n", later.is_new() ? "new" : "not enqueued");
} catch (const pgq::failure& e) {
    std::fprintf(stderr, "unique: %s\n", e.info().text().c_str());
    return 1;
}
