// How much faster are packs, if a program enqueues many small jobs at once? The ceiling is the same jobs with one row
// each, or the same statements by bare libpq with nothing decoded.

#include <questions/questions.hpp>
#include <support/enqueuer.hpp>
#include <support/mail.hpp>

namespace bench {

void packs(context& c) {
    for (const std::int64_t batch : {100, 1000, 10'000}) {
        const auto n = c.jobs(batch == 100 ? 500'000 : 2'000'000, batch == 100 ? 20'000 : 100'000);
        compare(
            c,
            {.question = "packs", .what = "enqueue, batch " + std::to_string(batch), .ceiling_name = "one row per job"},
            enqueuer{c.dsn, n, batch, packed}, enqueuer{c.dsn, n, batch});
    }
    const auto n = c.jobs(2'000'000, 200'000);
    const auto fill = [&] { refill(c.dsn, n, packed); };
    for (const std::uint32_t batch : {100u, 1000u})
        compare(c,
                {.question = "packs",
                 .what = "drain, batch " + std::to_string(batch),
                 .ceiling_name = "the same statements by bare libpq, nothing decoded",
                 .bar = 0.85},
                trial_of{fill, [&] { return drain_typed(c.dsn, n, batch); }},
                trial_of{fill, [&] { return drain_bare(c.dsn, n, batch, true); }});
    measure(c, {.question = "packs", .what = "drain, batch 1000, two workers"},
            trial_of{fill, [&] { return drain_by_two(c.dsn, n, 1000); }});
    // If a claim has room for only a part of a pack, it writes the rest of the pack again.
    const auto few = c.jobs(100'000, 10'000);
    compare(c, {.question = "packs", .what = "drain, batch 10", .ceiling_name = "one row per job"},
            trial_of{[&] { refill(c.dsn, few, packed); }, [&] { return drain_typed(c.dsn, few, 10); }},
            trial_of{[&] { refill(c.dsn, few); }, [&] { return drain_typed(c.dsn, few, 10); }});
}

}  // namespace bench
