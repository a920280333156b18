// What do the features cost when all are in use? The queue has 50 entrypoints and ten priorities; five entrypoints have
// a global limit. One job in a hundred fails once, one in twenty is delayed, one in ten has a unique key, and one in
// ten keeps its outcome. The ceiling is the same number of plain jobs, enqueued and drained in the same batches.

#include <questions/questions.hpp>
#include <support/mail.hpp>

#include <pgq/limiter/global_concurrency.hpp>

#include <boost/hana/define_struct.hpp>

#include <array>
#include <string>
#include <utility>
#include <vector>

namespace bench {

namespace {

using namespace std::chrono_literals;

constexpr int entrypoints = 50;
constexpr int limited = 5;
constexpr std::int64_t in_one_call = 200;

template <int I>
struct mixed_job {
    static constexpr std::array<char, 8> letters{'m', 'i', 'x', 'e', 'd', '0' + I / 10, '0' + I % 10};
    static constexpr std::string_view entrypoint{letters.data(), 7};
    BOOST_HANA_DEFINE_STRUCT(mixed_job, (std::int64_t, number));
};

template <int I>
struct declared {
    using type = pgq::job<mixed_job<I>>;
};
template <int I>
    requires(I < limited)
struct declared<I> {
    using type = pgq::job<mixed_job<I>, pgq::limiter::global_concurrency<4>>;
};
template <class Numbers>
struct queue_of_mixed_jobs;
template <int... I>
struct queue_of_mixed_jobs<std::integer_sequence<int, I...>> {
    using type =
        pgq::queue<typename declared<I>::type..., pgq::driver::libpq, pgq::serializer::json, pgq::executor::in_place>;
};
using numbers = std::make_integer_sequence<int, entrypoints>;
using mixed_queue = queue_of_mixed_jobs<numbers>::type;

template <int I>
void enqueue_mixed(mixed_queue& jobs, std::int64_t first) {
    std::vector<mixed_job<I>> some(static_cast<std::size_t>(in_one_call));
    std::vector<std::string> keys;
    keys.reserve(some.size());
    for (auto& job : some) job.number = first++;
    jobs.enqueue(some,
                 [&](const mixed_job<I>& job) {
                     pgq::enqueue_options o{.priority = static_cast<std::int16_t>(job.number % 10)};
                     if (job.number % 20 == 3) o.run_at = pgq::in(20ms);
                     if (job.number % 10 == 5) o.unique_key = keys.emplace_back(std::to_string(job.number));
                     if (job.number % 10 == 7) o.keep_outcome = 1min;
                     return o;
                 })
        .value();
}

template <int... I>
std::int64_t run_mixed(const std::string& dsn, std::int64_t n, std::integer_sequence<int, I...>) {
    mixed_queue jobs{strict_driver(dsn)};
    for (std::int64_t i = 0; i < n;) (..., (enqueue_mixed<I>(jobs, i), i += in_one_call));
    tally seen{n};
    const auto handle = [&](std::int64_t number, pgq::context& c) -> pgq::outcome {
        if (number % 100 == 11 && c.attempt() == 1) return pgq::retry_after{0s, "once more"};
        seen.see(number);
        return pgq::done{};
    };
    pgq::worker w{jobs, pgq::worker_options{.max_prefetch = 1999, .until = pgq::run_until::drained},
                  [&](const mixed_job<I>& job, pgq::context& c) { return handle(job.number, c); }...};
    w.run().value();
    seen.check();
    return n;
}

std::int64_t run_plain(const std::string& dsn, std::int64_t n) {
    mail_queue<> jobs{strict_driver(dsn)};
    for (std::int64_t i = 0; i < n; i += in_one_call) jobs.enqueue(mails(i, in_one_call)).value();
    return drain_typed(dsn, n, 1000);
}

}  // namespace

void features(context& c) {
    const auto n = c.jobs(200'000, 20'000);
    const auto empty = [&] { clear(c.dsn); };
    compare(c, {.question = "features", .what = "all on, in and out", .ceiling_name = "pgq, plain jobs", .bar = 0.25},
            trial_of{empty, [&] { return run_mixed(c.dsn, n, numbers{}); }},
            trial_of{empty, [&] { return run_plain(c.dsn, n); }});
}

}  // namespace bench
