// How fast does a program enqueue? The jobs are durable when the call returns. The ceiling is the same insert by bare
// libpq with parameters that are encoded beforehand. For a stream the ceiling is a COPY of bytes that are encoded
// beforehand.

#include <questions/questions.hpp>
#include <support/enqueuer.hpp>
#include <support/mail.hpp>

#include <pgq/statement/enqueue.hpp>
#include <pgq/statement/wire.hpp>

#include <optional>
#include <thread>

namespace bench {

namespace {

std::int64_t enqueue_bare(bare& db, const pgq::statement::query& q, const pgq::statement::params& p, std::int64_t n,
                          std::int64_t batch) {
    for (std::int64_t i = 0; i < n; i += batch) {
        db.send(q, p);
        db.sync();
        (void)db.answer();
        db.synced();
    }
    return n;
}

std::string copy_bytes(pgq::lane_id lane, const std::vector<mail>& all) {
    namespace wire = pgq::statement::wire;
    std::string out{"PGCOPY\n\377\r\n\0\0\0\0\0\0\0\0\0", 19};
    const auto field = [&](auto number) {
        wire::append(out, static_cast<std::int32_t>(sizeof number));
        wire::append(out, number);
    };
    for (const auto& m : all) {
        std::string body;
        (void)pgq::serializer::json{}.write(m, body);
        wire::append(out, std::int16_t{4});
        field(lane.value);
        field(pgq::rank::of(0).value);
        wire::append(out, std::int32_t{-1});
        wire::append(out, static_cast<std::int32_t>(body.size()));
        out += body;
    }
    wire::append(out, std::int16_t{-1});
    return out;
}

pgq::lane_id lane_of_mails(bare& db) {
    return {static_cast<std::int32_t>(
        db.number("SELECT id FROM " + pgq::statement::quoted(schema_name) + ".lane WHERE entrypoint = 'mail'"))};
}

pgq::lane_id lane_of(const std::string& dsn) {
    bare db{dsn};
    return lane_of_mails(db);
}

// Each thread enqueues one job at a time. The ratio to one thread shows what group commit gains.
void enqueue_together(context& c) {
    const auto n = c.jobs(50'000, 6'400);
    const auto threads_do = [&](int threads, std::int64_t each) {
        mail_queue<> jobs{pgq::driver::libpq{c.dsn}};
        std::vector<std::jthread> all;
        for (int t = 0; t < threads; ++t)
            all.emplace_back([&] {
                for (std::int64_t i = 0; i < each; ++i) jobs.enqueue(mail{"ada@example.org", i}).value();
            });
        all.clear();
        return threads * each;
    };
    row r{
        .question = "enqueue", .what = "64 threads, one at a time each", .ceiling_name = "pgq, one thread", .bar = 10};
    compare(c, r, trial_of{[&] { clear(c.dsn); }, [&] { return threads_do(64, n / 64); }},
            trial_of{[&] { clear(c.dsn); }, [&] { return threads_do(1, n / 10); }});
}

// The queue encodes and sends the jobs; the ceiling sends bytes that are encoded beforehand.
void enqueue_stream(context& c) {
    const auto n = c.jobs(1'000'000, 100'000);
    const auto some = mails(0, n);
    std::string ready;
    compare(c, {.question = "enqueue", .what = "stream (COPY)", .ceiling_name = "COPY by bare libpq, encoded before"},
            trial_of{[&] { clear(c.dsn); },
                     [&] { return mail_queue<>{pgq::driver::libpq{c.dsn}}.enqueue_stream(some).value(); }},
            trial_of{[&] {
                         clear(c.dsn);
                         if (ready.empty()) ready = copy_bytes(lane_of(c.dsn), some);
                     },
                     [&] {
                         bare{c.dsn}.copy(pgq::statement::render(pgq::statement::enqueue_copy.text, schema_name),
                                          ready);
                         return n;
                     }});
}

}  // namespace

void enqueue(context& c) {
    refill(c.dsn, 1);  // creates the lane
    for (const std::int64_t batch : {1, 10, 100, 1000, 10'000}) {
        const std::int64_t most = batch == 1 ? 10'000 : batch == 10 ? 50'000 : batch == 100 ? 300'000 : 1'000'000;
        const auto n = c.jobs(most, most / 10);
        std::optional<bare> db;
        pgq::bodies bodies;
        for (const auto& m : mails(0, batch)) {
            (void)pgq::serializer::json{}.write(m, bodies.bytes());
            bodies.close();
        }
        pgq::statement::params p;
        const pgq::enqueue_options options{};
        pgq::enqueue_request request{.bodies = &bodies, .options = {&options, 1}};
        compare(c,
                {.question = "enqueue",
                 .what = "batch " + std::to_string(batch),
                 .ceiling_name = "the same insert by bare libpq, encoded before",
                 .bar = batch == 1000 ? std::optional{0.80} : std::nullopt},
                enqueuer{c.dsn, n, batch},
                trial_of{[&] {
                             clear(c.dsn);
                             db.emplace(c.dsn);
                             request.lane = lane_of_mails(*db);
                             pgq::statement::bind_enqueue(p, request);
                             db->prepare(pgq::statement::enqueue_query(request), p, std::string{schema_name});
                             db->enter_pipeline();
                         },
                         [&, n, batch] {
                             const auto done = enqueue_bare(*db, pgq::statement::enqueue_query(request), p, n, batch);
                             db.reset();
                             return done;
                         }});
    }
    enqueue_together(c);
    enqueue_stream(c);
}

}  // namespace bench
