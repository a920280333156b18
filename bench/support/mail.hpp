#pragma once

#include <pgq/driver/libpq.hpp>
#include <pgq/executor/in_place.hpp>
#include <pgq/queue.hpp>
#include <pgq/serializer/json.hpp>
#include <pgq/worker.hpp>

#include <boost/hana/adapt_struct.hpp>

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace bench {

/// The job of most questions: 45 bytes as JSON.
struct mail {
    static constexpr std::string_view entrypoint = "mail";
    std::string to{};
    std::int64_t number = 0;
};

}  // namespace bench

BOOST_HANA_ADAPT_STRUCT(bench::mail, to, number);

namespace bench {

inline constexpr std::string_view schema_name = "pgq_jobs";

template <class Executor = pgq::executor::in_place>
using mail_queue = pgq::queue<mail, pgq::driver::libpq, pgq::serializer::json, Executor>;

/// With this driver claims and acknowledgements wait for the disk, as those of the peers do.
inline pgq::driver::libpq strict_driver(const std::string& dsn) {
    return pgq::driver::libpq{pgq::driver::connection_options{.conninfo = dsn, .strict = true}};
}

inline std::vector<mail> mails(std::int64_t from, std::int64_t n) {
    std::vector<mail> all;
    all.reserve(static_cast<std::size_t>(n));
    for (std::int64_t i = from; i < from + n; ++i) all.push_back({"ada@example.org", i});
    return all;
}

/// Stores many jobs in one row.
inline constexpr pgq::enqueue_options packed{.packed = true};

/// Empties the hot tables and fills them with mails 0 ... n-1.
void refill(const std::string& dsn, std::int64_t n, const pgq::enqueue_options& how = {});
/// Truncates the tables, so that no dead rows are left.
void clear(const std::string& dsn);

/// Counts how often each of n mails was seen.
class tally {
public:
    explicit tally(std::int64_t n) : seen_(static_cast<std::size_t>(n)) {}
    void see(std::int64_t number) noexcept {
        if (number < 0 || static_cast<std::size_t>(number) >= seen_.size()) ++unknown_;
        else if (seen_[static_cast<std::size_t>(number)]++ == 0) ++distinct_;
    }
    /// Throws unless each was seen once.
    void check() const;

private:
    std::vector<unsigned char> seen_;
    std::int64_t distinct_ = 0;
    std::int64_t unknown_ = 0;
};

}  // namespace bench
