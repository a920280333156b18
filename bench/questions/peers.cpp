// What bench/peers/run.sh measures of the other queues, of ours: with no ceiling beside it.

#include <questions/questions.hpp>
#include <support/enqueuer.hpp>
#include <support/mail.hpp>

namespace bench {

namespace {

std::string named(const std::string& what, const pgq::enqueue_options& how) {
    return how.packed ? what + ", packed" : what;
}

void put_in(context& c, std::int64_t n, std::int64_t batch, const pgq::enqueue_options& how = {}) {
    const auto what = batch == 1 ? "one at a time" : named("batch " + std::to_string(batch), how);
    measure(c, {.question = "enqueue", .what = what}, enqueuer{c.dsn, n, batch, how});
}

}  // namespace

void peers(context& asked) {
    context c = asked;
    c.most_rounds = 1;  // those of the script are enough
    put_in(c, c.jobs(20'000, 2'000), 1);
    put_in(c, c.jobs(1'000'000, 100'000), 1000);
    put_in(c, c.jobs(2'000'000, 200'000), 1000, packed);
    for (const auto& how : {pgq::enqueue_options{}, packed}) {
        const auto n = c.jobs(how.packed ? 2'000'000 : 1'000'000, how.packed ? 500'000 : 300'000);
        const auto fill = [&] { refill(c.dsn, n, how); };
        for (const std::uint32_t batch : {100u, 1000u}) {
            const auto what = named("batch " + std::to_string(batch), how);
            measure(c, {.question = "drain", .what = what},
                    trial_of{fill, [&] { return drain_typed(c.dsn, n, batch); }});
            // The others' best settings have several consumers, too.
            measure(c, {.question = "drain", .what = what + ", two workers"},
                    trial_of{fill, [&] { return drain_by_two(c.dsn, n, batch); }});
        }
    }
}

}  // namespace bench
