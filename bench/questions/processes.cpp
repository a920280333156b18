// Do more worker processes slow each other down? All of them drain one lane. The clock starts when each process has run
// a job, if half of the jobs are left then: the start of 64 programs, with their connections and plans, does not count.
// The ceiling is the rate of four processes.

#include <questions/questions.hpp>
#include <support/child.hpp>
#include <support/mail.hpp>

#include <algorithm>
#include <cstdint>
#include <map>
#include <vector>

namespace bench {

namespace {

// What a worker process counts. The sums show that each job ran once.
struct job_count {
    std::uint64_t n = 0, sum = 0, squares = 0;        // squares modulo 2^48, which a double holds exactly
    std::map<std::int64_t, std::uint64_t> by_time{};  // in hundredths of a second
};
constexpr std::uint64_t modulus = std::uint64_t{1} << 48;

std::int64_t time_now() {
    return std::chrono::duration_cast<std::chrono::milliseconds>(steady::now().time_since_epoch()).count() / 10;
}

// Jobs per second after `when`. If less than half of the jobs are left then, jobs per second of the whole run.
double rate_since(std::int64_t when, const std::map<std::int64_t, std::uint64_t>& by_time) {
    const auto count = [&](std::int64_t from) {
        double n = 0;
        for (auto at = by_time.lower_bound(from); at != by_time.end(); ++at) n += static_cast<double>(at->second);
        return n;
    };
    const std::int64_t first = by_time.begin()->first, last = by_time.rbegin()->first;
    const std::int64_t from = count(when) >= count(first) / 2 ? std::max(when, first) : first;
    return count(from) * 100 / static_cast<double>(last + 1 - from);
}

double drain_together(context& c, int processes, std::int64_t n, std::uint32_t batch) {
    refill(c.dsn, n);
    bare gate{c.dsn};
    gate.run("SELECT pg_advisory_lock(4711)");
    std::vector<child> all;
    for (int i = 0; i < processes; ++i) all.emplace_back(std::vector<std::string>{"drain", std::to_string(batch)});
    for (int tries = 0;
         gate.number("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND objid = 4711 AND NOT granted") <
         processes;
         ++tries) {
        if (tries == 30'000) throw std::runtime_error{"a worker process did not start"};
        gate.run("SELECT pg_sleep(0.001)");
    }
    gate.run("SELECT pg_advisory_unlock(4711)");
    job_count sum;
    std::int64_t all_begun = 0;
    for (auto& one : all) {
        const auto said = one.numbers();
        if (said.size() < 3) throw std::runtime_error{"a worker process failed"};
        sum.n += static_cast<std::uint64_t>(said[0]), sum.sum += static_cast<std::uint64_t>(said[1]);
        sum.squares += static_cast<std::uint64_t>(said[2]);
        if (said.size() > 3) all_begun = std::max(all_begun, static_cast<std::int64_t>(said[3]));
        for (std::size_t i = 3; i + 1 < said.size(); i += 2)
            sum.by_time[static_cast<std::int64_t>(said[i])] += static_cast<std::uint64_t>(said[i + 1]);
    }
    const auto jobs = static_cast<std::uint64_t>(n), pairs = jobs * (jobs - 1) / 2;
    if (sum.n != jobs || sum.sum != pairs || sum.squares % modulus != pairs * (2 * jobs - 1) / 3 % modulus)
        throw std::runtime_error{"a job was lost or ran twice"};
    return rate_since(all_begun, sum.by_time);
}

}  // namespace

int drain_as_child(const std::string& dsn, std::uint32_t batch) {
    mail_queue<> jobs{strict_driver(dsn)};
    (void)jobs.counts<mail>().value();  // connects
    bare{dsn}.run("SELECT pg_advisory_lock_shared(4711)");
    job_count mine;
    pgq::worker w{jobs, pgq::worker_options{.max_prefetch = 2 * batch - 1, .until = pgq::run_until::empty},
                  [&](const mail& m) {
                      const auto i = static_cast<std::uint64_t>(m.number);
                      ++mine.n, mine.sum += i, mine.squares += i * i;
                      ++mine.by_time[time_now()];
                  }};
    w.run().value();
    std::printf("%llu %llu %llu", static_cast<unsigned long long>(mine.n), static_cast<unsigned long long>(mine.sum),
                static_cast<unsigned long long>(mine.squares % modulus));
    for (const auto& [when, jobs_then] : mine.by_time)
        std::printf(" %lld %llu", static_cast<long long>(when), static_cast<unsigned long long>(jobs_then));
    std::printf("\n");
    return 0;
}

void processes(context& c) {
    const auto n = c.jobs(2'000'000, 300'000);
    const std::uint32_t batch = 100;
    const std::vector<int> counts = c.quick ? std::vector{1, 4, 64} : std::vector{1, 2, 4, 16, 64};
    std::map<int, samples> seen;
    for (int round = 0; round < (c.quick ? 1 : 3); ++round)
        for (const int count : counts) seen[count].add(drain_together(c, count, n, batch));
    for (const int count : counts) {
        row r{.question = "processes", .what = std::to_string(count) + ", batch 100", .ours = seen[count], .n = n};
        if (count > 4) r.ceiling = seen[4], r.ceiling_name = "pgq, four processes";
        if (count == 64 && !c.quick) r.bar = 0.70;  // with few jobs the start of the processes dominates
        c.out.add(r);
    }
}

}  // namespace bench
