#pragma once

#include <pgq/detail/utf8.hpp>
#include <pgq/driver/pq/link.hpp>
#include <pgq/job/enqueue.hpp>
#include <pgq/job/unique.hpp>
#include <pgq/statement/enqueue.hpp>
#include <pgq/statement/track.hpp>
#include <pgq/statement/wake.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

/// The verbs of a session without their I/O: each composes a script and, when it was answered, reads it. The blocking and the
/// Asio driver run the same ones.
namespace pgq::driver::pq {

/// Wakes one sleeper of these lanes, in a transaction of its own behind what was committed before. A failure of it fails
/// nothing: sleepers look for themselves now and then.
inline void add_wake(script& steps, const link& l, std::span<const lane_id> lanes) {
    auto& p = steps.add(statement::wake);
    p.number(l.space()).int4s(lanes.size(), [&](std::size_t i) { return lanes[i].value; });
    steps.sync();
}

inline result<void> check_size(std::optional<std::string_view> payload, std::size_t max_payload) {
    if (!payload || payload->size() <= max_payload) return {};
    return error_info{
        errc::payload_too_large,
        "the payload has " + std::to_string(payload->size()) + " bytes, max_payload is " + std::to_string(max_payload),
        "store it elsewhere and keep its address, or raise max_payload"};
}

/// Says what is wrong with a request before anything is sent.
inline result<void> check_enqueue(const enqueue_request& r, std::size_t max_payload) {
    for (std::size_t i = 0; i < r.bodies->size(); ++i) {
        if ((*r.bodies)[i].size() > max_payload)
            return error_info{errc::payload_too_large,
                              "payload " + std::to_string(i) + " has " + std::to_string((*r.bodies)[i].size()) +
                                  " bytes, max_payload is " + std::to_string(max_payload),
                              "store it elsewhere and enqueue its address, or raise max_payload"};
    }
    for (const auto& o : r.options) {
        if (auto fine = check_headers(o.headers); !fine) return fine;
        if (auto fine = check_unique(o.unique_key); !fine) return fine;
    }
    return {};
}

class enqueue_verb {
public:
    enqueue_verb(const enqueue_request& r, std::vector<job_id>& ids) : request_{&r}, ids_{&ids} {}

    void compose(script& steps, const link& l) {
        add_inserts(steps);
        steps.sync();
        add_wake(steps, l, {&request_->lane, 1});
    }
    /// Without what is said behind the commit.
    void add_inserts(script& steps) {
        const std::size_t n = request_->bodies->size();
        if (!request_->packs())
            return statement::bind_enqueue(steps.add(statement::enqueue_query(*request_)), *request_);
        packs_ = (n + statement::jobs_in_pack - 1) / statement::jobs_in_pack;
        for (std::size_t i = 0; i < packs_; ++i) {
            const std::size_t first = n * i / packs_;
            statement::bind_pack(steps.add(statement::enqueue_pack), *request_, first, n * (i + 1) / packs_ - first);
        }
    }

    result<void> read(script& steps) const {
        const std::size_t n = request_->bodies->size();
        if (packs_ == 0) return read_ids(steps[0], n, *ids_);
        if (auto e = steps.first_error(0, packs_)) return *e;
        ids_->clear();
        for (std::size_t i = 0; i < packs_; ++i) append_ids(steps[i], *ids_);
        return counted(n, *ids_);
    }

    static result<void> read_ids(const step& s, std::size_t n, std::vector<job_id>& ids) {
        if (s.error) return *s.error;
        ids.clear();
        if (s.query == &statement::enqueue_one) {
            ids.push_back({s[0].number<std::int64_t>(0)});
            return {};
        }
        append_ids(s, ids);
        // Ids are drawn in input order; the answer may come in another.
        if (s.query != &statement::enqueue_tracked) std::sort(ids.begin(), ids.end());
        return counted(n, ids);
    }

private:
    static void append_ids(const step& s, std::vector<job_id>& ids) {
        if (s.rows() != 1) return;
        statement::wire::array_reader all{s[0].cell(0)};
        for (std::size_t i = 0, size = all.size(); i < size; ++i) ids.push_back({all.next_number<std::int64_t>()});
    }
    static result<void> counted(std::size_t n, const std::vector<job_id>& ids) {
        if (ids.size() == n) return {};
        return error_info{errc::protocol, "an enqueue answered with the wrong number of ids"};
    }

    const enqueue_request* request_;
    std::vector<job_id>* ids_;
    std::size_t packs_ = 0;
};

struct lanes_request {
    std::string_view queue{};
    std::span<const lane_name> names{};
};

/// Makes the lanes that are missing and finds all, in the order of the names.
class lanes_verb {
public:
    lanes_verb(const lanes_request& r, std::vector<lane_id>& found) : request_{&r}, found_{&found} {}

    void compose(script& steps, const link&) const {
        for (const auto* q : {&statement::add_lanes, &statement::find_lanes}) {
            const std::size_t n = request_->names.size();
            steps.add(*q)
                .text(request_->queue)
                .texts(n, [&](std::size_t i) { return request_->names[i].entrypoint; })
                .texts(n, [&](std::size_t i) { return request_->names[i].version; });
            steps.sync();
        }
    }

    result<void> read(script& steps) const {
        found_->clear();
        if (auto e = steps.first_error(0, steps.size())) return *e;
        if (steps[1].rows() == 1) {
            statement::wire::array_reader ids{steps[1][0].cell(0)};
            for (std::size_t i = 0, n = ids.size(); i < n; ++i) found_->push_back({ids.next_number<std::int32_t>()});
        }
        if (found_->size() != request_->names.size()) return error_info{errc::protocol, "a lane could not be made"};
        return {};
    }

private:
    const lanes_request* request_;
    std::vector<lane_id>* found_;
};

/// A row of statement::find_limits.
inline lane_limit read_limit(row_view row) {
    return {.entrypoint = std::string{row.cell(0)},
            .limit = {.kind = static_cast<limit_kind>(row.cell(1).empty() ? 'c' : row.cell(1)[0]),
                      .number = row.number<std::int16_t>(2),
                      .amount = row.number<std::int32_t>(3),
                      .per = std::chrono::microseconds{row.number<std::int64_t>(4)},
                      .burst = row.number<std::int32_t>(5)}};
}

class enqueue_tracked_verb {
public:
    enqueue_tracked_verb(const tracked_request& r, std::vector<enqueued_job>& jobs) : request_{&r}, jobs_{&jobs} {}

    void compose(script& steps, const link& l) const {
        statement::bind_enqueue_tracked(steps.add(statement::enqueue_tracked), *request_);
        steps.sync();
        add_wake(steps, l, request_->lanes);
    }
    result<void> read(script& steps) const { return read_jobs(steps[0], request_->bodies->size(), *jobs_); }

    static result<void> read_jobs(const step& s, std::size_t n, std::vector<enqueued_job>& jobs) {
        if (s.error) return *s.error;
        jobs.clear();
        if (s.rows() == 1 && !s[0].null(0)) {
            statement::wire::array_reader ids{s[0].cell(0)}, fresh{s[0].cell(1)};
            for (std::size_t i = 0, size = ids.size(); i < size; ++i)
                jobs.push_back({{ids.next_number<std::int64_t>()}, fresh.next() != std::string_view{"\0", 1}});
        }
        if (jobs.size() != n) return error_info{errc::protocol, "an enqueue answered with the wrong number of ids"};
        return {};
    }

private:
    const tracked_request* request_;
    std::vector<enqueued_job>* jobs_;
};

/// What the ends of jobs came to: rows of statement::watch.
inline void read_ends(const step& s, std::vector<ended_job>& ended) {
    ended.clear();
    for (int i = 0; i < s.rows(); ++i) {
        const row_view row = s[i];
        ended.push_back({.id = {row.number<std::int64_t>(0)},
                         .kind = static_cast<end_kind>(row.cell(1).empty() ? '?' : row.cell(1)[0]),
                         .attempts = row.number<std::int16_t>(2),
                         .reason = std::string{row.cell(3)},
                         .has_result = !row.null(4),
                         .result = std::string{row.cell(4)}});
    }
}

}  // namespace pgq::driver::pq
