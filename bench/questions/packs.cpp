// What do packs bring, where many small jobs are enqueued at once? Beside them the same jobs in rows of their own, or the same
// statements by bare libpq with nothing decoded.

#include <questions/questions.hpp>
#include <support/enqueuer.hpp>
#include <support/mail.hpp>

#include <pgq/statement/pack.hpp>

namespace bench {

void packs(context& c) {
    for (const std::int64_t batch : {100, 1000, 10'000}) {
        const auto n = c.jobs(batch == 100 ? 500'000 : 2'000'000, batch == 100 ? 20'000 : 100'000);
        compare(c,
                {.question = "packs", .what = "enqueue, batch " + std::to_string(batch), .ceiling_name = "a row each"},
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
                trial_of{fill, [&] { return drain_bare(c.dsn, n, batch, pgq::statement::claim_packed); }});
    measure(c, {.question = "packs", .what = "drain, batch 1000, two workers"},
            trial_of{fill, [&] { return drain_by_two(c.dsn, n, 1000); }});
    // What has room for less than a pack writes the rest of it once more.
    const auto few = c.jobs(100'000, 10'000);
    compare(c, {.question = "packs", .what = "drain, batch 10", .ceiling_name = "a row each"},
            trial_of{[&] { refill(c.dsn, few, packed); }, [&] { return drain_typed(c.dsn, few, 10); }},
            trial_of{[&] { refill(c.dsn, few); }, [&] { return drain_typed(c.dsn, few, 10); }});
}

}  // namespace bench
