#include <support/bare.hpp>
#include <support/mail.hpp>

#include <algorithm>
#include <stdexcept>

namespace bench {

void clear(const std::string& dsn) {
    bare db{dsn};
    const std::string s{pgq::statement::quoted(schema_name)};
    db.run("TRUNCATE " + s + ".ready, " + s + ".pack, " + s + ".deferred, " + s + ".lease, " + s + ".tracked, " + s +
           ".unique_key, " + s + ".outcome, " + s + ".failure");
    db.run("CHECKPOINT");
}

void refill(const std::string& dsn, std::int64_t n, const pgq::enqueue_options& how) {
    clear(dsn);
    mail_queue<> jobs{pgq::driver::libpq{dsn}};
    for (std::int64_t done = 0; done < n; done += 10'000)
        jobs.enqueue(mails(done, std::min<std::int64_t>(10'000, n - done)), how).value();
}

void tally::check() const {
    const auto n = static_cast<std::int64_t>(seen_.size());
    if (unknown_ != 0) throw std::runtime_error{"a job ran that was not enqueued"};
    if (distinct_ != n) throw std::runtime_error{std::to_string(n - distinct_) + " jobs were lost"};
    if (std::any_of(seen_.begin(), seen_.end(), [](unsigned char times) { return times != 1; }))
        throw std::runtime_error{"a job ran twice"};
}

}  // namespace bench
