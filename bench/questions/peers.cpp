// Measures for pgq what bench/peers/run.sh measures for the other queues, without a ceiling.

#include <questions/questions.hpp>
#include <support/enqueuer.hpp>
#include <support/mail.hpp>

namespace bench {

namespace {

std::string named(const std::string& what, const pgq::enqueue_options& how) {
    return how.packed ? what + ", packed" : what;
}

void measure_enqueue(context& c, std::int64_t n, std::int64_t batch, const pgq::enqueue_options& how = {}) {
    const auto what = batch == 1 ? "one at a time" : named("batch " + std::to_string(batch), how);
    measure(c, {.question = "enqueue", .what = what}, enqueuer{c.dsn, n, batch, how});
}

}  // namespace

void peers(context& asked) {
    context c = asked;
    c.max_rounds = 1;  // the script repeats the whole question
    measure_enqueue(c, c.jobs(20'000, 2'000), 1);
    measure_enqueue(c, c.jobs(1'000'000, 100'000), 1000);
    measure_enqueue(c, c.jobs(2'000'000, 200'000), 1000, packed);
    for (const auto& how : {pgq::enqueue_options{}, packed}) {
        const auto n = c.jobs(how.packed ? 2'000'000 : 1'000'000, how.packed ? 500'000 : 300'000);
        const auto fill = [&] { refill(c.dsn, n, how); };
        for (const std::uint32_t batch : {100u, 1000u}) {
            const auto what = named("batch " + std::to_string(batch), how);
            measure(c, {.question = "drain", .what = what},
                    trial_of{fill, [&] { return drain_typed(c.dsn, n, batch); }});
            // The best settings of the peers have several consumers, too.
            measure(c, {.question = "drain", .what = what + ", two workers"},
                    trial_of{fill, [&] { return drain_by_two(c.dsn, n, batch); }});
        }
    }
}

}  // namespace bench
