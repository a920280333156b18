// What should compile without a detour: times of any precision, options in braces, lists of jobs, bound handlers.

#include <pgq/driver/libpq.hpp>
#include <pgq/driver/memory.hpp>
#include <pgq/pgq.hpp>
#include <pgq/serializer/json.hpp>

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

using namespace std::chrono_literals;

namespace app {

struct mail {
    static constexpr std::string_view entrypoint = "mail";
    std::string to{};
};

/// Not all of it is stored.
struct visit {
    static constexpr std::string_view entrypoint = "visit";
    static constexpr bool partly_adapted = true;
    std::string page{};
    int not_stored = 0;
};

struct base {
    int a = 0, b = 0;
};
struct tagged {};
/// Members of bases count, and empty bases do not.
struct sum : base, tagged {
    static constexpr std::string_view entrypoint = "sum";
    using result = std::int64_t;
    std::array<int, 3> more{};
};

struct waits_for_seconds {
    using policy_category = pgq::backoff_tag;
    std::chrono::seconds delay(int attempt) const noexcept { return std::chrono::seconds{attempt}; }
};

enum urgency : std::uint8_t { low, high };

}  // namespace app

BOOST_HANA_ADAPT_STRUCT(app::mail, to);
BOOST_HANA_ADAPT_STRUCT(app::visit, page);
BOOST_HANA_ADAPT_STRUCT(app::sum, a, b, more);

using log_to_stream = pgq::observer::log<pgq::observer::to_stream>;
using app_queue = pgq::queue<pgq::job<app::mail, app::waits_for_seconds>, app::visit, app::sum, pgq::driver::memory,
                             pgq::serializer::json, pgq::observer::all_of<log_to_stream, pgq::observer::counters>>;

void times(app_queue& jobs, const app::mail& mail) {
    using std::chrono::floor, std::chrono::system_clock;
    const auto now = system_clock::now();
    (void)jobs.enqueue(mail, {.run_at = now + 1h});
    (void)jobs.enqueue(mail, {.run_at = pgq::at(now + 1h), .expires_at = floor<std::chrono::days>(now)});
    (void)jobs.enqueue(mail, {.run_at = pgq::at(floor<std::chrono::seconds>(now)), .expires_at = pgq::in(1.5h)});
}

void options(app_queue& jobs, const app::mail& mail, int priority, std::size_t size, const std::string& user) {
    const auto parent = jobs.enqueue(mail, {.priority = priority, .unique_key = "welcome:" + user}).value();
    (void)jobs.enqueue(mail, {.priority = size, .headers = {{"tenant", user}, {"trace", "7"}}, .after = parent});
    (void)jobs.enqueue(mail, {.priority = app::high, .after = {parent, parent}});
    const std::array headers{pgq::header{"tenant", user}};
    const std::vector<pgq::job_id> parents{parent};
    (void)jobs.enqueue(mail, {.headers = headers, .after = parents});
    const pgq::enqueue_options kept{.headers = headers, .unique_key = user, .after = parents};
    (void)jobs.enqueue(mail, kept);
}

void stream(pgq::queue<app::mail, pgq::driver::libpq, pgq::serializer::json>& jobs, int priority) {
    (void)jobs.enqueue_stream(std::vector{app::mail{"bob"}}, priority);
}

void lists(app_queue& jobs, const app::mail& mail) {
    (void)jobs.enqueue({mail, mail, app::mail{"bob"}});
    (void)jobs.enqueue({mail, mail}, {.priority = 1});
    (void)jobs.transaction([&](auto& tx) { return tx.enqueue({mail, mail}, {.headers = {{"a", "b"}}}); });
}

class office {
public:
    void send(const app::mail&) {}
    std::int64_t add(const app::sum& s, pgq::context&) { return s.a + s.b; }
};

void handlers(app_queue& jobs, office& o) {
    pgq::worker w{jobs, std::bind_front(&office::send, &o), std::bind_front(&office::add, &o),
                  [](const app::visit&) {}};
    (void)w.run();
}

void drivers(const std::string& conninfo) {
    (void)pgq::driver::libpq{{.conninfo = conninfo}};
    (void)pgq::driver::libpq{{.conninfo = conninfo, .schema = "jobs"}};
    (void)pgq::driver::libpq{conninfo};
    (void)pgq::driver::libpq{"host=db"};
}
