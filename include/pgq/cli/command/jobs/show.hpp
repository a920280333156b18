#pragma once

#include <pgq/cli/command/part/job_ids.hpp>
#include <pgq/cli/database/job_details.hpp>
#include <pgq/cli/database/lane_names.hpp>
#include <pgq/cli/output/header_text.hpp>
#include <pgq/cli/output/payload_text.hpp>
#include <pgq/cli/output/state_name.hpp>
#include <pgq/cli/output/table.hpp>
#include <pgq/cli/program.hpp>

#include <pgq/client/job_handle.hpp>
#include <pgq/job/id.hpp>
#include <pgq/protocol/rank.hpp>
#include <pgq/protocol/revision.hpp>
#include <pgq/protocol/tracked.hpp>
#include <pgq/time/clock.hpp>

#include <CLI/App.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace pgq::cli::command::jobs {

/// Ends with 1 if nothing is known of one of the jobs.
struct show {
    static constexpr const char* name = "show";
    static constexpr const char* what = "Show all that is known of some jobs";

    void declare(CLI::App& a) {
        ids.declare(a, "Jobs, by their ids")->required();
        a.add_flag("--payload", payload, "Also the payload: JSON, or hexadecimal digits; never an encrypted one");
        a.add_flag("--whole", whole, "Do not cut a payload behind 4 KiB");
    }

    exit_code run(program& p) {
        lane_names lanes{p};
        std::string unknown;
        std::vector<job_details> found;
        for (const job_id id : ids.all()) {
            auto job = read_job_details(p, id, payload);
            if (job) found.push_back(std::move(*job));
            else unknown += (unknown.empty() ? "job " : ", ") + std::to_string(id.value);
        }
        if (!found.empty() && p.writes_for_people()) show_each(p, found, lanes);
        else if (!found.empty()) show_all(p, found, lanes);
        if (unknown.empty()) return exit_code::done;
        return p.fail(exit_code::not_met, "nothing is known of " + unknown,
                      "it has ended and its end is not kept, or it was never there");
    }

private:
    struct field {
        column of;
        cell value;
    };

    /// Programs get one row for each job.
    void show_all(program& p, const std::vector<job_details>& jobs, lane_names& lanes) const {
        std::vector<column> columns;
        for (const field& f : fields(p, jobs.front(), lanes)) columns.push_back(f.of);
        table t{std::move(columns)};
        for (const job_details& j : jobs) {
            std::vector<cell> row;
            for (field& f : fields(p, j, lanes)) row.push_back(std::move(f.value));
            t.add(std::move(row));
        }
        p.show(t);
    }
    /// People get one line for each thing that is known.
    void show_each(program& p, const std::vector<job_details>& jobs, lane_names& lanes) const {
        for (const job_details& j : jobs) {
            if (&j != &jobs.front()) write_out("\n");
            table t{{{"field"}, {"value"}}};
            for (field& f : fields(p, j, lanes))
                if (const std::string text = shown(f.value); !text.empty()) t.add({f.of.name, text});
            for (const failed_attempt& a : j.failures)
                t.add({"attempt " + std::to_string(a.attempt), text_of(a.at) + ' ' + a.reason});
            p.show(t);
        }
    }

    std::vector<field> fields(program& p, const job_details& j, lane_names& lanes) const {
        const listed_lane& lane = lanes.of(j.lane);
        const bool has_ended = j.state == job_state::ended;
        std::vector<field> all{
            {{"id", kind::number}, j.id.value},
            {{"queue"}, lane.queue},
            {{"entrypoint"}, lane.entrypoint},
            {{"version"}, lane.version},
            {{"state"}, std::string{state_name(j.state)}},
            {{"end"}, j.end ? cell{std::string{name_of(*j.end)}} : cell{}},
            {{"priority", kind::number}, has_ended ? cell{} : cell{std::int64_t{j.priority()}}},
            {{"deadline", kind::time}, has_ended ? cell{} : deadline_of(j)},
            {{"attempts", kind::number}, std::int64_t{j.attempts}},
            {{"enqueued_at", kind::time}, has_ended ? cell{} : cell{j.enqueued_at}},
            {{"run_at", kind::time}, cell_of(j.run_at)},
            {{"blocked_by", kind::number}, j.state == job_state::blocked ? cell{j.blocked_by} : cell{}},
            {{"worker", kind::number}, j.holder ? cell{std::int64_t{j.holder->worker.value}} : cell{}},
            {{"host"}, j.holder ? cell{j.holder->host} : cell{}},
            {{"pid", kind::number}, j.holder && j.holder->pid > 0 ? cell{std::int64_t{j.holder->pid}} : cell{}},
            {{"claimed_at", kind::time}, j.holder ? cell{j.holder->since} : cell{}},
            {{"reason"}, j.reason},
            {{"headers"}, header_text(j.headers)},
            {{"key"}, cell_of(j.key)},
            {{"progress"}, progress_of(p, j)},
            {{"failed_attempts", kind::number}, static_cast<std::int64_t>(j.failures.size())},
        };
        if (payload) all.push_back({{"payload"}, j.has_payload ? cell{payload_of(p, j, lane)} : cell{}});
        return all;
    }

    static cell deadline_of(const job_details& j) {
        if (j.rank.deadline_ms() == rank::no_deadline) return {};
        return time_point{std::chrono::milliseconds{j.rank.deadline_ms()}};
    }
    static cell progress_of(program& p, const job_details& j) {
        if (j.state == job_state::ended) return {};
        const auto stored = p.ops().progress_of(j.id).value();
        const auto read = stored ? pgq::detail::unpacked(*stored) : std::nullopt;
        if (!read) return {};
        const auto percent = static_cast<std::int64_t>(read->fraction * 100);
        return std::to_string(percent) + " %" + (read->text.empty() ? "" : ": " + read->text);
    }
    std::string payload_of(program& p, const job_details& j, const listed_lane& lane) const {
        constexpr std::size_t most_bytes = 4096;
        const std::size_t most = whole ? std::string::npos : most_bytes;
        if (const auto decoded = p.decoded(lane, j.body)) return cut(*decoded, most);
        return payload_text(j.body, most);
    }

public:
    job_ids ids{};
    bool payload = false;
    bool whole = false;
};

}  // namespace pgq::cli::command::jobs
