// How fast does one worker process drain a lane of jobs whose handler does nothing? A job counts when its
// acknowledgement is committed. The ceiling is the same two statements in the same round trips by bare libpq, with
// nothing decoded.

#include <questions/questions.hpp>
#include <support/mail.hpp>

#include <pgq/statement/claim.hpp>
#include <pgq/statement/finish.hpp>
#include <pgq/statement/pack.hpp>

#include <array>
#include <future>
#include <limits>
#include <stdexcept>
#include <vector>

namespace bench {

std::int64_t drain_typed(const std::string& dsn, std::int64_t n, std::uint32_t batch) {
    tally seen{n};
    mail_queue<> jobs{strict_driver(dsn)};
    // The worker claims one half while the other half runs.
    pgq::worker w{jobs, pgq::worker_options{.max_prefetch = 2 * batch - 1, .until = pgq::run_until::empty},
                  [&](const mail& m) { seen.see(m.number); }};
    w.run().value();
    seen.check();
    return n;
}

std::int64_t drain_by_two(const std::string& dsn, std::int64_t n, std::uint32_t batch) {
    tally all{n};
    mail_queue<> jobs{strict_driver(dsn)};
    std::array<std::vector<std::int64_t>, 2> seen;
    std::array<std::future<void>, 2> ended;
    for (std::size_t i = 0; i < 2; ++i)
        ended[i] = std::async(std::launch::async, [&, i] {
            seen[i].reserve(static_cast<std::size_t>(n));
            pgq::worker w{jobs, pgq::worker_options{.max_prefetch = 2 * batch - 1, .until = pgq::run_until::empty},
                          [&](const mail& m) { seen[i].push_back(m.number); }};
            w.run().value();
        });
    for (auto& e : ended) e.get();
    for (const auto& some : seen)
        for (const auto number : some) all.see(number);
    all.check();
    return n;
}

std::int64_t drain_bare(const std::string& dsn, std::int64_t n, std::uint32_t batch, bool of_packs) {
    namespace st = pgq::statement;
    bare db{dsn};
    db.run(
        "SET plan_cache_mode = force_generic_plan; SET jit = off; SET enable_seqscan = off; SET enable_bitmapscan = "
        "off");
    const std::string s{st::quoted(schema_name)};
    const auto lane = static_cast<std::int32_t>(db.number("SELECT id FROM " + s + ".lane WHERE entrypoint = 'mail'"));
    const pgq::claim_lane from{.lane = {lane}, .max_attempts = 20};
    pgq::sync_request request{.worker = {1}, .lanes = {&from, 1}, .limit = batch, .counts_bytes = false};
    pgq::claim_lane floored = from;
    request.lanes = {&floored, 1};
    const st::query& query = of_packs ? st::claim_packed : st::claim_query(request);
    const auto bind = [&](st::params& p) { of_packs ? st::bind_claim_packed(p, request) : st::bind_claim(p, request); };
    st::params claim, finish;
    bind(claim);
    const pgq::lease_ref none{};
    st::bind_finish(finish, {1}, {&none, 1});
    db.prepare(query, claim, std::string{schema_name});
    db.prepare(st::finish, finish, std::string{schema_name});
    db.enter_pipeline();
    std::int64_t done = 0;
    std::optional<pgq::lease_ref> held;
    for (;;) {
        if (held) {
            st::bind_finish(finish, {1}, {&*held, 1});
            db.send(st::finish, finish);
        }
        db.send(query, claim);
        db.sync();
        if (held) (void)db.answer();
        const auto r = db.answer();
        db.synced();
        if (PQntuples(r.get()) == 0) break;
        const pgq::driver::pq::row_view row{r.get(), 0};
        held = pgq::lease_ref{row.number<std::int64_t>(0), st::wire::load_tid(row.cell(1).data())};
        // The last job of the array is the cursor.
        const auto ids = row.cell(3), ranks = row.cell(4);
        floored.cursor = {{st::wire::load<std::int64_t>(ranks.data() + ranks.size() - 8)},
                          {st::wire::load<std::int64_t>(ids.data() + ids.size() - 8)}};
        bind(claim);
        done += (static_cast<std::int64_t>(ids.size()) - 20) / 12;
    }
    if (done != n) throw std::runtime_error{"the ceiling lost a job"};
    return n;
}

void drain(context& c) {
    for (const std::uint32_t batch : {1u, 10u, 100u, 1000u}) {
        const std::int64_t most = batch == 1 ? 20'000 : batch == 10 ? 100'000 : batch == 100 ? 500'000 : 1'000'000;
        const auto n = c.jobs(most, batch >= 100 ? most / 4 : most / 10);
        const auto fill = [&, n] { refill(c.dsn, n); };
        compare(c,
                {.question = "drain",
                 .what = "batch " + std::to_string(batch),
                 .ceiling_name = "the same statements by bare libpq, nothing decoded",
                 .bar = batch >= 100 ? std::optional{0.85} : std::nullopt},
                trial_of{fill, [&, n] { return drain_typed(c.dsn, n, batch); }},
                trial_of{fill, [&, n] { return drain_bare(c.dsn, n, batch, false); }});
    }
}

}  // namespace bench
