#pragma once

#include <pgq/cli/program.hpp>

#include <pgq/error/condition.hpp>
#include <pgq/error/result.hpp>
#include <pgq/job/id.hpp>
#include <pgq/protocol/found_job.hpp>
#include <pgq/protocol/listing.hpp>
#include <pgq/protocol/record.hpp>
#include <pgq/protocol/tracked.hpp>

#include <optional>
#include <utility>
#include <vector>

namespace pgq::cli {

/// What is known of a job. `has_payload`: the role may read payloads, and the job has not ended.
struct job_details : found_job {
    bool has_payload = false;
    std::vector<failed_attempt> failures{};
};

/// As a reader sees it, who may not read payloads: then the end of a job and what it waits for stay unknown.
inline std::optional<job_details> read_listed_job(program& p, job_id id) {
    auto page = p.ops().jobs({.after = {id.value - 1}, .last = id}, {.most = 1}).value();
    if (page.jobs.empty()) return std::nullopt;
    listed_job& from = page.jobs.front();
    job_details j;
    j.id = id, j.lane = from.lane, j.rank = from.rank, j.state = from.state, j.attempts = from.attempts;
    j.enqueued_at = from.enqueued_at, j.run_at = from.run_at, j.reason = std::move(from.reason);
    j.headers = std::move(from.headers), j.key = std::move(from.key);
    if (from.worker) j.holder = job_holder{.worker = *from.worker, .since = from.since.value_or(time_point{})};
    return j;
}

/// Empty: nothing is known of it. `payload`: it fails if the role may not read payloads.
inline std::optional<job_details> read_job_details(program& p, job_id id, bool payload) {
    std::optional<job_details> j;
    auto found = p.ops().job(id);
    const bool is_refused = !found && found.error().code == make_sqlstate("42501");
    if (is_refused && !payload) j = read_listed_job(p, id);
    else if (auto known = std::move(found).value()) {
        j.emplace();
        static_cast<found_job&>(*j) = std::move(*known);
        j->has_payload = j->state != job_state::ended;
    }
    if (j) j->failures = p.ops().failures(id).value();
    return j;
}

}  // namespace pgq::cli
