#pragma once

#include "database.hpp"
#include "text.hpp"

#include <cstdint>
#include <sstream>
#include <string>
#include <vector>

/// The application's tables. A job may run more than once, so each change here is idempotent.
namespace quickstart::store {

inline void create(database& db) {
    database::transaction tx{db};
    tx.run("CREATE SCHEMA " + db.schema());
    tx.run(
        "CREATE TABLE scanned (one bool PRIMARY KEY, files int8 NOT NULL, files_left int8 NOT NULL, report_job int8);"
        "CREATE TABLE file (path text PRIMARY KEY, is_text bool NOT NULL, total int8 NOT NULL, words text[], counts "
        "int4[]);"
        // not compressed, because the report reads them only once
        "ALTER TABLE file ALTER words SET STORAGE EXTERNAL, ALTER counts SET STORAGE EXTERNAL;"
        "CREATE TABLE summary (one bool PRIMARY KEY, total int8, different int8, top text[], top_counts int8[])");
    tx.commit();
}

/// Drops the tables and the schema of the queue.
inline void drop(database& db) {
    database::transaction tx{db};
    tx.run("DROP SCHEMA IF EXISTS " + db.schema() + " CASCADE; DROP SCHEMA IF EXISTS " + db.schema() + "_jobs CASCADE");
    tx.commit();
}

/// False if the row existed before.
inline bool put_scan(database::transaction& tx, std::size_t files) {
    return tx.run("INSERT INTO scanned VALUES (true, $1, $1) ON CONFLICT DO NOTHING RETURNING 1",
                  {std::to_string(files)})
               .size() == 1;
}

/// False if the row existed before.
inline bool put_file(database::transaction& tx, const std::string& path, bool is_text, std::int64_t total,
                     const word_counts& counted) {
    std::string words;
    std::string counts;
    for (const auto& [word, n] : counted) {
        words.append(words.empty() ? "" : " ").append(word);
        counts.append(counts.empty() ? "" : " ").append(std::to_string(n));
    }
    return tx.run(
                 "INSERT INTO file VALUES ($1, $2, $3, string_to_array($4, ' '), string_to_array($5, ' ')::int4[])"
                 " ON CONFLICT (path) DO NOTHING RETURNING 1",
                 {path, is_text ? "true" : "false", std::to_string(total), words, counts})
               .size() == 1;
}

/// Counts this file as done; returns how many files are left. The row stays locked until the transaction ends, so
/// exactly one handler sees 0.
inline std::int64_t count_down(database::transaction& tx) {
    return tx.run("UPDATE scanned SET files_left = files_left - 1 RETURNING files_left").number(0, 0);
}

inline void put_report_job(database::transaction& tx, std::int64_t id) {
    tx.run("UPDATE scanned SET report_job = $1", {std::to_string(id)});
}

inline void put_summary(database::transaction& tx, std::int64_t top) {
    tx.run(
        "WITH words AS MATERIALIZED ("
        "    SELECT word, sum(n)::int8 AS n FROM file, unnest(words, counts) AS t(word, n) GROUP BY word),"
        "  top AS (SELECT word, n FROM words ORDER BY n DESC, word COLLATE \"C\" LIMIT $1)"
        " INSERT INTO summary SELECT true, coalesce(sum(n), 0), count(*),"
        "    (SELECT array_agg(word ORDER BY n DESC, word COLLATE \"C\") FROM top),"
        "    (SELECT array_agg(n ORDER BY n DESC, word COLLATE \"C\") FROM top) FROM words"
        " ON CONFLICT DO NOTHING",
        {std::to_string(top)});
}

/// The progress of a run.
struct progress {
    bool scanned = false;
    std::int64_t files = 0;
    std::int64_t files_done = 0;
    bool reported = false;
};

inline progress get_progress(database& db) {
    database::transaction tx{db};
    const rows r = tx.run("SELECT files, files - files_left, EXISTS (SELECT FROM summary) FROM scanned");
    tx.commit();
    if (r.size() == 0) return {};
    return {.scanned = true, .files = r.number(0, 0), .files_done = r.number(0, 1), .reported = r.text(0, 2) == "t"};
}

struct word {
    std::string text{};
    std::int64_t count = 0;
    friend bool operator==(const word&, const word&) = default;
};

/// The sums over all files.
struct totals {
    std::int64_t texts = 0;
    std::int64_t words = 0;
    std::int64_t different = 0;
    std::vector<word> top{};
    friend bool operator==(const totals&, const totals&) = default;
};

inline totals get_totals(database& db) {
    database::transaction tx{db};
    const rows sums = tx.run("SELECT (SELECT count(*) FROM file WHERE is_text), total, different FROM summary");
    const rows top = tx.run(
        "SELECT t.* FROM summary, unnest(top, top_counts) WITH ORDINALITY AS t(word, n, place)"
        " ORDER BY place");
    tx.commit();
    totals all{.texts = sums.number(0, 0), .words = sums.number(0, 1), .different = sums.number(0, 2)};
    for (int i = 0; i < top.size(); ++i) all.top.push_back({top.text(i, 0), top.number(i, 1)});
    return all;
}

/// How many jobs were enqueued, by the rows that their producers wrote, and how many wrote their result.
struct job_balance {
    std::int64_t enqueued = 0;
    std::int64_t done = 0;
};

inline job_balance get_balance(database& db) {
    database::transaction tx{db};
    const rows r = tx.run(
        "SELECT 1 + coalesce((SELECT files FROM scanned), 0) + (SELECT count(report_job) FROM scanned),"
        " (SELECT count(*) FROM scanned) + (SELECT count(*) FROM file) + (SELECT count(*) FROM summary)");
    tx.commit();
    return {.enqueued = r.number(0, 0), .done = r.number(0, 1)};
}

}  // namespace quickstart::store
