#pragma once

#include <support/database.hpp>
#include <support/process.hpp>

#include <map>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace test {

/// The tables into which tests/programs/worker.cpp writes its runs.
inline void make_journal(const database& db) {
    db.exec(
        "CREATE TABLE {s}.runs (run int8 GENERATED ALWAYS AS IDENTITY PRIMARY KEY, job int8, attempt int2, pid int4,"
        " n int8, began timestamptz DEFAULT clock_timestamp(), ended timestamptz)");
    db.exec("CREATE TABLE {s}.events (pid int4, what text, why text, at timestamptz DEFAULT clock_timestamp())");
}

/// What tests/programs/worker.cpp has noted in `events`, a line for each, to say why a test failed.
inline std::string events_of(const database& db) {
    return db.query_text(
        "SELECT string_agg(concat_ws(' ', at, 'pid', pid, what, why), E'\\n' ORDER BY at) FROM {s}.events");
}

/// Starts tests/programs/worker.cpp, which describes the settings. Waits until it is ready.
inline process start_worker(const database& db, const std::map<std::string, std::string>& settings = {}) {
    std::vector<std::string> arguments{PGQ_TEST_PROGRAMS "/worker", "dsn=" + db.conninfo(), "journal=" + dsn(),
                                       "schema=" + db.schema()};
    for (const auto& [key, value] : settings) arguments.push_back(key + "=" + value);
    process p{std::move(arguments)};
    if (!p.says("READY")) throw std::runtime_error{"the worker program did not start"};
    return p;
}

}  // namespace test
