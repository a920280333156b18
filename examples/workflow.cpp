// Jobs that wait for other jobs: a chain, a flow, and children whose parent fails. This example keeps the jobs in
// memory; driver::libpq works the same.

#include <pgq/driver/memory.hpp>
#include <pgq/pgq.hpp>
#include <pgq/serializer/json.hpp>

#include <array>
#include <chrono>
#include <cstdio>
#include <stdexcept>
#include <string>
#include <string_view>

using namespace std::chrono_literals;

namespace app {

struct fetch {
    static constexpr std::string_view entrypoint = "fetch";
    std::string page{};
};
struct merge {
    static constexpr std::string_view entrypoint = "merge";
    std::string into{};
};
struct notify {
    static constexpr std::string_view entrypoint = "notify";
    std::string whom{};
};

}  // namespace app
BOOST_HANA_ADAPT_STRUCT(app::fetch, page);
BOOST_HANA_ADAPT_STRUCT(app::merge, into);
BOOST_HANA_ADAPT_STRUCT(app::notify, whom);

using app_queue = pgq::queue<app::fetch, app::merge, app::notify, pgq::driver::memory, pgq::serializer::json,
                             pgq::executor::in_place>;

void work(app_queue& jobs) {
    const pgq::worker_options until_empty{.max_attempts = 1, .until = pgq::run_until::empty};
    pgq::worker w{jobs, until_empty,
                  [](const app::fetch& f) {
                      if (f.page == "missing") throw std::runtime_error{"there is no such page"};
                      std::printf("fetched %s\n", f.page.c_str());
                  },
                  [](const app::merge& m) { std::printf("merged into %s\n", m.into.c_str()); },
                  [](const app::notify& n) { std::printf("notified %s\n", n.whom.c_str()); }};
    w.run().value();
}

// One after the other.
void in_a_chain(app_queue& jobs) {
    jobs.chain(app::fetch{"start"}).then(app::merge{"start.txt"}).then(app::notify{"ada"}).enqueue().value();
    work(jobs);
}

// A graph of jobs, enqueued in one step.
void in_a_flow(app_queue& jobs) {
    auto flow = jobs.flow();
    auto left = flow.add(app::fetch{"left"}, {.priority = 1}), right = flow.add(app::fetch{"right"});
    flow.add(app::merge{"both.txt"}).after(left, right);
    flow.finally(app::notify{"grace"});
    flow.enqueue().value();
    work(jobs);
}

// Each child chooses what happens to it if the parent fails.
void after_a_failure(app_queue& jobs) {
    const auto parent = jobs.enqueue(app::fetch{"missing"}).value();
    const std::array<pgq::job_id, 1> parents{parent};
    jobs.enqueue(app::notify{"the operator"}, {.after = parents, .if_parent_fails = pgq::parent_failure::run}).value();
    jobs.enqueue(app::merge{"held.txt"}, {.after = parents}).value();  // parent_failure::hold
    const auto cancelled =
        jobs.enqueue(app::merge{"cancelled.txt"},
                     {.after = parents, .if_parent_fails = pgq::parent_failure::cancel, .keep_outcome = 1min})
            .value();
    work(jobs);
    const auto held = jobs.held<app::merge>().value().at(0);
    std::printf("held: %s\n", held.reason.substr(held.reason.find(", ") + 2).c_str());
    std::printf("the other was %s\n", name_of(cancelled.wait(0s).value().kind).data());
}

int main() try {
    app_queue jobs;
    in_a_chain(jobs);
    in_a_flow(jobs);
    after_a_failure(jobs);
} catch (const pgq::failure& e) {
    std::fprintf(stderr, "workflow: %s\n", e.info().text().c_str());
    return 1;
}
