#include <pgq/driver/libpq.hpp>

#include <support/catch.hpp>
#include <support/database.hpp>
#include <support/jobs.hpp>

#include <unistd.h>

#include <atomic>
#include <chrono>
#include <string>

namespace integration_publication {

using test::note;

TEST_CASE("jobs run, are retried, held and purged in a database that publishes all tables",
          "[integration][publication]") {
    // A database of its own: such a publication forbids changes of the tables of other tests.
    const test::sql_connection server{test::dsn(), "public"};
    const std::string name = "published_" + std::to_string(::getpid());
    (void)server.exec("DROP DATABASE IF EXISTS " + name + " WITH (FORCE)");
    (void)server.exec("CREATE DATABASE " + name + " TEMPLATE template0 ENCODING 'UTF8'");
    const pgq::driver::libpq driver{test::database::settings_of(test::dsn(), "dbname", name)};
    driver.install().value();
    {
        const test::sql_connection inside{driver.options().conninfo, "pgq_jobs"};
        (void)inside.exec("CREATE PUBLICATION everything FOR ALL TABLES");
        test::note_queue<> jobs{driver};
        (void)jobs.enqueue(test::notes(50)).value();
        (void)jobs.enqueue(test::notes(50), {.packed = true}).value();
        (void)jobs.enqueue(note{.n = 1007}, {.keep_outcome = std::chrono::hours{1}}).value();
        const auto soon = pgq::in(std::chrono::milliseconds{50});
        (void)jobs.enqueue(note{.n = 1008}, {.run_at = soon, .unique_key = "k"}).value();
        std::atomic<int> ran{0};
        test::run_until_empty(jobs, {.max_attempts = 2, .until = pgq::run_until::drained},
                              [&](const note& n, const pgq::context& c) -> pgq::outcome {
                                  ++ran;
                                  if (n.n == 1007 && c.attempt() == 1) return pgq::retry_after{};
                                  if (n.n == 1008) return pgq::hold{"no"};
                                  return pgq::done{};
                              });
        CHECK(ran >= 102);
        CHECK(jobs.counts<note>().value().held == 1);
        CHECK(jobs.cancel(jobs.held<note>().value().at(0).id).has_value());
        // Each table of the schema can be changed: nothing is left for another statement to find.
        CHECK(inside
                  .query_text("SELECT string_agg(c.relname, ', ') FROM pg_class c WHERE c.relkind = 'r'"
                              " AND c.relnamespace = to_regnamespace('{q}') AND c.relreplident <> 'f'"
                              " AND NOT EXISTS (SELECT FROM pg_index i WHERE i.indrelid = c.oid AND i.indisprimary)")
                  .empty());
    }
    (void)server.exec("DROP DATABASE " + name + " WITH (FORCE)");
}

}  // namespace integration_publication
