#pragma once

#include "database.hpp"
#include "jobs.hpp"
#include "store.hpp"
#include "text.hpp"

#include <pgq/run.hpp>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <span>
#include <string>
#include <vector>

namespace quickstart {

/// The three handlers. Each writes its result and enqueues the next jobs in one transaction. If the handler throws, the
/// transaction is rolled back and the job runs again.
class handlers {
public:
    handlers(job_queue& jobs, database& db) : jobs_{&jobs}, db_{&db} {}

    void operator()(const scan& job) const {
        const auto paths = list_files(job.directories, job.at_most);
        database::transaction tx{*db_};
        if (!store::put_scan(tx, paths.size())) return;
        std::vector<index_file> files;
        for (const auto& path : paths) files.push_back({path});
        for (std::size_t i = 0; i < files.size(); i += batch_size) {
            const std::span batch{files.data() + i, std::min(batch_size, files.size() - i)};
            jobs_->enqueue(pgq::within(tx.handle()), batch).value();
        }
        if (files.empty()) enqueue_report(tx);
        tx.commit();
    }

    void operator()(const index_file& job) const {
        word_counts counts;
        const auto text = read_text(job.path);
        const std::int64_t total = text ? count_words(*text, counts) : 0;
        database::transaction tx{*db_};
        if (!store::put_file(tx, job.path, text.has_value(), total, counts)) return;
        if (store::count_down(tx) == 0) enqueue_report(tx);
        tx.commit();
    }

    void operator()(const report& job) const {
        database::transaction tx{*db_};
        store::put_summary(tx, job.top);
        tx.commit();
    }

private:
    static constexpr std::size_t batch_size = 1000;

    void enqueue_report(database::transaction& tx) const {
        const auto id = jobs_->enqueue(pgq::within(tx.handle()), report{}).value();
        store::put_report_job(tx, id.value);
    }

    job_queue* jobs_;
    database* db_;
};

/// The main function of a worker process. Runs until TERM.
inline int work(const std::string& schema) {
    const char* conninfo = std::getenv("PGQ_DSN");
    database db{conninfo == nullptr ? "" : conninfo, schema};
    job_queue jobs = open_queue(db.conninfo(), schema);
    const pgq::worker_options options{
        .max_attempts = 5, .lease_time = std::chrono::seconds{5}, .grace = std::chrono::seconds{5}};
    pgq::worker w{jobs, options, handlers{jobs, db}};
    return pgq::run(w);
}

}  // namespace quickstart
