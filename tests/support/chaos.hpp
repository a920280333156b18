#pragma once

#include <pgq/concept/backoff.hpp>
#include <pgq/driver/libpq.hpp>
#include <pgq/executor/thread_pool.hpp>
#include <pgq/limiter/global_concurrency.hpp>
#include <pgq/limiter/global_rate.hpp>
#include <pgq/queue.hpp>
#include <pgq/serializer/json.hpp>

#include <boost/hana/adapt_struct.hpp>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <fstream>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

/// What tests/programs/chaos.cpp and tests/stress/chaos.cpp share: the jobs of all features, and the files in which
/// programs record what they did. The files survive kills of the programs and restarts of the server.
namespace test::chaos {

using namespace std::chrono_literals;

inline constexpr std::int32_t most_counted = 3, paced_rate = 50;
inline constexpr auto lease_time = 2s;

/// A job that fails before it succeeds, expires, waits for others, has a key or is cancelled, as its enqueue says.
struct step {
    static constexpr std::string_view entrypoint = "step";
    std::int64_t n = 0;
    std::int32_t rest = 0;  ///< of its handler, in microseconds
    std::int16_t failures = 0;
    std::int64_t expires = 0;  ///< seconds since 1970; 0: never
};
/// At most `most_counted` run at once in all processes.
struct counted {
    static constexpr std::string_view entrypoint = "counted";
    std::int64_t n = 0;
    std::int32_t rest = 0;
};
/// At most `paced_rate` start each second in all processes.
struct paced {
    static constexpr std::string_view entrypoint = "paced";
    std::int64_t n = 0;
};
/// One call of the handler gets many.
struct grouped {
    static constexpr std::string_view entrypoint = "grouped";
    std::int64_t n = 0;
};
/// Its handler writes in the transaction that ends the job.
struct posted {
    static constexpr std::string_view entrypoint = "posted";
    std::int64_t n = 0;
};
struct computed {
    static constexpr std::string_view entrypoint = "computed";
    using result = std::int64_t;
    std::int64_t n = 0;
};
/// It fails for good, and then runs in the queue of dead letters.
struct doomed {
    static constexpr std::string_view entrypoint = "doomed";
    std::int64_t n = 0;
};

/// Why a job was enqueued the way it was: what must be true of it at the end.
enum class kind : std::int32_t {
    runs,
    expires,       ///< runs or has expired
    is_child,      ///< runs after the job with the number before it
    is_cancelled,  ///< never runs
    may_run,       ///< nobody knows whether it was cancelled
    is_posted,     ///< its row is in the table `posted`
    is_counted,
    is_paced,
    is_late,  ///< it began after it had expired: never recorded by a library that works
};

struct record {
    std::int64_t n = 0;
    std::int64_t id = 0;  ///< of the job
    std::int64_t at = 0;  ///< nanoseconds of the steady clock, which all processes share
    std::int32_t pid = 0;
    std::int32_t what = 0;  ///< `kind` in the file of enqueues
};

inline std::int64_t steady_now() { return std::chrono::steady_clock::now().time_since_epoch().count(); }

/// A file to which many processes append. A write of O_APPEND is whole or does not happen.
class log_file {
public:
    explicit log_file(const std::string& path)
        : file_{::open(path.c_str(), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0644)} {
        if (file_ < 0) throw std::runtime_error{"cannot write " + path};
    }
    log_file(const log_file&) = delete;
    log_file& operator=(const log_file&) = delete;
    ~log_file() { ::close(file_); }

    void add(const std::vector<record>& all) const {
        const auto size = all.size() * sizeof(record);
        if (::write(file_, all.data(), size) != static_cast<ssize_t>(size)) ::abort();
    }
    void add(std::int64_t n, std::int64_t id, kind what = kind::runs) const {
        add(std::vector<record>{{n, id, steady_now(), ::getpid(), static_cast<std::int32_t>(what)}});
    }

private:
    int file_;
};

inline std::size_t count_records(const std::string& path) {
    struct stat is {};
    return ::stat(path.c_str(), &is) == 0 ? static_cast<std::size_t>(is.st_size) / sizeof(record) : 0;
}
inline std::vector<record> read_records(const std::string& path) {
    std::vector<record> all(count_records(path));
    std::ifstream{path, std::ios::binary}.read(reinterpret_cast<char*>(all.data()),
                                               static_cast<std::streamsize>(all.size() * sizeof(record)));
    return all;
}

struct soon {
    using policy_category = pgq::backoff_tag;
    pgq::duration delay(int) const noexcept { return 50ms; }
};

template <class Observer>
using queue = pgq::queue<step, pgq::job<counted, pgq::limiter::global_concurrency<most_counted>>,
                         pgq::job<paced, pgq::limiter::global_rate<paced_rate>>, grouped, posted, computed, doomed,
                         pgq::driver::libpq, pgq::serializer::json, pgq::executor::thread_pool, soon, Observer>;

}  // namespace test::chaos

BOOST_HANA_ADAPT_STRUCT(test::chaos::step, n, rest, failures, expires);
BOOST_HANA_ADAPT_STRUCT(test::chaos::counted, n, rest);
BOOST_HANA_ADAPT_STRUCT(test::chaos::paced, n);
BOOST_HANA_ADAPT_STRUCT(test::chaos::grouped, n);
BOOST_HANA_ADAPT_STRUCT(test::chaos::posted, n);
BOOST_HANA_ADAPT_STRUCT(test::chaos::computed, n);
BOOST_HANA_ADAPT_STRUCT(test::chaos::doomed, n);
