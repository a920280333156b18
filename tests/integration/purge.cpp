#include <support/catch.hpp>
#include <support/database.hpp>

namespace integration_purge {

using test::database;

TEST_CASE("a purge deletes what is kept until now, and nothing that is kept for a microsecond more",
          "[integration][purge]") {
    const database db;
    db.exec("INSERT INTO {s}.lane (queue, entrypoint) VALUES ('q', 'e')");
    // now() is the same in all statements of a transaction.
    db.exec(
        "BEGIN; CREATE TEMPORARY TABLE kept ON COMMIT DROP AS"
        " SELECT n, now() + n * interval '1 microsecond' AS until FROM generate_series(-1, 1) n");
    db.exec(
        "INSERT INTO {s}.outcome (id, lane, kind, attempts, keep_until)"
        " SELECT n, l.id, 'd', 1, until FROM kept, {s}.lane l");
    db.exec("INSERT INTO {s}.unique_key (digest, job_id, scope, until) SELECT int4send(n), n, 'p', until FROM kept");
    db.exec(
        "INSERT INTO {s}.request (digest, jobs, fresh, until) SELECT int4send(n), ARRAY[n], '{t}', until FROM kept");
    CHECK(db.query_int("SELECT {s}.purge('14 days')") == 6);
    CHECK(db.query_text("SELECT string_agg(id::text, ',') FROM {s}.outcome") == "1");
    CHECK(db.query_text("SELECT string_agg(job_id::text, ',') FROM {s}.unique_key") == "1");
    CHECK(db.query_text("SELECT string_agg(jobs::text, ',') FROM {s}.request") == "{1}");
    db.exec("ROLLBACK");
}

}  // namespace integration_purge
