#include <pgq/backoff/none.hpp>
#include <pgq/client.hpp>
#include <pgq/driver/memory.hpp>
#include <pgq/executor/in_place.hpp>
#include <pgq/job/sensitive.hpp>
#include <pgq/observer/log.hpp>
#include <pgq/serializer/encrypted.hpp>
#include <pgq/serializer/json.hpp>
#include <pgq/serializer/keys.hpp>
#include <pgq/worker.hpp>

#include "support/catch.hpp"

#include <chrono>
#include <sstream>
#include <stdexcept>
#include <string>
#include <string_view>

namespace unit_observer_log_secrets {

namespace login_jobs {

struct login {
    static constexpr std::string_view entrypoint = "login";
    std::string user{};
    pgq::sensitive<std::string> password{};
};
// What an older program wrote into the same lane: its payload cannot be read as a login.
struct old_login {
    static constexpr std::string_view entrypoint = "login";
    std::string user{};
    int password = 0;
};

pgq::serializer::key_ring keys;

}  // namespace login_jobs

}  // namespace unit_observer_log_secrets

BOOST_HANA_ADAPT_STRUCT(unit_observer_log_secrets::login_jobs::login, user, password);
BOOST_HANA_ADAPT_STRUCT(unit_observer_log_secrets::login_jobs::old_login, user, password);

namespace unit_observer_log_secrets {

using namespace login_jobs;
using pgq::observer::log_format;

namespace {

using sealed = pgq::serializer::encrypted<pgq::serializer::json, pgq::serializer::keys_of<keys>>;
using log_to_stream = pgq::observer::log<pgq::observer::to_stream>;
template <class Job>
using queue_of =
    pgq::queue<Job, pgq::driver::memory, sealed, pgq::backoff::none, pgq::executor::in_place, log_to_stream>;

/// All that the log writes about a job that fails twice, one that is done, one that cannot be read, and a cancel.
std::string written(log_format format) {
    std::ostringstream out;
    const log_to_stream log{out, {.least = pgq::observer::log_level::debug, .format = format, .with_time = true}};
    const pgq::driver::memory store;
    queue_of<login> jobs{store, {}, pgq::executor::in_place{}, log};
    queue_of<old_login> old{store, {}, pgq::executor::in_place{}, log};
    jobs.enqueue(login{"ada", std::string{"swordfish"}}).value();
    jobs.enqueue(login{"fail", std::string{"swordfish"}}).value();
    (void)jobs.cancel(
        jobs.enqueue(login{"gone", std::string{"swordfish"}}, {.run_at = pgq::in(std::chrono::hours{1})}).value());
    old.enqueue(old_login{"old", 808808}).value();
    pgq::worker w{jobs, {.max_attempts = 2, .until = pgq::run_until::empty}, [](const login& l) {
                      if (l.user == "fail") throw std::runtime_error{"wrong password"};
                  }};
    w.run().value();
    return out.str();
}

}  // namespace

TEST_CASE("no line of a log has a payload or a sensitive member", "[observer][log]") {
    keys.use(pgq::serializer::secret_key::random("k"));
    for (const auto format : {log_format::logfmt, log_format::json}) {
        const std::string lines = written(format);
        INFO(lines);
        CHECK(lines.find("jobs_enqueued") != std::string::npos);
        CHECK(lines.find("cancel_requested") != std::string::npos);
        CHECK(lines.find("wrong password") != std::string::npos);  // the handler's own words
        CHECK(lines.find("hold") != std::string::npos);            // of the job that cannot be read
        for (const auto* secret : {"swordfish", "808808", "ada", "gone"})
            CHECK(lines.find(secret) == std::string::npos);
    }
    keys.forget("k");
}

}  // namespace unit_observer_log_secrets
