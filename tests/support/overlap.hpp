#pragma once

#include <support/database.hpp>

#include <cstdint>
#include <string>

namespace test {

/// The maximum number of executions that ran at the same time, according to the rows that the handlers wrote. `group`
/// is an SQL expression over {s}.runs r; the maximum is within one group. An execution without an end ended when its
/// process was killed, see {s}.kills.
inline std::int64_t most_at_once(const database& db, const std::string& group = "0") {
    return db.query_int("WITH r AS (SELECT " + group +
                        " AS g, r.began, coalesce(r.ended, k.at, 'infinity') AS ended FROM {s}.runs r LEFT JOIN "
                        "{s}.kills k USING (pid)),"
                        " change AS (SELECT g, began AS at, 1 AS n FROM r UNION ALL SELECT g, ended, -1 FROM r)"
                        " SELECT max(sum) FROM (SELECT sum(n) OVER (PARTITION BY g ORDER BY at, n) FROM change) s");
}

/// The average number of executions that ran at the same time, in thousandths, from the first start to the last start.
inline std::int64_t mean_at_once(const database& db) {
    return db.query_int(
        "WITH r AS (SELECT r.began, coalesce(r.ended, k.at) AS ended FROM {s}.runs r LEFT JOIN {s}.kills k USING (pid))"
        " SELECT (1000 * extract(epoch FROM sum(ended - began)) / extract(epoch FROM max(began) - min(began)))::int8"
        "   FROM r");
}

inline void make_kills(const database& db) { db.exec("CREATE TABLE {s}.kills (pid int4 PRIMARY KEY, at timestamptz)"); }

}  // namespace test
